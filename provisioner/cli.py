"""The command line: arguments, signals, exit codes. Everything heavy is imported when it is needed.

Exceptions end here: a message on stderr and an exit code, never a traceback.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from provisioner import __version__
from provisioner.emulator.command import emulator as emulator_command
from provisioner.errors import ProvisionerError
from provisioner.model import AuthTokens, OnExisting

app = typer.Typer(
    name="provisioner",
    help="Put a roster of users into CometChat: checked, rate-limited and crash-exact.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("emulator")(emulator_command)


class LogFormat(StrEnum):
    """How the story is told."""

    CONSOLE = "console"
    JSON = "json"


Roster = Annotated[Path, typer.Argument(help="CSV or Parquet file with the users.", show_default=False)]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        help="Results file, .csv, .parquet or .ndjson. [default: <roster>.results.csv in this folder]",
        show_default=False,
    ),
]
Config = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="TOML config. [default: provisioner.toml here, if there]", show_default=False),
]
Limit = Annotated[int | None, typer.Option(help="Only the first N rows.", metavar="N", show_default=False)]
Encoding = Annotated[
    str | None,
    typer.Option(help="Text encoding of a CSV, such as cp1252 or utf-16. [default: utf-8]", show_default=False),
]
Json = Annotated[bool | None, typer.Option("--json", help="Print the summary as one JSON object.", show_default=False)]
LogFormatOption = Annotated[
    LogFormat | None,
    typer.Option("--log-format", help="[default: console on a terminal, else json]", show_default=False),
]
LogFile = Annotated[
    Path | None, typer.Option(help="Write the log to this file as well, as JSON lines.", show_default=False)
]
Verbose = Annotated[bool | None, typer.Option("--verbose", "-v", help="Log details too.", show_default=False)]
Quiet = Annotated[bool | None, typer.Option("--quiet", "-q", help="Log warnings and errors only.", show_default=False)]
NoProgress = Annotated[bool | None, typer.Option("--no-progress", help="Draw no progress.", show_default=False)]


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"provisioner {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    pass


@app.command()
def run(
    roster: Roster,
    output: Output = None,
    config: Config = None,
    emulator: Annotated[
        bool | None,
        typer.Option(
            "--emulator",
            help="Send to a built-in stand-in on this machine: no key, no account.",
            show_default=False,
        ),
    ] = None,
    base_url: Annotated[
        str | None,
        typer.Option(help="API root, the part before /users. [default: from app id and region]", show_default=False),
    ] = None,
    requests_per_minute: Annotated[
        int | None,
        typer.Option(help="The app's core-operation limit. [default: 10000]", metavar="N", show_default=False),
    ] = None,
    share: Annotated[
        str | None,
        typer.Option(help="Part of that limit to use, 0.7 or 70%. [default: 90%]", metavar="P", show_default=False),
    ] = None,
    max_in_flight: Annotated[
        int | None,
        typer.Option(help="Requests on the wire at most. [default: 64]", metavar="N", show_default=False),
    ] = None,
    on_existing: Annotated[
        OnExisting | None,
        typer.Option(help="What to do with a uid that was there before. [default: skip]", show_default=False),
    ] = None,
    auth_tokens: Annotated[
        AuthTokens | None,
        typer.Option(help="For whom a token is asked. [default: created]", show_default=False),
    ] = None,
    max_failures: Annotated[
        str | None,
        typer.Option(help="Stop when more rows than this have failed: N or P%. [default: 5%]", show_default=False),
    ] = None,
    limit: Limit = None,
    encoding: Encoding = None,
    no_check_roles: Annotated[
        bool | None,
        typer.Option("--no-check-roles", help="Do not ask the API which roles exist.", show_default=False),
    ] = None,
    dry_run: Annotated[
        bool | None,
        typer.Option(
            "--dry-run",
            help="Everything but the sending: counts, requests and time needed.",
            show_default=False,
        ),
    ] = None,
    restart: Annotated[
        bool | None,
        typer.Option("--restart", help="Set an earlier run's journal aside and begin anew.", show_default=False),
    ] = None,
    json: Json = None,
    log_format: LogFormatOption = None,
    log_file: LogFile = None,
    verbose: Verbose = None,
    quiet: Quiet = None,
    no_progress: NoProgress = None,
) -> None:
    """Create the users of ROSTER in CometChat, one result per row.

    The API key comes from COMETCHAT_API_KEY or from a file named in the config, never from an argument.
    The same command again resumes: what is settled costs no request.

    Try it without an account:  provisioner run users.csv --emulator
    """
    flags: dict[str, dict[str, Any]] = {
        "api": {"emulator": emulator, "base_url": base_url},
        "rate": {"requests_per_minute": requests_per_minute, "share": share, "max_in_flight": max_in_flight},
        "run": {
            "on_existing": on_existing,
            "auth_tokens": auth_tokens,
            "max_failures": max_failures,
            "limit": limit,
            "encoding": encoding,
            "check_roles": False if no_check_roles else None,
            "dry_run": dry_run,
            "restart": restart,
        },
        **_common_flags(output, json, no_progress, log_format, log_file, verbose, quiet),
    }
    with _boundary():
        from provisioner.session import check_roster, run_roster
        from provisioner.settings import load

        settings = load(_given(flags), os.environ, config)
        raise typer.Exit(check_roster(roster, settings) if settings.run.dry_run else run_roster(roster, settings))


@app.command()
def validate(
    roster: Roster,
    output: Output = None,
    config: Config = None,
    limit: Limit = None,
    encoding: Encoding = None,
    json: Json = None,
    log_format: LogFormatOption = None,
    log_file: LogFile = None,
    verbose: Verbose = None,
    quiet: Quiet = None,
    no_progress: NoProgress = None,
) -> None:
    """Check ROSTER against CometChat's constraints, without network: same report, same rejected file."""
    flags = {
        "run": {"limit": limit, "encoding": encoding},
        **_common_flags(output, json, no_progress, log_format, log_file, verbose, quiet),
    }
    with _boundary():
        from provisioner.session import check_roster
        from provisioner.settings import load

        raise typer.Exit(check_roster(roster, load(_given(flags), os.environ, config)))


def _common_flags(
    output: Path | None,
    json: bool | None,
    no_progress: bool | None,
    log_format: LogFormat | None,
    log_file: Path | None,
    verbose: bool | None,
    quiet: bool | None,
) -> dict[str, dict[str, Any]]:
    return {
        "output": {"file": output, "json": json, "progress": False if no_progress else None},
        "log": {
            "format": log_format.value if log_format else None,
            "file": log_file,
            "verbose": verbose,
            "quiet": quiet,
        },
    }


def _given(flags: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    tables = {
        table: {key: value for key, value in values.items() if value is not None} for table, values in flags.items()
    }
    return {table: values for table, values in tables.items() if values}


@contextmanager
def _boundary() -> Iterator[None]:
    """Turn exceptions into one sentence and an exit code."""
    try:
        yield
    except ProvisionerError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(error.exit_code) from None
    except (typer.Exit, typer.Abort):
        raise
    except Exception as error:
        typer.echo(f"bug: {_report_bug(error)}", err=True)
        raise typer.Exit(70) from None


def _report_bug(error: Exception) -> str:
    """Write the traceback where it can be sent from, and say where that is; the terminal gets none."""
    from provisioner.crash import write_crash_file

    what = f"{type(error).__name__} in provisioner {__version__}, which is our fault"
    try:
        return f"{what}; please report it with {write_crash_file(error)}; the same command resumes"
    except OSError:
        return f"{what}; its traceback could not be written; the same command resumes"


def main() -> None:
    """Run the command."""
    app()

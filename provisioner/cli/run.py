"""The arguments of the main job: `run`, and its offline half, `validate`."""

from __future__ import annotations

import os
from typing import Annotated, Any

import typer

from provisioner.cli.arguments import (
    AuthTokensOption,
    BaseUrl,
    Config,
    Delimiter,
    Encoding,
    Json,
    Limit,
    LogFile,
    LogFormatOption,
    MaxFailures,
    MaxInFlight,
    NoProgress,
    Output,
    Quiet,
    RequestsPerMinute,
    Roster,
    Share,
    Sheet,
    Strict,
    Verbose,
)
from provisioner.cli.boundary import boundary, common_flags, given
from provisioner.model import OnExisting


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
    base_url: BaseUrl = None,
    requests_per_minute: RequestsPerMinute = None,
    share: Share = None,
    max_in_flight: MaxInFlight = None,
    on_existing: Annotated[
        OnExisting | None,
        typer.Option(help="What to do with a uid that was there before. [default: skip]", show_default=False),
    ] = None,
    auth_tokens: AuthTokensOption = None,
    max_failures: MaxFailures = None,
    limit: Limit = None,
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    sheet: Sheet = None,
    strict: Strict = None,
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
            "delimiter": delimiter,
            "sheet": sheet,
            "strict": strict,
            "check_roles": False if no_check_roles else None,
            "dry_run": dry_run,
            "restart": restart,
        },
        **common_flags(output, json, no_progress, log_format, log_file, verbose, quiet),
    }
    with boundary():
        from provisioner.run.command import check_roster, run_roster
        from provisioner.settings.tables import load

        settings = load(given(flags), os.environ, config)
        raise typer.Exit(check_roster(roster, settings) if settings.run.dry_run else run_roster(roster, settings))


def validate(
    roster: Roster,
    output: Output = None,
    config: Config = None,
    limit: Limit = None,
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    sheet: Sheet = None,
    strict: Strict = None,
    show: Annotated[
        int | None,
        typer.Option(help="Show the first N requests as they would be sent.", metavar="N", show_default=False),
    ] = None,
    json: Json = None,
    log_format: LogFormatOption = None,
    log_file: LogFile = None,
    verbose: Verbose = None,
    quiet: Quiet = None,
    no_progress: NoProgress = None,
) -> None:
    """Check ROSTER against CometChat's constraints, without network: same report, same rejected file."""
    flags = {
        "run": {
            "limit": limit,
            "encoding": encoding,
            "delimiter": delimiter,
            "sheet": sheet,
            "strict": strict,
            "show": show,
        },
        **common_flags(output, json, no_progress, log_format, log_file, verbose, quiet),
    }
    with boundary():
        from provisioner.run.command import check_roster
        from provisioner.settings.tables import load

        raise typer.Exit(check_roster(roster, load(given(flags), os.environ, config)))

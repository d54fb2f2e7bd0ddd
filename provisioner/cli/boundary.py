"""What all commands share on their way from the command line: flags as settings, exceptions as exit codes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer

from provisioner import __version__
from provisioner.cli.arguments import LogFormat
from provisioner.errors import ExitCode, ProvisionerError
from provisioner.files import time_stamp


def common_flags(
    output: Path | None,
    json: bool | None,
    no_progress: bool | None,
    log_format: LogFormat | None,
    log_file: Path | None,
    verbose: bool | None,
    quiet: bool | None,
) -> dict[str, dict[str, Any]]:
    """Give the flags that most commands take as tables of settings."""
    return {
        "output": {"file": output, "json": json, "progress": False if no_progress else None},
        "log": {
            "format": log_format.value if log_format else None,
            "file": log_file,
            "verbose": verbose,
            "quiet": quiet,
        },
    }


def given(flags: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Keep what was given: a flag that is None was not."""
    tables = {
        table: {key: value for key, value in values.items() if value is not None} for table, values in flags.items()
    }
    return {table: values for table, values in tables.items() if values}


@contextmanager
def boundary() -> Iterator[None]:
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
        raise typer.Exit(ExitCode.BUG) from None


def _report_bug(error: Exception) -> str:
    """Write the traceback where it can be sent from, and say where that is; the terminal gets none."""
    what = f"{type(error).__name__} in provisioner {__version__}, which is our fault"
    try:
        return f"{what}; please report it with {write_crash_file(error)}; the same command resumes"
    except OSError:
        return f"{what}; its traceback could not be written; the same command resumes"


def write_crash_file(error: Exception) -> Path:
    """Write the traceback, secrets masked, to the current folder, else to the temporary one. Raises OSError."""
    import tempfile
    import traceback

    import structlog

    from provisioner.logs import Redactor
    from provisioner.settings.key import API_KEY_VARIABLE

    text = "".join(traceback.format_exception(error))
    masked = text
    # The log knows every secret of this run; before it is set up there is only the environment.
    known = [each for each in structlog.get_config()["processors"] if isinstance(each, Redactor)]
    for redactor in (*known, Redactor([os.environ.get(API_KEY_VARIABLE, "").strip()])):
        masked = redactor.mask_text(masked)
    name = f"provisioner-crash-{time_stamp()}.log"
    for folder in (Path(), Path(tempfile.gettempdir())):
        try:
            file = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError:
            continue
        with os.fdopen(file, "w", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(masked)
        return folder / name
    raise OSError("no folder to write to")

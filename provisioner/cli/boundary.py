"""Where a command ends: exceptions as exit codes, answers on standard output."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from provisioner import __version__
from provisioner.errors import ExitCode, ProvisionerError
from provisioner.files import time_stamp


@contextmanager
def boundary() -> Iterator[None]:
    """Turn exceptions into one sentence and an exit code, never a traceback."""
    try:
        yield
    except ProvisionerError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    except KeyboardInterrupt:
        raise SystemExit(ExitCode.SIGINT) from None
    except Exception as error:
        print(f"bug: {_report_bug(error)}", file=sys.stderr)
        raise SystemExit(ExitCode.BUG) from None


def show(message: str) -> None:
    """Print the answer of a command that only looks. A reader that has left (`| head`) is no bug of ours."""
    try:
        print(message, flush=True)
    except BrokenPipeError:
        # What is still in the buffer goes nowhere, instead of breaking the pipe again at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None


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

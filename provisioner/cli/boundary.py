"""Where a command ends: exceptions as exit codes, answers on standard output."""

from __future__ import annotations

import errno
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from provisioner import __version__
from provisioner.errors import MORE_FILES, ExitCode, ProvisionerError, UsageError, limit_reached
from provisioner.files.aside import time_stamp
from provisioner.streams import answer, say
from provisioner.wording import shortened

_LEAST_FILES: Final = 64
"""How many files a command has to be allowed to have open at once; sockets of more requests in flight come on top."""
_IMPOSSIBLE = (errno.ENAMETOOLONG, errno.ELOOP, errno.EILSEQ)


@contextmanager
def boundary() -> Iterator[None]:
    """Turn exceptions into one sentence and an exit code, never a traceback."""
    try:
        _refuse_few_files()
        with panics_as_errors():
            yield
    except ProvisionerError as error:
        if not error.told:
            say(f"error: {error}")
        raise SystemExit(error.exit_code) from None
    except KeyboardInterrupt:
        raise SystemExit(ExitCode.SIGINT) from None
    except Exception as error:
        if (limit := limit_reached(error)) is not None:
            say(f"error: {limit[1]}")
            raise SystemExit(ExitCode.SAFETY) from None
        if (refused := impossible_name(error)) is not None:
            say(f"error: {refused}")
            raise SystemExit(refused.exit_code) from None
        say(f"bug: {report_bug(error)}")
        raise SystemExit(ExitCode.BUG) from None


def _refuse_few_files() -> None:
    """Raise `UsageError` where a command would come upon it in the middle, and libraries say all kinds of things."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < _LEAST_FILES:
        raise UsageError(f"this process may open {soft} files at once, which is too few; {MORE_FILES}")


@contextmanager
def panics_as_errors() -> Iterator[None]:
    """Have what polars raises where it should have an error be one: it is no `Exception`, and would pass for exit 1."""
    try:
        yield
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise RuntimeError(f"polars panicked: {error}") from error


def impossible_name(error: Exception) -> UsageError | None:
    """Say what is wrong with a path that no file can have, whoever came upon it; None for any other error.

    So it is with every path when the folder that it starts at, the current one, was deleted.
    """
    if isinstance(error, FileNotFoundError) and error.filename is None and _is_nowhere():
        cure = "go to another one (cd), then run the command again"
        return UsageError(f"the current folder is not there any more; {cure}")
    if isinstance(error, OSError) and error.errno in _IMPOSSIBLE and error.filename is not None:
        name = shortened(os.fsdecode(error.filename))
        return UsageError(f"{name}: no file can be called so ({error.strerror}); give another name")
    if isinstance(error, RuntimeError) and str(error).startswith("Symlink loop"):  # Python's own, until 3.12
        return UsageError(f"{error}; give another name")
    if isinstance(error, ValueError) and "embedded null" in str(error):  # behind the name of the call, from 3.13 on
        return UsageError("a path holds a NUL character, and no file can be called so; give another name")
    return None


def _is_nowhere() -> bool:
    """Whether the current folder was deleted, or cannot be told for another reason."""
    try:
        Path.cwd()
    except OSError:
        return True
    return False


def show(message: str, code: int = ExitCode.ROWS_LEFT) -> None:
    """Print the answer of a command that only looks; it ends with `code` when that cannot be, which is no bug of ours.

    A reader that has left (`| head`) needs no telling.
    """
    trouble = answer(message + "\n")
    if trouble is not None and not trouble.broken:
        say(f"warning: {trouble.reason}" if trouble.what == "escaped" else f"error: not printed ({trouble.reason})")
    if trouble is not None and trouble.what == "not_printed":
        raise SystemExit(code)


def report_bug(error: Exception) -> str:
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

    from provisioner.logs.masking import Redactor
    from provisioner.settings.apikey import API_KEY_VARIABLE

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

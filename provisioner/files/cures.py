"""What to do where a file or a package cannot be had: by nothing that is advised is lost what was recorded."""

from __future__ import annotations

import errno
import os
import resource
import shlex
import stat
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from provisioner.files.looking import leads_nowhere, length_of

ANOTHER_OUTPUT: Final = "choose another --output"
# No other --output is a cure once something was sent: its journal would be another one, which knows of nobody.
MEND: Final = "make room or mend that, then run the same command again"
MAKE_ROOM: Final = "make room, or choose another --output where nothing was sent"
"""What to do where a folder takes no more, and a job may have begun or not."""

FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""Errors where a disk, or one file of this process, takes no more."""
_FULL_FOR_SQLITE: Final = (
    "SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_IOERR_TRUNCATE", "SQLITE_IOERR_FSYNC", "SQLITE_IOERR_SHM",
)  # fmt: skip
# A file ends up to a page before the limit, where SQLite does not write half of one.
_PAGE: Final = 1 << 16

_UTF_8: Final = "set PYTHONUTF8=1, or LC_ALL=C.UTF-8, and run the same command again"

EXTRAS: Final = {
    "ray": ("ray",),
    "report": ("altair", "vl-convert-python"),
    "sql": ("adbc-driver-postgresql", "nanoarrow", "pymysql[rsa]"),
}
"""What a command can be without, and the packages that it is made of."""


def with_extra(name: str) -> str:
    """Say how an extra comes to a provisioner that is installed, be it from a checkout or as a release.

    Environments of pipx and uv, and the container, have no pip.
    """
    if find_spec("pip") is None:
        return f"add the extra {name}, as docs/install.md says"
    return f"run {shlex.join((sys.executable, '-m', 'pip', 'install', *EXTRAS[name]))}"


def room_for(path: Path, error: Exception) -> str | None:
    """Say what makes room where a file, or one of SQLite's beside it, can take no more; None for any other error.

    SQLite says the same of a file that may not grow as of a disk that is dying.
    """
    full = isinstance(error, OSError) and error.errno in FULL
    full = full or getattr(error, "sqlite_errorname", "").startswith(_FULL_FOR_SQLITE)
    limit, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    beside = (path.with_name(path.name + suffix) for suffix in ("", "-wal", "-shm"))
    limited = limit != resource.RLIM_INFINITY and any(length_of(each) > limit - _PAGE for each in beside)
    if (full and limited) or (isinstance(error, OSError) and error.errno == errno.EFBIG):
        return "files of this process may not grow any more: raise the limit of their size (ulimit -f unlimited)"
    return "make room" if full else None


def cure_at(journal: Path) -> str:
    """Say what to do where a job cannot have its files: another --output only where nothing is known to be recorded."""
    return MEND if any(map(_may_hold, (journal, journal.with_name(journal.name + "-wal")))) else ANOTHER_OUTPUT


def _may_hold(path: Path) -> bool:
    """Whether something may stand in a file: nobody can say that it is missing or empty."""
    try:
        found = path.lstat()
        with suppress(OSError):  # of a link that leads nowhere anything may be behind it
            found = path.stat()
        return found.st_size > 0 and not stat.S_ISDIR(found.st_mode)
    except FileNotFoundError:
        return any(map(leads_nowhere, path.parents))
    except OSError as error:
        return error.errno not in {errno.ENOTDIR, errno.ENAMETOOLONG}


def foreign_name(path: Path) -> str | None:
    """Say what to do about a name that is not UTF-8, which no summary, log or page can hold; None for any other."""
    try:
        str(path.absolute()).encode()
    except UnicodeEncodeError:
        shown = os.fsencode(path).decode(errors="backslashreplace")
        with suppress(UnicodeDecodeError):
            os.fsencode(path.absolute()).decode()  # Python takes names for what the locale says
            return f"{shown}: the name is UTF-8, and the locale ({sys.getfilesystemencoding()}) is not; {_UTF_8}"
        return f"{shown}: the name of the file, or of a folder above it, is not UTF-8; rename it"
    return None

"""Watches that a process opens no file of a journal, or of a state, which SQLite has open in it.

The locks of SQLite on such a file, and on its index, are those of the process (POSIX): they end with the first
descriptor of it that is closed, whoever opened that. Then another process takes the journal for closed, and cuts its
index short under the hands of the one that writes it, which dies of SIGBUS.
"""

from __future__ import annotations

import os
import re
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

_OPEN: Final = Path("/proc/self/fd")
_LOCKED: Final = re.compile(r".+\.db(?:-shm)?")
_WITHOUT_LOCKS: Final = "immutable=1"


def watch() -> None:
    """End this process, with a word on stderr, once that happens; only where there is a `/proc`."""
    if _OPEN.is_dir():
        sys.addaudithook(_end_if_held)


def _end_if_held(event: str, arguments: tuple[Any, ...]) -> None:
    if event not in {"open", "sqlite3.connect"} or not isinstance(arguments[0], str | bytes | os.PathLike):
        return
    name = os.fsdecode(arguments[0]).removeprefix("file://")
    if event == "sqlite3.connect" and _WITHOUT_LOCKS not in name:
        return  # SQLite itself knows which of them it has open
    path = name.partition("?")[0]
    if _LOCKED.fullmatch(path) and is_held(path):
        sys.__stderr__.write(f"{path}: opened where SQLite has it open: {_callers()}\n")  # type: ignore[union-attr]
        os._exit(86)


def is_held(path: str) -> bool:
    """Whether this process has the file at `path` open."""
    with suppress(OSError):
        wanted = os.stat(path)  # noqa: PTH116 - as it was asked for
        for each in os.listdir(_OPEN):  # noqa: PTH208
            with suppress(OSError):
                if os.path.samestat(os.fstat(int(each)), wanted):
                    return True
    return False


def _callers() -> str:
    return " > ".join(f"{Path(each.filename).name}:{each.lineno}" for each in traceback.extract_stack()[-12:-2])

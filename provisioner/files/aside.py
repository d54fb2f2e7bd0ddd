"""Files that are set aside, under a name with the time, because they must not be overwritten."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from itertools import chain, count
from pathlib import Path

from provisioner.errors import StorageError
from provisioner.files.cures import MEND
from provisioner.files.looking import digest_of


def set_aside(path: Path, companions: Sequence[str] = ()) -> Path | None:
    """Rename a file that must not be overwritten; its new path, None when there was none.

    companions  endings of the files beside it that go along, before it: `-wal` for `a.db-wal`

    Raises `StorageError`.
    """
    if not os.path.lexists(path):  # a link that leads nowhere is somebody's as well: its disk may come back
        return None
    aside = free_name(path)
    try:
        for ending in (*companions, ""):
            beside = path.with_name(path.name + ending)
            if os.path.lexists(beside):
                beside.rename(aside.with_name(aside.name + ending))
    except OSError as error:
        raise StorageError(f"{path}: cannot be set aside ({error.strerror or error}); {MEND}") from error
    return aside


def set_edited_aside(path: Path, written: str | None) -> Path | None:
    """Rename a file whose content is not what was written last; its new path, None when it may be overwritten.

    written  `digest_of` what was written last; None when that is not known

    What cannot be read is not known to be ours: another account may have mended it. Raises `StorageError`.
    """
    found = digest_of(path)
    if found is None and written is None and path.is_dir() and not path.is_symlink():
        return None  # whoever writes there tells that a folder is in the way
    return None if found is not None and found == written else set_aside(path)


def free_name(path: Path) -> Path:
    """Give a neighbour's name that is not taken: the time in it, and a number if that is not enough."""
    stamp = time_stamp()
    names = (f"{path.stem}.{stamp}{more}{path.suffix}" for more in chain([""], (f"-{n}" for n in count(2))))
    return next(each for name in names if not os.path.lexists(each := path.with_name(name)))


def time_stamp() -> str:
    """Give the time as the name of a file can hold it, in UTC: `20260131T235959`."""
    return time.strftime("%Y%m%dT%H%M%S", time.gmtime())

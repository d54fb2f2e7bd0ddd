"""What SQLite keeps beside a journal: its log and what belongs to it. It does not ask whose a file there is.

It would write the log of a lost journal into the copy that was put in its place, and damage that.
"""

from __future__ import annotations

import errno
import shlex
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final

from provisioner.errors import JournalError
from provisioner.files.looking import (
    NOWHERE,
    beside_itself,
    holds_ours,
    leads_nowhere,
    open_file,
    own_copy,
    why_not_ours,
)

_LOG: Final = "-wal"
# Ending → how what SQLite keeps under it begins, unless it holds nothing: its index in the order of the machine.
_HEADS: Final = {
    _LOG: (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83"),
    "-shm": (b"\x18\xe2\x2d\0", b"\0\x2d\xe2\x18"),
    "-journal": (b"\xd9\xd5\x05\xf9",),
}

# What a database says from this byte on that is written without a log, as a copy is until somebody opens it.
_MODE: Final = 18
_NO_LOG: Final = b"\x01\x01"

# What is lost with the file; the index is made anew.
_LASTING: Final = (_LOG, "-journal")


def log_of(path: Path) -> Path:
    """Name the log that SQLite keeps beside a database."""
    return beside_itself(path, _LOG)


def refuse_beside(path: Path) -> None:
    """Refuse what is not SQLite's under its names: that would overwrite it, or make a device the owner's alone.

    Raises `JournalError`.
    """
    if leads_nowhere(log_of(path)):  # of the others nothing is to be kept
        raise JournalError(f"{log_of(path)}: {NOWHERE}")
    if _is_of_another(path):
        raise JournalError(f"{log_of(path)}: {_left_over(path)}")
    for beside, _, trouble in _beside(path):
        if beside.exists() and not beside.is_file():
            raise JournalError(f"{beside}: is no file, and belongs to the journal by its name; move it away")
        if trouble is not None:
            raise JournalError(trouble)


def refuse_to_read_beside(path: Path) -> None:
    """Refuse the same for whoever only reads, where there is a log: SQLite then writes its index. Raises OSError.

    Of the others it writes nothing, so a log with another name, as `cp -al` makes it, is read as it is.
    """
    refuse_left_over(path)
    if log_of(path).exists():
        for beside, ours, trouble in _beside(path):
            is_read = beside.name.endswith(_LASTING) and not beside.is_symlink()  # which SQLite does not follow
            if trouble is not None and not (is_read and holds_ours(beside, ours)):
                raise OSError(errno.EINVAL, trouble.replace(f"{beside}: ", f"{beside.name} ", 1))


def refuse_left_over(path: Path) -> None:
    """Refuse a log that was left behind by the journal in whose place this one is. Raises OSError."""
    if _is_of_another(path):
        raise OSError(errno.EINVAL, f"{log_of(path).name} {_left_over(path)}")


def _is_of_another(path: Path) -> bool:
    if not (path.is_file() and log_of(path).is_file() and log_of(path).stat().st_size):
        return False
    with open_file(path) as file:
        return file.read(_MODE + len(_NO_LOG))[_MODE:] == _NO_LOG


def _left_over(path: Path) -> str:
    return (
        "is the log of the journal that was there before, not of the copy that is there now; move it away, and "
        f"{beside_itself(path, '-shm').name} with it"
    )


def _beside(path: Path) -> Iterator[tuple[Path, Callable[[bytes], bool], str | None]]:
    """Give each name under which SQLite keeps something, how that is known, and what is wrong with what is there."""
    for ending, heads in _HEADS.items():
        beside, is_ours = beside_itself(path, ending), partial(_begins_with, heads)
        yield beside, is_ours, why_not_ours(beside, "SQLite", is_ours, _kept(beside))


def _kept(beside: Path) -> str:
    """Say what to do about what is SQLite's and has another name, or is a link: a run may be using it."""
    if beside.name.endswith(_LASTING):
        return f"it holds what was recorded last, so give it one: {own_copy(beside)}"
    if beside.is_symlink():
        return "remove the link"
    others = f"find . -samefile {shlex.quote(str(beside))}"
    return f"wait until no run uses it, then remove the other one ({others} lists them)"


def _begins_with(heads: tuple[bytes, ...], found: bytes) -> bool:
    """Whether a file begins like one of these, as far as it reached the disk; SQLite makes room with zeros."""
    return not found[:4].strip(b"\0") or any(head.startswith(found[:4]) for head in heads)

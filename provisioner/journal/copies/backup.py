"""A copy of a journal or a state: consistent, also while a run writes; its owner's alone; whole, or not there at all.

The copy knows that it is one, see `mark`: whatever opens it goes on exactly where the lost one may have been.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from provisioner.errors import JournalError, OutputError, StorageError
from provisioner.files.cures import FULL
from provisioner.files.looking import open_file, refuse_beside_another
from provisioner.files.writing import name_once, sync_folder
from provisioner.journal.beside import log_of, refuse_to_read_beside
from provisioner.journal.copies.mark import mark_as_copy
from provisioner.journal.header import header_of, refuse_cut_short
from provisioner.journal.schema import bring_up_to_date

_FREE: Final = "choose another TO"
_NO_ROOM: Final = ("SQLITE_FULL", "SQLITE_IOERR")


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy that was made.

    users  that the journal knew
    at     the newest time of the server that it knew (UNIX seconds): whatever was created since is told by it
    """

    path: Path
    users: int
    size: int
    at: float


def back_up(journal: Path, to: Path) -> Copy:
    """Copy a journal or a state, whoever is writing it.

    Raises `JournalError` for what is none or is damaged, `OutputError` where no copy can be written, or something is,
    and `StorageError` where the disk takes no more.
    """
    if not to.parent.is_dir():
        raise OutputError(f"{to}: there is no folder {to.parent}; make it, or {_FREE}")
    if os.path.lexists(to):
        raise OutputError(f"{to}: is there already, and a copy overwrites nothing; {_FREE}")
    refuse_beside_another(to, _FREE)
    try:
        # Its owner's alone, and of its own: two copies at a time do not write into one file, nor into a killed one's.
        file, name = tempfile.mkstemp(".part", f".{to.name}.", to.parent)
        os.close(file)
        temporary = Path(name)
        try:
            users, at = _copied(journal, temporary)
            size = temporary.stat().st_size
            _publish(temporary, to)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        # Nothing is wrong with what was asked for: it may go well once there is room.
        kind = StorageError if error.errno in {*FULL, errno.EIO} else OutputError
        raise kind(f"{to}: cannot be written ({error.strerror or error}); make room, or {_FREE}") from error
    return Copy(to, users, size, at)


def _copied(journal: Path, temporary: Path) -> tuple[int, float]:
    try:
        with closing(sqlite3.connect(temporary, isolation_level=None)) as copy:
            _copy(journal, copy)
            refuse_cut_short(journal, new=True)
            header = header_of(copy)
            if not header.ours:
                raise JournalError(f"{journal}: not a journal of provisioner; name the one that is to be copied")
            header.refuse_newer(journal)
            # One file and no log beside it; whoever opens it sets it as a journal needs it.
            copy.execute("PRAGMA journal_mode = DELETE")
            bring_up_to_date(copy, header.version, {})
            at = mark_as_copy(copy, journal)
            (users,) = copy.execute("SELECT count(*) FROM users").fetchone()
    except (sqlite3.Error, UnicodeDecodeError) as error:
        if getattr(error, "sqlite_errorname", "").startswith(_NO_ROOM):
            raise OSError(errno.ENOSPC, str(error)) from error
        message = f"damaged, or no journal of provisioner ({error}), so nothing was copied; put an earlier copy back"
        raise JournalError(f"{journal}: {message}") from error
    return int(users), at


def _copy(journal: Path, copy: sqlite3.Connection) -> None:
    """Copy one moment of it, though a run begins, writes or ends meanwhile."""
    log = log_of(journal)
    try:
        for each in (journal, *([log] if log.exists() else [])):
            open_file(each).close()  # SQLite does not say why it cannot open a file
        refuse_to_read_beside(journal)
    except OSError as error:
        raise JournalError(f"{journal}: cannot be read ({error.strerror}), so nothing was copied") from error
    address = journal.absolute().as_uri()
    if not log.exists():
        # Nobody writes it: read like this, nothing appears in its folder. Unless a run has begun meanwhile.
        before = _version_of(journal)
        try:
            _copy_from(f"{address}?mode=ro&immutable=1", copy)
        except sqlite3.DatabaseError:
            if not log.exists() and _version_of(journal) == before:
                raise
        else:
            if not log.exists() and _version_of(journal) == before:
                return
    _copy_from(f"{address}?mode=ro", copy)


def _copy_from(address: str, copy: sqlite3.Connection) -> None:
    with closing(sqlite3.connect(address, uri=True, isolation_level=None, timeout=30)) as original:
        original.backup(copy)


def _version_of(journal: Path) -> tuple[int, int, int]:
    found = journal.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns


def _publish(temporary: Path, to: Path) -> None:
    """Have it under its name, once it is on the disk. Raises OSError, also when that name was taken meanwhile."""
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    name_once(temporary, to)
    sync_folder(to.parent)

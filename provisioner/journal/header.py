"""What a journal's file says of itself: whether it is one, in which format, whose, and whether it is whole."""

from __future__ import annotations

import os
import re
import shlex
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from provisioner.errors import JournalError
from provisioner.files.looking import open_file, own_copy
from provisioner.journal.beside import log_of, refuse_beside, refuse_left_over, refuse_to_read_beside
from provisioner.journal.schema import APPLICATION_ID, VERSION, Meta

# Bytes of a write-ahead log: its head, and that of each page in it.
_LOG_HEAD: Final = 32
_FRAME_HEAD: Final = 24
# The same of a database, whose pages have a size that stands in its head.
_HEAD: Final = 100
_LEAST_PAGE: Final = 512
_GREATEST_PAGE: Final = 65536
_MAGIC: Final = b"SQLite format 3\0"

_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Identity:
    """What a journal is about: users of one app behind one address."""

    app_id: str
    base_url: str

    def __str__(self) -> str:
        return f"app {self.app_id or '(none)'} at {self.base_url}"

    @property
    def address(self) -> str:
        """Its address in its one spelling, see `app_at`: an app has one, whether its id was given besides or not."""
        return self.base_url if self == EMULATOR else app_at(self.base_url)


EMULATOR: Final = Identity("emulator", "built-in emulator")
"""Another port each time, but the same stand-in as far as a journal is concerned."""


def app_at(url: str) -> str:
    """Give an API root in the one spelling that all its spellings have in common, such as `https://x/v3`.

    Names of hosts have no case, and a port that goes without saying may be said. Raises `ValueError` for what is none.
    """
    parts = urlsplit(url)
    host, port = (parts.hostname or "").removesuffix("."), parts.port
    said = "" if port in {None, _PORTS.get(parts.scheme)} else f":{port}"
    path = re.sub("/{2,}", "/", parts.path).rstrip("/")
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{said}{path}"


@dataclass(frozen=True, slots=True)
class Header:
    """What stands at the head of a database.

    program  whose it is, by the number that it goes by; 0 when none has said so
    version  of the format; 0 before there is one
    blank    no program's, and no table: as it is before a first run, or after one that was killed at once
    """

    program: int
    version: int
    blank: bool

    @property
    def ours(self) -> bool:
        """Whether it is a journal."""
        return self.program == APPLICATION_ID

    @property
    def newer(self) -> bool:
        """Whether a later version of provisioner wrote it, so that it cannot be read."""
        return self.version > VERSION

    def refuse_unusable(self, path: Path, instead: str, *, may_be_blank: bool) -> None:
        """Raise `JournalError` for what is no journal, or none that can be gone on with; `instead` is what to do."""
        if not (self.ours or self.blank):
            raise JournalError(f"{path}: not a journal of provisioner; move it away or {instead}")
        self.refuse_newer(path)
        if self.blank and not may_be_blank:
            message = "holds nothing: no run has recorded anything in it, or it was emptied; put a copy of it back"
            raise JournalError(f"{path}: {message}, or {instead}")

    def refuse_newer(self, path: Path) -> None:
        """Raise `JournalError` for a format that is not known yet."""
        if self.newer:
            message = f"written by a newer provisioner (format {self.version}, this one reads {VERSION}); update it"
            raise JournalError(f"{path}: {message}")


def make_private(path: Path) -> bool:
    """Have the file of a journal there, its owner's alone; whether it was there before.

    Raises OSError, `sqlite3.DatabaseError` for half of one, `JournalError` for what is no file: to keep others out of
    the null device, say, would be to keep them out for everybody on the machine.

    SQLite would make it as wide as the umask allows, and gives its own files the same mode.
    """
    was_there = path.exists()
    if was_there and not path.is_file() and not path.is_dir():  # a folder is told by the one who opens it
        raise JournalError(f"{path}: is a device, a pipe or a socket, which keeps no journal; give another name")
    _refuse_two_names(path)
    refuse_beside(path)
    refuse_cut_short(path, new=True)
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    with suppress(PermissionError):  # a journal put back from a backup, perhaps by another user
        os.fchmod(file, 0o600)
    os.close(file)
    return was_there


def _refuse_two_names(path: Path) -> None:
    """Refuse what has several names: lock and log lie beside one of them, and are not seen from the others.

    Raises `JournalError`.
    """
    if path.is_file() and path.stat().st_nlink > 1:
        message = "is one file with another name (a hard link), under which a run would not be seen"
        cure = f"remove the other one (find . -samefile {shlex.quote(str(path))} lists them)"
        if log_of(path).exists():  # what was recorded last is here
            cure = f"give it a file of its own: {own_copy(Path(os.path.realpath(path)))}"
        else:
            cure += ", but never the one that has a -wal beside it"
        raise JournalError(f"{path}: {message}; {cure}")


def leave_as_found(path: Path, found: bytes | None) -> None:
    """Take away what was made of a closed journal: the file itself only when it was not there (`found` is null).

    What holds nothing may be a copy whose log was left behind, put there by a person.
    """
    if found is None:
        path.unlink(missing_ok=True)
    else:
        with suppress(OSError):  # a disk that takes no more; it holds nothing either way
            path.write_bytes(found)


def content_in(database: sqlite3.Connection) -> bytes:
    """Give the bytes of an open database. To read its file would end the locks that this process has on it."""
    return database.serialize() if database.execute("PRAGMA page_count").fetchone() != (0,) else b""


def is_database(path: Path) -> bool:
    """Whether a file is an SQLite database; one that cannot be read is none."""
    try:
        with open_file(path) as file:
            return file.read(len(_MAGIC)) == _MAGIC
    except OSError:
        return False


def header_of(database: sqlite3.Connection) -> Header:
    """Read the head of any database. Raises `sqlite3.DatabaseError`."""
    (program,) = database.execute("PRAGMA application_id").fetchone()
    (version,) = database.execute("PRAGMA user_version").fetchone()
    blank = program == 0 and database.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    return Header(program, version, blank)


def owner_of(database: sqlite3.Connection) -> Identity:
    """Say for whom a journal was made. Raises `sqlite3.DatabaseError`."""
    facts = dict(database.execute("SELECT key, value FROM meta"))
    return Identity(facts.get("app_id", ""), facts.get("base_url", ""))


def is_unused(database: sqlite3.Connection) -> bool:
    """Whether nothing has been recorded in an open journal: no user, no run and no night."""
    return not _holds(database, "users", "runs", "nights")


def is_bound(database: sqlite3.Connection) -> bool:
    """Whether it can be for no other app: it knows of a user, or is a copy, which may lack some."""
    return _holds(database, "users", "mints", "former", "meta WHERE key = 'copied_at'")


def _holds(database: sqlite3.Connection, *parts: str) -> bool:
    """Whether there is a row in one of these parts of tables, or that cannot be told."""
    with suppress(sqlite3.Error):
        return any(database.execute(f"SELECT EXISTS (SELECT 1 FROM {each})").fetchone()[0] for each in parts)  # noqa: S608
    return True


def owner_in(path: Path) -> Identity | None:
    """Say for whom the journal at `path` was made; None when it cannot be read, or is none."""
    with suppress(sqlite3.Error, OSError), closing(open_for_reading(path)) as database:
        if header_of(database).ours:
            return owner_of(database)
    return None


def damage_in(database: sqlite3.Connection, *, thorough: bool) -> str | None:
    """Have SQLite look for damage; None when it finds none.

    thorough  also hold every index against its table, which takes as long again
    """
    check = "integrity_check" if thorough else "quick_check"
    (found,) = database.execute(f"PRAGMA {check}(1)").fetchone()
    return None if found == "ok" else str(found)


def claim(database: sqlite3.Connection, path: Path, shard: str) -> None:
    """Have the open journal at `path` be for one shard of a roster, such as `3/16`, or for a whole one when empty.

    Raises `JournalError` when it has users of something else, `sqlite3.Error`.
    """
    meta = Meta(database)
    if shard and not database.execute("SELECT EXISTS (SELECT 1 FROM users)").fetchone()[0]:
        meta.put("shard", shard)
    if (kept := meta.get("shard") or "") != shard:
        holds, asked = (f"shard {each}" if each else "a whole roster" for each in (kept, shard))
        message = f"made for {holds}, not for {asked}; choose another --output, or --restart to set it aside"
        raise JournalError(f"{path}: {message}")


def pages_in_log(log: Path) -> tuple[set[int], int]:
    """Give the pages that a write-ahead log has a later form of, and how many the database has by it. Raises OSError.

    See "WAL File Format" in SQLite's documentation: what is left in it of an earlier round has other salts.
    """
    pages: set[int] = set()
    begun: set[int] = set()
    size = 0
    if not log.exists():
        return pages, size
    with open_file(log) as file:
        head = file.read(_LOG_HEAD)
        if len(head) < _LOG_HEAD:
            return pages, size
        page_size, salts = int.from_bytes(head[8:12], "big"), head[16:24]
        while len(frame := file.read(_FRAME_HEAD)) == _FRAME_HEAD and frame[8:16] == salts:
            begun.add(int.from_bytes(frame[:4], "big"))
            if any(frame[4:8]):  # the last page of a transaction
                pages, begun, size = pages | begun, set(), int.from_bytes(frame[4:8], "big")
            file.seek(page_size, os.SEEK_CUR)
    return pages, size


def open_for_reading(path: Path, *, in_any_thread: bool = False) -> sqlite3.Connection:
    """Open for reading only, by default for the thread that asks. Raises OSError, sqlite3.DatabaseError."""
    open_file(path).close()  # SQLite does not say why it cannot open a file
    refuse_left_over(path)
    refuse_cut_short(path, new=True)
    refuse_to_read_beside(path)
    # Without a log beside it nobody writes, and SQLite need not make one to read: nothing appears in the folder.
    how = "mode=ro" if log_of(path).exists() else "mode=ro&immutable=1"
    address, own = f"{path.absolute().as_uri()}?{how}", not in_any_thread
    return sqlite3.connect(address, uri=True, isolation_level=None, timeout=5, check_same_thread=own)


def refuse_unread(path: Path, why: str) -> None:
    """Raise `JournalError` for a journal that is there and cannot be read; `why`: what that leaves open."""
    try:
        with suppress(FileNotFoundError, NotADirectoryError), closing(open_for_reading(path)) as database:
            header_of(database)
    except (sqlite3.Error, OSError) as error:
        raise JournalError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error}), {why}") from error


@contextmanager
def closed_on_error(database: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Close a connection that was just opened when what it was opened for fails; else it stays open."""
    try:
        yield database
    except BaseException:
        database.close()
        raise


def refuse_cut_short(path: Path, *, new: bool) -> None:
    """See what SQLite would not: a file of nothing is a new one to it, and what is missing is filled with zeros.

    new  it may be one that was just made

    Raises `sqlite3.DatabaseError`.
    """
    if not path.exists():
        return
    # In this order: while a run writes, the log comes to its end only when all of it is in the file.
    pages, logged = pages_in_log(log_of(path))
    with open_file(path) as file:
        head = file.read(_HEAD)
    size = path.stat().st_size
    if len(head) < _HEAD:
        # A file of ours has its first page before there is a log, so only one that was just made holds nothing.
        cut = size > 0 or bool(pages) or not new
    elif head.startswith(_MAGIC):
        # A disk that was full leaves a part of a page, and pages behind the end, only where the log has them.
        page_size = int.from_bytes(head[16:18], "big") or _LEAST_PAGE
        page_size = _GREATEST_PAGE if page_size == 1 else page_size
        whole = size // page_size
        needed = logged or int.from_bytes(head[28:32], "big")
        cut = not all(number in pages for number in range(whole + 1, needed + 1))
        cut = cut or (size % page_size > 0 and whole + 1 not in pages)
    else:
        cut = False
    if cut:
        raise sqlite3.DatabaseError(f"cut short to {size:,} bytes")

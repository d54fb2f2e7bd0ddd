"""Keeps two runs off one journal, and says why one cannot be used. The lock is the kernel's: it ends with the process.

And it keeps a journal off a filesystem of another machine, which knows neither such locks nor the memory that SQLite
shares with itself: a journal there can be damaged, and two machines can write it at once.
"""

from __future__ import annotations

import os
import re
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Final, Self

from provisioner.errors import JournalError, StorageError
from provisioner.files.aside import set_aside
from provisioner.files.cures import ANOTHER_OUTPUT, cure_at, room_for
from provisioner.files.looking import NOWHERE, beside_itself, leads_nowhere, why_not_ours
from provisioner.files.writing import locked
from provisioner.journal.beside import refuse_beside

# What holders write; one that was killed before that has left nothing, a machine that failed a part, or zeros.
_SAID: Final = re.compile(rb"(?:process \d+ on .+\n?)?\0*")

_MOUNTS: Final = Path("/proc/self/mountinfo")
# As Linux names them. What comes by FUSE is told apart by its second name; without one it can be anything.
_AFAR: Final = frozenset(
    {
        "nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "ceph", "9p", "lustre", "gpfs", "beegfs", "glusterfs",
        "ocfs2", "gfs2", "orangefs", "davfs", "coda",
    }
)  # fmt: skip
_FUSE: Final = "fuse"
_HERE: Final = frozenset({"fuse.ext2", "fuse.ext4", "fuse.gocryptfs", "fuse.encfs", "fuse.cryfs", "fuse.mergerfs",
                          "fuse.bindfs", "fuse.fuse-overlayfs", "fuse.lxcfs", "fuse.zfs"})  # fmt: skip


def refuse_afar(journal: Path, mounts: Path = _MOUNTS) -> None:
    """Raise `JournalError` for a journal whose folder is on a filesystem of another machine.

    mounts  what is mounted where, as `proc(5)` has it; where there is no such file nothing is refused
    """
    kind = _filesystem_of(str(Path(os.path.realpath(journal)).parent), mounts)
    if kind is not None and (kind in _AFAR or kind == _FUSE or (kind.startswith(_FUSE + ".") and kind not in _HERE)):
        message = (
            f"its folder is on a network filesystem ({kind}), where a journal can be damaged; have it on a disk of "
            "this machine, and `provisioner backup` on the network (or say any_filesystem = true under [output])"
        )
        raise JournalError(f"{journal}: {message}")


def _filesystem_of(folder: str, mounts: Path) -> str | None:
    """Name the kind of filesystem that a folder is on, None where that cannot be told; a later mount covers another."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return None
    found, length = None, -1
    for line in lines:
        before, _, after = line.partition(" - ")
        fields, kind = before.split(" "), after.partition(" ")[0]
        if len(fields) < 5:
            continue
        point = _unescaped(fields[4])
        if os.path.commonpath((folder, point)) == point and len(point) >= length:
            found, length = kind, len(point)
    return found


def _unescaped(point: str) -> str:
    for character in " \t\n\\":
        point = point.replace(f"\\{ord(character):03o}", character)
    return point


class JournalLock:
    """Holds the lock file beside a journal; `JournalError` says who holds it when we cannot, or why it cannot be.

    name  what the journal is called then
    """

    def __init__(self, journal: Path, instead: str = ANOTHER_OUTPUT, name: str | None = None) -> None:
        self._name = name or journal
        # Whose job this is goes on with the journal that is held, and with no other one.
        self._cure, self._instead = instead, f"{instead} for another roster" if instead == ANOTHER_OUTPUT else instead
        self._journal, self._path = journal, _lock_file(journal)

    def __enter__(self) -> Self:
        with unusable(Path(self._name), self._cure):
            self._take()
            try:
                os.ftruncate(self._file, 0)
                os.write(self._file, f"process {os.getpid()} on {socket.gethostname()}\n".encode())
            except OSError:
                self.__exit__(None, None, None)
                raise
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):  # the lock itself ends with the file being closed, wherever that stays
            if self.is_current():  # another run may have made its own where somebody cleared the folder
                self._path.unlink(missing_ok=True)
        os.close(self._file)

    def _take(self) -> None:
        while True:
            if (trouble := why_not_ours(self._path, "a run", _SAID.fullmatch)) is not None:
                # Whatever is wrong with its name, what a run holds is not to be moved away.
                raise JournalError(trouble) if (holder := holder_of(self._journal)) is None else self._in_use(holder)
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
            if not locked(self._file):
                holder = _holder(self._file)
                os.close(self._file)
                raise self._in_use(holder)
            if self.is_current():
                return
            os.close(self._file)  # its last holder removed it between our open and our lock

    def _in_use(self, holder: str) -> JournalError:
        return JournalError(f"{self._name}: in use by {holder}; wait until that run has ended, or {self._instead}")

    def is_current(self) -> bool:
        """Whether the lock file is still the one that is held: nobody has deleted it or moved it away."""
        try:
            return os.path.samestat(os.fstat(self._file), self._path.lstat())
        except (FileNotFoundError, NotADirectoryError):
            return False


def holder_of(journal: Path) -> str | None:
    """Say which process holds a journal; None when none does. The lock file is read, not made."""
    try:
        file = os.open(_lock_file(journal), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        # Shared: two doctors do not take each other for a run.
        return None if locked(file, shared=True) else _holder(file)
    finally:
        os.close(file)


def process_of(holder: str) -> int | None:
    """Give the id of the process that `holder_of` names; None when it is not known, or is another machine's."""
    found = re.fullmatch(r"process (\d+) on (.+)", holder)
    return int(found[1]) if found is not None and found[2] == socket.gethostname() else None


def set_journal_aside(path: Path) -> Path | None:
    """Set an earlier run's journal aside, closed and in one piece if that can be; its new path, None if there is none.

    Raises `JournalError` when somebody uses it, or nothing can be made beside it.
    """
    if not path.exists():
        return None
    with JournalLock(path):
        refuse_beside(path)
        # Closing it as SQLite does leaves one file and no log: one rename, which cannot be cut in half.
        with suppress(sqlite3.Error), closing(sqlite3.connect(path.absolute())) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return set_aside(path, ("-wal", "-shm"))


def _lock_file(journal: Path) -> Path:
    # A journal reached through a link is the same journal.
    return beside_itself(journal, ".lock")


def _holder(file: int) -> str:
    return os.read(file, 200).decode(errors="replace").strip() or "another process"


@contextmanager
def unwritable(path: Path) -> Iterator[None]:
    """Have what keeps a journal from being written be a `StorageError`."""
    try:
        yield
    except (sqlite3.Error, OverflowError, UnicodeDecodeError) as error:
        cure = room_for(path, error) if isinstance(error, sqlite3.Error) else None
        message = f"{path}: cannot be written any more ({error}); {cure or 'make room or mend the disk'}, then resume"
        raise StorageError(message) from error


@contextmanager
def unreadable(path: Path) -> Iterator[None]:
    """Have what keeps one that was opened from being read be a `StorageError`."""
    try:
        yield
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise StorageError(f"{path}: cannot be read any more ({error}); mend the disk, then resume") from error


@contextmanager
def unnoted(path: Path) -> Iterator[None]:
    """Have what keeps from being noted for this session alone be a `StorageError`: SQLite does so in a file of its own.

    It lies in the folder for temporary files, on another disk than the journal perhaps.
    """
    try:
        yield
    except sqlite3.OperationalError as error:
        message = f"no room for what is noted while a roster is compared with it ({error})"
        cure = "make room in the folder for temporary files, or name another one in SQLITE_TMPDIR"
        raise StorageError(f"{path}: {message}; {cure}, then run the same command again") from error


@contextmanager
def unusable(path: Path, instead: str) -> Iterator[None]:
    """Have what keeps a file from being opened as a journal be a `JournalError`, and a full disk a `StorageError`.

    instead  what to do about it; another --output is none where something may be recorded already
    """
    try:
        yield
    except UnicodeDecodeError:  # SQLite quotes what is damaged, and Python cannot read it
        damage = sqlite3.DatabaseError("its tables are damaged")
        raise JournalError(_unusable(path, damage, _way_back(instead))) from damage
    except (sqlite3.Error, OSError) as error:
        if isinstance(error, FileNotFoundError) and leads_nowhere(path):  # not even a new one can be made there
            raise JournalError(f"{path}: {NOWHERE}") from error
        if (room := room_for(path, error)) is not None:
            raise StorageError(_unusable(path, error, f"{room}, then run the same command again")) from error
        if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
            raise JournalError(_unusable(path, error, _way_back(instead))) from error
        cure = cure_at(path) if instead == ANOTHER_OUTPUT else instead
        raise JournalError(_unusable(path, error, f"mend that, or {cure}" if cure == instead else cure)) from error


def _unusable(path: Path, error: Exception, cure: str) -> str:
    return f"{path}: cannot be used as a journal ({getattr(error, 'strerror', None) or error}); {cure}"


def _way_back(instead: str) -> str:
    """Say what to do about a file that is damaged, or none of SQLite's: no room, and no right, makes it whole."""
    back = "put back a copy that `provisioner backup` made"
    return f"{back}, or another copy and say --restored" if instead == ANOTHER_OUTPUT else f"{back}, or {instead}"

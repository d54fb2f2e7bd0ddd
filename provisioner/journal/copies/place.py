"""The place of an open journal, which somebody may delete or move away while it is written.

SQLite goes on with a file that has no name, and all that it knows would be gone with the process. So nothing more is
sent once that is noticed, and what it knows is put back when it is closed.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Final

from provisioner.errors import JournalError, StorageError
from provisioner.files.aside import free_name
from provisioner.files.writing import PRIVATE, name_once, sync_folder
from provisioner.journal.beside import log_of
from provisioner.journal.copies.mark import mark_as_copy
from provisioner.journal.lock import JournalLock
from provisioner.logs.events import get_logger

log = get_logger()

_GONE: Final = "was deleted or moved away while it was in use"


class Place:
    """Where the file of a journal that was just opened lies. Raises OSError.

    path  of the journal, as the user gave it
    lock  its lock, which is held
    """

    def __init__(self, path: Path, lock: JournalLock) -> None:
        self._path, self._real = path, Path(os.path.realpath(path))
        self._file = self._real.stat()
        self._lock, self._anew = lock, ExitStack()
        self._saved_at: Path | None = None
        self._copy: os.stat_result | None = None

    @property
    def is_taken(self) -> bool:
        """Whether it was lost, and another file has it by now: another run's, whose results are beside it."""
        return self._saved_at not in {None, self._real}

    def refuse_lost(self, journal: sqlite3.Connection) -> None:
        """Raise `StorageError` once it is lost, and put back what is known by then."""
        if self._is_lost():
            self.put_back(journal)
            message = f"{_GONE}, and what it knows is put back there; see that nobody clears the folder, then resume"
            raise StorageError(f"{self._path}: {message}")

    def put_back(self, journal: sqlite3.Connection) -> None:
        """Have all that a lost journal knows in a file again; nothing is done for any other. The lock is held again.

        Raises `StorageError` when that cannot be, or when another file has its place, and says where it is then.
        """
        if not self._is_lost():
            return
        try:
            self._real.parent.mkdir(parents=True, exist_ok=True)
            there = self._where()
            self._save(journal, there)
        except (OSError, sqlite3.Error) as error:
            why = getattr(error, "strerror", None) or error
            message = f"{_GONE}, and cannot be put back ({why}): who was created is known to the API alone"
            raise StorageError(f"{self._path}: {message}; put a copy back, and say --restored") from error
        if self.is_taken:
            message = f"{_GONE}, and another file is there now; what it knew is in {there}, marked as a copy"
            cure = "keep that other file under another name, put the copy in its place, then resume"
            raise StorageError(f"{self._path}: {message}: {cure}")

    def close(self) -> None:
        """Let go of the lock that was taken for what is put back."""
        self._anew.close()

    def _is_lost(self) -> bool:
        """Whether its file has no name any more, or another file has it."""
        try:
            return not os.path.samestat(self._file, self._real.stat())
        except (FileNotFoundError, NotADirectoryError):
            return True
        except OSError:  # whether it is there cannot be told, and whoever writes it will be
            return False

    def _where(self) -> Path:
        """Say where it is put back: beside its place, where somebody else has that by now."""
        if self._saved_at is None:
            held = self._lock.is_current() or self._is_held_anew()
            self._saved_at = free_name(self._real) if not held or os.path.lexists(self._real) else self._real
            log.warning("journal.lost", journal=str(self._path), put_back=str(self._saved_at))
        return self._saved_at

    def _is_held_anew(self) -> bool:
        with suppress(JournalError, StorageError):  # another run has begun there, or a disk takes no more
            self._anew.enter_context(JournalLock(self._path))
            return True
        return False

    def _save(self, journal: sqlite3.Connection, there: Path) -> None:
        temporary = self._real.with_name(f".{self._real.name}.{os.getpid()}.part")
        temporary.unlink(missing_ok=True)
        try:
            os.close(os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, PRIVATE))
            with closing(sqlite3.connect(temporary, isolation_level=None)) as copy:
                journal.backup(copy)
                copy.execute("PRAGMA journal_mode = DELETE")
                if self.is_taken:
                    with suppress(JournalError):  # nothing was sent yet
                        mark_as_copy(copy, there)
            if self._copy is not None and os.path.samestat(self._copy, there.stat()):
                temporary.replace(there)
            else:
                name_once(temporary, there)
            self._copy = there.stat()
            if there == self._real:  # all that the log of the lost one has is in the copy
                log_of(there).unlink(missing_ok=True)
            sync_folder(there.parent)
        finally:
            temporary.unlink(missing_ok=True)

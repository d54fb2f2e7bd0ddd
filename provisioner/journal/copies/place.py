"""The place of an open journal, which somebody may delete or move away while it is written.

SQLite goes on with a file that has no name, and all that it knows would be gone with the process. So nothing more is
sent once that is noticed, and what it knows is put back when it is closed.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from provisioner.errors import StorageError
from provisioner.files.aside import free_name
from provisioner.files.writing import PRIVATE, name_once, sync_folder

_GONE: Final = "was deleted or moved away while it was in use"


class Place:
    """Where the file of a journal that was just opened lies. Raises OSError.

    path  of the journal, as the user gave it
    """

    def __init__(self, path: Path) -> None:
        self._path, self._real = path, Path(os.path.realpath(path))
        self._file = self._real.stat()

    def is_lost(self) -> bool:
        """Whether its file has no name any more, or another file has it."""
        try:
            return not os.path.samestat(self._file, self._real.stat())
        except (FileNotFoundError, NotADirectoryError):
            return True
        except OSError:  # whether it is there cannot be told, and whoever writes it will be
            return False

    def refuse_lost(self) -> None:
        """Raise `StorageError` once it is lost; its folder is made again then, so that results have a place."""
        if self.is_lost():
            with suppress(OSError):
                self._real.parent.mkdir(parents=True, exist_ok=True)
            message = f"{_GONE}, and what it knows is put back there; see that nobody clears the folder, then resume"
            raise StorageError(f"{self._path}: {message}")

    def put_back(self, journal: sqlite3.Connection) -> None:
        """Have all that a lost journal knows in a file again, before it is closed; nothing is done for any other.

        Raises `StorageError` when that cannot be, or when another file has its place, and says where it is then.
        """
        if not self.is_lost():
            return
        try:
            self._real.parent.mkdir(parents=True, exist_ok=True)
            there = self._saved(journal)
        except (OSError, sqlite3.Error) as error:
            why = getattr(error, "strerror", None) or error
            message = f"{_GONE}, and cannot be put back ({why}): who was created is known to the API alone"
            raise StorageError(f"{self._path}: {message}; put a copy back, and say --restored") from error
        if there != self._real:
            message = f"{_GONE}, and another file is there now; what it knew is in {there}: put that in its place"
            raise StorageError(f"{self._path}: {message}, then resume")

    def _saved(self, journal: sqlite3.Connection) -> Path:
        temporary = self._real.with_name(f".{self._real.name}.{os.getpid()}.part")
        try:
            os.close(os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, PRIVATE))
            with closing(sqlite3.connect(temporary, isolation_level=None)) as copy:
                journal.backup(copy)
                copy.execute("PRAGMA journal_mode = DELETE")
            there = free_name(self._real) if os.path.lexists(self._real) else self._real
            name_once(temporary, there)
            sync_folder(there.parent)
        finally:
            temporary.unlink(missing_ok=True)
        return there

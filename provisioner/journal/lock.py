"""Keeps two runs off one journal. The lock is the kernel's, so it ends with the process, however that ends."""

from __future__ import annotations

import fcntl
import os
import socket
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from provisioner.errors import JournalError
from provisioner.files import set_aside


class JournalLock:
    """Holds the lock file beside a journal; `JournalError` says who holds it when we cannot."""

    def __init__(self, journal: Path, instead: str = "choose another --output") -> None:
        self._journal, self._instead = journal, instead
        self._path = _lock_file(journal)

    def __enter__(self) -> Self:
        while True:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = _holder(self._file)
                os.close(self._file)
                message = f"{self._journal}: in use by {holder}; wait until that run has ended, or {self._instead}"
                raise JournalError(message) from None
            if self._is_current():
                break
            os.close(self._file)  # its last holder removed it between our open and our lock
        os.ftruncate(self._file, 0)
        os.write(self._file, f"process {os.getpid()} on {socket.gethostname()}\n".encode())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._path.unlink(missing_ok=True)
        os.close(self._file)

    def _is_current(self) -> bool:
        try:
            return os.path.samestat(os.fstat(self._file), self._path.stat())
        except FileNotFoundError:
            return False


def holder_of(journal: Path) -> str | None:
    """Say which process holds a journal; None when none does. The lock file is read, not made."""
    try:
        file = os.open(_lock_file(journal), os.O_RDONLY)
    except OSError:
        return None
    try:
        # Shared: two doctors do not take each other for a run.
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _holder(file)
    finally:
        os.close(file)
    return None


def set_journal_aside(path: Path) -> Path | None:
    """Set an earlier run's journal aside, closed and in one piece if that can be; its new path, None if there is none.

    Raises `JournalError` when somebody uses it.
    """
    if not path.exists():
        return None
    with JournalLock(path):
        # Closing it as SQLite does leaves one file and no log: one rename, which cannot be cut in half.
        with suppress(sqlite3.Error), closing(sqlite3.connect(path)) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return set_aside(path, ("-wal", "-shm"))


def _lock_file(journal: Path) -> Path:
    # Beside the file itself: a journal reached through a link is the same journal.
    return Path(os.path.realpath(journal) + ".lock")


def _holder(file: int) -> str:
    return os.read(file, 200).decode(errors="replace").strip() or "another process"

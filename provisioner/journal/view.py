"""A journal looked at without changing it: its header, and who holds it."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Identity:
    """What a journal is about: users of one app behind one address."""

    app_id: str
    base_url: str


def holder_of(journal: Path) -> str | None:
    """Say which process holds a journal; None when none does. The lock file is read, not made."""
    try:
        file = os.open(Path(os.path.realpath(journal) + ".lock"), os.O_RDONLY)
    except OSError:
        return None
    try:
        # Shared: two doctors do not take each other for a run.
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return os.read(file, 200).decode(errors="replace").strip() or "another process"
    finally:
        os.close(file)
    return None


def open_for_reading(path: Path) -> sqlite3.Connection:
    """Open for reading only. Raises OSError, sqlite3.DatabaseError."""
    with path.open("rb"):
        pass  # SQLite does not say why it cannot open a file
    # Without a log beside it nobody writes, and SQLite need not make one to read: nothing appears in the folder.
    log = path.with_name(path.name + "-wal")
    how = "mode=ro" if log.exists() else "mode=ro&immutable=1"
    return sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True, isolation_level=None, timeout=5)

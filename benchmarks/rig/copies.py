"""A database as a killed command left it, read by nothing but SQLite and left untouched."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path


@contextmanager
def a_copy_of(database: Path) -> Iterator[sqlite3.Connection]:
    """Open a copy of a database that nobody has open. Raises sqlite3.DatabaseError for one that is damaged."""
    with tempfile.TemporaryDirectory() as folder:
        # The database first: what is in the log and not in it is read from the log.
        for suffix in ("", "-wal"):
            source = database.with_name(database.name + suffix)
            if source.exists():
                shutil.copyfile(source, Path(folder, "copy.db" + suffix))
        with closing(sqlite3.connect(Path(folder, "copy.db"))) as connection:
            if (said := connection.execute("PRAGMA quick_check").fetchone()[0]) != "ok":
                raise sqlite3.DatabaseError(said)
            yield connection

"""The table `meta` of a journal: what is kept of it by a name, each as a text. Raises `sqlite3.Error`."""

from __future__ import annotations

import sqlite3


class Meta:
    """What an open journal keeps by name; part of the transaction that is open, if one is."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def get(self, key: str) -> str | None:
        """Give what is kept; None when nothing is."""
        found = self._database.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if found is None else str(found[0])

    def put(self, key: str, text: str) -> None:
        """Keep this, in place of what was kept before."""
        self._database.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, text))

    def drop(self, key: str) -> None:
        """Keep nothing any more."""
        self._database.execute("DELETE FROM meta WHERE key = ?", (key,))

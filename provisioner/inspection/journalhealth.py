"""How a journal is, looked at without changing it: SQLite's own check, whose it is, who holds it, what it knows."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from provisioner.inspection.check import Check, Status
from provisioner.journal.schema import APPLICATION_ID, VERSION
from provisioner.journal.view import Identity, holder_of, open_for_reading

_ROWS = """
SELECT iif(state = 'settled', outcome, 'pending'), count(*), sum(state = 'sent' OR doubt_since IS NOT NULL)
FROM users GROUP BY 1 ORDER BY 1
"""

_NAME_ONE = "name the journal of a run: <results>.journal.db"
_NOT_ITS_FAULT = ("SQLITE_BUSY", "SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_READONLY")


def journal_health(path: Path, identity: Identity | None) -> Check:
    """Judge the journal at `path`; `identity` is what the configuration would send to, None when that is not known."""
    holder = holder_of(path)
    try:
        with closing(open_for_reading(path)) as database:
            return _look(path, database, identity, holder)
    except (FileNotFoundError, IsADirectoryError) as error:
        return _error(f"{path}: {(error.strerror or '').lower()}", _NAME_ONE)
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorname.startswith(_NOT_ITS_FAULT):
            return _error(f"{path}: cannot be read ({error})", "check the owner and mode of it and its folder")
        return _broken(path, str(error))
    except OSError as error:
        return _error(f"{path}: cannot be read ({error.strerror})", "check its owner and mode")


def _look(path: Path, database: sqlite3.Connection, identity: Identity | None, holder: str | None) -> Check:
    mark, version = _one(database, "PRAGMA application_id"), _one(database, "PRAGMA user_version")
    tables = _one(database, "SELECT count(*) FROM sqlite_master")
    if mark == 0 and tables == 0:
        return Check("journal", Status.OK, f"{path}: empty, as before a first run")
    if mark != APPLICATION_ID:
        return _error(f"{path}: not a journal of provisioner", _NAME_ONE)
    if version > VERSION:
        return _error(f"{path}: format {version}, this provisioner reads {VERSION}", "update provisioner")
    if (message := _one(database, "PRAGMA integrity_check(1)")) != "ok":
        return _broken(path, message)
    facts = dict(database.execute("SELECT key, value FROM meta"))
    made_for = Identity(facts.get("app_id", ""), facts.get("base_url", ""))
    counts, doubtful = _rows(database)
    seen = f"{path}: format {version}, {_listed(counts)}, {doubtful:,} in doubt"
    if identity is not None and made_for != identity:
        seen += f"; made for {_told(made_for)}, not for {_told(identity)}"
        return _error(seen, "use the configuration it was made with, another --output, or --restart")
    if holder is not None:
        return Check("journal", Status.WARNING, f"{seen}; in use by {holder}", "wait until that run has ended")
    resolve = "the next run with it finds out whether these users were made" if doubtful else ""
    return Check("journal", Status.OK, seen, resolve)


def _rows(database: sqlite3.Connection) -> tuple[Mapping[str, int], int]:
    found = database.execute(_ROWS).fetchall()
    return {outcome: number for outcome, number, _ in found}, sum(doubtful for *_, doubtful in found)


def _one(database: sqlite3.Connection, statement: str) -> Any:
    return database.execute(statement).fetchone()[0]


def _listed(counts: Mapping[str, int]) -> str:
    total = sum(counts.values())
    parts = ", ".join(f"{number:,} {outcome}" for outcome, number in counts.items())
    return f"{total:,} users" + (f" ({parts})" if parts else "")


def _told(identity: Identity) -> str:
    return f"app {identity.app_id or '(none)'} at {identity.base_url}"


def _broken(path: Path, said: str) -> Check:
    todo = "put it back from a backup with its -wal file; begin anew with --restart only when there is none"
    return _error(f"{path}: damaged or no SQLite file ({' '.join(said.split())})", todo)


def _error(seen: str, todo: str) -> Check:
    return Check("journal", Status.ERROR, seen, todo)

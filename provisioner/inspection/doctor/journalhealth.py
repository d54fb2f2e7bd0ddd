"""How a journal is, looked at without changing it: SQLite's own check, whose it is, who holds it, what it knows."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from provisioner.inspection.doctor.diagnosis import Check, Status
from provisioner.inspection.record.overview import OutcomeCount, outcomes_in
from provisioner.journal.header import Identity, damage_in, header_of, is_bound, open_for_reading, owner_of
from provisioner.journal.lock import holder_of
from provisioner.journal.schema import VERSION
from provisioner.wording import counted

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
        if getattr(error, "sqlite_errorname", "").startswith(_NOT_ITS_FAULT):
            return _error(f"{path}: cannot be read ({error})", "check the owner and mode of it and its folder")
        return _broken(path, str(error))
    except OSError as error:
        todo = (
            _NAME_ONE if error.errno == errno.EINVAL else "check its owner and mode"
        )  # the former for what is no file
        return _error(f"{path}: cannot be read ({error.strerror})", todo)


def _look(path: Path, database: sqlite3.Connection, identity: Identity | None, holder: str | None) -> Check:
    header = header_of(database)
    if header.blank:
        return Check("journal", Status.OK, f"{path}: empty, as before a first run")
    if not header.ours:
        return _error(f"{path}: not a journal of provisioner", _NAME_ONE)
    if header.newer:
        return _error(f"{path}: format {header.version}, this provisioner reads {VERSION}", "update provisioner")
    if (damage := damage_in(database, thorough=True)) is not None:
        return _broken(path, damage)
    owner = owner_of(database)
    counts = outcomes_in(database)
    doubtful = sum(each.in_doubt for each in counts)
    found = f"{path}: format {header.version}, {_listed(counts)}, {doubtful:,} in doubt"
    if identity is not None and owner != identity and is_bound(database):
        found += f"; made for {owner}, not for {identity}"
        return _error(found, "use the configuration it was made with, another --output, or --restart")
    if holder is not None:
        return Check("journal", Status.WARNING, f"{found}; in use by {holder}", "wait until that run has ended")
    resolve = "the next run with it finds out whether these users were made" if doubtful else ""
    return Check("journal", Status.OK, found, resolve)


def _listed(counts: Sequence[OutcomeCount]) -> str:
    total = sum(each.users for each in counts)
    parts = ", ".join(f"{each.users:,} {each.outcome}" for each in counts)
    return counted(total, "user") + (f" ({parts})" if parts else "")


def _broken(path: Path, message: str) -> Check:
    todo = "put it back from a backup with its -wal file; begin anew with --restart only when there is none"
    return _error(f"{path}: damaged or no SQLite file ({' '.join(message.split())})", todo)


def _error(found: str, todo: str) -> Check:
    return Check("journal", Status.ERROR, found, todo)

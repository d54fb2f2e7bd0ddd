"""How often an auth token was minted for each user: the table of mints.

The API keeps the 100 newest tokens of a user, so one more can end a session that somebody else has begun. Each mint is
counted before its request leaves, so that no kill makes one forgotten, and none leaves once there were `MOST`. A
journal that begins anew counts on from the one that was set aside for it; tokens that are flushed count no more. Who
was given a token with the create is known there as well, with no mint, so that a later one is asked about.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from provisioner.errors import JournalError
from provisioner.journal.header import Identity, open_for_reading, owner_in, owner_of
from provisioner.journal.statements import Bulk, UserKey, json_list

MOST: Final = 90
"""Tokens that one job mints for a user: of the 100 that the API keeps (REST API > Users > Create) some are others'."""

_ASKED: Final = "FROM json_each(:uids) AS asked"
_SPENT: Final = f"SELECT uid {_ASKED} JOIN mints ON mints.uid = asked.value WHERE times >= {MOST}"
_COUNT: Final = f"""
INSERT INTO mints (uid, times) SELECT value, 1 {_ASKED} WHERE true
ON CONFLICT (uid) DO UPDATE SET times = min(times + 1, {MOST})
"""
_TAKE_OVER: Final = """
INSERT INTO mints VALUES (?, ?) ON CONFLICT (uid) DO UPDATE SET times = max(times, excluded.times)
"""
_ARE_COUNTED: Final = "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE name = 'mints')"
# Who was given a token, with how many mints. Before mints were counted, what is recorded is all there is to go by.
_GIVEN: Final = (
    "SELECT uid, 0 FROM users WHERE auth_token IS NOT NULL",
    "SELECT uid, 0 FROM users WHERE auth_token IS NOT NULL UNION ALL SELECT uid, times FROM mints",
)
_HOW_MANY: Final = (
    "SELECT count(*) FROM users WHERE auth_token IS NOT NULL",
    "SELECT count(*) FROM (SELECT uid FROM users WHERE auth_token IS NOT NULL UNION SELECT uid FROM mints)",
)


# Of users who have no auth token any more.
FLUSHED: Final = Bulk(
    UserKey._fields,
    "DELETE FROM mints WHERE uid IN (SELECT users.uid FROM given JOIN users ON users.id = given.id)",
)


def count_mints(database: sqlite3.Connection, uids: Sequence[str]) -> set[str]:
    """Count one more for each of these; those that have had `MOST` are given back. On disk when it returns."""
    asked = {"uids": json_list(uids)}
    with database:
        database.execute("BEGIN IMMEDIATE")
        spent = {uid for (uid,) in database.execute(_SPENT, asked)}
        database.execute(_COUNT, asked)
    return spent


def take_over_mints(database: sqlite3.Connection, path: Path, owner: Identity) -> None:
    """Count on from the journal of this name that was set aside last, of those of the same app."""
    earlier = next((each for each in _set_aside(path) if owner_in(each) == owner), None)
    if earlier is None:
        return
    with database:
        database.execute("BEGIN IMMEDIATE")
        database.executemany(_TAKE_OVER, _given_in(earlier))


def _given_in(path: Path) -> Iterator[tuple[str, int]]:
    """Give whom a journal has given tokens, and how many it has minted; it ends where the journal is damaged."""
    with suppress(sqlite3.Error), closing(open_for_reading(path)) as database:
        yield from database.execute(_GIVEN[_are_counted(database)])


def given_before(path: Path, owner: Identity) -> int:
    """Say how many users have been given an auth token by a journal, or one before it; 0 for another app's.

    Raises `JournalError` where that may not be read.
    """
    if not path.exists():
        return 0
    try:
        with closing(open_for_reading(path)) as database:
            query = _HOW_MANY[_are_counted(database)]
            return int(database.execute(query).fetchone()[0]) if owner_of(database) == owner else 0
    except sqlite3.Error:
        return 0
    except OSError as error:
        message = f"cannot be read ({error.strerror}), so nobody knows who was given an auth token"
        raise JournalError(f"{path}: {message}; mend that, or move it away") from error


def _are_counted(database: sqlite3.Connection) -> bool:
    return bool(database.execute(_ARE_COUNTED).fetchone()[0])


def _set_aside(path: Path) -> list[Path]:
    """Find the journals of this name that were set aside, the last first; several of one second are numbered from 2."""
    named = re.compile(rf"{re.escape(path.stem)}\.(\d{{8}}T\d{{6}})(?:-(\d+))?{re.escape(path.suffix)}")
    matches = [match for each in path.parent.iterdir() if (match := named.fullmatch(each.name))]
    matches.sort(key=lambda match: (match[1], int(match[2] or 1)), reverse=True)
    return [path.with_name(match[0]) for match in matches]

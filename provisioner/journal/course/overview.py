"""A whole journal at one look: whose it is, what became of its users, how its runs and nights went.

It is read as it stands at one moment, whoever may be writing, and nothing of a person is in it but uids.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from provisioner.errors import JournalError
from provisioner.journal.columns import IN_DOUBT
from provisioner.journal.course.points import Point
from provisioner.journal.course.table import Course, PastRun
from provisioner.journal.header import Identity, header_of, open_for_reading, owner_of
from provisioner.journal.lock import holder_of
from provisioner.journal.schema import FIRST_WITH_NIGHTS
from provisioner.journal.state.nights import Night, Nights

FIRST_ROWS: Final = 5
"""Rows that are named of each code."""

_COUNTS: Final = f"""
SELECT iif(state = 'settled', outcome, 'pending'), count(*), sum({IN_DOUBT})
FROM users GROUP BY 1
"""  # noqa: S608 - of constants
_FAILED: Final = """
SELECT code, row, uid FROM (
    SELECT coalesce(error_code, '') AS code, row, uid,
        row_number() OVER (PARTITION BY error_code ORDER BY row) AS place
    FROM users WHERE state = 'settled' AND outcome = 'failed'
) WHERE place <= ? ORDER BY code, row
"""


@dataclass(frozen=True, slots=True)
class Overview:
    """What a journal, or a state, says of itself.

    in_use    by a run that is going on
    counts    outcome → users; `pending` are those without one
    in_doubt  users that may have been created by a request whose answer was lost
    failed    code → row and uid of the first users that have failed with it
    nights    of a state, the earliest first
    """

    path: Path
    owner: Identity
    in_use: bool
    counts: Mapping[str, int]
    in_doubt: int
    failed: Mapping[str, list[tuple[int, str]]]
    runs: list[PastRun] = field(default_factory=list)
    points: list[Point] = field(default_factory=list)
    nights: list[Night] = field(default_factory=list)


def look_over(path: Path, nights: int) -> Overview:
    """Read a journal or a state, and its last nights. Raises `JournalError`, which names the file."""
    in_use = holder_of(path) is not None
    try:
        with closing(open_for_reading(path)) as database:
            header = header_of(database)
            if not header.ours:
                raise JournalError(f"{path}: not a journal of provisioner")
            header.refuse_newer(path)
            database.execute("BEGIN")
            return _overview(path, database, in_use, nights if header.version >= FIRST_WITH_NIGHTS else 0)
    except (OSError, sqlite3.Error, ValueError) as error:
        raise JournalError(f"{path}: cannot be read as a journal ({error})") from None


def _overview(path: Path, database: sqlite3.Connection, in_use: bool, nights: int) -> Overview:
    counts, course = database.execute(_COUNTS).fetchall(), Course(database)
    failed: dict[str, list[tuple[int, str]]] = {}
    for code, row, uid in database.execute(_FAILED, (FIRST_ROWS,)):
        failed.setdefault(code, []).append((row, uid))
    return Overview(
        path,
        owner_of(database),
        in_use,
        {outcome: number for outcome, number, _ in counts},
        sum(doubtful for *_, doubtful in counts),
        failed,
        course.runs(),
        course.points(),
        Nights(database).last(nights) if nights else [],
    )

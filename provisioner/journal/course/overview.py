"""A whole journal at one look: whose it is, what became of its users, how its runs and nights went.

It is read as it stands at one moment, whoever may be writing, and nothing of a person is in it but uids.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from provisioner.errors import JournalError
from provisioner.journal.columns import IN_DOUBT, REVERSING
from provisioner.journal.course.points import Point
from provisioner.journal.course.table import Course, PastRun
from provisioner.journal.header import Identity, header_of, open_for_reading, owner_of
from provisioner.journal.lock import holder_of
from provisioner.journal.schema import FIRST_WITH_NIGHTS
from provisioner.journal.state.nights import Night, Nights
from provisioner.journal.statements import select

FIRST_ROWS: Final = 5
"""Rows that are named of each code."""

_FAILED: Final = """
SELECT code, row, uid FROM (
    SELECT coalesce(error_code, '') AS code, row, uid,
        row_number() OVER (PARTITION BY error_code ORDER BY row) AS place
    FROM users WHERE state = 'settled' AND outcome = 'failed'
) WHERE place <= ? ORDER BY code, row
"""


class OutcomeCount(NamedTuple):
    """Users with one outcome; `pending` are those without one.

    tokens       those of them whose auth token is recorded
    in_doubt     those of whom it is not known whether they were created, or taken back by an undo that was killed
    first, last  UNIX seconds: when the first was sent (the server's), when the last was settled
    """

    outcome: str
    users: int
    tokens: int
    in_doubt: int
    first: float | None
    last: float | None


def outcomes_in(database: sqlite3.Connection) -> list[OutcomeCount]:
    """Count the users of a journal of any format by their outcomes, in the order of the alphabet."""
    kept = database.execute("SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'reversals')").fetchone()[0]
    in_doubt = f"{IN_DOUBT} OR {REVERSING}" if kept else IN_DOUBT  # an older format knows of no undo
    counts = {
        "outcome": "iif(state = 'settled', outcome, 'pending')",
        "users": "count(*)",
        "tokens": "count(auth_token)",
        "in_doubt": f"CAST(total({in_doubt}) AS INTEGER)",
        "first": "min(nullif(sent_at, 0))",
        "last": "max(settled_at)",
    }
    found = database.execute(select(OutcomeCount._fields, "FROM users GROUP BY 1 ORDER BY 1", counts))
    return list(map(OutcomeCount._make, found))


@dataclass(frozen=True, slots=True)
class Overview:
    """What a journal, or a state, says of itself.

    in_use    by a run that is going on
    counts    outcome → users; `pending` are those without one
    in_doubt  users of whom it is not known whether they were created, or taken back
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
    counts, course = outcomes_in(database), Course(database)
    failed: dict[str, list[tuple[int, str]]] = {}
    for code, row, uid in database.execute(_FAILED, (FIRST_ROWS,)):
        failed.setdefault(code, []).append((row, uid))
    return Overview(
        path,
        owner_of(database),
        in_use,
        {each.outcome: each.users for each in counts},
        sum(each.in_doubt for each in counts),
        failed,
        course.runs(),
        course.points(),
        Nights(database).last(nights) if nights else [],
    )

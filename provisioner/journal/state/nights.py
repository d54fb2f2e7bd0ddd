"""The nights of a state: one row for each sync, from its beginning to what became of it.

And the night under way: who stands in its roster, who is absent, for whom something is to be done. That is noted for
the session alone.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final, NamedTuple

import orjson

from provisioner.journal.columns import ASKED, IN_DOUBT
from provisioner.journal.course.table import ENDING_FORGOTTEN
from provisioner.journal.statements import Bulk, json_list, read_json, select


class EpochRow(NamedTuple):
    """A user for whom something is sent or settled in a night."""

    id: int
    epoch: int


# That somebody was created, reactivated or updated in this night outlives what is planned or sent for it afterwards,
# and how often that is cut short: created before reactivated, and both before updated.
NIGHT_OUTCOME: Final = Bulk(
    EpochRow._fields,
    """
UPDATE users SET night_outcome = CASE
    WHEN users.epoch IS NOT given.epoch THEN NULL
    WHEN state = 'settled' AND outcome IN ('created', 'reactivated') THEN outcome
    WHEN state = 'settled' AND outcome = 'updated' THEN coalesce(night_outcome, outcome)
    ELSE night_outcome
END
FROM given WHERE users.id = given.id
""",
)

EPOCH: Final = Bulk(EpochRow._fields, "UPDATE users SET epoch = given.epoch FROM given WHERE users.id = given.id")


class Night(NamedTuple):
    """One sync: a night, or one of several attempts at it.

    epoch              what several attempts at one night have in common
    started, finished  UNIX seconds; null when it was killed
    good               it carried out all that it had planned
    rows               rows of its roster
    summary            what it added up to, its earlier attempts included; requests and time are its own
    attempt            which attempt at its night it was, from 1
    """

    number: int
    epoch: int
    started: float
    finished: float | None
    good: bool
    rows: int | None
    summary: Mapping[str, Any]
    attempt: int = 1

    @property
    def seconds(self) -> float | None:
        """How long it took; null when it was killed."""
        return None if self.finished is None else self.finished - self.started


_NIGHTS: Final = select(
    Night._fields,
    "FROM nights",
    {
        "number": "id",
        "started": "started_at",
        "finished": "finished_at",
        "attempt": "row_number() OVER (PARTITION BY epoch ORDER BY id)",
    },
)


class Nights:
    """The table of nights behind an open connection.

    reading  what to do about errors while nights are read
    """

    def __init__(
        self, database: sqlite3.Connection, reading: Callable[[], AbstractContextManager[None]] = nullcontext
    ) -> None:
        self._database, self._reading = database, reading

    @property
    def epoch(self) -> int:
        """The number of the night that is not over yet."""
        (last,) = self._database.execute("SELECT coalesce(max(epoch), 0) FROM nights WHERE good").fetchone()
        return 1 + int(last)

    @property
    def begun(self) -> int:
        """How many syncs have begun."""
        return int(self._database.execute("SELECT count(*) FROM nights").fetchone()[0])

    def begin(self, now: float, plan: str | None) -> int:
        """Record that a sync begins (UNIX seconds), and which kept plan it carries out: its number."""
        statement = "INSERT INTO nights (epoch, started_at, plan) VALUES (?, ?, ?)"
        return int(self._database.execute(statement, (self.epoch, now, plan)).lastrowid or 0)

    def unfinished_plan(self) -> str | None:
        """Name the kept plan that the last sync began to carry out, unless it came to its end."""
        last = self._database.execute("SELECT good, plan FROM nights ORDER BY id DESC LIMIT 1").fetchone()
        if last is None:
            return None
        good, plan = last
        return None if good else plan

    def last(self, most: int | None = None) -> list[Night]:
        """Give the last nights, or all, the earliest first."""
        with self._reading():
            rows = self._database.execute(f"{_NIGHTS} ORDER BY id DESC LIMIT ?", (-1 if most is None else most,))
            return [_night(row) for row in rows.fetchall()][::-1]

    def good(self) -> list[float]:
        """Give when the good nights began (UNIX seconds), the latest first."""
        rows = self._database.execute("SELECT started_at FROM nights WHERE good ORDER BY id DESC").fetchall()
        return [started for (started,) in rows]

    def last_seen(self, uids: Sequence[str]) -> dict[str, float]:
        """Say when the last sync began (UNIX seconds) whose roster named a user, as is known by what was sent.

        It may have been cut short. Of whom no sync has sent anything but to be deactivated there is nothing to be told.
        """
        with self._reading():
            began = sorted(at for (at,) in self._database.execute("SELECT started_at FROM nights"))
            found = self._database.execute(SENT_AT, (json_list(uids),)).fetchall()
        places = {uid: bisect_right(began, at) for uid, at in found}
        return {uid: began[place - 1] for uid, place in places.items() if place}

    def shortened(self) -> set[str]:
        """Give those of the absent whom tonight's roster has without their leading zeros, once these are looked up."""
        with self._reading():
            return {uid for (uid,) in self._database.execute(SHORTENED)}

    def mark(self) -> list[Any]:
        """Give values that are others as soon as a night has begun or ended."""
        row = self._database.execute("SELECT count(*), max(started_at), max(finished_at) FROM nights").fetchone()
        return list(row)


def _night(row: Iterable[Any]) -> Night:
    facts = dict(zip(Night._fields, row, strict=True))
    good, summary = bool(facts["good"]), facts["summary"]
    return Night(**facts | {"good": good, "summary": read_json(summary) if summary else {}})


# When a row of a user was sent last; the server tells only the second in which it created one.
SENT_AT: Final = select(
    ("uid", "at"),
    ASKED,
    {"at": "max(iif(operation IS 'deactivate', 0, coalesce(sent_at, 0)), coalesce(created_at + 1, 0))"},
)

# Tables of this session alone: the uids of tonight's roster, and those for which something is to be done. Those whom it
# names as deactivated are `named`, with their rows. Whom it lacks is looked up once: on most nights these are few.
SESSION_TABLES: Final = (
    *(f"CREATE TEMP TABLE {name} (uid TEXT PRIMARY KEY) WITHOUT ROWID" for name in ("present", "planned", "woken")),
    "CREATE TEMP TABLE named (uid TEXT PRIMARY KEY, row INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TEMP TABLE absent (id INTEGER PRIMARY KEY)",
)
NOTE_NAMED: Final = "INSERT OR IGNORE INTO temp.named SELECT key, value FROM json_each(?)"
NAMED: Final = "SELECT uid, row FROM json_each(?) AS asked JOIN temp.named ON temp.named.uid = asked.value"
NOTE_PRESENT: Final = "INSERT OR IGNORE INTO temp.present SELECT value FROM json_each(?)"
# As a spreadsheet makes numbers of them: 007 is 7, 000 is 0.
SHORTENED: Final = """
SELECT uid FROM temp.absent JOIN users USING (id)
WHERE uid GLOB '0?*' AND uid NOT GLOB '*[^0-9]*' AND EXISTS (
    SELECT 1 FROM temp.present WHERE temp.present.uid = coalesce(nullif(ltrim(users.uid, '0'), ''), '0')
)
"""
NOTE_PLANNED: Final = "INSERT OR IGNORE INTO temp.planned SELECT value FROM json_each(?)"
NOTE_WOKEN: Final = "INSERT OR IGNORE INTO temp.woken SELECT value FROM json_each(?)"
# That the tokens were flushed stays known: should the user be in a roster again, a new one is owed.
WOKEN: Final = """
UPDATE users SET standing = 'active'
WHERE standing = 'deactivated' AND certain AND uid IN (SELECT uid FROM temp.woken)
"""

FIND_ABSENT: Final = (
    "DELETE FROM temp.absent",
    """
INSERT INTO temp.absent SELECT id FROM users
WHERE NOT EXISTS (SELECT 1 FROM temp.present WHERE temp.present.uid = users.uid)
""",
)
_ABSENT: Final = (
    "users.id IN (SELECT id FROM temp.absent UNION ALL"
    " SELECT there.id FROM temp.named JOIN users AS there ON there.uid = temp.named.uid)"
)

_WOKEN: Final = "EXISTS (SELECT 1 FROM temp.woken WHERE temp.woken.uid = users.uid)"
# Who was sent is managed until it is known that nobody was created.
_IN_DOUBT: Final = f"(standing IS NULL AND {IN_DOUBT})"
_MANAGED: Final = f"(standing IS NOT NULL OR operation IN ('update', 'reactivate', 'deactivate') OR {_IN_DOUBT})"

ABSENT_BEFORE: Final = "SELECT count(*) FROM users WHERE standing = 'active' AND absent"


MANAGED: Final = f"SELECT count(*) FROM users WHERE standing = 'active' OR {_WOKEN}"  # noqa: S608 - of constants

LEAVER_COLUMNS: Final = ("uid", "absent")
LEAVERS: Final = select(
    LEAVER_COLUMNS,
    f"FROM users WHERE {_MANAGED} AND (standing IS NOT 'deactivated' OR NOT certain OR {_WOKEN}) "
    f"AND {_ABSENT} ORDER BY users.id",
)
LEFT_TONIGHT: Final = select(
    LEAVER_COLUMNS,
    f"FROM users WHERE epoch = ? AND outcome = 'deactivated' AND {_ABSENT} AND NOT {_WOKEN} ORDER BY id",
)
FLUSHED_TONIGHT: Final = (
    f"SELECT count(*) FROM users WHERE epoch = ? AND outcome = 'deactivated' AND sessions = 'flushed' "  # noqa: S608
    f"AND standing = 'deactivated' AND {_ABSENT}"
)
# The plus keeps SQLite from going through all who are absent, and for each of them through all who are asked for.
IS_LEAVER: Final = select(("uid",), f"{ASKED} WHERE {_MANAGED} AND +{_ABSENT}")


class Doubt(NamedTuple):
    """A user of whom it is not known whether we created it; `since` as `Past.doubt_since`.

    former  when the one before it was created (UNIX seconds), if it was taken for deleted
    """

    uid: str
    since: float
    former: int | None = None


DOUBTS: Final = select(
    Doubt._fields,
    f"FROM users WHERE {_IN_DOUBT} AND {_ABSENT} AND (operation IS NULL OR operation = 'create') ORDER BY id",
    {
        "since": "coalesce(doubt_since, sent_at)",
        "former": "(SELECT former.created_at FROM former WHERE former.id = users.id)",
    },
)
# Of whoever turns out to be ours nobody has been told, and its token is lost: should it come back, that is made up for.
# What its profile is remains open until then, also to a run that goes on: of several bodies any may be there.
RESOLVED: Final = """
UPDATE users SET standing = :standing, certain = 0, doubt_since = NULL, doubt_hash = NULL, state = 'settled',
    body_hash = iif(:standing IS NOT NULL AND doubt_hash <> body_hash, '', body_hash),
    outcome = iif(:standing IS NULL, 'failed', 'created'), error_code = NULL, error_message = NULL,
    ours = ours OR :standing IS NOT NULL, operation = iif(:standing IS NULL, operation, 'update')
WHERE uid = :uid
"""

# After a good night: the leavers have been absent for one night more.
_COUNT_ABSENCE: Final = (
    "UPDATE users SET absent = 0 WHERE absent AND id NOT IN (SELECT id FROM temp.absent)",
    f"UPDATE users SET absent = absent + 1 WHERE {_MANAGED} AND id IN (SELECT id FROM temp.absent)",  # noqa: S608
)
# After one with the roster of the last, of which no row was read: who was absent then is so once more.
_COUNT_ABSENCE_AGAIN: Final = (f"UPDATE users SET absent = absent + 1 WHERE {_MANAGED} AND absent",)  # noqa: S608

_END: Final = "UPDATE nights SET finished_at = :now, good = :good, rows = :rows, summary = :summary WHERE id = :number"


def ending(
    number: int, now: float, rows: int, summary: Mapping[str, Any], *, good: bool, quiet: bool
) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Give the statements that end a night, and their values; see `SyncState.end_night`.

    What a quiet night has found remains true after it.
    """
    absence = (_COUNT_ABSENCE_AGAIN if quiet else _COUNT_ABSENCE) if good else ()
    statements = (*(() if quiet else (ENDING_FORGOTTEN,)), *absence, _END)
    text = orjson.dumps(summary).decode()
    return statements, {"number": number, "now": now, "rows": rows, "summary": text, "good": good}

"""What was out of the ordinary in the life of a user, and its last word before this one: the table of events.

Of a user who was created at the first try there is none: its row in `users` is its whole story. There is one for

    answer   an answer that left something in doubt, or said that there is no such user
    settled  an outcome whose place is taken by what comes next: another try, a change of a later night, another undo
    killed   a request that may have left, of which no outcome was recorded before the process ended

The last two are written in the commit that records the next request as sent, so that none is lost and none is doubled.
"""

from __future__ import annotations

import sqlite3
from typing import Final, NamedTuple

from provisioner.journal.statements import Bulk, UserKey, select

ANSWER: Final = "answer"
SETTLED: Final = "settled"
KILLED: Final = "killed"


class Event(NamedTuple):
    """One event in the life of a user.

    user       its number, see `Journal.new_key`
    at         UNIX seconds, ours; of a request that may have left (killed) the server's
    epoch      the night of a sync, where it is known
    kind       answer, settled or killed
    operation  what was asked of the API, or what a sync did
    outcome    what became of it: an outcome, or what an answer was taken for
    message    what the server or the network said; never a token
    """

    user: int
    at: float
    epoch: int | None
    kind: str
    operation: str | None
    outcome: str | None
    http_status: int | None = None
    code: str | None = None
    message: str | None = None
    attempts: int | None = None


_INTO: Final = f"INSERT INTO events ({', '.join(Event._fields)})"

HAPPENED: Final = Bulk(Event._fields, f"{_INTO} SELECT {', '.join(Event._fields)} FROM given")  # noqa: S608 - of constants


# Of users for whom something is sent that were met before. A row that is pending has no word of its own: what there was
# to say of it was said when it was sent.
LAST_WORD: Final = Bulk(
    UserKey._fields,
    f"""
{_INTO}
SELECT users.id, iif(state = 'sent', sent_at, coalesce(settled_at, sent_at)), iif(state = 'sent', NULL, users.epoch),
    iif(state = 'sent', '{KILLED}', '{SETTLED}'), operation, iif(state = 'sent', NULL, outcome),
    http_status, error_code, error_message, attempts
FROM given JOIN users ON users.id = given.id WHERE state IN ('sent', 'settled')
""",  # noqa: S608 - of constants
)


class UndoRow(NamedTuple):
    """A user to whom an undo does something, or of whom it has found out."""

    id: int
    undo: int


# What an earlier undo did to it, or one before a run that took it up again, before its row is that of this one.
LAST_UNDO: Final = Bulk(
    UndoRow._fields,
    f"""
{_INTO}
SELECT reversals.id, coalesce(reversals.settled_at, reversals.sent_at, 0), NULL, '{SETTLED}', 'undo', verdict,
    NULL, reason, reversals.message, NULL
FROM given JOIN reversals ON reversals.id = given.id
WHERE reversals.state = 'settled' AND (reversals.undo <> given.undo OR again_at IS NOT NULL)
""",  # noqa: S608 - of constants
)

_OF_USER: Final = select(Event._fields, "FROM events WHERE user = ? ORDER BY id")


def events_of(database: sqlite3.Connection, user: int) -> list[Event]:
    """Give the events of a user, the earliest first."""
    return [Event._make(row) for row in database.execute(_OF_USER, (user,))]

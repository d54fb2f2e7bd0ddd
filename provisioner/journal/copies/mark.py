"""What a copy of a journal may not know: what the lost run did after the copy was made.

The moment of the copy is the newest time of the server that it knows: whatever left later, was created by the server
at that time or after it. It stands in `meta` until a run has come to its end with it, and until then

- whoever the copy knows without a settled outcome is in doubt since then, and so is whoever it does not know at all:
  a user who was created since is ours, one from before is another hand's;
- which body was sent is not known, so whoever turns out to be ours is brought up to date, as after an edit;
- what a user was before an update of this job is not known either, unless it was kept before the copy;
- of the users of a state only that is left that they are managed: what nights since have made of them is found out.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Final, NamedTuple

from provisioner.errors import JournalError
from provisioner.journal.beside import log_of
from provisioner.journal.columns import FINAL_OUTCOMES
from provisioner.journal.header import damage_in, header_of, open_for_reading
from provisioner.journal.schema import Meta
from provisioner.journal.statements import Bulk

COPIED: Final = "copied_at"
"""Under what `meta` has the moment of the copy."""

HEARD: Final = "heard_at"
"""Under what it has the server's time (UNIX seconds), learned without anything being sent that is recorded."""

# Whom an adoption brought in was sent nothing: that moment is ours, not the server's.
_NEWEST: Final = f"""
SELECT max(at) FROM (
    SELECT max(sent_at) AS at FROM users WHERE operation IS NOT 'adopt'
    UNION ALL SELECT max(sent_at) FROM reversals
    UNION ALL SELECT CAST(value AS REAL) FROM meta WHERE key = '{HEARD}'
)
"""  # noqa: S608 - of constants
_MARKED: Final = (
    # Whoever was on the wire stays in doubt since it was sent, as after a kill.
    f"""
UPDATE users SET doubt_since = coalesce(doubt_since, iif(state = 'sent', sent_at, :at)), doubt_hash = ''
WHERE standing IS NULL AND NOT (state = 'settled' AND outcome IN ({FINAL_OUTCOMES}))
""",  # noqa: S608 - of constants
    """
INSERT OR IGNORE INTO overwrites (id, kind, kept_at)
    SELECT id, 'unknown', :at FROM users WHERE operation IS NULL AND NOT ours
""",
    # A lost run may have filled more of a user.
    "UPDATE users SET filled = NULL WHERE ours",
    # A leaver of a night since has lost its auth tokens, and gets another one when it comes back. What is known of a
    # flush of ours stays known.
    """
UPDATE users SET live_hash = NULL, digests = NULL,
    sessions = coalesce(sessions, iif(standing = 'active', 'unknown', NULL))
WHERE standing IS NOT NULL
""",
)


class UnmetRow(NamedTuple):
    """A user who may be sent from now on, and whom a copy made at `since` (UNIX seconds, the server's) may not know."""

    id: int
    uid: str
    row: int
    body_hash: str
    since: float


# Before they are recorded as sent: those that are known already stay as they are.
UNMET: Final = (
    Bulk(
        UnmetRow._fields,
        """
INSERT OR IGNORE INTO users (id, uid, row, body_hash, sent_at, state, doubt_since, doubt_hash)
SELECT id, uid, row, body_hash, since, 'pending', since, '' FROM given
""",
    ),
    Bulk(
        UnmetRow._fields,
        """
INSERT OR IGNORE INTO overwrites (id, kind, kept_at)
SELECT given.id, 'unknown', since FROM given JOIN users ON users.id = given.id WHERE NOT ours
""",
    ),
)


def refuse_empty_copy(path: Path) -> None:
    """Raise `JournalError` for a file that is said to be a copy and knows of nothing that was sent.

    SQLite keeps what was written last in a file beside the journal, which is easily left behind. The file is only
    read; one that cannot be is told of by whoever opens it.
    """
    with suppress(sqlite3.Error, OSError), closing(open_for_reading(path)) as database:
        header = header_of(database)
        if header.blank or (header.ours and database.execute(_NEWEST).fetchone()[0] is None):
            log = log_of(path).name
            message = f"the copy was probably made without the file {log}; put both back, then run again"
            raise JournalError(f"{path}: holds nothing that was sent: {message}")


def mark_as_copy(database: sqlite3.Connection, name: object) -> float:
    """Have a journal know that it is a copy; the moment it was made (UNIX seconds, the server's). All or nothing.

    name  of the journal, for messages

    A copy of a copy that was not carried to its end yet does not know what happened since the earlier one either.
    Raises `JournalError` when it knows of nothing that was sent, so that the moment cannot be told, and
    `sqlite3.DatabaseError` for one that is damaged, as a copy of a file that was being written is.
    """
    if (damage := damage_in(database, thorough=True)) is not None:
        raise sqlite3.DatabaseError(damage)
    (newest,) = database.execute(_NEWEST).fetchone()
    if newest is None:
        message = "nothing was ever sent by it, so there is nothing yet that a copy could keep; begin without one"
        raise JournalError(f"{name}: {message}")
    earlier = copied_at(database)
    since = float(newest) if earlier is None else min(newest, earlier)
    with database:
        database.execute("BEGIN IMMEDIATE")
        for statement in _MARKED:
            database.execute(statement, {"at": newest})
        # As text that is read back as the same number: SQLite's own would be rounded.
        Meta(database).put(COPIED, repr(since))
    return since


def copied_at(database: sqlite3.Connection) -> float | None:
    """Give when the copy was made that a journal is (UNIX seconds, the server's); None when it is none."""
    found = Meta(database).get(COPIED)
    return None if found is None else float(found)

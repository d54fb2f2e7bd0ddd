"""What is told of an undo: how many users there are to be looked at, and what became of each."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Final, NamedTuple

from provisioner.journal.header import open_for_reading
from provisioner.journal.schema import AWAY_BEFORE
from provisioner.journal.statements import select
from provisioner.journal.undo.reversals import DOUBTFUL, IS_BACK, JOINED, LOOKED_AT, OURS, TO_BE_DONE, UPDATED


class ToDo(NamedTuple):
    """What there is to be undone.

    more  requests at most beside a look at each and what takes it back: a list where tags are to be put back, or the
          user may be deactivated, who is reactivated to be put back, or deactivated again; another look where no update
          of ours was answered
    """

    created: int
    updated: int
    doubtful: int
    more: int
    reversed: int

    @property
    def users(self) -> int:
        """How many are to be looked at."""
        return self.created + self.updated + self.doubtful


_PARTED: Final = f"(made_hash IS NOT NULL OR ours = {AWAY_BEFORE})"
_LISTED: Final = f"(coalesce(fields, 0) & :tags OR {_PARTED})"
_MAY_BE_LATER: Final = "(length(carried) AND (NOT confirmed OR doubted))"
_MORE: Final = f"({_LISTED} + {_MAY_BE_LATER} * (1 + {_LISTED}) + {_PARTED} + (ours = {AWAY_BEFORE}))"
_AWAY: Final = "(withdrawn OR made_hash IS NOT NULL OR reversals.state IS 'sent')"

# Who is deactivated, though it was to be deleted, is what an undo wants that deletes nobody.
_ONLY_AWAY: Final = f"(reason IS 'not_permanent' AND NOT {TO_BE_DONE})"
_REVERSED: Final = f"verdict IS 'reversed' OR {_ONLY_AWAY}"

TO_DO: Final = select(
    ToDo._fields,
    f"{JOINED}",
    {
        "created": f"coalesce(sum({OURS} AND NOT {LOOKED_AT}), 0)",
        "updated": f"coalesce(sum({UPDATED} AND NOT {LOOKED_AT}), 0)",
        "doubtful": f"coalesce(sum({DOUBTFUL} AND NOT {LOOKED_AT}), 0)",
        "more": f"coalesce(sum(iif(NOT {LOOKED_AT}, iif({OURS}, {_AWAY}, iif({UPDATED}, {_MORE}, 0)), 0)), 0)",
        "reversed": f"coalesce(sum(({_REVERSED}) AND again_at IS NULL AND NOT {TO_BE_DONE}), 0)",
    },
)


class Line(NamedTuple):
    """What is told of one user; `done` and `why` are its reason, `settled_at` UNIX seconds."""

    row: int
    uid: str
    verdict: str
    done: str | None
    reason: str | None
    message: str | None
    http_status: int | None
    attempts: int
    settled_at: float | None


# A verdict of an earlier round counts when it is for good; what is to be done once more has none.
_KNOWN: Final = f"""(again_at IS NULL AND (
    (verdict IN ('kept', 'failed', 'untouched') AND reversals.undo = :round)
    OR (({_REVERSED} OR verdict IS 'kept') AND NOT {TO_BE_DONE})
))"""

LINES: Final = select(
    Line._fields,
    f"{JOINED} WHERE ({TO_BE_DONE} OR {_KNOWN}) AND NOT (coalesce(verdict, '') = 'untouched' AND {_KNOWN}) "
    "ORDER BY users.row, users.id",
    {
        "row": "users.row",
        "verdict": f"iif({_KNOWN}, iif({_ONLY_AWAY}, 'reversed', verdict), 'pending')",
        "done": f"iif({_KNOWN} AND ({_REVERSED}), iif({_ONLY_AWAY}, 'deactivated', reason), NULL)",
        "reason": f"iif({_KNOWN} AND NOT ({_REVERSED}), reason, NULL)",
        "message": f"iif({_KNOWN} AND NOT {_ONLY_AWAY}, message, NULL)",
        "http_status": f"iif({_KNOWN}, reversals.http_status, NULL)",
        "attempts": "coalesce(reversals.attempts, 0)",
        "settled_at": f"iif({_KNOWN}, reversals.settled_at, NULL)",
    },
)

UNTOUCHED: Final = f"SELECT count(*) {JOINED} WHERE verdict = 'untouched' AND {_KNOWN}"

TOKENS_LEFT: Final = "SELECT count(*) FROM users WHERE NOT ours AND auth_token IS NOT NULL"
"""Auth tokens of users who were there before: nobody takes them back."""

# Not whose rows a later run has seen to: one that is told of by its results, and so is what it left out. Whom another
# hand has changed after one undo, as another one found, is back no less: the row is open.
_TAKEN_BACK: Final = f"""
SELECT (SELECT command FROM runs ORDER BY id DESC LIMIT 1) = 'undo' AND EXISTS (
    SELECT 1 FROM reversals JOIN users USING (id)
    WHERE again_at IS NULL AND (
        ({IS_BACK} OR reason IN ('changed', 'gone')) AND users.state = 'pending' OR reversals.state = 'sent'
    )
)
"""  # noqa: S608 - of constants
# A copy of results has nothing of what was run later.
_TAKEN_BACK_SINCE: Final = (
    f"SELECT EXISTS (SELECT 1 FROM reversals WHERE state = 'sent' OR ({IS_BACK} AND settled_at > ?))"  # noqa: S608
)


def is_taken_back(path: Path, since: float | None = None) -> bool:
    """Whether an undo took users of the journal at `path` back, and no run has begun since. Not where none is there.

    since  of results that were copied before that (UNIX seconds): whether any undo has, whatever was run after it
    """
    asked, values = (_TAKEN_BACK, ()) if since is None else (_TAKEN_BACK_SINCE, (since,))
    with suppress(sqlite3.Error, OSError), closing(open_for_reading(path)) as database:
        return bool(database.execute(asked, values).fetchone()[0])
    return False

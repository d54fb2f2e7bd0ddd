"""What undos did, user by user, in the table `reversals`; and who is still to be looked at.

    id        the user's, see `users`
    undo      the round (see `rounds`) in which it was last looked at
    action    deactivate, delete or restore: what was last recorded as sent
    state     sent: the request may have left since `sent_at` (the server's UNIX seconds), and what became of it is not
              known; settled
    verdict   reversed, kept, failed, or untouched: in doubt, and this job turned out to have changed nothing;
              pending as long as there is none
    reason    what was done (deactivated, deleted, restored), why the user is kept, or the code of the failure
    again_at  when a run took the user up again (UNIX seconds): the verdict is a matter of the past then. Of whoever is
            reversed that is once the run has settled it; of all others once it has sent anything for it

Only a user whose reversal was recorded as sent can be one that we changed: the record is on disk before the request
leaves, and after the user was looked at. A user is not the run's any more once it is reversed: its row in `users` is
pending, so that a run begins it anew, and `withdrawn` is 1 when it is there and deactivated; 2: see `overwrites.BEGUN`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from provisioner.journal.columns import DOUBT_SINCE, DOUBTED, IN_DOUBT
from provisioner.journal.schema import AWAY_BEFORE
from provisioner.journal.statements import Bulk, select
from provisioner.journal.undo.overwrites import ALL, BEGUN
from provisioner.model import FINAL, Settlement, UserRequest


class TakenUpRow(NamedTuple):
    """A row for which a run has sent something, or that it has settled (UNIX seconds)."""

    id: int
    now: float | None


TAKEN_UP: Final = Bulk(
    TakenUpRow._fields,
    """
UPDATE reversals SET again_at = now, state = 'settled'
FROM given WHERE reversals.id = given.id AND (again_at IS NULL AND verdict = 'reversed' OR state = 'sent')
""",
)

# What was found out of a user says nothing any more once something may have left for it.
SENT_SINCE: Final = Bulk(
    TakenUpRow._fields,
    """
UPDATE reversals SET again_at = now
FROM given WHERE reversals.id = given.id AND again_at IS NULL AND verdict <> 'reversed'
""",
)


def sent_since_rows(requests: Iterable[UserRequest], now: float) -> list[TakenUpRow]:
    """Give the values of `SENT_SINCE` (UNIX seconds): only whom the journal has met can have been looked at."""
    return [TakenUpRow(each.key, now) for each in requests if each.past is not None]


def taken_up_rows(settlements: Iterable[Settlement]) -> list[TakenUpRow]:
    """Give the values of `TAKEN_UP`: by them a user who is created again is told from one whom an undo took back."""
    return [TakenUpRow(each.key, each.settled_at) for each in settlements if each.outcome in FINAL]


EVER_UNDONE: Final = "SELECT EXISTS (SELECT 1 FROM reversals)"


class LeavingRow(NamedTuple):
    """A request that may leave from now on (UNIX seconds, the server's)."""

    id: int
    undo: int
    action: str
    sent_at: float


LEAVING: Final = Bulk(
    LeavingRow._fields,
    """
INSERT INTO reversals (id, undo, action, sent_at, state)
SELECT id, undo, action, sent_at, 'sent' FROM given WHERE true
ON CONFLICT (id) DO UPDATE SET undo = excluded.undo, action = excluded.action, sent_at = excluded.sent_at,
    state = 'sent', verdict = 'pending', reason = NULL, message = NULL, settled_at = NULL, again_at = NULL
""",
)


# Whoever is deactivated again, once it is put back, has no auth token any more.
FLUSHED: Final = Bulk(
    LeavingRow._fields,
    f"UPDATE users SET auth_token = NULL FROM given WHERE users.id = given.id AND ours = {AWAY_BEFORE}",  # noqa: S608 - a number
)


class OwnedRow(NamedTuple):
    """A user in doubt who turned out to be of this job, created at that time (UNIX seconds, the server's).

    Should it be kept, its row is settled with the body that may be there, so that a run sees what was edited since.
    """

    id: int
    created_at: int | None
    now: float


OWNED: Final = Bulk(
    OwnedRow._fields,
    f"""
UPDATE users SET ours = 1, state = 'settled', outcome = 'created', created_at = given.created_at, settled_at = now,
    body_hash = {DOUBTED},
    mark = coalesce(mark, given.created_at), doubt_since = NULL, doubt_hash = NULL,
    http_status = NULL, error_code = NULL, error_message = NULL
FROM given WHERE users.id = given.id
""",  # noqa: S608 - of constants
)


class PartlyBackRow(NamedTuple):
    """A user whose profile was put back but for some fields (bits); `mark` as in `users`.

    Whoever was deactivated as the roster said is active from then on, by our hand, unless an earlier round had done so.
    Its row begins anew, as that of a user who was put back altogether, and so does what is kept of all other fields:
    the next update of ours reads them.
    """

    id: int
    fields: int
    mark: int | None


# Whom an earlier round had deactivated is so again, whatever its profile.
_MADE: Final = f"iif(ours = {AWAY_BEFORE}, '', NULL)"

PARTLY_BACK: Final = (
    Bulk(
        PartlyBackRow._fields,
        f"UPDATE overwrites SET fields = given.fields, untold = untold | ({ALL} & ~given.fields) "  # noqa: S608 - a number
        "FROM given WHERE overwrites.id = given.id",
    ),
    Bulk(
        PartlyBackRow._fields,
        f"""
UPDATE users SET state = 'pending', outcome = 'pending', http_status = NULL, error_code = NULL, error_message = NULL,
    settled_at = NULL, mark = coalesce(given.mark, users.mark), withdrawn = 0, made_hash = {_MADE},
    owed = owed OR ours > 1, filled = iif(ours > 1, NULL, filled)
FROM given WHERE users.id = given.id
""",  # noqa: S608 - of constants
    ),
)


class VerdictRow(NamedTuple):
    """What an undo came to; `doubt_since` and `mark` as in `users`."""

    id: int
    undo: int
    state: str
    verdict: str
    reason: str | None
    message: str | None
    http_status: int | None
    attempts: int
    settled_at: float | None
    doubt_since: float | None
    mark: int | None


IS_BACK: Final = (
    "(verdict = 'reversed' OR verdict = 'kept' AND reason IN ('not_clearable', 'not_told') OR reason = 'not_permanent')"
)
"""Whether a user was taken back, altogether, but for some fields, or only deactivated where it was to be deleted."""

# Whom the job has nothing to do with any more, until a run begins it anew.
_LET_GO: Final = (
    "(given.verdict IN ('reversed', 'untouched') OR given.reason IN ('another_user', 'created_later', 'not_permanent'))"
)

# Who was deactivated by us; that it was to be deleted is another matter.
_AWAY: Final = "coalesce(given.reason IN ('deactivated', 'not_permanent'), 0)"

# Who is there still, and is of the job: deactivated, or of an earlier round of it.
_STAYS: Final = f"({_AWAY} OR (ours > 1 AND given.reason IS NOT 'another_user'))"

VERDICT: Final = (
    Bulk(
        VerdictRow._fields,
        """
INSERT INTO reversals (id, undo, state, verdict, reason, message, http_status, attempts, settled_at)
SELECT id, undo, state, verdict, reason, message, http_status, attempts, settled_at FROM given WHERE true
ON CONFLICT (id) DO UPDATE SET undo = excluded.undo, state = excluded.state, verdict = excluded.verdict,
    reason = excluded.reason, message = excluded.message, http_status = excluded.http_status,
    attempts = excluded.attempts, settled_at = excluded.settled_at, again_at = NULL
""",
    ),
    Bulk(
        VerdictRow._fields,
        f"""
UPDATE users SET state = 'pending', outcome = 'pending', http_status = NULL, error_code = NULL, error_message = NULL,
    settled_at = NULL, doubt_since = given.doubt_since, doubt_hash = iif(given.doubt_since IS NULL, NULL, doubt_hash),
    withdrawn = {_AWAY},
    owed = owed OR ours > 1, filled = iif(ours > 1, NULL, filled),
    ours = iif({_STAYS}, ours, 0),
    auth_token = iif({_AWAY} OR given.reason IN ('deleted', 'another_user'), NULL, auth_token),
    created_at = iif({_STAYS}, created_at, NULL),
    mark = iif({_AWAY}, coalesce(given.mark, users.mark), NULL), made_hash = iif({_STAYS}, {_MADE}, NULL)
FROM given WHERE users.id = given.id AND {_LET_GO}
""",  # noqa: S608 - of constants
    ),
    Bulk(
        VerdictRow._fields,
        f"DELETE FROM overwrites WHERE id IN (SELECT id FROM given WHERE {_LET_GO})",  # noqa: S608 - of constants
    ),
)


class Candidate(NamedTuple):
    """A user to be looked at.

    ours         this job created it, for certain; of whom an earlier round of it created, what is undone is the update
    doubt_since  UNIX seconds by the server: the first create of ours that may have made it; null when there is none
    sent_at      when a request of ours was last recorded as sent
    sent         the reversal may have left already; `action`: which one that was, as in the table
    failed       it failed the last time
    parted       this job may have deactivated the user, as the roster said; `away`: it has, for certain;
                 `parted_before`: an earlier round of it had, see `schema.AWAY_BEFORE`
    kind … kept_at    see `overwrites`; null when no update was noted
    """

    key: int
    uid: str
    row: int
    ours: int
    withdrawn: int
    doubt_since: float | None
    sent_at: float
    created_at: int | None
    mark: int | None
    sent: int
    attempts: int
    kind: str | None
    before: bytes | None
    untold: int | None
    fields: int | None
    carried: bytes | None
    confirmed: int | None
    doubted: int | None
    kept_at: float | None = None
    parted: int = 0
    away: int = 0
    parted_before: int = 0
    failed: int = 0
    action: str | None = None


JOINED: Final = "FROM users LEFT JOIN overwrites USING (id) LEFT JOIN reversals USING (id)"
# Whoever was created, updated, or is in doubt. Who is deactivated by an undo is done with, unless that is in doubt, or
# is now to be deleted for good. Whom an earlier round had deactivated, this one may have been killed in waking.
OURS: Final = "ours = 1 AND (withdrawn <> 1 OR :permanent OR reversals.state IS 'sent')"
UPDATED: Final = (
    "ours <> 1 AND (kind IS 'kept' OR kind IS 'unknown' AND users.state = 'settled' AND users.outcome = 'updated' "
    f"OR ours = {AWAY_BEFORE} AND withdrawn = {BEGUN})"
)
DOUBTFUL: Final = f"NOT ours AND kind IS NOT 'kept' AND {IN_DOUBT}"
TO_BE_DONE: Final = f"({OURS} OR {UPDATED} OR {DOUBTFUL})"
LOOKED_AT: Final = (
    "(reversals.undo IS :round AND reversals.state IS 'settled' AND reversals.verdict IN ('kept', 'untouched') "
    "AND again_at IS NULL)"
)

CANDIDATES: Final = select(
    Candidate._fields,
    f"{JOINED} WHERE {TO_BE_DONE} AND NOT {LOOKED_AT} AND users.id > :after ORDER BY users.id LIMIT :most",
    {
        "key": "users.id",
        "ours": "ours = 1",
        "sent": "reversals.state IS 'sent'",
        "doubt_since": DOUBT_SINCE,
        "sent_at": "users.sent_at",
        "attempts": "coalesce(reversals.attempts, 0)",
        "parted": "made_hash IS NOT NULL",
        "away": "made_hash IS NOT NULL AND users.state = 'settled' AND error_code IS 'deactivated'",
        "failed": "reversals.verdict IS 'failed'",
        "parted_before": f"ours = {AWAY_BEFORE}",
    },
)

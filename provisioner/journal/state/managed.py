"""The users that a sync manages: what is recorded of each, and what is known of it, in statements by name."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Final, NamedTuple, Self

from provisioner.journal.columns import ASKED, MILLISECONDS, OUTCOME_COLUMNS, REVERSING
from provisioner.journal.statements import Bulk, UserKey, select, select_columns
from provisioner.model import Action, Live, Outcome, Standing, UserRequest

# --- in ---


class Sessions(StrEnum):
    """What is known of the auth tokens of a user who is deactivated, or is being, or was in a night that is lost.

    Of all others nothing is kept.
    """

    FLUSHING = "flushing"  # a flush may have left since, and its end is not known
    UNKNOWN = "unknown"  # the state is a copy: gone if a night that it does not know has deactivated the user
    FLUSHED = "flushed"  # there are none


class OperationRow(NamedTuple):
    """A change that may be on the wire from now on; `flush` is whether the user's auth tokens are flushed with it.

    digests  what the user may have until it is settled; null when that is not known
    """

    id: int
    operation: str
    flush: bool
    digests: bytes | None


# A deactivation leaves the profile as it is: while one is in doubt, the profile that was certain before it still is.
# Whom a copy finds deactivated may have no auth token left; once it is reactivated, the app shows that no more.
OPERATION: Final = Bulk(
    OperationRow._fields,
    """
UPDATE users SET live_hash = iif(certain OR users.operation = given.operation, live_hash, NULL),
    digests = given.digests,
    sessions = iif(given.flush OR (sessions = 'unknown' AND given.operation = 'reactivate'), 'flushing', sessions),
    operation = given.operation, certain = 0
FROM given WHERE users.id = given.id
""",
)


class LiveRow(NamedTuple):
    """What is known of a user for certain."""

    id: int
    live_hash: str | None
    digests: bytes | None
    standing: str
    profile: bytes | None
    sessions: str | None

    @classmethod
    def of(cls, key: int, live: Live, *, flushed: bool = False) -> Self:
        """Give what is recorded of `Live`; `flushed` as `Settlement` has it."""
        sessions = Sessions.FLUSHED.value if flushed else live.sessions
        return cls(key, live.body_hash, live.digests, live.standing.value, live.profile, sessions)


LIVE: Final = Bulk(
    LiveRow._fields,
    """
UPDATE users SET certain = 1, live_hash = given.live_hash, digests = given.digests, standing = given.standing,
    profile = coalesce(given.profile, users.profile), sessions = given.sessions, made_hash = NULL
FROM given WHERE users.id = given.id
""",
)


class Adoption(NamedTuple):
    """A user that was found in the directory as the roster has it, created at that time (UNIX seconds)."""

    uid: str
    row: int
    live: Live
    created_at: int | None


class AdoptedRow(NamedTuple):
    """An adoption as it is recorded."""

    id: int
    uid: str
    row: int
    body_hash: str
    digests: bytes | None
    standing: str
    epoch: int
    now: float
    created_at: int | None
    profile: bytes | None

    @classmethod
    def of(cls, user: Adoption, *, key: int, epoch: int, now: float) -> Self:
        """Give what is recorded of an adoption in this night, at this time (UNIX seconds)."""
        return cls(
            id=key,
            uid=user.uid,
            row=user.row,
            body_hash=user.live.body_hash or "",
            digests=user.live.digests,
            standing=user.live.standing.value,
            epoch=epoch,
            now=now,
            created_at=user.created_at,
            profile=user.live.profile,
        )


# A user whose place in the state was taken by finding it in the directory: no request was sent for it.
ADOPTED: Final = Bulk(
    AdoptedRow._fields,
    """
INSERT INTO users (id, uid, row, body_hash, sent_at, state, outcome, operation, certain, live_hash, digests, standing,
    epoch, settled_at, created_at, profile)
SELECT id, uid, row, substr(body_hash, 1, 16), now, 'settled', 'unchanged', 'adopt', 1, body_hash, digests, standing,
    epoch, now, created_at, profile
FROM given WHERE true
ON CONFLICT (uid) DO UPDATE SET row = excluded.row, live_hash = excluded.live_hash, digests = excluded.digests,
    standing = excluded.standing, certain = 1, operation = 'adopt', sessions = NULL,
    profile = coalesce(excluded.profile, profile)
""",
)


class ProfileRow(NamedTuple):
    """The profile of a user that is as it should be, and that was not kept so far."""

    uid: str
    profile: bytes


PROFILE: Final = Bulk(
    ProfileRow._fields, "UPDATE users SET profile = given.profile FROM given WHERE users.uid = given.uid"
)


class DriftRow(NamedTuple):
    """What a user's profile is instead of what was carried out, as the directory shows it."""

    uid: str
    digests: bytes


DRIFT: Final = Bulk(
    DriftRow._fields,
    "UPDATE users SET live_hash = NULL, digests = given.digests FROM given WHERE users.uid = given.uid AND certain",
)

# Rows that an ordinary run left in this journal: those it settled are managed from now on, and those it created,
# whatever became of them since. What an update of the run has left as it was may be there besides the body. Whom an
# undo has taken back, or may have, is the run's no more: a row that wants the user begins anew, as in a run.
TAKEN_OVER: Final = f"""
UPDATE users SET certain = state = 'settled' AND outcome IN ('created', 'updated', 'existing'),
    operation = iif(state = 'settled' AND outcome IN ('created', 'updated', 'existing'), 'create', 'update'),
    standing = iif(error_code = 'deactivated', 'deactivated', 'active'),
    live_hash = iif(outcome IN ('created', 'updated'), body_hash || coalesce(besides, ''), NULL)
WHERE operation IS NULL AND NOT withdrawn AND NOT {REVERSING}
    AND (state = 'settled' AND outcome IN ('created', 'updated', 'existing') OR ours)
"""  # noqa: S608 - of constants

# For whom a run sends something, with a state for its journal, is not as the last night has left it: a leaver that is
# back in a roster may be deactivated still. Who was created by no night yet is taken over as any other user of a run.
SENT_BY_RUN: Final = Bulk(
    UserKey._fields,
    """
UPDATE users SET certain = 0, live_hash = NULL, digests = NULL,
    operation = CASE standing WHEN 'active' THEN 'update' WHEN 'deactivated' THEN 'reactivate' END
FROM given WHERE users.id = given.id AND operation IS NOT NULL
""",
)


def sent_by_run_rows(requests: Iterable[UserRequest]) -> list[UserKey]:
    """Give the values of `SENT_BY_RUN`: a sync's own requests say what they change."""
    return [UserKey(each.key) for each in requests if each.past is not None and each.change is None]


# What was taken over is a run's again as long as no night has begun, of which nobody has an epoch: a look at it, or a
# night that was refused, leaves the run as it was, also one that was killed. It may go on, or be undone.
GIVEN_BACK: Final = """
UPDATE users SET operation = NULL, certain = 0, standing = NULL, live_hash = NULL
WHERE operation IS NOT NULL AND epoch IS NULL AND NOT EXISTS (SELECT 1 FROM nights)
"""

# --- out ---


class Met(NamedTuple):
    """What the state knows of a uid that a roster names."""

    uid: str
    key: int
    operation: str | None
    certain: int
    standing: str | None
    live_hash: str | None
    digests: bytes | None
    tonight: str | None
    has_profile: int = 0
    sessions: str | None = None
    ours: int = 0
    has_token: int = 0
    created_at: int | None = None

    @property
    def live(self) -> Live | None:
        """What is known for certain; None when the last change is in doubt, or the user is not known to exist."""
        if not self.certain or self.standing is None:
            return None
        return Live(self.live_hash, self.digests, Standing(self.standing), sessions=self.sessions)

    @property
    def exists(self) -> bool:
        """Whether the user is known to exist; one whose adoption was cut short was found in the directory."""
        return self.standing is not None or self.operation in {Action.UPDATE, Action.REACTIVATE}

    @property
    def deactivated(self) -> Live:
        """What will be known once the user is deactivated."""
        kept = self.certain or self.operation == Action.DEACTIVATE
        return Live(*((self.live_hash, self.digests) if kept else (None, None)), Standing.DEACTIVATED)

    @property
    def flushed(self) -> bool:
        """Whether the user's auth tokens may have been flushed by an attempt whose end is not known."""
        return not self.certain and self.sessions == Sessions.FLUSHING

    def has_lost_token(self, action: Action) -> bool:
        """Whether the auth token that is known may have been flushed, when this is what has to be done for the user."""
        return self.flushed or (self.sessions == Sessions.UNKNOWN and action is Action.REACTIVATE)

    @property
    def again(self) -> Outcome | None:
        """What became of the user earlier in this night, and is still worth a mention when more is done for it."""
        return Outcome(self.tonight) if self.tonight in {Outcome.CREATED, Outcome.REACTIVATED} else None


# Users whose uids stand in a JSON list, beside the night that is not over yet.
_ASKED: Final = "FROM json_each(:uids) AS asked JOIN users ON users.uid = asked.value"

MET: Final = select(
    Met._fields,
    _ASKED,
    {
        "key": "users.id",
        "has_profile": "profile IS NOT NULL",
        "has_token": "auth_token IS NOT NULL",
        # An update leaves only once no flush is in doubt: it is a copy of an older version that says so.
        "sessions": "iif(sessions = 'flushing' AND operation IN ('create', 'update'), 'unknown', sessions)",
        "tonight": """CASE
            WHEN epoch IS NOT :epoch THEN NULL
            WHEN outcome IN ('created', 'reactivated') THEN outcome
            ELSE coalesce(night_outcome, outcome)
        END""",
    },
)

# Asked of every row of every night, and on most nights the answer is all there is to it: so little more is fetched.
CARRIED_OUT: Final = select(
    ("uid", "live_hash"),
    f"{ASKED} WHERE certain AND standing = 'active' AND live_hash IS NOT NULL AND profile IS NOT NULL"
    " AND sessions IS NOT 'flushed'",
)

PROFILES: Final = select(("uid", "profile"), f"{ASKED} WHERE profile IS NOT NULL")

# What was planned and not settled in this night is pending, also after an earlier attempt that took the user over as it
# was; what was not planned is as it should be, or as an attempt before the last made it: created, and then to be
# deactivated, which never left. Whoever was deactivated by an earlier attempt of this night, and is in the roster
# again, is pending until it is back; not so whom the roster names as deactivated.
TONIGHT: Final = select_columns(
    OUTCOME_COLUMNS,
    f"""FROM (
    SELECT users.*, EXISTS (SELECT 1 FROM temp.planned WHERE temp.planned.uid = users.uid) AS planned,
        NOT EXISTS (SELECT 1 FROM temp.absent WHERE temp.absent.id = users.id)
        AND NOT EXISTS (SELECT 1 FROM temp.named WHERE temp.named.uid = users.uid) AS staying {_ASKED}
)""",  # noqa: S608 - of constants
    {
        "outcome": """CASE
            WHEN planned AND (outcome = 'unchanged' OR (outcome = 'deactivated' AND staying)) THEN 'pending'
            WHEN epoch = :epoch AND state = 'settled' AND (planned OR outcome <> 'failed') THEN outcome
            WHEN planned THEN 'pending'
            WHEN epoch = :epoch AND night_outcome IS NOT NULL THEN night_outcome
            ELSE 'unchanged'
        END""",
        "http_status": "iif(epoch = :epoch, http_status, NULL)",
        "attempts": "iif(epoch = :epoch, attempts, 0)",
        "error_code": "iif(epoch = :epoch AND (planned OR outcome <> 'failed'), error_code, NULL)",
        "error_message": "iif(epoch = :epoch AND (planned OR outcome <> 'failed'), error_message, NULL)",
        "settled_at": f"iif(epoch = :epoch, {MILLISECONDS}, NULL)",
    },
)

"""The data that flows from a roster to its results, in the order in which it comes to be.

    RosterBatch → Checked → UserRequest → Reply → Verdict → Settlement

Everything is frozen. What is made for every row is a named tuple: making a frozen dataclass costs five times as much.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Final, NamedTuple, Self

FIELDS: Final = ("name", "avatar", "link", "role", "statusMessage", "metadata", "tags")
"""The fields of a profile, in the order of their digests and of their bits, the first in the lowest. A uid cannot
change, and `withAuthToken` is none."""


class Kind(Enum):
    """What an outcome means for what comes next."""

    FINAL = "final"  # a run has nothing more to do for the row, unless it is edited
    NIGHTLY = "nightly"  # the row is as the roster says, until the next sync looks again
    LEAVER = "leaver"  # of somebody who is in no row any more
    LEFT = "left"  # somebody has to look: exit 1
    OPEN = "open"  # the next run goes on with the row
    UNDO = "undo"  # of a user that an undo has come to


class Outcome(StrEnum):
    """What became of one roster row, or of a leaver; every one ends with exactly one.

    They stand in the order of documents, each with the colour, as rich names it, and the place of its line for people.
    """

    _value_: str
    colour: str
    place: int
    kind: Kind

    def __new__(cls, value: str, colour: str = "", place: int = 0, kind: Kind = Kind.OPEN) -> Self:
        """Make a member: the text that files and the journal hold, by which it is looked up, and what goes with it."""
        member = str.__new__(cls, value)
        member._value_, member.colour, member.place, member.kind = value, colour, place, kind
        return member

    REJECTED = "rejected", "yellow", 6, Kind.LEFT
    CREATED = "created", "green", 1, Kind.FINAL
    EXISTING = "existing", "cyan", 5, Kind.FINAL
    UPDATED = "updated", "green", 2, Kind.FINAL
    UNCHANGED = "unchanged", "cyan", 4, Kind.NIGHTLY
    REACTIVATED = "reactivated", "green", 3, Kind.NIGHTLY
    DEACTIVATED = "deactivated", "yellow", 9, Kind.LEAVER
    FAILED = "failed", "red", 7, Kind.LEFT
    PENDING = "pending", "magenta", 8, Kind.OPEN
    REVERSED = "reversed", "green", 10, Kind.UNDO
    KEPT = "kept", "yellow", 11, Kind.UNDO
    UNTOUCHED = "untouched", "cyan", 12, Kind.UNDO


ROW_OUTCOMES: Final = tuple(each for each in Outcome if each.kind not in {Kind.LEAVER, Kind.UNDO})
"""Those that a roster row can have, in the order of documents: they add up to its rows."""

FINAL: Final = frozenset(each for each in Outcome if each.kind is Kind.FINAL)
"""Outcomes with which a run has nothing more to do for a row, unless the row is edited."""

RUN_OUTCOMES: Final = tuple(each for each in ROW_OUTCOMES if each.kind is not Kind.NIGHTLY)
"""Those that a run can give; the others are a sync's."""


class Action(StrEnum):
    """What a sync does for one user, in the order in which people read it."""

    CREATE = "create"
    UPDATE = "update"
    REACTIVATE = "reactivate"
    DEACTIVATE = "deactivate"

    @property
    def colour(self) -> str:
        """Of its line, as rich names it."""
        return "yellow" if self is Action.DEACTIVATE else "green"


class Standing(StrEnum):
    """Whether a user that exists may log in."""

    ACTIVE = "active"
    DEACTIVATED = "deactivated"


class AuthTokens(StrEnum):
    """For whom an auth token is asked."""

    CREATED = "created"
    ALL = "all"
    NONE = "none"


class OnExisting(StrEnum):
    """What to do with a uid that was there before."""

    SKIP = "skip"
    UPDATE = "update"
    FAIL = "fail"


class State(StrEnum):
    """Where the journal knows a row to be. A row the journal does not know has never been touched."""

    PENDING = "pending"  # not on the wire; may still be in doubt from an earlier attempt
    SENT = "sent"  # may have left at any instant since `sent_at`
    SETTLED = "settled"  # has its outcome


@dataclass(frozen=True, slots=True)
class Past:
    """What the journal knew of a uid when this run came to it.

    doubt_since  UNIX seconds by the server: the first attempt that may have created the user; null when there is none
    changed      the roster's body is not what was settled, or an undo may have changed it; `edited`: not that in doubt
    ours         this job created the user: known for certain, and never forgotten; `before`: in an earlier round
    mark         UNIX seconds by the server: our last answer that changed the user; null when it is not known
    withdrawn    an undo has deactivated the user, whom this job had created; `begun`: a run has begun to bring it back
    noted        bits of the fields of which it is kept, or known to be lost, what they were before our updates
    parted       this job may have deactivated the user, as the roster said; `made`: who is as the roster has it
    filled       bits of the fields that this job may have filled, and has not emptied since; null: any of them
    """

    state: State
    outcome: Outcome
    attempts: int = 0
    auth_token: str | None = None
    created_at: int | None = None
    doubt_since: float | None = None
    changed: bool = False
    edited: bool = False
    ours: bool = False
    mark: int | None = None
    withdrawn: bool = False
    begun: bool = False
    noted: int = 0
    made: bool = False
    parted: bool = False
    before: bool = False
    filled: int | None = None

    @property
    def was_there(self) -> bool:
        """Whether it was settled that another hand had created the user."""
        return self.state is State.SETTLED and self.outcome in {Outcome.EXISTING, Outcome.UPDATED}


class Live(NamedTuple):
    """What is known for certain of a user on the server.

    body_hash  of the row that was last carried out, as a state's `live_hash`; null when the profile is from elsewhere
    digests    `profile.digests` of it; null when unknown
    profile    `profile.packed` of it; null to leave what is remembered as it is; `sessions`: `Sessions` of its tokens
    """

    body_hash: str | None
    digests: bytes | None
    standing: Standing
    profile: bytes | None = None
    sessions: str | None = None


class Change(NamedTuple):
    """What a sync is to do for one user, beside `UserRequest`.

    payload  JSON of the `PUT` that brings the profile up to date; empty when there is nothing to bring
    before   what is known now; null when that is in doubt, or the user is not known to exist; `after`: once it is done
    again    what became of this user earlier in the same night, which was cut short
    flush    of a deactivation: auth tokens are flushed first; `flushed`: they may have been, by an attempt before
    mint     an auth token is given; `unsure`: digests of what the user may have while in doubt, null for anything
    """

    action: Action
    payload: bytes
    before: Live | None
    after: Live
    again: Outcome | None = None
    flush: bool = False
    flushed: bool = False
    mint: bool = False
    unsure: bytes | None = None


class UserRequest(NamedTuple):
    """One user to be created; or, with a `change`, whatever a sync has to do for one.

    key        the journal's own number for the uid
    row        the roster row, counted from 1
    body       compact JSON of the request without `withAuthToken`
    body_hash  of `body`, 16 hex digits
    token      whether an auth token is wanted; `deactivated`: whether the user is to be, null when nothing says so
    filled     bits of the fields that `body` fills; null when nobody will ask
    """

    key: int
    row: int
    uid: str
    body: bytes
    body_hash: str
    token: bool
    past: Past | None = None
    change: Change | None = None
    deactivated: bool | None = None
    filled: int | None = None


class Settlement(NamedTuple):
    """What the journal is to record of one row: its outcome, or that it has none yet.

    attempts       requests sent to write the user and counted: of a run creates and updates, over all runs; of a sync
                   those of the night's last try, flushes and the like among them
    created_at     the server's, UNIX seconds; `settled_at`: ours, null when the row is not settled
    doubt_since    see `Past`; kept with a failed row whose user may exist
    live           what a sync knows of the user now; null while it is in doubt
    mark, carried  see `Past`, and what an update set by its answer (`sending.users.trace`); null to leave it
    doubted        an update of ours was not answered, and may be carried out after the one that was
    flushed        the user was deactivated, and has no auth token any more for certain
    parted         a run has deactivated the user, or knows it to be active; null to leave what is known
    besides        fields that the user may have besides the body (`sending.users.profile.besides`); null likewise
    filled         see `Past`; null likewise
    """

    key: int
    state: State
    outcome: Outcome
    attempts: int
    http_status: int | None = None
    error_code: str | None = None
    error_message: str | None = None
    auth_token: str | None = None
    created_at: int | None = None
    settled_at: float | None = None
    doubt_since: float | None = None
    live: Live | None = None
    mark: int | None = None
    carried: bytes | None = None
    doubted: bool = False
    flushed: bool = False
    parted: bool | None = None
    besides: str | None = None
    filled: int | None = None


_WITH_AUTH_TOKEN: Final = b',"withAuthToken":true}'
TOKEN_BYTES: Final = len(_WITH_AUTH_TOKEN) - 1  # what asking for an auth token adds to a request


def with_auth_token(body: bytes) -> bytes:
    """Give the body of a create that asks for an auth token as well; `body` is a JSON object that is not empty."""
    return body[:-1] + _WITH_AUTH_TOKEN

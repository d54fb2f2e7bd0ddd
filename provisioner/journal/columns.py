"""What goes into a journal and comes out of it: its columns, and the values for them, are named in one place each.

What goes in has the columns of `given` in its statement, each by name; what comes out is asked for by the names of what
it becomes. Neither rests on an order that is written down twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from operator import attrgetter
from typing import Any, Final, NamedTuple, TypeAlias

from provisioner.journal.schema import BEFORE
from provisioner.journal.statements import Bulk, Written, select, select_columns
from provisioner.journal.undo import overwrites
from provisioner.journal.undo.overwrites import BEGUN, NOTED_FIELDS
from provisioner.model import FINAL, Outcome, Past, Settlement, State, UserRequest


def hash_of(body: bytes) -> str:
    """Give what the journal knows a request's body by: 16 hex digits."""
    return blake2b(body, digest_size=8).hexdigest()


# --- in ---


# Column → the member of a request or a settlement that it is taken from: fetched by name, which costs a third of what a
# named tuple does. Plain strings, no enum members: SQLite's adapter looks up every one that it is given.
_OF_REQUEST: Final = {"id": "key", "uid": "uid", "row": "row", "body_hash": "body_hash", "filled": "filled"}
_OF_SETTLEMENT: Final = {
    "id": "key",
    "state": "state.value",
    "outcome": "outcome.value",
    "attempts": "attempts",
    "http_status": "http_status",
    "error_code": "error_code",
    "error_message": "error_message",
    "auth_token": "auth_token",
    "created_at": "created_at",
    "settled_at": "settled_at",
    "doubt_since": "doubt_since",
    "mark": "mark",
    "parted": "parted",
    "besides": "besides",
    "filled": "filled",
}
_request_values: Final = attrgetter(*_OF_REQUEST.values())

# What the columns of nearly all settlements hold, those of users who were created: these are not given row by row.
_WHEN_CREATED: Final = {
    "state": "'settled'",
    "outcome": "'created'",
    "error_code": "NULL",
    "error_message": "NULL",
    "doubt_since": "NULL",
    "parted": "NULL",
    "besides": "NULL",
    "filled": "NULL",
}


def sent_rows(requests: Iterable[UserRequest], now: float) -> list[tuple[Any, ...]]:
    """Give the values of `SENT`: these may leave from now on (UNIX seconds)."""
    return [(*_request_values(each), now) for each in requests]


def _is_plainly_created(each: Settlement) -> bool:
    """Whether its columns hold `_WHEN_CREATED`."""
    made = each.outcome is Outcome.CREATED and each.state is State.SETTLED
    told = each.error_code is not None or each.error_message is not None
    more = each.besides is not None or each.filled is not None
    return made and not (told or more) and each.doubt_since is None and each.parted is None


IN_DOUBT: Final = "(users.state = 'sent' OR users.doubt_since IS NOT NULL)"
"""A request may have created the user, and nobody knows: its answer was lost, or the process was."""

DOUBTED: Final = "iif(doubt_hash <> body_hash, '', coalesce(doubt_hash, body_hash))"
"""The body that may be on the server; of several that may be, edited between two kills, none is named."""

DOUBT_SINCE: Final = "iif(users.state = 'sent', min(coalesce(doubt_since, users.sent_at), users.sent_at), doubt_since)"
"""A row that was sent and never settled was left behind by a kill: in doubt since it was sent."""

SENT: Final = Bulk(
    (*_OF_REQUEST, "sent_at"),
    f"""
INSERT INTO users (id, uid, row, body_hash, filled, sent_at, state)
SELECT id, uid, row, body_hash, filled, sent_at, 'sent' FROM given WHERE true
ON CONFLICT (uid) DO UPDATE SET
    row = excluded.row,
    body_hash = excluded.body_hash,
    filled = iif(ours OR {IN_DOUBT}, filled | excluded.filled, excluded.filled),
    doubt_since = {DOUBT_SINCE},
    doubt_hash = iif({IN_DOUBT}, {DOUBTED}, NULL),
    sent_at = excluded.sent_at,
    state = 'sent',
    outcome = 'pending',
    http_status = NULL,
    error_code = NULL,
    error_message = NULL,
    settled_at = NULL,
    owed = owed OR (ours AND body_hash <> excluded.body_hash),
    made_hash = iif(made_hash IS NULL OR made_hash = excluded.body_hash, made_hash, '')
""",  # noqa: S608 - of constants
)


def _settling(known: Mapping[str, str]) -> Bulk:
    """Make the statement that settles rows; of some columns it is `known` what they hold, as SQL."""
    value = {**{column: f"given.{column}" for column in _OF_SETTLEMENT}, **known}
    plain = ("state", "outcome", "attempts", "http_status", "error_code", "error_message", "auth_token", "created_at",
             "settled_at", "doubt_since")  # fmt: skip
    return Bulk(
        tuple(column for column in _OF_SETTLEMENT if column not in known),
        f"""
UPDATE users SET
    {", ".join(f"{column} = {value[column]}" for column in plain)},
    doubt_hash = iif({value["doubt_since"]} IS NULL, NULL, coalesce(doubt_hash, body_hash)),
    ours = max(ours, {value["outcome"]} = 'created'),
    withdrawn = iif({value["outcome"]} = 'created', 0, withdrawn),
    owed = iif({value["outcome"]} = 'created', 0, owed),
    mark = coalesce({value["mark"]}, users.mark),
    besides = coalesce({value["besides"]}, users.besides),
    filled = coalesce({value["filled"]}, users.filled),
    made_hash = CASE {value["parted"]} WHEN 1 THEN body_hash WHEN 0 THEN NULL ELSE made_hash END
FROM given WHERE users.id = given.id
""",  # noqa: S608 - of constants
    )


SETTLED: Final = _settling({})
CREATED: Final = _settling(_WHEN_CREATED)
_settled_values: Final = attrgetter(*_OF_SETTLEMENT.values())
_created_values: Final = attrgetter(*(_OF_SETTLEMENT[column] for column in CREATED.columns))


def settled(settlements: Iterable[Settlement]) -> Iterator[Written]:
    """Give the rows of these, each with the statement that takes the fewest values for it."""
    created: list[tuple[Any, ...]] = []
    others: list[tuple[Any, ...]] = []
    for each in settlements:
        if _is_plainly_created(each):
            created.append(_created_values(each))
        else:
            others.append(_settled_values(each))
    yield CREATED, created
    yield SETTLED, others


class MadeRow(NamedTuple):
    """A user who is there as the roster has it, and is deactivated from now on; `ours` when this job created it."""

    id: int
    ours: bool
    attempts: int
    created_at: int | None
    mark: int | None
    besides: str | None = None


Noted: TypeAlias = overwrites.NotedRow | overwrites.BegunAnewRow | overwrites.BackRow | MadeRow
"""What has to be known of a user before a request for it leaves."""

# `made_hash` is the body that is on the server for certain, once a deactivation may have left; empty when it is any.
MADE: Final = Bulk(
    MadeRow._fields,
    """
UPDATE users SET made_hash = body_hash, ours = max(users.ours, given.ours), withdrawn = iif(given.ours, 0, withdrawn),
    attempts = given.attempts, created_at = coalesce(given.created_at, users.created_at),
    mark = coalesce(given.mark, users.mark), besides = coalesce(given.besides, users.besides), doubt_since = NULL,
    doubt_hash = NULL, owed = 0
FROM given WHERE users.id = given.id
""",
)


class MovedRow(NamedTuple):
    """A user that stands elsewhere in the roster than it did."""

    id: int
    row: int


MOVED: Final = Bulk(MovedRow._fields, "UPDATE users SET row = given.row FROM given WHERE users.id = given.id")


# --- out ---


class Known(NamedTuple):
    """What the journal knows of a uid; `past()` says it in our terms.

    reversing  an undo may have changed the user since, and does not know
    besides    fields that the user may have besides those of its body, see `profile.besides`
    owed       the user is ours, and its row was edited: that has not been carried out yet
    filled     see `Past`
    """

    key: int
    row: int
    body_hash: str
    state: str
    outcome: str
    attempts: int
    auth_token: str | None
    created_at: int | None
    doubt_since: float | None
    doubt_hash: str
    ours: int
    mark: int | None = None
    withdrawn: int = 0
    begun: int = 0
    noted: int = 0
    reversing: int = 0
    made_hash: str | None = None
    besides: str | None = None
    owed: int = 0
    filled: int | None = None

    @property
    def before(self) -> bool:
        """An earlier round of the job has created the user."""
        return self.ours >= BEFORE

    def past(self, *, changed: bool, edited: bool = False, ours: bool = False, made: bool = False) -> Past:
        """Give a row's past; `changed`, `edited` and `made` compare its body with the roster's, see `Past`."""
        return Past(
            state=State(self.state),
            outcome=Outcome(self.outcome),
            attempts=self.attempts,
            auth_token=self.auth_token,
            created_at=self.created_at,
            doubt_since=self.doubt_since,
            changed=changed,
            edited=edited,
            ours=ours,
            mark=self.mark,
            withdrawn=bool(self.withdrawn),
            begun=bool(self.begun),
            noted=self.noted,
            made=made,
            parted=self.made_hash is not None,
            before=self.before,
            filled=self.filled,
        )


ASKED: Final = "FROM json_each(?) AS asked JOIN users ON users.uid = asked.value"
"""The users whose uids stand in a JSON list."""

REVERSING: Final = "EXISTS (SELECT 1 FROM reversals WHERE reversals.id = users.id AND reversals.state = 'sent')"
"""An undo was killed while its request may have been on the wire: the user may not be any more what the row says."""

# The uid goes before: what is known of it is looked up by it.
KNOWN: Final = select(
    ("uid", *Known._fields),
    ASKED,
    {
        "key": "users.id",
        "doubt_since": DOUBT_SINCE,
        "doubt_hash": DOUBTED,
        "noted": NOTED_FIELDS,
        "withdrawn": f"withdrawn OR (ours AND {REVERSING})",
        "begun": f"withdrawn = {BEGUN}",
        "reversing": REVERSING,
    },
)


class Done(NamedTuple):
    """What is given of a user whose row was settled for good.

    was        its row in the roster at that time
    has_token  whether an auth token was recorded
    away       whether it was found deactivated, or was deactivated as the roster said
    parted     whether it was this job that may have deactivated it
    besides    as `Known` has it
    """

    uid: str
    body_hash: str
    key: int
    was: int
    outcome: str
    has_token: int
    away: int
    parted: int
    besides: str | None


DONE_COLUMNS: Final = Done._fields

FINAL_OUTCOMES: Final = ", ".join(f"'{each.value}'" for each in Outcome if each in FINAL)
"""Those with which a run is done with a row, as SQL lists them."""

DONE: Final = select_columns(
    DONE_COLUMNS,
    f"{ASKED} WHERE state = 'settled' AND outcome IN ({FINAL_OUTCOMES}) AND NOT {REVERSING}",
    {
        "key": "users.id",
        "was": "row",
        "has_token": "auth_token IS NOT NULL",
        "away": "error_code IS 'deactivated'",
        "parted": "made_hash IS NOT NULL",
    },
)

OUTCOME_COLUMNS: Final = (
    "uid", "outcome", "http_status", "attempts", "error_code", "error_message", "auth_token", "created_at",
    "settled_at",
)  # fmt: skip
"""What results are made of; `settled_at` comes out in milliseconds, for only whole numbers do so exactly."""

MILLISECONDS: Final = "CAST(settled_at * 1000 AS INTEGER)"
OUTCOMES: Final = select_columns(OUTCOME_COLUMNS, ASKED, {"settled_at": MILLISECONDS})

STANDINGS: Final = select(("uid", "standing"), "FROM users WHERE standing IS NOT NULL AND certain ORDER BY id")
"""Whom a state knows for certain, and whether they may log in."""

"""What users were before updates of this job, in the table `overwrites`: on disk before such an update leaves.

    id         the user's, see `users`
    kind       kept: `before` is its profile as it was; own: this job created the user, so nothing is to be put back;
               unknown: an earlier version updated the user, or may have, and kept nothing
    before     that profile, packed (`provisioner.sending.users.profile`); fields that were not there are not in it
    untold     fields of which it is not known whether they were there, as bits (`provisioner.sending.users.trace`): the
               API did not tell, or an undo has put them back, and `before` counts for them no more
    fields     those that updates of this job have set, or may have, as bits
    carried    what they set, as entries of a trace: as sent while that is in doubt, then as the answer showed it
    confirmed  whether the last of them was answered
    doubted    whether one of them never was: it may have been carried out after the one that was answered
    kept_at    UNIX seconds, the server's

The profile that was recorded first stays: one that is read later may be what this job itself has written. Only what the
API had not told, or an undo has put back, is added to it, before the first update that sets it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from provisioner.journal.schema import AWAY_BEFORE, BEFORE
from provisioner.journal.statements import Bulk
from provisioner.model import Settlement

KEPT: Final = "kept"
OWN: Final = "own"
UNKNOWN: Final = "unknown"

ALL: Final = 0xFF
"""The bits of all fields."""

# What is not known, and that no update of this job has set since, can still be read.
_CAN_BE_TOLD: Final = "(kind = 'kept') * (untold & ~fields)"
NOTED_FIELDS: Final = f"coalesce((SELECT {ALL} & ~({_CAN_BE_TOLD}) FROM overwrites WHERE overwrites.id = users.id), 0)"  # noqa: S608 - of constants
"""Of a user: bits of the fields of which it is kept, or known to be lost, what they were."""

BEFORE_OF: Final = "SELECT before FROM overwrites WHERE id = ?"


class NotedRow(NamedTuple):
    """An update that may leave from now on; `created_at` of the user whose profile is kept, see `users`."""

    id: int
    kind: str
    before: bytes | None
    untold: int
    fields: int
    carried: bytes
    kept_at: float
    created_at: int | None = None


WHOSE: Final = Bulk(
    NotedRow._fields,
    "UPDATE users SET created_at = given.created_at FROM given WHERE users.id = given.id AND given.created_at NOT NULL",
)
"""By it an undo tells whose profile is kept, also when nothing was ever answered."""

NOTED: Final = Bulk(
    NotedRow._fields,
    f"""
INSERT INTO overwrites (id, kind, before, untold, fields, carried, confirmed, kept_at)
SELECT id, kind, before, untold, fields, carried, 0, kept_at FROM given WHERE true
ON CONFLICT (id) DO UPDATE SET
    before = iif(excluded.before IS NOT NULL AND {_CAN_BE_TOLD}, excluded.before, before),
    untold = iif(excluded.before IS NOT NULL, untold & (fields | excluded.untold), untold),
    fields = fields | excluded.fields,
    carried = iif(instr(carried, excluded.carried), carried, CAST(carried || excluded.carried AS BLOB)),
    doubted = doubted OR NOT confirmed,
    confirmed = 0
""",  # noqa: S608 - of constants
)


class ConfirmedRow(NamedTuple):
    """An update that was answered."""

    id: int
    carried: bytes
    fields: int
    doubted: int


CONFIRMED: Final = Bulk(
    ConfirmedRow._fields,
    """
UPDATE overwrites SET confirmed = 1, doubted = overwrites.doubted OR given.doubted,
    carried = iif(
        given.fields = overwrites.fields AND NOT (overwrites.doubted OR given.doubted),
        given.carried,
        CAST(overwrites.carried || given.carried AS BLOB)
    )
FROM given WHERE overwrites.id = given.id
""",
)


def confirmed_rows(settlements: Iterable[Settlement]) -> list[ConfirmedRow]:
    """Give the updates that these settlements tell of."""
    return [
        ConfirmedRow(each.key, each.carried, each.carried[0], int(each.doubted)) for each in settlements if each.carried
    ]


class BegunAnewRow(NamedTuple):
    """A user who is gone, and whose place may be taken by a create from now on (UNIX seconds), of these fields."""

    id: int
    now: float
    filled: int | None


class BackRow(NamedTuple):
    """A user whom an undo has deactivated, and whom a run may bring back from now on; `away`: it is deactivated."""

    id: int
    away: bool


BEGUN: Final = 2
"""What `withdrawn` is of such a user: a change since the undo may be our own."""

# Who is active before this round has done anything is none whom its undo deactivates again.
BEGUN_BACK: Final = Bulk(
    BackRow._fields,
    f"UPDATE users SET withdrawn = {BEGUN}, auth_token = iif(given.away, NULL, auth_token), "  # noqa: S608 - of constants
    f"ours = iif(ours = {AWAY_BEFORE} AND made_hash IS NOT NULL AND withdrawn <> {BEGUN} AND NOT given.away, {BEFORE}, "
    "ours) "
    "FROM given WHERE users.id = given.id",
)


BEGUN_ANEW: Final = (
    Bulk(
        BegunAnewRow._fields,
        """
UPDATE users SET ours = 0, withdrawn = 0, mark = NULL, auth_token = NULL, created_at = NULL, doubt_since = NULL,
    doubt_hash = NULL, made_hash = NULL, besides = NULL, owed = 0, filled = given.filled, state = 'sent',
    outcome = 'pending', sent_at = now
FROM given WHERE users.id = given.id
""",
    ),
    Bulk(
        BegunAnewRow._fields,
        "UPDATE reversals SET again_at = now FROM given WHERE reversals.id = given.id AND again_at IS NULL",
    ),
    Bulk(BegunAnewRow._fields, "DELETE FROM overwrites WHERE id IN (SELECT id FROM given)"),
)

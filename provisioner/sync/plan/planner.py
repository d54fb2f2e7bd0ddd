"""What a sync would do: every row of a checked roster compared with the state, before anything is changed.

    valid rows ─┬─ joined with the state by uid: as it was carried out last ──→ unchanged
                └─ anything else, one by one (`decision.decide`) ──→ create, update, reactivate
    users of the state that no row names ──→ leavers (`leavers.sort_out`) ──→ deactivate

The plan is kept on disk, so that memory does not grow with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

import polars as pl

from provisioner.journal.managed import Adoption, Met
from provisioner.journal.syncstate import SyncState
from provisioner.model import Action, Live, Standing
from provisioner.results.spool import Spool
from provisioner.run.intake import CheckedBatch, Surveyed
from provisioner.sync.plan import profile
from provisioner.sync.plan.decision import Decision, Wanted, decide
from provisioner.sync.plan.directory import Directory, Shown
from provisioner.sync.plan.leavers import LeaverPolicy, Leavers, sort_out
from provisioner.validation.fields.binding import Binding

_Type: TypeAlias = pl.DataType | type[pl.DataType]


class PlannedChange(NamedTuple):
    """One change, as the plan keeps it on disk.

    row      0 for a leaver
    fields   those that an update sets or empties
    body     of a create
    payload  of an update
    digests  of the profile once it is carried out; null for a leaver
    """

    row: int
    uid: str
    action: str
    fields: Sequence[str]
    body: str
    body_hash: str
    token: bool
    payload: str
    digests: bytes | None


PLAN_SCHEMA: Final[Mapping[str, _Type]] = dict(
    zip(
        PlannedChange._fields,
        (pl.Int64, pl.String, pl.String, pl.List(pl.String), pl.String, pl.String, pl.Boolean, pl.String, pl.Binary),
        strict=True,
    )
)
"""Of frames of `PlannedChange`."""


class AsWanted(NamedTuple):
    """A user found in the directory as the roster has it, and what the state is to remember of it."""

    uid: str
    row: int
    body_hash: str | None
    digests: bytes | None
    created_at: int | None

    @property
    def live(self) -> Live:
        """What is known of the user."""
        return Live(self.body_hash, self.digests, Standing.ACTIVE)


_AS_WANTED_SCHEMA: Final[Mapping[str, _Type]] = dict(
    zip(AsWanted._fields, (pl.String, pl.Int64, pl.String, pl.Binary, pl.Int64), strict=True)
)


class ValidRow(NamedTuple):
    """A valid row of the roster; `token` is whether an auth token is wanted."""

    row: int
    uid: str
    body: str
    token: bool
    body_hash: str


# A rejected row with one of these names nobody: whoever it is about cannot be told.
_NAMELESS: Final = r"(?:^|; )uid\.(?:missing|charset|too_long): "

# Rows looked up in the state at once.
_LOOKUP: Final = 4000


@dataclass(frozen=True, slots=True)
class PlanTotals:
    """What a plan adds up to.

    actions    how many of each
    fields     how many updates touch a field, the most touched first
    updates    `PUT`s of a profile: those of reactivated users are among them
    tokens     how many creates ask for an auth token
    unchanged  rows whose users are as they should be
    adopted    those of them that the state did not know, and now does
    nameless   rejected rows without a uid that could be anybody's
    changed    users that another hand has changed, as far as the directory tells
    digest     a text that is another one as soon as anything else would be done
    roster     a text that is another one as soon as any valid row is
    """

    actions: Mapping[Action, int]
    fields: Mapping[str, int]
    updates: int = 0
    tokens: int = 0
    unchanged: int = 0
    adopted: int = 0
    nameless: int = 0
    changed: int = 0
    digest: str = ""
    roster: str = ""


@dataclass(slots=True)
class Plan:
    """What is to be done, while it comes together; `PlanTotals` says what the numbers are.

    changes  frames of `PLAN_SCHEMA`, in the order in which they are sent: roster rows, then leavers
    """

    changes: Spool
    actions: Counter[Action] = field(default_factory=Counter)
    fields: Counter[str] = field(default_factory=Counter)
    updates: int = 0
    tokens: int = 0
    unchanged: int = 0
    adopted: int = 0
    nameless: int = 0
    changed: int = 0
    _digest: Any = field(default_factory=lambda: blake2b(digest_size=16))
    _roster: Any = field(default_factory=lambda: blake2b(digest_size=16))

    def totals(self) -> PlanTotals:
        """Give what it adds up to so far."""
        return PlanTotals(
            actions={action: self.actions[action] for action in Action},
            fields=dict(self.fields.most_common()),
            updates=self.updates,
            tokens=self.tokens,
            unchanged=self.unchanged,
            adopted=self.adopted,
            nameless=self.nameless,
            changed=self.changed,
            digest=self._digest.hexdigest(),
            roster=self._roster.hexdigest(),
        )

    def pieces(self, size: int) -> Iterator[list[PlannedChange]]:
        """Give the changes back, at most `size` at a time."""
        for frame in self.changes.frames():
            for piece in frame.iter_slices(size):
                yield [PlannedChange._make(row) for row in piece.iter_rows()]

    def note_rows(self, hashes: Sequence[str]) -> None:
        """Take note of valid rows by the hashes of their bodies, the uid included."""
        self._roster.update("\n".join(hashes).encode())

    def add(self, changes: Sequence[PlannedChange]) -> None:
        """Add changes."""
        for each in changes:
            self.actions[Action(each.action)] += 1
            self.fields.update(each.fields)
            self.updates += bool(each.payload) and each.action != Action.CREATE
            self.tokens += each.token and each.action == Action.CREATE
            what = (each.uid, each.action, each.body_hash, str(each.token), each.payload)
            self._digest.update(("\0".join(what) + "\n").encode())
        self.changes.append(pl.DataFrame(changes, schema=dict(PLAN_SCHEMA), orient="row"))


class Planner:
    """Makes the plan of one roster; `directory` is there when the app's users have been read."""

    def __init__(self, surveyed: Surveyed, state: SyncState, folder: Path, directory: Directory | None = None) -> None:
        self._surveyed, self._state, self._directory = surveyed, state, directory
        self._managed = managed_fields(surveyed.opened.binding)
        self._as_wanted: list[AsWanted] = []
        self._to_record = Spool(folder)
        self.plan = Plan(Spool(folder))

    def read(self, interrupted: Callable[[], None]) -> None:
        """Take in the whole roster; whatever `interrupted` raises ends it."""
        for checked in self._surveyed.batches():
            self._surveyed.keep(checked)
            self._note_present(checked)
            for part in checked.valid.iter_slices(_LOOKUP):
                self._compare(part)
            interrupted()

    def sort_out_leavers(self, policy: LeaverPolicy) -> Leavers:
        """Decide on those that the roster does not name any more; the deactivations complete the plan."""
        if self._directory is not None:
            self._state.wake(self._directory.woken())
        leavers = sort_out(self._state.leavers(), policy, nameless=self.plan.nameless)
        for start in range(0, len(leavers.due), _LOOKUP):
            self._add([_deactivation(uid) for uid, _ in leavers.due[start : start + _LOOKUP]])
        return leavers

    def record(self, now: float) -> None:
        """Bring into the state what takes no request: users found as they should be (UNIX seconds)."""
        self._state.record_woken()
        for frame in self._to_record.frames():
            users = map(AsWanted._make, frame.iter_rows())
            self._state.adopt((Adoption(each.uid, each.row, each.live, each.created_at) for each in users), now)

    def close(self) -> None:
        """Let go of the disk space."""
        self._to_record.close()
        self.plan.changes.close()

    def _note_present(self, checked: CheckedBatch) -> None:
        """Note who is there; a rejected row is no leaver."""
        lines = checked.checked.lines
        self._state.see(lines["uid"].drop_nulls().to_list())
        self.plan.nameless += int(lines["error_message"].str.contains(_NAMELESS).sum())

    def _compare(self, part: pl.DataFrame) -> None:
        uids = part["uid"].to_list()
        hashes = [blake2b(body.encode(), digest_size=8).hexdigest() for body in part["body"].to_list()]
        self.plan.note_rows(hashes)
        rows = part.select("row", "uid", "body", "token").with_columns(body_hash=pl.Series(hashes, dtype=pl.String))
        met = self._state.met(uids)
        shown = self._directory.find(uids) if self._directory is not None else None
        if shown is None:
            rows = self._without_unchanged(rows, met)
        each = map(ValidRow._make, rows.iter_rows())
        self._add([change for row in each if (change := self._decided(row, met, shown)) is not None])
        as_wanted, self._as_wanted = self._as_wanted, []
        self._to_record.append(pl.DataFrame(as_wanted, schema=dict(_AS_WANTED_SCHEMA), orient="row"))

    def _add(self, changes: Sequence[PlannedChange]) -> None:
        self._state.plan([each.uid for each in changes])
        self.plan.add(changes)

    def _without_unchanged(self, rows: pl.DataFrame, met: Mapping[str, Met]) -> pl.DataFrame:
        """Leave out the rows that were carried out just as they stand: on most nights, nearly all."""
        settled = [each for each in met.values() if each.certain and each.standing == Standing.ACTIVE]
        known = pl.DataFrame(
            {"uid": [each.uid for each in settled], "body_hash": [each.live_hash for each in settled]},
            schema={"uid": pl.String, "body_hash": pl.String},
        )
        changed = rows.join(known, on=["uid", "body_hash"], how="anti", maintain_order="left")
        self.plan.unchanged += rows.height - changed.height
        return changed

    def _decided(
        self, row: ValidRow, met: Mapping[str, Met], shown: Mapping[str, Shown] | None
    ) -> PlannedChange | None:
        known, wanted = met.get(row.uid), Wanted.of(row.body, row.body_hash, self._managed)
        found = shown.get(row.uid) if shown is not None else None
        # What is in doubt is done again whatever the directory shows: only that tells whose work it was.
        if shown is None or (known is not None and not known.certain):
            live, exists = (known.live, known.exists) if known else (None, False)
        else:
            live, exists = self._as_shown(known, found), found is not None
        decision = decide(wanted, live, exists=exists, last=known.operation if known else None)
        if decision is None:
            self._leave_alone(row, wanted, known, live, found)
            return None
        return _change(row, decision)

    def _as_shown(self, known: Met | None, found: Shown | None) -> Live | None:
        """Trust the directory where it tells, the state where it does not."""
        if found is None or self._directory is None:
            return None
        listed = self._directory.fields
        ours = known.digests if known is not None and known.certain else None
        digests = profile.overlaid(ours, found.digests, listed)
        if known is not None and ours is not None and digests != ours:
            self.plan.changed += 1
        as_it_was = known is not None and digests == ours
        return Live(known.live_hash if known and as_it_was else None, digests, found.standing)

    def _leave_alone(
        self, row: ValidRow, wanted: Wanted, known: Met | None, live: Live | None, found: Shown | None
    ) -> None:
        """Count a user who is as the roster has it; what the directory showed is worth remembering."""
        self.plan.unchanged += 1
        if known is None:
            self.plan.adopted += 1
        if found is None or live is None or (known is not None and not known.certain):
            return
        after = wanted.against(live.digests)[2]
        if known is None or known.live != after:
            self._as_wanted.append(AsWanted(row.uid, row.row, after.body_hash, after.digests, found.created_at))


def managed_fields(binding: Binding) -> frozenset[str]:
    """Name the fields of a profile that a roster has a source for; the others are none of its business."""
    named = {name for name in binding.fields if name in profile.FIELDS}
    return frozenset(named | ({"metadata"} if binding.metadata else set()))


def _change(row: ValidRow, decision: Decision) -> PlannedChange:
    payload, digests = decision.payload.decode(), decision.after.digests
    what, fields = decision.action.value, decision.fields
    return PlannedChange(row.row, row.uid, what, fields, row.body, row.body_hash, row.token, payload, digests)


def _deactivation(uid: str) -> PlannedChange:
    return PlannedChange(0, uid, Action.DEACTIVATE.value, (), "", "", token=False, payload="", digests=None)

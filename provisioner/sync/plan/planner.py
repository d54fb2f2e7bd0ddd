"""What a sync would do: every row of a checked roster compared with the state, before anything is changed.

    valid rows ─┬─ joined with the state by uid: as it was carried out last ──→ unchanged
                └─ anything else, one by one (`comparison.decide`) ──→ create, update, reactivate
    users of the state that no row names ──→ leavers (`leavers.sort_out`) ──→ deactivate

The plan is kept on disk, so that memory does not grow with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final, TypeAlias

import polars as pl

from provisioner.journal.managed import Adoption, Met
from provisioner.journal.syncstate import SyncState
from provisioner.model import Action, Live, Standing
from provisioner.results.spool import Spool
from provisioner.run.intake import CheckedBatch, Checking
from provisioner.sync.plan import profile
from provisioner.sync.plan.decision import Decision, Wanted, decide
from provisioner.sync.plan.directory import Directory, Shown
from provisioner.sync.plan.leavers import LeaverPolicy, Leavers, sort_out
from provisioner.validation.fields.binding import Binding

PLAN_SCHEMA: Final[Mapping[str, pl.DataType | type[pl.DataType]]] = {
    "row": pl.Int64,  # 0 for a leaver
    "uid": pl.String,
    "action": pl.String,
    "fields": pl.List(pl.String),  # that an update sets or empties
    "body": pl.String,  # of a create
    "body_hash": pl.String,
    "token": pl.Boolean,
    "payload": pl.String,  # of an update
    "digests": pl.Binary,  # of the profile once it is carried out
}

# Users found in the directory as the roster has them, and what the state is to remember of each.
_FOUND_SCHEMA: Final[Mapping[str, pl.DataType | type[pl.DataType]]] = {
    "uid": pl.String,
    "row": pl.Int64,
    "body_hash": pl.String,
    "digests": pl.Binary,
    "created_at": pl.Int64,
}

# A rejected row with one of these names nobody: whoever it is about cannot be told.
_NAMELESS: Final = r"(?:^|; )uid\.(?:missing|charset|too_long): "

# Rows looked up in the state at once.
_LOOKUP: Final = 4000

Row: TypeAlias = tuple[int, str, str, bool, str]
"""Row, uid, body, whether a token is wanted, body hash."""


@dataclass(slots=True)
class Plan:
    """What is to be done, and what that adds up to.

    changes    frames of `PLAN_SCHEMA`, in the order in which they are sent: roster rows, then leavers
    actions    how many of each
    fields     how many updates touch a field
    updates    `PUT`s of a profile: those of reactivated users are among them
    tokens     how many creates ask for an auth token
    unchanged  rows whose users are as they should be
    adopted    those of them that the state did not know, and now does
    nameless   rejected rows without a uid that could be anybody's
    changed    users that another hand has changed, as far as the directory tells
    """

    changes: Spool
    actions: Counter[Action] = field(default_factory=Counter)
    fields: Counter[str] = field(default_factory=Counter)
    updates: int = 0
    leavers: Leavers = field(default_factory=Leavers)
    tokens: int = 0
    unchanged: int = 0
    adopted: int = 0
    nameless: int = 0
    changed: int = 0
    _digest: Any = field(default_factory=lambda: blake2b(digest_size=16))
    _roster: Any = field(default_factory=lambda: blake2b(digest_size=16))

    @property
    def digest(self) -> str:
        """A text that is another one as soon as anything else would be done."""
        return str(self._digest.hexdigest())

    @property
    def roster(self) -> str:
        """A text that is another one as soon as any valid row is."""
        return str(self._roster.hexdigest())

    def saw(self, hashes: Sequence[str]) -> None:
        """Take note of rows by the hashes of their bodies, the uid included."""
        self._roster.update("\n".join(hashes).encode())

    def add(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Add changes (`PLAN_SCHEMA`)."""
        for _, uid, action, fields, _, body_hash, token, payload, _ in rows:
            self.actions[Action(action)] += 1
            self.fields.update(fields)
            self.updates += bool(payload) and action != Action.CREATE
            self.tokens += token and action == Action.CREATE
            self._digest.update(f"{uid}\0{action}\0{body_hash}\0{token}\0{payload}\n".encode())
        self.changes.append(pl.DataFrame(rows, schema=dict(PLAN_SCHEMA), orient="row"))


class Planner:
    """Makes the plan of one roster; `directory` is there when the app's users have been read."""

    def __init__(self, checking: Checking, state: SyncState, folder: Path, directory: Directory | None = None) -> None:
        self._checking, self._state, self._directory = checking, state, directory
        self._managed = managed_fields(checking.binding)
        self._found: list[tuple[str, int, str | None, bytes | None, int | None]] = []
        self._to_record = Spool(folder)
        self.plan = Plan(Spool(folder))

    def read(self, interrupted: Callable[[], None]) -> Plan:
        """Take in the whole roster; whatever `interrupted` raises ends it."""
        while (checked := self._checking.next()) is not None:
            self._checking.keep(checked)
            self._see(checked)
            for part in checked.valid.iter_slices(_LOOKUP):
                self._compare(part)
            interrupted()
        return self.plan

    def sort_out_leavers(self, policy: LeaverPolicy) -> None:
        """Say what is to be done with those that the roster does not name any more."""
        self.plan.leavers = sort_out(self._state.leavers(), policy, nameless=self.plan.nameless)
        due = self.plan.leavers.due
        for start in range(0, len(due), _LOOKUP):
            self._add([_deactivation(uid) for uid, _ in due[start : start + _LOOKUP]])

    def record(self, now: float) -> None:
        """Bring into the state what takes no request: users found as they should be (UNIX seconds)."""
        for frame in self._to_record.frames():
            users = (
                Adoption(uid, row, Live(body_hash, digests, Standing.ACTIVE), created_at)
                for uid, row, body_hash, digests, created_at in frame.iter_rows()
            )
            self._state.adopt(users, now)

    def close(self) -> None:
        """Let go of the disk space."""
        self._to_record.close()
        self.plan.changes.close()

    def _see(self, checked: CheckedBatch) -> None:
        """Note who is there; a rejected row is no leaver."""
        lines = checked.checked.lines
        self._state.see(lines["uid"].drop_nulls().to_list())
        self.plan.nameless += int(lines["error_message"].str.contains(_NAMELESS).sum())

    def _compare(self, part: pl.DataFrame) -> None:
        uids = part["uid"].to_list()
        hashes = [blake2b(body.encode(), digest_size=8).hexdigest() for body in part["body"].to_list()]
        self.plan.saw(hashes)
        rows = part.select("row", "uid", "body", "token").with_columns(body_hash=pl.Series(hashes, dtype=pl.String))
        met = self._state.met(uids)
        shown = self._directory.find(uids) if self._directory is not None else None
        if shown is None:
            rows = self._without_unchanged(rows, met)
        decided = [change for row in rows.iter_rows() if (change := self._decided(row, met, shown)) is not None]
        self._add(decided)
        found, self._found = self._found, []
        self._to_record.append(pl.DataFrame(found, schema=dict(_FOUND_SCHEMA), orient="row"))

    def _add(self, rows: Sequence[tuple[Any, ...]]) -> None:
        self._state.plan([row[1] for row in rows])
        self.plan.add(rows)

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

    def _decided(self, row: Row, met: Mapping[str, Met], shown: Mapping[str, Shown] | None) -> tuple[Any, ...] | None:
        number, uid, body, _, body_hash = row
        known, wanted = met.get(uid), Wanted.of(body, body_hash, self._managed)
        found = shown.get(uid) if shown is not None else None
        # What is in doubt is done again whatever the directory shows: only that tells whose work it was.
        if shown is None or (known is not None and not known.certain):
            live, exists = (known.live, known.exists) if known else (None, False)
        else:
            live, exists = self._as_shown(known, found), found is not None
        decision = decide(wanted, live, exists=exists, last=known.operation if known else None)
        if decision is None:
            self._leave_alone(number, uid, wanted, known, live, found)
            return None
        return _change(row, decision)

    def _as_shown(self, known: Met | None, found: Shown | None) -> Live | None:
        """Trust the directory where it tells, the state where it does not."""
        if found is None or self._directory is None:
            return None
        told = self._directory.told
        ours = known.digests if known is not None and known.certain else None
        digests = profile.overlaid(ours, found.digests, told)
        if known is not None and ours is not None and digests != ours:
            self.plan.changed += 1
        as_it_was = known is not None and digests == ours
        return Live(known.live_hash if known and as_it_was else None, digests, found.standing)

    def _leave_alone(
        self, row: int, uid: str, wanted: Wanted, known: Met | None, live: Live | None, found: Shown | None
    ) -> None:
        """Count a user who is as the roster has it; what the directory showed is worth remembering."""
        self.plan.unchanged += 1
        if known is None:
            self.plan.adopted += 1
        if found is None or live is None or (known is not None and not known.certain):
            return
        after = wanted.against(live.digests)[2]
        if known is None or known.live != after:
            self._found.append((uid, row, after.body_hash, after.digests, found.created_at))


def managed_fields(binding: Binding) -> frozenset[str]:
    """Name the fields of a profile that a roster has a source for; the others are none of its business."""
    named = {name for name in binding.fields if name in profile.FIELDS}
    return frozenset(named | ({"metadata"} if binding.metadata else set()))


def _change(row: Row, decision: Decision) -> tuple[Any, ...]:
    number, uid, body, token, body_hash = row
    needed = decision.payload.decode()
    return (
        number, uid, decision.action.value, list(decision.fields), body, body_hash, token, needed,
        decision.after.digests,
    )  # fmt: skip


def _deactivation(uid: str) -> tuple[Any, ...]:
    return (0, uid, Action.DEACTIVATE.value, [], "", "", False, "", None)


def frames(plan: Plan, size: int) -> Iterator[pl.DataFrame]:
    """Give the changes back, at most `size` at a time."""
    for frame in plan.changes.frames():
        yield from frame.iter_slices(size)

"""A plan: the changes that a sync would carry out, kept on disk so that memory does not grow with them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from itertools import chain, islice
from typing import Any, Final, NamedTuple, Self, TypeAlias

import orjson
import polars as pl

from provisioner.model import FIELDS, Action, Live, Standing
from provisioner.results.spool import Spool
from provisioner.sending.users import profile
from provisioner.sync.plan.decision import Decision
from provisioner.sync.plan.guards import STANDING, Example

_Type: TypeAlias = pl.DataType | type[pl.DataType]

EXAMPLES: Final = 3
"""As many are named of each kind."""
# Changes read back at once.
_AT_ONCE: Final = 4000


class ValidRow(NamedTuple):
    """A valid row of the roster; `token` is whether an auth token is wanted."""

    row: int
    uid: str
    body: str
    token: bool
    body_hash: str


class PlannedChange(NamedTuple):
    """One change, as the plan keeps it on disk.

    row        0 for a leaver whom no row names
    fields     those that an update sets or empties
    body       of a create
    live_hash  as the state has it, once it is carried out; empty for a leaver
    payload    of an update
    digests    of the profile once it is carried out; null for a leaver
    profile    likewise, packed
    old        JSON: field → JSON text of its old value, null when there was none; what is not known is left out
    flush      the leaver's auth tokens are flushed
    mint       as `Change` has it
    """

    row: int
    uid: str
    action: str
    fields: Sequence[str]
    body: str
    live_hash: str
    token: bool
    payload: str
    digests: bytes | None
    profile: bytes | None = None
    old: str = "{}"
    flush: bool = False
    mint: bool = False

    @classmethod
    def of(cls, row: ValidRow, decision: Decision, kept: bytes, old: str) -> Self:
        """Give the one that a row needs; `kept` is the packed profile once it is carried out, `old` as here."""
        payload, digests = decision.payload.decode(), decision.after.digests
        what, fields = decision.action.value, decision.fields
        live_hash = decision.after.body_hash or row.body_hash
        return cls(row.row, row.uid, what, fields, row.body, live_hash, row.token, payload, digests, kept, old)

    @classmethod
    def deactivation(cls, uid: str, row: int, *, flush: bool) -> Self:
        """Give the one that a leaver needs; `row` names the user as deactivated, 0 for none."""
        what = Action.DEACTIVATE.value
        return cls(row, uid, what, (), "", "", token=False, payload="", digests=None, flush=flush)

    @property
    def body_hash(self) -> str:
        """What the journal knows the body by: the hash alone."""
        return self.live_hash.partition("+")[0]

    def values(self) -> Iterator[tuple[str, str | None, str | None]]:
        """Give (field, old, new) of each field that is changed; values as JSON text, the old `?` when not known."""
        known, new = orjson.loads(self.old), profile.members(self.payload) if self.payload else {}
        for name in self.fields:
            yield name, known.get(name, UNKNOWN), new.get(name)


UNKNOWN: Final = "?"
"""Stands for a value that is not known; no JSON text is like it."""


_TEXTS: Final[dict[str, _Type]] = dict.fromkeys(PlannedChange._fields, pl.String)
PLAN_SCHEMA: Final = _TEXTS | {
    "row": pl.Int64,
    "fields": pl.List(pl.String),
    **dict.fromkeys(("digests", "profile"), pl.Binary),
    **dict.fromkeys(("token", "flush", "mint"), pl.Boolean),
}
"""Of frames of `PlannedChange`."""


@dataclass(slots=True)
class PlanTotals:
    """What a plan adds up to, or has so far.

    actions    how many of each
    fields     action → how many of these touch a field, in the end the most touched first; `altered` likewise
    updates    `PUT`s of a profile: those of reactivated users are among them
    tokens     how many users of each action are to get an auth token
    mints      those of them for whom that takes a request of its own
    flushes    leavers whose auth tokens are flushed
    unchanged  rows whose users are as they should be
    adopted    those of them that the state did not know, and now does
    nameless   rejected rows without a uid that could be anybody's
    unread     files of which people are on other sheets or pages, which are not read
    holding    rows and headers that look to have other rows in a cell
    changed    users that another hand has changed, as far as the directory tells
    digest     a text that is another one as soon as anything else would be done
    roster     a text that is another one as soon as any valid row is
    drifted    field → those of `changed` who have another value in it
    altered    field → users who would have another value in it than they had
    woken      users who are known to be deactivated, and would be reactivated
    examples   field → the first of them
    """

    actions: Counter[Action] = field(default_factory=lambda: Counter(dict.fromkeys(Action, 0)))
    fields: Mapping[Action, Counter[str]] = field(default_factory=lambda: {action: Counter() for action in Action})
    updates: int = 0
    tokens: Counter[Action] = field(default_factory=Counter)
    mints: int = 0
    flushes: int = 0
    unchanged: int = 0
    adopted: int = 0
    nameless: int = 0
    unread: int = 0
    holding: int = 0
    changed: int = 0
    digest: str = ""
    roster: str = ""
    drifted: Counter[str] = field(default_factory=Counter)
    altered: Counter[str] = field(default_factory=Counter)
    woken: int = 0
    examples: dict[str, list[Example]] = field(default_factory=dict)

    @property
    def anybody(self) -> int:
        """Rows, files and cells in which any of the leavers may be."""
        return self.nameless + self.unread + self.holding

    @property
    def touched(self) -> dict[str, int]:
        """Field → users in whom it is changed, in the order of the alphabet."""
        return dict(sorted(sum(self.fields.values(), Counter[str]()).items()))


@dataclass(slots=True)
class Plan:
    """What is to be done, while it comes together.

    so_far   what it adds up to; the digests are made at the end
    changes  frames of `PLAN_SCHEMA`, in the order in which they are sent: roster rows, then leavers
    """

    changes: Spool
    so_far: PlanTotals = field(default_factory=PlanTotals)
    _digest: Any = field(default_factory=lambda: blake2b(digest_size=16))
    _roster: Any = field(default_factory=lambda: blake2b(digest_size=16))

    def totals(self) -> PlanTotals:
        """Give what it adds up to so far."""
        so_far = self.so_far
        return replace(
            so_far,
            fields={action: Counter(dict(each.most_common())) for action, each in so_far.fields.items()},
            digest=self._digest.hexdigest(),
            roster=self._roster.hexdigest(),
            altered=Counter(dict(so_far.altered.most_common())),
        )

    def note_drifted(self, known: bytes, shown: bytes) -> None:
        """Count a user whose profile another hand has changed, by the digests of both, as far as it was known."""
        found = zip(FIELDS, profile.parts(known), profile.parts(shown), strict=True)
        fields = {name for name, was, now in found if was != now and was not in profile.UNTOLD}
        self.so_far.changed += bool(fields)
        self.so_far.drifted.update(fields)

    def note_woken(self, uid: str) -> None:
        """Count a user who is known to be deactivated and would be reactivated, and keep the first."""
        self.so_far.woken += 1
        self.exemplify(Example(uid, STANDING, Standing.DEACTIVATED, Standing.ACTIVE))

    def note_altered(self, change: PlannedChange, fields: Collection[str]) -> None:
        """Count those of its fields that get another value than they had, and keep the first of each."""
        for name, before, now in change.values():
            if name in fields:
                self.so_far.altered[name] += 1
                self.exemplify(Example(change.uid, name, in_words(before), in_words(now), before == UNKNOWN))

    def exemplify(self, example: Example) -> None:
        """Keep the first examples of each field."""
        examples = self.so_far.examples.setdefault(example.field, [])
        if len(examples) < EXAMPLES:
            examples.append(example)

    def pieces(self, size: int) -> Iterator[list[PlannedChange]]:
        """Give the changes back, at most `size` at a time."""
        for frame in self.changes.frames():
            for piece in frame.iter_slices(size):
                yield [PlannedChange._make(row) for row in piece.iter_rows()]

    def every(self) -> Iterator[PlannedChange]:
        """Give all changes back."""
        return chain.from_iterable(self.pieces(_AT_ONCE))

    def first(self, number: int) -> list[PlannedChange]:
        """Give the first changes."""
        return list(islice(chain.from_iterable(self.pieces(max(1, number))), number))

    def note_rows(self, hashes: Sequence[str]) -> None:
        """Take note of valid rows by the hashes of their bodies, the uid included."""
        self._roster.update("\n".join(hashes).encode())

    def add(self, changes: Sequence[PlannedChange]) -> None:
        """Add changes."""
        so_far = self.so_far
        for each in changes:
            action = Action(each.action)
            so_far.actions[action] += 1
            so_far.fields[action].update(each.fields)
            so_far.updates += bool(each.payload) and action is not Action.CREATE
            so_far.tokens[action] += each.mint or (each.token and action is Action.CREATE)
            so_far.mints += each.mint
            so_far.flushes += each.flush
            what = (
                each.uid,
                each.action,
                each.body_hash,
                str(each.token),
                each.payload,
                str(each.flush),
                str(each.mint),
            )
            self._digest.update(("\0".join(what) + "\n").encode())
        self.changes.append(pl.DataFrame(changes, schema=PLAN_SCHEMA, orient="row"))


def told(fields: Sequence[str], old: Mapping[str, str] | None, live: Live | None) -> str:
    """Give `PlannedChange.old`: of a field that another hand has changed since, the old value is not known."""
    if old is None or not fields:
        return "{}"
    known = frozenset(fields)
    if live is not None:
        known &= profile.same(profile.digests(old), live.digests) if live.digests is not None else frozenset()
    return orjson.dumps({name: old.get(name) for name in fields if name in known}).decode()


def in_words(text: str | None) -> str | None:
    """Give a value (JSON text) as a person reads it; None for none, and for one that is not known."""
    if text is None or text == UNKNOWN:
        return None
    return str(json.loads(text)) if text.startswith('"') else text

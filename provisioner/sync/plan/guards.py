"""What a sync refuses to do, decided before its first write: nothing here can be overridden by `--yes`.

All is counted in people who were managed before the night, so that it fits a company of thirty as one of a million.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from provisioner.settings.values import Allowance
from provisioner.wording import shortened

LEAST_LACKING: Final = 2
"""So many people may be missing whatever share that is."""

# A roster that lacks one of so many people is taken for a broken export.
_LACKING_ONE_OF: Final = 4

_REJECTED: Final = "too_many_rejected"

STANDING: Final = "standing"
"""What examples call it whether somebody may log in."""

# A guard knows numbers and fields only; what stands in their cells comes after this.
_FOR_EXAMPLE: Final = "; for example "


@dataclass(frozen=True, slots=True)
class Tonight:
    """What the guards look at.

    rows      of tonight's roster
    rejected  of these; `codes`: defect → rows that have it
    managed   active users that the state knew before this night
    expected  those of them that the last good night's roster named
    lacking   those of them that tonight's does not name, without those whom a person has approved of
    leaving   users that would be deactivated tonight, those of this night's earlier attempts included; 0 for no more
    approved  whether a person has approved of just these
    creates   users that would be created
    absent    users that tonight's roster is the first not to name, approved of or not
    changed   field → users whose field would be changed
    adopting  it is the night that adopts: what is new or changed by it says nothing of the export
    woken     users whom the state knows, who are deactivated and would be reactivated
    looking   the app's users have been read
    drifted   field → users in whose field that has shown another value than was carried out
    kept      a kept plan is carried out: which list is approved of, and what is read, is settled with it
    """

    rows: int
    rejected: int
    managed: int
    expected: int
    lacking: int
    leaving: int
    approved: bool
    creates: int
    absent: int
    changed: Mapping[str, int]
    adopting: bool
    codes: Mapping[str, int]
    woken: int = 0
    looking: bool = False
    drifted: Mapping[str, int] = field(default_factory=dict)
    kept: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """What is borne; see `[sync]`."""

    deactivations: Allowance
    rejected: Allowance
    creates: Allowance
    updates: Allowance


@dataclass(frozen=True, slots=True)
class Example:
    """One of those for whom nothing is done; `old` and `new` in words, None for what is not there or not known.

    unknown  the old value is not known
    """

    uid: str
    field: str
    old: str | None
    new: str | None
    unknown: bool = False

    @property
    def document(self) -> dict[str, str | None]:
        """As the summary holds it."""
        return {"uid": self.uid, "field": self.field, "old": self.old, "new": self.new}

    @property
    def of_row(self) -> str:
        """Name the row, and its uid where it has one."""
        return self.uid if self.uid == self.field else f"{self.uid} ({self.field})"

    def __str__(self) -> str:
        """Give it as a person reads it."""
        old, new = (shortened(each) if each is not None else "nothing" for each in (self.old, self.new))
        return f"{self.uid}: {self.field} {'(not known)' if self.unknown else old} → {new}"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why nothing at all is done tonight: one stable word, and a sentence.

    option    what sets or lifts the limit; None when nothing does
    field     the field it is about, if it is about one
    examples  three at most
    unread    what the users have may be unknown for want of a look at the app
    """

    reason: str
    message: str
    option: str | None = None
    field: str | None = None
    examples: tuple[Example, ...] = ()
    unread: bool = False

    @property
    def document(self) -> dict[str, Any]:
        """As documents hold it."""
        about = {"field": self.field} if self.field is not None else {}
        examples = [each.document for each in self.examples]
        return {"reason": self.reason, "message": self.message, "option": self.option, **about, "examples": examples}

    def with_examples(self, examples: tuple[Example, ...]) -> Refusal:
        """Give the same with examples, which the sentence names; of rejected rows it has counted what is wrong."""
        if not examples:
            return self
        unread = self.unread and all(each.unknown for each in examples)
        todo = "; the state knows no profile of them yet: --refresh reads what they have" if unread else ""
        named = [each.of_row if self.reason == _REJECTED else str(each) for each in examples]
        message = f"{self.message}{todo}{_FOR_EXAMPLE}{', '.join(named)}"
        return replace(self, message=message, examples=examples)


def without_examples(message: str) -> str:
    """Give the sentence of a refusal as a guard has said it, in which nobody is named."""
    return message.partition(_FOR_EXAMPLE)[0]


def option_of_plan(flag: str, *, kept: bool) -> str:
    """Name an option that decides what a plan holds: one that was kept has its own, and takes no other."""
    return f"{flag} of a new plan" if kept else flag


def refusals(night: Tonight, limits: Limits) -> Iterator[Refusal]:
    """Give every reason to leave everything as it is, the most telling first."""
    if night.rows == 0:
        yield Refusal("empty_roster", "the roster has no rows; look at the export")
        return
    if not night.adopting:
        yield from _changed_ids(night, limits.creates)
        yield from _changed_field(night, limits.updates)
        yield from _changed_standing(night, limits.updates)
    approve = option_of_plan("--approve", kept=night.kept)
    if night.lacking > LEAST_LACKING and night.lacking * _LACKING_ONE_OF >= night.expected:
        message = f"the roster lacks {night.lacking:,} of {night.expected:,} people, a quarter or more"
        todo = f"look at the export; if they have all left, give the leavers file to {approve}"
        yield Refusal("shrunken_roster", f"{message}; {todo}", "--approve")
    if limits.rejected.exceeded(night.rejected, night.rows):
        yield _too_many_rejected(night, limits.rejected)
    if not night.approved and limits.deactivations.exceeded(night.leaving, night.managed):
        borne = f"more than {limits.deactivations.of(night.managed):,}, the limit for {night.managed:,}"
        message = f"{night.leaving:,} of {night.managed:,} users would be deactivated, {borne}"
        todo = f"see the leavers file, and give it to {approve} if they have all left"
        option = f"(--max-deactivations {limits.deactivations})"
        yield Refusal("too_many_leavers", f"{message} {option}; {todo}", "--max-deactivations")


def _too_many_rejected(night: Tonight, limit: Allowance) -> Refusal:
    borne = f"more than {limit.of(night.rows):,}, the limit for {night.rows:,}"
    message = f"{night.rejected:,} of {night.rows:,} rows are rejected, {borne}"
    every = sorted(night.codes.items(), key=lambda item: (-item[1], item[0]))
    codes = ", ".join(f"{code} {number:,}" for code, number in every)
    enough = f"{math.ceil(100 * night.rejected / night.rows)}%" if limit.number is None else f"{night.rejected}"
    todo = f"mend them, they are in the rejected file, or allow as many with --max-rejected {enough}"
    message = f"{message} (--max-rejected {limit}){f': {codes}' if codes else ''}; {todo}"
    return Refusal(_REJECTED, message, "--max-rejected")


def _changed_ids(night: Tonight, borne: Allowance) -> Iterator[Refusal]:
    # As large a share has to be absent, and not as large a number: on the morning after the zeros were lost there is a
    # joiner or two as well, and sixty absent to sixty-one created would hide that all ids have changed.
    if borne.exceeded(night.creates, night.managed) and borne.exceeded(night.absent, night.managed):
        message = f"{night.creates:,} users would be created while {night.absent:,} of {night.managed:,} are absent"
        todo = "their ids have changed; look at the export"
        yield Refusal("too_many_creates", f"{message} (--max-creates {borne}): {todo}", "--max-creates")


def _changed_field(night: Tonight, borne: Allowance) -> Iterator[Refusal]:
    for name, number in night.changed.items():
        if borne.exceeded(number, night.managed):
            message = f"the {name} of {number:,} of {night.managed:,} users would be changed (--max-updates {borne})"
            why = "a column was swapped or emptied, or is read in an encoding that is not its own"
            todo = f"{why}, of which the warnings tell; look at the export"
            if not borne.exceeded(number - night.drifted.get(name, 0), night.managed):
                why = "another hand has changed it in the app, and it would be put back"
                todo = f"{why}; if that is right, allow as many with --max-updates {_enough(night, number)}"
            told = f"{message}: {todo}"
            yield Refusal("too_many_updates", told, "--max-updates", name, unread=not (night.looking or night.kept))


def _enough(night: Tonight, number: int) -> str:
    """Say what lets so many through; it has to do for the changes of every field as well."""
    most = max(number, *night.changed.values(), 0)
    return f"{math.ceil(100 * most / night.managed)}%" if most <= night.managed else f"{most}"


def _changed_standing(night: Tonight, borne: Allowance) -> Iterator[Refusal]:
    if borne.exceeded(night.woken, night.managed):
        message = f"{night.woken:,} deactivated users would be reactivated, while {night.managed:,} are managed"
        why = "the column that says who has left was emptied or swapped, or many are back at once"
        todo = f"look at the export; if they are back, allow as many with --max-updates {_enough(night, night.woken)}"
        message = f"{message} (--max-updates {borne}): {why}; {todo}"
        yield Refusal("too_many_reactivations", message, "--max-updates", STANDING)

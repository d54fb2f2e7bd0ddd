"""What a sync refuses to do, decided before its first write: nothing here can be overridden by `--yes`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from provisioner.settings.values import Allowance

LEAST_REMAINDER: Final = 2 / 3
"""A roster that has less of its last good night's rows than this is taken for a broken export."""


@dataclass(frozen=True, slots=True)
class Tonight:
    """What the guards look at.

    rows        of tonight's roster
    rejected    of these
    last_rows   rows of the last good night; None when there was none
    managed     active users that the state knew before this night
    leaving     users that would be deactivated tonight, those of this night's earlier attempts included
    approved    whether a person has approved of just these
    """

    rows: int
    rejected: int
    last_rows: int | None
    managed: int
    leaving: int
    approved: bool


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why nothing at all is done tonight: one stable word, and a sentence."""

    reason: str
    message: str


def refusals(night: Tonight, max_deactivations: Allowance, max_rejected: Allowance) -> Iterator[Refusal]:
    """Give every reason to leave everything as it is."""
    if night.rows == 0:
        yield Refusal("empty_roster", "the roster has no rows; look at the export")
    elif night.last_rows is not None and night.rows < night.last_rows * LEAST_REMAINDER:
        message = f"the roster has {night.rows:,} rows, the last good night's had {night.last_rows:,}"
        yield Refusal("shrunken_roster", f"{message}: more than a third is missing; look at the export")
    if night.rows and max_rejected.exceeded(night.rejected, night.rows):
        borne = max_rejected.of(night.rows)
        message = f"{night.rejected:,} of {night.rows:,} rows are rejected, more than {borne:,}"
        yield Refusal("too_many_rejected", f"{message} (--max-rejected {max_rejected}); see the rejected file")
    if not night.approved and max_deactivations.exceeded(night.leaving, night.managed):
        borne = max_deactivations.of(night.managed)
        message = f"{night.leaving:,} of {night.managed:,} users would be deactivated, more than {borne:,}"
        todo = "see the leavers file, and give it to --approve if they have all left"
        yield Refusal("too_many_leavers", f"{message} (--max-deactivations {max_deactivations}); {todo}")

"""What kinds of nights there are, and which of them a simulation has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Final

from benchmarks.nights.company import LEAVE


class Kind(StrEnum):
    """What a night is like."""

    ADOPT = "the first, adopting"
    PLAIN = "plain"
    QUIET = "no change"
    EMPTY = "empty export"
    HALF = "export cut in half"
    ZEROS_LOST = "zeros of the ids lost"
    SWAPPED = "columns swapped"
    GARBLED = "names garbled"
    EMPTIED = "column emptied"
    STRAY = "stray rows"
    BLANK = "blank rows"
    KILLED = "killed"
    FAULTS = "faults"
    KILLED_AMONG_FAULTS = "killed among faults"
    CUT_SHORT = "--max-duration"
    OTHER_HAND = "another hand, --refresh"
    PLANNED = "plan -o, sync"

    @property
    def refused(self) -> bool:
        """Whether nothing at all may be changed."""
        return self in GUARDS

    @property
    def reads_directory(self) -> bool:
        """Whether the app's users are read first."""
        return self in {Kind.ADOPT, Kind.OTHER_HAND}


@dataclass(frozen=True, slots=True)
class Guard:
    """What has to keep a bad night from changing anything: the stable word for it, and the option it has to name."""

    reason: str
    option: str | None


GUARDS: Final[Mapping[Kind, Guard]] = {
    Kind.EMPTY: Guard("empty_roster", None),
    Kind.HALF: Guard("shrunken_roster", "--approve"),
    Kind.ZEROS_LOST: Guard("too_many_creates", "--max-creates"),
    Kind.SWAPPED: Guard("too_many_updates", "--max-updates"),
    Kind.GARBLED: Guard("too_many_updates", "--max-updates"),
    Kind.EMPTIED: Guard("too_many_updates", "--max-updates"),
    Kind.STRAY: Guard("too_many_rejected", "--max-rejected"),
}
"""Of every bad night, whatever the size of the company."""


@dataclass(frozen=True, slots=True)
class Options:
    """One simulation.

    kills     how often the command is killed on a night on which it is
    leave     share of the company that leaves each night
    duration  the time limit of the night that has one, in seconds
    bad_only  after the first night every bad one once, whatever `nights` says: what a company of any size bears
    """

    people: int = 20_000
    nights: int = 30
    seed: int = 1
    grace_nights: int = 1
    kills: int = 3
    duration: int = 4
    bad_only: bool = False
    leave: float = LEAVE

    def schedule(self) -> list[Kind]:
        """Say what each night is like: every kind once if there are nights enough, some oftener, most plain."""
        if self.bad_only:
            return [Kind.ADOPT, *GUARDS]
        special = [kind for kind in Kind if kind not in {Kind.ADOPT, Kind.PLAIN}]
        usual = [Kind.PLAIN, Kind.OTHER_HAND, Kind.OTHER_HAND, Kind.QUIET, Kind.PLANNED]
        nights = [*special, *usual, *[Kind.PLAIN] * self.nights][: self.nights - 1]
        Random(self.seed).shuffle(nights)
        return [Kind.ADOPT, *nights]

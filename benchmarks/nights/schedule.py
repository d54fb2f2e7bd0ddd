"""What kinds of nights there are, and which of them a simulation has."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from random import Random


class Kind(StrEnum):
    """What a night is like."""

    ADOPT = "the first, adopting"
    PLAIN = "plain"
    QUIET = "no change"
    EMPTY = "empty export"
    HALF = "export cut in half"
    KILLED = "killed"
    FAULTS = "faults"
    CUT_SHORT = "--max-duration"
    OTHER_HAND = "another hand, --refresh"
    PLANNED = "plan -o, sync"

    @property
    def refused(self) -> bool:
        """Whether nothing at all may be changed."""
        return self in {Kind.EMPTY, Kind.HALF}

    @property
    def reads_directory(self) -> bool:
        """Whether the app's users are read first."""
        return self in {Kind.ADOPT, Kind.OTHER_HAND}


@dataclass(frozen=True, slots=True)
class Options:
    """One simulation.

    kills     how often the command is killed on the night on which it is
    duration  the time limit of the night that has one, in seconds
    """

    people: int = 20_000
    nights: int = 30
    seed: int = 1
    grace_nights: int = 1
    kills: int = 3
    duration: int = 4

    def schedule(self) -> list[Kind]:
        """Say what each night is like: every kind once if there are nights enough, some oftener, most plain."""
        special = [kind for kind in Kind if kind not in {Kind.ADOPT, Kind.PLAIN}]
        usual = [Kind.PLAIN, Kind.OTHER_HAND, Kind.OTHER_HAND, Kind.QUIET, Kind.PLANNED]
        nights = [*special, *usual, *[Kind.PLAIN] * self.nights][: self.nights - 1]
        Random(self.seed).shuffle(nights)
        return [Kind.ADOPT, *nights]

"""Where slots come from: a limiter of one process, or a desk that several share."""

from __future__ import annotations

import math
from typing import Final, NamedTuple, Protocol


class Grant(NamedTuple):
    """Slots that may be used.

    ends  when what is not used by then is lost, by the gate's clock
    """

    slots: int
    ends: float = math.inf


NOTHING: Final = Grant(0)


class Source(Protocol):
    """Where a pacer has its slots from: a limiter of its own, or a pacer that several processes share.

    per_minute  slots allowed in any 60 s
    """

    per_minute: float

    async def take(self, wanted: int) -> Grant:
        """Wait until there are some, and take them."""

    def used(self) -> int:
        """Note that a slot is used now; the ticket is for `answered`, and never 0."""

    def answered(self, ticket: int) -> None:
        """Note that what a slot was used for has its answer, or will have none."""

    @property
    def held_for(self) -> float:
        """Seconds until the last minute has room for a slot again; 0 when it has."""

    def change(self, per_minute: float) -> None:
        """Adopt another limit; what was given in the last minute counts against it."""

    def hold(self, seconds: float) -> None:
        """Learn of a pause that has just begun, or has become longer."""

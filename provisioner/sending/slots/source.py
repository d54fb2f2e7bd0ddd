"""The interface of a source of slots: the limiter of one process, or a lease from a desk that several share."""

from __future__ import annotations

import math
from typing import Final, NamedTuple, Protocol


class Grant(NamedTuple):
    """A number of slots to use.

    ends  time at which unused slots expire, by the gate's clock
    """

    slots: int
    ends: float = math.inf


NOTHING: Final = Grant(0)


class Source(Protocol):
    """Where a pacer gets its slots.

    per_minute  slots allowed in any 60 s
    """

    per_minute: float

    async def take(self, wanted: int) -> Grant:
        """Wait until slots are available and take up to about `wanted` of them."""

    def used(self) -> int:
        """Record that a slot is used now; return a ticket, never 0, for `answered`."""

    def answered(self, ticket: int) -> None:
        """Record that the request with this ticket was answered, or never will be."""

    @property
    def held_for(self) -> float:
        """Seconds until the sliding minute has room for another slot; 0 if it has now."""

    def change(self, per_minute: float) -> None:
        """Change the limit; slots of the last minute count against the new one."""

    def hold(self, seconds: float) -> None:
        """Share a pause that has just begun or been extended."""

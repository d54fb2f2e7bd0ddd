"""The limiter of a process that has a budget to itself: an even stream of slots under the limit.

A leaky bucket of size b that leaks (N - b) / 60 a second lets at most N through in any sliding minute, including the
first. The textbook `AsyncLimiter(N, 60)` lets almost 2 N through in the first minute, because its bucket starts empty
and leaks as well; `AsyncLimiter(1, 60 / N)` loses a tenth of the rate to coarse timers. A small burst avoids both. The
bucket starts nearly full, because the last minute may contain the end of an earlier command that this one knows nothing
of. Requests that the network delivers in a bunch could still exceed a minute of the server's: `Minute` bounds those.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from aiolimiter import AsyncLimiter

from provisioner.sending.slots.minute import Minute
from provisioner.sending.slots.source import Grant

_SMALL: Final = 16
"""Largest burst whose slots are taken one per waiting request; for larger ones, counting the waiters costs too much."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How a limit is spread over time.

    burst   slots that may be used at once
    block   most slots taken from the limiter at a time: waking up for each single slot means cold caches each time
    spare   most slots of a block that may be held in reserve while no request waits for them
    period  seconds in which `burst` slots leak out
    """

    burst: int
    block: int
    spare: int
    period: float

    @classmethod
    def of(cls, per_minute: float) -> Shape:
        """Spread `per_minute` slots evenly, never more than that in any 60 s."""
        per_second = per_minute / 60
        # A fifth of a second's worth, at most 16; where timers are coarse against the rate, 20 ms' worth.
        burst = max(1, min(_SMALL, int(per_second / 5)), int(per_second / 50))
        # The rest of the burst makes up for timers that fire late.
        block = max(1, burst // 2)
        spare = block - 1 if burst > _SMALL else 0
        # Slots held in reserve may have been taken before the minute began.
        steady = max(per_minute - burst - spare, per_minute / 2)
        return cls(burst, block, spare, 60 * burst / steady)

    def wanted(self, waiting: int) -> int:
        """Return the number of slots to take for this many waiting requests."""
        return self.block if self.spare else min(self.block, waiting)


def _now() -> float:
    """Read the event loop's clock, which the limiter uses as well."""
    return asyncio.get_running_loop().time()


class OwnLimiter:
    """The slots of a budget that no other process shares."""

    def __init__(self, per_minute: float) -> None:
        self._minute = Minute()
        self.change(per_minute)

    def change(self, per_minute: float) -> None:
        """Change the limit. Requests of the last minute count against the new one, so it may begin with a wait."""
        self.per_minute = per_minute
        self._most = max(1, int(per_minute))
        self._shape = Shape.of(per_minute)
        self._limiter = AsyncLimiter(self._shape.burst, self._shape.period)
        # A burst with a reserve is 20 ms' worth: no two commands follow each other that closely.
        self._fresh = not self._shape.spare

    @property
    def held_for(self) -> float:
        """Seconds until the sliding minute has room for another slot; 0 if it has now."""
        return self._minute.wait(1, self._most, _now())

    async def take(self, wanted: int) -> Grant:
        """Wait for slots. If the limit changes meanwhile, start over with the new limiter."""
        while True:
            shape, limiter = self._shape, self._limiter
            slots = 1 if self._fresh else shape.wanted(wanted)
            if (seconds := self._minute.wait(slots, self._most, _now())) > 0:
                await asyncio.sleep(seconds)
                continue
            if self._fresh:
                self._fresh = False
                await limiter.acquire(shape.burst - 1)
            await limiter.acquire(slots)
            if shape is self._shape:
                return Grant(slots)

    def used(self) -> int:
        """Record that a slot is used now; return a ticket for `answered`."""
        return self._minute.sent(_now())

    def answered(self, ticket: int) -> None:
        """Record that the request with this ticket was answered, or never will be."""
        self._minute.answered(ticket, _now())

    def hold(self, _seconds: float) -> None:
        """Do nothing: no other process has to learn of a pause."""

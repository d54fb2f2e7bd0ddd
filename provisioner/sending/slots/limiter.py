"""The limiter of a process that has a budget for itself: an even stream of slots under the limit.

A leaky bucket of size b that leaks (N - b) / 60 a second lets at most N through in any sliding minute, from the
first minute on. The textbook `AsyncLimiter(N, 60)` lets almost 2 N through in its first, because its bucket starts
empty and leaks as well; `AsyncLimiter(1, 60 / N)` loses a tenth of the rate to the coarseness of timers. A small
burst avoids both. It begins nearly full: a minute can hold the end of one command and the beginning of the next, which
knows nothing of it. Requests that bunch up on their way could still be too many for a minute of the server's: what it
may have seen is counted, by the answers (`Minute`).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from aiolimiter import AsyncLimiter

from provisioner.sending.slots.minute import Minute
from provisioner.sending.slots.source import Grant

_SMALL: Final = 16
"""Slots of a burst that are handed out as they are taken; beyond that to count those who wait costs too much."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How a limit is spread over time.

    burst   slots that may go at once
    block   slots taken from the limiter in one go at most: a process that wakes up for each has cold caches each time
    spare   of a block that is more than anybody waits for: those that may lie in hand
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
        # What is left of the burst is the time by which a timer may be late.
        block = max(1, burst // 2)
        spare = block - 1 if burst > _SMALL else 0
        # What lies in hand can be from before the minute began.
        steady = max(per_minute - burst - spare, per_minute / 2)
        return cls(burst, block, spare, 60 * burst / steady)

    def wanted(self, waiting: int) -> int:
        """Say how many slots to take for so many who wait."""
        return self.block if self.spare else min(self.block, waiting)


def _now() -> float:
    """Read the clock by which the limiter goes as well."""
    return asyncio.get_running_loop().time()


class OwnLimiter:
    """The slots of a budget that is ours alone."""

    def __init__(self, per_minute: float) -> None:
        self._minute = Minute()
        self.change(per_minute)

    def change(self, per_minute: float) -> None:
        """Adopt another limit. What was sent in the last minute counts against it, so it may begin with a wait."""
        self.per_minute = per_minute
        self._most = max(1, int(per_minute))
        self._shape = Shape.of(per_minute)
        self._limiter = AsyncLimiter(self._shape.burst, self._shape.period)
        # Where a burst is 20 ms' worth, no two commands come so soon after each other.
        self._fresh = not self._shape.spare

    @property
    def held_for(self) -> float:
        """Seconds until the minute has room for a slot again; 0 when it has."""
        return self._minute.wait(1, self._most, _now())

    async def take(self, wanted: int) -> Grant:
        """Wait for some; a limit that is changed meanwhile has another limiter, where they are taken anew."""
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
        """Note that a slot is used now; the ticket is for its answer."""
        return self._minute.sent(_now())

    def answered(self, ticket: int) -> None:
        """Note that what a slot was used for has its answer, or will have none."""
        self._minute.answered(ticket, _now())

    def hold(self, _seconds: float) -> None:
        """Nobody else is to know of a pause: the gate is enough."""

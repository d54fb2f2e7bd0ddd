"""The rate: an even stream of slots under a limit, and one pause that holds everyone.

A leaky bucket of size b that leaks (N - b) / 60 a second lets at most N through in any sliding minute, from the
first minute on. The textbook `AsyncLimiter(N, 60)` lets almost 2 N through in its first, because its bucket starts
empty and leaks as well; `AsyncLimiter(1, 60 / N)` loses a tenth of the rate to the coarseness of timers. A small
burst avoids both, and three tenths of a second's worth of slots are kept back for requests that bunch up on their way.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from aiolimiter import AsyncLimiter

from provisioner.sending.calls import Budget, Reply
from provisioner.sending.leasing.minute import Taken
from provisioner.sending.leasing.source import NOTHING, Grant, Source
from provisioner.sending.retry import Waits, pause

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
        kept_back = int(per_second * 0.3)
        # What lies in hand can be from before the minute began.
        steady = max(per_minute - kept_back - burst - spare, per_minute / 2)
        return cls(burst, block, spare, 60 * burst / steady)

    def wanted(self, waiting: int) -> int:
        """Say how many slots to take for so many who wait."""
        return self.block if self.spare else min(self.block, waiting)


def _now() -> float:
    """Read the clock by which the limiter goes as well."""
    return asyncio.get_running_loop().time()


class Gate:
    """The pause that all share: closed by a 429, open again when the server said so.

    clock   monotonic seconds
    jitter  gives numbers in [0, 1)
    """

    def __init__(self, waits: Waits, clock: Callable[[], float], jitter: Callable[[], float]) -> None:
        self.clock = clock
        self._waits, self._jitter = waits, jitter
        self._opens_at = 0.0
        self._strikes = 0
        self._ordered = 0.0

    @property
    def closed_so_far(self) -> float:
        """Seconds in which it was closed until now, all pauses together."""
        return self._ordered - self.closed_for

    @property
    def closed_for(self) -> float:
        """Seconds until the gate opens; 0 when it is open."""
        return max(0.0, self._opens_at - self.clock()) if self._opens_at else 0.0

    def close(self, reply: Reply) -> float | None:
        """Hold everyone after a 429; seconds of a new pause, None when one is already running.

        Requests that were on the wire when a pause began come back as 429 too: they can make it longer when the
        server says so, but they are no further strike.
        """
        running = self.closed_for > 0
        if running and reply.retry_after is None:
            return None
        if not running:
            self._strikes += 1
        seconds = pause(reply, self._strikes, self._waits, self._jitter())
        self.hold(seconds)
        return None if running else seconds

    def hold(self, seconds: float) -> None:
        """Stay closed so long: somebody else who shares the rate was told to. It is no strike of ours."""
        now = self.clock()
        opens_at = max(self._opens_at, now + seconds)
        self._ordered += opens_at - max(self._opens_at, now)
        self._opens_at = opens_at

    def passed(self) -> None:
        """Note that a request got through."""
        if self._strikes and not self.closed_for:
            self._strikes = 0

    async def wait(self) -> None:
        """Return when the gate is open."""
        # Not an event: the pause can be made longer while it is waited out.
        while (seconds := self.closed_for) > 0:  # noqa: ASYNC110
            await asyncio.sleep(seconds)


class OwnLimiter:
    """The slots of a budget that is ours alone."""

    def __init__(self, per_minute: float) -> None:
        self._taken = Taken()
        self._opens_at = 0.0
        self._adopt(per_minute)

    def _adopt(self, per_minute: float) -> None:
        self.per_minute = per_minute
        self._shape = Shape.of(per_minute)
        self._limiter = AsyncLimiter(self._shape.burst, self._shape.period)

    @property
    def held_for(self) -> float:
        """Seconds until the next slot may go after a change of the limit; 0 when none is waited for."""
        return max(0.0, self._opens_at - _now()) if self._opens_at else 0.0

    def change(self, per_minute: float) -> None:
        """Adopt another limit. What was given in the last minute counts against it, so it may begin with a wait."""
        self._adopt(per_minute)
        self._opens_at = self._taken.room_from(self._shape.burst / self._shape.period)

    async def take(self, wanted: int) -> Grant:
        """Wait for some; a limit that is changed meanwhile has another limiter, where they are taken anew."""
        while True:
            shape, limiter = self._shape, self._limiter
            slots = shape.wanted(wanted)
            await asyncio.sleep(self.held_for)
            await limiter.acquire(slots)
            if shape is self._shape and not self.held_for:
                self._taken.add(_now(), slots)
                return Grant(slots)

    def hold(self, _seconds: float) -> None:
        """Nobody else is to know of a pause: the gate is enough."""


class Pacer:
    """Hands out the slots of one budget, in order of asking, behind the gate.

    source  where the slots come from
    """

    def __init__(self, source: Source, gate: Gate) -> None:
        self.gate = gate
        self.source = source
        self._grant = NOTHING
        self._waiting: deque[asyncio.Future[bool]] = deque()
        self._filler: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def per_minute(self) -> float:
        """Slots allowed in any 60 s."""
        return self.source.per_minute

    @property
    def saturated(self) -> bool:
        """Whether someone is waiting for a slot."""
        return bool(self._waiting)

    def slot_now(self) -> bool:
        """Take a slot if one is in hand and nobody waits for it."""
        if not self._grant.slots or self._waiting or self._closed or self.gate.closed_for:
            return False
        return self._use()

    async def slot(self) -> bool:
        """Wait for leave to send one request; False when the pacer has been closed meanwhile."""
        if self._closed:
            return False
        if self.slot_now():
            return True
        turn: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        if self._filler is None or self._filler.done():
            self._filler = asyncio.create_task(self._fill(), name="pacer")
        return await turn

    def change(self, per_minute: float) -> None:
        """Adopt another limit from now on."""
        if per_minute != self.per_minute:
            self.source.change(per_minute)
            self._grant = NOTHING

    def close(self) -> None:
        """Give out no further slot; everyone who waits learns it at once."""
        self._closed = True
        if self._filler is not None:
            self._filler.cancel()
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(False)

    async def _fill(self) -> None:
        while self._waiting:
            if not self._grant.slots:
                self._grant = await self.source.take(len(self._waiting))
            if self.gate.closed_for:  # looked at last: a 429 may have come while the slots were waited for
                self._grant = NOTHING  # they would come too late, on top of those of that time
                await self.gate.wait()
                continue
            self._hand_out()

    def _hand_out(self) -> None:
        while self._waiting and (self._waiting[0].done() or self._use()):
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(True)

    def _use(self) -> bool:
        """Use one slot; False when there is none, or what there was has ended."""
        slots, ends = self._grant
        if slots and ends is not math.inf and self.gate.clock() >= ends:
            slots = 0
        if not slots:
            self._grant = NOTHING
            return False
        self._grant = Grant(slots - 1, ends)
        return True


class Pacing:
    """All the budgets of an app behind one gate; `given` is how many slots each has given so far.

    limits   slots a minute for each budget, the share already taken off
    share    what part of a limit told by the server is ours
    lowered  called when the server told a lower limit: budget, requests a minute from now on
    paused   called when a pause begins: seconds
    source   gives where the slots of a budget come from
    """

    def __init__(
        self,
        limits: Mapping[Budget, float],
        share: float,
        gate: Gate,
        *,
        lowered: Callable[[Budget, float], None],
        paused: Callable[[float], None],
        source: Callable[[Budget, float], Source] = lambda _, limit: OwnLimiter(limit),
    ) -> None:
        self.gate = gate
        self.pacers = {budget: Pacer(source(budget, limit), gate) for budget, limit in limits.items()}
        self.given = dict.fromkeys(Budget, 0)
        self._share = share
        self._told: dict[Budget, float] = {}
        self._lowered, self._paused = lowered, paused

    def slot_now(self, budget: Budget) -> bool:
        """Take leave to send one request, if there is some at once."""
        leave = self.pacers[budget].slot_now()
        self.given[budget] += leave
        return leave

    async def slot(self, budget: Budget) -> bool:
        """Wait for leave to send one request; False when the run is being stopped."""
        leave = await self.pacers[budget].slot()
        self.given[budget] += leave
        return leave

    def change(self, limits: Mapping[Budget, float], share: float) -> None:
        """Adopt other limits from now on, as `Pacing` takes them; what the server has told stays the most there is."""
        self._share = share
        for budget, limit in limits.items():
            self.pacers[budget].change(min(limit, self._told.get(budget, math.inf) * share))

    def learn(self, budget: Budget, reply: Reply, *, limited: bool) -> None:
        """Take from a reply what it says about the rate; `limited` when it was turned away for it."""
        if reply.limit:
            self._told[budget], pacer = reply.limit, self.pacers[budget]
            if reply.limit * self._share < pacer.per_minute:
                pacer.change(reply.limit * self._share)
                self._lowered(budget, pacer.per_minute)
        if not limited:
            if reply.status is not None:
                self.gate.passed()
            return
        seconds = self.gate.close(reply)
        self.pacers[budget].source.hold(self.gate.closed_for)
        if seconds is not None:
            self._paused(seconds)

    def close(self) -> None:
        """Give out no further slot."""
        for pacer in self.pacers.values():
            pacer.close()

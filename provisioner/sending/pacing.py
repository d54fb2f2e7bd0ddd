"""The rate: an even stream of slots under a limit, and one pause that holds everyone.

A leaky bucket of size b that leaks (N - b) / 60 a second lets at most N through in any sliding minute, from the
first minute on. The textbook `AsyncLimiter(N, 60)` lets almost 2 N through in its first, because its bucket starts
empty and leaks as well; `AsyncLimiter(1, 60 / N)` loses a tenth of the rate to the coarseness of timers. A small
burst avoids both, and a quarter second's worth of slots is kept back for requests that bunch up on their way.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aiolimiter import AsyncLimiter

from provisioner.sending.calls import Budget, Reply
from provisioner.sending.retry import Waits, pause


@dataclass(frozen=True, slots=True)
class Shape:
    """How a limit is spread over time.

    burst   slots that may go at once
    block   slots taken from the limiter in one go (waking a task for each would cost more than the request)
    period  seconds in which `burst` slots leak out
    """

    burst: int
    block: int
    period: float

    @classmethod
    def of(cls, per_minute: float) -> Shape:
        """Spread `per_minute` slots evenly, never more than that in any 60 s."""
        per_second = per_minute / 60
        # A fifth of a second's worth, at most 16; where timers are coarse against the rate, 20 ms' worth.
        burst = max(1, min(16, int(per_second / 5)), int(per_second / 50))
        block = max(1, burst // 2)
        kept_back = int(per_second / 4)
        # Up to block - 1 slots can lie in hand from before the minute began.
        steady = max(per_minute - kept_back - burst - (block - 1), per_minute / 2)
        return cls(burst, block, 60 * burst / steady)

    def limiter(self) -> AsyncLimiter:
        """Build the bucket."""
        return AsyncLimiter(self.burst, self.period)


class Gate:
    """The pause that all share: closed by a 429, open again when the server said so.

    clock   monotonic seconds
    jitter  gives numbers in [0, 1)
    """

    def __init__(self, waits: Waits, clock: Callable[[], float], jitter: Callable[[], float]) -> None:
        self._waits, self._clock, self._jitter = waits, clock, jitter
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
        return max(0.0, self._opens_at - self._clock())

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
        now = self._clock()
        opens_at = max(self._opens_at, now + seconds)
        self._ordered += opens_at - max(self._opens_at, now)
        self._opens_at = opens_at
        return None if running else seconds

    def passed(self) -> None:
        """Note that a request got through."""
        if self._strikes and not self.closed_for:
            self._strikes = 0

    async def wait(self) -> None:
        """Return when the gate is open."""
        # Not an event: the pause can be made longer while it is waited out.
        while (seconds := self.closed_for) > 0:  # noqa: ASYNC110
            await asyncio.sleep(seconds)


class Pacer:
    """Hands out the slots of one budget, in order of asking, behind the gate.

    per_minute  slots allowed in any 60 s
    """

    def __init__(self, per_minute: float, gate: Gate) -> None:
        self.gate = gate
        self.per_minute = per_minute
        self._shape = Shape.of(per_minute)
        self._limiter = self._shape.limiter()
        self._free = 0
        self._waiting: deque[asyncio.Future[bool]] = deque()
        self._filler: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def saturated(self) -> bool:
        """Whether someone is waiting for a slot."""
        return bool(self._waiting)

    async def slot(self) -> bool:
        """Wait for leave to send one request; False when the pacer has been closed meanwhile."""
        if self._closed:
            return False
        if self._free and not self._waiting and not self.gate.closed_for:
            self._free -= 1
            return True
        turn: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        if self._filler is None or self._filler.done():
            self._filler = asyncio.create_task(self._fill(), name="pacer")
        return await turn

    def lower(self, per_minute: float) -> bool:
        """Adopt a lower limit that the server told; True when it is news."""
        if per_minute >= self.per_minute:
            return False
        self.per_minute = per_minute
        self._shape = Shape.of(per_minute)
        self._limiter = self._shape.limiter()
        return True

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
            if not self._free:
                # A limit that was lowered meanwhile has another limiter: its block is taken anew.
                shape, limiter = self._shape, self._limiter
                await limiter.acquire(shape.block)
                self._free += shape.block
            # Looked at last: a 429 may have come while the limiter was waited for.
            await self.gate.wait()
            self._hand_out()

    def _hand_out(self) -> None:
        while self._free and self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                self._free -= 1
                turn.set_result(True)


class Pacing:
    """All the budgets of an app behind one gate; `given` is how many slots each has given so far.

    limits   slots a minute for each budget, the share already taken off
    share    what part of a limit told by the server is ours
    lowered  called when the server told a lower limit: budget, requests a minute from now on
    paused   called when a pause begins: seconds
    """

    def __init__(
        self,
        limits: Mapping[Budget, float],
        share: float,
        gate: Gate,
        *,
        lowered: Callable[[Budget, float], None],
        paused: Callable[[float], None],
    ) -> None:
        self.gate = gate
        self.pacers = {budget: Pacer(limit, gate) for budget, limit in limits.items()}
        self.given = dict.fromkeys(Budget, 0)
        self._share = share
        self._lowered, self._paused = lowered, paused

    async def slot(self, budget: Budget) -> bool:
        """Wait for leave to send one request; False when the run is being stopped."""
        leave = await self.pacers[budget].slot()
        self.given[budget] += leave
        return leave

    def learn(self, budget: Budget, reply: Reply, *, limited: bool) -> None:
        """Take from a reply what it says about the rate; `limited` when it was turned away for it."""
        if reply.limit and self.pacers[budget].lower(reply.limit * self._share):
            self._lowered(budget, self.pacers[budget].per_minute)
        if not limited:
            if reply.status is not None:
                self.gate.passed()
        elif (seconds := self.gate.close(reply)) is not None:
            self._paused(seconds)

    def close(self) -> None:
        """Give out no further slot."""
        for pacer in self.pacers.values():
            pacer.close()

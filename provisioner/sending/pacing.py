"""Rate limiting: slots are handed out first come, first served, behind one pause that all requests share."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable, Mapping

from provisioner.sending.calls import Budget, Reply
from provisioner.sending.retry import Waits, pause
from provisioner.sending.slots.limiter import OwnLimiter
from provisioner.sending.slots.source import NOTHING, Grant, Source


class Gate:
    """The pause that all requests share: closed by a 429, open again when the server allows.

    clock   returns monotonic seconds
    jitter  returns random numbers in [0, 1)
    """

    def __init__(self, waits: Waits, clock: Callable[[], float], jitter: Callable[[], float]) -> None:
        self.clock = clock
        self._waits, self._jitter = waits, jitter
        self._opens_at = 0.0
        self._strikes = 0
        self._ordered = 0.0

    @property
    def closed_so_far(self) -> float:
        """Seconds for which the gate has been closed so far, over all pauses."""
        return self._ordered - self.closed_for

    @property
    def closed_for(self) -> float:
        """Seconds until the gate opens; 0 when it is open."""
        return max(0.0, self._opens_at - self.clock()) if self._opens_at else 0.0

    def close(self, reply: Reply) -> float | None:
        """Pause all requests after a 429. Returns the seconds of a new pause, None if one is running already.

        Requests that were on the wire when a pause began are answered 429 too: such an answer extends the pause if it
        names a time, but is not counted as another strike.
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
        """Stay closed for that time because another process of the app was told to pause. Not counted as a strike."""
        now = self.clock()
        opens_at = max(self._opens_at, now + seconds)
        self._ordered += opens_at - max(self._opens_at, now)
        self._opens_at = opens_at

    def passed(self) -> None:
        """Record that a request was not rate-limited, which ends a series of strikes."""
        if self._strikes and not self.closed_for:
            self._strikes = 0

    async def wait(self) -> None:
        """Return when the gate is open."""
        # A loop, not an event: the pause can be extended meanwhile.
        while (seconds := self.closed_for) > 0:  # noqa: ASYNC110
            await asyncio.sleep(seconds)


class Pacer:
    """Hands out the slots of one budget, first come, first served, behind the gate.

    source  where the slots come from
    """

    def __init__(self, source: Source, gate: Gate) -> None:
        self.gate = gate
        self.source = source
        self._grant = NOTHING
        self._waiting: deque[asyncio.Future[int]] = deque()
        self._filler: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def per_minute(self) -> float:
        """Slots allowed in any 60 s."""
        return self.source.per_minute

    @property
    def saturated(self) -> bool:
        """Whether a request is waiting for a slot."""
        return bool(self._waiting)

    def slot_now(self) -> int:
        """Take a slot without waiting: its ticket, or 0 if none is available or others are waiting."""
        if not self._grant.slots or self._waiting or self._closed or self.gate.closed_for:
            return 0
        return self._use()

    async def slot(self) -> int:
        """Wait for a slot. Returns a ticket for `answered`, or 0 if the pacer was closed meanwhile."""
        if self._closed:
            return 0
        if ticket := self.slot_now():
            return ticket
        turn: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        if self._filler is None or self._filler.done():
            self._filler = asyncio.create_task(self._fill(), name="pacer")
        return await turn

    def change(self, per_minute: float) -> None:
        """Change the limit from now on."""
        if per_minute != self.per_minute:
            self.source.change(per_minute)
            self._grant = NOTHING

    def close(self) -> None:
        """Hand out no more slots; all waiting requests return at once."""
        self._closed = True
        if self._filler is not None:
            self._filler.cancel()
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(0)

    async def _fill(self) -> None:
        while self._waiting:
            if not self._grant.slots:
                self._grant = await self.source.take(len(self._waiting))
            if self.gate.closed_for:  # checked last: a 429 may have arrived while waiting for the slots
                self._grant = NOTHING  # used after the pause, they would exceed the limit of that minute
                await self.gate.wait()
                continue
            self._hand_out()

    def _hand_out(self) -> None:
        while self._waiting:
            if self._waiting[0].done():
                self._waiting.popleft()
            elif ticket := self._use():
                self._waiting.popleft().set_result(ticket)
            else:
                return

    def _use(self) -> int:
        """Use one slot of the grant: its ticket, or 0 if none is left or the grant has expired."""
        slots, ends = self._grant
        if slots and ends is not math.inf and self.gate.clock() >= ends:
            slots = 0
        if not slots:
            self._grant = NOTHING
            return 0
        self._grant = Grant(slots - 1, ends)
        return self.source.used()


class Pacing:
    """All budgets of an app behind one gate.

    limits   slots a minute of each budget, already reduced to this process's share
    share    fraction of a limit reported by the server that is for this process
    lowered  called with the budget and its requests a minute when the server reports a lower limit
    paused   called with the seconds of a pause when it begins
    source   makes the source of slots of a budget and limit

    `issued` counts the slots handed out so far, by budget.
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
        self.issued = dict.fromkeys(Budget, 0)
        self._share = share
        self._reported: dict[Budget, float] = {}
        self._lowered, self._paused = lowered, paused

    def slot_now(self, budget: Budget) -> int:
        """Take a slot without waiting: its ticket, or 0 if none is available."""
        ticket = self.pacers[budget].slot_now()
        self.issued[budget] += ticket > 0
        return ticket

    async def slot(self, budget: Budget) -> int:
        """Wait for a slot. Returns a ticket for `answered`, or 0 if the run is being stopped."""
        ticket = await self.pacers[budget].slot()
        self.issued[budget] += ticket > 0
        return ticket

    def answered(self, budget: Budget, ticket: int) -> None:
        """Record that the request with this ticket was answered, or never will be."""
        self.pacers[budget].source.answered(ticket)

    def change(self, limits: Mapping[Budget, float], share: float) -> None:
        """Change the limits, as in `Pacing`; none exceeds what the server has reported."""
        self._share = share
        for budget, limit in limits.items():
            self.pacers[budget].change(min(limit, self._reported.get(budget, math.inf) * share))

    def learn(self, budget: Budget, reply: Reply, *, limited: bool) -> None:
        """Apply what a reply says about the rate; `limited` if the request was refused because of it."""
        if reply.limit:
            self._reported[budget], pacer = reply.limit, self.pacers[budget]
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
        """Hand out no more slots."""
        for pacer in self.pacers.values():
            pacer.close()

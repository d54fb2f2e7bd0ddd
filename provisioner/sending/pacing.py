"""The rate: slots handed out in order of asking, and one pause that holds everyone."""

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


class Pacer:
    """Hands out the slots of one budget, in order of asking, behind the gate.

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
        """Whether someone is waiting for a slot."""
        return bool(self._waiting)

    def slot_now(self) -> int:
        """Take a slot if one is in hand and nobody waits for it: its ticket, 0 for none."""
        if not self._grant.slots or self._waiting or self._closed or self.gate.closed_for:
            return 0
        return self._use()

    async def slot(self) -> int:
        """Wait for leave to send one request: a ticket for `answered`; 0 when the pacer has been closed meanwhile."""
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
                turn.set_result(0)

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
        while self._waiting:
            if self._waiting[0].done():
                self._waiting.popleft()
            elif ticket := self._use():
                self._waiting.popleft().set_result(ticket)
            else:
                return

    def _use(self) -> int:
        """Use one slot: its ticket, 0 when there is none, or what there was has ended."""
        slots, ends = self._grant
        if slots and ends is not math.inf and self.gate.clock() >= ends:
            slots = 0
        if not slots:
            self._grant = NOTHING
            return 0
        self._grant = Grant(slots - 1, ends)
        return self.source.used()


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

    def slot_now(self, budget: Budget) -> int:
        """Take leave to send one request, if there is some at once: its ticket, else 0."""
        ticket = self.pacers[budget].slot_now()
        self.given[budget] += ticket > 0
        return ticket

    async def slot(self, budget: Budget) -> int:
        """Wait for leave to send one request: a ticket for `answered`; 0 when the run is being stopped."""
        ticket = await self.pacers[budget].slot()
        self.given[budget] += ticket > 0
        return ticket

    def answered(self, budget: Budget, ticket: int) -> None:
        """Note that the request of that ticket has its answer, or will have none."""
        self.pacers[budget].source.answered(ticket)

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

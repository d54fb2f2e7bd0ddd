"""Slots as a pool takes them, and what sends with them, by a clock that a test turns."""

from __future__ import annotations

import asyncio
from bisect import bisect_left

from provisioner.sending.attempts import Exchanger, OutageTimer, Send
from provisioner.sending.calls import Budget
from provisioner.sending.pacing import Gate, Pacer, Pacing
from provisioner.sending.retry import Waits
from provisioner.stop import Stopper
from provisioner.tally import RequestTally
from tests.rig import clock


def a_gate(jitter: float = 0.5, waits: Waits | None = None) -> Gate:
    return Gate(waits or Waits(), clock.now, lambda: jitter)


def enough_slots(per_minute: float = 60_000, jitter: float = 1.0, waits: Waits | None = None) -> Pacing:
    """Of each budget, more than a test takes."""
    limits = dict.fromkeys(Budget, per_minute)
    return Pacing(limits, 1.0, a_gate(jitter, waits), lowered=lambda *_: None, paused=lambda _: None)


def an_exchanger(
    send: Send, stopper: Stopper, requests: RequestTally | None = None, attempts: int = 3, pacing: Pacing | None = None
) -> Exchanger:
    """What carries out operations without jitter, and with slots enough unless told otherwise."""
    requests, pacing = requests or RequestTally(), pacing or enough_slots()
    return Exchanger(send, pacing, stopper, requests, Waits(), OutageTimer(60.0, stopper), lambda: 1.0, attempts)


def worst_window(times: list[float], seconds: float) -> int:
    """The most arrivals in any window [t, t + seconds)."""
    return max(bisect_left(times, begin + seconds) - i for i, begin in enumerate(times))


async def slots_taken(pacer: Pacer, workers: int, seconds: float) -> list[float]:
    times: list[float] = []
    end = clock.now() + seconds

    async def work() -> None:
        while clock.now() < end and await pacer.slot():
            times.append(clock.now())

    tasks = [asyncio.create_task(work()) for _ in range(workers)]
    await asyncio.sleep(seconds)
    pacer.close()
    await asyncio.gather(*tasks)
    return times

"""Slots as a pool takes them, by a clock that a test turns."""

from __future__ import annotations

import asyncio
from bisect import bisect_left

from provisioner.sending.pacing import Gate, Pacer
from provisioner.sending.retry import Waits
from tests.rig import clock


def a_gate(jitter: float = 0.5, waits: Waits | None = None) -> Gate:
    return Gate(waits or Waits(), clock.now, lambda: jitter)


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

"""Promise 4: never over the rate in any 60 s, no burst at the start, at least 98 % used."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner.sending.pacing import Pacer
from provisioner.sending.slots.limiter import OwnLimiter, Shape
from tests.rig import clock
from tests.rig.sampling import examples
from tests.rig.slots import a_gate, slots_taken, worst_window


@pytest.mark.sampled
@pytest.mark.parametrize("per_minute", [60, 100, 300, 600, 1000, 3000, 9000, 12_000, 60_000])
def test_uses_98_percent_and_is_never_over_in_any_minute(per_minute: int) -> None:
    """From the first minute on: as many slots as allowed in no 60 s, and hardly fewer."""

    async def main() -> list[float]:
        return await slots_taken(Pacer(OwnLimiter(per_minute), a_gate()), workers=64, seconds=150)

    times = clock.run(main())
    assert worst_window(times, 60) <= per_minute
    assert len(times) / (per_minute * 150 / 60) >= 0.98


@given(per_minute=st.floats(min_value=1, max_value=1e8))
@settings(max_examples=examples(300), deadline=None)
def test_shape_never_promises_more_than_the_limit(per_minute: float) -> None:
    """A full burst, what lies in hand and a minute of leaking stay within the limit, whatever the limit."""
    shape = Shape.of(per_minute)
    if per_minute >= 4:
        assert shape.burst * 60 / shape.period + shape.burst + shape.spare <= per_minute * 1.0001
    assert shape.spare < shape.block <= shape.burst
    assert all(shape.wanted(waiting) - waiting <= shape.spare for waiting in (1, 7, 64, 10_000))


def test_does_not_begin_with_a_burst() -> None:
    """The first second holds a second's worth of slots and a small burst, not a minute's worth."""

    async def main() -> list[float]:
        return await slots_taken(Pacer(OwnLimiter(6000), a_gate()), workers=64, seconds=1)

    assert len(clock.run(main())) <= 100 + 16


@pytest.mark.sampled
@pytest.mark.parametrize(("before", "after"), [(6000, 3000), (6000, 600), (600, 6000), (3000, 3300), (9000, 60)])
@pytest.mark.parametrize("at", [5.0005, 90.0005])  # not in the very moment of a slot: timers go by milliseconds
def test_a_limit_that_is_changed_is_kept_at_once(before: int, after: int, at: float) -> None:
    """60 s that end behind the change hold no more than the new limit, with all that went before."""

    async def main() -> tuple[list[float], float]:
        pacer = Pacer(OwnLimiter(before), a_gate())
        changed = clock.now() + at
        asyncio.get_running_loop().call_at(changed, pacer.change, after)
        return await slots_taken(pacer, 64, 300), changed

    times, changed = clock.run(main())
    assert worst_window([each for each in times if each < changed], 60) <= before
    # Every window that a slot behind the change ends: what went before it counts against the new limit.
    behind = [i for i, each in enumerate(times) if each >= changed]
    assert max(i + 1 - bisect_left(times, times[i] - 60 + 1e-6) for i in behind) <= after
    late = [each for each in times if each >= changed + 60]
    assert len(late) / (after * (300 - at - 60) / 60) >= 0.95


@pytest.mark.parametrize("per_minute", [600, 3000, 12_000, 60_000])
def test_commands_one_after_another_are_not_over_together(per_minute: int) -> None:
    """Each begins as soon as the one before has been killed, and knows nothing of it."""

    async def main() -> list[float]:
        times = []
        for seconds in (40.0, 5.0, 1.0, 3.0, 1.0, 40.0):
            times += await slots_taken(Pacer(OwnLimiter(per_minute), a_gate()), workers=64, seconds=seconds)
            await asyncio.sleep(0.1)
        return times

    assert worst_window(clock.run(main()), 60) <= per_minute


async def arrivals(per_minute: int, there: tuple[float, float], back: float, seconds: float) -> list[float]:
    """When a server sees requests that take `there` (at least, at most) to reach it and `back` to be answered, in s."""
    random, limiter, times, end = Random(7), OwnLimiter(per_minute), list[float](), clock.now() + seconds
    pacer = Pacer(limiter, a_gate())

    async def work() -> None:
        while clock.now() < end and (ticket := await pacer.slot()):
            await asyncio.sleep(random.uniform(*there))
            times.append(clock.now())
            await asyncio.sleep(back)
            limiter.answered(ticket)

    tasks = [asyncio.create_task(work()) for _ in range(256)]
    await asyncio.sleep(seconds)
    pacer.close()
    await asyncio.gather(*tasks)
    return sorted(times)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("there", "back", "least"),
    [((0.01, 0.012), 0.008, 0.996), ((0.0, 0.49), 0.01, 0.99), ((0.1, 0.2), 0.2, 0.993), ((0.02, 0.1), 2.0, 0.985)],
)
def test_no_minute_of_a_server_holds_more_whatever_the_way_there(
    there: tuple[float, float], back: float, least: float
) -> None:
    """Fast and even, bunched up by half a second, slow there and back, and a server that takes its time."""
    times = clock.run(arrivals(6000, there, back, 150))
    assert worst_window(times, 60) <= 6000
    late = [each for each in times if times[0] + 1 <= each < times[0] + 145]
    assert len(late) / (100 * 144) >= least

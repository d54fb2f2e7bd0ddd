"""Promise 4: never over the rate in any 60 s, no burst at the start, at least 98 % used; one 429 pauses everyone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from provisioner.sending.calls import Budget, Reply
from provisioner.sending.pacing import Pacer, Pacing
from provisioner.sending.slots.limiter import OwnLimiter
from tests.rig import clock
from tests.rig.slots import a_gate, slots_taken


def test_a_429_holds_everyone_until_the_server_said_so() -> None:
    """One 429 with Retry-After 3 among 64 workers: nothing for 3 s, then the stream goes on evenly."""

    async def main() -> tuple[list[float], float]:
        gate = a_gate()
        pacer = Pacer(OwnLimiter(6000), gate)
        asyncio.get_running_loop().call_later(1.0, lambda: gate.close(Reply(status=429, retry_after=3.0)))
        began = clock.now()
        return await slots_taken(pacer, workers=64, seconds=10), began

    times, began = clock.run(main())
    during = [t for t in times if began + 1.0 < t < began + 4.0]
    after = [t for t in times if began + 4.0 <= t < began + 5.0]
    assert during == []
    assert 90 <= len(after) <= 100 + 32


def test_requests_that_were_on_the_wire_when_a_pause_began_are_no_further_strike() -> None:
    """Sixty-four 429s at once are one pause without a header, not sixty-four ever longer ones."""

    async def main() -> list[float | None]:
        gate = a_gate()
        return [gate.close(Reply(status=429)) for _ in range(64)]

    assert clock.run(main()) == [1.5] + [None] * 63


def test_pauses_without_a_header_grow_until_a_request_gets_through() -> None:
    """Back-off for everyone: 2, 4, 8 s at the longest; a success in between begins anew."""

    async def main() -> list[float | None]:
        gate = a_gate(jitter=1.0)
        pauses = []
        for passed in (False, False, False, True, False):
            if passed:
                gate.passed()
            pauses.append(gate.close(Reply(status=429)))
            await asyncio.sleep(gate.closed_for)
        return pauses

    assert clock.run(main()) == [2.0, 4.0, 8.0, 2.0, 4.0]


def test_a_pause_can_be_made_longer_while_it_is_waited_out() -> None:
    """A later 429 that names a longer time is heeded; one that names a shorter time is not."""

    async def main() -> float:
        gate = a_gate()
        began = clock.now()
        gate.close(Reply(status=429, retry_after=2.0))
        waiting = asyncio.create_task(gate.wait())
        await asyncio.sleep(1.0)
        gate.close(Reply(status=429, retry_after=5.0))
        gate.close(Reply(status=429, retry_after=0.0))
        await waiting
        return clock.now() - began

    assert clock.run(main()) == pytest.approx(6.0)


@pytest.mark.parametrize(("per_minute", "in_hand"), [(1200, False), (60_000, True)])
def test_a_slot_in_hand_is_taken_at_once_unless_somebody_waits_for_it(per_minute: int, in_hand: bool) -> None:
    """At a small rate none is taken that nobody waits for; a closed gate, and a pacer that is closed, give none."""

    async def main() -> list[int]:
        gate = a_gate()
        pacer = Pacer(OwnLimiter(per_minute), gate)
        nothing_in_hand = pacer.slot_now()
        assert await pacer.slot()
        at_once = pacer.slot_now()
        gate.hold(1.0)
        while_held = pacer.slot_now()
        waiting = asyncio.create_task(pacer.slot())
        await asyncio.sleep(0.5)
        while_waited_for = pacer.slot_now()
        await waiting
        pacer.close()
        return [nothing_in_hand, at_once, while_held, while_waited_for, pacer.slot_now()]

    assert [ticket > 0 for ticket in clock.run(main())] == [False, in_hand, False, False, False]


def test_slots_that_a_pause_overtakes_are_lost() -> None:
    """They count for the time at which they were taken: given out behind the pause they would come on top of others."""

    async def main() -> float:
        gate = a_gate()
        pacer = Pacer(OwnLimiter(60), gate)
        assert await pacer.slot()
        waiting = asyncio.create_task(pacer.slot())
        await asyncio.sleep(0.5)
        began = clock.now()
        gate.hold(10.0)
        await waiting
        return clock.now() - began

    assert 10.0 < clock.run(main()) <= 11.1


def test_closing_tells_everyone_who_waits_at_once() -> None:
    """A stopped run waits for no slot, however slow the rate."""

    async def main() -> tuple[list[int], float]:
        pacer = Pacer(OwnLimiter(1), a_gate())
        assert await pacer.slot()
        waiting = [asyncio.create_task(pacer.slot()) for _ in range(5)]
        await asyncio.sleep(0.01)
        began = clock.now()
        pacer.close()
        return [*await asyncio.gather(*waiting), await pacer.slot()], clock.now() - began

    answers, seconds = clock.run(main())
    assert answers == [0] * 6
    assert seconds < 0.001


def test_a_lower_limit_told_by_the_server_is_adopted_and_a_higher_one_is_not() -> None:
    """The share applies to what the server tells; the news is told once."""
    told: list[tuple[Budget, float]] = []

    async def main() -> dict[Budget, float]:
        limits = {Budget.CORE: 9000.0, Budget.STANDARD: 18_000.0}
        pacing = Pacing(limits, 0.9, a_gate(), lowered=lambda *news: told.append(news), paused=_ignore)
        for limit in (20_000, 500, 500):
            pacing.learn(Budget.CORE, Reply(status=200, limit=limit), limited=False)
        return {budget: pacer.per_minute for budget, pacer in pacing.pacers.items()}

    assert clock.run(main()) == {Budget.CORE: 450.0, Budget.STANDARD: 18_000.0}
    assert told == [(Budget.CORE, 450.0)]


_ignore: Callable[[float], None] = lambda _: None  # noqa: E731


def test_pauses_add_up_to_the_time_that_was_really_closed() -> None:
    """One that is made longer counts once, and what is still ahead does not count yet."""

    async def main() -> list[float]:
        gate, seen = a_gate(), []
        for after, wait in ((10.0, 4.0), (10.0, 20.0), (3.0, 1.0), (None, 5.0)):
            gate.close(Reply(status=429, retry_after=after))
            await asyncio.sleep(wait)
            seen.append(round(gate.closed_so_far, 3))
        return seen

    assert clock.run(main())[:3] == [4.0, 14.0, 15.0]


def test_a_limit_told_by_the_server_outlives_a_change() -> None:
    """Whatever is asked for later: no more than the server allows, less the share."""

    async def main() -> list[float]:
        limits = {Budget.CORE: 900.0, Budget.STANDARD: 1800.0}
        pacing = Pacing(limits, 0.9, a_gate(), lowered=lambda *_: None, paused=lambda _: None)
        pacing.learn(Budget.CORE, Reply(status=200, limit=600), limited=False)
        per_minute = [pacing.pacers[Budget.CORE].per_minute]
        for limit, share in ((450.0, 0.9), (5000.0, 0.5)):
            pacing.change({Budget.CORE: limit}, share)
            per_minute.append(pacing.pacers[Budget.CORE].per_minute)
        return per_minute

    assert clock.run(main()) == [540.0, 450.0, 300.0]

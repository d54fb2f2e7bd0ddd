"""Promise: never over a shared rate in any 60 s, at least 99 % of it used, whoever comes, goes, dies or must wait."""

from __future__ import annotations

import asyncio
import random
from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

import pytest

from provisioner.sending.calls import Budget, Reply
from provisioner.sending.pacing import Gate, Pacing
from provisioner.sending.retry import Waits
from provisioner.sending.slots.desk import LEASE, Desk, Ledger
from provisioner.sending.slots.link import LeasedSlots
from provisioner.sending.slots.server import answered
from tests.rig import clock

APP = "https://one.example.test/v3"


class Near:
    """A desk in this process, a few milliseconds away; `alive` as long as its holder is."""

    def __init__(self, desk: Desk, holder: str) -> None:
        self.desk, self.holder = desk, holder

    async def ask(self, question: Sequence[Any]) -> list[Any]:
        await asyncio.sleep(random.uniform(0.0, 0.004))
        answer = answered(self.desk, self.holder, list(question))
        await asyncio.sleep(random.uniform(0.0, 0.004))
        return answer


def a_shard(desk: Desk, name: str, per_minute: float) -> Pacing:
    gate = Gate(Waits(), clock.now, lambda: 0.5)
    return Pacing(
        {Budget.CORE: per_minute},
        0.9,
        gate,
        lowered=lambda *_: None,
        paused=lambda _: None,
        source=lambda budget, limit: LeasedSlots(Near(desk, name), APP, budget, limit, gate, lambda *_: None),
    )


async def work(pacing: Pacing, used: list[float], seconds: float, workers: int = 64, latency: float = 0.1) -> None:
    """What a pool does: so many requests on the wire at once."""

    async def one() -> None:
        while await pacing.slot(Budget.CORE):
            used.append(clock.now())
            await asyncio.sleep(latency)

    tasks = [asyncio.create_task(one()) for _ in range(workers)]
    await asyncio.sleep(seconds)
    pacing.close()
    await asyncio.gather(*tasks)


def worst_minute(times: list[float]) -> int:
    ordered = sorted(times)
    return max(bisect_left(ordered, begin + 60) - i for i, begin in enumerate(ordered))


@pytest.mark.sampled
@pytest.mark.parametrize("per_minute", [600, 9000, 60_000])
def test_shards_that_come_and_go_use_99_percent_and_are_never_over(per_minute: int) -> None:
    """Ninety seconds, two to five shards at a time, each for a few seconds: what one leaves the others take at once."""
    random.seed(per_minute)
    used: list[float] = []

    async def main() -> None:
        desk, end = Desk(clock.now), clock.now() + 90

        async def shards(number: int) -> None:
            turn = 0
            while (left := end - clock.now()) > 0:
                turn += 1
                shard = a_shard(desk, f"{number}.{turn}", per_minute)
                await work(shard, used, min(left, random.uniform(3, 20)), workers=200)
                desk.forget(f"{number}.{turn}")
                if number > 2:
                    await asyncio.sleep(random.uniform(0, 5))

        await asyncio.gather(*(shards(number) for number in range(1, 6)))

    clock.run(main())
    assert worst_minute(used) <= per_minute
    assert len(used) / (per_minute * 90 / 60) >= 0.99


@pytest.mark.slow
def test_equal_parts_for_who_asks_and_everything_for_who_is_left() -> None:
    """Four shards get about a quarter each; when three are gone, the fourth has it all in the same second."""
    used: list[list[float]] = [[] for _ in range(4)]
    random.seed(4)

    async def main() -> None:
        desk = Desk(clock.now)
        shards = [a_shard(desk, f"shard {number}", 6000) for number in range(4)]
        await asyncio.gather(*(work(shards[n], used[n], 20 if n else 30) for n in range(4)))

    clock.run(main())
    assert all(len(each) == pytest.approx(20 * 25, rel=0.2) for each in used[1:])
    assert sum(at > 1021 for at in used[0]) == pytest.approx(9 * 100, rel=0.02)


def test_a_429_in_one_shard_holds_all_and_a_lower_limit_is_everyones() -> None:
    """What one is told holds for the others as soon as their leases have ended."""
    used: list[list[float]] = [[], []]
    limits: list[float] = []

    async def main() -> None:
        desk = Desk(clock.now)
        shards = [a_shard(desk, f"shard {number}", 6000) for number in range(2)]

        def learn(reply: Reply, *, limited: bool) -> None:
            shards[0].learn(Budget.CORE, reply, limited=limited)

        loop = asyncio.get_running_loop()
        loop.call_later(5, lambda: learn(Reply(status=429, retry_after=4.0), limited=True))
        loop.call_later(12, lambda: learn(Reply(status=200, limit=2000), limited=False))
        await asyncio.gather(*(work(shard, times, 14) for shard, times in zip(shards, used, strict=True)))
        limits.extend(shard.pacers[Budget.CORE].per_minute for shard in shards)

    clock.run(main())
    for times in used:
        assert [at for at in times if 1005 + LEASE < at < 1009] == []
        assert len([at for at in times if 1009 < at < 1012]) > 100
    assert limits == [1800.0, 1800.0]


def test_who_dies_loses_its_lease_and_no_more() -> None:
    """Slots that were leased and never used are gone; the next second is whole again."""
    ledger = Ledger(6000, 0.0)
    ledger.lease("other", 1, 0.0)
    lost, _ = ledger.lease("dead", 1000, 1.0)
    assert lost <= 6000 / 60 * LEASE
    ledger.forget("dead")
    got = sum(ledger.lease("other", 1000, 1.0 + step / 50)[0] for step in range(1, 501))
    assert got == pytest.approx(1000, rel=0.02)


def test_what_was_not_asked_for_is_not_saved_up() -> None:
    """After an idle hour there is a quarter second's worth, as after an idle second."""
    ledger = Ledger(6000, 0.0)
    assert ledger.lease("late", 10_000, 3600.0)[0] == 24


@pytest.mark.parametrize("per_minute", [0.5, 1, 3])
def test_a_limit_of_next_to_nothing_is_held(per_minute: float) -> None:
    """One request a minute is one request a minute."""
    ledger, given = Ledger(per_minute, 0.0), []
    for second in range(600):
        given += [float(second)] * ledger.lease("only", 5, float(second))[0]
    assert worst_minute(given) <= max(1, per_minute)
    assert len(given) >= 0.9 * 600 / 60 * per_minute - 1


def test_a_question_that_is_none_is_refused() -> None:
    """Nobody gets slots by mistake."""
    with pytest.raises(ValueError, match="no question"):
        answered(Desk(lambda: 0.0), "x", ["lease", APP])

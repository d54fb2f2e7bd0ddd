"""Promise: slots over a socket; while the desk is gone nobody gets any, it is told, its successor is found."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from provisioner.sending.calls import Budget
from provisioner.sending.pacing import Gate
from provisioner.sending.retry import Waits
from provisioner.sending.slots.desk import Desk
from provisioner.sending.slots.link import LeasedSlots, Link
from provisioner.sending.slots.server import serving


def test_a_desk_that_is_gone_is_waited_for_and_its_successor_is_found(tmp_path: Path) -> None:
    """No slot in between; the seconds are told, from 0 on."""
    told: list[float] = []

    async def main() -> tuple[int, bool, int, float | None]:
        address = tmp_path / "pacer"
        gate = Gate(Waits(), time.monotonic, lambda: 0.5)
        link = Link(address, time.monotonic, told.append)
        source = LeasedSlots(link, "app", Budget.CORE, 60_000.0, gate, lambda *_: None)
        async with serving(Desk(time.monotonic), address):
            before = (await source.take(1)).slots
        waiting = asyncio.create_task(source.take(1))
        while not told:  # noqa: ASYNC110 - a connection that cannot be made tells nobody
            await asyncio.sleep(0.01)
        in_between = waiting.done()
        async with serving(Desk(time.monotonic), address):
            after = (await waiting).slots
        gone_for = link.gone_for
        link.close()
        return before, in_between, after, gone_for

    assert asyncio.run(main()) == (1, False, 1, None)
    assert told[0] == 0


def test_a_lease_is_counted_from_the_question(tmp_path: Path) -> None:
    """A desk that is slow to answer leaves less of a lease, so that nothing is used after the desk's reckoning."""

    async def main() -> tuple[float, float]:
        class Slow:
            async def ask(self, _question: object) -> list[float]:
                await asyncio.sleep(0.1)
                return [3, 0.02, 0.0, 600.0]

        gate = Gate(Waits(), time.monotonic, lambda: 0.5)
        source = LeasedSlots(Slow(), "app", Budget.CORE, 600.0, gate, lambda *_: None)
        began = time.monotonic()
        grant = await source.take(9)
        return grant.ends - began, time.monotonic() - began

    lasts, took = asyncio.run(main())
    assert took >= 0.1
    assert 0.25 <= lasts < 0.3

"""What the settings ask for is what is built, and it is taken down however the block ends."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path
from typing import Self

import pytest
from structlog.testing import capture_logs

from provisioner.emulator.server import Emulator
from provisioner.errors import ExitCode, JournalError
from provisioner.journal.journal import Journal
from provisioner.run.job import Run, Target
from provisioner.run.wiring import PACER, block_size, connected, open_store
from provisioner.sending.calls import Budget, Reply
from provisioner.sending.slots.desk import Desk
from provisioner.sending.slots.server import serving
from provisioner.settings.tables import Rate, Retry, Settings
from provisioner.stop import Stop, Stopper
from tests.rig.work import APP, Place, with_emulator


def a_run(tmp_path: Path, **tables: object) -> Run:
    place = Place(tmp_path)
    place.write("uid,name\n")
    return Run.begin(place.job(**tables), Stopper())


def test_what_sends_is_built_as_the_settings_ask(tmp_path: Path) -> None:
    """The share of each limit, the workers, the attempts; and the watch sees the pace."""

    async def work(target: Target, _: Emulator) -> None:
        rate = Rate(requests_per_minute=600, standard_requests_per_minute=1200, share=0.5, max_in_flight=7)
        run = a_run(tmp_path, rate=rate, retry=Retry(max_attempts=3))
        async with connected(run, target) as connection:
            pacing = connection.exchanger.pacing
            assert {budget: each.per_minute for budget, each in pacing.pacers.items()} == {
                Budget.CORE: 300.0, Budget.STANDARD: 600.0,
            }  # fmt: skip
            assert (connection.pool.size, connection.exchanger.max_attempts) == (7, 3)
            assert (run.watch.sending.pacing, run.watch.sending.in_flight) == (pacing, 7)
            assert connection.exchanger.requests is run.tally.requests

    with_emulator(work)


@pytest.mark.parametrize("how", ["leaving", "failing", "stopping"])
def test_nobody_waits_for_a_slot_that_will_not_come(tmp_path: Path, how: str) -> None:
    """The pacing is closed when the block ends, when it fails, and at the moment of a stop."""

    async def work(target: Target, _: Emulator) -> None:
        run = a_run(tmp_path)
        try:
            async with connected(run, target) as connection:
                pacing = connection.exchanger.pacing
                if how == "stopping":
                    run.stopper.request(Stop("sigint", "interrupted", ExitCode.SIGINT))
                    assert not await pacing.slot(Budget.CORE)
                if how == "failing":
                    raise LookupError
        except LookupError:
            pass
        assert not await pacing.slot(Budget.CORE)
        assert not await pacing.slot(Budget.STANDARD)

    with_emulator(work)


def test_a_lower_limit_and_a_pause_are_logged(tmp_path: Path) -> None:
    """Whoever reads the log knows why it is slow."""

    async def work(target: Target, _: Emulator) -> None:
        async with connected(a_run(tmp_path, rate=Rate(share=0.5)), target) as connection:
            pacing = connection.exchanger.pacing
            pacing.learn(Budget.CORE, Reply(status=429, limit=100, retry_after=0.25), limited=True)

    with capture_logs() as events:
        with_emulator(work)
    assert [(each["event"], each.get("per_minute"), each.get("seconds")) for each in events] == [
        ("rate.lowered", 50.0, None), ("rate.paused", None, 0.25),
    ]  # fmt: skip


def test_a_limit_that_is_lower_in_another_job_is_not_said_to_be_the_servers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fleet's desk gives the lowest that any job has, wherever that one has it from."""
    monkeypatch.setenv(PACER, str(tmp_path / "pacer"))
    desk = Desk(time.monotonic)

    async def work(target: Target, _: Emulator) -> None:
        async with serving(desk, tmp_path / "pacer"):
            desk.lease(target.base_url, Budget.CORE.value, "another", 300.0, 0)
            async with connected(a_run(tmp_path, rate=Rate(requests_per_minute=600, share=1.0)), target) as connection:
                assert await connection.exchanger.pacing.slot(Budget.CORE)

    with capture_logs() as events:
        with_emulator(work)
    reason = "another job of the fleet has this lower limit for the same app; its log says since when"
    assert [(each["event"], each["budget"], each["per_minute"], each["reason"]) for each in events] == [
        ("rate.lowered", "core", 300.0, reason)
    ]


def test_a_store_lives_in_a_thread_of_its_own(tmp_path: Path) -> None:
    """Opened, used and closed there; afterwards another process may have it."""

    async def main() -> str:
        async with asyncio.timeout(60), open_store(Journal(tmp_path / "j.db", APP), Stopper()) as recorder:
            return await recorder.run(lambda: threading.current_thread().name)

    assert asyncio.run(main()).startswith("journal")
    with Journal(tmp_path / "j.db", APP):
        pass


def test_a_store_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    """And nothing is left locked."""
    (tmp_path / "j.db").write_text("no journal at all, but long enough to be looked at as one")

    async def main() -> None:
        async with asyncio.timeout(60), open_store(Journal(tmp_path / "j.db", APP), Stopper()):
            raise AssertionError("opened")

    with pytest.raises(JournalError):
        asyncio.run(main())


@pytest.mark.parametrize(("per_minute", "share", "rows"), [(60, 1.0, 16), (10_000, 0.9, 75), (10**6, 1.0, 2000)])
def test_a_block_is_half_a_seconds_worth(per_minute: int, share: float, rows: int) -> None:
    """Between 16 and 2000 rows: a kill leaves few in doubt, and a commit is worth its time."""
    assert block_size(Settings(rate=Rate(requests_per_minute=per_minute, share=share))) == rows


def test_a_store_is_closed_whose_opening_was_cancelled(tmp_path: Path) -> None:
    """What its thread opens after all would stay locked as long as the process lasts."""
    begun, go_on = threading.Event(), threading.Event()

    class Slow(Journal):
        def __enter__(self) -> Self:
            begun.set()
            go_on.wait()
            return super().__enter__()

    path = tmp_path / "x.journal.db"

    async def opened() -> None:
        async with open_store(Slow(path, APP), Stopper()):
            raise AssertionError("it was cancelled before")

    async def cancelled() -> None:
        task = asyncio.create_task(opened())
        await asyncio.to_thread(begun.wait)
        task.cancel()
        go_on.set()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancelled())
    with Journal(path, APP) as journal:
        assert journal.is_new

"""Group commit: what was settled is on disk within 100 ms, in order, and a full disk loses nothing that was told."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from provisioner.errors import ExitCode, StorageError
from provisioner.journal.columns import OUTCOME_COLUMNS
from provisioner.journal.course.events import ANSWER, Event, events_of
from provisioner.journal.header import Identity
from provisioner.journal.journal import Journal
from provisioner.journal.recorder import Gathering, Recorder
from provisioner.journal.statements import Columns
from provisioner.model import Outcome, Settlement, State, UserRequest
from provisioner.stop import Stop, Stopper
from tests.rig import clock

STOP = Stop("sigint", "interrupted by SIGINT", ExitCode.SIGINT)
HERE = Identity("app", "http://127.0.0.1/v3")


def request(key: int) -> UserRequest:
    return UserRequest(key, row=key, uid=f"u-{key}", body=b"{}", body_hash="0" * 16, token=True)


def created(key: int, **more: Any) -> Settlement:
    known: dict[str, Any] = {"http_status": 200, "auth_token": f"token-{key}", "created_at": 1_700_000_000 + key}
    return Settlement(key, State.SETTLED, Outcome.CREATED, attempts=1, settled_at=1.5, **{**known, **more})


def on_disk(path: Path) -> dict[str, str]:
    """What another process would find: uid → outcome of the settled rows."""
    with closing(sqlite3.connect(path)) as database:
        return dict(database.execute("SELECT uid, outcome FROM users WHERE state = 'settled' ORDER BY id"))


class InPlace(Executor):
    """Runs each call at once, so that virtual time is the only time there is."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


class Disk(Journal):
    """A journal that remembers its commits, and whose disk can be full.

    commits  (virtual seconds since the start, keys) of each one that went well
    busy     called in the middle of each
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, HERE)
        self.commits: list[tuple[float, list[int]]] = []
        self.began = clock.now()
        self.full = False
        self.tries = 0
        self.busy: Callable[[], None] = lambda: None

    def settle(self, settlements: Iterable[Settlement]) -> None:
        batch = list(settlements)
        self.tries += 1
        self.busy()
        if self.full:
            raise StorageError("journal: cannot be written any more (disk full); make room, then resume")
        super().settle(batch)
        self.commits.append((round(clock.now() - self.began, 3), [each.key for each in batch]))


def recording(path: Path, scenario: Callable[[Recorder, Disk, Stopper], Awaitable[None]], *, rows: int = 200) -> None:
    """Run a scenario in virtual time over a real journal in which so many rows are marked as sent."""

    async def main() -> None:
        stopper = Stopper()
        with Disk(path) as journal:
            journal.sent([request(key) for key in range(1, rows + 1)], now=1.0)
            async with asyncio.timeout(600):
                await scenario(Recorder(journal, InPlace(), stopper), journal, stopper)

    clock.run(main())


def test_settlements_of_an_instant_share_a_commit(tmp_path: Path) -> None:
    """One commit 50 ms after the first of them, in the order in which they came."""

    async def scenario(recorder: Recorder, journal: Disk, _: Stopper) -> None:
        for key in (3, 1, 2):
            recorder.record(created(key))
        assert journal.commits == []
        await asyncio.sleep(1)
        assert journal.commits == [(0.05, [3, 1, 2])]

    recording(tmp_path / "j.db", scenario)
    assert on_disk(tmp_path / "j.db") == {"u-1": "created", "u-2": "created", "u-3": "created"}


def test_every_settlement_is_on_disk_within_a_tenth_of_a_second(tmp_path: Path) -> None:
    """A steady stream over two seconds: each waits 50 ms at most, each is written once, none overtakes another."""

    async def scenario(recorder: Recorder, journal: Disk, _: Stopper) -> None:
        told: dict[int, float] = {}
        for key in range(1, 151):
            told[key] = clock.now() - journal.began
            recorder.record(created(key))
            await asyncio.sleep(0.013)
        await asyncio.sleep(1)
        written = [(key, at) for at, keys in journal.commits for key in keys]
        assert [key for key, _ in written] == list(range(1, 151))
        assert max(at - told[key] for key, at in written) <= 0.0511

    recording(tmp_path / "j.db", scenario)


def test_a_journal_that_is_gone_stops_the_run_and_keeps_what_comes_in(tmp_path: Path) -> None:
    """Noticed with the next commit; what was on the wire is recorded, and stands in the file that is put back."""

    async def scenario(recorder: Recorder, journal: Disk, stopper: Stopper) -> None:
        recorder.record(created(1))
        await asyncio.sleep(1)
        assert not stopper.is_stopping()
        (tmp_path / "j.db").unlink()
        recorder.record(created(2))
        await stopper.wait()
        recorder.record(created(3))
        with pytest.raises(StorageError, match="was deleted or moved away while it was in use"):
            await recorder.flush()
        assert stopper.stop is not None
        assert (stopper.stop.reason, stopper.stop.exit_code) == ("storage", ExitCode.SAFETY)

    recording(tmp_path / "j.db", scenario)
    assert on_disk(tmp_path / "j.db") == {"u-1": "created", "u-2": "created", "u-3": "created"}


def test_nothing_to_write_is_no_commit(tmp_path: Path) -> None:
    """An idle run leaves the disk alone, and so does flushing it."""

    async def scenario(recorder: Recorder, journal: Disk, _: Stopper) -> None:
        await recorder.flush()
        await asyncio.sleep(10)
        recorder.record(created(1))
        await asyncio.sleep(10)
        await recorder.flush()
        assert journal.commits == [(10.05, [1])]

    recording(tmp_path / "j.db", scenario)


def test_flushed_is_on_disk(tmp_path: Path) -> None:
    """Everything taken so far, also what came after a stop."""

    async def scenario(recorder: Recorder, _: Disk, stopper: Stopper) -> None:
        recorder.record(created(1))
        stopper.request(STOP)
        recorder.record(created(2))
        await recorder.flush()
        assert on_disk(tmp_path / "j.db") == {"u-1": "created", "u-2": "created"}

    recording(tmp_path / "j.db", scenario)


def test_what_arrives_after_a_stop_is_on_disk_as_soon_as_before_it(tmp_path: Path) -> None:
    """A SIGKILL that follows a SIGTERM finds the tokens on disk.

    Requests on the wire may take 10 s after a stop, and the roster is read to its end before the last flush.
    """

    async def scenario(recorder: Recorder, journal: Disk, stopper: Stopper) -> None:
        stopper.request(STOP)
        recorder.record(created(1))
        await asyncio.sleep(0.1)
        assert journal.commits == [(0.05, [1])]

    recording(tmp_path / "j.db", scenario)


def test_a_full_disk_stops_the_run_and_keeps_what_was_not_written(tmp_path: Path) -> None:
    """Exit 3 with the journal's words; once there is room again, `flush` writes all of it in its order."""

    async def scenario(recorder: Recorder, journal: Disk, stopper: Stopper) -> None:
        journal.full = True
        recorder.record(created(1))
        recorder.record(created(2))
        await asyncio.sleep(1)
        said = "journal: cannot be written any more (disk full); make room, then resume"
        assert stopper.stop == Stop("storage", said, ExitCode.SAFETY)
        recorder.record(created(3))
        with pytest.raises(StorageError):
            await recorder.flush()
        journal.full = False
        await recorder.flush()
        assert [keys for _, keys in journal.commits] == [[1, 2, 3]]

    recording(tmp_path / "j.db", scenario)


def test_what_arrives_during_a_commit_that_fails_comes_after_it(tmp_path: Path) -> None:
    """The later settlement of a row must not be overwritten by an earlier one."""

    async def scenario(recorder: Recorder, journal: Disk, _: Stopper) -> None:
        journal.full, journal.busy = True, lambda: recorder.record(created(3))
        recorder.record(created(1))
        recorder.record(created(2))
        await asyncio.sleep(1)
        journal.full, journal.busy = False, lambda: None
        await recorder.flush()
        assert [keys for _, keys in journal.commits] == [[1, 2, 3]]

    recording(tmp_path / "j.db", scenario)


def test_a_full_disk_is_not_hammered(tmp_path: Path) -> None:
    """One try, then the run is being stopped; the next try is the last flush."""

    async def scenario(recorder: Recorder, journal: Disk, _: Stopper) -> None:
        journal.full = True
        recorder.record(created(1))
        await asyncio.sleep(60)
        assert journal.tries == 1

    recording(tmp_path / "j.db", scenario)


def test_a_bug_in_writing_stops_the_run_and_loses_nothing(tmp_path: Path) -> None:
    """A value SQLite cannot hold in one settlement does not take the others of its commit with it, unnoticed."""

    async def scenario(recorder: Recorder, _: Disk, stopper: Stopper) -> None:
        recorder.record(created(1))
        recorder.record(created(2, created_at=2**64))
        recorder.record(created(3))
        await asyncio.sleep(1)
        with suppress(Exception):
            await recorder.flush()
        assert stopper.stop is not None
        assert {"u-1", "u-3"} <= on_disk(tmp_path / "j.db").keys()

    recording(tmp_path / "j.db", scenario)


def test_the_journal_is_used_in_its_own_thread_only(tmp_path: Path) -> None:
    """With a real thread: every commit and every other call is made there, and results and errors come back."""
    names: set[str] = set()

    class Witness(Journal):
        def settle(self, settlements: Iterable[Settlement]) -> None:
            names.add(threading.current_thread().name)
            super().settle(settlements)

        def outcomes(self, uids: Sequence[str]) -> Columns:
            names.add(threading.current_thread().name)
            return super().outcomes(uids)

    async def main() -> Columns:
        with ThreadPoolExecutor(1, "journal") as thread:
            journal = Witness(tmp_path / "j.db", HERE)
            recorder = Recorder(journal, thread, Stopper(), interval=0.001)
            await recorder.run(journal.__enter__)
            try:
                await recorder.run(lambda: journal.sent([request(1)], now=1.0))
                recorder.record(created(1))
                await recorder.flush()
                with pytest.raises(ZeroDivisionError):
                    await recorder.run(lambda: 1 // 0)
                return await recorder.run(lambda: journal.outcomes(["u-1"]))
            finally:
                await recorder.run(lambda: journal.__exit__(None, None, None))

    told = asyncio.run(main())
    assert told == dict(
        zip(
            OUTCOME_COLUMNS,
            [["u-1"], ["created"], [200], [1], [None], [None], ["token-1"], [1_700_000_001], [1500]],
            strict=True,
        )
    )
    assert names == {"journal_0"}


def test_what_is_out_of_the_ordinary_is_on_disk_without_an_outcome(tmp_path: Path) -> None:
    """An answer in doubt is remembered while its row is still on the wire; flushed, it is there."""
    event = Event(1, 2.0, None, ANSWER, "create", "in_doubt", message="connection lost")

    async def main() -> list[Event]:
        with ThreadPoolExecutor(1, "journal") as thread:
            journal = Journal(tmp_path / "j.db", HERE)
            recorder = Recorder(journal, thread, Stopper(), interval=0.001)
            await recorder.run(journal.__enter__)
            try:
                recorder.remember(event)
                await recorder.flush()
                return await recorder.run(lambda: events_of(journal._database, 1))
            finally:
                await recorder.run(lambda: journal.__exit__(None, None, None))

    assert asyncio.run(main()) == [event]


def test_whoever_has_to_wait_for_the_disk_waits_together() -> None:
    """Records that come while others are written go into the next commit; a failure is told to those it is about."""
    written: list[list[str]] = []

    async def write(records: list[str]) -> None:
        await asyncio.sleep(0)
        if "bad" in records:
            raise StorageError("full")
        written.append(records)

    async def put_all() -> list[BaseException | None]:
        gathering = Gathering(write)
        first = asyncio.create_task(gathering.put("a"))
        await asyncio.sleep(0)
        later = [asyncio.create_task(gathering.put(each)) for each in ("b", "c")]
        await asyncio.gather(first, *later)
        return list(await asyncio.gather(gathering.put("bad"), gathering.put("d"), return_exceptions=True))

    told = asyncio.run(put_all())
    assert written == [["a"], ["b", "c"]]
    assert [str(each) for each in told] == ["full", "full"]

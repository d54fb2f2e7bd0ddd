"""The pool: every row is settled exactly once, and a stop loses none of them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner.errors import ExitCode
from provisioner.model import Kind, Outcome, Past, Settlement, State, UserRequest
from provisioner.sending.pool import Backlog, Pool
from provisioner.settings.values import Allowance
from provisioner.stop import Stop, Stopper
from provisioner.tally import OutcomeTally
from tests.rig import clock

STOP = Stop("sigint", "interrupted by SIGINT", ExitCode.SIGINT)
UNLIMITED = Allowance()
FAILED_BEFORE = Past(State.SETTLED, Outcome.FAILED)
CURE = "see why in the results, then resume; max_failures under [run] (--max-failures) allows more"


def request(key: int) -> UserRequest:
    return UserRequest(key, row=key, uid=f"u-{key}", body=b"{}", body_hash="0" * 16, token=False)


def block(first: int, size: int) -> list[UserRequest]:
    return [request(key) for key in range(first, first + size)]


def settled(key: int, outcome: Outcome = Outcome.CREATED) -> Settlement:
    return Settlement(key, State.SETTLED, outcome, attempts=1)


@dataclass
class Run:
    """A pool at work on blocks, as the pipeline puts them together.

    lasts     seconds that each row's requests take
    fates     key → outcome, where it is not created; `status` and `code`: how each ends
    """

    workers: int = 4
    lasts: Callable[[int], float] = lambda _: 1.0
    fates: dict[int, Outcome] = field(default_factory=dict)
    failures: Allowance = UNLIMITED
    begun: list[int] = field(default_factory=list)
    recorded: list[Settlement] = field(default_factory=list)
    status: int | None = None
    code: str | None = None
    outcomes: OutcomeTally = field(default_factory=OutcomeTally)
    stopper: Stopper = field(default_factory=Stopper)

    @property
    def keys(self) -> list[int]:
        return sorted(settlement.key for settlement in self.recorded)

    async def settle(self, request: UserRequest) -> Settlement:
        self.begun.append(request.key)
        await asyncio.sleep(self.lasts(request.key))
        ended = settled(request.key, self.fates.get(request.key, Outcome.CREATED))
        return ended._replace(http_status=self.status, error_code=self.code)

    async def feed(self, backlog: Backlog, blocks: Sequence[Sequence[UserRequest]]) -> int:
        """Put blocks until the run is stopped; how many rows were put."""
        count = 0
        for each in blocks:
            if self.stopper.is_stopping():
                break
            await backlog.put(each)
            count += len(each)
        backlog.end()
        return count

    async def drain(
        self, blocks: Sequence[Sequence[UserRequest]], *, stop_after: float | None = None
    ) -> tuple[list[Exception], int, list[int]]:
        """What the pool gave, how many rows were put, and the keys that were left over."""
        backlog = Backlog(self.stopper)
        if stop_after is not None:
            asyncio.get_running_loop().call_later(stop_after, self.stopper.request, STOP)
        feeding = asyncio.create_task(self.feed(backlog, blocks))
        pool = Pool(self.workers, self.failures, self.outcomes, self.stopper)
        async with asyncio.timeout(10_000):
            with backlog.open():
                bugs = await pool.drain(backlog, self.settle, self.recorded.append)
                put = await feeding
        return bugs, put, sorted(each.key for each in backlog.leftovers())


# --- the backlog --------------------------------------------------------------------------------------------------


def in_backlog(scenario: Callable[[Backlog, Stopper], Awaitable[None]]) -> None:
    async def main() -> None:
        stopper = Stopper()
        async with asyncio.timeout(60):
            backlog = Backlog(stopper)
            with backlog.open():
                await scenario(backlog, stopper)

    clock.run(main())


def test_rows_come_out_in_the_order_in_which_they_went_in() -> None:
    """Across blocks, empty ones included, and then there is nothing more for anyone."""

    async def scenario(backlog: Backlog, _: Stopper) -> None:
        async def put() -> None:
            for each in (block(1, 2), [], block(3, 1)):
                await backlog.put(each)
            backlog.end()

        putting = asyncio.create_task(put())
        assert [await backlog.take() for _ in range(5)] == [*block(1, 3), None, None]
        await putting

    in_backlog(scenario)


def test_one_block_waits_behind_the_one_in_use() -> None:
    """The reader is one block ahead and not two: memory does not follow the roster."""

    async def scenario(backlog: Backlog, _: Stopper) -> None:
        putting = [asyncio.create_task(backlog.put(block(first, 2))) for first in (1, 3, 5)]
        await asyncio.sleep(1)
        assert [task.done() for task in putting] == [True, False, False]
        await backlog.take()
        await asyncio.sleep(1)
        assert [task.done() for task in putting] == [True, True, False]
        await backlog.take()
        await backlog.take()
        await asyncio.sleep(1)
        assert [task.done() for task in putting] == [True, True, True]

    in_backlog(scenario)


def test_the_end_reaches_everyone_who_waits() -> None:
    """All workers go home, not only the one that was waiting in front."""

    async def scenario(backlog: Backlog, _: Stopper) -> None:
        waiting = [asyncio.create_task(backlog.take()) for _ in range(3)]
        await asyncio.sleep(1)
        backlog.end()
        assert await asyncio.gather(*waiting) == [None] * 3

    in_backlog(scenario)


def test_a_stop_reaches_everyone_who_waits() -> None:
    """Workers for whom there is no row, and the reader for whom there is no room."""

    async def scenario(backlog: Backlog, stopper: Stopper) -> None:
        waiting = [asyncio.create_task(backlog.take()) for _ in range(3)]
        await asyncio.sleep(1)
        stopper.request(STOP)
        assert await asyncio.gather(*waiting) == [None] * 3

    in_backlog(scenario)


def test_a_stop_leaves_over_what_no_worker_took() -> None:
    """The rest of the block in use, the block behind it, and the one whose reader was waiting for room."""

    async def scenario(backlog: Backlog, stopper: Stopper) -> None:
        putting = [asyncio.create_task(backlog.put(block(first, 3))) for first in (1, 4, 7)]
        assert await backlog.take() == request(1)
        await asyncio.sleep(1)
        stopper.request(STOP)
        assert await backlog.take() is None
        await asyncio.gather(*putting)
        assert sorted(each.key for each in backlog.leftovers()) == [2, 3, 4, 5, 6, 7, 8, 9]
        assert backlog.leftovers() == []

    in_backlog(scenario)


@pytest.mark.parametrize("before", [0, 1, 2])
def test_putting_never_waits_after_a_stop(before: int) -> None:
    """As `put` promises: at once, however many blocks come, and all of them are left over."""

    async def scenario(backlog: Backlog, stopper: Stopper) -> None:
        putting = [asyncio.create_task(backlog.put(block(n, 1))) for n in range(before)]
        await asyncio.sleep(1)
        stopper.request(STOP)
        for n in range(before, before + 3):
            await backlog.put(block(n, 1))
        await asyncio.gather(*putting)
        assert len(backlog.leftovers()) == before + 3

    in_backlog(scenario)


# --- the pool ----------------------------------------------------------------------------------------------------

SIZES = st.lists(st.integers(0, 7), max_size=8)


def blocks_of(sizes: list[int]) -> list[list[UserRequest]]:
    return [block(sum(sizes[:at]), size) for at, size in enumerate(sizes)]


@given(sizes=SIZES, workers=st.integers(1, 9))
@settings(deadline=None)
def test_every_row_is_settled_once(sizes: list[int], workers: int) -> None:
    """Whatever the blocks, the workers and the time each row takes."""
    run = Run(workers=workers, lasts=lambda key: (key * 7919 % 13) / 3)
    assert clock.run(run.drain(blocks_of(sizes))) == ([], sum(sizes), [])
    assert run.keys == sorted(run.begun) == list(range(sum(sizes)))
    assert run.outcomes == OutcomeTally(settled=Counter({Outcome.CREATED: sum(sizes)}))


@given(sizes=SIZES, workers=st.integers(1, 9), stop_after=st.floats(0, 12))
@settings(deadline=None)
def test_a_stop_loses_no_row(sizes: list[int], workers: int, stop_after: float) -> None:
    """Whenever it comes: what was begun is recorded, the rest is left over, and together they are what was put."""
    run = Run(workers=workers, lasts=lambda key: (key * 7919 % 13) / 3)
    bugs, put, left = clock.run(run.drain(blocks_of(sizes), stop_after=stop_after))
    assert bugs == []
    assert run.keys == sorted(run.begun)
    assert sorted(run.keys + left) == list(range(put))


def test_a_stop_lets_requests_on_the_wire_finish() -> None:
    """Four rows are on the wire for 8 s; the stop comes after 1 s: all four are recorded, none is begun after it."""

    async def main() -> float:
        began = clock.now()
        await run.drain([block(0, 100)], stop_after=1.0)
        return clock.now() - began

    run = Run(workers=4, lasts=lambda _: 8.0)
    assert clock.run(main()) == pytest.approx(8.0, abs=0.01)
    assert run.keys == run.begun == [0, 1, 2, 3]


def test_a_stop_does_not_wait_for_ever() -> None:
    """Ten seconds after the stop, what is still on the wire is given up: not recorded, so still in doubt on disk."""

    async def main() -> float:
        began = clock.now()
        bugs, put, left = await run.drain([block(0, 6)], stop_after=5.0)
        assert (bugs, put, left) == ([], 6, [3, 4, 5])
        return clock.now() - began

    run = Run(workers=3, lasts=lambda key: 12.0 if key == 1 else 1000.0)
    assert clock.run(main()) == pytest.approx(15.0, abs=0.01)
    assert (run.keys, run.begun) == ([1], [0, 1, 2])


def test_a_bug_in_one_row_stops_the_run_and_the_others_finish() -> None:
    """The error comes back, the stop names row and error, and nobody's fate is lost but that row's."""

    class Faulty(Run):
        async def settle(self, request: UserRequest) -> Settlement:
            if request.key == 2:
                self.begun.append(2)
                await asyncio.sleep(0.5)
                raise KeyError("authToken")
            return await super().settle(request)

    run = Faulty(workers=4)
    [bug], put, left = clock.run(run.drain([block(0, 50)]))
    assert isinstance(bug, KeyError)
    assert run.stopper.stop == Stop("bug", "row 2: KeyError: 'authToken'", ExitCode.BUG)
    assert (run.keys, run.begun) == ([0, 1, 3], [0, 1, 2, 3])
    assert sorted([*run.begun, *left]) == list(range(put))


def test_a_bug_in_recording_stops_the_run_too() -> None:
    """As `drain` promises: when it gives a bug, the run is being stopped. Else the reader waits for room for ever."""

    async def main() -> list[Exception]:
        def record(_: Settlement) -> None:
            raise RuntimeError("no room")

        backlog = Backlog(run.stopper)
        await backlog.put(block(0, 3))
        backlog.end()
        pool = Pool(2, UNLIMITED, run.outcomes, run.stopper)
        async with asyncio.timeout(60):
            with backlog.open():
                return await pool.drain(backlog, run.settle, record)

    run = Run()
    assert [type(bug) for bug in clock.run(main())] == [RuntimeError] * 2
    assert run.stopper.stop is not None


def test_outcomes_are_counted_and_rows_without_one_are_not() -> None:
    """The tally is of settled rows; a row that a stop left pending is recorded and not counted."""

    class Stopped(Run):
        async def settle(self, request: UserRequest) -> Settlement:
            if request.key >= 7:
                return Settlement(request.key, State.PENDING, Outcome.PENDING, attempts=0)
            return await super().settle(request)

    fates = {1: Outcome.EXISTING, 2: Outcome.EXISTING, 3: Outcome.UPDATED, 4: Outcome.FAILED}
    run = Stopped(fates=fates)
    assert clock.run(run.drain([block(0, 9)])) == ([], 9, [])
    assert run.keys == list(range(9))
    assert run.outcomes.settled == {Outcome.CREATED: 3, Outcome.EXISTING: 2, Outcome.UPDATED: 1, Outcome.FAILED: 1}


def test_every_outcome_that_settles_a_row_is_tallied() -> None:
    """Each under its own name; what is unchanged is never sent, and what is rejected is counted as it is read."""
    sent = [
        each for each in Outcome if each.kind is not Kind.OPEN and each not in (Outcome.UNCHANGED, Outcome.REJECTED)
    ]
    run = Run(fates=dict(enumerate(sent)))
    assert clock.run(run.drain([block(0, len(sent))])) == ([], len(sent), [])
    assert run.outcomes.settled == dict.fromkeys(sent, 1)
    assert run.outcomes.settled.total() == len(sent)


def test_an_empty_backlog_needs_no_worker() -> None:
    """A roster of no rows, or one that was settled before."""
    run = Run()
    assert clock.run(run.drain([])) == ([], 0, [])
    assert (run.recorded, run.stopper.stop) == ([], None)


# --- the error budget --------------------------------------------------------------------------------------------


def test_a_spent_error_budget_stops_the_run() -> None:
    """Exit 3 at the fourth failure of three allowed; the rows on the wire are still recorded."""
    run = Run(workers=2, failures=Allowance(number=3), fates=dict.fromkeys(range(100), Outcome.FAILED))
    bugs, put, left = clock.run(run.drain([block(0, 100)]))
    message = f"4 rows have failed, more than 3 rows; {CURE}"
    assert run.stopper.stop == Stop("error_budget", message, ExitCode.SAFETY)
    assert bugs == []
    assert run.keys == run.begun
    assert len(run.begun) <= 6
    assert sorted(run.keys + left) == list(range(put))


@pytest.mark.parametrize(
    ("allowed", "words"), [(0, "1 row has failed, more than 0 rows"), (1, "2 rows have failed, more than 1 row")]
)
def test_one_row_is_told_as_one(allowed: int, words: str) -> None:
    """Whoever bears no failure at all reads of one row."""
    run = Run(workers=1, failures=Allowance(number=allowed), fates=dict.fromkeys(range(9), Outcome.FAILED))
    clock.run(run.drain([block(0, 9)]))
    assert run.stopper.stop == Stop("error_budget", f"{words}; {CURE}", ExitCode.SAFETY)


@pytest.mark.parametrize("failing", [range(6), range(94, 100)], ids=["first", "last"])
def test_a_share_that_counts_from_some_row_on_is_judged_at_that_row_however_it_ends(failing: range) -> None:
    """The rows that fail may all come before those that make them enough to be counted."""
    allowed = Allowance(share=0.05, counted_at=100)
    run = Run(workers=1, failures=allowed, fates=dict.fromkeys(failing, Outcome.FAILED))
    assert clock.run(run.drain([block(0, 200)])) == ([], 200, list(range(100, 200)))
    message = f"6 rows have failed, more than 5% of the settled rows; {CURE}"
    assert run.stopper.stop == Stop("error_budget", message, ExitCode.SAFETY)


def test_a_row_that_fails_once_more_spends_no_error_budget() -> None:
    """Else some of them at the head of a roster would stop each resume after its first hundred rows."""
    allowed, fails = Allowance(share=0.05, counted_at=100), dict.fromkeys(range(6), Outcome.FAILED)
    run = Run(failures=allowed, fates=fails)
    again = [each._replace(past=FAILED_BEFORE) for each in block(0, 6)]
    assert clock.run(run.drain([again, block(6, 500)])) == ([], 506, [])
    assert (run.stopper.stop, run.outcomes.settled[Outcome.FAILED]) == (None, 6)
    anew = Run(workers=1, failures=Allowance(number=1), fates=dict.fromkeys(range(20), Outcome.FAILED))
    clock.run(anew.drain([again, block(6, 10)]))
    message = f"2 rows have failed anew, more than 1 row; {CURE}"
    assert anew.stopper.stop == Stop("error_budget", message, ExitCode.SAFETY)


@pytest.mark.parametrize(
    ("status", "code", "stops"),
    [(500, "ERR_EXCEPTION", True), (None, "in_doubt", True), (400, "ERR_BAD_REQUEST", False), (None, "ERR_ANY", False)],
)
def test_a_server_that_is_down_is_not_asked_for_every_row_that_has_failed_before(
    status: int | None, code: str, *, stops: bool
) -> None:
    """A job whose rows have all failed would go on for hours: the answers say nothing of the rows."""
    fates = dict.fromkeys(range(500), Outcome.FAILED)
    run = Run(workers=1, failures=Allowance(share=0.05, counted_at=100), fates=fates, status=status, code=code)
    again = [each._replace(past=FAILED_BEFORE) for each in block(0, 500)]
    clock.run(run.drain([again]))
    assert len(run.keys) == (100 if stops else 500)
    message = f"100 rows have failed, more than 5% of the settled rows; {CURE}"
    assert run.stopper.stop == (Stop("error_budget", message, ExitCode.SAFETY) if stops else None)


def test_rows_that_the_server_never_answers_stop_nobody_as_long_as_others_go_well() -> None:
    """Those that failed before are spared, however many they are in all."""
    fates = {key: Outcome.FAILED for key in range(400) if key % 2}
    run = Run(failures=Allowance(share=0.05, counted_at=100), fates=fates, status=500)
    assert clock.run(run.drain([[each._replace(past=FAILED_BEFORE) for each in block(0, 400)]])) == ([], 400, [])
    assert run.stopper.stop is None

"""One switch, turned once: the first reason counts, everyone is told, nobody is interrupted."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable, Coroutine
from contextlib import ExitStack
from typing import Any

import pytest

from provisioner.errors import ExitCode, StorageError, out_of_memory
from provisioner.stop import (
    InterruptedEarlyError,
    Stop,
    Stopper,
    ending_gently,
    stopping_on_storage_error,
)
from tests.rig import clock

FIRST = Stop("key", "the API key is not accepted", ExitCode.API)
SECOND = Stop("sigint", "interrupted", ExitCode.SIGINT)


def test_only_the_first_reason_counts() -> None:
    """A wrong key that is followed by an interrupt is a wrong key, and listeners hear of it once."""
    heard: list[Stop] = []
    stopper = Stopper()
    assert not stopper.is_stopping()
    with stopper.on_stop(heard.append):
        stopper.request(FIRST)
        stopper.request(SECOND)
    assert stopper.is_stopping()
    assert (stopper.stop, heard) == (FIRST, [FIRST])


def test_the_stop_is_known_when_the_listeners_hear_of_it() -> None:
    """In the order in which they came; one that asks for a stop itself changes nothing."""
    heard: list[tuple[str, Stop | None]] = []
    stopper = Stopper()

    def stubborn(_: Stop) -> None:
        stopper.request(SECOND)
        heard.append(("stubborn", stopper.stop))

    with stopper.on_stop(stubborn), stopper.on_stop(lambda _: heard.append(("plain", stopper.stop))):
        stopper.request(FIRST)
    assert heard == [("stubborn", FIRST), ("plain", FIRST)]


NO_THREAD = "can't start new thread"
RAISE_IT = "raise the limit (ulimit -n 1024), then run the same command again"


@pytest.mark.parametrize(
    ("error", "stop"),
    [
        (StorageError("the disk is full"), Stop("storage", "the disk is full", ExitCode.SAFETY)),
        (
            MemoryError("Unable to allocate 2 GiB"),
            Stop("memory", out_of_memory(MemoryError("Unable to allocate 2 GiB")), ExitCode.SAFETY),
        ),
        (
            RuntimeError(NO_THREAD),
            Stop(
                "memory",
                f"{out_of_memory(MemoryError(NO_THREAD))}; or raise its limit of processes and threads (ulimit -u)",
                ExitCode.SAFETY,
            ),
        ),
        (
            OSError(errno.EMFILE, "Too many open files"),
            Stop("open_files", f"no more files can be opened (Too many open files); {RAISE_IT}", ExitCode.SAFETY),
        ),
        (KeyError("uid"), Stop("bug", "row 7: KeyError: 'uid'", ExitCode.BUG)),
    ],
)
def test_what_cuts_a_run_short_is_named_as_what_it_is(error: Exception, stop: Stop) -> None:
    """A limit of the process that is reached is no bug of ours: it can be raised, and the run resumed."""
    assert Stop.because_of(error, "row 7: ") == stop


def test_a_listener_hears_of_a_stop_as_long_as_its_block_lasts() -> None:
    """What was built for one step is not called, nor kept alive, once that step is over; however it ended."""
    heard: list[str] = []
    stopper = Stopper()
    with stopper.on_stop(lambda _: heard.append("whole run")):
        with stopper.on_stop(lambda _: heard.append("first step")):
            pass
        with pytest.raises(LookupError), stopper.on_stop(lambda _: heard.append("step that failed")):
            raise LookupError
        stopper.request(FIRST)
    assert heard == ["whole run"]


def test_a_listener_may_leave_while_the_others_are_called() -> None:
    """A stop that ends a listener's own block passes nobody over."""
    heard: list[str] = []
    stopper, leaving = Stopper(), ExitStack()
    leaving.enter_context(stopper.on_stop(lambda _: leaving.close()))
    with stopper.on_stop(lambda _: heard.append("next")):
        stopper.request(FIRST)
    assert heard == ["next"]


def test_a_store_that_fails_stops_the_run_and_not_the_work_around_it() -> None:
    """Exit 4, with the store's own words; anything else comes through."""

    def failing(error: Exception) -> None:
        raise error

    stopper, full = Stopper(), StorageError("j.db: cannot be written any more")
    with stopping_on_storage_error(stopper):
        failing(full)
    assert stopper.stop == Stop("storage", str(full), full.exit_code)
    with pytest.raises(LookupError), stopping_on_storage_error(stopper):
        failing(LookupError())


def test_everyone_who_waits_is_told() -> None:
    """Before and after the stop, as many as there are."""

    async def main() -> float:
        stopper = Stopper()
        began = clock.now()
        asyncio.get_running_loop().call_later(3.0, stopper.request, FIRST)
        await asyncio.gather(*(stopper.wait() for _ in range(3)))
        await stopper.wait()
        return clock.now() - began

    assert clock.run(main()) == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("seconds", "stop_after", "slept"),
    [(5.0, None, 5.0), (5.0, 2.0, 2.0), (5.0, 9.0, 5.0), (0.0, None, 0.0), (-1.0, None, 0.0), (5.0, 0.0, 0.0)],
)
def test_a_nap_lasts_no_longer_than_the_run(seconds: float, stop_after: float | None, slept: float) -> None:
    """Back-off of half a minute does not hold up a stop; after one there is no nap at all."""

    async def main() -> float:
        stopper = Stopper()
        if stop_after == 0.0:
            stopper.request(FIRST)
        elif stop_after is not None:
            asyncio.get_running_loop().call_later(stop_after, stopper.request, FIRST)
        began = clock.now()
        await stopper.nap(seconds)
        return clock.now() - began

    assert clock.run(main()) == pytest.approx(slept, abs=1e-3)


def test_a_nap_can_be_cancelled() -> None:
    """A worker whose grace is over is not swallowed by its nap."""

    async def main() -> bool:
        napping = asyncio.create_task(Stopper().nap(60.0))
        await asyncio.sleep(1.0)
        napping.cancel()
        await asyncio.wait({napping})
        return napping.cancelled()

    assert clock.run(main())


def test_a_run_ends_by_storage_that_gave_out_or_by_a_bug() -> None:
    """A full disk keeps its own words and exit code; anything else is a bug of ours, told with where it was."""
    assert Stop.because_of(StorageError("j: no room")) == Stop("storage", "j: no room", ExitCode.SAFETY)
    assert Stop.because_of(InterruptedEarlyError(FIRST)) is FIRST
    assert Stop.because_of(KeyError("x"), "row 3: ") == Stop("bug", "row 3: KeyError: 'x'", ExitCode.BUG)


def torn(work: Callable[[Stopper], Coroutine[Any, Any, None]], times: int) -> Stopper:
    """Begin work, and cancel it so many times, each as soon as it can be; gives its stopper."""
    stopper = Stopper()

    async def cancelled() -> None:
        task = asyncio.create_task(ending_gently(work(stopper), stopper))
        for _ in range(times):
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancelled())
    return stopper


def test_work_that_is_cancelled_is_stopped_and_goes_on_to_its_end() -> None:
    """Whoever waits for it gets the cancelling, once the work has ended by its stopper."""
    ended: list[Stop | None] = []

    async def work(stopper: Stopper) -> None:
        await stopper.wait()
        ended.append(stopper.stop)

    stop = torn(work, 1).stop
    assert (ended, stop and stop.reason) == ([stop], "cancelled")


def test_work_that_is_cancelled_twice_is_torn_off() -> None:
    """What does not end by its stopper ends by that."""
    ended: list[str] = []

    async def work(_: Stopper) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("torn off")

    torn(work, 2)
    assert ended == ["torn off"]


def test_what_work_gives_and_raises_is_passed_on() -> None:
    """Nothing stops it then."""

    async def work(*, raising: bool) -> int:
        if raising:
            raise InterruptedEarlyError(FIRST)
        return 7

    stopper = Stopper()
    assert asyncio.run(ending_gently(work(raising=False), stopper)) == 7
    with pytest.raises(InterruptedEarlyError):
        asyncio.run(ending_gently(work(raising=True), stopper))
    assert stopper.stop is None

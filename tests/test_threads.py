"""What is made in a thread: the next item while the last is worked on, and what may be waited for in vain."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from provisioner.errors import ExitCode, StorageError
from provisioner.stop import InterruptedEarlyError, Stop, Stopper
from provisioner.threads import one_ahead, unless_stopped

PATIENCE = 30.0
FIRST = Stop("sigint", "interrupted", ExitCode.SIGINT)


def test_items_made_ahead_are_the_same_in_the_same_order() -> None:
    assert list(one_ahead(iter([1, None, 3]))) == [1, None, 3]


def test_an_error_comes_up_where_its_item_would_have_been_given() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("no second")

    ahead = one_ahead(items())
    assert next(ahead) == 1
    with pytest.raises(ValueError, match="no second"):
        next(ahead)


class Opened:
    """What a call has opened."""

    def __init__(self) -> None:
        self.closed = threading.Event()

    def close(self) -> None:
        """Let go of it."""
        self.closed.set()


@pytest.mark.parametrize("fails", [False, True])
def test_a_call_that_waits_for_others_is_left_behind_when_the_run_is_to_end(fails: bool) -> None:
    """At once, whatever it waits for; what it opens after that is closed, and what it raises harms nobody."""
    begun, goes_on, found, stopper = threading.Event(), threading.Event(), Opened(), Stopper()
    threads: list[threading.Thread] = []

    def wait() -> Opened:
        threads.append(threading.current_thread())
        begun.set()
        goes_on.wait(PATIENCE)
        if fails:
            raise StorageError("nobody hears of it")
        return found

    async def stopped() -> None:
        waiting = asyncio.ensure_future(unless_stopped(wait, stopper))
        await asyncio.to_thread(begun.wait, PATIENCE)
        stopper.request(FIRST)
        with pytest.raises(InterruptedEarlyError) as error:
            await waiting
        assert error.value.stop == FIRST

    asyncio.run(stopped())
    goes_on.set()
    threads[0].join(PATIENCE)
    assert (threads[0].is_alive(), found.closed.is_set()) == (False, not fails)


def test_a_call_that_waits_for_others_gives_what_it_opens_or_raises() -> None:
    """As if it were called here."""
    found = Opened()

    def fail() -> Opened:
        raise StorageError("the disk is full")

    assert asyncio.run(unless_stopped(lambda: found, Stopper())) is found
    with pytest.raises(StorageError, match="the disk is full"):
        asyncio.run(unless_stopped(fail, Stopper()))
    assert not found.closed.is_set()

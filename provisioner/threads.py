"""Calls that block, carried out in a thread while the event loop, or whoever takes their results, goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import partial
from threading import Thread
from typing import Any, Protocol, TypeVar

from provisioner.stop import Stopper, stop_early


class _Closable(Protocol):
    def close(self) -> None: ...


T = TypeVar("T")
C = TypeVar("C", bound=_Closable)


class InThread(Protocol):
    """Carries out calls in a thread of their own."""

    def __call__(self, call: Callable[[], T], /) -> Awaitable[T]:
        """Begin one, and wait for what it gives."""


def in_thread(thread: Executor, call: Callable[[], T]) -> asyncio.Future[T]:
    """Begin a call in a thread of its own kind, at once; awaiting what this gives waits for the call's result."""
    return asyncio.get_running_loop().run_in_executor(thread, call)


def one_ahead(items: Iterator[T]) -> Iterator[T]:
    """Give the same items, the next one made in a thread of its own while the last is worked on.

    Whatever making one raises comes up where it would have been given.
    """
    end = object()
    with ThreadPoolExecutor(1, "ahead") as thread:
        upcoming = thread.submit(next, items, end)
        while (item := upcoming.result()) is not end:
            upcoming = thread.submit(next, items, end)
            yield item  # type: ignore[misc]


async def unless_stopped(call: Callable[[], C], stopper: Stopper) -> C:
    """Carry out a call that may wait for others for ever, such as for who writes into a pipe.

    Its thread is left behind when the run is to end first: nothing else ends its waiting. What it gives after that is
    closed. Raises `InterruptedEarlyError` then.
    """
    thread = _Opener()
    opened, stopping = in_thread(thread, call), asyncio.ensure_future(stopper.wait())
    try:
        await asyncio.wait((opened, stopping), return_when=asyncio.FIRST_COMPLETED)
        if not opened.done():
            stop_early(stopper)
        return opened.result()
    finally:
        stopping.cancel()
        if not opened.done():
            opened.cancel()
            thread.leave()


class _Opener(Executor):
    """A thread for one call, which holds up nobody who ends before it."""

    _outcome: Future[Any] | None = None

    def submit(self, call: Callable[..., T], /, *given: Any, **named: Any) -> Future[T]:
        """Begin the call."""
        outcome: Future[T] = Future()
        outcome.set_running_or_notify_cancel()
        self._outcome = outcome
        Thread(target=_carry_out, args=(partial(call, *given, **named), outcome), name="opener", daemon=True).start()
        return outcome

    def leave(self) -> None:
        """Close what it will give."""
        if self._outcome is not None:
            self._outcome.add_done_callback(_close)


def _carry_out(call: Callable[[], T], outcome: Future[T]) -> None:
    try:
        outcome.set_result(call())
    except BaseException as error:  # whoever waits for the outcome is to have it
        outcome.set_exception(error)


def _close(outcome: Future[Any]) -> None:
    if outcome.exception() is None:
        outcome.result().close()

"""Calls that block, carried out in a thread while the event loop, or whoever takes their results, goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Protocol, TypeVar

T = TypeVar("T")


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

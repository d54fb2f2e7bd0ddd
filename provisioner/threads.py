"""Calls that block, carried out in a thread while the event loop goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TypeVar

T = TypeVar("T")


def in_thread(thread: Executor, call: Callable[[], T]) -> asyncio.Future[T]:
    """Begin a call in a thread of its own kind, at once; awaiting what this gives waits for the call's result."""
    return asyncio.get_running_loop().run_in_executor(thread, call)

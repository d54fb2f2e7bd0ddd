"""An event loop whose clock jumps to the next timer instead of waiting for it: hours pass in milliseconds."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from types import SimpleNamespace
from typing import Any, Final, TypeVar

from provisioner.sending.serverclock import ServerClock

T = TypeVar("T")

# What the clock of each loop begins at.
_TICKS: Final = 1000.0
START: Final = 1_700_000_000.75
"""UNIX seconds then."""


class _Selector(selectors.SelectSelector):
    loop: VirtualTimeLoop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("everything waits and no timer is set: a deadlock")
        # A little at least: a timer that rounding set for this very instant would else be set again for ever.
        self.loop.now += max(timeout, 1e-6)
        return super().select(0)


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Has no I/O worth waiting for; `now` is its clock in seconds."""

    def __init__(self) -> None:
        selector = _Selector()
        selector.loop = self
        self.now = _TICKS
        super().__init__(selector)

    def time(self) -> float:
        return self.now


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run to the end in virtual time."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(coroutine)


def now() -> float:
    """The virtual clock of the running loop, seconds."""
    return asyncio.get_running_loop().time()


class Told(ServerClock):
    """The clock of a server that shows the same as ours, known exactly."""

    @property
    def offset(self) -> float:
        return START - _TICKS


def clocks() -> SimpleNamespace:
    """Give what stands for the module `time` where that is to be virtual."""
    return SimpleNamespace(time=lambda: START - _TICKS + now(), monotonic=now)

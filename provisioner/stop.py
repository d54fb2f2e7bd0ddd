"""The one switch that ends a run early. It is turned once and holds the reason; nobody is interrupted by it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from provisioner.errors import ExitCode, ProvisionerError, StorageError, limit_reached

T = TypeVar("T")

NOT_CONFIRMED: Final = "not_confirmed"
"""The reason of a stop by a person who was asked first."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Why a run ends before its roster does.

    reason   one stable word, the summary's `stopped_by`
    message  what happened and what to do, one sentence
    """

    reason: str
    message: str
    exit_code: ExitCode

    @classmethod
    def because_of(cls, error: Exception, where: str = "") -> Stop:
        """End a run that an error cuts short: what we have words for, or a bug of ours at `where`."""
        if isinstance(error, InterruptedEarlyError):
            return error.stop
        if isinstance(error, ProvisionerError):
            return cls(error.reason, str(error), error.exit_code)
        if (limit := limit_reached(error)) is not None:
            return cls(*limit, ExitCode.SAFETY)
        return cls("bug", f"{where}{type(error).__name__}: {error}", ExitCode.BUG)


class Stopper:
    """Holds the first `Stop` of a run and lets everyone who waits for something else wait for it as well.

    at_once      called when a second signal ends this process on the spot: to end what it has started
    begun        whether anything may have been sent, which the journal knows of
    interrupted  whether there was a first signal, though something else may have stopped the run before it
    """

    def __init__(self) -> None:
        self.stop: Stop | None = None
        self.at_once: list[Callable[[], None]] = []
        self.begun = False
        self.interrupted = False
        self._event = asyncio.Event()
        self._listeners: list[Callable[[Stop], None]] = []

    def is_stopping(self) -> bool:
        """Whether the run is to end."""
        return self.stop is not None

    def request(self, stop: Stop) -> None:
        """End the run; only the first reason counts."""
        if self.stop is not None:
            return
        self.stop = stop
        self._event.set()
        for listener in tuple(self._listeners):
            listener(stop)

    @contextmanager
    def on_stop(self, listener: Callable[[Stop], None]) -> Iterator[None]:
        """Call `listener` once, at the moment of the stop, if that comes before the block ends."""
        self._listeners.append(listener)
        try:
            yield
        finally:
            self._listeners.remove(listener)

    async def wait(self) -> None:
        """Return when the run is to end."""
        await self._event.wait()

    async def nap(self, seconds: float) -> None:
        """Sleep, but no longer than the run lasts."""
        if self.stop is None and seconds > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._event.wait()


class InterruptedEarlyError(Exception):
    """The run was stopped before anything was sent, by `stop`."""

    def __init__(self, stop: Stop) -> None:
        super().__init__(stop.message)
        self.stop = stop


def stop_early(stopper: Stopper) -> None:
    """Raise `InterruptedEarlyError` when the run is to end."""
    if stopper.stop is not None:
        raise InterruptedEarlyError(stopper.stop)


@contextmanager
def stopping_on_storage_error(stopper: Stopper) -> Iterator[None]:
    """End the run, but not the block around, when its store can no longer be read or written."""
    try:
        yield
    except StorageError as error:
        stopper.request(Stop.because_of(error))


def confirmed(ask: Callable[[], bool]) -> bool:
    """Ask a person before the first change; raises `InterruptedEarlyError` when the answer is Ctrl-C."""
    try:
        return ask()
    except KeyboardInterrupt:
        raise InterruptedEarlyError(Stop("sigint", "interrupted by SIGINT", ExitCode.SIGINT)) from None


async def ending_gently(work: Coroutine[Any, Any, T], stopper: Stopper) -> T:
    """Carry out work; when it is cancelled it is stopped, so that the fate of what is on the wire is recorded.

    Cancelled once more, it is torn off.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        stopper.request(Stop("cancelled", "cancelled by the program that began it", ExitCode.SIGINT))
        try:
            await asyncio.wait({task})
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        raise

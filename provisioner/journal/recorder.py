"""Group commit: what many workers have to record, written by one thread, many at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from functools import partial
from typing import Generic, TypeVar

from provisioner.journal.course.events import Event
from provisioner.journal.journal import Journal
from provisioner.model import Settlement
from provisioner.stop import Stop, Stopper
from provisioner.threads import in_thread

T = TypeVar("T")


class Recorder:
    """Takes settlements as they come; each is on disk at most `interval` seconds and one commit later.

    thread    the one thread that uses the journal
    interval  seconds; with commits of a few milliseconds this keeps within the promised 100 ms
    trace     told of every commit, how many outcomes it held; None when nobody wants to know
    """

    def __init__(
        self,
        journal: Journal,
        thread: Executor,
        stopper: Stopper,
        interval: float = 0.05,
        trace: Callable[[int], None] | None = None,
    ) -> None:
        self.journal = journal
        self._thread, self._stopper, self._interval, self._trace = thread, stopper, interval, trace
        self._waiting: list[Settlement] = []
        self._events: list[Event] = []
        self._writer: asyncio.Task[None] | None = None

    def record(self, settlement: Settlement) -> None:
        """Take one settlement; returns at once."""
        self._waiting.append(settlement)
        self._wake()

    def remember(self, event: Event) -> None:
        """Take something out of the ordinary; returns at once."""
        self._events.append(event)
        self._wake()

    def _wake(self) -> None:
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_soon(), name="recorder")

    async def run(self, call: Callable[[], T]) -> T:
        """Carry out another call of the journal, in its thread."""
        return await in_thread(self._thread, call)

    async def flush(self) -> None:
        """Return when everything taken so far is on disk.

        Raises `StorageError` when some of it cannot be, or when the journal is lost.
        """
        if self._writer is not None:
            await self._writer
        try:
            await self._write()
        except Exception:
            await self._write_one_by_one()
        await self.run(self.journal.refuse_lost)

    async def _write_soon(self) -> None:
        while self._waiting or self._events:
            await asyncio.sleep(self._interval)
            try:
                await self._write()
                await self.run(self.journal.refuse_lost)
            except Exception as error:  # kept: `flush` tries once more when the requests on the wire are in
                self._stopper.request(Stop.because_of(error))
                return

    async def _write(self) -> None:
        batch, self._waiting = self._waiting, []
        if batch:
            try:
                await self.run(lambda: self.journal.settle(batch))
            except BaseException:
                self._waiting = batch + self._waiting
                raise
            if self._trace is not None:
                self._trace(len(batch))
        # Outcomes come first: what cannot be written of a story is lost.
        events, self._events = self._events, []
        if events:
            await self.run(lambda: self.journal.remember(events))

    async def _write_one_by_one(self) -> None:
        """Save what can be saved: one settlement that cannot be written must not take the others with it."""
        lost: Exception | None = None
        batch, self._waiting = self._waiting, []
        for settlement in batch:
            try:
                await self.run(partial(self.journal.settle, [settlement]))
            except Exception as error:
                lost = error
                self._waiting.append(settlement)
        if lost is not None:
            raise lost


class Gathering(Generic[T]):
    """Takes records of many workers that each have to wait until theirs is on disk; one commit lets them all go on.

    write  brings some to disk; what it raises is raised to whoever waits for them
    """

    def __init__(self, write: Callable[[list[T]], Awaitable[None]]) -> None:
        self._write = write
        self._waiting: list[tuple[T, asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def put(self, record: T) -> None:
        """Take one record; it is on disk when this returns."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((record, done))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_all(), name="gathering")
        await done

    async def _write_all(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            error: Exception | None = None
            try:
                await self._write([record for record, _ in batch])
            except Exception as wrong:
                error = wrong
            for _, done in batch:
                if done.done():
                    continue  # whoever waited was ended meanwhile
                if error is None:
                    done.set_result(None)
                else:
                    done.set_exception(error)

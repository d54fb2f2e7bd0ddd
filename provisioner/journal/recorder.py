"""Group commit: the outcomes of many workers, written by one thread, a few times a second."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial
from typing import TypeVar

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
        self._writer: asyncio.Task[None] | None = None

    def record(self, settlement: Settlement) -> None:
        """Take one settlement; returns at once."""
        self._waiting.append(settlement)
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_soon(), name="recorder")

    async def run(self, call: Callable[[], T]) -> T:
        """Carry out another call of the journal, in its thread."""
        return await in_thread(self._thread, call)

    async def flush(self) -> None:
        """Return when everything taken so far is on disk; raises `StorageError` when some of it cannot be."""
        if self._writer is not None:
            await self._writer
        try:
            await self._write()
        except Exception:
            await self._write_one_by_one()

    async def _write_soon(self) -> None:
        while self._waiting:
            await asyncio.sleep(self._interval)
            try:
                await self._write()
            except Exception as error:  # kept: `flush` tries once more when the requests on the wire are in
                self._stopper.request(Stop.because_of(error))
                return

    async def _write(self) -> None:
        batch, self._waiting = self._waiting, []
        if not batch:
            return
        try:
            await self.run(lambda: self.journal.settle(batch))
        except BaseException:
            self._waiting = batch + self._waiting
            raise
        if self._trace is not None:
            self._trace(len(batch))

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

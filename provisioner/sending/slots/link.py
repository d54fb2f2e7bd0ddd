"""The end of a desk that is in another process: slots for a pacer, a lease at a time.

When the desk is gone there are no slots: whoever needs one waits, asks again twice a second, and says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import orjson

from provisioner.sending.calls import Budget
from provisioner.sending.pacing import Gate
from provisioner.sending.slots.desk import LEASE, Lease
from provisioner.sending.slots.source import Grant

_AGAIN: Final = 0.5
# Seconds for an answer: the desk does nothing but answer.
_PATIENCE: Final = 5.0


class Asking(Protocol):
    """How a desk is reached."""

    async def ask(self, question: Sequence[Any]) -> list[Any]:
        """Ask a question until it is answered."""


class Link:
    """A connection to a desk behind a socket; it is made when it is needed, and again when it was lost.

    clock  monotonic seconds
    gone   called while there is no desk, the first time with 0: for how many seconds by now
    """

    def __init__(self, address: Path, clock: Callable[[], float], gone: Callable[[float], None]) -> None:
        self._address, self._clock, self._gone = address, clock, gone
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._turn = asyncio.Lock()
        self._silent_since: float | None = None

    @property
    def gone_for(self) -> float | None:
        """Seconds for which there has been no desk; None when there is one."""
        return None if self._silent_since is None else self._clock() - self._silent_since

    async def ask(self, question: Sequence[Any]) -> list[Any]:
        """Ask a question until it is answered."""
        while True:
            try:
                async with self._turn, asyncio.timeout(_PATIENCE):
                    answer = await self._asked(orjson.dumps(question) + b"\n")
            except (OSError, ValueError):
                now = self._clock()
                if self._silent_since is None:
                    self._silent_since = now
                self._gone(now - self._silent_since)
                await asyncio.sleep(_AGAIN)
            else:
                self._silent_since = None
                return answer

    def close(self) -> None:
        """End the connection."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def _asked(self, line: bytes) -> list[Any]:
        try:
            if self._streams is None:
                self._streams = await asyncio.open_unix_connection(self._address)
            reader, writer = self._streams
            writer.write(line)
            answer: list[Any] = orjson.loads(await reader.readline())
        except BaseException:
            # An answer that nobody waited for must not be taken for the next one.
            self.close()
            raise
        return answer


class LeasedSlots:
    """The slots of a budget that others draw on as well.

    link        reaches the desk
    app         what the desk knows the app by
    per_minute  the limit as we know it
    lowered     called when the limit turned out to be lower
    """

    def __init__(
        self,
        link: Asking,
        app: str,
        budget: Budget,
        per_minute: float,
        gate: Gate,
        lowered: Callable[[Budget, float], None],
    ) -> None:
        self.per_minute = per_minute
        self._link, self._app, self._budget, self._gate, self._lowered = link, app, budget, gate, lowered
        self._next = 0.0
        self._telling = set[asyncio.Task[Any]]()

    async def take(self, wanted: int) -> Grant:
        """Wait for a lease."""
        clock = self._gate.clock
        while True:
            if (early := self._next - clock()) > 0:
                await asyncio.sleep(early)
            # From the question on: a slow answer leaves less of the lease, and never more than the desk counts on.
            asked = clock()
            question = ("lease", self._app, self._budget.value, self.per_minute, wanted)
            lease = Lease(*await self._link.ask(question))
            self._next = clock() + lease.wait
            self._gate.hold(lease.closed_for)
            if lease.per_minute < self.per_minute:
                self.per_minute = lease.per_minute
                self._lowered(self._budget, self.per_minute)
            if lease.slots:
                return Grant(lease.slots, asked + LEASE)

    def used(self) -> int:
        """Give one ticket for all: what is used is counted at the desk."""
        return 1

    def answered(self, ticket: int) -> None:
        """Take no note: the desk counts by leases."""

    @property
    def held_for(self) -> float:
        """Never: what was given before is counted at the desk."""
        return 0.0

    def change(self, per_minute: float) -> None:
        """Adopt another limit; the desk learns it with the next question, and keeps the lowest told."""
        self.per_minute = per_minute

    def hold(self, seconds: float) -> None:
        """Tell the others of a pause."""
        task = asyncio.get_running_loop().create_task(self._link.ask(("hold", self._app, seconds)), name="hold")
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

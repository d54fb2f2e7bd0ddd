"""The client of a desk in another process: leases slots for a pacer.

Without a desk there are no slots: requests wait, the desk is asked again twice a second, and the outage is reported.
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

_RETRY: Final = 0.5
# Seconds to wait for an answer; the desk does nothing but answer.
_TIMEOUT: Final = 5.0


class Asking(Protocol):
    """A way to reach a desk."""

    async def ask(self, question: Sequence[Any]) -> list[Any]:
        """Send a question, again and again until it is answered."""


class Link:
    """A connection to a desk behind a socket, opened when it is needed and reopened after it was lost.

    clock  monotonic seconds
    gone   called on each failed attempt to reach the desk, with the seconds since the first one
    """

    def __init__(self, address: Path, clock: Callable[[], float], gone: Callable[[float], None]) -> None:
        self._address, self._clock, self._gone = address, clock, gone
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._turn = asyncio.Lock()
        self._lost_at: float | None = None

    @property
    def gone_for(self) -> float | None:
        """Seconds since the desk was lost; None while it can be reached."""
        return None if self._lost_at is None else self._clock() - self._lost_at

    async def ask(self, question: Sequence[Any]) -> list[Any]:
        """Send a question, again and again until it is answered."""
        while True:
            try:
                async with self._turn, asyncio.timeout(_TIMEOUT):
                    answer = await self._asked(orjson.dumps(question) + b"\n")
            except (OSError, ValueError):
                now = self._clock()
                if self._lost_at is None:
                    self._lost_at = now
                self._gone(now - self._lost_at)
                await asyncio.sleep(_RETRY)
            else:
                self._lost_at = None
                return answer

    def close(self) -> None:
        """Close the connection."""
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
            # A late answer must not be read as the answer to the next question.
            self.close()
            raise
        return answer


class LeasedSlots:
    """The slots of a budget that other processes share.

    link        how the desk is reached
    app         the desk's name for the app
    per_minute  the limit that this process was given
    lowered     called when the desk reports a lower limit
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
        self._holds = set[asyncio.Task[Any]]()

    async def take(self, wanted: int) -> Grant:
        """Wait for a lease."""
        clock = self._gate.clock
        while True:
            if (early := self._next - clock()) > 0:
                await asyncio.sleep(early)
            # The lease runs from the question: a slow answer leaves less of it, never more than the desk has counted.
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
        """Return the same ticket for all requests: the desk counts leases."""
        return 1

    def answered(self, ticket: int) -> None:
        """Do nothing: the desk counts leases."""

    @property
    def held_for(self) -> float:
        """Always 0: the desk counts the slots of the last minute."""
        return 0.0

    def change(self, per_minute: float) -> None:
        """Change the limit. The desk receives it with the next question; the lowest of all processes is in force."""
        self.per_minute = per_minute

    def hold(self, seconds: float) -> None:
        """Share a pause with the other processes."""
        task = asyncio.get_running_loop().create_task(self._link.ask(("hold", self._app, seconds)), name="hold")
        self._holds.add(task)
        task.add_done_callback(self._holds.discard)

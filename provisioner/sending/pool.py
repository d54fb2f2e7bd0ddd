"""The pool: one bounded backlog, N workers, one settlement for each row.

A stop empties the backlog. Requests on the wire finish and are recorded; no exception passes through the pool, because
the outcomes of the other requests on the wire would be lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Protocol

from provisioner.errors import ExitCode
from provisioner.model import Outcome, Past, Settlement, State, UserRequest
from provisioner.sending.users.failures import IN_DOUBT
from provisioner.stop import Stop, Stopper
from provisioner.tally import OutcomeTally
from provisioner.wording import counted

# Statuses from this one on are failures of the server, not of the row.
_SERVER_ERROR: Final = 500
# Consecutive rows that failed for want of an answer, after which rows that had failed before count against the budget.
_MAX_UNANSWERED: Final = 100

Settle = Callable[[UserRequest], Awaitable[Settlement]]
Record = Callable[[Settlement], None]

_CURE: Final = "see why in the results, then resume; max_failures under [run] (--max-failures) allows more"


class Backlog:
    """Blocks of rows that are already recorded as sent; at most one waits behind the one in use.

    Call `put` and `take` within `open`, so that a stop wakes up whoever waits in them.
    """

    def __init__(self, stopper: Stopper) -> None:
        self._stopper = stopper
        self._room = asyncio.Semaphore(1)
        self._blocks: asyncio.Queue[Sequence[UserRequest] | None] = asyncio.Queue()
        self._block: list[UserRequest] = []
        self._turn = asyncio.Lock()
        self._dry = False

    @contextmanager
    def open(self) -> Iterator[None]:
        """Empty the backlog if the run is stopped before the block ends."""
        with self._stopper.on_stop(self._run_dry):
            yield

    async def put(self, block: Sequence[UserRequest]) -> None:
        """Add a block as soon as there is room; at once if the run is being stopped, when it will be left over."""
        if not self._stopper.is_stopping():
            await self._room.acquire()
        self._blocks.put_nowait(block)

    def end(self) -> None:
        """Signal that no block follows."""
        self._blocks.put_nowait(None)

    async def take(self) -> UserRequest | None:
        """Return the next row, None if there are no more or the run is being stopped."""
        if self._block and self._stopper.stop is None:
            return self._block.pop()
        async with self._turn:
            while not (self._block or self._dry or self._stopper.is_stopping()):
                block = await self._blocks.get()
                self._room.release()
                self._dry = block is None
                self._block = list(reversed(block or ()))
            return self._block.pop() if self._block and not self._stopper.is_stopping() else None

    def leftovers(self) -> list[UserRequest]:
        """Remove and return the rows that no worker took."""
        rest, self._block = self._block, []
        while not self._blocks.empty():
            rest.extend(self._blocks.get_nowait() or ())
        return rest

    def _run_dry(self, _: Stop) -> None:
        # Wake up a `take` that waits for a block and a `put` that waits for room: neither will come.
        self._blocks.put_nowait(None)
        self._room.release()


class Allowance(Protocol):
    """How many failed rows are tolerated; implemented in `provisioner.settings.values`, a layer above this one."""

    def exceeded(self, count: int, total: int) -> bool:
        """Return whether `count` of `total` exceed the allowance."""

    def phrase(self, noun: str, whole: str) -> str:
        """Return the allowance in words, for a message about `noun`s of a `whole`."""


@dataclass(frozen=True, slots=True)
class Pool:
    """N workers.

    failures  tolerated among the settled rows
    grace     seconds in which requests on the wire may still finish once the run is being stopped
    """

    size: int
    failures: Allowance
    outcomes: OutcomeTally
    stopper: Stopper
    grace: float = 10.0

    async def drain(self, backlog: Backlog, settle: Settle, record: Record) -> list[Exception]:
        """Settle every row of the backlog; return when no request is on the wire any more.

        Returns unexpected exceptions, which are bugs; the run is being stopped then.

        settle  sends what a row needs until it has an outcome or the run is stopped
        record  takes the settlement, which is on disk soon after
        """
        workers = [
            asyncio.create_task(self._work(backlog, settle, record), name=f"worker-{n}") for n in range(self.size)
        ]
        stopped = asyncio.create_task(self.stopper.wait(), name="stop")
        done = asyncio.create_task(asyncio.wait(workers), name="pool")
        try:
            await asyncio.wait({done, stopped}, return_when=asyncio.FIRST_COMPLETED)
            # Requests still on the wire after that stay recorded as sent: in doubt, resolved by the next run.
            await asyncio.wait({done}, timeout=self.grace if self.stopper.is_stopping() else None)
        finally:
            for task in (stopped, done, *workers):
                task.cancel()
            ends = await asyncio.gather(stopped, done, *workers, return_exceptions=True)
        return [end for end in ends if isinstance(end, Exception)]

    async def _work(self, backlog: Backlog, settle: Settle, record: Record) -> None:
        while (request := await backlog.take()) is not None:
            try:
                settlement = await settle(request)
                record(settlement)
            except Exception as error:  # a bug: the other workers still finish
                self.stopper.request(Stop.because_of(error, f"row {request.row}: "))
                raise
            if settlement.state is State.SETTLED:
                self._count(settlement, request.past)

    def _count(self, settlement: Settlement, past: Past | None) -> None:
        settled, outcome = self.outcomes.settled, settlement.outcome
        settled[outcome] += 1
        unanswered = outcome is Outcome.FAILED and _is_unanswered(settlement)
        self.outcomes.unanswered = self.outcomes.unanswered + 1 if unanswered else 0
        # Rows that had failed before do not count: they come first in a resumed run, which would stop there each time.
        self.outcomes.failed_again += past is not None and outcome is past.outcome is Outcome.FAILED
        # Unless the server is down: then the run would go on for hours, row by row.
        again = self.outcomes.failed_again if self.outcomes.unanswered < _MAX_UNANSWERED else 0
        anew = settled[Outcome.FAILED] - again
        # Checked after successes too: an allowance in % applies from a hundred rows on, and this may be the hundredth.
        if anew and self.failures.exceeded(anew, settled.total() - again):
            rows = f"{counted(anew, 'row')} {'has' if anew == 1 else 'have'} failed{' anew' if again else ''}"
            allowed = self.failures.phrase("row", "settled rows")
            message = f"{rows}, more than {allowed}; {_CURE}"
            self.stopper.request(Stop("error_budget", message, ExitCode.SAFETY))


def _is_unanswered(settlement: Settlement) -> bool:
    """Return whether a row failed for want of an answer, not because of its content."""
    return settlement.error_code == IN_DOUBT or (settlement.http_status or 0) >= _SERVER_ERROR

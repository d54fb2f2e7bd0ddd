"""The pool: one bounded backlog, N workers, one settlement a row.

Stopping means that the backlog runs dry. Requests on the wire finish and are recorded; nothing is raised through the
pool, for then the fate of the others on the wire would be lost.
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

# Answers from this status on say nothing of the row.
_DOWN: Final = 500
# Rows in a row to which the server has no answer, and of which none is spared any more.
_IN_VAIN: Final = 100

Settle = Callable[[UserRequest], Awaitable[Settlement]]
Record = Callable[[Settlement], None]

_CURE: Final = "see why in the results, then resume; max_failures under [run] (--max-failures) allows more"


class Backlog:
    """Blocks of rows, each already recorded as sent, at most one waiting behind the one in use.

    Use `open` around all the putting and taking, so that a stop reaches whoever waits.
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
        """Run dry at the moment of a stop that comes before the block ends."""
        with self._stopper.on_stop(self._run_dry):
            yield

    async def put(self, block: Sequence[UserRequest]) -> None:
        """Add a block when there is room, or at once when the run is being stopped: it will be left over."""
        if not self._stopper.is_stopping():
            await self._room.acquire()
        self._blocks.put_nowait(block)

    def end(self) -> None:
        """Put the end: no block follows."""
        self._blocks.put_nowait(None)

    async def take(self) -> UserRequest | None:
        """Give the next row, None when there is none or the run is being stopped."""
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
        """Take out the rows that no worker took."""
        rest, self._block = self._block, []
        while not self._blocks.empty():
            rest.extend(self._blocks.get_nowait() or ())
        return rest

    def _run_dry(self, _: Stop) -> None:
        # Someone may be waiting for a block that will not come, and someone else for room that nobody makes.
        self._blocks.put_nowait(None)
        self._room.release()


class Allowance(Protocol):
    """How many failed rows are borne; see `provisioner.settings.values`, which stands above this."""

    def exceeded(self, count: int, total: int) -> bool:
        """Whether `count` of `total` are more than that."""

    def phrase(self, noun: str, whole: str) -> str:
        """Say it of things that are counted."""


@dataclass(frozen=True, slots=True)
class Pool:
    """N workers.

    failures  of the settled rows that are borne
    grace     seconds that requests on the wire are given once the run is being stopped
    """

    size: int
    failures: Allowance
    outcomes: OutcomeTally
    stopper: Stopper
    grace: float = 10.0

    async def drain(self, backlog: Backlog, settle: Settle, record: Record) -> list[Exception]:
        """Carry every row of the backlog to its settlement; returns when no request is on the wire any more.

        What it gives are bugs of ours, if there were any; the run is being stopped then.

        settle  carries one row as far as the run lasts
        record  takes the settlement; it is on disk soon after
        """
        workers = [
            asyncio.create_task(self._work(backlog, settle, record), name=f"worker-{n}") for n in range(self.size)
        ]
        stopped = asyncio.create_task(self.stopper.wait(), name="stop")
        done = asyncio.create_task(asyncio.wait(workers), name="pool")
        try:
            await asyncio.wait({done, stopped}, return_when=asyncio.FIRST_COMPLETED)
            # Those still on the wire after that stay recorded as sent: in doubt, to be resolved by the next run.
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
            except Exception as error:  # a bug of ours: the others still finish
                self.stopper.request(Stop.because_of(error, f"row {request.row}: "))
                raise
            if settlement.state is State.SETTLED:
                self._count(settlement, request.past)

    def _count(self, settlement: Settlement, past: Past | None) -> None:
        settled, outcome = self.outcomes.settled, settlement.outcome
        settled[outcome] += 1
        in_vain = outcome is Outcome.FAILED and _is_unanswered(settlement)
        self.outcomes.in_vain = self.outcomes.in_vain + 1 if in_vain else 0
        # A resume begins with the rows that failed, of which whoever gave it knows: it would end there each time.
        self.outcomes.failed_again += past is not None and outcome is past.outcome is Outcome.FAILED
        # But with a server that is down it would go on for hours, row by row.
        again = self.outcomes.failed_again if self.outcomes.in_vain < _IN_VAIN else 0
        anew = settled[Outcome.FAILED] - again
        # Of a share that counts from a hundred rows on, it can be a row that went well which makes them a hundred.
        if anew and self.failures.exceeded(anew, settled.total() - again):
            rows = f"{counted(anew, 'row')} {'has' if anew == 1 else 'have'} failed{' anew' if again else ''}"
            borne = self.failures.phrase("row", "settled rows")
            message = f"{rows}, more than {borne}; {_CURE}"
            self.stopper.request(Stop("error_budget", message, ExitCode.SAFETY))


def _is_unanswered(settlement: Settlement) -> bool:
    """Whether a row has failed for want of an answer, and not because of what it says."""
    return settlement.error_code == IN_DOUBT or (settlement.http_status or 0) >= _DOWN

"""From the checked batches to the source of the pool: who needs a request, recorded as sent before it gets there."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial

from provisioner.admission import Admitted, admit
from provisioner.checking import CheckedBatch, Checking
from provisioner.errors import StorageError
from provisioner.journal.recorder import Recorder
from provisioner.sending.pool import Source
from provisioner.sending.roles import RoleCheck
from provisioner.stop import Stop, Stopper


@dataclass(frozen=True, slots=True)
class Feed:
    """Reads a roster to its end, one batch ahead of the sending.

    reader      the thread that reads and checks
    block_size  rows recorded as sent in one commit
    """

    checking: Checking
    recorder: Recorder
    source: Source
    roles: RoleCheck
    stopper: Stopper
    reader: Executor
    block_size: int

    async def run(self) -> None:
        """Read on to the end: also a stopped run counts and explains every row.

        Whatever it raises leaves rows uncounted, so that no results can be written.
        """
        try:
            upcoming = self._next()
            while (checked := await upcoming) is not None:
                upcoming = self._next()
                await self._feed(checked)
        finally:
            self.source.end()

    def _next(self) -> asyncio.Future[CheckedBatch | None]:
        return asyncio.get_running_loop().run_in_executor(self.reader, self.checking.next)

    async def _feed(self, checked: CheckedBatch) -> None:
        """Feed one batch, and keep it with what became of its rows."""
        rejected: dict[int, str] = {}
        try:
            await self._admit(checked, rejected)
        except StorageError as error:
            self.stopper.request(Stop("storage", str(error), error.exit_code))
        self.checking.keep(checked, rejected)

    async def _admit(self, checked: CheckedBatch, rejected: dict[int, str]) -> None:
        """Put the rows that need a request into the source; those with an unknown role into `rejected`, row → why."""
        roles = dict(checked.roles()) if self.roles.known is not None else {}
        parts = admit(checked.valid, self.recorder.journal)
        while not self.stopper and (part := await self.recorder.run(lambda: next(parts, None))) is not None:
            part = await self._with_known_roles(part, roles, rejected)
            self.checking.tally.skipped += part.skipped
            if part.moved:
                await self.recorder.run(partial(self.recorder.journal.move, part.moved))
            for start in range(0, len(part.requests), self.block_size):
                if self.stopper:
                    return
                block = part.requests[start : start + self.block_size]
                await self.recorder.run(partial(self.recorder.journal.sent, block, time.time()))
                await self.source.put(block)

    async def _with_known_roles(self, part: Admitted, roles: dict[int, str], rejected: dict[int, str]) -> Admitted:
        doubtful = [each for each in part.requests if self.roles.doubtful(roles.get(each.row))]
        if not doubtful:
            return part
        await self.roles.ask()
        unknown = {each.row for each in doubtful if self.roles.doubtful(roles[each.row])}
        if self.stopper or not unknown:
            return part
        rejected.update({row: self.roles.message(roles[row]) for row in unknown})
        return Admitted([each for each in part.requests if each.row not in unknown], part.skipped, part.moved)

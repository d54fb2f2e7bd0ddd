"""Which job runs when, and what becomes of the others when one has ended.

Jobs are started in the order of the file, so many at a time. What ends a job ends that job; only shards of its roster
that have not begun are held back when it ended with 2, 3, 4 or 70: they have the same key, the same settings and the
same roster, so each would find the same. A job that was killed from outside is started again and goes on.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from provisioner.errors import ExitCode
from provisioner.fleet.engine import Engine
from provisioner.fleet.local.left import Left
from provisioner.fleet.standing import KILLED, SIGNALLED, Ended, Phase, Standing
from provisioner.journal.lock import holder_of
from provisioner.logs.events import get_logger
from provisioner.stop import Stopper

_TELLING: Final = frozenset({ExitCode.USAGE, ExitCode.SAFETY, ExitCode.API, ExitCode.BUG})
"""What a shard ends with when the others of its roster would end with the same."""

FUTILE: Final = 3
"""Deaths in a row without a row more: then a job is not started again."""

log = get_logger()


class Conductor:
    """Carries out jobs.

    at_once  so many at a time
    base     the folder that paths of jobs begin in
    pause    seconds before a job that was killed is started again, and between looks at a journal that is in use
    hung     seconds after which what an earlier fleet left, and was asked to stop, is killed: nobody hears what it says
    """

    def __init__(
        self,
        standings: list[Standing],
        engine: Engine,
        stopper: Stopper,
        at_once: int,
        base: Path,
        pause: float = 1.0,
        hung: float = 120.0,
    ) -> None:
        self._standings, self._engine, self._stopper, self._base = standings, engine, stopper, base
        self._at_once, self._pause, self._hung = at_once, pause, hung
        self._left: dict[str, Left] = {}

    async def carry_out(self) -> None:
        """Carry out all of them; when the fleet is stopped, those that have not begun stay as they are.

        What an earlier fleet has left running is stopped as well, or told when it is not surely that.
        """
        waiting = iter(self._standings)
        with self._stopper.on_stop(lambda _: self._stop()):
            await asyncio.gather(*(self._work(waiting) for _ in range(self._at_once)))
        if self._stopper.is_stopping():
            self._stop_left()
            await asyncio.gather(*(self._see_off(each) for each in self._standings if each.phase is Phase.WAITING))

    async def _work(self, waiting: Iterator[Standing]) -> None:
        while not self._stopper.is_stopping() and (standing := next(waiting, None)) is not None:
            if standing.phase is Phase.WAITING:
                await self._to_its_end(standing)

    async def _to_its_end(self, standing: Standing) -> None:
        standing.phase, standing.began = Phase.RUNNING, time.monotonic()
        if not await self._free(standing):
            standing.phase = Phase.WAITING
            return
        deaths, further = 0, -1
        while True:
            standing.starts += 1
            log.info("job.started", job=standing.job.name, starts=standing.starts)
            ended = _seen(await self._engine.carry_out(standing.job, standing.note))
            standing.seconds = time.monotonic() - standing.began
            if ended.exit_code >= 0 or self._stopper.is_stopping():
                break
            done = standing.done
            deaths, further = (1, done) if done > further else (deaths + 1, further)
            log.warning("job.killed", job=standing.job.name, signal=-ended.exit_code, done=done)
            if deaths >= FUTILE:
                message = (
                    f"killed by signal {-ended.exit_code}, {deaths} times without coming any further; is memory short?"
                )
                ended = Ended(ended.exit_code, ended.summary, message)
                break
            await self._stopper.nap(self._pause)
            if self._stopper.is_stopping():
                break
        self._end(standing, ended)

    async def _free(self, standing: Standing) -> bool:
        """Wait for the journal of a job that an earlier fleet left running; False when the fleet is stopped before."""
        while (holder := holder_of(self._base / standing.job.journal)) is not None and not self._stopper.is_stopping():
            if standing.waits_for is None:
                log.warning("job.waits", job=standing.job.name, reason=f"its journal is in use by {holder}")
            standing.waits_for = holder
            await self._stopper.nap(self._pause)
        standing.waits_for = None
        return not self._stopper.is_stopping()

    def _stop(self) -> None:
        self._engine.stop()
        self._stop_left()

    def _stop_left(self) -> None:
        """Ask what an earlier fleet has left running to stop, once: a second signal would end it at once."""
        for standing in self._standings:
            name, begun = standing.job.name, standing.phase is not Phase.WAITING and standing.waits_for is None
            if not begun and name not in self._left and (left := Left.find(standing.job, self._base)) is not None:
                self._left[name] = left
                left.stop()

    async def _see_off(self, standing: Standing) -> None:
        """Wait until what an earlier fleet has left has ended, and tell how; or tell what goes on."""
        if (left := self._left.get(standing.job.name)) is not None:
            standing.phase = Phase.RUNNING
            killed = await self._gone(left)
            standing.phase = Phase.WAITING
            if (ended := left.ended() or killed) is not None:
                standing.seconds = float(ended.summary.get("elapsed_seconds") or 0)
                self._end(standing, ended)
        elif (holder := holder_of(self._base / standing.job.journal)) is not None:
            standing.phase, standing.waits_for = Phase.RUNNING, holder
            log.warning("job.left", job=standing.job.name, reason=standing.message)

    async def _gone(self, left: Left) -> Ended | None:
        """Wait until a process that is no child of ours is gone; how it ended when it hung, and had to be killed."""
        until, killed = time.monotonic() + self._hung, None
        while left.is_there():
            if time.monotonic() >= until:
                left.kill()
                message = f"it hung: asked to stop, it was still there after {self._hung:g} s, and was killed"
                killed = Ended(KILLED, message=f"{message}; the same command goes on where it was")
            await asyncio.sleep(self._pause)
        return killed

    def _end(self, standing: Standing, ended: Ended) -> None:
        standing.ended, standing.phase = ended, Phase.ENDED
        tell = log.warning if standing.in_trouble else log.info
        tell("job.ended", job=standing.job.name, exit_code=standing.exit_code, message=standing.message)
        if ended.exit_code not in _TELLING or self._stopper.is_stopping():
            return
        for other in self._standings:
            if other.job.group == standing.job.group and other.phase is Phase.WAITING:
                other.phase = Phase.HELD_BACK
                message = f"not started, because {standing.job.name} ended with {ended.exit_code}"
                other.ended = Ended(ended.exit_code, message=message)


def _seen(ended: Ended) -> Ended:
    """See a job that minded a signal as killed by it: unless the fleet is stopped, nobody here has sent one."""
    minded = ended.exit_code in {ExitCode.SIGINT, ExitCode.SIGTERM}
    return replace(ended, exit_code=SIGNALLED - ended.exit_code) if minded else ended

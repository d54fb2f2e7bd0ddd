"""What is kept of the progress for a report: stretch by stretch, what was done in it, and how it ended."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from provisioner.journal.course.points import Point
from provisioner.journal.course.table import UNDO, Course
from provisioner.journal.recorder import Recorder
from provisioner.run.job import Run, options_of
from provisioner.run.progress.watch import Watch
from provisioner.sending.calls import Budget
from provisioner.sending.serverclock import ServerClock
from provisioner.stop import Stop
from provisioner.tally import Tally

if TYPE_CHECKING:
    from provisioner.run.wiring import Connection
    from provisioner.sending.pacing import Pacing


class Sampler:
    """Tells what a run has done since it was asked last, as a stretch of its course.

    run  its number
    """

    def __init__(self, run: int, tally: Tally, watch: Watch, pacing: Pacing) -> None:
        self._run, self._tally, self._watch, self._pacing = run, tally, watch, pacing
        self._last, self._before = time.monotonic(), self._counts()

    def take(self) -> Point:
        """Take the stretch that ends now."""
        now, counts, pacers = time.monotonic(), self._counts(), self._pacing.pacers
        done: dict[str, Any] = {name: count - self._before[name] for name, count in counts.items()}
        done["seconds"] = now - self._last
        done["paused"] = min(done["seconds"], max(0.0, done["paused"]))
        self._last, self._before = now, counts
        return Point(
            run=self._run,
            ends_at=time.time(),
            core_limit=pacers[Budget.CORE].per_minute,
            standard_limit=pacers[Budget.STANDARD].per_minute,
            held_by=self._watch.sending.held_by(now),
            **done,
        )

    def _counts(self) -> dict[str, float]:
        requests, pacing = self._tally.requests, self._pacing
        return {
            "requests": requests.sent,
            "settled": self._tally.outcomes.settled.total(),
            "rate_limited": requests.rate_limited,
            "paused": pacing.gate.closed_so_far,
            "core": pacing.issued[Budget.CORE],
            "standard": pacing.issued[Budget.STANDARD],
        }


@asynccontextmanager
async def on_record(run: Run, connection: Connection, recorder: Recorder, command: str) -> AsyncIterator[None]:
    """Record how it goes until the block ends: that it began, a stretch each second, and what ended it.

    It is for a picture, see `provisioner.journal.course`.
    """
    asked = {"roster": list(run.job.roster.names), **options_of(run.job.settings)}
    course = await recorder.run(lambda: recorder.journal.course)
    number = await recorder.run(lambda: course.begin(time.time(), command, asked))
    if number is None:
        yield
        return
    sampler = Sampler(number, run.tally, run.watch, connection.exchanger.pacing)
    # An undo creates nobody, and asks how long those could that it takes back.
    clock = ServerClock() if command == UNDO else connection.clock
    sampling = asyncio.create_task(_sampled(sampler, course, recorder, clock), name="sampler")
    error: Exception | None = None
    try:
        yield
    except Exception as cause:
        error = cause
        raise
    finally:
        sampling.cancel()
        await asyncio.gather(sampling, return_exceptions=True)
        stop = run.stopper.stop or (Stop.because_of(error) if error is not None else None)
        reason = stop.reason if stop is not None else None
        await recorder.run(partial(course.add, sampler.take(), clock.now()))
        await recorder.run(lambda: course.end(number, time.time(), reason, run.tally.requests.sent))


async def _sampled(sampler: Sampler, course: Course, recorder: Recorder, clock: ServerClock) -> None:
    seconds = 1.0
    while True:
        await asyncio.sleep(seconds)
        seconds = await recorder.run(partial(course.add, sampler.take(), clock.now()))

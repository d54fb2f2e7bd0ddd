"""What a person sees while it runs: a line that is redrawn on a terminal, an event now and then elsewhere.

And what is kept of it for a report: stretch by stretch, what was done in it.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.table import Column
from rich.text import Text

from provisioner.journal.course.points import Point
from provisioner.logs import get_logger
from provisioner.model import RUN_OUTCOMES, Kind, Outcome, Tally
from provisioner.sending.calls import Budget
from provisioner.wording import duration

if TYPE_CHECKING:  # what only checks has no need of the limiter
    from provisioner.sending.attempts import Reach
    from provisioner.sending.leasing.link import Link
    from provisioner.sending.pacing import Pacer, Pacing

EVENT: Final = 10.0
"""Seconds between two log events where nothing is drawn."""

# Seconds between two drawings.
_REDRAW: Final = 0.2
# Seconds over which the current rate is taken.
_RECENT: Final = 10.0
# In the order in which they are shown; failed rows come behind the rejected ones.
_SETTLED: Final = tuple(each for each in RUN_OUTCOMES if each.kind is Kind.FINAL or each is Outcome.FAILED)


@dataclass(slots=True)
class Stage:
    """What is going on: reading, sending or writing; `total` rows where they are known."""

    name: str
    done: Callable[[], int]
    total: Callable[[], int | None]


class Watch:
    """Shows how a run is getting on, from its tally, until the block ends.

    drawn  whether a terminal is there to draw on
    every  seconds between two log events where there is none
    """

    def __init__(self, tally: Tally, *, drawn: bool, every: float = EVENT) -> None:
        self._tally, self._drawn, self._every = tally, drawn, every
        self._log = get_logger()
        rows = tally.rows
        self._stages = {
            "reading": Stage("reading", lambda: rows.surveyed, lambda: rows.total),
            "checking": Stage("checking", lambda: rows.checked, lambda: rows.total),
            "sending": Stage("sending", self._through, lambda: rows.total),
            "proving": Stage("reading the app", lambda: tally.requests.sent, lambda: None),
            "writing": Stage("writing the results", lambda: 0, lambda: None),
        }
        self.stage = self._stages["reading"]
        self.shown: Sequence[Outcome] = _SETTLED
        self.pacing: Pacing | None = None
        self.reach: Reach | None = None
        self.link: Link | None = None
        self._samples: deque[tuple[float, int]] = deque()

    def enter(self, stage: str) -> None:
        """Go on to another stage."""
        self.stage = self._stages[stage]

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Draw or log in the background of the running event loop until the block ends."""
        task = asyncio.create_task(self._draw() if self._drawn else self._log_now_and_then(), name="progress")
        try:
            yield
        finally:
            task.cancel()

    def facts(self) -> dict[str, Any]:
        """Give the numbers as they stand, for a log event."""
        requests, settled = self._tally.requests, self._tally.outcomes.settled
        return {
            "stage": self.stage.name,
            "done": self.stage.done(),
            "of": self.stage.total(),
            "rejected": self._tally.rows.rejected,
            **{outcome.value: settled[outcome] for outcome in self.shown},
            "requests": requests.sent,
            "rate_limited": requests.rate_limited,
        }

    def sentence(self) -> str:
        """Put the numbers as they stand, and what sets the pace, into one line."""
        rejected, outcomes = self._tally.rows.rejected, self._tally.outcomes
        if self.stage.name != "sending":
            return f"{rejected:,} rejected" if rejected else ""
        counts = {outcome.value: outcomes.settled[outcome] for outcome in self.shown[:-1]}
        counts |= {"rejected": rejected, "failed": outcomes.settled[Outcome.FAILED], "settled before": outcomes.skipped}
        message = " · ".join(f"{number:,} {name}" for name, number in counts.items() if number or name == self.shown[0])
        return f"{message} · {self.rate(time.monotonic()):,.0f}/min ({self.pace()})"

    def _through(self) -> int:
        """Count the rows that are through with the sending, or had no need of it."""
        outcomes = self._tally.outcomes
        return self._tally.rows.rejected + outcomes.skipped + outcomes.settled.total()

    def rate(self, now: float) -> float:
        """Give requests a minute over the last seconds; over the whole run while there is too little to go by."""
        samples = self._samples
        samples.append((now, self._tally.requests.sent))
        while now - samples[0][0] > _RECENT:
            samples.popleft()
        (began, before), (ended, after) = samples[0], samples[-1]
        return (after - before) * 60 / (ended - began) if ended - began >= 1 else self._tally.requests.per_minute

    def pace(self) -> str:
        """Name what holds the rate where it is."""
        if self.pacing is None:
            return "starting"
        if self.link is not None and (seconds := self.link.gone_for) is not None:
            return f"the fleet's pacer is gone, for {seconds:.0f} s by now"
        if self.reach is not None and (left := self.reach.giving_up_in(time.monotonic())) is not None:
            return f"cannot reach the API, giving up in {left:.0f} s"
        if (seconds := self.pacing.gate.closed_for) > 0:
            return f"pause after 429, {seconds:.0f} s left"
        waited_for = self._waited_for(self.pacing)
        return f"limit {waited_for[0].per_minute:,.0f}/min" if waited_for else "latency"

    def held_by(self, pacing: Pacing) -> str:
        """Name it in one word."""
        unreachable = self.reach is not None and self.reach.giving_up_in(time.monotonic()) is not None
        if unreachable or (self.link is not None and self.link.gone_for is not None):
            return "unreachable"
        if pacing.gate.closed_for > 0:
            return "pause"
        return "limit" if self._waited_for(pacing) else "latency"

    @staticmethod
    def _waited_for(pacing: Pacing) -> list[Pacer]:
        return [pacer for pacer in pacing.pacers.values() if pacer.saturated]

    async def _draw(self) -> None:
        console = Console(stderr=True)
        # On a narrow terminal the facts go before the ornament, and the last of them give way first.
        ornament = [SpinnerColumn(), BarColumn(bar_width=16)] if console.width >= 110 else []
        bar = Progress(
            *ornament,
            TextColumn("{task.description}", table_column=Column(no_wrap=True, min_width=7)),
            _Done(table_column=Column(no_wrap=True, min_width=22)),
            TextColumn("{task.fields[sentence]}", table_column=Column(no_wrap=True, overflow="ellipsis")),
            console=console,
            transient=True,
            auto_refresh=False,
        )
        with bar:
            line = bar.add_task("", total=None, sentence="")
            while True:
                stage = self.stage
                bar.update(
                    line,
                    description=stage.name,
                    completed=stage.done(),
                    total=stage.total(),
                    sentence=self.sentence(),
                )
                bar.refresh()
                await asyncio.sleep(_REDRAW)

    async def _log_now_and_then(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            while True:
                before = self.stage, self.stage.done()
                await asyncio.sleep(self._every)
                self._log.info("run.progress", **self.facts(), **self.forecast(*before))

    def forecast(self, stage: Stage, before: int) -> dict[str, Any]:
        """Give rate, pace and time left, for a log event.

        before  rows that were through with the stage at the event before
        """
        done, total = self.stage.done(), self.stage.total()
        rows = done - before if stage is self.stage else 0
        left = (total - done) * self._every / rows if total is not None and rows > 0 else None
        sending = self.stage.name == "sending"
        return {
            "requests_per_minute": round(self.rate(time.monotonic())) if sending else None,
            "pace": self.pace() if sending else None,
            "seconds_left": None if left is None else round(left),
        }


class _Done(ProgressColumn):
    """`done of total, time left`."""

    def render(self, task: Task) -> Text:
        """Render one line."""
        if not task.completed:
            return Text("")
        message = f"{int(task.completed):,}"
        if task.total is not None:
            message += f" of {int(task.total):,}"
        if task.time_remaining is not None and not task.finished:
            message += f", {duration(task.time_remaining)} left"
        return Text(message)


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
            held_by=self._watch.held_by(self._pacing),
            **done,
        )

    def _counts(self) -> dict[str, float]:
        requests, pacing = self._tally.requests, self._pacing
        return {
            "requests": requests.sent,
            "settled": self._tally.outcomes.settled.total(),
            "rate_limited": requests.rate_limited,
            "paused": pacing.gate.closed_so_far,
            "core": pacing.given[Budget.CORE],
            "standard": pacing.given[Budget.STANDARD],
        }

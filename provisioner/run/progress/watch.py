"""What is going on in a run: drawn on a terminal, an event now and then elsewhere."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from math import inf
from typing import Any, Final

from rich.console import Console
from rich.live import Live

from provisioner.errors import ConfigurationError
from provisioner.logs.events import get_logger
from provisioner.model import RUN_OUTCOMES, Kind, Outcome
from provisioner.run.progress.pace import Recent, Sample, Sending
from provisioner.run.progress.screen import Fact, lines
from provisioner.stop import Stopper
from provisioner.tally import Tally
from provisioner.wording import duration, shortened

EVENT: Final = 10.0
"""Seconds between two log events where nothing is drawn."""

PROGRESS_SECONDS: Final = "PROVISIONER_PROGRESS_SECONDS"
"""The variable in which a fleet tells its jobs how often it wants to hear of them."""

# Seconds between two looks, each of which is drawn on a terminal.
_LOOK: Final = 0.2
# In the order in which they are shown; failed rows come behind the rejected ones.
_SETTLED: Final = tuple(each for each in RUN_OUTCOMES if each.kind is Kind.FINAL or each is Outcome.FAILED)


def told_every(environment: Mapping[str, str]) -> float:
    """Say how many seconds are between two log events; raises `ConfigurationError` where the variable says no such."""
    given = environment.get(PROGRESS_SECONDS) or str(EVENT)
    with suppress(ValueError):
        if 0 < (seconds := float(given)) < inf:
            return seconds
    message = f"should be a number of seconds above 0, not {shortened(given)}; take the variable out, or mend it"
    raise ConfigurationError(f"{PROGRESS_SECONDS}: {message}")


@dataclass(slots=True)
class Stage:
    """What is going on: reading, sending or writing; `total` rows where they are known."""

    name: str
    done: Callable[[], int]
    total: Callable[[], int | None]


class Watch:
    """Shows how a run is getting on, from its tally, until the block ends.

    drawn    whether a terminal is there to draw on
    stopper  what ends the run early
    every    seconds between two log events where there is none
    """

    def __init__(self, tally: Tally, stopper: Stopper, *, drawn: bool, every: float = EVENT) -> None:
        self._tally, self._stopper, self._drawn, self._every = tally, stopper, drawn, every
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
        self.sending = Sending()
        self.recent = Recent()
        self._live: Live | None = None

    def enter(self, stage: str) -> None:
        """Go on to another stage."""
        self.stage = self._stages[stage]
        self.recent.clear()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Draw or log in the background of the running event loop until the block ends."""
        tasks = [asyncio.create_task(self._look(), name="progress")]
        if not self._drawn:
            tasks.append(asyncio.create_task(self._log_now_and_then(), name="progress events"))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Draw nothing until the block ends: a person is asked something."""
        if self._live is None:
            yield
            return
        self._live.stop()
        try:
            yield
        finally:
            self._live.start()

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

    def where(self) -> list[Fact]:
        """Say how far it is: stage, done of total, percent, time left."""
        done, total = self.stage.done(), self.stage.total()
        told = [Fact(self.stage.name, 1)]
        if done:
            told = [Fact(f"{self.stage.name} {done:,}" + (f" of {total:,}" if total else ""), 1)]
        if done and total:
            told.append(Fact(f"{_percent(done, total)}%", 2))
        if (seconds := self.seconds_left()) is not None:
            told.append(Fact(f"{duration(seconds)} left", 3))
        return told

    def how(self) -> list[Fact]:
        """Say how fast, why, and with what outcome. Why goes last of all that has to go."""
        rejected, outcomes = self._tally.rows.rejected, self._tally.outcomes
        if self.stage.name != "sending":
            return [Fact(f"{rejected:,} rejected", 5)] if rejected else []
        counts = {outcome.value: outcomes.settled[outcome] for outcome in self.shown[:-1]}
        counts |= {"rejected": rejected, "failed": outcomes.settled[Outcome.FAILED], "settled before": outcomes.skipped}
        ranks = {"failed": 5, "rejected": 6, "settled before": 9}
        told = [Fact(self.speed(), 0, "bold")]
        if (more := self.sending.more_in_flight(self.recent)) is not None and not self._stopper.is_stopping():
            told.append(Fact(f"--max-in-flight {more} would help", 4))
        told += [
            Fact(f"{number:,} {name}", ranks.get(name, 7))
            for name, number in counts.items()
            if number or name == self.shown[0]
        ]
        return told

    def speed(self) -> str:
        """Say the rate and what holds it there: `8,962/min (limit 9,000/min)`."""
        rate = self.recent.per_minute
        if self._stopper.is_stopping() or rate is None:
            return self.pace()
        return f"{rate:,.0f}/min ({self.pace()})"

    def _through(self) -> int:
        """Count the rows that are through with the sending, or had no need of it."""
        outcomes = self._tally.outcomes
        return self._tally.rows.rejected + outcomes.skipped + outcomes.settled.total()

    def pace(self) -> str:
        """Name what holds the rate where it is."""
        if self._stopper.is_stopping():
            wire = self._tally.requests.on_wire
            return f"stopping, {wire:,} on the wire" if wire else "stopping, the rest is counted"
        return self.sending.why(time.monotonic(), self.recent)

    def seconds_left(self) -> float | None:
        """Foretell the seconds that the stage still takes; None while nobody can say, or when it is being stopped."""
        total = self.stage.total()
        if total is None or self._stopper.is_stopping() or not (rows := total - self.stage.done()) > 0:
            return None
        return self.recent.seconds_left(rows)

    def sample(self, now: float, cpu: float) -> None:
        """Take down how far it is; monotonic seconds, and seconds that this thread has computed."""
        requests = self._tally.requests
        done, skipped = self.stage.done(), self._tally.outcomes.skipped
        self.recent.add(Sample(now, requests.sent, done, skipped, requests.rate_limited, requests.on_wire, cpu))

    async def _look(self) -> None:
        with ExitStack() as stack:
            if self._drawn:
                console = Console(stderr=True)
                self._live = stack.enter_context(Live(console=console, transient=True, auto_refresh=False))
                stack.callback(setattr, self, "_live", None)
            while True:
                self.sample(asyncio.get_running_loop().time(), time.thread_time())
                if self._live is not None:
                    self._draw(self._live)
                await asyncio.sleep(_LOOK)

    def _draw(self, live: Live) -> None:
        done, total = self.stage.done(), self.stage.total()
        share = min(1.0, done / total) if total else None
        console = live.console
        shown = lines(self.where(), self.how(), share, console.width, ascii_only=console.options.ascii_only)
        # A terminal that was closed meanwhile shows nothing, and that ends no run.
        with suppress(OSError):
            live.update(shown, refresh=True)

    async def _log_now_and_then(self) -> None:
        with suppress(asyncio.CancelledError):
            while True:
                await asyncio.sleep(self._every)
                self._log.info("run.progress", **self.facts(), **self.forecast())

    def forecast(self) -> dict[str, Any]:
        """Give rate, pace and time left, for a log event."""
        rate, left, sending = self.recent.per_minute, self.seconds_left(), self.stage.name == "sending"
        return {
            "requests_per_minute": round(rate) if sending and rate is not None else None,
            "pace": self.pace() if sending else None,
            "seconds_left": None if left is None else round(left),
        }


def _percent(done: int, total: int) -> int:
    """100 only when it is done."""
    return min(99, done * 100 // total) if done < total else 100

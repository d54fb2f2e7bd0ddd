"""What is kept of the progress for a report: stretch by stretch, what was done in it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from provisioner.journal.course.points import Point
from provisioner.model import Tally
from provisioner.run.progress.watch import Watch
from provisioner.sending.calls import Budget

if TYPE_CHECKING:
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
            "core": pacing.given[Budget.CORE],
            "standard": pacing.given[Budget.STANDARD],
        }

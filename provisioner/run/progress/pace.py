"""The rate of the last seconds, and what holds it there."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:  # what only checks has no need of the limiter
    from provisioner.sending.attempts import OutageTimer
    from provisioner.sending.pacing import Pacer, Pacing
    from provisioner.sending.slots.link import Link

# Seconds over which the current rate is taken, and fewer than which say nothing: a burst at the start is no rate.
_RECENT: Final = 10.0
_LEAST: Final = 2.0
# Of its time an event loop that is this busy has no room for more requests at once.
_BUSY: Final = 0.75
# Between an answer and the next request some time is lost in any case, more of it where others compute as well.
_NEARLY_ALL: Final = 0.85
_MOST_IN_FLIGHT: Final = 4096


class Sample(NamedTuple):
    """How far a run was at one moment.

    at       monotonic seconds
    sent     requests
    done     rows that were through with the stage
    skipped  of these, rows that an earlier run had settled
    limited  answers 429
    on_wire  requests without an answer yet
    cpu      seconds that the event loop's thread has computed
    """

    at: float
    sent: int = 0
    done: int = 0
    skipped: int = 0
    limited: int = 0
    on_wire: int = 0
    cpu: float = 0.0


class Recent:
    """The samples of the last ten seconds."""

    def __init__(self) -> None:
        self._samples: deque[Sample] = deque()

    def add(self, sample: Sample) -> None:
        """Add the newest, and let go of what is too old; a gap of more than ten seconds is kept as one step."""
        self._samples.append(sample)
        while len(self._samples) > 2 and sample.at - self._samples[1].at >= _RECENT:
            self._samples.popleft()
        # Seconds in which nothing was looked at belong to no current rate.
        if len(self._samples) == 2 and sample.at - self._samples[0].at > 2 * _RECENT:
            self._samples.popleft()

    def clear(self) -> None:
        """Begin anew: another stage counts other things."""
        self._samples.clear()

    @property
    def seconds(self) -> float:
        """How long they reach back; 0 while that is too short to say anything."""
        seconds = self._samples[-1].at - self._samples[0].at if self._samples else 0.0
        return seconds if seconds >= _LEAST else 0.0

    @property
    def per_minute(self) -> float | None:
        """Requests a minute; None while there is too little to go by."""
        return (self._samples[-1].sent - self._samples[0].sent) * 60 / self.seconds if self.seconds else None

    def seconds_left(self, rows: int) -> float | None:
        """Seconds that so many rows take as those before did; None while nobody can say.

        Rows that an earlier run had settled go by at once: while they are most of what goes by, nothing is foretold.
        """
        if not self.seconds:
            return None
        first, last = self._samples[0], self._samples[-1]
        done, skipped = last.done - first.done, last.skipped - first.skipped
        return rows * self.seconds / done if done > 2 * skipped else None

    def more_in_flight(self, limit: float, in_flight: int) -> int | None:
        """Say how many requests at once it would take to reach a limit; None when more of them would not help.

        By Little's law: requests on the wire = rate x latency. They help only when each of those allowed is on the
        wire all the time, nobody was turned away, and the event loop has time for more.

        limit      requests a minute
        in_flight  requests at once, at most
        """
        rate = self.per_minute
        if not rate or rate >= 0.9 * limit:
            return None
        first, last = self._samples[0], self._samples[-1]
        on_wire = sum(each.on_wire for each in self._samples) / len(self._samples)
        held_up = last.limited > first.limited or self.busy
        if held_up or on_wire < _NEARLY_ALL * in_flight or in_flight >= _MOST_IN_FLIGHT:
            return None
        return min(_MOST_IN_FLIGHT, 1 << math.ceil(math.log2(in_flight * limit / rate)))

    @property
    def busy(self) -> bool:
        """Whether the event loop computes nearly all the time: then this machine sets the pace."""
        if not self.seconds:
            return False
        return (self._samples[-1].cpu - self._samples[0].cpu) / self.seconds > _BUSY


@dataclass(slots=True)
class Sending:
    """What sends: its limits, whether the API can be reached, and how many requests may be on the wire.

    link  to the pacer of a fleet, when there is one
    """

    pacing: Pacing | None = None
    outage: OutageTimer | None = None
    in_flight: int = 0
    link: Link | None = None

    def held_by(self, now: float) -> str:
        """Name in one word what holds the rate; `now` is monotonic seconds."""
        unreachable = self.outage is not None and self.outage.giving_up_in(now) is not None
        if unreachable or (self.link is not None and self.link.gone_for is not None):
            return "unreachable"
        if self.pacing is not None and self.pacing.gate.closed_for > 0:
            return "pause"
        return "limit" if self._waited_for else "latency"

    def why(self, now: float, recent: Recent) -> str:
        """Name what holds the rate where it is, for a person; `now` is monotonic seconds."""
        if self.pacing is None:
            return "starting"
        if self.link is not None and (seconds := self.link.gone_for) is not None:
            return f"the fleet's pacer is gone, for {seconds:.0f} s by now"
        if self.outage is not None and (left := self.outage.giving_up_in(now)) is not None:
            return f"cannot reach the API, giving up in {left:.0f} s"
        if (seconds := self.pacing.gate.closed_for) > 0:
            return f"pause after 429, {seconds:.0f} s left"
        if waited_for := self._waited_for:
            limit = f"limit {waited_for[0].per_minute:,.0f}/min"
            held = waited_for[0].source.held_for
            return f"{limit} from in {held:.0f} s on" if held >= 1 else limit
        return "this machine" if recent.busy else "latency"

    def more_in_flight(self, recent: Recent) -> int | None:
        """See `Recent.more_in_flight`; none is wanted where a limit is reached or nobody answers."""
        pacing = self.pacing
        if pacing is None or self._waited_for or pacing.gate.closed_for > 0:
            return None
        budget = max(pacing.issued, key=pacing.issued.__getitem__)
        return recent.more_in_flight(pacing.pacers[budget].per_minute, self.in_flight)

    @property
    def _waited_for(self) -> list[Pacer]:
        return [each for each in self.pacing.pacers.values() if each.saturated] if self.pacing is not None else []

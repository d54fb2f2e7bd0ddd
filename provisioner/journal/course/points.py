"""A stretch of a run: what was sent in it, under which limit, and what held it up; and how many stretches become few.

Two that follow each other become one without loss: what they count adds up. So a picture of a run of days is as exact
as that of a minute, only coarser.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Self


class Point(NamedTuple):
    """What happened in some seconds of a run.

    run             its number
    ends_at         UNIX seconds, ours
    seconds         how long the stretch was
    requests        sent, those that were sent again included
    settled         rows that got their outcome
    rate_limited    requests that came back as 429
    paused          seconds in which everyone waited because of a 429
    core, standard  leaves given to send under either budget
    core_limit      the most in 60 s that either budget allowed at the end, the share taken off
    standard_limit
    held_by         what set the pace at the end: limit, latency, pause, unreachable
    """

    run: int
    ends_at: float
    seconds: float
    requests: int
    settled: int
    rate_limited: int
    paused: float
    core: int
    standard: int
    core_limit: float
    standard_limit: float
    held_by: str

    def joined(self, later: Self) -> Self:
        """Make one of this and the one that follows; what held the longer one is what held both."""
        return later._replace(
            seconds=self.seconds + later.seconds,
            requests=self.requests + later.requests,
            settled=self.settled + later.settled,
            rate_limited=self.rate_limited + later.rate_limited,
            paused=self.paused + later.paused,
            core=self.core + later.core,
            standard=self.standard + later.standard,
            held_by=self.held_by if self.seconds > later.seconds else later.held_by,
        )


def thinned(points: Iterable[Point], step: float) -> list[Point]:
    """Join neighbours of one run as long as a stretch does not get longer than `step` seconds, or hardly so."""
    few: list[Point] = []
    for point in points:
        if few and few[-1].run == point.run and few[-1].seconds + point.seconds <= step * 1.1:
            few[-1] = few[-1].joined(point)
        else:
            few.append(point)
    return few

"""An upper bound on the requests that reached the server in any minute: its clock enforces the limit, not ours.

A request arrives at some time between taking its slot and receiving its answer. So, whatever the network does, the
60 s that end with the arrival of a request contain only requests that were still unanswered 60 s before its slot was
taken, or were sent later.
"""

from __future__ import annotations

from math import floor
from typing import Final

_TICKS: Final = 200  # a second
_MINUTE: Final = 60 * _TICKS
_MAX_TRANSIT: Final = _TICKS // 2
"""Ticks after which an unanswered request is assumed to have arrived: without this cap, a slow server would lower the
rate by its own response time. Requests delayed for longer on the network are visible to the server alone."""
_ROUNDING: Final = 2  # one for the tick that has begun, one for a clock with millisecond resolution


class Minute:
    """A sliding minute of requests, counted by the last tick at which each may have arrived."""

    def __init__(self) -> None:
        self._latest: dict[int, int] = {}
        self._count = 0
        self._expired = 0  # the last tick that is more than a minute ago

    def sent(self, now: float) -> int:
        """Record a request that is sent at `now` (monotonic seconds); return a ticket, never 0, for `answered`."""
        ticket = int(now * _TICKS) + _ROUNDING
        latest = ticket + _MAX_TRANSIT
        self._latest[latest] = self._latest.get(latest, 0) + 1
        self._count += 1
        return ticket

    def answered(self, ticket: int, now: float) -> None:
        """Record that the request with this ticket was answered at `now`, so it arrived no later than that."""
        latest, tick = ticket + _MAX_TRANSIT, int(now * _TICKS) + _ROUNDING
        if tick < latest:
            self._latest[latest] -= 1
            self._latest[tick] = self._latest.get(tick, 0) + 1

    def wait(self, slots: int, most: int, now: float) -> float:
        """Return the seconds until `slots` requests may be sent with at most `most` in any minute; 0 for now."""
        self._expire(floor((now - 60) * _TICKS))
        surplus, tick = self._count + slots - most, self._expired
        if surplus <= 0:
            return 0.0
        while surplus > 0 and tick <= self._expired + _MINUTE + _MAX_TRANSIT + _ROUNDING:
            tick += 1
            surplus -= self._latest.get(tick, 0)
        return tick / _TICKS + 60 - now

    def _expire(self, last: int) -> None:
        """Drop the requests up to the tick `last`."""
        # After a long idle time there are more ticks than requests.
        ticks = range(self._expired + 1, last + 1)
        for tick in ticks if len(ticks) <= _MINUTE else sorted(self._latest):
            if tick <= last:
                self._count -= self._latest.pop(tick, 0)
        self._expired = max(self._expired, last)

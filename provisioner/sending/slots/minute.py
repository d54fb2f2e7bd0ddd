"""What the server may have seen within the last minute: the rate is about its clock, not ours.

A request reaches the server some time between leave to send it and its answer. So whatever the network does, a minute
by the server's clock that ends with one request holds no more than those that had no answer 60 s before its leave.
"""

from __future__ import annotations

from math import floor
from typing import Final

_TICKS: Final = 200  # a second
_MINUTE: Final = 60 * _TICKS
_ON_ITS_WAY: Final = _TICKS // 2
"""Ticks for which a request without an answer is taken to be on its way: else a server that takes long to answer would
cost as much of the rate. What bunches up for longer on its way is seen by nobody but the server."""
_COARSE: Final = 2  # a tick that has begun, and a clock that goes by milliseconds


class Minute:
    """Counts requests by the last tick at which they may have arrived."""

    def __init__(self) -> None:
        self._latest: dict[int, int] = {}
        self._count = 0
        self._over = 0  # the last tick that is more than a minute ago

    def sent(self, now: float) -> int:
        """Note leave to send one, now (monotonic seconds); the ticket is for its answer, and never 0."""
        ticket = int(now * _TICKS) + _COARSE
        latest = ticket + _ON_ITS_WAY
        self._latest[latest] = self._latest.get(latest, 0) + 1
        self._count += 1
        return ticket

    def answered(self, ticket: int, now: float) -> None:
        """Note that the answer to one is there: it was on its way no longer."""
        latest, tick = ticket + _ON_ITS_WAY, int(now * _TICKS) + _COARSE
        if tick < latest:
            self._latest[latest] -= 1
            self._latest[tick] = self._latest.get(tick, 0) + 1

    def wait(self, slots: int, most: int, now: float) -> float:
        """Say in how many seconds `slots` may go so that no minute holds more than `most`; 0 when they may now."""
        self._go_on_to(floor((now - 60) * _TICKS))
        surplus, tick = self._count + slots - most, self._over
        if surplus <= 0:
            return 0.0
        while surplus > 0 and tick <= self._over + _MINUTE + _ON_ITS_WAY + _COARSE:
            tick += 1
            surplus -= self._latest.get(tick, 0)
        return tick / _TICKS + 60 - now

    def _go_on_to(self, over: int) -> None:
        # After a silence there are more ticks than requests.
        ticks = range(self._over + 1, over + 1)
        for tick in ticks if len(ticks) <= _MINUTE else sorted(self._latest):
            if tick <= over:
                self._count -= self._latest.pop(tick, 0)
        self._over = max(self._over, over)

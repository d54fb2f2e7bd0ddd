"""Divides the slots of an app among the processes that share it.

A lease is valid for a quarter second from the moment it was requested; slots unused by then expire. So all slots that
can be used in any 60 s were leased within 60.25 s, whichever processes start, stop or die, and in that time no more are
leased than the limit allows (less a quarter second's worth, for requests that the network delivers in a bunch). A count
enforces this; a bucket that never holds more than a quarter second's worth spreads the slots evenly.

No process owns a share: each lease is an equal part of what is available, so the part of a process that has gone is
free for the others at once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from math import ceil
from typing import Final, NamedTuple

LEASE: Final = 0.25
"""Seconds for which slots are leased."""

ASK: Final = 0.02
"""Minimum seconds between two requests for a lease: one for each slot would cost more than sending the request."""

_ACTIVE: Final = 0.5  # seconds after its last request for which a process is counted among those that want slots
_EPSILON: Final = 1e-9


class Lease(NamedTuple):
    """The answer to a request for slots.

    slots       to be used within `LEASE` seconds of the request
    wait        seconds before it is worth asking again
    closed_for  seconds for which no process may send, because one received a 429
    per_minute  the limit in force
    """

    slots: int
    wait: float
    closed_for: float
    per_minute: float


class Ledger:
    """Counts the leased slots of one budget of an app.

    per_minute  slots that may be used in any 60 s
    """

    def __init__(self, per_minute: float, now: float) -> None:
        self._leased: deque[tuple[float, int]] = deque()
        self._in_window = 0
        self._asked_at: dict[str, float] = {}
        self._level, self._at = 1.0, now
        self.limit(per_minute)

    def limit(self, per_minute: float) -> None:
        """Change the limit. Slots that are leased already count against it."""
        self.per_minute = per_minute
        self._window = 60 * max(1.0, 1 / per_minute) + LEASE
        self._allowed = max(1, int(per_minute - int(per_minute / 240)))
        self._per_second = self._allowed / self._window
        self._most = max(1.0, self._per_second * LEASE)

    def forget(self, holder: str) -> None:
        """Remove a process that has gone, so that the others share its part."""
        self._asked_at.pop(holder, None)

    def lease(self, holder: str, wanted: int, now: float) -> tuple[int, float]:
        """Lease up to `wanted` slots; return how many, and the seconds before it is worth asking again."""
        self._advance(now)
        self._asked_at[holder] = now
        available = min(self._level, self._allowed - self._in_window)
        slots = max(0, min(wanted, ceil(available / len(self._asked_at) - _EPSILON), int(available + _EPSILON)))
        if slots:
            self._level -= slots
            self._in_window += slots
            self._leased.append((now, slots))
            return slots, ASK
        oldest = self._leased[0][0] + self._window - now if self._in_window >= self._allowed else 0.0
        return 0, max(ASK, oldest, (1 - self._level) / self._per_second)

    def _advance(self, now: float) -> None:
        """Expire old leases and processes, and fill the bucket up to `now`."""
        while self._leased and self._leased[0][0] <= now - self._window:
            self._in_window -= self._leased.popleft()[1]
        self._level = min(self._most, self._level + (now - self._at) * self._per_second)
        self._at = now
        self._asked_at = {name: at for name, at in self._asked_at.items() if now - at < _ACTIVE}


class Desk:
    """The ledgers of all apps, and the pauses that their servers have imposed.

    clock  monotonic seconds
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._ledgers: dict[tuple[str, str], Ledger] = {}
        self._opens_at: dict[str, float] = {}

    def lease(self, app: str, budget: str, holder: str, per_minute: float, wanted: int) -> Lease:
        """Answer a request for slots.

        holder      name of the process that asks
        per_minute  the limit it was given; the lowest of all processes is in force
        wanted      slots that it could use at once
        """
        now = self._clock()
        ledger = self._ledgers.get((app, budget))
        if ledger is None:
            ledger = self._ledgers[app, budget] = Ledger(per_minute, now)
        elif per_minute < ledger.per_minute:
            ledger.limit(per_minute)
        closed_for = max(0.0, self._opens_at.get(app, 0.0) - now)
        slots, wait = (0, closed_for) if closed_for else ledger.lease(holder, wanted, now)
        return Lease(slots, wait, closed_for, ledger.per_minute)

    def hold(self, app: str, seconds: float) -> None:
        """Lease nothing for that time: one of the app's processes received a 429."""
        self._opens_at[app] = max(self._opens_at.get(app, 0.0), self._clock() + seconds)

    def forget(self, holder: str) -> None:
        """Remove a process that has gone."""
        for ledger in self._ledgers.values():
            ledger.forget(holder)

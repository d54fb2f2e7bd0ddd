"""How many slots the processes that share an app may have, and when.

A lease is good for a quarter second from the moment it was asked for; what has not been used by then is lost. So the
slots of any 60.25 s of leasing are all that can be used in any 60 s, whoever comes, goes or dies, and no more than the
limit (less a quarter second's worth, for requests that bunch up on their way) are leased in that time. That is counted;
what spreads them evenly is a bucket that never holds more than a quarter second's worth.

Nobody owns a share: whoever asks gets an equal part of what there is, so that the part of one who has gone is the
others' at once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from math import ceil
from typing import Final, NamedTuple

LEASE: Final = 0.25
"""Seconds for which slots are leased."""

ASK: Final = 0.02
"""Seconds between two questions at least: a question for each slot would cost more than the request."""

_HEARD: Final = 0.5  # seconds: who has not asked for so long wants nothing now
_ALMOST: Final = 1e-9


class Lease(NamedTuple):
    """The answer to who asks for slots.

    slots       to be used within `LEASE` seconds of the question
    wait        seconds before asking again is of use
    closed_for  seconds for which nobody may send: somebody got a 429
    per_minute  the limit as it is now
    """

    slots: int
    wait: float
    closed_for: float
    per_minute: float


class Ledger:
    """The slots of one budget of an app.

    per_minute  slots that may be used in any 60 s
    """

    def __init__(self, per_minute: float, now: float) -> None:
        self._leased: deque[tuple[float, int]] = deque()
        self._in_window = 0
        self._heard: dict[str, float] = {}
        self._level, self._at = 1.0, now
        self.limit(per_minute)

    def limit(self, per_minute: float) -> None:
        """Adopt a limit. What was leased before counts against it."""
        self.per_minute = per_minute
        self._window = 60 * max(1.0, 1 / per_minute) + LEASE
        self._allowed = max(1, int(per_minute - int(per_minute / 240)))
        self._per_second = self._allowed / self._window
        self._most = max(1.0, self._per_second * LEASE)

    def forget(self, holder: str) -> None:
        """Note that somebody has gone, so that the others share what there is."""
        self._heard.pop(holder, None)

    def lease(self, holder: str, wanted: int, now: float) -> tuple[int, float]:
        """Give slots to somebody who wants some, and the seconds until it is of use to ask again."""
        self._go_on_to(now)
        self._heard[holder] = now
        room = min(self._level, self._allowed - self._in_window)
        slots = max(0, min(wanted, ceil(room / len(self._heard) - _ALMOST), int(room + _ALMOST)))
        if slots:
            self._level -= slots
            self._in_window += slots
            self._leased.append((now, slots))
            return slots, ASK
        oldest = self._leased[0][0] + self._window - now if self._in_window >= self._allowed else 0.0
        return 0, max(ASK, oldest, (1 - self._level) / self._per_second)

    def _go_on_to(self, now: float) -> None:
        while self._leased and self._leased[0][0] <= now - self._window:
            self._in_window -= self._leased.popleft()[1]
        self._level = min(self._most, self._level + (now - self._at) * self._per_second)
        self._at = now
        self._heard = {name: at for name, at in self._heard.items() if now - at < _HEARD}


class Desk:
    """The ledgers of all apps, and the pauses that their servers imposed.

    clock  monotonic seconds
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._ledgers: dict[tuple[str, str], Ledger] = {}
        self._opens_at: dict[str, float] = {}

    def lease(self, app: str, budget: str, holder: str, per_minute: float, wanted: int) -> Lease:
        """Answer who asks for slots.

        holder      who asks
        per_minute  the limit that it knows of: the lowest that anybody knows of holds
        wanted      how many it could use at once
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
        """Lease nothing for so long: one of the app's processes got a 429."""
        self._opens_at[app] = max(self._opens_at.get(app, 0.0), self._clock() + seconds)

    def forget(self, holder: str) -> None:
        """Note that somebody has gone."""
        for ledger in self._ledgers.values():
            ledger.forget(holder)

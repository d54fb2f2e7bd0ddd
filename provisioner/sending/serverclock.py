"""The server's clock, learned from its answers, and what their headers say of time.

It is held against a clock of this machine that nobody puts right: what is kept of a moment is what the server's clock
showed, whatever the clocks of the machine that sends and of the one that resumes say.
"""

from __future__ import annotations

import email.utils
import math
import time
from collections.abc import Callable, Mapping
from datetime import UTC


def created_since(created_at: int | None, since: float) -> bool:
    """Whether a user was created by a create that may have left at `since`, or later; an unknown time is no proof.

    Both are the server's UNIX seconds, the one whole and the other never late, so a user of ours is never taken for
    another's.
    """
    return created_at is not None and created_at >= math.floor(since)


class ServerClock:
    """How far the server's clock is ahead of our ticks, as a lower bound in seconds, learned from `Date` headers.

    ticks  seconds that only go forward; None for `time.monotonic`

    `Date` is cut to whole seconds and has travelled, so each answer's `Date - now` is a little low and the
    largest one is the best. A lower bound is what telling our users from others needs: never too late. Only the last
    minutes count, because ticks may drift.
    """

    def __init__(self, ticks: Callable[[], float] | None = None) -> None:
        self._ticks = ticks
        self._last = ""
        self._since = -math.inf
        self._before: float | None = None
        self._now: float | None = None

    @property
    def offset(self) -> float | None:
        """The best bound of the last one to two minutes; None before the first answer."""
        bounds = [bound for bound in (self._before, self._now) if bound is not None]
        return max(bounds) if bounds else None

    def learn(self, date: str, now: float) -> None:
        """Take in one `Date` header; `now` is ours, ticks."""
        if date == self._last:  # the first answer of a second tells the most, the others nothing
            return
        self._last = date
        if (there := http_date(date)) is None:
            return
        if not self._since <= now < self._since + 60:
            self._before = self._now if now >= self._since else None
            self._now, self._since = None, now
        self._now = max(there - now, -math.inf if self._now is None else self._now)

    def ticks(self) -> float:
        """Give the ticks of this moment."""
        return time.monotonic() if self._ticks is None else self._ticks()

    def theirs(self, ours: float) -> float:
        """Our ticks as the server's UNIX seconds, or a little earlier; 1970 while nothing is known of them."""
        return 0.0 if self.offset is None else ours + self.offset

    def now(self) -> float | None:
        """Give the server's UNIX seconds, or a little less; None before the first answer."""
        return None if self.offset is None else self.theirs(self.ticks())


def http_date(text: str) -> float | None:
    """UNIX seconds of an HTTP date; None when it is none."""
    try:
        date = email.utils.parsedate_to_datetime(text)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds the server asks us to wait: `Retry-After`, else the reset header less `Date`, else None.

    A reset is documented as UNIX seconds; a small number is taken as seconds from now.
    """
    if (seconds := number_in(headers, "Retry-After")) is not None:
        return seconds
    there = http_date(headers.get("Date", "")) or now
    if (until := http_date(headers.get("Retry-After", ""))) is not None:
        return max(0.0, until - there)
    if (reset := number_in(headers, "X-RateLimit-Reset", "X-Rate-Limit-Reset")) is None:
        return None
    return max(0.0, reset - there) if reset > 1e9 else reset


def number_in(headers: Mapping[str, str], *names: str) -> float | None:
    """Give the first of these headers that holds a number from 0 on."""
    for name in names:
        text = headers.get(name)
        if text is not None:
            try:
                number = float(text)
            except ValueError:
                continue
            if number >= 0 and number != float("inf"):
                return number
    return None

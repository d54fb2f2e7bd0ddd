"""The server's clock against ours, learned from its answers."""

from __future__ import annotations

import email.utils
import math
from datetime import UTC


class ServerClock:
    """How far the server's clock is ahead of ours, as a lower bound in seconds, learned from `Date` headers.

    `Date` is cut to whole seconds and has travelled, so each answer's `Date - now` is a little low and the
    largest one is the best. A lower bound is what telling our users from others needs: never too late. Only the last
    minutes count, because our own clock may be put right, or drift.
    """

    def __init__(self) -> None:
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
        """Take in one `Date` header; `now` is ours, UNIX seconds."""
        if date == self._last:  # the first answer of a second tells the most, the others nothing
            return
        self._last = date
        if (there := http_date(date)) is None:
            return
        if not self._since <= now < self._since + 60:
            # Our clock may have been put back: then what it told before is worth nothing.
            self._before = self._now if now >= self._since else None
            self._now, self._since = None, now
        self._now = max(there - now, -math.inf if self._now is None else self._now)

    def theirs(self, ours: float) -> float:
        """Our UNIX seconds as theirs, or a little earlier."""
        return ours + (self.offset or 0.0)


def http_date(text: str) -> float | None:
    """UNIX seconds of an HTTP date; None when it is none."""
    try:
        date = email.utils.parsedate_to_datetime(text)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None

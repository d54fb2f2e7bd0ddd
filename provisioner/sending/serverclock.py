"""The server's clock, derived from the headers of its answers.

It is tracked against a monotonic clock of this machine. All stored times are the server's, so the wall clocks of the
machine that sends and of the one that resumes do not matter.
"""

from __future__ import annotations

import email.utils
import math
import time
from collections.abc import Callable, Mapping
from datetime import UTC


def created_since(created_at: int | None, since: float) -> bool:
    """Return whether a user was created no earlier than `since`, when our create may have been sent.

    Both are the server's UNIX seconds. `created_at` is whole seconds and `since` is never late, so a user that this job
    created always passes; an unknown `created_at` does not.
    """
    return created_at is not None and created_at >= math.floor(since)


class ServerClock:
    """A lower bound, in seconds, of how far the server's clock is ahead of our ticks, derived from `Date` headers.

    ticks  returns monotonic seconds; None for `time.monotonic`

    `Date` is truncated to whole seconds and takes time to arrive, so each answer's `Date - now` is a little too low and
    the largest one is the best. A lower bound is what `created_since` needs: a time that is never too late. Only the
    last minutes count, because ticks may drift.
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
        """Apply one `Date` header that arrived at `now` (our ticks)."""
        if date == self._last:  # the first answer of a second gives the best bound, the others add nothing
            return
        self._last = date
        if (server_time := http_date(date)) is None:
            return
        if not self._since <= now < self._since + 60:
            self._before = self._now if now >= self._since else None
            self._now, self._since = None, now
        self._now = max(server_time - now, -math.inf if self._now is None else self._now)

    def ticks(self) -> float:
        """Return the current ticks."""
        return time.monotonic() if self._ticks is None else self._ticks()

    def server_time(self, ticks: float) -> float:
        """Convert ticks to the server's UNIX seconds, or a little earlier; 0 (1970) before the first answer."""
        return 0.0 if self.offset is None else ticks + self.offset

    def now(self) -> float | None:
        """Return the server's current UNIX seconds, or a little less; None before the first answer."""
        return None if self.offset is None else self.server_time(self.ticks())


def http_date(text: str) -> float | None:
    """Parse an HTTP date into UNIX seconds; None if it is not one."""
    try:
        date = email.utils.parsedate_to_datetime(text)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Return the seconds the server asks us to wait: `Retry-After`, else the reset header minus `Date`, else None.

    The reset header is documented as UNIX seconds; a small number is read as seconds from now.
    """
    if (seconds := number_in(headers, "Retry-After")) is not None:
        return seconds
    server_time = http_date(headers.get("Date", "")) or now
    if (until := http_date(headers.get("Retry-After", ""))) is not None:
        return max(0.0, until - server_time)
    if (reset := number_in(headers, "X-RateLimit-Reset", "X-Rate-Limit-Reset")) is None:
        return None
    return max(0.0, reset - server_time) if reset > 1e9 else reset


def number_in(headers: Mapping[str, str], *names: str) -> float | None:
    """Return the value of the first of these headers that holds a non-negative finite number."""
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

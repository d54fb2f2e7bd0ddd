"""Rate limits: who may pass in this window, and the headers that say so."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from provisioner.emulator.app.settings import FREE_PLAN_LIMIT, EmulatorSettings, HeaderStyle


class Group(StrEnum):
    """The two groups of requests that are counted, each with its own limit (docs: rest-api/rate-limits)."""

    CORE = "core"
    STANDARD = "standard"


@dataclass(frozen=True, slots=True)
class Admission:
    """Whether a request may pass; `remaining` are left in the window, which ends in `resets_in` seconds."""

    admitted: bool
    limit: int
    remaining: int
    resets_in: float


class RateWindow:
    """A fixed window that its first request opens: the documented samples fit that, and no clock minute."""

    def __init__(self, limit: int, seconds: float) -> None:
        self.limit = limit
        self._seconds = seconds
        self._ends = -math.inf
        self._used = 0

    def take(self, now: float) -> Admission:
        """Count one request at `now`, seconds of a monotonic clock."""
        if now >= self._ends:
            self._ends, self._used = now + self._seconds, 0
        self._used += 1
        left = self.limit - self._used
        return Admission(left >= 0, self.limit, max(left, 0), self._ends - now)


def windows(settings: EmulatorSettings) -> Mapping[Group, RateWindow]:
    """Give each group its window; on the free plan both share one."""
    if settings.plan == "free":
        shared = RateWindow(FREE_PLAN_LIMIT, settings.window)
        return {Group.CORE: shared, Group.STANDARD: shared}
    return {
        Group.CORE: RateWindow(settings.core_limit, settings.window),
        Group.STANDARD: RateWindow(settings.standard_limit, settings.window),
    }


_HYPHENATED = ("X-Rate-Limit", "X-Rate-Limit-Remaining", "X-Rate-Limit-Reset")
_LARAVEL = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")

SPELLINGS: Mapping[HeaderStyle, tuple[tuple[str, str, str], ...]] = {
    "hyphenated": (_HYPHENATED,),
    "laravel": (_LARAVEL,),
    "both": (_HYPHENATED, _LARAVEL),
}
"""The documented names of limit, remaining and reset: two pages, two spellings."""


def allowance_headers(style: HeaderStyle, admission: Admission) -> dict[str, str]:
    """Give the headers of a request that was let pass."""
    headers = {}
    for limit, remaining, _ in SPELLINGS[style]:
        headers[limit] = str(admission.limit)
        headers[remaining] = str(admission.remaining)
    return headers


def refusal_headers(style: HeaderStyle, admission: Admission, wall: float) -> dict[str, str]:
    """Give the headers of a 429: Retry-After in seconds, reset in UNIX seconds by the clock of `wall`."""
    headers = allowance_headers(style, admission)
    for _, _, reset in SPELLINGS[style]:
        headers[reset] = str(math.ceil(wall + admission.resets_in))
    # Whole seconds, and never 0: a client that obeys must find the window open.
    headers["Retry-After"] = str(max(1, math.ceil(admission.resets_in)))
    return headers

"""What is counted while a run lasts: what has been read, what has been sent, what has become of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from provisioner.model import Outcome


@dataclass(slots=True)
class RowTally:
    """What has been read of the roster.

    total     its rows, known when the first pass over it ends
    surveyed  rows the first pass has come through; `checked`: the second one, `valid + rejected`
    """

    total: int | None = None
    surveyed: int = 0
    checked: int = 0
    valid: int = 0
    rejected: int = 0


@dataclass(slots=True)
class RequestTally:
    """What has been sent.

    sent  requests, those sent again included; `first`, `last`: when, monotonic seconds; `on_wire` have no answer yet
    """

    sent: int = 0
    retries: int = 0
    rate_limited: int = 0
    first: float | None = None
    last: float | None = None
    on_wire: int = 0

    def add(self, now: float, *, again: bool = False) -> None:
        """Count one request (monotonic seconds); `again` when it was answered before and is sent once more."""
        self.sent += 1
        self.retries += again
        self.last = now
        self.first = now if self.first is None else self.first

    def take_back(self, *, again: bool = False) -> None:
        """Take back one that was counted and never left, because no connection could be made."""
        self.sent -= 1
        self.retries -= again
        if self.sent == 0:
            self.first = self.last = None

    @property
    def per_minute(self) -> float:
        """Requests a minute, from the first to the last; 0 while there are fewer than two."""
        seconds = (self.last or 0.0) - (self.first or 0.0)
        return (self.sent - 1) * 60 / seconds if seconds > 0 else 0.0


@dataclass(slots=True)
class OutcomeTally:
    """What has become of the valid rows.

    skipped       rows that an earlier run had settled; `settled`: outcome → rows settled by this one
    drift         rows our rules let pass and the server refused, by the field it named
    edited        users of ours that this run brought up to date because their rows had been edited
    failed_again  of the rows that failed, those that had failed the last time too
    unanswered    consecutive rows, up to the last one, that failed for want of an answer
    """

    skipped: int = 0
    settled: Counter[Outcome] = field(default_factory=Counter)
    drift: Counter[str] = field(default_factory=Counter)
    edited: int = 0
    failed_again: int = 0
    unanswered: int = 0


@dataclass(frozen=True, slots=True)
class Tally:
    """How far a run has come; its parts are the one thing here that changes, each counted in one room."""

    rows: RowTally = field(default_factory=RowTally)
    requests: RequestTally = field(default_factory=RequestTally)
    outcomes: OutcomeTally = field(default_factory=OutcomeTally)

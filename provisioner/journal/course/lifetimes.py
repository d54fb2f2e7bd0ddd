"""How long each run of a job can have gone on sending: by it a user of ours is told from one who was created later.

A run that is killed leaves no end, only signs of life. They are kept run by run: what a later run does says nothing of
how long an earlier one lasted.
"""

from __future__ import annotations

from typing import Final, NamedTuple, Self

import orjson

MOST: Final = 100
"""Runs that are kept; of more, the first ones are kept as one."""

# Seconds by which rows may have been recorded as sent, by the server's clock, before the stretch in which they were.
_BEFORE: Final = 2.0


class Lifetime(NamedTuple):
    """One run: its number, and from when until when it can have sent (UNIX seconds, the server's)."""

    run: int
    began: float
    until: float


class Lifetimes(tuple[Lifetime, ...]):
    """Those of a job's runs that have given a sign of life, the earliest first."""

    __slots__ = ()

    @classmethod
    def read(cls, text: str) -> Self:
        """Take them from JSON."""
        return cls(Lifetime(*each) for each in orjson.loads(text))

    def text(self) -> str:
        """Give them as JSON."""
        return orjson.dumps(list(map(list, self))).decode()

    def going_on(self, run: int, now: float, since: float, unseen: float) -> Lifetimes:
        """Add a sign of life (UNIX seconds, the server's).

        since   how many seconds ago the run was seen last, or began
        unseen  how many seconds it may go on without another
        """
        began = now - since - _BEFORE
        if self and self[-1].run == run:
            *earlier, last = self
            return Lifetimes((*earlier, last._replace(until=now + unseen)))
        kept = (*self, Lifetime(run, began, now + unseen))
        if len(kept) > MOST:
            kept = (kept[1]._replace(began=kept[0].began, until=max(kept[0].until, kept[1].until)), *kept[2:])
        return Lifetimes(kept)

    def last_of(self, sent_at: float) -> float:
        """Say until when the run went on that recorded a row as sent at this time; 0 when it has left no sign."""
        return next((each.until for each in reversed(self) if each.began <= sent_at), 0.0)

"""What a journal had settled after each run, read from a copy of it by nothing but SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.rig.copies import a_copy_of

FINAL: Final = ("created", "existing", "updated")
"""The outcomes that last; a failed row is tried again by the next run."""


class Fate(NamedTuple):
    """What a journal says of a settled row."""

    outcome: str
    token: str | None
    created_at: int | None


@dataclass(slots=True)
class Ledger:
    """What the journal had settled after each run, read from a copy of it.

    first  uid → fate, and the monotonic seconds from which on it was known to be on disk
    reopened  uid → fate before its row was edited: it has to be the same once it is settled again
    wrong  what may not be: a journal that is damaged, or that has forgotten or changed what it had settled
    """

    first: dict[str, tuple[Fate, float]] = field(default_factory=dict)
    reopened: dict[str, Fate] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    _bodies: dict[str, str] = field(default_factory=dict)
    _stale: dict[str, str | None] = field(default_factory=dict)

    def take(self, journal: Path, now: float) -> None:
        """Read the journal of a run that has ended; `now` is after its end and before the next."""
        try:
            found = _settled(journal)
        except sqlite3.Error as error:
            self.wrong.append(f"{journal}: {error}")
            return
        self._bodies = {uid: body for uid, (_, body) in found.items()}
        # What was edited is open until its new body is the one that is settled.
        settled = {uid: fate for uid, (fate, body) in found.items() if self._stale.get(uid) != body}
        for uid, (fate, _) in self.first.items():
            if settled.get(uid) != fate:
                self.wrong.append(f"{uid}: settled as {fate}, and later {settled.get(uid)}")
        for uid, fate in settled.items():
            self.first.setdefault(uid, (fate, now))
            if not _same(self.reopened.get(uid, fate), fate):
                self.wrong.append(f"{uid}: settled as {self.reopened.pop(uid)}, edited, and then {fate}")

    def reopen(self, uids: Iterable[str], turned: Container[str] = ()) -> None:
        """Note that rows were edited: requests about them are to be expected, another fate is not.

        turned  those whose accounts were disabled or enabled with it, so that a token goes or comes
        """
        for uid in uids:
            if (known := self.first.pop(uid, None)) is not None:
                self.reopened[uid], self._stale[uid] = known[0], self._bodies.get(uid)
            if uid in turned:
                self.reopened.pop(uid, None)


def _same(before: Fate, after: Fate) -> bool:
    """Whether an edit left a fate as it was; when a user was created may be learned by the way."""
    return after == (before if before.created_at is not None else before._replace(created_at=after.created_at))


def _settled(journal: Path) -> dict[str, tuple[Fate, str]]:
    """Read the fate of each settled row, and the hash of the body it was settled with."""
    if not journal.exists():
        return {}
    with a_copy_of(journal) as database:
        if not database.execute("SELECT count(*) FROM sqlite_master WHERE name = 'users'").fetchone()[0]:
            return {}  # killed before it was made
        query = "SELECT uid, body_hash, outcome, auth_token, created_at FROM users WHERE state = 'settled'"
        return {uid: (Fate(*fate), body) for uid, body, *fate in database.execute(query) if fate[0] in FINAL}

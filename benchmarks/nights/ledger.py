"""What a nightly sync has to come to, worked out in plain Python from nothing but the rosters.

Shares no code with the command, so that a mistake of it is not repeated here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from benchmarks.nights.company import Profile, Row
from benchmarks.rig.copies import a_copy_of


@dataclass(frozen=True, slots=True)
class Known:
    """A user as it has to be.

    managed  stood in a roster of this state once; the others are strangers
    absent   good nights in a row without a row
    ours     created by a sync, which gave it an auth token
    flushed  the tokens went with a deactivation
    """

    profile: Profile
    active: bool = True
    managed: bool = True
    absent: int = 0
    ours: bool = False
    flushed: bool = False


@dataclass(frozen=True, slots=True)
class Expected:
    """What one night has to come to.

    outcomes  of the roster's rows, in its order
    due, in_grace, reported  leavers, by what is to be done with them
    named     those due whom a row names, so that they have a line of theirs already
    requests  one for a create, an update, a reactivation; two for a reactivation with an update, and for a
              leaver, whose auth tokens are flushed before the deactivation
    updates   that are among them
    mints     likewise: who comes back and was created by a sync gets another auth token
    """

    rows: Sequence[Row]
    outcomes: Sequence[str]
    due: frozenset[str]
    in_grace: frozenset[str]
    reported: frozenset[str]
    requests: int
    updates: int
    mints: int = 0
    named: frozenset[str] = frozenset()

    @property
    def counts(self) -> Counter[str]:
        """How many rows have each outcome."""
        return Counter(self.outcomes)

    @property
    def leavers(self) -> frozenset[str]:
        """All of them."""
        return self.due | self.in_grace | self.reported

    @property
    def touched(self) -> frozenset[str]:
        """The users that something is done for."""
        done = zip(self.rows, self.outcomes, strict=True)
        return self.due | {row.uid for row, outcome in done if outcome not in {"rejected", "unchanged"}}


@dataclass(slots=True)
class Books:
    """Every user of the app as the last good night has left it."""

    users: dict[str, Known] = field(default_factory=dict)

    def expect(self, rows: Sequence[Row], grace_nights: int, *, looking: bool = True) -> Expected:
        """Say what has to come of a roster; leavers are to be deactivated after so many nights of grace.

        looking  the night reads the app's users; else it finds a stranger only where it would create one
        """
        outcomes, requests, updates, mints, named = [], 0, 0, 0, frozenset[str]()
        for row in rows:
            known = self.users.get(row.uid)
            if row.left and not row.rejected:
                leaves = known is not None and known.managed and known.active
                named |= {row.uid} if leaves else set()
                outcomes.append("updated" if leaves else "unchanged")
                continue
            stranger = known is not None and not known.managed and not looking
            differs = known is not None and (stranger or known.profile.shown() != row.profile.shown())
            outcome = "rejected" if row.rejected else _outcome(known, differs=differs)
            outcomes.append(outcome)
            requests += (1 + stranger) * (outcome in {"created", "updated", "reactivated"})
            requests += outcome == "reactivated" and differs
            updates += outcome in {"updated", "reactivated"} and differs
            mints += outcome == "reactivated" and known is not None and known.ours and known.flushed
        seen = {row.uid for row in rows if not row.nameless}
        leavers = {uid: known for uid, known in self.users.items() if known.managed and known.active}
        leavers = {uid: known for uid, known in leavers.items() if uid not in seen}
        held = any(row.nameless for row in rows)
        past_grace = frozenset(uid for uid, known in leavers.items() if known.absent >= grace_nights)
        due, reported = (frozenset[str](), frozenset(leavers)) if held else (past_grace, frozenset[str]())
        in_grace = frozenset(leavers) - due - reported
        due |= named
        requests += mints + 2 * len(due)
        return Expected(rows, outcomes, due, in_grace, reported, requests, updates, mints, named)

    def after(self, expected: Expected) -> dict[str, Known]:
        """Give all users as they have to be once a good night has carried out what is expected of it."""
        users = dict(self.users)
        seen = {row.uid for row in expected.rows if not row.nameless}
        for row in expected.rows:
            if not row.rejected and not row.left:
                ours = self.users[row.uid].ours if row.uid in self.users else True
                users[row.uid] = Known(row.profile, ours=ours)
        for uid, known in users.items():
            if known.managed:
                active = known.active and uid not in expected.due
                absent, flushed = 0 if uid in seen else known.absent + 1, known.flushed or uid in expected.due
                users[uid] = replace(known, active=active, absent=absent, flushed=flushed)
        return users


def _outcome(known: Known | None, *, differs: bool) -> str:
    if known is None:
        return "created"
    if not known.active:
        return "reactivated"
    return "updated" if differs else "unchanged"


@dataclass(frozen=True, slots=True)
class Kept:
    """What a state holds between two runs: the users settled in the night that is not over, and all auth tokens."""

    settled: frozenset[str]
    tokens: Mapping[str, str]


_SETTLED: Final = """
SELECT uid FROM users WHERE state = 'settled' AND outcome <> 'failed'
    AND epoch = (SELECT 1 + coalesce(max(epoch), 0) FROM nights WHERE good)
"""
_TOKENS: Final = "SELECT uid, auth_token FROM users WHERE auth_token IS NOT NULL"


def kept(state: Path) -> Kept:
    """Read a copy of a state that nobody has open, by nothing but SQLite; a killed one is left as the kill left it."""
    with a_copy_of(state) as database:
        settled = frozenset(uid for (uid,) in database.execute(_SETTLED))
        return Kept(settled, dict(database.execute(_TOKENS).fetchall()))

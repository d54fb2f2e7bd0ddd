"""Everything there is to judge a simulated night by, and how many requests it may take."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.nights.ledger import Expected, Known
from benchmarks.nights.schedule import Kind
from provisioner.errors import ExitCode

KILLED: Final = -9
PER_PAGE: Final = 1000

# Two lists are searched for one whom no page shows, and its address is asked.
_FOR_ONE_WHO_IS_GONE: Final = 3
# A request that a fault struck is sent again; a create that may have gone through is read back, and its token minted.
_FOR_A_FAULT: Final = 3
# The same for each change that a kill has left in doubt.
_FOR_A_DOUBT: Final = 3
# A row that a time limit stops between two of its requests begins anew.
_FOR_A_CUT: Final = 2
# On the wire on nights that are cut short: few, so that they last.
FEW: Final = 4


@dataclass(frozen=True, slots=True)
class Session:
    """One run of the command.

    verb       sync or plan
    exit_code  negative for the number of the signal that ended it
    document   what it printed, None when it was killed
    told       what it wrote to stderr
    begins     number of the first request that can be its own
    settled    what the state held as settled tonight when it began
    """

    verb: str
    exit_code: int
    seconds: float
    document: Mapping[str, Any] | None
    told: str
    begins: int
    settled: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Evidence:
    """Everything there is to judge a night by.

    known        the users as they have to be afterwards
    before, users  uid → user as stored, before and after the night
    audit        the night's records, in order of arrival, what another hand did left out
    created, deleted  uid → times, since the first night
    results      lines of the results file
    results_kept  whether that file is the one of the night before
    leavers      uids of the leavers file
    tokens       uid → auth token, as the state holds them
    drift        what another hand did, as the directory has to show it; None when nobody looked
    in_doubt     changes that one kill can leave in doubt
    """

    kind: Kind
    expected: Expected
    known: Mapping[str, Known]
    before: Mapping[str, Mapping[str, Any]]
    users: Mapping[str, Mapping[str, Any]]
    audit: Sequence[Mapping[str, Any]]
    created: Mapping[str, int]
    deleted: Mapping[str, int]
    sessions: Sequence[Session]
    results: Sequence[Mapping[str, str]]
    results_kept: bool
    leavers: frozenset[str]
    tokens: Mapping[str, str]
    drift: Mapping[str, int] | None = None
    in_doubt: int = 0

    @property
    def last(self) -> Session:
        """The run that ended the night."""
        return self.sessions[-1]

    @property
    def document(self) -> Mapping[str, Any]:
        """What that one printed."""
        return self.last.document or {}

    @property
    def changing(self) -> list[Mapping[str, Any]]:
        """The requests that were made to change something, whatever came of them."""
        return [record for record in self.audit if record["method"] != "GET"]

    @property
    def needed(self) -> int:
        """The requests that the changes of the night take."""
        return 0 if self.kind.refused else self.expected.requests

    @property
    def allowed(self) -> int:
        """The requests that the night may take.

        Beyond those that its changes take: none; for reading the directory one for each thousand active users and one
        for each thousand deactivated ones, at least one each, and three for each user who was deleted, which show that
        no list is at fault; where it is not read, one for each sync that asks for the server's time; three for each
        request that a fault struck, one for each 429; three for each change that a kill can leave in doubt; two for
        each of the rows that a time limit stops between their requests, which begin anew with what is harmless to
        repeat.
        """
        extra = 0 if self.kind.reads_directory else self._asked_for_time
        if self.kind.reads_directory:
            active = sum(not user["deactivated_at"] for user in self.before.values())
            extra += _pages(active) + _pages(len(self.before) - active)
            extra += _FOR_ONE_WHO_IS_GONE * (self.drift or {}).get("deleted", 0)
        struck = sum(record["fault"] is not None for record in self.audit)
        storms = len([record for record in self.audit if record["status"] == 429 and record["fault"] is None])
        kills = sum(session.exit_code == KILLED for session in self.sessions)
        doubts = kills * _FOR_A_DOUBT * min(self.in_doubt, self.needed)
        cut = _FOR_A_CUT * FEW * sum(session.exit_code == ExitCode.TIME_OVER for session in self.sessions)
        return self.needed + extra + _FOR_A_FAULT * struck + storms + doubts + cut

    @property
    def _asked_for_time(self) -> int:
        asked = sum(record["did"] == "listed" for record in self.audit)
        return min(asked, sum(session.verb == "sync" for session in self.sessions)) if self.needed else 0


def _pages(users: int) -> int:
    return max(1, math.ceil(users / PER_PAGE))

"""A whole journal at one look: whose it is, what became of its users, how its runs and nights went.

It is read as it stands, whoever may be writing: no lock is taken, and nothing changes.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from provisioner.errors import JournalError
from provisioner.inspection.record.places import Place, opened
from provisioner.journal.columns import IN_DOUBT, REVERSING
from provisioner.journal.copies.mark import copied_at
from provisioner.journal.course.points import Point
from provisioner.journal.course.table import Course, PastRun, is_of
from provisioner.journal.earlier import UNMET
from provisioner.journal.header import Identity, header_of, open_for_reading, owner_of
from provisioner.journal.lock import holder_of
from provisioner.journal.schema import FIRST_WITH_NIGHTS
from provisioner.journal.state.nights import Night, Nights
from provisioner.journal.statements import select
from provisioner.model import Outcome
from provisioner.results.outputs import LAST_RUN, SUMMARY
from provisioner.wording import iso_time

FIRST_ROWS: Final = 5
"""Rows that are named of each code."""

_FAILED: Final = """
SELECT code, row, uid FROM (
    SELECT coalesce(error_code, '') AS code, row, uid,
        row_number() OVER (PARTITION BY error_code ORDER BY row) AS place
    FROM users WHERE state = 'settled' AND outcome = 'failed'
) WHERE place <= ? ORDER BY code, row
"""

_STANDINGS: Final = """
SELECT total(standing = 'active'), total(standing = 'deactivated'), total(standing = 'active' AND absent > 0),
    total(operation IS NOT NULL AND NOT certain AND NOT (standing IS NULL AND error_code IS 'gone'))
FROM users
"""


class OutcomeCount(NamedTuple):
    """Users with one outcome; `pending` are those without one.

    tokens       those of them whose auth token is recorded
    in_doubt     those of whom it is not known whether they were created, or taken back by an undo that was killed
    first, last  UNIX seconds: when the first was sent (the server's), when the last was settled
    """

    outcome: str
    users: int
    tokens: int
    in_doubt: int
    first: float | None
    last: float | None


def outcomes_in(database: sqlite3.Connection) -> list[OutcomeCount]:
    """Count the users of a journal of any format by their outcomes, in the order of the alphabet."""
    kept = database.execute("SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'reversals')").fetchone()[0]
    in_doubt = f"{IN_DOUBT} OR {REVERSING}" if kept else IN_DOUBT  # an older format knows of no undo
    counts = {
        "outcome": "iif(state = 'settled', outcome, 'pending')",
        "users": "count(*)",
        "tokens": "count(auth_token)",
        "in_doubt": f"CAST(total({in_doubt}) AS INTEGER)",
        "first": "min(nullif(sent_at, 0))",
        "last": "max(settled_at)",
    }
    found = database.execute(
        select(OutcomeCount._fields, f"FROM users WHERE NOT {UNMET} GROUP BY 1 ORDER BY 1", counts)
    )
    return list(map(OutcomeCount._make, found))


@dataclass(frozen=True, slots=True)
class Managed:
    """Users of a state: those who may log in, those who may not, those of the former whom the last roster lacked.

    uncertain  users whose last change is not known to have been carried out
    """

    active: int
    deactivated: int
    absent: int
    uncertain: int


@dataclass(frozen=True, slots=True)
class Overview:
    """What a journal knows of its job.

    holder            the process that has it open, if one has
    outcomes          outcome → users; `pending` are those without one
    doubted           outcome → those of them of whom it is not known whether they were created, or taken back
    tokens            auth tokens recorded
    first, last       UNIX seconds: of the first request (the server's), of the last outcome
    copied_at         UNIX seconds by the server: of the copy that this is, until a run has come to its end with it
    failed            code → row and uid of the first users that have failed with it
    course, nights    runs with their undos, and nights, that are recorded, the earliest first; of a night each attempt
    points            the stretches of all runs, the earliest first
    managed           of a state; null for a run's journal
    summary, proof    as the files beside it have them; empty when they are not there
    """

    place: Place
    owner: Identity
    holder: str | None
    outcomes: Mapping[Outcome, int]
    doubted: Counter[Outcome]
    tokens: int = 0
    first: float | None = None
    last: float | None = None
    copied_at: float | None = None
    failed: Mapping[str, Sequence[tuple[int, str]]] = field(default_factory=dict)
    course: Sequence[PastRun] = ()
    points: Sequence[Point] = ()
    nights: Sequence[Night] = ()
    managed: Managed | None = None
    summary: Mapping[str, Any] = field(default_factory=dict)
    proof: Mapping[str, Any] = field(default_factory=dict)

    @property
    def in_use(self) -> bool:
        """Whether a run is going on with it."""
        return self.holder is not None

    @property
    def users(self) -> int:
        """How many users the journal knows."""
        return sum(self.outcomes.values())

    @property
    def runs(self) -> list[PastRun]:
        """The runs alone."""
        return [each for each in self.course if not each.is_undo]

    @property
    def undos(self) -> list[PastRun]:
        """What took back what they did."""
        return [each for each in self.course if each.is_undo]

    @property
    def nights_begun(self) -> int:
        """How many nights there were, each with its earlier attempts."""
        return len({night.epoch for night in self.nights})

    @property
    def in_doubt(self) -> int:
        """Users of whom it is not known whether they were created, or taken back."""
        return sum(self.doubted.values())

    @property
    def again(self) -> dict[str, int]:
        """Outcome → users who are plainly sent again by the next run, in order; those in doubt are looked up."""
        plain = {each: self.outcomes.get(each, 0) - self.doubted[each] for each in (Outcome.FAILED, Outcome.PENDING)}
        return {outcome.value: number for outcome, number in plain.items() if number}

    @property
    def not_reached(self) -> int | None:
        """Valid rows of the roster that the last run that began has not come to, as far as its summary tells."""
        told = _told(self.summary)
        rows, rejected, pending = (told.get(name) for name in ("rows", "rejected", "pending"))
        if not isinstance(rows, int) or not isinstance(rejected, int):
            return None
        if isinstance(pending, int) and self._is_of_last_run:
            return max(0, pending - self.outcomes.get(Outcome.PENDING, 0))
        return max(0, rows - rejected - self.users)

    @property
    def _is_of_last_run(self) -> bool:
        """Whether the summary tells of what the journal was last used for: a run that was not killed since."""
        last = self.course[-1] if self.course else None
        return last is not None and last.command == "run" and last.finished is not None

    @property
    def document(self) -> dict[str, Any]:
        """What `--json` prints."""
        document: dict[str, Any] = {
            "journal": str(self.place.journal),
            "kind": "state" if self.managed else "run",
            **asdict(self.owner),
            "held_by": self.holder,
            "users": self.users,
            "outcomes": {outcome.value: number for outcome, number in self.outcomes.items()},
            "in_doubt": self.in_doubt,
            "tokens": self.tokens,
            "first_sent_at": None if self.first is None else iso_time(self.first),
            "last_settled_at": None if self.last is None else iso_time(self.last),
            "copied_at": None if self.copied_at is None else iso_time(self.copied_at),
            "runs": len(self.runs),
            "next_run": {**self.again, "in_doubt": self.in_doubt, "not_reached": self.not_reached},
            "stopped_by": self.summary.get("stopped_by"),
            "proof": {name: self.proof.get(name) for name in ("message", "time", "exit_code")} if self.proof else None,
        }
        if self.undos:
            document["undos"] = len(self.undos)
        if self.managed is not None:
            document["managed"] = asdict(self.managed)
            good = [night for night in self.nights if night.good]
            document["nights"] = self.nights_begun
            document["last_good_night"] = iso_time(good[-1].started, "seconds") if good else None
        return document


def look(place: Place) -> Overview:
    """Read what a journal, or a state, knows of its job. Raises `JournalError`."""
    holder = holder_of(place.journal)
    with opened(place.journal) as database:
        return _overview(place, database, holder)


def look_over(path: Path, nights: int, results: Path | None = None) -> Overview:
    """Read a journal or a state, and its last nights. Raises `JournalError`, which names the file.

    results  of its job: their summary tells how a run ended whose journal took no more
    """
    holder = holder_of(path)
    try:
        with closing(open_for_reading(path)) as database:
            header = header_of(database)
            if not header.ours:
                raise JournalError(f"{path}: not a journal of provisioner")
            header.refuse_newer(path)
            database.execute("BEGIN")
            return _overview(Place(path, results), database, holder, nights)
    except (OSError, sqlite3.Error, ValueError) as error:
        raise JournalError(f"{path}: cannot be read as a journal ({error})") from None


def _told(summary: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give what a summary tells of the last run that began, where it is itself of one that was refused."""
    told = summary.get(LAST_RUN)
    return told if isinstance(told, dict) else summary


def _with_end(runs: list[PastRun], told: Mapping[str, Any]) -> list[PastRun]:
    """Have the last run end as its summary tells, where the journal could not take that any more."""
    if not runs or runs[-1].finished is not None or not is_of(told, runs[-1].started):
        return runs
    finished = datetime.fromisoformat(told["finished_at"]).timestamp()
    known = runs[-1]._replace(finished=finished, stopped_by=told.get("stopped_by"), requests=told.get("requests"))
    return [*runs[:-1], known]


def _overview(place: Place, database: sqlite3.Connection, holder: str | None, most: int | None = None) -> Overview:
    counts, course = {Outcome(each.outcome): each for each in outcomes_in(database)}, Course(database)
    summary = place.document(SUMMARY)
    nights = Nights(database).last(most) if header_of(database).version >= FIRST_WITH_NIGHTS else []
    failed: dict[str, list[tuple[int, str]]] = {}
    for code, row, uid in database.execute(_FAILED, (FIRST_ROWS,)):
        failed.setdefault(code, []).append((row, uid))
    return Overview(
        place=place,
        owner=owner_of(database),
        holder=holder,
        outcomes={outcome: counts[outcome].users for outcome in Outcome if outcome in counts},
        doubted=Counter({outcome: each.in_doubt for outcome, each in counts.items() if each.in_doubt}),
        tokens=sum(each.tokens for each in counts.values()),
        first=min((each.first for each in counts.values() if each.first is not None), default=None),
        last=max((each.last for each in counts.values() if each.last is not None), default=None),
        copied_at=copied_at(database),
        failed=failed,
        course=_with_end(course.runs(), _told(summary)),
        points=course.points(),
        nights=nights,
        managed=Managed(*map(int, database.execute(_STANDINGS).fetchone())) if nights else None,
        summary=summary,
        proof=place.document(".proof.json"),
    )

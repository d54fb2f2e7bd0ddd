"""`status`: what a job has done so far, and what its next run would send; from its journal alone, without network.

Reading is for a person who wonders, or a script that watches: it takes no lock, and changes nothing.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from rich.table import Table
from rich.text import Text

from provisioner.inspection.record.places import Place, find_place, opened
from provisioner.journal.copies.mark import copied_at
from provisioner.journal.course.overview import outcomes_in
from provisioner.journal.course.table import Course, PastRun
from provisioner.journal.header import Identity, owner_of
from provisioner.journal.lock import holder_of
from provisioner.journal.state.nights import Night, Nights
from provisioner.model import Outcome
from provisioner.results.outputs import LAST_RUN, SUMMARY
from provisioner.results.tables import plain_table, printed
from provisioner.wording import counted, iso_time, json_text

_STANDINGS: Final = """
SELECT total(standing = 'active'), total(standing = 'deactivated'), total(standing = 'active' AND absent > 0),
    total(operation IS NOT NULL AND NOT certain AND NOT (standing IS NULL AND error_code IS 'gone'))
FROM users
"""


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
class Status:
    """What a journal knows of its job.

    holder            the process that has it open, if one has
    outcomes          outcome → users
    doubted           outcome → those of them of whom it is not known whether they were created, or taken back
    tokens            auth tokens recorded
    first, last       UNIX seconds: of the first request (the server's), of the last outcome
    copied_at         UNIX seconds by the server: of the copy that this is, until a run has come to its end with it
    course, nights    runs with their undos, and nights, that are recorded, the earliest first; of a night each attempt
    managed           of a state; null for a run's journal
    summary, proof    as the files beside it have them; empty when they are not there
    """

    place: Place
    owner: Identity
    holder: str | None
    outcomes: Mapping[Outcome, int]
    doubted: Counter[Outcome]
    tokens: int
    first: float | None
    last: float | None
    copied_at: float | None
    course: tuple[PastRun, ...]
    nights: tuple[Night, ...]
    managed: Managed | None
    summary: Mapping[str, Any]
    proof: Mapping[str, Any]

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
    def unmet(self) -> int | None:
        """Valid rows of the roster that were never sent, as far as the summary of the last run that began tells."""
        told = self.summary.get(LAST_RUN, self.summary)
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
            "next_run": {**self.again, "in_doubt": self.in_doubt, "never_sent": self.unmet},
            "stopped_by": self.summary.get("stopped_by"),
            "proof": {name: self.proof.get(name) for name in ("message", "time", "exit_code")} if self.proof else None,
        }
        if self.undos:
            document["undos"] = len(self.undos)
        if (managed := self.managed) is not None:
            document["managed"] = {
                "active": managed.active,
                "deactivated": managed.deactivated,
                "absent": managed.absent,
                "uncertain": managed.uncertain,
            }
            good = [night for night in self.nights if night.good]
            document["nights"] = self.nights_begun
            document["last_good_night"] = iso_time(good[-1].started, "seconds") if good else None
        return document


def status_of(given: Path, *, as_json: bool) -> str:
    """Tell how a job stands; `given` names its results, its journal or its state. Raises `JournalError`."""
    place = find_place(given)
    status = look(place)
    if as_json:
        return json_text(status.document)
    return printed(lambda console: console.print(_table(status)))


def look(place: Place) -> Status:
    """Read what a journal knows. Raises `JournalError`."""
    with opened(place.journal) as database:
        counts = {Outcome(each.outcome): each for each in outcomes_in(database)}
        nights = tuple(Nights(database).last())
        return Status(
            place=place,
            owner=owner_of(database),
            holder=holder_of(place.journal),
            outcomes={outcome: counts[outcome].users for outcome in Outcome if outcome in counts},
            doubted=Counter({outcome: each.in_doubt for outcome, each in counts.items() if each.in_doubt}),
            tokens=sum(each.tokens for each in counts.values()),
            first=min((each.first for each in counts.values() if each.first is not None), default=None),
            last=max((each.last for each in counts.values() if each.last is not None), default=None),
            copied_at=copied_at(database),
            course=tuple(Course(database).runs()),
            nights=nights,
            managed=_managed(database) if nights else None,
            summary=place.document(SUMMARY),
            proof=place.document(".proof.json"),
        )


def _managed(database: sqlite3.Connection) -> Managed:
    return Managed(*map(int, database.execute(_STANDINGS).fetchone()))


def _table(status: Status) -> Table:
    table = plain_table()
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in _lines(status):
        table.add_row(name, text)
    return table


def _lines(status: Status) -> Iterator[tuple[str, Text]]:
    kind = "the state of a sync" if status.managed else "the journal of a run"
    yield "job", Text(f"{status.place.journal}, {kind}")
    yield "app", Text(str(status.owner))
    yield "in use", Text(f"by {status.holder}" if status.holder else "by nobody", "yellow" if status.holder else "")
    yield "users", _outcomes(status)
    if status.first is not None:
        last = f"; last outcome {iso_time(status.last, 'seconds')}" if status.last is not None else ""
        yield "when", Text(f"first sent {iso_time(status.first, 'seconds')}{last}")
    if status.copied_at is not None:
        since = iso_time(status.copied_at, "seconds")
        yield "copy", Text(f"of {since}: the next run finds out what happened since then", "magenta")
    yield from _past(status)
    yield "next", Text("; ".join(_next(status)))
    if status.proof:
        yield "proof", Text(f"{status.proof.get('message')} ({status.proof.get('time')})")


def _outcomes(status: Status) -> Text:
    text, between = Text(f"{status.users:,}"), ": "
    for outcome, number in status.outcomes.items():
        text.append(between).append(f"{number:,} {outcome}", outcome.colour)
        between = ", "
    if status.in_doubt:
        text.append("; ").append(f"{status.in_doubt:,} of them in doubt", "magenta")
    return text.append(f"; {counted(status.tokens, 'auth token')}")


def _past(status: Status) -> Iterator[tuple[str, Text]]:
    """Tell the runs or nights so far, and how the last one ended."""
    if (managed := status.managed) is not None:
        last = status.nights[-1]
        ended = "good" if last.good else last.summary.get("stopped_by") or ("running" if status.holder else "killed")
        began = iso_time(last.started, "seconds")
        yield "managed", Text(f"{managed.active:,} active, {managed.deactivated:,} deactivated")
        which = "the last" if last.attempt == 1 else f"attempt {last.attempt} at the last"
        yield "nights", Text(f"{status.nights_begun:,}; {which} began {began}: {ended}")
        return
    for name, some in (("runs", status.runs), ("undos", status.undos)):
        if some:
            began, ended = iso_time(some[-1].started, "seconds"), _ended(some[-1], status)
            yield name, Text(f"{len(some):,}; the last began {began}: {ended}")


def _ended(run: PastRun, status: Status) -> str:
    """Say how a run or an undo ended; only the last of both can be going on."""
    if run.finished is not None:
        return run.stopped_by or "came to its end"
    return "running" if status.holder and run is status.course[-1] else "killed"


def _next(status: Status) -> Iterator[str]:
    """Say what the next run or night would send, as far as the journal knows: it has only met what was sent."""
    again = [f"{number:,} {outcome}" for outcome, number in status.again.items()]
    if (managed := status.managed) is not None:
        if managed.uncertain:
            yield f"{counted(managed.uncertain, 'change')} not known to be carried out, done again"
        if managed.absent:
            yield f"{counted(managed.absent, 'leaver')} still active"
        yield "what has changed in the roster, as `provisioner plan` tells"
        return
    if again:
        yield f"sends {' and '.join(again)} again"
    if status.in_doubt:
        yield f"finds out about {status.in_doubt:,} in doubt (a read and a token more for each that is there)"
    if status.unmet:
        yield f"sends {counted(status.unmet, 'row')} for the first time, by the last summary"
    elif status.unmet is None:
        yield "sends the rows that were never sent, which no summary counts: the same command with --dry-run does"
    elif not (again or status.in_doubt):
        yield "nothing, unless the roster was edited or more is asked for"

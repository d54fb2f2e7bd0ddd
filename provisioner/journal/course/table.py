"""The tables of runs and of their pace: one row for each run that sends, and one for each stretch of it.

They are for a picture, and as small as one: when there are too many stretches, neighbours become one, and from then on
each is twice as long. Which roster the last run took is kept for the next one, and how it ended, as long as nothing is
recorded of a user. That a run has begun and no results tell of it yet is kept for whoever reads these.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson

from provisioner.journal.course.lifetimes import Lifetimes
from provisioner.journal.course.points import Point, thinned
from provisioner.journal.header import open_for_reading
from provisioner.journal.schema import Meta
from provisioner.journal.statements import read_json, select
from provisioner.logs.events import get_logger
from provisioner.stop import Stop

log = get_logger()

MOST: Final = 2000
"""Stretches that are kept."""

_FIRST: Final = 4
"""The format of a journal that had these tables first."""

UNDO: Final = "undo"
"""What the runs are called that take back what others did."""

_STEP: Final = "pace_step"
_ENDING: Final = "ending"
_QUIET: Final = "quiet_night"
_ROSTER: Final = "roster"
_UNTOLD: Final = "untold"
_RUN: Final = "run"
_ALIVE: Final = "alive_until"

RUN_FORGOTTEN: Final = f"DELETE FROM meta WHERE key = '{_ENDING}'"  # noqa: S608 - of constants
"""How the last run ended: a sync manages its users from now on."""

ENDING_FORGOTTEN: Final = f"DELETE FROM meta WHERE key IN ('{_ENDING}', '{_QUIET}')"  # noqa: S608 - of constants
"""How the last run and the last night ended: part of every commit that records anything of a user."""


class PastRun(NamedTuple):
    """One run that had something to send, or might have.

    started, finished  UNIX seconds, ours; null when it was killed, or is still running
    command            run, sync, …
    epoch              the night of a sync
    asked              what it was asked to do: no key and no token is in it
    stopped_by         null when it came to its end; `interrupted` when it was cut off from outside
    requests           sent by it; null when it was killed
    """

    number: int
    started: float
    finished: float | None
    command: str
    epoch: int | None
    asked: Mapping[str, Any]
    stopped_by: str | None
    requests: int | None

    @property
    def is_undo(self) -> bool:
        """Whether it took back what runs had done."""
        return self.command == UNDO


_RUNS: Final = select(
    PastRun._fields,
    "FROM runs ORDER BY id",
    {"number": "id", "started": "started_at", "finished": "finished_at"},
)
_PACE: Final = select(Point._fields, "FROM pace ORDER BY id")
_LAST: Final = f"SELECT started_at, finished_at FROM runs WHERE command = '{_RUN}' ORDER BY id DESC LIMIT 1"  # noqa: S608 - of constants
_FIRST_BEGIN: Final = "SELECT min(started_at) FROM runs"
_ADD: Final = f"INSERT INTO pace ({', '.join(Point._fields)}) VALUES ({', '.join('?' * len(Point._fields))})"  # noqa: S608 - of constants

_CUT_SHORT: Final = """
UPDATE runs SET stopped_by = ? WHERE id = ? AND finished_at IS NOT NULL AND stopped_by IS NULL
"""


class Course:
    """The runs behind an open connection; each call that records is one commit.

    epoch  the night of a sync that is not over yet; of those before it nothing is kept
    most   stretches that are kept

    What cannot be recorded is lost: it is for a picture, or saves time, and stops nothing. Whoever reads gets
    `sqlite3.Error`.
    """

    _has_lost = False

    def __init__(self, database: sqlite3.Connection, epoch: int | None = None, most: int = MOST) -> None:
        self._database, self._epoch, self._most = database, epoch, most
        self._meta = Meta(database)
        self._ending = _ENDING if epoch is None else _QUIET

    @contextmanager
    def _if_it_can_be(self) -> Iterator[None]:
        """Go on behind the block where the database refuses, and log that, the first time."""
        try:
            yield
        except sqlite3.Error as error:
            if not self._has_lost:
                log.debug("course.lost", reason=str(error))
            self._has_lost = True

    def begin(self, now: float, command: str, asked: Mapping[str, Any]) -> int | None:
        """Record that a run begins (UNIX seconds): its number, None when that cannot be."""
        number = None
        with self._if_it_can_be(), self._database:
            self._database.execute("BEGIN IMMEDIATE")
            if self._epoch is not None:
                earlier = (self._epoch,)
                self._database.execute("DELETE FROM pace WHERE run IN (SELECT id FROM runs WHERE epoch < ?)", earlier)
                self._database.execute("DELETE FROM runs WHERE epoch < ?", earlier)
            if command != UNDO and self._meta.get(_ALIVE) is None:
                self._meta.put(_ALIVE, Lifetimes().text())
            statement = "INSERT INTO runs (started_at, command, epoch, asked) VALUES (?, ?, ?, ?)"
            told = orjson.dumps(asked).decode()
            if command == _RUN:
                self._meta.put(_UNTOLD, "")
            number = self._database.execute(statement, (now, command, self._epoch, told)).lastrowid
        return number  # noqa: RET504 - None where the block was left early

    def add(self, point: Point, now: float | None = None) -> float:
        """Record a stretch; how many seconds the next one is to last.

        now  UNIX seconds, the server's, for `lifetimes`; None to leave these as they are
        """
        step = 1.0
        with self._if_it_can_be(), self._database:
            self._database.execute("BEGIN IMMEDIATE")
            step = self.step
            self._database.execute(_ADD, point)
            (count,) = self._database.execute("SELECT count(*) FROM pace").fetchone()
            if count > self._most:
                step *= 2
                self._thin(step)
            if now is not None:
                lifetimes = (self.lifetimes() or Lifetimes()).going_on(point.run, now, point.seconds, step)
                self._meta.put(_ALIVE, lifetimes.text())
        return step

    def lifetimes(self) -> Lifetimes | None:
        """Say how long each run can have gone on unseen; None when none has kept that."""
        kept = self._meta.get(_ALIVE)
        return None if kept is None else Lifetimes.read(kept)

    def end(self, number: int, now: float, stopped_by: str | None, requests: int) -> None:
        """Record how a run ended (UNIX seconds)."""
        with self._if_it_can_be():
            self._database.execute(
                "UPDATE runs SET finished_at = ?, stopped_by = ?, requests = ? WHERE id = ?",
                (now, stopped_by, requests, number),
            )

    @property
    def last(self) -> tuple[int, float] | None:
        """Name the last run by number and beginning; None when there is none, or that cannot be read."""
        found = None
        with self._if_it_can_be():
            found = self._database.execute("SELECT id, started_at FROM runs ORDER BY id DESC LIMIT 1").fetchone()
        return None if found is None else (int(found[0]), float(found[1]))

    def cut_short(self, before: tuple[int, float] | None, error: BaseException) -> None:
        """Record what ended the last run, where it is not the one `before`: an error, unless something else is known.

        Its end was recorded on the way out, by whoever did not know of the error.
        """
        if (last := self.last) is not None and last != before:
            with self._if_it_can_be():
                self._database.execute(_CUT_SHORT, (_reason(error), last[0]))

    def keep_ending(self, text: str | None) -> None:
        """Keep how the last run or night ended, until anything is recorded of a user; None to keep nothing."""
        with self._if_it_can_be():
            if text is None:
                self._meta.drop(self._ending)
            else:
                self._meta.put(self._ending, text)

    @property
    def ending(self) -> str | None:
        """What was kept; None when nothing was, or anything was recorded of a user since."""
        return self._meta.get(self._ending)

    def told(self) -> None:
        """Keep that the results tell of the last run, for `is_told`."""
        with self._if_it_can_be():
            self._meta.drop(_UNTOLD)

    def keep_roster(self, text: str) -> None:
        """Keep which roster the journal goes on with from now on, for `roster_in`."""
        with self._if_it_can_be():
            self._meta.put(_ROSTER, text)

    @property
    def step(self) -> float:
        """Seconds that a stretch lasts."""
        return float(self._meta.get(_STEP) or 1.0)

    def runs(self) -> list[PastRun]:
        """Give them, the earliest first; none from a format that did not keep them."""
        return [_run(row) for row in self._database.execute(_RUNS)] if self._kept() else []

    def points(self) -> list[Point]:
        """Give the stretches of all runs, the earliest first."""
        return [Point._make(row) for row in self._database.execute(_PACE)] if self._kept() else []

    def _kept(self) -> bool:
        return bool(self._database.execute("PRAGMA user_version").fetchone()[0] >= _FIRST)

    def _thin(self, step: float) -> None:
        """Have fewer; where most runs are shorter than a step the earliest stretches go."""
        few = thinned(self.points(), step)[-self._most :]
        self._database.execute("DELETE FROM pace")
        self._database.executemany(_ADD, few)
        self._meta.put(_STEP, str(step))


def _reason(error: BaseException) -> str:
    """Name an error as a summary would; what is no `Exception` comes from outside, as a cancellation does."""
    return Stop.because_of(error).reason if isinstance(error, Exception) else "interrupted"


def _run(row: Iterable[Any]) -> PastRun:
    facts = dict(zip(PastRun._fields, row, strict=True))
    return PastRun(**facts | {"asked": read_json(facts["asked"])})


def is_of(summary: Mapping[str, Any], began: float) -> bool:
    """Whether a summary is of the run that the course has begin then (UNIX seconds): within its times.

    One without rows is of a command that could not begin, such as one that another was at work for while it waited.
    """
    if "rows" not in summary:
        return False
    try:
        started, finished = (datetime.fromisoformat(summary[name]) for name in ("started_at", "finished_at"))
    except (KeyError, TypeError, ValueError):
        return False
    return started.timestamp() <= began <= finished.timestamp()


def is_told(path: Path, summary: Mapping[str, Any]) -> bool:
    """Whether results tell of the last run of the journal at `path`: one that was killed has left those before it.

    Also where nothing says otherwise: no journal is there, it cannot be read, or an older version has ended that run.

    summary  of the results: it tells also where the journal could not take any more that it does
    """
    with suppress(sqlite3.Error, OSError), closing(open_for_reading(path)) as database:
        untold, last = Meta(database).get(_UNTOLD), database.execute(_LAST).fetchone()
        if last is not None and is_of(summary, last[0]):
            return True
        return untold is None and (last is None or last[1] is not None)
    return True


def first_begin(path: Path) -> float | None:
    """Say when the first run of the journal at `path` began (UNIX seconds); None when that cannot be read."""
    with suppress(sqlite3.Error, OSError), closing(open_for_reading(path)) as database:
        found: float | None = database.execute(_FIRST_BEGIN).fetchone()[0]
        return found
    return None


def roster_in(path: Path) -> str | None:
    """Say which roster the journal at `path` goes on with; None when it does not say, cannot be read, or is none."""
    with suppress(sqlite3.Error, OSError), closing(open_for_reading(path)) as database:
        return Meta(database).get(_ROSTER)
    return None

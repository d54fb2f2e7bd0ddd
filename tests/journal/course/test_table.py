"""The tables of runs and their pace: small for ever, and never in anybody's way."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from functools import partial
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from provisioner.errors import ExitCode, StorageError
from provisioner.journal.course.lifetimes import Lifetime
from provisioner.journal.course.table import Course, PastRun, first_begin, is_told, roster_in
from provisioner.journal.header import Identity
from provisioner.journal.journal import Journal
from provisioner.journal.schema import VERSION, bring_up_to_date
from provisioner.journal.state.syncstate import SyncState
from provisioner.journal.undo.undojournal import UndoJournal
from provisioner.stop import InterruptedEarlyError, Stop
from provisioner.wording import iso_time
from tests.journal.course.test_points import a_point
from tests.rig.journals import FORMAT_1

IDENTITY = Identity("app1", "https://app1.api-eu.cometchat.io/v3")


@pytest.fixture
def database() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as database:
        bring_up_to_date(database, 0, {})
        yield database


def test_a_run_is_told_from_its_beginning_to_its_end(database: sqlite3.Connection) -> None:
    """One that was killed, one that was stopped, and the stretches of both, in the order in which they were."""
    course = Course(database)
    killed, stopped = course.begin(100.0, "run", {"share": 0.9}), course.begin(200.0, "run", {})
    assert (killed, stopped) == (1, 2)
    points = [a_point(run=1), a_point(run=2, ends_at=201.0), a_point(run=2, ends_at=202.0)]
    assert [course.add(each) for each in points] == [1.0, 1.0, 1.0]
    course.end(2, 202.5, "sigint", 300)
    assert course.runs() == [
        PastRun(1, 100.0, None, "run", None, {"share": 0.9}, None, None),
        PastRun(2, 200.0, 202.5, "run", None, {}, "sigint", 300),
    ]
    assert course.points() == points


def test_until_when_a_run_can_have_gone_on_is_known_by_its_last_sign_of_life(database: sqlite3.Connection) -> None:
    """A step after the last stretch; what tells no time leaves that as it is."""
    course = Course(database)
    course.begin(90.0, "undo", {})
    assert course.lifetimes() is None
    course.begin(100.0, "run", {})
    assert course.lifetimes() == ()
    course.add(a_point(run=1, seconds=1.0), 500.5)
    course.add(a_point(run=1, seconds=1.0), 501.5)
    course.add(a_point(run=2, seconds=1.0))
    assert course.lifetimes() == (Lifetime(1, 497.5, 502.5),)
    course.add(a_point(run=2, seconds=1.0), 900.0)
    assert course.lifetimes() == (Lifetime(1, 497.5, 502.5), Lifetime(2, 897.0, 901.0))


@pytest.mark.sampled
@pytest.mark.parametrize("kind", [Journal, partial(SyncState, make=True), UndoJournal])
@pytest.mark.parametrize(
    ("error", "ended"),
    [
        (asyncio.CancelledError(), "interrupted"),
        (KeyboardInterrupt(), "interrupted"),
        (InterruptedEarlyError(Stop("sigterm", "interrupted by SIGTERM", ExitCode.SIGTERM)), "sigterm"),
        (StorageError("the disk is full"), "storage"),
        (ZeroDivisionError(), "bug"),
    ],
)
def test_a_run_that_an_error_ends_has_not_come_to_its_end(
    tmp_path: Path, kind: Callable[..., Journal], error: BaseException, ended: str
) -> None:
    """Whatever it is, and though nobody has said so; what has ended before, or is told otherwise, stays as it was."""
    path, more = tmp_path / "j.db", {"permanent": False, "tags": 64} if kind is UndoJournal else {}

    def run(began: float, finished: float | None, stopped_by: str | None, ended: BaseException | None) -> None:
        with suppress(BaseException), kind(path, IDENTITY, **more) as journal:
            number = journal.course.begin(began, "run", {}) or 0
            if finished is not None:
                journal.course.end(number, finished, stopped_by, 5)
            if ended is not None:
                raise ended

    with Journal(path, IDENTITY):
        pass
    run(1.0, 2.0, None, None)
    with suppress(BaseException), kind(path, IDENTITY, **more):
        raise error
    for began, finished, stopped_by in ((3.0, 4.0, None), (5.0, 6.0, "key"), (7.0, None, None)):
        run(began, finished, stopped_by, error)
    with closing(sqlite3.connect(path)) as database:
        runs = Course(database).runs()
    assert [(run.started, run.finished, run.stopped_by) for run in runs] == [
        (1.0, 2.0, None), (3.0, 4.0, ended), (5.0, 6.0, "key"), (7.0, None, None),
    ]  # fmt: skip


def test_a_run_of_days_takes_no_more_room_than_one_of_minutes(database: sqlite3.Connection) -> None:
    """With too many stretches neighbours become one, and the next ones last twice as long; what they count stays."""
    course = Course(database, most=20)
    course.begin(0.0, "run", {})
    steps: list[float] = []
    now = 0.0
    for _ in range(100):
        step = steps[-1] if steps else 1.0
        now += step
        steps.append(course.add(a_point(ends_at=now, seconds=step, requests=int(step) * 10)))
        assert len(course.points()) <= 20
    assert sorted(set(steps)) == [2.0**n for n in range(9)]
    assert sum(each.requests for each in course.points()) == int(now) * 10
    assert Course(database).step == 256.0


def test_a_job_resumed_a_thousand_times_keeps_the_last_ones(database: sqlite3.Connection) -> None:
    """Runs are not joined with each other, so the earliest stretches go."""
    course = Course(database, most=20)
    for run in range(1, 101):
        course.add(a_point(run=run))
    assert [each.run for each in course.points()] == list(range(81, 101))


def test_a_sync_keeps_the_attempts_at_its_last_night(database: sqlite3.Connection) -> None:
    """Those of one night stand together; with the next night they go, and runs that were none stay."""
    Course(database).begin(1.0, "run", {})
    for night, now in ((5, 10.0), (5, 20.0), (6, 30.0)):
        course = Course(database, night)
        number = course.begin(now, "sync", {})
        assert number is not None
        course.add(a_point(run=number))
    assert [(each.epoch, each.started) for each in course.runs()] == [(None, 1.0), (6, 30.0)]
    assert [each.run for each in course.points()] == [course.runs()[-1].number]


def test_what_cannot_be_recorded_stops_nothing(database: sqlite3.Connection) -> None:
    """A disk that is full is told of by the first row that does not get onto it; of a picture the log says it once."""
    database.execute("PRAGMA query_only = ON")
    course = Course(database)
    with capture_logs() as logs:
        assert (course.begin(1.0, "run", {}), course.add(a_point())) == (None, 1.0)
        course.end(1, 2.0, None, 0)
    assert (course.runs(), course.points()) == ([], [])
    reason = "attempt to write a readonly database"
    assert logs == [{"event": "course.lost", "reason": reason, "log_level": "debug"}]


def test_an_older_journal_has_no_course() -> None:
    """It is read as it is: nothing was recorded then."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as database:
        database.executescript(FORMAT_1)
        assert (Course(database).runs(), Course(database).points()) == ([], [])
        assert VERSION >= 4


def test_an_ending_is_kept_until_something_is_recorded_of_a_user(tmp_path: Path) -> None:
    """In the same commit, so that no kill leaves one that is not true any more; what is no user's leaves it."""
    with Journal(tmp_path / "j.db", Identity("", "http://x")) as journal:
        journal.course.keep_ending("one")
        journal.course.keep_ending("two")
        number = journal.course.begin(1.0, "run", {})
        journal.course.end(number or 0, 2.0, None, 0)
    with Journal(tmp_path / "j.db", Identity("", "http://x")) as journal:
        kept = [journal.course.ending]
        journal.move([(1, 2)])
        kept.append(journal.course.ending)
        journal.course.keep_ending("three")
        journal.course.keep_ending(None)
        kept.append(journal.course.ending)
    assert kept == ["two", None, None]


def test_when_the_first_run_began_is_told(tmp_path: Path) -> None:
    """By whoever reads the file; what is no journal, or has no run, says nothing."""
    path = tmp_path / "j.db"
    with Journal(path, Identity("", "http://x")) as journal:
        found = [first_begin(path)]
        for at in (5.0, 9.0):
            journal.course.begin(at, "run", {})
    (tmp_path / "none.db").write_text("notes")
    assert [*found, *map(first_begin, (path, tmp_path / "none.db", tmp_path / "gone.db"))] == [None, 5.0, None, None]


def test_the_roster_of_the_last_run_is_kept(tmp_path: Path) -> None:
    """It is read from the file, whoever has it open; what is no journal, or an older one, says nothing."""
    path = tmp_path / "j.db"
    with Journal(path, Identity("", "http://x")) as journal:
        found = [roster_in(path)]
        journal.course.keep_roster("one")
        journal.course.keep_roster("two")
        found.append(roster_in(path))
    (tmp_path / "none.db").write_text("notes")
    assert [*found, *map(roster_in, (path, tmp_path / "none.db", tmp_path / "gone.db"))] == [
        None, "two", "two", None, None,
    ]  # fmt: skip


def test_results_tell_of_the_last_run_from_when_they_are_written(tmp_path: Path) -> None:
    """Not of one that was killed, be it while it wrote them; an undo writes none, and what says nothing is believed."""
    path, found = tmp_path / "j.db", []
    with Journal(path, Identity("", "http://x")) as journal:
        for command, ends, tells in (
            ("run", True, True), ("undo", False, False), ("run", False, False), ("run", True, False),
            ("undo", True, False), ("run", True, True),
        ):  # fmt: skip
            number = journal.course.begin(1.0, command, {}) or 0
            found.append(is_told(path, {}))
            if ends:
                journal.course.end(number, 2.0, None, 0)
            if tells:
                journal.course.told()
            found.append(is_told(path, {}))
    expected = [False, True, True, True, False, False, False, False, False, False, False, True]
    (tmp_path / "none.db").write_text("notes")
    assert (found, [is_told(tmp_path / name, {}) for name in ("none.db", "gone.db")]) == (expected, [True, True])


@pytest.mark.parametrize(
    ("times", "tells"),
    [
        ((99.5, 101.0), True),
        ((50.0, 99.0), False),
        ((100.5, 101.0), False),
        ((99.5, None), False),
        ((None, 1.0), False),
    ],
)
def test_a_summary_tells_of_a_run_whose_journal_took_no_more(
    tmp_path: Path, times: tuple[float | None, ...], tells: bool
) -> None:
    """The run began in its times; one before it was over by then, or had a clock that was put back since."""
    path = tmp_path / "j.db"
    with Journal(path, Identity("", "http://x")) as journal:
        journal.course.begin(100.0, "run", {})
    names = ("started_at", "finished_at")
    summary = {name: at and iso_time(at) for name, at in zip(names, times, strict=True)}
    assert is_told(path, {"rows": 1, **summary}) is tells
    assert is_told(path, summary) is False  # of a command that could not begin


def test_of_a_run_that_an_older_version_began_only_a_kill_is_known(tmp_path: Path) -> None:
    """It kept nothing but whether it ended."""
    path = tmp_path / "j.db"
    with Journal(path, Identity("", "http://x")) as journal:
        number = journal.course.begin(1.0, "run", {}) or 0
        journal.course.told()
        killed = is_told(path, {})
        journal.course.end(number, 2.0, None, 0)
    assert (killed, is_told(path, {})) == (False, True)

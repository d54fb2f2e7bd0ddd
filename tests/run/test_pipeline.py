"""A run from the roster to the results, and what run and sync share of it."""

from __future__ import annotations

import csv
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from provisioner.emulator.server import Emulator
from provisioner.errors import ExitCode, JournalError, OutputError, RosterChangedError, RosterError
from provisioner.journal.journal import Journal
from provisioner.journal.lock import JournalLock
from provisioner.model import Outcome, Settlement, State, UserRequest
from provisioner.results import outputs
from provisioner.results.summary import Summary
from provisioner.roster.shard import Shard
from provisioner.run.admission import Outbox
from provisioner.run.job import Run, Target
from provisioner.run.pipeline import carry_out, provision
from provisioner.run.wiring import connected, open_store
from provisioner.settings.tables import Output, Rate
from provisioner.settings.tables import Run as Asked
from provisioner.stop import InterruptedEarlyError, Stop, Stopper
from tests.rig.work import APP, Place, with_emulator


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    place.write("uid,name\nann,Ann\nbob,\ncy,Cy\n")
    return place


def outcomes(place: Place) -> list[str]:
    with (place.folder / "out.csv").open(newline="") as file:
        return [row["outcome"] for row in csv.DictReader(file)]


def test_a_roster_becomes_users_and_results(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    """One line for each row, one request for each valid one, and the same roster again costs none."""

    async def twice(target: Target, emulator: Emulator) -> list[Summary]:
        return [await provision(place.job(), target, Stopper()) for _ in range(2)]

    first, again = with_emulator(twice)
    assert outcomes(place) == ["created", "rejected", "created"]
    assert (first.document["created"], first.document["requests"], first.exit_code) == (2, 3, ExitCode.ROWS_LEFT)
    assert (again.document["created"], again.document["requests"], again.tally.outcomes.skipped) == (2, 0, 2)
    assert capsys.readouterr().out == ""


def test_results_are_kept_from_a_journal_that_a_killed_run_has_made(place: Place) -> None:
    """Whose journal is gone, has its tokens in the results alone: also where a run has made one and was killed."""

    async def work(target: Target, _: Emulator) -> bytes:
        await provision(place.job(), target, Stopper())
        told, journal = place.job().outputs.results.read_bytes(), place.job().outputs.journal
        journal.unlink()
        with Journal(journal, target.identity):
            pass  # what is left of a run that was killed before it came to its first row
        await provision(place.job(), target, Stopper())
        return told

    told = with_emulator(work)
    assert [path.read_bytes() for path in place.folder.glob("out.2*.csv")] == [told]
    assert outcomes(place) == ["existing", "rejected", "existing"]


def test_an_edit_that_is_not_come_to_for_want_of_room_is_pending(place: Place) -> None:
    """A new row before it cannot be recorded; the journal keeps what it knew of the edited one."""

    async def work(target: Target, _: Emulator) -> list[Summary]:
        job, summaries = place.job(), [await provision(place.job(), target, Stopper())]
        place.write("uid,name\nnew,New\nann,Ann Lee\ncy,Cy\n")
        for change in (
            "CREATE TRIGGER full BEFORE INSERT ON users BEGIN SELECT RAISE(FAIL, 'full'); END",
            "DROP TRIGGER full",
        ):
            with closing(sqlite3.connect(job.outputs.journal, isolation_level=None)) as journal:
                journal.execute(change)
            summaries.append(await provision(job, target, Stopper()))
        return summaries

    _, full, again = with_emulator(work)
    told = {"created": 1, "pending": 2, "edited": 0, "stopped_by": "storage"}
    assert {name: full.document[name] for name in told} == told
    assert (again.document["created"], again.document["edited"], again.exit_code) == (3, 1, ExitCode.OK)


def test_an_app_that_refuses_the_key_stops_the_run(place: Place) -> None:
    """Exit 4; no row is lost, none is left in doubt, and the summary says what stopped it."""

    async def work(target: Target, _: Emulator) -> Summary:
        wrong = Target(target.base_url, "no-such-key", target.identity)
        return await provision(place.job(rate=Rate(max_in_flight=1)), wrong, Stopper())

    summary = with_emulator(work)
    assert (summary.document["stopped_by"], summary.exit_code) == ("key", ExitCode.API)
    assert outcomes(place) == ["pending", "rejected", "pending"]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def refused(place: Place, what: type[Exception], **tables: Any) -> None:
    """Carry out a run and a check of it that cannot begin; the folder is as it was before."""
    before = contents(place.folder)
    confirm = tables.pop("confirm", None)

    async def run(target: Target, emulator: Emulator) -> int:
        with pytest.raises(what):
            await provision(place.job(**tables), target, Stopper(), confirm)
        return len(emulator.store.users)

    assert with_emulator(run) == 0
    assert contents(place.folder) == before


ROWS = "uid,name\nann,Ann\nbob,Bob\ncy,Cy\n"


@pytest.mark.parametrize(
    ("roster", "asked", "what"),
    [
        (ROWS, {"output": "out.xlsx"}, OutputError),
        ("uid\nann\n", {}, RosterError),
        (ROWS + 'dee,"Dee\n', {}, RosterError),
        (ROWS + 'dee,"Dee\n', {"run": Asked(shard=Shard(1, 2))}, RosterError),
        (ROWS, {"confirm": lambda _: False}, InterruptedEarlyError),
        (ROWS, {"confirm": lambda _: False, "run": Asked(shard=Shard(1, 2))}, InterruptedEarlyError),
        (ROWS, {"run": Asked(restored=True)}, JournalError),
    ],
    ids=[
        "no room in a workbook", "no name", "a defect", "a defect, of a shard", "no, says a person",
        "no, of a shard", "nothing was restored",
    ],
)  # fmt: skip
def test_a_run_that_cannot_begin_leaves_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch, roster: str, asked: dict[str, Any], what: type[Exception]
) -> None:
    """No journal, no list of shards, no file at all: also where that is found only when the whole roster is read."""
    monkeypatch.setattr(outputs, "SHEET_ROWS", 2)
    place.write(roster)
    if (name := asked.pop("output", None)) is not None:
        asked["output"] = Output(file=place.folder / name)
    refused(place, what, **asked)


@pytest.mark.parametrize("case", ["begun anew", "goes on", "another roster's"])
def test_a_run_that_cannot_begin_leaves_the_earlier_one_as_it_was(place: Place, case: str) -> None:
    """Its journal and its results are not set aside, and it goes on as if nothing had been asked."""

    async def run(target: Target, _: Emulator) -> Summary:
        return await provision(place.job(), target, Stopper())

    with_emulator(run)
    if case == "another roster's":
        summary = place.folder / "out.summary.json"
        summary.write_text(summary.read_text().replace(str(place.folder / "r.csv"), "/elsewhere/r.csv"))
    asked = Asked(restart=case == "begun anew")
    refused(place, InterruptedEarlyError, confirm=lambda _: False, run=asked)
    with JournalLock(place.folder / "out.journal.db"), pytest.raises(JournalError, match="in use by process"):
        with_emulator(lambda target, _: provision(place.job(run=asked), target, Stopper()))


def requests(journal: Journal, number: int) -> list[UserRequest]:
    return [UserRequest(journal.new_key(), row, f"u{row}", b"{}", "0" * 16, token=False) for row in range(number)]


def states(place: Place) -> list[str]:
    """What the journal knows of each row."""
    with Journal(place.folder / "j.db", APP) as journal:
        return [each.state for each in journal.known([f"u{row}" for row in range(100)]).values()]


def carried_out(place: Place, *, stop_at: int | None = None, fault: Exception | None = None) -> None:
    """Feed 100 rows through the pool, each of which is created; at one of them the run is stopped."""

    async def work(target: Target, _: Emulator) -> None:
        stopper = Stopper()
        run, journal = Run.begin(place.job(rate=Rate(max_in_flight=2)), stopper), Journal(place.folder / "j.db", APP)

        async def feed(outbox: Outbox) -> None:
            await outbox.put(requests(journal, 100))
            if fault is not None:
                raise fault

        async def settling(request: UserRequest) -> Settlement:
            if request.row == stop_at:
                stopper.request(Stop("sigint", "interrupted", ExitCode.SIGINT))
            return Settlement(request.key, State.SETTLED, Outcome.CREATED, 1, settled_at=1.0)

        async with open_store(journal, stopper) as recorder, connected(run, target) as connection:
            await carry_out(run, connection, recorder, settling, feed)

    with_emulator(work)


def test_when_it_returns_every_fate_is_on_disk(place: Place) -> None:
    """All that the feed gave is settled."""
    carried_out(place)
    assert states(place) == ["settled"] * 100


def test_a_stop_leaves_no_row_recorded_as_sent(place: Place) -> None:
    """What was recorded and never taken is pending again: not in doubt, not lost."""
    carried_out(place, stop_at=10)
    assert set(states(place)) == {"settled", "pending"}


def test_what_cuts_the_feed_short_comes_up_after_the_rest_is_settled(place: Place) -> None:
    """No results are written then, but the journal knows all that was sent."""
    with pytest.raises(RosterChangedError):
        carried_out(place, fault=RosterChangedError("r.csv: changed"))
    assert states(place) == ["settled"] * 100


def test_the_journal_keeps_how_each_run_went(place: Place) -> None:
    """One that was stopped and the one that went on: when, what was asked, what ended it, and all requests of both."""

    async def twice(target: Target, _: Emulator) -> list[Summary]:
        wrong = Target(target.base_url, "no-such-key", target.identity)
        job = place.job(rate=Rate(max_in_flight=1, share=0.5))
        return [await provision(job, where, Stopper()) for where in (wrong, target)]

    summaries = with_emulator(twice)
    with Journal(place.folder / "out.journal.db", APP) as journal:
        runs, points = journal.course.runs(), journal.course.points()
    assert [(each.command, each.stopped_by, each.requests) for each in runs] == [
        ("run", "key", summaries[0].tally.requests.sent),
        ("run", None, summaries[1].tally.requests.sent),
    ]
    assert all(each.finished is not None and each.started <= each.finished for each in runs)
    assert runs[1].asked == {
        "roster": [str(place.folder / "r.csv")], "requests_per_minute": 10_000, "share": 0.5, "max_in_flight": 1,
        "backoff_base": 0.001, "on_existing": "skip", "auth_tokens": "created", "max_failures": "5%",
    }  # fmt: skip
    assert {each.run for each in points} == {1, 2}
    assert sum(each.settled for each in points) == 2

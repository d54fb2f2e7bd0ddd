"""A run from the roster to the results, and what run and sync share of it."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from provisioner.emulator.server import Emulator
from provisioner.errors import ExitCode, RosterChangedError
from provisioner.journal.journal import Journal
from provisioner.model import Outcome, Settlement, State, UserRequest
from provisioner.results.summary import Summary
from provisioner.run.admission import Outbox
from provisioner.run.job import Run, Target
from provisioner.run.pipeline import carry_out, provision
from provisioner.run.wiring import connected, open_store
from provisioner.settings.tables import Rate
from provisioner.stop import Stop, Stopper
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


def test_an_app_that_refuses_the_key_stops_the_run(place: Place) -> None:
    """Exit 4; no row is lost, none is left in doubt, and the summary says what stopped it."""

    async def work(target: Target, _: Emulator) -> Summary:
        wrong = Target(target.base_url, "no-such-key", target.identity)
        return await provision(place.job(rate=Rate(max_in_flight=1)), wrong, Stopper())

    summary = with_emulator(work)
    assert (summary.document["stopped_by"], summary.exit_code) == ("key", ExitCode.API)
    assert outcomes(place) == ["pending", "rejected", "pending"]


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

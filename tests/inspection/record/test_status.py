"""`status`: how a job stands, from its journal alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from provisioner.errors import JournalError
from provisioner.inspection.record.status import status_of
from provisioner.journal.journal import Journal
from provisioner.journal.lock import JournalLock
from provisioner.journal.state.managed import Adoption
from provisioner.journal.state.syncstate import SyncState
from provisioner.journal.undo.reversals import LeavingRow
from provisioner.journal.undo.undojournal import UndoJournal
from provisioner.model import Live, Outcome, Settlement, Standing, State
from tests.rig.journals import HERE, a_journal


def told(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(status_of(path, as_json=True))
    return document


def test_a_run_that_was_killed(tmp_path: Path) -> None:
    """Outcomes, doubts and tokens are counted; what comes next is said, as far as it is known."""
    journal = a_journal(tmp_path / "out.journal.db")
    before = journal.read_bytes()
    assert told(tmp_path / "out.csv") == {
        "journal": str(journal), "kind": "run", "app_id": "app", "base_url": "http://h/v3", "held_by": None,
        "users": 3, "outcomes": {"created": 1, "failed": 1, "pending": 1}, "in_doubt": 2, "tokens": 1,
        "first_sent_at": "1970-01-01T00:01:40.000Z", "last_settled_at": "1970-01-01T00:01:41.000Z",
        "runs": 0, "copied_at": None,
        "next_run": {"in_doubt": 2, "not_reached": None}, "stopped_by": None, "proof": None,
    }  # fmt: skip
    text = status_of(tmp_path / "out.csv", as_json=False)
    assert "users   3: 1 created, 1 failed, 1 pending; 2 of them in doubt; 1 auth token" in text
    line = "next finds out about 2 in doubt (a read and a token more for each that is there)"
    assert line in " ".join(text.split())
    assert "u1_secret" not in text
    assert journal.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.journal.db"]


def test_whoever_is_in_doubt_is_named_once(tmp_path: Path) -> None:
    """Users who are sent again and those who are looked up first are different ones; their sum is who is left."""
    with Journal(a_journal(tmp_path / "out.journal.db"), HERE) as journal:
        journal.settle([Settlement(3, State.PENDING, Outcome.PENDING, 0)])
    assert told(tmp_path / "out.csv")["next_run"] == {"pending": 1, "in_doubt": 1, "not_reached": None}
    text = " ".join(status_of(tmp_path / "out.csv", as_json=False).split())
    assert "1 failed, 1 pending; 1 of them in doubt" in text
    assert "sends 1 pending again; finds out about 1 in doubt" in text


def test_whom_a_killed_undo_may_have_taken_back_is_in_doubt(tmp_path: Path) -> None:
    """The next run asks about that user, whom a run has settled."""
    a_journal(tmp_path / "out.journal.db")
    with UndoJournal(tmp_path / "out.journal.db", HERE, permanent=False, tags=64) as undo:
        undo.record([LeavingRow(1, undo.begin(200.0), "deactivate", 201.0)])
    found = told(tmp_path / "out.csv")
    assert (found["outcomes"], found["in_doubt"]) == ({"created": 1, "failed": 1, "pending": 1}, 3)
    assert found["next_run"]["in_doubt"] == 3


def test_an_undo_is_no_run(tmp_path: Path) -> None:
    """Each is counted for itself, and told how its last one ended; an undo that goes on is no run that does."""
    path = a_journal(tmp_path / "out.journal.db")
    with Journal(path, HERE) as journal:
        for command, began, stopped_by in (("run", 100.0, None), ("undo", 200.0, "sigint"), ("run", 300.0, None)):
            number = journal.course.begin(began, command, {})
            journal.course.end(number or 0, began + 1, stopped_by, 1)
        journal.course.begin(400.0, "run", {})
        journal.course.begin(500.0, "undo", {})
        lines = status_of(path, as_json=False).splitlines()
    assert [line for line in lines if line.startswith(("runs", "undos"))] == [
        "runs    3; the last began 1970-01-01T00:06:40Z: killed",
        "undos   2; the last began 1970-01-01T00:08:20Z: running",
    ]
    assert (told(path)["runs"], told(path)["undos"]) == (3, 2)


def test_the_files_beside_it_say_more(tmp_path: Path) -> None:
    """How many rows were never sent, what stopped the last run, and whether there is a proof."""
    a_journal(tmp_path / "out.journal.db")
    (tmp_path / "out.summary.json").write_text('{"rows": 10, "rejected": 2, "stopped_by": "sigterm"}')
    (tmp_path / "out.proof.json").write_text('{"message": "all well", "time": "2026-01-01T00:00:00Z", "exit_code": 0}')
    document = told(tmp_path / "out.csv")
    assert document["next_run"]["not_reached"] == 5
    assert document["stopped_by"] == "sigterm"
    assert document["proof"] == {"message": "all well", "time": "2026-01-01T00:00:00Z", "exit_code": 0}
    text = " ".join(status_of(tmp_path / "out.csv", as_json=False).split())
    assert "sends 5 rows that the last run has not reached" in text
    assert "all well (2026-01-01T00:00:00Z)" in text


def test_a_refused_run_takes_no_number_away(tmp_path: Path) -> None:
    """Its own summary has none, and keeps that of the run before."""
    a_journal(tmp_path / "out.journal.db")
    (tmp_path / "out.summary.json").write_text('{"exit_code": 2, "last_run": {"rows": 10, "rejected": 2}}')
    assert told(tmp_path / "out.csv")["next_run"]["not_reached"] == 5


@pytest.mark.parametrize("document", ['{"last_run": "yesterday"}', '{"last_run": null}', '{"rows": "10"}', "[1]"])
def test_what_another_program_calls_so_tells_nothing(tmp_path: Path, document: str) -> None:
    """The journal has a name that others may have too."""
    a_journal(tmp_path / "out.journal.db")
    (tmp_path / "out.summary.json").write_text(document)
    assert told(tmp_path / "out.csv")["next_run"]["not_reached"] is None


@pytest.mark.parametrize(("finished", "not_reached"), [(True, 2998), (False, 2997)])
def test_users_of_an_earlier_roster_are_no_rows_of_this_one(tmp_path: Path, finished: bool, not_reached: int) -> None:
    """What the last run left open is in its summary; after a kill it is the rows less the users that are known."""
    path = a_journal(tmp_path / "out.journal.db")
    (tmp_path / "out.summary.json").write_text('{"rows": 3000, "rejected": 0, "pending": 2999, "stopped_by": "key"}')
    with Journal(path, HERE) as journal:
        number = journal.course.begin(100.0, "run", {})
        if finished:
            journal.course.end(number or 0, 101.0, "key", 1)
    assert told(path)["next_run"]["not_reached"] == not_reached


def test_how_a_run_ended_whose_journal_took_no_more_is_in_its_summary(tmp_path: Path) -> None:
    """Its rows were never come to, though the users of all of them are known, and nobody killed it."""
    path = a_journal(tmp_path / "out.journal.db")
    with Journal(path, HERE) as journal:
        journal.course.begin(100.0, "run", {})
    times = {"started_at": "1970-01-01T00:01:39.500Z", "finished_at": "1970-01-01T00:01:41.000Z"}
    document = {"rows": 3, "rejected": 0, "pending": 3, "stopped_by": "storage", "requests": 5, **times}
    (tmp_path / "out.summary.json").write_text(json.dumps(document))
    assert told(path)["next_run"]["not_reached"] == 2
    assert "the last began 1970-01-01T00:01:40Z: storage" in status_of(path, as_json=False)


def test_the_refusal_of_another_command_is_not_the_end_of_the_run_at_work(tmp_path: Path) -> None:
    """It waited for its roster when the run began, and was refused since; nor is it the end of one that was killed."""
    path = a_journal(tmp_path / "out.journal.db")
    with Journal(path, HERE) as journal:
        journal.course.begin(100.0, "run", {})
    times = {"started_at": "1970-01-01T00:01:39.500Z", "finished_at": "1970-01-01T00:01:41.000Z"}
    refused = {**times, "stopped_by": "journal", "message": "in use", "exit_code": 2, "outputs": {}}
    (tmp_path / "out.summary.json").write_text(json.dumps(refused))
    told_of = "the last began 1970-01-01T00:01:40Z: "
    assert f"{told_of}killed" in status_of(path, as_json=False)
    with JournalLock(path):
        assert f"{told_of}running" in status_of(path, as_json=False)


@pytest.mark.parametrize("as_json", [True, False])
def test_whoever_has_it_open_is_named(tmp_path: Path, as_json: bool) -> None:
    """It may be asked while the job is running, and takes no lock of its own."""
    journal = a_journal(tmp_path / "out.journal.db")
    with JournalLock(journal):
        assert "process " in status_of(tmp_path / "out.csv", as_json=as_json)


def test_a_state(tmp_path: Path) -> None:
    """Who is managed, how the last night ended, and what is done again."""
    path = tmp_path / "hr.db"
    with SyncState(path, HERE, make=True) as state:
        number = state.begin_night(100.0)
        users = [("ann", Standing.ACTIVE), ("bob", Standing.ACTIVE), ("cy", Standing.DEACTIVATED)]
        state.adopt((Adoption(uid, 1, Live("h", None, standing), 5) for uid, standing in users), 101.0)
        state.see(["ann"])
        state.end_night(number, 102.0, 1, {"stopped_by": None}, good=True)
        state.begin_night(200.0)
    document = told(path)
    assert document["managed"] == {"active": 2, "deactivated": 1, "absent": 1, "uncertain": 0}
    assert (document["kind"], document["nights"], document["last_good_night"]) == ("state", 2, "1970-01-01T00:01:40Z")
    text = status_of(path, as_json=False)
    assert "2 active, 1 deactivated" in text
    assert "2; the last began 1970-01-01T00:03:20Z: killed" in text
    assert "1 leaver still active" in text


def test_a_night_in_several_attempts_is_one(tmp_path: Path) -> None:
    """Counted once; that the last attempt at it was not the first is said."""
    path = tmp_path / "hr.db"
    with SyncState(path, HERE, make=True) as state:
        for began, good in ((100.0, True), (200.0, False), (300.0, False)):
            state.end_night(state.begin_night(began), began + 1, 1, {"stopped_by": None if good else "x"}, good=good)
    assert told(path)["nights"] == 2
    assert "2; attempt 2 at the last began 1970-01-01T00:05:00Z: x" in status_of(path, as_json=False)


def test_before_a_first_run_there_is_nobody(tmp_path: Path) -> None:
    """A journal that was just made; an empty file is none, and was perhaps emptied by somebody."""
    with Journal(tmp_path / "out.journal.db", HERE):
        pass
    (tmp_path / "hr.db").touch()
    assert told(tmp_path / "out.csv")["users"] == 0
    text = " ".join(status_of(tmp_path / "out.csv", as_json=False).split())
    assert "0; 0 auth tokens" in text
    assert text.endswith(
        "next sends the rows that were never sent, which no summary counts: the same command with --dry-run does"
    )
    with pytest.raises(JournalError, match="holds nothing"):
        told(tmp_path / "hr.db")

"""The last nights of a state, told without disturbing it."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from provisioner.errors import JournalError
from provisioner.inspection.record.history import history_of
from provisioner.journal.header import Identity
from provisioner.journal.journal import Journal
from provisioner.journal.schema import VERSION
from provisioner.journal.state.syncstate import SyncState

IDENTITY = Identity("app1", "https://app1.api-eu.cometchat.io/v3")
COUNTS = {
    "created": 1,
    "updated": 2,
    "unchanged": 1300,
    "reactivated": 0,
    "deactivated": 4,
    "sessions_flushed": 3,
    "rejected": 0,
    "existing": 0,
    "failed": 0,
}
GOOD = {**COUNTS, "pending": 0, "requests": 7, "stopped_by": None, "exit_code": 0}


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Three nights: good, refused, killed; they began at midnight, one day after the other."""
    path = tmp_path / "hr.db"
    midnight, day = 1_700_006_400.0, 86_400.0
    with SyncState(path, IDENTITY, make=True) as state:
        state.end_night(state.begin_night(midnight), midnight + 75.25, 1303, GOOD, good=True)
        refused = {**GOOD, "stopped_by": "empty_roster", "exit_code": 3}
        state.end_night(state.begin_night(midnight + day), midnight + day + 1, 0, refused, good=False)
        state.begin_night(midnight + 2 * day)
    return path


def nights(path: Path, last: int = 14) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = json.loads(history_of(path, last, as_json=True))["nights"]
    return told


def test_the_last_night_comes_first(state: Path) -> None:
    """Whole values for machines."""
    killed, refused, good = nights(state)
    assert good == {
        "night": 1, "started_at": "2023-11-15T00:00:00Z", "seconds": 75.2, "rows": 1303, **COUNTS, "pending": 0,
        "requests": 7, "stopped_by": None, "good": True, "exit_code": 0,
    }  # fmt: skip
    assert (refused["stopped_by"], refused["good"], refused["exit_code"]) == ("empty_roster", False, 3)
    assert (killed["stopped_by"], killed["seconds"], killed["exit_code"], killed["rows"]) == (
        "killed",
        None,
        None,
        None,
    )
    assert nights(state, 1) == [killed]


def test_it_is_told_which_attempt_at_a_night_it_was(state: Path) -> None:
    """From the second on; of a table that leaves the first attempts out as well."""
    assert [night.get("attempt") for night in nights(state)] == [2, None, None]
    assert [night.get("attempt") for night in nights(state, 1)] == [2]
    lines = history_of(state, 14, as_json=False).splitlines()
    assert lines[0].split()[-2:] == ["attempt", "ended"]
    assert [line.split()[-2:] for line in lines[1:]] == [["2", "killed"], ["1", "empty_roster"], ["1", "good"]]
    with SyncState(state, IDENTITY) as opened:
        for _ in range(2):
            opened.end_night(opened.begin_night(1_800_000_000.0), 1_800_000_001.0, 1303, GOOD, good=True)
    assert [night.get("attempt") for night in nights(state)] == [None, 3, 2, None, None]
    assert "attempt" not in history_of(state, 1, as_json=False)


def test_a_night_that_lasts_is_not_killed(state: Path) -> None:
    """Somebody holds the state."""
    with SyncState(state, IDENTITY):
        assert [night["stopped_by"] for night in nights(state)] == ["running", "empty_roster", None]


def test_people_get_a_table(state: Path) -> None:
    """One line a night."""
    lines = history_of(state, 14, as_json=False).splitlines()
    assert len(lines) == 4
    assert lines[0].split()[:4] == ["night", "began", "(UTC)", "rows"]
    assert lines[1].split()[-1] == "killed"
    assert "2023-11-15 00:00" in lines[3]
    assert "1,300" in lines[3]
    assert lines[3].endswith("good")


def test_telling_changes_nothing(state: Path) -> None:
    """Not a byte, not a file beside it."""
    before = state.read_bytes()
    history_of(state, 14, as_json=False)
    assert (state.read_bytes(), [path.name for path in state.parent.iterdir()]) == (before, ["hr.db"])


def test_a_state_without_nights_says_so(tmp_path: Path) -> None:
    """A run's journal has none either."""
    path = tmp_path / "r.journal.db"
    with Journal(path, IDENTITY):
        pass
    assert (history_of(path, 14, as_json=False), nights(path)) == (f"{path}: no night yet", [])


def test_what_is_no_state_is_refused(tmp_path: Path, state: Path) -> None:
    """Not there, a folder, a roster, another program's, a newer version's, cut short: one sentence each."""
    roster = tmp_path / "roster.csv"
    roster.write_text("uid,name\n" * 100)
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(other)) as database:
        database.execute("CREATE TABLE users (id)")
    short = tmp_path / "short.db"
    short.write_bytes(state.read_bytes()[:5000])
    newer = tmp_path / "newer.db"
    newer.write_bytes(state.read_bytes())
    with closing(sqlite3.connect(newer)) as database:
        database.execute(f"PRAGMA user_version = {VERSION + 1}")
    for path, said in [
        (tmp_path / "none.db", "no such state file; check --state"),
        (tmp_path, "cannot be read as a state"),
        (roster, "cannot be read as a state (file is not a database); check --state"),
        (other, "not a state of provisioner; check --state"),
        (short, "cannot be read as a state (cut short to 5,000 bytes); check --state"),
        (newer, f"written by a newer provisioner (format {VERSION + 1}, this one reads {VERSION}); update it"),
    ]:
        with pytest.raises(JournalError) as caught:
            history_of(path, 14, as_json=True)
        assert str(caught.value).startswith(f"{path}: {said}")
        assert "\n" not in str(caught.value)

"""A whole journal at one look: read as it stands, whoever writes, and nothing of a person in it but uids."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from provisioner.errors import JournalError
from provisioner.inspection.record.overview import OutcomeCount, look_over, outcomes_in
from provisioner.journal.earlier import standing_at
from provisioner.journal.journal import Journal
from provisioner.journal.schema import VERSION
from provisioner.journal.undo.reversals import LeavingRow
from provisioner.journal.undo.undojournal import UndoJournal
from provisioner.model import Outcome
from tests.journal.course.test_points import a_point
from tests.rig.journals import FORMAT_1, HERE, a_journal


def test_a_journal_is_looked_over_while_a_run_uses_it(tmp_path: Path) -> None:
    """Counts, doubts, first failed rows, runs and stretches; and that somebody holds it."""
    path = a_journal(tmp_path / "j.db")
    with Journal(path, HERE) as journal:
        journal.course.begin(100.0, "run", {"share": 0.9})
        journal.course.add(a_point())
        found = look_over(path, 10)
    assert (found.owner, found.in_use, dict(found.outcomes)) == (HERE, True, {"created": 1, "failed": 1, "pending": 1})
    assert (found.in_doubt, found.failed) == (2, {"": [(2, "u2")]})
    assert ([each.started for each in found.runs], found.points, found.nights) == ([100.0], [a_point()], [])
    assert not look_over(path, 10).in_use


def test_whom_a_killed_undo_may_have_taken_back_is_in_doubt(tmp_path: Path) -> None:
    """What `status`, `doctor` and the report count is one count."""
    path = a_journal(tmp_path / "j.db")
    with UndoJournal(path, HERE, permanent=False, tags=64) as undo:
        undo.record([LeavingRow(1, undo.begin(200.0), "deactivate", 201.0)])
    with closing(sqlite3.connect(path)) as database:
        assert outcomes_in(database) == [
            OutcomeCount("created", 1, 1, 1, 100.0, 101.0),
            OutcomeCount("failed", 1, 0, 1, 100.0, 101.0),
            OutcomeCount("pending", 1, 0, 1, 100.0, None),
        ]


def test_of_whom_only_the_row_is_known_nothing_is_sent_again(tmp_path: Path) -> None:
    """That row is rejected, as it was in the round before."""
    path = a_journal(tmp_path / "j.db")
    before = look_over(path, 0).outcomes
    with Journal(path, HERE) as journal:
        journal.take_over([standing_at("bob", 4)])
    assert look_over(path, 0).outcomes == before


def test_a_journal_of_the_oldest_format_is_looked_over_as_it_is(tmp_path: Path) -> None:
    """It has no runs and no nights, and stays as it is."""
    path = tmp_path / "j.db"
    with closing(sqlite3.connect(path)) as database:
        database.executescript(FORMAT_1)
    before = path.read_bytes()
    found = look_over(path, 10)
    assert (found.runs, found.points, found.nights, found.outcomes[Outcome.CREATED]) == ([], [], [], 1)
    assert path.read_bytes() == before


@pytest.mark.parametrize("broken", ["missing", "text", "other", "newer", "cut"])
def test_what_is_no_journal_is_told_in_a_sentence(tmp_path: Path, broken: str) -> None:
    """Not there, not SQLite, another program's, of a later format, or cut short."""
    path = tmp_path / "j.db"
    if broken == "text":
        path.write_text("uid,name\n" * 1000)
    elif broken == "other":
        with closing(sqlite3.connect(path)) as database:
            database.execute("CREATE TABLE songs (title)")
    elif broken != "missing":
        a_journal(path)
        with closing(sqlite3.connect(path)) as database:
            database.execute(f"PRAGMA user_version = {VERSION + (broken == 'newer')}")
            database.execute("PRAGMA journal_mode = DELETE")
        if broken == "cut":
            path.write_bytes(path.read_bytes()[:8192])
    with pytest.raises(JournalError, match=r"j\.db: "):
        look_over(path, 10)

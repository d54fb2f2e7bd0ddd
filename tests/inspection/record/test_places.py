"""Which journal is meant: by the name of its results, by its own, or as a state; and what cannot be one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from provisioner.errors import JournalError, UsageError
from provisioner.inspection.record.places import Place, find_original, find_persons, find_place, opened
from provisioner.run.undo.command import outputs_of
from tests.rig.journals import FORMAT_1, a_journal


@pytest.mark.parametrize("name", ["out.csv", "out.parquet", "out.NDJSON", "out.journal.db"])
def test_a_run_is_known_by_its_results_and_by_its_journal(tmp_path: Path, name: str) -> None:
    """Whether there are results yet or not."""
    journal = a_journal(tmp_path / "out.journal.db")
    place = find_place(tmp_path / name)
    assert place.journal == journal
    (tmp_path / "out.summary.json").write_text('{"rows": 3}')
    assert place.document(".summary.json") == {"rows": 3}
    (tmp_path / "out.summary.json").write_text("[1")
    assert (place.document(".summary.json"), place.document(".proof.json")) == ({}, {})


def test_a_sync_is_known_by_its_state_and_by_its_results(tmp_path: Path) -> None:
    """The summary beside the results says where the state is."""
    state = a_journal(tmp_path / "hr.db")
    assert find_place(state) == Place(state, None)
    (tmp_path / "night.summary.json").write_text(json.dumps({"outputs": {"journal": str(state)}}))
    assert find_place(tmp_path / "night.csv") == Place(state, tmp_path / "night.csv")


@pytest.mark.parametrize("name", ["all.csv", "all.parquet", "all.journal.db"])
@pytest.mark.parametrize("look", [find_place, outputs_of, lambda path: find_original(path, Path("copy.db"))])
@pytest.mark.parametrize(
    ("merged", "said"),
    [
        (["/d/u.results.csv", "/d/u.round2.results.csv"], "/d/u.results.csv, /d/u.round2.results.csv"),
        ([f"/s/{number}.csv" for number in range(5)], "/s/0.csv, /s/1.csv, /s/2.csv and 2 more"),
    ],
)
def test_merged_results_name_those_that_have_a_journal(
    tmp_path: Path, name: str, look: Callable[[Path], object], merged: list[str], said: str
) -> None:
    """Each of the shards or rounds is a job, and can be looked at, taken back and copied; together they are none."""
    (tmp_path / "all.summary.json").write_text(json.dumps({"roster": ["/u.csv"], "digests": {}, "merged": merged}))
    with pytest.raises(JournalError) as refused:
        look(tmp_path / name)
    results = tmp_path / name.replace(".journal.db", ".csv")
    assert str(refused.value) == f"{results}: was merged from {said}; give one of those"


@pytest.mark.parametrize("name", ["nothing.csv", "nothing.db", "nothing.journal.db", "nothing"])
def test_what_is_not_there_is_told(tmp_path: Path, name: str) -> None:
    """With what to name instead."""
    with pytest.raises(JournalError, match="no such journal; name the results file of a run"):
        find_place(tmp_path / name)


@pytest.mark.parametrize("content", [b"uid,name\nann,Ann\n", b"SQLite format 3\0" + bytes(5000), b"{}"])
def test_what_is_no_journal_is_told(tmp_path: Path, content: bytes) -> None:
    """A roster, a damaged file, another program's: one sentence."""
    (tmp_path / "x.db").write_bytes(content)
    with pytest.raises(JournalError, match=r"x\.db: "), opened(tmp_path / "x.db") as database:
        database.execute("SELECT count(*) FROM users").fetchone()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"x", "cut short to 1 bytes"),
        (b"SQLite format 3\0", "cut short to 16 bytes"),
        (b"", "holds nothing: no run has recorded anything in it"),
    ],
)
def test_what_sqlite_would_take_for_a_new_database_is_told(tmp_path: Path, content: bytes, said: str) -> None:
    """A file of nothing, or of less than a head, is no job of nobody; so is a device that gives nothing."""
    (tmp_path / "x.db").write_bytes(content)
    for path in (tmp_path / "x.db", *([Path("/dev/null")] if not content else [])):
        with pytest.raises(JournalError, match=said), opened(path):
            pass


def test_a_roster_is_told_by_its_own_name(tmp_path: Path) -> None:
    """Not by that of a journal which nobody has named."""
    (tmp_path / "users.csv").write_text("uid,name\n")
    with pytest.raises(
        JournalError, match=r"users\.csv: no job has these results \(users\.journal\.db is not beside it\)"
    ):
        find_place(tmp_path / "users.csv")


def test_names_that_are_swapped_are_told(tmp_path: Path) -> None:
    """By the results as well as by the journal; a journal that is there is copied whatever the other name is."""
    journal = a_journal(tmp_path / "out.journal.db")
    for named in (journal, tmp_path / "out.csv"):
        with pytest.raises(UsageError, match=rf"copy\.db: is not there, but .*; the copy is named last: .* {named} "):
            find_original(tmp_path / "copy.db", named)
        assert find_original(named, tmp_path / "copy.db") == journal
    with pytest.raises(JournalError, match=r"a\.db: no such journal"):
        find_original(tmp_path / "a.db", tmp_path / "b.db")


def test_a_uid_that_is_named_last_is_told(tmp_path: Path) -> None:
    """With the command that is right; who is nobody's journal either is a place that is not there."""
    journal = a_journal(tmp_path / "out.journal.db")
    with pytest.raises(
        UsageError, match=rf"^ann: is not there, but .*; the uid is named first: .* show ann {journal}$"
    ):
        find_persons(str(journal), Path("ann"))
    assert find_persons("ann", journal).journal == journal
    for uid in ("bob", "b" * 300):
        with pytest.raises(JournalError, match=r"ann: no such journal"):
            find_persons(uid, Path("ann"))


def test_damage_that_shows_while_it_is_read_is_told(tmp_path: Path) -> None:
    """A page in the middle that is none."""
    journal = a_journal(tmp_path / "out.journal.db")
    content = bytearray(journal.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    journal.write_bytes(content)
    with pytest.raises(JournalError, match=r"damaged|cannot be"), opened(journal) as database:
        database.execute("SELECT * FROM users").fetchall()


def test_an_older_format_is_read_and_stays_as_it_is(tmp_path: Path) -> None:
    """It is brought up to date in a copy."""
    import sqlite3
    from contextlib import closing

    path = tmp_path / "old.journal.db"
    with closing(sqlite3.connect(path)) as database:
        database.executescript(FORMAT_1)
    before = path.read_bytes()
    with opened(path) as database:
        assert database.execute("SELECT count(*) FROM users WHERE ours").fetchone() == (1,)
    assert path.read_bytes() == before

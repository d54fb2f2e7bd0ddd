"""A copy is consistent, private, whole or not there, and overwrites nothing."""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from provisioner.errors import JournalError, OutputError, StorageError
from provisioner.journal.copies.backup import Copy, back_up
from provisioner.journal.copies.mark import copied_at
from provisioner.journal.journal import Journal
from provisioner.model import UserRequest
from tests.rig.disk import no_file_larger_than
from tests.rig.journals import FORMAT_1, HERE, a_journal


def test_a_copy_is_a_journal_that_knows_what_it_is(tmp_path: Path) -> None:
    """It opens as any other, is its owner's alone, and is one file; the original is as it was, and knows nothing."""
    path = a_journal(tmp_path / "a.db")
    before = path.read_bytes()
    copy = back_up(path, tmp_path / "b.db")
    assert copy == Copy(tmp_path / "b.db", 3, (tmp_path / "b.db").stat().st_size, 100.0)
    assert stat.S_IMODE((tmp_path / "b.db").stat().st_mode) == 0o600
    assert path.read_bytes() == before
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.db", "b.db"]
    with Journal(tmp_path / "b.db", HERE) as journal:
        assert journal.copied_at == 100.0
        assert sorted(journal.known(["u1", "u2", "u3"])) == ["u1", "u2", "u3"]


def test_a_copy_has_what_was_committed_last_though_the_journal_is_open(tmp_path: Path) -> None:
    """Its newest commits are in the log beside it; what is not committed yet is in no copy."""
    with Journal(tmp_path / "a.db", HERE) as journal:
        journal.sent([UserRequest(1, 1, "u1", b"{}", "00", token=False)], 100.0)
        assert back_up(tmp_path / "a.db", tmp_path / "b.db").users == 1
        journal.sent([UserRequest(2, 2, "u2", b"{}", "00", token=False)], 101.0)
        with closing(sqlite3.connect(tmp_path / "a.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            other.execute("DELETE FROM users")
            assert back_up(tmp_path / "a.db", tmp_path / "c.db").users == 2
            other.execute("ROLLBACK")
        assert journal.copied_at is None


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """Not a file, not a folder, not a link that leads nowhere."""
    path = a_journal(tmp_path / "a.db")
    (tmp_path / "file").write_text("precious")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("nowhere")
    for name in ("file", "folder", "link", "a.db"):
        with pytest.raises(OutputError, match=r"is there already, and a copy overwrites nothing; choose another TO$"):
            back_up(path, tmp_path / name)
    assert (tmp_path / "file").read_text() == "precious"


def test_what_a_killed_one_has_left_is_in_nobodys_way(tmp_path: Path) -> None:
    """In a container each process has the number of the one before it."""
    left = tmp_path / f".b.db.{os.getpid()}.part"
    left.write_bytes(b"half a copy")
    assert back_up(a_journal(tmp_path / "a.db"), tmp_path / "b.db").users == 3
    assert left.read_bytes() == b"half a copy"


def test_no_copy_has_the_name_of_what_a_journal_keeps_beside_itself(tmp_path: Path) -> None:
    """The next run would delete it."""
    path = a_journal(tmp_path / "a.db")
    for name in ("a.db-wal", "b.db.lock"):
        with pytest.raises(OutputError, match=r": is named as what is kept beside another file, and deleted with it"):
            back_up(path, tmp_path / name)
        assert not (tmp_path / name).exists()


def test_what_is_no_whole_journal_is_not_copied(tmp_path: Path) -> None:
    """And nothing is left behind."""
    a_journal(tmp_path / "a.db")
    whole = (tmp_path / "a.db").read_bytes()
    (tmp_path / "cut.db").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "junk.db").write_text("no database at all")
    (tmp_path / "empty.db").write_bytes(b"")
    with Journal(tmp_path / "new.db", HERE):
        pass
    there = sorted(tmp_path.iterdir())
    for name in ("cut.db", "junk.db", "empty.db", "new.db"):
        with pytest.raises(JournalError) as error:
            back_up(tmp_path / name, tmp_path / "b.db")
        assert str(error.value).startswith(f"{tmp_path / name}: ")
    assert sorted(tmp_path.iterdir()) == there


@pytest.mark.parametrize("missing", [1, 60])
def test_a_journal_that_lacks_its_last_bytes_is_not_copied(tmp_path: Path, missing: int) -> None:
    """SQLite would fill them with zeros, and find no damage in the copy."""
    whole = a_journal(tmp_path / "a.db").read_bytes()
    (tmp_path / "cut.db").write_bytes(whole[:-missing])
    with pytest.raises(JournalError, match=rf"cut short to {len(whole) - missing:,} bytes"):
        back_up(tmp_path / "cut.db", tmp_path / "b.db")
    assert not (tmp_path / "b.db").exists()


def test_where_nothing_can_be_written_is_told(tmp_path: Path) -> None:
    """With what to do."""
    path = a_journal(tmp_path / "a.db")
    with pytest.raises(OutputError, match=r"there is no folder .*; make it, or choose"):
        back_up(path, tmp_path / "nowhere" / "b.db")


def test_a_disk_that_takes_no_more_is_told_as_that(tmp_path: Path) -> None:
    """As everywhere it is no wrong usage: whoever watches exit codes sees a full disk. Nothing is left."""
    path = a_journal(tmp_path / "a.db")
    said = r"b\.db: cannot be written \(.*\); make room, or choose another TO$"
    with no_file_larger_than(4096), pytest.raises(StorageError, match=said):
        back_up(path, tmp_path / "b.db")
    assert [each.name for each in tmp_path.iterdir()] == ["a.db"]


def test_what_cannot_be_read_is_blamed_and_not_the_copy(tmp_path: Path) -> None:
    """A folder for a journal."""
    (tmp_path / "jobs").mkdir()
    with pytest.raises(JournalError, match=r"jobs: cannot be read \(Is a directory\), so nothing was copied"):
        back_up(tmp_path / "jobs", tmp_path / "b.db")
    assert [each.name for each in tmp_path.iterdir()] == ["jobs"]


def test_an_older_format_is_copied_as_the_present_one(tmp_path: Path) -> None:
    """Its doubts are by the sending machine's clock, and so is the moment of the copy, until both are converted."""
    with closing(sqlite3.connect(tmp_path / "a.db")) as database:
        database.executescript(FORMAT_1)
    assert back_up(tmp_path / "a.db", tmp_path / "b.db").at == 5.0
    with closing(sqlite3.connect(tmp_path / "a.db")) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (1,)
    with closing(sqlite3.connect(tmp_path / "b.db", isolation_level=None)) as database:
        assert copied_at(database) == 5.0
        made_for = dict(database.execute("SELECT key, value FROM meta"))
    assert (made_for["times"], made_for["app_id"]) == ("local", "app1")

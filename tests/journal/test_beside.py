"""What SQLite keeps beside a journal is told from what is somebody's."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from provisioner.errors import JournalError
from provisioner.inspection.record.places import opened
from provisioner.journal.beside import log_of, refuse_beside, refuse_to_read_beside
from provisioner.journal.copies.backup import back_up
from provisioner.journal.header import Identity, open_for_reading, owner_in
from provisioner.journal.journal import Journal
from provisioner.journal.lock import set_journal_aside
from provisioner.journal.state.syncstate import SyncState
from provisioner.model import UserRequest

HERE = Identity("app1", "https://app1.api-eu.cometchat.io/v3")


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """A journal that a killed run has left, its newest commits in the log beside it."""
    path, left = tmp_path / "running" / "r.db", tmp_path / "left" / "r.db"
    for each in (path, left):
        each.parent.mkdir()
    with Journal(path, HERE) as journal:
        journal.sent([UserRequest(1, 1, "ann", b"{}", "00", token=False)], 100.0)
        for ending in ("", "-wal"):
            left.with_name(left.name + ending).write_bytes(path.with_name(path.name + ending).read_bytes())
    return left


@pytest.mark.parametrize("ending", ["-wal", "-shm", "-journal"])
@pytest.mark.parametrize(
    ("content", "ours"),
    [
        (b"", True),
        (b"\0\0\0", True),
        (b"\0" * 4096, True),
        (b"precious", False),
        (b"SQLite format 3\0", False),
    ],
)
def test_what_sqlite_may_have_left_is_known_by_its_beginning(
    tmp_path: Path, ending: str, content: bytes, ours: bool
) -> None:
    """Nothing, or zeros where it has only made room."""
    path = tmp_path / "r.db"
    path.with_name(path.name + ending).write_bytes(content)
    log_of(path).touch()
    if ours:
        refuse_beside(path)
        refuse_to_read_beside(path)
        return
    with pytest.raises(JournalError, match=rf"r\.db{ending}: holds something else where SQLite needs"):
        refuse_beside(path)
    with pytest.raises(OSError, match=rf"r\.db{ending} holds something else where SQLite needs"):
        refuse_to_read_beside(path)


def test_what_sqlite_itself_has_written_is_its_own(killed: Path) -> None:
    """While a run lasts, and of one that was killed; a log that was cut off after its first byte as well."""
    with Journal(killed, HERE):
        refuse_beside(killed)
        refuse_to_read_beside(killed)
        assert owner_in(killed) == HERE
    log_of(killed).write_bytes(b"\x37")
    refuse_beside(killed)


@pytest.mark.parametrize(
    "make",
    [
        lambda it, other: it.symlink_to(other),
        lambda it, other: it.hardlink_to(other),
        lambda it, _: it.write_text("precious"),
    ],
    ids=["link", "hard link", "somebody's file"],
)
def test_nobody_who_only_looks_has_it_overwritten_either(killed: Path, make: Callable[[Path, Path], object]) -> None:
    """With a log beside a journal SQLite makes its index anew, also to read, to copy, or to set it aside."""
    other, index = killed.parent / "other", killed.with_name("r.db-shm")
    other.write_text("precious")
    make(index, other)
    before = sorted(killed.parent.iterdir())
    with pytest.raises(OSError, match=r"r\.db-shm .+ where SQLite needs a file of its own; "):
        open_for_reading(killed)
    assert owner_in(killed) is None
    with pytest.raises(JournalError, match=r"r\.db: cannot be read \(r\.db-shm .+\), so nothing was"):
        back_up(killed, killed.parent / "copy.db")
    with pytest.raises(JournalError, match=r"r\.db-shm: "):
        set_journal_aside(killed)
    assert sorted(killed.parent.iterdir()) == before
    assert (other.read_text(), index.read_text()) == ("precious", "precious")
    index.unlink()
    with closing(open_for_reading(killed)) as database:
        assert database.execute("SELECT uid FROM users").fetchall() == [("ann",)]


@pytest.mark.parametrize("link", [Path.hardlink_to, Path.symlink_to], ids=["hard link", "link"])
def test_a_log_with_another_name_is_never_to_be_moved_away(killed: Path, link: Callable[[Path, Path], None]) -> None:
    """It holds what was recorded last. What `cp -al` makes is read, and a run says how it gets a file of its own."""
    other = log_of(killed).rename(killed.parent / "other")
    link(log_of(killed), other)
    kept = other.read_bytes()
    if link is Path.hardlink_to:
        with closing(open_for_reading(killed)) as database:
            assert database.execute("SELECT uid FROM users").fetchall() == [("ann",)]
    else:  # which SQLite does not follow
        with pytest.raises(
            OSError, match=r"r\.db-wal is a link .+; it holds what was recorded last, so give it one: cp "
        ):
            open_for_reading(killed)
    with pytest.raises(JournalError, match="; it holds what was recorded last, so give it one: cp ") as error:
        refuse_beside(killed)
    subprocess.run(str(error.value).rpartition(": ")[2], shell=True, check=True)
    with Journal(killed, HERE) as journal:
        assert set(journal.known(["ann"])) == {"ann"}
    assert other.read_bytes() == kept


def test_an_index_that_was_copied_by_another_name_is_never_to_be_moved_away(killed: Path) -> None:
    """A run may be using it: who asks for it is told to remove the other name."""
    index, other = killed.with_name("r.db-shm"), killed.parent / "other"
    with Journal(killed, HERE):
        other.hardlink_to(index)
        with pytest.raises(
            OSError, match=r"r\.db-shm .+; wait until no run uses it, then remove the other one \(find \. -samefile "
        ):
            refuse_to_read_beside(killed)
        other.unlink()
        refuse_to_read_beside(killed)


@pytest.mark.parametrize("kind", [Journal, SyncState])
def test_a_copy_is_not_mixed_with_the_log_of_the_journal_in_whose_place_it_was_put(
    killed: Path, kind: type[Journal]
) -> None:
    """SQLite would play the log back into it: what is lost by that, or damaged, nobody could tell. The cure helps."""
    copy = killed.with_name("copy.db")
    assert back_up(killed, copy).users == 1
    copy.replace(killed)
    before = killed.read_bytes()
    left = r"r\.db-wal:? is the log of the journal that was there before, .+; move it away, and r\.db-shm with it"
    with pytest.raises(JournalError, match=left):
        kind(killed, HERE).__enter__()
    with pytest.raises(OSError, match=left):
        open_for_reading(killed)
    with pytest.raises(JournalError, match=left), opened(killed):
        pass
    with pytest.raises(JournalError, match=left):
        back_up(killed, copy)
    with pytest.raises(JournalError, match=left):
        set_journal_aside(killed)
    assert killed.read_bytes() == before
    for ending in ("-wal", "-shm"):
        killed.with_name(f"r.db{ending}").unlink(missing_ok=True)
    with kind(killed, HERE) as journal:
        assert (journal.copied_at, list(journal.known(["ann"]))) == (100.0, ["ann"])

"""A journal as the doctor finds it: judged, and left as it is."""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from provisioner.inspection.doctor.diagnosis import Check, Status
from provisioner.inspection.doctor.journalhealth import journal_health
from provisioner.journal.header import Identity
from provisioner.journal.journal import Journal
from provisioner.journal.lock import holder_of
from provisioner.journal.schema import APPLICATION_ID, VERSION
from provisioner.journal.undo.reversals import LeavingRow
from provisioner.journal.undo.undojournal import UndoJournal
from provisioner.model import UserRequest
from tests.rig.journals import FORMAT_1, HERE, a_journal

pytestmark = pytest.mark.usefixtures("here")

SEEN = f"j.db: format {VERSION}, 3 users (1 created, 1 failed, 1 pending), 2 in doubt"


def test_a_journal_is_told_by_outcome_and_left_as_it_is(here: Path) -> None:
    """Not a byte of it changes, and no file appears beside it."""
    path = a_journal(Path("j.db"))
    before = {each.name: each.read_bytes() for each in here.iterdir()}
    assert journal_health(path, HERE) == Check(
        "journal", Status.OK, SEEN, "the next run with it finds out whether these users were made"
    )
    assert {each.name: each.read_bytes() for each in here.iterdir()} == before


def test_a_journal_of_one_user_is_told_as_that() -> None:
    """By name, in the number that it is."""
    with Journal(path := Path("j.db"), HERE) as journal:
        journal.sent([UserRequest(1, 1, "ann", b'{"uid":"ann"}', "00", token=True)], 100.0)
    assert journal_health(path, HERE).seen == f"j.db: format {VERSION}, 1 user (1 pending), 1 in doubt"


def test_whom_a_killed_undo_may_have_taken_back_is_in_doubt() -> None:
    """As `status` counts it: the next run asks about that user, though a run has settled it."""
    path = a_journal(Path("j.db"))
    with UndoJournal(path, HERE, permanent=False, tags=64) as undo:
        undo.record([LeavingRow(1, undo.begin(200.0), "deactivate", 201.0)])
    assert journal_health(path, HERE).seen == SEEN.replace("2 in doubt", "3 in doubt")


def test_a_journal_of_an_older_format_is_told_as_well() -> None:
    """It knows of no undo."""
    with closing(sqlite3.connect("j.db")) as database:
        database.executescript(FORMAT_1)
    counts = "1 created, 2 existing, 2 failed, 2 pending, 1 updated"
    assert journal_health(Path("j.db"), None).seen == f"j.db: format 1, 8 users ({counts}), 2 in doubt"


def test_a_journal_in_use_is_told_with_who_holds_it() -> None:
    """It can be read while a run writes, and the run is not disturbed: the lock stays the run's."""
    path = a_journal(Path("j.db"))
    assert holder_of(path) is None
    with Journal(path, HERE) as journal:
        journal.move([(1, 5)])
        holder = f"process {os.getpid()} on {os.uname().nodename}"
        assert journal_health(path, HERE) == Check(
            "journal", Status.WARNING, f"{SEEN}; in use by {holder}", "wait until that run has ended"
        )
        assert holder_of(path) == holder
        journal.move([(1, 6)])
    assert not Path("j.db.lock").exists()


def test_what_is_in_the_log_beside_the_file_counts() -> None:
    """After a kill most of a journal may be in its `-wal` file; the check neither moves nor loses it."""
    path = a_journal(Path("j.db"))
    with closing(sqlite3.connect(path)) as writer:
        writer.execute("INSERT INTO users (uid, row, body_hash, state, sent_at) VALUES ('u9', 9, '00', 'sent', 1)")
        writer.commit()
        for name in ("j.db", "j.db-wal", "j.db-shm"):
            Path("k" + name[1:]).write_bytes(Path(name).read_bytes())
    log = Path("k.db-wal").read_bytes()
    for _ in range(2):
        seen = journal_health(Path("k.db"), HERE).seen
        assert seen == f"k.db: format {VERSION}, 4 users (1 created, 1 failed, 2 pending), 3 in doubt"
        Path("k.db-shm").unlink()  # it does not survive a restart of the machine
    assert Path("k.db-wal").read_bytes() == log


def test_a_journal_for_another_app_is_an_error_and_an_unknown_one_is_not() -> None:
    """Without app id and region there is nothing to hold it against."""
    path = a_journal(Path("j.db"))
    other = journal_health(path, Identity("app", "http://other/v3"))
    assert other.status is Status.ERROR
    assert other.seen == f"{SEEN}; made for app app at http://h/v3, not for app app at http://other/v3"
    assert journal_health(path, None).status is Status.OK


def test_a_damaged_journal_is_an_error() -> None:
    """A page in the middle, the end cut off, or no SQLite at all."""
    whole = a_journal(Path("j.db")).read_bytes()
    size = int.from_bytes(whole[16:18], "big")
    for content in (whole[:size] + b"\xff" * (len(whole) - size), whole[: len(whole) // 2], b"uid,name\n" * 1000):
        Path("d.db").write_bytes(content)
        found = journal_health(Path("d.db"), HERE)
        assert found.status is Status.ERROR
        assert found.seen.startswith("d.db: damaged or no SQLite file (")


def test_a_foreign_or_newer_database_is_told_as_such() -> None:
    """Another program's file is not taken for a damaged journal, nor is one of a later version."""
    with closing(sqlite3.connect("f.db")) as database:
        database.execute("CREATE TABLE t (x)")
    assert journal_health(Path("f.db"), HERE).seen == "f.db: not a journal of provisioner"
    with closing(sqlite3.connect("n.db")) as database:
        database.execute("CREATE TABLE t (x)")
        database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        database.execute(f"PRAGMA user_version = {VERSION + 1}")
    found = journal_health(Path("n.db"), HERE)
    assert (found.status, found.do) == (Status.ERROR, "update provisioner")
    assert found.seen == f"n.db: format {VERSION + 1}, this provisioner reads {VERSION}"


def test_a_journal_that_is_not_there_or_empty(here: Path) -> None:
    """A wrong path is an error; a run that was killed while making the file left one to begin with."""
    assert journal_health(Path("gone.db"), HERE) == Check(
        "journal", Status.ERROR, "gone.db: no such file or directory", "name the journal of a run: <results>.journal.db"
    )
    assert journal_health(here, HERE).seen == f"{here}: is a directory"
    Path("e.db").touch()
    assert journal_health(Path("e.db"), HERE) == Check("journal", Status.OK, "e.db: empty, as before a first run")


def test_a_journal_that_may_not_be_read_is_told(nobody: Path) -> None:
    """The journal of another user: its mode is at fault, not its contents."""
    folder = nobody / "folder"
    folder.mkdir()
    path = a_journal(folder / "j.db")
    path.chmod(0)
    said = Check("journal", Status.ERROR, f"{path}: cannot be read (Permission denied)", "check its owner and mode")
    assert journal_health(path, HERE) == said
    assert stat.S_IMODE(path.stat().st_mode) == 0
    path.chmod(0o600)
    folder.chmod(0o600)
    assert journal_health(path, HERE) == said
    folder.chmod(0o700)

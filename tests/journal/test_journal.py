"""The journal: crash-exact, private, for one app and one run at a time."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from provisioner.errors import JournalError, StorageError
from provisioner.journal.columns import OUTCOME_COLUMNS, Known
from provisioner.journal.header import Identity, owner_in, owner_of
from provisioner.journal.journal import Journal, JournalReader
from provisioner.journal.lock import set_journal_aside
from provisioner.journal.schema import APPLICATION_ID, VERSION
from provisioner.journal.statements import Columns
from provisioner.model import Outcome, Past, Settlement, State, UserRequest
from tests.rig.sampling import examples

IDENTITY = Identity("app1", "https://app1.api-eu.cometchat.io/v3")
FOREIGN = "not a journal of provisioner; move it away or choose another --output"


def a_request(key: int, uid: str = "", row: int = 0, body_hash: str = "00") -> UserRequest:
    return UserRequest(key, row or key, uid or f"u{key}", b"{}", body_hash, token=True)


def a_settlement(key: int, outcome: Outcome = Outcome.CREATED) -> Settlement:
    return Settlement(
        key, State.SETTLED, outcome, 1,
        http_status=200, auth_token=f"u{key}_token", created_at=1_700_000_000, settled_at=1_700_000_000.5,
    )  # fmt: skip


def milliseconds(seconds: float | None) -> int | None:
    return None if seconds is None else int(seconds * 1000)


def rows_of(found: Columns) -> list[tuple[Any, ...]]:
    return list(zip(*found.values(), strict=True))


def the_row(settlement: Settlement, uid: str) -> tuple[Any, ...]:
    """What `Journal.outcomes` gives for a settled row."""
    facts = settlement._asdict() | {"uid": uid, "settled_at": milliseconds(settlement.settled_at)}
    return tuple(facts[column] for column in OUTCOME_COLUMNS)


def crashed_copy(path: Path, folder: Path, wal_bytes: int | None = None) -> Path:
    """What a power cut would leave of an open journal: the database and its log, the log perhaps cut short."""
    copy = folder / path.name
    shutil.copy(path, copy)
    wal = path.with_name(path.name + "-wal")
    if wal.exists():
        there = wal.read_bytes()
        copy.with_name(copy.name + "-wal").write_bytes(there[:wal_bytes])
    return copy


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "results.journal.db"


def test_tells_what_it_was_told(path: Path) -> None:
    """Every member of a settlement comes back as it went in, in the columns that the results are made of."""
    settlement = a_settlement(1, Outcome.FAILED)._replace(error_code="ERR", error_message="it is\nso", doubt_since=3.5)
    with Journal(path, IDENTITY) as journal:
        journal.sent([a_request(journal.new_key(), "u1")], 2.0)
        journal.settle([settlement])
        assert rows_of(journal.outcomes(["u1"])) == [the_row(settlement, "u1")]


def test_a_uid_it_never_met_has_no_place_in_its_answers(path: Path) -> None:
    """Neither look-up invents a row."""
    with Journal(path, IDENTITY) as journal:
        journal.sent([a_request(journal.new_key(), "u1")], 1.0)
    with Journal(path, IDENTITY) as journal:
        assert set(journal.known(["u1", "u2"])) == {"u1"}
        assert [uid for uid, *_ in rows_of(journal.outcomes(["u2", "u1"]))] == ["u1"]
        assert (journal.known([]), rows_of(journal.outcomes([]))) == ({}, [])


def test_a_row_that_was_sent_and_not_settled_is_in_doubt_since_it_was_sent_first(path: Path) -> None:
    """However many runs are killed over it, the first attempt that may have created the user counts."""
    for sent_at in (10.0, 20.0, 30.0):
        with Journal(path, IDENTITY) as journal:
            journal.sent([a_request(1)], sent_at)
    with Journal(path, IDENTITY) as journal:
        assert journal.known(["u1"]) == {"u1": Known(1, 1, "00", "sent", "pending", 0, None, None, 10.0, "00", 0)}


def test_the_body_in_doubt_is_remembered_until_the_doubt_is_gone(path: Path) -> None:
    """A roster that was edited after a kill: what went out then is told from what would go out now."""
    told = []
    with Journal(path, IDENTITY) as journal:
        journal.sent([a_request(1, body_hash="old")], 10.0)
    for last in (False, True):
        with Journal(path, IDENTITY) as journal:
            known = journal.known(["u1"])["u1"]
            told.append((known.body_hash, known.doubt_hash))
            journal.sent([a_request(1, body_hash="new")], 20.0)
            if last:
                journal.settle([a_settlement(1)])
    with Journal(path, IDENTITY) as journal:
        known = journal.known(["u1"])["u1"]
    # Of two that may be there, none is named: an edit that is taken back is an edit of what may be there, too.
    assert [*told, (known.body_hash, known.doubt_hash)] == [("old", "old"), ("new", ""), ("new", "new")]


def test_a_settled_row_is_in_no_doubt_however_often_it_was_sent(path: Path) -> None:
    """The settlement has the last word about the doubt."""
    with Journal(path, IDENTITY) as journal:
        journal.sent([a_request(1)], 10.0)
        journal.sent([a_request(1)], 20.0)
        journal.settle([a_settlement(1)])
    with Journal(path, IDENTITY) as journal:
        assert journal.known(["u1"]) == {
            "u1": Known(1, 1, "00", "settled", "created", 1, "u1_token", 1_700_000_000, None, "00", 1)
        }


def test_the_doubt_of_a_failed_row_outlives_its_next_attempt(path: Path) -> None:
    """A failed row whose user may exist is in doubt since its own first attempt, not since the one after."""
    with Journal(path, IDENTITY) as journal:
        journal.sent([a_request(1)], 10.0)
        journal.settle([a_settlement(1, Outcome.FAILED)._replace(doubt_since=11.0)])
        journal.sent([a_request(1)], 50.0)
    with Journal(path, IDENTITY) as journal:
        assert journal.known(["u1"])["u1"].doubt_since == 11.0


def test_a_row_known_not_to_be_in_doubt_is_in_doubt_only_since_it_was_sent_again(path: Path) -> None:
    """A refused row cannot have created anybody: the doubt begins with the attempt that was cut off."""
    with Journal(path, IDENTITY) as journal:
        journal.sent([a_request(1)], 10.0)
        journal.settle([a_settlement(1, Outcome.FAILED)])
        journal.sent([a_request(1)], 50.0)
    with Journal(path, IDENTITY) as journal:
        assert journal.known(["u1"])["u1"].doubt_since == 50.0


def test_what_was_not_on_the_wire_is_in_no_doubt(path: Path) -> None:
    """A row that was marked as sent and then never taken by a worker is pending again, without a doubt."""
    with Journal(path, IDENTITY) as journal:
        journal.sent([a_request(1)], 10.0)
        journal.settle([Settlement(1, State.PENDING, Outcome.PENDING, 0)])
    with Journal(path, IDENTITY) as journal:
        assert journal.known(["u1"])["u1"].past(changed=False) == Past(State.PENDING, Outcome.PENDING)


def test_a_row_that_is_sent_again_keeps_its_token_until_it_is_settled(path: Path) -> None:
    """A token that was recorded once is there for the next run, so that it is never minted twice."""
    with Journal(path, IDENTITY) as journal:
        journal.sent([a_request(1)], 10.0)
        journal.settle([a_settlement(1)])
        journal.sent([a_request(1, body_hash="11")], 20.0)
    with Journal(path, IDENTITY) as journal:
        past = journal.known(["u1"])["u1"].past(changed=True)
        assert (past.state, past.auth_token, past.created_at) == (State.SENT, "u1_token", 1_700_000_000)


def test_a_row_on_the_wire_has_no_outcome(path: Path) -> None:
    """Results written while a row is sent and unsettled say pending, not what an earlier run made of it."""
    with Journal(path, IDENTITY) as journal:
        journal.sent([a_request(1)], 10.0)
        journal.settle(
            [a_settlement(1, Outcome.FAILED)._replace(error_code="ERR", error_message="no", auth_token=None)]
        )
        journal.sent([a_request(1)], 20.0)
        assert [row[1] for row in rows_of(journal.outcomes(["u1"]))] == ["pending"]


def test_what_it_was_told_is_in_its_file_whatever_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To SQLite this one says that all of it is to be forgotten."""
    monkeypatch.chdir(tmp_path)
    for asked in ({}, {"u1": "sent"}):
        with Journal(Path(":memory:"), IDENTITY) as journal:
            assert {uid: met.state for uid, met in journal.known(["u1"]).items()} == asked
            journal.sent([a_request(1)], 1.0)


def test_keys_are_given_out_once_and_go_on_after_a_restart(path: Path) -> None:
    """Two uids never share a key, also when a key was given out and not used before the kill."""
    with Journal(path, IDENTITY) as journal:
        assert (journal.is_new, [journal.new_key() for _ in range(3)]) == (True, [1, 2, 3])
        journal.sent([a_request(1), a_request(2)], 1.0)
    with Journal(path, IDENTITY) as journal:
        assert (journal.is_new, journal.new_key()) == (False, 3)


@pytest.mark.parametrize("rows", [0, 1, 24, 25, 26, 249, 250, 251, 1027])
def test_any_number_of_rows_goes_into_one_commit(path: Path, rows: int) -> None:
    """The pieces that statements are cut into lose no row and mix up none."""
    keys = range(1, rows + 1)
    settlements = [a_settlement(key)._replace(attempts=key) for key in keys]
    with Journal(path, IDENTITY) as journal:
        journal.sent([a_request(key) for key in keys], 1.0)
        journal.settle(settlements)
        journal.move((key, 10_000 + key) for key in keys)
        uids = [f"u{key}" for key in keys]
        assert sorted(rows_of(journal.outcomes(uids))) == sorted(map(the_row, settlements, uids))
    with Journal(path, IDENTITY) as journal:
        assert {uid: known.row for uid, known in journal.known(uids).items()} == {
            f"u{key}": 10_000 + key for key in keys
        }


@given(
    uids=st.lists(
        st.text(st.characters(exclude_categories=["Cs"], min_codepoint=1), min_size=1), unique=True, max_size=30
    )
)
@settings(max_examples=examples(10), deadline=None)
def test_any_text_is_a_uid_for_it(uids: list[str]) -> None:
    """Quotes, line ends, emoji: a uid is looked up as it was recorded."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "j.db"
        with Journal(path, IDENTITY) as journal:
            journal.sent([a_request(journal.new_key(), uid) for uid in uids], 1.0)
        with Journal(path, IDENTITY) as journal:
            assert {uid: known.key for uid, known in journal.known(uids).items()} == {
                uid: key for key, uid in enumerate(uids, 1)
            }


def test_what_cannot_be_recorded_is_a_storage_error_and_nothing_of_its_commit_stays(path: Path) -> None:
    """A commit is all or nothing, and a disk that refuses it is told in one sentence."""
    with Journal(path, IDENTITY) as journal:
        journal.sent([a_request(1), a_request(2)], 1.0)
        journal._database.execute("PRAGMA query_only = ON")
        with pytest.raises(StorageError, match=r"results\.journal\.db: cannot be written any more \(.+\); make room"):
            journal.settle([a_settlement(1)])
        journal._database.execute("PRAGMA query_only = OFF")
        journal.settle([a_settlement(2)])
        assert {row[0]: row[1] for row in rows_of(journal.outcomes(["u1", "u2"]))} == {"u1": "pending", "u2": "created"}


def test_a_number_too_large_for_sqlite_is_a_storage_error(path: Path) -> None:
    """One absurd `createdAt` from a server does not take the outcomes of a whole batch with it."""
    with Journal(path, IDENTITY) as journal:
        journal.sent([a_request(1)], 1.0)
        with pytest.raises(StorageError):
            journal.settle([a_settlement(1)._replace(created_at=2**63)])


# --- what it must not be mistaken for ---


def a_text_file(path: Path) -> None:
    path.write_text("uid,name\nada,Ada\n" * 100)


def a_folder(path: Path) -> None:
    path.mkdir()


def a_foreign_database(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE cats (name TEXT)")
    database.close()


def a_marked_foreign_database(path: Path) -> None:
    database = sqlite3.connect(path)
    database.execute("PRAGMA application_id = 1196437808")  # a GeoPackage
    database.close()


def a_symlink_to_itself(path: Path) -> None:
    path.symlink_to(path.name)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (a_text_file, "cannot be used as a journal (file is not a database)"),
        (a_folder, "cannot be used as a journal (Is a directory"),
        (a_symlink_to_itself, "cannot be used as a journal (Too many levels of symbolic links"),
        (a_foreign_database, FOREIGN),
        (a_marked_foreign_database, FOREIGN),
    ],
)
def test_refuses_what_is_no_journal_and_leaves_it_as_it_is(path: Path, make: Callable[[Path], None], said: str) -> None:
    """A file that another program made is named, not used, not changed, and no lock stays behind."""
    make(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(JournalError) as error, Journal(path, IDENTITY):
        raise AssertionError("opened")
    assert str(error.value).startswith(f"{path}: {said}")
    assert (path.read_bytes() if path.is_file() else None) == before
    assert [each.name for each in path.parent.iterdir()] == [path.name]


NOWHERE = "is a link that leads nowhere; mount the disk that it leads to, or remove the link"
NO_FILE = "is no file, and belongs to the journal by its name; move it away"
NO_LINK = "is a link where SQLite needs a file of its own; remove the link"
TWO_NAMES = "is one file with another name (a hard link) where SQLite needs a file of its own; move it away"
OTHERS = "holds something else where SQLite needs a file of its own; move it away"


def somebodys(it: Path) -> Path:
    """Make a file in another folder, which SQLite would overwrite under the name `it`."""
    other = it.parent.with_name(f"{it.parent.name}.precious")
    other.write_text("precious")
    return other


@pytest.mark.parametrize(
    ("ending", "make", "said"),
    [
        ("", lambda it: it.symlink_to("/nowhere/j.db"), NOWHERE),
        ("-wal", lambda it: it.symlink_to("/nowhere/j.db-wal"), NOWHERE),
        ("-wal", lambda it: it.symlink_to("/dev/zero"), NO_FILE),
        ("-wal", Path.mkdir, NO_FILE),
        ("-shm", lambda it: it.symlink_to("/nowhere/j.db-shm"), NO_LINK),
        ("-shm", os.mkfifo, NO_FILE),
        ("-shm", lambda it: it.hardlink_to(somebodys(it)), TWO_NAMES),
        ("-shm", lambda it: it.write_text("precious"), OTHERS),
        ("-wal", lambda it: it.symlink_to(somebodys(it)), NO_LINK),
        ("-wal", lambda it: it.hardlink_to(somebodys(it)), TWO_NAMES),
        ("-wal", lambda it: it.write_text("precious"), OTHERS),
        ("-journal", lambda it: it.symlink_to(somebodys(it)), NO_LINK),
        ("-journal", lambda it: it.write_text("precious"), OTHERS),
    ],
)
def test_what_keeps_the_files_of_a_journal_from_being_made_is_named(
    path: Path, ending: str, make: Callable[[Path], None], said: str
) -> None:
    """It stays as it is, nothing is made beside it, and once it is away the journal can be had."""
    wrong = path.with_name(path.name + ending)
    make(wrong)
    before = wrong.lstat().st_mode
    with pytest.raises(JournalError) as error, Journal(path, IDENTITY):
        raise AssertionError("opened")
    assert (str(error.value), wrong.lstat().st_mode) == (f"{wrong}: {said}", before)
    assert all(each.read_text() == "precious" for each in [wrong] if each.is_file())
    assert [each.name for each in path.parent.iterdir()] == [wrong.name]
    wrong.rename(path.with_name("away"))
    with Journal(path, IDENTITY) as journal:
        assert journal.made


def test_a_journal_that_knows_nobody_can_still_be_anothers(path: Path) -> None:
    """A run with a wrong address has left it: the right one is taken, also by who only looks. Then it is bound."""
    right = Identity("", "http://127.0.0.1:8080/v3")
    with Journal(path, IDENTITY) as journal:
        journal.course.begin(1.0, "run", {})
    with JournalReader(path, right) as reader:
        assert owner_of(reader.database) == IDENTITY
    with Journal(path, right) as journal:
        journal.sent([a_request(1)], 1.0)
    assert owner_in(path) == right
    with pytest.raises(JournalError, match="not for app1 at"), Journal(path, IDENTITY):
        raise AssertionError("opened")


def test_a_copy_that_knows_nobody_stays_its_apps(path: Path) -> None:
    """The journal that was lost may have sent users there since."""
    with Journal(path, IDENTITY) as journal:
        journal.sent([a_request(1)], 1.0)
        journal.mark_as_copy()
        journal.database.execute("DELETE FROM users")
    with pytest.raises(JournalError, match="made for app app1"), Journal(path, Identity("app2", "http://x")):
        raise AssertionError("opened")


@pytest.mark.parametrize(
    ("identity", "said"),
    [
        (
            Identity("app2", IDENTITY.base_url),
            f"made for app app1 at {IDENTITY.base_url}, not for app2 at {IDENTITY.base_url}",
        ),
        (
            Identity("", "http://127.0.0.1:8080"),
            f"made for app app1 at {IDENTITY.base_url}, not for (none) at http://127.0.0.1:8080",
        ),
    ],
)
def test_refuses_another_app_or_address(path: Path, identity: Identity, said: str) -> None:
    """Tokens of one app never land among those of another; afterwards the journal is still its own app's."""
    with Journal(path, IDENTITY) as journal:
        journal.sent([a_request(1)], 1.0)
    with pytest.raises(JournalError) as error, Journal(path, identity):
        raise AssertionError("opened")
    assert str(error.value) == f"{path}: {said}; choose another --output, or --restart to set it aside"
    with Journal(path, IDENTITY) as journal:
        assert set(journal.known(["u1"])) == {"u1"}


def test_refuses_a_newer_format(path: Path) -> None:
    """An older provisioner does not guess at what a newer one wrote."""
    with Journal(path, IDENTITY):
        pass
    database = sqlite3.connect(path)
    database.execute(f"PRAGMA user_version = {VERSION + 1}")
    database.close()
    with pytest.raises(JournalError) as error, Journal(path, IDENTITY):
        raise AssertionError("opened")
    said = f"written by a newer provisioner (format {VERSION + 1}, this one reads {VERSION}); update it"
    assert str(error.value) == f"{path}: {said}"


def test_its_header_says_whose_it_is(path: Path) -> None:
    """`file results.journal.db` and any SQLite tool can tell that it is ours."""
    with Journal(path, IDENTITY):
        pass
    assert path.read_bytes()[68:72] == APPLICATION_ID.to_bytes(4, "big") == b"PRVS"


@pytest.mark.parametrize("killed_after", ["open", "wal"])
def test_a_journal_whose_making_was_cut_off_is_made_anew(path: Path, killed_after: str) -> None:
    """A kill before the first commit leaves an empty file, or an empty database: neither is foreign."""
    path.touch()
    if killed_after == "wal":
        database = sqlite3.connect(path)
        database.execute("PRAGMA journal_mode = WAL")
        database.close()
    with Journal(path, IDENTITY) as journal:
        assert journal.is_new
        journal.sent([a_request(1)], 1.0)
        assert len(rows_of(journal.outcomes(["u1"]))) == 1


@pytest.mark.parametrize("emptied", ["to nothing", "but its log is there"])
def test_whoever_has_it_emptied_is_told_apart_from_a_first_run(path: Path, emptied: str) -> None:
    """Nothing in it counts as made anew; nothing in it beside a log that has pages is damage, and stays as it is."""
    with Journal(path, IDENTITY) as journal:
        assert journal.made
        journal.sent([a_request(1)], 1.0)
        log = path.with_name(path.name + "-wal").read_bytes()
    with Journal(path, IDENTITY) as journal:
        assert not journal.made
    path.write_bytes(b"")
    if emptied == "to nothing":
        with Journal(path, IDENTITY) as journal:
            assert journal.made
    else:
        path.with_name(path.name + "-wal").write_bytes(log)
        with pytest.raises(JournalError, match="cut short to 0 bytes"), Journal(path, IDENTITY):
            pass
        assert path.read_bytes() == b""


def test_refuses_a_file_it_may_not_read(nobody: Path) -> None:
    """A journal of another user is an error with its name, not a traceback."""
    path = nobody / "j.db"
    path.touch(0o000)
    with pytest.raises(JournalError) as error, Journal(path, IDENTITY):
        raise AssertionError("opened")
    said = "cannot be used as a journal (Permission denied); mend that, or choose another --output"
    assert str(error.value) == f"{path}: {said}"


def test_another_output_is_no_cure_where_users_may_be_recorded(nobody: Path) -> None:
    """Its journal would know of nobody: our own users would be told as existing, and their tokens be lost."""
    path = nobody / "sealed" / "j.db"
    path.parent.mkdir()
    with Journal(path, IDENTITY) as journal:
        journal.sent([a_request(1)], 1.0)
    path.parent.chmod(0o500)
    with pytest.raises(JournalError) as error:
        Journal(path, IDENTITY).__enter__()
    said = "cannot be used as a journal (Permission denied); make room or mend that, then run the same command again"
    assert str(error.value) == f"{path}: {said}"


def test_refuses_a_folder_it_may_not_write(nobody: Path) -> None:
    """The lock comes first: where it cannot be made there is no journal."""
    folder = nobody / "sealed"
    folder.mkdir(0o500)
    with pytest.raises(JournalError, match=r"j\.db: cannot be used as a journal \(.*Permission denied"):
        Journal(folder / "j.db", IDENTITY).__enter__()


# --- privacy ---


def test_all_its_files_are_the_owners_alone_whatever_the_umask(path: Path) -> None:
    """Promise 7: database, write-ahead log, shared memory and lock have mode 0600, from their first instant."""
    old = os.umask(0)
    try:
        with Journal(path, IDENTITY) as journal:
            journal.sent([a_request(1)], 1.0)
            modes = {each.name: oct(each.stat().st_mode & 0o777) for each in path.parent.iterdir()}
    finally:
        os.umask(old)
    assert modes == {path.name + suffix: "0o600" for suffix in ("", "-wal", "-shm", ".lock")}


def test_a_journal_that_became_readable_is_made_private_again(path: Path) -> None:
    """A copy put back from a backup is 0644; SQLite would make the new log, with new tokens, 0644 as well."""
    with Journal(path, IDENTITY):
        pass
    path.chmod(0o644)
    with Journal(path, IDENTITY) as journal:
        journal.sent([a_request(1)], 1.0)
        assert {oct(each.stat().st_mode & 0o777) for each in path.parent.iterdir()} == {"0o600"}


def test_closing_leaves_one_file(path: Path) -> None:
    """A journal at rest is one file that can be copied: no log, no lock beside it."""
    with Journal(path, IDENTITY) as journal:
        journal.sent([a_request(1)], 1.0)
    assert [each.name for each in path.parent.iterdir()] == [path.name]


# --- one run at a time, and kills ---

# argv: journal, app id, base URL, what to do. Every line it prints is acknowledged work.
_CHILD = """
import itertools, pathlib, sys, time
from provisioner.journal.journal import Identity, Journal
from provisioner.model import Outcome, Settlement, State, UserRequest

path, app, url, what = sys.argv[1:]
with Journal(pathlib.Path(path), Identity(app, url)) as journal:
    print("open", flush=True)
    if what == "hold":
        time.sleep(60)
    for n in itertools.count():
        requests = [UserRequest(k := journal.new_key(), k, f"u{k}", b"{}", "00", True) for _ in range(40)]
        journal.sent(requests, 100.0 + n)
        print("sent", n, flush=True)
        journal.settle(
            Settlement(r.key, State.SETTLED, Outcome.CREATED, 1, 200, None, None, f"u{r.key}_token", 7, 8.5)
            for r in requests
        )
        print("settled", n, flush=True)
"""


def a_child(path: Path, what: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", _CHILD, str(path), IDENTITY.app_id, IDENTITY.base_url, what]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "open\n"
    return child


def killed(child: subprocess.Popen[str], *, after_lines: int = 0) -> list[str]:
    """Kill a child after it acknowledged that many lines; every line it ever printed."""
    assert child.stdout is not None
    lines = [child.stdout.readline().strip() for _ in range(after_lines)]
    child.kill()
    lines += child.stdout.read().splitlines()
    child.stdout.close()
    assert child.wait() == -signal.SIGKILL
    return lines


def test_a_second_run_is_told_who_holds_the_journal_and_a_kill_lets_go_of_it(path: Path) -> None:
    """The message names process and host; the lock is the kernel's and ends with its holder, even by SIGKILL."""
    child = a_child(path, "hold")
    with pytest.raises(JournalError) as error:
        Journal(path, IDENTITY).__enter__()
    with pytest.raises(JournalError) as set_aside_error:
        set_journal_aside(path)
    killed(child)
    holder = f"process {child.pid} on {socket.gethostname()}"
    said = f"{path}: in use by {holder}; wait until that run has ended, or choose another --output for another roster"
    assert (str(error.value), str(set_aside_error.value)) == (said, said)
    with Journal(path, IDENTITY) as journal:
        assert journal.is_new


@pytest.mark.sampled
@pytest.mark.parametrize("after_lines", [1, 2, 7, 20, 41])
def test_what_it_acknowledged_survives_a_kill(path: Path, after_lines: int) -> None:
    """Promise 2: with kill -9 at any instant, every acknowledged commit is there and no commit is there by half."""
    lines = killed(a_child(path, "work"), after_lines=after_lines)
    told = {what: 40 * sum(line.startswith(what) for line in lines) for what in ("sent", "settled")}
    uids = [f"u{key}" for key in range(1, told["sent"] + 41)]
    with Journal(path, IDENTITY) as journal:
        known = journal.known(uids)
        found = {
            "sent": len(known),
            "settled": sum(each.auth_token == f"{uid}_token" for uid, each in known.items()),
        }
        # The kill may have come between a commit and its acknowledgement: one whole block more, or none.
        assert all(found[what] - told[what] in {0, 40} for what in told)
        assert {each.doubt_since for each in known.values() if each.state == "sent"} <= {
            100.0 + block for block in (found["settled"] // 40, found["sent"] // 40 - 1)
        }
        assert journal.new_key() == found["sent"] + 1


@given(cut=st.integers(0, 100_000))
@settings(max_examples=examples(30), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_log_cut_off_anywhere_leaves_whole_commits_only(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    """Power loss: however much of the write-ahead log reached the disk, what is there is the first so many commits."""
    path = tmp_path_factory.mktemp("cut") / "j.db"
    histories: list[dict[str, str]] = [{}]
    with Journal(path, IDENTITY) as journal:
        for block in range(5):
            keys = [journal.new_key() for _ in range(30)]
            journal.sent([a_request(key) for key in keys], float(block))
            histories.append(histories[-1] | {f"u{key}": "pending" for key in keys})
            journal.settle(a_settlement(key) for key in keys)
            histories.append(histories[-1] | {f"u{key}": "created" for key in keys})
        copy = crashed_copy(path, tmp_path_factory.mktemp("copy"), cut)
    with Journal(copy, IDENTITY) as journal:
        found = {uid: known.outcome for uid, known in journal.known(list(histories[-1])).items()}
    assert found in histories


# --- set aside ---


def test_setting_aside_renames_and_deletes_nothing(path: Path) -> None:
    """`--restart` keeps the journal of the run before, tokens and all, under a name with the time."""
    with Journal(path, IDENTITY) as journal:
        journal.sent([a_request(1)], 1.0)
        journal.settle([a_settlement(1)])
    aside = set_journal_aside(path)
    assert aside is not None
    assert [each.name for each in path.parent.iterdir()] == [aside.name]
    assert aside.match("results.journal.*T*.db")
    with Journal(aside, IDENTITY) as journal:
        assert rows_of(journal.outcomes(["u1"])) == [the_row(a_settlement(1), "u1")]


def test_setting_aside_takes_the_log_of_a_killed_run_along(path: Path) -> None:
    """What a killed run committed is in the write-ahead log alone; it is readable under the new name."""
    lines = killed(a_child(path, "work"), after_lines=2)
    assert path.with_name(path.name + "-wal").stat().st_size > 0
    aside = set_journal_aside(path)
    assert aside is not None
    assert not [each for each in path.parent.iterdir() if each.name.startswith(path.name)]
    settled = [line for line in lines if line.startswith("settled")]
    with Journal(aside, IDENTITY) as journal:
        assert len(journal.known([f"u{key}" for key in range(1, 40 * len(settled) + 1)])) == 40 * len(settled)


def test_setting_aside_nothing_is_nothing(path: Path) -> None:
    """The first run may be a `--restart`."""
    assert set_journal_aside(path) is None
    assert list(path.parent.iterdir()) == []


def test_what_was_set_aside_is_never_overwritten(path: Path) -> None:
    """Five `--restart` within one second leave five journals: each may hold the only copy of its tokens."""
    for n in range(5):
        path.write_text(str(n))
        set_journal_aside(path)
    assert sorted(each.read_text() for each in path.parent.iterdir()) == list("01234")


# --- against a model ---

UIDS = [f"u{n}" for n in range(6)]
TIMES = st.integers(1, 10**6).map(float)
SETTLEMENTS = st.builds(
    Settlement,
    key=st.just(0),
    mark=st.none() | st.integers(0, 2**40),
    carried=st.none(),
    state=st.sampled_from([State.PENDING, State.SETTLED]),
    outcome=st.sampled_from([Outcome.CREATED, Outcome.EXISTING, Outcome.FAILED, Outcome.PENDING]),
    attempts=st.integers(0, 9),
    http_status=st.none() | st.integers(100, 599),
    error_code=st.none() | st.just("ERR_X"),
    error_message=st.none() | st.text(st.characters(exclude_categories=["Cs"])),
    auth_token=st.none() | st.just("u_token"),
    created_at=st.none() | st.integers(0, 2**40),
    settled_at=st.none() | TIMES,
    doubt_since=st.none() | TIMES,
    parted=st.none() | st.booleans(),
    besides=st.none() | st.sampled_from(["", "+1"]),
    filled=st.none() | st.integers(0, 127),
)


class JournalAgainstModel(RuleBasedStateMachine):
    """The journal against a dict of uid → what should be known, through closings, crashes and power cuts."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.path = self.folder / "j.db"
        self.rows: dict[str, dict[str, Any]] = {}
        self.journal = Journal(self.path, IDENTITY).__enter__()

    def teardown(self) -> None:
        if hasattr(self, "journal"):
            self.journal.__exit__(None, None, None)
            shutil.rmtree(self.folder)

    @rule(
        uids=st.sets(st.sampled_from(UIDS), min_size=1),
        row=st.integers(1, 99),
        body=st.text("01", max_size=1),
        now=TIMES,
        filled=st.none() | st.integers(0, 127),
    )
    def send(self, uids: set[str], row: int, body: str, now: float, filled: int | None) -> None:
        requests = []
        for uid in sorted(uids):
            known = self.rows.setdefault(uid, {"outcome": "pending", "attempts": 0, "doubt_since": None})
            if "key" not in known:
                known["key"] = self.journal.new_key()
            if known.get("ours") or known.get("state") == "sent" or known["doubt_since"] is not None:
                known["filled"] = None if None in (known["filled"], filled) else known["filled"] | filled
            else:
                known["filled"] = filled
            if known.get("state") == "sent":
                known["doubt_since"] = self._doubt(known)
            if known.get("made_hash") not in {None, body}:
                known["made_hash"] = ""
            if known.get("ours") and known["body_hash"] != body:
                known["owed"] = 1
            known |= {"row": row, "body_hash": body, "sent_at": now, "state": "sent", "outcome": "pending"}
            known |= dict.fromkeys(("http_status", "error_code", "error_message", "settled_at"))
            requests.append(a_request(known["key"], uid, row, body)._replace(filled=filled))
        self.journal.sent(requests, now)

    @staticmethod
    def _doubt(known: dict[str, Any]) -> float:
        """The earliest attempt counts, whatever the server's clock showed in which order."""
        since, sent_at = known["doubt_since"], known["sent_at"]
        return float(sent_at if since is None else min(since, sent_at))

    @precondition(lambda self: self.rows)
    @rule(data=st.data(), settlement=SETTLEMENTS)
    def settle(self, data: st.DataObject, settlement: Settlement) -> None:
        uids = data.draw(st.sets(st.sampled_from(sorted(self.rows)), min_size=1))
        self.journal.settle([settlement._replace(key=self.rows[uid]["key"]) for uid in sorted(uids)])
        for uid in uids:
            # The mark of an update, what it left and what it filled stay whatever is settled later.
            mark = self.rows[uid].get("mark") if settlement.mark is None else settlement.mark
            besides = self.rows[uid].get("besides") if settlement.besides is None else settlement.besides
            filled = self.rows[uid]["filled"] if settlement.filled is None else settlement.filled
            kept = {"key": self.rows[uid]["key"], "mark": mark, "besides": besides, "filled": filled}
            self.rows[uid] |= settlement._asdict() | kept
            if settlement.parted is not None:
                self.rows[uid]["made_hash"] = self.rows[uid]["body_hash"] if settlement.parted else None
            if settlement.outcome is Outcome.CREATED:
                self.rows[uid]["owed"] = 0
            self.rows[uid]["ours"] = int(self.rows[uid].get("ours", 0) or settlement.outcome is Outcome.CREATED)

    @precondition(lambda self: self.rows)
    @rule(data=st.data(), row=st.integers(1, 99))
    def move(self, data: st.DataObject, row: int) -> None:
        known = self.rows[data.draw(st.sampled_from(sorted(self.rows)))]
        self.journal.move([(known["key"], row)])
        known["row"] = row

    @rule()
    def close_and_open_again(self) -> None:
        self.journal.__exit__(None, None, None)
        self.journal = Journal(self.path, IDENTITY).__enter__()

    @rule()
    def crash(self) -> None:
        """Go on with what a kill would have left, not with what is open."""
        folder = Path(tempfile.mkdtemp())
        copy = crashed_copy(self.path, folder)
        self.teardown()
        self.folder, self.path = folder, copy
        self.journal = Journal(copy, IDENTITY).__enter__()

    @invariant()
    def the_results_are_those_of_the_model(self) -> None:
        expected = [
            tuple(
                {"uid": uid, **known, "settled_at": milliseconds(known.get("settled_at"))}.get(column)
                for column in OUTCOME_COLUMNS
            )
            for uid, known in self.rows.items()
            if known["state"] != "sent"
        ]
        settled = [uid for uid, known in self.rows.items() if known["state"] != "sent"]
        assert sorted(rows_of(self.journal.outcomes(settled))) == sorted(expected)

    @invariant()
    def a_run_that_came_now_would_know_what_the_model_knows(self) -> None:
        expected = {}
        for uid, known in self.rows.items():
            doubt = self._doubt(known) if known["state"] == "sent" else known["doubt_since"]
            expected[uid] = Known(
                known["key"], known["row"], known["body_hash"], known["state"], known["outcome"],
                known["attempts"], known.get("auth_token"), known.get("created_at"), doubt, "",
                known.get("ours", 0), known.get("mark"), made_hash=known.get("made_hash"),
                besides=known.get("besides"), owed=known.get("owed", 0),
                filled=known["filled"],
            )  # fmt: skip
        with tempfile.TemporaryDirectory() as folder:
            copy = crashed_copy(self.path, Path(folder))
            with Journal(copy, IDENTITY) as journal:
                # The hash in doubt is held by a test of its own.
                known = {uid: each._replace(doubt_hash="") for uid, each in journal.known(UIDS).items()}
                assert known == expected


# Each step opens the journal three times over: dear, and a few lives go through every rule.
_EXAMPLES = 100 if os.environ.get("HYPOTHESIS_PROFILE") == "thorough" else 5
JournalAgainstModel.TestCase.settings = settings(
    max_examples=_EXAMPLES,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestJournalAgainstModel = JournalAgainstModel.TestCase


# --- only looked at ---


def test_a_reader_looks_up_while_somebody_else_writes_and_leaves_no_trace(tmp_path: Path) -> None:
    """It takes no lock, sees what is committed, and changes nothing in the folder."""
    path = tmp_path / "j.db"
    with Journal(path, IDENTITY) as journal:
        journal.sent([a_request(1)], 1.0)
        journal.settle([a_settlement(1)])
        with JournalReader(path, IDENTITY) as reader, JournalReader(path, None) as anybodys:
            done = [("u1", "00", 1, 1, "created", 1, 0, 0, None)]
            assert rows_of(reader.settled(["u1", "u2"])) == rows_of(anybodys.settled(["u1", "u2"])) == done
            assert list(reader.known(["u1", "u2"])) == ["u1"]
    before = {each.name: each.read_bytes() for each in tmp_path.iterdir()}
    with JournalReader(path, IDENTITY) as reader:
        assert rows_of(reader.settled(["u1"])) == [("u1", "00", 1, 1, "created", 1, 0, 0, None)]
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == before


def test_a_reader_refuses_what_a_run_would_refuse(tmp_path: Path) -> None:
    """A journal of another app, and what is none; nothing is changed by asking."""
    path = tmp_path / "j.db"
    with Journal(path, IDENTITY) as journal:
        journal.sent([a_request(1)], 1.0)
    with pytest.raises(JournalError, match="made for app app1"), JournalReader(path, Identity("app2", "http://x")):
        pass
    path.write_text("uid,name")
    with pytest.raises(JournalError, match="cannot be used as a journal"), JournalReader(path, IDENTITY):
        pass
    assert path.read_text() == "uid,name"


def test_a_reader_reads_an_older_format_without_bringing_it_up_to_date(tmp_path: Path) -> None:
    """Also a file that a run was killed in before it had made its tables."""
    path = tmp_path / "j.db"
    with Journal(path, IDENTITY) as journal:
        journal.sent([a_request(1)], 1.0)
        journal.settle([a_settlement(1)])
    with closing(sqlite3.connect(path)) as database:
        for column in (
            "operation",
            "certain",
            "standing",
            "live_hash",
            "digests",
            "absent",
            "epoch",
            "ours",
            "profile",
            "night_outcome",
            "mark",
            "withdrawn",
            "sessions",
            "made_hash",
            "besides",
            "owed",
            "filled",
        ):
            database.execute(f"ALTER TABLE users DROP COLUMN {column}")
        for table in ("nights", "runs", "pace", "events", "mints", "former", "overwrites", "reversals", "undos"):
            database.execute(f"DROP TABLE {table}")
        database.executescript("PRAGMA user_version = 1; PRAGMA journal_mode = DELETE")
    before = path.read_bytes()
    with JournalReader(path, IDENTITY) as reader:
        assert rows_of(reader.settled(["u1"])) == [("u1", "00", 1, 1, "created", 1, 0, 0, None)]
    assert path.read_bytes() == before
    path.write_bytes(b"")
    with JournalReader(path, IDENTITY) as reader:
        assert rows_of(reader.settled(["u1"])) == []
    assert path.read_bytes() == b""


@pytest.mark.parametrize("found", ["nothing", "an empty database"])
def test_a_file_that_was_there_and_holds_nothing_is_left_as_it_was(path: Path, found: str) -> None:
    """It may be a copy whose log was left behind: work that is refused neither removes it nor claims it for an app."""
    path.touch()
    if found == "an empty database":
        with closing(sqlite3.connect(path)) as database:
            database.execute("PRAGMA journal_mode = WAL")
    before = path.read_bytes()
    with pytest.raises(JournalError, match="refused"), Journal(path, IDENTITY):
        raise JournalError("refused")
    assert (path.read_bytes(), [each.name for each in path.parent.iterdir()]) == (before, [path.name])
    path.unlink()
    with pytest.raises(JournalError, match="refused"), Journal(path, IDENTITY):
        raise JournalError("refused")
    assert not path.exists()

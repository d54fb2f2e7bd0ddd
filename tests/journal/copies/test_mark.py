"""What a copy does not know is in doubt since it was made."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from provisioner.errors import JournalError
from provisioner.journal.copies.mark import HEARD, copied_at, mark_as_copy, refuse_empty_copy
from provisioner.journal.journal import Journal, JournalReader
from provisioner.journal.schema import Meta
from provisioner.model import Outcome, Settlement, State, UserRequest
from tests.rig.journals import HERE, a_journal


def users(path: Path) -> list[tuple[Any, ...]]:
    """What a copy knows of everybody: uid, state, since when in doubt, and whether it knows the body."""
    with closing(sqlite3.connect(path)) as database:
        return database.execute("SELECT uid, state, doubt_since, doubt_hash FROM users ORDER BY id").fetchall()


def test_whoever_is_not_settled_is_in_doubt_since_the_newest_time_that_is_known(tmp_path: Path) -> None:
    """One on the wire since it was sent, one in doubt before since then; which body is on the server nobody knows."""
    path = a_journal(tmp_path / "a.db")
    refused = Settlement(4, State.SETTLED, Outcome.FAILED, 1, 400, settled_at=140.0)
    left = Settlement(5, State.PENDING, Outcome.PENDING, 0)
    with Journal(path, HERE) as journal:
        journal.sent([UserRequest(n, n, f"u{n}", b"{}", "00", token=False) for n in (4, 5)], 140.5)
        journal.settle([refused, left])
        journal.mark_as_copy()
        assert journal.copied_at == 140.5
    assert users(path) == [
        ("u1", "settled", None, None),
        ("u2", "settled", 100.0, ""),
        ("u3", "sent", 100.0, ""),
        ("u4", "settled", 140.5, ""),
        ("u5", "pending", 140.5, ""),
    ]


def test_whom_the_copy_does_not_know_is_in_doubt_when_it_is_sent(tmp_path: Path) -> None:
    """Since the copy, not since it was sent: the lost run may have sent it. And nothing is known of before."""
    path = a_journal(tmp_path / "a.db")
    with Journal(path, HERE) as journal:
        journal.mark_as_copy()
        key = journal.new_key()
        journal.sent([UserRequest(key, 9, "u9", b"{}", "01", token=False)], 500.0)
        known = journal.known(["u9"])["u9"]
        assert (known.state, known.doubt_since, known.doubt_hash, known.noted) == ("sent", 100.0, "", 0xFF)
    assert users(path)[-1] == ("u9", "sent", 100.0, "")


def test_a_copy_of_a_copy_is_as_old_as_the_first(tmp_path: Path) -> None:
    """Until a run has come to its end with it, nobody knows what happened since the first."""
    path = a_journal(tmp_path / "a.db")
    with Journal(path, HERE) as journal:
        journal.mark_as_copy()
        journal.sent([UserRequest(journal.new_key(), 9, "u9", b"{}", "01", token=False)], 500.0)
        journal.mark_as_copy()
        assert journal.copied_at == 100.0
        journal.forget_copy()
        journal.mark_as_copy()
        assert journal.copied_at == 500.0
    with JournalReader(path, HERE) as reader:
        assert reader.copied_at == 500.0


def test_the_moment_is_kept_to_the_last_digit(tmp_path: Path) -> None:
    """A moment that was rounded up would make a user of ours a stranger."""
    with Journal(tmp_path / "a.db", HERE) as journal:
        journal.sent([UserRequest(1, 1, "u1", b"{}", "01", token=False)], 1764334456.9999998)
        journal.mark_as_copy()
    with closing(sqlite3.connect(tmp_path / "a.db")) as database:
        assert copied_at(database) == 1764334456.9999998


def test_the_time_of_an_adoption_is_not_the_servers(tmp_path: Path) -> None:
    """The clock of this machine may be ahead; what the server told meanwhile counts."""
    with Journal(tmp_path / "a.db", HERE) as journal:
        journal.sent([UserRequest(1, 1, "u1", b"{}", "01", token=False)], 9_000.0)
        with closing(sqlite3.connect(tmp_path / "a.db")) as database, database:
            database.execute("UPDATE users SET operation = 'adopt', standing = 'active', digests = x'00'")
            Meta(database).put(HEARD, "50.5")
        journal.mark_as_copy()
        assert journal.copied_at == 50.5
    with closing(sqlite3.connect(tmp_path / "a.db")) as database:
        kept = database.execute("SELECT doubt_since, digests, live_hash, sessions FROM users").fetchall()
    assert kept == [(None, None, None, "unknown")]


def test_a_journal_that_has_sent_nothing_cannot_tell(tmp_path: Path) -> None:
    """Everything may have been sent since, and nobody knows since when."""
    with Journal(tmp_path / "a.db", HERE) as journal, pytest.raises(JournalError) as error:
        journal.mark_as_copy()
    assert str(error.value).startswith(f"{tmp_path / 'a.db'}: nothing was ever sent by it")


def test_all_of_it_or_nothing(tmp_path: Path) -> None:
    """A statement that fails leaves the journal as it was."""
    path = a_journal(tmp_path / "a.db")
    before = users(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("DROP TABLE overwrites")
        with pytest.raises(sqlite3.OperationalError):
            mark_as_copy(database, path)
        assert copied_at(database) is None
    assert users(path) == before


def test_what_is_said_to_be_a_copy_and_holds_nothing_that_was_sent_lacks_its_log(tmp_path: Path) -> None:
    """The file is only read; one with users, and what is no database, are let through to whoever opens them."""
    path = tmp_path / "c.db"
    with Journal(path, HERE):
        pass
    unsent = path.read_bytes()
    with closing(sqlite3.connect(tmp_path / "empty.db")) as database:
        database.execute("PRAGMA journal_mode = WAL")
    for content in (b"", (tmp_path / "empty.db").read_bytes(), unsent):
        path.write_bytes(content)
        with pytest.raises(JournalError) as error:
            refuse_empty_copy(path)
        assert str(error.value) == (
            f"{path}: holds nothing that was sent: the copy was probably made without the file c.db-wal; "
            "put both back, then run again"
        )
        assert path.read_bytes() == content
    path.write_bytes(b"uid,name\nann,Ann\n" * 9)
    refuse_empty_copy(path)
    refuse_empty_copy(a_journal(tmp_path / "a.db"))

"""The lock beside a journal: one holder, named, and gone with its process."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from provisioner.errors import JournalError
from provisioner.journal.header import Identity
from provisioner.journal.journal import Journal
from provisioner.journal.lock import JournalLock, holder_of
from provisioner.model import UserRequest

IDENTITY = Identity("app1", "https://app1.api-eu.cometchat.io/v3")
US = f"process {os.getpid()} on {socket.gethostname()}"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "results.journal.db"


def a_request(key: int, uid: str = "", row: int = 0, body_hash: str = "00") -> UserRequest:
    return UserRequest(key, row or key, uid or f"u{key}", b"{}", body_hash, token=True)


def test_a_second_opening_in_the_same_process_is_refused_too(path: Path) -> None:
    """Two runs in one process (a library user, a test) are kept apart like two processes; the first is unharmed."""
    with Journal(path, IDENTITY) as journal:
        with pytest.raises(JournalError, match=rf"in use by process {os.getpid()} on "):
            Journal(path, IDENTITY).__enter__()
        journal.sent([a_request(1)], 1.0)
        assert len(journal.outcomes(["u1"])) == 1


def test_two_names_of_one_journal_are_one_lock(tmp_path: Path) -> None:
    """A journal reached through a symbolic link is the same journal."""
    (tmp_path / "link.db").symlink_to("j.db")
    with Journal(tmp_path / "j.db", IDENTITY), pytest.raises(JournalError):
        Journal(tmp_path / "link.db", IDENTITY).__enter__()


def test_who_holds_a_journal_can_be_asked_without_disturbing_anyone(path: Path) -> None:
    """While it is held, and before and after; asking makes no file."""
    assert holder_of(path) is None
    assert list(path.parent.iterdir()) == []
    with JournalLock(path):
        assert (holder_of(path), holder_of(path)) == (US, US)
        with pytest.raises(JournalError):
            JournalLock(path).__enter__()
    assert holder_of(path) is None
    assert list(path.parent.iterdir()) == []


def test_a_lock_file_that_nobody_holds_is_no_lock(path: Path) -> None:
    """What a killed run leaves beside its journal says who it was, and keeps nobody out."""
    path.with_name(path.name + ".lock").write_text("process 1 on elsewhere\n")
    assert holder_of(path) is None
    with JournalLock(path):
        assert holder_of(path) == US


def test_the_message_says_what_to_do_instead(path: Path) -> None:
    """A run and a sync name different options."""
    with JournalLock(path), pytest.raises(JournalError) as caught:
        JournalLock(path, "check --state").__enter__()
    assert str(caught.value) == f"{path}: in use by {US}; wait until that run has ended, or check --state"

"""A journal whose file is deleted or moved away while it is written loses nothing."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path

import pytest

from provisioner.errors import JournalError, StorageError
from provisioner.journal.journal import Journal, JournalReader
from provisioner.journal.lock import holder_of
from provisioner.journal.state.syncstate import SyncState
from provisioner.model import UserRequest
from tests.rig.journals import HERE

MEANWHILE = "was deleted or moved away while it was in use"


def a_request(key: int) -> UserRequest:
    return UserRequest(key, key, f"u{key}", b"{}", "00", token=False)


def users_in(path: Path) -> list[str]:
    with Journal(path, HERE) as journal:
        return sorted(journal.known(["u1", "u2", "u3"]))


def users_in_copy(path: Path) -> list[str]:
    with JournalReader(path, HERE) as journal:
        return sorted(journal.known(["u1", "u2", "u3"]))


def test_nothing_more_may_leave_once_the_journal_is_gone(tmp_path: Path) -> None:
    """What is not recorded is not sent; all that was recorded is in a file again, its owner's alone, once it closes."""
    path = tmp_path / "out" / "j.db"
    path.parent.mkdir()
    with Journal(path, HERE) as journal:
        journal.sent([a_request(1)], 1.0)
        shutil.rmtree(path.parent)
        with pytest.raises(StorageError) as error:
            journal.sent([a_request(2)], 2.0)
        said = f"{MEANWHILE}, and what it knows is put back there; see that nobody clears the folder, then resume"
        assert str(error.value) == f"{path}: {said}"
        assert users_in_copy(path) == ["u1"]  # before it is closed: whoever ends the process at once loses nothing
        journal.settle([])
        with pytest.raises(JournalError, match="in use by"):
            Journal(path, HERE).__enter__()
    assert [each.name for each in path.parent.iterdir()] == ["j.db"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert users_in(path) == ["u1"]


def test_a_journal_in_which_nothing_was_recorded_is_not_put_back(tmp_path: Path) -> None:
    """What was made for work that could not begin is gone, as it would be anyway."""
    path = tmp_path / "out" / "j.db"
    path.parent.mkdir()
    journal = Journal(path, HERE).__enter__()
    shutil.rmtree(path.parent)
    journal.__exit__(KeyError, KeyError(), None)
    assert list(tmp_path.iterdir()) == []


def test_a_journal_that_is_a_link_is_put_back_where_it_led(tmp_path: Path) -> None:
    """The link stays one."""
    path = tmp_path / "link.db"
    path.symlink_to("there/j.db")
    (tmp_path / "there").mkdir()
    with Journal(path, HERE) as journal:
        journal.sent([a_request(1)], 1.0)
        shutil.rmtree(tmp_path / "there")
    assert (path.is_symlink(), users_in(tmp_path / "there" / "j.db")) == (True, ["u1"])


def test_a_state_is_put_back_as_well(tmp_path: Path) -> None:
    """The state of a sync is a journal, and moving it away is no other case."""
    path = tmp_path / "state.db"
    with SyncState(path, HERE, make=True) as state:
        state.sent([a_request(1)], 1.0)
        path.rename(tmp_path / "moved.db")
    with SyncState(path, HERE) as state:
        assert sorted(state.known(["u1"])) == ["u1"]


def test_another_journal_that_took_the_place_stays_as_it_is(tmp_path: Path) -> None:
    """Another run may have begun there meanwhile: what is put back lies beside it, and its lock is let alone."""
    path = tmp_path / "j.db"
    journal = Journal(path, HERE).__enter__()
    journal.sent([a_request(1)], 1.0)
    for each in list(tmp_path.iterdir()):
        each.unlink()
    with Journal(path, HERE) as other:
        other.sent([a_request(2)], 2.0)
        with pytest.raises(StorageError) as error:
            journal.__exit__(None, None, None)
        assert holder_of(path) is not None
    (beside,) = tmp_path.glob("j.*T*.db")
    said = f"another file is there now; what it knew is in {beside}, marked as a copy"
    cure = "keep that other file under another name, put the copy in its place, then resume"
    assert str(error.value) == f"{path}: {MEANWHILE}, and {said}: {cure}"
    assert (users_in(path), users_in(beside)) == (["u2"], ["u1"])
    with Journal(beside, HERE) as copy:
        assert copy.copied_at == 1.0


def test_a_folder_that_cannot_be_made_again_is_told(nobody: Path) -> None:
    """Then who was created is known to the API alone."""
    path = nobody / "up" / "out" / "j.db"
    path.parent.mkdir(parents=True)
    journal = Journal(path, HERE).__enter__()
    journal.sent([a_request(1)], 1.0)
    shutil.rmtree(path.parent)
    path.parent.parent.chmod(0o500)
    with pytest.raises(StorageError) as error:
        journal.__exit__(None, None, None)
    said = "cannot be put back (Permission denied): who was created is known to the API alone"
    assert str(error.value) == f"{path}: {MEANWHILE}, and {said}; put a copy back, and say --restored"


def test_what_is_put_back_has_no_log_of_the_lost_one_beside_it(tmp_path: Path) -> None:
    """That is left where only the file itself was deleted, and is of no other."""
    path = tmp_path / "j.db"
    with Journal(path, HERE) as journal:
        journal.sent([a_request(1)], 1.0)
        path.unlink()
        with pytest.raises(StorageError, match=MEANWHILE):
            journal.sent([a_request(2)], 2.0)
        assert users_in_copy(path) == ["u1"]
        journal.settle([])
    assert users_in(path) == ["u1"]

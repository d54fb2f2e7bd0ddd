"""The lock beside a journal: one holder, named, and gone with its process."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from provisioner.errors import JournalError, StorageError
from provisioner.files.cures import ANOTHER_OUTPUT
from provisioner.journal.header import Identity, open_for_reading
from provisioner.journal.journal import Journal
from provisioner.journal.lock import JournalLock, holder_of, process_of, refuse_afar, set_journal_aside, unusable
from provisioner.model import UserRequest
from tests.rig.disk import no_file_larger_than

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
        assert journal.outcomes(["u1"])["uid"] == ["u1"]


def test_two_names_of_one_journal_are_one_lock(tmp_path: Path) -> None:
    """A journal reached through a symbolic link is the same journal."""
    (tmp_path / "link.db").symlink_to("j.db")
    with Journal(tmp_path / "j.db", IDENTITY), pytest.raises(JournalError):
        Journal(tmp_path / "link.db", IDENTITY).__enter__()


def test_a_lock_that_is_held_is_told_as_that_also_where_the_folder_was_copied_by_links(tmp_path: Path) -> None:
    """As `cp -al` does while a run is going on: what it holds is not to be moved away, in the copy or where it is."""
    here, copy = tmp_path / "j.db", tmp_path / "copy.db"
    with JournalLock(here):
        (tmp_path / "copy.db.lock").hardlink_to(tmp_path / "j.db.lock")
        for path in (here, copy):
            with pytest.raises(JournalError, match=rf"^{path}: in use by {US}; wait until that run has ended"):
                JournalLock(path).__enter__()
    with JournalLock(copy):
        pass
    assert list(tmp_path.iterdir()) == []


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


LIMITED = "files of this process may not grow any more: raise the limit of their size (ulimit -f unlimited), then"


def test_a_lock_that_a_full_disk_takes_no_name_for_is_let_go(path: Path) -> None:
    """Whoever goes on in the same process, once there is room, is not told that it holds the journal itself."""
    with no_file_larger_than(0), pytest.raises(StorageError) as error:
        JournalLock(path).__enter__()
    said = f"cannot be used as a journal (File too large); {LIMITED} run the same command again"
    assert str(error.value) == f"{path}: {said}"
    assert list(path.parent.iterdir()) == []
    with JournalLock(path):
        assert holder_of(path) == US


def test_a_full_disk_is_told_as_that_and_stops_the_command_as_it_would_in_the_middle(path: Path) -> None:
    """Exit 3: nothing is wrong with the name, and the same command goes on."""
    with pytest.raises(StorageError) as error, unusable(path, "check the name"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    said = "cannot be used as a journal (No space left on device); make room, then run the same command again"
    assert str(error.value) == f"{path}: {said}"


def test_a_limit_of_the_size_of_files_is_told_from_a_disk_that_is_dying(path: Path) -> None:
    """SQLite says the same of both; no room on the disk helps where a file may not grow."""
    with Journal(path, IDENTITY) as journal:
        journal.sent([a_request(1)], 1.0)
        written = path.with_name(path.name + "-wal").stat().st_size
        with no_file_larger_than(written), pytest.raises(StorageError) as error:
            journal.sent([a_request(2)], 1.0)
        assert str(error.value) == f"{path}: cannot be written any more (disk I/O error); {LIMITED} resume"
        journal.sent([a_request(3)], 1.0)


@pytest.mark.parametrize(
    ("instead", "cure"),
    [
        (ANOTHER_OUTPUT, "put back a copy that `provisioner backup` made, or another copy and say --restored"),
        ("check the name", "put back a copy that `provisioner backup` made, or check the name"),
    ],
)
def test_a_file_that_is_none_of_ours_any_more_is_put_back_and_not_made_room_for(
    path: Path, instead: str, cure: str
) -> None:
    """An overwritten journal."""
    path.write_bytes(b"garbage" * 50)
    with pytest.raises(JournalError) as error, unusable(path, instead), closing(open_for_reading(path)) as database:
        database.execute("PRAGMA user_version")
    assert str(error.value) == f"{path}: cannot be used as a journal (file is not a database); {cure}"


def test_a_lock_file_that_nobody_holds_is_no_lock(path: Path) -> None:
    """What a killed run leaves beside its journal says who it was, and keeps nobody out."""
    path.with_name(path.name + ".lock").write_text("process 1 on elsewhere\n")
    assert holder_of(path) is None
    with JournalLock(path):
        assert holder_of(path) == US


@pytest.mark.parametrize(
    ("holder", "process"),
    [(US, os.getpid()), ("process 7 on elsewhere", None), ("another process", None), (f"{US}\nprocess 8", None)],
    ids=["ours", "of another machine", "unnumbered", "two lines"],
)
def test_only_a_process_of_this_machine_has_an_id_here(holder: str, process: int | None) -> None:
    """The same number is another process on another machine."""
    assert process_of(holder) == process


def test_the_message_says_what_to_do_instead(path: Path) -> None:
    """A run and a sync name different options."""
    with JournalLock(path), pytest.raises(JournalError) as caught:
        JournalLock(path, "check --state").__enter__()
    assert str(caught.value) == f"{path}: in use by {US}; wait until that run has ended, or check --state"


MOUNTS = """\
22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw
30 22 0:40 / /mnt/nas rw - nfs4 nas:/export rw
31 30 8:2 / /mnt/nas/local\\040disk rw shared:1 - xfs /dev/sdb1 rw
32 22 0:41 / /mnt/share rw - cifs //server/share rw
33 22 0:42 / /mnt/bucket rw - fuse.s3fs s3fs rw
34 22 0:43 / /mnt/unknown rw - fuse thing rw
35 22 0:44 / /mnt/crypt rw - fuse.gocryptfs gocryptfs rw
36 22 0:45 / /mnt/stick rw - fuseblk /dev/sdc1 rw
37 22 0:46 / /mnt/over rw - nfs old:/ rw
38 22 0:47 / /mnt/over rw - ext4 /dev/sdd1 rw
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/srv", None), ("/mnt/nas", "nfs4"), ("/mnt/nas/deeper", "nfs4"), ("/mnt/nas/local disk", None),
        ("/mnt/nasty", None), ("/mnt/share", "cifs"), ("/mnt/bucket/a/b", "fuse.s3fs"), ("/mnt/unknown", "fuse"),
        ("/mnt/crypt", None), ("/mnt/stick", None), ("/mnt/over", None),
    ],
)  # fmt: skip
def test_a_journal_on_a_filesystem_of_another_machine_is_refused(tmp_path: Path, folder: str, kind: str | None) -> None:
    """In one sentence with the cure; the innermost and latest mount counts, and a local one by FUSE is fine."""
    (tmp_path / "mountinfo").write_text(MOUNTS)
    journal = Path(folder, "out.journal.db")
    if kind is None:
        refuse_afar(journal, tmp_path / "mountinfo")
        return
    with pytest.raises(JournalError) as error:
        refuse_afar(journal, tmp_path / "mountinfo")
    assert str(error.value) == (
        f"{journal}: its folder is on a network filesystem ({kind}), where a journal can be damaged; have it on a disk "
        "of this machine, and `provisioner backup` on the network (or say any_filesystem = true under [output])"
    )


def test_a_journal_is_where_its_link_leads(tmp_path: Path) -> None:
    """A link on a disk of this machine to a file on another one's is refused as well."""
    (tmp_path / "mountinfo").write_text(f"1 0 0:1 / / rw - ext4 a rw\n2 1 0:2 / {tmp_path}/far rw - nfs4 b rw\n")
    (tmp_path / "out.journal.db").symlink_to("far/real.db")
    with pytest.raises(JournalError, match=r"its folder is on a network filesystem \(nfs4\)"):
        refuse_afar(tmp_path / "out.journal.db", tmp_path / "mountinfo")


def test_where_nothing_tells_what_is_mounted_nothing_is_refused(tmp_path: Path) -> None:
    """Not every system has such a list; here a folder of tests is fine."""
    refuse_afar(tmp_path / "j.db", tmp_path / "nothing")
    refuse_afar(tmp_path / "j.db")


def test_a_lock_that_cannot_be_made_says_why(path: Path) -> None:
    """Not an error of the system's: who begins anew has to know what to mend, and whose lock is not taken is left."""
    folder = path.with_name(path.name + ".lock")
    folder.mkdir()
    path.touch()
    for take in (lambda: JournalLock(path).__enter__(), lambda: set_journal_aside(path)):
        with pytest.raises(JournalError, match=r"cannot be used as a journal \(Is a directory\); mend that, or choose"):
            take()
    assert (path.exists(), folder.is_dir()) == (True, True)


NEEDS = "where a run needs a file of its own"


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda lock, other: lock.symlink_to(other), f"is a link {NEEDS}; remove the link"),
        (lambda lock, _: lock.symlink_to("nothing"), f"is a link {NEEDS}; remove the link"),
        (lambda lock, other: lock.hardlink_to(other), f"is one file with another name (a hard link) {NEEDS}; "),
        (lambda lock, _: os.mkfifo(lock), f"is no file {NEEDS}; move it away"),
        (
            lambda lock, _: lock.write_text("process 1 on vm, says Ann\nfor certain\n"),
            f"holds something else {NEEDS}; ",
        ),
    ],
    ids=["link", "link to nowhere", "hard link", "pipe", "somebody's file"],
)
def test_what_is_not_ours_is_not_overwritten_by_a_lock(
    path: Path, make: Callable[[Path, Path], object], said: str
) -> None:
    """Neither what has the lock's name, nor what that leads to; nobody holds it, and without it the lock is had."""
    lock, other = path.with_name(path.name + ".lock"), path.with_name("other")
    other.write_text("precious")
    make(lock, other)
    names, found = sorted(path.parent.iterdir()), lock.lstat()
    assert holder_of(path) is None
    with pytest.raises(JournalError) as error:
        JournalLock(path).__enter__()
    assert str(error.value).startswith(f"{lock}: {said}")
    assert (other.read_text(), sorted(path.parent.iterdir())) == ("precious", names)
    assert (found.st_ino, found.st_size) == (lock.lstat().st_ino, lock.lstat().st_size)
    lock.unlink()
    with JournalLock(path):
        assert holder_of(path) == US


@pytest.mark.parametrize("left", ["", "process 12 on vm", "process 12 on vm\n", "\0" * 40, "process 12 on vm\0\0"])
def test_a_lock_that_was_killed_before_it_said_whose_it_is_is_taken_over(path: Path, left: str) -> None:
    """It holds nothing yet, or what reached the disk before the machine failed."""
    path.with_name(path.name + ".lock").write_text(left)
    with JournalLock(path):
        assert holder_of(path) == US


def test_a_lock_whose_file_cannot_be_removed_ends_all_the_same(path: Path) -> None:
    """What went wrong meanwhile is what is told, not the folder that takes nothing any more."""
    lock, taken = path.with_name(path.name + ".lock"), JournalLock(path)
    taken.__enter__()
    lock.unlink()
    lock.mkdir()
    taken.__exit__(StorageError, StorageError("no more"), None)
    lock.rmdir()
    with JournalLock(path):
        assert holder_of(path) == US

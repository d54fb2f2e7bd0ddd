"""Files that are there whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from provisioner.errors import OutputError, StorageError
from provisioner.files import writing
from provisioner.files.writing import PRIVATE, SHARED, name_once, path_of, remove, unnamed_file, written_whole


@pytest.mark.parametrize(("mode", "umask", "seen"), [(PRIVATE, 0, 0o600), (SHARED, 0, 0o666), (SHARED, 0o027, 0o640)])
def test_a_file_is_there_whole_or_not_at_all(here: Path, mode: int, umask: int, seen: int) -> None:
    """Until the block ends the old file stands, then the new one, with the mode asked for and nothing beside it."""
    (here / "r.csv").write_text("old")
    old = os.umask(umask)
    try:
        with written_whole(Path("r.csv"), mode) as temporary:
            assert stat.S_IMODE(temporary.stat().st_mode) == seen
            temporary.write_text("new")
            assert (here / "r.csv").read_text() == "old"
    finally:
        os.umask(old)
    assert [(each.name, each.read_text()) for each in here.iterdir()] == [("r.csv", "new")]
    assert stat.S_IMODE((here / "r.csv").stat().st_mode) == seen


@pytest.mark.parametrize("error", [ValueError("a bug"), KeyboardInterrupt()])
def test_whatever_happens_in_between_leaves_the_old_file(here: Path, error: BaseException) -> None:
    """Also a second Ctrl-C; what is no disk error stays what it was."""
    (here / "r.csv").write_text("old")
    with pytest.raises(type(error)), written_whole(Path("r.csv"), PRIVATE):
        raise error
    assert [(each.name, each.read_text()) for each in here.iterdir()] == [("r.csv", "old")]


def test_a_folder_that_vanished_is_a_storage_error(here: Path) -> None:
    """A disk that was fine at the start: exit 3, resumable."""
    with pytest.raises(StorageError) as error, written_whole(Path("gone/r.csv"), PRIVATE):
        raise AssertionError("no temporary file was made")
    said = "cannot be written (No such file or directory); make room or mend that, then run the same command again"
    assert str(error.value) == f"gone/r.csv: {said}"


def test_a_symbolic_link_is_replaced_and_what_it_led_to_is_not_touched(here: Path) -> None:
    """Renaming over a link replaces the link."""
    (here / "precious").write_text("precious")
    (here / "r.csv").symlink_to("precious")
    with written_whole(Path("r.csv"), PRIVATE) as temporary:
        temporary.write_text("new")
    assert ((here / "precious").read_text(), (here / "r.csv").read_text()) == ("precious", "new")
    assert not (here / "r.csv").is_symlink()


def syncing(monkeypatch: pytest.MonkeyPatch, folder: Path, note: Callable[[str], None]) -> None:
    """Call `note` with "folder" or "file" before either is synced; what it raises is what syncing raises."""
    fsync = os.fsync

    def noted(descriptor: int) -> None:
        note("folder" if os.path.samestat(os.fstat(descriptor), folder.stat()) else "file")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)


def test_the_file_is_on_disk_before_it_has_its_name_and_the_name_after(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power cut leaves the old file or the new one, and once we have said it is written, the new one."""
    synced = []
    (here / "r.csv").write_text("old")
    syncing(monkeypatch, here, lambda what: synced.append((what, (here / "r.csv").read_text())))
    with written_whole(Path("r.csv"), PRIVATE) as temporary:
        temporary.write_text("new")
    assert synced == [("file", "old"), ("folder", "new")]


def test_a_folder_that_cannot_be_synced_fails_no_write(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some network filesystems refuse it; the file is whole all the same, and nothing is left open."""

    def refuse_folders(what: str) -> None:
        if what == "folder":
            raise OSError(errno.EINVAL, "Invalid argument")

    syncing(monkeypatch, here, refuse_folders)
    before = len(list(Path("/proc/self/fd").iterdir()))
    with written_whole(Path("r.csv"), PRIVATE) as temporary:
        temporary.write_text("new")
    assert [(each.name, each.read_text()) for each in here.iterdir()] == [("r.csv", "new")]
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_file_that_cannot_be_synced_does_not_replace_the_old_one(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that fails at the last moment: what was there before is still there."""

    def fail(what: str) -> None:
        raise OSError(errno.EIO, "Input/output error")

    (here / "r.csv").write_text("old")
    syncing(monkeypatch, here, fail)
    message = r"r\.csv: cannot be written \(Input/output error\)"
    with pytest.raises(StorageError, match=message), written_whole(Path("r.csv"), PRIVATE) as temporary:
        temporary.write_text("new")
    assert [(each.name, each.read_text()) for each in here.iterdir()] == [("r.csv", "old")]


@pytest.mark.parametrize("buffered", [True, False])
def test_a_file_without_a_name_holds_what_was_written_and_is_seen_by_nobody(here: Path, buffered: bool) -> None:
    """Nothing stands in the folder, so that nothing is left behind by a kill."""
    with unnamed_file(here, buffered=buffered) as file:
        file.write(b"people")
        file.seek(0)
        assert (file.read(), list(here.iterdir())) == (b"people", [])


def test_a_file_without_a_name_can_be_read_by_what_takes_paths_only(here: Path) -> None:
    """From its start, whatever has been read or written of it."""
    with unnamed_file(here, buffered=False) as file:
        file.write(b"what was written")
        assert path_of(file).read_bytes() == b"what was written"


def test_a_folder_that_takes_no_file_is_told_with_what_it_was_for(here: Path) -> None:
    """Before anything is sent: exit 2, and another --output helps."""
    with pytest.raises(OutputError) as error:
        unnamed_file(here / "gone", " to keep users.csv in")
    said = "no file can be made there to keep users.csv in (No such file or directory); choose another --output"
    assert str(error.value) == f"{here}/gone: {said}"


def _no_links(*_: object) -> None:
    raise OSError(errno.EPERM, os.strerror(errno.EPERM))


@pytest.mark.parametrize("links", [True, False])
def test_a_name_that_is_taken_stays_what_it_is(here: Path, monkeypatch: pytest.MonkeyPatch, links: bool) -> None:
    """Also on a filesystem without links, and for a link that leads nowhere."""
    if not links:
        monkeypatch.setattr(os, "link", _no_links)
    (here / "new.part").write_text("new")
    name_once(here / "new.part", here / "new")
    assert not (here / "new.part").exists()
    (here / "taken").write_text("old")
    (here / "nowhere").symlink_to(here / "absent")
    (here / "other.part").write_text("other")
    for name in ("taken", "nowhere"):
        with pytest.raises(FileExistsError):
            name_once(here / "other.part", here / name)
    assert [(here / name).read_text() for name in ("new", "taken", "other.part")] == ["new", "old", "other"]
    assert not (here / "absent").exists()


def test_two_that_write_one_file_at_once_both_end_well(tmp_path: Path) -> None:
    """Each has a temporary neighbour of its own, and the last one wins; nothing else is left."""
    path = tmp_path / "r.csv"
    with written_whole(path, PRIVATE) as one:
        one.write_text("one")
        with written_whole(path, PRIVATE) as other:
            other.write_text("other")
        assert (path.read_text(), one.read_text()) == ("other", "one")
    assert (path.read_text(), list(tmp_path.iterdir())) == ("one", [path])


def test_what_killed_writers_have_left_goes_with_the_next_one(tmp_path: Path) -> None:
    """Whatever its number and its mode."""
    path = tmp_path / "r.csv"
    for left in (".r.csv.part", ".r.csv.2.part"):
        (tmp_path / left).write_text("half")
        (tmp_path / left).chmod(0o644)
    with written_whole(path, PRIVATE) as temporary:
        assert (temporary.name, temporary.read_text()) == (".r.csv.part", "")
    assert ([each.name for each in tmp_path.iterdir()], stat.S_IMODE(path.stat().st_mode)) == (["r.csv"], PRIVATE)


def test_what_nobody_here_has_begun_is_let_alone(tmp_path: Path) -> None:
    """A link, a second name or a pipe under the name of a temporary neighbour: neither it nor what it leads to goes."""
    other, left = tmp_path / "other", [tmp_path / ".r.csv.part", tmp_path / ".r.csv.2.part", tmp_path / ".r.csv.3.part"]
    other.write_text("precious")
    left[0].symlink_to("other")
    left[1].hardlink_to(other)
    os.mkfifo(left[2])
    with written_whole(tmp_path / "r.csv", PRIVATE) as temporary:
        temporary.write_text("ours")
    assert (sorted(tmp_path.iterdir()), other.read_text()) == (sorted([*left, other, tmp_path / "r.csv"]), "precious")


def test_who_writes_next_has_the_temporary_name_to_itself(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the moment the file has its name: what ends then takes nothing away."""
    path, next_one = here / "r.csv", ExitStack()

    def begin_next(_: Path) -> None:
        monkeypatch.undo()
        next_one.enter_context(written_whole(path, PRIVATE)).write_text("next")

    monkeypatch.setattr(writing, "sync_folder", begin_next)
    with written_whole(path, PRIVATE) as one:
        one.write_text("one")
    assert path.read_text() == "one"
    next_one.close()
    assert (path.read_text(), list(here.iterdir())) == ("next", [path])


def test_what_another_user_writes_is_let_alone(nobody: Path) -> None:
    """Whether it is abandoned cannot be told."""
    theirs = nobody / ".r.csv.part"
    theirs.write_text("half")
    theirs.chmod(0)
    with written_whole(nobody / "r.csv", PRIVATE) as temporary:
        temporary.write_text("ours")
    assert sorted(nobody.iterdir()) == [theirs, nobody / "r.csv"]


def test_what_cannot_be_removed_is_told(here: Path) -> None:
    """A folder here; on a share it is a file that somebody looks at. What is not there is removed already."""
    (here / "list.csv").mkdir()
    with pytest.raises(StorageError) as caught:
        remove(Path("list.csv"))
    assert str(caught.value).startswith("list.csv: is out of date and cannot be removed (")
    assert str(caught.value).endswith("); make room or mend that, then run the same command again")
    remove(Path("gone.csv"))

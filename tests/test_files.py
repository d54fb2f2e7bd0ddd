"""Files that are there whole or not at all, and that are never lost to another of their name."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from provisioner.errors import OutputError, StorageError
from provisioner.files import (
    PRIVATE,
    SHARED,
    UnreadableError,
    cure_at,
    is_free,
    name_once,
    outer_lines,
    path_of,
    read_text,
    same_file,
    set_aside,
    unnamed_file,
    written_whole,
)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


# --- read ---


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_text_is_read_with_and_without_a_mark(here: Path, mark: str) -> None:
    """As UTF-8."""
    (here / "t").write_bytes(f"{mark}Łucja\n".encode())
    assert read_text(here / "t") == "Łucja\n"


def test_a_text_that_is_no_utf_8_is_told_with_its_place_and_its_cure(here: Path) -> None:
    """UTF-16 with or without a mark by its name; of others no name is guessed."""
    texts = {
        "é\n".encode("utf-16"): "is UTF-16, not UTF-8; save it as UTF-8",
        "é\n".encode("utf-16-le"): "is UTF-16, not UTF-8; save it as UTF-8",
        "a\né\n".encode("cp1252"): "is not UTF-8 (line 2, byte 3); save it as UTF-8",
    }
    for content, said in texts.items():
        (here / "t").write_bytes(content)
        with pytest.raises(UnreadableError) as error:
            read_text(here / "t")
        assert str(error.value) == said
    with pytest.raises(UnreadableError, match=r"^cannot be read \(embedded null byte\)$"):
        read_text(Path("a\0b"))


# --- written whole ---


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


# --- on disk ---


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


# --- set aside ---


def test_setting_aside_renames(here: Path) -> None:
    """The file is kept under a name with the time, beside where it was; nothing there is no error."""
    assert set_aside(Path("r.csv")) is None
    (here / "r.csv").write_text("tokens")
    aside = set_aside(Path("r.csv"))
    assert aside is not None
    assert aside.match("r.????????T??????.csv")
    assert [(each.name, each.read_text()) for each in here.iterdir()] == [(aside.name, "tokens")]


def test_what_was_set_aside_is_never_overwritten(here: Path) -> None:
    """Five runs within one second leave five files: each may hold the only copy of its tokens."""
    for n in range(5):
        (here / "r.csv").write_text(str(n))
        set_aside(Path("r.csv"))
    assert sorted(each.read_text() for each in here.iterdir()) == list("01234")


def test_what_belongs_to_a_file_goes_along_with_it(here: Path) -> None:
    """Its companions keep their endings behind its new name; a stranger beside it stays."""
    for name in ("r.db", "r.db-wal", "r.db-other"):
        (here / name).write_text(name)
    aside = set_aside(Path("r.db"), ("-wal", "-shm"))
    assert aside is not None
    assert {each.name: each.read_text() for each in here.iterdir()} == {
        aside.name: "r.db",
        f"{aside.name}-wal": "r.db-wal",
        "r.db-other": "r.db-other",
    }


# --- told apart ---


def test_one_file_is_known_by_all_its_names(here: Path) -> None:
    """Links of both kinds and roundabout paths, also where nothing is yet."""
    (here / "a").write_text("")
    (here / "link").symlink_to("a")
    (here / "b").write_text("")
    (here / "hard").hardlink_to("a")
    assert [same_file(Path("a"), Path(other)) for other in ("./a", here / "a", "link", "hard", "b", "none")] == [
        True, True, True, True, False, False,
    ]  # fmt: skip
    assert same_file(Path("none"), here / "x/../none")


# --- without a name ---


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


@pytest.mark.parametrize("cure", [{"PYTHONUTF8": "1"}, {"LC_ALL": "C.UTF-8"}])
def test_a_name_that_the_locale_cannot_read_is_none_that_is_to_be_changed(here: Path, cure: dict[str, str]) -> None:
    """The name is UTF-8, and what is told to be set lets the same command go on."""
    code = "import sys; from pathlib import Path; from provisioner.files import foreign_name as of; "
    command = [sys.executable, "-c", code + "print(ascii(of(Path(sys.argv[1]))))"]
    plain = {"PATH": os.environ["PATH"], "LC_ALL": "C", "PYTHONUTF8": "0"}

    def told(name: bytes, **variables: str) -> str:
        asked = [*map(os.fsencode, command), name]
        done = subprocess.run(asked, cwd=here, env=plain | variables, capture_output=True, check=True)
        return done.stdout.decode().strip()

    why = "the name is UTF-8, and the locale (ascii) is not; set PYTHONUTF8=1, or LC_ALL=C.UTF-8, and run"
    assert told("é.csv".encode()) == f"'\\xe9.csv: {why} the same command again'"
    assert told("é.csv".encode(), **cure) == "None"
    assert told(b"\xe9.csv").endswith("is not UTF-8; rename it'")


# --- what to do where a job cannot have its files ---


def test_another_output_is_advised_where_nothing_can_be_recorded_alone(nobody: Path) -> None:
    """No journal, an empty one and a folder in its place know of nobody; what cannot be looked at may know of all."""
    mend = "make room or mend that, then run the same command again"
    for name, content in {"empty": b"", "held": b"users", "log": b"", "log-wal": b"users"}.items():
        (nobody / name).write_bytes(content)
    (nobody / "folder").mkdir()
    (nobody / "linked").symlink_to(nobody / "not mounted" / "j.db")
    (nobody / "disk").symlink_to("not mounted")
    (nobody / "loop").symlink_to("loop")
    (nobody / "sealed").mkdir(0)
    told = {name: cure_at(nobody / name) for name in ("empty", "folder", "absent", "held/j", "x" * 300)}
    assert told == dict.fromkeys(told, "choose another --output")
    held = {name: cure_at(nobody / name) for name in ("held", "log", "linked", "disk/a/j", "loop/j", "sealed/j")}
    assert held == dict.fromkeys(held, mend)


# --- named once ---


def _no_links(*_: object) -> None:
    raise OSError(errno.EPERM, os.strerror(errno.EPERM))


@pytest.mark.parametrize("links", [True, False])
def test_a_name_that_is_taken_stays_what_it_is(here: Path, monkeypatch: pytest.MonkeyPatch, links: bool) -> None:
    """Also on a filesystem without links, and for a link that leads nowhere."""
    if not links:
        monkeypatch.setattr(os, "link", _no_links)
    (here / "new.part").write_text("new")
    name_once(here / "new.part", here / "new")
    (here / "taken").write_text("old")
    (here / "nowhere").symlink_to(here / "absent")
    (here / "other.part").write_text("other")
    for name in ("taken", "nowhere"):
        with pytest.raises(FileExistsError):
            name_once(here / "other.part", here / name)
    assert [(here / name).read_text() for name in ("new", "taken", "other.part")] == ["new", "old", "other"]
    assert not (here / "absent").exists()


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"", (b"", b"")),
        (b"a", (b"a", b"")),
        (b"a\n", (b"a", b"a")),
        (b"a\r\nb\r\nc", (b"a", b"b")),
        (b"a\nb\n" + b"c" * 100_000, (b"a", b"")),
    ],
)
def test_the_first_line_and_the_last_whole_one(here: Path, content: bytes, lines: tuple[bytes, bytes]) -> None:
    """However large the file is."""
    (here / "f").write_bytes(content)
    with (here / "f").open("rb") as file:
        assert outer_lines(file) == lines


def test_a_file_is_free_unless_something_else_is_in_it(here: Path) -> None:
    """Not there, empty, a pipe or a folder: nothing is spoilt; else whoever knows looks into it."""
    (here / "empty").touch()
    (here / "full").write_bytes(b"x")
    os.mkfifo(here / "fifo")
    for free in ("gone", "empty", "fifo", "."):
        assert is_free(here / free, lambda _: False)
    assert is_free(here / "full", lambda file: file.read() == b"x")
    assert not is_free(here / "full", lambda file: file.read() == b"y")


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

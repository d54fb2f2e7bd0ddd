"""What is in a file, and which file it is."""

from __future__ import annotations

import os
import tempfile
from itertools import product
from pathlib import Path

import pytest

from provisioner.errors import OutputError
from provisioner.files.looking import (
    UnreadableError,
    content_of,
    digest_of,
    is_free,
    is_kept_by_another,
    open_file,
    outer_lines,
    read_text,
    refuse_beside_another,
    same_file,
    why_not_ours,
)


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


def test_what_lies_where_we_keep_something_is_only_written_when_it_is_ours(here: Path) -> None:
    """A file with one name that holds what we would write; a folder, or nothing, is told by who opens it."""
    for name in ("ours", "one", "theirs"):
        (here / name).write_text("ours" if name == "ours" else "precious")
    (here / "other").hardlink_to("one")
    (here / "link").symlink_to("ours")
    os.mkfifo(here / "pipe")
    (here / "folder").mkdir()
    found = {each.name: why_not_ours(each, "a run", lambda content: content == b"ours") for each in Path().iterdir()}
    needs = "where a run needs a file of its own"
    assert {name: said for name, said in found.items() if said is not None} == {
        "one": f"one: is one file with another name (a hard link) {needs}; move it away",
        "other": f"other: is one file with another name (a hard link) {needs}; move it away",
        "theirs": f"theirs: holds something else {needs}; move it away",
        "link": f"link: is a link {needs}; remove the link",
        "pipe": f"pipe: is no file {needs}; move it away",
    }
    assert why_not_ours(Path("nothing"), "a run", bool) is None


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


def test_nothing_but_a_file_has_a_content(here: Path) -> None:
    """What would be read to no end, or waits for who writes, is an error at once, as what is not there."""
    (here / "file").write_bytes(b"x")
    os.mkfifo(here / "fifo")
    assert content_of(here / "file") == b"x"
    said = {here / "fifo": "Not a file", here: "Not a file", here / "no": "No such file or directory"}
    for path, why in {**said, Path("/dev/zero"): "Not a file"}.items():
        with pytest.raises(OSError, match=f"{why}: '{path}'"):
            content_of(path)


def test_nothing_but_a_file_is_opened(here: Path) -> None:
    """A command that only looks waited for ever for somebody who writes into a pipe."""
    (here / "file").write_bytes(b"x")
    os.mkfifo(here / "fifo")
    with open_file(here / "file") as file:
        assert file.read() == b"x"
    for path, why in {here / "fifo": "Not a file", Path("/dev/zero"): "Not a file", here: "Is a directory"}.items():
        with pytest.raises(OSError, match=f"{why}: '{path}'"):
            open_file(path)


@pytest.mark.parametrize("name", ["j.db-wal", "j.db-shm", "j.db-journal", "j.db.lock", ".r.csv.part", ".r.csv.written"])
def test_no_file_is_named_as_what_goes_with_another_one(here: Path, name: str) -> None:
    """A copy under the name of a journal's log was deleted by the next run."""
    (here / "link").symlink_to(here / name)
    for path in (here / name, here / "link"):
        with pytest.raises(OutputError) as refused:
            refuse_beside_another(path, "choose another TO")
        message = "is named as what is kept beside another file, and deleted with it; choose another TO"
        assert str(refused.value) == f"{path}: {message}"
    for other in ("j.db", "wal", ".part", "-wal", "run.log", "r.part", "lock"):
        refuse_beside_another(here / other, "choose another TO")


def test_nothing_but_a_file_has_a_digest(here: Path) -> None:
    """What is read to no end, or waits for who writes, is not opened."""
    os.mkfifo(here / "fifo")
    assert [digest_of(path) for path in (here / "fifo", Path("/dev/zero"), here, here / "nothing")] == [None] * 4


def test_a_file_is_kept_by_another_where_each_account_keeps_its_own() -> None:
    """The folder is sticky, and neither it nor the file is ours; root may, unless that was taken from it."""
    if os.geteuid() != 0:
        pytest.skip("only root can give files to other accounts")
    with tempfile.TemporaryDirectory() as folder:
        files = {name: Path(folder, name) for name in ("theirs", "ours", "gone", "link")}
        for name in ("theirs", "ours"):
            files[name].touch()
        files["link"].symlink_to("nowhere")
        for name, owner in {"theirs": 1, "ours": 65534, "link": 1}.items():
            os.chown(files[name], owner, -1, follow_symlinks=False)
        kept = {}
        for mode, user in product((0o777, 0o1777), (0, 65534)):
            Path(folder).chmod(mode)
            os.chown(folder, 2, -1)
            os.setresuid(user, user, 0)
            try:
                kept[mode, user] = [name for name, path in files.items() if is_kept_by_another(path)]
                assert kept[mode, user] == [name for name, path in files.items() if _cannot_be_renamed(path)]
            finally:
                os.setresuid(0, 0, 0)
        nothing: list[str] = []
        assert kept == {(0o777, 0): nothing, (0o777, 65534): nothing, (0o1777, 0): nothing,
                        (0o1777, 65534): ["theirs", "link"]}  # fmt: skip


def _cannot_be_renamed(path: Path) -> bool:
    """What the kernel says."""
    try:
        path.rename(path.with_name("elsewhere"))
        path.with_name("elsewhere").rename(path)
    except FileNotFoundError:
        return False
    except PermissionError:
        return True
    return False

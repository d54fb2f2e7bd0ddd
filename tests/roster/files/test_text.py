"""Text in any encoding comes as UTF-8 without a byte order mark."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest

from provisioner.errors import EmptyRosterError
from provisioner.roster.files.origin import LocalFile
from provisioner.roster.files.text import LineNumbers, is_misnamed, open_text, text_codec
from provisioner.roster.reader import open_roster


@pytest.mark.parametrize(
    ("encoding", "codec"), [(None, None), ("UTF8", None), ("utf-8-sig", None), ("L1", "iso8859-1")]
)
def test_utf8_under_any_name_needs_no_codec(encoding: str | None, codec: str | None) -> None:
    assert text_codec(encoding) == codec


@pytest.mark.parametrize(
    ("data", "codec"), [(b"\xef\xbb\xbf\xc3\xa9", "cp1252"), (b"\xe9", "cp1252"), (b"\xc3\xa9", None)]
)
def test_text_is_utf8_without_its_mark_and_the_mark_beats_the_codec(
    tmp_path: Path, data: bytes, codec: str | None
) -> None:
    path = tmp_path / "r.csv"
    path.write_bytes(data)
    with open_text(LocalFile(path), codec) as stream:
        assert stream.read(10).decode() == "é"


@pytest.mark.parametrize(
    ("data", "codec", "misnamed"),
    [
        ("Zoë".encode(), "cp1252", True),
        (b"a" * 2_000_000 + "ë".encode(), "cp1252", True),
        (b"a" * 1_048_575 + "ë".encode(), "gbk", True),  # a letter across two pieces
        ("Zoë".encode(), None, False),
        ("Zoë".encode("utf-8-sig"), "cp1252", False),
        ("Zoë Ü".encode("cp1252"), "cp1252", False),
        ("Zoë".encode() + b"\xc3", "cp1252", False),
        ("王小明".encode("utf-16"), "utf-16", False),
        ("王小明".encode("utf-16-le"), "utf-16-le", False),
        (b"Zoe", "cp1252", False),
    ],
)
def test_utf8_that_is_read_as_something_else_is_known(
    tmp_path: Path, data: bytes, codec: str | None, misnamed: bool
) -> None:
    """Only where letters beyond ASCII prove it, to the end of the file, and no mark says what it is."""
    path = tmp_path / "r.csv"
    path.write_bytes(data)
    assert is_misnamed(LocalFile(path), codec) is misnamed


@pytest.mark.parametrize("saved", ["utf-8-sig", "utf-16", "utf-32", "cp1252"])
def test_the_first_reading_gives_as_much_as_any(tmp_path: Path, saved: str) -> None:
    """Who looks at the beginning only reads once: it is more than what was looked at for a mark."""
    path = tmp_path / "r.csv"
    path.write_text("uid,näme\n" * 50, saved)
    with open_text(LocalFile(path), "cp1252" if saved == "cp1252" else None) as stream:
        assert len(stream.read(400).decode()) >= 97


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_several_marks_of_utf16_go_too(tmp_path: Path, codec: str) -> None:
    """A program that puts one before a text that has one does not make it empty."""
    path = tmp_path / "r.csv"
    path.write_bytes("\ufeff\ufeff\ufeffuid,name\n".encode(codec))
    with open_text(LocalFile(path), None) as stream:
        assert (stream.read(100), stream.read(100)) == (b"uid,name\n", b"")


def test_lines_of_rows_are_known_as_far_as_they_are_told() -> None:
    """From a row on they go on line by line, until the distance changes; what is told again changes nothing."""
    numbers = LineNumbers(most=3)
    assert numbers.of(1) is None
    for _ in range(2):
        numbers.add_steps(0, 1, [(0, 0), (2, 3)])
        numbers.add_steps(4, 7, [(0, None)])
        assert [numbers.of(row) for row in range(7)] == [None, 2, 3, 5, 6, None, None]
    numbers.add_steps(6, 20, [(0, 0)])
    assert [numbers.of(row) for row in (6, 7, 10**9)] == [None, None, None], "it is full"


@pytest.mark.parametrize("marks", [1, 2, 4])
@pytest.mark.parametrize("name", ["r.csv", "r.tsv", "r.ndjson", "r.json"])
def test_a_file_of_nothing_but_marks_is_empty(tmp_path: Path, marks: int, name: str) -> None:
    """As .NET and PowerShell write a text with nothing in it; nobody waits for what never comes."""
    path = tmp_path / name
    path.write_bytes(codecs.BOM_UTF8 * marks)
    with open_text(LocalFile(path), None) as stream:
        assert stream.read(10) == b""
    with pytest.raises(EmptyRosterError):
        open_roster(path)

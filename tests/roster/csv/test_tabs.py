"""Whether a tab-separated file has a quoted cell."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from provisioner.roster.csv.tabs import is_ever_quoted
from provisioner.roster.files.origin import LocalFile

HEADER = "uid\tname\tnote\n"


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ('a1\tAnn\t5" pipe\nb2\t"Cy" Fox\tx\n', False),
        ('a1\t"Ann\tx\nb2\tBob"\ty\n', False),
        ('a1\t"Ann Lee"\tx\n', True),
        ('"a1"\tAnn\tx', True),
        ('a1\tAnn\t"x"', True),
        ('a1\tAnn\t "x" \r\n', True),
        ('a1\t"Ann\nLee"\tx\n', True),
        ('a1\tAnn\t"x\ny"\n', True),
        ('a1\t"Ann\tLee"\tx\n', True),
        ('a1\t"\tx\n', False),
        ('a1\t""\tx\n', True),
    ],
)
def test_a_cell_is_quoted_that_begins_and_ends_with_a_quote(tmp_path: Path, text: str, quoted: bool) -> None:
    """One that holds tabs or line ends is when its lines were no rows otherwise."""
    path = tmp_path / "r.tsv"
    path.write_text(HEADER + text, newline="")
    assert is_ever_quoted(LocalFile(path)) is quoted
    path.write_text(HEADER + text, "utf-16-le", newline="")
    assert is_ever_quoted(LocalFile(path), "utf-16-le") is quoted


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ('a1\t"Ann \\"Bee\\" Lee"\tx\n', True),
        ('a1\t"Ann ""Bee"" \\"Lee\\""\tx', True),
        ('a1\t"Ann \\"Bee\\"\nLee"\tx\n', True),
        ('a1\t"Ann\\"\tx\n', False),
        ('a1\t"Ann\\\\"\tx\n', True),
    ],
)
@pytest.mark.parametrize("eol", ["\n", "\r"])
def test_a_quote_behind_the_escape_ends_no_cell(tmp_path: Path, text: str, quoted: bool, eol: str) -> None:
    """Nor does a line end before the quote that does."""
    path = tmp_path / "r.tsv"
    path.write_text((HEADER + text).replace("\n", eol), newline="")
    assert is_ever_quoted(LocalFile(path), escape="\\") is quoted


@pytest.mark.parametrize(("rows", "quoted"), [("a\t5\tAnn\n", True), ("", True), ("a\t5\n", False)])
def test_of_a_line_end_in_the_header_the_row_behind_it_tells(tmp_path: Path, rows: str, quoted: bool) -> None:
    """The two halves of a header may have as many tabs each."""
    path = tmp_path / "r.tsv"
    path.write_text('uid\t"desk\nno"\tname\n' + rows)
    assert is_ever_quoted(LocalFile(path)) is quoted


@pytest.mark.parametrize(
    ("rows", "quoted"), [("u0\tAnn\tLee\tx\n", True), ('"u0\n"\tAnn\tLee\tx', True), ("", True), ("u0\tAnn\n", False)]
)
@pytest.mark.parametrize("eol", ["\n", "\r\n", "\r"])
def test_of_several_line_ends_in_the_header_the_first_line_without_quotes_tells(
    tmp_path: Path, rows: str, quoted: bool, eol: str
) -> None:
    """Its pieces may have as many tabs each, and the one behind the first has no more of its own."""
    path = tmp_path / "r.tsv"
    text = 'uid\t"Given\nname"\t"Family\nname"\tname\n' + rows
    path.write_text(text.replace("\n", eol), newline="")
    assert is_ever_quoted(LocalFile(path)) is quoted


@pytest.mark.parametrize(
    "text",
    [
        'uid\tname\t"\nt1\tAnn\t5"\nt2\tBob\t6"\nt3\tCy\t6"\n',
        'uid\tname\t"\nt1\tAnn\t5"\n',
        'uid\tname\t"\nt1\tAnn\t5"\nt2\tBob\n',
        'uid\tname\t"size\na1\tAnn\t5"\n\na2\tBob\t6"\na3\tCy\t6\n',
        'uid\tname\t"size\n\na1\tAnn\t5"\n',
        'uid\t"size\tname\na1\t5"\tAnn\na2\t6"\tBob\n',
        'uid\t"\t"\n\na1\t5"\t6"\n',
        'uid\t"a\tb"\tname\na1\t"Bee" B\t5"\tAnn\n',
    ],
)
@pytest.mark.parametrize("eol", ["\n", "\r\n", "\r"])
def test_a_name_that_begins_with_a_quote_takes_no_row_in(tmp_path: Path, text: str, eol: str) -> None:
    """Inches in its cells close nothing where each line has the tabs of a row; a line that is blank has none."""
    path = tmp_path / "r.tsv"
    path.write_text(text.replace("\n", eol), newline="")
    assert not is_ever_quoted(LocalFile(path))


@pytest.mark.parametrize("above", ["", "\n", "\n\n", "sep=\t\n", '"sep=\t"\n\n'])
@pytest.mark.parametrize(
    ("rows", "quoted"),
    [
        ("a1\t5\tAnn\n", True),
        ('\na1\t"5\nx"\tAnn\n\na2\t6"\tBob\n', True),
        ('a1\t"5\nx"\tAnn', True),
        ("a1\t5\n", False),
    ],
)
@pytest.mark.parametrize("eol", ["\n", "\r\n", "\r"])
def test_what_stands_above_the_header_is_no_line_of_it(
    tmp_path: Path, above: str, rows: str, quoted: bool, eol: str
) -> None:
    """Blank lines, and the one that says what separates the cells; a row that holds a quoted cell tells nothing."""
    path = tmp_path / "r.tsv"
    path.write_text((above + 'uid\t"cost\ncentre"\tname\n' + rows).replace("\n", eol), newline="")
    assert is_ever_quoted(LocalFile(path)) is quoted


@pytest.mark.parametrize("eol", ["\n", "\r\n", "\r"])
def test_one_quoted_cell_far_into_a_file_is_found(tmp_path: Path, eol: str) -> None:
    """Wherever the reading of the file is cut: here in the middle of the cell."""
    path, line = tmp_path / "r.tsv", "a1\tAnn\tx" + eol
    head = line * (8 * 1024 * 1024 // len(line) - 1)
    path.write_text(head + f'a1\t"Ann{eol}{"Lee" * 20}"\tx' + eol + line, newline="")
    assert is_ever_quoted(LocalFile(path))


def test_a_file_without_line_ends_is_not_kept_whole(tmp_path: Path) -> None:
    """No row is so long, and whoever reads it says so."""
    path = tmp_path / "r.tsv"
    with path.open("wb") as file:
        file.truncate(400 * 1024 * 1024)
    tracemalloc.start()
    try:
        assert not is_ever_quoted(LocalFile(path))
        assert tracemalloc.get_traced_memory()[1] < 200 * 1024 * 1024
    finally:
        tracemalloc.stop()

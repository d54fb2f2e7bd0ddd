"""What a CSV without a header, or without rows, is by its looks: one sentence with what helps."""

from __future__ import annotations

import ast
import gzip
import re
from pathlib import Path

import pytest

from provisioner.errors import RosterError
from provisioner.roster.reader import RosterOptions, open_roster
from provisioner.settings.values import parse_delimiter
from tests.roster.csv.test_header import refusal_of

DATA = (
    "not like the names of columns; put a line with the names of all columns above it, or say which it is with "
    "--header-row"
)
WHOLE = 'take away the quotes around the lines, and write " for "" in them'
FIXED = (
    "its columns are of a fixed width, filled up with blanks; open it in a spreadsheet program as text of fixed width "
    "and save it as .xlsx, or write a tab between cells"
)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"'uid','name'\n'a','b'\n", "its cells are in single quotes ('); put them in double quotes (\") or in none"),
        (b'"uid,name"\n"a,b"\n', f"each line is quoted as a whole; {WHOLE}"),
        (b'"uid;name"\n"a;""b"""\n', f"each line is quoted as a whole; {WHOLE}"),
        (b"uid^name\na^b\n", "its cells are separated by '^'; give --delimiter '^'"),
        (
            "\u201cuid\u201d;\u201cname\u201d\n\u201ca\u201d;\u201cb\u201d\n".encode(),
            'its cells are in typographic quotes; put them in double quotes (") or in none',
        ),
        (b"uid\x01name\na\x01b\n", "its cells are separated by '\\x01'; give --delimiter $'\\x01'"),
        (b"uid\x1fname\na\x1fb\n", "its cells are separated by '\\x1f'; give --delimiter $'\\x1f'"),
        (
            "uid\u00a7name\na\u00a7b\n".encode(),
            "its cells are separated by '\u00a7'; put a line sep=\u00a7 above the header",
        ),
        ("uid\xa0name\na\xa0b\n".encode(), "its cells are separated by '\\xa0'; write commas or tabs between them"),
        (b"uid:name\na:b\n", "its cells are separated by ':'; give --delimiter ':'"),
        (b"uid,name\ra,b\nc,d\n", "its line ends are mixed: line 1 ends with CR, others with LF; save it anew"),
        (b"a1,Ann Lee\nb2,Bob Poe\n", f"line 1 looks like a row of data ('a1', 'Ann Lee', cut at ','), {DATA}"),
        (b"a1;Ann Lee;x\n", f"line 1 looks like a row of data ('a1', 'Ann Lee', 'x', cut at ';'), {DATA}"),
        (b"a1\tAnn\nb22\tBob de la Poe\n", f"line 1 looks like a row of data ('a1', 'Ann', cut at '\\t'), {DATA}"),
        (b"ann@x.org|Ann\n", f"line 1 looks like a row of data ('ann@x.org', 'Ann', cut at '|'), {DATA}"),
        (b"uid   name\na1    Ann Lee\nb2    Bob\n", FIXED),
        (b"0001Ann Lee     x  \n0002Bob Poe     y  \n", FIXED),
        (b"uid name\na1 Ann\nb2 Bob\n", "its cells are separated by blanks; give --delimiter ' '"),
        (
            b"uid name\na1 Ann Lee\nb2 Bob\n",
            "its cells are separated by blanks, which stand within cells as well; write commas or tabs between them",
        ),
    ],
)
def test_what_is_no_header_by_its_looks_is_told_with_what_to_do(data: bytes, said: str) -> None:
    """In one sentence, and none of them is about commas in cells."""
    assert refusal_of(data) == f"r.csv: {said}"


@pytest.mark.parametrize("data", [b"address2,phone2\n", b"Q1 2026,name\n5,Ann\n", b"Staff list,2026\nEMPNO,ENAME\n"])
def test_what_may_name_columns_is_taken_for_the_header(tmp_path: Path, data: bytes) -> None:
    """Figures in a name alone are none of data; what is missing is said where the columns are mapped."""
    (tmp_path / "r.csv").write_bytes(data)
    assert open_roster(tmp_path / "r.csv").schema


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("mark", [" ", "^", "~", "\\", "/", "\x01", "\x7f", "\u00a7", "\u20ac"])
def test_the_cure_for_a_delimiter_that_is_not_found_works(tmp_path: Path, mark: str, packed: bool) -> None:
    """What the message says to type, or to write into the file, has it read; quoted cells may hold the delimiter."""
    path = tmp_path / ("r.csv.gz" if packed else "r.csv")
    pack = gzip.compress if packed else bytes
    data = f"uid{mark}name{mark}tags\na1{mark}Ann{mark}x\nb2{mark}Bob{mark}y\n".encode()
    said = _refusal(path, pack(data))
    data = data.replace(b"Bob", f'"B{mark}ob"'.encode())
    if given := re.search(r"give --delimiter ('.'|\$'\\x[0-9a-f]{2}')$", said):
        typed = ast.literal_eval(given[1].removeprefix("$")) if "$" in given[1] else given[1][1:-1]
        options = RosterOptions(delimiter=parse_delimiter(typed))
    else:
        assert said.endswith(f"; put a line sep={mark} above the header")
        options, data = RosterOptions(), f"sep={mark}\n".encode() + data
    path.write_bytes(pack(data))
    roster = open_roster(path, options)
    assert [row for batch in roster.batches() for row in batch.frame.rows()] == [
        ("a1", "Ann", "x"), ("b2", f"B{mark}ob", "y"),
    ]  # fmt: skip
    assert roster.rejected_delimiter == (mark if mark.isascii() else ",")


def _refusal(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    with pytest.raises(RosterError) as raised:
        open_roster(path, RosterOptions())
    return str(raised.value)


def test_lines_behind_the_header_that_are_quoted_as_a_whole_refuse_the_file_and_the_cure_works(tmp_path: Path) -> None:
    """Whatever separates the cells, and in a TSV, where the quotes stand for themselves."""
    for suffix, delimiter in ((".csv", ","), (".csv", ";"), (".tsv", "\t")):
        path = tmp_path / f"r{suffix}"
        rows = [["a1", 'Ann "A" Lee', "x"], ["b2", "Bob", ""]]
        lines = [delimiter.join(row) for row in rows]
        quoted = [f'"{line.replace(chr(34), chr(34) * 2)}"' for line in lines]
        head = delimiter.join(("uid", "name", "tags"))
        for header in (head, f'"{head}"') if delimiter != "\t" else (head,):
            said = _refusal(path, "\n".join((header, *quoted, "")).encode())
            behind = "" if header.startswith('"') else " behind the header"
            assert said == f"{path}: each line{behind} is quoted as a whole; {WHOLE}"
        path.write_text("\n".join((head, *lines, "")))
        assert [list(row) for batch in open_roster(path).batches() for row in batch.frame.fill_null("").rows()] == rows

"""The second look at a broken block: what is wrong first, where, and what to do that helps."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioner.errors import RosterError
from provisioner.roster.csv.defect import (
    ESCAPED,
    ESCAPED_UNQUOTED,
    MIXED_LINE_ENDS,
    NEVER_CLOSED,
    TEXT_AFTER_QUOTE,
    UNQUOTED,
    WITH_ESCAPE,
    Defect,
    first_defect,
    may_be_several,
)
from provisioner.roster.csv.file import open_csv
from provisioner.roster.csv.grammar import CR, Dialect

COMMAS = "put cells that hold a comma in quotes"


@pytest.mark.parametrize(
    ("block", "defect"),
    [
        (b"a,b\n\nc,d\n", None),
        (b"a,b,\n, ,\xc2\xa0\n", None),
        (b'a,"b\n', Defect(NEVER_CLOSED, 0, 1, 2, 0)),
        (b'a,b\n"c"d,e\n', Defect(TEXT_AFTER_QUOTE, 1, 0, 4, 1)),
        (b'a,b\n,\n\n"c" d,e\n', Defect(TEXT_AFTER_QUOTE, 1, 0, 7, 2)),
        (b'a,b,\0\n\xe2\x80\x8b,\0\n"c"d,e\n', Defect(TEXT_AFTER_QUOTE, 1, 0, 12, 2)),
        (b'5" pipe,"7" pipe"\n', Defect(TEXT_AFTER_QUOTE, 0, 1, 8, 0)),
        (b'a,{"b":"R&D","n":1}\n', Defect(UNQUOTED, 0, 1, 2, 0)),
        (b'a,{"b":1,"n":2}\n', Defect(UNQUOTED, 0, 1, 2, 0)),
        (b'a,say "hi, there"\n', Defect(f"3 cells, but the header has 2: {UNQUOTED}", 0, 1, 2, 0)),
        (b'5" pipe,b,c\n', Defect(f"3 cells, but the header has 2; {COMMAS}", 0, 2, 10, 0)),
        ("é,b\nc,d,é\n".encode(), Defect(f"3 cells, but the header has 2; {COMMAS}", 1, 2, 9, 1)),
        (b"a,b\rc,d\n", Defect(f"3 cells, but the header has 2: {MIXED_LINE_ENDS.format(other='CR')}", 0, 2, 6, 0)),
        (b'a,"b\\"c"\n', Defect(TEXT_AFTER_QUOTE + ESCAPED, 0, 1, 2, 0)),
        (b'a,"b\\" c" d\n', Defect(TEXT_AFTER_QUOTE, 0, 1, 2, 0)),
        (b'a,"b \\""\n', Defect(NEVER_CLOSED + ESCAPED, 0, 1, 2, 0)),
        (b"a,b\\,c\n", Defect(f"3 cells, but the header has 2; {COMMAS}{ESCAPED_UNQUOTED}{WITH_ESCAPE}", 0, 2, 5, 0)),
    ],
)
def test_the_first_defect_has_its_row_column_and_byte(block: bytes, defect: Defect | None) -> None:
    """A row of blanks is none, and what is proposed would help with this very row."""
    assert first_defect(block, 2, Dialect()) == defect


@pytest.mark.parametrize(
    ("block", "place"),
    [
        (b"a,b\nc,\xe9\n", (1, 1, 6)),
        (b'a,b\n\n,\nc,"d\ne\xe9"\n', (1, 1, 13)),
        (b'a,b\n"c"d,e\nf,\xe9\n', (1, 0, 4)),
        (b"\xe9,b\nc,d,e\n", (0, 0, 0)),
        (b'a,b\nc,"d\xe9\n', (1, 1, 6)),
    ],
)
def test_a_byte_that_is_no_text_has_its_place_unless_something_is_wrong_before_it(
    block: bytes, place: tuple[int, int, int]
) -> None:
    """Whatever comes first in the file is told first."""
    found = first_defect(block, 2, Dialect())
    assert found is not None
    assert (found.row, found.column, found.offset) == place


def test_where_cr_ends_the_lines_it_is_the_one_line_end() -> None:
    """A line feed is a letter there."""
    assert first_defect(b"a,b\rc\n,d\r", 2, Dialect(eol=CR)) is None


def test_lines_that_go_on_with_another_end_are_no_cells_to_put_in_quotes() -> None:
    """Files put together have such."""
    said = f"3 cells, but the header has 2: {MIXED_LINE_ENDS.format(other='LF')}"
    found = first_defect(b"a,b\rc,d\re,f\ng,h\n", 2, Dialect(eol=CR))
    assert found is not None
    assert (found.what, found.row) == (said, 2)


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize(
    ("quotes", "cell", "quoted"),
    [
        ("single quotes (')", "'Ann{}Lee'", True),
        ("single quotes (')", "'Ann{} Lee, M.{} Dr.'", True),
        ("typographic quotes", "\u201cAnn{}Lee\u201d", True),
        ("", "'t Hart{}Jan", False),
        ("", "O'Brien{}Ann'", False),
    ],
)
def test_other_quotes_round_a_cell_that_was_cut_are_told(mark: str, quotes: str, cell: str, quoted: bool) -> None:
    """They are letters to the grammar."""
    found = first_defect(f"a1{mark}{cell.format(mark, mark)}\n".encode(), 2, Dialect(mark))
    hold = {",": "a comma", ";": "a semicolon", "\t": "a tab"}[mark]
    assert found is not None
    mend = f'{quotes} are none here: put cells that hold {hold} in double quotes (")'
    assert found.what.partition("; ")[2] == (mend if quoted else f"put cells that hold {hold} in quotes")


def test_an_escape_that_is_in_force_is_not_proposed() -> None:
    """It did not help."""
    found = first_defect(b'a,"b\\"c"d"\n', 2, Dialect(escape="\\"))
    assert found == Defect(TEXT_AFTER_QUOTE, 0, 1, 2, 0)


@pytest.mark.slow
def test_a_bad_byte_at_the_end_of_a_long_block_is_found_at_once() -> None:
    """Each row is read once more, and no more than that."""
    block = b"a1,Ann Lee\n" * 300_000 + b"b,\xe9\n"
    found = first_defect(block, 2, Dialect())
    assert found is not None
    assert (found.row, found.column) == (300_000, 1)


@pytest.mark.sampled
@pytest.mark.parametrize("figures", ["", "1"])
@pytest.mark.parametrize("delimiter", [",", "\t"])
@pytest.mark.parametrize(("width", "cells"), [(2, 2), (3, 2), (4, 2), (5, 2), (5, 3), (6, 3)])
def test_a_lone_line_end_of_the_other_kind_between_rows_is_told_with_their_row(
    tmp_path: Path, width: int, cells: int, delimiter: str, figures: str
) -> None:
    """However few cells they have: the second of two rows would be lost in a cell of the first."""
    path = tmp_path / "r.csv"
    header = delimiter.join(["uid", "name", "x", "y", "z", "w"][:width])
    rows = [delimiter.join(f"{row}{column}{figures}" for column in "abcdef"[:cells]) for row in "klmn"]
    for usual, lone in (("\n", "\r"), ("\r\n", "\r"), ("\r", "\n")):
        for joined in range(3):
            ends = [lone if row == joined else usual for row in range(4)]
            path.write_bytes(f"{header}{usual}{''.join(map(str.__add__, rows, ends))}".encode())
            if usual == "\r":  # a file with an LF outside quotes near its beginning is one of LF
                ends = ["\r"] * 20_000 + ends
                path.write_bytes(f"{header}\r{''.join(map(str.__add__, rows * 5_001, ends))}".encode())
            with pytest.raises(RosterError, match=rf"row {len(ends) - 3 + joined} .*its line ends are mixed"):
                list(open_csv(path).batches())


@pytest.mark.parametrize(
    "first",
    [
        ["ann", "Ann\rLee", "x"],
        ["a1", "Ann\rLee", "x"],
        ["a1", "Ann", "see\rb2"],
        ["a1", "Ann", "\rLee"],
        ["a1\r", "A", "x"],
    ],
)
def test_a_cr_within_a_cell_is_kept(tmp_path: Path, first: list[str]) -> None:
    """What stands behind it is no row of the file."""
    path = tmp_path / "r.csv"
    path.write_bytes(f"uid,name,note\n{','.join(first)}\nb2,Bob,y\ncy,Cy,\n".encode())
    assert next(open_csv(path).batches()).frame.row(0) == tuple(first)


@pytest.mark.parametrize("row", ['a1,"Ann"\rb2,"Bob"\n', '"a1"\r"b2","Bob"\n', 'a1,Ann\n"b2","Bob"\r"c3","Cy"\n'])
def test_a_line_end_of_the_other_kind_behind_quotes_is_told_as_such(row: str) -> None:
    """There is nothing to be doubled."""
    defect = first_defect(row.encode(), 2, Dialect())
    assert defect is not None
    assert defect.what == MIXED_LINE_ENDS.format(other="CR")


@pytest.mark.parametrize("width", [2, 3, 4])
@pytest.mark.parametrize("quote", ["", '"'])
def test_a_header_that_ends_with_cr_before_rows_that_end_with_lf_refuses_the_file(
    tmp_path: Path, width: int, quote: str
) -> None:
    """Else its last name and the first row would be one."""
    path = tmp_path / "r.csv"
    lines = [
        ",".join(f"{quote}{cell}{quote}" for cell in line[:width]) for line in (["uid", "name", "x", "y"], [*"abcd"])
    ]
    path.write_bytes(f"{lines[0]}\r{lines[1]}\n{lines[1]}\n".encode())
    with pytest.raises(RosterError, match="its line ends are mixed"):
        open_csv(path)


@pytest.mark.parametrize(
    "lines",
    [
        ["uid,Home\raddress,name", "u1,A st,Ann", "u2,B st,Bob"],
        ["uid,name,a,b,c", "ff,Ann,Tel: 030\ra1 is ok\rGermany,x,y", "b,Bob,x", "c,Cy,x,y,z"],
        ["uid,address,name", *(f"u{n},12 St {n}\rSpringfield\r{10000 + n},Name" for n in range(3))],
        ["uid,name,note", *(f'u{n},Ann,"12 St\rx{n},Springfield"' for n in range(3))],
    ],
)
def test_a_file_with_lines_in_its_cells_is_read(tmp_path: Path, lines: list[str]) -> None:
    """As programs of a Mac write them: what stands behind each CR is no row, or not all of it."""
    path = tmp_path / "r.csv"
    path.write_bytes("\n".join([*lines, ""]).encode())
    roster = open_csv(path)
    assert sum(batch.frame.height for batch in roster.batches()) == len(lines) - 1


def test_what_may_be_several_rows_is_told_at_a_glance() -> None:
    """Only such a block is looked at closely: not one whose cells hold lines that are none."""
    assert not may_be_several(b"a1,Ann,12 Main St\rSpringfield\rUSA,x\n", Dialect())
    assert not may_be_several(b'a1,Ann,"12 Main St\rb2,Bob"\r\n', Dialect())
    assert not may_be_several(b"a1,Ann\r\nb2,Bob\r\n", Dialect())
    assert may_be_several(b"a1,Ann\rb2,Bob\n", Dialect())
    assert may_be_several(b'a1,"Ann\n"\rb2,Bob\n', Dialect())
    assert may_be_several(b"a1;Ann\nb2;Bob\r", Dialect(";", CR))

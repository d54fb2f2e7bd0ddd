"""What is legal and may be meant otherwise is told with the rows; nothing else is."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from itertools import product
from pathlib import Path

import polars as pl
import pytest

from provisioner.errors import RosterError
from provisioner.roster.csv.blocks import BlockSizes
from provisioner.roster.csv.file import DEFAULT_SIZES, open_csv
from provisioner.roster.csv.grammar import Dialect
from provisioner.roster.csv.remarks import SWALLOWED, WHOLE, holds_a_row, remarks_on
from provisioner.roster.formats.rows import Notice, missing_fields


def frame(*rows: tuple[str | None, ...]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=dict.fromkeys("abc", pl.String), orient="row")


@pytest.mark.parametrize(
    ("rows", "remarks"),
    [
        ((("a1", "Ann", "x"), ("b2,Bob,y", None, None)), {WHOLE: [1]}),
        ((('a1,"Ann, Lee",x', None, None), ("b2,Bob,", None, None)), {WHOLE: [0, 1]}),
        ((("Lee, Ann", None, None), (",,", None, None), ("a1", None, None)), {}),
        ((("a,b,c", None, "x"), ("a,b,c", "", None)), {}),
        ((("a1", "Ann", "hello\nb2,Bob,ok"), ("c3", "Cy", "Springfield\nIL, US, x")), {SWALLOWED: [0]}),
    ],
)
def test_rows_that_may_be_meant_otherwise(
    rows: tuple[tuple[str | None, ...], ...], remarks: dict[str, list[int]]
) -> None:
    """A line that is one cell has nothing behind it and every delimiter in it."""
    assert remarks_on(frame(*rows), Dialect(), spread=True) == remarks


def test_where_quotes_stand_for_themselves_no_line_is_one_cell() -> None:
    """And a delimiter in a cell is none there."""
    assert remarks_on(frame(("a,b,c", None, None)), Dialect(",", quoting=False), spread=False) == {}


@pytest.mark.sampled
@pytest.mark.parametrize("width", [2, 3, 5])
@pytest.mark.parametrize("eol", ["\n", "\r\n"])
@pytest.mark.parametrize("figures", ["", "1"])
def test_stray_quotes_at_any_two_cells_of_different_rows_are_told(
    tmp_path: Path, width: int, eol: str, figures: str
) -> None:
    """Whatever column each is in: the file is refused, or the row that holds others is warned of."""
    path, table = tmp_path / "r.csv", [[f"{row}{column}{figures}" for column in "abcde"[:width]] for row in "klmn"]
    for opens, closes, last in product(range(width), range(width), (1, 2, 3)):
        rows = [[*row] for row in table]
        rows[0][opens] = '"' + rows[0][opens]
        rows[last][closes] += '"'
        path.write_bytes(eol.join(map(",".join, [["uid", "name", "x", "y", "z"][:width], *rows, [""]])).encode())
        try:
            remarks = [batch.remarks for batch in open_csv(path).batches()]
        except RosterError:
            assert closes < opens
        else:
            assert [found[SWALLOWED] for found in remarks] == [[0]], (opens, closes, last)


@pytest.mark.sampled
@pytest.mark.parametrize("width", [2, 3, 5])
@pytest.mark.parametrize("figures", ["", "1"])
def test_stray_quotes_that_open_in_the_header_are_told(tmp_path: Path, width: int, figures: str) -> None:
    """Rows in the name of a column would be lost without a word; unless the file is refused, or a needed column is."""
    path, header = tmp_path / "r.csv", ["uid", "name", "x", "y", "z"][:width]
    table = [[f"{row}{column}{figures}" for column in "abcde"[:width]] for row in "klmn"]
    for opens, closes, last in product(range(width), range(width), range(4)):
        rows = [header.copy(), *([*row] for row in table)]
        rows[0][opens] = '"' + rows[0][opens]
        rows[last + 1][closes] += '"'
        path.write_text("\n".join(map(",".join, [*rows, [""]])))
        with suppress(RosterError):
            found = open_csv(path).header
            assert found.holding == 1 or missing_fields(found.columns), (opens, closes, last)


@pytest.mark.parametrize("uid", ["a1", "ann"])
def test_a_line_end_in_the_name_of_a_column_is_none_that_begins_a_row(tmp_path: Path, uid: str) -> None:
    """Whatever stands behind it."""
    path = tmp_path / "r.csv"
    for header in ('uid,name,"home\naddress",x,y', 'uid,name,"home\naddress"', 'uid,name,"home\n1,street"'):
        for row in ("", f"{uid},Ann,x{',x' * header.count('x,y')}{',y' * header.count('x,y')}\n"):
            path.write_text(f"{header}\n{row}")
            found = open_csv(path).header
            assert (found.line, found.holding) == (1, None)


def test_a_title_in_quotes_that_goes_over_the_header_and_rows_is_told(tmp_path: Path) -> None:
    """It is legal, and may be meant."""
    path = tmp_path / "r.csv"
    path.write_text('"Title,,\nuid,name,tags\na1,Ann,"\nuid,name,tags\nb2,Bob,x\n')
    what = f"{path}: line 1: a quoted cell goes over lines that look like rows; look for a stray quote in it"
    assert open_csv(path).notices()[0] == Notice("header.swallowed", what)


@pytest.mark.parametrize(("own", "other"), [("ann", "b2"), ("a1", "bob")])
def test_ids_with_and_without_figures_are_known_by_each_other(own: str, other: str) -> None:
    """What a uid of the file looks like is told by all its rows."""
    swallowed = frame((own, "Ann", f"hello\n{other},Bob,ok"), ("c3", "Cy", "x"), ("dee", "Dee", "x"))
    assert remarks_on(swallowed, Dialect(), spread=True) == {SWALLOWED: [0]}
    swallowed = frame((own, "Ann", f"hello\n{other},Bob,ok"), (own, "Cy", "x"))
    assert remarks_on(swallowed, Dialect(), spread=True) == {}


def test_a_line_end_that_is_none_in_the_file_counts_within_quotes(tmp_path: Path) -> None:
    """As LF does."""
    path = tmp_path / "r.csv"
    path.write_bytes(b'uid,name,s\na1,Ann,"hello\rb2,Bob,ok\rc3,Cy,world"\nd4,Dee,hi\n')
    assert [batch.remarks for batch in open_csv(path).batches()] == [{SWALLOWED: [0]}]


@pytest.mark.parametrize(
    ("cells", "held"),
    [
        (("u5", "Ann", "team2,\nu6,Name 6", "team0"), True),
        (("u5", "Ann", "team2,\nu6", "Bob", "team0"), False),
        (("1", "Ann,red\n2,Bob", "blue"), True),
        (("1", "Ann,red\n2,Bob", None), True),
        (("1", "Ann,red\n2,Bob,blue", None), True),
        (("1,Ann,red\n2", "Bob", "blue"), True),
        (("1", "Ann,red\n2,Bob,blue\n3,Cy", "x"), True),
        (("1", "Ann\n2,Bob"), True),
        (("1,Ann\n2", "Bob"), True),
        (("1", "12 Main St, Apt 4\nSpringfield, IL", "x"), False),
        (("1", "12 Main St\n5400 Springfield, IL", "x"), False),
        (("1", "12 Main St\n5400,Springfield", "x"), False),
        (("ann", "Busy, call later\nor, better, write", "x"), False),
        (("ann", "Ann\nLee", "x"), False),
        (("ann\nlee", "Ann", "x"), False),
        (("Lee, Ann, MD\nx", "Ann", "x"), False),
        (("ann", "out, back,\nsoon", "x"), False),
        (("ann", '{"a":1,\n"b":2}', "x"), False),
        (("ann", "Ann", "red,\nblue,,\ngreen"), False),
    ],
)
def test_a_line_in_a_cell_counts_with_what_stands_around_the_quotes(cells: tuple[str | None, ...], held: bool) -> None:
    """The last line with the cells behind it, the first with those before it; prose and JSON are no rows."""
    assert holds_a_row(cells, ",") == held


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ("a1,Ann,x\nb2,Bob,y\n\nGroup,Number\nSales,1\nTotal,2\n", "3 rows behind a blank line, from line 5 on"),
        ("a1,Ann,x\nb2,Bob,y\n,,\n\nPrinted on,2026-11-30,\n", "1 row behind a blank line, from line 6 on"),
        ("\na1,Ann,x\nb2,Bob,y\n\nc3,Cy,z\n\nEnd,3\n", "1 row behind a blank line, from line 8 on"),
        ("a1,Ann,x\nb2,Bob,y\n\nc3,Cy,z\nd4,Di,\n\ne5,Ed,x\n", None),
        ("a1,Ann,x\nb2,Bob,\n\nc3,Cy\n", None),
        ("a1,Ann,x\n\nb2,Bob\n", None),
        ("a1,Ann,x\nb2,Bob\n\n\n\x1a", None),
    ],
)
def test_rows_behind_a_blank_line_are_told_where_they_are_shaped_otherwise(
    tmp_path: Path, rows: str, told: str | None
) -> None:
    """All of them up to the next blank line: people between whom there are blank lines are shaped like the others."""
    assert behind_blanks(tmp_path, rows) == ([told] if told else [])


def test_rows_behind_a_blank_line_are_told_wherever_they_are(tmp_path: Path) -> None:
    """In a later block than the people, as far as they have been read, and once however often they are."""
    people = "".join(f"a{number},Ann,x\n" for number in range(200))
    table = "\nGroup,Number\nSales,1\n"
    said = "2 rows behind a blank line, from line 203 on"
    assert behind_blanks(tmp_path, f"{people}{table}") == [said]
    assert behind_blanks(tmp_path, f"{people}{table}", BlockSizes(first=100, block=100)) == [said]
    assert behind_blanks(tmp_path, f"{people}{table}", limit=200) == []


def behind_blanks(
    folder: Path, rows: str, sizes: BlockSizes = DEFAULT_SIZES, limit: int | None = None
) -> Sequence[str]:
    path = folder / "r.csv"
    path.write_text(f"uid,name,dept\n{rows}")
    roster = open_csv(path, sizes=sizes, limit=limit)
    for _ in range(2):
        assert sum(batch.frame.height for batch in roster.batches())
    told = [each.message.removeprefix(f"{path} has ") for each in roster.notices()]
    assert all(each.endswith(", read like those; delete what is no part of the table") for each in told)
    return [each.partition(", without")[0] for each in told]

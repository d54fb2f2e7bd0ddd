"""The cells of a sheet, in all the forms that programs write."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioner.errors import RosterError
from provisioner.roster.workbook.package import open_package
from provisioner.roster.workbook.sheet import (
    LAST_ROW,
    Place,
    Remarks,
    SheetRow,
    column_letters,
    column_number,
    read_sheet,
)
from tests.rig.workbooks import by_hand, text

STYLES = (
    '<numFmts><numFmt numFmtId="164" formatCode="00000"/></numFmts>'
    '<cellXfs><xf numFmtId="0"/><xf numFmtId="164"/><xf numFmtId="14"/><xf numFmtId="9"/></cellXfs>'
)


def read(path: Path, remarks: Remarks | None = None) -> list[SheetRow]:
    """The rows of the first sheet."""
    with open_package(path) as package:
        return list(read_sheet(package, package.sheets[0], remarks))


def cell(folder: Path, xml: str, texts: str = "<si><t>shared</t></si>") -> tuple[str | None, str | None]:
    """Text and mark of a single cell."""
    rows = read(by_hand(folder, f"<row>{xml}<c t='b'><v>1</v></c></row>", styles=STYLES, texts=texts))
    return rows[0].cells.get(1), rows[0].marks.get(1)


@pytest.mark.parametrize(
    ("xml", "found"),
    [
        ("<c><v>7.0</v></c>", ("7", None)),
        ("<c t='n'><v> 7 </v></c>", ("7", None)),
        ("<c s='1'><v>42</v></c>", ("00042", None)),
        ("<c s='1' t='str'><f>A1</f><v>42</v></c>", ("42", None)),
        ("<c s='2'><v>45413</v></c>", ("2024-05-01", None)),
        ("<c s='2'><v>-3</v></c>", ("-3", None)),
        ("<c s='3'><v>0.25</v></c>", ("0.25", None)),
        ("<c t='s'><v>0</v></c>", ("shared", None)),
        ("<c t='str'><f>A1</f><v>a_x000A_b</v></c>", ("a\nb", None)),
        ("<c t='b'><v>0</v></c>", ("false", "not_text")),
        ("<c t='d'><v>2024-05-01T00:00:00</v></c>", ("2024-05-01", None)),
        ("<c t='d'><v>2024-05-01T13:30:00Z</v></c>", ("2024-05-01T13:30:00", None)),
        ("<c t='e'><v>#N/A</v></c>", (None, None)),
        ("<c t='inlineStr'><is><r><t>An</t></r><r><t>n</t></r><rPh><t>x</t></rPh></is></c>", ("Ann", None)),
        ("<c/>", (None, None)),
        ("<c><v/></c>", (None, None)),
        ("<c><v>123456789012345678</v></c>", ("123456789012345678", "rounded")),
        ("<c s='1'><v>123456789012345678</v></c>", ("123456789012345680", "rounded")),
        ("<c t='str'><f>A1</f><v>123456789012345678</v></c>", ("123456789012345678", None)),
        ("<c><f>A1</f></c>", (None, "formula")),
        ("<c><f>A1</f><v/></c>", (None, "formula")),
        ("<c><f t='shared' si='0'/></c>", (None, "formula")),
        ("<c t='str'><f>A1</f></c>", (None, "formula")),
        ("<c t='str'><f>A1</f><v></v></c>", (None, None)),
        ("<c><f>A1</f><v>0</v></c>", ("0", None)),
        ("<c s='1'><f>A1</f><v>7</v></c>", ("00007", None)),
    ],
)
def test_a_cell_is_what_a_person_sees(tmp_path: Path, xml: str, found: tuple[str | None, str | None]) -> None:
    """Whatever form it is stored in; a formula without a value is marked as that and is no empty cell."""
    assert cell(tmp_path, xml) == found


def test_places_are_said_or_follow_from_the_cell_before(tmp_path: Path) -> None:
    """A writer may leave out where a row or a cell is, here and there."""
    path = by_hand(
        tmp_path,
        f"<row>{text('a')}{text('d', 'D1')}{text('e')}</row>",
        f'<row r="7">{text("b", "B7")}</row><row>{text("z", "AA8")}</row>',
    )
    assert [(row.number, row.cells) for row in read(path)] == [
        (1, {1: "a", 4: "d", 5: "e"}), (7, {2: "b"}), (8, {27: "z"})
    ]  # fmt: skip


def test_rows_of_blanks_are_none_and_hidden_ones_are_known(tmp_path: Path) -> None:
    """By a filter, by hand, or made as low as nothing; what nobody sees is blank, a formula is not."""
    path = by_hand(
        tmp_path,
        f'<row hidden="1">{text("a")}</row><row hidden="true">{text(" ")}{text("&#160;&#8203;")}</row>',
        f'<row hidden="0" ht="0" customHeight="1">{text("b")}</row><row ht="0">{text("c")}</row>',
        "<row><c><f>A1</f></c></row><row/><row><c s='0'/></row>",
    )
    assert [(row.number, row.is_hidden, bool(row.marks)) for row in read(path)] == [
        (1, True, False), (3, True, False), (4, False, False), (5, False, True)
    ]  # fmt: skip


def test_merged_cells_and_errors_are_remarked_with_their_last_row(tmp_path: Path) -> None:
    """The place as a person writes it; whole columns go to the last row of all."""
    remarks = Remarks()
    merged = '<mergeCells><mergeCell ref="C2:C4"/><mergeCell ref="A1:B1"/><mergeCell ref="D:E"/></mergeCells>'
    read(by_hand(tmp_path, '<row r="3"><c r="B3" t="e"><v>#REF!</v></c></row>', behind=merged), remarks)
    assert remarks.merged == [Place("C2:C4", 4), Place("A1:B1", 1), Place("D:E", LAST_ROW)]
    assert remarks.errors == [Place("B3", 3)]


def test_what_refers_to_nothing_is_refused(tmp_path: Path) -> None:
    """A shared text or a style that is not there: nobody can say what the cell shows."""
    for broken in ("<c t='s'><v>5</v></c>", "<c t='s'><v>x</v></c>", "<c s='99'><v>1</v></c>"):
        with pytest.raises(RosterError, match="cannot be read as a workbook"):
            cell(tmp_path, broken)


@pytest.mark.parametrize(
    "row",
    [
        '<row r="1048577"><c><v>1</v></c></row>',
        '<row r="99999999999999999999"/>',
        '<row r="0"/>',
        '<row><c r="XFE1"><v>1</v></c></row>',
        '<row><c r="ZZZZZZZZZZ1"><v>1</v></c></row>',
        '<row><c r="7"><v>1</v></c></row>',
        '<row><c r="?1"><v>1</v></c></row>',
        '<row><c r="XFD1"/><c/></row>',
    ],
)
def test_cells_outside_of_a_sheet_are_refused(tmp_path: Path, row: str) -> None:
    """Nothing is laid out as wide as a damaged file says."""
    with pytest.raises(RosterError, match="a cell in it lies outside of any sheet"):
        read(by_hand(tmp_path, row))


def test_letters_are_numbers_of_columns() -> None:
    """As every spreadsheet counts them."""
    named = {"A": 1, "Z": 26, "AA": 27, "AZ": 52, "ZZ": 702, "XFD": 16384}
    assert {letters: column_number(letters) for letters in named} == named
    assert {column_letters(number): number for number in named.values()} == named

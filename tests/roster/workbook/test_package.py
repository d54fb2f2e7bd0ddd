"""The parts of an .xlsx file, as unlike programs write them, and what no program writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioner.errors import RosterError
from provisioner.roster.workbook.package import Parser, open_package, unescaped
from provisioner.roster.workbook.sheet import read_sheet
from tests.rig.workbooks import STRICT, by_hand, table, text, workbook

ROW = f"<row>{text('uid')}{text('name')}</row>"


def refusal(path: Path) -> str:
    """What is said of a file that cannot be opened and read."""
    with pytest.raises(RosterError) as raised, open_package(path) as package:
        package.read("xl/worksheets/sheet1.xml", Parser())
    return str(raised.value).replace(str(path), path.name)


def test_sheets_are_known_with_their_order_and_whether_they_are_seen(tmp_path: Path) -> None:
    """Hidden ones, very hidden ones and charts among them."""

    def veiled(_: object, sheet: object) -> None:
        sheet.very_hidden()  # type: ignore[attr-defined]

    def hidden(_: object, sheet: object) -> None:
        sheet.hide()  # type: ignore[attr-defined]

    def chart(book: object, sheet: object) -> None:
        sheet.write(0, 0, 1)  # type: ignore[attr-defined]
        pie = book.add_chart({"type": "pie"})  # type: ignore[attr-defined]
        pie.add_series({"values": "=A!$A$1:$A$1"})
        book.add_chartsheet("Chart").set_chart(pie)  # type: ignore[attr-defined]

    path = workbook(tmp_path, ("A", chart), ("B", hidden), ("C", veiled), ("D", table(["x"])))
    with open_package(path) as package:
        found = [(sheet.name, sheet.is_hidden, sheet.is_table) for sheet in package.sheets]
    assert found == [
        ("A", False, True), ("Chart", False, False), ("B", True, True), ("C", True, True), ("D", False, True)
    ]  # fmt: skip


def test_shared_texts_leave_out_phonetic_guides_and_join_their_runs(tmp_path: Path) -> None:
    """A name in two fonts is one name, and how it is read is none of it."""
    texts = (
        "<si><t>山田</t><rPh sb='0' eb='2'><t>ヤマダ</t></rPh><phoneticPr fontId='1'/></si>"
        "<si><r><rPr><b/></rPr><t>An</t></r><r><t xml:space='preserve'>n </t></r></si><si/>"
        "<si><t>a_x000D_b_x00e9_</t></si>"
    )
    with open_package(by_hand(tmp_path, texts=texts)) as package:
        assert package.texts == ["山田", "Ann ", "", "a\rbé"]


def test_escapes_are_the_characters_they_stand_for() -> None:
    """And what only looks like one is not touched."""
    assert [unescaped(each) for each in ("_x0041_", "_x005F_x0041_", "_xZZZZ_", "_x41_", "_xD800_", "x_x")] == [
        "A", "_x0041_", "_xZZZZ_", "_x41_", "_xD800_", "x_x"
    ]  # fmt: skip


def test_formats_are_those_of_cells_and_not_those_of_named_styles(tmp_path: Path) -> None:
    """A style's number counts among the cells' formats alone."""
    styles = (
        '<numFmts><numFmt numFmtId="164" formatCode="00000"/></numFmts>'
        '<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf/><xf numFmtId="164"/>'
        '<xf numFmtId="14"/></cellXfs>'
        '<cellStyles><cellStyle xfId="0"/></cellStyles>'
    )
    with open_package(by_hand(tmp_path, styles=styles, book='date1904="1"')) as package:
        shown = [form and form(43951) for form in package.formats]
    assert shown == [None, "43951", "2024-05-01"]


@pytest.mark.parametrize("namespace", [STRICT])
def test_the_strict_form_is_read_as_the_usual_one(tmp_path: Path, namespace: str) -> None:
    """Some programs write the namespaces of the standard."""
    with open_package(by_hand(tmp_path, ROW, namespace=namespace, texts="<si><t>a</t></si>")) as package:
        assert ([sheet.name for sheet in package.sheets], package.texts) == (["People"], ["a"])


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
OUTSIDE = '<!DOCTYPE x SYSTEM "file:///etc/passwd">'


@pytest.mark.parametrize("declared", [BOMB, OUTSIDE, "<!DOCTYPE x>"])
def test_entities_are_refused_and_never_expanded(tmp_path: Path, declared: str) -> None:
    """No spreadsheet program declares a document type; whoever does wants something else."""
    said = "r.xlsx cannot be read as a workbook: it declares a document type, which no spreadsheet program does"
    assert refusal(by_hand(tmp_path, ROW, declared=declared)) == said


def test_a_text_without_an_end_is_refused(tmp_path: Path) -> None:
    """A few bytes can unpack to gigabytes of one text; memory does not follow."""
    said = "r.xlsx cannot be read as a workbook: a text in it is longer than any cell can be"
    assert refusal(by_hand(tmp_path, text("a" * 6_000_000))) == said


COLOURED = f"<formula>{'A' * 700}</formula>"


@pytest.mark.parametrize("behind", ["", f"<x>{COLOURED * 9_000}</x>"])
def test_what_is_no_text_of_a_cell_may_be_as_long_as_it_is(tmp_path: Path, behind: str) -> None:
    """Blanks between the tags of empty rows that are only coloured, and the formulas of what colours them."""
    rows = [f"<row>{text('a')}</row>", *[f"<row>{' ' * 100}<c/>{' ' * 20}</row>"] * 50_000]
    with open_package(by_hand(tmp_path, *rows, behind=behind)) as package:
        assert [row.number for row in read_sheet(package, package.sheets[0])] == [1]


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"xl/worksheets/sheet1.xml": "<worksheet><sheetData>"}, "no element found: line 1, column 22"),
        ({"xl/worksheets/sheet1.xml": "no xml"}, "syntax error: line 1, column 0"),
        ({"xl/styles.xml": "<a>"}, "no element found: line 1, column 3"),
    ],
)
def test_broken_parts_are_told(tmp_path: Path, parts: dict[str, str], said: str) -> None:
    """With what the parser says of them."""
    assert refusal(by_hand(tmp_path, ROW, parts=parts)) == f"r.xlsx cannot be read as a workbook: {said}"


def test_a_part_that_is_missing_is_told(tmp_path: Path) -> None:
    """An archive that is no workbook, and one that lost its sheet; a binary workbook by its name."""
    relations = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{}</Relationships>'
    empty = by_hand(tmp_path, parts={"_rels/.rels": relations.format("")})
    with open_package(empty) as package:
        assert [sheet.name for sheet in package.sheets] == ["People"]
    binary = '<Relationship Id="a" Type="x/officeDocument" Target="/xl/workbook.bin"/>'
    said = "r.xlsx is a binary workbook (.xlsb); save it as .xlsx"
    assert refusal(by_hand(tmp_path, parts={"_rels/.rels": relations.format(binary)})) == said
    elsewhere = '<Relationship Id="a" Type="x/officeDocument" Target="gone.xml"/>'
    said = "r.xlsx cannot be read as a workbook: gone.xml is missing in it"
    assert refusal(by_hand(tmp_path, parts={"_rels/.rels": relations.format(elsewhere)})) == said


def test_names_of_parts_may_have_other_slashes_and_capitals(tmp_path: Path) -> None:
    """As some programs write them."""
    book = (
        '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
        'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>'
        '<sheet name="Odd" r:id="a"/></sheets></workbook>'
    )
    relations = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Id="a" Type="x/worksheet" Target="\\xl\\Worksheets\\Sheet1.xml"/></Relationships>'
    )
    path = by_hand(tmp_path, ROW, parts={"xl/workbook.xml": book, "xl/_rels/workbook.xml.rels": relations})
    with open_package(path) as package:
        package.read(package.sheets[0].part, Parser())
        assert [sheet.name for sheet in package.sheets] == ["Odd"]

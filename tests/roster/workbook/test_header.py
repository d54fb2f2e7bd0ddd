"""Which sheet is read, and which row names its columns."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from provisioner.errors import RosterError
from provisioner.roster.workbook.file import open_workbook
from provisioner.roster.workbook.header import SheetOptions
from tests.rig.workbooks import Fill, table, workbook

PEOPLE = table(["uid", "name"], ["a", "A"])
EACH = "give each with --sheet and an -o of its own, in a sync also a --state of its own"


def hidden(fill: Fill) -> Fill:
    """The same sheet, hidden."""

    def filled(book: Any, sheet: Any) -> None:
        fill(book, sheet)
        sheet.very_hidden()

    return filled


def shown_first(book: Any, sheet: Any) -> None:
    """One person, in the sheet that is open when the workbook is: the first one may be hidden then."""
    table(["name", " UID "], ["Ann", "a1"])(book, sheet)
    sheet.activate()


def chart(book: Any, sheet: Any) -> None:
    """A chart after a sheet with one number."""
    sheet.write(0, 0, 1)
    pie = book.add_chart({"type": "pie"})
    pie.add_series({"values": "=A!$A$1:$A$1"})
    book.add_chartsheet("Chart").set_chart(pie)


def read(path: Path, **options: Any) -> tuple[list[tuple[str | None, ...]], dict[str, str]]:
    """The rows of a workbook, and what is told of it."""
    roster = open_workbook(path, SheetOptions(**options))
    return roster.frame.rows(), {notice.code: notice.message.replace(f"{path}: ", "") for notice in roster.notices()}


def refused(path: Path, **options: Any) -> str:
    """What is said of a workbook without a table."""
    with pytest.raises(RosterError) as raised:
        open_workbook(path, SheetOptions(**options))
    return str(raised.value).replace(str(path), path.name)


@pytest.mark.parametrize(
    ("first", "why"),
    [
        (hidden(PEOPLE), "is hidden"),
        (table(["Fill in the next sheet"]), "lacks the needed columns"),
        (table(), "lacks the needed columns"),
        (table(["uid"], ["name"]), "lacks the needed columns"),
    ],
)
def test_the_first_visible_sheet_with_the_columns_is_read_and_told(tmp_path: Path, first: Fill, why: str) -> None:
    """Covers, look-up tables and empty sheets come first in many workbooks."""
    path = workbook(tmp_path, ("First", first), ("Staff", shown_first), ("More", PEOPLE))
    message = f"the sheet 'Staff' is read, because the first one, 'First', {why}; --sheet names another"
    others = f"of its sheets only 'Staff' is read, and 'More' has the needed columns as well; {EACH}"
    assert read(path) == ([("Ann", "a1")], {"sheet.found": message, "sheet.others": others})
    assert read(path, sheet="More") == ([("a", "A")], {})


def test_sheets_that_could_have_been_meant_are_named(tmp_path: Path) -> None:
    """Those that are seen and name the columns, below a title too; who names one of them knows."""
    titled = table(["Staff of the north"], [], ["uid", "name"], ["n", "N"])
    path = workbook(
        tmp_path, ("A", PEOPLE), ("N", titled), ("Old", hidden(PEOPLE)), ("Codes", table(["x", "y"])), ("S", PEOPLE)
    )
    others = f"of its sheets only 'A' is read, and 'N', 'S' have the needed columns as well; {EACH}"
    assert read(path) == ([("a", "A")], {"sheet.others": others})
    assert read(path, sheet="A") == ([("a", "A")], {})


def test_rows_behind_blank_ones_are_told_once(tmp_path: Path) -> None:
    """They may be another table or notes; blank rows right below the header, and at the end, are nothing."""
    path = workbook(
        tmp_path, ("S", table(["uid", "name"], [], ["a", "A"], ["b", "B"], [], [], ["dept", "head"], [], ["c"]))
    )
    told = "the sheet 'S' has 2 rows behind blank ones, from row 7 on, read like those before"
    assert read(path) == (
        [("a", "A"), ("b", "B"), ("dept", "head"), ("c", None)],
        {"rows.behind_blank_rows": f"{told}; delete what is no part of the table"},
    )
    path = workbook(tmp_path, ("S", table(["uid", "name"], [], ["a", "A"], ["b", "B"], [" "])))
    assert read(path) == ([("a", "A"), ("b", "B")], {})


def test_a_sheet_that_is_named_is_read_hidden_or_not_and_without_a_word(tmp_path: Path) -> None:
    """Who names it knows."""
    path = workbook(tmp_path, ("A", PEOPLE), ("Old", hidden(table(["uid", "name"], ["b", "B"]))))
    assert read(path, sheet="Old") == ([("b", "B")], {})
    assert read(path) == ([("a", "A")], {})


def test_no_sheet_is_told_with_those_there_are(tmp_path: Path) -> None:
    """Hidden ones and charts are named as that."""
    path = workbook(tmp_path, ("A", chart), ("Old", hidden(PEOPLE)), ("B", table(["x", "y"])))
    assert refused(path) == (
        "r.xlsx: none of its sheets names the needed columns in one of its first rows; "
        "there are 'A', 'Chart' (a chart), 'Old' (hidden), 'B'; `provisioner init` with the workbook "
        "proposes a mapping, --sheet names one, --header-row its header"
    )
    assert refused(path, sheet="C") == "r.xlsx has no sheet 'C'; there are 'A', 'Chart' (a chart), 'Old' (hidden), 'B'"
    assert refused(path, sheet="Chart").startswith("r.xlsx: the sheet 'Chart' is a chart and has no cells; there are")
    assert open_workbook(path, SheetOptions("B")).columns == ("x", "y")


def test_empty_workbooks_are_told(tmp_path: Path) -> None:
    """One sheet or several."""
    path = workbook(tmp_path, ("A", table()))
    assert refused(path) == "r.xlsx has no header: its sheet is empty; --sheet names another"
    path = workbook(tmp_path, ("A", table()), ("B", table([" "])))
    assert refused(path) == "r.xlsx has no header: its sheets are empty; --sheet names another"


@pytest.mark.parametrize("above", [1, 2, 19])
def test_a_header_below_other_rows_is_found_and_told(tmp_path: Path, above: int) -> None:
    """Titles, notes and merged group names stand above it; rows count from behind it, blank ones are none."""
    titles: list[Sequence[Any]] = [["Active staff"], *[[] if number % 2 else ["note"] for number in range(above - 1)]]
    path = workbook(tmp_path, ("S", table(*titles, ["uid", "name"], ["a", "A"], [], ["b", "B"])))
    message = f"row {above + 1} of the sheet 'S' is taken for the header; --header-row names another"
    behind = f"the sheet 'S' has 1 row behind blank ones, from row {above + 4} on, read like those before"
    blank = f"{behind}; delete what is no part of the table"
    assert read(path) == ([("a", "A"), ("b", "B")], {"header.found": message, "rows.behind_blank_rows": blank})
    assert open_workbook(path).place(2) == f"sheet row {above + 4}"


def test_a_header_too_far_below_is_not_found_and_can_be_named(tmp_path: Path) -> None:
    """The first row with something in it stands for the header then, for whoever binds its columns to refuse."""
    path = workbook(tmp_path, ("S", table(["Title"], *[["note"]] * 19, ["uid", "name"], ["a", "A"])))
    assert open_workbook(path).columns == ("Title", "_column_2")
    assert read(path, header_row=21) == ([("a", "A")], {})


def test_the_first_row_is_the_header_when_it_names_the_columns(tmp_path: Path) -> None:
    """Also when another one does: it may be the header once more."""
    path = workbook(tmp_path, ("S", table(["uid", "name"], ["a", "A"], ["uid", "name"], ["b", "B"])))
    assert read(path) == ([("a", "A"), ("uid", "name"), ("b", "B")], {})


def test_two_rows_that_can_be_the_header_are_refused(tmp_path: Path) -> None:
    """Which one it is has to be said."""
    path = workbook(tmp_path, ("S", table(["Title"], ["uid", "name"], ["a", "A"], ["name", "uid"], ["B", "b"])))
    said = (
        "row 1 of the sheet 'S' is no header, and rows 2 and 4 both look like one; say which it is with --header-row 2"
    )
    assert refused(path) == f"r.xlsx: {said}"
    assert read(path, header_row=4) == ([("B", "b")], {})
    assert refused(path, header_row=9) == (
        "r.xlsx has no header: row 9, which --header-row names, is blank; --sheet names another"
    )


def test_rows_that_name_only_some_of_the_columns_are_no_header(tmp_path: Path) -> None:
    """Unlike lines of a CSV: a sheet before that of the people may explain columns, and a heading may group them."""
    explained = table(["Column", "Meaning"], ["uid", "who it is"], ["name", "what others see"])
    path = workbook(tmp_path, ("Columns", explained), ("People", PEOPLE))
    assert read(path)[0] == [("a", "A")]
    path = workbook(
        tmp_path, ("S", table(["Staff"], ["Name", "", "Contact"], ["uid", "name", "phone"], ["a", "A", "1"]))
    )
    assert read(path)[0] == [("a", "A", "1")]


def test_a_better_row_than_the_one_that_is_named_is_told(tmp_path: Path) -> None:
    """Also below it, on whatever sheet; the named one is read, for whoever binds its columns to refuse."""
    path = workbook(tmp_path, ("S", table(["Staff", "2026"], [], ["uid", "name"], ["a", "A"])))
    for row in (1, 4):
        said = f"row 3 of the sheet 'S' looks like the header, and not row {row}, which --header-row names"
        assert read(path, header_row=row)[1] == {"header.another": f"{said}; give --header-row 3"}
    assert read(path, header_row=3) == ([("a", "A")], {})
    several = workbook(
        tmp_path, ("A", table(["x"])), ("B", table(["Staff"], ["uid", "name"], ["a", "A"])), name="s.xlsx"
    )
    said = "row 2 of the sheet 'B' looks like the header, and not row 1, which --header-row names; give --header-row 2"
    assert read(several, header_row=1)[1]["header.another"] == said
    assert read(several, header_row=2)[0] == [("a", "A")]


def test_the_needed_columns_are_those_of_the_mapping(tmp_path: Path) -> None:
    """Whatever they are called: a cover that has `uid` and `name` is none of a roster whose mapping says otherwise."""

    def missing(names: Sequence[str]) -> int:
        return len({"Personnel no.", "Full name"} - set(names))

    mapped = table(["As of May"], ["Personnel no.", "Full name"], ["1", "Ann"])
    path = workbook(tmp_path, ("A", PEOPLE), ("B", mapped))
    rows, told = read(path, missing=missing)
    assert (rows, sorted(told)) == ([("1", "Ann")], ["header.found", "sheet.found"])


def heading(book: Any, sheet: Any) -> None:
    """A title, and below it a heading of two rows with merged cells, as a personnel office makes it."""
    sheet.merge_range("A1:D1", "Staff, May 2026")
    sheet.merge_range("A3:A4", "No.")
    sheet.merge_range("B3:C3", "Name")
    sheet.merge_range("D3:D4", "Team")
    table([], [], [], [None, "Last", "First"], [7, "Lee", "Ann", "Deck"], [8, "Poe", "Bob"])(book, sheet)


def test_a_heading_of_merged_cells_is_one_header(tmp_path: Path) -> None:
    """Every column is called what a person calls it, whether the row is found or named."""

    def missing(names: Sequence[str]) -> int:
        return len({"No.", "Last"} - set(names))

    path = workbook(tmp_path, ("S", heading))
    rows = [("7", "Lee", "Ann", "Deck"), ("8", "Poe", "Bob", None)]
    message = "row 4 of the sheet 'S' is taken for the header; --header-row names another"
    assert read(path, missing=missing) == (rows, {"header.found": message})
    assert read(path, header_row=4) == (rows, {})
    assert open_workbook(path, SheetOptions(header_row=4)).columns == ("No.", "Last", "First", "Team")


def test_people_on_a_sheet_that_lacks_another_column_are_told(tmp_path: Path) -> None:
    """It cannot be read as it stands, before the one that is read or behind it; one of no people says nothing."""

    def missing(names: Sequence[str]) -> int:
        return len({"uid", "name", "photo"} - set(names))

    def of_people(names: Sequence[str]) -> int:
        return len({"uid", "name"} - set(names))

    staff = table(["uid", "name", "photo"], ["a", "A"])
    below = table([], ["Guests"], [], ["uid", "name"], ["g", "G"])
    devices = table(["uid", "device"], ["a", "phone"])
    path = workbook(tmp_path, ("Ext", PEOPLE), ("Staff", staff), ("Devices", devices), ("Old", hidden(PEOPLE)))
    partly = "people too, but not all columns that [columns] names; add these there, empty or not"
    rows, told = read(path, missing=missing, of_people=of_people)
    assert (rows, told["sheet.others"]) == (
        [("a", "A", None)], f"of its sheets only 'Staff' is read, and 'Ext' has {partly}, and {EACH}"
    )  # fmt: skip
    path = workbook(tmp_path, ("Staff", staff), ("Guests", below), ("More", staff), ("Ext", PEOPLE))
    whole = "of its sheets only 'Staff' is read, and 'More' has the needed columns as well"
    others = {"sheet.others": f"{whole}, and 'Guests', 'Ext' have {partly}, and {EACH}"}
    assert read(path, missing=missing, of_people=of_people) == ([("a", "A", None)], others)


def test_people_on_another_sheet_are_found_wherever_its_header_is(tmp_path: Path) -> None:
    """A number of a row that is named is that of one sheet; the heading of another may have several rows."""
    staff = table(["Staff"], [], ["uid", "name"], ["a", "A"])
    lines = table([None, "name"], ["uid", None], ["m", "M"])
    path = workbook(tmp_path, ("Staff", staff), ("First", PEOPLE), ("Lines", lines))
    others = f"of its sheets only 'Staff' is read, and 'First' has the needed columns as well; {EACH}"
    assert read(path, header_row=3) == ([("a", "A")], {"sheet.others": others})


def test_a_sheet_that_has_a_header_and_nobody_below_it_is_no_other(tmp_path: Path) -> None:
    """One is kept for the next hire, or as a form; whatever stands below a header may be somebody."""
    failed = table(["uid", "name"])

    def lookup(book: Any, sheet: Any) -> None:
        failed(book, sheet)
        sheet.write_formula(1, 0, "=VLOOKUP(1,Staff!A:B,1,0)", None, "#N/A")

    form = table(["Sales"], [], ["uid", "name"])
    path = workbook(tmp_path, ("Staff", PEOPLE), ("Sales", table(["uid", "name"])), ("Form", form))
    assert read(path) == ([("a", "A")], {})
    path = workbook(tmp_path, ("Staff", PEOPLE), ("Form", form), ("Lookup", lookup))
    others = f"of its sheets only 'Staff' is read, and 'Lookup' has the needed columns as well; {EACH}"
    assert read(path) == ([("a", "A")], {"sheet.others": others})

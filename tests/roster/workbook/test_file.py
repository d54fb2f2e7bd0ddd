"""Workbook rosters: cells are the text a person sees, and no type is guessed that loses something."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from provisioner import api
from provisioner.errors import RosterError
from provisioner.roster.workbook.file import open_workbook
from provisioner.roster.workbook.header import SheetOptions
from tests.rig.workbooks import by_hand, table, text, workbook


def refused(path: Path, sheet: str | None = None) -> str:
    """What is said of a workbook that cannot be read."""
    with pytest.raises(RosterError) as raised:
        open_workbook(path, SheetOptions(sheet))
    return str(raised.value).replace(str(path), path.name)


def test_cells_are_text_as_a_person_sees_it(tmp_path: Path) -> None:
    def fill(book: Any, sheet: Any) -> None:
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        sheet.write_row(0, 0, ["uid"])
        sheet.write_column(1, 0, [7, 1.5, 1234567890123456, 1e15, 0.25, True, False])
        sheet.write_string(8, 0, "00123")
        sheet.write_string(9, 0, " a ")
        sheet.write_string(10, 0, "2024-05-01 00:00:00")
        sheet.write_datetime(11, 0, dt.datetime(2024, 5, 1), day)  # noqa: DTZ001 - a workbook knows no zones
        sheet.write_datetime(12, 0, dt.datetime(2024, 5, 1, 13, 30, 15, 250_000), day)  # noqa: DTZ001
        sheet.write_datetime(13, 0, dt.time(13, 30), day)
        sheet.write_formula(14, 0, "=1+1", None, 2)
        sheet.write_row(15, 0, [None, "a row with an error"])
        sheet.write_formula(15, 0, "=NA()", None, "#N/A")
        sheet.write_string(16, 0, "1e5")

    roster = open_workbook(workbook(tmp_path, ("People", fill)))
    assert roster.columns == ("uid", "_column_2")
    assert roster.frame["uid"].to_list() == [
        "7", "1.5", "1234567890123456", "1000000000000000", "0.25", "true", "false", "00123", " a ",
        "2024-05-01 00:00:00", "2024-05-01", "2024-05-01T13:30:15.250", "13:30:00", "2", None, "1e5",
    ]  # fmt: skip


def test_dates_are_dates_wherever_the_table_begins(tmp_path: Path) -> None:
    def fill(book: Any, sheet: Any) -> None:
        sheet.write_row(4, 2, ["uid", "hired"])
        sheet.write_string(5, 2, "a")
        sheet.write_datetime(5, 3, dt.datetime(2024, 5, 1), book.add_format({"num_format": "d mmm yy"}))  # noqa: DTZ001

    roster = open_workbook(workbook(tmp_path, ("People", fill)))
    assert (roster.columns, roster.frame.rows()) == (("uid", "hired"), [("a", "2024-05-01")])


def test_empty_rows_are_no_rows(tmp_path: Path) -> None:
    def fill(book: Any, sheet: Any) -> None:
        table(["uid", "name"], ["a", "b"], [], ["", ""], [None, "d"])(book, sheet)
        for row in range(5, 50):
            sheet.write_blank(row, 0, None, book.add_format({"bold": True}))

    path = workbook(tmp_path, ("People", fill))
    assert open_workbook(path).frame.rows() == [("a", "b"), (None, "d")]
    assert open_workbook(path, limit=1).frame.rows() == [("a", "b")]
    assert open_workbook(path, limit=0).frame.rows() == []


def test_batches_are_numbered_and_progress_runs_up_to_the_size(tmp_path: Path) -> None:
    roster = open_workbook(workbook(tmp_path, ("People", table(["uid"], *([f"u{number}"] for number in range(2500))))))
    calls: list[tuple[int, int]] = []
    for _ in range(2):
        batches = list(roster.batches(lambda done, size: calls.append((done, size))))
        assert [(batch.first_row, batch.frame.height) for batch in batches] == [(1, 1000), (1001, 1500)]
    assert calls[-1] == (2500, roster.size)


def test_names_that_come_twice_are_told_and_missing_ones_made(tmp_path: Path) -> None:
    """Nobody may take one of two columns of a name for the other; whether that matters is for the mapping to say."""
    twice = open_workbook(workbook(tmp_path, ("People", table(["uid", " ", "uid"], ["a", "b", "c"]))))
    assert (twice.columns, twice.repeated) == (("uid", "_column_2", "_column_3_uid"), frozenset({"uid"}))
    path = workbook(tmp_path, ("People", table(["uid", " ", None, "name"], ["a", "b", "c", "d"])))
    assert open_workbook(path).columns == ("uid", "_column_2", "_column_3", "name")


def test_what_is_no_workbook_is_told_as_what_it_is(tmp_path: Path) -> None:
    whole = workbook(tmp_path, ("People", table(["uid"], ["a"]))).read_bytes()
    path = tmp_path / "x.xlsx"
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    said = "x.xlsx is an old .xls workbook or protected by a password; save it as .xlsx, without a password"
    assert refused(path) == said
    for broken in (whole[:-300], whole[:1000], b"uid,name\n"):
        path.write_bytes(broken)
        assert refused(path) == "x.xlsx cannot be read as a workbook: it is truncated, or not an .xlsx file"


def test_rows_know_their_place_in_the_sheet_and_hidden_ones_are_remarked(tmp_path: Path) -> None:
    """Blank rows do not count, and yet a row is found where its owner sees it, in any batch."""

    def fill(book: Any, sheet: Any) -> None:
        table(["uid"], *([] if number % 3 else [f"u{number}"] for number in range(6000)))(book, sheet)
        for row in (1, 2, 4, 5998):
            sheet.set_row(row, None, None, {"hidden": True})
        sheet.set_row(7, 0)

    roster = open_workbook(workbook(tmp_path, ("People", fill)))
    assert [roster.place(row) for row in (0, 1, 2, 2000, 2001)] == [
        None, "sheet row 2", "sheet row 5", "sheet row 5999", None
    ]  # fmt: skip
    remarks = [(batch.first_row, dict(batch.remarks)) for batch in roster.batches()]
    assert remarks == [(1, {"row.hidden": [0, 1, 2]}), (1001, {"row.hidden": [999]})]


def test_rounded_numbers_are_marked_in_their_batch_and_formulas_without_a_value_for_their_column(
    tmp_path: Path,
) -> None:
    """What a text cannot say of its cell is said beside it, and batches without it say nothing."""

    def fill(book: Any, sheet: Any) -> None:
        table(["uid", "name"], *([number, "A"] for number in range(1500)))(book, sheet)
        sheet.write_number(2, 0, 123456789012345678)
        sheet.write_string(3, 0, "123456789012345678")
        sheet.write_formula(1402, 1, "=A1", None, "")
        sheet.write_formula(1403, 1, "=A1", None, 0)

    path = workbook(tmp_path, ("People", fill))
    roster = open_workbook(path)
    first, second = roster.batches()
    assert [sorted(batch.cells) for batch in (first, second)] == [["rounded"], []]
    assert {name: each.arg_true().to_list() for name, each in first.cells["rounded"].items()} == {"uid": [1]}
    assert first.frame["uid"][1:3].to_list() == ["123456789012345700", "123456789012345678"]
    said = "it holds a formula without a stored value (B1403); open the workbook in Excel and save it"
    assert roster.unreadable == {"name": said}
    assert second.frame["name"][401:403].to_list() == [None, "0"]


def test_booleans_are_marked_and_dates_as_uids_warned_of(tmp_path: Path) -> None:
    """A person sees TRUE and 3-Apr, and neither is anybody's id or name; elsewhere they are what they are."""

    def fill(book: Any, sheet: Any) -> None:
        day = book.add_format({"num_format": "d-mmm"})
        table(["uid", "name", "x"], [None, "Ann", 1], ["b2", None, 2], [None, "Cy", None])(book, sheet)
        for row, column in ((1, 0), (2, 1), (2, 2)):
            sheet.write_boolean(row, column, True)
        sheet.write_datetime(3, 0, dt.datetime(2026, 4, 3), day)  # noqa: DTZ001

    path = workbook(tmp_path, ("People", fill))
    (batch,) = open_workbook(path).batches()
    marked = {name: each.arg_true().to_list() for name, each in batch.cells["not_text"].items()}
    assert marked == {"uid": [0], "name": [1], "x": [1]}
    found = api.validate(path, api.settings(environment={}, output={"file": tmp_path / "out.csv"})).document
    assert {code: each["first_rows"] for code, each in found["defects"].items()} == {
        "uid.not_text": [1],
        "name.not_text": [2],
    }
    assert {code: each["first_rows"] for code, each in found["warnings"].items()} == {"uid.looks_like_a_date": [3]}


def test_merged_cells_and_errors_are_told_once_and_only_of_rows(tmp_path: Path) -> None:
    """A person sees one value over three rows, and an error where nothing is sent: both are said with their place."""

    def fill(book: Any, sheet: Any) -> None:
        table(["uid", "name"], ["a", "A"], ["b"], ["c"], ["d", "D"])(book, sheet)
        sheet.merge_range("B2:B4", "A")
        sheet.merge_range("D1:E1", "Title")
        sheet.write_formula("A5", "=NA()", None, "#N/A")
        sheet.write_formula("C1", "=NA()", None, "#N/A")

    roster = open_workbook(workbook(tmp_path, ("People", fill)))
    told = {notice.code: notice.message.replace(str(tmp_path), "") for notice in roster.notices()}
    assert told == {
        "cells.merged": "/r.xlsx: in the sheet 'People' 1 range of merged cells (B2:B4): only the first cell of each "
        "has the value, the others are empty; take the merging back",
        "cells.error": "/r.xlsx: in the sheet 'People' 1 cell (A5) with an error such as #N/A: it is read as empty; "
        "mend the formulas",
    }


def test_a_used_range_to_the_end_of_the_sheet_costs_nothing(tmp_path: Path) -> None:
    """A blank or a value in the last cell there is makes no million rows and no sixteen thousand columns."""
    head = f"<row>{text('uid')}{text('name')}</row><row>{text('a')}{text('A')}</row>"
    blank = by_hand(tmp_path, head, f'<row r="1048576">{text(" ", "XFD1048576")}</row>')
    assert open_workbook(blank).frame.rows() == [("a", "A")]
    used = by_hand(tmp_path, head, f'<row r="1048576">{text("z", "XFD1048576")}</row>')
    roster = open_workbook(used)
    assert roster.columns == ("uid", "name", "_column_16384")
    assert (roster.frame.rows(), roster.place(2)) == ([("a", "A", None), (None, None, "z")], "sheet row 1048576")

"""Workbook rosters: cells are the text a person sees, and no type is guessed that loses something."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter  # type: ignore[import-untyped]

from provisioner.errors import RosterError
from provisioner.roster.formats.workbook import open_workbook

Fill = Callable[[Any, Any], None]


def workbook(folder: Path, *sheets: tuple[str, Fill]) -> Path:
    """Write a workbook; each sheet is filled by a function of the book and the sheet."""
    path = folder / "r.xlsx"
    with xlsxwriter.Workbook(path) as book:
        for name, fill in sheets:
            fill(book, book.add_worksheet(name))
    return path


def table(*lines: list[Any]) -> Fill:
    """Fill a sheet from its top left cell; None is no cell."""

    def fill(_: Any, sheet: Any) -> None:
        for number, line in enumerate(lines):
            sheet.write_row(number, 0, line)

    return fill


def refused(path: Path, sheet: str | None = None) -> str:
    """What is said of a workbook that cannot be read."""
    with pytest.raises(RosterError) as raised:
        open_workbook(path, sheet)
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


def test_the_sheet_is_the_first_or_the_one_named(tmp_path: Path) -> None:
    path = workbook(tmp_path, ("People", table(["uid"], ["a"])), ("New ones", table(["uid"], ["b"])), ("None", table()))
    assert open_workbook(path).frame.rows() == [("a",)]
    assert open_workbook(path, "New ones").frame.rows() == [("b",)]
    assert refused(path, "Old ones") == "r.xlsx has no sheet 'Old ones'; there is 'People', 'New ones', 'None'"
    assert refused(path, "None") == "r.xlsx has no header: its sheet is empty; --sheet names another"


def test_names_that_come_twice_are_refused_and_missing_ones_made(tmp_path: Path) -> None:
    path = workbook(tmp_path, ("People", table(["uid", " ", "uid"])))
    assert refused(path) == "r.xlsx: two columns are named 'uid'; rename or remove one"
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


def test_without_the_extra_it_is_said_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = workbook(tmp_path, ("People", table(["uid"], ["a"])))
    monkeypatch.setitem(sys.modules, "fastexcel", None)
    said = "r.xlsx: workbooks are read with a package of their own: pip install 'cometchat-provisioner[xlsx]'"
    assert refused(path) == said

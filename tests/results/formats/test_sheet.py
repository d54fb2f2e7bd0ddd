"""A sheet that is written is read back to the last character, whatever stands in it."""

from __future__ import annotations

import stat
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from structlog.testing import capture_logs

from provisioner.results.formats import sheet
from provisioner.results.formats.sheet import LONGEST_CELL, Look, cut, units, why_not, write_sheet
from provisioner.results.outputs import SHEET_ROWS
from provisioner.roster.workbook.file import open_workbook
from provisioner.roster.workbook.header import SheetOptions
from tests.rig.workbooks import seen_in

AWKWARD = [
    "=1+1", "+49 170", "-5", "@cmd", "'", "'=1", "''", "00042", "123456789012345678", "1E5", "TRUE", "2024-05-01",
    "#N/A", " blanks around ", "two\nlines", "two\r\nlines", "\ttab", "end\r", "\x01\x1f\x0b\x00", "_x0041_",
    "_x005F_x0041_", "_x", "\ufffe\uffff", "\u2028", "😀 Zoë 山田", "<r><t>rich</t></r>", "<r>", "a & b < c > d \"e\"",
    "]]>", "x" * LONGEST_CELL, "http://example.org", "mailto:a@b.c", "{=A1}", "internal:Sheet!A1",
]  # fmt: skip


def read_back(path: Path) -> pl.DataFrame:
    """The whole sheet, as a roster is read."""
    return open_workbook(path, SheetOptions(missing=lambda _: 0)).frame


@pytest.mark.parametrize("text", AWKWARD, ids=lambda text: ascii(text)[:30])
def test_a_text_is_read_back_to_the_last_character(tmp_path: Path, text: str) -> None:
    """In a cell and as a header: nothing in it is taken for markup, a formula, a link, a number or a date."""
    frame = pl.DataFrame({"a": ["first", None], f"h{text[:99]}": ["before", text], "z": ["x", "y"]})
    write_sheet(tmp_path / "s.xlsx", iter([frame]), frame.schema)
    assert read_back(tmp_path / "s.xlsx").equals(frame)


def test_numbers_and_moments_are_what_they_are(tmp_path: Path) -> None:
    """Whole numbers can be summed, moments sorted; a number of more digits than a workbook keeps is a text."""
    frame = pl.DataFrame(
        {
            "row": [1, None, 123456789012345678],
            "at": [datetime(2026, 1, 31, 23, 59, 59, 999000, UTC), None, datetime(1970, 1, 1, 0, 0, 0, 1000, UTC)],
        },
        schema={"row": pl.Int64, "at": pl.Datetime("ms", "UTC")},
    )
    path = tmp_path / "s.xlsx"
    write_sheet(path, frame.iter_slices(2), frame.schema)
    cells = [("1", "2026-01-31T23:59:59.999"), ("123456789012345678", "1970-01-01T00:00:00.001")]
    assert read_back(path).rows() == cells  # a row without anything is none
    with zipfile.ZipFile(path) as archive:
        xml = archive.read("xl/worksheets/sheet1.xml").decode()
    assert '<c r="A2"><v>1</v></c>' in xml
    assert '<c r="A4" t="inlineStr">' in xml


def test_nothing_is_left_beside_it_and_nobody_else_reads_it(tmp_path: Path) -> None:
    """What is written on the way is in a folder of ours, that of a run that was killed included; modes are kept."""
    path = tmp_path / "s.xlsx"
    path.touch(mode=0o600)
    (tmp_path / "s.xlsx.d").mkdir()
    (tmp_path / "s.xlsx.d" / "old").write_text("of a killed run")
    write_sheet(path, iter(()), pl.Schema({"a": pl.String()}))
    assert [each.name for each in tmp_path.iterdir()] == ["s.xlsx"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_same_rows_make_the_same_file(tmp_path: Path) -> None:
    """So that a file which a killed run has written is known for what it is."""
    frame = pl.DataFrame({"a": ["x"]})
    for name in ("one", "two"):
        write_sheet(tmp_path / name, iter([frame]), frame.schema, Look("S", lambda _: {"a": "wrong"}))
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_wrong_cells_are_filled_and_say_why(tmp_path: Path) -> None:
    """An empty one too; a column that is not there is passed over; a comment holds nothing that XML forbids."""
    frame = pl.DataFrame({"uid": ["a b", None], "name": ["Ann", "Bob"], "_errors": ["charset", "missing"]})
    notes = {"charset": {"uid": "why \x01 <&>", "gone": "?"}, "missing": {"uid": "none", "name": "twin"}}
    write_sheet(tmp_path / "s.xlsx", iter([frame]), frame.schema, Look(notes=lambda errors: notes[errors]))
    seen = seen_in(tmp_path / "s.xlsx")
    assert seen.filled == {"A2", "A3", "B3"}
    assert seen.comments == {"A2": "why \ufffd <&>", "A3": "none", "B3": "twin"}


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ((SHEET_ROWS, 16_384, LONGEST_CELL), None),
        (
            (SHEET_ROWS + 1, 1, 1),
            "1,048,576 rows are more than the 1,048,575 that a sheet has room for below its header",
        ),
        ((1, 16_385, 1), "16,385 columns are more than the 16,384 that a sheet has room for"),
        ((1, 1, 32_768), "a cell of 32,768 characters is longer than the 32,767 that a workbook has room for"),
    ],
)
def test_what_a_sheet_has_no_room_for_is_known_before(table: tuple[int, int, int], why: str | None) -> None:
    """The limits are those of Excel."""
    assert why_not(*table) == why


def test_a_text_of_emoji_takes_twice_the_room() -> None:
    """A cell's limit counts UTF-16; what is cut says so, and what fits is left whole beside it."""
    frame = pl.DataFrame({"a": ["😀" * 16_384, "x" * 32_767, None], "n": [1, 2, 3]})
    assert units(frame) == 32_768
    with capture_logs() as events:
        several = [*cut(iter([frame, frame]))]
    for shortened in several:
        assert shortened["a"].to_list() == ["😀" * 16_382 + "…", "x" * 32_767, None]
        assert units(shortened) <= LONGEST_CELL
    assert [each["event"] for each in events] == ["results.cut"]


def test_a_text_that_is_long_only_in_bytes_is_not_said_to_be_cut() -> None:
    """Most letters of the world take two or three."""
    frame = pl.DataFrame({"a": ["界" * 32_767]})
    with capture_logs() as events:
        assert [each.equals(frame) for each in cut(iter([frame]))] == [True]
    assert events == []


@pytest.mark.parametrize("title", ["a/b", "x" * 32, "[1]", "'quoted'", "History"])
def test_a_title_that_programs_refuse_is_replaced(tmp_path: Path, title: str) -> None:
    """It may come from a setting that was meant for another file."""
    write_sheet(tmp_path / "s.xlsx", iter([pl.DataFrame({"a": ["x"]})]), pl.Schema({"a": pl.String()}), Look(title))
    assert open_workbook(tmp_path / "s.xlsx", SheetOptions(missing=lambda _: 0)).sheet in {"Sheet1", title}


def test_rows_beyond_the_last_one_are_never_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever had not counted them before is told."""
    monkeypatch.setattr(sheet, "SHEET_ROWS", 3)
    frame = pl.DataFrame({"a": ["x", "y"]})
    with pytest.raises(OSError, match="a sheet has room for 3 rows"):
        write_sheet(tmp_path / "s.xlsx", iter([frame, frame]), frame.schema)

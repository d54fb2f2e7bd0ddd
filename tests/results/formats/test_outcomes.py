"""Results are read back as they were, from every format, and hurt nobody who opens them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from provisioner.results.formats.outcomes import OF_ROW, RESULT_SCHEMA, scan_results
from provisioner.results.lines import write_lines
from provisioner.results.outputs import FORMATS
from provisioner.roster.workbook.file import open_workbook
from provisioner.roster.workbook.header import SheetOptions

MIDNIGHT = datetime(2026, 2, 1, tzinfo=UTC)
ODD: list[dict[str, Any]] = [
    {"row": 1, "uid": "=cmd|'x'!a0", "uid_input": "=CMD|'x'!A0", "outcome": "rejected", "error_code": "uid.charset"},
    {"row": 2, "uid": "-nab_c-1", "uid_input": "-Nab_C-1", "outcome": "created", "auth_token": "-t=", "name": "+Ann"},
    {"row": 3, "uid": "'=x", "uid_input": "''@x", "name": "'tis", "error_message": "\t=1", "settled_at": MIDNIGHT},
    {"row": 4, "uid": "-a(1)", "name": "'", "error_message": "-", "created_at": 1_769_904_000, "attempts": 3},
    {"row": None, "uid": "gone", "name": "\uff1d1", "created_at": 1_769_904_001, "settled_at": MIDNIGHT},
]
FRAME = pl.DataFrame(ODD, schema=dict(RESULT_SCHEMA))


@pytest.mark.parametrize("suffix", FORMATS)
def test_what_was_written_is_read_back(tmp_path: Path, suffix: str) -> None:
    """Whatever a text begins with, apostrophes of its own included; midnight is a moment like any other."""
    path = tmp_path / f"r{suffix}"
    write_lines(path, FRAME.iter_slices(2), None)
    assert scan_results(path).collect().equals(FRAME)
    assert scan_results(path, ("uid", "row")).collect().equals(FRAME.select("uid", "row"))


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("name", ["users?", "users*", "users[12]"])
def test_a_file_is_read_by_its_very_name(tmp_path: Path, suffix: str, name: str) -> None:
    """Also where that is a pattern that fits its neighbours."""
    for each, rows in ((f"{name}{suffix}", FRAME.head(1)), (f"users1{suffix}", FRAME)):
        write_lines(tmp_path / each, iter([rows]), None)
    assert scan_results(tmp_path / f"{name}{suffix}").collect().equals(FRAME.head(1))


def test_no_text_of_a_csv_is_run_by_a_spreadsheet_program(tmp_path: Path) -> None:
    """But ids of letters, figures and hyphens and tokens stand as they are, because programs look for them."""
    write_lines(tmp_path / "r.csv", iter([FRAME]), None)
    written = pl.read_csv(tmp_path / "r.csv", infer_schema=False)
    assert written["uid"].to_list() == ["'=cmd|'x'!a0", "-nab_c-1", "''=x", "'-a(1)", "gone"]
    assert written["uid_input"].to_list() == ["'=CMD|'x'!A0", "'-Nab_C-1", "'''@x", None, None]
    assert written["name"].to_list() == [None, "'+Ann", "'tis", "'", "'\uff1d1"]
    assert written["error_message"].to_list() == [None, None, "'\t=1", "'-", None]
    assert written["auth_token"].to_list() == [None, "-t=", None, None, None]
    at = "2026-02-01T00:00:00.000Z"
    assert written["settled_at"].to_list() == [None, None, at, None, at]


def test_times_have_the_type_of_one_where_there_is_one(tmp_path: Path) -> None:
    """A moment in UTC in Parquet; in a sheet the server's time as well."""
    write_lines(tmp_path / "r.parquet", iter([FRAME]), None)
    assert pl.read_parquet(tmp_path / "r.parquet").schema == pl.Schema(RESULT_SCHEMA)
    write_lines(tmp_path / "r.xlsx", iter([FRAME]), None)
    sheet = open_workbook(tmp_path / "r.xlsx", SheetOptions(missing=lambda _: 0)).frame
    assert sheet["created_at"].to_list()[3:] == ["2026-02-01", "2026-02-01T00:00:01"]
    assert sheet["settled_at"].to_list()[4] == "2026-02-01"


@pytest.mark.parametrize("suffix", FORMATS)
def test_rows_that_were_fed_in_again_say_which_they_were(tmp_path: Path, suffix: str) -> None:
    """One column more, behind the others; whoever asks for the results as documented does not see it."""
    path = tmp_path / f"r{suffix}"
    frame = FRAME.with_columns(pl.Series(OF_ROW, [7, None, 3, 9, 1]))
    write_lines(path, iter([frame]), None, fed_again=True)
    assert scan_results(path).collect().equals(FRAME)
    assert scan_results(path, ("row", OF_ROW)).collect().rows() == frame.select("row", OF_ROW).rows()


def test_results_of_an_older_version_have_no_names_and_no_apostrophes(tmp_path: Path) -> None:
    """Nothing is taken away from them."""
    path = tmp_path / "r.csv"
    path.write_text(",".join(list(RESULT_SCHEMA)[:-1]) + "\n1,a,'=A,created,200,1,,,t,7,2026-01-31T10:00:00.250Z\n")
    at = datetime(2026, 1, 31, 10, 0, 0, 250_000, UTC)
    assert scan_results(path).collect().rows() == [(1, "a", "'=A", "created", 200, 1, None, None, "t", 7, at, None)]


def test_another_ending_is_refused() -> None:
    """The format is the ending."""
    with pytest.raises(KeyError, match=r"results are read from \.csv, \.parquet, \.ndjson and \.xlsx"):
        scan_results(Path("r.txt"))

"""The rejected rows, as a file that can be mended and fed in again."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import polars as pl
import pytest

from provisioner.results.rejections import Dress, reasons_in, why_no_workbook, write_rejected
from provisioner.results.spool import Spool
from provisioner.roster.workbook.file import open_workbook
from tests.rig.workbooks import seen_in


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_rejected_rows_come_in_the_rosters_format_and_a_stale_file_goes(tmp_path: Path, suffix: str) -> None:
    """Own columns in own order, then `_row` and `_errors`; nothing rejected leaves no file, not even an old one."""
    path = tmp_path / f"r.rejected{suffix}"
    rejected = pl.DataFrame({"Name": [" x "], "uid": ["ü"], "_row": [7], "_errors": ["uid.charset: it is"]})
    with closing(Spool(tmp_path)) as spool:
        spool.append(rejected.clear())
        spool.append(rejected)
        write_rejected(path, spool)
    read = pl.read_csv(path) if suffix == ".csv" else pl.read_parquet(path)
    assert (read.columns, read.rows()) == (["Name", "uid", "_row", "_errors"], [(" x ", "ü", 7, "uid.charset: it is")])
    for stale in (True, False):
        with closing(Spool(tmp_path)) as empty:
            empty.append(rejected.clear())
            write_rejected(path, empty)
        assert list(tmp_path.iterdir()) == [], f"with a stale file: {stale}"


MANY = (
    "uid.charset: ' ' in 'a b; name.missing', only …; uid.too_long: 120 characters, at most 100; "
    "name.missing: no name, one is required; tags.not_a_list: '[' is no JSON (a; b), an array; "
    "metadata.too_large: 6000 bytes, at most 5120; with_auth_token.not_a_boolean: 'x' is neither; "
    "row.swallowed: a cell holds what looks like a row of this file"
)


def test_the_defects_of_a_row_are_told_apart() -> None:
    """What a message quotes is no defect of its own unless it looks exactly like one."""
    assert reasons_in("") == []
    assert reasons_in("uid.missing: no uid, one is required") == [
        ("uid.missing", "uid.missing: no uid, one is required")
    ]
    found = reasons_in(MANY)
    assert "; ".join(words for _, words in found) == MANY
    assert [code for code, _ in found] == [
        "uid.charset",
        "uid.too_long",
        "name.missing",
        "tags.not_a_list",
        "metadata.too_large",
        "with_auth_token.not_a_boolean",
        "row.swallowed",
    ]


def test_a_workbook_marks_the_cells_that_are_wrong(tmp_path: Path) -> None:
    """All columns that feed the field, with every defect they have part in; what is the whole row's is in `_errors`."""
    path = tmp_path / "r.rejected.xlsx"
    rows = {"first": ["", "Bo"], "last": [None, "Lee"], "id": ["a b", "007"], "Flag": ["x", "yes"]}
    frame = pl.DataFrame({**rows, "_row": [2, 9], "_errors": [MANY, "body.too_large: 10241 bytes, at most 10240"]})
    feeds = {"uid": ("id",), "name": ("first", "last"), "withAuthToken": ("Flag",), "metadata": ()}
    with closing(Spool(tmp_path)) as spool:
        spool.append(frame)
        write_rejected(path, spool, Dress(sheet="People", feeds=feeds))
        assert why_no_workbook(spool, ()) is None
    assert open_workbook(path).frame.rows() == [
        (None, None, "a b", "x", "2", MANY),
        ("Bo", "Lee", "007", "yes", "9", "body.too_large: 10241 bytes, at most 10240"),
    ]
    words = dict(reasons_in(MANY))
    seen = seen_in(path)
    assert seen.filled == {"A2", "B2", "C2", "D2", "F2", "F3"}
    assert seen.comments == {
        "A2": words["name.missing"],
        "B2": words["name.missing"],
        "C2": f"{words['uid.charset']}\n{words['uid.too_long']}",
        "D2": words["with_auth_token.not_a_boolean"],
        "F2": "\n".join(words[code] for code in ("tags.not_a_list", "metadata.too_large", "row.swallowed")),
        "F3": "body.too_large: 10241 bytes, at most 10240",
    }


def test_rows_that_no_workbook_has_room_for_are_told(tmp_path: Path) -> None:
    """A text of more than 32,767 characters, which programs other than Excel put into workbooks."""
    with closing(Spool(tmp_path)) as spool:
        spool.append(pl.DataFrame({"uid": ["x" * 40_000], "_row": [1], "_errors": ["uid.too_long: too long"]}))
        assert why_no_workbook(spool, ()) == (
            "a cell of 40,000 characters is longer than the 32,767 that a workbook has room for"
        )

"""The rejected rows, as a file that can be mended and fed in again."""

from __future__ import annotations

import gzip
from contextlib import closing
from datetime import date, time, timedelta
from decimal import Decimal
from math import inf, nan
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from provisioner import api
from provisioner.results.formats.plaintext import as_text
from provisioner.results.rejections import Dress, reasons_in, why_no_workbook, write_rejected
from provisioner.results.spool import Spool
from provisioner.roster.reader import RosterOptions, open_roster
from provisioner.roster.workbook.file import open_workbook
from provisioner.settings.tables import Settings
from provisioner.wording import shortened
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


NAMELESS = "name.missing: none"
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


@pytest.mark.parametrize(
    "cell", ["q; name.missing: z", "it's; name.missing: z", "'", "a 'b'c", "…; uid.too_long: 9", ""]
)
def test_what_a_message_quotes_of_a_cell_is_no_defect(cell: str) -> None:
    """Though it says what a defect would; what comes behind it is told apart all the same."""
    words = [f"uid.charset: ' ' in {shortened(cell)}, only …", f"tags.not_a_list: {shortened(cell)}", NAMELESS]
    assert reasons_in("; ".join(words)) == [(each.partition(": ")[0], each) for each in words]


def test_a_workbook_marks_the_cells_that_are_wrong(tmp_path: Path) -> None:
    """All columns that feed the field, with every defect they have part in; what is the whole row's is in `_errors`."""
    path = tmp_path / "r.rejected.xlsx"
    rows = {"first": ["", "Bo"], "last": [None, "Lee"], "id": ["a b", "007"], "Flag": ["x", "yes"]}
    frame = pl.DataFrame({**rows, "_row": [2, 9], "_errors": [MANY, "body.too_large: 10241 bytes, at most 10240"]})
    feeds = {"uid": ("id",), "name": ("first", "last"), "withAuthToken": ("Flag",), "metadata": ()}
    with closing(Spool(tmp_path)) as spool:
        spool.append(frame)
        write_rejected(path, spool, Dress(sheet="People", feeds=feeds))
        assert why_no_workbook(spool, Dress()) is None
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
        assert why_no_workbook(spool, Dress()) == (
            "a cell of 40,000 characters is longer than the 32,767 that a workbook has room for"
        )


def test_no_text_of_a_csv_is_run_by_a_spreadsheet_program(tmp_path: Path) -> None:
    """One column more says of which rows the texts have an apostrophe; read as a roster they are as they were."""
    rows = {"uid": ["=1+1", "b b", "-5", "'=x"], "note": ["'tis", "+49", None, "\tz"]}
    added = {"_row": [1, 2, 3, 4], "_errors": ["uid.charset: it is"] * 4}
    path = tmp_path / "r.rejected.csv"
    with closing(Spool(tmp_path)) as spool:
        spool.append(pl.DataFrame({**rows, **added}))
        write_rejected(path, spool, Dress(delimiter=";"))
    assert path.read_text().splitlines() == [
        "uid;note;_row;_errors;_apostrophes",
        "'=1+1;'tis;1;uid.charset: it is;yes",
        "b b;'+49;2;uid.charset: it is;yes",
        "'-5;;3;uid.charset: it is;yes",
        "''=x;'\tz;4;uid.charset: it is;yes",
    ]
    with closing(open_roster(path, RosterOptions(missing=lambda _: 0))) as roster:
        assert roster.columns == ("uid", "note", "_row", "_errors")
        assert (
            pl.concat(batch.frame for batch in roster.batches()).select("uid", "note").to_dict(as_series=False) == rows
        )


def test_a_row_whose_apostrophe_somebody_took_away_is_as_it_is_written(tmp_path: Path) -> None:
    """Only texts that begin with apostrophes before a sign lose one, and only in the rows that are named."""
    path = tmp_path / "r.rejected.csv"
    path.write_text("uid,name,_row,_errors,_apostrophes\na,=1,1,x,yes\nb,'=1,2,x,yes\nc,'=1,3,x,\nd,'tis,4,x,yes\n")
    with closing(open_roster(path)) as roster:
        frame = pl.concat(batch.frame for batch in roster.batches())
    assert frame["name"].to_list() == ["=1", "=1", "'=1", "'tis"]


@pytest.mark.parametrize("kept", ["", "_row", "_errors"])
def test_apostrophes_go_also_where_somebody_has_deleted_what_else_was_added(tmp_path: Path, kept: str) -> None:
    """Why the rows were rejected is of no use to whoever has mended them."""
    path = tmp_path / "r.rejected.csv"
    columns = ["uid", "name", *filter(None, [kept]), "_apostrophes"]
    path.write_text(",".join(columns) + "\na,'=1," + ("1," if kept else "") + "yes\n")
    with closing(open_roster(path)) as roster:
        frame = pl.concat(batch.frame for batch in roster.batches())
    assert (frame["name"].to_list(), "_apostrophes" in frame.columns) == (["=1"], False)


def test_a_column_of_a_roster_that_is_called_like_that_of_apostrophes_marks_nothing(tmp_path: Path) -> None:
    """What is no text is not ours."""
    path = tmp_path / "r.parquet"
    pl.DataFrame({"uid": ["a"], "name": ["'=1"], "_apostrophes": [["yes"]]}).write_parquet(path)
    with closing(open_roster(path)) as roster:
        frame = pl.concat(batch.frame for batch in roster.batches())
    assert frame["name"].to_list() == ["'=1"]


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_rows_of_a_typed_roster_come_back_as_texts_that_mean_the_same(tmp_path: Path, suffix: str) -> None:
    """Numbers to the digit, dates in ISO 8601, lists and objects as JSON; tags are texts, null members are left out."""
    frame = pl.DataFrame(
        {
            "id": pl.Series([123456789012345678, 7], dtype=pl.Int64),
            "score": [1.0, 0.25],
            "born": [date(2000, 1, 2), None],
            "kind": pl.Series(["x", None], dtype=pl.Categorical),
            "on": [True, False],
            "tags": [[1, None, 2], None],
            "meta": [{"a": 1, "b": None, "c": [1, None]}, {"a": None, "b": None, "c": None}],
            "_row": [3, 4],
            "_errors": [NAMELESS] * 2,
        }
    )
    path = tmp_path / f"r.rejected{suffix}"
    with closing(Spool(tmp_path)) as spool:
        spool.append(frame)
        write_rejected(path, spool, Dress(feeds={"tags": ("tags",)}))
    with closing(open_roster(path, RosterOptions(missing=lambda _: 0))) as roster:
        read = pl.concat(batch.frame for batch in roster.batches())
    assert read.rows() == [
        ("123456789012345678", "1", "2000-01-02", "x", "true", '["1","2"]', '{"a":1,"c":[1,null]}', "3", NAMELESS),
        ("7", "0.25", None, None, "false", None, None, "4", NAMELESS),
    ]


def test_what_has_no_form_in_json_is_a_bare_word_in_it() -> None:
    """All around it is JSON as ever, whatever else the object holds; a text that says the same stands in quotes."""
    objects = [
        {"n": nan, "pay": Decimal("10.50"), "on": date(2024, 1, 2), "in": [{"at": time(1, 2), "no": None}], "s": "NaN"},
        {"n": -inf, "pay": None, "key": b"\x00\xff", "long": timedelta(hours=1, microseconds=5)},
        {"n": 0.5, "pay": Decimal("-1.00"), "key": None, "long": None},
    ]
    kind = {
        "n": pl.Float64(), "pay": pl.Decimal(10, 2), "on": pl.Date(), "key": pl.Binary(), "long": pl.Duration("us"),
        "in": pl.List(pl.Struct({"at": pl.Time(), "no": pl.Int8()})), "s": pl.String(),
    }  # fmt: skip
    frame = pl.DataFrame({"meta": pl.Series(objects, dtype=pl.Struct(kind))})
    assert as_text(frame, ())["meta"].to_list() == [
        '{"n":NaN,"pay":10.50,"on":"2024-01-02","in":[{"at":"01:02:00"}],"s":"NaN"}',
        '{"n":-Infinity,"key":0x00ff,"long":PT1H0.000005S}',
        '{"n":0.5,"pay":-1.00}',
    ]


ESCAPED = r'C:\temp "x" y', '5" pipe\\', "a\nb; c", "\\"


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("name", "delimiter", "reading"),
    [
        ("r.csv", ",", {}),
        ("r.csv", ";", {}),
        ("r.csv", "^", {"delimiter": "^"}),
        ("r.tsv", "\t", {}),
        ("r.csv", ",", {"header_row": 2}),
        ("r.csv", "^", {"delimiter": "^", "header_row": 2}),
        ("r.csv.gz", ",", {}),
    ],
)
def test_an_escape_of_the_roster_is_none_of_its_rejected_rows(
    tmp_path: Path, name: str, delimiter: str, reading: dict[str, Any]
) -> None:
    """They are read with the settings of the roster, as what they were; so is where that had its header."""
    cells = [text.replace("\\", "\\\\").replace('"', '\\"') for text in ESCAPED]
    lines = [delimiter.join(["uid", "name", '"two\nlines"'])]
    lines += [delimiter.join([f"es {row}", f'"{cell}"', f'"{cell}"']) for row, cell in enumerate(cells)]
    text = "\n".join([*(["a title"] if "header_row" in reading else []), *lines, ""])
    path = tmp_path / name
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    for again in ("one.csv", "two.csv"):
        tables = {"run": {"escape": "\\", **reading}, "output": {"file": tmp_path / again}}
        ended = api.validate([str(path)], Settings.model_validate(tables))
        path = Path(str(ended.outputs["rejected"]))
        options = RosterOptions(escape="\\", delimiter=reading.get("delimiter"), header_row=reading.get("header_row"))
        with closing(open_roster(path, options)) as roster:
            frame = pl.concat(batch.frame for batch in roster.batches())
        assert frame.columns == ["uid", "name", "two\nlines", "_row", "_errors"]
        expected = [(f"es {row}", text, text, str(row + 1)) for row, text in enumerate(ESCAPED)]
        assert frame.drop("_errors").rows() == expected, again


def test_a_roster_with_an_escape_is_read_with_it_whatever_its_columns_are_called(tmp_path: Path) -> None:
    """One of both columns that are added does not make rejected rows of it."""
    path = tmp_path / "r.csv"
    path.write_text('uid,name,_row\na,"b \\"c\\"",1\n')
    with closing(open_roster(path, RosterOptions(escape="\\"))) as roster:
        assert next(roster.batches()).frame.rows() == [("a", 'b "c"', "1")]


@pytest.mark.parametrize(
    ("tags", "kind", "expected"),
    [
        ([[3.0, 4.5], [float("nan"), 7.0], None, [None]], pl.List(pl.Float64), ['["3","4.5"]', '["7"]', None, "[]"]),
        ([[3.0, 2.5]], pl.Array(pl.Float32, 2), ['["3","2.5"]']),
        ([[Decimal("3.00"), Decimal("4.50")]], pl.List(pl.Decimal(6, 2)), ['["3","4.50"]']),
        ([[1, None]], pl.List(pl.Int64), ['["1"]']),
        ([[date(2024, 5, 1)]], pl.List(pl.Date), ['["2024-05-01"]']),
    ],
)
def test_tags_that_are_numbers_are_written_as_they_are_sent(tags: list[Any], kind: Any, expected: list[Any]) -> None:
    """A number without a fraction has none, and NaN is no tag: fed in again, the rows have the tags that they had."""
    frame = pl.DataFrame({"t": pl.Series(tags, dtype=kind)})
    assert as_text(frame, (), ["t"])["t"].to_list() == expected

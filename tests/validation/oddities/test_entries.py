"""Rows that are fed in as they were rejected stay rejected, also where their text does not show why."""

from __future__ import annotations

import gzip
import json
from contextlib import closing
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from provisioner import api
from provisioner.results.rejections import reasons_in
from provisioner.roster.reader import RosterOptions, open_roster
from provisioner.settings.tables import Settings
from provisioner.validation.fields.mapping import parse_mapping
from provisioner.validation.oddities.entries import holding, numbers_before, said, still_swallowed, unplaced
from tests.rig.workbooks import table, workbook

FLOATS = pl.DataFrame({"_row": [1.0, None], "_errors": ["name.missing: none", ""]})
ROUNDED = "uid.rounded: '123456789012345700' is a number of more than 15 digits in a workbook, which keeps only 15"


def test_what_is_said_under_a_code_ends_where_the_next_one_begins() -> None:
    """Codes that stand in a value, or in a row that says nothing of this one, do not count; blanks around do not."""
    entries = [f"uid.missing: none; {ROUNDED}; name.missing: no name", f" {ROUNDED} ", "name.missing: none", "", None]
    frame = pl.DataFrame({"_errors": entries})
    words = ROUNDED.removeprefix("uid.rounded: ")
    found = said(frame, "uid.rounded")
    assert found is not None
    assert found.to_list() == [words, words, None, None, None]
    assert said(frame, "uid.duplicate") is None
    assert said(frame.rename({"_errors": "errors"}), "uid.rounded") is None


def test_it_holds_of_the_value_that_it_was_said_of() -> None:
    """Not of a longer one that begins so, and not where somebody has emptied the entry."""
    values = ["123456789012345700", "123456789012345678", "1234567890123457000", None, "123456789012345700"]
    frame = pl.DataFrame({"_errors": [ROUNDED] * 4 + [""], "uid": values})
    found = holding(frame, "uid.rounded", lambda: frame["uid"])
    assert found is not None
    assert found.is_not_null().to_list() == [True, False, False, False, False]
    assert holding(frame, "uid.rounded", lambda: frame["uid"] + "1") is None


def test_a_row_that_held_others_does_so_as_long_as_a_cell_has_line_ends() -> None:
    """Of a row that was mended, and of one of which it was never said, nothing is left."""
    entry = "row.swallowed: a cell holds what looks like a row of this file"
    frame = pl.DataFrame({"uid": ["a", "b", "c"], "name": ["A\nb,B", "B", "C\nd,D"], "_errors": [entry, entry, "x"]})
    assert still_swallowed(frame) == [0]
    assert still_swallowed(frame.drop("_errors")) == ()


def test_a_number_of_an_earlier_round_may_have_been_written_with_a_fraction() -> None:
    """Text or a float; what is empty is a new row, and what is no number has its place lost."""
    texts = [" 3 ", "3.0", "12.00", "3.5", "third", "", " ", None]
    frame = pl.DataFrame({"_row": texts, "_errors": [None] * 8}, schema_overrides={"_errors": pl.String})
    found = numbers_before(frame)
    assert found is not None
    assert found.to_list() == [3, 3, 12, None, None, None, None, None]
    assert unplaced(frame) == [3, 4]
    floats = numbers_before(FLOATS)
    assert floats is not None
    assert floats.to_list() == [1, None]
    assert (numbers_before(frame.drop("_errors")), unplaced(frame.drop("_row")), unplaced(FLOATS)) == (None, (), [])


def numbers(folder: Path) -> Path:
    rows = [(123456789012345678, "Ann"), (123456789012345679, "Bob"), ("rr 3", "Cy"), ("t4", True)]
    return workbook(folder, ("People", table(("uid", "name"), *rows)))


OBJECTS = [
    {"uid": "rn1", "name": {"first": "Ann"}},
    {"uid": True, "name": "B"},
    {"uid": "rn3", "name": ["x"]},
    {"uid": {"id": 4}, "name": "Cy", "tags": ["x" * 101]},
]


def lines(folder: Path) -> Path:
    (folder / "r.ndjson").write_text("".join(f"{json.dumps(row)}\n" for row in OBJECTS))
    return folder / "r.ndjson"


def packed(folder: Path) -> Path:
    path = folder / "r.ndjson.gz"
    path.write_bytes(gzip.compress(lines(folder).read_bytes()))
    return path


def typed(folder: Path) -> Path:
    metadata = pl.Series([{"a": b"\xff", "b": 1.0}, {"a": None, "b": float("nan")}])
    pl.DataFrame({"uid": ["a", "b"], "name": ["A", "B"], "metadata": metadata}).write_parquet(folder / "r.parquet")
    return folder / "r.parquet"


ALL: dict[Any, list[tuple[str, ...]]] = {
    numbers: [("uid.rounded",), ("uid.rounded",), ("uid.charset",), ("name.not_text",)],
    lines: [("name.not_text",), ("uid.not_text",), ("name.not_text",), ("uid.not_text", "tags.too_long")],
    packed: [("name.not_text",), ("uid.not_text",), ("name.not_text",), ("uid.not_text", "tags.too_long")],
    typed: [("metadata.not_an_object",), ("metadata.not_an_object",)],
}


def check(roster: Path, results: str, rejected_format: str, *, strict: bool = False) -> tuple[Path, Any]:
    """Check a roster; its rejected rows and the summary."""
    tables = {"output": {"file": roster.with_name(results), "rejected_format": rejected_format}}
    ended = api.validate([str(roster)], Settings.model_validate({**tables, "run": {"strict": strict}}))
    return Path(str(ended.outputs["rejected"])), ended.document


def rejected_in(path: Path) -> pl.DataFrame:
    with closing(open_roster(path, RosterOptions(missing=lambda _: 0))) as roster:
        return pl.concat(batch.frame for batch in roster.batches())


def codes(path: Path) -> list[tuple[str, ...]]:
    return [tuple(code for code, _ in reasons_in(entry)) for entry in rejected_in(path)["_errors"].to_list()]


@pytest.mark.sampled
@pytest.mark.parametrize("rejected_format", ["same", "csv", "xlsx"])
@pytest.mark.parametrize("roster", ALL)
def test_rejected_rows_that_nobody_touched_are_rejected_again(
    tmp_path: Path, roster: Any, rejected_format: str
) -> None:
    """For the same reasons, in whatever form they come back, and however often."""
    path = roster(tmp_path)
    for name in ("one.csv", "two.csv", "three.csv"):
        path, summary = check(path, name, rejected_format)
        assert codes(path) == ALL[roster], name
    assert summary["mended"] == {"before": len(ALL[roster]), "mended": 0, "rejected": len(ALL[roster])}


@pytest.mark.parametrize("rejected_format", ["csv", "xlsx"])
def test_a_row_that_was_mended_is_taken_and_the_others_are_not(tmp_path: Path, rejected_format: str) -> None:
    """Another value does it, and an emptied entry for a value that is right as it stands."""
    path, _ = check(numbers(tmp_path), "one.csv", rejected_format)
    frame = rejected_in(path)
    mended = frame.with_columns(
        uid=pl.Series(["123456789012345678", frame["uid"][1], "rr3", "t4"]),
        _errors=pl.Series([*frame["_errors"][:3], None]),
    )
    mended.write_csv(tmp_path / "mended.csv")
    again, summary = check(tmp_path / "mended.csv", "two.csv", rejected_format)
    assert rejected_in(again).select("uid", "name", "_row").rows() == [("123456789012345700", "Bob", "2")]
    assert summary["mended"] == {"before": 3, "mended": 2, "rejected": 1}


ODD = (
    "uid,name,email,tags\n"
    + "".join(f'100000{n:02},P {n},p{n}@x.y,"a,b{n}"\n' for n in range(30))
    + '12345,Ann Q,p1@x.y,"a,b"\nk1,"ANN  q\nb2,Bob,z,t\nc3,C",,\nTotal,31,,\n'
)
OF_ALL = [("tags.not_split",)] * 30
OF_OTHERS = [
    ("uid.zeros_lost", "email.shared", "tags.not_split"),
    ("row.swallowed",),
    ("row.not_a_person",),
]


@pytest.mark.parametrize("rejected_format", ["csv", "xlsx"])
def test_what_other_rows_gave_reason_for_holds_without_them(tmp_path: Path, rejected_format: str) -> None:
    """With `strict`; without it the same rows are only warned of."""
    (tmp_path / "r.csv").write_text(ODD)
    path, _ = check(tmp_path / "r.csv", "one.csv", rejected_format, strict=True)
    assert codes(path) == OF_ALL + OF_OTHERS
    frame = rejected_in(path)
    frame.tail(3).write_csv(tmp_path / "some.csv")
    again, summary = check(tmp_path / "some.csv", "two.csv", rejected_format, strict=True)
    assert codes(again) == OF_OTHERS
    assert rejected_in(again)["_errors"].to_list() == frame["_errors"].tail(3).to_list()
    _, summary = check(tmp_path / "some.csv", "three.csv", rejected_format)
    assert (summary["outputs"]["rejected"], summary["rejected"]) == (None, 0)
    assert {code: found["rows"] for code, found in summary["warnings"].items()} == dict.fromkeys(
        ["uid.zeros_lost", "email.shared", "tags.not_split", "row.swallowed", "row.not_a_person"], 1
    )


@pytest.mark.parametrize(("mended", "expected"), [("kein", [("uid.not_an_address",)]), ("k@x.y", [])])
def test_a_text_among_addresses_is_none_without_them(
    tmp_path: Path, mended: str, expected: list[tuple[str, ...]]
) -> None:
    """Nothing in the row shows that the others had addresses; it holds as long as the text is the same."""
    (tmp_path / "r.csv").write_text("mail,name\n" + "".join(f"p{n}@x.y,P\n" for n in range(9)) + "kein,K\n")
    settings = {
        "columns": parse_mapping({"uid": {"column": "mail", "encode": "hex"}, "name": "name"}),
        "run": {"strict": True},
    }
    for name in ("r.csv", "again.csv"):
        output = {"output": {"file": tmp_path / f"of {name}"}}
        ended = api.validate([str(tmp_path / name)], Settings.model_validate({**settings, **output}))
        if ended.outputs["rejected"] is not None:
            path = Path(str(ended.outputs["rejected"]))
            assert codes(path) == [("uid.not_an_address",)]
            rejected_in(path).with_columns(mail=pl.lit(mended)).write_csv(tmp_path / "again.csv")
    assert (codes(path) if ended.outputs["rejected"] is not None else []) == expected


def test_what_other_rows_gave_reason_for_is_over_with_another_value(tmp_path: Path) -> None:
    """Field by field: a mended uid says nothing of the address."""
    (tmp_path / "r.csv").write_text(ODD)
    path, _ = check(tmp_path / "r.csv", "one.csv", "csv", strict=True)
    frame = rejected_in(path).tail(3)
    frame = frame.with_columns(
        uid=pl.Series(["00012345", "k1", "t9"]), name=pl.Series(["Ann Q", "Kay", "31"]), tags=pl.Series(["a;b", "", ""])
    )
    frame.write_csv(tmp_path / "some.csv")
    again, summary = check(tmp_path / "some.csv", "two.csv", "csv", strict=True)
    assert codes(again) == [("email.shared",)]
    assert summary["mended"] == {"before": 3, "mended": 2, "rejected": 1}


@pytest.mark.parametrize("numbers", [pl.Series([[1], None]), pl.Series([b"\xff", None]), pl.Series([{"a": 1}, None])])
def test_a_number_of_a_type_that_is_none_is_told_and_ends_nothing(numbers: pl.Series) -> None:
    """Whatever a program made of the column in Parquet."""
    frame = pl.DataFrame({"_row": numbers, "_errors": ["", ""]})
    found = numbers_before(frame)
    assert found is not None
    assert (found.to_list(), unplaced(frame)) == ([None, None], [0])

"""Rejected rows that come back by way of other programs and formats: they are what they were, or it is told."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.rig.cases import document, users
from tests.rig.command import Finished, provisioner, rows

MOMENTS = pl.Series(["2024-01-01T01:02:03.0", "2024-01-01T01:02:03.5", "1880-01-01T00:00:00.0"]).str.to_datetime()
TYPES = {
    "date": pl.Date(),
    "milliseconds": pl.Datetime("ms"),
    "microseconds": pl.Datetime("us"),
    "nanoseconds": pl.Datetime("ns"),
    "utc": pl.Datetime("us", "UTC"),
    "berlin": pl.Datetime("ms", "Europe/Berlin"),
}


def validate(folder: Path, roster: str, *more: object) -> Finished:
    return provisioner("validate", roster, *more, "--show", "9", "--json", cwd=folder)


def sent(ended: Finished) -> list[Any]:
    """The metadata of each row that would be sent."""
    return [each["body"]["metadata"] for each in ended.summary["shown_requests"]]


@pytest.mark.slow
@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_dates_and_times_of_a_mended_row_are_what_they_were(tmp_path: Path, form: str) -> None:
    """Of every type and precision: a CSV or workbook of rejected rows says of them what the Parquet file would send."""
    moments = {name: MOMENTS.cast(kind) for name, kind in TYPES.items()}
    moments |= {"time": MOMENTS.dt.time()}
    columns = {f"metadata.{name}": values for name, values in moments.items()}
    unused = pl.Series([dt.timedelta(hours=1)] * 3)
    roster = pl.DataFrame({"uid": [1, 2, 3], "name": ["Ann"] * 3, **columns, "shift": unused})
    roster.write_parquet(tmp_path / "right.parquet")
    roster.with_columns(name=pl.lit(None, pl.String)).write_parquet(tmp_path / "u.parquet")
    right = sent(validate(tmp_path, "right.parquet"))
    assert right[1] == {
        "date": "2024-01-01",
        **dict.fromkeys(["milliseconds", "microseconds", "nanoseconds"], "2024-01-01T01:02:03.500000"),
        "utc": "2024-01-01T01:02:03.500000+00:00",
        "berlin": "2024-01-01T02:02:03.500000+01:00",
        "time": "01:02:03.500000",
    }
    assert validate(tmp_path, "u.parquet", "--rejected-format", form).exit_code == 1
    (tmp_path / "c.toml").write_text('[columns]\nname = { value = "Ann" }\n')
    mended = validate(tmp_path, f"u.results.check.rejected.{form}", "--config", "c.toml")
    assert (mended.exit_code, sent(mended)) == (0, right), mended.stderr


@pytest.mark.slow
@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_metadata_that_json_has_no_form_for_are_told_as_no_json(tmp_path: Path, form: str) -> None:
    """Not as another language's: the rejected row is JSON but for the value that has none, and rejected again."""
    metadata = [{"score": float("nan"), "pay": Decimal("10.50")}, {"key": b"\xff", "pay": Decimal(1)}]
    kind = pl.Struct({"score": pl.Float64(), "key": pl.Binary(), "pay": pl.Decimal(10, 2)})
    people = {"uid": ["a", "b"], "name": ["Ann", "Bob"], "metadata": pl.Series(metadata, dtype=kind)}
    pl.DataFrame(people).write_parquet(tmp_path / "u.parquet")
    assert validate(tmp_path, "u.parquet", "--rejected-format", form).exit_code == 1
    again = validate(tmp_path, f"u.results.check.rejected.{form}", "-o", f"again.{form}")
    assert (again.exit_code, again.summary["defects"]["metadata.not_an_object"]["first_rows"]) == (1, [1, 2])
    assert "Python" not in again.stdout + again.stderr


@pytest.mark.slow
def test_a_row_number_with_a_fraction_is_that_number(tmp_path: Path) -> None:
    """So data frames write `_row` when a row was added; merged, each person is there once. No number at all is told."""
    (tmp_path / "r.csv").write_text("uid,name\na1,\nb2,Bob\nc3,\n")
    assert provisioner("run", "r.csv", "--emulator", cwd=tmp_path).exit_code == 1
    mended = tmp_path / "r.results.rejected.csv"
    mended.write_text("uid,name,_row,_errors\na1,Ann,1.0,name.missing\nc3,Cy,third,name.missing\nd4,Di,,\n")
    again = provisioner("run", mended.name, "--emulator", "--json", cwd=tmp_path)
    assert (again.exit_code, again.summary["created"]) == (0, 3), again.stderr
    assert again.summary["warnings"] == {
        "row.number_lost": {
            "rows": 1,
            "first_rows": [2],
            "mend": "write into _row the number that the row had, or empty the cell if the row is new",
        }
    }
    assert provisioner("merge", "r.results.csv", "r.round2.results.csv", "-o", "all.csv", cwd=tmp_path).exit_code == 1
    merged = [(each["row"], each["uid"], each["outcome"]) for each in rows(tmp_path / "all.csv")]
    assert merged == [
        ("1", "a1", "created"),
        ("2", "b2", "created"),
        ("3", "c3", "rejected"),
        ("4", "c3", "created"),
        ("5", "d4", "created"),
    ]


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["cp1252", "utf-16"])
def test_mended_rows_that_were_saved_as_utf_8_without_its_mark_are_read_as_that(tmp_path: Path, encoding: str) -> None:
    """Also with the encoding of the roster in the config; what is not wholly UTF-8 is read as the config says."""
    (tmp_path / "c.toml").write_text(f'[run]\nencoding = "{encoding}"\n[columns]\nmetadata = {{ city = "city" }}\n')
    (tmp_path / "r.csv").write_text("uid,name,city\na1,,M\u00fcnchen\n", encoding=encoding)
    assert validate(tmp_path, "r.csv", "--config", "c.toml").exit_code == 1
    rejected = tmp_path / "r.results.check.rejected.csv"
    mended = rejected.read_text(encoding="utf-8-sig").replace("a1,,", "a1,Zo\u00eb,")
    for saved in ("utf-8", "utf-8-sig", encoding):
        rejected.write_text(mended, encoding=saved)
        ended = validate(tmp_path, rejected.name, "--config", "c.toml")
        (request,) = ended.summary["shown_requests"]
        read = (request["body"]["name"], request["body"]["metadata"])
        assert read == ("Zo\u00eb", {"city": "M\u00fcnchen"}), ended.stderr
        assert ended.events("encoding.looks_like_utf8") == []


def test_notes_below_no_name_in_mended_rejected_rows_are_not_published(tmp_path: Path) -> None:
    """Nobody has given that column a name: it is told, and nothing is made of it."""
    again = tmp_path / "again.csv"
    again.write_text("uid,name,team,,_row,_errors\nn5,Bob,b,note,2,\n")
    columns = {"others": "metadata.hr"}
    assert users(again, tmp_path, columns=columns) == [{"uid": "n5", "name": "Bob", "metadata": {"hr": {"team": "b"}}}]
    assert "row.unnamed_column" in document(again, tmp_path, columns=columns)["warnings"]

"""Rejected rows that come back by way of other programs and formats: they are what they were, or it is told."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.rig.command import Finished, provisioner

MOMENTS = (dt.datetime(2024, 1, 1, 1, 2, 3), dt.datetime(2024, 1, 1, 1, 2, 3, 500_000), dt.datetime(1880, 1, 1))
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


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_dates_and_times_of_a_mended_row_are_what_they_were(tmp_path: Path, form: str) -> None:
    """Of every type and precision: a CSV or workbook of rejected rows says of them what the Parquet file would send."""
    moments = {name: pl.Series(MOMENTS).cast(kind) for name, kind in TYPES.items()}
    moments |= {"time": pl.Series([each.time() for each in MOMENTS])}
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

"""Moments as text: what a calendar has, what none has, and both within other cells."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Final

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.validation.fields.moments import is_spelled, moment_text, spelled

LARGEST: Final = 2**63 - 1
DAY: Final = 86_400_000_000_000

KINDS: Final = (
    pl.Date(),
    pl.Datetime("ms"),
    pl.Datetime("us", "Asia/Tokyo"),
    pl.Datetime("ns", "America/New_York"),
)


def moments(kind: pl.DataType, *numbers: int | None) -> pl.Series:
    """Give a column of what the numbers say in that type: days, or units of time."""
    return pl.Series(numbers, dtype=pl.Int32 if isinstance(kind, pl.Date) else pl.Int64).cast(kind)


def written(cells: pl.Series) -> list[str | None]:
    return cells.to_frame("cell").select(moment_text(pl.col("cell"), cells.dtype))["cell"].to_list()


@pytest.mark.parametrize(
    ("kind", "number", "text"),
    [
        (pl.Date(), 0, "1970-01-01"),
        (pl.Date(), 95_000_000, "+262071-03-02"),
        (pl.Date(), 95_000_001, "95000001 days since 1970-01-01"),
        (pl.Date(), -95_000_001, "-95000001 days since 1970-01-01"),
        (pl.Date(), 2**31 - 1, "infinity"),
        (pl.Date(), -(2**31), "-infinity"),
        (pl.Time(), 0, "00:00:00"),
        (pl.Time(), DAY - 1, "23:59:59.999999999"),
        (pl.Time(), 1_000, "00:00:00.000001"),
        (pl.Time(), 1, "00:00:00.000000001"),
        (pl.Datetime("ns"), 1_700_000_000_123_456_789, "2023-11-14T22:13:20.123456789"),
        (pl.Datetime("ns"), 1_700_000_000_123_456_000, "2023-11-14T22:13:20.123456"),
        (pl.Datetime("ns"), 1_700_000_000_000_000_007, "2023-11-14T22:13:20.000000007"),
        (pl.Datetime("ns"), 1_700_000_000_000_000_000, "2023-11-14T22:13:20"),
        (pl.Datetime("ns", "Europe/Berlin"), 1_700_000_000_000_000_010, "2023-11-14T23:13:20.000000010+01:00"),
        (pl.Datetime("ns", "Europe/Berlin"), 1_700_000_000_000_000_000, "2023-11-14T23:13:20+01:00"),
        (pl.Duration("ns"), 1_000_000_001, "PT1.000000001S"),
        (pl.Datetime("ms"), 500, "1970-01-01T00:00:00.500000"),
        (pl.Datetime("us", "UTC"), 1_700_000_000_000_000, "2023-11-14T22:13:20+00:00"),
        (pl.Datetime("us"), LARGEST, "infinity"),
        (pl.Datetime("us"), LARGEST - 1, "9223372036854775806 us since 1970-01-01"),
        (pl.Datetime("us", "UTC"), -LARGEST, "-infinity"),
        (pl.Datetime("us"), -LARGEST - 1, "-infinity"),
        (pl.Datetime("ms", "Asia/Tokyo"), 2**62, "4611686018427387904 ms since 1970-01-01"),
        (pl.Datetime("ns"), LARGEST, "2262-04-11T23:47:16.854775807"),
        (pl.Duration("ms"), LARGEST, "P106751991167DT7H12M55.807S"),
    ],
)
def test_any_number_has_a_text(kind: pl.DataType, number: int, text: str) -> None:
    """Also beyond the calendar, where databases keep what is always and what is never."""
    assert written(moments(kind, number, None)) == [text, None]


@pytest.mark.parametrize("kind", KINDS)
@given(number=st.integers(-(2**63), LARGEST))
def test_no_number_is_too_much(kind: pl.DataType, number: int) -> None:
    """Of whatever type, alone and within a list."""
    cells = moments(kind, number % 2**32 - 2**31 if isinstance(kind, pl.Date) else number)
    (text,) = written(cells)
    assert text
    assert spelled(cells.implode()).to_list() == [[text]]


@given(st.datetimes(), st.dates(), st.times())
def test_what_python_can_hold_is_written_as_python_writes_it(moment: datetime, day: date, clock: time) -> None:
    """Which is ISO 8601, so that text and metadata say the same."""
    cells = [pl.Series([moment], dtype=pl.Datetime("us")), pl.Series([day]), pl.Series([clock])]
    assert [written(each) for each in cells] == [[value.isoformat()] for value in (moment, day, clock)]


def test_moments_within_other_cells_are_texts_and_all_else_is_as_it_was() -> None:
    """In lists, structs and arrays, at any depth; what is null stays null."""
    day = date(2024, 5, 1)
    rows = [{"since": day, "n": 1, "all": [{"at": day}, None]}, None, {"since": None, "n": None, "all": None}]
    kind = pl.Struct({"since": pl.Date, "n": pl.Int8, "all": pl.List(pl.Struct({"at": pl.Date}))})
    cells = pl.Series("cell", rows, dtype=kind)
    text = "2024-05-01"
    assert spelled(cells).to_list() == [{"since": text, "n": 1, "all": [{"at": text}, None]}, *rows[1:]]
    assert spelled(pl.Series([[day, None]], dtype=pl.Array(pl.Date, 2))).to_list() == [[text, None]]
    plain = pl.Series([[1, 2]])
    assert spelled(plain) is plain
    assert [is_spelled(each) for each in (kind, plain.dtype, pl.Duration(), pl.Time())] == [True, False, False, True]


def test_within_a_map_moments_are_texts_to_the_last_digit() -> None:
    """As in a struct or a list; also those that no calendar has."""
    kind = pl.Map(pl.String(), pl.List(pl.Datetime("ns")))
    entries = [[{"key": "a", "value": [7, None]}, {"key": "b", "value": None}], [], None]
    stored = pl.Series("m", entries, pl.List(pl.Struct({"key": pl.String, "value": pl.List(pl.Int64)}))).cast(kind)
    assert spelled(stored).to_list() == [{"a": ["1970-01-01T00:00:00.000000007", None], "b": None}, {}, None]
    far = pl.Series([[{"key": "a", "value": LARGEST}]]).cast(pl.Map(pl.String(), pl.Datetime("us")))
    assert spelled(far).to_list() == [{"a": "infinity"}]

"""What is legal and may be meant otherwise is told with the rows; nothing else is."""

from __future__ import annotations

import polars as pl
import pytest

from provisioner.roster.csv.grammar import Dialect
from provisioner.roster.csv.remarks import SWALLOWED, WHOLE, remarks_on


def frame(*rows: tuple[str | None, ...]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=dict.fromkeys("abc", pl.String), orient="row")


@pytest.mark.parametrize(
    ("rows", "remarks"),
    [
        ((("a1", "Ann", "x"), ("b2,Bob,y", None, None)), {WHOLE: [1]}),
        ((('a1,"Ann, Lee",x', None, None), ("b2,Bob,", None, None)), {WHOLE: [0, 1]}),
        ((("Lee, Ann", None, None), (",,", None, None), ("a1", None, None)), {}),
        ((("a,b,c", None, "x"), ("a,b,c", "", None)), {}),
        ((("a1", "Ann", "hello\nb2,Bob,ok"), ("c3", "Cy", "Springfield\nIL, US, x")), {SWALLOWED: [0]}),
    ],
)
def test_rows_that_may_be_meant_otherwise(
    rows: tuple[tuple[str | None, ...], ...], remarks: dict[str, list[int]]
) -> None:
    """A line that is one cell has nothing behind it and every delimiter in it."""
    assert remarks_on(frame(*rows), Dialect(), spread=True) == remarks


def test_where_quotes_stand_for_themselves_no_line_is_one_cell() -> None:
    """And a delimiter in a cell is none there."""
    assert remarks_on(frame(("a,b,c", None, None)), Dialect(",", quoting=False), spread=False) == {}

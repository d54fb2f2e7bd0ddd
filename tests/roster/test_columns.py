"""Columns of a roster are found by their very names, also where polars would take them for patterns."""

from __future__ import annotations

import polars as pl
import pytest

from provisioner.roster.columns import all_named, member, named, named_columns, unnamed

PATTERNS = ("*", "^.*$", "^uid$", "^u.*$", "^$")
"""Names that polars takes for patterns, and that would take in other columns than their own."""


def test_a_column_of_any_name_is_that_column() -> None:
    frame = pl.DataFrame({"uid": ["u"], **{name: [f"of {name}"] for name in PATTERNS}})
    for name in PATTERNS:
        assert frame.select(named(name)).to_dict(as_series=False) == {name: [f"of {name}"]}
        assert frame.select(named(name).str.to_uppercase().alias("x")).item() == f"OF {name}".upper()
        assert unnamed(frame, name).str.to_uppercase().to_list() == [f"OF {name}".upper()]
    for names in (PATTERNS, PATTERNS[::-1], ("uid", "*"), ("uid",)):
        assert frame.select(all_named(names)).columns == list(names)


def test_a_member_of_any_name_is_that_member() -> None:
    values = {"uid": "u", **{name: f"of {name}" for name in PATTERNS}}
    kind = pl.Struct(dict.fromkeys(values, pl.String))
    frame = pl.DataFrame({"s": [values]}, schema={"s": kind})
    assert {name: frame.select(member(pl.col("s"), kind, name).alias("x")).item() for name in values} == values


@pytest.mark.parametrize(
    ("cells", "columns"),
    [
        (["uid", "", " ", ""], ["uid", "_column_2", "_column_3", "_column_4"]),
        (["uid", "", " ", "", "_row", "_errors"], ["uid", "", "_column_3", "_column_4", "_row", "_errors"]),
        (["uid", "_row", "_errors", ""], ["uid", "_row", "_errors", "_column_4"]),
        (["uid", "", "_row"], ["uid", "_column_2", "_row"]),
    ],
)
def test_a_column_without_a_name_is_an_empty_key_in_rejected_rows_alone(cells: list[str], columns: list[str]) -> None:
    """One that stands among those of their roster: its columns without a name have one there."""
    assert named_columns(cells) == (tuple(columns), frozenset())

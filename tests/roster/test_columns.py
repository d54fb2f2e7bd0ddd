"""Columns of a roster are found by their very names, also where polars would take them for patterns."""

from __future__ import annotations

import polars as pl

from provisioner.roster.columns import all_named, member, named, unnamed

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

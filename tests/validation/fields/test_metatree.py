"""Metadata that polars writes alone: the same as Python writes, and only where it can be."""

from __future__ import annotations

import polars as pl
import pytest

from provisioner.validation.fields.metatree import metadata_tree
from tests.rig.checking import bound, metadata


@pytest.mark.parametrize("beside", [{}, {"when": "date"}])
def test_metadata_keep_their_types_but_for_what_is_looked_up(beside: dict[str, str]) -> None:
    """With a date beside them, Python reads the values instead of polars: it makes no difference."""
    frame = pl.DataFrame(
        {"level": [1, None, 3], "other": ["7", " ", "x"], "on": [True, None, False], "date": [None] * 3},
        schema_overrides={"date": pl.Date},
    )
    table = {
        "first": ["level", "other"],
        "turned": ["other", "level"],
        "mapped": {"column": "level", "map": {"1": {"is": "one"}}},
        "strict": {"column": "level", "map": {"1": "one"}, "default": False},
        "on": {"column": "on", "default": 0},
        "text": "{level}{on}",
        "nested": {"column": ["level", {"value": 1.5}], "map": {"1.5": ["x"], "3": ""}},
    }
    assert (metadata_tree(bound(frame, {"metadata": table | beside})) is None) == bool(beside)
    assert metadata(table | beside, frame) == [
        {"first": 1, "turned": "7", "mapped": {"is": "one"}, "strict": "one", "on": True, "text": "1true", "nested": 1},
        {"strict": False, "on": 0, "nested": ["x"]},
        {"first": 3, "turned": "x", "mapped": 3, "strict": False, "on": False, "text": "3false", "nested": ""},
    ]

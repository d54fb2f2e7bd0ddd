"""Suspicions: what the reader, an earlier round and the length of a text say of a row, as the warnings take it."""

from __future__ import annotations

import polars as pl

from provisioner.validation.oddities.suspicions import METADATA_CHARACTERS
from tests.rig.checking import warnings

MENDED = pl.DataFrame(
    {
        "uid": ["a1", "b2", "c3"],
        "name": ["Ann", "Bob", "Cy"],
        "_row": ["1.0", "second", None],
        "_errors": ["name.missing: none", "name.missing: none", None],
    }
)


def test_a_row_whose_place_is_lost_is_warned_of() -> None:
    """Only where `_row` says something that is no number, and only in rows that were rejected before."""
    assert warnings(MENDED) == {"row.number_lost": (2,)}
    assert warnings(MENDED.drop("_errors")) == {}


def test_metadata_are_counted_in_characters() -> None:
    """Not in bytes, of which a letter beyond ASCII has several."""
    long = "\u00e9" * (METADATA_CHARACTERS - len('{"a":""}'))
    frame = pl.DataFrame({"uid": ["a1", "b2"], "name": ["Ann", "Bob"], "metadata.a": [long, f"{long}x"]})
    assert warnings(frame) == {"metadata.long": (2,)}

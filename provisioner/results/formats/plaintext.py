"""Cells of any type as the texts that a CSV or a sheet can hold: read again, they say what they said."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

import polars as pl

from provisioner.roster.columns import unnamed
from provisioner.validation.fields.cells import column_text
from provisioner.validation.fields.moments import spelled
from provisioner.validation.fields.structured.jsontext import dumps
from provisioner.validation.fields.structured.metadata import json_value


def as_text(frame: pl.DataFrame, kept: Collection[str], tags: Collection[str] = ()) -> pl.DataFrame:
    """Write all columns as text (String) but those that are `kept`.

    tags  columns of tags: lists of these are read as JSON of texts

    2024-05-01   123.0   [1, null]           {"a": 1, "b": null}
    2024-05-01   123     [1,null] or ["1"]   {"a":1}
    """
    return frame.with_columns(
        (_nested(unnamed(frame, name), is_tags=name in tags) if kind.is_nested() else column_text(name, kind)).alias(
            name
        )
        for name, kind in frame.schema.items()
        if name not in kept and kind != pl.String
    )


def _nested(column: pl.Series, *, is_tags: bool) -> pl.Series:
    column = spelled(column)
    if is_tags and isinstance(column.dtype, pl.List | pl.Array):
        column = column.cast(pl.List(pl.String)).list.drop_nulls()
    return pl.Series([_json(value) for value in column.to_list()], dtype=pl.String)


def _json(value: Any) -> str | None:
    try:
        plain = json_value(value)
        return None if plain is None else dumps(plain)
    except ValueError:  # what has no form in JSON is no metadata before and after
        return _no_json(value)


def _no_json(value: Any) -> str:
    """Show NaN as JSON would if it had it, and everything as Python does where there are bytes or lengths of time."""
    try:
        return json.dumps(value, ensure_ascii=False)
    except TypeError:
        return str(value)

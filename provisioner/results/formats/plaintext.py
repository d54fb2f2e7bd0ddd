"""Cells of any type as the texts that a CSV or a sheet can hold: read again, they say what they said."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection
from typing import Any

import orjson
import polars as pl

from provisioner.roster.columns import unnamed
from provisioner.validation.fields.cells import column_text
from provisioner.validation.fields.moments import spelled
from provisioner.validation.fields.structured.jsontext import dumps
from provisioner.validation.fields.structured.metadata import json_value
from provisioner.validation.fields.structured.tags import texts_of_lists


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
    if is_tags and isinstance(column.dtype, pl.List | pl.Array):
        column = texts_of_lists(column).list.drop_nulls()
    column = spelled(column)
    return pl.Series([_json(value) for value in column.to_list()], dtype=pl.String)


def _json(value: Any) -> str | None:
    plain = json_value(value, _bare)
    return None if plain is None else dumps(plain)


def _bare(value: Any) -> orjson.Fragment:
    r"""Write what has no form in JSON as a word without quotes, so that it is no metadata before and after.

    nan   b"\x00\xff"   1 hour
    NaN   0x00ff        PT1H
    """
    if isinstance(value, bytes):
        return orjson.Fragment(f"0x{value.hex()}")
    if isinstance(value, dt.timedelta):
        return orjson.Fragment(pl.Series([value]).dt.to_string("iso").item())
    return orjson.Fragment(json.dumps(value))

"""The JSON bodies of create requests, written by polars for a whole batch."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from provisioner import jsontext

WITH_AUTH_TOKEN = b',"withAuthToken":true'
"""What the sender puts before the closing brace when a token is wanted; it counts towards the size of the request."""

_STRINGS = ("uid", "name", "avatar", "link", "role", "statusMessage")
_WRITTEN_ALREADY = ("metadata", "tags")


def write_bodies(fields: pl.DataFrame) -> pl.Series:
    """Write `{"uid":…,"name":…,…}` (String) for rows that keep every rule; missing values are left out."""
    escaping = jsontext.in_need_of_escapes(fields, ("name", "statusMessage"), printable=("avatar", "link"))
    folded = pl.col("role").str.to_lowercase()
    rows = fields.with_columns(folded, *(jsontext.escaped(pl.col(name)) for name in escaping))
    body = pl.concat_str(list(_parts()), ignore_nulls=True).alias("body")
    # the streaming engine splits the rows among the cores; otherwise one expression runs on one core
    return rows.lazy().select(body).collect(engine="streaming").to_series()


def _parts() -> Iterator[pl.Expr]:
    """Give the pieces in order, all for one concatenation: each one more would copy every byte once more."""
    opening = "{"
    for name in (*_STRINGS, *_WRITTEN_ALREADY):
        quote = '"' if name in _STRINGS else ""
        there = pl.when(pl.col(name).is_not_null())
        yield there.then(pl.lit(f'{opening}"{name}":{quote}'))
        yield pl.col(name)
        if quote:
            yield there.then(pl.lit(quote))
        opening = ","
    yield pl.lit("}")

"""The body of the request that creates a user, written by polars from fields that keep every rule."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import polars as pl

from provisioner.validation.fields import cells
from provisioner.validation.fields.structured import jsontext

_STRINGS: Final = ("uid", "name", "avatar", "link", "role", "statusMessage")
_WRITTEN_ALREADY: Final = ("metadata", "tags")
_MEMBERS: Final = (_STRINGS, _WRITTEN_ALREADY)

# A control character becomes \u001f.
_LONGEST_ESCAPE: Final = 6
# More than all names, quotes and commas, and an auth token that is asked for.
_ALL_ELSE: Final = 250


def most_bytes(fields: pl.DataFrame) -> pl.Series:
    """Say how long the body of each row is at the most, whatever has to be escaped: to write it takes far longer."""
    texts, written = ([pl.col(name).str.len_bytes().fill_null(0) for name in names] for names in _MEMBERS)
    most = _LONGEST_ESCAPE * pl.sum_horizontal(texts) + pl.sum_horizontal(written) + _ALL_ELSE
    return fields.select(most.alias("most")).to_series()


def write_bodies(fields: pl.DataFrame, above: int = 0) -> pl.Series:
    """Write `{"uid":…,"name":…,…}` (String) for rows that keep every rule; missing values are left out.

    `name_suspicious` says which names have to be looked at closely: one that needs escapes is among them. Those are
    null that cannot have more bytes than `above`.
    """
    if above and not (long := most_bytes(fields) > above).all():
        bodies = cells.column_of(None, fields.height, pl.String).alias("body")
        return bodies.scatter(long.arg_true(), write_bodies(fields.filter(long))) if long.any() else bodies
    if fields.is_empty():
        return pl.Series("body", dtype=pl.String)
    escaping = jsontext.in_need_of_escapes(fields, ("statusMessage",), printable=("avatar", "link"))
    suspicious = fields.select("name").filter(fields["name_suspicious"])
    escaping += jsontext.in_need_of_escapes(suspicious, ("name",))
    folded = pl.col("role").str.to_lowercase()
    rows = fields.with_columns(folded, *(jsontext.escaped(pl.col(name)) for name in escaping))
    body = pl.concat_str(list(_pieces(rows)), ignore_nulls=True).alias("body")
    # the streaming engine splits the rows among the cores; otherwise one expression runs on one core
    return rows.lazy().select(body).collect(engine="streaming").to_series()


def _pieces(rows: pl.DataFrame) -> Iterator[pl.Expr]:
    """Give the pieces in order, all for one concatenation: each one more would copy every byte once more.

    What all rows have, or none, needs no question row by row: {"uid":" uid ","name":" name " }
    """
    text = "{"
    for number, name in enumerate((*_STRINGS, *_WRITTEN_ALREADY)):
        quote = '"' if name in _STRINGS else ""
        opening = f'{"," if number else ""}"{name}":{quote}'
        missing = rows[name].null_count()
        if missing == rows.height:
            continue
        if not missing:
            yield pl.lit(text + opening)
            yield pl.col(name)
            text = quote
            continue
        there = pl.when(pl.col(name).is_not_null())
        if text:
            yield pl.lit(text)
        yield there.then(pl.lit(opening))
        yield pl.col(name)
        if quote:
            yield there.then(pl.lit(quote))
        text = ""
    yield pl.lit(f"{text}}}")

"""JSON as polars expressions: texts and numbers become JSON text without a Python object being made of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

import orjson
import polars as pl

from provisioner.validation.fields import jsontext

Tree: TypeAlias = "Mapping[str, Tree | pl.Expr]"
"""An object whose keys are known beforehand: key → object, or an expression of JSON text (null: left out)."""

_ESCAPED = ("\\", '"', *map(chr, range(0x20)))
_ESCAPES = [orjson.dumps(character)[1:-1].decode() for character in _ESCAPED]


def string(text: pl.Expr) -> pl.Expr:
    """Write text as a JSON string, escaping only what JSON demands; null stays null."""
    return pl.concat_str([pl.lit('"'), escaped(text), pl.lit('"')])


def escaped(text: pl.Expr) -> pl.Expr:
    """Escape what JSON demands to be escaped in a string, and nothing else."""
    return text.str.replace_many(list(_ESCAPED), _ESCAPES)


def in_need_of_escapes(frame: pl.DataFrame, texts: Sequence[str], printable: Sequence[str] = ()) -> list[str]:
    """Name the columns that hold anything to be escaped: to ask is much cheaper than to escape in vain.

    The `printable` ones are known to have no control characters, which leaves two characters to look for.
    """
    needed = frame.select(
        pl.col(*texts).str.contains(r'["\\\x00-\x1f]').any(),
        *(pl.col(name).str.contains_any(['"', "\\"]).any() for name in printable),
    )
    return [name for name in needed.columns if needed[name].item()]


def object_of(tree: Tree) -> pl.Expr:
    """Write an object of the members that are there; null when there is none."""
    members = []
    for key, value in tree.items():
        text = value if isinstance(value, pl.Expr) else object_of(value)
        members.append(pl.concat_str([pl.lit(f",{orjson.dumps(key).decode()}:"), text]))
    inner = pl.concat_str(members, ignore_nulls=True)
    text = pl.concat_str([pl.lit("{"), inner.str.slice(1), pl.lit("}")])
    return pl.when(inner != "").then(text)


def has_scalar_form(kind: pl.DataType) -> bool:
    """Tell whether `scalar` can write this type."""
    return kind.is_integer() or isinstance(kind, pl.Boolean | pl.String | pl.Categorical | pl.Enum)


def scalar(value: pl.Expr, kind: pl.DataType) -> pl.Expr:
    """Write a text, an integer or a boolean as JSON; null stays null."""
    text = value.cast(pl.String)
    return text if kind.is_integer() or isinstance(kind, pl.Boolean) else string(text)


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

"""JSON as polars expressions: texts and numbers become JSON text without a Python object being made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import orjson
import polars as pl

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

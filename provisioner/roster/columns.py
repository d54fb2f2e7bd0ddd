"""Columns of a roster: each by its very name, and of the one type that the files of a roster have in common.

Polars takes a name for a pattern when it is `*`, or begins with `^` and ends with `$`. To a person it is a name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import Final

import polars as pl
from polars import selectors
from polars.datatypes import DataTypeClass

ADDED = ("_row", "_errors")
"""Columns of a rejected file behind the roster's own; those of an earlier round are replaced."""

MARKED = "_apostrophes"
"""Column behind these, where it is needed: the rows whose texts were given apostrophes, see `csv.apostrophes`."""

_TEXTS: Final = (pl.String, pl.Categorical, pl.Enum)
_UUID_PARTS: Final = ((0, 8), (8, 4), (12, 4), (16, 4), (20, 12))
_INT64: Final = (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32)


def named(name: str) -> pl.Expr:
    """Give the column of this name, whatever it is."""
    return selectors.by_name(name).as_expr() if _is_pattern(name) else pl.col(name)


def all_named(names: Iterable[str]) -> pl.Expr:
    """Give the columns of these names, in this order."""
    names = list(names)
    return selectors.by_name(names).as_expr() if any(map(_is_pattern, names)) else pl.col(names)


def unnamed(frame: pl.DataFrame, name: str) -> pl.Series:
    """Give the cells of a column, without its name: polars goes by it in most of what it does with a series."""
    return frame.get_column(name).alias("")


def uuid_text(column: pl.Expr) -> pl.Expr:
    """Write UUIDs of 16 bytes as the text that people know: 8, 4, 4, 4 and 12 digits."""
    digits = column.bin.encode("hex")
    return pl.concat_str([digits.str.slice(start, length) for start, length in _UUID_PARTS], separator="-")


def named_columns(cells: Sequence[str]) -> tuple[tuple[str, ...], frozenset[str]]:
    """Give each column a name of its own, and the names that several columns bear.

    Spreadsheets export columns without a name by the dozen, and some programs several of one name. `_` in front keeps
    them from being fields.
    """
    given, columns = set(cells), dict[str, None]()
    for number, cell in enumerate(cells, 1):
        if cell.strip() and cell not in columns:
            columns[cell] = None
            continue
        name = f"_column_{number}_{cell}" if cell.strip() else f"_column_{number}"
        while name in columns or name in given:
            name += "_"
        columns[name] = None
    return tuple(columns), frozenset(name for name, times in Counter(cells).items() if times > 1 and name.strip())


def outlined(frame: pl.DataFrame, names: Iterable[str]) -> pl.DataFrame:
    """Give columns for a look at some of their rows: text as it stands, of all else only whether it is there.

    uid   since        tags           uid   since   tags
    ann   2024-05-01   ["a"]     →    ann   true    true
    ben   null         null           ben   false   false

    Not every cell can be made an object of Python: a file may hold a date that no calendar has.
    """
    found = frame.select(all_named(names))
    others = [name for name, kind in found.schema.items() if kind != pl.String]
    return found.with_columns(all_named(others).is_not_null()) if others else found


def member(struct: pl.Expr, kind: pl.Struct, name: str) -> pl.Expr:
    """Give a member of a struct of this type."""
    if not _is_pattern(name):
        return struct.struct.field(name)
    places = {each.name: str(place) for place, each in enumerate(kind.fields)}
    return struct.struct.rename_fields([*places.values()]).struct.field(places[name])


def _is_pattern(name: str) -> bool:
    return name == "*" or (name.startswith("^") and name.endswith("$"))


def common_type(one: pl.DataType, other: pl.DataType) -> pl.DataType | None:
    """Give the type that holds the values of both as they are; None when there is none.

    String, Categorical          String
    Int32, UInt64                Int128
    Null, anything               anything
    List(Null), List(Int8)       List(Int8)
    Int64, Float64               none: ids beyond 2^53 would be rounded
    """
    if one == other or isinstance(other, pl.Null):
        return one
    if isinstance(one, pl.Null):
        return other
    if isinstance(one, _TEXTS) and isinstance(other, _TEXTS):
        return pl.String()
    if one.is_integer() and other.is_integer():
        return pl.Int64() if isinstance(one, _INT64) and isinstance(other, _INT64) else pl.Int128()
    if isinstance(one, pl.List | pl.Array) and isinstance(other, pl.List | pl.Array):
        inner = common_type(instance_of(one.inner), instance_of(other.inner))
        return None if inner is None else pl.List(inner)
    if isinstance(one, pl.Struct) and isinstance(other, pl.Struct):
        return _common_struct(one, other)
    return None


def _common_struct(one: pl.Struct, other: pl.Struct) -> pl.DataType | None:
    """Give the struct that holds both; the members have to be the same, in the same order."""
    members: dict[str, pl.DataType] = {}
    for mine, theirs in zip_longest(one.fields, other.fields):
        if mine is None or theirs is None or mine.name != theirs.name:
            return None
        found = common_type(instance_of(mine.dtype), instance_of(theirs.dtype))
        if found is None:
            return None
        members[mine.name] = found
    return pl.Struct(members)


def instance_of(kind: pl.DataType | DataTypeClass) -> pl.DataType:
    """Give an inner type as an instance: polars lets it be written as a class too."""
    return kind if isinstance(kind, pl.DataType) else kind()


def inner_types(kind: pl.DataType) -> Mapping[str, pl.DataType]:
    """Give the types of members by their names, that of items without one."""
    if isinstance(kind, pl.Struct):
        return {name: instance_of(each) for name, each in kind.to_schema().items()}
    if isinstance(kind, pl.Map):
        return {"key": instance_of(kind.key), "value": instance_of(kind.value)}
    return {"": instance_of(kind.inner)} if isinstance(kind, pl.List | pl.Array) else {}

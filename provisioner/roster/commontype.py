"""The type of a column that the files of one roster store in different ways."""

from __future__ import annotations

from itertools import zip_longest
from typing import Final

import polars as pl
from polars.datatypes import DataTypeClass

_TEXTS: Final = (pl.String, pl.Categorical, pl.Enum)
_INT64: Final = (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32)


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
        inner = common_type(_instance(one.inner), _instance(other.inner))
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
        found = common_type(_instance(mine.dtype), _instance(theirs.dtype))
        if found is None:
            return None
        members[mine.name] = found
    return pl.Struct(members)


def _instance(kind: pl.DataType | DataTypeClass) -> pl.DataType:
    """Give an inner type as an instance: polars lets it be written as a class too."""
    return kind if isinstance(kind, pl.DataType) else kind()

r"""Columns of a Parquet file in types that nothing else here has: UUIDs, JSON, bytes that are UTF-8, and others.

uid    UUID                b"\x6f\x96…"      6f9619ff-8b86-d011-b42d-00c04fc964ff
name   BYTE_ARRAY          b"Zo\xc3\xab"     Zoë
meta   Arrow's JSON        {"a":1}            {"a":1}
tags   ARRAY of 0          []                 [], a list
since  TIMESTAMP, +05:30   2024-01-01 17:30   2024-01-01 12:00 in UTC
dept   Arrow's dictionary  Sales              Sales
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, repeat
from typing import Final

import polars as pl
from polars.datatypes import DataType

from provisioner.roster.columns import all_named, inner_types, instance_of, named, unnamed, uuid_text
from provisioner.roster.formats.parquetfooter import FooterColumn
from provisioner.roster.formats.rows import ROUNDED, Notice

_TRIED: Final = 1_000
_EXACT_FLOAT32: Final = 2**24
_EXACT_DOUBLE: Final = 2**53
_MOST_DIGITS: Final = 38
_MOSTLY: Final = 0.5


def in_our_types(lazy: pl.LazyFrame, footer: Sequence[FooterColumn] = ()) -> list[pl.Expr]:
    """Give those columns of a file that are text in another type as text; bytes count when all of them are UTF-8.

    Arrays of no length become lists, for polars cannot read them from a file of its own, and moments in a zone that it
    does not have are the same moments in UTC, as the file keeps them. Arrow's date64 is a date.

    footer  tells UUIDs from other bytes, and dates from moments, as far as it is known

    Raises what polars raises of a file that cannot be read.
    """
    by_name = {column.name: column for column in footer}
    uuids, bytes_, found = [], [], []
    wide = too_wide(lazy.collect_schema())
    for name, kind in lazy.collect_schema().items():
        if name in wide:
            continue
        column = by_name.get(name) or FooterColumn(name, uuid=False, fixed=False, dates=())
        storage = _storage(kind)
        stored = named(name) if storage is kind else named(name).ext.storage()
        if isinstance(storage, pl.Binary) and (column.uuid or _is_uuid(kind)):
            uuids.append(uuid_text(stored).alias(name))
        elif isinstance(storage, pl.Binary) and not column.fixed:
            bytes_.append((name, stored))
        elif storage is not kind:
            found.append(stored)
        elif (readable := _readable(kind, chain(column.dates, repeat(False)))) != kind:
            found.append(stored.cast(readable))
    nothing = [pl.lit(None, pl.String).alias(name) for name in wide]
    return [*uuids, *found, *nothing, *_decoded(lazy, bytes_)]


def in_dictionaries(schema: Mapping[str, DataType]) -> dict[str, DataType]:
    """Choose the columns of text that a file keeps in a dictionary, at any depth."""
    return {name: kind for name, kind in schema.items() if _has_dictionary(kind)}


def _has_dictionary(kind: DataType) -> bool:
    return isinstance(kind, pl.Categorical | pl.Enum) or any(map(_has_dictionary, inner_types(kind).values()))


def too_wide(schema: Mapping[str, DataType]) -> dict[str, str]:
    """Name the columns with decimals of more digits than can be read, at any depth: column → what to say of it."""
    return {
        name: f"it holds decimals of {digits} digits, of which {_MOST_DIGITS} can be read; write it as text"
        for name, kind in schema.items()
        if (digits := _digits(kind)) > _MOST_DIGITS
    }


def with_key_twice(lazy: pl.LazyFrame, footer: Sequence[FooterColumn]) -> dict[str, str]:
    """Name the columns of maps in which a key comes twice, of which polars reads one value: column → what to say of it.

    Raises what polars raises of a file that cannot be read.
    """
    keys = {each.name: each.keys for each in footer}
    maps = [name for name, kind in lazy.collect_schema().items() if isinstance(kind, pl.Map) and name in keys]
    if not maps:
        return {}
    read = lazy.select(named(name).map.len().fill_null(0).clip(lower_bound=1).cast(pl.Int64).sum() for name in maps)
    return {
        name: "in one of its maps a key comes twice, of which one value would be lost; write each key once"
        for name, there in read.collect(engine="streaming").row(0, named=True).items()
        if there < keys[name]
    }


def float_notices(lazy: pl.LazyFrame) -> list[Notice]:
    """Tell which columns are floats of 32 bits and hold numbers of which such a float cannot tell the neighbours."""
    names = [name for name, kind in lazy.collect_schema().items() if isinstance(kind, pl.Float32)]
    if not names:
        return []
    largest = lazy.select(all_named(names).fill_nan(None).abs().max()).collect(engine="streaming").row(0)
    return [
        Notice(
            "number.rounded",
            f"column {name!r} is Float32 and holds numbers from {_EXACT_FLOAT32:,} on, which may be rounded; if they "
            "are ids, write them as Int64 or text",
        )
        for name, value in zip(names, largest, strict=True)
        if value is not None and value >= _EXACT_FLOAT32
    ]


def rounded(frame: pl.DataFrame) -> Mapping[str, Mapping[str, pl.Series]]:
    """Give `RosterBatch.cells` of the whole numbers that are floats and have more digits than one holds."""
    found = {
        name: (unnamed(frame, name).is_finite() & (unnamed(frame, name).abs() >= _EXACT_DOUBLE)).fill_null(False)
        for name, kind in frame.schema.items()
        if isinstance(kind, pl.Float64 | pl.Float32)
    }
    found = {name: cells for name, cells in found.items() if cells.any()}
    return {ROUNDED: found} if found else {}


def _storage(kind: DataType) -> DataType:
    """Give the type that an extension of Arrow is kept as."""
    if not isinstance(kind, pl.BaseExtension):
        return kind
    return instance_of(kind.ext_storage())


def _digits(kind: DataType) -> int:
    """Give the digits of the widest decimal within a type, 0 where there is none."""
    if isinstance(kind, pl.Decimal):
        return kind.precision
    return max(map(_digits, inner_types(kind).values()), default=0)


def _readable(kind: DataType, dates: Iterator[bool]) -> DataType:
    """Give the type that holds the same without dictionaries, arrays of no length, dates as moments, unknown zones.

    dates  tells for each value within, depth first, whether it is a date
    """
    inner = {name: _readable(each, dates) for name, each in inner_types(kind).items()}
    if isinstance(kind, pl.Struct):
        return pl.Struct(inner)
    if isinstance(kind, pl.Map):
        return pl.Map(inner["key"], inner["value"])
    if isinstance(kind, pl.List | pl.Array):
        return pl.Array(inner[""], kind.size) if isinstance(kind, pl.Array) and kind.size else pl.List(inner[""])
    is_date = next(dates)
    if isinstance(kind, pl.Categorical | pl.Enum):
        return pl.String()
    if not isinstance(kind, pl.Datetime):
        return kind
    if is_date:
        return pl.Date()
    return pl.Datetime(kind.time_unit, "UTC") if kind.time_zone and not _has_zone(kind.time_zone) else kind


def _has_zone(zone: str) -> bool:
    """Tell whether polars can write moments in a time zone; a file may name any: `+05:30`, `GMT+5`, `Mars/Base`."""
    try:
        pl.Series([0]).cast(pl.Datetime("ms", zone))
    except pl.exceptions.ComputeError:
        return False
    return True


def _is_uuid(kind: DataType) -> bool:
    return isinstance(kind, pl.BaseExtension) and kind.ext_name() == "arrow.uuid"


def _decoded(lazy: pl.LazyFrame, columns: Sequence[tuple[str, pl.Expr]]) -> Iterator[pl.Expr]:
    """Give the columns whose bytes are all UTF-8: the first rows are asked before the whole file is."""
    likely = [each for each in columns if _is_text(lazy.head(_TRIED), each[1])]
    for _, stored in likely:
        if _is_text(lazy, stored):
            yield stored.cast(pl.String)


def _is_text(lazy: pl.LazyFrame, stored: pl.Expr) -> bool:
    """Tell whether all values are UTF-8, and not most of several with a NUL, as keys and numbers in bytes are."""
    with_nul = stored.cast(pl.String).str.contains("\0", literal=True)
    try:
        found = lazy.select(number=with_nul.sum(), share=with_nul.mean()).collect(engine="streaming")
    except pl.exceptions.ComputeError:
        return False
    number, share = found.row(0)
    return bool(number <= 1 or share <= _MOSTLY)

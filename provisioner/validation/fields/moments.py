"""Dates, times of day and moments as text, also those that no calendar has: a file may hold any number.

Databases keep "always" and "never" as the least and the greatest number, which is some 300,000 years away. Neither
polars nor Python has a form for that, so such cells never become moments of theirs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from provisioner.roster.columns import inner_types, member

_DAYS: Final = 95_000_000
"""So many days before and after 1970 polars can write; its calendar ends some months later, with the year 262142."""
_PER_DAY: Final[Mapping[str, int]] = {"ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}

_NO_FRACTION: Final = r"\.000000"
_NO_NANOSECONDS: Final = r"(?:\.000000|(\.\d{6}))000\b"
"""A fraction of a second in nine digits, of which six say it all, or none."""
_WHOLE_MINUTES: Final = r"([+-]\d\d:\d\d):00$"


def moment_text(cell: pl.Expr, kind: pl.DataType) -> pl.Expr:
    """Write a moment, a time of day, a date or a length of time (String) as it stands in metadata and in texts.

    2024-01-01T01:02:03   01:02:03.500000   1880-01-01T00:53:28+00:53:28   2024-01-01   PT1S

    Beyond the calendar: `infinity` and `-infinity`, as databases say, or the number that is there with its unit.
    """
    if not isinstance(kind, pl.Date | pl.Datetime):
        return _iso(cell, kind)
    most, number = _DAYS * _units(kind)[0], cell.to_physical()
    return pl.coalesce(_iso(pl.when(number.is_between(-most, most)).then(cell), kind), _beyond(number, kind))


def is_spelled(kind: pl.DataType) -> bool:
    """Tell whether there is a date, a time of day, a moment or a float of 32 bits anywhere in a type."""
    if kind.is_nested():
        return any(map(is_spelled, inner_types(kind).values()))
    return _is_moment(kind) or isinstance(kind, pl.Float32)


def spelled(column: pl.Series) -> pl.Series:
    """Write all dates, times and moments in cells, nested or not, as text; anything else is left as it is.

    Floats of 32 bits become those of 64 bits that their digits say: 0.1, where Python would have 0.10000000149011612.

    [2024-05-01, null]             ["2024-05-01", null]
    {"since": 2024-05-01, "n": 1}  {"since": "2024-05-01", "n": 1}
    """
    if not is_spelled(column.dtype):
        return column
    return column.to_frame("cell").select(_spelled(pl.col("cell"), column.dtype).alias(column.name)).to_series()


def _spelled(cell: pl.Expr, kind: pl.DataType) -> pl.Expr:
    if not is_spelled(kind):
        return cell
    if isinstance(kind, pl.Struct):
        members = [_spelled(member(cell, kind, name), each).alias(name) for name, each in inner_types(kind).items()]
        return pl.when(cell.is_not_null()).then(pl.struct(members))
    if isinstance(kind, pl.Map):
        entries = pl.List(pl.Struct({"key": kind.key, "value": kind.value}))
        return _spelled(cell.map.entries(), entries).cast(_spelled_type(kind))
    if isinstance(kind, pl.Array):
        return _spelled(cell.arr.to_list(), pl.List(kind.inner))
    if isinstance(kind, pl.List):
        return cell.list.eval(_spelled(pl.element(), inner_types(kind)[""]))
    if isinstance(kind, pl.Float32):
        return cell.cast(pl.String).cast(pl.Float64)
    return moment_text(cell, kind)


def _spelled_type(kind: pl.DataType) -> pl.DataType:
    """Give the type of nested cells as they are spelled."""
    inner = {name: _spelled_type(each) for name, each in inner_types(kind).items()}
    if isinstance(kind, pl.Map):
        return pl.Map(inner["key"], inner["value"])
    if isinstance(kind, pl.List | pl.Array):
        return pl.List(inner[""])
    if isinstance(kind, pl.Struct):
        return pl.Struct(inner)
    if isinstance(kind, pl.Float32):
        return pl.Float64()
    return pl.String() if _is_moment(kind) else kind


def _is_moment(kind: pl.DataType) -> bool:
    return kind.is_temporal() and not isinstance(kind, pl.Duration)


def _units(kind: pl.Date | pl.Datetime) -> tuple[int, str]:
    """Give how many a day has of what a type counts, and its name."""
    return (_PER_DAY[kind.time_unit], kind.time_unit) if isinstance(kind, pl.Datetime) else (1, "days")


def _beyond(number: pl.Expr, kind: pl.Date | pl.Datetime) -> pl.Expr:
    greatest = 2**31 - 1 if isinstance(kind, pl.Date) else 2**63 - 1
    said = pl.when(number == greatest).then(pl.lit("infinity")).when(number <= -greatest).then(pl.lit("-infinity"))
    return said.otherwise(pl.concat_str(number.cast(pl.String), pl.lit(f" {_units(kind)[1]} since 1970-01-01")))


def _iso(cell: pl.Expr, kind: pl.DataType) -> pl.Expr:
    if isinstance(kind, pl.Time):
        return _in_nanoseconds(cell, "%H:%M:%S%.9f")
    if isinstance(kind, pl.Datetime):
        zone = "%::z" if kind.time_zone else ""
        if kind.time_unit == "ns":
            text = _in_nanoseconds(cell, f"%Y-%m-%dT%H:%M:%S%.9f{zone}")
        else:
            cell = cell.dt.cast_time_unit("us")
            text = cell.dt.to_string(f"%Y-%m-%dT%H:%M:%S%.6f{zone}").str.replace(_NO_FRACTION, "")
        return text.str.replace(_WHOLE_MINUTES, "$1") if zone else text
    return cell.dt.to_string("iso")


def _in_nanoseconds(cell: pl.Expr, form: str) -> pl.Expr:
    """Write a fraction of a second in six digits, in nine where those do not say it all, and none that is zero."""
    return cell.dt.to_string(form).str.replace(_NO_NANOSECONDS, "$1")

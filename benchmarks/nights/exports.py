"""What goes wrong with an export: the rows of a good one, spoilt as a kind of night has them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from benchmarks.nights.company import Profile, Row, row_of
from benchmarks.nights.schedule import Kind

_GARBLED: Final = str.maketrans({"a": "\u00c3\u00a4", "e": "\u00c3\u00ab", "i": "\u00c3\u00af", "o": "\u00c3\u00b6"})


def spoilt(rows: Sequence[Row], kind: Kind) -> list[Row]:
    """Give what a bad night makes of the rows."""
    match kind:
        case Kind.EMPTY:
            return []
        case Kind.HALF:
            return list(rows[: len(rows) // 2])
        case Kind.STRAY:
            return [*rows, *[_stray()] * max(4, len(rows) // 10)]
    return [_SPOILERS[kind](row) for row in rows]


def _without_zeros(row: Row) -> Row:
    """Take the leading zeros of its number out of a uid, as a spreadsheet does."""
    return replace(_with(row, {"uid": re.sub("-0+", "-", row.cells["uid"])}), uid=re.sub("-0+", "-", row.uid))


def _swapped(row: Row) -> Row:
    return _with(row, {"avatar": row.cells["link"], "link": row.cells["avatar"]})


def _garbled(row: Row) -> Row:
    return _with(row, {"name": row.cells["name"].translate(_GARBLED)})


def _emptied(row: Row) -> Row:
    return _with(row, {"tags": ""})


def _with(row: Row, cells: Mapping[str, str]) -> Row:
    return replace(row, cells={**row.cells, **cells})


def _stray() -> Row:
    """Give a row that is nobody's, and not empty either."""
    row = _with(row_of("", Profile("")), {"metadata.department": "Nursing"})
    return replace(row, rejected=True, nameless=True)


_SPOILERS: Final[Mapping[Kind, Callable[[Row], Row]]] = {
    Kind.ZEROS_LOST: _without_zeros,
    Kind.SWAPPED: _swapped,
    Kind.GARBLED: _garbled,
    Kind.EMPTIED: _emptied,
}

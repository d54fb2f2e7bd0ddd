"""What only the footer of a Parquet file says of its columns: UUIDs, bytes of fixed length, dates, twin names, keys.

The footer is Thrift in its compact protocol (parquet.thrift, FileMetaData); of it the schema is looked at, and how many
values there are.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

_MAGIC: Final = b"PAR1"
_TRAILER: Final = 8
_FIXED_LENGTH: Final = 7
# Fields of FileMetaData and of SchemaElement; what LogicalType and the older ConvertedType say of a UUID and a date.
_SCHEMA, _TYPE, _NAME, _CHILDREN, _CONVERTED_TYPE, _LOGICAL_TYPE = 2, 1, 4, 5, 6, 10
_UUID, _DATE, _CONVERTED_DATE = 14, 6, 6
# Fields of FileMetaData, RowGroup, ColumnChunk and ColumnMetaData.
_ROW_GROUPS, _CHUNKS, _OF_CHUNK, _PATH, _VALUES = 4, 1, 3, 3, 5
_DEEPEST: Final = 64

_STOP, _TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = 0, 1, 2, 3, 7, 8, 9, 10, 11, 12


@dataclass(frozen=True, slots=True)
class FooterColumn:
    """A column at the top level: its name, whether it is a UUID, and whether it holds bytes of a fixed length.

    dates  for each value that is not nested, depth first, whether it is a date
    keys   of a map how many keys it has in all cells together, where one without any counts as one
    """

    name: str
    uuid: bool
    fixed: bool
    dates: Sequence[bool]
    keys: int = 0


def footer_columns(path: Path) -> Sequence[FooterColumn]:
    """Read the columns of a file, in its order; none when the footer is not as expected. Raises OSError."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - _TRAILER))
        trailer = file.read(_TRAILER)
        length = int.from_bytes(trailer[:4], "little")
        if trailer[4:] != _MAGIC or length > size - _TRAILER:
            return ()
        file.seek(size - _TRAILER - length)
        footer = file.read(length)
    try:
        whole = _Thrift(footer).struct()
        keys = _keys(whole)
        return [replace(each, keys=keys[each.name]) for each in _top_level(whole[_SCHEMA])]
    except (IndexError, KeyError, TypeError, ValueError, struct.error):
        return ()


def _keys(whole: dict[int, Any]) -> Counter[str]:
    """Count the values of what stands first within each column, which in a map are the keys."""
    found: Counter[str] = Counter()
    for group in whole[_ROW_GROUPS]:
        chunks = [chunk[_OF_CHUNK] for chunk in group[_CHUNKS] if _OF_CHUNK in chunk]
        # Of those of one column the first comes last here, so it stays.
        found.update({chunk[_PATH][0].decode(): chunk[_VALUES] for chunk in reversed(chunks)})
    return found


def _top_level(elements: list[dict[int, Any]]) -> Iterator[FooterColumn]:
    """Skip what is within a column: the elements stand depth first, each with the number of those within it."""
    at = 1
    for _ in range(elements[0][_CHILDREN]):
        start, within = at, 1
        while within:
            within += elements[at].get(_CHILDREN, 0) - 1
            at += 1
        yield _column(elements[start:at])


def _column(elements: list[dict[int, Any]]) -> FooterColumn:
    first, dates = elements[0], [_is_date(element) for element in elements if _CHILDREN not in element]
    is_uuid, is_fixed = _UUID in first.get(_LOGICAL_TYPE, {}), first.get(_TYPE) == _FIXED_LENGTH
    return FooterColumn(first[_NAME].decode(), is_uuid, is_fixed, dates)


def _is_date(element: dict[int, Any]) -> bool:
    return _DATE in element.get(_LOGICAL_TYPE, {}) or element.get(_CONVERTED_TYPE) == _CONVERTED_DATE


class _Thrift:
    """Reads values of the compact protocol one after the other."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def struct(self, depth: int = 0) -> dict[int, Any]:
        """Read a struct: number of a field → value."""
        if depth > _DEEPEST:
            raise ValueError("nested too deeply")
        fields: dict[int, Any] = {}
        number = 0
        while (head := self._byte()) != _STOP:
            number = number + (head >> 4) if head >> 4 else self._signed()
            fields[number] = self._value(head & 0x0F, depth)
        return fields

    def _value(self, kind: int, depth: int) -> Any:
        if kind in {_TRUE, _FALSE}:
            return kind == _TRUE
        if kind == _BYTE:
            return self._byte()
        if kind == _DOUBLE:
            return self._take(8)
        if kind == _BINARY:
            return self._take(self._unsigned())
        if kind in {_LIST, _SET}:
            return self._items(depth)
        if kind == _STRUCT:
            return self.struct(depth + 1)
        if kind == _MAP:
            raise ValueError("no map is expected")
        return self._signed()

    def _items(self, depth: int) -> list[Any]:
        head = self._byte()
        count = head >> 4 if head >> 4 != 0x0F else self._unsigned()
        kind = head & 0x0F
        # In a list a boolean has a byte of its own.
        return [self._byte() if kind in {_TRUE, _FALSE} else self._value(kind, depth) for _ in range(count)]

    def _byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1]

    def _take(self, length: int) -> bytes:
        start, self._at = self._at, self._at + length
        if self._at > len(self._data):
            raise IndexError(self._at)
        return self._data[start : self._at]

    def _unsigned(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    def _signed(self) -> int:
        value = self._unsigned()
        return value >> 1 ^ -(value & 1)

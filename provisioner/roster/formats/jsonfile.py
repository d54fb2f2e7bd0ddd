"""A JSON roster: its users are cut out of the text one by one, and read as the lines of an NDJSON file are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

import polars as pl

from provisioner.errors import RosterError
from provisioner.roster.encodings.readings import NotUtf8Error
from provisioner.roster.files.origin import Origin
from provisioner.roster.files.text import TextStream, open_text
from provisioner.roster.formats.jsoncut import JsonCutter
from provisioner.roster.formats.ndjsonfile import NdjsonRoster, NotAnObjectError, open_ndjson
from provisioner.roster.formats.rows import Missing, Progress, RosterBatch, TextRoster, missing_fields
from provisioner.roster.jsonpages import Page


class _Elements:
    """The users of a JSON text, one a line; see `files.text.TextStream`. Bytes are told of the file itself."""

    origin: int | None = None

    def __init__(self, elements: Iterator[str], stream: TextStream) -> None:
        self._elements, self._stream = elements, stream

    @property
    def bytes_read(self) -> int:
        """How far into the file itself it has been read."""
        return self._stream.bytes_read

    def read(self, size: int) -> bytes:
        """Give lines of about `size` bytes together; none at the end. Raises RosterError, OSError."""
        lines: list[bytes] = []
        length = 0
        for element in self._elements:
            lines.append(element.encode() + b"\n")
            length += len(lines[-1])
            if length >= size:
                break
        return b"".join(lines)


@dataclass(frozen=True, slots=True)
class EmptyArray(TextRoster):
    """A JSON array without elements; see `rows.Roster`."""

    @property
    def schema(self) -> Mapping[str, pl.DataType]:
        """Nobody knows its columns."""
        return {}

    @property
    def rowless(self) -> bool:
        """It has no rows."""
        return True

    def batches(self, progress: Progress | None = None) -> Iterator[RosterBatch]:
        """Nothing."""
        if progress:
            progress(0, self.size)
        return iter(())


@contextmanager
def _open_elements(
    is_row: Callable[[Sequence[str]], bool], pages: list[Page], origin: Origin, codec: str | None
) -> Iterator[TextStream]:
    """Give the users, and what is told of their list once it has been read to its end; each reading tells it anew."""
    with open_text(origin, codec) as stream:
        cutter = JsonCutter(origin.name, stream, is_row)
        try:
            yield _Elements(cutter.elements(), stream)
            pages[:] = [replace(cutter.page, rows=cutter.rows)]
        except NotUtf8Error as error:
            raise error.unless_mixed(origin, b'"') from None


def open_json(
    missing: Missing, origin: Origin, codec: str | None, limit: int | None = None
) -> NdjsonRoster | EmptyArray:
    """Read the whole file once, for its keys; see `open_ndjson`. An empty array is a roster without rows.

    missing  tells an object that is a user from one that wraps a list of them

    Raises RosterError with the row, OSError.
    """
    pages: list[Page] = []
    opener = partial(_open_elements, lambda keys: missing(keys) == 0, pages)
    with opener(origin, codec) as stream:
        if not stream.read(1):
            return EmptyArray(origin, codec, pages=pages)
    try:
        return replace(open_ndjson(origin, codec, limit, opener=opener), pages=pages)
    except NotAnObjectError as error:  # of lines there is nothing to be said
        raise RosterError(f"{error.place}: {error.why}") from None


def read_to_end(origin: Origin, codec: str | None) -> int:
    """Count the rows of a JSON text as they are under the name of one. Raises RosterError where it is none, OSError."""
    roster = open_json(missing_fields, origin, codec)
    rows = sum(batch.frame.height for batch in roster.batches())
    for column, what in roster.unreadable.items():
        raise RosterError(f"{origin.name}: column {column!r}: {what}")
    return rows

"""What every format gives: a roster whose rows come in batches of bounded size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol, TypeAlias, TypeVar

import polars as pl

from provisioner.roster.files.origin import Origin

T = TypeVar("T")

Progress: TypeAlias = Callable[[int, int], None]
"""Called after each batch with the rows and the bytes of the file done so far."""

ADDED = ("_row", "_errors")
"""Columns of a rejected file behind the roster's own; those of an earlier round are replaced."""


@dataclass(frozen=True, slots=True)
class RosterBatch:
    """Consecutive data rows of a roster: its own columns, untouched.

    `frame` has the roster's columns in the roster's order (a CSV's are all String);
    `first_row` is the number of its first row, counted from 1 over the whole roster.
    """

    first_row: int
    frame: pl.DataFrame


class Roster(Protocol):
    """A roster whose header has been read and whose first rows are known to be readable.

    A format that inherits it is one file that holds nothing, unless it says otherwise.
    """

    __slots__ = ()

    @property
    def name(self) -> str:
        """What messages call it."""

    @property
    def rejected_delimiter(self) -> str:
        """What separates the cells of its rejected rows where they are written as CSV."""
        return ","

    @property
    def size(self) -> int:
        """Length in bytes; what `bytes_done` of a progress call runs up to."""

    @property
    def schema(self) -> Mapping[str, pl.DataType]:
        """Column name → type, in the file's order; every column of a text is a String."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The column names, in the file's order and spelling; a column without a name is `_column_<n>`."""
        return tuple(self.schema)

    def batches(self, progress: Progress | None = None) -> Iterator[RosterBatch]:
        """All rows, in order; each call begins anew and gives the same rows.

        Raises RosterError where the file is broken.
        """

    def parts(self) -> Sequence[tuple[str, int]]:
        """Name and number of rows of each file, for a roster of several that has been read to its end; else empty."""
        return ()

    def close(self) -> None:
        """Let go of what it holds; it is not read afterwards."""
        return


@dataclass(frozen=True, slots=True)
class TextRoster(Roster):
    """A roster of one text file, as far as all of them are alike.

    codec  as `files.text.text_codec` gives it
    """

    origin: Origin
    codec: str | None

    @property
    def name(self) -> str:
        """What messages call the file."""
        return self.origin.name

    @property
    def size(self) -> int:
        """Length of the file in bytes, compressed where it is compressed."""
        return self.origin.size

    def close(self) -> None:
        """Let go of the file."""
        self.origin.close()


def one_ahead(items: Iterator[T]) -> Iterator[T]:
    """Give the same items, the next one made in a thread of its own while the last is worked on.

    Whatever making one raises comes up where it would have been given.
    """
    end = object()
    with ThreadPoolExecutor(1, "ahead") as thread:
        upcoming = thread.submit(next, items, end)
        while (item := upcoming.result()) is not end:
            upcoming = thread.submit(next, items, end)
            yield item  # type: ignore[misc]

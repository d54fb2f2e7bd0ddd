"""Finds what comes more than once in a roster of any length, with memory that does not follow it.

Fingerprints are gathered until there are enough for a run; a run is cut into partitions by their highest bits and put
on disk. In the end each partition is looked through alone: what is equal is in the same one.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final, Generic, TypeVar

import polars as pl

from provisioner.errors import StorageError
from provisioner.files.writing import unnamed_file

T = TypeVar("T")


RUN_LENGTH: Final = 500_000
"""As many rows are held in memory; a roster of fewer needs no disk."""

_PARTITIONS: Final = 64
_PARTITION_SIZE: Final = 2**64 // _PARTITIONS


class Repeats:
    """Fingerprints of which those are wanted that come more than once, or with more than one form.

    Takes frames of `key` (UInt64), or of `key` and `form` (UInt64): then a key is repeated when it comes with two
    different forms. In memory are at most `run_length` rows and a 64th of the whole, 8 or 16 bytes a row, and in the
    end what is repeated. The file has no name: it is gone when the process is.

    again  rows of a key, of whatever form, that has come before; known once it was asked what is repeated
    """

    def __init__(self, folder: Path, run_length: int = RUN_LENGTH) -> None:
        self._folder = folder
        self._run_length = run_length
        self._held: list[pl.DataFrame] = []
        self._held_rows = 0
        self._file: IO[bytes] | None = None
        self._chunks: list[list[tuple[int, int]]] = [[] for _ in range(_PARTITIONS)]
        self.again = 0

    def add(self, prints: pl.DataFrame) -> None:
        """Add any number of rows, without nulls. Raises StorageError when the disk takes no more."""
        self._held.append(prints)
        self._held_rows += prints.height
        if self._held_rows >= self._run_length:
            self._spill()

    def repeated(self) -> pl.DataFrame:
        """Give the distinct rows whose key is repeated, in no order."""
        if self._file is None:
            return self._repeated(pl.concat(self._held)) if self._held else pl.DataFrame(schema={"key": pl.UInt64})
        self._spill()
        return pl.concat([self._repeated(partition) for partition in self._partitions()])

    def _repeated(self, prints: pl.DataFrame) -> pl.DataFrame:
        several = _neighbours(prints)  # of nearly all rosters a few rows
        self.again += several.height - several["key"].n_unique()
        return _neighbours(several.unique()) if "form" in prints.columns else several.unique()

    def _spill(self) -> None:
        if not self._held_rows:
            return
        run = pl.concat(self._held).with_columns(partition=pl.col("key") // _PARTITION_SIZE)
        self._held, self._held_rows = [], 0
        for (number,), prints in run.partition_by("partition", as_dict=True, include_key=False).items():
            self._chunks[number].append(self._written(prints))

    def _written(self, prints: pl.DataFrame) -> tuple[int, int]:
        """Put a frame on disk: where it begins, and its length in bytes."""
        buffer = io.BytesIO()
        prints.write_ipc_stream(buffer)
        # Not `getbuffer`: a buffer still looked at when the traceback of an error is cleared away complains on stderr.
        rest = memoryview(buffer.getvalue())
        size = len(rest)
        file = self._opened()
        begin = file.tell()
        try:
            while rest:
                rest = rest[file.write(rest) :]
        except OSError as error:
            message = (
                f"{self._folder}: no room to look for repeated values ({error.strerror}); make room, then run again"
            )
            raise StorageError(message) from error
        return begin, size

    def _opened(self) -> IO[bytes]:
        """Give the file, made when it is first needed; without a buffer, so that closing it writes nothing."""
        if self._file is None:
            self._file = unnamed_file(self._folder, buffered=False)
        return self._file

    def _partitions(self) -> Iterator[pl.DataFrame]:
        file = self._opened()
        for chunks in filter(None, self._chunks):
            frames = []
            for begin, size in chunks:
                file.seek(begin)
                frames.append(pl.read_ipc_stream(file.read(size)))
            yield pl.concat(frames)

    def close(self) -> None:
        """Let go of the disk space."""
        if self._file is not None:
            self._file.close()


def _neighbours(prints: pl.DataFrame) -> pl.DataFrame:
    """Give the rows whose key comes more than once."""
    ordered = prints.sort("key")
    key = ordered["key"]
    return ordered.filter((key == key.shift(1)).fill_null(value=False) | (key == key.shift(-1)).fill_null(value=False))


_SPELLED_OUT = {"ß": "ss"}
"""Letters whose upper case is several letters."""


def fingerprints(texts: pl.Series) -> pl.Series:
    """Give 64 bits for each text (UInt64, null for null), the same for the same text within this process."""
    prints = texts.hash(seed=0)
    return prints if not texts.null_count() else pl.select(pl.when(texts.is_not_null()).then(prints)).to_series()


def folded(names: pl.Series) -> pl.Series:
    """Give the names as they are when case, composition, compatibility forms and runs of blanks do not count."""
    ascii_only = names.str.len_bytes() == names.str.len_chars()
    if ascii_only.all():
        return _single_blanks(names.str.to_lowercase())
    composed = names.str.normalize("NFKC").str.to_lowercase()
    for letter, letters in _SPELLED_OUT.items():
        composed = composed.str.replace_all(letter, letters, literal=True)
    return _single_blanks(composed)


def _single_blanks(names: pl.Series) -> pl.Series:
    runs = r"\s\s|[\t-\r]"
    return names.str.replace_all(r"\s+", " ") if names.str.contains(runs).any() else names


class FirstSeen(Generic[T]):
    """Remembers the first row of each text that may come again, and of no other; `T` is what a row is remembered by.

    `candidates` are sorted fingerprints; two different texts can share one, so they say which texts to remember, not
    which are equal. It grows with the candidates that have come: one entry for each.
    """

    def __init__(self, candidates: pl.Series) -> None:
        self._candidates = candidates
        self._first: dict[str, T] = {}

    def positions(self, texts: pl.Series) -> pl.Series:
        """Give the positions of the texts that may come more than once (UInt32, ascending)."""
        if self._candidates.is_empty():
            return pl.Series(dtype=pl.UInt32)
        prints = fingerprints(texts)
        nearest = self._candidates.search_sorted(prints).clip(upper_bound=len(self._candidates) - 1)
        return (texts.is_not_null() & (self._candidates.gather(nearest) == prints)).arg_true()

    def first(self, text: str, row: T) -> T:
        """Give what the first row of this text was remembered by; that is `row` itself when it has not come before."""
        return self._first.setdefault(text, row)


def no_fingerprints() -> pl.Series:
    """Give a series of none (UInt64)."""
    return pl.Series(dtype=pl.UInt64)

"""A Parquet roster, read in slices of rows; every column keeps its type."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import polars as pl

from provisioner.errors import RosterError
from provisioner.model import RosterBatch

FIRST_BATCH = 1_000
BATCH = 50_000
SLICE_BYTES = 64 * 1024 * 1024
LONGEST_SLICE = 200_000


@dataclass(frozen=True, slots=True)
class ParquetRoster:
    """A Parquet file; see `provisioner.reader.Roster`."""

    path: Path
    schema: Mapping[str, pl.DataType]
    rows: int
    slice_bytes: int = SLICE_BYTES

    @property
    def kind(self) -> Literal["parquet"]:
        """The format."""
        return "parquet"

    @property
    def size(self) -> int:
        """Length of the file in bytes."""
        return self.path.stat().st_size

    @property
    def columns(self) -> tuple[str, ...]:
        """The column names, in the file's order."""
        return tuple(self.schema)

    def batches(self, progress: Callable[[int, int], None] | None = None) -> Generator[RosterBatch, None, None]:
        """All rows, in order. Raises RosterError where a page cannot be read."""
        size = self.size
        done, wanted = 0, FIRST_BATCH
        while done < self.rows:
            frame = self._slice(done, min(wanted, self.rows - done))
            for part in frame.iter_slices(BATCH):
                yield RosterBatch(done + 1, part)
                done += part.height
            if progress:
                progress(done, size * done // self.rows)
            wanted = self._next_slice(frame)

    def _slice(self, start: int, rows: int) -> pl.DataFrame:
        """Read some rows. Only the row groups that hold them are read, so memory does not follow the file."""
        try:
            frame = _scan(self.path).slice(start, rows).collect()
        except (pl.exceptions.PolarsError, OSError, pl.exceptions.PanicException) as error:
            what = _first_line(error)
            raise RosterError(f"{self.path}: rows {start + 1} to {start + rows} cannot be read: {what}") from error
        if frame.height != rows:
            raise RosterError(f"{self.path}: rows {start + frame.height + 1} to {start + rows} are missing")
        return frame

    def _next_slice(self, frame: pl.DataFrame) -> int:
        """As many rows as take up the wanted memory: in a large row group, a few long slices cost least."""
        row = frame.estimated_size() / frame.height
        return max(FIRST_BATCH, min(LONGEST_SLICE, int(self.slice_bytes / max(row, 1))))


def open_parquet(path: Path, limit: int | None = None) -> ParquetRoster:
    """Read the schema and try the first rows. Raises RosterError, OSError."""
    with path.open("rb") as file:
        if file.read(4) != b"PAR1":
            raise RosterError(f"{path} is no Parquet file (it does not begin with PAR1)")
        file.seek(-4, 2)
        if file.read(4) != b"PAR1":
            raise RosterError(f"{path} is a truncated Parquet file (it does not end with PAR1)")
    try:
        lazy = _scan(path)
        schema = dict(lazy.collect_schema())
        rows = lazy.select(pl.len()).collect().item()
    except (pl.exceptions.PolarsError, OSError, pl.exceptions.PanicException) as error:
        raise RosterError(f"{path} cannot be read as Parquet: {_first_line(error)}") from error
    roster = ParquetRoster(path, schema, rows if limit is None else min(rows, limit))
    with closing(roster.batches()) as batches:
        next(batches, None)
    return roster


def _scan(path: Path) -> pl.LazyFrame:
    return pl.scan_parquet(path, glob=False, hive_partitioning=False)


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]

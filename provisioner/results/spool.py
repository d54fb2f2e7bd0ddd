"""Frames on disk: kept until they are wanted, and written as files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import polars as pl
from polars.io.plugins import register_io_source

from provisioner.errors import StorageError
from provisioner.files import unnamed_file, written_whole
from provisioner.roster.formats.rows import RosterBatch
from provisioner.wording import first_line

# A column that no roster has: names are trimmed.
_NUMBER: Final = " number of the row "
# Rows that a Parquet file is written in at once: the writer holds them, and their encoded form.
_GROUP: Final = 20_000

Writer = Callable[[Path, Iterator[pl.DataFrame], pl.Schema], None]


class Spool:
    """Frames kept on disk until they are wanted, so that memory does not grow with the roster.

    Its file has no name; see `unnamed_file`, also for what is raised when there can be none.
    """

    def __init__(self, folder: Path) -> None:
        self._file = unnamed_file(folder)
        self._folder = folder
        self._ends = [0]
        self.rows = 0
        self.schema: pl.Schema | None = None

    def append(self, frame: pl.DataFrame) -> None:
        """Keep one more frame; frames without rows are not kept."""
        if self.schema is None:
            self.schema = frame.schema
        if not frame.height:
            return
        try:
            frame.write_ipc_stream(self._file)
            self._file.flush()
        except (OSError, pl.exceptions.ComputeError) as error:
            message = f"{self._folder}: no room for the rows of the results ({_reason(error)}); make room, then resume"
            raise StorageError(message) from error
        self._ends.append(self._file.tell())
        self.rows += frame.height

    def frames(self) -> Iterator[pl.DataFrame]:
        """Give the frames back, in order."""
        for begin, end in zip(self._ends, self._ends[1:], strict=False):
            self._file.seek(begin)
            yield pl.read_ipc_stream(self._file.read(end - begin))

    def close(self) -> None:
        """Let go of the disk space."""
        self._file.close()


class SpooledBatches:
    """Batches of a roster, kept likewise, so that nobody has to read it again for them."""

    def __init__(self, folder: Path) -> None:
        self._frames = Spool(folder)
        self._known: list[RosterBatch] = []  # what else is known of each: a few words, of nearly all nothing

    def add(self, batch: RosterBatch) -> None:
        """Keep one more batch; one without rows is not kept."""
        if batch.frame.height:
            self._frames.append(batch.frame.with_columns(batch.numbers.alias(_NUMBER)))
            self._known.append(replace(batch, frame=batch.frame.clear(), rows=None))

    def batches(self) -> Iterator[RosterBatch]:
        """Give the batches back, in order."""
        for frame, known in zip(self._frames.frames(), self._known, strict=True):
            yield replace(known, frame=frame.drop(_NUMBER), rows=frame[_NUMBER])

    def close(self) -> None:
        """Let go of the disk space."""
        self._frames.close()


def write_frames(
    path: Path, frames: Iterator[pl.DataFrame], schema: pl.Schema, mode: int, write: Writer | None = None
) -> None:
    """Write frames one after the other, in the format of the path's suffix unless another one is given."""
    write = write or WRITERS[path.suffix.lower()]
    with written_whole(path, mode) as temporary:
        try:
            write(temporary, frames, schema)
        except pl.exceptions.ComputeError as error:
            raise OSError(None, _reason(error)) from error


def write_csv(path: Path, frames: Iterator[pl.DataFrame], schema: pl.Schema, delimiter: str = ",") -> None:
    """Add frames to a text, cells apart by `delimiter`. Raises OSError."""
    with path.open("ab") as file:
        pl.DataFrame(schema=schema).write_csv(file, separator=delimiter)
        for frame in frames:
            frame.write_csv(file, include_header=False, separator=delimiter)


def _write_ndjson(path: Path, frames: Iterator[pl.DataFrame], _: pl.Schema) -> None:
    with path.open("wb") as file:
        for frame in frames:
            frame.write_ndjson(file)


def _reason(error: Exception) -> str:
    """Give the system's words: polars wraps them in its own."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return first_line(str(error).split(" (os error")[0]).rsplit(": ", 1)[-1]


def write_parquet(path: Path, frames: Iterator[pl.DataFrame], schema: pl.Schema) -> None:
    """Write a Parquet file frame by frame, so that memory stays flat."""

    def source(*_: object) -> Iterator[pl.DataFrame]:
        return frames

    register_io_source(source, schema=schema, is_pure=False).sink_parquet(path, row_group_size=_GROUP)


WRITERS: Final[Mapping[str, Writer]] = {
    ".csv": write_csv,
    ".ndjson": _write_ndjson,
    ".parquet": write_parquet,
}
"""Ending of a file → what writes it."""

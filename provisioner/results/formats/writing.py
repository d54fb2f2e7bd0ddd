"""Frames as files, one after the other in flat memory: texts, Parquet, workbooks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

import polars as pl
from polars.io.plugins import register_io_source

from provisioner.files.writing import written_whole
from provisioner.wording import first_line

# Rows that a Parquet file is written in at once: the writer holds them, and their encoded form.
_GROUP: Final = 20_000

Writer = Callable[[Path, Iterator[pl.DataFrame], pl.Schema], None]


def write_frames(
    path: Path, frames: Iterator[pl.DataFrame], schema: pl.Schema, mode: int, write: Writer | None = None
) -> None:
    """Write frames one after the other, in the format of the path's suffix unless another one is given."""
    with written_whole(path, mode) as temporary:
        fill(temporary, frames, schema, write or WRITERS[path.suffix.lower()])


def fill(temporary: Path, frames: Iterator[pl.DataFrame], schema: pl.Schema, write: Writer) -> None:
    """Write frames into the temporary file of `written_whole`, which names the right one. Raises OSError."""
    try:
        write(temporary, frames, schema)
    except pl.exceptions.ComputeError as error:
        raise OSError(None, reason(error)) from error


def write_csv(path: Path, frames: Iterator[pl.DataFrame], schema: pl.Schema, delimiter: str = ",") -> None:
    """Add frames to a text, cells apart by `delimiter`. Raises OSError."""
    with path.open("ab") as file:
        first = next(frames, pl.DataFrame(schema=schema))
        first.write_csv(file, separator=delimiter)
        for frame in frames:
            frame.write_csv(file, include_header=False, separator=delimiter)


def _write_ndjson(path: Path, frames: Iterator[pl.DataFrame], _: pl.Schema) -> None:
    with path.open("wb") as file:
        for frame in frames:
            frame.write_ndjson(file)


def reason(error: Exception) -> str:
    """Give the system's words for what went wrong on a disk: polars wraps them in its own."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return first_line(str(error).split(" (os error")[0]).rsplit(": ", 1)[-1]


def write_parquet(path: Path, frames: Iterator[pl.DataFrame], schema: pl.Schema) -> None:
    """Write a Parquet file frame by frame, so that memory stays flat."""

    def source(*_: object) -> Iterator[pl.DataFrame]:
        return frames

    register_io_source(source, schema=schema, is_pure=False).sink_parquet(path, row_group_size=_GROUP)


def _write_sheet(path: Path, frames: Iterator[pl.DataFrame], schema: pl.Schema) -> None:
    from provisioner.results.formats.sheet import cut, write_sheet

    write_sheet(path, cut(frames), schema)


WRITERS: Final[Mapping[str, Writer]] = {
    ".csv": write_csv,
    ".parquet": write_parquet,
    ".ndjson": _write_ndjson,
    ".xlsx": _write_sheet,
}
"""Ending of a file → what writes it."""

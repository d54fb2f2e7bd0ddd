"""Frames on disk until they are wanted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import polars as pl

from provisioner.errors import StorageError
from provisioner.files.writing import unnamed_file
from provisioner.results.formats.writing import reason
from provisioner.roster.formats.rows import RosterBatch


class Spool:
    """Frames kept on disk until they are wanted, so that memory does not grow with the roster.

    Its file has no name; see `unnamed_file`, also for `late` and for what is raised when there can be none. Frames that
    the disk has no room for are held in memory, compressed: a run that stops for it still has to count them.
    """

    def __init__(self, folder: Path, *, late: bool = False) -> None:
        self._file = unnamed_file(folder, late=late)
        self._folder = folder
        self._ends = [0]
        self._held: list[bytes] = []
        self.rows = 0
        self.schema = pl.Schema()

    def append(self, frame: pl.DataFrame) -> None:
        """Keep one more frame; frames without rows are not kept.

        Raises `StorageError`, once it is held, when the disk has no room for it.
        """
        self.schema = self.schema or frame.schema
        if not frame.height:
            return
        self.rows += frame.height
        if self._held:  # in their order: what has found no room stays before what might
            self._hold(frame)
        else:
            self._write(frame)

    def _write(self, frame: pl.DataFrame) -> None:
        try:
            frame.write_ipc_stream(self._file)
            self._file.flush()
        except (OSError, pl.exceptions.ComputeError) as error:
            self._hold(frame)
            message = f"{self._folder}: no room for the rows that are kept until all are read ({reason(error)})"
            raise StorageError(f"{message}; make room, then run the same command again") from error
        self._ends.append(self._file.tell())

    def _hold(self, frame: pl.DataFrame) -> None:
        held = BytesIO()
        frame.write_ipc_stream(held, compression="zstd")
        self._held.append(held.getvalue())

    def __len__(self) -> int:
        return len(self._ends) - 1 + len(self._held)

    def frame(self, number: int) -> pl.DataFrame:
        """Give one of the frames back, counted from 0."""
        if (beyond := number - len(self._ends) + 1) >= 0:
            return pl.read_ipc_stream(self._held[beyond])
        begin, end = self._ends[number : number + 2]
        self._file.seek(begin)
        return pl.read_ipc_stream(self._file.read(end - begin))

    def frames(self) -> Iterator[pl.DataFrame]:
        """Give the frames back, in order."""
        return map(self.frame, range(len(self)))

    def close(self) -> None:
        """Let go of the disk space."""
        with suppress(OSError):  # what it could not write it cannot write now
            self._file.close()


class SpooledBatches:
    """Batches of a roster, kept likewise, so that nobody has to read it again for them."""

    def __init__(self, folder: Path) -> None:
        self._frames = Spool(folder)
        self._known: list[RosterBatch] = []  # what else is known of each: a few words, of nearly all nothing

    def add(self, batch: RosterBatch) -> None:
        """Keep one more batch; one without rows is not kept."""
        if batch.frame.height:
            # longer than any name that a column has
            number = "_" + max(batch.frame.columns, key=len, default="")
            self._frames.append(batch.frame.hstack([batch.numbers.alias(number)]))
            self._known.append(replace(batch, frame=batch.frame.clear(), rows=None))

    def batches(self) -> Iterator[RosterBatch]:
        """Give the batches back, in order."""
        for frame, known in zip(self._frames.frames(), self._known, strict=True):
            yield replace(known, frame=frame[:, :-1], rows=frame.to_series(-1))

    def close(self) -> None:
        """Let go of the disk space."""
        self._frames.close()

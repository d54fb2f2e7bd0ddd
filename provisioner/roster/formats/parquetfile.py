"""A Parquet roster on a disk or at an address, read in slices of rows; every column keeps its type."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from provisioner.errors import RosterError
from provisioner.files.looking import length_of
from provisioner.roster.files.inputs import shown
from provisioner.roster.files.objectstore import OPTIONS, POLARS_ERRORS, explained, is_address, is_pattern
from provisioner.roster.files.origin import Version, version_of
from provisioner.roster.formats.parquetfooter import FooterColumn, footer_columns
from provisioner.roster.formats.parquettypes import (
    float_notices,
    in_dictionaries,
    in_our_types,
    rounded,
    too_wide,
    with_key_twice,
)
from provisioner.roster.formats.rows import Notice, Progress, Roster, RosterBatch, without_blank_rows

FIRST_BATCH = 1_000
BATCH = 20_000
SLICE_BYTES = 24 * 1024 * 1024
LONGEST_SLICE = 100_000

_ANY_ZONE = "POLARS_IGNORE_TIMEZONE_PARSE_ERROR"
"""What polars goes by when it reads a schema; `parquettypes` sees to the moments in such zones."""


@dataclass(frozen=True, slots=True)
class ParquetRoster(Roster):
    """A Parquet file, or all that an address with a pattern fits; see `rows.Roster`.

    schema      as the file has it, but for texts that are of another type there
    rows        of the file, those of nothing but blanks too, which a limit does not count
    texts       columns as the text that they are; see `parquettypes`
    version     of the file that the schema is of: another one is no more read
    unreadable  numbers of too many digits, which are read as texts that are missing, and maps in which a key comes
                twice, of which not all would be read
    stored      columns that the file keeps in a dictionary, and their types there
    """

    where: str
    schema: Mapping[str, pl.DataType] = field()
    rows: int
    texts: Sequence[pl.Expr] = ()
    remarks: Sequence[Notice] = ()
    version: Version = ()
    unreadable: Mapping[str, str] = field(default_factory=dict)
    stored: Mapping[str, pl.DataType] = field(default_factory=dict)
    limit: int | None = None
    slice_bytes: int = SLICE_BYTES

    @property
    def name(self) -> str:
        """What messages call it."""
        return shown(self.where)

    @property
    def size(self) -> int:
        """Length of the file in bytes; of what is at an address only the number of rows is known."""
        return self.rows if is_address(self.where) else length_of(Path(self.where))

    def notices(self) -> Sequence[Notice]:
        """Tell what is to be known of its types."""
        return self.remarks

    def batches(self, progress: Progress | None = None) -> Generator[RosterBatch, None, None]:
        """All rows, in order. Raises RosterError where a page cannot be read."""
        size = self.size
        most = self.rows if self.limit is None else self.limit
        done, row, wanted = 0, 1, FIRST_BATCH
        while done < self.rows and row <= most:
            left, blank = most + 1 - row, done + 1 - row  # the more were blank, the more will be
            frame = self._slice(done, min(wanted, self.rows - done, left + blank))
            wanted = self._next_slice(frame)
            for part in frame.iter_slices(BATCH):
                people = without_blank_rows(part).head(most + 1 - row)
                yield RosterBatch(row, people, cells=rounded(people))
                done, row = done + part.height, row + people.height
            del frame, part, people  # or the next slice would be read beside this one
            if progress:
                progress(done, size * done // self.rows)

    def _slice(self, start: int, rows: int) -> pl.DataFrame:
        """Read some rows. Only the row groups that hold them are read, so memory does not follow the file."""
        try:
            frame = _scan(self.where).slice(start, rows).with_columns(self.texts).collect()
        except POLARS_ERRORS as error:
            what = explained(error, self.where)
            raise RosterError(f"{self.name}: rows {start + 1} to {start + rows} cannot be read: {what}") from None
        if not is_address(self.where) and version_of(Path(self.where)) != self.version:
            raise RosterError(f"{self.name}: changed while it was read")
        if frame.height != rows:
            raise RosterError(f"{self.name}: rows {start + frame.height + 1} to {start + rows} are missing")
        return frame

    def _next_slice(self, frame: pl.DataFrame) -> int:
        """As many rows as take up the wanted memory: in a large row group, a few long slices cost least."""
        row = frame.estimated_size() / frame.height
        return max(FIRST_BATCH, min(LONGEST_SLICE, int(self.slice_bytes / max(row, 1))))


def open_parquet(where: str | Path, limit: int | None = None) -> ParquetRoster:
    """Read the schema of what is at a path or an address, and try the first rows. Raises RosterError, OSError."""
    where = str(where)
    name = shown(where)
    footer: Sequence[FooterColumn] = ()
    version: Version = ()
    if not is_address(where):
        version = version_of(Path(where))
        _check_ends(Path(where))
        footer = footer_columns(Path(where))
        _refuse_twins(name, footer)
    try:
        lazy = _scan(where)
        texts = in_our_types(lazy, footer)
        schema = dict(lazy.with_columns(texts).collect_schema())
        rows = lazy.select(pl.len()).collect().item()
        remarks, kinds, twice = float_notices(lazy), lazy.collect_schema(), with_key_twice(lazy, footer)
    except POLARS_ERRORS as error:
        raise RosterError(f"{name} cannot be read as Parquet: {explained(error, where)}") from None
    unreadable, stored = {**too_wide(kinds), **twice}, in_dictionaries(kinds)
    roster = ParquetRoster(where, schema, rows, texts, remarks, version, unreadable, stored, limit)
    with closing(roster.batches()) as batches:
        next(batches, None)
    return roster


def _refuse_twins(name: str, footer: Sequence[FooterColumn]) -> None:
    """Refuse two columns of one name, of which polars reads neither. Raises RosterError."""
    twins = [column for column, times in Counter(each.name for each in footer).items() if times > 1]
    if twins:
        raise RosterError(f"{name}: two columns are named {twins[0]!r}; rename or remove one")


def _check_ends(path: Path) -> None:
    """Tell a file that is none, or not all of one, by its first and last bytes. Raises RosterError, OSError."""
    with path.open("rb") as file:
        if file.read(4) != b"PAR1":
            raise RosterError(f"{path} is no Parquet file (it does not begin with PAR1)")
        file.seek(-4, 2)
        if file.read(4) != b"PAR1":
            raise RosterError(f"{path} is a truncated Parquet file (it does not end with PAR1)")


def _scan(where: str) -> pl.LazyFrame:
    """Make a file known to polars, which otherwise panics when it names a time zone that polars does not have."""
    os.environ[_ANY_ZONE] = "1"
    if not is_address(where):
        return pl.scan_parquet(Path(where), glob=False, hive_partitioning=False)
    return pl.scan_parquet(where, glob=is_pattern(where), hive_partitioning=False, storage_options=OPTIONS)

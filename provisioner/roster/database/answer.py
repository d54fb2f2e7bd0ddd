"""Asks a query once, and keeps the rows in a Parquet file without a name, so that they can be read as often as needed.

query → rows in frames (`postgresql`, `mysql`, `sqlite`) → Parquet → a roster like any other
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import IO, Final, TypeAlias

import polars as pl
from polars.io.plugins import register_io_source

from provisioner.errors import RosterError
from provisioner.files.cures import with_extra
from provisioner.files.writing import path_of, unnamed_file
from provisioner.roster.database.address import Query
from provisioner.roster.files.objectstore import POLARS_ERRORS, why_full
from provisioner.roster.files.origin import no_room
from provisioner.roster.formats.parquetfile import open_parquet
from provisioner.roster.formats.rows import Roster
from provisioner.roster.wrapped import unpacked

_DRIVERS: Final = {"postgresql": "adbc_driver_postgresql", "mysql": "pymysql", "sqlite": "sqlite3"}
_ROW_GROUP: Final = 50_000


@dataclass(frozen=True, slots=True)
class Answer:
    """The rows of a query: the type of each column, and frames of these types, in order and read once."""

    schema: Mapping[str, pl.DataType]
    frames: Iterator[pl.DataFrame]


Asker: TypeAlias = Callable[[Query], AbstractContextManager[Answer]]
"""Asks; as long as the block lasts the frames can be read. Raises RosterError, then too, for what the database says."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A query whose rows are kept; it opens as many rosters as are wanted."""

    name: str
    file: IO[bytes]

    def open(self, limit: int | None) -> Roster:
        """Open it as a roster of at most so many rows."""
        path = path_of(self.file)
        return unpacked(partial(open_parquet, path), self.name, path, self.file, limit)

    def close(self) -> None:
        """Let go of the disk space."""
        self.file.close()


def ask(query: Query, folder: Path, interrupted: Callable[[], None]) -> Kept:
    """Ask a query, and keep the rows in `folder` in a file that is gone when the process is.

    interrupted  called for each frame; what it raises ends it

    Raises RosterError for what the database says or has, OutputError and StorageError for what the folder refuses.
    """
    kept = Kept(query.name, unnamed_file(folder, f" to keep the {query.name} in"))
    try:
        with _asker(query)(query) as answer:
            _write(answer, kept, folder, interrupted)
    except BaseException:
        kept.close()
        raise
    return kept


def refuse_twins(name: str, columns: Sequence[str]) -> None:
    """Refuse columns of one name, or of none. Raises RosterError."""
    twins = [column for column, times in Counter(columns).items() if times > 1]
    if twins:
        raise RosterError(f"{name}: two columns are named {twins[0]!r}; give one another name with AS")
    for number, column in enumerate(columns, 1):
        if not column.strip():
            raise RosterError(f"{name}: column {number} has no name; give it one with AS")


def no_query(query: Query) -> RosterError:
    """Say that a statement has no rows."""
    return RosterError(f"{query.name}: it is no query that gives rows")


def said(query: Query, server: str, words: str, done: int | None) -> RosterError:
    """Tell what a server says, without the password; `done`: how many rows it gave before, None before the first."""
    if query.password:
        words = words.replace(query.password, "***")
    after = "" if done is None else f" after {done:,} rows"
    return RosterError(f"{query.name}: {server}{after}: {words}")


def _asker(query: Query) -> Asker:
    kind = query.address.kind
    try:
        import_module(_DRIVERS[kind])
    except ImportError:
        raise RosterError(f"{query.name}: no driver for {kind} is installed; {with_extra('sql')}") from None
    asker: Asker = import_module(f"provisioner.roster.database.{kind}").asked
    return asker


def _write(answer: Answer, kept: Kept, folder: Path, interrupted: Callable[[], None]) -> None:
    raised: list[BaseException] = []

    def frames(*_: object) -> Iterator[pl.DataFrame]:
        try:
            for frame in answer.frames:
                interrupted()
                yield frame
        except BaseException as error:
            raised.append(error)
            raise

    rows = register_io_source(frames, schema=pl.Schema(answer.schema), validate_schema=False)
    try:
        rows.sink_parquet(kept.file, row_group_size=_ROW_GROUP)
        kept.file.flush()
    except POLARS_ERRORS as error:
        if raised:  # polars tells of it in words of its own
            raise raised[0] from None
        if why := why_full(error):
            raise no_room(folder, f"the {kept.name}", why) from None
        raise RosterError(f"{kept.name}: cannot be kept as Parquet ({type(error).__name__})") from None

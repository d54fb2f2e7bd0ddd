"""Opens a roster and gives its rows in batches of bounded size, whatever the size of the file.

    open_roster(path) → Roster → batches() → RosterBatch, RosterBatch, …

A CSV is read in blocks that end where a row ends (`csvfile`), a Parquet file in slices of rows
(`parquetfile`). Whatever is wrong with the file is one `RosterError` that says where; what the rows hold is
judged elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from provisioner.csvfile import open_csv
from provisioner.errors import RosterError
from provisioner.model import RosterBatch
from provisioner.parquetfile import open_parquet

if TYPE_CHECKING:
    import polars as pl

Progress: TypeAlias = Callable[[int, int], None]
"""Called after each batch with the rows and the bytes of the file done so far."""


class Roster(Protocol):
    """A roster file whose header has been read and whose first rows are known to be readable."""

    @property
    def path(self) -> Path:
        """Where the file is, as it was given."""

    @property
    def kind(self) -> Literal["csv", "parquet"]:
        """The format, by the file's suffix."""

    @property
    def size(self) -> int:
        """Length of the file in bytes; what `bytes_done` of a progress call runs up to."""

    @property
    def schema(self) -> Mapping[str, pl.DataType]:
        """Column name → type, in the file's order; every column of a CSV is a String."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The column names, in the file's order and spelling."""

    def batches(self, progress: Progress | None = None) -> Iterator[RosterBatch]:
        """All rows, in order; each call begins anew and gives the same rows.

        Raises RosterError where the file is broken.
        """


def open_roster(path: Path, *, encoding: str | None = None, limit: int | None = None) -> Roster:
    """Open a `.csv` or `.parquet` roster, read its header and try its first rows.

    `encoding` is any text encoding Python knows; without it a CSV is UTF-8. A Parquet file has no need of it.
    With a `limit` only that many rows exist: what lies behind them is neither read nor judged.
    Raises RosterError for what is wrong with the file, ConfigurationError for an unknown encoding.
    """
    try:
        if path.is_dir():
            raise RosterError(f"{path} is a folder; a roster is a .csv or .parquet file")
        if path.stat().st_size == 0:
            raise RosterError(f"{path} is empty: it has no bytes at all")
        match path.suffix.lower():
            case ".csv":
                return open_csv(path, encoding, limit)
            case ".parquet":
                return open_parquet(path, limit)
            case _:
                raise RosterError(f"{path} is neither .csv nor .parquet by its suffix; rename or convert it")
    except FileNotFoundError:
        raise RosterError(f"{path}: no such file") from None
    except OSError as error:
        raise RosterError(f"{path} cannot be read: {error.strerror or error}") from error

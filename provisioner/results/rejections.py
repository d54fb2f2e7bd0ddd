"""The rejected rows, in a file that can be mended and fed in again."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import polars as pl

from provisioner.files import SHARED
from provisioner.results.spool import Spool, Writer, write_csv, write_frames, write_parquet
from provisioner.roster.files.inputs import FAMILIES
from provisioner.roster.formats.rows import ADDED


def write_rejected(
    path: Path, rejected: Spool, columns: Sequence[str] = (), delimiter: str = ",", *, marked: bool = False
) -> None:
    """Write the rejected rows in the format of the path's suffix, or remove a stale file when there are none.

    columns    the roster's own, without what a reader added for itself; every column of the frames when there are none
    delimiter  separates the cells of a text
    marked     begin a text with a byte order mark, which says that it is UTF-8 whatever the roster was
    """
    if not rejected.rows or rejected.schema is None:
        path.unlink(missing_ok=True)
        return
    if FAMILIES.get(path.suffix) == "ndjson":
        from provisioner.roster.formats.ndjsonline import write_rejected_lines

        write_frames(path, rejected.frames(), rejected.schema, SHARED, _begun(write_rejected_lines, marked=marked))
        return
    wanted = {*columns, *ADDED}
    schema = pl.Schema({name: kind for name, kind in rejected.schema.items() if not columns or name in wanted})
    text = _begun(partial(write_csv, delimiter=delimiter), marked=marked)
    write = write_parquet if path.suffix == ".parquet" else text
    write_frames(path, (frame.select(schema.names()) for frame in rejected.frames()), schema, SHARED, write)


def _begun(write: Writer, *, marked: bool) -> Writer:
    """Have a text begin with a byte order mark; what writes a text adds to what is there."""

    def write_marked(path: Path, frames: Iterator[pl.DataFrame], schema: pl.Schema) -> None:
        path.write_bytes(codecs.BOM_UTF8)
        write(path, frames, schema)

    return write_marked if marked else write

"""Opens a roster and gives its rows in batches of bounded size, whatever the size of the file.

    open_roster(sources) → Roster → batches() → RosterBatch, RosterBatch, …

A CSV is read in blocks that end where a row ends (`csvfile`), a Parquet file in slices of rows
(`parquetfile`), several files one after the other (`several`). Whatever is wrong with a file is one
`RosterError` that says where; what the rows hold is judged elsewhere.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from provisioner.errors import RosterError
from provisioner.roster.files import signature
from provisioner.roster.files.compression import Compressed
from provisioner.roster.files.inputs import FAMILIES, STANDARD_INPUT, TEXTS, Place, Source, Sources, local_source
from provisioner.roster.files.origin import LocalFile, Origin, spool
from provisioner.roster.files.text import text_codec
from provisioner.roster.formats.csvfile import open_csv
from provisioner.roster.formats.parquetfile import open_parquet
from provisioner.roster.formats.rows import Roster
from provisioner.roster.parts import Part, join

_CHUNK = 1024 * 1024
_TAB = "tsv"
# Suffix that is not read → what to do.
_CONVERSIONS = {
    ".xls": "save it as .xlsx",
    ".xlsm": "save it as .xlsx",
    ".ods": "save it as .xlsx",
    ".json": "write one object per line and call it .ndjson",
}


@dataclass(frozen=True, slots=True)
class RosterOptions:
    """How a roster is to be read.

    encoding   any text encoding Python knows; without it text is UTF-8
    delimiter  what separates the cells of a CSV; found by itself without it
    sheet      of a workbook; the first without it
    limit      only that many rows exist: what lies behind them is neither read nor judged
    """

    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    limit: int | None = None


def open_roster(roster: Sources | Path, options: RosterOptions | None = None, folder: Path = Path()) -> Roster:
    """Open a roster of one or several files, read the headers and try the first rows.

    folder  where that is kept which can be read only once

    Raises RosterError for what is wrong with a file, ConfigurationError for an unknown encoding, OutputError and
    StorageError when there is no room in the folder.
    """
    sources = Sources((local_source(str(roster)),)) if isinstance(roster, Path) else roster
    options = options or RosterOptions()
    with ExitStack() as opened:
        parts: list[Part] = []
        for source in sources.each:
            parts.append(_open(source, options, folder, opened, first=not parts))
            opened.callback(parts[-1].roster.close)
        whole = parts[0].roster if len(parts) == 1 else join(parts, options.limit)
        opened.pop_all()
        return whole


def _open(source: Source, options: RosterOptions, folder: Path, opened: ExitStack, *, first: bool) -> Part:
    """Open one file, and say how it is opened again for fewer rows. What is held by then, `opened` can close."""
    if source.place is Place.FILE:
        _check_file(source)
    if source.family is None:
        known = ", ".join(FAMILIES)
        mend = _CONVERSIONS.get(source.suffix, "rename it")
        raise RosterError(f"{source.name}: a roster ends in one of {known} (texts also in .gz or .zst); {mend}")
    if source.compression and source.family not in TEXTS:
        raise RosterError(f"{source.name}: a compressed {source.suffix} file is not read; unpack it first")
    opener = _text(source, options, folder, opened) if source.family in TEXTS else _table(source, options)
    sparse = source.family == "ndjson"
    least = None if options.limit is None else 0
    # How many rows are left for a further file is known only when the earlier ones have been read. Until then its
    # header will do, but for JSON lines, where every row may bring a column.
    return Part(opener(options.limit if first or sparse else least), opener, sparse)


def _table(source: Source, options: RosterOptions) -> Callable[[int | None], Roster]:
    """Say how a Parquet file or a workbook is opened."""
    if source.place is Place.FILE:
        signature.check_signature(source, _start(LocalFile(Path(source.where))))
    if source.family == "parquet":
        return partial(open_parquet, source.where)
    if source.place is Place.REMOTE:
        raise RosterError(f"{source.name}: a workbook is read from a disk only; fetch it first")
    from provisioner.roster.formats.workbook import open_workbook

    return partial(open_workbook, Path(source.where), options.sheet)


def _text(source: Source, options: RosterOptions, folder: Path, opened: ExitStack) -> Callable[[int | None], Roster]:
    """Say how a CSV or NDJSON file is opened, compressed or not; what can be read only once is read now."""
    codec = text_codec(options.encoding)
    origin = _origin(source, folder)
    opened.callback(origin.close)
    signature.check_signature(source, _start(origin))
    if source.compression:
        origin = Compressed(origin, source.compression)
    signature.check_text(source, _start(origin), encoded=codec is not None)
    if source.family == "ndjson":
        from provisioner.roster.formats.ndjsonfile import open_ndjson

        return partial(open_ndjson, origin, codec)
    delimiter = options.delimiter or ("\t" if source.family == _TAB else None)
    return partial(open_csv, origin, codec, delimiter)


def _origin(source: Source, folder: Path) -> Origin:
    if source.place is Place.REMOTE:
        from provisioner.roster.files.objectstore import fetch

        return fetch(source.where, folder)
    if source.place is Place.STREAM:
        return _spooled(source, folder)
    return LocalFile(Path(source.where))


def _check_file(source: Source) -> None:
    """Refuse what is no file with bytes in it. Raises RosterError."""
    path = Path(source.where)
    try:
        if path.is_dir():
            raise RosterError(f"{source.name} is a folder; name the files in it, such as '{path / '*.csv'}'")
        if path.stat().st_size == 0:
            raise RosterError(f"{source.name} is empty: it has no bytes at all")
    except FileNotFoundError:
        raise RosterError(f"{source.name}: no such file") from None
    except OSError as error:
        raise _unreadable(source.name, error) from error


def _start(origin: Origin) -> bytes:
    try:
        with origin.open() as file:
            return file.read(signature.LENGTH)
    except OSError as error:
        raise _unreadable(origin.name, error) from error


def _spooled(source: Source, folder: Path) -> Origin:
    """Read a pipe or a device to its end."""
    origin = spool(source.name, _chunks(source), folder)
    if not origin.size:
        origin.close()
        raise RosterError(f"{source.name} is empty: it has no bytes at all")
    return origin


def _chunks(source: Source) -> Iterator[bytes]:
    where = 0 if source.where == STANDARD_INPUT else source.where
    try:
        with open(where, "rb", buffering=0, closefd=where != 0) as file:
            if os.isatty(file.fileno()):
                raise RosterError(f"{source.name} is a terminal; pipe a CSV into it, or name a file")
            while chunk := file.read(_CHUNK):
                yield chunk
    except OSError as error:
        raise _unreadable(source.name, error) from error


def _unreadable(name: str, error: OSError) -> RosterError:
    return RosterError(f"{name} cannot be read: {error.strerror or error}")

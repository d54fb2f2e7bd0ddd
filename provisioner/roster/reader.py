"""Opens a roster and gives its rows in batches of bounded size, whatever the size of the file.

    open_roster(inputs) → Roster → batches() → RosterBatch, RosterBatch, …

A CSV is read in blocks that end where a row ends (`csv`), a Parquet file in slices of rows (`formats.parquetfile`),
a sheet of a workbook whole (`workbook`), several files one after the other (`parts`). Whatever is wrong with a file is
one `RosterError` that says where; what the rows hold is judged elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import NoReturn, TypeAlias

from provisioner.errors import EmptyRosterError, RosterError
from provisioner.files.writing import path_of
from provisioner.roster.csv.file import open_csv, refuse_quoted_lines
from provisioner.roster.csv.header import HeaderOptions, names_rejected
from provisioner.roster.csv.tabs import is_ever_quoted
from provisioner.roster.database.address import Query
from provisioner.roster.encodings.mixed import PartEncodings
from provisioner.roster.encodings.readings import NotUtf8Error, escaped_letters
from provisioner.roster.files import signature
from provisioner.roster.files.archive import Member, find_member
from provisioner.roster.files.compression import Compressed
from provisioner.roster.files.inputs import TEXTS, InputFile, Inputs, Location, local_file
from provisioner.roster.files.origin import CHUNK, LocalFile, Origin, chunks, spool, unreadable
from provisioner.roster.files.text import is_utf8, open_text, text_codec
from provisioner.roster.formats.ndjsonline import holds_rejected
from provisioner.roster.formats.parquetfile import open_parquet
from provisioner.roster.formats.rows import Missing, Roster, missing_fields
from provisioner.roster.parts import Part, join
from provisioner.roster.wrapped import SPARSE, beside, partitioned, unmarked, unpacked

Opener: TypeAlias = Callable[[int | None], Roster]
"""Opens a file for at most so many rows."""

_LOOKED_THROUGH = 64 * 1024
_TAB = "tsv"


@dataclass(frozen=True, slots=True)
class RosterOptions:
    """How a roster is to be read.

    encoding   any text encoding Python knows; without it text is UTF-8
    delimiter  what separates the cells of a CSV; found by itself without it
    sheet      of a workbook; the first visible one with the needed columns without it
    limit      only that many rows exist: what lies behind them is neither read nor judged
    header_row the line or row that names the columns, counted from 1; found by itself without it
    escape     of a CSV: within quotes it takes the meaning of the next character away
    missing    says how many of the needed columns some names lack
    of_people  says how many of those lack that uid and name are made of; `missing` does so where none other is given
    query      whose rows the roster is, when it is no file
    interrupted  called while a query is answered or a pipe is read; what it raises ends it
    """

    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    limit: int | None = None
    header_row: int | None = None
    escape: str = ""
    missing: Missing = missing_fields
    of_people: Missing | None = None
    query: Query | None = None
    interrupted: Callable[[], None] = lambda: None


def open_roster(roster: Inputs | Path, options: RosterOptions | None = None, folder: Path = Path()) -> Roster:
    """Open a roster of one or several files, read the headers and try the first rows.

    folder  where that is kept which can be read only once

    Raises RosterError for what is wrong with a file, ConfigurationError for an unknown encoding, OutputError and
    StorageError when there is no room in the folder.
    """
    inputs = Inputs((local_file(str(roster)),)) if isinstance(roster, Path) else roster
    options = options or RosterOptions()
    encodings = PartEncodings(inputs.files)
    with ExitStack() as opened:
        try:
            parts = list(_parts(inputs, options, folder, opened))
        except NotUtf8Error as error:
            raise encodings.explained(error) from None
        whole = parts[0].roster if len(parts) == 1 else join(parts, options.limit, encodings)
        opened.pop_all()
        return beside(inputs.about, whole)


def _parts(inputs: Inputs, options: RosterOptions, folder: Path, opened: ExitStack) -> Iterator[Part]:
    """Open all files; one that nobody named and in which there is nothing is none of them."""
    first, empty = True, ""
    for file in inputs.files:
        try:
            part = _open(file, options, folder, opened, first=first)
        except EmptyRosterError:
            if not file.found:
                raise
            empty = empty or file.name
            continue
        first = False
        opened.callback(part.roster.close)
        yield part
    if first:
        message = f"{empty} is empty" if len(inputs.files) == 1 else f"{empty} and all other parts are empty"
        raise RosterError(f"{message}: there is no row, and no header either")


def _open(file: InputFile, options: RosterOptions, folder: Path, opened: ExitStack, *, first: bool) -> Part:
    """Open one file, and say how it is opened again for fewer rows. What is held by then, `opened` can close."""
    opener, sparse = _opener(file, options, folder, opened)
    if file.partitions:
        opener = partial(_around, partial(partitioned, dict(file.partitions)), opener)
    opener = partial(_around, unmarked, opener)
    least = None if options.limit is None else 0
    # How many rows are left for a further file is known only when the earlier ones have been read. Until then its
    # header will do, but for JSON lines, where every row may bring a column.
    return Part(opener(options.limit if first or sparse else least), opener, sparse)


def _around(wrap: Callable[[Roster], Roster], opener: Opener, limit: int | None) -> Roster:
    return wrap(opener(limit))


def _opener(file: InputFile, options: RosterOptions, folder: Path, opened: ExitStack) -> tuple[Opener, bool]:
    """Say how a file is opened, and whether its rows may lack columns."""
    if file.location is Location.QUERY:
        return _asked(file, options, folder, opened), False
    local = LocalFile(Path(file.where)) if file.location is Location.FILE else None
    if local is not None:
        _check_file(file)
    if file.family is None:
        signature.refuse_suffix(file, b"" if local is None else _start(local), local)
    if file.compression and file.family not in TEXTS:
        if local is not None:
            signature.check_compression(file, _start(local), local)
        _refuse_packed_table(file)
    if file.family == "zip":
        inside, member = _member(file, local)
        opener = _unzipped(replace(inside, archive=file.name), member, options, folder, opened)
        return partial(_around, partial(beside, member.about, packed=True), opener), inside.family in SPARSE
    if file.family not in TEXTS:
        return _table(file, local, options), False
    origin = local or _kept(file, folder, options.interrupted)
    opened.callback(origin.close)
    signature.check_signature(file, _start(origin), origin)
    return _text(file, origin, options), file.family in SPARSE


def _refuse_packed_table(file: InputFile) -> NoReturn:
    raise RosterError(f"{file.name}: a compressed {file.suffix} file is not read; unpack it first")


def _asked(file: InputFile, options: RosterOptions, folder: Path, opened: ExitStack) -> Opener:
    """Ask the query, whose rows are kept and opened from there."""
    from provisioner.roster.database.answer import ask

    if options.query is None:
        raise RosterError(f"{file.name}: no query is given; give --query and --database")
    kept = ask(options.query, folder, options.interrupted)
    opened.callback(kept.close)
    return kept.open


def _member(file: InputFile, archive: LocalFile | None) -> tuple[InputFile, Member]:
    """Find the one roster in a zip archive, which has to be on a disk."""
    if archive is None:
        raise RosterError(f"{file.name}: a zip archive is read from a disk only; fetch it first")
    signature.check_signature(file, _start(archive), archive)
    return find_member(file, archive)


def _unzipped(inside: InputFile, member: Member, options: RosterOptions, folder: Path, opened: ExitStack) -> Opener:
    """Say how the roster in a zip archive is opened; a table is unpacked first, which takes room on the disk."""
    if inside.family in TEXTS:
        signature.check_signature(inside, _start(member))
        return _text(inside, member, options)
    if inside.compression:
        _refuse_packed_table(inside)
    kept = spool(member.name, _pieces(member), folder)
    opened.callback(kept.close)
    path = path_of(kept.file)
    signature.check_signature(inside, _start(kept), kept)
    return partial(unpacked, _table_opener(inside, path, options), member.name, path, kept.file)


def _pieces(origin: Origin) -> Iterator[bytes]:
    with origin.open() as file:
        while piece := file.read(CHUNK):
            yield piece


def _table(file: InputFile, local: LocalFile | None, options: RosterOptions) -> Opener:
    """Say how a Parquet file or a workbook is opened."""
    if local is not None:
        signature.check_signature(file, _start(local), local)
    elif file.family != "parquet":
        raise RosterError(f"{file.name}: a workbook is read from a disk only; fetch it first")
    return _table_opener(file, file.where, options)


def _table_opener(file: InputFile, where: str | Path, options: RosterOptions) -> Opener:
    if file.family == "parquet":
        return partial(open_parquet, where)
    from provisioner.roster.workbook.file import open_workbook
    from provisioner.roster.workbook.header import SheetOptions

    table = SheetOptions(options.sheet, options.header_row, options.missing, options.of_people)
    return partial(open_workbook, Path(where), table)


def _text(file: InputFile, origin: Origin, options: RosterOptions) -> Opener:
    """Say how a CSV, NDJSON or JSON file is opened, compressed or not."""
    if file.compression:
        origin = Compressed(origin, file.compression)
        signature.check_text(file, _start(origin))
    codec = _codec(file, origin, options)
    if options.encoding is None and (what := escaped_letters(_start(origin, _LOOKED_THROUGH))) is not None:
        raise RosterError(f"{origin.name}: {what}, or --encoding utf-8 if it is meant as it stands")
    if file.family == "ndjson":
        from provisioner.roster.formats.jsondefect import open_lines

        return partial(open_lines, origin, codec)
    if file.family == "json":
        from provisioner.roster.formats.jsonfile import open_json

        return partial(open_json, options.missing, origin, codec)
    implied = "\t" if file.family == _TAB else None
    # Rejected rows that came back are fed in with the settings of their roster, and are written in one way. Where these
    # say nothing of how it is written, they are read as all others are.
    told = file.family == _TAB or options.escape or options.header_row
    if told and _is_of_rejected(file, origin, codec, options):
        header = HeaderOptions(options.delimiter, missing=options.missing, implied=implied)
        return partial(_csv, origin, codec, header)
    escape, delimiter = options.escape, options.delimiter or implied
    quoting = file.family != _TAB or delimiter != "\t" or is_ever_quoted(origin, codec, escape)
    header = HeaderOptions(options.delimiter, escape, quoting, options.header_row, options.missing, implied)
    return partial(_csv, origin, codec, header)


def _codec(file: InputFile, origin: Origin, options: RosterOptions) -> str | None:
    """Say in what a text is read: rejected rows are UTF-8, also when they were saved without the mark that says so."""
    codec = text_codec(options.encoding)
    if codec is not None and _is_of_rejected(file, origin, None, options) and is_utf8(origin) is not False:
        return None
    return codec


def _is_of_rejected(file: InputFile, origin: Origin, codec: str | None, options: RosterOptions) -> bool:
    """Whether the first line or objects, in this encoding, have the columns of rejected rows. Raises RosterError."""
    with open_text(origin, codec) as stream:
        if file.family in SPARSE:
            return holds_rejected(stream.read(CHUNK))
        return names_rejected(stream, options.delimiter)


def _csv(origin: Origin, codec: str | None, header: HeaderOptions, limit: int | None) -> Roster:
    return refuse_quoted_lines(open_csv(origin, codec, header, limit))


def _kept(file: InputFile, folder: Path, interrupted: Callable[[], None]) -> Origin:
    """Keep what can be read only once: what is at an address, or comes through a pipe. Raises RosterError."""
    if file.location is Location.REMOTE:
        from provisioner.roster.files.objectstore import fetch

        return fetch(file.where, folder)
    origin = spool(file.name, chunks(file, interrupted), folder)
    if not origin.size:
        origin.close()
        raise EmptyRosterError(f"{file.name} is empty: it has no bytes at all")
    return origin


def _check_file(file: InputFile) -> None:
    """Refuse what is no file with bytes in it. Raises RosterError."""
    path = Path(file.where)
    try:
        if path.stat().st_size == 0:
            raise EmptyRosterError(f"{file.name} is empty: it has no bytes at all")
        if path.is_dir():
            raise RosterError(f"{file.name} is a folder; name it alone, or name the files in it")
    except FileNotFoundError:
        raise RosterError(f"{file.name}: no such file") from None
    except OSError as error:
        raise unreadable(file.name, error) from error


def _start(origin: Origin, length: int = signature.LENGTH) -> bytes:
    try:
        with origin.open() as file:
            return file.read(length)
    except OSError as error:
        raise unreadable(origin.name, error) from error

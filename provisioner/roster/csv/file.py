"""A CSV roster: blocks of whole rows, parsed by polars where their quotes are plain, else read by the grammar.

Every cell stays the text it is. A file is read in one way or refused with the place: what polars would read
leniently, it never gets to see.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, NoReturn

import polars as pl

from provisioner.errors import RosterError
from provisioner.roster.csv.blocks import (
    MIB,
    Block,
    BlockSizes,
    ChangedError,
    EndlessRowError,
    Seen,
    cut,
    cut_again,
    frame_of,
    line_steps,
    without_header,
)
from provisioner.roster.csv.defect import (
    JOINED,
    Defect,
    WideRowError,
    ends_with_header,
    first_defect,
    may_be_several,
    names_all_columns,
)
from provisioner.roster.csv.grammar import has_loose_cr, has_other_ends, read_rows
from provisioner.roster.csv.header import Header, HeaderOptions, read_header
from provisioner.roster.csv.looks import PROPER_QUOTES, WITHOUT_QUOTES, are_in_quotes, other_quotes
from provisioner.roster.csv.remarks import WHOLE, BehindBlanks, remarks_on
from provisioner.roster.encodings.readings import NotUtf8Error, UndecodedError, mixture
from provisioner.roster.files.compression import Compressed
from provisioner.roster.files.origin import LocalFile, Origin, unchanged
from provisioner.roster.files.text import TextStream, open_text
from provisioner.roster.formats.rows import ANOTHER_TABLE, Notice, Progress, RosterBatch, TextRoster, without_blank_rows

DEFAULT_SIZES: Final = BlockSizes()
# So many blank cells behind the last column polars is let to expect; rows with more are read by the grammar.
_MOST_SURPLUS: Final = 1_000


@dataclass(frozen=True, slots=True)
class CsvRoster(TextRoster):
    """A CSV file with a header; see `rows.Roster`.

    other_quotes  those in which its cells are, if they are none
    quoted_lines  the first lines are quoted as a whole
    behind        the rows behind blank lines that may be none of the table, as far as it has been read
    seen          the blocks that it was cut into when it was read to its end, or to the limit, for the first time
    """

    header: Header
    limit: int | None = None
    sizes: BlockSizes = DEFAULT_SIZES
    other_quotes: str | None = None
    quoted_lines: bool = False
    behind: BehindBlanks = field(default_factory=BehindBlanks, repr=False, compare=False)
    seen: list[Seen] = field(default_factory=list, repr=False, compare=False)

    @property
    def rejected_delimiter(self) -> str:
        """The file's own delimiter, where it is one byte."""
        own = self.header.dialect.delimiter
        return own if own.isascii() else ","

    @property
    def repeated(self) -> frozenset[str]:
        """Names that several columns bear."""
        return self.header.repeated

    @property
    def schema(self) -> Mapping[str, pl.DataType]:
        """Every column is a String."""
        return dict.fromkeys(self.header.columns, pl.String())

    def notices(self) -> Sequence[Notice]:
        """Say also which line is the header, when it was looked for, and that the cells are in quotes that are none."""
        quotes = f"{self.name}: its cells are in {self.other_quotes}, which stand for themselves; "
        return (
            *TextRoster.notices(self),
            *self.header.notices(self.name),
            *([Notice("cells.other_quotes", f"{quotes}{PROPER_QUOTES}")] if self.other_quotes else []),
            *self.behind.notices(self.name, self.numbers),
        )

    def batches(self, progress: Progress | None = None) -> Generator[RosterBatch, None, None]:
        """All rows, in order. Raises RosterError with row, line, column and byte where the file is broken."""
        rows = 0
        with open_text(self.origin, self.codec) as stream:
            for batch in self._blocks(stream):
                yield from self._slices(batch, rows)
                rows += batch.frame.height
                if progress:
                    progress(rows, stream.bytes_read)

    def _blocks(self, stream: TextStream) -> Iterator[RosterBatch]:
        """One frame per block; the last one ends at the limit."""
        parser = _BlockParser(self, stream.origin)
        seen: list[Seen] = []
        with ThreadPoolExecutor(1) as reader:
            blocks = self._cut(stream)
            upcoming = reader.submit(next, blocks, None)
            while (left := None if self.limit is None else self.limit - parser.rows) != 0:
                try:
                    block = upcoming.result()
                except EndlessRowError as error:
                    parser.fail(error.data, f"a row of more than {self.sizes.longest_row // MIB} MiB")
                except ChangedError:
                    raise RosterError(f"{self.name}: changed while it was read") from None
                if block is None:
                    break
                upcoming = reader.submit(next, blocks, None)  # read and cut while polars parses
                before = parser.lines
                yield parser.parse(block, left)
                if not self.seen:
                    seen.append(Seen.of(block, parser.lines - before))
        self.seen.extend(seen)

    def _cut(self, stream: TextStream) -> Iterator[Block]:
        read, dialect = without_header(stream, self.header.length), self.header.dialect
        if self.seen:
            return cut_again(read, dialect, self.seen)
        return unchanged(self.origin, self.version, cut(read, dialect, self.sizes))

    def _slices(self, batch: RosterBatch, before: int) -> Iterator[RosterBatch]:
        at, frame = 0, batch.frame
        while at < frame.height:
            size = self.sizes.batch if before + at else self.sizes.first_batch
            remarks = {
                code: [index - at for index in indexes if at <= index < at + size]
                for code, indexes in batch.remarks.items()
            }
            yield RosterBatch(before + at + 1, frame.slice(at, size), remarks)
            at += size


def open_csv(
    file: Origin | Path,
    codec: str | None = None,
    options: HeaderOptions | None = None,
    limit: int | None = None,
    sizes: BlockSizes = DEFAULT_SIZES,
) -> CsvRoster:
    """Read the header and try the first block. Raises RosterError for a broken file.

    codec  as `text_codec` gives it
    """
    origin = LocalFile(file) if isinstance(file, Path) else file
    version = origin.version
    with open_text(origin, codec) as stream:
        try:
            header = read_header(origin.name, stream, options)
        except NotUtf8Error as error:
            raise error.unless_mixed(origin) from None
        roster = CsvRoster(origin, codec, header, limit, sizes, version=version)
    try:
        with closing(roster.batches()) as batches:
            first = next(batches, None)
    except WideRowError as error:
        missing = (options or HeaderOptions()).missing
        if missing(error.cells) or not missing(roster.header.columns):
            raise
        what = f"line {roster.header.line} is no header, and line {error.line} looks like one"
        raise RosterError(f"{origin.name}: {what}; name it with --header-row {error.line}") from None
    if first is None:
        return roster
    whole = len(first.remarks.get(WHOLE, ())) == first.frame.height
    whole = whole if roster.header.dialect.quoting else are_in_quotes(first.frame)
    return replace(roster, other_quotes=other_quotes(first.frame.to_series(0).head(20)), quoted_lines=whole)


def refuse_quoted_lines(roster: CsvRoster) -> CsvRoster:
    """Give a roster unless each line of it is one cell. Raises RosterError."""
    if roster.quoted_lines:
        raise RosterError(f"{roster.name}: each line behind the header is quoted as a whole; {WITHOUT_QUOTES}")
    return roster


class _BlockParser:
    """Parses the blocks of one file in order; `rows`, bytes and `lines` say how far it has come."""

    def __init__(self, roster: CsvRoster, start: int | None) -> None:
        self.rows = 0
        self._roster, self._origin, self._name = roster, roster.origin, roster.name
        self._header, self._dialect = roster.header, roster.header.dialect
        self._width = len(roster.header.columns)
        self._start, self._offset, self.lines = start, roster.header.length, roster.header.lines
        self._unit = " of the unpacked text" if isinstance(roster.origin, Compressed) else ""
        self._surplus = 0

    def parse(self, block: Block, left: int | None) -> RosterBatch:
        """Parse a block, keep its first `left` rows. Raises RosterError with the place of a defect among them."""
        others = has_other_ends(block.data, self._dialect)
        joins = others and self._dialect.may_join(block.data)
        joined = joins and may_be_several(block.data, self._dialect)
        loose = joined or (others and has_loose_cr(block.data, self._dialect))
        frame = self._parsed(block.data) if block.rows is None and not loose else None
        if frame is None:
            frame = self._read(block, left, joined=joined)
        lines = block.data.count(self._dialect.eol.encode()) if block.lines is None else block.lines
        # Over more lines than rows: some are blank, or stand within cells.
        spread = lines > frame.height or joins
        cells, frame = frame, without_blank_rows(frame)
        frame = frame if left is None else frame.head(left)
        if frame.height and not self._roster.seen:
            steps = line_steps(cells, frame.height, block, lines, self._dialect.eol)
            self._roster.numbers.add_steps(self.rows, self.lines, steps)
            self._roster.behind.add(cells, self.rows, frame.height)
        remarks = remarks_on(frame, self._dialect, spread=spread) if b'"' in block.data else {}
        frame.columns = list(self._header.columns)
        self.rows += frame.height
        self._offset += len(block.data)
        self.lines += lines
        return RosterBatch(1, frame, remarks)

    def _parsed(self, data: bytes) -> pl.DataFrame | None:
        """Have polars parse a block whose quotes are plain; None when it cannot, or when it is not for it to judge."""
        if not self._dialect.delimiter.isascii():
            return None
        self._surplus = self._surplus or self._behind(data)
        names, eol = [f"c{index}" for index in range(self._width + self._surplus)], self._dialect.eol.encode()
        frame = None if data.startswith(BOM_UTF8) else self._by_polars(names, data)
        if frame is None:
            frame = self._by_polars(names, data, self._dialect.delimiter.join(names).encode() + eol)
        if frame is None:
            return None
        surplus = frame[names[self._width :]]
        if surplus.width and surplus.height - without_blank_rows(surplus).height < surplus.height:
            return None
        return frame[names[: self._width]]

    def _behind(self, data: bytes) -> int:
        """Count the cells of the first row behind the last column, which are blank in all rows or in none."""
        line = data[: data.find(self._dialect.eol.encode()) + 1]
        surplus = line.count(self._dialect.delimiter.encode()) + 1 - self._width
        return surplus if 0 < surplus <= _MOST_SURPLUS and b'"' not in line else 0

    def _by_polars(self, names: Sequence[str], data: bytes, header: bytes = b"") -> pl.DataFrame | None:
        """Give all cells, or None; without a header it refuses a first row that lacks some, and drops a mark (BOM).

        To put a header before the data is to copy all of it.
        """
        try:
            return pl.read_csv(
                header + data,
                schema=dict.fromkeys(names, pl.String()),
                has_header=bool(header),
                infer_schema=False,
                separator=self._dialect.delimiter,
                quote_char='"' if self._dialect.quoting else None,
                eol_char=self._dialect.eol,
                glob=False,
            )
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
            return None

    def _read(self, block: Block, left: int | None, *, joined: bool) -> pl.DataFrame:
        """Read a block by the grammar. Raises RosterError for a defect before the `left` rows that are wanted.

        joined  a line end that is none in this file may stand between two rows
        """
        rows = block.rows
        if rows is None:
            rows = read_rows(block.data.decode(errors="surrogateescape"), self._dialect).rows
        widest = max(map(len, rows), default=0)
        if block.broken or widest > self._width or not block.is_utf8 or joined:
            defect = first_defect(block.data, self._width, self._dialect)
            if defect is not None:
                if left is None or defect.row < left:
                    self._fail(defect, block.data)
                rows = rows[: defect.rows_before]
            self._surplus = min(_MOST_SURPLUS, max(0, max(map(len, rows), default=0) - self._width))
        return frame_of(rows, self._width)

    def fail(self, data: bytes, reason: str) -> NoReturn:
        """Raise the RosterError for a broken block; `reason` serves when a second look finds none."""
        defect = first_defect(data, self._width, self._dialect)
        if defect is None:
            raise RosterError(f"{self._name}: after row {self.rows}: {reason}") from None
        self._fail(defect, data)

    def _fail(self, defect: Defect, data: bytes) -> NoReturn:
        line = self.lines + data.count(self._dialect.eol.encode(), 0, defect.offset) + 1
        byte = "" if self._start is None else f"byte {self._start + self._offset + defect.offset}{self._unit}"
        place = f"row {self.rows + defect.row + 1} (line {line}"
        if defect.column < self._width:
            place += f"), column {self._header.columns[defect.column]!r}" + (f" ({byte})" if byte else "")
        else:
            place += f", {byte})" if byte else ")"
        mixed = mixture(self._origin) if defect.undecoded and self._start is not None else None
        what = f"{self._name}: {place}: {mixed or defect.what}"
        if defect.column < self._width:
            kind = UndecodedError if mixed else NotUtf8Error if defect.undecoded else RosterError
            raise kind(what) from None
        rows = read_rows(data.decode(errors="surrogateescape"), self._dialect, most=defect.rows_before + 1).rows
        cells = [cell or "" for row in rows[defect.rows_before :] for cell in row]
        if ends_with_header(self._header.columns, cells):
            raise RosterError(f"{self._name}: {place}: {JOINED}") from None
        if names_all_columns(self._header.columns, cells):
            what = f"{self._name}: {place}: {ANOTHER_TABLE}"
        raise WideRowError(what, line, cells) from None

"""A CSV roster: blocks of the file that end where a row ends, each parsed by polars.

Row ends are found by quote parity: a line end behind an even number of quotes is the end of a row. That costs
one count per block, keeps memory flat and survives any cell, however long. Every cell stays the text it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import polars as pl

from provisioner.errors import RosterError
from provisioner.roster.files.compression import Compressed
from provisioner.roster.files.origin import LocalFile, Origin
from provisioner.roster.files.text import TextStream, open_text
from provisioner.roster.formats import csvdefect
from provisioner.roster.formats.csvheader import Header, read_header
from provisioner.roster.formats.rows import Progress, RosterBatch, TextRoster

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class BlockSizes:
    """How much is read at once: `first` and `block` in bytes, the rest in rows.

    The first block and batch are small so that the first users are on their way at once. A row longer than
    `longest_row` bytes is taken for a quote that was never closed.
    """

    first: int = MIB // 2
    block: int = 8 * MIB
    longest_row: int = 64 * MIB
    first_batch: int = 1_000
    batch: int = 50_000


DEFAULT_SIZES = BlockSizes()


@dataclass(frozen=True, slots=True)
class CsvRoster(TextRoster):
    """A CSV file with a header; see `rows.Roster`."""

    header: Header
    limit: int | None = None
    sizes: BlockSizes = DEFAULT_SIZES

    @property
    def rejected_delimiter(self) -> str:
        """The file's own delimiter."""
        return self.header.delimiter

    @property
    def schema(self) -> Mapping[str, pl.DataType]:
        """Every column is a String."""
        return dict.fromkeys(self.header.columns, pl.String())

    def batches(self, progress: Progress | None = None) -> Generator[RosterBatch, None, None]:
        """All rows, in order. Raises RosterError with row, column and byte where the file is broken."""
        rows = 0
        with open_text(self.origin, self.codec) as stream:
            for frame in self._frames(stream):
                yield from self._slices(frame, rows)
                rows += frame.height
                if progress:
                    progress(rows, stream.bytes_read)

    def _frames(self, stream: TextStream) -> Iterator[pl.DataFrame]:
        """One frame per block; the last one ends at the limit."""
        parser = _BlockParser(self.origin, self.header, stream.origin)
        read = _without_header(stream, self.header.length)
        blocks = _blocks(read, self.header.eol, self.sizes, parser.first_line)
        with ThreadPoolExecutor(1) as reader:
            upcoming = reader.submit(next, blocks, None)
            while (left := None if self.limit is None else self.limit - parser.rows) != 0:
                try:
                    block = upcoming.result()
                except _EndlessRowError as error:
                    parser.fail(error.block, f"a row of more than {self.sizes.longest_row // MIB} MiB")
                if block is None:
                    return
                upcoming = reader.submit(next, blocks, None)  # read and cut while polars parses
                yield parser.parse(block, left)

    def _slices(self, frame: pl.DataFrame, before: int) -> Iterator[RosterBatch]:
        at = 0
        while at < frame.height:
            size = self.sizes.batch if before + at else self.sizes.first_batch
            yield RosterBatch(before + at + 1, frame.slice(at, size))
            at += size


def open_csv(
    file: Origin | Path,
    codec: str | None = None,
    delimiter: str | None = None,
    limit: int | None = None,
    sizes: BlockSizes = DEFAULT_SIZES,
) -> CsvRoster:
    """Read the header and try the first block.

    codec      as `text_codec` gives it
    delimiter  one character; found from the header without one

    Raises RosterError for a broken file.
    """
    origin = LocalFile(file) if isinstance(file, Path) else file
    with open_text(origin, codec) as stream:
        roster = CsvRoster(origin, codec, read_header(origin.name, stream, delimiter), limit, sizes)
    with closing(roster.batches()) as batches:
        next(batches, None)
    return roster


def _without_header(stream: TextStream, length: int) -> Callable[[int], bytes]:
    """Give the stream's `read` after the header has been read past."""
    surplus = b""
    while length > 0 and (chunk := stream.read(length)):
        surplus = chunk[length:]  # a decoded chunk can be longer than what was asked for
        length -= len(chunk)

    def read(size: int) -> bytes:
        nonlocal surplus
        if surplus:
            first, surplus = surplus, b""
            return first
        return stream.read(size)

    return read


def _blocks(read: Callable[[int], bytes], eol: bytes, sizes: BlockSizes, first_line: bytes) -> Iterator[bytes]:
    """Cut what is read into blocks of whole rows behind a `first_line`; the last row may lack its line end."""
    pieces = [first_line]
    quotes = pending = 0
    size = sizes.first
    while chunk := read(size):
        cut = _last_row_end(chunk, eol, quotes)
        if cut:
            yield b"".join((*pieces, chunk[:cut]))
            pieces, quotes, pending = [first_line], 0, 0
        rest = chunk[cut:]
        pieces.append(rest)
        quotes += rest.count(b'"')
        pending += len(rest)
        if pending > sizes.longest_row:
            raise _EndlessRowError(b"".join(pieces))
        size = sizes.block
    if pending:
        yield b"".join(pieces)


def _last_row_end(chunk: bytes, eol: bytes, quotes_before: int) -> int:
    """Find where the chunk's last row ends: at a line end behind an even number of quotes; 0 is nowhere.

        a,b⏎c,"d⏎e    behind the last line end in the chunk stands one quote: it is part of the cell that begins there
        a,b⏎c,        before that quote the last line end has none, so there a row ends
        a,b⏎          the answer: 4; `c,"d⏎e` waits for the next chunk, as a row with one quote (`quotes_before`)

    Going back costs a search for each quoted cell that is crossed, and hardly a chunk ends in many.
    """
    end = chunk.rfind(eol) + 1
    quotes = quotes_before + chunk.count(b'"', 0, end)
    while end and quotes % 2:
        opening = chunk.rfind(b'"', 0, end)
        if opening < 0:
            return 0  # the cell begins in an earlier chunk
        end_before = chunk.rfind(eol, 0, opening) + 1
        quotes -= chunk.count(b'"', end_before, end)
        end = end_before
    return end


class _EndlessRowError(Exception):
    """A block without a row end that is longer than any row should be."""

    def __init__(self, block: bytes) -> None:
        super().__init__()
        self.block = block


class _BlockParser:
    """Parses the blocks of one file in order; `rows` and `offset` say how far it has come."""

    def __init__(self, origin: Origin, header: Header, start: int | None) -> None:
        self.rows = 0
        self._name, self._header = origin.name, header
        self._start, self._offset = start, header.length
        self._counted = " of the unpacked text" if isinstance(origin, Compressed) else ""
        names = [f"c{index}" for index in range(len(header.columns))]
        self._schema: dict[str, pl.DataType] = dict.fromkeys(names, pl.String())
        # polars takes the shape of a file from its first line, so every block begins with a header of its own
        self.first_line = header.delimiter.join(names).encode() + header.eol

    def parse(self, block: bytes, left: int | None = None) -> pl.DataFrame:
        """Parse a block behind `first_line`, keep its first `left` rows. Raises RosterError with the place."""
        try:
            frame = self._without_blank_lines(self._read(block), block)
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
            frame = self._up_to_defect(block, left, str(error))
        frame.columns = list(self._header.columns)
        self.rows += min(frame.height, left) if left is not None else frame.height
        self._offset += len(block) - len(self.first_line)
        return frame if left is None else frame.head(left)

    def _read(self, block: bytes) -> pl.DataFrame:
        return pl.read_csv(
            block,
            schema=self._schema,
            infer_schema=False,
            separator=self._header.delimiter,
            eol_char=self._header.eol.decode(),
            glob=False,
        )

    def _without_blank_lines(self, frame: pl.DataFrame, block: bytes) -> pl.DataFrame:
        """Parse again without the blank lines, if there are any: polars takes them for rows of nulls."""
        if not frame.select(pl.all_horizontal(pl.all().is_null()).any()).item():
            return frame
        stripped = _strip_blank_lines(block, self._header.eol)
        return frame if len(stripped) == len(block) else self._read(stripped)

    def _up_to_defect(self, block: bytes, left: int | None, reason: str) -> pl.DataFrame:
        """Find out what is wrong with the block; it does no harm behind the last row that is wanted."""
        defect = self._first_defect(block)
        if defect is None or left is None or defect.row < left:
            self.fail(block, reason)
        good = block[: len(self.first_line) + defect.row_offset]
        return self._without_blank_lines(self._read(good), good)

    def fail(self, block: bytes, reason: str) -> NoReturn:
        """Raise the RosterError for a broken block; `reason` serves when a second look finds none."""
        defect = self._first_defect(block)
        if defect is None:
            what = (reason.splitlines() or ["unreadable"])[0]
            raise RosterError(f"{self._name}: after row {self.rows}: {what}") from None
        raise RosterError(f"{self._name}: {self._place(defect)}: {defect.what}") from None

    def _first_defect(self, block: bytes) -> csvdefect.Defect | None:
        header, rows = self._header, block[len(self.first_line) :]
        return csvdefect.first_defect(rows, len(header.columns), header.eol, header.delimiter.encode())

    def _place(self, defect: csvdefect.Defect) -> str:
        place = f"row {self.rows + defect.row + 1}"
        if defect.column < len(self._header.columns):
            place += f", column {self._header.columns[defect.column]!r}"
        if self._start is not None:
            place += f" (byte {self._start + self._offset + defect.offset}{self._counted})"
        return place


def _strip_blank_lines(block: bytes, eol: bytes) -> bytes:
    """Take out the lines that hold nothing, except inside quoted cells."""
    ends = rb"\r?\n" if eol == b"\n" else rb"\r"
    pieces = block.split(b'"')
    pieces[::2] = [re.sub(rb"%s(?:%s)+" % (eol, ends), eol, piece) for piece in pieces[::2]]
    return b'"'.join(pieces)

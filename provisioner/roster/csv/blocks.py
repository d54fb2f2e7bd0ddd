"""A CSV file cut into blocks of whole rows, so that memory stays flat whatever its length.

A line end behind an even number of quotes is the end of a row where the quotes are plain. In any other block the rows
are read by the grammar, and where they end is seen with them. A file that is read again is the one that was read
before, byte for byte, so what was learned of its blocks is not looked for once more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final
from zlib import crc32

import polars as pl

from provisioner.roster.csv.grammar import Dialect, Row, is_plain, plain_length, read_rows
from provisioner.roster.files.text import TextStream
from provisioner.roster.formats.rows import SOMETHING

MIB: Final = 1024 * 1024

# What some programs of DOS end a text with.
_END_OF_FILE: Final = b"\x1a"


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


@dataclass(frozen=True, slots=True)
class Block:
    """Whole rows of a file.

    data    their bytes
    rows    what they say by the grammar; null when every parser reads them alike
    broken  there is a defect in it, and no block comes behind it
    lines   its line ends, where they were counted before
    """

    data: bytes
    rows: Sequence[Row] | None = None
    broken: bool = False
    lines: int | None = None

    @property
    def is_utf8(self) -> bool:
        """Whether all of its bytes are."""
        try:
            self.data.decode()
        except UnicodeDecodeError:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Seen:
    """A block as it was found before: its bytes, their checksum, its line ends, and whether it is plain."""

    length: int
    checksum: int
    lines: int
    plain: bool

    @classmethod
    def of(cls, block: Block, lines: int) -> Seen:
        """Remember a block."""
        return cls(len(block.data), crc32(block.data), lines, block.rows is None)


def line_steps(frame: pl.DataFrame, rows: int, block: Block, lines: int, eol: str) -> Iterator[tuple[int, int | None]]:
    """Give `LineNumbers.add_steps` those of a block.

    frame  the cells of the block, and a row of blanks for each line of them, which is none of the `rows`
    lines  the line ends of the block
    """
    if lines <= frame.height == rows:
        yield 0, 0
        return
    holding = frame.select(pl.all().str.contains(eol, literal=True).any())
    counts = [pl.col(each).str.count_matches(eol, literal=True) for each in holding.columns if holding[each].item()]
    height = frame.select((pl.repeat(1, pl.len()) + pl.sum_horizontal(*counts, pl.lit(0))).alias("")).to_series()
    if height.sum() != lines + (not block.data.endswith(eol.encode())):
        yield 0, None
        return
    there = frame.select(pl.any_horizontal(pl.all().str.contains(SOMETHING)).fill_null(value=False)).to_series()
    before = (height.cum_sum() - height).filter(there)
    steps = (before.diff() != 1).fill_null(value=True).arg_true()
    yield from zip(steps, before.gather(steps), strict=True)


class ChangedError(Exception):
    """A file is not the one that was read before; it becomes a `RosterError`."""


class EndlessRowError(Exception):
    """A block without a row end that is longer than any row should be; it becomes a `RosterError` with the place."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self.data = data


def without_header(stream: TextStream, length: int) -> Callable[[int], bytes]:
    """Give the stream's `read` after the header has been read past."""
    surplus = b""
    while length > 0 and (chunk := stream.read(length)):
        surplus = chunk[length:]  # a decoded chunk can be longer than what was asked for
        length -= len(chunk)

    def read(size: int) -> bytes:
        nonlocal surplus
        first, surplus = surplus, b""
        return first + stream.read(size - len(first)) if len(first) < size else first

    return read


def cut(read: Callable[[int], bytes], dialect: Dialect, sizes: BlockSizes) -> Iterator[Block]:
    """Cut what is read, from where a row begins, into blocks. The last row may lack its line end."""
    pending, size, eol = b"", sizes.first, dialect.eol.encode()
    while chunk := read(size):
        # to the last line end only, behind which no row ends: else nearly all of it would be copied once more
        end = chunk.rfind(eol) + 1 or len(chunk)
        whole, rest = b"".join((pending, memoryview(chunk)[:end])), chunk[end:]
        block = _whole_rows(whole, dialect)
        if block.data:
            yield block
            if block.broken:
                return
        pending = whole[len(block.data) :] + rest
        if not block.data and len(pending) > sizes.longest_row:
            raise EndlessRowError(pending)
        size = sizes.block
    last = pending.removesuffix(_END_OF_FILE)
    if last.strip(b"\r\n"):
        plain = not dialect.quoting or is_plain(last, dialect)
        yield Block(last) if plain else _read(last, dialect, final=True)


def cut_again(read: Callable[[int], bytes], dialect: Dialect, blocks: Iterable[Seen]) -> Iterator[Block]:
    """Cut what is read as it was cut before. Raises ChangedError where it is not the same any more."""
    surplus = b""
    for seen in blocks:
        data, surplus = _exactly(read, seen.length, surplus)
        if crc32(data) != seen.checksum:  # not `hash`: it takes longer, and no other thread runs meanwhile
            raise ChangedError
        block = Block(data) if seen.plain else _read(data, dialect, final=True)
        yield replace(block, lines=seen.lines)
        if block.broken:
            return
    while surplus or (surplus := read(MIB)):
        if surplus.strip(b"\r\n" + _END_OF_FILE):
            raise ChangedError
        surplus = b""


def _exactly(read: Callable[[int], bytes], length: int, start: bytes) -> tuple[bytes, bytes]:
    """Read so many bytes, `start` among them, and give what was read beyond them; fewer at the end only."""
    data = start
    while len(data) < length and (chunk := read(length - len(data))):
        data = data + chunk if data else chunk
    return (data, b"") if len(data) <= length else (data[:length], data[length:])


def _whole_rows(data: bytes, dialect: Dialect) -> Block:
    """Give all rows of the data that are whole; there is nothing in the block when not even the first one is."""
    eol = dialect.eol.encode()
    end = data.rfind(eol) + 1
    if not end or not dialect.quoting or b'"' not in data:
        return Block(data[:end])
    plain = plain_length(data, dialect)
    if plain is None or (plain < end and not dialect.opened.match(data, plain)):
        return _read(data[:end], dialect, final=False)
    return Block(data[: _last_row_end(data, plain, eol)])


def _read(data: bytes, dialect: Dialect, *, final: bool) -> Block:
    """Read rows by the grammar.

    final  nothing comes behind them; else the last one is left out where it goes on
    """
    text = data.decode(errors="surrogateescape")
    read = read_rows(text, dialect, final=final)
    if final or read.broken is not None:
        return Block(data, read.rows, broken=read.broken is not None)
    length = len(text[: read.length].encode(errors="surrogateescape"))
    return Block(data[:length], read.rows)


def _last_row_end(data: bytes, before: int, eol: bytes) -> int:
    """Find where the last row ends before a place that is in no quoted cell; 0 is nowhere.

    uid,name⏎a1,"Ann⏎Lee"⏎b2,"Bob⏎   before the quote of Bob: the third line end; before that of Lee: the first
    """
    end = data.rfind(eol, 0, before) + 1
    quotes = data.count(b'"', end, before)
    while end and quotes % 2:
        earlier = data.rfind(eol, 0, data.rfind(b'"', 0, end)) + 1
        quotes += data.count(b'"', earlier, end)
        end = earlier
    return end


def frame_of(rows: Sequence[Row], width: int) -> pl.DataFrame:
    """Make a frame of rows, which may lack cells or have some too many, with nothing in them."""
    whole = [(*row, *[None] * (width - len(row)))[:width] for row in rows]
    columns = list(zip(*whole, strict=True)) if whole else [()] * width
    return pl.DataFrame([pl.Series(f"c{number}", cells, pl.String) for number, cells in enumerate(columns)])

"""A CSV file cut into blocks of whole rows, so that memory stays flat whatever its length.

A line end behind an even number of quotes is the end of a row where the quotes are plain, which costs one count. In
any other block the rows are read by the grammar, and where they end is seen with them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from provisioner.roster.csv.grammar import Dialect, Row, is_plain, read_rows

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
    """

    data: bytes
    rows: Sequence[Row] | None = None
    broken: bool = False


class EndlessRowError(Exception):
    """A block without a row end that is longer than any row should be; it becomes a `RosterError` with the place."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self.data = data


def cut(read: Callable[[int], bytes], dialect: Dialect, sizes: BlockSizes) -> Iterator[Block]:
    """Cut what is read, from where a row begins, into blocks. The last row may lack its line end."""
    pending, size = b"", sizes.first
    while chunk := read(size):
        pending += chunk
        block = _whole_rows(pending, dialect)
        if block is not None:
            yield block
            if block.broken:
                return
            pending = pending[len(block.data) :]
        elif len(pending) > sizes.longest_row:
            raise EndlessRowError(pending)
        size = sizes.block
    last = pending.removesuffix(_END_OF_FILE)
    if last.strip(b"\r\n"):
        yield _last_rows(last, dialect)


def _whole_rows(data: bytes, dialect: Dialect) -> Block | None:
    """Give all rows of the data that are whole; None when not even the first one is."""
    eol = dialect.eol.encode()
    end = data.rfind(eol) + 1
    if end and dialect.quoting and b'"' in data:
        plain = data[: _last_row_end(data, eol)]
        if not plain or not is_plain(plain, dialect):
            return _read(data[:end], dialect)
        return Block(plain)
    return Block(data[:end]) if end else None


def _last_rows(data: bytes, dialect: Dialect) -> Block:
    """Give what is left at the end of the file."""
    if not dialect.quoting or is_plain(data, dialect):
        return Block(data)
    read = read_rows(data.decode(errors="surrogateescape"), dialect)
    return Block(data, read.rows, broken=read.broken is not None)


def _read(data: bytes, dialect: Dialect) -> Block | None:
    """Read the whole rows by the grammar; None when the first one goes on behind the data."""
    text = data.decode(errors="surrogateescape")
    read = read_rows(text, dialect, final=False)
    if read.broken is not None:
        return Block(data, read.rows, broken=True)
    length = len(text[: read.length].encode(errors="surrogateescape"))
    return Block(data[:length], read.rows) if length else None


def _last_row_end(data: bytes, eol: bytes) -> int:
    """Find where the last row ends: at a line end that no quoted cell holds; 0 is nowhere.

    uid,name⏎a1,"Ann⏎Lee"⏎b2,"Bob⏎   four quotes before the third line end, five before the last: the third
    """
    end = data.rfind(eol) + 1
    quotes = data.count(b'"', 0, end)
    while end and quotes % 2:
        opening = data.rfind(b'"', 0, end)
        if opening < 0:
            return 0
        earlier = data.rfind(eol, 0, opening) + 1
        quotes -= data.count(b'"', earlier, end)
        end = earlier
    return end

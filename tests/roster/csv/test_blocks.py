"""A file cut into blocks: they end where rows end, wherever the reading of the file did."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest

from provisioner.roster.csv.blocks import (
    Block,
    BlockSizes,
    ChangedError,
    EndlessRowError,
    Seen,
    cut,
    cut_again,
    without_header,
)
from provisioner.roster.csv.grammar import CR, Dialect
from provisioner.roster.files.text import Utf8Stream

TINY = BlockSizes(first=7, block=5, longest_row=100)


def blocks_of(data: bytes, dialect: Dialect | None = None, sizes: BlockSizes = TINY) -> list[Block]:
    """All blocks of a file."""
    return list(cut(io.BytesIO(data).read, dialect or Dialect(), sizes))


@pytest.mark.parametrize(
    ("data", "blocks"),
    [
        (b"a,b\nc,d\n", [b"a,b\n", b"c,d\n"]),
        (b'a,"b\nc"\nd,e', [b'a,"b\nc"\n', b"d,e"]),
        (b'a,"""\n\n"\nd,e\n', [b'a,"""\n\n"\n', b"d,e\n"]),
        (b"\n\n\r\n", [b"\n\n\r\n"]),
        (b"a,b\n\r\n\n", [b"a,b\n\r\n\n"]),
        (b"a,b\n\x1a", [b"a,b\n"]),
    ],
)
def test_a_block_ends_at_a_line_end_that_no_quoted_cell_holds(data: bytes, blocks: list[bytes]) -> None:
    """Blank lines and the end-of-file mark of DOS make no block of their own."""
    assert blocks_of(data) == [Block(block) for block in blocks]


def test_quotes_that_are_not_plain_are_read_by_the_grammar() -> None:
    """The rows come with their bytes; what is plain again behind them is left to polars."""
    sizes = BlockSizes(first=7, block=6)
    assert blocks_of(b'5" a,b\n6",c\n"d",e\n', sizes=sizes) == [
        Block(b'5" a,b\n', [['5" a', "b"]]),
        Block(b'6",c\n', [['6"', "c"]]),
        Block(b'"d",e\n'),
    ]


def test_nothing_comes_behind_a_block_with_a_defect() -> None:
    """The rows before the defect are there, for a limit may end among them."""
    data = b'a,b\n"c"d,e\nf,g\n'
    assert blocks_of(data, sizes=BlockSizes()) == [Block(data, [["a", "b"]], broken=True)]


def test_a_row_without_end_is_given_up_in_time() -> None:
    """What was read so far goes with it, so that its place can be told."""
    with pytest.raises(EndlessRowError) as raised:
        blocks_of(b'a,"b\n' + b"c,d\n" * 100)
    assert 100 < len(raised.value.data) <= 110


def test_lines_that_end_with_cr_are_cut_there() -> None:
    """And nowhere else."""
    assert blocks_of(b'a,b\rc\n,d\r"e\r",f', Dialect(eol=CR)) == [Block(b"a,b\r"), Block(b"c\n,d\r"), Block(b'"e\r",f')]


FILES = [
    b"a,b\nc,d\n",
    b'a,"b\nc"\nd,e',
    b'5" a,b\n6",c\n"d",e\n',
    b"a,b\n\r\n\n\x1a",
    b'a,b\n"c"d,e\nf,g\n',
]


@pytest.mark.parametrize("data", FILES)
def test_a_file_that_is_read_again_is_cut_as_before(data: bytes) -> None:
    """The same blocks, their rows and defects with them, and the line ends that were counted, however much is read."""
    cut_first = blocks_of(data)
    seen = [Seen.of(block, number) for number, block in enumerate(cut_first)]
    blocks = [replace(block, lines=number) for number, block in enumerate(cut_first)]
    assert list(cut_again(io.BytesIO(data).read, Dialect(), seen)) == blocks
    file = io.BytesIO(data)
    assert list(cut_again(lambda size: file.read(max(1, size // 2)), Dialect(), seen)) == blocks
    file = io.BytesIO(data)
    assert list(cut_again(lambda _: file.read(1000), Dialect(), seen)) == blocks


@pytest.mark.parametrize("change", [b"a,b\nc,e\n", b"a,b\n", b"a,b\nc,d\ne,f\n", b"a,b\nc,d\n\n\n\n\n\n\n\n\nx"])
def test_a_file_that_has_changed_is_not_taken_for_the_one_before(change: bytes) -> None:
    """One other letter is enough, a row less, or anything behind the end but blank lines."""
    seen = [Seen.of(block, 1) for block in blocks_of(b"a,b\nc,d\n")]
    with pytest.raises(ChangedError):
        list(cut_again(io.BytesIO(change).read, Dialect(), seen))


def test_an_escaped_quote_is_none() -> None:
    """A block that holds the escape is read by the grammar, which knows it."""
    escaped = Dialect(escape="\\")
    data = b'a,"5\\" \n"\nb,c\n'
    assert blocks_of(data, escaped, BlockSizes()) == [Block(data, [["a", '5" \n'], ["b", "c"]])]


def test_without_quoting_every_line_is_a_row() -> None:
    """Quotes are letters."""
    assert blocks_of(b'"a\tb\nc\t"d\n', Dialect("\t", quoting=False)) == [Block(b'"a\tb\n'), Block(b'c\t"d\n')]


def test_the_first_block_is_small_whatever_is_read_beyond_the_header() -> None:
    """So that the first users are on their way at once, and a limit of a few rows reads no more than it needs."""
    rows = b"".join(b"u%d,Ann\n" % number for number in range(1000))
    stream = Utf8Stream(b"uid", io.BytesIO(b",name\n" + rows), lambda: 0)
    blocks = cut(without_header(stream, len(b"uid,name\n")), Dialect(), BlockSizes(first=100, block=5000))
    assert [len(block.data) <= most for block, most in zip(blocks, (100, 5100), strict=False)] == [True, True]

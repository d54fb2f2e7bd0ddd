"""The slow second look at a block of CSV that could not be read: what is wrong, and where exactly.

The fast reader only learns that a block of thousands of rows is broken. This module walks over that one block
cell by cell. It reads CSV as RFC 4180 has it: a cell that begins with a quote ends at the next single quote.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from provisioner.roster.files.text import looks_like

_QUOTED = re.compile(rb'"[^"]*+(?:""[^"]*+)*+"')
_NAMES = {b",": "a comma", b";": "a semicolon", b"\t": "a tab", b"|": "a vertical bar"}

BARE_QUOTE = 'a quote (") inside a cell that does not begin with one; put the cell in quotes and double those inside'
NEVER_CLOSED = 'a quote (") that is never closed'
TEXT_AFTER_QUOTE = "text after the closing quote; a quote inside a quoted cell must be doubled"


@dataclass(frozen=True, slots=True)
class Defect:
    """What is wrong with a block, and where.

    All within the block: `row` and `column` count from 0, `offset` (of the defect) and `row_offset` (of its
    row) are in bytes.
    """

    what: str
    row: int
    column: int
    offset: int
    row_offset: int


@dataclass(frozen=True, slots=True)
class _Cell:
    row: int
    column: int
    start: int
    end: int
    row_start: int
    broken: str = ""

    def defect(self, what: str, offset: int | None = None) -> Defect:
        at = self.start if offset is None else offset
        return Defect(what, self.row, self.column, at, self.row_start)


def first_defect(block: bytes, columns: int, eol: bytes, delimiter: bytes = b",") -> Defect | None:
    """Find the first thing that keeps a block from being read as rows of at most `columns` cells.

    The block begins where a row begins. Quotes in the middle of an unquoted cell are held against the file
    only when they are odd in number: that shifts all the row ends behind them.
    """
    undecodable = _undecodable(block)
    bare: Defect | None = None
    surplus: list[_Cell] = []
    for cell in _cells(block, eol, delimiter):
        if surplus and cell.row != surplus[0].row:
            break
        if cell.broken:
            return bare or cell.defect(cell.broken)
        if cell.start <= undecodable < cell.end:
            return cell.defect(_not_utf8(block, undecodable), undecodable)
        if bare is None and _bare_quote(block, cell):
            bare = cell.defect(BARE_QUOTE)
        if cell.column >= columns:
            surplus.append(cell)
    return _too_wide(surplus, columns, delimiter) if surplus else bare


def _cells(block: bytes, eol: bytes, delimiter: bytes) -> Iterator[_Cell]:
    """Walk over the cells; blank lines are no rows. The last cell may be `broken`, and ends the walk."""
    unquoted = re.compile(rb"[^%s%s]*+" % (re.escape(delimiter), eol))
    at = row = column = row_start = 0
    while at < len(block):
        if column == 0:
            row_start = at
            if blank := _blank_line(block, at, eol):
                at += blank
                continue
        quoted = block.startswith(b'"', at)
        match = (_QUOTED if quoted else unquoted).match(block, at)
        if match is None:
            yield _Cell(row, column, at, len(block), row_start, NEVER_CLOSED)
            return
        end = match.end()
        gap = 1 if quoted and eol == b"\n" and block.startswith(b"\r\n", end) else 0
        following = block[end + gap : end + gap + 1]
        if following not in (delimiter, eol, b""):
            yield _Cell(row, column, at, end, row_start, TEXT_AFTER_QUOTE)
            return
        yield _Cell(row, column, at, end, row_start)
        at = end + gap + 1
        row, column = (row, column + 1) if following == delimiter else (row + 1, 0)


def _bare_quote(block: bytes, cell: _Cell) -> bool:
    text = block[cell.start : cell.end]
    return not text.startswith(b'"') and text.count(b'"') % 2 == 1


def _blank_line(block: bytes, at: int, eol: bytes) -> int:
    """Length of the blank line that begins here, 0 when the line is not blank."""
    if block.startswith(eol, at):
        return 1
    return 2 if eol == b"\n" and block.startswith(b"\r\n", at) else 0


def _too_wide(surplus: list[_Cell], columns: int, delimiter: bytes) -> Defect:
    cells = columns + len(surplus)
    between = _NAMES.get(delimiter, repr(delimiter.decode()))
    return surplus[0].defect(f"{cells} cells, but the header has {columns}; put cells that hold {between} in quotes")


def _undecodable(block: bytes) -> int:
    try:
        block.decode()
    except UnicodeDecodeError as error:
        return error.start
    return -1


def _not_utf8(block: bytes, at: int) -> str:
    return f"byte 0x{block[at]:02X} is not UTF-8{looks_like(block[max(0, at - 200) : at + 200])}"

"""The slow second look at a block of CSV that could not be read: what is wrong first, where exactly, what to do.

The fast reader only learns that a block of thousands of rows is broken. This module reads that one block by the
grammar and walks over the cells of the first row that breaks it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from itertools import pairwise, takewhile
from typing import NamedTuple

from provisioner.errors import RosterError
from provisioner.roster.csv.grammar import CR, LF, Break, Dialect, Reading, Row, has_other_ends, is_blank, read_rows
from provisioner.roster.csv.looks import OTHER_QUOTES, foreign_end
from provisioner.roster.csv.remarks import Figures, is_row, with_figures
from provisioner.roster.encodings.readings import not_utf8

_NAMES = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a vertical bar"}
_CLOSING = {"{": "}", "[": "]"}
_QUOTED = re.compile(rb'"[^"]*"')
_UNDECODED = re.compile("[\udc80-\udcff]")

NEVER_CLOSED = 'a quote (") that is never closed; close it, or double it where it is part of the text'
TEXT_AFTER_QUOTE = "text after the closing quote; a quote inside a quoted cell must be doubled"
UNQUOTED = "the cell holds quotes and what separates cells; put it in quotes and double the quotes in it"
MIXED_LINE_ENDS = "its line ends are mixed, {other} alone is none here; save the file with one kind of line end"
JOINED = (
    "another file was put behind this one, whose last line has no end; begin a line where the names of columns begin"
)
ESCAPED = "; if \\ takes the meaning of the next character away in this file, give --escape '\\'"
ESCAPED_UNQUOTED = "; a backslash takes the meaning of the next character away in quoted cells only"
WITH_ESCAPE = ", and with --escape '\\'"
NOT_ESCAPED = (
    "; with --escape {escape} a quote behind it closes no cell; where it is a letter like any other, leave out --escape"
)


@dataclass(frozen=True, slots=True)
class Defect:
    """What is wrong with a block, and where.

    All within the block, counted from 0:
    row          of the defect, without rows of blanks
    column       of the defect
    offset       of the defect, in bytes
    rows_before  rows by the grammar, those of blanks too
    undecoded    it is a byte that is no part of a character
    """

    what: str
    row: int
    column: int
    offset: int
    rows_before: int
    undecoded: bool = False


class WideRowError(RosterError):
    """A row with more cells than the header has, the line it stands in, and what they hold."""

    def __init__(self, what: str, line: int, cells: Sequence[str]) -> None:
        super().__init__(what)
        self.line, self.cells = line, cells


class _Cell(NamedTuple):
    """A cell of a row: where it begins in the text, and what it holds if it stands there without quotes."""

    start: int
    bare: str | None

    def parts(self, end: str) -> list[str]:
        """Cut it at a line end that is none; a quoted cell is one part, whatever it holds."""
        return ['"'] if self.bare is None else self.bare.rstrip(CR).split(end)


def what_is_broken(text: str, broken: Break, dialect: Dialect) -> str:
    """Say why a cell of a text is none."""
    if broken.behind is not None and text.startswith(dialect.other_end, broken.behind):
        return _mixed(dialect)
    what = NEVER_CLOSED if broken.behind is None else TEXT_AFTER_QUOTE
    if _is_row_otherwise(text, broken, dialect):
        what += NOT_ESCAPED.format(escape=dialect.escape) if dialect.escape else ESCAPED
    return what


def may_be_several(block: bytes, dialect: Dialect) -> bool:
    """Whether one of the rows of a block with other line ends may be several, which `first_defect` finds out.

    Else a file with notes of several lines in its cells would be read letter by letter.
    """
    end, delimiter = dialect.other_end.encode(), dialect.delimiter.encode()
    for line in block.split(dialect.eol.encode()):
        if end in line.rstrip(b"\r"):
            bare = _QUOTED.sub(b"x", line)
            parts = [part for part in bare.rstrip(b"\r").split(end) if part.strip(delimiter + b" \t")]
            if b'"' in bare or (len(parts) > 1 and all(delimiter in part for part in parts)):
                return True
    return False


def first_defect(block: bytes, width: int, dialect: Dialect) -> Defect | None:
    """Find the first thing that keeps a block from being read as rows of at most `width` cells.

    The block begins where a row begins. Cells behind the last column are borne where there is nothing in them.
    """
    text = block.decode(errors="surrogateescape")
    read = read_rows(text, dialect)
    wide = next((row for row, cells in enumerate(read.rows) if is_too_wide(cells, width)), None)
    undecoded = _UNDECODED.search(text)
    found = [
        _not_utf8(text, block, undecoded.start(), read, dialect) if undecoded else None,
        _too_wide(text, wide, width, dialect) if wide is not None else None,
        _broken(text, read.broken, dialect) if read.broken else None,
        _joined(text, read, width, dialect)
        if has_other_ends(block, dialect) and may_be_several(block, dialect)
        else None,
    ]
    first = min((each for each in found if each is not None), key=lambda each: (each.row, each.offset), default=None)
    if first is None:
        return None
    return replace(first, row=sum(not all(map(is_blank, row)) for row in read.rows[: first.row]))


def is_too_wide(cells: Row, width: int) -> bool:
    """Whether there is anything in the cells behind the last column."""
    return not all(map(is_blank, cells[width:]))


def _broken(text: str, broken: Break, dialect: Dialect) -> Defect:
    """Tell the cell that is none; or the bare one with quotes before it, which the delimiter has cut apart."""
    before = [cell for cell in _cells(text, broken.row_start, dialect) if cell.start < broken.start]
    cut = next((number for number, cell in enumerate(before) if _is_open(cell.bare)), None)
    if cut is not None:
        return _defect(text, UNQUOTED, broken.row, cut, before[cut].start, broken.row_start)
    what = what_is_broken(text, broken, dialect)
    return _defect(text, what, broken.row, broken.column, broken.start, broken.row_start)


def _is_open(bare: str | None) -> bool:
    """Whether a bare cell begins as JSON with quotes in it, and does not end as it."""
    text = (bare or "").strip()
    return '"' in text and text[:1] in _CLOSING and not text.endswith(_CLOSING[text[0]])


def _is_row_otherwise(text: str, broken: Break, dialect: Dialect) -> bool:
    r"""Whether the row is one when \ takes the meaning of a quote away; or when it does not, where it did."""
    mark = dialect.escape or "\\"
    if f'{mark}"' not in text[broken.start :]:
        return False
    other = replace(dialect, escape="" if dialect.escape else mark)
    read = read_rows(text, other, broken.row_start, most=1)
    return read.broken is None and f'{mark}"' in text[broken.start : broken.row_start + read.length]


def _defect(text: str, what: str, row: int, column: int, at: int, row_start: int) -> Defect:
    """Count in bytes what was counted in characters."""
    before, within = (len(part.encode(errors="surrogateescape")) for part in (text[:row_start], text[row_start:at]))
    return Defect(what, row, column, before + within, row)


def _too_wide(text: str, row: int, width: int, dialect: Dialect) -> Defect:
    """Tell what cut a row into too many cells: a bare cell with quotes in it, an escape, a line end, or a delimiter."""
    start = read_rows(text, dialect, most=row).length
    line = text[start : start + read_rows(text, dialect, start, most=1).length]
    cells = list(_cells(text, start, dialect))
    what = f"{len(cells)} cells, but the header has {width}"
    if any(len(cell.parts(dialect.other_end)) > 1 for cell in cells):
        return _defect(text, f"{what}: {_mixed(dialect)}", row, width, cells[width].start, start)
    if (foreign := foreign_end(line, dialect.delimiter)) is not None:
        return _defect(text, f"{what}: {foreign}", row, width, cells[width].start, start)
    cut = next((number for number, (cell, after) in enumerate(pairwise(cells)) if _are_one(cell, after)), None)
    if cut is not None:
        return _defect(text, f"{what}: {UNQUOTED}", row, cut, cells[cut].start, start)
    between = _NAMES.get(dialect.delimiter, repr(dialect.delimiter))
    hint = ""
    if f"\\{dialect.delimiter}" in line:
        hint = ESCAPED_UNQUOTED + ("" if dialect.escape else WITH_ESCAPE)
    mend = f"put cells that hold {between} in quotes{hint}"
    if (quotes := _other_quotes(cells)) is not None:
        mend = f'{quotes} are none here: put cells that hold {between} in double quotes (")'
    return _defect(text, f"{what}; {mend}", row, width, cells[width].start, start)


def _joined(text: str, read: Reading, width: int, dialect: Dialect) -> Defect | None:
    """Tell the first row that is several: between them stands a line end that is none in this file."""
    end, whole = dialect.other_end, _Whole.of(read.rows, width, dialect)
    for row, (start, stop) in enumerate(_spans(text, read, dialect)):
        cells = list(_cells(text, start, dialect)) if end in text[start:stop].strip(CR + LF) else []
        cut = next((number for number, cell in enumerate(cells) if len(cell.parts(end)) > 1), None)
        if cut is not None and whole.is_several(cells, dialect):
            return _defect(text, _mixed(dialect), row, cut, cells[cut].start, start)
    return None


class _Whole(NamedTuple):
    """What the rows of a file are like that hold no line end: their figures, and how many cells they have."""

    width: int
    figures: Figures
    lengths: AbstractSet[int]

    @classmethod
    def of(cls, rows: Sequence[Row], width: int, dialect: Dialect) -> _Whole:
        whole = [row for row in rows if not any(dialect.other_end in (cell or "") for cell in row)]
        figures = {with_figures(row[0] or "") for row in whole} or {True, False}
        return cls(width, figures, {len(row) for row in whole})

    def is_several(self, cells: Sequence[_Cell], dialect: Dialect) -> bool:
        """Whether there is what looks like another row behind each line end in a bare cell.

        a1,Ann<CR>b2,Bob     where there are more than three columns, or three and the next row is c3,Cy
        ann,Ann<CR>Lee,x     is one row of three columns where all have three cells
        """
        filled = [number for number, cell in enumerate(cells, 1) if cell.bare is None or not is_blank(cell.bare)]
        if filled and filled[-1] > self.width:  # it is told as too wide
            return False
        first, *others = _lines_of(cells, dialect)
        if not others or not all(
            is_row(dialect.delimiter.join(line), self.figures, dialect.delimiter) for line in others
        ):
            return False
        figures = all(with_figures(line[0]) for line in others)
        known = all(len(line) in self.lengths for line in (first, *others))
        if filled[-1] < self.width:
            return len(cells) not in self.lengths or (figures and known)
        alike = all(len(line) == len(first) for line in others)
        return alike and (known or (figures and not self.lengths))


def _lines_of(cells: Sequence[_Cell], dialect: Dialect) -> list[list[str]]:
    """Cut a row into lines where a line end stands in a bare cell; those of blanks are none."""
    lines: list[list[str]] = [[]]
    for cell in cells:
        first, *others = cell.parts(dialect.other_end)
        lines[-1].append(first)
        lines.extend([other] for other in others)
    return [line for line in lines if not all(map(is_blank, line))] or [[]]


def _mixed(dialect: Dialect) -> str:
    return MIXED_LINE_ENDS.format(other="CR" if dialect.other_end == CR else "LF")


def cells_before_other_end(text: str, start: int, dialect: Dialect) -> int:
    """Count the cells of the row that begins here up to a line end that is none in this file; 0 where there is none."""
    cells = enumerate(_cells(text, start, dialect), 1)
    return next((number for number, cell in cells if len(cell.parts(dialect.other_end)) > 1), 0)


def _other_quotes(cells: Sequence[_Cell]) -> str | None:
    """Say what stands like a quote around cells that a delimiter has cut apart: 'Lee and Ann'."""
    bare = [(cell.bare or "").strip() for cell in cells]
    for what, (opening, closing) in OTHER_QUOTES.items():
        opened = [at for at, text in enumerate(bare) if text[:1] and text[0] in opening and text[-1] not in closing]
        if any(text[-1:] and text[-1] in closing for at in opened[:1] for text in bare[at + 1 :]):
            return what
    return None


def _are_one(cell: _Cell, after: _Cell) -> bool:
    """Whether two bare cells seem to be one with quotes in it: `{"a":1` and `"b":2}`, or `say "hi` and ` there"`."""
    if cell.bare is None or after.bare is None:
        return False
    return _is_open(cell.bare) or (cell.bare.count('"') % 2 == 1 and after.bare.count('"') % 2 == 1)


def _not_utf8(text: str, block: bytes, at: int, read: Reading, dialect: Dialect) -> Defect:
    """Tell which cell holds a byte that is no part of a character; its row may be the one where the grammar ends."""
    ended = list(takewhile(lambda span: span[1] <= at, _spans(text, read, dialect)))
    row, row_start = len(ended), ended[-1][1] if ended else 0
    cells = _cells(text, row_start, dialect)
    column = max((number for number, cell in enumerate(cells) if cell.start <= at), default=0)
    offset = len(text[:at].encode(errors="surrogateescape"))
    return replace(_defect(text, not_utf8(block, offset), row, column, at, row_start), undecoded=True)


def _spans(text: str, read: Reading, dialect: Dialect) -> Iterator[tuple[int, int]]:
    """Give where each of the rows of a text begins and ends."""
    start = 0
    for _ in read.rows:
        stop = start + read_rows(text, dialect, start, most=1).length
        yield start, stop
        start = stop


def _cells(text: str, at: int, dialect: Dialect) -> Iterator[_Cell]:
    """Walk over the cells of the row that begins here, behind blank lines; as far as they are cells."""
    at = dialect.behind_blank_lines(text, at)
    while found := dialect.cell.match(text, at):
        yield _Cell(at, found[2])
        at = found.end()
        if found[3] != dialect.delimiter:
            return


def names_all_columns(columns: Sequence[str], cells: Sequence[str]) -> bool:
    """Tell whether a row is the header of another file, which has more columns."""
    names = {name.strip().lower() for name in columns if not name.startswith("_")}
    return len(names) > 1 and names <= {cell.strip().lower() for cell in cells}


def ends_with_header(columns: Sequence[str], cells: Sequence[str]) -> bool:
    """Tell whether the last cell of a row and the header of another file have become one."""
    first, *others = columns
    last = cells[-len(columns) :]
    return len(last) == len(columns) > 1 and last[0].endswith(first) and last[1:] == others

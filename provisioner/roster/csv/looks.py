"""What a CSV is whose first line names no columns, and whose rows are no rows, told by their looks.

a1;Ann Lee;x                    a row of data, where the names of columns should be
'uid','name'                    quotes that stand for themselves
"uid,name"  "a1,Ann Lee"        lines that are quoted as a whole
uid     name                    columns of fixed width, filled up with blanks
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import polars as pl

from provisioner.errors import RosterError
from provisioner.roster.csv.grammar import Dialect, Row
from provisioner.roster.csv.remarks import header_holds_a_row, holds_a_row, with_figures
from provisioner.roster.formats.rows import Missing
from provisioner.roster.preamble import another_header, with_names_above
from provisioner.wording import shortened

DELIMITERS: Final = ",;\t|"
"""What is looked for; the first one where two are as likely."""

PROPER_QUOTES: Final = 'put them in double quotes (") or in none'
WITHOUT_QUOTES: Final = 'take away the quotes around the lines, and write " for "" in them'

HOLDING: Final = "a quoted cell goes over lines that look like rows; look for a stray quote in it"

OTHER_QUOTES: Final = {
    "single quotes (')": ("'", "'"),
    "typographic quotes": ("\u201c\u201d\u201e\u2018\u201a\xab", "\u201c\u201d\u2019\xbb"),
}
"""Quotes that stand for themselves: what they are called → those that open, and those that close."""

_FOREIGN_ENDS: Final = {"\x85": "NEL (U+0085)", "\u2028": "LS (U+2028)", "\u2029": "PS (U+2029)"}
_SHAPES: Final = ((re.compile(r"[^\W\d_]+"), "a"), (re.compile(r"\d+"), "0"))
# What hardly any column is called, and people's ids are.
_OF_A_PERSON: Final = re.compile(r"[A-Za-z]{0,3}[_-]?\d+|[^@\s]+@[^@\s]+\.[^@\s]+")
_FILLED: Final = re.compile(r"\S {2,}(?=\S)")


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the head of a file: its cells, the line it begins in (from 1), and where it ends (in characters).

    quoted  it begins with a quote
    before  the cells up to a line end that is none in this file; 0 where no bare cell holds one
    """

    cells: Row
    number: int
    end: int
    quoted: bool
    before: int = 0

    @property
    def names(self) -> list[str]:
        """The cells as texts."""
        return [cell or "" for cell in self.cells]


def refuse_odd_header(
    name: str, line: Line, lines: Sequence[Line], dialect: Dialect, missing: Missing, likelier: int | None = None
) -> None:
    """Tell what is no header by its looks, with what to do about it. Raises RosterError.

    likelier  the line that looks like the header, where another was named
    """
    below = [each for each in lines if each.number > line.number]
    lengths = {len(each.cells) for each in below}
    # Uid,Home<CR>address,name is one row of three cells where those below have three, and two rows where they have two.
    if line.before and (line.before in lengths or len(line.cells) not in lengths):
        raise RosterError(
            f"{name}: its line ends are mixed: line {line.number} ends with CR, others with LF; save it anew"
        )
    if not missing(line.names):
        return
    for what, quotes in OTHER_QUOTES.items():
        if (unquoted := [cell.strip("".join(quotes)) for cell in line.names]) != line.names and not missing(unquoted):
            raise RosterError(f"{name}: its cells are in {what}; {PROPER_QUOTES}")
    if _is_in_quotes(line.cells) and not missing(dialect.delimiter.join(line.names)[1:-1].split(dialect.delimiter)):
        raise RosterError(f"{name}: each line is quoted as a whole; {WITHOUT_QUOTES}")
    if len(line.cells) == 1:
        _refuse_uncut_header(name, line, missing)
        _refuse_blanks(name, [line, *below], missing)
    if _is_data(line, below):
        if likelier is not None:
            raise RosterError(f"{name}: {another_header('line', line.number, likelier)}")
        shown = ", ".join(map(shortened, line.names[:3]))
        cut = f", cut at {dialect.delimiter!r}" if len(line.cells) > 1 else ""
        what = f"line {line.number} looks like a row of data ({shown}{cut}), not like the names of columns"
        mend = "put a line with the names of all columns above it, or say which it is with --header-row"
        raise RosterError(f"{name}: {what}; {mend}")


def whole(line: Line, lines: Sequence[Line]) -> Line:
    """Give a header with the names that stand in the lines right above it."""
    above: list[dict[int, str]] = []
    number = line.number
    for each in reversed([each for each in lines if each.number < line.number]):
        number -= 1 + "".join(each.names).count("\n")
        if each.number != number:
            break
        above.insert(0, dict(enumerate(each.names)))
    names = with_names_above(dict(enumerate(line.names)), above)
    return replace(line, cells=[names.get(place, cell) for place, cell in enumerate(line.cells)])


def holding_rows(line: Line, lines: Sequence[Line], dialect: Dialect) -> int | None:
    """Give the line of the header, or of what stands above it, in which a quoted cell holds what looks like rows."""
    below = [each for each in lines if each.number > line.number]
    figures, lengths = {with_figures(each.names[0]) for each in below}, {len(each.cells) for each in below}
    above = (each for each in lines if each.number < line.number)
    titles = [each.number for each in above if holds_a_row(each.cells, dialect.delimiter, figures, len(line.cells))]
    if header_holds_a_row(line.cells, dialect.delimiter, figures, lengths):
        titles.append(line.number)
    return min(titles, default=None)


def other_quotes(column: Iterable[str | None]) -> str | None:
    """Name the quotes in which all cells are, if it is not the double quote."""
    cells = [cell for cell in column if cell]
    for name, (opening, closing) in OTHER_QUOTES.items():
        if cells and all(len(cell) > 1 and cell[0] in opening and cell[-1] in closing for cell in cells):
            return name
    return None


def are_in_quotes(frame: pl.DataFrame) -> bool:
    """Whether all lines of a file, in which quotes stand for themselves, begin and end with one."""
    return frame.height > 0 and all(map(_is_in_quotes, frame.iter_rows()))


def _is_in_quotes(cells: Sequence[str | None]) -> bool:
    there = [cell for cell in cells if cell]
    return len(there) > 1 and there[0][0] == there[-1][-1] == '"' and "".join(there).count('"') % 2 == 0


def _refuse_uncut_header(name: str, line: Line, missing: Missing) -> None:
    """Tell what would cut a header of one cell into the needed columns. Raises RosterError."""
    cell = line.names[0]
    for delimiter in DELIMITERS if line.quoted else ():
        if delimiter in cell and not missing(cell.split(delimiter)):
            raise RosterError(f"{name}: each line is quoted as a whole; {WITHOUT_QUOTES}")
    found = [delimiter for delimiter, _ in Counter(re.findall(r"[^\w \t\r\n\"']", cell)).most_common()]
    for delimiter in found:
        if not missing(cell.split(delimiter)):
            raise RosterError(f"{name}: {separated_by(delimiter)}")


def separated_by(delimiter: str) -> str:
    """Say what separates the cells, and how it is named."""
    return f"its cells are separated by {delimiter!r}; {_cure(delimiter)}"


def _cure(delimiter: str) -> str:
    """Say how a delimiter is named: as an option where it is one byte, else in the file."""
    if not delimiter.isascii():
        typed = f"put a line sep={delimiter} above the header" if delimiter.isprintable() else ""
        return typed or "write commas or tabs between them"
    if delimiter == "'":
        return f'give --delimiter "{delimiter}"'
    return f"give --delimiter '{delimiter}'" if delimiter.isprintable() else f"give --delimiter ${delimiter!r}"


def _refuse_blanks(name: str, lines: Sequence[Line], missing: Missing) -> None:
    """Tell columns that are separated by nothing but blanks. Raises RosterError."""
    texts = [line.names[0] for line in lines if len(line.cells) == 1]
    filled = [bool(_FILLED.search(text.strip())) for text in texts]
    if len(texts) == len(lines) and 2 * sum(filled) > len(texts) and (filled[0] or len({*map(len, texts)}) == 1):
        what = "its columns are of a fixed width, filled up with blanks"
        mend = (
            "open it in a spreadsheet program as text of fixed width and save it as .xlsx, or write a tab between cells"
        )
        raise RosterError(f"{name}: {what}; {mend}")
    words = [len(text.split(" ")) for text in texts]
    if missing(texts[0].split(" ")):
        return
    if all(one == other for one, other in pairwise(words)):
        raise RosterError(f"{name}: its cells are separated by blanks; give --delimiter ' '")
    what = "its cells are separated by blanks, which stand within cells as well"
    raise RosterError(f"{name}: {what}; write commas or tabs between them")


def _is_data(line: Line, below: Sequence[Line]) -> bool:
    """Whether a line is made like the one below it, in a cell with figures: `a1,Ann Lee` and `b2,Bob de la Poe` are.

    Where there is none below it, a cell like an id tells.
    """
    if any(_OF_A_PERSON.fullmatch(cell) for cell in line.names) and not below:
        return True
    shapes = [[_shape(cell) for cell in each.names] for each in (line, *below[:1])]
    return len(shapes) > 1 and any("0" in one and one == other for one, other in zip(*shapes, strict=False))


def _shape(text: str) -> str:
    for pattern, mark in _SHAPES:
        text = pattern.sub(mark, text)
    return text


def foreign_end(line: str, delimiter: str) -> str | None:
    """Say that what ends lines elsewhere, and none here, seems to stand between rows: `a1,Ann<NEL>b2,Bob`."""
    for end, name in _FOREIGN_ENDS.items():
        rows = line.strip().split(end)
        if len(rows) > 1 and all(delimiter in row for row in rows):
            return f"its line ends are mixed, {name} is none here; save the file with LF alone"
    return None

"""Rows of a CSV that are legal and may be meant otherwise: a cell that holds rows, a line that is one quoted cell.

a1,Ann,"hello⏎b2,Bob,ok⏎c3,Cy,world"     a stray pair of quotes has swallowed two rows
"a1,Ann,hello"                           the quotes stand around the line
⏎Dept,Number⏎Sales,2                     behind a blank line, and shaped unlike the rows before the first one
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Final, TypeAlias

import polars as pl

from provisioner.roster.csv.grammar import UID, Dialect
from provisioner.roster.files.text import LineNumbers
from provisioner.roster.formats.rows import BEHIND_BLANK_ROWS, NO_PART, SOMETHING, Notice
from provisioner.wording import counted

SWALLOWED: Final = "row.swallowed"
HEADER_SWALLOWED: Final = "header.swallowed"
WHOLE: Final = "row.quoted_whole"

Figures: TypeAlias = AbstractSet[bool]
"""Whether the first cells of rows have figures in them; both where some have and others have not."""

_NEARLY_ALL: Final = 0.9
_LINE_END: Final = r"\r*\n|\r"


class BehindBlanks:
    """Finds the rows behind blank lines of which all, up to the next one, lack a cell that rows before the first have.

    Many files have blank lines between people, who are then shaped like the others.
    """

    def __init__(self) -> None:
        self._usual: pl.Series | None = None
        self._done = self._many = self._first = 0
        self._ended_blank = False

    def add(self, cells: pl.DataFrame, before: int, rows: int) -> None:
        """Look at the cells of a block, which have a row of blanks for each blank line; so many rows in it count."""
        if before < self._done or (self._usual is not None and cells.height == rows and not self._ended_blank):
            return
        filled = _filled(cells)
        there = pl.int_range(cells.height, eager=True).is_in(filled["row"].implode())
        counted_rows = there.arg_true().head(rows)
        group = ((~there).cum_sum() + self._ended_blank).gather(counted_rows)
        self._ended_blank = not there[-1]
        first = group[0] if self._usual is None else 0  # a later block goes on with the rows of the one before it
        if self._usual is None:
            self._usual = _usually_filled(filled, counted_rows.filter(group == first))
        shapes = pl.DataFrame({"lacks": _lacking(filled, counted_rows, self._usual), "group": group})
        found = shapes.select(pl.col("lacks").all().over("group") & (pl.col("group") > first)).to_series().arg_true()
        self._first = self._first or (before + found[0] + 1 if len(found) else 0)
        self._many += len(found)
        self._done = before + rows

    def notices(self, name: str, lines: LineNumbers) -> Iterator[Notice]:
        """Say that there are such rows, and from where on."""
        if self._many:
            line = lines.of(self._first)
            where = f"row {self._first}" if line is None else f"line {line}"
            what = f"behind a blank line, from {where} on, without cells that nearly all rows before it have, read like"
            yield Notice(BEHIND_BLANK_ROWS, f"{name} has {counted(self._many, 'row')} {what} those; {NO_PART}")


def _filled(cells: pl.DataFrame) -> pl.DataFrame:
    """Give `row` and `column` of each cell in which something stands; by one series, however many columns there are."""
    texts = pl.concat([column.alias("") for column in cells])
    at = texts.str.contains(SOMETHING).arg_true()
    return pl.DataFrame({"row": at % max(1, cells.height), "column": at // max(1, cells.height)})


def _usually_filled(filled: pl.DataFrame, rows: pl.Series) -> pl.Series:
    """Give the columns that nearly all of some rows fill; none where a single row would say it."""
    least = max(2, _NEARLY_ALL * len(rows))
    many = filled.filter(pl.col("row").is_in(rows.implode())).group_by("column").len()
    return many.filter(pl.col("len") >= least)["column"]


def _lacking(filled: pl.DataFrame, rows: pl.Series, usual: pl.Series) -> pl.Series:
    """Tell of rows whether they leave one of the usual columns empty (Boolean)."""
    many = filled.filter(pl.col("column").is_in(usual.implode())).group_by("row").len()
    full = many.filter(pl.col("len") == len(usual))["row"]
    return ~rows.is_in(full.implode()) & (len(usual) > 0)


def remarks_on(frame: pl.DataFrame, dialect: Dialect, *, spread: bool) -> dict[str, Sequence[int]]:
    """Give code of a warning → indexes of the rows that it is for; `frame` has nothing but the cells of a block.

    spread  the block has more lines than rows
    """
    if frame.width <= 1:
        return {}
    found = {SWALLOWED: _holding_rows(frame, dialect) if spread else []}
    if dialect.quoting and frame.to_series(1).null_count():
        found[WHOLE] = _quoted_whole(frame, dialect)
    return {code: indexes for code, indexes in found.items() if indexes}


def _quoted_whole(frame: pl.DataFrame, dialect: Dialect) -> list[int]:
    """Find the rows with nothing behind the first cell, which holds as many delimiters as there are in the header.

    There is something before and behind one of them.
    """
    first, *others = map(pl.col, frame.columns)
    rows = frame.select(pl.all_horizontal(each.is_null() for each in others).arg_true()).to_series()
    many = first.str.count_matches(dialect.delimiter, literal=True) >= len(others)
    many &= first.str.contains(rf"(?s)\w.*{re.escape(dialect.delimiter)}.*\w")
    found: list[int] = rows.filter(frame.to_series(0).gather(rows).to_frame().select(many).to_series()).to_list()
    return found


def _holding_rows(frame: pl.DataFrame, dialect: Dialect) -> list[int]:
    """Find the rows with a cell in which, behind a line end, there is what looks like a row of this file.

    It has as many delimiters as the header, and a first cell like `a1`.
    """
    first, *others = map(pl.col, frame.columns)
    start, delimiter = rf"[\n\r]{UID}", re.escape(dialect.delimiter)
    # the rest of a row that ends in the first column stands behind the quotes
    begun = [
        first.str.contains(f"{start}(?:{delimiter}|$)"),
        *(each.str.contains(start + delimiter) for each in others),
    ]
    suspects = frame.select(pl.any_horizontal(begun).fill_null(value=False)).to_series()
    indexes = suspects.arg_true()
    if not len(indexes):
        return []
    own = first.str.extract(rf"^([^{delimiter}\r\n]*)").str.contains(r"\d").unique().drop_nulls()
    figures = frozenset(frame.select(own).to_series())
    rows = zip(indexes, frame[indexes].iter_rows(), strict=True)
    return [index for index, row in rows if holds_a_row(row, dialect.delimiter, figures)]


def holds_a_row(
    cells: Sequence[str | None], delimiter: str, figures: Figures = frozenset(), width: int | None = None
) -> bool:
    """Whether a line within one of the cells of a row looks like a row, itself or with what stands around the quotes.

    figures  those of the file's rows, by which one is known; as this row has them without any
    width    the number of cells that rows have; as many as this one without it

    1,"Ann,red⏎2,Bob",blue     `2,Bob` has too few cells, `2,Bob` and `blue` have as many as `1` and `Ann,red`: 3
    """
    figures = figures or {with_figures(re.split(f"{re.escape(delimiter)}|{_LINE_END}", cells[0] or "", maxsplit=1)[0])}
    for column, cell in enumerate(cells):
        first, *lines = re.split(_LINE_END, cell or "")
        whole = [line for line in lines if line.count(delimiter) == (width or len(cells)) - 1]
        if lines and (joined := _joined(column, first, lines[-1], cells, delimiter)) is not None:
            whole.append(joined)
        if any(is_row(line, figures, delimiter) for line in whole):
            return True
    return False


def header_holds_a_row(
    names: Sequence[str | None], delimiter: str, figures: Figures, lengths: AbstractSet[int]
) -> bool:
    """Whether a line within one of the names looks like a row; how many cells one has, the first line of the name says.

    figures, lengths  what the rows below are like, and how many cells they have; where there are none below, a figure
                      or another such line tells

    uid,name,"x⏎ka,kb",kc     `ka,kb` and `kc` are a row where those below have three cells, not where they have four
    """
    for column, cell in enumerate(names):
        first, *lines = re.split(_LINE_END, cell or "")
        width = column + first.count(delimiter) + 1
        if lines and (width in lengths or not lengths):
            lines[-1] = delimiter.join([lines[-1], *(name or "" for name in names[column + 1 :])])
            rows = [line for line in lines if line.count(delimiter) == width - 1]
            kinds = figures or ({True, False} if len(rows) > 1 else {True})
            if any(is_row(line, kinds, delimiter) for line in rows):
                return True
    return False


def with_figures(first: str) -> bool:
    """Whether the first cell of a row has figures in it."""
    return re.search(r"\d", first) is not None


def _joined(column: int, first: str, last: str, cells: Sequence[str | None], delimiter: str) -> str | None:
    """Put the last line of a cell and the cells behind it together, if that is a row; the first line has to end one.

    A quote that closes in a column further right leaves the row short: its last cells are null. One that closes further
    left makes it too long, which is borne where the last cells of the swallowed row are blank.
    """
    after = [*cells[column + 1 :]]
    while after and after[-1] is None:
        after.pop()
    many, most = last.count(delimiter), len(cells) - 1
    if f"{delimiter} " in f"{first}\n{last}":  # 12 Main St, Apt 4⏎5400,Springfield
        return None
    if column + first.count(delimiter) != most or many > most - len(after) or many < column == most:
        return None
    return delimiter.join([last, *(cell or "" for cell in after)])


def is_row(line: str, figures: Figures, delimiter: str) -> bool:
    """Whether a line begins as the rows of a file do.

    Springfield, IL⏎ and blue,⏎ are none: behind a blank prose goes on, and a row has more than its first cell.
    """
    first, _, rest = line.partition(delimiter)
    if not re.fullmatch(UID, first) or with_figures(first) not in figures:
        return False
    return not rest[:1].isspace() and bool(re.search(r"\w", rest))

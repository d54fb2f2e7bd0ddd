"""Rows of a CSV that are legal and may be meant otherwise: a cell that holds rows, a line that is one quoted cell.

a1,Ann,"hello⏎b2,Bob,ok⏎c3,Cy,world"     a stray pair of quotes has swallowed two rows
"a1,Ann,hello"                           the quotes stand around the line
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import polars as pl

from provisioner.roster.csv.grammar import Dialect

SWALLOWED: Final = "row.swallowed"
WHOLE: Final = "row.quoted_whole"

# How a first cell that may be a uid is made: a line of prose begins otherwise.
_UID: Final = r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,99}"


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
    alone = pl.all_horizontal(each.is_null() for each in others)
    many = first.str.count_matches(dialect.delimiter, literal=True) >= len(others)
    many &= first.str.contains(rf"(?s)\w.*{re.escape(dialect.delimiter)}.*\w")
    found: list[int] = frame.select((alone & many).arg_true()).to_series().to_list()
    return found


def _holding_rows(frame: pl.DataFrame, dialect: Dialect) -> list[int]:
    """Find the rows with a cell in which, behind a line end, there is what looks like a row of this file.

    It has as many delimiters as the header, and a first cell like `a1`.
    """
    delimiter = re.escape(dialect.delimiter)
    start = rf"[\n\r]{_UID}{delimiter}"
    suspects = frame.select(pl.any_horizontal(pl.all().str.contains(start)).fill_null(value=False)).to_series()
    indexes = suspects.arg_true()
    rest = rf"((?:{delimiter}[^\n\r{delimiter}]*){{{frame.width - 1}}})"
    line = re.compile(rf"[\n\r]({_UID}){rest}(?=[\n\r]|\Z)")
    rows = zip(indexes, frame[indexes].iter_rows(), strict=True) if len(indexes) else ()
    return [index for index, row in rows if _holds_a_row(row, line)]


def _holds_a_row(cells: Sequence[str | None], line: re.Pattern[str]) -> bool:
    """Whether a line within one of the cells begins as the row does: with figures in its first cell, or without.

    Springfield, IL⏎ and blue,⏎ are none: behind a blank prose goes on, and a row has more than its first cell.
    """
    figures = bool(re.search(r"\d", cells[0] or ""))
    return any(
        bool(re.search(r"\d", found[1])) == figures and not found[2][1:2].isspace() and re.search(r"\w", found[2])
        for cell in cells
        for found in line.finditer(cell or "")
    )

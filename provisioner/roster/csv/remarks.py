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
_LINE_END: Final = r"\r*\n|\r"


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
    start, delimiter = rf"[\n\r]{_UID}", re.escape(dialect.delimiter)
    # the rest of a row that ends in the first column stands behind the quotes
    begun = [
        first.str.contains(f"{start}(?:{delimiter}|$)"),
        *(each.str.contains(start + delimiter) for each in others),
    ]
    suspects = frame.select(pl.any_horizontal(begun).fill_null(value=False)).to_series()
    indexes = suspects.arg_true()
    rows = zip(indexes, frame[indexes].iter_rows(), strict=True) if len(indexes) else ()
    return [index for index, row in rows if holds_a_row(row, dialect.delimiter)]


def holds_a_row(cells: Sequence[str | None], delimiter: str) -> bool:
    """Whether a line within one of the cells of a row looks like a row, itself or with what stands around the quotes.

    1,"Ann,red⏎2,Bob",blue     `2,Bob` has too few cells, `2,Bob` and `blue` have as many as `1` and `Ann,red`: 3
    """
    own = re.split(f"{re.escape(delimiter)}|{_LINE_END}", cells[0] or "", maxsplit=1)[0]
    for column, cell in enumerate(cells):
        first, *lines = re.split(_LINE_END, cell or "")
        whole = [line for line in lines if line.count(delimiter) == len(cells) - 1]
        if lines and (joined := _joined(column, first, lines[-1], cells, delimiter)) is not None:
            whole.append(joined)
        if any(_is_row(line, own, delimiter) for line in whole):
            return True
    return False


def _joined(column: int, first: str, last: str, cells: Sequence[str | None], delimiter: str) -> str | None:
    """Put the last line of a cell and the cells behind it together, if that is a row; the first line has to end one.

    A quote that closes in a column further right leaves the row short: its last cells are null.
    """
    after = [*cells[column + 1 :]]
    while after and after[-1] is None:
        after.pop()
    many, most = last.count(delimiter), len(cells) - 1
    if f"{delimiter} " in f"{first}\n{last}":  # 12 Main St, Apt 4⏎5400,Springfield
        return None
    if column + first.count(delimiter) != most or not column <= many <= most - len(after):
        return None
    return delimiter.join([last, *(cell or "" for cell in after)])


def _is_row(line: str, own: str, delimiter: str) -> bool:
    """Whether a line begins as the row does, whose first cell is `own`: with figures in its first cell, or without.

    Springfield, IL⏎ and blue,⏎ are none: behind a blank prose goes on, and a row has more than its first cell.
    """
    first, _, rest = line.partition(delimiter)
    if not re.fullmatch(_UID, first) or bool(re.search(r"\d", first)) != bool(re.search(r"\d", own)):
        return False
    return not rest[:1].isspace() and bool(re.search(r"\w", rest))

"""What stands above a header that was looked for: titles and notes, which are nothing, or people, who would be lost.

A sorted file has its header in the midst of its rows. What may be a row of the table is never taken for a title.

    Staff list,         a title: a single cell
    Date,2024-05-01     a note: no figures in it where each row below has some
    Login,Name          the header in other words
    alf1,Alf Lee        a row like those below
    uid,name            the header
    wim1,Wim Poe
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Final, NamedTuple, TypeAlias

from provisioner.errors import RosterError
from provisioner.roster.formats.rows import Missing
from provisioner.wording import listed, shortened

Cells: TypeAlias = Mapping[int, str]
"""Column → what a line holds there; those that it lacks are blank."""

ROWS_COMPARED: Final = 20
"""So many rows below a header tell what the rows of its table are like."""

_SHOWN = 3
_LEAST_CELLS = 2  # of a row; a single one is a title
_LEAST_NAMES = 2  # in a line of a heading
_FIGURE, _BLANK = "figure", "blank"
# Where there is no row to compare with, an id may be anything without a blank.
_ANY: Final = frozenset({_FIGURE, "Lu", "Ll", "Lt", "Lm", "Lo"})


class Heading(NamedTuple):
    """A header and what stands around it.

    unit    what its owner calls a line: `line`, or `row`
    number  of the header, counted from 1
    cells   of the header
    names   of the columns, as far as lines right above the header name them, too
    above   number → cells of each line above
    below   cells of the rows behind it, of which the first are looked at
    """

    unit: str
    number: int
    cells: Cells
    names: Cells
    above: Mapping[int, Cells]
    below: Iterable[Cells]


def with_names_above(header: Cells, above: Sequence[Cells]) -> dict[int, str]:
    """Name the columns that a header leaves blank as the lines right above it do; all are column → cell.

    Sheets have such headings of several lines, of merged cells mostly. A line with a single cell is a title.

    {2: "Last", 3: "First"} below [{1: "No.", 2: "Name"}] → {1: "No.", 2: "Last", 3: "First"}
    """
    names = _filled(header)
    for line in reversed(above):
        given = _filled(line)
        if len(given) < _LEAST_NAMES:
            break
        names = given | names
    return names


def likelier(named: int, rows: Mapping[int, Cells], missing: Missing) -> int | None:
    """Give the first line that names the most of the needed columns, if the one that was named as the header has fewer.

    rows  number → cells, with what lines right above name, in the order of the file

    A line above it that names only some of them may be a part of its heading.
    """
    lacking = {number: missing([*cells.values()]) for number, cells in rows.items()}
    others = [number for number, lacks in lacking.items() if number > named or not lacks]
    best = min(others, key=lambda number: lacking[number], default=named)
    return best if lacking[best] < lacking[named] else None


def another_header(unit: str, named: int, better: int, place: str = "") -> str:
    """Say that another line looks like the header than the one that was named; `unit` as in `Heading`."""
    said = f"{unit} {better}{place} looks like the header, and not {unit} {named}, which --header-row names"
    return f"{said}; give --header-row {better}"


def refuse_people_above(name: str, heading: Heading, missing: Missing) -> None:
    """Tell the lines above a header that look like rows of its table. Raises RosterError."""
    lent = _filled(heading.names).items() - heading.cells.items() if missing([*heading.cells.values()]) else set()
    above = {number: _filled(cells) for number, cells in heading.above.items() if not lent & cells.items()}
    if not above or missing([*heading.names.values()]):
        return
    table = _Table(heading.names, [_filled(row) for row in islice(heading.below, ROWS_COMPARED)], missing)
    people = [number for number, cells in above.items() if table.may_have(cells)]
    if not people:
        return
    shown = ", ".join(map(shortened, [*above[people[0]].values()][:_SHOWN]))
    unit = heading.unit
    if len(people) == 1:
        what, if_none = f"{unit} {people[0]} stands above the header and looks like a row of data", "it is none"
    else:
        which = listed([str(number) for number in people])
        what, if_none = f"{unit}s {which} stand above the header and look like rows of data", "they are none"
    mend = f"move the header, {unit} {heading.number}, to the top, or give --header-row {heading.number} if {if_none}"
    raise RosterError(f"{name}: {what} ({shown}); {mend}")


def _filled(cells: Cells) -> dict[int, str]:
    return {column: text for column, text in cells.items() if text.strip()}


class _Table:
    """What the rows of a table are like, by its columns and some of its rows."""

    def __init__(self, names: Cells, rows: Sequence[Cells], missing: Missing) -> None:
        self._names = _filled(names)
        # Alone, too, what is needed leaves less missing than nothing does: nearly all others are passed over so.
        self._needed = {
            column
            for column, name in self._names.items()
            if missing([name]) < missing([])
            and missing([other for at, other in self._names.items() if at != column]) > 0
        }
        self._below = {column: [_kinds(row[column]) for row in rows if column in row] for column in self._names}

    def may_have(self, line: Cells) -> bool:
        """Whether a line may be one of its rows: by the figures in it, or by what it has where every row has some."""
        cells = {column: _kinds(text) for column, text in line.items() if column in self._names}
        needed = [column for column in cells if column in self._needed]
        if not needed or len(cells) < min(_LEAST_CELLS, len(self._names)):
            return False
        if any(_letters(line[column]) == _letters(self._names[column]) for column in needed):
            return False
        like = any(self._likeness(column, kinds) > 0 for column, kinds in cells.items())
        unlike = any(self._likeness(column, cells[column]) < 0 for column in needed)
        if like != unlike:
            return like
        return len(needed) == len(self._needed) and not all(self._is_new(column, cells[column]) for column in needed)

    def _likeness(self, column: int, kinds: frozenset[str]) -> int:
        """Say whether a cell is one of a column in which all rows have figures: 1 if so, -1 if not, 0: cannot say."""
        below = self._below[column]
        if not below or not all(_FIGURE in other for other in below):
            return 0
        if _FIGURE in kinds and (_BLANK not in kinds or any(_BLANK in other for other in below)):
            return 1
        return -1 if self._is_new(column, kinds) else 0

    def _is_new(self, column: int, kinds: frozenset[str]) -> bool:
        """Whether a cell holds a kind of letter that no row has in its column."""
        return not kinds <= frozenset().union(*(self._below[column] or [_ANY]))


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text)).casefold()


def _kinds(text: str) -> frozenset[str]:
    """Give the kinds of letters in a text; signs and marks are in texts of any kind."""
    return frozenset(filter(None, map(_kind, text.strip())))


def _kind(letter: str) -> str:
    if letter == "@" or letter.isdigit():
        return _FIGURE
    if letter.isspace():
        return _BLANK
    return unicodedata.category(letter) if letter.isalpha() else ""

"""Which sheet is read, and which of its rows is the header.

It is the first visible sheet in whose first rows the needed columns are named: by its first row, else by just one of
the rows below it, because a title or a note stands above, else by one together with the rows right above it, because
the heading has several lines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Final

from provisioner.errors import RosterError
from provisioner.roster.columns import ADDED
from provisioner.roster.formats.rows import Missing, missing_fields
from provisioner.roster.preamble import ROWS_COMPARED, Heading, likelier, refuse_people_above, with_names_above
from provisioner.roster.workbook.package import Package, Sheet
from provisioner.roster.workbook.sheet import Remarks, SheetRow, read_sheet
from provisioner.wording import listed

ROWS_SEARCHED: Final = 20
"""So many rows of a sheet may be the header, from the first that is not blank."""


@dataclass(frozen=True, slots=True)
class SheetOptions:
    """What is known of the table before the file is opened.

    sheet       its name; the first visible one that has the needed columns without it
    header_row  number of the row that is the header, counted from 1; looked for without one
    missing     says how many of the needed columns some names lack
    of_people   says how many of those lack that uid and name are made of; `missing` does so where none other is given
    """

    sheet: str | None = None
    header_row: int | None = None
    missing: Missing = missing_fields
    of_people: Missing | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A sheet, its header, and whether that was looked for and found below other rows.

    others    the other sheets that have people below their header → whether they name all needed columns, too
    likelier  the row that looks more like the header than the one that was named
    """

    sheet: Sheet
    header: SheetRow
    is_found: bool
    others: Mapping[str, bool] = field(default_factory=dict)
    likelier: int | None = None


def find_table(package: Package, options: SheetOptions) -> Table:
    """Find the sheet and its header. Raises RosterError when there is none, or none can be told."""
    first: Table | None = None
    candidates = _candidates(package, options.sheet)
    for sheet in candidates:
        head = _head(package, sheet, options.header_row)
        if not head:
            continue
        row = head[-1] if options.header_row else _header(package, sheet, head, options)
        header = _whole(row, head)
        table = Table(sheet, header, options.header_row is None and row is not head[0])
        if table.is_found:
            place = f"{package.path}: in the sheet {sheet.name!r}"
            refuse_people_above(place, _heading(package, table, row, head), options.missing)
        if not options.missing(names(header)):
            return replace(table, others=_others(package, [each for each in candidates if each is not sheet], options))
        if options.header_row is not None:
            table = replace(table, likelier=_likelier(package, table, options.missing))
        first = table if first is None or (first.likelier is None and table.likelier is not None) else first
    if first is None:
        raise RosterError(f"{package.path} has no header: {_nothing_in(candidates, options)}; --sheet names another")
    if len(candidates) > 1 and first.likelier is None:
        message = f"none of its sheets names the needed columns in one of its first rows; {_present(package)}"
        ways = "`provisioner init` with the workbook proposes a mapping, --sheet names one, --header-row its header"
        raise RosterError(f"{package.path}: {message}; {ways}")
    return first


def _likelier(package: Package, table: Table, missing: Missing) -> int | None:
    """Give the row that looks more like the header than the one that was named, if one of the first ones does."""
    head = _head(package, table.sheet, None)
    whole = {row.number: _whole(row, head).cells for row in head}
    return likelier(table.header.number, whole | {table.header.number: table.header.cells}, missing)


def _others(package: Package, sheets: Sequence[Sheet], options: SheetOptions) -> dict[str, bool]:
    """Give the sheets that have people → whether they name all needed columns, too; none that cannot be read."""
    of_people = options.of_people or options.missing
    found: dict[str, bool] = {}
    for sheet in sheets:
        with suppress(RosterError):
            headers = _possible_headers(package, sheet, options.header_row)
            of_theirs = [row.number for row in headers if not of_people(names(row))]
            if of_theirs and _goes_on_below(package, sheet, min(of_theirs)):
                found[sheet.name] = not all(options.missing(names(row)) for row in headers)
    return found


def _possible_headers(package: Package, sheet: Sheet, named: int | None) -> list[SheetRow]:
    """Give each row of a sheet that may be its header: one of the first, or about where another's is."""
    heads = [_head(package, sheet, number) for number in {None, named}]
    return [each for head in heads for row in head for each in (row, _whole(row, head))]


def _goes_on_below(package: Package, sheet: Sheet, number: int) -> bool:
    """Whether anything stands below a row, be it only an error such as #N/A where somebody was."""
    remarks = Remarks()
    with closing(read_sheet(package, sheet, remarks)) as rows:
        if any(row.number > number for row in rows):
            return True
    return any(place.last_row > number for place in remarks.errors)


def names(row: SheetRow) -> list[str]:
    """Give the texts of a row, from left to right."""
    return [row.cells[column] for column in sorted(row.cells)]


def _candidates(package: Package, wanted: str | None) -> Sequence[Sheet]:
    """Give the sheets that may be meant. Raises RosterError when there are none."""
    if not package.sheets:
        raise RosterError(f"{package.path} has no sheets")
    if wanted is None:
        if found := [sheet for sheet in package.sheets if sheet.is_table and not sheet.is_hidden]:
            return found
        raise RosterError(f"{package.path} has no visible sheet with cells; {_present(package)}; --sheet names one")
    found = [sheet for sheet in package.sheets if sheet.name == wanted]
    if not found:
        raise RosterError(f"{package.path} has no sheet {wanted!r}; {_present(package)}")
    if not found[0].is_table:
        raise RosterError(f"{package.path}: the sheet {wanted!r} is a chart and has no cells; {_present(package)}")
    return found


def _present(package: Package) -> str:
    """Name the sheets of a workbook, and which of them are not seen."""
    shown = [
        f"{sheet.name!r}{' (a chart)' if not sheet.is_table else ' (hidden)' if sheet.is_hidden else ''}"
        for sheet in package.sheets
    ]
    return f"there is {listed(shown)}" if len(shown) == 1 else f"there are {listed(shown)}"


def _nothing_in(candidates: Sequence[Sheet], options: SheetOptions) -> str:
    if options.header_row is not None:
        return f"row {options.header_row}, which --header-row names, is blank"
    return "its sheet is empty" if len(candidates) == 1 else "its sheets are empty"


def _head(package: Package, sheet: Sheet, wanted: int | None) -> list[SheetRow]:
    """Give the rows that may be the header, or the one that is wanted and those above it; none when that is blank.

    Of rejected rows that came back it is the first one, wherever the roster had it.
    """
    head: list[SheetRow] = []
    last = wanted
    with closing(read_sheet(package, sheet)) as rows:
        for row in rows:
            if last == wanted and set(ADDED) <= set(row.cells.values()):
                return [row]
            last = last or row.number + ROWS_SEARCHED - 1
            if row.number > last:
                break
            if row.number > last - ROWS_SEARCHED and any(map(str.strip, row.cells.values())):
                head.append(row)
    return head if wanted is None or (head and head[-1].number == wanted) else []


def _header(package: Package, sheet: Sheet, head: Sequence[SheetRow], options: SheetOptions) -> SheetRow:
    """Say which row is the header: the first, when no other can be. Raises RosterError when two can be.

    One that names only some of the columns is none, unlike a line of a CSV: sheets explain columns, and group them.
    """
    complete = [row for row in head if not options.missing(names(row))]
    if not complete:
        return next((row for row in head if not options.missing(names(_whole(row, head)))), head[0])
    if len(complete) > 1 and complete[0] is not head[0]:
        numbers = " and ".join(str(row.number) for row in complete[:2])
        message = (
            f"row {head[0].number} of the sheet {sheet.name!r} is no header, and rows {numbers} both look like one"
        )
        raise RosterError(f"{package.path}: {message}; say which it is with --header-row {complete[0].number}")
    return complete[0]


def _heading(package: Package, table: Table, row: SheetRow, head: Sequence[SheetRow]) -> Heading:
    above = {each.number: each.cells for each in head if each.number < row.number}
    with closing(read_sheet(package, table.sheet)) as rows:
        below = list(islice((each.cells for each in rows if each.number > row.number), ROWS_COMPARED))
    return Heading("row", row.number, row.cells, table.header.cells, above, below)


def _whole(row: SheetRow, head: Sequence[SheetRow]) -> SheetRow:
    """Give a header with the names that stand in the rows right above it, none of them blank."""
    above = [each for each in head if each.number < row.number]
    near = [each.cells for at, each in enumerate(above) if row.number - each.number == len(above) - at]
    return row._replace(cells=with_names_above(row.cells, near))

"""A workbook roster: one sheet of an .xlsx file, read once and kept; it has a million rows at most."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Final

import polars as pl

from provisioner.errors import RosterError
from provisioner.files.looking import length_of
from provisioner.roster.columns import named_columns
from provisioner.roster.files.inputs import Sheets
from provisioner.roster.files.signature import OLD_WORKBOOK
from provisioner.roster.formats.rows import (
    ANOTHER_HEADER,
    BEHIND_BLANK_ROWS,
    NO_PART,
    NOT_TEXT,
    OTHER_SHEETS,
    ROUNDED,
    Notice,
    Progress,
    Roster,
    RosterBatch,
)
from provisioner.roster.preamble import another_header
from provisioner.roster.workbook.header import SheetOptions, Table, find_table
from provisioner.roster.workbook.package import Package, open_package
from provisioner.roster.workbook.sheet import FORMULA, Remarks, SheetRow, column_letters, read_sheet
from provisioner.wording import counted, listed

FIRST_BATCH: Final = 1_000
BATCH: Final = 20_000
HIDDEN: Final = "row.hidden"

_SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class WorkbookRoster(Roster):
    """One sheet of a workbook; see `rows.Roster`.

    frame       its rows (String columns)
    sheet_rows  number of each row in the sheet
    hidden      indexes of the rows that are hidden, ascending
    marked      kind of cells (`rounded`, `not_text`) → column → indexes of the rows in which it is one, ascending
    unreadable  column → what to say of its formulas without a stored value, which only a spreadsheet program knows
    sheet       the name of the sheet; `unread`: those of the others
    header_row  number of its row that names the columns
    """

    path: Path
    frame: pl.DataFrame
    sheet_rows: Sequence[int]
    hidden: Sequence[int]
    marked: Mapping[str, Mapping[str, Sequence[int]]]
    unreadable: Mapping[str, str] = field()
    repeated: frozenset[str] = field()
    remarks: tuple[Notice, ...]
    sheet: str
    unread: frozenset[str]
    header_row: int

    @property
    def name(self) -> str:
        """What messages call the file."""
        return str(self.path)

    @property
    def size(self) -> int:
        """Length of the file in bytes."""
        return length_of(self.path)

    @property
    def schema(self) -> Mapping[str, pl.DataType]:
        """Every column is a String."""
        return dict(self.frame.schema)

    @property
    def sheets(self) -> Sheets:
        """The one that is read, and the others."""
        return Sheets(frozenset({self.sheet}), self.unread)

    def notices(self) -> Sequence[Notice]:
        """Say which sheet and header were found, and which cells do not say what a person sees."""
        return self.remarks

    def place(self, row: int) -> str | None:
        """Say which row of the sheet a row is."""
        return f"sheet row {self.sheet_rows[row - 1]}" if 0 < row <= len(self.sheet_rows) else None

    def batches(self, progress: Progress | None = None) -> Iterator[RosterBatch]:
        """All rows, in order."""
        size, rows, done = self.size, self.frame.height, 0
        while done < rows:
            part = self.frame.slice(done, BATCH if done else FIRST_BATCH)
            hidden = _within(self.hidden, done, part.height)
            yield RosterBatch(done + 1, part, {HIDDEN: hidden} if hidden else {}, self._cells(done, part.height))
            done += part.height
            if progress:
                progress(done, size * done // rows)

    def _cells(self, start: int, height: int) -> dict[str, dict[str, pl.Series]]:
        """Give `RosterBatch.cells` of the rows of a batch, as far as any is marked."""
        unmarked = pl.repeat(value=False, n=height, eager=True)
        cells: dict[str, dict[str, pl.Series]] = {}
        for kind, columns in self.marked.items():
            for column, indexes in columns.items():
                if found := _within(indexes, start, height):
                    cells.setdefault(kind, {})[column] = unmarked.clone().scatter(found, True)
        return cells


def _within(indexes: Sequence[int], start: int, height: int) -> list[int]:
    """Give those of ascending indexes that are in a batch, counted from its first row."""
    return [index - start for index in indexes[bisect_left(indexes, start) : bisect_left(indexes, start + height)]]


def open_workbook(path: Path, options: SheetOptions | None = None, limit: int | None = None) -> WorkbookRoster:
    """Read a sheet; blank rows are none. Raises RosterError for what is no such file or sheet, OSError."""
    options = options or SheetOptions()
    with path.open("rb") as file:
        if file.read(len(OLD_WORKBOOK)) == OLD_WORKBOOK:
            message = "is an old .xls workbook or protected by a password; save it as .xlsx, without a password"
            raise RosterError(f"{path} {message}")
    with open_package(path) as package:
        table = find_table(package, options)
        remarks = Remarks()
        rows = (row for row in read_sheet(package, table.sheet, remarks) if row.number > table.header.number)
        collected = _Collected()
        for row in rows if limit is None else islice(rows, limit):
            collected.add(row)
        notices = (
            *_found(package, table, options),
            *_behind_blank_rows(package, table, collected),
            *_unlike_what_is_seen(package, table, remarks),
        )
        unread = frozenset(sheet.name for sheet in package.sheets) - {table.sheet.name}
        return _roster(path, table, unread, collected, notices)


class _Collected:
    """The rows of a sheet as columns, which are found on the way; number of a column in the sheet → its cells.

    behind_blank_rows  how many have blank rows between them and the first ones
    """

    def __init__(self) -> None:
        self.sheet_rows = array("L")
        self.hidden = array("L")
        self.marked: dict[str, dict[int, array[int]]] = {ROUNDED: {}, NOT_TEXT: {}, FORMULA: {}}
        self.behind_blank_rows = 0
        self._frames: list[pl.DataFrame] = []
        self._rows: list[dict[int, str]] = []

    def add(self, row: SheetRow) -> None:
        """Add the next row."""
        index = len(self.sheet_rows)
        if self.behind_blank_rows or (index and row.number > self.sheet_rows[-1] + 1):
            self.behind_blank_rows += 1
        self.sheet_rows.append(row.number)
        if row.is_hidden:
            self.hidden.append(index)
        for column, kind in row.marks.items():
            self.marked[kind].setdefault(column, array("L")).append(index)
        self._rows.append(row.cells)
        if len(self._rows) == BATCH:
            self._pack()

    def frame(self, columns: Sequence[int]) -> pl.DataFrame:
        """Give all rows, with these columns."""
        self._pack()
        schema = {str(column): pl.String() for column in columns}
        return pl.concat([pl.DataFrame(schema=schema), *self._frames], how="diagonal").select(*schema)

    @property
    def columns(self) -> set[int]:
        """The columns in which anything stands."""
        self._pack()
        marked = {column for columns in self.marked.values() for column in columns}
        return marked.union(*({int(name) for name in frame.columns} for frame in self._frames))

    def _pack(self) -> None:
        if not self._rows:
            return
        columns = sorted({column for cells in self._rows for column in cells})
        get = {str(column): [cells.get(column) for cells in self._rows] for column in columns}
        self._frames.append(
            pl.DataFrame(get, schema=dict.fromkeys(get, pl.String())) if get else pl.DataFrame(height=len(self._rows))
        )
        self._rows.clear()


def _roster(
    path: Path, table: Table, unread: frozenset[str], collected: _Collected, notices: tuple[Notice, ...]
) -> WorkbookRoster:
    """Name the columns. Those without a name have their place in the table as one; those without anything are none."""
    header = table.header.cells
    columns = sorted(collected.columns | {column for column, name in header.items() if name.strip()})
    first, last = columns[0], columns[-1]
    given, repeated = named_columns([header.get(column, "") for column in range(first, last + 1)])
    titles = {column: given[column - first] for column in columns}
    frame = collected.frame(columns).rename({str(column): title for column, title in titles.items()})
    marked = {
        kind: {titles[column]: indexes for column, indexes in collected.marked[kind].items()}
        for kind in (ROUNDED, NOT_TEXT)
    }
    unreadable = {
        titles[column]: _unstored(column, [collected.sheet_rows[index] for index in indexes])
        for column, indexes in collected.marked[FORMULA].items()
    }
    return WorkbookRoster(
        path,
        frame,
        collected.sheet_rows,
        collected.hidden,
        marked,
        unreadable,
        repeated,
        notices,
        table.sheet.name,
        unread,
        table.header.number,
    )


def _unstored(column: int, sheet_rows: Sequence[int]) -> str:
    letters = column_letters(column)
    cells = _some([f"{letters}{row}" for row in sheet_rows[: _SHOWN + 1]])
    holds = "a formula" if len(sheet_rows) == 1 else f"{len(sheet_rows):,} formulas"
    return f"it holds {holds} without a stored value ({cells}); open the workbook in Excel and save it"


def _found(package: Package, table: Table, options: SheetOptions) -> Iterator[Notice]:
    """Say which sheet is read when it is not the first, and which row is the header when it is not the first."""
    name, first = table.sheet.name, package.sheets[0]
    if options.sheet is None and table.sheet is not first:
        why = "is a chart" if not first.is_table else "is hidden" if first.is_hidden else "lacks the needed columns"
        message = f"the sheet {name!r} is read, because the first one, {first.name!r}, {why}; --sheet names another"
        yield Notice("sheet.found", f"{package.path}: {message}")
    if table.others:
        yield Notice(OTHER_SHEETS, f"{package.path}: of its sheets only {name!r} is read, and {_others(table)}")
    if table.likelier is not None:
        said = another_header("row", table.header.number, table.likelier, f" of the sheet {name!r}")
        yield Notice(ANOTHER_HEADER, f"{package.path}: {said}")
    if table.is_found:
        message = f"row {table.header.number} of the sheet {name!r} is taken for the header; --header-row names another"
        yield Notice("header.found", f"{package.path}: {message}")


def _others(table: Table) -> str:
    """Name the other sheets that have people, and say what it takes to read them."""
    groups = [[repr(name) for name, is_whole in table.others.items() if is_whole is wanted] for wanted in (True, False)]
    said = [f"{listed(names)} {'has' if len(names) == 1 else 'have'}" if names else "" for names in groups]
    each = "give each with --sheet and an -o of its own, in a sync also a --state of its own"
    whole = f"{said[0]} the needed columns as well" if said[0] else ""
    if not said[1]:
        return f"{whole}; {each}"
    partly = f"{said[1]} people too, but not all columns that [columns] names"
    return f"{whole}{', and ' if whole else ''}{partly}; add these there, empty or not, and {each}"


def _behind_blank_rows(package: Package, table: Table, collected: _Collected) -> Iterator[Notice]:
    """Say where rows come behind blank ones: they may be another table, or notes."""
    if many := collected.behind_blank_rows:
        first = collected.sheet_rows[len(collected.sheet_rows) - many]
        what = f"{counted(many, 'row')} behind blank ones, from row {first} on, read like those before"
        message = f"the sheet {table.sheet.name!r} has {what}; {NO_PART}"
        yield Notice(BEHIND_BLANK_ROWS, f"{package.path}: {message}")


def _unlike_what_is_seen(package: Package, table: Table, remarks: Remarks) -> Iterator[Notice]:
    """Tell of cells that are merged with others, and of errors, both of which are read as empty."""
    merged, errors = (
        [place.cells for place in places if place.last_row > table.header.number]
        for places in (remarks.merged, remarks.errors)
    )
    sheet = f"{package.path}: in the sheet {table.sheet.name!r}"
    if merged:
        message = f"{counted(len(merged), 'range')} of merged cells ({_some(merged)}): only the first cell of each has"
        yield Notice("cells.merged", f"{sheet} {message} the value, the others are empty; take the merging back")
    if errors:
        read = "it is read as empty" if len(errors) == 1 else "they are read as empty"
        message = f"{counted(len(errors), 'cell')} ({_some(errors)}) with an error such as #N/A: {read}"
        yield Notice("cells.error", f"{sheet} {message}; mend the formulas")


def _some(places: Sequence[str]) -> str:
    return ", ".join([*places[:_SHOWN], *(["…"] if len(places) > _SHOWN else [])])

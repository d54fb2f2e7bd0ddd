"""A workbook roster: one sheet of an .xlsx file, every cell as the text it is.

A sheet is read whole: it has a million rows at most.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from provisioner.errors import RosterError
from provisioner.roster.formats.rows import Progress, Roster, RosterBatch
from provisioner.wording import first_line

if TYPE_CHECKING:
    from fastexcel import ExcelReader

FIRST_BATCH = 1_000
BATCH = 20_000

_OLE = b"\xd0\xcf\x11\xe0"
_LOOKS_LIKE_A_DATE = r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?$"


@dataclass(frozen=True, slots=True)
class WorkbookRoster(Roster):
    """One sheet of a workbook; see `rows.Roster`."""

    path: Path
    frame: pl.DataFrame

    @property
    def name(self) -> str:
        """What messages call the file."""
        return str(self.path)

    @property
    def size(self) -> int:
        """Length of the file in bytes."""
        return self.path.stat().st_size

    @property
    def schema(self) -> Mapping[str, pl.DataType]:
        """Every column is a String."""
        return dict(self.frame.schema)

    def batches(self, progress: Progress | None = None) -> Iterator[RosterBatch]:
        """All rows, in order."""
        size, rows, done = self.size, self.frame.height, 0
        while done < rows:
            part = self.frame.slice(done, BATCH if done else FIRST_BATCH)
            yield RosterBatch(done + 1, part)
            done += part.height
            if progress:
                progress(done, size * done // rows)


def open_workbook(path: Path, sheet: str | None = None, limit: int | None = None) -> WorkbookRoster:
    """Read a sheet, the first one unless it is named. Its first row is the header, and empty rows are none.

    Raises RosterError for what is no such file or sheet, OSError.
    """
    with path.open("rb") as file:
        if file.read(len(_OLE)) == _OLE:
            message = "is an old .xls workbook or protected by a password; save it as .xlsx, without a password"
            raise RosterError(f"{path} {message}")
    cells = _cells(path, sheet)
    if not cells.height:
        raise RosterError(f"{path} has no header: its sheet is empty; --sheet names another")
    header = tuple(_named(path, cells.row(0)))
    rows = cells.slice(1)
    rows.columns = list(header)
    return WorkbookRoster(path, rows if limit is None else rows.head(limit))


def _cells(path: Path, sheet: str | None) -> pl.DataFrame:
    """Read all cells of the sheet as text, without the rows that are empty (String columns)."""
    try:
        import fastexcel
    except ImportError:
        message = "workbooks are read with a package of their own: pip install 'cometchat-provisioner[xlsx]'"
        raise RosterError(f"{path}: {message}") from None
    try:
        workbook = fastexcel.read_excel(path)
        name = _sheet(path, workbook.sheet_names, sheet)
        cells = workbook.load_sheet(name, header_row=None, dtypes="string").to_polars()
        cells = _with_dates(cells, workbook, name)
    except fastexcel.FastExcelError as error:
        raise RosterError(f"{path} cannot be read as a workbook: {_reason(error)}") from None
    return cells.filter(pl.any_horizontal(pl.all().fill_null("") != "")) if cells.width else cells


def _sheet(path: Path, names: Sequence[str], wanted: str | None) -> str:
    if wanted is not None and wanted not in names:
        there = ", ".join(map(repr, names))
        raise RosterError(f"{path} has no sheet {wanted!r}; there is {there}")
    if not names:
        raise RosterError(f"{path} has no sheets")
    return names[0] if wanted is None else wanted


def _with_dates(cells: pl.DataFrame, workbook: ExcelReader, sheet: str) -> pl.DataFrame:
    """Write dates as ISO has them, a day without a time of day and a time of day without a day.

    Read as text, a date cannot be told from a text that looks like one; read as dates, texts are null. So the sheet is
    read both ways where it has to be:

        in the sheet                read as text           read as a date         the cell
        1 May 2024                  2024-05-01 00:00:00    2024-05-01 00:00:00    2024-05-01
        1 May 2024 at half past one 2024-05-01 13:30:00    2024-05-01 13:30:00    2024-05-01T13:30:00
        half past one               1899-12-31 13:30:00    1899-12-31 13:30:00    13:30:00
        '2024-05-01 00:00:00 (text) 2024-05-01 00:00:00    null                   2024-05-01 00:00:00
    """
    if not cells.width:
        return cells
    date_like = cells.select(pl.all().str.contains(_LOOKS_LIKE_A_DATE).any()).row(0)
    columns = [index for index, found in enumerate(date_like) if found]
    if not columns:
        return cells
    moments = workbook.load_sheet(sheet, header_row=None, dtypes="datetime").to_polars()
    return cells.with_columns(_dates_as_iso(cells.to_series(index), moments.to_series(index)) for index in columns)


def _dates_as_iso(texts: pl.Series, moments: pl.Series) -> pl.Series:
    """Write the cells of a column (String) that are dates; `moments` (Datetime) is null where they are texts."""
    is_date = pl.lit(texts).str.contains(_LOOKS_LIKE_A_DATE) & pl.lit(moments).is_not_null()
    return pl.select(
        pl.when(is_date).then(_iso(pl.lit(moments))).otherwise(pl.lit(texts)).alias(texts.name)
    ).to_series()


def _iso(moment: pl.Expr) -> pl.Expr:
    """Write a moment; what is before 1900 is a time of day, which a workbook counts from its day zero."""
    time = moment.dt.to_string("%H:%M:%S%.f")
    return (
        pl.when(moment.dt.year() < 1900)
        .then(time)
        .when(time == "00:00:00")
        .then(moment.dt.to_string("%Y-%m-%d"))
        .otherwise(pl.concat_str([moment.dt.to_string("%Y-%m-%d"), time], separator="T"))
    )


def _named(path: Path, header: Sequence[str | None]) -> Iterator[str]:
    """Name the nameless columns; `_` keeps them from being fields. Raises RosterError for a name that comes twice."""
    taken: set[str] = set()
    for number, cell in enumerate(header, 1):
        name = cell if cell and cell.strip() else f"_column_{number}"
        if name in taken:
            raise RosterError(f"{path}: two columns are named {name!r}; rename or remove one")
        taken.add(name)
        yield name


def _reason(error: Exception) -> str:
    message = first_line(error)
    if "invalid Zip archive" in message:
        return "it is truncated, or not an .xlsx file"
    return message.removeprefix("calamine error: ")

"""Frames as the sheet of a workbook (.xlsx), row by row, so that memory stays flat. The one home of xlsxwriter.

Every text is a text to the last character, whatever it begins with: no program takes it for a formula, a number or a
date, and what a person types into its cell stays a text as well.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any, Final

import polars as pl
from xlsxwriter import Workbook  # type: ignore[import-untyped]
from xlsxwriter.exceptions import XlsxFileError, XlsxInputError  # type: ignore[import-untyped]
from xlsxwriter.worksheet import Worksheet  # type: ignore[import-untyped]

from provisioner.logs.events import get_logger
from provisioner.results.outputs import SHEET_ROWS
from provisioner.roster.columns import named, unnamed
from provisioner.roster.workbook.numbers import EXACT_DIGITS
from provisioner.roster.workbook.sheet import LAST_COLUMN, LAST_ROW

log = get_logger()

LONGEST_CELL: Final = 32_767
"""UTF-16 units that a cell has room for (Excel specifications and limits, support.microsoft.com)."""

Notes = Callable[[str], Mapping[str, str]]
"""What the last cell of a row says of the others: column → what is wrong with its cell there."""

_COMMENTS: Final = 5_000  # as many cells have one: each is held until the end, and programs are slow with more
_LONGEST_COMMENT: Final = 2_000
_LINES_SHOWN: Final = 12  # of a comment, in the box that is shown

_NARROWEST, _WIDEST, _MEASURED = 8, 60, 200
_FIRST_DAY: Final = datetime(1899, 12, 30, tzinfo=UTC)  # as a workbook counts days, from 1900-03-01 on
_DAY: Final = 86_400_000
_MOMENT: Final = 'yyyy\\-mm\\-dd"T"hh:mm:ss.000"Z"'
_ESCAPED: Final = re.compile("_(?=x[0-9A-Fa-f]{4}_)|[\x00-\x08\x0b-\x1f\ufffe\uffff]")
_OF_TWO_UNITS: Final = r"[\x{10000}-\x{10FFFF}]"
_NO_XML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Look:
    """How a sheet is made up.

    title  of the sheet
    notes  the cells that are filled and have a comment, by the last cell of each row; None for none
    """

    title: str = "Results"
    notes: Notes | None = None


def why_not(height: int, columns: int, longest: int) -> str | None:
    """Say why a table cannot be a sheet, None when it can; `longest` is that of its cells in UTF-16 units."""
    if height > SHEET_ROWS:
        return f"{height:,} rows are more than the {SHEET_ROWS:,} that a sheet has room for below its header"
    if columns > LAST_COLUMN:
        return f"{columns:,} columns are more than the {LAST_COLUMN:,} that a sheet has room for"
    if longest > LONGEST_CELL:
        return f"a cell of {longest:,} characters is longer than the {LONGEST_CELL:,} that a workbook has room for"
    return None


def units(frame: pl.DataFrame) -> int:
    """Give the length of the longest text of a frame in UTF-16 units, names included: most characters are one."""
    names, most = _texts(frame), max((len(name.encode()) for name in frame.columns), default=0)
    if names and frame.height:
        most = max(most, _most_bytes(frame, names))
    if most <= LONGEST_CELL:  # no character takes more units than bytes
        return most
    texts = chain(frame.columns, *(frame[name] for name in names))
    return max(len(text.encode("utf-16-le")) // 2 for text in texts if text)


def _most_bytes(frame: pl.DataFrame, names: Sequence[str]) -> int:
    most = frame.select(pl.max_horizontal(named(name).str.len_bytes().max() for name in names).fill_null(0)).item()
    return int(most)


def cut(frames: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """Cut texts that are too long for a cell, with an ellipsis at their end, and say so in the log, once."""
    told = False
    for frame in frames:
        names, kept = _texts(frame), frame
        # no character has more units than bytes
        if names and frame.height and _most_bytes(frame, names) > LONGEST_CELL:
            kept = frame.with_columns(_shortened(named(name)) for name in names)
            if not told and not kept.equals(frame):
                log.warning("results.cut", reason=f"a cell of a workbook has room for {LONGEST_CELL:,} characters")
                told = True
        yield kept


def _shortened(text: pl.Expr) -> pl.Expr:
    fits = text.str.len_chars() + text.str.count_matches(_OF_TWO_UNITS) <= LONGEST_CELL
    return pl.when(fits).then(text).otherwise(text.str.head(LONGEST_CELL // 2 - 1) + "…")


def _texts(frame: pl.DataFrame) -> list[str]:
    return [name for name, kind in frame.schema.items() if kind == pl.String]


def write_sheet(path: Path, frames: Iterator[pl.DataFrame], schema: pl.Schema, look: Look | None = None) -> None:
    """Write a workbook of one sheet: integers as numbers, times as moments in UTC, all else as text. Raises OSError.

    schema  String, Int64 and Datetime columns; a whole number of more digits than a workbook keeps is a text
    """
    with _folder(path) as folder:
        options = {"constant_memory": True, "tmpdir": str(folder)}
        book = Workbook(path, options)
        book.use_zip64()
        # The same rows make the same file, whenever they are written.
        book.set_properties({"created": datetime(1980, 1, 1)})  # noqa: DTZ001 - it takes no other
        sheet = _Sheet(book, schema, look or Look())
        try:
            first = next(frames, pl.DataFrame(schema=schema))
            sheet.begin(first)
            for frame in chain([first], frames):
                sheet.add(frame)
            sheet.end()
            book.close()
        except XlsxFileError as error:
            raise OSError(None, _reason(error)) from error
        finally:
            sheet.close()


@contextmanager
def _folder(path: Path) -> Iterator[Path]:
    """Give a folder of our own beside the file for what is written on the way: it holds what the file does.

    What a killed run left in it goes first.
    """
    folder = path.with_name(f"{path.name}.d")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _reason(error: Exception) -> str:
    """Give the system's words: the library wraps them in its own."""
    cause = error.args[0] if error.args else error
    return (cause.strerror if isinstance(cause, OSError) else None) or str(cause)


class _Plain(Worksheet):  # type: ignore[misc]
    """A worksheet whose texts are nothing but that: the library takes those in `<r>` for rich text it has made."""

    def _xml_rich_inline_string(self, string: str, attributes: Sequence[Any] = ()) -> None:
        self._xml_inline_string(string, True, attributes)

    @staticmethod
    def _escape_control_characters(data: str) -> str:
        """Escape all that XML has no place for, and whatever looks like an escape, two in a row as well."""
        return _ESCAPED.sub(lambda found: f"_x{ord(found[0]):04X}_", data)


class _Sheet:
    """A sheet that is being written: its header, then the rows of one frame after the other."""

    def __init__(self, book: Any, schema: pl.Schema, look: Look) -> None:
        self._sheet = _added(book, look.title)
        self._schema, self._notes = schema, look.notes
        self._places = {name: place for place, name in enumerate(schema)}
        self._text = book.add_format({"num_format": "@"})
        self._wrong = book.add_format({"num_format": "@", "bg_color": "#FFC7CE", "font_color": "#9C0006"})
        self._head = book.add_format({"num_format": "@", "bold": True, "bottom": 1})
        self._moment = book.add_format({"num_format": _MOMENT, "align": "left"})
        self._row = self._commented = 0

    def begin(self, first: pl.DataFrame) -> None:
        """Write the header, of columns as wide as the first rows need."""
        sheet = self._sheet
        # Before the cells: each takes the format of its column.
        for place, (name, kind) in enumerate(self._schema.items()):
            formats = {pl.Int64: None, pl.Datetime: self._moment}
            sheet.set_column(place, place, _width(name, first), formats.get(kind.base_type(), self._text))
        for place, name in enumerate(self._schema):
            sheet.write_string(0, place, name, self._head)
        sheet.freeze_panes(1, 0)
        sheet.repeat_rows(0)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        # The little triangles that programs put on ids.
        sheet.ignore_errors({"number_stored_as_text": f"A1:XFD{LAST_ROW}"})

    def add(self, frame: pl.DataFrame) -> None:
        """Write the rows of one more frame. Raises OSError when there is no room: the library would leave them out."""
        if self._row + frame.height > SHEET_ROWS:
            raise OSError(None, f"a sheet has room for {SHEET_ROWS:,} rows")
        for cells in frame.select(_as_cell(name, kind) for name, kind in self._schema.items()).iter_rows():
            self._row += 1
            wrong = self._notes(cells[-1] or "") if self._notes else {}
            places = {self._places[name]: words for name, words in wrong.items() if name in self._places}
            self._write(cells, places)

    def end(self) -> None:
        """Write what is left to be said of the whole sheet."""
        self._sheet.autofilter(0, 0, self._row, len(self._schema) - 1)

    def close(self) -> None:
        """Let go of its files, which the library leaves open when a disk is full."""
        for file in (self._sheet.row_data_fh, self._sheet.fh):
            with suppress(OSError):
                file.close()

    def _write(self, cells: Sequence[Any], wrong: Mapping[int, str]) -> None:
        sheet, row = self._sheet, self._row
        for place, cell in enumerate(cells):
            form = self._wrong if place in wrong else None
            if cell is None or cell == "":
                if form is not None:
                    sheet.write_blank(row, place, None, form)
            elif isinstance(cell, str) or abs(cell) >= 10**EXACT_DIGITS:
                sheet.write_string(row, place, str(cell), form)
            else:
                sheet.write_number(row, place, cell, form)
        for place, words in wrong.items():
            if self._commented < _COMMENTS:
                self._comment(place, words)

    def _comment(self, place: int, words: str) -> None:
        self._commented += 1
        text = _NO_XML.sub("\ufffd", words[:_LONGEST_COMMENT])
        lines = sum(1 + len(line) // 40 for line in text.splitlines())
        size = {"width": 260, "height": 20 + 17 * min(lines, _LINES_SHOWN)}
        self._sheet.write_comment(self._row, place, text, {"author": "provisioner", **size})


def _added(book: Any, title: str) -> Any:
    """Add a sheet of this title, or of a plain one where programs refuse it, as they do with brackets and slashes."""
    try:
        return book.add_worksheet(title, worksheet_class=_Plain)
    except XlsxInputError:
        return book.add_worksheet("Sheet1", worksheet_class=_Plain)


def _as_cell(name: str, kind: pl.DataType) -> pl.Expr:
    """Give a column as what is written: texts, numbers, moments as days since the first one."""
    if isinstance(kind, pl.Datetime):
        days = named(name).dt.epoch("ms") - int(_FIRST_DAY.timestamp() * 1000)
        return (days / _DAY).alias(name)
    return named(name)


def _width(name: str, frame: pl.DataFrame) -> int:
    """Give the width of a column in characters, by its name and the first rows."""
    if isinstance(frame.schema[name], pl.Datetime):
        return 25
    cells = unnamed(frame, name).head(_MEASURED).cast(pl.String).str.len_chars().max()
    longest = max(len(name), cells if isinstance(cells, int) else 0)
    return min(max(longest + 3, _NARROWEST), _WIDEST)

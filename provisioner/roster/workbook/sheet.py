"""The rows of a sheet, one after the other, each with the cells that hold something."""

from __future__ import annotations

import re
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from provisioner.roster.formats.rows import NOT_TEXT, ROUNDED, SOMETHING
from provisioner.roster.workbook.numbers import EXACT_DIGITS, finite, is_short, number_text
from provisioner.roster.workbook.package import TAGS, Attributes, Package, Parser, Sheet, unescaped

LAST_ROW: Final = 1_048_576
LAST_COLUMN: Final = 16_384

FORMULA: Final = "formula"

_SOMETHING: Final = re.compile(SOMETHING).search
_DIGITS: Final = "0123456789"
_LAST_ROW: Final = re.compile(r"\d+$")


class SheetRow(NamedTuple):
    """A row that is not blank.

    number  of the row in its sheet, counted from 1
    cells   column, counted from 1 → text; of cells that hold something
    marks   column → `rounded` (a number of more than 15 digits), `formula` (one without a stored value), `not_text`
    """

    number: int
    is_hidden: bool
    cells: dict[int, str]
    marks: dict[int, str]


class Place(NamedTuple):
    """A cell or a range of them, as a person writes it (`C5`, `A1:C5`), and its last row."""

    cells: str
    last_row: int


@dataclass(slots=True)
class Remarks:
    """What a sheet has beyond its rows, complete once they have been read to the end.

    merged  cells that are merged
    errors  cells that hold an error such as #N/A
    """

    merged: list[Place] = field(default_factory=list)
    errors: list[Place] = field(default_factory=list)


def read_sheet(package: Package, sheet: Sheet, remarks: Remarks | None = None) -> Generator[SheetRow, None, None]:
    """Give the rows of a sheet that are not blank, in order; `remarks` is filled on the way. Raises RosterError."""
    parser = _SheetParser(package, remarks or Remarks())
    for _ in package.feed(sheet.part, parser):
        yield from parser.rows
        parser.rows.clear()


class _SheetParser(Parser):
    """Makes rows of what a sheet holds, each call of `feed` some.

    <row r="2" hidden="1"><c r="A2" t="s"><v>0</v></c><c r="B2" s="1"><f>1+1</f><v>2</v></c></row>

    A row or a cell that does not say where it is comes behind the one before.
    """

    def __init__(self, package: Package, remarks: Remarks) -> None:
        super().__init__()
        self.rows: list[SheetRow] = []
        self._texts, self._formats = package.texts, package.formats
        self._remarks = remarks
        self._letters: dict[str, int] = {}
        self._number = self._column = 0
        self._is_hidden = self._has_formula = self._is_phonetic = False
        self._cells: dict[int, str] = {}
        self._marks: dict[int, str] = {}
        self._attributes: Attributes = {}
        self._value: str | None = None
        self._runs: list[str] = []

    def start(self, name: str, attributes: Attributes, /) -> None:
        tag = TAGS.get(name)
        if tag == "c":
            self._attributes = attributes
            self._value = None
            self._has_formula = False
        elif tag in {"v", "t"}:
            self.text.clear()
        elif tag == "f":
            self._has_formula = True
        elif tag == "is":
            self._runs, self._is_phonetic = [], False
        elif tag == "rPh":
            self._is_phonetic = True
        elif tag == "row":
            self._begin_row(attributes)
        elif tag == "mergeCell":
            reference = attributes.get("ref", "")
            last = _LAST_ROW.search(reference)  # whole columns have none: `A:C`
            self._remarks.merged.append(Place(reference, int(last[0]) if last else LAST_ROW))

    def end(self, name: str) -> None:
        tag = TAGS.get(name)
        if tag == "v":
            self._value = "".join(self.text)
        elif tag == "c":
            self._end_cell(self._attributes, self._value)
        elif tag == "t":
            if not self._is_phonetic:
                self._runs.append("".join(self.text))
        elif tag == "is":
            self._value = "".join(self._runs)
        elif tag == "rPh":
            self._is_phonetic = False
        elif tag == "row" and (self._marks or any(map(_SOMETHING, self._cells.values()))):
            self.rows.append(SheetRow(self._number, self._is_hidden, self._cells, self._marks))
        self.text.clear()

    def _begin_row(self, attributes: Attributes) -> None:
        self._number = int(attributes.get("r") or self._number + 1)
        _check(self._number, LAST_ROW)
        no_height = attributes.get("customHeight") in {"1", "true"} and finite(attributes.get("ht", "")) == 0
        self._is_hidden = attributes.get("hidden") in {"1", "true"} or no_height
        self._column, self._cells, self._marks = 0, {}, {}

    def _end_cell(self, attributes: Attributes, value: str | None) -> None:
        reference, kind = attributes.get("r"), attributes.get("t", "n")
        if reference:
            letters = reference.rstrip(_DIGITS)
            self._column = self._letters.get(letters) or self._letters.setdefault(letters, column_number(letters))
        else:
            self._column += 1
            _check(self._column, LAST_COLUMN)
        # A formula may have an empty text as its value, but no empty number.
        if self._has_formula and (value is None or (value == "" and kind != "str")):
            self._marks[self._column] = FORMULA
        elif not value:
            return
        elif kind == "s":
            self._cells[self._column] = self._texts[int(value)]
        elif kind == "n":
            self._cells[self._column] = self._number_text(value.strip(), attributes.get("s"))
        elif kind == "e":
            self._remarks.errors.append(Place(reference or f"row {self._number}", self._number))
        else:
            self._cells[self._column] = _other_text(kind, value)
            if kind == "b":
                self._marks[self._column] = NOT_TEXT

    def _number_text(self, value: str, style: str | None) -> str:
        """Write a number, in the dress of its style where that counts."""
        form = self._formats[int(style)] if style and style != "0" else None
        if form is None and is_short(value):
            return value
        text, is_rounded = number_text(value)
        number = finite(value)
        shown = form(number) if form and number is not None else None
        # The count of days of a moment may be as long as it likes.
        if is_rounded and (shown is None or abs(number or 0) >= 10**EXACT_DIGITS):
            self._marks[self._column] = ROUNDED
        return text if shown is None else shown


def _other_text(kind: str, value: str) -> str:
    if kind == "b":
        return "true" if value.strip() in {"1", "true"} else "false"
    if kind == "d":
        return value.removesuffix("Z").removesuffix("T00:00:00").removesuffix("T00:00:00.000")
    return unescaped(value)


def column_number(letters: str) -> int:
    """Read `C` as 3 and `AA` as 27. Raises ValueError for what no sheet has."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
        _check(number, LAST_COLUMN)
    _check(number, LAST_COLUMN)
    return number


def _check(number: int, last: int) -> None:
    """Raise ValueError for a row or a column outside of the sheet: nothing may be laid out as wide as it says."""
    if not 0 < number <= last:
        raise ValueError("a cell in it lies outside of any sheet")


def column_letters(number: int) -> str:
    """Write 3 as `C` and 27 as `AA`."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters

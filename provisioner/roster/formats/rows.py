"""What every format gives: a roster whose rows come in batches of bounded size."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeAlias

import polars as pl

from provisioner.roster.columns import instance_of, member, named
from provisioner.roster.files.inputs import NO_SHEETS, Sheets
from provisioner.roster.files.origin import Origin, Version
from provisioner.roster.files.text import LineNumbers, is_misnamed
from provisioner.roster.jsonpages import Page
from provisioner.wording import NOTHING

Progress: TypeAlias = Callable[[int, int], None]
"""Called after each batch with the rows and the bytes of the file done so far."""

SOMETHING: Final = f"[^{NOTHING}]"
"""Matches what can be seen in a cell of text."""

ANOTHER_TABLE: Final = (
    "the header of another table; save the rows from there on as a file of its own and name both files, "
    "with the same columns, spelled alike, in any order"
)
"""What is said of a row that names columns as the header does, and not the same ones or not in this order."""

NOT_TEXT = "not_text"
"""Kind of cells that are an object, a list or a boolean; see `RosterBatch.cells`."""

ROUNDED = "rounded"
"""Kind of cells that are numbers of more digits than they can hold; see `RosterBatch.cells`."""

Missing: TypeAlias = Callable[[Sequence[str]], int]
"""How many of the columns that a roster has to have are not among some names."""


def missing_fields(names: Sequence[str]) -> int:
    """Count as missing what no column bears the name of, for a roster whose columns are not mapped."""
    return len({"uid", "name"} - {name.strip().lower() for name in names})


def without_blank_rows(frame: pl.DataFrame) -> pl.DataFrame:
    """Leave out the rows that hold nothing but blanks and nulls, of which nearly every file has none."""
    columns = [*frame.schema.items()]
    if not columns:
        return frame
    suspects = frame.filter(_is_blank(*columns[0]))
    if suspects.is_empty():
        return frame
    is_blank = pl.all_horizontal(_is_blank(*each) for each in columns)
    return frame.filter(~is_blank) if suspects.select(is_blank.any()).item() else frame


def _is_blank(name: str, kind: pl.DataType) -> pl.Expr:
    cell = named(name)
    if isinstance(kind, pl.String | pl.Categorical | pl.Enum):
        return cell.is_null() | ~cell.cast(pl.String).str.contains(SOMETHING)
    return cell.is_null() | (cell.list.len() == 0) if isinstance(kind, pl.List) else _is_nothing(cell, kind)


def _is_nothing(cell: pl.Expr, kind: pl.DataType) -> pl.Expr:
    """Tell what no metadata are made of: null, an empty map, a struct of such alone."""
    if isinstance(kind, pl.Map):
        return cell.is_null() | (cell.map.len() == 0)
    if not isinstance(kind, pl.Struct):
        return cell.is_null()
    members = [_is_nothing(member(cell, kind, name), instance_of(each)) for name, each in kind.to_schema().items()]
    return cell.is_null() | pl.all_horizontal(members) if members else pl.lit(value=True)


@dataclass(frozen=True, slots=True)
class RosterBatch:
    """Consecutive data rows of a roster: its own columns, untouched.

    `frame` has the roster's columns in the roster's order (a CSV's are all String);
    `first_row` is the number of its first row, counted from 1 over the whole roster;
    `remarks` has what a reader has to say of single rows: code of a warning → indexes of the rows within the frame;
    `rows` the numbers of its rows (Int64, ascending) where some were left out, null where they are consecutive;
    `cells` what it knows of cells beyond their text: `rounded` (a number of more digits than it can hold), `formula`
    (one without a stored value), `not_text` (an object, a list, a boolean) → column → whether each cell is that.
    """

    first_row: int
    frame: pl.DataFrame
    remarks: Mapping[str, Sequence[int]] = field(default_factory=dict)
    cells: Mapping[str, Mapping[str, pl.Series]] = field(default_factory=dict)
    rows: pl.Series | None = None

    @property
    def numbers(self) -> pl.Series:
        """The numbers of its rows (Int64)."""
        if self.rows is not None:
            return self.rows
        return pl.int_range(self.first_row, self.first_row + self.frame.height, dtype=pl.Int64, eager=True)

    def positions(self, numbers: pl.Series) -> pl.Series:
        """Give where in the frame the rows of these numbers are (UInt32)."""
        if self.rows is not None:
            return self.rows.search_sorted(numbers).cast(pl.UInt32)
        return (numbers - self.first_row).cast(pl.UInt32)

    def only(self, wanted: pl.Series) -> RosterBatch:
        """Leave out the rows that are not wanted (Boolean); those that stay keep their numbers."""
        if wanted.all():
            return self
        where = wanted.cum_sum().to_list()
        remarks = {code: [where[at] - 1 for at in found if wanted[at]] for code, found in self.remarks.items()}
        cells = {
            kind: {column: known.filter(wanted) for column, known in columns.items()}
            for kind, columns in self.cells.items()
        }
        return RosterBatch(self.first_row, self.frame.filter(wanted), remarks, cells, self.numbers.filter(wanted))

    @classmethod
    def joined(cls, batches: Sequence[RosterBatch]) -> RosterBatch:
        """Make one of several with the same columns, each of which begins where the one before it ended."""
        if len(batches) == 1:
            return batches[0]
        remarks: dict[str, list[int]] = {}
        before = 0
        for each in batches:
            for code, found in each.remarks.items():
                remarks.setdefault(code, []).extend(before + at for at in found)
            before += each.frame.height
        rows = None if all(each.rows is None for each in batches) else pl.concat([each.numbers for each in batches])
        frame = pl.concat([each.frame for each in batches], rechunk=True)
        return cls(batches[0].first_row, frame, remarks, _joined_cells(batches), rows)


def _joined_cells(batches: Sequence[RosterBatch]) -> dict[str, dict[str, pl.Series]]:
    known = {(kind, column) for each in batches for kind, columns in each.cells.items() for column in columns}
    joined: dict[str, dict[str, pl.Series]] = {}
    for kind, column in sorted(known):
        cells = [each.cells.get(kind, {}).get(column) for each in batches]
        whole = [
            pl.repeat(value=False, n=each.frame.height, eager=True) if of_it is None else of_it
            for of_it, each in zip(cells, batches, strict=True)
        ]
        joined.setdefault(kind, {})[column] = pl.concat(whole)
    return joined


@dataclass(frozen=True, slots=True)
class Notice:
    """What is to be known of how a file was read, and is no defect of a row: a stable code, and a sentence."""

    code: str
    message: str


OTHER_SHEETS: Final = "sheet.others"
"""The code of a notice: there are people on sheets that are not read."""


ONLY_PART: Final = "roster.partial"
"""The code of a notice: by what is told in it the roster is not all."""


BEHIND_BLANK_ROWS: Final = "rows.behind_blank_rows"
NO_PART: Final = "delete what is no part of the table"
"""Rows behind blank ones may be another table: the code of the notice that tells them, and what it says to do."""


ANOTHER_HEADER: Final = "header.another"
"""The code of a notice: another line than the one that was named has the needed columns."""


LOOKS_LIKE_UTF8: Final = "encoding.looks_like_utf8"
"""The code of a notice: the encoding that was named is not the one that the text is in."""


class Roster(Protocol):
    """A roster whose header has been read and whose first rows are known to be readable.

    A format that inherits it is one file that holds nothing, unless it says otherwise. What it keeps as it is asked for
    is a field of that name; without `= field()` a dataclass would take the property here for its default.
    """

    __slots__ = ()

    @property
    def name(self) -> str:
        """What messages call it."""

    @property
    def rejected_delimiter(self) -> str:
        """What separates the cells of its rejected rows where they are written as CSV."""
        return ","

    @property
    def size(self) -> int:
        """Length in bytes; what `bytes_done` of a progress call runs up to."""

    @property
    def schema(self) -> Mapping[str, pl.DataType]:
        """Column name → type, in the file's order; every column of a text is a String."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The column names, in the file's order and spelling; a column without a name is `_column_<n>`."""
        return tuple(self.schema)

    def batches(self, progress: Progress | None = None) -> Iterator[RosterBatch]:
        """All rows, in order; each call begins anew and gives the same rows.

        Raises RosterError where the file is broken.
        """

    @property
    def rowless(self) -> bool:
        """Whether it is known to have no rows, and so no columns either: every column that is needed is there."""
        return False

    @property
    def repeated(self) -> frozenset[str]:
        """Names that several columns bear in the file; all but the first are `_column_<n>_<name>`."""
        return frozenset()

    @property
    def sheets(self) -> Sheets:
        """Which sheets it is, where it is a workbook."""
        return NO_SHEETS

    @property
    def pages(self) -> Sequence[Page]:
        """What its files tell of the lists in them, where they are JSON and do."""
        return ()

    def notices(self) -> Sequence[Notice]:
        """Give what is to be known of how it was read; all of it once it has been read to its end."""
        return ()

    @property
    def unreadable(self) -> Mapping[str, str]:
        """Column → why cells of it cannot be read, and what to do; it is refused when a field is fed by it."""
        return {}

    @property
    def stored(self) -> Mapping[str, pl.DataType]:
        """Column of text → the type that its texts have in the file, to be written back so."""
        return {}

    def place(self, row: int) -> str | None:  # noqa: ARG002 - of a format whose rows are found by their number
        """Say how the owner of the file sees a row: `line 6`, `sheet row 6`; null when the row number says it."""
        return None

    def parts(self) -> Sequence[tuple[str, int]]:
        """Name and number of rows of each file, for a roster of several that has been read to its end; else empty."""
        return ()

    def close(self) -> None:
        """Let go of what it holds; it is not read afterwards."""
        return


@dataclass(frozen=True, slots=True)
class TextRoster(Roster):
    """A roster of one text file, as far as all of them are alike.

    codec    as `files.text.text_codec` gives it
    pages    see `Roster.pages`
    version  of the file whose columns were found: another one is no more read
    numbers  the lines that its rows begin in, as far as it is read by lines
    """

    origin: Origin
    codec: str | None
    pages: Sequence[Page] = field(default=(), kw_only=True, repr=False)
    version: Version = field(default=(), kw_only=True)
    numbers: LineNumbers = field(default_factory=LineNumbers, kw_only=True, repr=False, compare=False)

    @property
    def name(self) -> str:
        """What messages call the file."""
        return self.origin.name

    @property
    def size(self) -> int:
        """Length of the file in bytes, compressed where it is compressed."""
        return self.origin.size

    def notices(self) -> Sequence[Notice]:
        """Say that the encoding it is read in is most likely not its own. Raises OSError."""
        if not is_misnamed(self.origin, self.codec):
            return ()
        what = f"{self.name} is UTF-8 and read as {self.codec}, which spoils letters such as ë"
        return (Notice(LOOKS_LIKE_UTF8, f"{what}; leave out --encoding (in a config file: encoding)"),)

    def place(self, row: int) -> str | None:
        """Say in which line a row begins."""
        line = self.numbers.of(row)
        return None if line is None else f"line {line}"

    def close(self) -> None:
        """Let go of the file."""
        self.origin.close()


def gathered(batches: Iterable[RosterBatch], rows: int = 20_000, room: int = 4 * 1024 * 1024) -> Iterator[RosterBatch]:
    """Put consecutive small batches together: what is done with one costs as much for ten rows as for a thousand.

    rows  that one of several may have, and `room` the bytes that its cells may take; a larger one stays as it is
    """
    waiting: list[RosterBatch] = []
    height = size = 0
    for batch in batches:
        height, size = height + batch.frame.height, size + int(batch.frame.estimated_size())
        if waiting and (height > rows or size > room or batch.frame.schema != waiting[0].frame.schema):
            yield RosterBatch.joined(waiting)
            waiting = []
            height, size = batch.frame.height, int(batch.frame.estimated_size())
        waiting.append(batch)
        if height > rows or size > room:
            yield RosterBatch.joined(waiting)
            waiting, height, size = [], 0, 0
    if waiting:
        yield RosterBatch.joined(waiting)

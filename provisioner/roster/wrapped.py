"""Rosters round another one: what is added to its rows, or said in place of its name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Final

import orjson
import polars as pl

from provisioner.errors import RosterError
from provisioner.roster.columns import ADDED, MARKED, named
from provisioner.roster.csv import apostrophes
from provisioner.roster.files.inputs import Inputs, Sheets
from provisioner.roster.formats.ndjsonline import LINE
from provisioner.roster.formats.rows import ONLY_PART, Notice, Progress, Roster, RosterBatch
from provisioner.roster.jsonpages import Page, only_part
from provisioner.wording import listed

SPARSE: Final = frozenset({"ndjson", "json"})
"""The families of files whose rows may lack columns: nothing in them names all columns."""

_AROUND: Final = " \t\u00a0\ufeff\"'"
_END_OF_OBJECT: Final = r"\s*\}\s*$"


@dataclass(frozen=True, slots=True)
class Wrapped(Roster):
    """All that a roster says, passed on; see `rows.Roster`."""

    inner: Roster

    @property
    def name(self) -> str:
        """That of the inner one."""
        return self.inner.name

    @property
    def rejected_delimiter(self) -> str:
        """That of the inner one."""
        return self.inner.rejected_delimiter

    @property
    def size(self) -> int:
        """That of the inner one."""
        return self.inner.size

    @property
    def schema(self) -> Mapping[str, pl.DataType]:
        """That of the inner one."""
        return self.inner.schema

    @property
    def rowless(self) -> bool:
        """That of the inner one."""
        return self.inner.rowless

    @property
    def repeated(self) -> frozenset[str]:
        """Those of the inner one."""
        return self.inner.repeated

    @property
    def unreadable(self) -> Mapping[str, str]:
        """Those of the inner one."""
        return self.inner.unreadable

    @property
    def stored(self) -> Mapping[str, pl.DataType]:
        """Those of the inner one."""
        return self.inner.stored

    @property
    def sheets(self) -> Sheets:
        """Those of the inner one."""
        return self.inner.sheets

    @property
    def pages(self) -> Sequence[Page]:
        """Those of the inner one."""
        return self.inner.pages

    def notices(self) -> Sequence[Notice]:
        """Those of the inner one."""
        return self.inner.notices()

    def place(self, row: int) -> str | None:
        """As the inner one says."""
        return self.inner.place(row)

    def parts(self) -> Sequence[tuple[str, int]]:
        """Those of the inner one."""
        return self.inner.parts()

    def batches(self, progress: Progress | None = None) -> Iterator[RosterBatch]:
        """Those of the inner one."""
        return self.inner.batches(progress)

    def close(self) -> None:
        """Let go of the inner one."""
        self.inner.close()


@dataclass(frozen=True, slots=True)
class Beside(Wrapped):
    """A roster beside which files were found that are left out, because their names say that they are about it.

    about   what messages call them
    packed  they are in an archive with the roster
    """

    about: Sequence[str]
    packed: bool

    def notices(self) -> Sequence[Notice]:
        """Say also which files they are."""
        one = len(self.about) == 1
        what = "is not read: by its name it is" if one else "are not read: by their names they are"
        mend = f"if there are people in {'it' if one else 'them'}, {'unpack the archive and ' if self.packed else ''}"
        message = f"{listed(self.about)} {what} about the other files; {mend}name {'it' if one else 'each'} as a roster"
        return [*self.inner.notices(), Notice("files.left_out", message)]


def beside(about: Sequence[str], roster: Roster, *, packed: bool = False) -> Roster:
    """Have a roster say which files beside it are left out, if there are any; see `Beside`."""
    return Beside(roster, about, packed) if about else roster


@dataclass(frozen=True, slots=True)
class Partial(Wrapped):
    """A roster of which its own files tell that there is more.

    told  by what
    """

    told: str

    def notices(self) -> Sequence[Notice]:
        """Say that it is not all."""
        return [*self.inner.notices(), Notice(ONLY_PART, self.told)]


def maybe_partial(roster: Roster, again: int = 0) -> Roster:
    """Have a roster say that it is not all, if its files tell so; see `Partial`, and `only_part` for `again`."""
    told = only_part(roster.pages, again)
    return roster if told is None else Partial(roster, told)


@dataclass(frozen=True, slots=True)
class Partitioned(Wrapped):
    """A roster in folders whose names are columns of it; a column that it has itself stays as it is.

    values  name → value of all rows, null where the folder says that there is none
    """

    values: Mapping[str, str | None]

    @property
    def schema(self) -> Mapping[str, pl.DataType]:
        """Its own columns, then those of the folders."""
        return {**self.inner.schema, **dict.fromkeys(self._new, pl.String())}

    @property
    def _new(self) -> Sequence[str]:
        return [name for name in self.values if name not in self.inner.schema]

    def batches(self, progress: Progress | None = None) -> Iterator[RosterBatch]:
        """All rows, with the values of the folders; a line that is kept for a rejected file has them too.

        A row that is the header of the file once more has none: in a header they stand nowhere.
        """
        for batch in self.inner.batches(progress):
            is_row = ~_is_header(batch.frame)
            values = {name: pl.when(is_row).then(pl.lit(self.values[name], pl.String)) for name in self._new}
            frame = batch.frame.with_columns(**values)
            if LINE in frame.columns:
                frame = frame.with_columns(self._extended_lines())
            yield replace(batch, frame=frame)

    def _extended_lines(self) -> pl.Expr:
        members = orjson.dumps({name: self.values[name] for name in self._new}).decode()[1:-1]
        if not members:
            return pl.col(LINE)
        line = pl.col(LINE).str.replace(_END_OF_OBJECT, "")
        return pl.concat_str([line, pl.lit("," + members + "}")]).alias(LINE)


def _is_header(frame: pl.DataFrame) -> pl.Expr:
    """Tell the rows that have the names of their columns in all cells in which there is something."""
    texts = [name for name, kind in frame.schema.items() if kind == pl.String and name not in {LINE, *ADDED}]
    if not texts:
        return pl.lit(value=False)
    cells = {name.strip().lower(): named(name).str.strip_chars(_AROUND).str.to_lowercase() for name in texts}
    repeats = {name: cell == name for name, cell in cells.items()}
    if not frame.select(next(iter(repeats.values())).any()).item():  # as in nearly all
        return pl.lit(value=False)
    others = ((cells[name].fill_null("") == "") | repeats[name] for name in cells)
    return pl.all_horizontal(others)


@dataclass(frozen=True, slots=True)
class Unmarked(Wrapped):
    """Rejected rows of which some texts were given an apostrophe, so that no program runs them: as they were before."""

    @property
    def schema(self) -> Mapping[str, pl.DataType]:
        """Without the column that says which rows they are."""
        return {name: kind for name, kind in self.inner.schema.items() if name != MARKED}

    def batches(self, progress: Progress | None = None) -> Iterator[RosterBatch]:
        """All rows, without the apostrophes."""
        for batch in self.inner.batches(progress):
            yield replace(batch, frame=_without_marks(batch.frame))


def unmarked(roster: Roster) -> Roster:
    """Take away the apostrophes that `csv.apostrophes` has given to texts, if the roster says that there are any."""
    return Unmarked(roster) if roster.schema.keys() >= {*ADDED, MARKED} else roster


@dataclass(frozen=True, slots=True)
class Completed(Wrapped):
    """A roster that has more columns than any of its rows: in `new` ones nothing stands."""

    new: Sequence[str]

    @property
    def schema(self) -> Mapping[str, pl.DataType]:
        """Its own columns, then the new ones."""
        return {**self.inner.schema, **dict.fromkeys(self.new, pl.String())}

    def batches(self, progress: Progress | None = None) -> Iterator[RosterBatch]:
        """All rows, with nothing in the new columns."""
        nothing = [pl.lit(None, pl.String).alias(name) for name in self.new]
        for batch in self.inner.batches(progress):
            yield replace(batch, frame=batch.frame.with_columns(nothing))


def completed(roster: Roster, inputs: Inputs, completable: Callable[[Iterable[str]], Sequence[str]]) -> Roster:
    """Give rejected rows that are objects the columns that are mapped and stand in none of them, as empty ones.

    In their roster others had them. That a roster of another kind lacks a column is a slip, as its header tells.

    completable  gives the mapped columns that rows may lack for want of a value, where these are all names they have
    """
    new = completable(roster.schema)
    return Completed(roster, new) if new and holds_rejected_objects(roster, inputs) else roster


def holds_rejected_objects(roster: Roster, inputs: Inputs) -> bool:
    """Whether a roster is rejected rows of NDJSON or JSON, which have no key where they had no value."""
    return all(file.family in SPARSE for file in inputs.files) and roster.schema.keys() >= {*ADDED}


def _without_marks(frame: pl.DataFrame) -> pl.DataFrame:
    marked, texts = frame[MARKED].cast(pl.String).str.strip_chars() != "", frame.drop(MARKED)
    if not marked.any():
        return texts
    return texts.with_columns(
        pl.when(marked).then(apostrophes.unmarked(named(name))).otherwise(named(name)).alias(name)
        for name, kind in texts.schema.items()
        if kind == pl.String
    )


@dataclass(frozen=True, slots=True)
class Unpacked(Wrapped):
    """A table that was taken out of an archive into a file that only this process has.

    title  what messages call it
    path   of the file, which messages of the inner roster name
    file   kept open as long as the roster
    """

    title: str
    path: Path
    file: IO[bytes]

    @property
    def name(self) -> str:
        """The archive, and what is read of it."""
        return self.title

    def notices(self) -> Sequence[Notice]:
        """Those of the inner one, with the name of the archive."""
        return [replace(each, message=retold(each.message, self.path, self.title)) for each in self.inner.notices()]

    def batches(self, progress: Progress | None = None) -> Iterator[RosterBatch]:
        """All rows. Raises RosterError with the name of the archive."""
        try:
            yield from self.inner.batches(progress)
        except RosterError as error:
            raise renamed(error, self.path, self.title) from None

    def close(self) -> None:
        """Let go of both files."""
        self.inner.close()
        self.file.close()


def unpacked(
    opener: Callable[[int | None], Roster], title: str, path: Path, file: IO[bytes], limit: int | None
) -> Roster:
    """Open what was taken out into a file as a roster of at most so many rows; see `Unpacked`. Raises RosterError."""
    try:
        return Unpacked(opener(limit), title, path, file)
    except RosterError as error:
        raise renamed(error, path, title) from None


def renamed(error: RosterError, path: Path, title: str) -> RosterError:
    """Give an error that names a file by another name."""
    return type(error)(retold(str(error), path, title))


def retold(message: str, path: Path, title: str) -> str:
    """Give a message that names a file by another name."""
    return message.replace(str(path), title)

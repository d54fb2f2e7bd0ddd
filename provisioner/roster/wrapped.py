"""Rosters round another one: what is added to its rows, or said in place of its name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
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
class Noted(Wrapped):
    """A roster of which one thing more is to be known than it says itself."""

    notice: Notice

    def notices(self) -> Sequence[Notice]:
        """Say that as well."""
        return [*self.inner.notices(), self.notice]


def beside(about: Sequence[str], roster: Roster, *, packed: bool = False) -> Roster:
    """Have a roster say which files beside it are left out, because their names say that they are about it, if any are.

    about   what messages call them
    packed  they are in an archive with the roster
    """
    if not about:
        return roster
    one = len(about) == 1
    what = "is not read: by its name it is" if one else "are not read: by their names they are"
    mend = f"if there are people in {'it' if one else 'them'}, {'unpack the archive and ' if packed else ''}"
    message = f"{listed(about)} {what} about the other files; {mend}name {'it' if one else 'each'} as a roster"
    return Noted(roster, Notice("files.left_out", message))


def maybe_partial(roster: Roster, again: int = 0) -> Roster:
    """Have a roster say that it is not all, if its own files tell that there is more; see `only_part` for `again`."""
    told = only_part(roster.pages, again)
    return roster if told is None else Noted(roster, Notice(ONLY_PART, told))


@dataclass(frozen=True, slots=True)
class Altered(Wrapped):
    """A roster whose rows are given with other columns, or other cells.

    schema  the columns that they have then
    alter   makes a frame with these of each of the roster's own
    """

    schema: Mapping[str, pl.DataType] = field()
    alter: Callable[[pl.DataFrame], pl.DataFrame]

    def batches(self, progress: Progress | None = None) -> Iterator[RosterBatch]:
        """All rows, altered."""
        for batch in self.inner.batches(progress):
            yield replace(batch, frame=self.alter(batch.frame))


def partitioned(values: Mapping[str, str | None], roster: Roster) -> Roster:
    """Give a roster the columns that the names of its folders are; one that it has itself stays as it is.

    values  name → value of all rows, null where the folder says that there is none
    """
    new = {name: value for name, value in values.items() if name not in roster.schema}
    return Altered(roster, _with_texts(roster, new), partial(_with_values, new)) if new else roster


def _with_texts(roster: Roster, names: Iterable[str]) -> dict[str, pl.DataType]:
    return {**roster.schema, **dict.fromkeys(names, pl.String())}


def _with_values(values: Mapping[str, str | None], frame: pl.DataFrame) -> pl.DataFrame:
    """Give rows the values of folders, and the lines that are kept for rejected ones too.

    A row that is the header of the file once more has none: in a header they stand nowhere.
    """
    is_row = ~_is_header(frame)
    frame = frame.with_columns(
        pl.when(is_row).then(pl.lit(value, pl.String)).alias(name) for name, value in values.items()
    )
    if LINE not in frame.columns:
        return frame
    members = orjson.dumps(values).decode()[1:]
    line = pl.col(LINE).str.replace(_END_OF_OBJECT, "")
    return frame.with_columns(pl.concat_str([line, pl.lit(f",{members}")]).alias(LINE))


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


def unmarked(roster: Roster) -> Roster:
    """Take away the apostrophes that `csv.apostrophes` has given to texts, if the roster says that there are any.

    Rejected rows have them, so that no program runs a text.
    """
    if roster.schema.get(MARKED) != pl.String:  # the other columns that are added may have been deleted
        return roster
    return Altered(roster, {name: kind for name, kind in roster.schema.items() if name != MARKED}, _without_marks)


def completed(roster: Roster, inputs: Inputs, completable: Callable[[Iterable[str]], Sequence[str]]) -> Roster:
    """Give rejected rows that are objects the columns that are mapped and stand in none of them, as empty ones.

    In their roster others had them. That a roster of another kind lacks a column is a slip, as its header tells.

    completable  gives the mapped columns that rows may lack for want of a value, where these are all names they have
    """
    new = completable(roster.schema)
    return with_nothing_in(new, roster) if new and holds_rejected_objects(roster, inputs) else roster


def with_nothing_in(new: Sequence[str], roster: Roster) -> Roster:
    """Give a roster more columns, in which nothing stands."""
    nothing = [pl.lit(None, pl.String).alias(name) for name in new]
    return Altered(roster, _with_texts(roster, new), lambda frame: frame.with_columns(nothing))


def holds_rejected_objects(roster: Roster, inputs: Inputs) -> bool:
    """Whether a roster is rejected rows of NDJSON or JSON, which have no key where they had no value."""
    return all(file.family in SPARSE for file in inputs.files) and roster.schema.keys() >= {*ADDED}


def _without_marks(frame: pl.DataFrame) -> pl.DataFrame:
    marked, texts = frame[MARKED].str.strip_chars() != "", frame.drop(MARKED)
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

    name  the archive, and what is read of it
    path  of the file, which messages of the inner roster name
    file  kept open as long as the roster
    """

    name: str = field()
    path: Path
    file: IO[bytes]

    def notices(self) -> Sequence[Notice]:
        """Those of the inner one, with the name of the archive."""
        return [replace(each, message=retold(each.message, self.path, self.name)) for each in self.inner.notices()]

    def batches(self, progress: Progress | None = None) -> Iterator[RosterBatch]:
        """All rows. Raises RosterError with the name of the archive."""
        try:
            yield from self.inner.batches(progress)
        except RosterError as error:
            raise renamed(error, self.path, self.name) from None

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
    """Give an error that names a file by another name from now on, whatever else it tells."""
    error.args = (retold(str(error), path, title),)
    return error


def retold(message: str, path: Path, title: str) -> str:
    """Give a message that names a file by another name."""
    return message.replace(str(path), title)

"""Rows that are a header: the roster's own once more, or that of another table, and rows with cells below no name.

What stands in the cells for the uid and for the name has to be a word of a header, both times.

    uid,name,tags
    a1,Ann Lee,red
    UID,Name,           the header once more: what is below it stands in the columns that it names
    name,uid,tags       another one: uid and name of the rows below it would change places, so the roster is refused
    uid,Uma Idle,red    a person whose uid happens to be uid
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import dropwhile
from typing import TYPE_CHECKING, Final, NamedTuple

import polars as pl

from provisioner.roster.columns import named, outlined, unnamed
from provisioner.validation.fields.binding import Binding
from provisioner.validation.fields.cells import AROUND, as_words, one_of, trimmed_optional
from provisioner.validation.fields.places import FIELD_WORDS, field_of
from provisioner.validation.fields.source import FromColumn
from provisioner.validation.oddities.persons import name_in_header
from provisioner.validation.vocabulary.recognition import missing_from, recognise, spellings

if TYPE_CHECKING:  # only what a batch is called: nothing here reads a file
    from provisioner.roster.formats.rows import RosterBatch

_QUOTES: Final = "\"'\u2018\u2019\u201c\u201d"
_NO_ROWS: Final = pl.Series(dtype=pl.UInt32)
_LEAST_CELLS: Final = 2  # of a header, unless the roster has one column


def below_no_name(frame: pl.DataFrame, binding: Binding) -> Sequence[int]:
    """Give the indexes of the rows with a cell in a column without a name, of which nothing is made.

    What stands before the first named column is an index, as data frames write it, and no rest of a cell before it.

    uid,name,          rows
    b,Lee, Bob,        0: a comma within the name has cut it
    c,Cy,
    """
    nameless = {name for name in frame.columns if name.startswith("_") and name_in_header(name) == ""}
    nameless = nameless and nameless.difference(binding.required, binding.optional)
    if not nameless:
        return ()
    behind = dropwhile(lambda name: not name_in_header(name), frame.columns)
    there = [_is_there(named(name), frame.schema[name], binding) for name in behind if name in nameless]
    return frame.select(pl.any_horizontal(there).arg_true()).to_series().to_list() if there else ()


def _is_there(cell: pl.Expr, kind: pl.DataType, binding: Binding) -> pl.Expr:
    return (trimmed_optional(cell, binding) if kind == pl.String else cell).is_not_null()


class OtherHeader(NamedTuple):
    """A row that is the header of another table: its number, and its cells as they stand."""

    row: int
    cells: tuple[str, ...]


def header_words(column: str) -> list[str]:
    """Give the forms in which the name of a column may stand in one of its own cells, lower-cased."""
    name = _bare(column)
    return [name, *(f"{left}{name}{right}" for left in _QUOTES for right in _QUOTES)]


class Headers:
    """Tells the headers among the rows of one roster."""

    def __init__(self, binding: Binding) -> None:
        named = {column: name for column in binding.schema if (name := name_in_header(column)) is not None}
        self._columns, self._names = list(named), list(map(_bare, named.values()))
        self._own = {*self._names} - {""}
        self._needed = [at for at, column in enumerate(named) if column in binding.required]
        sources = [binding.fields["uid"], binding.fields["name"]]
        self._uid, self._name = (
            [at for at, column in enumerate(named) if column in source.columns] for source in sources
        )
        self._is_plain = isinstance(sources[0], FromColumn)
        # rows are looked at closely only where the first column of the uid and that of the name hold such words
        self._firsts = [source.columns[0] for source in sources if source.columns]
        self._words = one_of({*self._own, *map(str.lower, FIELD_WORDS), *spellings()})

    def again(self, frame: pl.DataFrame, suspects: pl.Series) -> pl.Series:
        """Choose the rows that are the roster's header, but for case, blanks, quotes and cells that hold nothing.

        `suspects` are positions of rows (UInt32).
        """
        return self._chosen(frame, suspects, self._is_again)

    def other(self, batch: RosterBatch, uids: pl.Series) -> OtherHeader | None:
        """Give the first row of a batch that is another header, if there is one; `uids` as they are sent."""
        frame = batch.frame
        suspects = self._begun(frame, uids)
        if not len(suspects) or not len(found := self._chosen(frame, suspects, self._is_other)):
            return None
        cells = outlined(frame[[found[0]]], self._columns).row(0)
        return OtherHeader(batch.numbers[found[0]], tuple(str(cell) for cell in cells if isinstance(cell, str)))

    def _begun(self, frame: pl.DataFrame, uids: pl.Series) -> pl.Series:
        if not self._firsts or any(frame.schema[column] != pl.String for column in self._firsts):
            return _NO_ROWS
        first, *others = self._firsts
        begun = self._known(as_words(uids) if self._is_plain else _lowered(unnamed(frame, first)))
        if not begun.any():
            return _NO_ROWS
        found = begun.arg_true()
        for column in others:  # blank where another column may give the name
            texts = _lowered(unnamed(frame, column).gather(found)).fill_null("")
            found = found.filter(self._known(texts) | (texts == ""))
        return found

    def _known(self, texts: pl.Series) -> pl.Series:
        return texts.to_frame("text").select(pl.col("text").is_in(self._words).fill_null(value=False)).to_series()

    def _chosen(self, frame: pl.DataFrame, suspects: pl.Series, wanted: Callable[[Sequence[str]], bool]) -> pl.Series:
        if not len(suspects):
            return suspects
        rows = outlined(frame[suspects], self._columns).iter_rows()
        return suspects.filter(
            pl.Series([_are_texts(row) and wanted([_bare(cell or "") for cell in row]) for row in rows])
        )

    def _is_again(self, cells: Sequence[str]) -> bool:
        if any(cell and cell != name for cell, name in zip(cells, self._names, strict=True)):
            return False
        fed = all(any(cells[at] for at in places) for places in (self._uid, self._name) if places)
        return fed and sum(map(bool, cells)) >= min(_LEAST_CELLS, len(self._own))

    def _is_other(self, cells: Sequence[str]) -> bool:
        """Whether what stands for uid and name are words of a header, and with the other cells make one.

        name,uid,tags     the needed columns are there, in another place
        uid,name,role     likewise, with another column behind them
        uid,tags          all are columns of this roster
        Login,Full Name   words for what is needed
        """
        uid, name = ({cells[at] for at in places} - {""} for places in (self._uid, self._name))
        if not uid or not name or (uid == name and self._uid != self._name) or not all(map(self._is_word, uid | name)):
            return False
        filled = [cell for cell in cells if cell]
        needed = {self._names[at] for at in self._needed}
        is_whole = len(uid | name) >= _LEAST_CELLS and (needed <= {*filled} or not missing_from(filled))
        are_own = len({*filled} & self._own) == len(filled) >= _LEAST_CELLS and bool(needed & {*filled})
        return (is_whole or are_own) and not self._is_again(cells)

    def _is_word(self, cell: str) -> bool:
        return cell in self._own or field_of(cell) is not None or recognise(cell) is not None


def _are_texts(row: Sequence[object]) -> bool:
    return all(isinstance(cell, str) or not cell for cell in row)


def _lowered(cells: pl.Series) -> pl.Series:
    return cells.str.strip_chars(AROUND).str.to_lowercase()


def _bare(text: str) -> str:
    return text.strip(AROUND).strip(_QUOTES).strip(AROUND).lower()

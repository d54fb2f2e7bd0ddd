"""What the rules have to know of a row beyond the text of its cells, found once for a batch.

    header_again, uid_word, uid_rounded, uid_not_text, name_not_text    Boolean, see `provisioner.validation.rules`
    not_a_person    String, what else than a person the row is; null for a person

Most batches have none of it, so each question is asked of a whole column first.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import polars as pl

from provisioner.validation.fields import cells
from provisioner.validation.fields.binding import Binding
from provisioner.validation.fields.cells import NO_TEXT, NOWHERE, Column, true_at
from provisioner.validation.fields.source import FromColumn, Source, unencoded
from provisioner.validation.oddities import persons
from provisioner.validation.oddities.entries import About, holding
from provisioner.validation.oddities.headers import Headers, header_words
from provisioner.validation.oddities.persons import Shape
from provisioner.validation.vocabulary.nothing import UID_WORDS

if TYPE_CHECKING:  # only what a batch is called: nothing here reads a file
    from provisioner.roster.formats.rows import RosterBatch


class Marks:
    """Finds the marks in the batches of one roster."""

    def __init__(self, binding: Binding, shape: Shape) -> None:
        self._binding, self._shape, self._headers = binding, shape, Headers(binding)
        self._uid = unencoded(binding.fields["uid"])
        # null where no column has a name, and all are mapped by their places
        self._first = next((name for name in binding.schema if not name.startswith("_")), None)
        # the cells that have to be looked at closely are found in the column of the uids, when it is one
        self._plain = self._uid.name if isinstance(self._uid, FromColumn) else None
        named = self._plain or self._first
        self._header = header_words(named) if named is not None else []
        self._totals_elsewhere = self._first != self._plain or self._first is None
        self._words = [
            *UID_WORDS,
            *persons.TYPES,
            *self._header,
            *(() if self._totals_elsewhere else persons.TOTAL_WORDS),
        ]

    def of(self, batch: RosterBatch, frame: pl.DataFrame, uids: pl.Series) -> dict[str, Column]:
        """Find those of a batch; `frame` holds its cells cleaned, `uids` are those of its rows as they are sent."""
        binding, name, sent = self._binding, self._binding.fields["name"], uids
        encoded = binding.encodes_uids
        uids = self._text(frame, self._uid).str.to_lowercase() if encoded else cells.as_words(uids)
        suspects = uids.is_in(self._words).arg_true()
        found = uids.gather(suspects)
        return {
            "header_again": true_at(self._repeats_header(batch.frame, suspects, found), len(uids)),
            "uid_word": true_at(suspects.filter(found.is_in(UID_WORDS)), len(uids)),
            "uid_rounded": _known(batch, "rounded", self._uid.columns, "uid.rounded", lambda: sent),
            "uid_not_text": _known(batch, "not_text", self._uid.columns, "uid.not_text", partial(self._input, batch)),
            "name_not_text": _known(batch, "not_text", name.columns, "name.not_text", partial(self._text, frame, name)),
            "not_a_person": self._nobody(batch.frame, uids, suspects, found),
        }

    def _text(self, frame: pl.DataFrame, source: Source) -> pl.Series:
        return cells.read(frame, {"text": source}, self._binding)["text"]

    def _input(self, batch: RosterBatch) -> pl.Series:
        return batch.frame.select(cells.as_it_stands(self._binding.fields["uid"], self._binding)).to_series()

    def _repeats_header(self, frame: pl.DataFrame, suspects: pl.Series, found: pl.Series) -> pl.Series:
        if self._plain is not None:
            suspects = suspects.filter(found.is_in(self._header))
        else:
            first = frame[self._first] if self._first is not None else None
            if first is None or first.dtype != pl.String:
                return suspects.clear()
            suspects = first.str.strip_chars().str.to_lowercase().is_in(self._header).arg_true()
        return self._headers.again(frame, suspects)

    def _nobody(self, frame: pl.DataFrame, uids: pl.Series, suspects: pl.Series, found: pl.Series) -> Column:
        dashes = persons.rules_of_dashes(frame, uids)
        if self._totals_elsewhere:
            named = persons.totals(frame, self._shape, {*self._uid.columns, *self._binding.fields["name"].columns})
        elif len(named := suspects.filter(found.is_in(persons.TOTAL_WORDS))):
            named = named.gather(persons.totals(frame[named], self._shape))
        kinds = persons.kinds_of_columns(frame, suspects.filter(found.is_in(persons.TYPES)))
        nobody = {persons.RULE: dashes, persons.KINDS: kinds, persons.TOTAL: named}
        if not any(map(len, nobody.values())):
            return NO_TEXT
        told = cells.column_of(None, len(uids), pl.String)
        for what, positions in nobody.items():
            told = told.scatter(positions, what)
        return told


def _known(batch: RosterBatch, kind: str, columns: Sequence[str], code: str, about: About) -> Column:
    """Tell the rows in which the reader knows of one of these columns that its cell is of that kind, or did before."""
    known = [of_kind for name, of_kind in batch.cells.get(kind, {}).items() if name in columns]
    if (before := holding(batch.frame, code, about)) is not None:
        known.append(before.is_not_null())
    return pl.select(pl.any_horizontal(known)).to_series() if known else NOWHERE

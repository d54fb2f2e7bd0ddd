r"""Cells before they are read: what cannot be seen is trimmed, and words for nothing are found.

    column     feeds      cell           becomes
    uid        the uid    \u200bann      ann
    dept       metadata   undefined      undefined, and the row is told of: it is a word for nothing

Words that `null_values` has are missing values, which `fields.cells` sees to. Only texts are looked at. Most columns
have none of either, and are asked so cheaply that it hardly takes time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import assert_never

import polars as pl

from provisioner.roster.columns import all_named
from provisioner.validation.fields.binding import Binding
from provisioner.validation.fields.cells import AROUND, one_of, where_any
from provisioner.validation.fields.emails import is_email_name
from provisioner.validation.fields.source import (
    Constant,
    Encoded,
    FirstOf,
    FromColumn,
    Joined,
    Mapped,
    Source,
    Template,
)
from provisioner.validation.vocabulary.nothing import WORDS
from provisioner.wording import INVISIBLE, printable

_AT_AN_END = rf"^\s*[{INVISIBLE}]|[{INVISIBLE}]\s*$"


# Words are looked for with up to two blanks around them.
_BLANKS = ("", " ", "  ")


class Cleaning:
    """How the cells of one roster are cleaned."""

    def __init__(self, binding: Binding) -> None:
        text = {column for column, kind in binding.schema.items() if kind == pl.String}
        placed = {
            source.name
            for path, source in binding.metadata.items()
            if isinstance(source, FromColumn) and is_email_name(path[-1])
        }
        given = binding.fields.get("metadata")
        people = placed.union(binding.required, filter(is_email_name, text))
        self._uid = [column for column in binding.fields["uid"].columns if column in text]
        self._people = [column for column in binding.schema if column in text & people]
        words = frozenset(WORDS) - set(binding.null_values)
        found: dict[str, frozenset[str]] = {}
        for source in (*binding.fields.values(), *binding.metadata.values()):
            for column, sent in _sent(source, words):
                found[column] = found.get(column, frozenset()) | sent
        # a word in whole metadata is no object, and rejected
        looked_at = text.difference(binding.required, () if given is None else given.columns)
        columns: dict[frozenset[str], list[str]] = {}
        for column in (each for each in binding.schema if each in looked_at and found.get(each)):
            columns.setdefault(found[column], []).append(column)
        self._words = [(_spelled(each), names) for each, names in columns.items()]

    def uids(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Trim what cannot be seen around the cells that feed the uid."""
        return _without_unseen(frame, self._uid)

    def people(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Trim what cannot be seen around the cells that feed uid and name, and around e-mail addresses."""
        return _without_unseen(frame, self._people)

    def words(self, frame: pl.DataFrame) -> pl.Series | None:
        """Name the columns of each row that hold a word for nothing which is sent as it stands.

        Gives a List of String, null for none; and nothing at all when no row has one.
        """
        at = {name: rows for words, columns in self._words for name, rows in _places_of(frame, words, columns)}
        return _columns_of_rows(frame.height, at)


def _spelled(words: frozenset[str]) -> pl.Expr:
    """Give words with and without blanks around them."""
    return one_of(sorted(f"{left}{word}{right}" for word in words for left in _BLANKS for right in _BLANKS))


def _places_of(frame: pl.DataFrame, words: pl.Expr, columns: Sequence[str]) -> Iterator[tuple[str, pl.Series]]:
    """Give those of the columns in which some words stand, and the positions of their rows."""
    holding = where_any(frame, columns, lambda cell: cell.is_in(words))
    found = frame.select(all_named(holding).is_in(words).arg_true().implode())
    return ((name, found[name].explode()) for name in holding)


def _sent(source: Source, words: frozenset[str]) -> Iterator[tuple[str, frozenset[str]]]:
    """Give the columns of a source, and which words in their cells are sent as they stand: none that is looked up."""
    match source:
        case FromColumn() | Template():
            yield from ((column, words) for column in source.columns)
        case FirstOf(sources) | Joined(sources):
            yield from (each for inner in sources for each in _sent(inner, words))
        case Mapped(inner, entries, default):
            yield from _sent(inner, frozenset() if entries and default is not None else words - entries.keys())
        case Encoded() | Constant():
            return
        case _:
            assert_never(source)


def _columns_of_rows(height: int, found: dict[str, pl.Series]) -> pl.Series | None:
    """Turn positions by column into names of columns by row."""
    if not found:
        return None
    pairs = pl.concat([pl.DataFrame({"at": at, "column": [printable(name)] * len(at)}) for name, at in found.items()])
    rows = pairs.group_by("at", maintain_order=True).agg("column").sort("at")
    return (
        pl.DataFrame({"at": pl.int_range(height, dtype=pl.UInt32, eager=True)})
        .join(rows.with_columns(pl.col("at").cast(pl.UInt32)), on="at", how="left", maintain_order="left")["column"]
    )  # fmt: skip


def _without_unseen(frame: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    wide = where_any(frame, columns, lambda cell: cell.str.len_bytes() != cell.str.len_chars())
    unseen = where_any(frame, wide, lambda cell: cell.str.contains(_AT_AN_END))
    return frame.with_columns(all_named(unseen).str.strip_chars(AROUND)) if unseen else frame

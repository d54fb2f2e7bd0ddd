"""Cells as text: where a source gets its text from, trimmed and folded, as polars expressions."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final, TypeAlias

import orjson
import polars as pl

from provisioner.roster.columns import named
from provisioner.validation.fields import uidencoding
from provisioner.validation.fields.binding import Binding
from provisioner.validation.fields.moments import moment_text
from provisioner.validation.fields.source import (
    Constant,
    Encoded,
    FromColumn,
    Mapped,
    Source,
    Template,
    interpret,
    unencoded,
)
from provisioner.wording import ESCAPES, INVISIBLE, LONGEST_SHOWN, WHITE_SPACE

AROUND = WHITE_SPACE + INVISIBLE
"""What stands around a text unseen."""

WIDE = 200
"""With more columns than this it is cheaper to ask one long column than to plan a question for each of them."""

Column: TypeAlias = pl.Series | pl.Expr
"""The value of each row, or an expression of the one that all have."""

NOWHERE: Final = pl.lit(value=False)
NO_TEXT: Final = pl.lit(None, pl.String)

_LONG = 1_000_000

_WHOLE_DECIMAL = r"\.0*$"
_EXACT_WHOLE = 2**53
_UPPER = [chr(code) for code in range(ord("A"), ord("Z") + 1)]
_LOWER = [letter.lower() for letter in _UPPER]


def shown(text: pl.Expr) -> pl.Expr:
    """Show the values of a column as `shortened` does."""
    start = text.str.slice(0, LONGEST_SHOWN).str.replace_many(list(map(chr, ESCAPES)), list(ESCAPES.values()))
    more = pl.when(text.str.len_chars() > LONGEST_SHOWN).then(pl.lit("…")).otherwise(pl.lit(""))
    return pl.concat_str([pl.lit("'"), start, more, pl.lit("'")])


def text_of(value: Any) -> str:
    """Write a constant as the text of a cell: `true`, `12`, `default`; lists and objects as JSON."""
    if isinstance(value, list | dict):
        return orjson.dumps(value).decode()
    return str(value).lower() if isinstance(value, bool) else str(value)


def as_it_stands(source: Source, binding: Binding) -> pl.Expr:
    """Give a source's text as the roster has it (String): before it is encoded, and the cell of a column untouched.

    Null where the cell is null, or every cell of a template or a fallback is empty.
    """
    source = unencoded(source)
    if isinstance(source, FromColumn):
        return _cast(named(source.name), binding.schema[source.name])
    return _text(source, binding)


def trimmed(source: Source, binding: Binding, *, listed: bool = False, entries: Collection[str] = ()) -> pl.Expr:
    """Give a source's text without the white space around it (String); null where nothing is left.

    listed   it stands in a list, where a word for nothing is passed over also where the field has to be there
    entries  of a map that it is looked up in: none of them stands for nothing
    """
    reader = _TextReader(binding, listed)
    return reader.present(source, interpret(source, reader), entries)


def trimmed_optional(text: pl.Expr, binding: Binding) -> pl.Expr:
    """Give cells of columns that nobody has to fill in without the white space around them; null where none is left."""
    return _trimmed(text, binding.null_values)


def read(frame: pl.DataFrame, sources: Mapping[str, Source | None], binding: Binding) -> pl.DataFrame:
    """Give the trimmed text of several sources at once (String columns); a column of nulls for no source."""
    return frame.select(
        (pl.repeat(None, pl.len(), dtype=pl.String) if source is None else trimmed(source, binding)).alias(name)
        for name, source in sources.items()
    )


def where_any(frame: pl.DataFrame, columns: Sequence[str], question: Callable[[pl.Expr], pl.Expr]) -> list[str]:
    """Name the columns (all String) of which a question about a cell is true in any row."""
    if not columns:
        return []
    if len(columns) > WIDE:
        found = {name for part in long(frame, columns) for name in part.filter(question(pl.col("cell")))["column"]}
        return [name for name in columns if name in found]
    answers = frame.select(question(named(name)).any() for name in columns)
    return [name for name, found in answers.row(0, named=True).items() if found]


def long(frame: pl.DataFrame, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
    """Give cells (String) below each other, column after column, about a million at a time: `row`, `column`, `cell`.

    By series, for which no name that a column has can be the wrong one.
    """
    rows, step = frame.height, max(1, _LONG // max(1, frame.height))
    for start in range(0, len(columns), step):
        names = columns[start : start + step]
        yield pl.DataFrame(
            {
                "row": pl.concat([pl.int_range(rows, dtype=pl.UInt32, eager=True)] * len(names)),
                "column": pl.Series(names, dtype=pl.String).gather(pl.int_range(rows * len(names), eager=True) // rows),
                "cell": pl.concat([frame.get_column(name) for name in names]),
            }
        )


def column_of(value: str | bool | None, height: int, kind: pl.DataType | type[pl.DataType]) -> pl.Series:
    """Give a column of one value; to ask polars for one takes ten times as long."""
    return pl.Series([value], dtype=kind).new_from_index(0, height)


def true_at(positions: pl.Series, height: int) -> Column:
    """Give a Boolean column that is true in some rows."""
    if positions.is_empty():
        return NOWHERE
    return column_of(value=False, height=height, kind=pl.Boolean).scatter(positions, True)


def nothing(frame: pl.DataFrame, schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """Give columns of nulls, for fields that no column feeds."""
    return frame.select(pl.repeat(None, pl.len(), dtype=kind).alias(name) for name, kind in schema.items())


def filled(plain: pl.DataFrame, rest: pl.Series, read: Iterable[tuple[Any, ...]]) -> pl.DataFrame:
    """Put what was read cell by cell into the rows where `rest` is true."""
    at, found = rest.arg_true(), pl.DataFrame(list(read), schema=plain.schema, orient="row")
    return plain.with_columns(plain[name].clone().scatter(at, found[name]) for name in plain.columns)


def uids(frame: pl.DataFrame, binding: Binding) -> pl.Series:
    """Give the uids as they would be sent (String, null when missing): trimmed, ASCII letters lower-cased.

    Only ASCII is folded: another letter is no part of a uid, and the lower case of some (U+212A, the Kelvin sign)
    would be. `to_lowercase` is the fast way for texts that have nothing else.
    """
    text = read(frame, {"uid": binding.fields["uid"]}, binding)["uid"]
    wide = _wide(text)
    folded = text.str.to_lowercase()
    return folded if wide.is_empty() else folded.scatter(wide, text.gather(wide).str.replace_many(_UPPER, _LOWER))


def as_words(uids: pl.Series) -> pl.Series:
    """Give uids as they are sent in the lower case of all letters, to be held against words in lower case."""
    wide = _wide(uids)
    return uids if wide.is_empty() else uids.clone().scatter(wide, uids.gather(wide).str.to_lowercase())


def _wide(texts: pl.Series) -> pl.Series:
    """Give the positions of the texts that are not all ASCII (UInt32)."""
    return (texts.str.len_bytes() != texts.str.len_chars()).arg_true()


def _text(source: Source, binding: Binding) -> pl.Expr:
    return interpret(source, _TextReader(binding))


def _trimmed(text: pl.Expr, words: Sequence[str]) -> pl.Expr:
    """Name the text once: forms stand within forms, and what is named twice in each is there 2**depth times."""
    return text.str.strip_chars().replace(*_emptied(tuple(words)))


def _but(entries: Collection[str], words: Sequence[str]) -> Sequence[str]:
    """Give the words for nothing that no entry of a map speaks of: who names one means it."""
    return [word for word in words if word not in entries]


@lru_cache(maxsize=16)
def _emptied(words: tuple[str, ...]) -> tuple[pl.Series, pl.Series]:
    return pl.Series(["", *words], dtype=pl.String), pl.Series([None] * (1 + len(words)), dtype=pl.String)


def missing(source: Source | None, binding: Binding) -> Sequence[str]:
    """Give the texts that stand for a missing value, beside the empty one: none where a required column is read."""
    if source is None or not binding.required.isdisjoint(source.columns):
        return ()
    return _missing_within(source, binding)


def _missing_within(source: Source, binding: Binding) -> Sequence[str]:
    """Give the same for a cell that is put into a text, where nobody would see the word for nothing any more."""
    return binding.null_values if any(binding.schema[name] == pl.String for name in source.columns) else ()


@lru_cache(maxsize=16)
def _one_of(words: tuple[str, ...]) -> pl.Expr:
    return pl.lit(pl.Series(words, dtype=pl.String).implode())


def one_of(words: Iterable[str]) -> pl.Expr:
    """Give words as `is_in` takes them; made once, which counts where there are thousands of columns."""
    return _one_of(tuple(words))


@dataclass(frozen=True, slots=True)
class _TextReader:
    """Reads sources as text (String), with the white space around it; `listed` as of `trimmed`."""

    binding: Binding
    listed: bool = False

    def column(self, source: FromColumn) -> pl.Expr:
        return column_text(source.name, self.binding.schema[source.name])

    def constant(self, source: Constant) -> pl.Expr:
        return pl.repeat(text_of(source.value), pl.len(), dtype=pl.String)

    def template(self, source: Template) -> pl.Expr:
        return _filled(source, self.binding)

    def first_of(self, choices: Sequence[pl.Expr]) -> pl.Expr:
        """Pass over a word for nothing also where it has come out of a map or stands for a number."""
        return pl.coalesce(_trimmed(choice, self.binding.null_values) for choice in choices)

    def mapped(self, source: Mapped, found: pl.Expr) -> pl.Expr:
        default = None if source.default is None else text_of(source.default)
        if not source.entries:
            return found.fill_null(default)
        entries = list(source.entries), [text_of(value) for value in source.entries.values()]
        if default is None:
            return found.replace(*entries)
        return found.replace_strict(*entries, default=default, return_dtype=pl.String)

    def encoded(self, source: Encoded, found: pl.Expr) -> pl.Expr:
        return uidencoding.encoded(found, source.encoding, lower=source.lower, namespace=source.namespace)

    def present(self, source: Source, read: pl.Expr, entries: Collection[str] = ()) -> pl.Expr:
        return _trimmed(read, _but(entries, (_missing_within if self.listed else missing)(source, self.binding)))

    def within_list(self) -> _TextReader:
        return replace(self, listed=True)


def _filled(template: Template, binding: Binding) -> pl.Expr:
    """Put the trimmed cells in; what a row has no cell for, or a word for nothing, is left empty."""

    def cell(source: Source) -> pl.Expr:
        return _trimmed(_text(source, binding), _missing_within(source, binding))

    parts = [pl.lit(part) if isinstance(part, str) else cell(part) for part in template.parts]
    text = pl.concat_str(parts, ignore_nulls=True)
    cells = [cell(FromColumn(column)) for column in template.columns]
    return pl.when(pl.any_horizontal([each.is_not_null() for each in cells])).then(text)


def _cast(cell: pl.Expr, kind: pl.DataType) -> pl.Expr:
    if kind == pl.String:
        return cell
    if kind.is_temporal():
        return moment_text(cell, kind)
    if isinstance(kind, pl.Binary):  # of which no field is made
        return cell.bin.encode("hex")
    return cell.cast(pl.String)


def column_text(column: str, kind: pl.DataType) -> pl.Expr:
    """Give the cells of a column that is not nested as text (String), with the white space around it."""
    return typed_text(named(column), kind)


def typed_text(cell: pl.Expr, kind: pl.DataType) -> pl.Expr:
    """Give values of a type that is not nested as text (String).

    Whole numbers of a fractional type are written without a fraction, NaN and infinity are taken for a missing value.

    Data frames turn a column of integers into floats as soon as one of them is missing, so `123.0` was 123. From
    2**53 on a float no longer tells neighbouring integers apart: such a number keeps the form it has.
    """
    text = _cast(cell, kind)
    if kind.is_float():
        whole = (cell == cell.floor()) & (cell.abs() < _EXACT_WHOLE)
        integer = pl.when(whole).then(cell).cast(pl.Int64).cast(pl.String)
        return pl.when(cell.is_finite()).then(pl.coalesce(integer, text))
    return text.str.replace(_WHOLE_DECIMAL, "") if isinstance(kind, pl.Decimal) else text

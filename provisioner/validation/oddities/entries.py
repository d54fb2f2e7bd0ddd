"""What an earlier round said of a row and its text does not show: it holds as long as that is what the row shows.

    uid                  _errors
    123456789012345700   uid.rounded: '123456789012345700' is a number of …   holds: the digits are still gone
    123456789012345678   uid.rounded: '123456789012345700' is a number of …   mended
    123456789012345700                                                        somebody says that it is right

A workbook's number, an object of JSON and the row that was the other one are gone once a row is a text in a file of
rejected rows; the message is not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Final, TypeAlias

import polars as pl

from provisioner.roster.columns import ADDED, all_named
from provisioner.validation.fields import cells
from provisioner.validation.fields.binding import Binding
from provisioner.validation.fields.emails import email_sources, emails
from provisioner.validation.oddities.uidforms import encoded_texts

About: TypeAlias = Callable[[], pl.Series]
"""Gives the values that the messages of a code begin with (String), one for each row."""

_NUMBER, _ENTRIES = ADDED
_NO_FRACTION: Final = r"\.0+$"

OF_OTHERS: Final = (
    "uid.looks_rounded",
    "uid.zeros_lost",
    "uid.not_an_address",
    "name.twin",
    "email.shared",
    "tags.not_split",
)
"""The warnings that the other rows of a roster, or the type of a column, gave reason for."""


def fed_again(schema: Mapping[str, pl.DataType]) -> bool:
    """Whether a roster with these columns has rows that were rejected before."""
    return isinstance(schema.get(_ENTRIES), pl.String)


def said(frame: pl.DataFrame, code: str) -> pl.Series | None:
    """Give what the entry of each row says under a code (String, null where it says nothing); null for no such row."""
    if not fed_again(frame.schema) or not _says(frame, f"{code}: "):
        return None
    return frame[_ENTRIES].str.extract(_words(code))


def numbers_before(frame: pl.DataFrame) -> pl.Series | None:
    """Give the number that each row had in the earlier round (`_row`, Int64, null for none); null for no such rows.

    `3.0` is 3: so data frames write a column of integers as soon as a row without a number was added.
    """
    if not {_NUMBER, _ENTRIES} <= set(frame.columns):
        return None
    return _written_numbers(frame).str.replace(_NO_FRACTION, "").cast(pl.Int64, strict=False)


def unplaced(frame: pl.DataFrame) -> Sequence[int]:
    """Give the indexes of the rows of which `_row` says something that is no number."""
    if (numbers := numbers_before(frame)) is None or not numbers.null_count():
        return ()
    return (numbers.is_null() & (_written_numbers(frame) != "").fill_null(value=False)).arg_true().to_list()


def _written_numbers(frame: pl.DataFrame) -> pl.Series:
    kind = frame.schema[_NUMBER]
    if kind.is_nested() or isinstance(kind, pl.Binary):  # of which no number is made
        return frame.select(pl.when(pl.col(_NUMBER).is_not_null()).then(pl.lit("…"))).to_series()
    return frame[_NUMBER].cast(pl.String).str.strip_chars()


def holding(frame: pl.DataFrame, code: str, about: About) -> pl.Series | None:
    """Give what `said` does, only where it was said of the value that the row still has; null for no such row."""
    words = said(frame, code)
    return None if words is None else _kept(words, about())


def _kept(words: pl.Series, values: pl.Series) -> pl.Series | None:
    known = pl.DataFrame({"words": words, "value": values})
    is_kept = pl.col("words").str.starts_with(cells.shown(pl.col("value")) + " ")
    kept = known.select(pl.when(is_kept).then("words")).to_series()
    return kept if kept.null_count() < len(kept) else None


def of_others(frame: pl.DataFrame, fields: pl.DataFrame, binding: Binding) -> dict[str, pl.Series | pl.Expr]:
    """Give `said <code>` of the warnings in `OF_OTHERS`: what holds of them (String); nothing for rows that are new."""
    if not fed_again(frame.schema):
        return {}
    tag = fields["tags"].str.strip_prefix('["').str.strip_suffix('"]')
    addresses = [emails(frame, source, binding) for source in email_sources(binding)] if _says(frame, "email.") else []
    about = {"uid": [fields["uid"]], "name": [fields["name"]], "tags": [tag], "email": addresses}
    known = {code: about[code.partition(".")[0]] for code in OF_OTHERS}
    known["uid.not_an_address"] = encoded_texts(frame, binding)
    return {f"said {code}": _any_holding(frame, code, values) for code, values in known.items()}


def still_swallowed(frame: pl.DataFrame) -> Sequence[int]:
    """Give the indexes of the rows of which it was said that they hold others, and which still have a line end."""
    if (words := said(frame, "row.swallowed")) is None:
        return ()
    own = [name for name, kind in frame.schema.items() if kind == pl.String and name != _ENTRIES]
    holds = pl.any_horizontal(all_named(own).str.contains(r"[\r\n]"))
    return frame.select((holds & words.is_not_null()).fill_null(value=False).arg_true()).to_series().to_list()


def _any_holding(frame: pl.DataFrame, code: str, values: Iterable[pl.Series]) -> pl.Series | pl.Expr:
    words = said(frame, code)
    found = [] if words is None else [kept for each in values if (kept := _kept(words, each)) is not None]
    return pl.select(pl.coalesce(found)).to_series() if found else pl.lit(None, pl.String)


def _says(frame: pl.DataFrame, code: str) -> bool:
    return bool(frame[_ENTRIES].str.contains(code, literal=True).any())


@cache
def _words(code: str) -> str:
    """Give the pattern of what follows a code, up to the next one."""
    return rf"(?s)(?:^\s*|; ){re.escape(code)}: (.*?)(?:; [a-z_]+\.[a-z_]+: |\s*$)"

"""Texts that come more than once in a roster: fingerprints to find the candidates by, and where each was first seen."""

from __future__ import annotations

from typing import Generic, TypeVar

import polars as pl

T = TypeVar("T")

_SPELLED_OUT = {"ß": "ss"}
"""Letters whose upper case is several letters."""


def fingerprints(texts: pl.Series) -> pl.Series:
    """Give 64 bits for each text (UInt64, null for null), the same for the same text within this process."""
    return pl.select(pl.when(texts.is_not_null()).then(texts.hash(seed=0))).to_series()


def folded(names: pl.Series) -> pl.Series:
    """Give the names as they are when case, composition, compatibility forms and runs of blanks do not count."""
    ascii_only = names.str.len_bytes() == names.str.len_chars()
    if ascii_only.all():
        return _single_blanks(names.str.to_lowercase())
    composed = names.str.normalize("NFKC").str.to_lowercase()
    for letter, letters in _SPELLED_OUT.items():
        composed = composed.str.replace_all(letter, letters, literal=True)
    return _single_blanks(composed)


def _single_blanks(names: pl.Series) -> pl.Series:
    runs = r"\s\s|[\t-\r]"
    return names.str.replace_all(r"\s+", " ") if names.str.contains(runs).any() else names


class FirstSeen(Generic[T]):
    """Remembers what the first row said of each text that may come again, and of no other.

    `candidates` are sorted fingerprints; two different texts can share one, so they say which texts to remember, not
    which are equal. It grows with the candidates that have been seen: one entry for each.
    """

    def __init__(self, candidates: pl.Series) -> None:
        self._candidates = candidates
        self._first: dict[str, T] = {}

    def positions(self, texts: pl.Series) -> pl.Series:
        """Give the positions of the texts that may come more than once (UInt32, ascending)."""
        if self._candidates.is_empty():
            return pl.Series(dtype=pl.UInt32)
        prints = fingerprints(texts)
        nearest = self._candidates.search_sorted(prints).clip(upper_bound=len(self._candidates) - 1)
        return (texts.is_not_null() & (self._candidates.gather(nearest) == prints)).arg_true()

    def first(self, text: str, said: T) -> T:
        """Give what was said when this text came first; that is `said` itself when it has not come before."""
        return self._first.setdefault(text, said)

"""What the uids of a roster that are numbers have in common: whether a spreadsheet may have changed some of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import polars as pl

from provisioner.roster.workbook.numbers import EXACT_DIGITS

ENOUGH = 20
"""With fewer all-digit uids than this their lengths say nothing."""

USUAL = 0.8
"""The part of the all-digit uids that has the usual length at least."""

LEAST_LENGTH = 5

DIGITS = r"^[0-9]+$"
# A shortened number has a sign in its exponent, or a fraction; `12e4` may be a hexadecimal id.
SCIENTIFIC = r"^[+-]?[0-9]{1,3}(?:[.,][0-9]+e\+?|e\+)[0-9]{1,3}$"
ROUNDED = rf"^[0-9]{{{EXACT_DIGITS}}}0+$"

_LONGEST_INTEGER = 18


@dataclass(slots=True)
class DigitUids:
    """Counts the all-digit uids of a roster; it does not grow with them.

    lengths  number of digits → how many uids have so many
    rounded  how many look rounded
    """

    lengths: Counter[int] = field(default_factory=Counter)
    rounded: int = 0
    _zero_led: bool = False
    _least: int | None = None
    _greatest: int | None = None

    def add(self, uids: pl.Series) -> None:
        """Count some more uids; nulls are none."""
        # comparing and casting are many times cheaper than looking for a pattern
        suspects = uids.filter((uids >= "0") & (uids < ":"))
        if suspects.is_empty():
            return
        numbers = suspects.cast(pl.Int64, strict=False)
        others = suspects.filter(numbers.is_null())
        digits = pl.concat([suspects.filter(numbers.is_not_null()), others.filter(others.str.contains(DIGITS))])
        lengths = digits.str.len_bytes()
        self.lengths.update(dict(lengths.value_counts().iter_rows()))
        self._zero_led = self._zero_led or digits.str.starts_with("0").any()
        if (lengths > EXACT_DIGITS).any():
            self.rounded += int(digits.str.contains(ROUNDED).sum())
        ends = [end for end in (self._least, self._greatest, numbers.min(), numbers.max()) if isinstance(end, int)]
        self._least, self._greatest = min(ends, default=None), max(ends, default=None)

    @property
    def usual_length(self) -> int | None:
        """Digits that a uid has when it has lost no leading zeros; None when nothing hints at lost ones."""
        total, longest = self.lengths.total(), max(self.lengths, default=0)
        if self._zero_led or total < ENOUGH or longest < LEAST_LENGTH or len(self.lengths) == 1:
            return None
        return longest if self.lengths[longest] >= USUAL * total and not self._counted else None

    @property
    def rounded_by_chance(self) -> bool:
        """Whether so few of the long numbers end in zeros that no spreadsheet has rounded them."""
        long = sum(count for length, count in self.lengths.items() if length > EXACT_DIGITS)
        return long >= ENOUGH and self.rounded * 2 < long

    @property
    def _counted(self) -> bool:
        """Whether the uids come from a counter: at least half of the numbers between the ends are there."""
        if self._least is None or self._greatest is None or max(self.lengths) > _LONGEST_INTEGER:
            return False
        return self.lengths.total() * 2 >= self._greatest - self._least + 1


def counts_rows(cells: pl.Series) -> bool:
    """Tell whether cells are the whole numbers from 0 or 1 on, in order: `1`, `001`, `1.` and `1.0` are one number."""
    numbers = cells.str.replace(r"\.0*$", "").cast(pl.Int64, strict=False)
    first = numbers.first()
    return len(cells) > 1 and first in {0, 1} and bool((numbers == pl.arange(len(cells), eager=True) + first).all())

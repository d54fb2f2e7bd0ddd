r"""What uids look like: what is really in those that are refused, and what a spreadsheet has made of them.

    1000.0            decimal       ann@example.org   e-mail        ann_lee      underscore
    {6F9619FF-8B86}   braces        'a1'              quotes        “a1”         typographic
    ="00123"          formula       a\u200bb          invisible     a b          none of these

The first kind that fits is the one to mend.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from provisioner.validation.fields.binding import Binding
from provisioner.wording import INVISIBLE

_KINDS: Final = {
    "numbers with .0": r"^[+-]?[0-9]+[.,]0+$",
    "e-mail addresses": r"^[^@\s]+@[^@\s]+$",
    "underscores": r"^[A-Za-z0-9_-]+$",
    "braces": r"^\{[A-Za-z0-9_-]+\}$",
    "single quotes": r"^'.*'$",
    "typographic quotes": "^[\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb\u2039\u203a].*[\u2018\u2019\u201c\u201d\u00ab\u00bb\u2039\u203a]$",  # noqa: E501
    "formulas": '^=".*"$',
    "invisible characters": f"[{INVISIBLE}]",
}

_MONTH = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
_DATE = rf"^(?:(?:0?[1-9]|[12][0-9]|3[01])-{_MONTH}|{_MONTH}-[0-9]{{2}})$"
_SHORTEST_DATE, _LONGEST_DATE = 5, 6
# From here on the type no longer tells neighbouring whole numbers apart.
_EXACT_WHOLE: Final = 2**24


def kind_of_uid() -> pl.Expr:
    """Name what is in a uid that is refused (String, null for anything else)."""
    kinds = [pl.when(pl.col("uid").str.contains(pattern)).then(pl.lit(kind)) for kind, pattern in _KINDS.items()]
    return pl.coalesce(kinds)


def dates(uids: pl.Series) -> pl.Series | None:
    """Tell the uids that a spreadsheet has made of text that looked like a date: `3-apr`, `jan-02`; null for none."""
    lengths = uids.str.len_bytes()
    if not (lengths <= _LONGEST_DATE).any():
        return None
    short = lengths.is_between(_SHORTEST_DATE, _LONGEST_DATE).arg_true()
    found = pl.repeat(value=False, n=len(uids), eager=True)
    return found.scatter(short.filter(uids.gather(short).str.contains(_DATE)), True)


def imprecise(frame: pl.DataFrame, binding: Binding) -> pl.Series | None:
    """Tell the rows whose uid is made of a number of a type of 24 binary digits, and has more; null for none."""
    columns = [name for name in binding.fields["uid"].columns if binding.schema[name] == pl.Float32]
    if not columns:
        return None
    large = pl.any_horizontal(pl.col(columns).abs() >= _EXACT_WHOLE)
    return frame.select(large.fill_null(value=False)).to_series()

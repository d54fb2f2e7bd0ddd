"""Text of a CSV that a spreadsheet program would take for a formula: it gets an apostrophe, and loses it again.

A program that opens a CSV runs what begins with one of `=+-@`. An apostrophe keeps it from that; text that has
apostrophes of its own before such a sign gets one more, so that taking one away gives every text back as it was:

    =1+1    '=1+1        '=1     ''=1        'tis    'tis        -    '-
"""

from __future__ import annotations

from typing import Final

import polars as pl

from provisioner.roster.columns import unnamed

MARK: Final = "'"

# The signs of Excel, and their full-width forms; what stands before a sign and is not seen.
_SIGNS: Final = r"=+@\t\r\n\x{FF1D}\x{FF0B}\x{FF0D}\x{FF20}"
_ANY: Final = rf"[{_SIGNS}\-]"
# Letters, figures and hyphens call nothing, so that an id may begin with one.
_OF_AN_ID: Final = rf"(?s:[{_SIGNS}]|-.*[^A-Za-z0-9_-])"


def marked(text: pl.Expr, *, ids: bool = False) -> pl.Expr:
    """Put an apostrophe before texts (String) that a program would run.

    ids  those are ids, which programs look for as they stand: one of letters, figures, `-` and `_` has none
    """
    signs = _OF_AN_ID if ids else _ANY
    return pl.when(text.str.contains(f"^{MARK}*{signs}")).then(pl.lit(MARK) + text).otherwise(text)


def unmarked(text: pl.Expr, *, ids: bool = False) -> pl.Expr:
    """Take that apostrophe away again."""
    signs = _OF_AN_ID if ids else _ANY
    return pl.when(text.str.contains(f"^{MARK}+{signs}")).then(text.str.slice(1)).otherwise(text)


def needs_marks(frame: pl.DataFrame) -> pl.Series:
    """Tell which rows of a frame hold a text that a program would run (Boolean, no nulls)."""
    texts = [unnamed(frame, name) for name, kind in frame.schema.items() if kind == pl.String]
    if not texts:
        return pl.repeat(value=False, n=frame.height, eager=True)
    found = pl.concat(texts).str.contains(f"^{MARK}*{_ANY}").arg_true() % max(1, frame.height)
    return pl.int_range(frame.height, eager=True).is_in(found.unique().implode())

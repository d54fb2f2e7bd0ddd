"""Words that stand for nothing, as programs and people write them."""

from __future__ import annotations

from typing import Final

WORDS: Final = ("NULL", "null", r"\N", "None", "nan", "N/A", "#N/A", "undefined", "nil")
"""What programs write for a missing value. As a uid they are none in any case; elsewhere only as they are spelled."""

UID_WORDS: Final = tuple(sorted({word.lower() for word in WORDS}))
"""The same as uids are compared."""

NO_NAMES: Final = (
    "null", "(null)", "<null>", "none", "n/a", "n.a.", "#n/a", "#ref!", "#name?", "#value!", "#null!", "#num!",
    "#div/0!", "undefined", "unknown", "tbd", "tba", "test", "no name", r"\n",
    "-", "--", "---", "\u2013", "\u2014", ".", "..", "...", "\u2026", "?", "??", "???", "_", "0",
)  # fmt: skip
"""Names that are none, in any case; 0 is what a workbook's formula gives for an empty cell."""

NO_NAMES_EXACTLY: Final = ("NA", "nan", "NaN", "NAN")
"""Names that are none, in this case only: Na and Nan are names of people. `NA` is how R writes a missing value."""

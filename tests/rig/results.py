"""Six rows as `Checked.lines` has them, and a disk that is soon full."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import polars as pl

LINES: Final = {
    "row": pl.Int64,
    "uid": pl.String,
    "uid_input": pl.String,
    "error_code": pl.String,
    "error_message": pl.String,
    "name": pl.String,
}


# A roster of six: every outcome once. Row 5 is a duplicate of row 1 and shares its uid.
ROWS: Final = [
    (1, "ada", " Ada ", None, None, "Ada"),
    (2, "bob", "bob", None, None, "=Bob"),
    (3, None, None, "uid.missing", "uid.missing: nothing there; name.missing: nothing there", None),
    (4, "cyd", "CYD", None, None, "'=Cyd"),
    (5, "ada", "ADA", "uid.duplicate", "uid.duplicate: row 1 has it", "Ada"),
    (6, "dan", "dan", None, None, "Dan\u2028é"),
]


def lines_of(rows: Sequence[tuple[Any, ...]]) -> pl.DataFrame:
    """Rows as `Checked.lines` holds them."""
    return pl.DataFrame(rows, schema=LINES, orient="row")


def many_lines() -> pl.DataFrame:
    """More than a disk takes on which no file grows beyond 4 KiB."""
    return lines_of([(n, f"u{n * 7919 % 9973}", f"U{n * 7907}", None, None, f"Name {n}") for n in range(3000)])

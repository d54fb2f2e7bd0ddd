"""Whether the row numbers that a mended round says are still those of its rows, where no digest ties it to the run.

A run whose rejected rows were fed in under another name may have been run again since, with a roster in which others
have those numbers. Of them it is known what they are called: whoever is put in the place of one has to have something
of that.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from provisioner.journal.course.table import first_begin
from provisioner.results.formats.outcomes import OF_ROW
from provisioner.results.merging.parts import Part
from provisioner.results.outputs import journal_of

# What a mended row has in common with what it was: at least one of these.
_KEPT: Final = ("uid_input", "name")


def is_in_doubt(before: Part, later: Part) -> bool:
    """Whether rows may have other numbers than a round says: it began before the last run that has given numbers ended.

    Where the digest of the rejected rows is known that it was made of, there is no doubt.
    """
    if later.document.get("mends") is not None:
        return False
    begins = (first_begin(journal_of(run)) for run in later.runs)
    began = min((later.time("started_at"), *(begin for begin in begins if begin is not None)))
    return began < before.time("finished_at")


def has_strangers(lines: pl.DataFrame, frame: pl.DataFrame) -> bool:
    """Whether a line of a round has another uid and name than the row whose place it would take, which has both.

    lines  of the round; of several of one row, the first takes its place
    frame  of the run before it
    """
    pairs = lines.unique(OF_ROW, keep="first").join(frame, left_on=OF_ROW, right_on="row")
    # Of a row without a name, or a uid, it cannot be known.
    alike = [(_bare(name) == (was := _bare(f"{name}_right"))).fill_null(value=False) | was.is_null() for name in _KEPT]
    return not pairs.select(pl.any_horizontal(alike).all()).item()


def _bare(name: str) -> pl.Expr:
    """Give the letters and digits of a cell in lower case; null where it has none."""
    bare = pl.col(name).str.to_lowercase().str.replace_all(r"[^\pL\pN]", "")
    return pl.when(bare != "").then(bare)

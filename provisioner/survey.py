"""The first pass over a roster, before anything is sent: it is read to its end, and repeated uids are found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from provisioner import cells
from provisioner.columns import Binding

if TYPE_CHECKING:  # the rules need `fingerprints`, and have nothing to do with files
    from provisioner.reader import Roster

_BUCKETS = 16
_BUCKET_SIZE = 2**32 // _BUCKETS


@dataclass(frozen=True, slots=True)
class Survey:
    """What has to be known of the whole roster before its first row is judged.

    rows      number of data rows
    repeated  sorted UInt32 fingerprints of the uids that come more than once; two different uids can share one, so
              it says which rows to compare, not which are equal
    """

    rows: int
    repeated: pl.Series


def survey(roster: Roster, binding: Binding, progress: Callable[[int, int], None] | None = None) -> Survey:
    """Read the whole roster once. Takes 4 bytes of memory per row while it lasts.

    `progress` is called with the rows and bytes done. Raises RosterError for a defect of the file anywhere in it.
    """
    rows = 0
    prints: list[pl.Series] = []
    for batch in roster.batches(progress):
        rows += batch.frame.height
        prints.append(fingerprints(cells.uids(batch.frame, binding).drop_nulls()))
    repeated = pl.concat([pl.Series(dtype=pl.UInt32), *_repeated(prints)])
    return Survey(rows, repeated)


def fingerprints(uids: pl.Series) -> pl.Series:
    """Give 32 bits for each uid (UInt32), the same for the same uid within this process."""
    return (uids.hash(seed=0) // 2**32).cast(pl.UInt32)


def _repeated(prints: list[pl.Series]) -> Iterator[pl.Series]:
    """Sort a sixteenth of the fingerprints at a time: that needs a sixteenth of the memory."""
    whole = pl.concat(prints, rechunk=False) if prints else pl.Series(dtype=pl.UInt32)
    for bucket in range(_BUCKETS):
        start = bucket * _BUCKET_SIZE
        ordered = whole.filter(whole.is_between(start, start + _BUCKET_SIZE - 1)).sort()
        again = ordered.filter(ordered == ordered.shift(1))
        yield again.unique(maintain_order=True)

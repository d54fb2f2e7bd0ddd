"""The rows of several files in the order of their numbers, streamed: of each file a few thousand are held."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

import polars as pl

from provisioner.roster.csv.blocks import BlockSizes
from provisioner.roster.csv.file import open_csv
from provisioner.roster.csv.header import HeaderOptions
from provisioner.roster.files.inputs import FAMILIES
from provisioner.roster.formats.rows import Roster
from provisioner.roster.reader import RosterOptions, open_roster
from provisioner.roster.wrapped import unmarked

# Rows of one file that are held, and bytes of a text: with hundreds of files at once it has to be little.
_HELD: Final = 5_000
_BLOCK: Final = 512 * 1024


def rows_of(path: Path, delimiter: str | None = None) -> Iterator[pl.DataFrame]:
    """Give the rows of a file that a run wrote, a few thousand at a time; the cells of a text are Strings.

    Raises `RosterError` where it is not as it was written.
    """
    if not path.stat().st_size:  # no lines: an NDJSON without rows
        return
    with closing(unmarked(_opened(path, delimiter))) as file:
        for batch in file.batches():
            yield from batch.frame.iter_slices(_HELD)


def _opened(path: Path, delimiter: str | None) -> Roster:
    if FAMILIES.get(path.suffix.lower()) in {"csv", "tsv"}:
        header = HeaderOptions(delimiter, header_row=1, missing=_nothing_missing)
        return open_csv(path, options=header, sizes=BlockSizes(block=_BLOCK))
    return open_roster(path, RosterOptions(missing=_nothing_missing), path.parent)


def _nothing_missing(_: Sequence[str]) -> int:
    return 0


def with_tokens(results: Path, tokens: Path | None) -> Iterator[pl.DataFrame]:
    """Give the lines of results, with the auth tokens that stand apart from them in another file."""
    lines = rows_of(results, ",")
    if tokens is None:
        return lines
    return joined((frame.with_columns(pl.col("row").cast(pl.Int64)) for frame in lines), rows_of(tokens, ","))


def joined(lines: Iterator[pl.DataFrame], tokens: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """Give result lines with the auth tokens that stand apart from them; the rows of both ascend."""
    held = pl.DataFrame(schema={"row": pl.Int64, "auth_token": pl.String})
    for frame in lines:
        last = frame["row"][-1]
        while (not held.height or held["row"][-1] < last) and (more := next(tokens, None)) is not None:
            held = pl.concat([held, more.select(pl.col("row").cast(pl.Int64), "auth_token")])
        yield frame.drop("auth_token").join(held, on="row", how="left", maintain_order="left").select(frame.columns)
        held = held.filter(pl.col("row") > last)


def in_order(sources: Sequence[Iterator[pl.DataFrame]], number: str) -> Iterator[pl.DataFrame]:
    """Merge sources whose rows ascend by the column `number` (integers) into one that does."""
    ascending = [_Ascending(source, number) for source in sources]
    while ascending := [each for each in ascending if each.height]:
        # What is at its end holds nobody back: hundreds of short files are one frame.
        end = min((each.last for each in ascending if each.goes_on), default=None)
        yield pl.concat([each.taken(end) for each in ascending], how="diagonal_relaxed").sort(number)


class _Ascending:
    """The rows of one source: those that come next, and a look at those behind them."""

    def __init__(self, source: Iterator[pl.DataFrame], number: str) -> None:
        self._source, self._number = source, number
        self._held, self._upcoming = next(source, pl.DataFrame()), next(source, None)

    @property
    def height(self) -> int:
        """Rows that come next; none at the end."""
        return self._held.height

    @property
    def goes_on(self) -> bool:
        """Whether there are rows behind them."""
        return self._upcoming is not None

    @property
    def last(self) -> int:
        """The number of the last of them."""
        return int(self._held[self._number][-1])

    def taken(self, end: int | None) -> pl.DataFrame:
        """Let go of those up to a number, or of all."""
        count = self.height if end is None else int(self._held[self._number].search_sorted(end, side="right"))
        taken, self._held = self._held.head(count), self._held.slice(count)
        if not self.height and self._upcoming is not None:
            self._held, self._upcoming = self._upcoming, next(self._source, None)
        return taken

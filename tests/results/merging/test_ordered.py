"""Rows of several files in the order of their numbers, a few at a time."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from provisioner.results.merging.ordered import in_order


def in_pieces(rows: list[int], size: int) -> Iterator[pl.DataFrame]:
    """Frames of so many rows."""
    for start in range(0, len(rows), size):
        yield pl.DataFrame({"row": rows[start : start + size]}, schema={"row": pl.Int64})


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(1, 4)), max_size=60), st.integers(1, 7))
def test_rows_come_in_order_whatever_file_they_are_in(dealt: list[tuple[int, int]], size: int) -> None:
    """All of them, once each; and what is given at once is no more than what is held."""
    files = [[row for row, (file, _) in enumerate(dealt, 1) if file == number] for number in range(5)]
    frames = list(in_order([in_pieces(rows, size) for rows in files], "row"))
    assert [row for frame in frames for row in frame["row"]] == list(range(1, len(dealt) + 1))
    assert all(frame.height <= size * 5 for frame in frames)

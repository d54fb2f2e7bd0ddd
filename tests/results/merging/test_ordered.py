"""Rows of several files in the order of their numbers, a few at a time."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from provisioner.results.merging.ordered import in_order, joined


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


@given(st.lists(st.booleans(), max_size=40), st.integers(1, 7), st.integers(1, 7))
def test_tokens_come_back_to_their_lines(have: list[bool], size: int, pieces: int) -> None:
    """Those that stand apart, whatever is read at once; a line without one has none."""
    rows = list(range(1, len(have) + 1))
    with_tokens = [row for row, has in zip(rows, have, strict=True) if has]
    lines = (each.with_columns(auth_token=pl.lit(None, pl.String)) for each in in_pieces(rows, size))
    tokens = (each.with_columns(auth_token=pl.col("row").cast(pl.String)) for each in in_pieces(with_tokens, pieces))
    found = [line for frame in joined(lines, tokens) for line in frame.rows()]
    assert found == [(row, str(row) if row in with_tokens else None) for row in rows]

"""An apostrophe is put before what a program would run, and taken away again, exactly."""

from __future__ import annotations

import re

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from provisioner.roster.csv.apostrophes import marked, needs_marks, unmarked

TEXTS = st.text("'=+-@\t\r\n a1\uff1d", max_size=6)


def through(texts: list[str | None], *, ids: bool = False) -> tuple[list[str | None], list[str | None]]:
    """These texts as they are written, and as they are read again."""
    frame = pl.DataFrame({"t": texts}, schema={"t": pl.String})
    written = frame.select(t=marked(pl.col("t"), ids=ids))
    return written["t"].to_list(), written.select(t=unmarked(pl.col("t"), ids=ids))["t"].to_list()


@pytest.mark.parametrize("ids", [False, True])
@given(texts=st.lists(st.none() | TEXTS))
@example(texts=["", "'", "''", "'=", "''=1", "=", "-", "'-", None])
def test_every_text_comes_back_as_it_was(ids: bool, texts: list[str | None]) -> None:
    """And none that is written begins with a sign, unless it is an id of letters, figures, `-` and `_`."""
    written, read = through(texts, ids=ids)
    assert read == texts
    harmless = re.compile(r"-[A-Za-z0-9_-]*" if ids else "(?!)")
    begins = [text for text in written if text and text[0] in "=+-@\t\r\n\uff1d" and not harmless.fullmatch(text)]
    assert begins == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [("=1+1", "'=1+1"), ("'=1", "''=1"), ("'tis", "'tis"), ("-5", "'-5"), ("a=1", "a=1"), (" =1", " =1"), (None, None)],
)
def test_only_what_would_be_run_has_one(text: str | None, shown: str | None) -> None:
    """A text of its own apostrophe keeps it, and gets one more only before a sign."""
    assert through([text])[0] == [shown]


def test_rows_that_need_one_are_known() -> None:
    """By any of their texts; other types never do."""
    frame = pl.DataFrame({"a": ["x", "=1", None, "'@"], "n": [-1, -2, -3, -4], "b": ["x", "y", "-z", None]})
    assert needs_marks(frame).to_list() == [False, True, True, True]
    assert needs_marks(frame.select("n")).to_list() == [False] * 4


@pytest.mark.parametrize("columns", [1, 250])
def test_the_rows_of_a_wide_roster_are_known_as_those_of_a_narrow_one(columns: int) -> None:
    """Whatever its columns are called, and whichever of them holds the text."""
    for name in (None, "row", "column", "cell"):
        for at in {0, columns // 2, columns - 1}:
            names = [f"c{number}" for number in range(columns)]
            names[at] = name or names[at]
            frame = pl.DataFrame({each: ["x", "-a" if each == names[at] else None, "", "@"] for each in names})
            assert needs_marks(frame).to_list() == [False, True, False, True]
    assert not needs_marks(pl.DataFrame(schema=dict.fromkeys(names, pl.String))).len()

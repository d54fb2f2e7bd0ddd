"""Tags that were meant as several: how often a separator comes is counted over batches."""

from __future__ import annotations

import polars as pl
import pytest

from provisioner.validation.fields.binding import bind
from provisioner.validation.fields.mapping import parse_mapping
from provisioner.validation.oddities.tagforms import TagForms, unsplit_rows
from tests.rig.checking import bound


def counted(cells: list[str | None], size: int, table: dict[str, object]) -> str | None:
    frame = pl.DataFrame({"tags": cells}, schema={"tags": pl.String})
    forms = TagForms(bound(frame, table))
    for start in range(0, frame.height, size):
        forms.add(frame[start : start + size])
    return forms.separator


def test_the_whole_column_counts_wherever_a_batch_ends() -> None:
    """Blank cells are none; JSON, arrays and cells that are split already speak against it."""
    cells = [" ", *["a|b"] * 9, None, '["a|b"]', ""]
    assert {counted(cells, size, {}) for size in (1, 4, 100)} == {"|"}
    assert counted([*cells, "{a|b}"], 4, {}) is None
    assert counted([*cells, "a;b"], 4, {}) is None
    assert counted(cells, 4, {"tags_separator": "|"}) is None
    assert counted([None, " "], 1, {}) is None


@pytest.mark.parametrize("word", ["NULL", r"\N", " NULL", "NULL ", "#N/A"])
def test_a_word_for_nothing_is_no_cell_of_tags(word: str) -> None:
    """It speaks for no separator and against none; a tag of another case does."""
    cells: list[str | None] = [*["a|b"] * 8, word, word]
    assert {counted(cells, size, {}) for size in (1, 4, 100)} == {"|"}
    assert counted([*["a|b"] * 8, "nULL", "nULL"], 4, {}) is None
    assert counted([*["a,b"] * 8, "#N/A", "#N/A"], 4, {}) == ","
    assert counted(["-", *["a|b"] * 8, "-"], 4, {"null_values": ["-"]}) == "|"


def test_tags_of_several_columns_count_together() -> None:
    """And every row that holds the separator in any of them is told of."""
    frame = pl.DataFrame({"uid": ["a", "b"], "name": "n", "t": ["x/y", None], "u": [None, "x/y"]})
    binding = bind(frame.schema, parse_mapping({"tags": {"columns": ["t", "u"]}}))
    forms = TagForms(binding)
    forms.add(frame)
    assert forms.separator == "/"
    rows = unsplit_rows(frame, binding, "/")
    assert rows is not None
    assert rows.to_list() == [True, True]


def test_lists_are_never_unsplit() -> None:
    """A list says itself where its tags end."""
    frame = pl.DataFrame({"uid": ["a"], "name": "n", "tags": [["a|b"]]})
    forms = TagForms(bind(frame.schema))
    forms.add(frame)
    assert (forms.filled, forms.separator) == (0, None)

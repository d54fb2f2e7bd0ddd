"""Metadata that polars writes alone: the same as Python writes, and only where it can be."""

from __future__ import annotations

from json import loads
from typing import Any

import polars as pl
import pytest

from provisioner.validation.fields.binding import bind
from provisioner.validation.fields.mapping import parse_mapping
from provisioner.validation.fields.structured.jsontext import object_of
from provisioner.validation.fields.structured.metadata import read_metadata
from provisioner.validation.fields.structured.metatree import metadata_tree
from tests.rig.checking import bound, metadata


@pytest.mark.parametrize("beside", [{}, {"when": "date"}])
def test_metadata_keep_their_types_but_for_what_is_looked_up(beside: dict[str, str]) -> None:
    """With a date beside them, Python reads the values instead of polars: it makes no difference."""
    frame = pl.DataFrame(
        {"level": [1, None, 3], "other": ["7", " ", "x"], "on": [True, None, False], "date": [None] * 3},
        schema_overrides={"date": pl.Date},
    )
    table = {
        "first": ["level", "other"],
        "turned": ["other", "level"],
        "mapped": {"column": "level", "map": {"1": {"is": "one"}}},
        "strict": {"column": "level", "map": {"1": "one"}, "default": False},
        "on": {"column": "on", "default": 0},
        "text": "{level}{on}",
        "nested": {"column": ["level", {"value": 1.5}], "map": {"1.5": ["x"], "3": ""}},
    }
    assert (metadata_tree(frame, bound(frame, {"metadata": table | beside})) is None) == bool(beside)
    assert metadata(table | beside, frame) == [
        {"first": 1, "turned": "7", "mapped": {"is": "one"}, "strict": "one", "on": True, "text": "1true", "nested": 1},
        {"strict": False, "on": 0, "nested": ["x"]},
        {"first": 3, "turned": "x", "mapped": 3, "strict": False, "on": False, "text": "3false", "nested": ""},
    ]


@pytest.mark.parametrize(
    ("values", "table"),
    [
        (['{"a": 1}'], {"metadata": "x"}),
        ([1.5], {"metadata": {"k": "x"}}),
        ([[1]], {"metadata": {"k": "x"}}),
        ([[1]], {"metadata": {"k": {"a": "x"}}}),
        ([1.5], {"metadata": {"k": ["x", {"value": 1}]}}),
        ([{"a": [1]}], {"metadata": "x"}),
        ([{"a": 1}], {"metadata": {"value": {"b": 2}}}),
    ],
)
def test_what_python_has_to_look_at_is_left_to_it(values: list[Any], table: dict[str, Any]) -> None:
    """JSON text, floats, lists, and a whole object that is no column."""
    frame = pl.DataFrame({"x": values})
    assert metadata_tree(frame, bound(frame, table)) is None


@pytest.mark.parametrize(("column", "value"), [("metadata.a", 1), ("metadata.b.c", "x")])
def test_an_object_and_something_else_in_one_place_are_left_to_python(column: str, value: object) -> None:
    """A column for a member that is a struct, and one below a member that is none."""
    frame = pl.DataFrame({"metadata": [{"a": {"x": 1}, "b": 2}], column: [value]})
    assert metadata_tree(frame, bound(frame, {})) is None


def test_a_column_fills_its_place_among_the_members_of_a_struct() -> None:
    """It wins where it is not null, and the others keep their order."""
    frame = pl.DataFrame({"metadata": [{"a": 1, "b": {"c": "x"}}] * 2, "metadata.a": [None, 7], "metadata.b.d": [1, 2]})
    tree = metadata_tree(frame, bound(frame, {}))
    assert tree is not None
    assert frame.select(object_of(tree).alias("json"))["json"].to_list() == [
        '{"a":1,"b":{"c":"x","d":1}}', '{"a":7,"b":{"c":"x","d":2}}',
    ]  # fmt: skip


def test_hundreds_of_columns_are_written_as_a_few_are() -> None:
    """Trimmed, escaped where it is needed, without what is missing, in the order of the roster."""
    cells = ['say "hi"', "  x ", "", None, "n/a?", "back\\slash", "NULL", "tab\there", "\u00e9", " "]
    columns = {f'key {number} "q"': [cells[number % 10], cells[number // 10 % 10]] for number in range(300)}
    columns |= {ours: ["x", " y "] for ours in ("row", "column", "cell", "opened", "literal", "index")}
    frame = pl.DataFrame({"uid": ["a", "b"], "name": ["A", "B"], **columns})
    binding = bind(frame.schema, parse_mapping({"others": "metadata.all", "null_values": ["NULL"]}))
    expected = [
        {
            "all": {
                key: cell.strip()
                for key, two in columns.items()
                if (cell := two[row]) and cell.strip() not in {"", "NULL"}
            }
        }
        for row in range(2)
    ]
    written = read_metadata(frame, binding)["metadata"].to_list()
    assert [(loads(text), list(loads(text)["all"])) for text in written] == [
        (each, list(each["all"])) for each in expected
    ]


def test_among_hundreds_of_columns_one_row_may_have_none() -> None:
    """Its metadata are null, as those of any row without."""
    frame = pl.DataFrame({"uid": ["a", "b"], "name": ["A", "B"], **{f"c{number}": ["", "x"] for number in range(300)}})
    binding = bind(frame.schema, parse_mapping({"others": "metadata"}))
    assert read_metadata(frame, binding)["metadata"].is_null().to_list() == [True, False]


def test_a_word_for_nothing_in_a_list_is_none_also_of_a_column_that_has_to_be_there() -> None:
    """Whether polars or Python writes the objects; alone the name is what it says, and an entry of a map counts."""
    frame = pl.DataFrame({"uid": ["1", "2"], "name": ["Ann", "NULL"], "b": ["x", "y"]})
    listed, looked_up = ["name", "b"], [{"column": "name", "map": {"NULL": "none", "Ann": "A"}}, "b"]
    binding = bound(frame, {"name": "name", "metadata": {"l": listed, "m": looked_up, "n": "name"}})
    tree = metadata_tree(frame, binding)
    assert tree is not None
    written = frame.select(object_of(tree)).to_series().to_list()
    assert written == ['{"l":"Ann","m":"A","n":"Ann"}', '{"l":"y","m":"none","n":"NULL"}']
    with_float = frame.with_columns(f=pl.lit(1.5))
    fed = {"l": listed, "m": looked_up, "n": "name", "f": "f"}
    binding = bound(with_float, {"name": "name", "metadata": fed})
    assert metadata_tree(with_float, binding) is None
    assert read_metadata(with_float, binding)["metadata"].to_list() == [
        '{"l":"Ann","m":"A","n":"Ann","f":1.5}',
        '{"l":"y","m":"none","n":"NULL","f":1.5}',
    ]

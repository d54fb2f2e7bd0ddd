"""A line of NDJSON: cells exact to the last digit, and a rejected line that is the line with its errors."""

from __future__ import annotations

import json
from pathlib import Path

import orjson
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner.roster.formats.ndjsonline import (
    LINE,
    delicate,
    exact,
    holds_rejected,
    parsed,
    rejected_line,
    text,
    write_rejected_lines,
)
from tests.rig.sampling import examples


@pytest.mark.parametrize(
    ("line", "is_delicate"),
    [
        ('{"a":1,"b":"1.5"}', False),
        ('{"a":123456789012345}', False),
        ('{"a":1234567890123456}', True),
        ('{"a":1.5}', True),
        ('{"a":[1,2e3]}', True),
        ('{"a":-0}', True),
        ('{"a":1,"a":2}', True),
        ('{"a":{"b":1,"b":2}}', True),
        (r'{"a":"\":","b":{"c":1}}', False),
        (r'{"a":"\\\":"}', True),
        ('{"a":[":b",{"c":1}]}', False),
        ('{"a":[" :b",{"c":1}]}', True),
        (r'{"a":{"b":1,"b":"\u003a"}}', True),
        (r'{"a":{"b":1,"b":[1]},"c":"\u003ax"}', True),
        ('{"a":' + "[" * 201 + "]" * 201 + "}", True),
    ],
)
def test_a_line_is_delicate_when_a_number_would_change_or_a_key_may_come_twice(line: str, is_delicate: bool) -> None:
    """A text that looks like the end of a key may send a line the exact way too: that costs time only."""
    assert delicate([line], [orjson.loads(line)]) == [0] * is_delicate


def test_exact_cells_keep_every_digit_and_lose_blanks_outside_texts() -> None:
    line = r' {"uid" : 1.50, "k\u00e9y":"a \u00e9", "n":null, "x": [ 123456789012345678901, "b : , c" ]} '
    cells = {"uid": "1.50", "kéy": "a é", "n": None, "x": '[123456789012345678901,"b : , c"]'}
    assert exact(line) == (cells, {})


@pytest.mark.parametrize(
    ("line", "repeated"),
    [
        ('{"a":1,"\\u0061":2}', {"a": "a"}),
        ('{"b":[{"a":1,"a":2}],"c":{"d":1,"e":2}}', {"b": "a"}),
        ('{"a":{"x":1,"x":1},"a":1,"b":{"c":{"d":1,"d":2}}}', {"a": "a", "b": "d"}),
    ],
)
def test_a_key_that_comes_twice_is_found_at_any_depth_with_its_column(line: str, repeated: dict[str, str]) -> None:
    """What is made of the column decides whether it matters."""
    assert exact(line)[1] == repeated


PIECES = st.sampled_from(["a", ":", " ", '\\"', "\\\\", "\\u0022", "\\u003a", "\\u005c", "é", ",", "{"])
STRINGS = st.lists(PIECES, max_size=4).map(lambda pieces: '"' + "".join(pieces) + '"')
BLANKS = st.sampled_from(["", "", " "])


def _object(members: list[tuple[str, str, str, str]]) -> str:
    return "{" + ",".join(f"{key}{before}:{behind}{value}" for key, before, behind, value in members) + "}"


def _objects(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(st.tuples(STRINGS, BLANKS, BLANKS, values), max_size=4).map(_object)


VALUES = st.recursive(
    STRINGS | st.just("1"),
    lambda inner: _objects(inner) | st.lists(inner, max_size=3).map(lambda t: f"[{','.join(t)}]"),
)


@settings(max_examples=examples(400))
@given(_objects(VALUES))
def test_no_key_that_comes_twice_is_passed_over(line: str) -> None:
    """Whatever texts look like the end of a key, escaped or not: what `exact` does not get to see has none."""
    if not delicate([line], [orjson.loads(line)]):
        assert exact(line)[1] == {}


def test_what_is_no_object_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match=r"'\[1\]' is no JSON object"):
        parsed("[1]")
    with pytest.raises(ValueError, match=r"'\{' is no JSON \(.+\)"):
        parsed("{")


def test_a_value_becomes_the_text_of_a_cell() -> None:
    assert [text(value) for value in (None, "a", True, [1, "b"])] == [None, "a", "true", '[1,"b"]']


@pytest.mark.parametrize(
    ("line", "rejected"),
    [
        ("{}", '{"_row":7,"_errors":"no"}'),
        ('{ "a" : 1.50 }', '{ "a" : 1.50,"_row":7,"_errors":"no"}'),
        ('{"_row":1,"a":1e5,"_errors":"x, \\"_row\\""}', '{"a":1e5,"_row":7,"_errors":"no"}'),
        ('{"a":{"_row":1}, "\\u005frow": {"x":[1,2]} , "b":"}"}', '{"a":{"_row":1},"b":"}","_row":7,"_errors":"no"}'),
    ],
)
def test_a_rejected_line_is_the_line_with_its_errors(line: str, rejected: str) -> None:
    assert rejected_line(line, 7, "no") == rejected


def test_rejected_rows_are_written_line_by_line_and_rows_of_another_format_as_objects(tmp_path: Path) -> None:
    frames = [
        pl.DataFrame({"uid": ["1.50"], LINE: ['{"uid":1.50}'], "_row": [2], "_errors": ["no"]}),
        pl.DataFrame({"uid": ["b"], "name": [None], "_row": [3], "_errors": ["no"]}),
    ]
    write_rejected_lines(tmp_path / "x.ndjson", iter(frames), frames[0].schema)
    assert (tmp_path / "x.ndjson").read_text().splitlines() == [
        '{"uid":1.50,"_row":2,"_errors":"no"}',
        '{"uid":"b","_row":3,"_errors":"no"}',
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"uid":"a","_row":1,"_errors":""}', True),
        ('[{"uid":"a"}, {"_errors" : "", "_row"\n: 1', True),
        ('{"uid":"a","_row":1}', False),
        ('{"uid":"a","arm_row":1,"_errors ":""}', False),
        ('{"uid":"a","keys":["_row","_errors"]}', False),
        (json.dumps({"uid": "a", "note": '{"_row":1,"_errors":"x"}'}), False),
        (json.dumps({"uid": "a", "note": json.dumps({"n": '\\"_row":1,"_errors":"x"'})}), False),
    ],
)
def test_rejected_objects_are_told_by_keys(text: str, told: bool) -> None:
    """Wherever they stand; what a string holds is none."""
    assert holds_rejected(text.encode()) is told

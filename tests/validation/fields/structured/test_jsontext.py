"""JSON as expressions: what `orjson` writes, without a Python object being made."""

from __future__ import annotations

import orjson
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.validation.fields.structured import jsontext


@given(st.lists(st.none() | st.text(max_size=20), min_size=1, max_size=8))
def test_a_text_is_escaped_as_orjson_escapes_it(texts: list[str | None]) -> None:
    """Any text, control characters included; null stays null."""
    frame = pl.DataFrame({"text": texts}, schema={"text": pl.String})
    written = frame.select(jsontext.string(pl.col("text"))).to_series().to_list()
    assert written == [None if text is None else orjson.dumps(text).decode() for text in texts]


def test_an_object_leaves_out_what_is_null_and_is_null_without_members() -> None:
    """At every level; a key is escaped as a text is."""
    frame = pl.DataFrame({"a": ["1", None, None], "b": ['"x"', '"y"', None]})
    tree: jsontext.Tree = {"a": pl.col("a"), 'in"ner': {"b": pl.col("b")}}
    assert frame.select(jsontext.object_of(tree).alias("json"))["json"].to_list() == [
        '{"a":1,"in\\"ner":{"b":"x"}}', '{"in\\"ner":{"b":"y"}}', None,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pl.Series([1, None, -3]), ["1", None, "-3"]),
        (pl.Series([2**64 - 1], dtype=pl.UInt64), ["18446744073709551615"]),
        (pl.Series([True, False, None]), ["true", "false", None]),
        (pl.Series(['a"b', None]), ['"a\\"b"', None]),
        (pl.Series(["x\n", None], dtype=pl.Categorical), ['"x\\n"', None]),
        (pl.Series(["x"], dtype=pl.Enum(["x"])), ['"x"']),
    ],
)
def test_a_scalar_is_written_in_the_form_of_its_type(values: pl.Series, expected: list[str | None]) -> None:
    """Numbers and booleans bare, whatever has a text in quotes."""
    assert jsontext.has_scalar_form(values.dtype)
    written = values.to_frame("x").select(jsontext.scalar(pl.col("x"), values.dtype)).to_series()
    assert written.to_list() == expected


@pytest.mark.parametrize("kind", [pl.Float64(), pl.Date(), pl.Decimal(10, 2), pl.List(pl.Int64), pl.Null()])
def test_a_type_that_needs_a_look_at_its_values_has_no_scalar_form(kind: pl.DataType) -> None:
    """A float may be NaN, a decimal has digits to keep, a date is no JSON."""
    assert not jsontext.has_scalar_form(kind)


def test_only_columns_with_anything_to_escape_are_escaped() -> None:
    """Of a column that is known to be printable only quotes and backslashes are looked for."""
    frame = pl.DataFrame({"plain": ["é", None], "quote": ['"', ""], "control": ["", "\x1f"], "url": ["a", "b\\"]})
    names = ("plain", "quote", "control")
    assert jsontext.in_need_of_escapes(frame, names, printable=("url",)) == ["quote", "control", "url"]
    assert jsontext.in_need_of_escapes(frame, ("plain",), printable=("control",)) == []

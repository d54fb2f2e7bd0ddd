"""JSON as expressions: what `orjson` writes, without a Python object being made."""

from __future__ import annotations

import json

import orjson
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.model import TOKEN_BYTES
from provisioner.validation.fields import jsontext
from tests.rig.checking import check


def test_the_body_has_a_fixed_order_and_nothing_escaped_that_need_not_be() -> None:
    """Bytes count towards a limit, and the journal compares bodies by hash."""
    checked = check([{
        "withAuthToken": "true", "tags": "x;y", "metadata": '{ "b" : "é/\\u00e9\\u0001" , "a" : null }',
        "statusMessage": 'say "hi"\\\n\x7f', "role": "Member", "link": 'https://e.org/"\\', "avatar": "https://e.org/ä",
        "name": " Zoë\u2028😀 ", "uid": " AnN ",
    }])  # fmt: skip
    assert checked.valid.drop("role", "deactivated").rows() == [(
        1,
        "ann",
        ('{"uid":"ann","name":"Zoë\u2028😀","avatar":"https://e.org/ä","link":"https://e.org/\\"\\\\",'
        '"role":"member","statusMessage":"say \\"hi\\"\\\\\\n\x7f","metadata":{"b":"é/é\\u0001","a":null},'
        '"tags":["x","y"]}'),
        False,
    )]  # fmt: skip


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


_FIELDS = ("uid", "name", "avatar", "link", "role", "statusMessage", "metadata", "tags")


@given(st.lists(st.lists(st.none() | st.text(max_size=30), min_size=8, max_size=8), min_size=1, max_size=3))
def test_no_body_is_longer_than_it_may_be_at_most(rows: list[list[str | None]]) -> None:
    """Whatever has to be escaped in it, and with a token asked for."""
    fields = pl.DataFrame(rows, schema=dict.fromkeys(_FIELDS, pl.String), orient="row")
    bodies = jsontext.write_bodies(fields.with_columns(name_suspicious=pl.lit(value=True)))
    for body, most in zip(bodies, jsontext.most_bytes(fields), strict=True):
        assert len(body.encode()) + TOKEN_BYTES <= most


def test_a_body_leaves_out_what_is_missing() -> None:
    """Uid and name are always there; metadata and tags are JSON already; a role is sent in lower case."""
    missing = {"avatar": None, "link": None, "role": None, "statusMessage": None, "metadata": None, "tags": None}
    full = {"avatar": "https://e/a", "link": "https://e/l", "role": "Boss", "statusMessage": 'so "so"',
            "metadata": '{"k":1}', "tags": '["t"]'}  # fmt: skip
    rows = [{"uid": "a", "name": "A\n", **missing}, {"uid": "b", "name": "B", **full}]
    schema = dict.fromkeys(("uid", "name", *missing), pl.String)
    fields = pl.DataFrame(rows, schema=schema).with_columns(name_suspicious=pl.lit(value=True))
    bodies = [json.loads(text) for text in jsontext.write_bodies(fields)]
    assert bodies == [
        {"uid": "a", "name": "A\n"},
        {"uid": "b", "name": "B", **full, "role": "boss", "metadata": {"k": 1}, "tags": ["t"]},
    ]

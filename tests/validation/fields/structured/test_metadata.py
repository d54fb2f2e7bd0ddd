"""Metadata: JSON text, structs, maps and single columns become one compact object, in value what was given."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.validation.fields.binding import bind
from provisioner.validation.fields.mapping import parse_mapping
from provisioner.validation.fields.structured.metadata import SCHEMA, read_metadata
from provisioner.wording import shortened
from tests.rig import rules as oracle
from tests.rig.checking import ANN, body, bound, check, codes, metadata, parsed, typed

METADATA_TEXTS = [
    '{"a": "b", "c": {"d": 1, "e": [ "x", "y" ]}}',
    '{"a": "b, ", "c": ": d", "e": ",", "f": ", \\" "}',
    '{"a": ["b", ", ", "c"], "": "", "x": {}, "l": []}',
    '{"a": [1, 2, {"b": [true, false, null]}], "n": -0.5, "z": -12, "o": 0}',
    '{"deep": {"er": {"still": {"here": 1}}}}',
    '{\n\t"a" :\r1 }',
    '{"a": "x: y, z", "b": "q\\"r\\\\", "c": "\\u00e9\\ud83d\\ude00"}',
    '{"a": 9007199254740993, "b": 18446744073709551616, "c": -9223372036854775809}',
    '{"uuid": "1e10-4444444444444444444", "t": [1e2]}',
]


@pytest.mark.parametrize("text", METADATA_TEXTS)
def test_given_metadata_keep_their_value_and_lose_their_blanks(text: str) -> None:
    """Bytes count towards a limit, so none is spent on blanks or needless escapes."""
    checked = check([{**ANN, "metadata": text}])
    written = checked.valid["body"].item()
    assert json.loads(written)["metadata"] == json.loads(text)
    assert len(written.encode()) <= len(oracle.compact({**ANN, "metadata": json.loads(text)}))


@pytest.mark.sampled
@pytest.mark.parametrize(
    "number",
    ["12345678901234567890123", "0.12345678901234567890", "1e300", "1E-7", "-0.0", "100000000000000000.5", "-0", "-0.5",
     "100.0", "0.00001"],
)  # fmt: skip
@pytest.mark.parametrize("form", ['{{"n":{} }}', '{{"n": [1,{}\n,2]}}', '{{"a": {{"n": {}}}, "b": "\\u00e9"}}'])
def test_no_number_in_given_metadata_changes_silently(number: str, form: str) -> None:
    """A number would be rounded, or be written in another form; what stands beside it does not matter."""
    sent = form.format(number).replace(" ", "").replace("\n", "").replace("\\u00e9", "é")
    for beside in ({}, {"metadata.z": "x"}):
        checked = check([{**ANN, "metadata": form.format(number), **beside}])
        whole = f'{sent[:-1]},"z":"x"}}' if beside else sent
        assert checked.valid["body"].item() == f'{{"uid":"ann","name":"Ann","metadata":{whole}}}'


@given(st.from_regex(r"-?(0|[1-9][0-9]{0,9})(\.[0-9]{0,8}[1-9])?", fullmatch=True))
def test_no_number_of_few_digits_changes_either(number: str) -> None:
    """Each is sent as it stands, whichever of the ways it takes; only zeros at the end of a fraction say nothing."""
    checked = check([{**ANN, "metadata": f'{{"n": [{number}]}}'}])
    assert checked.valid["body"].item() == f'{{"uid":"ann","name":"Ann","metadata":{{"n":[{number}]}}}}'


def test_columns_for_single_keys_are_merged_and_win() -> None:
    """A column for one key replaces that key of the whole object, and only when it is not empty."""
    row = {"metadata": '{"a": 1, "b": {"c": 2}, "d": 3}', "metadata.b.x": " y ", "Metadata.d": "4",
           "metadata.@private.email": "ann@e.org", "metadata.empty": " "}  # fmt: skip
    assert body(**row)["metadata"] == {
        "a": 1, "b": {"c": 2, "x": "y"}, "d": "4", "@private": {"email": "ann@e.org"},
    }  # fmt: skip
    assert body(**{**row, "metadata": None})["metadata"] == {
        "b": {"x": "y"}, "d": "4", "@private": {"email": "ann@e.org"},
    }  # fmt: skip


def test_a_broken_object_is_reported_even_with_columns_beside_it() -> None:
    """The single values do not make up for what could not be read."""
    assert codes(metadata="{", **{"metadata.a": "b"}) == ["metadata.not_an_object"]


def test_rows_without_any_metadata_send_none() -> None:
    """Neither an empty object nor null."""
    assert body(**{"metadata.a": "", "metadata.@private.b": None}) == ANN
    assert body(metadata=" ", **{"metadata.a": ""}) == ANN


def test_a_parquet_struct_is_metadata_without_its_null_members() -> None:
    """Whether polars alone or Python writes it; a struct of nulls is no metadata at all."""
    struct = {"s": 'x"y', "n": None, "i": 7, "b": False, "inner": {"a": None, "b": "c"}, "gone": {"a": None}}
    expected = {"s": 'x"y', "i": 7, "b": False, "inner": {"b": "c"}}
    assert parsed(check(typed(metadata=struct)))["metadata"] == expected
    with_float = {**struct, "f": 1.5, "day": dt.date(2024, 2, 29), "list": [1, None], "d": Decimal("1.10")}
    written = check(typed(metadata=with_float)).valid["body"].item()
    assert json.loads(written)["metadata"] == expected | {"f": 1.5, "day": "2024-02-29", "list": [1, None], "d": 1.1}
    assert '"d":1.10' in written
    assert parsed(check(typed(metadata={"a": None, "b": {"c": None}}))) == ANN


def test_a_parquet_map_is_metadata() -> None:
    """Its null values are left out like those of a struct."""
    kind = pl.Map(pl.String, pl.Int64)
    frame = typed().with_columns(pl.Series("metadata", [{"a": 1, "b": None}], dtype=kind))
    assert parsed(check(frame))["metadata"] == {"a": 1}


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_a_struct_with_a_number_json_does_not_have_is_no_object(number: float) -> None:
    """Such a number is refused here, not by the API."""
    checked = check(typed(metadata={"a": number}))
    assert checked.lines["error_code"].item() == "metadata.not_an_object"


@pytest.mark.parametrize("number", [float("nan"), float("-inf")])
def test_of_several_columns_the_one_with_such_a_number_is_named(number: float) -> None:
    """Nobody has to look through all of them."""
    frame = typed(**{"metadata.a": 1.5, "metadata.b.c": number})
    message = f"metadata.not_an_object: 'b.c' {number} is no JSON number, a JSON object is needed"
    assert check(frame).lines["error_message"].item() == message


def test_a_struct_and_columns_are_merged_whatever_their_types() -> None:
    """A column wins over a member of a struct, also where an object stood."""
    frame = typed(
        **{"metadata": {"a": 1, "b": {"c": "d"}}, "metadata.a": None, "metadata.level": 3, "metadata.b.e": True}
    ).with_columns(pl.lit("2").alias("metadata.b.c"))
    assert parsed(check(frame))["metadata"] == {"a": 1, "b": {"c": "2", "e": True}, "level": 3}
    dated = typed(**{"metadata": {"a": {"x": 1}}, "metadata.a": dt.datetime(2024, 1, 2, 3, 4, 5)})  # noqa: DTZ001
    assert parsed(check(dated))["metadata"] == {"a": "2024-01-02T03:04:05"}


def test_the_keys_of_a_map_are_texts_as_json_has_them() -> None:
    """Bytes and lengths of time have no form in it, as keys no more than as values."""
    both = pl.Series([[{"key": True, "value": 1}, {"key": False, "value": 2}]])
    frame = pl.DataFrame({
        "yes": both.cast(pl.Map(pl.Boolean(), pl.Int8())),
        "number": pl.Series([[{"key": 5, "value": 1}]]).cast(pl.Map(pl.Int64(), pl.Int8())),
    })  # fmt: skip
    assert metadata({each: each for each in frame.columns}, frame) == [
        {"yes": {"true": 1, "false": 2}, "number": {"5": 1}}
    ]
    odd_keys = ((b"k", "bytes", pl.Binary()), (dt.timedelta(seconds=5), "timedelta", pl.Duration()))
    for key, name, kind in odd_keys:
        entries = pl.Series([[{"key": key, "value": 1}]])
        odd = pl.DataFrame({"m": entries.cast(pl.Map(kind, pl.Int8()))})
        read = read_metadata(odd, bound(odd, {"metadata": {"x": "m"}}))
        assert read["metadata_defect"].to_list() == [f"'x' holds a value of type {name}, which has no form in JSON"]


def test_a_float_of_32_bits_is_the_number_that_its_digits_say() -> None:
    """And not the next one of 64 bits, by itself and in whatever it is."""
    cells = [0.1, 16777217.0, 1e10]
    frame = pl.DataFrame({
        "n": pl.Series(cells, dtype=pl.Float32),
        "all": pl.Series([[each, None] for each in cells], dtype=pl.List(pl.Float32)),
        "in": pl.Series([{"x": each} for each in cells], dtype=pl.Struct({"x": pl.Float32})),
        "by": pl.Series([[{"key": each, "value": True}] for each in cells]).cast(pl.Map(pl.Float32(), pl.Boolean())),
    })  # fmt: skip
    assert metadata({each: each for each in frame.columns}, frame) == [
        {"n": 0.1, "all": [0.1, None], "in": {"x": 0.1}, "by": {"0.1": True}},
        {"n": 16777216, "all": [16777216, None], "in": {"x": 16777216}, "by": {"16777216.0": True}},
        {"n": 1e10, "all": [1e10, None], "in": {"x": 1e10}, "by": {"10000000000.0": True}},
    ]
    table = {"metadata": "in", "uid": {"value": "x"}, "name": {"value": "x"}}
    assert json.loads(read_metadata(frame, bind(frame.schema, parse_mapping(table)))["metadata"][0]) == {"x": 0.1}


def test_a_default_of_the_whole_metadata_is_an_object() -> None:
    """It stands in for an empty cell only."""
    frame = pl.DataFrame({"m": ['{"a":1}', " "]})
    assert metadata({"column": "m", "default": {"b": [2.5]}}, frame) == [{"a": 1}, {"b": [2.5]}]


def test_a_number_that_is_none_is_empty_where_there_is_something_else_to_take() -> None:
    """NaN is how a data frame writes a missing number."""
    frame = pl.DataFrame({"x": [float("nan"), 1.5]})
    assert metadata({"k": ["x", {"value": 0}], "l": {"column": "x", "default": "d"}}, frame) == [
        {"k": 0, "l": "d"}, {"k": 1.5, "l": 1.5},
    ]  # fmt: skip


def test_the_rest_keeps_its_types_under_its_own_names() -> None:
    """A dot in the name of such a column nests nothing, and `_e` stays out."""
    frame = pl.DataFrame({"uid": ["a"], "name": ["n"], "a.b": [1], "c": [" x "], "d": [None], "_e": ["e"]})
    binding = bind(frame.schema, parse_mapping({"others": "metadata.hr"}))
    assert read_metadata(frame, binding)["metadata"].to_list() == ['{"hr":{"a.b":1,"c":"x"}}']


def test_text_and_columns_give_one_object_or_say_why_not() -> None:
    """Single values are set in the object; a defect of the object is the row's."""
    texts = ['{"a": 1, "b": "\\u00e9"}', '{"a": 1}', "[1]", None]
    frame = pl.DataFrame({"metadata": texts, "metadata.a": ["2", None, "2", "2"]})
    assert read_metadata(frame, bound(frame, {})).rows() == [
        ('{"a":"2","b":"é"}', None, None), ('{"a":1}', None, None), (None, "'[1]' is no object", None),
        ('{"a":"2"}', None, None),
    ]  # fmt: skip


def test_plain_text_and_text_that_is_parsed_give_the_same_form() -> None:
    """Whether only the blanks are taken out or the cell is parsed, shows in nothing."""
    frame = pl.DataFrame({"metadata": ['{"a": "b", "c": 1}', '{"a": "b", "c": [1, 2]}', '{"a": "b" , "c":1}', None]})
    assert read_metadata(frame, bound(frame, {})).rows() == [
        ('{"a":"b","c":1}', None, None), ('{"a":"b","c":[1,2]}', None, None), ('{"a":"b","c":1}', None, None),
        (None,) * 3,
    ]  # fmt: skip


def test_a_roster_without_metadata_has_none() -> None:
    """As many rows of nulls as the batch has."""
    frame = pl.DataFrame({"x": ["a", "b"]})
    read = read_metadata(frame, bound(frame, {}))
    assert (read.rows(), dict(read.schema)) == ([(None,) * 3] * 2, SCHEMA)


TWICE = {
    '{"plan": "gold", "plan": "free"}': "plan",
    '{"plan":"gold","plan":"gold"}': "plan",
    '{"a":{"b":1,"b":2}}': "b",
    '{"a":[{"b":1.5,"b":[2]}]}': "b",
    '{"deep":{"er":{"still":{"x":1,"x":2}}}}': "x",
    '{"a":1,"\\u0061":2}': "a",
    '{"":{},"":{}}': "",
    '{"a" : 1 ,\t"a" : 2}': "a",
    '{"q\\"":1,"q\\"":2}': 'q"',
    '{"n":12345678901234567890,"n":1e5}': "n",
    '{"@private":{"email":"a@e.org","email":"b@e.org"},"dept":"x"}': "email",
}


@pytest.mark.sampled
@pytest.mark.parametrize("beside", [{}, {"metadata.dept": ["x"]}])
@pytest.mark.parametrize("crowd", [0, 3_000])
@pytest.mark.parametrize(("text", "key"), TWICE.items())
def test_a_key_that_comes_twice_in_an_object_is_never_guessed(
    text: str, key: str, crowd: int, beside: dict[str, list[str]]
) -> None:
    """At any depth, in whatever company: programs differ in which of the two they take."""
    usual = ['{"plan":"gold","a":{"b":1},"@private":{"email":"c@e.org"},"dept":"x"}'] * crowd
    given = [*usual[crowd // 2 :], text, *usual[: crowd // 2]]
    frame = pl.DataFrame({"metadata": given, **{name: cells * len(given) for name, cells in beside.items()}})
    read = read_metadata(frame, bound(frame, {}))
    words = f"{shortened(text)} has the key {shortened(key)} twice in one object (rename or remove one)"
    said = read.with_row_index().drop_nulls("metadata_defect").rows()
    assert said == [(crowd - crowd // 2, None, words, "a key twice")]


@pytest.mark.parametrize("crowd", [1, 3_000])
def test_a_key_in_two_objects_of_one_text_comes_twice_in_none(crowd: int) -> None:
    """A text with `":` in it is no key either."""
    texts = ['{"a":1,"b":{"a":2,"b":3}}', '{"a":[":a"," :a","\\":"]}', '{"a":{"b":1},"b":[{"a":[]},{"a":{}}]}', "{}"]
    frame = pl.DataFrame({"metadata": texts * crowd})
    read = read_metadata(frame, bound(frame, {}))
    assert read["metadata_defect"].null_count() == read.height
    assert list(map(json.loads, read["metadata"])) == list(map(json.loads, texts)) * crowd


def test_words_in_a_cell_do_not_make_another_kind_of_it() -> None:
    """A cell that quotes what is said of PHP is none."""
    for beside in ({}, {"metadata.a": "b"}):
        checked = check(
            [{**ANN, "metadata": '" is PHP and no JSON"', **beside}, {"uid": "b", "name": "B", "metadata": "a:0:{}"}]
        )
        assert checked.defects["metadata.not_an_object"].kinds == {"PHP": 1}

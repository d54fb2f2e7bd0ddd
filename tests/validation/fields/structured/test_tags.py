"""Tags: a list, a JSON array and text with separators become one JSON array of trimmed texts."""

from __future__ import annotations

import json

import polars as pl
import pytest

from provisioner.validation.constraints import DEFECTS
from provisioner.validation.fields.mapping import parse_mapping
from provisioner.validation.fields.structured.tags import SCHEMA, read_tags
from tests.rig.checking import ANN, body, bound, check, parsed

MEND = 'write the tags as ["a", "b", "c"], or begin the cell with something else than ['


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("a;b", ["a", "b"]),
        (" a ;\u00a0b;; ", ["a", "b"]),
        ('["a", " b ", "", null]', ["a", "b"]),
        ('["a","b"]', ["a", "b"]),
        ('[","]', [","]),
        ('["a", ",", "b"]', ["a", ",", "b"]),
        (",", [","]),
        ("2024", ["2024"]),
        ("true", ["true"]),
        ('"a"', ['"a"']),
        ('a"b;c\\d', ['a"b', "c\\d"]),
        ('["\\u00e9\\n x"]', ["é\n x"]),
        ("a\x01;b", ["a\x01", "b"]),
        ("\x1fa;b", ["\x1fa", "b"]),
        (";", None),
        ("[]", None),
        ('[" "]', None),
        (None, None),
        ("{}", None),
        ("{red,blue}", ["red", "blue"]),
        ('{"big boss", blue,NULL,"a\\"b"}', ["big boss", "blue", 'a"b']),
        ("{{a,b},{c}}", ["{{a,b},{c}}"]),
        ("{a}b", ["{a}b"]),
        ('{"a":true', ['{"a":true']),
        ('{"a":true};b', ['{"a":true}', "b"]),
    ],
)
def test_tags_are_read_in_every_form(cell: str | None, expected: list[str] | None) -> None:
    """Separated or as a JSON array, trimmed, without blanks; nothing left means no tags."""
    assert body(tags=cell) == ANN | ({"tags": expected} if expected else {})


@pytest.mark.parametrize("separator", ["|", ",", "; ", " ", ".", '"', "]", "\\"])
def test_tags_are_split_at_any_separator(separator: str) -> None:
    """Also at one that means something in a pattern or in JSON."""
    mapping = parse_mapping({"tags_separator": separator})
    row = {**ANN, "tags": separator.join(["one", "two", "three"])}
    assert parsed(check([row], mapping=mapping))["tags"] == ["one", "two", "three"]


def test_the_tags_of_a_parquet_list_are_trimmed_and_counted_without_blanks() -> None:
    """A list column obeys the same limits as text does."""
    lists = [[" x ", None, "", 'y"'], [], None, ["t"] * 26, ["t" * 101], ["\u2003"]]
    frame = pl.DataFrame({"uid": list("abcdef"), "name": ["n"] * 6, "tags": lists})
    checked = check(frame)
    assert [json.loads(text).get("tags") for text in checked.valid["body"]] == [["x", 'y"'], None, None, None]
    assert checked.lines["error_message"].drop_nulls().to_list() == [
        "tags.too_many: 26 tags, at most 25",
        "tags.too_long: 101 characters in one tag, at most 100",
    ]


def test_numbers_in_a_parquet_list_of_tags_become_text() -> None:
    """A tag is a text, whatever the column holds."""
    frame = pl.DataFrame({"uid": ["a"], "name": ["n"], "tags": [[1, 2]]})
    assert parsed(check(frame))["tags"] == ["1", "2"]


def test_tags_of_several_sources_are_joined_in_order() -> None:
    """Lists, arrays, separated text and templates become one list; a defect of one of them is the row's."""
    frame = pl.DataFrame(
        {
            "team": ["red; blue", None, "a", "[1]", "x" * 200],
            "site": ["Oslo", "", None, "Rome", "Bonn"],
            "skills": [["py", " ", "sql"], [], None, ["x"], ["y"]],
            "more": ['["a;b"]', None, '["', "[", "z"],
        }
    )
    binding = bound(frame, {"tags": {"columns": ["team", "site:{site}", "skills", "more"]}})
    read = read_tags(frame, binding, 100)
    assert read["tags"].to_list()[:2] == ['["red","blue","site:Oslo","py","sql","a;b"]', None]
    assert [text is None for text in read["tags"]] == [False, True, True, True, False]
    assert read["tags_defect"].to_list() == [
        None, None, "'[\"' is no JSON (unexpected end of data)", "'1' is no string", None,
    ]  # fmt: skip
    assert read["tags_count"].to_list() == [6, None, None, None, 4]
    assert read["tags_longest"].to_list()[4] == 200


def test_an_entry_or_a_default_of_tags_may_be_a_list() -> None:
    """Such a list is taken whole, whatever the separator is."""
    frame = pl.DataFrame({"team": ["r", "", "a;b"]})
    binding = bound(frame, {"tags": {"column": "team", "map": {"r": ["red", ";"]}}})
    assert read_tags(frame, binding, 100)["tags"].to_list() == ['["red",";"]', None, '["a","b"]']
    binding = bound(frame, {"tags": {"column": "team", "default": ["none"]}})
    assert read_tags(frame, binding, 100)["tags"].to_list() == ['["r"]', '["none"]', '["a","b"]']


def test_each_form_of_a_text_gives_array_count_and_length() -> None:
    """A plain cell is rewritten without a look at its tags, so their longest is not known and need not be."""
    cells = ["a;b", '["a", "b"]', '[" a ", null]', "[1]", "x" * 6, ";", None]
    frame = pl.DataFrame({"tags": cells})
    assert read_tags(frame, bound(frame, {}), plain_length=12).rows() == [
        ('["a","b"]', None, None, 2, None),
        ('["a","b"]', None, None, 2, None),
        ('["a"]', None, None, 1, 1),
        (None, "'1' is no string", "no text", None, None),
        ('["xxxxxx"]', None, None, 1, None),
        (None,) * 5,
        (None,) * 5,
    ]
    assert read_tags(frame, bound(frame, {}), plain_length=5)["tags_longest"].to_list()[4] == 6


def test_a_roster_without_tags_has_none() -> None:
    """As many rows of nulls as the batch has."""
    frame = pl.DataFrame({"x": ["a", "b"]})
    read = read_tags(frame, bound(frame, {}), plain_length=5)
    assert (read.rows(), dict(read.schema)) == ([(None,) * 5] * 2, SCHEMA)


@pytest.mark.parametrize("kind", [pl.List(pl.Float64), pl.List(pl.Float32), pl.Array(pl.Float64, 4)])
def test_numbers_in_a_list_are_written_as_those_of_a_column(kind: pl.DataType) -> None:
    """Whole ones without a fraction; NaN and infinity are no tags."""
    frame = pl.DataFrame({"tags": pl.Series([[1.0, 2.5, float("nan"), float("inf")], None], dtype=kind)})
    read = read_tags(frame, bound(frame, {}), 100)
    assert read["tags"].to_list() == ['["1","2.5"]', None]
    assert read["tags_count"].to_list() == [2, None]


@pytest.mark.parametrize(
    ("cell", "defect", "mend"),
    [
        (
            '{"team": "red"}',
            '\'{"team": "red"}\' is an object',
            'the tags are an object: write its texts as ["a", "b", "c"]',
        ),
        (
            '[{"name":"red"}]',
            '\'{"name":"red"}\' is no string',
            'write each tag as a text in double quotes: ["a", "b", "c"]',
        ),
        ("[1]", "'1' is no string", 'write each tag as a text in double quotes: ["a", "b", "c"]'),
        ("[draft", "'[draft' is no JSON (unexpected character, expected a JSON value)", MEND),
    ],
)
def test_how_to_mend_what_is_no_list_of_texts_fits_what_is_there(cell: str, defect: str, mend: str) -> None:
    """An object is no tag, as a struct of a Parquet file is none; to begin otherwise is a cure for text."""
    checked = check([{**ANN, "tags": cell}])
    (message,) = checked.lines["error_message"]
    assert message == f"tags.not_a_list: {defect}, a JSON array of strings is needed"
    found = checked.defects["tags.not_a_list"]
    assert DEFECTS["tags.not_a_list"].mended(found.rows, found.kinds) == mend


def test_words_in_a_cell_do_not_make_another_kind_of_it() -> None:
    """A cell that speaks of PHP is none; each of several sources that is broken says what it is itself."""
    quoting = '[" is PHP and no JSON"'
    checked = check([{**ANN, "tags": quoting}])
    assert checked.defects["tags.not_a_list"].kinds == {}
    both = parse_mapping({"tags": {"columns": ["a", "b"]}})
    checked = check([{**ANN, "a": quoting, "b": "[1]"}], mapping=both)
    assert checked.defects["tags.not_a_list"].kinds == {}
    checked = check([{**ANN, "a": "x", "b": "[1]"}], mapping=both)
    assert checked.defects["tags.not_a_list"].kinds == {"no text": 1}


@pytest.mark.parametrize("end", ["]", "}", ")"])
def test_a_cell_of_a_megabyte_that_is_nearly_python_is_read_in_no_time(end: str) -> None:
    """However many commas are in it: the first one says as much as all of them."""
    frame = pl.DataFrame({"tags": [f"('{'a,' * 500_000}{end}"]})
    kind = read_tags(frame, bound(frame, {}), 100)["tags_kind"].item()
    assert kind == ("Python" if end == ")" else None)

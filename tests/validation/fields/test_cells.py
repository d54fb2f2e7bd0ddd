"""Cells: what each form of a source makes of a row, example by example, and against the same said in plain Python."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner.errors import ConfigurationError, RosterError
from provisioner.validation.fields import cells
from provisioner.validation.fields.structured.metadata import read_metadata
from provisioner.validation.fields.structured.tags import read_tags
from provisioner.wording import WHITE_SPACE
from tests.rig.checking import bound, check, check_warnings, metadata
from tests.rig.sampling import examples

Row = dict[str, Any]


def texts(form: Any, **columns: list[Any]) -> list[str | None]:
    """Give what a field called role is read as."""
    frame = pl.DataFrame(columns)
    binding = bound(frame, {"role": form})
    return cells.read(frame, {"role": binding.fields["role"]}, binding)["role"].to_list()


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        (["a", "b"], ["1", "y", None, "\u00c9"]),
        (["b", "a", {"value": " z "}], ["x", "y", "z", "\u00c9"]),
        ("{a|b}-{b}", ["1-x", "y-y", None, "\u00c9-"]),
        (["{a}{a}", "<{b}>"], ["11", "<y>", None, "\u00c9\u00c9"]),
        ({"column": "a", "map": {"1": "one"}}, ["one", None, None, "\u00c9"]),
        ({"column": "a", "map": {"1": "one", "\u00e9": 7}, "default": True}, ["one", "true", "true", "true"]),
        ({"column": "a", "default": 0}, ["1", "0", "0", "\u00c9"]),
        ({"column": ["a", "b"], "map": {"1": "", "y": "Y"}, "default": "d"}, [None, "Y", "d", "d"]),
        ([{"column": "a", "map": {"1": " "}}, "b"], ["x", "y", None, "\u00c9"]),
        ({"column": {"column": "a", "map": {"1": "2"}}, "map": {"2": "3"}}, ["3", None, None, "\u00c9"]),
    ],
)
def test_each_form_of_a_source_gives_its_text(form: Any, expected: list[str | None]) -> None:
    """Fallbacks, templates, look-ups and defaults, trimmed, alone and within each other."""
    assert texts(form, a=[" 1", "", None, "\u00c9"], b=["x", " y\u2003", " ", None]) == expected


def test_a_word_for_nothing_that_is_an_entry_of_a_map_is_looked_up() -> None:
    """In every field alike: who names the word means it. Others stay missing values, also in lists and templates."""
    grades = {"NULL": "none", "#N/A": "unknown"}
    cells_of_grade = ["NULL", " #N/A ", "\\N", "x", None]
    form = {"column": "a", "map": grades}
    assert texts(form, a=cells_of_grade) == ["none", "unknown", None, "x", None]
    assert texts(form | {"default": "D"}, a=cells_of_grade) == ["none", "unknown", "D", "D", "D"]
    assert texts({"column": form, "map": {"none": "NULL", "x": "y"}}, a=cells_of_grade) == [
        None, "unknown", None, "y", None,
    ]  # fmt: skip
    assert texts([form, "a"], a=cells_of_grade) == ["none", "unknown", None, "x", None]
    assert texts({"column": ["a", "b"], "map": grades}, a=["NULL", "x"], b=["y", "y"]) == ["y", "x"]
    frame = pl.DataFrame({"a": cells_of_grade})
    tagged = bound(frame, {"tags": {"columns": [form]}})
    assert read_tags(frame, tagged, 100)["tags"].to_list() == ['["none"]', '["unknown"]', None, '["x"]', None]


@pytest.mark.parametrize("other", [1, [1]], ids=["in one go", "row by row"])
def test_such_an_entry_is_looked_up_in_the_metadata_too(other: Any) -> None:
    """Whichever way they are written."""
    frame = pl.DataFrame({"a": ["NULL", "\\N", "x"], "b": [other] * 3})
    level = {"column": "a", "map": {"NULL": 0}, "default": "D"}
    binding = bound(frame, {"metadata": {"level": level, "b": "b"}})
    read = [json.loads(each) for each in read_metadata(frame, binding)["metadata"]]
    assert [each["level"] for each in read] == [0, "D", "D"]


def test_a_word_for_nothing_is_passed_over_in_a_fallback() -> None:
    """Also in that of a name or a uid; alone it is what it says, and the row is warned of or rejected."""
    frame = pl.DataFrame({"id": ["1", "NULL", " \\N ", "null"], "nick": ["Lee", "NULL", None, "Null"], "b": ["x"] * 4})
    binding = bound(frame, {"uid": ["id", "b"], "name": ["nick", "{b}!"]})
    read = cells.read(frame, {"uid": binding.fields["uid"], "name": binding.fields["name"]}, binding)
    assert read.rows() == [("1", "Lee"), ("x", "x!"), ("x", "x!"), ("null", "Null")]
    assert frame.select(cells.as_it_stands(binding.fields["uid"], binding)).to_series().to_list() == [
        "1",
        "x",
        "x",
        "null",
    ]
    alone = bound(frame, {"uid": "id", "name": "nick"})
    assert cells.read(frame, {"name": alone.fields["name"]}, alone)["name"].to_list() == ["Lee", "NULL", None, "Null"]


def test_a_word_for_nothing_in_a_list_is_none_before_it_is_encoded_or_looked_up() -> None:
    """Whichever stands first: the next source is taken, of which the input tells as well; alone it is what it says."""
    frame = pl.DataFrame({"nr": ["1", "2", "3", None], "mail": ["ann@x.org", "NULL", " \\N", "#N/A"]})
    hexed = {"column": "mail", "encode": "hex"}
    expected = {
        "first": ([hexed, "nr"], ["616e6e40782e6f7267", "2", "3", None], ["ann@x.org", "2", "3", None]),
        "last": (["nr", hexed], ["1", "2", "3", None], ["1", "2", "3", None]),
        "around": (
            {"column": ["mail", "nr"], "encode": "hex"},
            ["616e6e40782e6f7267", "32", "33", None],
            ["ann@x.org", "2", "3", None],
        ),
        "looked up": ([{"column": "mail", "default": "d"}, "nr"], ["ann@x.org", *"ddd"], ["ann@x.org", *"ddd"]),
        "alone": (hexed, ["616e6e40782e6f7267", "4e554c4c", "5c4e", "234e2f41"], frame["mail"].to_list()),
    }
    for form, uids, inputs in expected.values():
        binding = bound(frame, {"uid": form})
        assert cells.uids(frame, binding).to_list() == uids
        assert frame.select(cells.as_it_stands(binding.fields["uid"], binding)).to_series().to_list() == inputs


def test_a_word_for_nothing_does_not_come_into_a_template() -> None:
    """Not even into that of a uid, where nobody would see it any more; a row of nothing else has no text."""
    frame = pl.DataFrame({"id": ["1", "NULL", " \\N ", "null"], "last": ["Lee", "NULL", None, "Null"]})
    binding = bound(frame, {"uid": "emp-{id}", "name": "Ann {last}"})
    assert cells.uids(frame, binding).to_list() == ["emp-1", None, None, "emp-null"]
    assert cells.read(frame, {"name": binding.fields["name"]}, binding)["name"].to_list() == [
        "Ann Lee",
        None,
        None,
        "Ann Null",
    ]


def test_an_entry_is_found_by_the_text_of_a_number_or_a_boolean() -> None:
    """The map of a typed column is written in texts, as TOML has them."""
    assert texts({"column": "n", "map": {"1": "one"}}, n=[1, 2, None]) == ["one", "2", None]
    assert texts({"column": "n", "map": {"1": "one"}, "default": "d"}, n=[1.0, float("nan")]) == ["one", "d"]
    assert texts({"column": "n", "map": {"true": "yes"}}, n=[True, False]) == ["yes", "false"]


def test_the_input_of_a_uid_is_the_text_before_its_encoding() -> None:
    """Whoever mends the roster looks for what stands there, not for its code."""
    frame = pl.DataFrame({"id": [" E1 ", None, " ", None], "mail": ["x", " Ann@e.org ", "B C", None]})
    slug = {"column": "mail", "encode": "slug"}
    looked_up = {"column": "mail", "map": {"x": "Y"}, "default": "D", "encode": "hex"}
    expected = {
        "plain": ("id", ["e1", None, None, None], [" E1 ", None, " ", None]),
        "encoded": (slug, ["x", "ann-e-org", "b-c", None], ["x", " Ann@e.org ", "B C", None]),
        "mixed": (["id", slug], ["e1", "ann-e-org", "b-c", None], ["E1", "Ann@e.org", "B C", None]),
        "mapped": (looked_up, ["59", "44", "44", "44"], ["Y", "D", "D", "D"]),
    }
    for form, uids, inputs in expected.values():
        binding = bound(frame, {"uid": form})
        assert cells.uids(frame, binding).to_list() == uids
        assert frame.select(cells.as_it_stands(binding.fields["uid"], binding)).to_series().to_list() == inputs


@dataclass(frozen=True)
class Form:
    """A form of a source as TOML has it, and what it says in a row: the value (None: empty)."""

    toml: Any
    value: Callable[[Row], Any]


def text(value: Any) -> str | None:
    """Write a value as the text of a cell."""
    written = str(value).lower() if isinstance(value, bool) else value if isinstance(value, str) else json.dumps(value)
    return None if value is None else written.strip(WHITE_SPACE) or None


def column(name: str) -> Form:
    return Form(name, lambda row: row[name] if isinstance(row[name], bool | int) else text(row[name]))


def first(several: list[Form]) -> Form:
    return Form(
        [each.toml for each in several],
        lambda row: next((value for each in several if text(value := each.value(row)) is not None), None),
    )


def template(parts: list[str | list[str]]) -> Form:
    def filled(row: Row) -> str | None:
        got = [part if isinstance(part, str) else text(first([*map(column, part)]).value(row)) for part in parts]
        empty = all(value is None for part, value in zip(parts, got, strict=True) if not isinstance(part, str))
        return None if empty else text("".join(value or "" for value in got))

    written = (
        part.replace("{", "{{").replace("}", "}}") if isinstance(part, str) else "{" + "|".join(part) + "}"
        for part in parts
    )
    return Form("".join(written), filled)


def looked_up(source: Form, entries: dict[str, Any], default: Any) -> Form:
    def value(row: Row) -> Any:
        cell = source.value(row)
        cell = None if text(cell) is None else cell
        if text(cell) in entries:
            return entries[text(cell) or ""]
        return default if default is not None and (entries or cell is None) else cell

    toml = {"column": source.toml}
    return Form(toml | ({"map": entries} if entries else {}) | ({} if default is None else {"default": default}), value)


WORDS = ["x", "1", "true", "a b", "\u00c9{", "-7"]


NAMES = ["a", "b", "n", "t"]


VALUES = st.sampled_from([*WORDS, "", " "])


ENTRIES = st.dictionaries(st.sampled_from(WORDS), VALUES | st.booleans() | st.integers(-9, 9))


CONSTANTS = VALUES.map(lambda word: Form({"value": word}, lambda _row: word))


TEMPLATES = (
    st.lists(st.sampled_from(WORDS) | st.lists(st.sampled_from(NAMES), min_size=1, max_size=3), max_size=4)
    .filter(lambda parts: any(isinstance(part, list) for part in parts))
    .map(template)
)


FORMS: st.SearchStrategy[Form] = st.recursive(
    st.sampled_from(NAMES).map(column) | CONSTANTS | TEMPLATES,
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3).map(first)
        | st.builds(looked_up, inner, ENTRIES, st.none() | VALUES | st.integers(-9, 9))
    ),
    max_leaves=5,
)


CELLS = st.none() | st.sampled_from([*WORDS, "", " ", " x\u2003", "\u00a0", "\x1f"])


ROWS = st.lists(
    st.fixed_dictionaries(
        {"a": CELLS, "b": CELLS, "n": st.none() | st.integers(-9, 9), "t": st.none() | st.booleans()}
    ),
    max_size=6,
)


SCHEMA = {"a": pl.String, "b": pl.String, "n": pl.Int8, "t": pl.Boolean}


@settings(max_examples=examples(150), deadline=None)
@given(FORMS, ROWS)
def test_every_combination_says_what_plain_python_says(form: Form, rows: list[Row]) -> None:
    """As a text field and as a metadata key, written by polars alone and by Python."""
    frame = pl.DataFrame(rows, schema=SCHEMA)
    values = [form.value(row) for row in rows]
    binding = bound(frame, {"role": form.toml})
    assert cells.read(frame, {"role": binding.fields["role"]}, binding)["role"].to_list() == [*map(text, values)]
    expected = [None if value is None else {"k": value} for value in values]
    assert metadata({"k": form.toml}, frame) == expected
    dated = frame.with_columns(pl.lit(None, pl.Date).alias("d"))
    assert metadata({"k": form.toml, "never": "d"}, dated) == expected


KINDS: dict[str, pl.Series] = {
    "text": pl.Series(["x", " ", None]),
    "int": pl.Series([1, None, 3]),
    "float": pl.Series([1.0, float("nan"), None]),
    "decimal": pl.Series(["1.50", None, "2"]).cast(pl.Decimal(10, 2)),
    "boolean": pl.Series([True, None, False]),
    "date": pl.Series([dt.date(2024, 2, 29), None, dt.date(2025, 1, 1)]),
    "category": pl.Series(["x", "", None], dtype=pl.Categorical),
    "null": pl.Series([None] * 3),
    "list": pl.Series([["x"], [], None]),
    "struct": pl.Series([{"a": 1}, {"a": None}, None]),
    "binary": pl.Series([b"x", None, b""]),
}


REFERENCES = st.sampled_from([*KINDS, "{text|int}-{date}", "{category}"])


SOURCES: st.SearchStrategy[Any] = st.recursive(
    REFERENCES | st.sampled_from([{"value": "x"}, {"value": 7}]),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3)
        | st.fixed_dictionaries(
            {"column": inner}, optional={"map": st.just({"x": "y", "1": 2}), "default": st.sampled_from(["d", 0, True])}
        )
    ),
    max_leaves=4,
)


UIDS = SOURCES | st.fixed_dictionaries({"column": SOURCES, "encode": st.sampled_from(["base32", "hex", "slug"])})


TAGS = SOURCES | st.fixed_dictionaries({"columns": st.lists(SOURCES, min_size=1, max_size=3)})


@settings(max_examples=examples(150), deadline=None)
@given(UIDS, TAGS, SOURCES, SOURCES, st.sets(st.sampled_from(list(KINDS)), max_size=1))
def test_what_is_bound_can_be_read_whatever_the_types(
    uid: Any, tags: Any, key: Any, whole: Any, left: set[str]
) -> None:
    """Whatever `bind` lets pass, every reader reads without an exception, row for row."""
    frame = pl.DataFrame(KINDS).drop(left)
    for table in ({"uid": uid, "tags": tags, "metadata": {"k": key}, "others": "metadata"}, {"metadata": whole}):
        try:
            binding = bound(frame, table)
        except (ConfigurationError, RosterError):
            continue
        read = [read_tags(frame, binding, 100), read_metadata(frame, binding)]
        uids = cells.uids(frame, binding)
        inputs = frame.select(cells.as_it_stands(binding.fields["uid"], binding)).to_series()
        assert [each.height for each in read] == [len(uids), len(inputs)] == [3, 3]


@pytest.mark.parametrize(
    ("value", "uid", "uid_input"),
    [
        (7, "7", "7"),
        (123.0, "123", "123.0"),
        (Decimal("123.00"), "123", "123.00"),
    ],
)
def test_parquet_numbers_become_text(value: Any, uid: str, uid_input: str) -> None:
    """A whole number is written without its fraction; the input stays as the roster has it."""
    checked = check(pl.DataFrame({"uid": [value], "name": ["Ann"]}))
    assert checked.lines.rows() == [(1, uid, uid_input, "Ann", None, None)]


@pytest.mark.parametrize(("value", "code"), [(1.5, "uid.charset"), (float("nan"), "uid.missing")])
def test_a_float_that_is_no_whole_number_is_no_uid(value: float, code: str) -> None:
    """It is refused, not rounded; NaN is a missing value."""
    assert check(pl.DataFrame({"uid": [value], "name": ["Ann"]})).lines["error_code"].item() == code


@pytest.mark.parametrize("columns", [3, 250])
def test_columns_are_asked_one_by_one_or_all_at_once(columns: int) -> None:
    """Those are named in which the answer is true in any row, in the order they are given in."""
    frame = pl.DataFrame({f"c{number}": ["a", "x" if number in {0, 2, 249} else None] for number in range(columns)})
    frame = frame.with_columns(row=pl.lit("x"), cell=pl.lit("a"), column=pl.lit(None, pl.String))
    names = frame.columns[::-1]
    found = [name for name in names if name in {"c0", "c2", "c249", "row"}]
    assert cells.where_any(frame, names, lambda cell: cell == "x") == found


@pytest.mark.parametrize("depth", [1, 7])
def test_a_form_within_forms_names_its_columns_once(depth: int) -> None:
    """What is named twice at each depth takes seconds for a few rows at the seventh."""
    form: Any = "a"
    for _ in range(depth):
        form = ["b", form]
    binding = bound(pl.DataFrame(schema=SCHEMA), {"name": form})
    assert str(cells.trimmed(binding.fields["name"], binding)).count('col("b")') == depth


@pytest.mark.parametrize("form", [["a", "a"], ["{a}{b}", "b"], ["{a|b}", "{b|a}"], [["a", "b"], "b"]])
@pytest.mark.parametrize("field", ["uid", "name"])
def test_forms_of_one_field_share_columns(field: str, form: list[Any]) -> None:
    """A column that several of them name is read once."""
    frame = pl.DataFrame({"a": ["u1", "u2"], "b": ["x", "y"], "c": ["k", "l"]})
    checked = check_warnings(frame, {field: form, {"uid": "name", "name": "uid"}[field]: "c"}, strict=False)
    assert (checked.valid.height, checked.rejected.height) == (2, 0)

"""Columns: which one feeds which field, by name or by the `[columns]` table, and what is said when it does not work."""

from __future__ import annotations

import tomllib
from typing import Any

import polars as pl
import pytest

from provisioner.columns import Constant, FromColumn, Source, Template, bind, parse_mapping
from provisioner.errors import ConfigurationError, RosterError


def text_columns(*names: str) -> dict[str, pl.DataType]:
    return dict.fromkeys(names, pl.String())


def bound(*names: str, **mapping: Any) -> tuple[dict[str, Source], dict[tuple[str, ...], Source], tuple[str, ...]]:
    binding = bind(text_columns(*names), parse_mapping(mapping))
    return dict(binding.fields), dict(binding.metadata), binding.unknown


@pytest.mark.parametrize(
    ("column", "name"),
    [
        ("UID", "uid"),
        (" uid ", "uid"),
        ("statusMessage", "statusMessage"),
        ("Status Message", "statusMessage"),
        ("STATUS_MESSAGE", "statusMessage"),
        ("status-message", "statusMessage"),
        ("statusmessage", "statusMessage"),
        ("with_auth-Token", "withAuthToken"),
    ],
)
def test_a_column_feeds_a_field_in_any_case_and_joined_in_any_way(column: str, name: str) -> None:
    columns = {"uid": "uid", "name": "name", name: column}
    assert bound(*columns.values())[0][name] == FromColumn(column)


@pytest.mark.parametrize(
    "column", ["u_id", "na me", "status__message", "_uid", "user id", "u\u0131d", "tag\u017f", "names"]
)
def test_names_that_only_look_like_a_field_feed_none(column: str) -> None:
    fields, metadata, unknown = bound("uid", "name", column)
    assert (list(fields), metadata) == (["uid", "name"], {})
    assert unknown == (() if column.startswith("_") else (column,))


def test_metadata_columns_keep_their_key_and_nest_at_dots() -> None:
    assert bound("uid", "name", "METADATA.Dept", "metadata.@private.eMail", "metadata.", "metadata.a..b")[1:] == (
        {("Dept",): FromColumn("METADATA.Dept"), ("@private", "eMail"): FromColumn("metadata.@private.eMail")},
        ("metadata.", "metadata.a..b"),
    )


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (["uid"], "the roster has no name column; name a column name, or map one under [columns]"),
        (["name"], "the roster has no uid column; name a column uid, or map one under [columns]"),
        (["uid", "Namen"], ("the roster has no name column; did you mean 'Namen'?; name a column name, "
         "or map one under [columns]")),
        (["uid", "UID ", "name"], "two columns for uid: 'uid' and 'UID '; rename or remove one"),
        (["uid", "name", "metadata.a", "Metadata.a"], ("two columns for metadata.a: 'metadata.a' and 'Metadata.a'; "
         "rename or remove one")),
        (["uid", "name", "metadata.a", "metadata.a.b"], "metadata.a and metadata.a.b cannot both be set: rename one"),
    ],
)  # fmt: skip
def test_a_roster_that_cannot_be_bound_is_told_why(columns: list[str], message: str) -> None:
    with pytest.raises(RosterError) as raised:
        bind(text_columns(*columns))
    assert str(raised.value) == message


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("name", pl.List(pl.String)),
        ("uid", pl.Binary()),
        ("link", pl.Struct({"a": pl.String})),
        ("tags", pl.Struct({"a": pl.String})),
        ("tags", pl.List(pl.List(pl.String))),
        ("metadata", pl.List(pl.String)),
        ("uid", pl.Duration()),
    ],
)
def test_a_type_no_field_can_be_made_of_is_refused_by_name(name: str, kind: pl.DataType) -> None:
    schema = text_columns("uid", "name") | {name: kind}
    with pytest.raises(RosterError, match=f"column '{name}' holds .*, of which no {name} can be made"):
        bind(schema)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("tags", pl.List(pl.String)),
        ("tags", pl.Array(pl.Int64, 2)),
        ("metadata", pl.Struct({"a": pl.List(pl.Int64)})),
        ("metadata", pl.Map(pl.String, pl.Int64)),
        ("uid", pl.Int64()),
        ("name", pl.Categorical()),
        ("withAuthToken", pl.Boolean()),
    ],
)
def test_types_a_field_can_be_made_of_are_taken(name: str, kind: pl.DataType) -> None:
    assert bind(text_columns("uid", "name") | {name: kind}).fields[name] == FromColumn(name)


def test_the_table_of_the_documentation_is_understood() -> None:
    table = tomllib.loads("""
        uid = "employee_id"
        name = "{first_name} {last_name}"
        role = { value = "default" }
        tags_separator = "|"
        [metadata]
        department = "dept"
        "@private.email" = "work_email"
        [metadata.site]
        city = "city"
        floor = { value = 3 }
    """)
    mapping = parse_mapping(table)
    assert (dict(mapping.fields), dict(mapping.metadata), mapping.tags_separator) == (
        {
            "uid": FromColumn("employee_id"),
            "name": Template("{first_name} {last_name}"),
            "role": Constant("default"),
        },
        {
            "department": FromColumn("dept"),
            "@private.email": FromColumn("work_email"),
            "site.city": FromColumn("city"),
            "site.floor": Constant(3),
        },
        "|",
    )
    binding = bind(text_columns("employee_id", "first_name", "last_name", "dept", "work_email", "city"), mapping)
    assert binding.unknown == ()
    assert list(binding.metadata) == [("department",), ("@private", "email"), ("site", "city"), ("site", "floor")]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"usr": "x"}, "[columns] 'usr' is no user field"),
        ({"nam": "x"}, "[columns] 'nam' is no user field; did you mean 'name'?"),
        ({"tag_separator": "|"}, "[columns] 'tag_separator' is no user field; did you mean 'tags_separator'?"),
        ({"uid": 5}, '[columns] uid must be "a column", "{a} {template}" or { value = "a constant" }'),
        ({"uid": ""}, '[columns] uid must be "a column", "{a} {template}" or { value = "a constant" }'),
        ({"role": {"value": 1.5}}, "[columns] role: the value must be str or int, not float"),
        ({"tags": {"value": ["a", 1]}}, "[columns] tags: the value must be a list of texts"),
        ({"name": "{a"}, "[columns] name: the brace at character 1 has no partner (a literal brace is doubled)"),
        ({"name": "a}"}, "[columns] name: the brace at character 2 has no partner (a literal brace is doubled)"),
        ({"name": "{{a}}"}, "[columns] name: a template names no column; write { value = ... }"),
        ({"tags_separator": ""}, "[columns] tags_separator must be a text of at least one character"),
        ({"status_message": "a", "statusMessage": "b"}, "[columns] 'statusMessage': statusMessage is mapped twice"),
        ({"metadata": {"a..b": "x"}}, "[columns] metadata.a..b: a metadata key has an empty part"),
        ({"metadata": {"a": {"b": 7}}}, ('[columns] metadata.a.b must be "a column", "{a} {template}" or '
         '{ value = "a constant" }')),
        ({"metadata": {"a": {"value": float("nan")}}}, "[columns] metadata.a: the value has no form in JSON"),
    ],
)  # fmt: skip
def test_a_wrong_table_is_told_by_its_key(table: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        parse_mapping(table)
    assert str(raised.value) == message


def test_a_mapped_column_that_is_not_there_is_told_with_the_nearest_one() -> None:
    with pytest.raises(RosterError) as raised:
        bound("uid", "name", "Dept", metadata={"department": "dept"})
    assert str(raised.value) == (
        "[columns] names the column 'dept', which the roster does not have; did you mean 'Dept'?"
    )


def test_the_mapping_wins_and_the_column_of_that_name_is_unknown_unless_used() -> None:
    fields, metadata, unknown = bound("uid", "name", "id", "metadata.a", uid="id", metadata={"a": "name"})
    assert fields == {"uid": FromColumn("id"), "name": FromColumn("name")}
    assert metadata == {("a",): FromColumn("name")}
    assert unknown == ("uid", "metadata.a")
    assert bound("uid", "first", "name", name="{first} {name}", role="uid")[2] == ()


def test_columns_that_begin_with_an_underscore_are_passed_over_in_silence() -> None:
    assert bound("uid", "name", "_row", "_errors", "_name", "note")[2] == ("note",)


def test_a_template_is_cut_at_its_columns_and_doubled_braces_are_literal() -> None:
    template = Template("{{{first name}}} ({a:b!r.c})")
    assert template.parts == ("{", FromColumn("first name"), "} (", FromColumn("a:b!r.c"), ")")
    assert template.columns == ("first name", "a:b!r.c")

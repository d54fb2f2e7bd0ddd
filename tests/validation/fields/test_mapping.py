"""The `[columns]` table, and the message for one that is wrong."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner.errors import ConfigurationError, RosterError
from provisioner.validation.fields.binding import bind
from provisioner.validation.fields.mapping import parse_mapping
from provisioner.validation.fields.source import (
    Constant,
    FromColumn,
    Template,
)
from tests.rig.sampling import examples
from tests.validation.fields.test_binding import text_columns

FIELDS = "the fields are uid, name, avatar, link, role, statusMessage, metadata, tags, withAuthToken, deactivated"
NAMESPACES = "dns, url, oid, x500 or a UUID of your own"
NEEDS_NAMESPACE = f'namespace belongs to encode = "uuid5", and that needs one: {NAMESPACES}'
FORMS = '"a column", "{a} {template}", a list of these, { column = ... } or { value = "a constant" }'


def nested(depth: int) -> Any:
    return [nested(depth - 1)] if depth else "a"


@pytest.mark.parametrize(
    ("table", "names", "found"),
    [
        ({"role": "job", "link": "{a|b}"}, ["uid", "name", "a"], ["job", "b"]),
        ({"role": "roll"}, ["uid", "name", "rolle"], []),
        ({"role": "rol"}, ["uid", "name", "role"], []),
        ({"role": "names", "link": "a1", "metadata": {"x": "a2"}}, ["uid", "name", "a2", "_a1"], ["names", "a1"]),
        ({"uid": "id"}, ["name", "number"], []),
        ({"uid": "{a}-{b}"}, ["name", "a"], []),
        ({"uid": ["a", "b"], "name": "{first} {last}"}, ["a"], ["b", "first", "last"]),
    ],
)
def test_columns_that_rows_may_lack_are_no_slips_and_not_those_of_the_uid(
    table: dict[str, Any], names: list[str], found: list[str]
) -> None:
    """A slip is nearly the name of a column that is there and feeds nothing."""
    assert list(parse_mapping(table).completable(names)) == found


def test_the_table_of_the_documentation_is_understood() -> None:
    """The example people copy."""
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


@pytest.mark.parametrize(("others", "place"), [("ignore", None), ("metadata", ()), ("metadata.a.b", ("a", "b"))])
def test_the_rest_is_ignored_or_goes_to_a_place_in_the_metadata(others: str, place: tuple[str, ...] | None) -> None:
    """`others` in its three forms."""
    assert parse_mapping({"others": others}).others == place


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"usr": "x"}, f"[columns] 'usr' is no user field; {FIELDS}"),
        ({"nam": "x"}, f"[columns] 'nam' is no user field; did you mean 'name'?; {FIELDS}"),
        ({"tag_separator": 0}, f"[columns] 'tag_separator' is no user field; did you mean 'tags_separator'?; {FIELDS}"),
        ({"uid": 5}, f"[columns] uid must be {FORMS}"),
        ({"uid": ""}, f"[columns] uid must be {FORMS}"),
        ({"role": {"value": 1.5}}, "[columns] role: the value must be str or int, not float"),
        ({"tags": {"value": ["a", 1]}}, "[columns] tags: the value must be a list of texts"),
        ({"name": "{a"}, "[columns] name: the brace at character 1 has no partner (a literal brace is doubled)"),
        ({"name": "a}"}, "[columns] name: the brace at character 2 has no partner (a literal brace is doubled)"),
        ({"name": "{} {last}"}, ("[columns] name: the braces at character 1 name no column (a literal brace is "
         "doubled)")),
        ({"name": "{a{b} c"}, ("[columns] name: the brace at character 1 is not closed before the next one; a column "
         "with a brace in its name is named alone, the brace doubled")),
        ({"tags_separator": ""}, "[columns] tags_separator must be a text of at least one character"),
        ({"status_message": "a", "statusMessage": "b"}, "[columns] 'statusMessage': statusMessage is mapped twice"),
        ({"metadata": {"a..b": "x"}}, "[columns] metadata.a..b: a metadata key has an empty part"),
        ({"metadata": {"a": {"b": 7}}}, f"[columns] metadata.a.b must be {FORMS}"),
        ({"metadata": {"a": {"value": float("nan")}}}, "[columns] metadata.a: the value has no form in JSON"),
        ({"metadata": {"a": {"value": 2**64}}}, "[columns] metadata.a: the value has no form in JSON"),
        ({"metadata": {"a." * 64 + "b": "x"}}, ("[columns] metadata.a.a.a.a.a.a.a.a.a.a.a… nests more than 64 deep: "
         "shorten it")),
        ({"metadata": {"a\n": 5}}, f"[columns] metadata.a\\n must be {FORMS}"),
        ({"metadata": {"a": {"b": "x"}, "a.b": "y"}}, "[columns] metadata.a.b is mapped twice"),
        ({"metadata": {"a": "x"}, "Metadata": "y"}, "[columns] 'Metadata': metadata is mapped twice"),
        ({"name": []}, f"[columns] name must be {FORMS}"),
        ({"name": ["a", ""]}, f"[columns] name must be {FORMS}"),
        ({"name": "{a|}"}, "[columns] name: the brace at character 1 has a | with no column beside it"),
        ({"name": nested(9)}, "[columns] name is nested more than 8 deep"),
        ({"name": {"column": "a", "maps": {}}}, "[columns] name: 'maps' is no key beside column; did you mean 'map'?"),
        ({"name": {"column": "a", "value": 1}}, "[columns] name: 'value' is no key beside column"),
        ({"name": {"map": {"a": "b"}}}, f"[columns] name must be {FORMS}"),
        ({"role": {"column": "a", "map": {}}}, '[columns] role: map must be a table such as { "cell" = "value" }'),
        ({"role": {"column": "a", "map": "b"}}, '[columns] role: map must be a table such as { "cell" = "value" }'),
        ({"role": {"column": "a", "map": {" b": "c"}}}, ("[columns] role: no cell is like ' b' of the map: cells are "
         "compared without the white space around them, and default is for empty ones")),
        ({"role": {"column": "a", "map": {"b": 1.5}}}, ("[columns] role: map 'b': the value must be str or int, "
         "not float")),
        ({"role": {"column": "a", "default": ["b"]}}, ("[columns] role: default: the value must be str or int, "
         "not list")),
        ({"name": {"column": "a", "encode": "hex"}},
         "[columns] name: encode, lower and namespace are for the uid only"),
        ({"uid": {"column": "a", "encode": "b32"}}, ("[columns] uid: encode must be base32, hex, slug, cometchat, "
         "uuid5, not 'b32'")),
        ({"uid": {"column": "a", "encode": ["hex"]}}, ("[columns] uid: encode must be base32, hex, slug, cometchat, "
         "uuid5, not ['hex']")),
        ({"uid": {"column": "a", "encode": "uuid5"}}, f"[columns] uid: {NEEDS_NAMESPACE}"),
        ({"uid": {"column": "a", "encode": "hex", "namespace": "dns"}}, f"[columns] uid: {NEEDS_NAMESPACE}"),
        ({"name": {"column": "a", "namespace": "dns"}},
         "[columns] name: encode, lower and namespace are for the uid only"),
        ({"uid": {"column": "a", "encode": "uuid5", "namespace": "mine"}},
         f"[columns] uid: namespace must be {NAMESPACES}, not 'mine'"),
        ({"uid": {"column": "a", "encode": "uuid5", "namespace": 5}},
         f"[columns] uid: namespace must be {NAMESPACES}, not 5"),
        ({"uid": {"column": "a", "lower": True}}, "[columns] uid: lower must be true or false, beside encode"),
        ({"uid": {"column": "a", "encode": "hex", "lower": 1}}, ("[columns] uid: lower must be true or false, "
         "beside encode")),
        ({"uid": {"column": {"column": "a", "encode": "hex"}, "default": "x"}},
         "[columns] uid: encode belongs into the outer table"),
        ({"tags": {"columns": []}}, ("[columns] tags: { columns = [...] } takes a list of sources, and no other key "
         "beside it")),
        ({"tags": {"columns": ["a"], "default": "b"}}, ("[columns] tags: { columns = [...] } takes a list of sources, "
         "and no other key beside it")),
        ({"tags": {"columns": ["a", 5]}}, f"[columns] tags must be {FORMS}"),
        ({"name": {"columns": ["a"]}}, f"[columns] name must be {FORMS}"),
        ({"others": "metadat"}, '[columns] others must be "ignore", "metadata" or "metadata.<key>"'),
        ({"others": "metadata."}, '[columns] others must be "ignore", "metadata" or "metadata.<key>"'),
        ({"others": True}, '[columns] others must be "ignore", "metadata" or "metadata.<key>"'),
        ({"leave_out": "salary"}, "[columns] leave_out must be a list of names of columns"),
        ({"leave_out": [1]}, "[columns] leave_out must be a list of names of columns"),
        ({"other": "x"}, f"[columns] 'other' is no user field; did you mean 'others'?; {FIELDS}"),
    ],
)  # fmt: skip
def test_a_wrong_table_is_told_by_its_key(table: dict[str, Any], message: str) -> None:
    """One line that names the key, what is wrong with it and what was meant."""
    with pytest.raises(ConfigurationError) as raised:
        parse_mapping(table)
    assert str(raised.value) == message


NAMES = st.sampled_from(["uid", "name", "a", "b", "metadata.x", "_c", "d|e", "{", ""]) | st.text(max_size=6)


KEYS = st.sampled_from(["column", "columns", "map", "default", "encode", "lower", "value", "namespace"])


VALUES: st.SearchStrategy[Any] = st.recursive(
    NAMES | st.sampled_from(["{a} {b}", "{a|b}", "hex"]) | st.booleans() | st.integers() | st.floats() | st.dates(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(NAMES, inner, max_size=3)
        | st.dictionaries(KEYS, inner, max_size=3)
    ),
    max_leaves=6,
)


KEYS = st.sampled_from(["uid", "name", "tags", "role", "metadata", "Status Message", "others", "tags_separator"])


@settings(max_examples=examples(400), deadline=None)
@given(st.dictionaries(KEYS | NAMES, VALUES, max_size=4), st.lists(NAMES, max_size=6, unique=True))
def test_whatever_the_table_and_the_columns_are_it_is_bound_or_told_in_one_line(
    table: dict[str, Any], columns: list[str]
) -> None:
    """No table, however odd, ends in a traceback or in a message of several lines."""
    outcome = "bound"
    try:
        bind(text_columns(*columns), parse_mapping(table))
    except (ConfigurationError, RosterError) as error:
        outcome = str(error)
    assert outcome.splitlines() == [outcome]


@pytest.mark.parametrize(
    ("table", "names", "missing"),
    [
        ({}, ["Uid ", "NAME", "x"], 0),
        ({}, ["id", "name"], 1),
        ({}, [], 2),
        ({"uid": "id"}, ["uid", "name"], 1),
        ({"uid": "id", "name": "{first} {last}"}, ["id", "first"], 1),
        ({"tags": "team", "metadata": {"a": "dept"}}, ["uid", "name", "dept"], 1),
        ({"role": {"value": "default"}}, ["uid", "name"], 0),
    ],
)
def test_a_header_is_known_by_the_columns_that_are_needed(
    table: dict[str, Any], names: list[str], missing: int
) -> None:
    """By the names of fields, or by all that the table names, which are taken as they stand."""
    assert parse_mapping(table).missing(names) == missing


@pytest.mark.parametrize(
    ("table", "names", "missing"),
    [
        ({}, ["Name", "UID"], 0),
        ({}, ["uid", "team"], 1),
        ({"uid": "Nr", "name": "Name", "avatar": "Bild", "metadata": {"team": "Team"}}, ["Nr", "Name"], 0),
        ({"uid": "Nr", "avatar": "Bild"}, ["Nr", "name"], 0),
        ({"uid": "Nr", "name": "Name"}, ["uid", "name"], 1),
        ({"uid": "Nr", "name": "Name"}, [" NR", "name "], 0),
        ({"uid": "Nr", "name": "Name"}, ["Nr", "Device"], 1),
        ({"uid": ["Nr", "Mail"], "name": ["Nick", "Name"]}, ["Mail", "Name"], 0),
        ({"uid": {"column": ["Nr", "Mail"], "encode": "slug"}, "name": "{Nick|First} {Last}"}, ["Mail", "Last"], 0),
        ({"uid": "{Site}-{Nr}", "name": "Name"}, ["Site", "Name"], 1),
        ({"uid": "{Site|Firm}-{Nr}", "name": "Name"}, ["Firm", "Nr", "Name"], 0),
        ({"uid": "Nr", "name": {"column": "Name", "default": "Guest"}}, ["Nr", "Device"], 1),
        ({"uid": "Nr", "name": {"value": "Guest"}}, ["Nr", "Device"], 0),
    ],
)
def test_people_are_known_by_what_uid_and_name_are_made_of(
    table: dict[str, Any], names: list[str], missing: int
) -> None:
    """Whatever else is mapped: of a fallback one column will do, of a name a part; a uid needs all its parts."""
    assert parse_mapping(table).missing_of_people(names) == missing


@pytest.mark.parametrize(
    ("uid", "names", "held"),
    [
        ("id", ["idx", "first"], "what the uid of each is made of"),
        ("{org}-{id}", ["org ", "first"], "what the uid of each is made of"),
        (["id", "nr"], ["idx", "first"], "what the uid of each is made of"),
        (["id", "nr"], ["idx", "nr", "first"], "nothing in it"),
        ("id", ["id ", "frist"], "nothing in it"),
        ({"value": "x"}, ["frist"], "nothing in it"),
    ],
)
def test_a_column_is_added_with_nothing_in_it_unless_the_uid_is_made_of_it(
    uid: object, names: list[str], held: str
) -> None:
    """Without it each row would be rejected."""
    assert parse_mapping({"uid": uid, "name": "first"}).addition(names) == held

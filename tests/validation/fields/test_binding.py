"""Columns: which one feeds which field, by name or by the `[columns]` table, and the message when it does not work."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

from provisioner.errors import ConfigurationError, RosterError
from provisioner.results.formats.outcomes import RESULT_SCHEMA
from provisioner.validation.fields.binding import bind
from provisioner.validation.fields.mapping import parse_mapping
from provisioner.validation.fields.source import FirstOf, FromColumn, Joined, Source, Template


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
    """People write `Status Message`, `status_message` and `statusMessage`."""
    columns = {"uid": "uid", "name": "name", name: column}
    assert bound(*columns.values())[0][name] == FromColumn(column)


@pytest.mark.parametrize(
    "column", ["u_id", "na me", "status__message", "_uid", "user id", "u\u0131d", "tag\u017f", "names"]
)
def test_names_that_only_look_like_a_field_feed_none(column: str) -> None:
    """They are unknown columns, which are named."""
    fields, metadata, unknown = bound("uid", "name", column)
    assert (list(fields), metadata) == (["uid", "name"], {})
    assert unknown == (() if column.startswith("_") else (column,))


def test_metadata_columns_keep_their_key_and_nest_at_dots() -> None:
    """The case of a key is the app's business."""
    assert bound("uid", "name", "METADATA.Dept", "metadata.@private.eMail", "metadata.", "metadata.a..b")[1:] == (
        {("Dept",): FromColumn("METADATA.Dept"), ("@private", "eMail"): FromColumn("metadata.@private.eMail")},
        ("metadata.", "metadata.a..b"),
    )


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (["uid"], ("the roster has no name column; it has 'uid'; name a column name, "
         "or map one under [columns]")),
        (["name"], ("the roster has no uid column; it has 'name'; name a column uid, "
         "or map one under [columns]")),
        (["uid", "Namen"], ("the roster has no name column; did you mean 'Namen'?; it has 'uid', 'Namen'; "
         "name a column name, or map one under [columns]")),
        (["uid", "UID ", "name"], "two columns for uid: 'uid' and 'UID '; rename or remove one"),
        (["uid", "name", "metadata.a", "Metadata.a"], ("two columns for metadata.a: 'metadata.a' and 'Metadata.a'; "
         "rename or remove one")),
        (["uid", "name", "metadata.a", "metadata.a.b"], "metadata.a and metadata.a.b cannot both be set: rename one"),
    ],
)  # fmt: skip
def test_a_roster_that_cannot_be_bound_is_told_why(columns: list[str], message: str) -> None:
    """What is missing or claimed twice, and what the roster has instead."""
    with pytest.raises(RosterError) as raised:
        bind(text_columns(*columns))
    assert str(raised.value) == message


@pytest.mark.parametrize(
    ("given", "column", "written"), [("{x}", "{x}", "{{x}}"), ("{first} {x}", "sum {x}", "sum {{x}}")]
)
def test_a_template_that_may_mean_a_column_with_braces_is_told_how_it_is_named(
    given: str, column: str, written: str
) -> None:
    """The cure works."""
    with pytest.raises(RosterError) as raised:
        bound("uid", "first", column, name=given)
    said = f"[columns] names the column 'x', which the roster does not have; did you mean {column!r}? write it as"
    assert str(raised.value) == f"{said} {written!r}; it has 'uid', 'first', {column!r}"
    assert bound("uid", "first", column, name=written)[0]["name"] == FromColumn(column)


@pytest.mark.parametrize("column", ["uid*", "UID [Required]", "u_id (see below)", "U ID\n<text>", "* Uid *"])
def test_a_needed_column_is_recognised_through_stars_brackets_and_line_ends(column: str) -> None:
    """And named, but not taken: nothing is guessed."""
    with pytest.raises(RosterError) as raised:
        bind(text_columns("uids", column, "name"))
    assert f"the roster has no uid column; did you mean {column!r}?" in str(raised.value)
    with pytest.raises(RosterError) as raised:
        bind(text_columns("name", "Staff No. [internal]"), parse_mapping({"uid": "staff no."}))
    assert "did you mean 'Staff No. [internal]'?" in str(raised.value)


def test_unknown_columns_that_are_nearly_a_field_are_hinted_at() -> None:
    """Only at fields that have no source yet."""
    binding = bind(text_columns("uid", "name", "rawMetadata", "Tags [;]", "roles", "title", "name*", "UIDs"))
    assert binding.hints() == {"rawMetadata": "metadata", "Tags [;]": "tags", "roles": "role"}
    few = "ignored; map them under [columns] if they matter; did you mean metadata by 'rawMetadata'?"
    assert binding.hint(1) == few


def test_of_results_no_column_is_taken_for_a_field() -> None:
    """To map `auth_token` as the field that asks for a token would reject every row."""
    told = bind(dict.fromkeys(RESULT_SCHEMA, pl.String())).hint(10)
    assert told == (
        "ignored; they are those of the results of a run, which are no roster: give the roster that it read, or the "
        "rejected rows beside them (….rejected.csv)"
    )


@pytest.mark.parametrize(
    ("repeated", "mapping", "fails"),
    [
        ({"name"}, {}, "name"),
        ({"x"}, {}, None),
        ({"x"}, {"metadata": {"a": "{name} {x}"}}, "x"),
        ({"x"}, {"others": "metadata"}, "x"),
    ],
)
def test_columns_of_one_name_are_refused_only_when_a_field_is_fed_by_them(
    repeated: set[str], mapping: dict[str, Any], fails: str | None
) -> None:
    """Directly, in a template, or by being put into the metadata."""
    schema = text_columns("uid", "name", "x", "_column_4_x")
    if fails is None:
        assert bind(schema, parse_mapping(mapping), repeated).fields["name"] == FromColumn("name")
        return
    with pytest.raises(RosterError, match=f"^two columns are named '{fails}'; rename or remove one$"):
        bind(schema, parse_mapping(mapping), repeated)


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
        ("uid", pl.Boolean()),
        ("name", pl.Boolean()),
    ],
)
def test_a_type_no_field_can_be_made_of_is_refused_by_name(name: str, kind: pl.DataType) -> None:
    """Before the first row, with the column, its type and the field."""
    schema = text_columns("uid", "name") | {name: kind}
    with pytest.raises(RosterError, match=f"column '{name}' holds .*, of which no {name} can be made"):
        bind(schema)


@pytest.mark.parametrize(
    ("name", "kind", "mend"),
    [
        ("uid", pl.List(pl.String), "write it as text"),
        ("name", pl.Array(pl.String, 2), "write it as text"),
        ("uid", pl.Boolean(), "write it as text"),
        ("name", pl.Duration(), "write it as text"),
        ("avatar", pl.List(pl.String), "write it as text, or leave the column out"),
        ("link", pl.Duration(), "write it as text, or leave the column out"),
        ("tags", pl.List(pl.List(pl.String)), "write it as text, or as a list of texts"),
    ],
)
def test_the_cure_for_a_type_fits_the_field(name: str, kind: pl.DataType, mend: str) -> None:
    """No list where it is one already, and a column that every roster needs is not to be left out."""
    with pytest.raises(RosterError) as raised:
        bind(text_columns("uid", "name") | {name: kind})
    assert str(raised.value) == f"column '{name}' holds {kind}, of which no {name} can be made; {mend}"


def test_a_boolean_may_be_looked_up_for_a_name() -> None:
    """As what it stands for."""
    table = {"name": {"column": "x", "map": {"true": "Staff", "false": "Guest"}}}
    assert bind(text_columns("uid") | {"x": pl.Boolean()}, parse_mapping(table)).fields["name"].columns == ("x",)


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
    """Whatever has one text, and the nested forms that tags and metadata have."""
    assert bind(text_columns("uid", "name") | {name: kind}).fields[name] == FromColumn(name)


def test_a_mapped_column_that_is_not_there_is_told_with_the_nearest_one() -> None:
    """A slip of the pen is found by its neighbour."""
    with pytest.raises(RosterError) as raised:
        bound("uid", "name", "Dept", metadata={"department": "dept"})
    assert str(raised.value) == (
        "[columns] names the column 'dept', which the roster does not have; did you mean 'Dept'?; "
        "it has 'uid', 'name', 'Dept'"
    )


def test_the_mapping_wins_and_the_column_of_that_name_is_unknown_unless_used() -> None:
    """What is mapped is not claimed by name as well."""
    fields, metadata, unknown = bound("uid", "name", "id", "metadata.a", uid="id", metadata={"a": "name"})
    assert fields == {"uid": FromColumn("id"), "name": FromColumn("name")}
    assert metadata == {("a",): FromColumn("name")}
    assert unknown == ("uid", "metadata.a")
    assert bound("uid", "first", "name", name="{first} {name}", role="uid")[2] == ()


def test_columns_that_begin_with_an_underscore_are_passed_over_in_silence() -> None:
    """`_row` and `_errors` of a mended file are ours."""
    assert bound("uid", "name", "_row", "_errors", "_name", "note")[2] == ("note",)


def test_a_roster_without_a_required_column_is_recognised_by_the_columns_it_has() -> None:
    """The first ones, shortened: a wrong file shows."""
    names = [f"c{number}" for number in range(14)]
    with pytest.raises(RosterError) as raised:
        bind(text_columns("uid", *names))
    listed = "'uid', 'c0', 'c1', 'c2', 'c3', 'c4', 'c5', 'c6', 'c7', 'c8', 'c9', 'c10' and 3 more"
    assert str(raised.value) == (
        f"the roster has no name column; it has {listed}; name a column name, or map one under [columns]"
    )


@pytest.mark.parametrize(
    "form",
    [
        ["nothing", "a"],
        "{a|nothing}",
        {"column": "nothing", "map": {"a": "b"}},
        {"column": ["a", {"column": "nothing", "default": "x"}]},
    ],
)
def test_every_column_that_a_source_names_has_to_be_there(form: Any) -> None:
    """Also the second choice of a fallback."""
    with pytest.raises(RosterError, match="names the column 'nothing', which the roster does not have; did you mean"):
        bound("uid", "name", "a", "Nothing", role=form)


def test_the_rest_goes_into_the_metadata_under_its_own_names() -> None:
    """Every column that feeds nothing else, but for those that begin with `_`."""
    columns = ("uid", "name", "a.b", "@private", "_row", "metadata.x", "id")
    mapping = {"uid": "id", "others": "metadata"}
    assert bound(*columns, **mapping)[1:] == (
        {
            ("x",): FromColumn("metadata.x"),
            ("uid",): FromColumn("uid"),
            ("a.b",): FromColumn("a.b"),
            ("@private",): FromColumn("@private"),
        },
        (),
    )
    assert bound("uid", "name", "a.b", others="metadata.@private.rest")[1:] == (
        {("@private", "rest", "a.b"): FromColumn("a.b")},
        (),
    )


@pytest.mark.parametrize("column", [" _x", "\u200b_row", "_errors ", "\u200b", "\xa0"])
def test_the_rest_is_what_has_a_name_without_an_underscore(column: str) -> None:
    """Whatever cannot be seen around it."""
    assert bound("uid", "name", column, others="metadata")[1:] == ({}, ())
    assert bound("uid", "name", column)[2] == ()


@pytest.mark.parametrize("around", ["{} ", "\u200b{}\u200b", "\xa0{}"])
def test_what_cannot_be_seen_around_the_name_of_a_column_is_no_part_of_it(around: str) -> None:
    """Of a mapped one, and in the keys of the others; two that are one but for that are not decided between."""
    dept, mail = around.format("Dept"), around.format("mail")
    fields, metadata, _ = bound("uid", "name", dept, mail, link="{mail}", others="metadata")
    assert fields["link"] == Template(f"{{{mail}}}")
    assert metadata == {("Dept",): FromColumn(dept)}
    with pytest.raises(RosterError, match=r"metadata\.Dept has a source already"):
        bound("uid", "name", "Dept", dept, others="metadata")
    tables: list[dict[str, Any]] = [{"link": "mail"}, {"link": mail}, {"link": "{uid} {mail}"}]
    for table in [*tables, {"metadata": {"mail": "mail"}}]:
        spare = "mail" if table == {"link": mail} else mail
        mend = rf"rename or remove one, or put {re.escape(repr(spare))} under \[columns\] leave_out"
        said = rf"two columns for (link|metadata.mail): 'mail' and {re.escape(repr(mail))}; {mend}"
        with pytest.raises(RosterError, match=said):
            bound("uid", "name", "mail", mail, **table)
    for left_out in ("mail", mail, f"{mail} "):
        assert bound("uid", "name", "mail", mail, link="mail", leave_out=[left_out])[0]["link"] == FromColumn("mail")
    both = FirstOf((FromColumn("mail"), FromColumn(mail)))
    assert bound("uid", "name", "mail", mail, link=["mail", mail])[0]["link"] == both
    with pytest.raises(RosterError, match=r"two columns for link: .*; rename or remove one$"):
        bound("uid", "name", f"{mail} ", mail, link="mail")


@pytest.mark.parametrize("table", [{"deactivated": "mail"}, {"metadata": {"@private.mail": "mail"}}])
@pytest.mark.parametrize("others", ["metadata", "metadata.@private.hr"])
def test_what_looks_like_a_mapped_column_is_none_of_the_others(table: dict[str, Any], others: str) -> None:
    """Some rows would be without what the column says of them, and it would stand where others see it."""
    with pytest.raises(
        RosterError, match=r"^two columns for .*: 'mail' and 'mail '; rename or remove one, or put 'mail '"
    ):
        bound("uid", "name", "mail", "mail ", others=others, **table)
    assert ("mail",) not in bound("uid", "name", "mail", "mail ", others=others, leave_out=["mail"], **table)[1]


@pytest.mark.parametrize(
    ("columns", "mapping", "message"),
    [
        (["role", "role "], {"statusMessage": "{role}"}, "two columns for statusMessage: 'role' and 'role '; {}"),
        (["metadata.a", "metadata.a "], {"metadata": {"b": "metadata.a"}},
         "two columns for metadata.b: 'metadata.a' and 'metadata.a '; {}"),
        (["name "], {"link": "{name}"}, "two columns for link: 'name' and 'name '; {}"),
        (["role", "role "], {"role": "role"},
         "two columns for role: 'role' and 'role '; {}, or put 'role ' under [columns] leave_out"),
        (["a", " a", "a "], {"link": ["a", " a"]},
         "two columns for link: 'a' and 'a '; {}, or put 'a ' under [columns] leave_out"),
        ([" a", "a ", "a"], {"link": "a"},
         "two columns for link: ' a' and 'a '; {}, or put ' a' under [columns] leave_out"),
    ],
)  # fmt: skip
def test_of_columns_that_look_alike_those_nobody_has_decided_about_are_named(
    columns: list[str], mapping: dict[str, Any], message: str
) -> None:
    """And leave_out where it takes nothing away that is taken by its name."""
    with pytest.raises(RosterError) as raised:
        bound("uid", "name", *columns, **mapping)
    assert str(raised.value) == message.format("rename or remove one")


@pytest.mark.parametrize(
    ("columns", "mapping", "message"),
    [
        (["Dept"], {"others": "metadata", "metadata": {"Dept": "name"}}, ("[columns] others: metadata.Dept has a "
         "source already, the column 'Dept' cannot be put there too; rename one, or map the column")),
        (["a", "metadata.a.b"], {"others": "metadata"}, "metadata.a and metadata.a.b cannot both be set: rename one"),
        (["a", "b"], {"metadata": {"x.y": "a", "x": "b"}},
         "metadata.x and metadata.x.y cannot both be set: rename one under [columns]"),
        (["a", "metadata.rest"], {"others": "metadata.rest"},
         "metadata.rest and metadata.rest.a cannot both be set: rename one"),
    ],
)  # fmt: skip
def test_the_rest_displaces_nothing(columns: list[str], mapping: dict[str, Any], message: str) -> None:
    """Two sources for one key are refused, not decided."""
    with pytest.raises(RosterError) as raised:
        bound("uid", "name", *columns, **mapping)
    assert str(raised.value) == message


def test_what_is_left_out_feeds_nothing_but_what_it_is_mapped_to() -> None:
    """Neither by its name nor among the others; one that is not there is passed over."""
    columns = ("uid", "name", "metadata.email", "metadata.team", "Metadata", "avatar", "salary", "dept")
    mapping: dict[str, Any] = {"leave_out": ["metadata.email", "Metadata", "avatar", "salary", "iban"]}
    named = {"uid": FromColumn("uid"), "name": FromColumn("name")}
    assert bound(*columns, **mapping) == (named, {("team",): FromColumn("metadata.team")}, ("dept",))
    moved = mapping | {"others": "metadata", "metadata": {"@private.email": "metadata.email"}, "link": "avatar"}
    assert bound(*columns, **moved) == (
        named | {"link": FromColumn("avatar")},
        {
            ("@private", "email"): FromColumn("metadata.email"),
            ("team",): FromColumn("metadata.team"),
            ("dept",): FromColumn("dept"),
        },
        (),
    )


@pytest.mark.parametrize("around", ["{} ", "\u200b{}\u200b", "\xa0{}"])
def test_a_column_is_left_out_whatever_cannot_be_seen_around_its_name(around: str) -> None:
    """In the roster, or where it is named; of two that are one but for that, both are."""
    salary, mail = around.format("salary"), around.format("metadata.mail")
    for columns, names in ([salary, mail], ["salary", "metadata.mail"]), (["salary", "metadata.mail"], [salary, mail]):
        assert bound("uid", "name", *columns, leave_out=names, others="metadata")[1:] == ({}, ())
    assert bound("uid", "name", "salary", salary, leave_out=["salary"], others="metadata")[1:] == ({}, ())
    assert bound("uid", "name", "", leave_out=[""], others="metadata")[1:] == ({}, ())
    with pytest.raises(RosterError, match=r"leave_out takes away the column .*, by whose name the uid would be known"):
        bound(around.format("uid"), "name", leave_out=["uid"])


def test_a_needed_column_that_is_left_out_is_told_with_cures_that_work() -> None:
    """The column is there, so to look for another one is no cure."""
    said = (
        "[columns] leave_out takes away the column 'UID', by whose name the uid would be known; take it out of "
        "leave_out, or say under [columns] what uid is made of"
    )
    with pytest.raises(RosterError) as raised:
        bound("UID", "name", leave_out=["gone", "UID"])
    assert str(raised.value) == said
    fields = {"uid": FromColumn("UID"), "name": FromColumn("name")}
    assert bound("UID", "name", leave_out=["gone"]) == (fields, {}, ())
    assert bound("UID", "name", leave_out=["UID"], uid="UID") == (fields, {}, ())


@pytest.mark.parametrize(
    ("left_out", "others", "meant"),
    [
        ("metadata.pasword", "ignore", "metadata.password"),
        ("Metadata.Password ", "ignore", "metadata.password"),
        ("Salery", "metadata", "Salary"),
        # as good as any other name, where nothing is taken in that could be meant
        ("Salery", "ignore", None),
        ("metadata.plan", "ignore", None),
        # nothing but what other names may have besides
        ("", "metadata", None),
        ("***", "metadata", None),
    ],
)
def test_a_misspelled_name_leaves_nothing_in(left_out: str, others: str, meant: str | None) -> None:
    """What was to be left out would be sent without a word."""
    mapping = {"leave_out": [left_out], "others": others}
    columns = ("uid", "name", "metadata.password", "Salary", "(internal)")
    if meant is None:
        assert ("password",) in bound(*columns, **mapping)[1]
        return
    with pytest.raises(RosterError) as raised:
        bound(*columns, **mapping)
    assert str(raised.value) == (
        f"[columns] leave_out names the column {left_out!r}, which the roster does not have; did you mean {meant!r}? "
        "write the name as it stands there, or take it out of leave_out"
    )


@pytest.mark.parametrize(
    ("table", "kind", "message"),
    [
        ({"name": ["x", "name"]}, pl.List(pl.String), "of which no name can be made"),
        ({"tags": ["x", "name"]}, pl.List(pl.String), "of which tags can be made only as it stands"),
        ({"tags": {"columns": ["name", "{x}"]}}, pl.List(pl.String), "of which tags can be made only as it stands"),
        ({"metadata": {"column": "x", "default": "{}"}}, pl.Struct({"a": pl.Int64}),
         "of which metadata can be made only as it stands"),
        ({"metadata": {"k": ["x"]}}, pl.Struct({"a": pl.Int64}), "of which metadata.k can be made only as it stands"),
        ({"metadata": {"k": "{x}"}}, pl.Binary(), "of which no metadata.k can be made"),
        ({"metadata": {"k": "x"}}, pl.Duration("us"), "of which no metadata.k can be made"),
        ({"others": "metadata"}, pl.Binary(), "of which no metadata.x can be made"),
        ({"uid": "u-{x}"}, pl.Boolean(), "of which no uid can be made"),
        ({"name": ["x", "name"]}, pl.Boolean(), "of which no name can be made"),
    ],
)  # fmt: skip
def test_a_column_that_is_no_text_is_taken_only_as_it_stands(
    table: dict[str, Any], kind: pl.DataType, message: str
) -> None:
    """A list or a struct has no text for a template, a map or a fallback."""
    with pytest.raises(RosterError) as raised:
        bind(text_columns("uid", "name") | {"x": kind}, parse_mapping(table))
    assert str(raised.value).startswith(f"column 'x' holds {kind}, {message}")


def test_a_list_column_is_one_of_several_sources_of_tags() -> None:
    """Beside columns of text."""
    table = {"tags": {"columns": ["x", "name"]}, "metadata": {"k": "x"}}
    binding = bind(text_columns("uid", "name") | {"x": pl.List(pl.String)}, parse_mapping(table))
    assert binding.fields["tags"] == Joined((FromColumn("x"), FromColumn("name")))


def test_a_binding_tells_whether_uids_are_encoded() -> None:
    """Messages about a uid say then what it was made of."""
    schema = text_columns("uid", "name")
    encoded = {"uid": ["uid", {"column": "name", "encode": "slug"}]}
    assert [bind(schema, parse_mapping(table)).encodes_uids for table in ({}, encoded)] == [False, True]


@pytest.mark.parametrize(
    ("columns", "meant"),
    [
        (["Personalnummer", "Vorname", "Nachname", "Ort"],
         "; did you mean 'Personalnummer' by uid, 'Vorname' and 'Nachname' by name?"),
        (["E-Mail", "Anzeigename"], "; did you mean 'E-Mail' by uid, 'Anzeigename' by name?"),
        (["{id}", "Anzeigename"],
         "; did you mean '{id}' by uid, 'Anzeigename' by name? under [columns] that is written '{{id}}'"),
        (["Ort", "PLZ"], ""),
    ],
)  # fmt: skip
def test_all_that_is_missing_is_told_at_once_with_what_may_be_meant(columns: list[str], meant: str) -> None:
    """By words for it, in any language; nobody has to mend one fault to learn of the next."""
    with pytest.raises(RosterError) as error:
        bind(dict.fromkeys(columns, pl.String()))
    there = ", ".join(map(repr, columns))
    assert str(error.value) == (
        f"the roster has no uid column and no name column{meant}; it has {there}; name columns uid and name, or map "
        "others under [columns]"
    )


def test_the_private_part_is_private_in_any_case() -> None:
    """A column or a key of the mapping that is called so in capitals would be seen by everybody."""
    private = {("@private", "mail"): FromColumn("metadata.@PRIVATE.mail")}
    assert bound("uid", "name", "metadata.@PRIVATE.mail")[1:] == (private, ())
    mapped = bound("uid", "name", "Mail", "Pay", metadata={"@Private": {"mail": "Mail"}}, others="metadata.@PRIVATE")
    assert mapped[1:] == ({("@private", "mail"): FromColumn("Mail"), ("@private", "Pay"): FromColumn("Pay")}, ())
    with pytest.raises(ConfigurationError, match=r"metadata\.@private\.mail is mapped twice"):
        parse_mapping({"metadata": {"@private.mail": "a", "@PRIVATE.mail": "b"}})


@pytest.mark.parametrize("column", ["_row", "_errors", "_apostrophes", " _row", "_errors\u200b"])
@pytest.mark.parametrize(
    "make",
    [
        lambda column: {"uid": column},
        lambda column: {"statusMessage": f"{{{column}}}!"},
        lambda column: {"role": ["role", column]},
        lambda column: {"name": {"column": column, "default": "x"}},
        lambda column: {"metadata": {"a": {"b": column}}},
    ],
)
def test_nothing_is_made_of_a_column_that_rejected_rows_come_back_with(
    column: str, make: Callable[[str], dict[str, Any]]
) -> None:
    """A mended round would make users of our row numbers, and publish our words on their profiles."""
    with pytest.raises(ConfigurationError) as raised:
        parse_mapping(make(column))  # before there is a roster
    kept = "a name that is kept for what is added to rejected rows"
    assert str(raised.value) == f"[columns] names the column {column!r}, {kept}; rename it in the roster, and there"

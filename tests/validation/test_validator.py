"""The validator: every rule from both sides, every form a value can have, and the oracle for everything between."""

from __future__ import annotations

import datetime as dt
import json
import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from provisioner.model import AuthTokens
from provisioner.roster.formats.rows import RosterBatch
from provisioner.roster.reader import open_roster
from provisioner.validation.constraints import DEFECTS, Constraints
from provisioner.validation.fields.binding import bind
from provisioner.validation.fields.mapping import ColumnMapping, parse_mapping
from provisioner.validation.rules import body_rule, rules
from provisioner.validation.survey import Survey, survey
from provisioner.validation.validator import Checked, Found, Validator, reject
from tests.rig import rules as oracle

ANN = {"uid": "ann", "name": "Ann"}


def check(
    rows: list[dict[str, Any]] | pl.DataFrame,
    *,
    mapping: ColumnMapping | None = None,
    constraints: Constraints | None = None,
    auth_tokens: AuthTokens = AuthTokens.NONE,
) -> Checked:
    """Check rows as one batch; rows of texts are those of a CSV."""
    frame = rows if isinstance(rows, pl.DataFrame) else csv_frame(rows)
    binding = bind(frame.schema, mapping)
    validator = Validator(binding, constraints or Constraints(), Survey(frame.height), auth_tokens=auth_tokens)
    return validator.check(RosterBatch(1, frame))


def csv_frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    columns = list(dict.fromkeys(column for row in rows for column in row))
    return pl.DataFrame({column: [row.get(column) for row in rows] for column in columns}).cast(pl.String)


def codes(**cells: Any) -> list[str]:
    """The codes of the defects of one row, in the order in which they are reported."""
    checked = check([{**ANN, **cells}])
    message = checked.lines["error_message"].item()
    return [part.partition(":")[0] for part in message.split("; ")] if message else []


def messages(**cells: Any) -> str:
    return str(check([{**ANN, **cells}]).lines["error_message"].item())


def body(**cells: Any) -> Any:
    """The body of one valid row of a CSV, parsed."""
    return parsed(check([{**ANN, **cells}]))


def parsed(checked: Checked) -> Any:
    assert checked.lines["error_message"].to_list() == [None]
    return json.loads(checked.valid["body"].item())


BOUNDARIES = [
    ("uid", "a" * 100, []),
    ("uid", "a" * 101, ["uid.too_long"]),
    ("uid", "Az-09", []),
    ("uid", "a_b", ["uid.charset"]),
    ("uid", "a.b", ["uid.charset"]),
    ("uid", "a b", ["uid.charset"]),
    ("uid", "é", ["uid.charset"]),
    ("uid", "\u212a", ["uid.charset"]),
    ("uid", "a\n", []),
    ("uid", "\u200ba", ["uid.charset"]),
    ("uid", " \u00a0\u2003\t", ["uid.missing"]),
    ("uid", "", ["uid.missing"]),
    ("uid", None, ["uid.missing"]),
    ("uid", "é" * 101, ["uid.charset", "uid.too_long"]),
    ("name", None, ["name.missing"]),
    ("name", "\u3000", ["name.missing"]),
    ("name", "😀" * 100, []),
    ("name", "😀" * 101, ["name.too_long"]),
    ("avatar", "https://e.org/" + "a" * 2986, []),
    ("avatar", "https://e.org/" + "a" * 2987, ["avatar.too_long"]),
    ("link", "HTTP://e", []),
    ("link", "http://[::1]:80/x?y#z", []),
    ("link", "https://user:word@e.org:8/p", []),
    ("link", "https://münchen.example/ä", []),
    ("link", "https://", ["link.not_a_url"]),
    ("link", "https:///path", ["link.not_a_url"]),
    ("link", "https://:80/", ["link.not_a_url"]),
    ("link", "https://user@/", ["link.not_a_url"]),
    ("link", "https://e.org:x/", ["link.not_a_url"]),
    ("link", "ftp://e.org", ["link.not_a_url"]),
    ("link", "e.org", ["link.not_a_url"]),
    ("link", "https://e.org/a b", ["link.not_a_url"]),
    ("link", "https://e.org/a\u2003b", ["link.not_a_url"]),
    ("link", "https://e.org/a\x00", ["link.not_a_url"]),
    ("link", "https://e.org/a\x9f", ["link.not_a_url"]),
    ("link", "x" * 3001, ["link.too_long", "link.not_a_url"]),
    ("role", "A_b-9", []),
    ("role", "r" * 100, []),
    ("role", "r" * 101, ["role.charset"]),
    ("role", "team lead", ["role.charset"]),
    ("role", "rôle", ["role.charset"]),
    ("tags", ";".join("t" * 25), []),
    ("tags", ";".join("t" * 26), ["tags.too_many"]),
    ("tags", " ; ".join("t" * 25) + ";; ", []),
    ("tags", "😀" * 100, []),
    ("tags", "😀" * 101, ["tags.too_long"]),
    ("tags", "x;" + "t" * 100, []),
    ("tags", ";".join([*("t" * 25), "t" * 101]), ["tags.too_many", "tags.too_long"]),
    ("tags", json.dumps(["t"] * 25), []),
    ("tags", json.dumps(["t"] * 26), ["tags.too_many"]),
    ("tags", json.dumps(["t"] * 25 + [" ", None]), []),
    ("tags", "[1]", ["tags.not_a_list"]),
    ("tags", '["a", ["b"]]', ["tags.not_a_list"]),
    ("tags", '["a"', ["tags.not_a_list"]),
    ("tags", '["a"] x', ["tags.not_a_list"]),
    ("tags", "[", ["tags.not_a_list"]),
    ("tags", '["\\ud800"]', ["tags.not_a_list"]),
    ("metadata", json.dumps({"k": "v" * 5112}, separators=(",", ":")), []),
    ("metadata", json.dumps({"k": "v" * 5113}, separators=(",", ":")), ["metadata.too_large"]),
    ("metadata", json.dumps({"k": "é" * 2556}), []),
    ("metadata", json.dumps({"k": "é" * 2557}), ["metadata.too_large"]),
    ("metadata", "{}", []),
    ("metadata", "[]", ["metadata.not_an_object"]),
    ("metadata", '"a"', ["metadata.not_an_object"]),
    ("metadata", "null", ["metadata.not_an_object"]),
    ("metadata", "5", ["metadata.not_an_object"]),
    ("metadata", "{'a': 1}", ["metadata.not_an_object"]),
    ("metadata", '{"a": NaN}', ["metadata.not_an_object"]),
    ("metadata", '{"a": -Infinity, "b": 12345678901234567890}', ["metadata.not_an_object"]),
    ("metadata", '{"a": 1e400}', ["metadata.not_an_object"]),
    ("metadata", '{"a": "\\ud800"}', ["metadata.not_an_object"]),
    ("metadata", '{"a": "\\ud800", "b": 12345678901234567890}', ["metadata.not_an_object"]),
    ("metadata", '{"a": 1} {}', ["metadata.not_an_object"]),
    ("metadata", '{"a":' * 300 + "1" + "}" * 300, ["metadata.not_an_object"]),
    ("metadata", "[" * 100_000, ["metadata.not_an_object"]),
    ("withAuthToken", "Yes", []),
    ("withAuthToken", "maybe", ["with_auth_token.not_a_boolean"]),
    ("withAuthToken", "2", ["with_auth_token.not_a_boolean"]),
]


@pytest.mark.parametrize(("column", "cell", "expected"), BOUNDARIES)
def test_each_rule_holds_up_to_its_boundary_and_no_further(column: str, cell: str, expected: list[str]) -> None:
    assert codes(**{column: cell}) == expected


def test_a_whole_request_may_have_10240_bytes_with_the_token_counted() -> None:
    """Twenty-one bytes of the limit are taken when a token is asked for."""
    fixed = {**ANN, "metadata": json.dumps({"k": "m" * 5000}), "avatar": "https://e.org/" + "a" * 2986}
    room = 10240 - len('{"uid":"ann","name":"Ann","avatar":"","link":"","metadata":{"k":""}}') - 5000 - 3000
    url = "https://e.org/".ljust(room, "l")
    row, longer = {**fixed, "link": url}, {**fixed, "link": url + "l"}
    for cells, tokens, expected in [
        (row, AuthTokens.NONE, None),
        (longer, AuthTokens.NONE, "body.too_large: 10241 bytes, at most 10240"),
        (row, AuthTokens.ALL, "body.too_large: 10261 bytes, at most 10240"),
        ({**fixed, "link": url[:-21]}, AuthTokens.CREATED, None),
        ({**longer, "withAuthToken": "no"}, AuthTokens.CREATED, "body.too_large: 10241 bytes, at most 10240"),
    ]:
        assert check([cells], auth_tokens=tokens).lines["error_message"].item() == expected


def test_every_defect_of_a_row_is_reported_in_the_order_of_the_table() -> None:
    checked = check([{
        "uid": "a_b" * 40, "name": "n" * 101, "avatar": "x" * 3001, "link": "y" * 3001, "role": "?",
        "tags": ";".join(["t" * 101] * 26), "metadata": "[]", "withAuthToken": "?",
    }])  # fmt: skip
    found = [part.partition(":")[0] for part in checked.lines["error_message"].item().split("; ")]
    absent = {
        "uid.missing", "name.missing", "uid.duplicate", "tags.not_a_list", "metadata.too_large", "body.too_large",
        "role.unknown",
    }  # fmt: skip
    assert found == [code for code in DEFECTS if code not in absent]
    assert checked.lines["error_code"].item() == "uid.charset"
    assert list(checked.defects.items()) == [(code, Found(1, (1,))) for code in found]


def test_there_is_one_rule_for_each_code_in_the_order_of_the_table() -> None:
    """All but the one that only the API can judge."""
    constraints = Constraints()
    codes = [rule.code for rule in (*rules(constraints), body_rule(constraints))]
    assert codes == [code for code in DEFECTS if code != "role.unknown"]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"uid": "ann@ex"}, "uid.charset: '@' in 'ann@ex', only ASCII letters, digits and - are allowed"),
        ({"uid": "a\tb"}, "uid.charset: '\\t' in 'a\\tb', only ASCII letters, digits and - are allowed"),
        ({"uid": None}, "uid.missing: no uid, one is required"),
        ({"name": "n" * 132}, "name.too_long: 132 characters, at most 100"),
        ({"tags": ";".join("t" * 27)}, "tags.too_many: 27 tags, at most 25"),
        ({"tags": "t" * 120}, "tags.too_long: 120 characters in one tag, at most 100"),
        ({"tags": '["a", 1]'}, "tags.not_a_list: '1' is no string, a JSON array of strings is needed"),
        ({"metadata": "[1,2]"}, "metadata.not_an_object: '[1,2]' is no object, a JSON object is needed"),
        ({"metadata": '{"k":"' + "v" * 6000 + '"}'}, "metadata.too_large: 6008 bytes, at most 5120"),
        (
            {"link": "www." + "x" * 60},
            f"link.not_a_url: 'www.{'x' * 36}…' is no URL, one with http:// or https:// and a host is needed",
        ),
        ({"role": "r" * 101}, "role.charset: 101 characters, at most 100"),
        (
            {"withAuthToken": "maybe"},
            "with_auth_token.not_a_boolean: 'maybe' is neither true nor false (nor yes, no, 1, 0, t, f, y, n)",
        ),
    ],
)
def test_a_message_says_what_was_found_and_what_is_allowed(cells: dict[str, str], expected: str) -> None:
    assert messages(**cells) == expected


def test_limits_can_be_changed() -> None:
    rows = [{"uid": "a_b", "name": "n" * 5, "tags": "a;b;c", "metadata": '{"k":1}', "role": "rrrr"}]
    tight = Constraints(
        uid_max_length=2, uid_allow_underscore=True, name_max_length=4, tags_max=2, tag_max_length=0,
        metadata_max_bytes=6, role_max_length=3,
    )  # fmt: skip
    assert check(rows, constraints=tight).lines["error_message"].to_list() == [
        (
            "uid.too_long: 3 characters, at most 2; name.too_long: 5 characters, at most 4; "
            "role.charset: 4 characters, at most 3; tags.too_many: 3 tags, at most 2; "
            "tags.too_long: 1 characters in one tag, at most 0; metadata.too_large: 7 bytes, at most 6"
        )
    ]


def test_the_body_has_a_fixed_order_and_nothing_escaped_that_need_not_be() -> None:
    """Bytes count towards a limit, and the journal compares bodies by hash."""
    checked = check([{
        "withAuthToken": "true", "tags": "x;y", "metadata": '{ "b" : "é/\\u00e9\\u0001" , "a" : null }',
        "statusMessage": 'say "hi"\\\n\x7f', "role": "Member", "link": 'https://e.org/"\\', "avatar": "https://e.org/ä",
        "name": " Zoë\u2028😀 ", "uid": " AnN ",
    }])  # fmt: skip
    assert checked.valid.drop("role").rows() == [(
        1,
        "ann",
        ('{"uid":"ann","name":"Zoë\u2028😀","avatar":"https://e.org/ä","link":"https://e.org/\\"\\\\",'
        '"role":"member","statusMessage":"say \\"hi\\"\\\\\\n\x7f","metadata":{"b":"é/é\\u0001","a":null},'
        '"tags":["x","y"]}'),
        False,
    )]  # fmt: skip


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
        ("{}", ["{}"]),
    ],
)
def test_tags_are_read_in_every_form(cell: str | None, expected: list[str] | None) -> None:
    assert body(tags=cell) == ANN | ({"tags": expected} if expected else {})


@pytest.mark.parametrize("separator", ["|", ",", "; ", " ", ".", '"', "]", "\\"])
def test_tags_are_split_at_any_separator(separator: str) -> None:
    mapping = parse_mapping({"tags_separator": separator})
    row = {**ANN, "tags": separator.join(["one", "two", "three"])}
    assert parsed(check([row], mapping=mapping))["tags"] == ["one", "two", "three"]


def test_the_tags_of_a_parquet_list_are_trimmed_and_counted_without_blanks() -> None:
    lists = [[" x ", None, "", 'y"'], [], None, ["t"] * 26, ["t" * 101], ["\u2003"]]
    frame = pl.DataFrame({"uid": list("abcdef"), "name": ["n"] * 6, "tags": lists})
    checked = check(frame)
    assert [json.loads(text).get("tags") for text in checked.valid["body"]] == [["x", 'y"'], None, None, None]
    assert checked.lines["error_message"].drop_nulls().to_list() == [
        "tags.too_many: 26 tags, at most 25",
        "tags.too_long: 101 characters in one tag, at most 100",
    ]


def test_numbers_in_a_parquet_list_of_tags_become_text() -> None:
    frame = pl.DataFrame({"uid": ["a"], "name": ["n"], "tags": [[1, 2]]})
    assert parsed(check(frame))["tags"] == ["1", "2"]


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
    checked = check([{**ANN, "metadata": text}])
    written = checked.valid["body"].item()
    assert json.loads(written)["metadata"] == json.loads(text)
    assert len(written.encode()) <= len(oracle.compact({**ANN, "metadata": json.loads(text)}))


@pytest.mark.parametrize(
    "number", ["12345678901234567890123", "0.12345678901234567890", "1e300", "1E-7", "-0.0", "100000000000000000.5"]
)
def test_no_number_in_given_metadata_changes_silently(number: str) -> None:
    """A float would round it, or write it in another form."""
    checked = check([{**ANN, "metadata": f'{{"n": {number}}}'}])
    assert checked.valid["body"].item() == f'{{"uid":"ann","name":"Ann","metadata":{{"n":{number}}}}}'


def test_columns_for_single_keys_are_merged_and_win() -> None:
    row = {"metadata": '{"a": 1, "b": {"c": 2}, "d": 3}', "metadata.b.x": " y ", "Metadata.d": "4",
           "metadata.@private.email": "ann@e.org", "metadata.empty": " "}  # fmt: skip
    assert body(**row)["metadata"] == {
        "a": 1, "b": {"c": 2, "x": "y"}, "d": "4", "@private": {"email": "ann@e.org"},
    }  # fmt: skip
    assert body(**{**row, "metadata": None})["metadata"] == {
        "b": {"x": "y"}, "d": "4", "@private": {"email": "ann@e.org"},
    }  # fmt: skip


def test_a_broken_object_is_reported_even_with_columns_beside_it() -> None:
    assert codes(metadata="{", **{"metadata.a": "b"}) == ["metadata.not_an_object"]


def test_rows_without_any_metadata_send_none() -> None:
    assert body(**{"metadata.a": "", "metadata.@private.b": None}) == ANN
    assert body(metadata=" ", **{"metadata.a": ""}) == ANN


def typed(**columns: Any) -> pl.DataFrame:
    return pl.DataFrame({"uid": ["ann"], "name": ["Ann"], **{key: [value] for key, value in columns.items()}})


def test_a_parquet_struct_is_metadata_without_its_null_members() -> None:
    struct = {"s": 'x"y', "n": None, "i": 7, "b": False, "inner": {"a": None, "b": "c"}, "gone": {"a": None}}
    expected = {"s": 'x"y', "i": 7, "b": False, "inner": {"b": "c"}}
    assert parsed(check(typed(metadata=struct)))["metadata"] == expected
    with_float = {**struct, "f": 1.5, "day": dt.date(2024, 2, 29), "list": [1, None], "d": Decimal("1.10")}
    written = check(typed(metadata=with_float)).valid["body"].item()
    assert json.loads(written)["metadata"] == expected | {"f": 1.5, "day": "2024-02-29", "list": [1, None], "d": 1.1}
    assert '"d":1.10' in written
    assert parsed(check(typed(metadata={"a": None, "b": {"c": None}}))) == ANN


def test_a_parquet_map_is_metadata() -> None:
    kind = pl.Map(pl.String, pl.Int64)
    frame = typed().with_columns(pl.Series("metadata", [{"a": 1, "b": None}], dtype=kind))
    assert parsed(check(frame))["metadata"] == {"a": 1}


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_a_struct_with_a_number_json_does_not_have_is_no_object(number: float) -> None:
    checked = check(typed(metadata={"a": number}))
    assert checked.lines["error_code"].item() == "metadata.not_an_object"


def test_a_struct_and_columns_are_merged_whatever_their_types() -> None:
    frame = typed(
        **{"metadata": {"a": 1, "b": {"c": "d"}}, "metadata.a": None, "metadata.level": 3, "metadata.b.e": True}
    ).with_columns(pl.lit("2").alias("metadata.b.c"))
    assert parsed(check(frame))["metadata"] == {"a": 1, "b": {"c": "2", "e": True}, "level": 3}
    dated = typed(**{"metadata": {"a": {"x": 1}}, "metadata.a": dt.datetime(2024, 1, 2, 3, 4, 5)})  # noqa: DTZ001
    assert parsed(check(dated))["metadata"] == {"a": "2024-01-02T03:04:05"}


@pytest.mark.parametrize(
    ("value", "uid", "uid_input"),
    [
        (7, "7", "7"),
        (123.0, "123", "123.0"),
        (Decimal("123.00"), "123", "123.00"),
        (True, "true", "true"),
    ],
)
def test_parquet_numbers_become_text(value: Any, uid: str, uid_input: str) -> None:
    checked = check(pl.DataFrame({"uid": [value], "name": ["Ann"]}))
    assert checked.lines.rows() == [(1, uid, uid_input, None, None)]


@pytest.mark.parametrize(("value", "code"), [(1.5, "uid.charset"), (float("nan"), "uid.missing")])
def test_a_float_that_is_no_whole_number_is_no_uid(value: float, code: str) -> None:
    assert check(pl.DataFrame({"uid": [value], "name": ["Ann"]})).lines["error_code"].item() == code


def test_a_row_that_speaks_of_tokens_itself_wins_but_none_is_none() -> None:
    words = ["TRUE", "yes", "1", "t", "Y", "false", "No", "0", "F", "n", None, " "]
    frame = pl.DataFrame({"uid": list("abcdefghijkl"), "name": ["n"] * 12, "with_auth_token": words})
    asked = [True] * 5 + [False] * 5 + [True] * 2
    assert check(frame, auth_tokens=AuthTokens.CREATED).valid["token"].to_list() == asked
    assert check(frame, auth_tokens=AuthTokens.ALL).valid["token"].to_list() == asked
    assert check(frame, auth_tokens=AuthTokens.NONE).valid["token"].to_list() == [False] * 12
    booleans = pl.DataFrame({"uid": ["a", "b"], "name": ["n", "n"], "withAuthToken": [True, False]})
    assert check(booleans, auth_tokens=AuthTokens.ALL).valid["token"].to_list() == [True, False]


def test_lines_and_rejected_rows_hold_what_the_roster_held() -> None:
    frame = csv_frame([
        {"uid": " ANN ", "name": "Ann", "_row": "9", "_errors": "old", "note": "x"},
        {"uid": "Bo b", "name": " ", "_row": None, "_errors": None, "note": " y "},
        {"uid": " ", "name": "C", "_row": None, "_errors": None, "note": None},
    ])  # fmt: skip
    checked = check(frame)
    bob = ("uid.charset: ' ' in 'bo b', only ASCII letters, digits and - are allowed", "name.missing")
    message = f"name.missing: no name, one is required; {bob[0]}"
    missing = "uid.missing: no uid, one is required"
    assert checked.lines.rows() == [
        (1, "ann", " ANN ", None, None),
        (2, "bo b", "Bo b", "name.missing", message),
        (3, None, " ", "uid.missing", missing),
    ]
    assert checked.rejected.columns == ["uid", "name", "note", "_row", "_errors"]
    assert checked.rejected.rows() == [("Bo b", " ", " y ", 2, message), (" ", "C", None, 3, missing)]
    assert checked.lines.schema == {
        "row": pl.Int64, "uid": pl.String, "uid_input": pl.String, "error_code": pl.String, "error_message": pl.String,
    }  # fmt: skip
    assert checked.valid.schema == {
        "row": pl.Int64,
        "uid": pl.String,
        "body": pl.String,
        "token": pl.Boolean,
        "role": pl.String,
    }


def test_a_batch_without_rejected_rows_has_frames_of_the_same_shape() -> None:
    checked = check([ANN])
    assert checked.rejected.schema == {"uid": pl.String, "name": pl.String, "_row": pl.Int64, "_errors": pl.String}
    assert (checked.valid.height, checked.rejected.height, dict(checked.defects)) == (1, 0, {})


def test_mapped_columns_templates_and_constants_feed_the_fields() -> None:
    mapping = parse_mapping({
        "uid": "employee_id", "name": "{first} {last}", "role": {"value": "Default"}, "tags": {"value": ["a", "b"]},
        "withAuthToken": {"value": False}, "metadata": {"department": "dept", "@private": {"email": "mail"},
        "level": {"value": 3}},
    })  # fmt: skip
    frame = csv_frame([
        {"employee_id": "E1", "first": " Ann ", "last": "Lee", "dept": "R&D", "mail": None},
        {"employee_id": "E2", "first": " ", "last": None, "dept": None, "mail": None},
        {"employee_id": "E3", "first": None, "last": "Poe", "dept": " ", "mail": "p@e.org"},
    ])  # fmt: skip
    checked = check(frame, mapping=mapping, auth_tokens=AuthTokens.ALL)
    shared = {"role": "default", "tags": ["a", "b"]}
    assert [json.loads(text) for text in checked.valid["body"]] == [
        {"uid": "e1", "name": "Ann Lee", "metadata": {"department": "R&D", "level": 3}, **shared},
        {"uid": "e3", "name": "Poe", "metadata": {"@private": {"email": "p@e.org"}, "level": 3}, **shared},
    ]
    assert checked.valid["token"].to_list() == [False, False]
    assert checked.lines["error_code"].to_list() == [None, "name.missing", None]


def test_constants_alone_are_as_many_as_the_rows() -> None:
    mapping = parse_mapping({"uid": {"value": "u"}, "name": {"value": "n"}, "metadata": {"value": {"a": [1.5]}}})
    checked = check(pl.DataFrame({"x": ["1", "2"]}), mapping=mapping)
    assert checked.valid["body"].to_list() == ['{"uid":"u","name":"n","metadata":{"a":[1.5]}}'] * 2


def random_cells(source: random.Random) -> dict[str, str | None]:
    """One row of a roster nobody has looked after."""
    spaces = ["", "", "", " ", "\u00a0", "\u2003\t", "\u200b", "\x1f", "\n"]
    text = ["a", "Ann", "é", "😀", '"', "\\", "\x00", "\x1b", " ", ",", ";", ": ", "\u2028", "x" * 40, "[", "{", "\x7f"]
    scalars = [
        '"v"',
        '"é, "',
        "1",
        "-7",
        "1.5",
        "true",
        "null",
        "12345678901234567890",
        '"\\n"',
        '"\\ud800"',
        "NaN",
        "0",
    ]

    def words(most: int) -> str:
        return "".join(source.choice(text) for _ in range(source.randrange(most)))

    def value(depth: int) -> str:
        kind = source.randrange(8) if depth else 0
        gap = source.choice(["", " ", " "])
        if kind == 6:
            return f"[{f',{gap}'.join(value(depth - 1) for _ in range(source.randrange(4)))}]"
        if kind == 7:
            return whole(depth - 1)
        return source.choice(scalars)

    def whole(depth: int) -> str:
        gap = source.choice(["", " ", " "])
        keys = source.sample(["a", "b", "@private", "é", "k" * 30, ""], source.randrange(5))
        return "{" + f",{gap}".join(f'"{key}":{gap}{value(depth)}' for key in keys) + "}"

    def tags() -> str:
        several = [words(4) for _ in range(source.choice([0, 1, 2, 3, 24, 25, 26, 27]))]
        return source.choice([json.dumps(several), ";".join(several), " ; ".join(several), words(5), '["a", 1]'])

    uid = source.choice([f"U-{source.randrange(60)}", f"u{source.randrange(10**9)}", words(3), "u_1", "k" * 101])
    url = source.choice(["https://e.org/" + words(3), "HTTP://[::1]/", "https://" + words(3), words(3), "http://e:1?"])
    odd = {
        "uid": uid,
        "name": source.choice([words(5), "n" * 101]),
        "avatar": url,
        "link": source.choice(["https://e.org/" + "l" * 2986, "https://e.org/" + "l" * 2987, url]),
        "role": source.choice(["no role", "r_1", words(3)]),
        "status_message": words(6),
        "metadata": source.choice([whole(3), whole(1), whole(2), words(3), f'{{"k": "{"é" * 2600}"}}', "[1]"]),
        "tags": tags(),
        "WithAuthToken": source.choice(["yes", "F", "maybe"]),
        "metadata.a": words(3),
        "metadata.@private.email": "a@e.org",
    }
    plain = {
        "uid": f"Emp-{source.randrange(10**9)}", "name": "Zoë", "avatar": "https://e.org/" + "a" * 2986,
        "role": "Member", "metadata": f'{{"d": "{"m" * source.randrange(5000)}", "l": [1, 2]}}', "tags": "x;y",
    }  # fmt: skip
    cells = {key: cell if source.random() < 0.2 else plain.get(key, "") for key, cell in odd.items()}
    return {
        key: source.choice([cell or None, source.choice(spaces) + cell + source.choice(spaces), cell])
        for key, cell in cells.items()
    }


@pytest.mark.parametrize("single_keys", [True, False])
@pytest.mark.parametrize("seed", range(4))
def test_row_by_row_the_validator_agrees_with_the_oracle(tmp_path: Path, seed: int, single_keys: bool) -> None:
    """Same codes in the same order, same uid, same body to the byte, same token; over batches of odd sizes."""
    source = random.Random(seed)
    rows = [random_cells(source) for _ in range(600)]
    if not single_keys:
        rows = [{key: cell for key, cell in row.items() if not key.startswith("metadata.")} for row in rows]
    frame = csv_frame(rows)
    expected = oracle.judge(
        {**row, "statusMessage": row["status_message"], "withAuthToken": row["WithAuthToken"]} for row in rows
    )
    binding = bind(frame.schema)
    roster = FramesRoster(frame, [1, 7, 92, 500])
    validator = Validator(binding, Constraints(), survey(roster, binding, tmp_path), auth_tokens=AuthTokens.CREATED)
    checked = [validator.check(batch) for batch in roster.batches()]
    lines = pl.concat([each.lines for each in checked])
    valid = {row: (body, token) for each in checked for row, _, body, token, _ in each.valid.rows()}
    for number, judged in enumerate(expected, 1):
        message = lines["error_message"][number - 1]
        found = [part.partition(":")[0] for part in message.split("; ")] if message else []
        assert (number, lines["uid"][number - 1]) == (number, judged.uid)
        assert (number, [code for code in found if code in DEFECTS]) == (number, judged.codes)
        if not judged.codes:
            text, token = valid.pop(number)
            assert (number, json.loads(text), token) == (number, judged.body, judged.token)
            assert (number, list(json.loads(text)), len(text.encode())) == (number, list(judged.body), judged.size)
    assert valid == {}


class FramesRoster:
    """A roster that is a frame in memory, cut into batches of the given sizes."""

    name = "memory.csv"
    rejected_delimiter = ","
    size = 0

    def __init__(self, frame: pl.DataFrame, sizes: list[int]) -> None:
        self.frame, self.sizes = frame, sizes
        self.schema = frame.schema
        self.columns = tuple(frame.columns)

    def batches(self, _progress: object = None) -> Any:
        start = 0
        for size in self.sizes:
            yield RosterBatch(start + 1, self.frame.slice(start, size))
            start += size

    def parts(self) -> list[tuple[str, int]]:
        return []

    def close(self) -> None:
        pass


def test_a_csv_and_a_parquet_file_of_the_same_people_give_the_same_bodies(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"uid": "007", "name": 'Ann "A" Lee', "tags": "a;b", "metadata": '{"a": 1, "b": {"c": "d"}}'},
        {"uid": "Bob", "name": " Bob ", "tags": None, "metadata": None},
    ]
    typed_rows = pl.DataFrame({
        "uid": ["007", "Bob"], "name": ['Ann "A" Lee', " Bob "], "tags": [["a", "b"], None],
        "metadata": [{"a": 1, "b": {"c": "d"}}, None],
    })  # fmt: skip
    csv_frame(rows).write_csv(tmp_path / "people.csv")
    typed_rows.write_parquet(tmp_path / "people.parquet")
    bodies = []
    for name in ("people.csv", "people.parquet"):
        roster = open_roster(tmp_path / name)
        binding = bind(roster.schema)
        validator = Validator(binding, Constraints(), survey(roster, binding, tmp_path), auth_tokens=AuthTokens.NONE)
        bodies.append([text for batch in roster.batches() for text in validator.check(batch).valid["body"]])
    assert bodies[0] == bodies[1]
    assert bodies[0][0] == '{"uid":"007","name":"Ann \\"A\\" Lee","metadata":{"a":1,"b":{"c":"d"}},"tags":["a","b"]}'


def test_rows_that_are_rejected_afterwards_move_with_their_reason() -> None:
    """What only the API can judge: such a row leaves the valid ones for the rejected ones, in roster order."""
    batch = RosterBatch(
        5, csv_frame([{"uid": uid, "name": name} for uid, name in zip("abc", ("A", "", "C"), strict=True)])
    )
    binding = bind(batch.frame.schema)
    checked = Validator(binding, Constraints(), Survey(3), auth_tokens=AuthTokens.CREATED).check(batch)
    moved = reject(checked, batch, "role.unknown", {5: "why not"})
    missing = "name.missing: no name, one is required"
    assert moved.valid["row"].to_list() == [7]
    assert moved.lines.rows() == [
        (5, "a", "a", "role.unknown", "role.unknown: why not"), (6, "b", "b", "name.missing", missing),
        (7, "c", "c", None, None),
    ]  # fmt: skip
    assert moved.rejected.select("uid", "_row", "_errors").rows() == [
        ("a", 5, "role.unknown: why not"), ("b", 6, missing),
    ]  # fmt: skip
    assert moved.defects == {"name.missing": Found(1, (6,)), "role.unknown": Found(1, (5,))}
    assert (checked.warnings, moved.warnings) == ({}, {})

"""The rules: every one from both sides, the words it is told in, and their order."""

from __future__ import annotations

import json

import polars as pl
import pytest

from provisioner.validation.constraints import DEFECTS, Constraints
from provisioner.validation.rules import Found, Rule, body_rule, rules
from tests.rig.checking import check, codes, messages

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
    ("uid", "\u200ba", []),
    ("uid", "b\u200ba", ["uid.charset"]),
    ("uid", "NULL", ["uid.placeholder"]),
    ("uid", "#n/a", ["uid.placeholder"]),
    ("uid", "nulls", []),
    ("name", "\u200b\ufeff", ["name.missing"]),
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
    ("metadata", "[]", []),
    ("metadata", "[1]", ["metadata.not_an_object"]),
    ("metadata", '"a"', ["metadata.not_an_object"]),
    ("metadata", "null", []),
    ("metadata", '"{}"', ["metadata.not_an_object"]),
    ("tags", "['a', 'b']", ["tags.not_a_list"]),
    ("tags", "('a',)", ["tags.not_a_list"]),
    ("tags", "{'a'}", ["tags.not_a_list"]),
    ("tags", "(a)", []),
    ("metadata", "5", ["metadata.not_an_object"]),
    ("metadata", "{'a': 1}", ["metadata.not_an_object"]),
    ("metadata", '{"a": NaN}', ["metadata.not_an_object"]),
    ("metadata", '{"a": -Infinity, "b": 12345678901234567890}', ["metadata.not_an_object"]),
    ("metadata", '{"a": 1e400}', ["metadata.not_an_object"]),
    ("metadata", '{"a": ' + "9" * 309 + "}", ["metadata.not_an_object"]),
    ("metadata", '{"a": [-' + "9" * 4400 + "]}", ["metadata.not_an_object"]),
    ("metadata", '{"a": ' + "9" * 308 + "}", []),
    ("metadata", '{"a": "\\ud800"}', ["metadata.not_an_object"]),
    ("metadata", '{"a": "\\ud800", "b": 12345678901234567890}', ["metadata.not_an_object"]),
    ("metadata", '{"a": 1} {}', ["metadata.not_an_object"]),
    ("metadata", '{"a":' * 300 + "1" + "}" * 300, ["metadata.not_an_object"]),
    ("metadata", "[" * 100_000, ["metadata.not_an_object"]),
    ("withAuthToken", "Yes", []),
    ("withAuthToken", "maybe", ["with_auth_token.not_a_boolean"]),
    ("withAuthToken", "2", ["with_auth_token.not_a_boolean"]),
]


@pytest.mark.sampled
@pytest.mark.parametrize(("column", "cell", "expected"), BOUNDARIES)
def test_each_rule_holds_up_to_its_boundary_and_no_further(column: str, cell: str, expected: list[str]) -> None:
    """The last value that is right and the first that is wrong, of every rule."""
    assert codes(**{column: cell}) == expected


def test_every_defect_of_a_row_is_reported_in_the_order_of_the_table() -> None:
    """One round mends a row: all that is wrong with it is said at once."""
    checked = check([{
        "uid": "a_b" * 40, "name": "n" * 101, "avatar": "x" * 3001, "link": "y" * 3001, "role": "?",
        "tags": ";".join(["t" * 101] * 26), "metadata": "[1]", "withAuthToken": "?",
    }])  # fmt: skip
    found = [part.partition(":")[0] for part in checked.lines["error_message"].item().split("; ")]
    absent = {
        "row.header_again", "uid.missing", "name.missing", "uid.not_text", "name.not_text", "uid.placeholder",
        "uid.rounded", "uid.duplicate", "tags.not_a_list", "metadata.too_large", "body.too_large",
        "role.unknown", "deactivated.not_a_boolean",
    }  # fmt: skip
    assert found == [code for code in DEFECTS if code not in absent]
    assert checked.lines["error_code"].item() == "uid.charset"
    kinds = {"uid.charset": {"underscores": 1}}
    assert list(checked.defects.items()) == [(code, Found(1, (1,), kinds.get(code, {}))) for code in found]


def test_there_is_one_rule_for_each_code_in_the_order_of_the_table() -> None:
    """All but the one that only the API can judge."""
    constraints = Constraints()
    codes = [rule.code for rule in (*rules(constraints, leaving=True), body_rule(constraints))]
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
        (
            {"tags": 'a:1:{i:0;s:3:"red";}'},
            "tags.not_a_list: 'a:1:{i:0;s:3:\"red\";}' is PHP and no JSON, a JSON array of strings is needed",
        ),
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
    """With the value, shortened and on one line, so that nobody has to open the roster for it."""
    assert messages(**cells) == expected


def test_limits_can_be_changed() -> None:
    """Every limit of an app that differs is the one that is judged by and said."""
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


def test_the_message_of_a_rule_is_null_where_it_is_kept() -> None:
    """So that the messages of a row can be put together without asking which there are."""
    rule = Rule("name.odd", pl.col("name") == "x", pl.concat_str([pl.col("name"), pl.lit(" is odd")]))
    frame = pl.DataFrame({"name": ["x", "y", None]})
    judged = frame.with_columns(rule.broken.alias(rule.code))
    assert judged.select(rule.message.alias("message"))["message"].to_list() == ["name.odd: x is odd", None, None]

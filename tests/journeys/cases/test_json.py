"""JSON: an array, an array in an object, one object a line; anything else is refused by what it is."""

from __future__ import annotations

import bz2
import gzip
import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from provisioner.errors import RosterError
from provisioner.roster.reader import open_roster
from tests.rig.cases import SAMPLES, document, events, refusal, users

JSON = SAMPLES / "json"
ANN, BOB = {"uid": "a1", "name": "Ann"}, {"uid": "b2", "name": "Bob"}


BRACKETS = (
    "row 2 (line 1): a comma stands between the objects, as in an array without its brackets; take all such commas "
    "away, or put [ before the first object and ] behind the last, with no comma there"
)


def written(folder: Path, text: str | bytes, name: str = "r.json") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    ("name", "expected"), [("array.json", [ANN, BOB]), ("wrapped.json", [ANN]), ("lines.json", [ANN, BOB])]
)
def test_the_three_forms_are_read(tmp_path: Path, name: str, expected: list[dict[str, str]]) -> None:
    """Each sample gives the people in it."""
    assert users(JSON / name, tmp_path) == expected


@pytest.mark.sampled
@pytest.mark.parametrize(
    "text",
    [
        '[{"uid":"a1","name":"Ann"},{"uid":"b2","name":"Bob"}]',
        '\ufeff\ufeff\r\n [\r\n  {"uid": "a1",\r\n   "name": "Ann"}\r\n , {"uid":\t"b2", "name": "Bob"}\r\n]\r\n\r\n',
        '{"next":{"a":[1,2]},"users":[{"uid":"a1","name":"Ann"},{"uid":"b2","name":"Bob"}],"total":2}',
        '{"total": 2e0,\n "users": [\n  {"uid": "a1", "name": "Ann"},\n  {"uid": "b2", "name": "Bob"}]}',
        '{"uid":"a1","name":"Ann"}\n{"uid":"b2","name":"Bob"}',
        '{\n"uid":"a1",\n"name":"Ann"\n}\n{"uid":"b2","name":"Bob"} ',
        '[{"name":"Ann","uid":"a1"},{"name":"\\u0042ob","uid":"b2"}]',
    ],
)
@pytest.mark.parametrize("pack", [None, ".gz", ".bz2"])
def test_blanks_order_and_wrapping_make_no_difference(tmp_path: Path, text: str, pack: str | None) -> None:
    """Also compressed."""
    data = text.encode()
    packed = {None: data, ".gz": gzip.compress(data), ".bz2": bz2.compress(data)}[pack]
    path = written(tmp_path, packed, f"r.json{pack or ''}")
    assert users(path, tmp_path) == [ANN, BOB]


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            '{"uid":"a1","name":"Ann"},\n{"uid":"b2","name":"Bob"}\n',
            BRACKETS,
        ),
        ('[{"uid":"a1","name":"Ann"},\n{"uid":"b2","n":NaN}]', 'row 2 (line 2): \'{"uid":"b2","n":NaN}\' holds NaN, '),
        ('{"users":[{"uid":"a1","n":-Infinity}]}', 'row 1 (line 1): \'{"uid":"a1","n":-Infinity}\' holds -Infinity, '),
        ('{"uid":"a1","name":"A","n":[NaN]}\n', 'row 1 (line 1): \'{"uid":"a1","name":"A","n":[NaN]}\' holds NaN, '),
    ],
)
def test_what_is_nearly_json_is_told_by_its_cause(
    tmp_path: Path, text: str, said: str, pack: Callable[[bytes], bytes]
) -> None:
    """Objects with commas between them, and the words that Python writes for numbers; what cures it is said."""
    path = written(tmp_path, pack(text.encode()), "r.json" if pack is bytes else "r.json.gz")
    mend = "" if said == BRACKETS else "which is no JSON; write null for it"
    assert refusal(path, tmp_path) == f"{path.name}: {said}{mend}"


@pytest.mark.parametrize(
    "text",
    [
        '[{"uid":"a1","name":"Ann"},\n{"uid":"b2","name":"Bob"}]',
        '{"uid":"a1","name":"Ann"}\n{"uid":"b2","name":"Bob"}\n',
        '{"total":NaN,"users":[{"uid":"a1","name":"Ann"},{"uid":"b2","name":"Bob","link":null}]}',
    ],
)
def test_the_cures_for_what_is_nearly_json_work(tmp_path: Path, text: str) -> None:
    """A member that is no user may hold what it likes."""
    assert users(written(tmp_path, text), tmp_path) == [ANN, BOB]


def test_utf_16_with_a_mark_is_read(tmp_path: Path) -> None:
    """As any text is."""
    assert users(written(tmp_path, '[{"uid":"a1","name":"Zoë"}]'.encode("utf-16")), tmp_path) == [
        {"uid": "a1", "name": "Zoë"}
    ]


@pytest.mark.parametrize("text", ["[]", " [ ]\n", '{"users":[]}', '{"total":0,"users":[]}'])
def test_an_empty_array_has_no_rows(tmp_path: Path, text: str) -> None:
    """It is no reason to refuse the file, whatever the columns are mapped to."""
    columns = {"uid": "login", "metadata": {"a": "b"}}
    found = document(written(tmp_path, text), tmp_path, columns=columns)
    assert (found["rows"], found["exit_code"]) == (0, 0)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (
            {"uid": {"0": "a1"}, "name": {"0": "Ann"}},
            "a table by columns, as pandas writes it; write it with orient='records'",
        ),
        ({"uid": ["a1"], "name": ["Ann"]}, "a table by columns, as pandas writes it; write it with orient='records'"),
        (
            {"columns": ["uid", "name"], "index": [0], "data": [["a1", "Ann"]]},
            "a table by columns, as pandas writes it",
        ),
        (
            {"a1": {"uid": "a1", "name": "Ann"}},
            "each user stands under a key of its own; write them as a list, such as with jq",
        ),
        ({"columns": ["uid", "name"], "data": [["a1", "Ann"]]}, "a table by columns, as pandas writes it"),
        ({"data": {"users": [{"uid": "a1"}]}}, "the list of users is further in, at 'data.users'; .* jq '.data.users'"),
        ({"data": {"users": [{"uid": "a1"}]}, "errors": []}, "the list of users is further in, at 'data.users'"),
        (
            {"errors": [], "data": {"users": [{"uid": "a1", "name": "A" * 4000}] * 300}},
            "the list of users is further in, at 'data.users'",
        ),
        ({"took": 3, "hits": {"total": 1, "hits": [{"_id": "1"}]}}, "the list of users is further in, at 'hits.hits'"),
        (
            {"a": {"b": {"users": [{"uid": "a1"}]}}},
            "the list of users is further in, at 'a.b.users'; .* jq '.a.b.users'",
        ),
        (
            {"users": {"a1": {"name": "Ann"}}},
            r"""each user stands under its uid, .* jq '\[.\["users"\] \| to_entries""",
        ),
    ],
)
def test_an_object_of_another_shape_is_told_as_that(tmp_path: Path, value: dict[str, Any], said: str) -> None:
    """In one line or over several, with what helps; and however long it is, where no list stands at its top."""
    texts = [json.dumps(value), json.dumps(value, indent=1)]
    if not any(isinstance(each, list) for each in value.values()):
        texts.append("{" + " " * 1024 * 1024 + texts[0][1:])
    for text in texts:
        with pytest.raises(RosterError, match=said):
            open_roster(written(tmp_path, text))


def test_of_an_object_without_a_list_each_way_to_write_one_is_told(tmp_path: Path) -> None:
    """Nothing is said of what is further in."""
    assert refusal(written(tmp_path, json.dumps({"a": {"b": "x" * 1024 * 1024}})), tmp_path) == (
        "r.json is one object, and none of its members is a list; a .json roster is an array of objects, an object "
        "with such an array, or one object a line; where the list is further in, write it alone, such as with jq "
        "'.data.users' for users in data; where users stand under their uids, write them as a list, such as with jq "
        "'[to_entries[] | .value + {uid: .key}]'"
    )


@pytest.mark.sampled
@pytest.mark.parametrize("others", ['\n{"uid":"b2","name":"Bob"}', ""])
@pytest.mark.parametrize(
    "long",
    [
        {"uid": "a1", "name": "Ann", "x": "x" * 1024 * 1024},
        {"x": {"y": "x" * 3 * 1024 * 1024}, "uid": "a1", "name": "Ann"},
        {"uid": "a1", "name": "Ann", "x": ["x" * 100] * 12_000},
        {"uid": "a1", "name": "Ann", "x": [{"y": "x" * 100}] * 12_000},
    ],
)
def test_a_first_user_of_any_length_is_read(tmp_path: Path, long: dict[str, Any], others: str) -> None:
    """Whatever takes up the room, and whether others stand behind it."""
    assert users(written(tmp_path, json.dumps(long) + others), tmp_path) == ([ANN, BOB] if others else [ANN])


@pytest.mark.parametrize("about", [{"x": "x" * 3 * 1024 * 1024}, {"x": ["x" * 100] * 12_000}])
def test_a_list_of_users_is_found_behind_something_long(tmp_path: Path, about: dict[str, Any]) -> None:
    """Also a list that is long itself."""
    some = [{"uid": f"u{number}", "name": "x" * 90} for number in range(12_000)]
    assert users(written(tmp_path, json.dumps({**about, "users": [ANN]})), tmp_path) == [ANN]
    assert users(written(tmp_path, json.dumps({**about, "users": some})), tmp_path) == some[:50]


@pytest.mark.parametrize(
    "value", [{"uid": "a1", "name": "Ann", "x": {"items": [{"a": 1}]}}, {"uid": "a1", "name": {"data": [{"a": 1}]}}]
)
def test_a_user_with_objects_in_it_is_of_no_other_shape(tmp_path: Path, value: dict[str, Any]) -> None:
    """It has the columns that are needed."""
    assert open_roster(written(tmp_path, json.dumps(value))).columns == tuple(value)


@pytest.mark.parametrize(
    "more",
    [
        {"schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"], "totalResults": 1},
        {"enabled": True, "requiredCredentials": ["password"], "matrix": [[1, 2], [3]], "none": []},
        {"errors": [], "meta": {"pages": [1, 2]}},
    ],
)
def test_a_list_of_anything_else_is_not_the_list_of_users(tmp_path: Path, more: dict[str, Any]) -> None:
    """Nor is an empty one, before or behind it; as SCIM, Keycloak and other services answer."""
    people = {"Resources": [{"uid": "a1", "name": "Ann"}]}
    for text in (json.dumps({**more, **people}), json.dumps({**people, **more}, indent=1)):
        assert users(written(tmp_path, text), tmp_path) == people["Resources"]


GROUP = {"uid": "12", "name": "Engineering"}
TWO = [{"uid": "a1", "name": "Ann"}, {"uid": "b2", "name": "Bob"}]


@pytest.mark.parametrize(
    ("value", "path", "way"),
    [
        ({**GROUP, "members": TWO}, "members", ".members"),
        ({"team of": [{"x": 1}, *TWO], **GROUP}, "team of", '.["team of"]'),
        ({**GROUP, "data": {"staff": TWO}}, "data.staff", ".data.staff"),
        ({**GROUP, "text": "x" * 1024 * 1024, "members": TWO}, "members", ".members"),
        ({**GROUP, "a": {"b": {"c": {"staff": TWO}}}}, "a.b.c.staff", ".a.b.c.staff"),
        ({**GROUP, "page": {"text": "x" * 1024 * 1024, "staff": TWO}}, "page.staff", ".page.staff"),
    ],
    ids=["beside", "in any order", "further in", "long", "deep", "long and further in"],
)
@pytest.mark.parametrize("indent", [None, 1])
def test_an_object_and_the_objects_of_its_list_cannot_both_be_users(
    tmp_path: Path, value: dict[str, Any], path: str, way: str, indent: int | None
) -> None:
    """A group has an id and a name as its members have; both ways out of it work."""
    message = refusal(written(tmp_path, json.dumps(value, indent=indent)), tmp_path)
    assert message == (
        f"r.json: it is one object with the columns of a user, and its list {path!r} holds such objects too, so it is "
        f"not clear which are the users; write the list alone, such as with jq '{way}', or put [ before the object and "
        "] behind it where it is the user"
    )
    assert users(written(tmp_path, json.dumps(TWO)), tmp_path) == TWO
    assert users(written(tmp_path, json.dumps([value], indent=indent)), tmp_path) == [GROUP]


def test_users_with_lists_of_users_are_users_among_others(tmp_path: Path) -> None:
    """Each has friends: in an array, and as objects one after the other."""
    friends = [{**each, "friends": TWO} for each in TWO]
    assert users(written(tmp_path, json.dumps(friends)), tmp_path) == TWO
    assert users(written(tmp_path, "\n".join(map(json.dumps, friends))), tmp_path) == TWO


def test_a_single_user_is_one_even_with_a_list_of_tags(tmp_path: Path) -> None:
    """An object with the columns that are needed wraps nothing."""
    one = {"uid": "a1", "name": "Ann", "tags": ["x", "y"]}
    assert users(written(tmp_path, json.dumps(one)), tmp_path) == [one]
    assert users(written(tmp_path, json.dumps(one, indent=2)), tmp_path) == [one]


def test_values_are_exact_to_the_digit(tmp_path: Path) -> None:
    """Numbers are never made floats on the way, and a brace or a line end in a text ends nothing."""
    text = '[{"uid":12345678901234567890,"name":"a]}, {\\n","metadata":{"n":1.50,"d":12345678901234567890.10}}]'
    row = document(written(tmp_path, text), tmp_path)["shown_requests"][0]["body"]
    assert (row["uid"], row["name"]) == ("12345678901234567890", "a]}, {")
    (batch,) = open_roster(tmp_path / "r.json").batches()
    assert batch.frame["metadata"].item() == '{"n":1.50,"d":12345678901234567890.10}'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '{"users":[],"b":[{"uid":"1"}]}',
            "r.json: 'users' and 'b' are lists both, so it is not clear which holds the users",
        ),
        ('{"users":["a","b"],"teams":[{"uid":"t1"}]}', 'r.json: row 1 (line 1): element of \'users\' \'"a","b"],'),
        ('{"x":["a","b"]}', "r.json: row 1 (line 1): element of 'x' '\"a\",\"b\"]}' is a text, no object"),
        ('{"x":["a","b"', "r.json is cut off: what begins in it has no end"),
        ('{"users":["a","b"]}', "r.json: row 1 (line 1): element of 'users' '\"a\",\"b\"]}' is a text, no object"),
        (
            '[["uid","name"],["a1","Ann"]]',
            'r.json: row 1 (line 1): element \'["uid","name"],["a1","Ann"]]\' is a list, no object',
        ),
        ('[{"uid":"a1","name":"Ann"},null]', "r.json: row 2 (line 1): element 'null]' is null, no object"),
        ('[{"uid":"a1","name":"Ann"}', "r.json is cut off: it ends behind row 1; fetch or copy it again"),
        ('[{"uid":"a1","name":"An', "r.json is cut off: what begins in it has no end; fetch or copy it again"),
        ('{"total":1,"users":[{"uid":"a1","name":"Ann"}]', "r.json is cut off: what begins in it has no end"),
        ('[{"uid":"a1","name":"Ann"},]', "r.json: row 2 (line 1): no object follows the comma"),
        (
            '[{"uid":"a1","name":"Ann"} {"uid"',
            "r.json: row 2 (line 1): neither , nor ] follows an object, but '{\"uid\"'",
        ),
        ('[{"uid":"a1","name":"Ann"}] x', "r.json: row 2 (line 1): 'x' stands behind the end of the users"),
        ('[{"uid":"a1","name":NaN}]', "r.json: row 1 (line 1): "),
        ('[{"uid":a1,"name":"Ann and somebody else"}]', 'r.json: row 1 (line 1): \'{"uid":a1'),
        ('[{"uid":"a1","uid":"a2","name":"Ann"}]', "r.json: column 'uid': row 1: the key 'uid' comes twice"),
        ('{"a":1}', "r.json: the roster has no uid column and no name column; it has 'a'"),
        ('{"a":{"uid":"1"}}', "r.json: the roster has no uid column and no name column; it has 'a'"),
        ("uid,name\na1,Ann\n", "r.json is no JSON: it begins with 'uid,name"),
        ("  \n", "r.json is no JSON: it holds nothing but blanks"),
    ],
)
def test_what_is_no_list_of_users_is_refused_with_the_row(tmp_path: Path, text: str, message: str) -> None:
    """The sentence names the cause and where it is."""
    assert refusal(written(tmp_path, text), tmp_path).startswith(message)


@pytest.mark.parametrize("end", ["", " ", ",", ',"links"', ',"links":', ',"links":[1'])
def test_a_long_object_that_is_cut_off_behind_its_users_is_told_so(tmp_path: Path, end: str) -> None:
    """As a short one is, wherever it ends."""
    text = json.dumps({"total": 1, "users": [{"uid": "a1", "name": "Ann", "x": "x" * 1024 * 1024}]})
    path = written(tmp_path, text.removesuffix("}") + end)
    assert refusal(path, tmp_path) == "r.json is cut off: it ends behind row 1; fetch or copy it again"


@pytest.mark.parametrize(
    ("value", "surplus"),
    [
        ({"users": TWO, "links": [{"url": "/2"}], "next_page_url": "/2"}, "links"),
        ({"fields": [{"id": "x"}], "next": "/2", "employees": TWO}, "fields"),
        ({"data": TWO, "_links": [{"rel": "self"}], "total_items": 40}, "_links"),
        ({"order": [{"by": "id"}], "entries": TWO, "total_count": 40}, "order"),
    ],
)
def test_of_two_lists_one_is_to_be_taken_away_and_not_what_tells_of_pages(
    tmp_path: Path, value: dict[str, Any], surplus: str
) -> None:
    """The cure has been proved: the page is still known as one."""
    said = refusal(written(tmp_path, json.dumps(value)), tmp_path)
    assert said.endswith(f"leave all else in it, such as with jq 'del(.{surplus})'")
    del value[surplus]
    path = written(tmp_path, json.dumps(value))
    assert [each["event"] for each in events(path, tmp_path)] == ["roster.partial"]
    assert users(path, tmp_path) == TWO


def test_text_that_is_not_utf_8_is_told_with_its_byte(tmp_path: Path) -> None:
    """Wherever it is, across what is read at once too."""
    row = b'{"uid":"a1","name":"Ann"},'
    data = b"[" + row * 20_000 + b'{"uid":"b2","name":"Zo\xeb"}]'
    message = refusal(written(tmp_path, data), tmp_path)
    assert f"(byte {data.index(bytes([0xEB]))}): byte 0xEB is not UTF-8" in message


def test_rejected_rows_come_back_as_lines_that_can_be_fed_in_again(tmp_path: Path) -> None:
    """Of a .json roster as .ndjson, each object on one line, to the digit as it was."""
    path = written(
        tmp_path, '[\n {"uid": "a b",\n  "name": "Ann", "n": 1.50, "tags": ["x"]},\n {"uid":"b2","name":"Bob"}]'
    )
    found = document(path, tmp_path)
    assert found["rejected"] == 1
    rejected = Path(found["outputs"]["rejected"])
    assert rejected.name.endswith(".rejected.ndjson")
    (line,) = rejected.read_text().splitlines()
    assert line.startswith('{"uid": "a b", "name": "Ann", "n": 1.50, "tags": ["x"],"_row":1,"_errors":"uid.charset')
    again = tmp_path / "mended.ndjson"
    again.write_text(line.replace("a b", "ab"))
    assert users(again, tmp_path) == [{"uid": "ab", "name": "Ann", "tags": ["x"]}]


@pytest.mark.slow
def test_a_large_array_needs_no_more_memory_than_a_block(tmp_path: Path) -> None:
    """Users are cut out of it one by one, in one line or not, wherever a block of what is read ends."""
    rows = 120_000
    path = tmp_path / "r.json"
    with path.open("w") as file:
        file.write('{"page":1,"users":[')
        file.writelines(
            f'{"," if row else ""}{{"uid":"u{row}","name":"Person, {{{row}}} [\\"x\\"]"}}' for row in range(rows)
        )
        file.write("]}")
    roster = open_roster(path)
    tracemalloc.start()
    uids = 0
    for batch in roster.batches():
        assert batch.frame["uid"][0] == f"u{batch.first_row - 1}"
        uids += batch.frame["uid"].n_unique()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (uids, peak < 60_000_000) == (rows, True)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("array.ndjson", "the file is a JSON array, no object a line; rename it to array.json, which gives 2 rows"),
        (
            "pretty.ndjson",
            "objects that go over several lines, no object a line; rename it to pretty.json, which gives 2 rows",
        ),
        ("ndjson-called.csv", "ndjson-called.csv is JSON; rename it to ndjson-called.json"),
        ("csv-called.ndjson", "this looks like a CSV; if it is one, rename it to csv-called.csv"),
        ("single-quoted.ndjson", "it is a Python dict, no JSON; write each with json.dumps"),
        ("rs.ndjson", "a JSON text sequence: byte 0x1E is in front of each object; take these bytes out"),
        ("nested-uid.ndjson", "the roster has no uid column and no name column; it has 'user'"),
    ],
)
def test_json_under_another_name_is_told_as_what_it_is(tmp_path: Path, name: str, message: str) -> None:
    """With what to do."""
    assert message in refusal(JSON / name, tmp_path)


ONE = '{"uid":"a1","name":"Ann"}'
BROKEN_PAIR = '{"uid":"b2","name":"\\ud83d half"}'
MENDED = '{"uid": "b2", "n": null}'
BEHIND_A_MARK = '\ufeff{"uid":"b2","name":"Bob"}'


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([ONE, BROKEN_PAIR, ONE], "is no JSON (no low surrogate in string); each line is one object"),
        ([f"{BROKEN_PAIR},", ONE], "is no JSON (no low surrogate in string); each line is one object"),
        ([f"{ONE} {BROKEN_PAIR}"], "is no JSON (unexpected content after document); each line is one object"),
        ([f"[{ONE},", f"{BROKEN_PAIR}]"], "is no JSON (unexpected end of data); each line is one object"),
        ([ONE, '{"uid":"b2","n":1e400,"m":"\\ud83d"}'], "(number is infinity when parsed as double); each line is one"),
        (
            ["{", '"uid":"a1","name":"Ann","n":"\\ud83d"}'],
            "is no JSON (unexpected end of data); each line is one object",
        ),
        (["{", '"uid":"a1","uid":"a2"}'], "is no JSON (unexpected end of data); each line is one object"),
        (['{"uid":"a1","name":"so: None, x","n":"\\ud83d"}'], "is no JSON (no low surrogate in string); each line"),
    ],
)
def test_no_cure_is_named_that_would_not_help(tmp_path: Path, lines: list[str], message: str) -> None:
    """It is tried by what reads the file under its other name."""
    found = refusal(written(tmp_path, "\n".join(lines), "r.ndjson"), tmp_path)
    assert message in found
    assert "rename" not in found
    assert "take it away" not in found


@pytest.mark.parametrize(
    ("line", "message", "mended"),
    [
        (f'{ONE}{{"uid":"b2","name":"Bob"}}', "objects of which several stand on one line", None),
        (BEHIND_A_MARK, "a byte order mark stands before the object, as in files that were", BEHIND_A_MARK[1:]),
        (
            '{"uid":"b2","name":"B","n":NaN}',
            "it holds NaN, which is no JSON; write null for it",
            '{"uid":"b2","n":null}',
        ),
        ("{'uid':'b2','n':null}", "its quotes are single; JSON has double quotes", MENDED),
        (
            "{'uid':'b2','n':None}",
            "it is a Python dict, no JSON; write each with json.dumps",
            '{"uid": "b2", "n": null}',
        ),
    ],
)
def test_what_is_nearly_an_object_is_told_with_what_helps(
    tmp_path: Path, line: str, message: str, mended: str | None
) -> None:
    """Where the file has to be renamed, it says what it then gives."""
    assert message in refusal(written(tmp_path, f"{ONE}\n{line}\n", "r.ndjson"), tmp_path)
    cured = written(tmp_path, f"{ONE}\n{mended or line}\n", "cured.ndjson" if mended else "cured.json")
    assert document(cured, tmp_path)["rows"] == (2 if mended else 3)


@pytest.mark.sampled
@pytest.mark.parametrize("lines", [False, True])
@pytest.mark.parametrize("number", ["1e400", "-1.5E+999", "9" * 400, "[1,{}]"])
def test_a_number_of_any_size_is_json(tmp_path: Path, number: str, lines: bool) -> None:
    """Where it feeds nothing it hinders nobody, as a text it is what it was; within metadata it rejects the row."""
    number = number.replace("{}", '{"a":1e400}')
    objects = [ONE, f'{{"uid":"b2","name":"Bob","n":{number}}}']
    roster = written(tmp_path, "\n".join(objects) if lines else f"[{','.join(objects)}]", f"r.{'nd' * lines}json")
    assert users(roster, tmp_path) == [{"uid": "a1", "name": "Ann"}, {"uid": "b2", "name": "Bob"}]
    named = {"uid": "uid", "name": "name", "statusMessage": "n"}
    assert users(roster, tmp_path, columns=named)[1] == {"uid": "b2", "name": "Bob", "statusMessage": number}


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("text", "said", "mended"),
    [
        (f"[{ONE},]", "no object follows the comma; take that comma away", f"[{ONE}]"),
        (f"[{ONE[:-1]},}}]", "a comma stands before } with nothing between them; take it away", f"[{ONE}]"),
        ('[{"uid":"a1","name":"Ann","tags":["x" , ]}]', "a comma stands before ] with nothing", f"[{ONE}]"),
        (f'{{"users":[{ONE}],}}', "a comma stands before } with nothing", f"[{ONE}]"),
        (f"{ONE[:-1]},}}", "a comma stands before } with nothing", ONE),
        (f"[{ONE}, // note\n]", "JSON has no comments; take all of them away", f"[{ONE}\n]"),
        (f"[{ONE} /* note */]", "JSON has no comments; take all of them away", f"[{ONE} ]"),
        (f"[{ONE}] // note", "JSON has no comments; take all of them away", f"[{ONE}]"),
        (f"/* note */ [{ONE}]", "JSON has no comments; take all of them away", f"[{ONE}]"),
        ('[{"uid":"a1", # note\n"name":"Ann"}]', "JSON has no comments; take all of them away", f"[{ONE}]"),
        (f"[{ONE}] x", "stands behind the end of the users; take it away", f"[{ONE}]"),
        ('[{"uid":"a1",name:"Ann"}]', "'name' stands without quotes; JSON has double quotes", f"[{ONE}]"),
        ("[{'uid':'a1','name':'Ann'}]", "its quotes are single; JSON has double quotes", f"[{ONE}]"),
        ('[{“uid”:"a1","name":"Ann"}]', "its quotes are typographic; JSON has straight quotes", f"[{ONE}]"),
        ('[{"uid":"a1" "name":"Ann"}]', "write the file with a program's JSON encoder", f"[{ONE}]"),
    ],
)
def test_what_is_nearly_json_is_told_with_what_helps(tmp_path: Path, text: str, said: str, mended: str) -> None:
    """As a JSON text, and as a line of NDJSON where it is one."""
    assert said in refusal(written(tmp_path, text), tmp_path)
    if text.startswith("{") and not mended.startswith("["):
        assert said in refusal(written(tmp_path, text, "r.ndjson"), tmp_path)
    assert users(written(tmp_path, mended), tmp_path) == [{"uid": "a1", "name": "Ann"}]


@pytest.mark.parametrize("line", ["// note", f"{ONE} // note", "# note"])
def test_a_comment_between_lines_is_told_as_one(tmp_path: Path, line: str) -> None:
    """Wherever it stands."""
    said = refusal(written(tmp_path, f"{ONE}\n{line}\n", "r.ndjson"), tmp_path)
    assert said.endswith("JSON has no comments; take all of them away")


@pytest.mark.parametrize("what", ["tru", '"\\ud83d"'])
def test_of_an_array_nothing_is_said_of_lines(tmp_path: Path, what: str) -> None:
    """Its objects stand as they like."""
    found = refusal(written(tmp_path, f'[{ONE},\n{{"uid":"b2","n":{what}}}]'), tmp_path)
    assert ("is no JSON (" in found, "line is one" in found) == (True, False)


@pytest.mark.parametrize("name", ["array.ndjson", "pretty.ndjson", "ndjson-called.csv"])
def test_the_name_that_is_advised_is_read(tmp_path: Path, name: str) -> None:
    """The cure has been proved."""
    path = written(tmp_path, (JSON / name).read_bytes(), "renamed.json")
    assert users(path, tmp_path)[0] == ANN


def test_the_record_separators_that_are_to_be_taken_out_can_be(tmp_path: Path) -> None:
    """The cure has been proved."""
    assert users(written(tmp_path, (JSON / "rs.ndjson").read_bytes().replace(b"\x1e", b""), "r.ndjson"), tmp_path)


def test_a_path_into_an_object_is_no_column(tmp_path: Path) -> None:
    """The refusal names the columns there are."""
    message = refusal(JSON / "stream-export.jsonl", tmp_path, config=JSON / "stream.toml")  # type: ignore[arg-type]
    assert "[columns] of json/stream.toml names the column 'item.id', which the roster does not have" in message
    assert "it has 'type', 'item'" in message


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('\n\n{"uid":"a1","name":"Ann"}\n\n{"uid":"b2","name":"Z}\n', "row 2 (line 5, byte 29)"),
        ('\r\n{"uid":"a1"}\r\n{}\r\n[]\r\n', "row 2 (line 4, byte 20)"),
        ('{"uid":"a1"}\n' * 70_000 + "\n[1]\n", "row 70001 (line 70002, byte 910001)"),
    ],
)
def test_a_broken_line_is_named_by_its_number_in_the_file(tmp_path: Path, text: str, place: str) -> None:
    """Blank lines and empty objects are no rows, and are lines."""
    assert refusal(written(tmp_path, text, "r.ndjson"), tmp_path).startswith(f"r.ndjson: {place}: ")
    other = written(tmp_path, text.encode("utf-16-le"), "u.ndjson")
    assert refusal(other, tmp_path, run={"encoding": "utf-16-le"}).startswith(f"u.ndjson: {place.partition(',')[0]}): ")


@pytest.mark.sampled
@pytest.mark.parametrize("rows", [1, 40_000])
@pytest.mark.parametrize(("opening", "end"), [("[\n", "]"), ('{"total":\n2,"users":[\n', "]}"), ("\n", "")])
def test_what_is_wrong_in_a_json_text_is_named_by_its_line(tmp_path: Path, opening: str, end: str, rows: int) -> None:
    """The one in which the object begins, however far it is from the start."""
    good, comma = '{"uid":"a1",\n"name":"Ann"}', "," if end else ""
    before = opening + f"{good}{comma}\n" * rows
    line = before.count("\n") + 1
    for broken in ('{"uid":"b2",\n"n":NaN}', '{"uid":"b2"\n,"n":-Infinity}'):
        found = refusal(written(tmp_path, f"{before}{broken}\n{end}"), tmp_path)
        assert found.startswith(f"r.json: row {rows + 1} (line {line}): ")


PARTLY = "get the other pages too and name all of them, or, where it is all, write its list alone"


@pytest.mark.parametrize(
    ("about", "said"),
    [
        ({"totalResults": 3}, "totalResults is 3, and there are 2"),
        ({"meta": {"pagination": {"total": "40"}}}, "meta.pagination.total is 40, and there are 2"),
        ({"count": 2, "total": 7}, "total is 7, and there are 2"),
        ({"page": 1, "total_pages": 3}, "total_pages is 3, and there is 1"),
        ({"@odata.nextLink": "https://x.org/2"}, "by @odata.nextLink"),
        ({"response_metadata": {"next_cursor": "dGVhb"}}, "by response_metadata.next_cursor"),
        ({"pageInfo": {"hasNextPage": True}}, "by pageInfo.hasNextPage"),
        ({"_links": {"next": {"href": "/2"}}}, "by _links.next"),
        ({"done": False}, "by done"),
        ({"page": 2, "next": None, "previous": "/1"}, "by previous"),
        ({"LastEvaluatedKey": {"uid": {"S": "b2"}}}, "by LastEvaluatedKey"),
        ({"partial": True}, "by partial"),
        ({"error": "truncated"}, "by error"),
        ({"errors": ["timeout"]}, "by errors"),
        ({"error": {"code": 504, "message": ""}}, "by error"),
        ({"Count": 2, "ScannedCount": 2, "LastEvaluatedKey": {"uid": "b2"}}, "by LastEvaluatedKey"),
        ({"count": 2, "next_page_token": "abc", "has_more": True}, "by has_more"),
        ({"meta": {"count": 2, "next_cursor": "2024-05-01T00:00:00Z"}}, "by meta.next_cursor"),
        ({"links": {"self": "/1", "next": "/2", "last": "/2"}}, "by links.next"),
        ({"lastPage": False}, "by lastPage"),
        ({"PaginationToken": "CA"}, "by PaginationToken"),
        ({"totalSetSize": "41", "nextUri": "/users?start_position=39"}, "totalSetSize is 41, and there are 2"),
        ({"resultSetSize": "2", "nextUri": "/users?start_position=2"}, "by nextUri"),
        ({"PagingInfo": {"Bookmark": "1", "HasMoreItems": True}}, "by PagingInfo.HasMoreItems"),
        ({"meta": {"completeIndicator": False, "totalNumber": 500}}, "meta.totalNumber is 500, and there are 2"),
        ({"meta": {"completeIndicator": False}}, "by meta.completeIndicator"),
        ({"list_metadata": {"before": None, "after": "u"}}, "by list_metadata.after"),
        ({"limit": 2, "count": 3}, "count is 3, and there are 2"),
        ({"count": 2, "cursor": "abc"}, "by cursor"),
        ({"total": 40.0}, "total is 40, and there are 2"),
        ({"total": "1,200"}, "total is 1200, and there are 2"),
        ({"pages": {"next": {"page": 2}, "page": 1, "total_pages": 7}}, "pages.total_pages is 7, and there is 1"),
        ({"pages": {"next": {"page": 2}, "page": 1}}, "by pages.next"),
        ({"nbHits": 40, "nbPages": 20}, "nbHits is 40, and there are 2"),
        ({"page": 0, "nbPages": 20}, "nbPages is 20, and there is 1"),
        ({"cursor": "dGVhb"}, "by cursor"),
        ({"offset": "itrA/recB"}, "by offset"),
        ({"meta": {"load_more_directory_items": "/u?page=1"}}, "by meta.load_more_directory_items"),
        ({"hasMoreData": True}, "by hasMoreData"),
        ({"has_more_items": 1}, "by has_more_items"),
        ({"x-total-count": "40"}, "x-total-count is 40, and there are 2"),
        ({"totalResultCount": 40}, "totalResultCount is 40, and there are 2"),
        ({"pageInfo": {"endCursor": "b2"}}, "by pageInfo.endCursor"),
        ({"result_info": {"page": 1, "total_count": 40}}, "result_info.total_count is 40, and there are 2"),
        ({"metadata": {"continue": "eyJ2"}}, "by metadata.continue"),
        ({"d": 1, "__next": "https://x.org/2"}, "by __next"),
        ({"first": False, "last": True, "number": 1}, "by first"),
        ({"timed_out": True}, "by timed_out"),
        ({"x-next-page": "2", "x-page": "1"}, "by x-next-page"),
        ({"resumptionToken": "dGVhb"}, "by resumptionToken"),
        ({"next_page_number": 2}, "by next_page_number"),
        ({"meta": {"nextPageNumber": "2"}}, "by meta.nextPageNumber"),
        ({"next_index": 2}, "by next_index"),
        ({"next_page_id": "x"}, "by next_page_id"),
        ({"lastPageNumber": 3}, "lastPageNumber is 3, and there is 1"),
        (
            {"additional_data": {"pagination": {"start": 0, "more_items_in_collection": True, "next_start": 100}}},
            "by additional_data.pagination.next_start",
        ),
        ({"exceededTransferLimit": True}, "by exceededTransferLimit"),
        ({"sizeLimitExceeded": True}, "by sizeLimitExceeded"),
        ({"was_truncated": True}, "by was_truncated"),
    ],
)
def test_a_page_that_says_that_there_are_others_is_told(tmp_path: Path, about: dict[str, Any], said: str) -> None:
    """Whatever a service calls it; the address of the next page, which may hold a secret, is not shown."""
    for value in ({**about, "users": [ANN, BOB]}, {"users": [ANN, BOB], **about}):
        (told,) = events(path := written(tmp_path, json.dumps(value)), tmp_path)
        assert (told["event"], told["message"].replace(f"{path}", "r.json").partition(";")[0]) == (
            "roster.partial",
            f"r.json says of itself that it is not all ({said})",
        )
        assert users(path, tmp_path) == [ANN, BOB]


@pytest.mark.parametrize(
    "about",
    [
        {"total": 2, "page": 1, "per_page": 100},
        {"count": 1, "next": None, "previous": None},
        {"next": "", "prev": "0", "pages": 1, "errors": [], "error": {"code": 0, "message": ""}},
        {"pageInfo": {"hasNextPage": False, "endCursor": "b2"}, "done": True, "truncated": "false"},
        {"company": {"total": 40, "next": "Berlin", "partial": True}, "more_about_us": "https://x.org"},
        {"error": {"code": 0, "message": "Success"}},
        {"error": "OK"},
        {"errors": "0 errors"},
        {"errors": "0 errors found", "error": "0000", "partial": "n/a", "truncated": "-", "next": "nil"},
        {"error": {"code": "0000", "message": "Done"}},
        {"previous": "2024-05-01", "next_load": "02.05.2024", "next_batch": "03:00", "next_start": "1.5.2024 03:00"},
        {"nextPageNumber": None, "lastPageNumber": 1, "exceededTransferLimit": False, "next_id": 41, "index": 3},
        {"additional_data": {"pagination": {"start": 0, "limit": 100, "more_items_in_collection": False}}},
        {"offset": "+01:00", "before": "2024-05-01T00:00:00+01:00"},
        {"next": "2024-05-01T00:00:00Z", "more": "See https://x.org", "next_cursor": "END"},
        {"info": {"total": 12, "unit": "seconds"}, "meta": {"count": 500, "what": "licenses"}},
        {"links": {"self": "/u?page=1", "next": "/u?page=1", "last": "/u?page=1"}},
        {"lastPage": True, "firstPage": "true", "page": {"number": 0, "size": 100, "numberOfElements": 2}},
        {"PagingInfo": {"Bookmark": "b2", "HasMoreItems": False}},
        {"meta": {"completeIndicator": True, "totalNumber": 2.0}, "IsTruncated": False, "Marker": "b2"},
        {"list_metadata": {"before": None, "after": None}, "resultSetSize": "2", "totalSetSize": "2"},
        {"nbHits": 2, "nbPages": 1, "hitsPerPage": 100, "processingTimeMS": 3, "params": "page=1"},
        {"offset": 40, "limit": 100, "maxResults": 50, "page_size": 20, "startIndex": 1, "itemsPerPage": 20},
        {"pageable": {"offset": 0, "pageNumber": 0, "pageSize": 20}, "last": True, "totalPages": 1, "first": True},
        {"pageInfo": {"startCursor": "a1"}, "token": "abc", "session_token": "abc", "syncToken": "s", "accounts": 40},
        {"links": {"first": "/1", "last": "/1", "next": None}, "last_updated": False, "ended_contracts": "no"},
        {"totalTeams": 40, "total_ms": 40, "groupCount": 12, "afternoon": "x", "moreInfo": "/x", "nextOfKin": "Bo"},
        {"total": "NaN", "count": "1e400", "pages": {"a": [3]}, "totals": -3, "timed_out": False, "num": 20},
        {"meta": {"next_page": None, "cursor": "abc"}},
        {"meta": {"pagination": {"total": 2, "count": 2, "current_page": 1, "total_pages": 1}, "cursor": {"at": 17}}},
        {"pages": 1, "cursor": "abc"},
        {"paging": {"start": 0, "count": 10, "total": 2}},
        {"limit": 100, "count": 100},
        {"meta": {"per_page": 50}, "count": 50},
    ],
)
def test_the_only_page_says_nothing(tmp_path: Path, about: dict[str, Any]) -> None:
    """Nor does what is about anything but the list."""
    assert events(written(tmp_path, json.dumps({**about, "users": [ANN, BOB]})), tmp_path) == []


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ({"total": 2, "next": "/2"}, {"total": 2, "next": "/3"}, None),
        ({"total": 3}, {"total": 3}, "total is 3, and there are 2"),
        ({"total": 1}, {"total": 40}, "total is 40, and there is 1"),
        ({"next": "/2"}, {"previous": "/1"}, None),
        ({"previous": "/1"}, {"next": "/2"}, None),
        ({"next": "/2"}, {"next": "/3"}, "by next"),
        ({"pages": 2}, {"pages": 2}, None),
        ({"next": "/2"}, {"truncated": True}, "by truncated"),
        ({"next": "/2"}, None, "by next"),
        ({"next": "/2"}, {}, None),
        ({"count": 1, "next": "/2"}, {"count": 1}, None),
        ({"total": 1}, {"total": 2}, "total is 2, and there is 1"),
        ({"total": 3}, {"total": 2}, "total is 3, and there is 1"),
        ({"total": 2}, None, None),
        ({"@odata.count": 2, "@odata.nextLink": "/2"}, {"@odata.context": "c"}, None),
        ({"@odata.count": 3, "@odata.nextLink": "/2"}, {"@odata.context": "c"}, "@odata.count is 3, and there is 1"),
        ({"pages": 2, "cursor": "b"}, {"pages": 2, "cursor": "c"}, None),
        ({"cursor": "b"}, {"cursor": "c"}, "by cursor"),
        ({"total": 3}, None, "total is 3, and there is 1"),
    ],
)
def test_pages_that_are_all_there_are_a_whole(
    tmp_path: Path, first: dict[str, Any], second: dict[str, Any] | None, said: str | None
) -> None:
    """As a folder or one by one: those that tell one total hold it together, and one of them is the last."""
    folder = tmp_path / "pages"
    folder.mkdir()
    written(folder, json.dumps({**first, "users": [ANN]}), "1.json")
    written(folder, json.dumps([BOB] if second is None else {**second, "users": [BOB]}), "2.json")
    told = [each["message"] for each in events(folder, tmp_path)]
    assert [each.partition("(")[2].partition(")")[0] for each in told] == ([said] if said else [])
    assert users(folder, tmp_path) == [ANN, BOB]


def test_a_place_to_go_on_from_behind_an_empty_list_is_its_end(tmp_path: Path) -> None:
    """So some services close the list: nothing came behind the page before."""
    folder = pages(tmp_path / "pages", {"cursor": "b", "users": [ANN, BOB]}, {"cursor": "c", "users": []})
    assert events(folder, tmp_path) == []


def test_pages_whose_total_grew_while_they_were_fetched_are_a_whole(tmp_path: Path) -> None:
    """There are as many as the last one tells."""
    folder = tmp_path / "pages"
    folder.mkdir()
    people = [{"uid": f"u{at}", "name": "Ann"} for at in range(5)]
    written(folder, json.dumps({"total": 4, "users": people[:2]}), "1.json")
    written(folder, json.dumps({"total": 5, "users": people[2:]}), "2.json")
    assert events(folder, tmp_path) == []


def pages(folder: Path, *told: dict[str, Any]) -> Path:
    """Files of a folder, `1.json` and on."""
    folder.mkdir()
    for number, each in enumerate(told, 1):
        written(folder, json.dumps(each), f"{number}.json")
    return folder


EVERYBODY = [{"uid": f"u{at}", "name": "Ann"} for at in range(40)]


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (
            [{"total": 40, "users": EVERYBODY[:20]}, {"total": 40, "users": EVERYBODY[19:39]}],
            "1.json says of itself that it is not all (total is 40, and there are 39)",
        ),
        (
            [{"total": 20, "users": EVERYBODY[:20]}, {"total": 20, "next": "?page=2", "users": EVERYBODY[20:39]}],
            "2.json says of itself that it is not all (total is 20, and there are 19)",
        ),
        ([{"total": 40, "users": EVERYBODY[at:][:20]} for at in (0, 20, 20)], None),
        ([{"total": 20, "users": EVERYBODY[at:][:20]} for at in (0, 20)], None),
        ([{"total": 20, "users": EVERYBODY[at:][:10]} for at in (0, 10, 20, 30)], None),
        ([{"total": 3, "users": [*EVERYBODY[:2], EVERYBODY[0]]}], None),
        (
            [{"page": 1, "pages": 2, "users": EVERYBODY[:20]}] * 2,
            "1.json says of itself that it is not all (pages is 2, and there is 1)",
        ),
        ([{"pages": 2, "users": EVERYBODY[at:][:20]} for at in (0, 20, 20)], None),
        ([{"pages": 2, "users": EVERYBODY[at:][:20]} for at in (0, 19)], None),
        ([*({"total": 4, "users": EVERYBODY[at:][:2]} for at in (0, 2)), {"users": EVERYBODY[3:9]}], None),
    ],
    ids=[
        *("one fetched twice", "two lists, one short", "a page twice", "two lists", "two lists of pages", "one page"),
        *("the one page twice", "one of two pages twice", "one person on two pages", "a person in another list too"),
    ],
)
def test_people_count_towards_a_total_once_and_of_one_list(
    tmp_path: Path, told: list[dict[str, Any]], said: str | None
) -> None:
    """Rows that are one person do not fill the place of another, nor do those of another list."""
    folder = pages(tmp_path / "pages", *told)
    found = [each["message"] for each in events(folder, tmp_path) if each["event"] == "roster.partial"]
    assert [each.partition(";")[0].replace(f"{folder}/", "") for each in found] == ([said] if said else [])


def test_a_limit_does_not_hide_that_there_is_more(tmp_path: Path) -> None:
    """The whole file has been looked at."""
    path = written(tmp_path, json.dumps({"users": EVERYBODY, "next": "/2"}))
    assert [each["event"] for each in events(path, tmp_path, run={"limit": 1})] == ["roster.partial"]


def test_the_cure_for_a_page_works(tmp_path: Path) -> None:
    """Its list alone says nothing of others."""
    (told,) = events(path := written(tmp_path, json.dumps({"total": 3, "users": [ANN, BOB]})), tmp_path)
    assert told["message"].endswith(PARTLY)
    path.write_text(json.dumps(json.loads(path.read_text())["users"]))
    assert events(path, tmp_path) == []


def test_a_page_that_is_packed_is_told_as_well(tmp_path: Path) -> None:
    """It is what is in it that counts."""
    path = tmp_path / "r.json.gz"
    path.write_bytes(gzip.compress(json.dumps({"next": "/2", "users": [ANN]}).encode()))
    assert [each["event"] for each in events(path, tmp_path)] == ["roster.partial"]


@pytest.mark.parametrize("about", [{}, {"total": 0}])
@pytest.mark.parametrize("nothing", [None, {}])
def test_a_member_for_users_that_holds_nothing_is_told_as_that(
    tmp_path: Path, nothing: Any, about: dict[str, Any]
) -> None:
    """An answer that went wrong is no empty roster; a list that is empty is one."""
    path = written(tmp_path, json.dumps({**about, "users": nothing}))
    said = "its 'users' holds nothing, and is no list; fetch it again, or write [] if there is nobody"
    assert refusal(path, tmp_path) == f"r.json: {said}"
    assert users(written(tmp_path, json.dumps({**about, "users": []})), tmp_path) == []


@pytest.mark.parametrize(
    ("word", "said"),
    [("trailing", "no JSON"), ("nothing", "no JSON"), ("true", "true, no object"), ("12", "a number, no object")],
)
def test_a_word_where_an_object_is_expected_is_told_by_all_of_it(tmp_path: Path, word: str, said: str) -> None:
    """Not by its first letter."""
    message = refusal(written(tmp_path, f"{json.dumps({'users': [ANN]})} {word}"), tmp_path)
    assert message == f"r.json: row 2 (line 1): element '{word}' is {said}"


@pytest.mark.parametrize("word", ["null", "true"])
def test_of_a_word_that_is_json_it_is_not_said_that_quotes_are_missing(tmp_path: Path, word: str) -> None:
    """A text would be no object either."""
    message = refusal(written(tmp_path, f"[{json.dumps(ANN)}, {word}]"), tmp_path)
    assert message == f"r.json: row 2 (line 1): element '{word}]' is {word}, no object"


@pytest.mark.parametrize("suffix", [".json", ".ndjson"])
def test_rejected_objects_are_fed_in_again_though_none_of_them_has_a_column_that_is_mapped(
    tmp_path: Path, suffix: str
) -> None:
    """What was empty in each of them is empty; a name that the roster itself does not have is still a slip."""
    columns = {"uid": "id", "name": "{first} {last}", "metadata": {"dept": "department"}}
    ann, bob = {"id": "a1", "first": "Ann", "last": "Lee", "department": "X"}, {"id": "b 2", "first": "Bob"}
    roster = written(tmp_path, "\n".join(map(json.dumps, (ann, bob))), f"r{suffix}")
    (rejected,) = Path(document(roster, tmp_path, columns=columns)["outputs"]["rejected"]).read_text().splitlines()
    again = written(tmp_path, rejected.replace("b 2", "b2"), f"again{suffix}")
    assert users(again, tmp_path, columns=columns) == [{"uid": "b2", "name": "Bob"}]
    still = Path(document(written(tmp_path, rejected, "s.ndjson"), tmp_path, columns=columns)["outputs"]["rejected"])
    assert json.loads(still.read_text()).keys() == {*bob, "_row", "_errors"}
    said = "[columns] names the column 'lsat', which the roster does not have; did you mean 'last'?"
    assert said in refusal(roster, tmp_path, columns=columns | {"name": "{first} {lsat}"})
    slip = written(tmp_path, rejected.replace('"first"', '"lst":"x","first"'), "slip.ndjson")
    said = refusal(slip, tmp_path, columns=columns)
    assert "'last', which the roster does not have; did you mean 'lst'?" in said
    assert said.endswith("; if it is none of these, add it to the rejected rows, with nothing in it")
    empty = written(
        tmp_path, rejected.replace("b 2", "b2").replace('"first"', '"lst":"x","last":"","first"'), "e.ndjson"
    )
    assert users(empty, tmp_path, columns=columns) == [{"uid": "b2", "name": "Bob"}]
    said = refusal(again, tmp_path, columns=columns | {"uid": "idd"})
    assert "names the column 'idd', which the roster" in said
    assert said.endswith("; if it is none of these, add it to the rejected rows, with what the uid of each is made of")
    added = written(tmp_path, rejected.replace("{", '{"idd":"b3",', 1), "added.ndjson")
    assert users(added, tmp_path, columns=columns | {"uid": "idd"}) == [{"uid": "b3", "name": "Bob"}]
    csv = written(tmp_path, "id,first,_row,_errors\nb2,Bob,1,uid.charset: b\n", "again.csv")
    said = refusal(csv, tmp_path, columns=columns)
    assert "names the column 'last', which the roster does not have" in said
    assert said.endswith("; it has 'id', 'first', '_row', '_errors'"), "the column was taken away or renamed"

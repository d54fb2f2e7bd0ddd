"""NDJSON rosters: every value is the text it is, every broken line has its place, lines come back untouched."""

from __future__ import annotations

import json
import re
from pathlib import Path
from random import Random

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provisioner.errors import RosterError
from provisioner.roster.files.origin import LocalFile
from provisioner.roster.formats.jsondefect import open_lines
from provisioner.roster.formats.ndjsonfile import LineSizes, NdjsonRoster, open_ndjson
from provisioner.roster.formats.ndjsonline import LINE, rejected_line
from provisioner.roster.formats.rows import SOMETHING
from tests.rig.sampling import examples

TINY = LineSizes(first=7, block=5, longest_line=200, cells=6)


def opened(folder: Path, data: bytes, limit: int | None = None, sizes: LineSizes | None = None) -> NdjsonRoster:
    """A roster of these bytes."""
    path = folder / "r.ndjson"
    path.write_bytes(data)
    return open_ndjson(LocalFile(path), None, limit, sizes or LineSizes())


def rows_of(roster: NdjsonRoster) -> list[dict[str, str | None]]:
    """All rows as they are, once it is sure that they are numbered without a gap and that each has its line."""
    rows: list[dict[str, str | None]] = []
    for batch in roster.batches():
        assert batch.first_row == len(rows) + 1
        assert batch.frame.schema == {**roster.schema, LINE: pl.String()}
        rows += batch.frame.drop(LINE).rows(named=True)
    return rows


def refused(folder: Path, data: bytes, sizes: LineSizes | None = None) -> str:
    """What is said of bytes that cannot be read to their end."""
    with pytest.raises(RosterError) as raised:
        rows_of(opened(folder, data, sizes=sizes))
    return str(raised.value).replace(str(folder / "r.ndjson"), "r.ndjson")


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ('"a"', "a"),
        ('" \\u00e9\\n\\"x\\" "', ' é\n"x" '),
        ('""', ""),
        ("null", None),
        ("true", "true"),
        ("false", "false"),
        ("7", "7"),
        ("-0", "-0"),
        ("1.50", "1.50"),
        ("1E5", "1E5"),
        ("12345678901234567890123456789012345", "12345678901234567890123456789012345"),
        ('["a", "b"]', '["a","b"]'),
        ('{"a": {"b": 1}}', '{"a":{"b":1}}'),
        ('{"a" : [1.10, "x : , y", 12345678901234567890]}', '{"a":[1.10,"x : , y",12345678901234567890]}'),
        ("{}", "{}"),
    ],
)
def test_a_value_is_the_text_it_is(tmp_path: Path, value: str, cell: str | None) -> None:
    line = f'{{"uid": "u", "x": {value}}}'
    assert rows_of(opened(tmp_path, line.encode())) == [{"uid": "u", "x": cell}]


def test_columns_are_all_keys_of_the_file_in_the_order_of_their_appearance(tmp_path: Path) -> None:
    data = b'\xef\xbb\xbf{"uid":"a"}\r\n\n \t\r\n{"name":"n","uid":"b"}\n{}\n{"z":1}'
    for sizes in (None, TINY):
        roster = opened(tmp_path, data, sizes=sizes)
        assert roster.columns == ("uid", "name", "z")
        assert rows_of(roster) == [
            {"uid": "a", "name": None, "z": None},
            {"uid": "b", "name": "n", "z": None},
            {"uid": None, "name": None, "z": "1"},
        ]


@pytest.mark.parametrize(("limit", "columns"), [(0, ("a",)), (1, ("a",)), (2, ("a", "b")), (3, ("a", "b"))])
def test_behind_the_limit_there_is_nothing(tmp_path: Path, limit: int, columns: tuple[str, ...]) -> None:
    data = b'{"a":1}\n\n{"b":2}\n' + (b"" if limit == 3 else b'{"c"\n\xff\n')
    for sizes in (None, TINY):
        roster = opened(tmp_path, data, limit, sizes)
        assert (roster.columns, len(rows_of(roster))) == (columns, min(limit, 2))


HINT = "each line is one object"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\n \n", "r.ndjson has no rows: it holds nothing but blank lines or empty objects"),
        (
            b'[{"a":1},\n',
            f"r.ndjson: row 1 (line 1, byte 0): '[{{\"a\":1}},' is no JSON (unexpected end of data); {HINT}",
        ),
        (b'{"a":1}\n[1]\n', f"r.ndjson: row 2 (line 2, byte 8): '[1]' is no JSON object; {HINT}"),
        (
            b'{"a":1}\n\n  {"a":NaN}\n',
            "r.ndjson: row 2 (line 3, byte 9): '{\"a\":NaN}' is no JSON (unexpected character, expected a JSON value); "
            + HINT,
        ),
        (
            b'{"a":"\\ud800"}\n',
            f'r.ndjson: row 1 (line 1, byte 0): \'{{"a":"\\ud800"}}\' is no JSON (no low surrogate in string); {HINT}',
        ),
        (
            b'{"a":1}\n{"a":"Jos\xe9"}\n',
            "r.ndjson: row 2 (line 2, byte 17): byte 0xE9 is not UTF-8; it reads 'José' in cp1252, 'Josй' in cp1251; "  # noqa: ISC004
            "name the one that reads right with --encoding",
        ),
    ],
)
def test_a_broken_line_is_told_with_row_and_byte(tmp_path: Path, data: bytes, message: str) -> None:
    assert refused(tmp_path, data) == message


def test_commas_behind_objects_are_told(tmp_path: Path) -> None:
    """As in an array without its brackets; with the commas gone it is read."""
    path, lines = tmp_path / "r.ndjson", '{"uid":"a1"},\n{"uid":"b2"},\n'
    path.write_text(lines)
    with pytest.raises(RosterError, match="a comma stands behind the object; take it away"):
        open_lines(LocalFile(path), None)
    path.write_text(lines.replace("},", "}"))
    assert [batch.frame["uid"].to_list() for batch in open_lines(LocalFile(path), None).batches()] == [["a1", "b2"]]


def test_a_defect_far_into_a_file_has_its_row_and_byte(tmp_path: Path) -> None:
    good, sizes = b'{"uid":"a"}\n\n' * 1000, LineSizes(first=100, block=1000)
    said = refused(tmp_path, good + b'{"uid":1.5,"uid":NaN}\n' + good, sizes)
    assert said.startswith(f"r.ndjson: row 1001 (line 2001, byte {len(good)}): ")


def test_a_key_that_comes_twice_makes_its_column_unreadable(tmp_path: Path) -> None:
    """With the first place; known once the row has been read. Other columns are as they are."""
    path, good = tmp_path / "r.ndjson", b'{"uid":"a"}\n\n' * 1000
    more = b'{"uid":1.5,"x":{"b" : 1, "c":"\\":","b" :2}}\n{"uid":"c","\\u0078":1,"x":2}\n'
    path.write_bytes(good + more + good)
    roster = open_ndjson(LocalFile(path), sizes=LineSizes(first=100, block=1000))
    rows = [uid for batch in roster.batches() for uid in batch.frame["uid"]]
    assert rows == ["a"] * 1000 + ["1.5", "c"] + ["a"] * 1000
    what = f"row 1001 (line 2001, byte {len(good)}): the key 'b' comes twice in one object; rename or remove one"
    assert roster.unreadable == {"x": what}


def test_a_line_without_end_and_keys_without_end_are_given_up_in_time(tmp_path: Path) -> None:
    assert refused(tmp_path, b'{"a":1}\n{"a":"' + b"x" * 500, TINY).startswith(
        "r.ndjson: a line behind row 1 is longer"
    )
    data = b"".join(b'{"%d":1}\n' % number for number in range(10_001))
    assert "row 10001 (line 10001, byte 108890): more than 10000 different keys so far" in refused(tmp_path, data)


def test_depth_is_no_obstacle_until_it_is_told(tmp_path: Path) -> None:
    nested = b'{"a":1.50,"x":' + b"[" * 500 + b"]" * 500 + b"}"
    assert rows_of(opened(tmp_path, nested)) == [{"a": "1.50", "x": "[" * 500 + "]" * 500}]
    for opening, closing in (("[", "]"), ('{"y":', "}"), ('[{"\\u0079":', "}]")):
        for levels in (100, 150, 240, 300):
            value = opening * levels + "[]" + closing * levels
            (row,) = rows_of(opened(tmp_path, f'{{"a":"b","x":{value}}}'.encode()))
            assert (row["a"], json.loads(row["x"] or "")) == ("b", json.loads(value))
    assert "row 1 (line 1, byte 0): " in refused(tmp_path, b'{"a":1.5,"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}")


def test_an_object_with_nothing_in_it_is_no_row(tmp_path: Path) -> None:
    """As a row of blanks is none in a table; whatever has a value is one, and the byte of a defect is the true one."""
    nothing = [
        "{}",
        "{ }",
        '{"uid":null,"name":""}',
        '{"uid" : " \u00a0", "tags":[ ], "m":{}}',
        '{"uid":"\\u00a0\\t"}',
        '{"uid":"\u200e\u00ad","name":"\u2060"}',
        '{"uid":"\\u200b\\u3000","name":"\\uFEFF\\u2028"}',
    ]
    something = [
        '{"uid":"a","name":null}',
        '{"uid":"","name":0}',
        '{"uid":null,"tags":[null]}',
        '{"uid":false}',
        '{"uid":"\\u200c7"}',
    ]
    lines = [
        line
        for pair in zip(nothing, [*something, '{"uid":"\\n."}', '{"uid":"\\\\u200b"}'], strict=True)
        for line in pair
    ]
    found = [row["uid"] for row in rows_of(opened(tmp_path, "\n".join(lines).encode()))]
    assert found == ["a", "", None, "false", "\u200c7", "\n.", "\\u200b"]
    data = "\n".join([*lines, "x"]).encode()
    assert f"row 8 (line 15, byte {len(data) - 1}): " in refused(tmp_path, data)


def is_nothing(value: object) -> bool:
    """Whether a value is null, a text in which nothing is seen or without members, or an object of such."""
    return value in (None, [], {}) or (isinstance(value, str) and not re.search(SOMETHING, value))


scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=6)
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
objects = st.dictionaries(st.sampled_from(["uid", "name", '"', "a\\", "{", ",", "_x", "é"]), values, max_size=4)


def json_of(value: object, *, ascii_only: bool, blanks: bool) -> str:
    return json.dumps(value, ensure_ascii=ascii_only, separators=(" , ", " : ") if blanks else (",", ":"))


@settings(max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(objects, min_size=1, max_size=6), st.booleans(), st.booleans(), st.integers(1, 60))
def test_whatever_json_writes_is_read_back_whatever_the_block_size(
    tmp_path: Path, people: list[dict[str, object]], ascii_only: bool, blanks: bool, block: int
) -> None:
    """And the line with its errors is the object with two members more."""
    people = [person for person in people if not all(map(is_nothing, person.values()))] or [{"uid": 1}]
    lines = [json_of(person, ascii_only=ascii_only, blanks=blanks) for person in people]
    text = "\n".join(lines)
    roster = opened(tmp_path, text.encode(), sizes=LineSizes(first=block, block=block, cells=10))
    for person, line, row in zip(people, lines, rows_of(roster), strict=True):
        for key in roster.columns:
            value, cell = person.get(key), row[key]
            if value is None or isinstance(value, str):
                assert cell == value
            else:
                assert cell is not None
                assert json.loads(cell) == value
                assert isinstance(value, dict | list) or cell == json.dumps(value)
        once = rejected_line(line, 3, 'a "b"')
        assert json.loads(once) == {**person, "_row": 3, "_errors": 'a "b"'}
        assert json.loads(rejected_line(once, 4, "é")) == {**person, "_row": 4, "_errors": "é"}


@pytest.mark.parametrize("eol", ["\n", "\r\n"])
@pytest.mark.parametrize("seed", range(10))
def test_each_row_has_the_line_that_it_stands_in(tmp_path: Path, eol: str, seed: int) -> None:
    """Blank lines and empty objects are no rows, in blocks of any size."""
    source = Random(seed)
    kinds = [source.choice(["row", "row", "", "{}", "  "]) for _ in range(60)]
    lines = [f'{{"uid":"u{number}","name":"N"}}' if kind == "row" else kind for number, kind in enumerate(kinds)]
    path = tmp_path / "r.ndjson"
    path.write_bytes(eol.join(lines).encode())
    sizes = LineSizes(first=source.randrange(10, 90), block=source.randrange(10, 300))
    roster = open_ndjson(LocalFile(path), sizes=sizes)
    begins = [f"line {number}" for number, kind in enumerate(kinds, 1) if kind == "row"]
    assert sum(batch.frame.height for batch in roster.batches()) == len(begins)
    assert [roster.place(row + 1) for row in range(len(begins))] == begins

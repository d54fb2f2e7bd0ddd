"""The validator: every rule from both sides, every form a value can have, and the oracle for everything between."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from provisioner.model import AuthTokens
from provisioner.roster.formats.rows import Roster, RosterBatch
from provisioner.roster.reader import open_roster
from provisioner.validation.constraints import DEFECTS, Constraints
from provisioner.validation.fields.binding import bind
from provisioner.validation.fields.mapping import parse_mapping
from provisioner.validation.survey import survey
from provisioner.validation.validator import Validator
from tests.rig import rules as oracle
from tests.rig.checking import ANN, check, csv_frame


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
        assert check([cells], auth_tokens=tokens, writes=False).lines["error_message"].item() == expected


def test_of_bodies_that_nobody_wants_those_are_written_that_may_be_too_large() -> None:
    """All else is as ever."""
    people = [ANN, {"uid": "b b", "name": "Bob"}, {"uid": "cy", "name": "Cy \x01", "metadata": '{"k": 1}'}]
    large = {"uid": "di", "name": "Di", "statusMessage": "x" * 1700}
    larger = {"uid": "ed", "name": "Ed", "link": "https://e.org/" + "x" * 2986, "avatar": "https://e.org/" + "x" * 2986}
    largest = {**larger, "metadata": '{"k": "' + "m" * 5000 + '"}'}
    for rows, written in [(people, []), ([*people, large], ["di"]), ([large, *people, largest], ["di"])]:
        wanted, unwanted = (check(rows, writes=writes) for writes in (True, False))
        assert unwanted.lines.equals(wanted.lines)
        assert unwanted.rejected.equals(wanted.rejected)
        assert (unwanted.defects, unwanted.warnings) == (wanted.defects, wanted.warnings)
        assert unwanted.valid.drop("body").equals(wanted.valid.drop("body"))
        bodies = zip(wanted.valid["uid"], wanted.valid["body"], strict=True)
        assert unwanted.valid["body"].to_list() == [body if uid in written else None for uid, body in bodies]


def test_a_row_that_speaks_of_tokens_itself_wins_but_none_is_none() -> None:
    """The cell decides unless no tokens are wanted at all; an empty one says nothing."""
    words = ["TRUE", "yes", "1", "t", "Y", "false", "No", "0", "F", "n", None, " "]
    frame = pl.DataFrame({"uid": list("abcdefghijkl"), "name": ["n"] * 12, "with_auth_token": words})
    asked = [True] * 5 + [False] * 5 + [True] * 2
    assert check(frame, auth_tokens=AuthTokens.CREATED).valid["token"].to_list() == asked
    assert check(frame, auth_tokens=AuthTokens.ALL).valid["token"].to_list() == asked
    assert check(frame, auth_tokens=AuthTokens.NONE).valid["token"].to_list() == [False] * 12
    booleans = pl.DataFrame({"uid": ["a", "b"], "name": ["n", "n"], "withAuthToken": [True, False]})
    assert check(booleans, auth_tokens=AuthTokens.ALL).valid["token"].to_list() == [True, False]


def test_lines_and_rejected_rows_hold_what_the_roster_held() -> None:
    """Untouched cells, in the roster's columns, with the row and its defects behind; old ones are replaced."""
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
        (1, "ann", " ANN ", "Ann", None, None, 9),
        (2, "bo b", "Bo b", None, "name.missing", message, None),
        (3, None, " ", "C", "uid.missing", missing, None),
    ]
    assert checked.rejected.columns == ["uid", "name", "note", "_row", "_errors"]
    assert checked.rejected.rows() == [("Bo b", " ", " y ", 2, message), (" ", "C", None, 3, missing)]
    assert checked.lines.schema == {
        "row": pl.Int64, "uid": pl.String, "uid_input": pl.String, "name": pl.String, "error_code": pl.String,
        "error_message": pl.String, "_row": pl.Int64,
    }  # fmt: skip
    assert checked.valid.schema == {
        "row": pl.Int64,
        "uid": pl.String,
        "body": pl.String,
        "token": pl.Boolean,
        "role": pl.String,
        "deactivated": pl.Boolean,
        "filled": pl.Int64,
    }


def test_a_batch_without_rejected_rows_has_frames_of_the_same_shape() -> None:
    """Whoever writes them need not look whether there are any."""
    checked = check([ANN])
    assert checked.rejected.schema == {"uid": pl.String, "name": pl.String, "_row": pl.Int64, "_errors": pl.String}
    assert (checked.valid.height, checked.rejected.height, dict(checked.defects)) == (1, 0, {})


def test_mapped_columns_templates_and_constants_feed_the_fields() -> None:
    """The `[columns]` table from end to end: what is sent, and what a row without a name becomes."""
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
    """A constant has no rows of its own."""
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


@pytest.mark.sampled
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
    valid = {row: (body, token) for each in checked for row, _, body, token, *_ in each.valid.rows()}
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


class FramesRoster(Roster):
    """A roster that is a frame in memory, cut into batches of the given sizes."""

    name = "memory.csv"
    size = 0

    def __init__(self, frame: pl.DataFrame, sizes: list[int]) -> None:
        self.frame, self.sizes = frame, sizes

    @property
    def schema(self) -> Mapping[str, pl.DataType]:
        """As the frame's."""
        return self.frame.schema

    def batches(self, _progress: object = None) -> Any:
        start = 0
        for size in self.sizes:
            yield RosterBatch(start + 1, self.frame.slice(start, size))
            start += size


def test_a_csv_and_a_parquet_file_of_the_same_people_give_the_same_bodies(tmp_path: Path) -> None:
    """The format of a roster makes no difference to a byte of what is sent."""
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

"""Twenty thousand rows on the boundaries of the rules: the validator and the oracle agree about every one."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from functools import cache
from itertools import zip_longest
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from provisioner.model import AuthTokens
from provisioner.roster.reader import open_roster
from provisioner.validation.constraints import DEFECTS, Constraints
from provisioner.validation.fields.binding import bind
from provisioner.validation.survey import survey
from provisioner.validation.validator import Validator
from tests.rig import rules as oracle
from tests.rig.rows import NATIVE, Row, boundary_rows, native_rows, single_column_rows

Verdict = tuple[str | None, list[str], bool, bytes]
"""Uid as sent, codes in order, whether a token is asked for, body; a rejected row has neither of the last two."""


def verdicts(path: Path) -> list[Verdict]:
    """Read a roster as the command does, and tell what the validator makes of each row."""
    roster = open_roster(path)
    binding = bind(roster.schema)
    validator = Validator(binding, Constraints(), survey(roster, binding, path.parent), auth_tokens=AuthTokens.CREATED)
    found: list[Verdict] = []
    for batch in roster.batches():
        checked = validator.check(batch)
        valid = {
            row: (token, body.encode()) for row, token, body in checked.valid.select("row", "token", "body").rows()
        }
        for row, uid, message in checked.lines.select("row", "uid", "error_message").iter_rows():
            found.append((uid, codes(message), *valid.pop(row, (False, b""))))
        assert valid == {}
    return found


def codes(message: str | None) -> list[str]:
    """Take the codes out of a message; a value that is shown in it may hold a semicolon."""
    found = [part.partition(":")[0] for part in (message or "").split("; ")]
    return [code for code in found if code in DEFECTS]


@cache
def boundaries() -> tuple[Sequence[Row], Sequence[oracle.Judged]]:
    """Give twenty thousand rows, and what the oracle thinks of each."""
    rows = boundary_rows(20_000)
    return rows, oracle.judge(rows)


def disagreements(
    rows: Sequence[Row], found: Iterable[Verdict], judged_before: Sequence[oracle.Judged] | None = None
) -> list[str]:
    """Name the rows of which the oracle thinks otherwise, and what either says."""
    different = []
    for row, judged, verdict in zip_longest(rows, judged_before or oracle.judge(rows), found):
        if judged is None or verdict is None:
            return [f"{len(rows)} rows went in, others came out"]
        uid, codes_, token, body = verdict
        expected = (judged.uid, judged.codes, judged.token and not judged.codes)
        if (uid, codes_, token) != expected or not same_body(row, judged, body):
            different.append(f"{shown(row)}: {shown(verdict)}, not {shown((*expected, judged.body))}")
    return different


def same_body(row: Row, judged: oracle.Judged, body: bytes) -> bool:
    """Compare the bodies byte by byte, or by exact value where JSON has several ways to write it.

    A column that fills the place of a null member of a struct stands there, or behind the others: both are right.
    """
    if judged.codes or not body:
        return body == b"" and judged.codes != []
    if has_several_forms(row.get("metadata")):
        return bool(parsed(body) == judged.body)
    if isinstance(row.get("metadata"), dict):
        return bool(parsed(body) == judged.body) and len(body) == len(oracle.compact(judged.body))
    return body == oracle.compact(judged.body)


def parsed(body: bytes) -> Any:
    return json.loads(body, parse_float=Decimal, parse_int=Decimal)


def has_several_forms(cell: Any) -> bool:
    """Tell whether an object holds a number that can be written otherwise, or a key twice."""
    open_ = False

    def number(kind: Callable[[str], float]) -> Callable[[str], float]:
        def read(text: str) -> float:
            nonlocal open_
            value = kind(text)
            open_ |= text != str(value) or text == "-0"
            return value

        return read

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal open_
        open_ |= len(dict(pairs)) < len(pairs)
        return dict(pairs)

    if isinstance(cell, str) and oracle.trim(cell).startswith("{"):
        json.loads(oracle.trim(cell), parse_float=number(float), parse_int=number(Decimal), object_pairs_hook=members)  # type: ignore[arg-type]
    return open_


def shown(value: object) -> str:
    text = ascii(value)
    return text if len(text) < 600 else f"{text[:400]} … {text[-150:]}"


def write_csv(path: Path, rows: Sequence[Row]) -> Path:
    columns = list(dict.fromkeys(column for row in rows for column in row))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_parquet(path: Path, rows: Sequence[Row], types: dict[str, Any] | None = None) -> Path:
    columns = list(dict.fromkeys(column for row in rows for column in row))
    schema = {column: (types or {}).get(column, pl.String) for column in columns}
    pl.DataFrame([[row.get(column) for column in columns] for row in rows], schema=schema, orient="row").write_parquet(
        path
    )
    return path


@pytest.mark.slow
@pytest.mark.parametrize("write", [write_csv, write_parquet])
def test_twenty_thousand_rows_on_the_boundaries_get_the_verdict_of_the_oracle(
    tmp_path: Path, write: Callable[[Path, Sequence[Row]], Path]
) -> None:
    """Verdict, codes and their order, uid as sent, body to the byte, token; as CSV and as Parquet of texts."""
    rows, judged = boundaries()
    assert len(rows) == 20_000
    path = write(tmp_path / f"roster.{write.__name__.removeprefix('write_')}", rows)
    assert disagreements(rows, verdicts(path), judged) == []


@pytest.mark.slow
@pytest.mark.parametrize("write", [write_csv, write_parquet])
def test_columns_for_single_keys_of_the_metadata_are_merged_as_the_oracle_does(
    tmp_path: Path, write: Callable[[Path, Sequence[Row]], Path]
) -> None:
    """An object and three columns beside it, each in every form."""
    rows = single_column_rows()
    path = write(tmp_path / f"roster.{write.__name__.removeprefix('write_')}", rows)
    assert disagreements(rows, verdicts(path)) == []


@pytest.mark.sampled
@pytest.mark.parametrize("kind", NATIVE)
def test_the_types_of_parquet_are_read_as_the_oracle_does(tmp_path: Path, kind: str) -> None:
    """Whole and fractional numbers, booleans, lists, structs with and without what only Python can write."""
    rows = native_rows(kind)
    path = write_parquet(tmp_path / "roster.parquet", rows, NATIVE[kind])
    assert disagreements(rows, verdicts(path)) == []


@pytest.mark.slow
def test_the_limits_in_bytes_are_met_exactly() -> None:
    """Metadata of 5,120 bytes and requests of 10,240, each one less and one more, with every kind of character."""
    judged = oracle.judge(boundary_rows(20_000))
    metadata = [len(oracle.compact(each.body["metadata"])) for each in judged if "metadata" in each.body]
    requests = [each.size + 21 * each.token for each in judged if each.body]
    too_large = [each for each in judged if each.codes == ["metadata.too_large"]]
    assert [metadata.count(size) >= 120 for size in (5119, 5120, 5121)] == [True, True, False]
    assert len(too_large) >= 120
    assert [requests.count(size) >= 60 for size in (10239, 10240, 10241)] == [True] * 3


def judged_alone(tmp_path: Path, **cells: str) -> Verdict:
    """The verdict on one row with a uid and a name."""
    (verdict,) = verdicts(write_csv(tmp_path / "roster.csv", [{"uid": "ann", "name": "Ann", **cells}]))
    return verdict


def test_a_tag_nested_ever_so_deep_is_no_tag(tmp_path: Path) -> None:
    """A defect of one row, never the end of a run."""
    tags = "[" * 400 + "]" * 400
    assert judged_alone(tmp_path, tags=tags) == ("ann", ["tags.not_a_list"], False, b"")


def test_a_key_that_comes_twice_means_the_same_whatever_else_the_object_holds(tmp_path: Path) -> None:
    """Which of the two is meant, nobody can tell: the row is rejected."""
    refused = ("ann", ["metadata.not_an_object"], False, b"")
    assert judged_alone(tmp_path, metadata='{"k":"v","k":"w"}') == refused
    assert judged_alone(tmp_path, metadata='{"k":"\\u0076","k":"w"}') == refused
    assert judged_alone(tmp_path, metadata='{"k":{"j":1.5,"j":1.5}}') == refused


def test_half_a_surrogate_pair_is_refused_in_a_member_that_another_replaces(tmp_path: Path) -> None:
    """As it is in an object without a delicate number."""
    refused = ("ann", ["metadata.not_an_object"], False, b"")
    assert judged_alone(tmp_path, metadata='{"k":"\\ud800","k":1}') == refused
    assert judged_alone(tmp_path, metadata='{"k":"\\ud800","k":1e5}') == refused

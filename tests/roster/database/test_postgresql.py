"""Rows of PostgreSQL, from a real server where there is one: types, refusals, and a connection that is lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from provisioner.errors import RosterError
from provisioner.roster.database.address import Query, parse_address
from provisioner.roster.database.answer import ask
from tests.rig.databases import PASSWORD, postgresql

pytestmark = [
    pytest.mark.process,
    pytest.mark.filterwarnings("default::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with postgresql() as where:
        yield where


def rows(address: str, sql: str, folder: Path, password: str | None = PASSWORD) -> list[dict[str, Any]]:
    kept = ask(Query(sql, parse_address(address), password), folder, lambda: None)
    with closing(kept):
        return [row for batch in kept.open(None).batches() for row in batch.frame.to_dicts()]


TYPES = """
    SELECT 7::int2 AS small, 9007199254740993 AS big, 0.5::float8 AS fraction, 12.50::numeric(12, 2) AS money,
        1.250::numeric AS exact, true AS yes, ARRAY['a', 'b;c'] AS tags, '{"a": 1}'::jsonb AS json,
        '6f9619ff-8b86-d011-b42d-00c04fc964ff'::uuid AS id, DATE '2026-01-31' AS day,
        TIMESTAMPTZ '2026-01-31 12:00+00' AS moment, NULL::text AS nothing, 'Zoë 😀' AS name
"""


@pytest.mark.slow
def test_types_are_as_a_parquet_file_has_them(address: str, tmp_path: Path) -> None:
    """Lists are lists; a UUID and JSON are their text; a number keeps every digit."""
    assert rows(address, TYPES, tmp_path) == [
        {
            "small": 7, "big": 9007199254740993, "fraction": 0.5, "money": Decimal("12.50"), "exact": "1.250",
            "yes": True, "tags": ["a", "b;c"], "json": '{"a": 1}', "id": "6f9619ff-8b86-d011-b42d-00c04fc964ff",
            "day": date(2026, 1, 31), "moment": datetime(2026, 1, 31, 12, tzinfo=UTC), "nothing": None,
            "name": "Zoë 😀",
        }
    ]  # fmt: skip


@pytest.mark.slow
def test_many_rows_come_in_the_order_of_the_query(address: str, tmp_path: Path) -> None:
    """Over several batches; and no rows are a roster of none."""
    found = rows(address, "SELECT n AS uid FROM generate_series(1, 200000) n ORDER BY n", tmp_path)
    assert [row["uid"] for row in found] == list(range(1, 200001))
    assert rows(address, "SELECT 'a' AS uid WHERE false", tmp_path) == []


ALTERED = {
    "DATE 'infinity'": ("has an infinite day or time in it", "::text", "infinity"),
    "DATE '-infinity'": ("has an infinite day or time in it", "::text", "-infinity"),
    "TIMESTAMP 'infinity'": ("has an infinite day or time in it", "::text", "infinity"),
    "TIMESTAMP '-infinity'": ("has an infinite day or time in it", "::text", "-infinity"),
    "TIMESTAMPTZ 'infinity'": ("has an infinite day or time in it", "::text", "infinity"),
    "ARRAY[DATE 'infinity']": ("has an infinite day or time in it", "::text", "{infinity}"),
    "12.5::money": ("is money", "::numeric", "12.50"),
    "ARRAY[12.5::money]": ("is a list of money", "::text[]", ["$12.50"]),
    "ARRAY[1.50, 2]": ("is a list of numeric", "::text[]", ["1.50", "2"]),
    "ARRAY['10.0.0.1'::inet]": ("is a list of inet", "::text[]", ["10.0.0.1/32"]),
    "ARRAY[4294967295::oid]": ("is a list of oid", "::text[]", ["4294967295"]),
    "ARRAY['6f9619ff-8b86-d011-b42d-00c04fc964ff'::uuid]": (
        "is a list of uuid",
        "::text[]",
        ["6f9619ff-8b86-d011-b42d-00c04fc964ff"],
    ),
    "ARRAY['{\"a\": 1}'::jsonb]": ("is a list of jsonb", "::text[]", ['{"a": 1}']),
    "ARRAY[ROW(1, 2)]": ("is a list of record", "::text[]", ["(1,2)"]),
    "'10.0.0.1'::inet": ("is of the type inet, which comes as bytes", "::text", "10.0.0.1/32"),
    "B'101'": ("is of the type bit, ", "::text", "101"),
    "TIMETZ '09:05+02'": ("is of the type timetz, ", "::text", "09:05:00+02"),
    "'int4'::regtype": ("is of the type regtype, ", "::text", "integer"),
    "int4range(1, 3)": ("is of the type ", "::text", "[1,3)"),
    "ROW(1, 2)": ("is of the type record, ", "::text", "(1,2)"),
    "ARRAY[INTERVAL '1 day']": ("is an interval", "::text[]", ["1 day"]),
}


@pytest.mark.sampled
@pytest.mark.parametrize("value", ALTERED)
def test_a_value_that_would_be_another_is_refused_with_what_reads_it(address: str, tmp_path: Path, value: str) -> None:
    """By the name of its column, among rows that can be read; as it is told to be written it is read."""
    what, cast, read = ALTERED[value]
    filler = (
        ""
        if "infinity" not in value
        else f"UNION ALL SELECT 'b2', ({value.replace('-', '').replace('infinity', '2024-01-01')})"
    )
    sql = f"SELECT 'a1' AS uid, ({value}) AS \"the v\" {filler}"
    with pytest.raises(RosterError) as refused:
        rows(address, sql, tmp_path)
    assert f"the column 'the v' {what}" in str(refused.value)
    assert f"{cast}" in str(refused.value)
    assert rows(address, f"SELECT ({value}){cast} AS v", tmp_path) == [{"v": read}]


def test_a_number_that_is_none_is_told_with_what_reads_it(address: str, tmp_path: Path) -> None:
    """NaN has no digits."""
    sql = "SELECT 'a' AS uid, ('NaN'::numeric(10, 2)){} AS v"
    with pytest.raises(RosterError, match=r"behind row 0 .*column 'v'.*; write that column as text with ::text, or"):
        rows(address, sql.format(""), tmp_path)
    assert rows(address, sql.format("::text"), tmp_path) == [{"uid": "a", "v": "NaN"}]


def test_xml_and_bytes_are_read_as_they_are(address: str, tmp_path: Path) -> None:
    """What comes as bytes and is text, and what is bytes."""
    sql = "SELECT '<a/>'::xml AS a, '\\x00ff'::bytea AS b"
    assert rows(address, sql, tmp_path) == [{"a": "<a/>", "b": b"\x00\xff"}]


@pytest.mark.parametrize("statement", ["COPY (SELECT 'secret') TO STDOUT", ";", "SET search_path = 'secret'"])
def test_a_statement_that_gives_no_rows_is_told_without_it(address: str, tmp_path: Path, statement: str) -> None:
    """It may hold what is nobody's business."""
    with pytest.raises(RosterError) as refused:
        rows(address, statement, tmp_path)
    assert "secret" not in str(refused.value)
    assert "no query that gives rows" in str(refused.value)


def test_a_large_oid_is_no_negative_number(address: str, tmp_path: Path) -> None:
    assert rows(address, "SELECT 4294967295::oid AS a, 7::oid AS b", tmp_path) == [{"a": 4294967295, "b": 7}]


@pytest.mark.parametrize("options", ["-csearch_path=public", "-c default_transaction_read_only=off"])
def test_options_in_the_address_do_not_let_a_query_change_anything(address: str, tmp_path: Path, options: str) -> None:
    """They are in force beside our own."""
    where = f"{address}?options={quote(options)}"
    with pytest.raises(RosterError, match="cannot execute CREATE TABLE in a read-only transaction"):
        rows(where, "CREATE TABLE t (a int)", tmp_path)
    assert rows(where, "SELECT current_setting('search_path') AS search_path", tmp_path) == [
        {"search_path": "public" if "search" in options else '"$user", public'}
    ]


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELECT nme FROM pg_class", 'PostgreSQL: column "nme" does not exist'),
        ("SELECT 1 AS a, 2 AS a", "two columns are named 'a'; give one another name with AS"),
        ("SELECT interval '1 day' AS o", "the column 'o' is an interval; write it as text with ::text"),
        ("CREATE TABLE t (a int)", "PostgreSQL: cannot execute CREATE TABLE in a read-only transaction"),
        ("SELECT 1 / 0", "PostgreSQL: division by zero"),
        (
            "SELECT 1 / (n - 150000) AS uid FROM generate_series(1, 200000) n",
            "PostgreSQL after ",
        ),
        (
            "SELECT pg_terminate_backend(pg_backend_pid()) FROM generate_series(1, 2)",
            "PostgreSQL after 0 rows: terminating connection due to administrator command",
        ),
    ],
)
def test_what_cannot_be_read_to_its_end_is_one_sentence(address: str, tmp_path: Path, sql: str, message: str) -> None:
    """In the server's words, with the rows that had come; what came is nobody's."""
    with pytest.raises(RosterError) as refused:
        rows(address, sql, tmp_path)
    assert str(refused.value).startswith(f"query of postgres: {message}"), refused.value
    assert "\n" not in str(refused.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("password", "message"), [("wr0ng-Pw", "password authentication failed"), (None, "no password supplied")]
)
def test_a_wrong_password_is_told_and_not_repeated(
    address: str, tmp_path: Path, password: str | None, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is one that nobody gave."""
    monkeypatch.delenv("PGPASSWORD", raising=False)
    with pytest.raises(RosterError, match=message) as refused:
        rows(address, "SELECT 1", tmp_path, password)
    assert "wr0ng" not in str(refused.value)

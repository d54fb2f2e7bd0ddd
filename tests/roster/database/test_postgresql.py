"""Rows of PostgreSQL, from a real server where there is one: types, refusals, and a connection that is lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

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


def test_many_rows_come_in_the_order_of_the_query(address: str, tmp_path: Path) -> None:
    """Over several batches; and no rows are a roster of none."""
    found = rows(address, "SELECT n AS uid FROM generate_series(1, 200000) n ORDER BY n", tmp_path)
    assert [row["uid"] for row in found] == list(range(1, 200001))
    assert rows(address, "SELECT 'a' AS uid WHERE false", tmp_path) == []


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

"""Statements whose columns and values are named once: nothing rests on the order of anybody's members."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import NamedTuple

import pytest

from provisioner.journal.columns import SETTLED, settled_rows
from provisioner.journal.statements import Bulk, select
from provisioner.model import Live, Outcome, Settlement, State

SETTLEMENT = Settlement(
    key=1, state=State.SETTLED, outcome=Outcome.FAILED, attempts=2, http_status=400, error_code="ERR",
    error_message="no", auth_token="token", created_at=3, settled_at=4.5, doubt_since=5.5, mark=6,
)  # fmt: skip


class Reordered(NamedTuple):
    """A `Settlement` whose members stand the other way round."""

    mark: int | None
    carried: bytes | None
    doubted: bool
    parted: bool | None
    flushed: bool
    live: Live | None
    doubt_since: float | None
    settled_at: float | None
    created_at: int | None
    auth_token: str | None
    error_message: str | None
    error_code: str | None
    http_status: int | None
    attempts: int
    outcome: Outcome
    state: State
    key: int


def test_a_settlement_whose_members_stand_in_another_order_is_recorded_the_same() -> None:
    """Every value goes into the column of its name."""
    rows = settled_rows([SETTLEMENT, Reordered(**SETTLEMENT._asdict())])  # type: ignore[list-item]
    assert rows[0] == rows[1]
    assert dict(zip(SETTLED.columns, rows[0], strict=True)) == {
        "id": 1, "state": "settled", "outcome": "failed", "attempts": 2, "http_status": 400, "error_code": "ERR",
        "error_message": "no", "auth_token": "token", "created_at": 3, "settled_at": 4.5, "doubt_since": 5.5,
        "mark": 6, "parted": None,
    }  # fmt: skip


def test_every_member_of_a_settlement_is_recorded_or_known_not_to_be() -> None:
    """A member that is added later must find its column; these four have places of their own."""
    own = {"live", "flushed", "carried", "doubted"}
    assert {name for name in Settlement._fields if name != "key"} - set(SETTLED.columns) == own


def test_what_is_selected_has_the_names_it_was_asked_for_in_that_order() -> None:
    """Columns as they are, and expressions under the name of what they make."""
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute("CREATE TABLE t (a, b)")
        database.execute("INSERT INTO t VALUES (1, 2)")
        found = database.execute(select(("sum", "b", "a"), "FROM t", {"sum": "a + b"}))
        assert [column for column, *_ in found.description] == ["sum", "b", "a"]
        assert found.fetchall() == [(3, 2, 1)]


@pytest.mark.parametrize("rows", [0, 1, 9, 10, 11, 1111, 2345])
def test_a_bulk_brings_in_every_row_once(rows: int) -> None:
    """Whatever pieces its rows are cut into."""
    bulk = Bulk(("a", "b"), "INSERT INTO t (b, a) SELECT b, a FROM given")
    expected = [(number, -number) for number in range(rows)]
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute("CREATE TABLE t (a, b)")
        for statement, values in bulk.pieces(expected):
            database.execute(statement, values)
        assert database.execute("SELECT a, b FROM t ORDER BY a").fetchall() == expected

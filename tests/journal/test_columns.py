"""Statements whose columns and values are named once: nothing rests on the order of anybody's members."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from provisioner.journal.columns import CREATED, SETTLED, settled
from provisioner.journal.header import Identity
from provisioner.journal.journal import Journal
from provisioner.journal.statements import Bulk, select
from provisioner.model import Live, Outcome, Settlement, State, UserRequest

SETTLEMENT = Settlement(
    key=1, state=State.SETTLED, outcome=Outcome.FAILED, attempts=2, http_status=400, error_code="ERR",
    error_message="no", auth_token="token", created_at=3, settled_at=4.5, doubt_since=5.5, mark=6,
)  # fmt: skip


class Reordered(NamedTuple):
    """A `Settlement` whose members stand the other way round."""

    mark: int | None
    carried: bytes | None
    doubted: bool
    besides: str | None
    filled: int | None
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
    reordered = Reordered(**SETTLEMENT._asdict())
    (_, created), (_, rows) = settled([SETTLEMENT, reordered])  # type: ignore[list-item]
    assert not created
    assert rows[0] == rows[1]
    assert dict(zip(SETTLED.columns, rows[0], strict=True)) == {
        "id": 1, "state": "settled", "outcome": "failed", "attempts": 2, "http_status": 400, "error_code": "ERR",
        "error_message": "no", "auth_token": "token", "created_at": 3, "settled_at": 4.5, "doubt_since": 5.5,
        "mark": 6, "parted": None, "besides": None, "filled": None,
    }  # fmt: skip


CREATED_ONE = Settlement(
    key=1, state=State.SETTLED, outcome=Outcome.CREATED, attempts=1, http_status=200, auth_token="token",
    created_at=3, settled_at=4.5, mark=6,
)  # fmt: skip
UNLIKE = {
    "as nearly all": {},
    "without a token": {"auth_token": None, "created_at": None, "mark": None},
    "at the second try": {"attempts": 2, "http_status": None},
    "deactivated": {"error_code": "deactivated"},
    "explained": {"error_message": "why"},
    "doubted still": {"doubt_since": 5.5},
    "doubted since 1970": {"doubt_since": 0.0},
    "known to be active": {"parted": False},
    "parted": {"parted": True},
    "with more than its body": {"besides": "+1"},
    "less filled than it may have been": {"filled": 0},
    "pending": {"state": State.PENDING},
    "updated": {"outcome": Outcome.UPDATED},
}


def _users_after(path: Path, settlement: Settlement, *, whole: bool) -> list[tuple[object, ...]]:
    """Settle one user of a journal, by the statement that takes all values or by whichever is chosen."""
    with Journal(path, Identity("app", "https://example.com/v3")) as journal:
        journal.sent([UserRequest(1, 2, "ann", b"{}", "a" * 16, token=True)], 1.0)
        statements = settled([settlement._replace(error_message="x")] if whole else [settlement])
        for bulk, rows in statements:
            for statement, values in bulk.pieces(rows):
                given = [settlement.error_message if value == "x" else value for value in values]
                journal._database.execute(statement, given)
        return journal._database.execute("SELECT * FROM users").fetchall()


@pytest.mark.parametrize("change", UNLIKE.values(), ids=UNLIKE.keys())
def test_a_user_who_was_created_is_recorded_alike_by_either_statement(tmp_path: Path, change: dict[str, Any]) -> None:
    """The one that takes fewer values is for just those settlements of which it knows the rest."""
    settlement = CREATED_ONE._replace(**change)
    (_, created), (_, others) = settled([settlement])
    plain = all(name in {"auth_token", "created_at", "mark", "attempts", "http_status"} for name in change)
    assert (len(created), len(others)) == (int(plain), int(not plain))
    short = _users_after(tmp_path / "short.journal", settlement, whole=False)
    assert short == _users_after(tmp_path / "whole.journal", settlement, whole=True)


def test_the_shorter_statement_takes_what_the_other_takes_less_what_it_knows() -> None:
    """Whatever is added to a settlement goes into both."""
    known = {"state", "outcome", "error_code", "error_message", "doubt_since", "parted", "besides", "filled"}
    assert set(CREATED.columns) == set(SETTLED.columns) - known


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

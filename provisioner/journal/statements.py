"""Statements for many rows at once: how they are made, and how what they give is taken in."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import chain
from typing import Any, Final, NamedTuple, TypeAlias

import orjson

# Rows to a statement, tried in this order; about a dozen come together at CometChat's rate.
_PIECES: Final = (1000, 100, 12, 4, 1)


class Bulk(NamedTuple):
    """A statement for many rows at once, which it finds in `given`.

    columns  the names of a row's members, in their order
    """

    columns: tuple[str, ...]
    sql: str

    def pieces(self, rows: Sequence[tuple[Any, ...]]) -> Iterator[tuple[str, list[Any]]]:
        """Give the statements, each with its values, that bring these rows in."""
        at = 0
        for size in _PIECES:
            while len(rows) - at >= size:
                yield _statement(self, size), list(chain.from_iterable(rows[at : at + size]))
                at += size


class UserKey(NamedTuple):
    """Which user a statement is about, by its number in `users`; all that it needs to be given."""

    id: int


Columns: TypeAlias = dict[str, list[Any]]
"""Values by column, all as long as one another."""

Written: TypeAlias = tuple[Bulk, Sequence[tuple[Any, ...]]]
"""A statement for many rows, and the rows."""


@cache
def _statement(bulk: Bulk, rows: int) -> str:
    row = "(" + ", ".join("?" * len(bulk.columns)) + ")"
    return f"WITH given ({', '.join(bulk.columns)}) AS (VALUES {', '.join([row] * rows)}) {bulk.sql}"


def select(names: Iterable[str], source: str, expressions: Mapping[str, str] | None = None) -> str:
    """Make a SELECT that gives its values under these names, in this order.

    source       the rest of the statement, FROM on
    expressions  name → how it is made, for those that are not simply columns
    """
    made = expressions or {}
    return f"SELECT {', '.join(f'{made[name]} AS {name}' if name in made else name for name in names)} {source}"


def select_columns(names: Iterable[str], source: str, expressions: Mapping[str, str] | None = None) -> str:
    """Make a SELECT as `select` does that gives one row: of each name all its values, as a JSON list.

    For `fetch_columns`: what many users are asked of goes into data frames, and rows of Python objects on the way take
    twice as long. Only whole numbers and texts come out exactly.
    """
    made = expressions or {}
    return f"SELECT {', '.join(f'json_group_array({made.get(name, name)}) AS {name}' for name in names)} {source}"


def fetch_columns(database: sqlite3.Connection, statement: str, values: Sequence[Any] | Mapping[str, Any]) -> Columns:
    """Carry out a statement of `select_columns`. Raises `sqlite3.Error`."""
    cursor = database.execute(statement, values)
    return {told[0]: read_json(each) for told, each in zip(cursor.description, cursor.fetchone(), strict=True)}


def read_json(text: str | bytes) -> Any:
    """Read what was written as JSON. Raises `sqlite3.DatabaseError` where it is none any more."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise sqlite3.DatabaseError("its texts are damaged") from error


def json_list(uids: Sequence[str | int]) -> str:
    """Write uids, or keys, as the one value of a statement, which `json_each` takes apart."""
    return orjson.dumps(uids).decode()

"""Rows of an SQLite file, which is only read.

Its columns have no types, its values have: a column is of the one type that all of its values have, integers among
fractions are fractions where none is lost by it, and a column of several types is text.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

import polars as pl

from provisioner.errors import RosterError
from provisioner.roster.database.address import Query
from provisioner.roster.database.answer import Answer, no_query, refuse_twins

_ROWS: Final = 20_000
# From here on a fraction no longer tells neighbouring integers apart.
_EXACT: Final = 2**53
_KINDS: Final[dict[frozenset[type], pl.DataType]] = {
    frozenset({int}): pl.Int64(),
    frozenset({float}): pl.Float64(),
    frozenset({int, float}): pl.Float64(),
    frozenset({bytes}): pl.Binary(),
}


@contextmanager
def asked(query: Query) -> Iterator[Answer]:
    """Ask SQLite, twice in one transaction: the types of all values are known before the first frame."""
    path = Path(query.address.file)
    if not path.is_file():
        raise RosterError(f"{query.name}: {path}: no such file")
    try:
        # The frames are taken by a thread of polars.
        options: dict[str, Any] = {"uri": True, "isolation_level": None, "check_same_thread": False}
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", **options)) as database:
            database.set_authorizer(_only_this_file)
            database.execute("BEGIN")
            columns = [name for name, *_ in database.execute(query.sql).description or ()]
            if not columns:
                raise no_query(query)
            refuse_twins(query.name, columns)
            types = _known_types(query, database, len(columns))
            schema = dict(zip(columns, types, strict=True))
            yield Answer(schema, _frames(query, database.execute(query.sql), schema))
    except (sqlite3.Error, sqlite3.Warning) as error:
        raise _meaning(query, error) from None


def _only_this_file(action: int, *_: str | None) -> int:
    """Let a query do all but attach a file, which would make one that is not there."""
    return sqlite3.SQLITE_DENY if action == sqlite3.SQLITE_ATTACH else sqlite3.SQLITE_OK


class _Raw(bytes):
    """A text as its bytes, which is told apart from a blob."""


def _known_types(query: Query, database: sqlite3.Connection, width: int) -> list[pl.DataType]:
    """Give the types of all columns, for which every cell is read. Raises RosterError for a text that is no UTF-8."""
    try:
        return _types(database.execute(query.sql), width)
    except sqlite3.OperationalError:
        # SQLite says of such a text neither the row nor what to do; whatever else is wrong comes up again.
        database.text_factory = _Raw
        _refuse_other_encodings(query, database.execute(query.sql))
        raise


def _refuse_other_encodings(query: Query, cursor: sqlite3.Cursor) -> None:
    for row, cells in enumerate(cursor, 1):
        for (name, *_), cell in zip(cursor.description, cells, strict=True):
            try:
                _ = cell.decode() if isinstance(cell, _Raw) else cell
            except UnicodeDecodeError:
                what = f"row {row}, column {name!r} holds a text that is no UTF-8"
                mend = "write it as UTF-8 there, or leave the column out"
                raise RosterError(f"{query.name}: {what}; {mend}") from None


def _types(cursor: sqlite3.Cursor, width: int) -> list[pl.DataType]:
    found: list[set[type]] = [set() for _ in range(width)]
    large = [False] * width  # whether there is an integer that a fraction cannot hold, wherever the fractions are
    while rows := cursor.fetchmany(_ROWS):
        for at, values in enumerate(zip(*rows, strict=True)):
            found[at].update(map(type, values))
            if int in found[at] and not large[at]:
                large[at] = any(isinstance(value, int) and abs(value) >= _EXACT for value in values)
    exact = [types | {str} if each and float in types else types for types, each in zip(found, large, strict=True)]
    return [_KINDS.get(frozenset(types - {type(None)}), pl.String()) for types in exact]


def _frames(query: Query, cursor: sqlite3.Cursor, schema: dict[str, pl.DataType]) -> Iterator[pl.DataFrame]:
    name = ""
    try:
        while rows := cursor.fetchmany(_ROWS):
            columns = []
            for (name, kind), values in zip(schema.items(), zip(*rows, strict=True), strict=True):
                columns.append(pl.Series(name, _of(values, kind), dtype=kind))
            yield pl.DataFrame(columns)
    except sqlite3.Error as error:
        raise _meaning(query, error) from None
    except UnicodeDecodeError:
        what = f"column {name!r} holds texts and a blob that is no UTF-8; take hex() of it, or leave the column out"
        raise RosterError(f"{query.name}: {what}") from None
    except (TypeError, ValueError, pl.exceptions.PolarsError):
        what = f"column {name!r} was of other types a moment ago; ask for rows that are the same each time, as those of"
        raise RosterError(f"{query.name}: {what} random() are not") from None


def _of(values: Sequence[Any], kind: pl.DataType) -> Sequence[Any]:
    if kind == pl.String:
        return [_text(value) for value in values]
    return [None if value is None else float(value) for value in values] if kind == pl.Float64 else values


def _text(value: Any) -> str | None:
    if isinstance(value, bytes):
        return value.decode()
    return None if value is None else str(value)


def _meaning(query: Query, error: Exception) -> RosterError:
    if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_AUTH:
        return no_query(query)
    return RosterError(f"{query.name}: SQLite: {error}")

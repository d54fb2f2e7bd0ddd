"""What statements for many rows give: columns, as they went in."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.journal.statements import Bulk, fetch_columns, json_list, select_columns

SOURCE = "FROM json_each(?) AS asked JOIN facts ON facts.name = asked.value"
STATEMENT = select_columns(("name", "number", "twice"), SOURCE, {"twice": "2 * number"})


@pytest.fixture
def database() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as database:
        database.execute("CREATE TABLE facts (name TEXT PRIMARY KEY, number INTEGER)")
        yield database


def test_nobody_is_a_column_of_nothing(database: sqlite3.Connection) -> None:
    """Each column is there, and empty."""
    assert fetch_columns(database, STATEMENT, (json_list(["ann"]),)) == {"name": [], "number": [], "twice": []}


@given(
    facts=st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5), st.none() | st.integers(-(2**61), 2**61))
)
def test_texts_and_whole_numbers_come_out_as_they_went_in(facts: dict[str, int | None]) -> None:
    """Whatever the letters, NUL among them, and however large the number."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as database:
        database.execute("CREATE TABLE facts (name TEXT, number INTEGER)")
        insert = Bulk(("name", "number"), "INSERT INTO facts SELECT name, number FROM given")
        for statement, values in insert.pieces(list(facts.items())):
            database.execute(statement, values)
        found = fetch_columns(database, select_columns(("name", "number"), "FROM facts"), ())
    assert dict(zip(found["name"], found["number"], strict=True)) == facts


@pytest.mark.parametrize("damaged", ["CAST(x'ff' AS TEXT)", "x'ff'"])
def test_what_is_no_text_is_damage(database: sqlite3.Connection, damaged: str) -> None:
    """As anything else that SQLite cannot make sense of."""
    with pytest.raises((sqlite3.Error, UnicodeDecodeError)):
        fetch_columns(database, select_columns(("name",), f"FROM (SELECT {damaged} AS name)"), ())

"""Rows of an SQLite file: whatever its cells hold, each column has one type, and nothing is lost."""

from __future__ import annotations

import re
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest

from provisioner.errors import RosterError, StorageError
from provisioner.files.cures import MAKE_ROOM
from provisioner.roster.database.address import Query, parse_address
from provisioner.roster.database.answer import ask
from tests.rig.disk import no_file_larger_than


def never() -> None:
    return


def rows(tmp_path: Path, sql: str, made: str = "", interrupted: Callable[[], None] = never) -> pl.DataFrame:
    """The rows of a query on a database that some statements have made."""
    with closing(sqlite3.connect(tmp_path / "staff.db")) as database, database:
        database.executescript(made)
    kept = ask(Query(sql, parse_address(f"sqlite:///{tmp_path}/staff.db")), tmp_path, interrupted)
    try:
        roster = kept.open(None)
        frames = [batch.frame for batch in roster.batches()]
        return pl.concat(frames) if frames else pl.DataFrame(schema=dict(roster.schema))
    finally:
        kept.close()


MADE = """
    CREATE TABLE people (id, uid, score, mixed, big, photo, empty);
    INSERT INTO people VALUES (1, '007', 1, 1, 9007199254740993, x'ff00', NULL);
    INSERT INTO people VALUES (2, 'b', 2.5, 'x', 0.5, NULL, NULL);
"""


def test_a_column_is_of_the_type_that_all_its_values_have(tmp_path: Path) -> None:
    """Texts stay as they are; several types are text; an integer that a fraction would round keeps its digits."""
    assert rows(tmp_path, "SELECT * FROM people ORDER BY id", MADE).to_dict(as_series=False) == {
        "id": [1, 2], "uid": ["007", "b"], "score": [1.0, 2.5], "mixed": ["1", "x"],
        "big": ["9007199254740993", "0.5"], "photo": [b"\xff\x00", None], "empty": [None, None],
    }  # fmt: skip


@pytest.mark.parametrize("first", [True, False])
def test_an_integer_keeps_its_digits_however_far_the_fractions_are(tmp_path: Path, first: bool) -> None:
    """Before them or behind them, in a column of some ten thousand rows."""
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40001) "
    large, fraction = (1, 40001) if first else (40001, 1)
    sql = f"CASE i WHEN {large} THEN 9007199254740993 WHEN {fraction} THEN 1.5 ELSE i END AS card FROM n"
    cards = rows(tmp_path, f"{numbers} SELECT {sql}", MADE)["card"]
    assert (cards[large - 1], cards[fraction - 1], cards[1]) == ("9007199254740993", "1.5", "2")


def test_a_blob_among_texts_is_read_as_the_text_that_it_is_or_refused(tmp_path: Path) -> None:
    """The cure works: no letter of it becomes another."""
    made = "CREATE TABLE notes (note); INSERT INTO notes VALUES ('hello'), (x'c3ab'), (x'636166e9');"
    assert rows(tmp_path, "SELECT note FROM notes LIMIT 2", made)["note"].to_list() == ["hello", "ë"]
    what = "column 'note' holds texts and a blob that is no UTF-8; take hex() of it, or leave the column out"
    with pytest.raises(RosterError, match=rf"^query of staff: {re.escape(what)}$"):
        rows(tmp_path, "SELECT note FROM notes")
    assert rows(tmp_path, "SELECT hex(note) AS note FROM notes")["note"].to_list() == ["68656C6C6F", "C3AB", "636166E9"]


@pytest.mark.sampled
@pytest.mark.parametrize("values", ["1, 'x'", "'x', 1", "1.5, 'x'", "x'00', 'x'", "1, x'00'", "1, 2.5", "x'ff', 1"])
def test_rows_that_are_others_each_time_are_told_or_read(tmp_path: Path, values: str) -> None:
    """The types of the columns are looked for first, so the query is asked twice."""
    one, other = values.split(", ")
    sql = f"SELECT CASE WHEN random() % 2 THEN {one} ELSE {other} END AS role"
    refused = set()
    for _ in range(40):
        try:
            rows(tmp_path, sql)
        except RosterError as error:
            refused.add(str(error))
    what = (
        "column 'role' was of other types a moment ago; ask for rows that are the same each time, as those of random()"
    )
    assert refused <= {f"query of staff: {what} are not"}


def test_no_rows_are_a_roster_with_columns(tmp_path: Path) -> None:
    """Nobody is on the list today."""
    found = rows(tmp_path, "SELECT uid, id AS name FROM people WHERE 0", MADE)
    assert (found.height, found.columns) == (0, ["uid", "name"])


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELECT nme FROM people", "query of staff: SQLite: no such column: nme"),
        ("SELECT", "query of staff: SQLite: incomplete input"),
        ("SELECT uid, uid FROM people", "query of staff: two columns are named 'uid'; give one another name with AS"),
        ('SELECT uid, 1 AS " " FROM people', "query of staff: column 2 has no name; give it one with AS"),
        ("DELETE FROM people", "query of staff: SQLite: attempt to write a readonly database"),
        ("SELECT 1; SELECT 2", "query of staff: SQLite: You can only execute one statement at a time."),
        ("", "query of staff: it is no query that gives rows"),
        ("ATTACH ':memory:' AS other", "query of staff: it is no query that gives rows"),
    ],
)
def test_what_cannot_be_asked_is_one_sentence(tmp_path: Path, sql: str, message: str) -> None:
    """With the database's own words."""
    with pytest.raises(RosterError) as refused:
        rows(tmp_path, sql, MADE)
    assert str(refused.value) == message


@pytest.mark.parametrize("statement", ["ATTACH '{}' AS other", "VACUUM INTO '{}'"])
def test_a_query_makes_no_file(tmp_path: Path, statement: str) -> None:
    """Not even an empty one: the connection can only read."""
    made = tmp_path / "new.db"
    with pytest.raises(RosterError):
        rows(tmp_path, statement.format(made))
    assert not made.exists()


def test_a_file_that_is_none_or_not_there_is_told(tmp_path: Path) -> None:
    """And no empty one is made in its place."""
    (tmp_path / "no.db").write_text("no database at all, but a text\n" * 99)
    for name, why in (("gone.db", "no such file"), ("no.db", "file is not a database")):
        with pytest.raises(RosterError, match=why):
            ask(Query("SELECT * FROM a", parse_address(f"sqlite:///{tmp_path}/{name}")), tmp_path, never)
    assert not (tmp_path / "gone.db").exists()


def test_a_defect_in_the_middle_ends_it(tmp_path: Path) -> None:
    """What was read until then is nobody's."""
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40000) "
    sql = f"{numbers} SELECT i, CASE WHEN i = 30000 THEN json('{{') END AS uid FROM n"
    with pytest.raises(RosterError, match="query of staff: SQLite: malformed JSON"):
        rows(tmp_path, sql, MADE)


def test_whatever_interrupts_ends_it(tmp_path: Path) -> None:
    """Between two frames, with the exception itself."""

    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rows(tmp_path, "SELECT * FROM people", MADE, interrupted)


def test_the_rows_are_kept_in_a_file_without_a_name(tmp_path: Path) -> None:
    """Only this process has it, and it is gone with it; it can be opened as often as one likes."""
    with closing(sqlite3.connect(tmp_path / "staff.db")) as database, database:
        database.executescript(MADE)
    kept = ask(Query("SELECT uid FROM people", parse_address(f"sqlite:///{tmp_path}/staff.db")), tmp_path, never)
    assert [path.name for path in tmp_path.iterdir()] == ["staff.db"]
    assert stat.S_IMODE(Path(f"/dev/fd/{kept.file.fileno()}").stat().st_mode) & 0o077 == 0
    assert [kept.open(limit).name for limit in (None, 1)] == ["query of staff"] * 2
    assert [sum(batch.frame.height for batch in kept.open(limit).batches()) for limit in (None, 1)] == [2, 1]
    kept.close()


def test_a_text_that_is_no_utf8_is_told_with_its_row_and_a_cure_that_works(tmp_path: Path) -> None:
    """A blob before it is none of that: a column of blobs may hold anything."""
    made = (
        "CREATE TABLE people (uid, name, photo);"
        "INSERT INTO people VALUES ('a', 'Ann', x'ff'), ('b', CAST(x'c941' AS TEXT), x'ff');"
    )
    what = "row 2, column 'name' holds a text that is no UTF-8; write it as UTF-8 there, or leave the column out"
    with pytest.raises(RosterError, match=rf"^query of staff: {re.escape(what)}$"):
        rows(tmp_path, "SELECT * FROM people", made)
    assert rows(tmp_path, "SELECT uid FROM people")["uid"].to_list() == ["a", "b"]
    mended = rows(tmp_path, "SELECT name FROM people", "UPDATE people SET name = 'ÉA' WHERE uid = 'b'")
    assert mended["name"].to_list() == ["Ann", "ÉA"]


def test_a_file_that_may_not_grow_is_no_room(tmp_path: Path) -> None:
    """A limit on the size of files is told as a full disk is."""
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40000) "
    with no_file_larger_than(65536), pytest.raises(StorageError) as refused:
        rows(tmp_path, f"{numbers} SELECT hex(randomblob(20)) AS uid FROM n")
    assert str(refused.value) == f"{tmp_path}: no room to keep the query of staff in (File too large); {MAKE_ROOM}"

"""The tables: made whole, brought up to date whole."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from provisioner.journal.header import Header, header_of
from provisioner.journal.schema import APPLICATION_ID, HAS_LOCAL_TIMES, VERSION, Meta, bring_up_to_date, convert_times
from tests.rig.journals import FORMAT_1

FACTS = {"app_id": "app1", "base_url": "http://h/v3"}


@pytest.fixture
def database() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as database:
        yield database


def columns(database: sqlite3.Connection) -> dict[str, list[tuple[object, ...]]]:
    """Table → its columns, each with type, whether it may be null, default and place in the key."""
    tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
    return {name: [row[1:] for row in database.execute(f"PRAGMA table_info({name})")] for name in tables}


def test_an_empty_file_becomes_a_journal(database: sqlite3.Connection) -> None:
    """With its mark, its format and what it was made for."""
    bring_up_to_date(database, 0, FACTS)
    assert header_of(database) == Header(APPLICATION_ID, VERSION, blank=False)
    assert dict(database.execute("SELECT key, value FROM meta")) == FACTS
    tables = {
        "meta",
        "users",
        "nights",
        "runs",
        "pace",
        "events",
        "mints",
        "former",
        "overwrites",
        "reversals",
        "undos",
    }
    assert set(columns(database)) == tables


def test_an_older_format_becomes_what_a_new_file_is(database: sqlite3.Connection) -> None:
    """Column by column; its rows and what it was made for stay."""
    database.executescript(FORMAT_1)
    owner = dict(database.execute("SELECT key, value FROM meta"))
    rows = database.execute("SELECT uid, state, outcome, auth_token FROM users").fetchall()
    bring_up_to_date(database, 1, {"app_id": "another"})
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as new:
        bring_up_to_date(new, 0, FACTS)
        assert columns(database) == columns(new)
    assert header_of(database).version == VERSION
    assert dict(database.execute("SELECT key, value FROM meta WHERE key <> 'times'")) == owner
    assert database.execute("SELECT uid, state, outcome, auth_token FROM users").fetchall() == rows
    assert database.execute("SELECT uid FROM users WHERE ours").fetchall() == [("made",)]


def test_a_file_that_is_up_to_date_is_left_alone(database: sqlite3.Connection) -> None:
    """Not one row changes."""
    bring_up_to_date(database, 0, FACTS)
    before = database.total_changes
    bring_up_to_date(database, VERSION, {"app_id": "another"})
    assert (database.total_changes, dict(database.execute("SELECT key, value FROM meta"))) == (before, FACTS)


def test_a_step_that_fails_leaves_the_older_format(database: sqlite3.Connection) -> None:
    """All or nothing: no column of the new format stays without the others."""
    database.executescript(FORMAT_1)
    database.execute("CREATE TABLE nights (taken INTEGER)")
    before = columns(database)
    with pytest.raises(sqlite3.OperationalError, match="nights already exists"):
        bring_up_to_date(database, 1, FACTS)
    assert (columns(database), header_of(database).version) == (before, 1)


def test_doubts_of_an_older_format_are_converted_once(database: sqlite3.Connection) -> None:
    """They are by the sending machine's clock, and marked so until the server's time is known."""
    database.executescript(FORMAT_1)
    bring_up_to_date(database, 1, FACTS)
    assert database.execute(HAS_LOCAL_TIMES).fetchone() == (1,)
    convert_times(database, 100.0)
    assert database.execute(HAS_LOCAL_TIMES).fetchone() == (0,)
    doubts = database.execute("SELECT uid, sent_at, doubt_since FROM users WHERE uid IN ('doubted', 'sent', 'made')")
    assert sorted(doubts) == [("doubted", 105.0, 104.0), ("made", 105.0, None), ("sent", 105.0, None)]


def test_an_older_format_without_doubts_has_nothing_to_convert(database: sqlite3.Connection) -> None:
    """A finished job asks for no time when it is run again."""
    database.executescript(FORMAT_1)
    database.execute("DELETE FROM users WHERE state = 'sent' OR doubt_since IS NOT NULL")
    bring_up_to_date(database, 1, FACTS)
    assert database.execute(HAS_LOCAL_TIMES).fetchone() == (0,)


def test_what_is_kept_by_a_name_is_given_back_until_it_is_dropped(database: sqlite3.Connection) -> None:
    """The last text counts, an empty one as well; what was never kept is none."""
    bring_up_to_date(database, 0, {"app_id": "app1"})
    meta = Meta(database)
    for text in ("50.25", ""):
        meta.put("roster", text)
        assert (meta.get("roster"), meta.get("app_id"), meta.get("untold")) == (text, "app1", None)
    meta.drop("roster")
    meta.drop("untold")
    assert (meta.get("roster"), meta.get("app_id")) == (None, "app1")

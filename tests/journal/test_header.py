"""What a file says of itself, to a run, to the doctor and to the history alike."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from provisioner.errors import JournalError
from provisioner.inspection.record.history import history_of
from provisioner.inspection.record.places import opened
from provisioner.journal.beside import log_of
from provisioner.journal.copies.backup import back_up
from provisioner.journal.header import (
    Header,
    Identity,
    app_at,
    damage_in,
    header_of,
    is_database,
    make_private,
    open_for_reading,
    owner_in,
    owner_of,
)
from provisioner.journal.journal import Journal
from provisioner.journal.schema import APPLICATION_ID, VERSION
from provisioner.model import UserRequest
from tests.rig.journals import HERE, a_journal


def header_after(*statements: str) -> Header:
    with closing(sqlite3.connect(":memory:")) as database:
        for statement in statements:
            database.execute(statement)
        return header_of(database)


@pytest.mark.parametrize(
    ("statements", "ours", "blank", "newer"),
    [
        ([], False, True, False),
        (["CREATE TABLE cats (name)"], False, False, False),
        (["PRAGMA application_id = 7"], False, False, False),
        ([f"PRAGMA application_id = {APPLICATION_ID}"], True, False, False),
        ([f"PRAGMA application_id = {APPLICATION_ID}", f"PRAGMA user_version = {VERSION}"], True, False, False),
        ([f"PRAGMA application_id = {APPLICATION_ID}", f"PRAGMA user_version = {VERSION + 1}"], True, False, True),
    ],
)
def test_a_file_is_ours_nobodys_or_anothers(statements: list[str], ours: bool, blank: bool, newer: bool) -> None:
    """A file without mark and tables is as before a first run; tables without a mark are another program's."""
    header = header_after(*statements)
    assert (header.ours, header.blank, header.newer) == (ours, blank, newer)


def test_only_a_newer_format_is_refused() -> None:
    """In one sentence, the same wherever a file is opened."""
    Header(APPLICATION_ID, VERSION, blank=False).refuse_newer(Path("j.db"))
    with pytest.raises(JournalError) as caught:
        Header(APPLICATION_ID, VERSION + 1, blank=False).refuse_newer(Path("j.db"))
    message = f"written by a newer provisioner (format {VERSION + 1}, this one reads {VERSION}); update it"
    assert str(caught.value) == f"j.db: {message}"


def test_a_journal_says_whose_it_is(tmp_path: Path) -> None:
    """As it was made; an app without an id is said to have none."""
    with closing(open_for_reading(a_journal(tmp_path / "j.db"))) as database:
        assert owner_of(database) == HERE
    assert (str(HERE), str(Identity("", "http://h"))) == ("app app at http://h/v3", "app (none) at http://h")


@pytest.mark.parametrize("thorough", [True, False])
def test_damage_is_named_and_a_whole_file_has_none(tmp_path: Path, thorough: bool) -> None:
    """A table whose page was emptied."""
    path = a_journal(tmp_path / "j.db")
    with closing(open_for_reading(path)) as database:
        assert damage_in(database, thorough=thorough) is None
        (page,) = database.execute("SELECT rootpage FROM sqlite_master WHERE name = 'users'").fetchone()
    whole = bytearray(path.read_bytes())
    size = int.from_bytes(whole[16:18], "big")
    whole[(page - 1) * size + 3 : (page - 1) * size + 5] = b"\x00\x00"  # the number of its rows
    path.write_bytes(whole)
    with closing(open_for_reading(path)) as database:
        assert damage_in(database, thorough=thorough)


def test_looking_leaves_no_trace_and_writes_nothing(tmp_path: Path) -> None:
    """Neither beside a journal at rest nor beside one in use."""
    path = a_journal(tmp_path / "j.db")
    before = {each.name: each.read_bytes() for each in tmp_path.iterdir()}
    with closing(open_for_reading(path)) as database:
        assert database.execute("SELECT count(*) FROM users").fetchone() == (3,)
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            database.execute("DELETE FROM users")
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == before
    with Journal(path, HERE) as journal:
        journal.move([(1, 5)])
        with closing(open_for_reading(path)) as database:
            assert database.execute("SELECT row FROM users WHERE id = 1").fetchone() == (5,)


def test_a_journal_is_read_through_a_link_as_it_is(tmp_path: Path) -> None:
    """What stands in its log is beside the file itself, and counts; nothing appears beside the link."""
    (tmp_path / "disk").mkdir()
    path, link = tmp_path / "disk" / "j.db", tmp_path / "link.db"
    link.symlink_to("disk/j.db")
    with Journal(path, HERE) as journal:
        journal.sent([UserRequest(1, 1, "ann", b"{}", "00", token=False)], 100.0)
        assert log_of(link) == log_of(path) == path.with_name("j.db-wal")
        with closing(open_for_reading(link)) as database:
            assert database.execute("SELECT uid FROM users").fetchall() == [("ann",)]
        assert back_up(link, tmp_path / "copy.db").users == 1
        assert {each.name for each in tmp_path.iterdir()} == {"disk", "link.db", "copy.db"}


def test_the_null_device_keeps_its_mode(tmp_path: Path) -> None:
    """For root it would be made the owner's alone, and no one else on the machine could write into it any more."""
    path = tmp_path / "r.journal.db"
    path.symlink_to(os.devnull)
    before = Path(os.devnull).stat().st_mode
    with pytest.raises(JournalError, match=r"r\.journal\.db: is a device, a pipe or a socket, which keeps no journal"):
        make_private(path)
    assert Path(os.devnull).stat().st_mode == before


@pytest.mark.parametrize("name", ["j.db", "j.db-wal"])
def test_a_pipe_in_the_place_of_a_journal_or_its_log_is_not_waited_for(tmp_path: Path, name: str) -> None:
    """By whoever only looks, or copies it."""
    path = a_journal(tmp_path / "j.db")
    (tmp_path / name).unlink(missing_ok=True)
    os.mkfifo(tmp_path / name)
    with pytest.raises(OSError, match=f"Not a file: '{tmp_path / name}'"):
        open_for_reading(path)
    assert (owner_in(path), is_database(path)) == (None, name == "j.db-wal")
    with pytest.raises(JournalError, match=r"j\.db: cannot be read \(Not a file\), so nothing was copied"):
        back_up(path, tmp_path / "copy.db")
    with pytest.raises(JournalError, match=r"j\.db: cannot be used as a journal \(Not a file\)"), opened(path):
        pass
    with pytest.raises(JournalError, match=r"j\.db: cannot be read as a state \(Not a file\); check --state"):
        history_of(path, 1, as_json=False)


def test_a_journal_of_two_names_is_used_under_neither_until_one_of_them_is_gone(tmp_path: Path) -> None:
    """The lock and SQLite's log lie beside a name: two runs would not see each other, nor what one has left behind."""
    one, other = tmp_path / "a.journal.db", tmp_path / "b.journal.db"
    with Journal(one, HERE) as journal:
        journal.sent([UserRequest(1, 1, "ann", b"{}", "00", token=False)], 100.0)
    other.hardlink_to(one)
    for name in (one, other):
        with pytest.raises(JournalError, match=rf"{name}: is one file with another name \(a hard link\)"):
            Journal(name, HERE).__enter__()
        with closing(open_for_reading(name)) as database:
            assert database.execute("SELECT uid FROM users").fetchall() == [("ann",)]
    other.unlink()
    with Journal(one, HERE) as journal:
        assert not journal.is_new


def test_of_two_names_the_one_that_has_a_log_gets_a_file_of_its_own(tmp_path: Path) -> None:
    """As in a folder that `cp -al` has made, where each has one; the cure is carried out, by a link too."""
    (tmp_path / "a.db").write_bytes(b"content")
    (tmp_path / "a.db-wal").touch()
    (tmp_path / "b.db").hardlink_to(tmp_path / "a.db")
    (tmp_path / "link.db").symlink_to("a.db")
    with pytest.raises(JournalError, match="; give it a file of its own: cp ") as error:
        make_private(tmp_path / "link.db")
    subprocess.run(str(error.value).rpartition(": ")[2], shell=True, check=True)
    assert [(tmp_path / name).stat().st_nlink for name in ("a.db", "b.db", "link.db")] == [1, 1, 1]
    assert (tmp_path / "link.db").is_symlink()


@pytest.mark.parametrize(
    ("given", "app"),
    [
        ("https://x.test/v3", "https://x.test/v3"),
        ("https://X.Test./v3/", "https://x.test/v3"),
        ("https://x.test:443//v3", "https://x.test/v3"),
        ("http://x.test:80", "http://x.test"),
        ("http://x.test:443/v3", "http://x.test:443/v3"),
        ("http://LOCALHOST:9/V3", "http://localhost:9/V3"),
        ("http://[::1]:9/v3", "http://[::1]:9/v3"),
    ],
)
def test_an_app_has_one_address_however_it_is_spelled(given: str, app: str) -> None:
    """Of a path the letters count; what has its one spelling keeps it."""
    assert (app_at(given), app_at(app)) == (app, app)

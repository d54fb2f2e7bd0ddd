"""What a journal knows of users that it has created, or may have, as the next round asks for it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from provisioner.errors import JournalError
from provisioner.journal import schema
from provisioner.journal.columns import MADE, Done, MadeRow, hash_of
from provisioner.journal.earlier import Said, created_in, done_in, is_as_settled, refuse_unreadable
from provisioner.journal.header import Identity
from provisioner.journal.journal import Journal
from provisioner.journal.schema import AWAY_BEFORE, BEFORE
from provisioner.journal.undo.reversals import LEAVING, LeavingRow
from provisioner.model import Outcome, Settlement, State, UserRequest
from tests.rig.journals import FORMAT_1, a_journal

OWNER = Identity("app", "http://localhost")
OUTCOMES = {"ann": Outcome.CREATED, "bob": Outcome.EXISTING, "cy": None, "di": Outcome.FAILED}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Each of these was sent and, but for Cy, settled."""
    path = tmp_path / "j.db"
    with Journal(path, OWNER) as journal:
        for key, (uid, outcome) in enumerate(OUTCOMES.items(), 1):
            journal.sent([UserRequest(key, key, uid, b"{}", "0" * 16, token=False)], 50.0)
            if outcome is not None:
                journal.settle([Settlement(key, State.SETTLED, outcome, 1)])
    return path


def test_those_are_told_whom_it_created_or_may_have(path: Path) -> None:
    """Of somebody else's users, and of those who were refused, there is nothing to go on with."""
    found = {each.uid: (each.ours, each.state, each.row) for each in created_in(path, list(OUTCOMES), OWNER)}
    assert found == {"ann": (BEFORE, "settled", 1), "cy": (0, "sent", 3)}
    assert created_in(path, ["ann"], Identity("other", "http://localhost")) == []
    assert created_in(path.with_name("none.db"), ["ann"], OWNER) == []


def test_what_an_update_has_left_goes_on_in_the_next_round(path: Path) -> None:
    """Whoever comes back there has it still."""
    with Journal(path, OWNER) as journal:
        journal.settle([Settlement(1, State.SETTLED, Outcome.CREATED, 2, besides="+1")])
    known = created_in(path, ["ann"], OWNER)
    with Journal(path.with_name("next.db"), OWNER) as journal:
        journal.take_over(known)
        assert journal.known(["ann"])["ann"].besides == "+1"


def test_who_may_have_been_deactivated_by_an_undo_is_to_be_brought_back(path: Path) -> None:
    """Whoever brings the user back has made it: an undo of that round may take it away again."""
    with Journal(path, OWNER) as journal:
        journal.note([LeavingRow(1, 1, "deactivate", 60.0)], LEAVING)  # type: ignore[list-item]
    (ann,) = created_in(path, ["ann"], OWNER)
    assert (ann.withdrawn, ann.ours) == (1, 1)


@pytest.mark.parametrize(
    ("said", "ours"),
    [
        ({"parted": 1, "error_code": "deactivated"}, AWAY_BEFORE),
        ({"parted": 1, "error_code": "internal"}, BEFORE),
        ({"parted": 0}, BEFORE),
        (None, AWAY_BEFORE),
    ],
    ids=["deactivated", "told that it is not", "back", "killed meanwhile"],
)
def test_whom_a_round_has_deactivated_is_known_to_the_next(path: Path, said: dict[str, Any] | None, ours: int) -> None:
    """Whatever an undo of a later one was killed in, the user is that round's."""
    with Journal(path, OWNER) as journal:
        journal.note([MadeRow(1, ours=True, attempts=1, created_at=50, mark=50)], MADE)
        if said is None:
            journal.sent([UserRequest(1, 1, "ann", b"{}", "0" * 16, token=False)], 60.0)
        else:
            journal.settle([Settlement(1, State.SETTLED, Outcome.CREATED, 1, **said)])
    known = created_in(path, ["ann"], OWNER)
    assert [each.ours for each in known] == [ours]
    later = path.with_name("later.db")
    with Journal(later, OWNER) as journal:
        journal.take_over(known)
        journal.note([LeavingRow(1, 1, "restore", 60.0)], LEAVING)  # type: ignore[list-item]
    assert [(each.ours, each.withdrawn) for each in created_in(later, ["ann"], OWNER)] == [(ours, 1)]


@pytest.mark.parametrize(
    ("outcome", "has_token", "parted", "same"),
    [
        ("created", 1, 0, [(True, None), (True, False)]),
        ("created", 0, 0, [(False, None), (False, False)]),
        ("created", 0, 1, [(True, None), (True, True), (False, None), (False, True)]),
        ("existing", 0, 0, [(True, None), (True, False), (False, None), (False, False)]),
        ("existing", 1, 0, [(True, None), (True, False)]),
    ],
)
def test_a_row_says_who_may_log_in_beside_its_body(
    outcome: str, has_token: int, parted: int, same: list[tuple[bool, bool | None]]
) -> None:
    """A token or none, deactivated or not: all that is asked of a user is compared."""
    done = Done("ann", hash_of(b"{}"), 1, 1, outcome, has_token, parted, parted, None)
    every = [(token, leaves) for token in (True, False) for leaves in (None, False, True)]
    assert [each for each in every if is_as_settled(Said("{}", *each), done)] == same
    assert not any(is_as_settled(Said("{ }", *each), done) for each in every)


ADDED = {1: "", 2: schema._SINCE_2}


@pytest.mark.parametrize("version", [1, 2])
def test_an_older_format_knows_its_users_as_well(tmp_path: Path, version: int) -> None:
    """Whoever has updated meanwhile has the users that were created before still; the file stays as it is."""
    path = tmp_path / "old.db"
    with closing(sqlite3.connect(path)) as database:
        database.executescript(f"{FORMAT_1}{ADDED[version]}; PRAGMA user_version = {version};")
    before = path.read_bytes()
    owner = Identity("app1", "https://app1.api-eu.cometchat.io/v3")
    found = {each.uid: (each.ours, each.state, each.row) for each in created_in(path, ["made", "there", "sent"], owner)}
    assert found == {"made": (BEFORE, "settled", 1), "sent": (0, "sent", 7)}
    assert [(each.uid, each.was) for each in done_in(path, ["made", "failed", "there"])] == [("made", 1), ("there", 3)]
    assert (path.read_bytes(), list(tmp_path.iterdir())) == (before, [path])


@pytest.mark.parametrize("broken", ["other", "cut", "folder", "newer"])
def test_a_journal_that_cannot_be_read_is_no_journal_that_knows_nobody(tmp_path: Path, broken: str) -> None:
    """Whom it has created would count as somebody else's: it is said what to do, whoever asks."""
    path = tmp_path / "j.db"
    if broken == "folder":
        path.mkdir()
    elif broken == "other":
        path.write_text("these are notes, and no database at all\n" * 20)
    else:
        a_journal(path)
    if broken == "cut":
        path.write_bytes(path.read_bytes()[:9000])
    if broken == "newer":
        with closing(sqlite3.connect(path)) as database:
            database.execute("PRAGMA user_version = 99")
    away = "or move it away, and whom that round has created counts as"
    back = f"put back a copy that `provisioner backup` made, {away}"
    why = {"newer": "update it", "folder": f"mend that, {away}", "other": back, "cut": back}[broken]
    looking = (created_in, path, ["u1"], OWNER), (done_in, path, ["u1"]), (refuse_unreadable, path)
    for look, *asked in looking:
        with pytest.raises(JournalError, match=why):
            look(*asked)


def test_where_there_is_no_journal_nobody_is_known(tmp_path: Path) -> None:
    """Also where another program's database has its name."""
    refuse_unreadable(tmp_path / "none.db")
    with closing(sqlite3.connect(tmp_path / "other.db")) as database:
        database.execute("CREATE TABLE users (uid TEXT)")
    assert (done_in(tmp_path / "other.db", ["ann"]), created_in(tmp_path / "other.db", ["ann"], None)) == ([], [])

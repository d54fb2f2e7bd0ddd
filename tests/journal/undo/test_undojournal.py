"""What is kept for an undo, and what it records: first profiles stay, and a run begins anew what is reversed."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from provisioner.errors import JournalError
from provisioner.journal.columns import MADE, MadeRow
from provisioner.journal.header import Identity
from provisioner.journal.journal import Journal
from provisioner.journal.state.syncstate import SyncState
from provisioner.journal.undo.overwrites import KEPT, OWN, NotedRow
from provisioner.journal.undo.reversals import Candidate, LeavingRow, OwnedRow, PartlyBackRow
from provisioner.journal.undo.telling import ToDo
from provisioner.journal.undo.undojournal import UndoJournal
from provisioner.model import Outcome, Settlement, State, UserRequest
from tests.rig.journals import FORMAT_1

HERE = Identity("app1", "https://app1.api-eu.cometchat.io/v3")


def request(key: int) -> UserRequest:
    return UserRequest(key, key, f"u{key}", b"{}", "00", token=False)


def settled(key: int, outcome: Outcome, **more: Any) -> Settlement:
    return Settlement(key, State.SETTLED, outcome, 1, settled_at=101.0, **more)


def noted(key: int, kind: str, before: bytes | None, fields: int, carried: bytes) -> NotedRow:
    return NotedRow(key, kind, before, 0, fields, carried, 100.0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The journal of a run: 1 created, 2 updated, 3 existing, 4 on the wire, 5 failed and in doubt."""
    path = tmp_path / "out.journal.db"
    with Journal(path, HERE) as journal:
        journal.sent([request(key) for key in range(1, 6)], 100.0)
        journal.note([noted(2, KEPT, b"old", 1, b"\x01a")])
        journal.settle(
            [
                settled(1, Outcome.CREATED, auth_token="u1_secret", created_at=100, mark=100),
                settled(2, Outcome.UPDATED, created_at=50, mark=101, carried=b"\x01b"),
                settled(3, Outcome.EXISTING),
                settled(5, Outcome.FAILED, doubt_since=99.0),
            ]
        )
    return path


def undoing(path: Path, *, permanent: bool = False) -> UndoJournal:
    return UndoJournal(path, HERE, permanent=permanent, tags=64)


def of(journal: UndoJournal) -> dict[int, Candidate]:
    return {each.key: each for each in journal.candidates(0, 100)}


def test_the_profile_recorded_first_stays(path: Path) -> None:
    """What is read after an update of ours is never what was there before; what was set adds up."""
    with Journal(path, HERE) as journal:
        journal.note([noted(2, KEPT, b"ours", 4, b"\x04c")])
        assert journal.known(["u2", "u3"])["u2"].noted == 0xFF
    with undoing(path) as journal:
        each = of(journal)[2]
    assert (each.before, each.fields, each.carried, each.confirmed) == (b"old", 5, b"\x01b\x04c", 0)


def test_an_update_that_was_never_answered_stays_known(path: Path) -> None:
    """Another one that was answered does not tell when the first was carried out: what both set adds up."""
    with Journal(path, HERE) as journal:
        journal.note([noted(2, KEPT, b"old", 1, b"\x01c")])
        journal.note([noted(2, KEPT, b"old", 1, b"\x01d")])
        journal.settle([settled(2, Outcome.UPDATED, created_at=50, mark=102, carried=b"\x01d")])
    with undoing(path) as journal:
        each = of(journal)[2]
    assert (each.carried, each.confirmed, each.doubted, each.mark) == (b"\x01b\x01c\x01d\x01d", 1, 1, 102)


def test_an_attempt_that_was_never_answered_is_known_with_the_one_that_was(path: Path) -> None:
    """Both are of one life: the first may be carried out after the second."""
    with Journal(path, HERE) as journal:
        journal.note([noted(2, KEPT, b"old", 1, b"\x01c")])
        journal.settle([settled(2, Outcome.UPDATED, created_at=50, mark=102, carried=b"\x01d", doubted=True)])
    with undoing(path) as journal:
        each = of(journal)[2]
    assert (each.carried, each.confirmed, each.doubted) == (b"\x01b\x01c\x01d", 1, 1)


def test_who_is_to_be_looked_at(path: Path) -> None:
    """Created, updated and in doubt; who was there and left alone is not."""
    with undoing(path) as journal:
        assert set(of(journal)) == {1, 2, 4, 5}
        assert journal.to_do() == ToDo(created=1, updated=1, doubtful=2, more=0, reversed=0)
        assert [of(journal)[key].doubt_since for key in (4, 5)] == [100.0, 99.0]


def test_what_it_takes_to_put_back_whoever_is_not_found_at_the_first_look(path: Path) -> None:
    """A list for tags, or for whom the roster deactivated; all of it twice where an update was never answered."""
    with Journal(path, HERE) as journal:
        journal.note([noted(2, KEPT, b"old", 64, b"\x40c")])
    with undoing(path) as undo:
        tagged_and_open = undo.to_do().more
    with Journal(path, HERE) as journal:
        journal.settle([settled(2, Outcome.UPDATED, created_at=50, mark=102, carried=b"\x40c")])
        journal.note([MadeRow(2, ours=False, attempts=1, created_at=50, mark=102)], MADE)
    with undoing(path) as undo:
        assert (tagged_and_open, undo.to_do().more) == (3, 2)


def test_a_verdict_begins_the_row_anew(path: Path) -> None:
    """Deactivated: ours, withdrawn, without its token; restored: as never sent; kept: as it was."""
    with undoing(path) as journal:
        journal.record([LeavingRow(1, journal.round, "deactivate", 100.0), OwnedRow(4, 100, 100.0)])
        assert of(journal)[1].sent == 1
        verdicts = [
            (1, Outcome.REVERSED, "deactivated"),
            (2, Outcome.REVERSED, "restored"),
            (4, Outcome.KEPT, "changed"),
        ]
        journal.settle([settled(key, outcome, error_code=why) for key, outcome, why in verdicts])
        journal.settle([settled(5, Outcome.UNTOUCHED, doubt_since=99.0)])
        assert of(journal) == {}
        lines = {line.uid: (line.verdict, line.done, line.reason) for line in journal.lines()}
        assert lines == {
            "u1": ("reversed", "deactivated", None),
            "u2": ("reversed", "restored", None),
            "u4": ("kept", None, "changed"),
        }
        assert journal.untouched() == 1
        known = journal.known([f"u{key}" for key in range(1, 6)])
    assert {uid: (each.state, each.outcome, each.ours, each.withdrawn) for uid, each in known.items()} == {
        "u1": ("pending", "pending", 1, 1),
        "u2": ("pending", "pending", 0, 0),
        "u3": ("settled", "existing", 0, 0),
        "u4": ("settled", "created", 1, 0),
        "u5": ("pending", "pending", 0, 0),
    }
    assert (known["u1"].auth_token, known["u2"].noted, known["u5"].doubt_since) == (None, 0, 99.0)
    with undoing(path, permanent=True) as journal:
        assert set(of(journal)) == {1}


def test_a_run_takes_up_what_an_undo_may_have_changed(path: Path) -> None:
    """Killed with a request on the wire, an undo leaves the row open; once a run has settled it, that is the past."""
    with undoing(path) as journal:
        journal.record([LeavingRow(1, journal.round, "deactivate", 100.0)])
    with Journal(path, HERE) as journal:
        assert journal.settled(["u1", "u2", "u3"])["uid"] == ["u2", "u3"]
        assert journal.known(["u1"])["u1"].withdrawn == 1
        journal.sent([request(1)], 200.0)
        journal.settle([settled(1, Outcome.CREATED, created_at=100)])
        assert journal.settled(["u1"])["uid"] == ["u1"]
    with undoing(path) as journal:
        assert of(journal)[1].sent == 0


def test_a_state_does_not_begin_with_what_an_undo_may_have_changed(path: Path) -> None:
    """Nobody knows whether these users are as the run has left them: a sync takes them up as a run would."""
    with undoing(path) as journal:
        journal.record(
            [LeavingRow(1, journal.round, "deactivate", 100.0), LeavingRow(2, journal.round, "restore", 1.0)]
        )
    with SyncState(path, HERE) as state:
        assert {uid: met.live is not None for uid, met in state.met(["u1", "u2", "u3"]).items()} == {
            "u1": False,
            "u2": False,
            "u3": True,
        }
        past = state.known(["u1"])["u1"].past(changed=False)
        assert (past.withdrawn, state.managed()) == (True, 1)


def test_a_look_at_a_run_that_was_killed_leaves_it_to_be_undone(path: Path) -> None:
    """No night has begun, so nothing that a sync did is in it; and what the look left is of no use to the next one."""
    looked = SyncState(path, HERE)
    looked.__enter__()
    killed = path.with_name("killed.db")
    shutil.copy(path, killed)
    shutil.copy(f"{path}-wal", f"{killed}-wal")
    looked.__exit__(None, None, None)
    with undoing(killed) as journal:
        journal.settle([settled(1, Outcome.REVERSED, error_code="deactivated")])
    with SyncState(killed, HERE) as state:
        assert [met.live for met in state.met(["u1"]).values()] == [None]


def test_a_round_goes_on_until_it_has_ended_well(path: Path) -> None:
    """Who was looked at in it is not looked at again; in the next one kept users are."""
    with undoing(path) as journal:
        number = journal.begin(1.0)
        journal.settle([settled(1, Outcome.KEPT, error_code="changed")])
        journal.end(number, 2.0, {}, good=False)
    with undoing(path) as journal:
        assert (journal.round, 1 in of(journal)) == (1, False)
        journal.end(journal.begin(3.0), 4.0, {}, good=True)
    with undoing(path) as journal:
        assert (journal.round, 1 in of(journal)) == (2, True)


@pytest.mark.parametrize("verdict", [Outcome.UNTOUCHED, Outcome.KEPT, Outcome.FAILED])
@pytest.mark.parametrize("key", [2, 4, 5])
def test_what_a_round_found_out_is_of_the_past_once_a_run_has_sent_something(
    path: Path, key: int, verdict: Outcome
) -> None:
    """Whether that was answered or not, the user is looked at again, and told of as one that has yet to be."""

    def told(journal: UndoJournal) -> tuple[bool, list[str], int, int]:
        lines = [line.verdict for line in journal.lines() if line.uid == f"u{key}"]
        return key in of(journal), lines, journal.to_do().users, journal.untouched()

    with undoing(path) as journal:
        number = journal.begin(1.0)
        journal.settle([settled(key, verdict, doubt_since=None if key == 2 else 99.0)])
        journal.end(number, 2.0, {}, good=False)
    with Journal(path, HERE) as run:
        past = run.known([f"u{key}"])[f"u{key}"].past(changed=False)
        run.sent([request(key)._replace(past=past)], 200.0)
        run.note([noted(2, KEPT, b"old", 1, b"\x01a")] if key == 2 else [])
    with undoing(path) as journal:
        assert told(journal) == (True, ["pending"], 4, 0)
    with Journal(path, HERE) as run:
        run.settle([settled(key, Outcome.UPDATED if key == 2 else Outcome.CREATED, created_at=200)])
    with undoing(path) as journal:
        assert told(journal) == (True, ["pending"], 4, 0)


def test_what_is_left_of_a_profile_that_was_put_back_in_part(path: Path) -> None:
    """The next undo looks at these fields only, and takes the answer of ours for ours."""
    with undoing(path) as journal:
        journal.record([PartlyBackRow(2, 16, 300)])
        assert (of(journal)[2].fields, of(journal)[2].mark) == (16, 300)


def test_what_was_put_back_in_part_is_kept_anew_but_for_what_was_not(path: Path) -> None:
    """What the API had not told before stays lost, also when it tells it now; all else counts as it is read anew."""
    with Journal(path, HERE) as journal:
        journal.note([noted(3, KEPT, b"old", 5, b"\x05a")._replace(untold=4)])
        journal.settle([settled(3, Outcome.UPDATED, created_at=50, mark=101, carried=b"\x05a")])
    with undoing(path) as journal:
        journal.record([PartlyBackRow(3, 4, 300)])
    with Journal(path, HERE) as journal:
        assert journal.known(["u3"])["u3"].noted == 4
        journal.note([noted(3, KEPT, b"anew", 5, b"\x05b")._replace(untold=64)])
        assert journal.known(["u3"])["u3"].noted == 0xFF - 64
    with undoing(path) as journal:
        each = of(journal)[3]
    assert (each.before, each.untold, each.fields) == (b"anew", 4 | 64, 5)


def test_of_an_older_format_it_is_known_that_nothing_is_known(tmp_path: Path) -> None:
    """Whom an earlier version updated, or may have, has no old profile; whom it created can be undone."""
    path = tmp_path / "out.journal.db"
    with closing(sqlite3.connect(path)) as database:
        database.executescript(FORMAT_1)
    with undoing(path) as journal:
        kinds = {each.uid: (each.kind, each.ours, each.doubt_since is not None) for each in of(journal).values()}
    assert kinds == {
        "made": (None, 1, False),
        "updated": ("unknown", 0, False),
        "doubted": ("unknown", 0, True),
        "sent": ("unknown", 0, True),
    }


def test_an_update_of_a_user_of_ours_keeps_no_profile(path: Path) -> None:
    """It is undone by deactivation; what was set tells an answer that was lost from another hand."""
    with Journal(path, HERE) as journal:
        journal.note([noted(1, OWN, None, 1, b"\x01z")])
    with undoing(path) as journal:
        each = of(journal)[1]
    assert (each.ours, each.kind, each.before, each.carried) == (1, OWN, None, b"\x01z")


def test_what_is_no_journal_of_a_run_is_refused(path: Path, tmp_path: Path) -> None:
    """One that is not there is not made; a state, another app's and one in use say what to do."""
    with pytest.raises(JournalError, match=r"no such journal; check the name"), undoing(tmp_path / "no.journal.db"):
        pass
    assert not (tmp_path / "no.journal.db").exists()
    other = UndoJournal(path, Identity("app2", HERE.base_url), permanent=False, tags=64)
    with pytest.raises(JournalError, match=r"made for app app1 .* check the app id"), other:
        pass
    with undoing(path), pytest.raises(JournalError, match="in use"), undoing(path):
        pass
    with SyncState(path, HERE) as state:
        state.begin_night(1.0)
    with pytest.raises(JournalError, match=r"state of a sync, .* sync the roster as it was before"), undoing(path):
        pass

"""Events: an earlier word gives way to the next one in the same commit; who is met once has none."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioner.errors import StorageError
from provisioner.journal.course.events import ANSWER, KILLED, SETTLED, Event, events_of
from provisioner.journal.journal import Journal
from provisioner.journal.state.syncstate import SyncState
from provisioner.model import Action, Change, Live, Outcome, Past, Settlement, Standing, State, UserRequest
from tests.rig.journals import HERE

REQUEST = UserRequest(1, 1, "ann", b"{}", "00", token=False)
AGAIN = REQUEST._replace(past=Past(State.SETTLED, Outcome.FAILED))
FAILED = Settlement(1, State.SETTLED, Outcome.FAILED, 2, 400, "ERR", "No.", settled_at=5.0)


def test_a_word_is_kept_when_another_takes_its_place(tmp_path: Path) -> None:
    """Of a settled row its outcome, of one that a kill left behind that it was sent; once each."""
    with Journal(tmp_path / "j.db", HERE) as journal:
        journal.sent([REQUEST], 4.0)
        journal.settle([FAILED])
        assert events_of(journal._database, 1) == []
        journal.sent([AGAIN], 6.0)
        journal.sent([AGAIN], 7.0)
        failed = Event(1, 5.0, None, SETTLED, None, "failed", 400, "ERR", "No.", 2)
        assert events_of(journal._database, 1) == [failed, Event(1, 6.0, None, KILLED, None, None, attempts=2)]


def test_a_commit_that_fails_leaves_neither(tmp_path: Path) -> None:
    """The word before is kept exactly when the next request is recorded as sent."""
    with Journal(tmp_path / "j.db", HERE) as journal:
        journal.sent([REQUEST], 4.0)
        journal.settle([FAILED])
        with pytest.raises(StorageError):
            journal.sent([AGAIN._replace(row=2**70)], 6.0)
        assert events_of(journal._database, 1) == []


def test_in_a_sync_an_event_knows_its_night(tmp_path: Path) -> None:
    """That of the change, whenever it gives way; an answer has that of the night that is not over."""
    after = Live("h", None, Standing.ACTIVE)
    change = Change(Action.UPDATE, b"{}", None, after)
    with SyncState(tmp_path / "hr.db", HERE, make=True) as state:
        night = state.begin_night(1.0)
        state.sent([REQUEST._replace(change=change)], 2.0)
        state.settle([Settlement(1, State.SETTLED, Outcome.UPDATED, 1, 200, settled_at=3.0, live=after)])
        state.end_night(night, 4.0, 1, {}, good=True)
        state.begin_night(5.0)
        state.sent([AGAIN._replace(change=change)], 6.0)
        state.remember([Event(1, 7.0, None, ANSWER, "update", "absent", 404)])
        assert events_of(state.database, 1) == [
            Event(1, 3.0, 1, SETTLED, "update", "updated", 200, attempts=1),
            Event(1, 7.0, 2, ANSWER, "update", "absent", 404),
        ]

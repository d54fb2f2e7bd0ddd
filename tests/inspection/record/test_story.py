"""`show`: the story of one person, whole, in order, and without a token."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from provisioner.errors import UsageError
from provisioner.inspection.record.story import story_of
from provisioner.journal.course.events import ANSWER, Event
from provisioner.journal.earlier import EarlierUser, standing_at
from provisioner.journal.journal import Journal
from provisioner.journal.schema import AWAY_BEFORE, BEFORE
from provisioner.journal.state.syncstate import SyncState
from provisioner.journal.undo.reversals import LeavingRow
from provisioner.journal.undo.undojournal import UndoJournal
from provisioner.model import Action, Change, Live, Outcome, Past, Settlement, Standing, State, UserRequest
from tests.rig.journals import HERE, a_journal

REQUEST = UserRequest(1, 4, "ann", b'{"uid":"ann"}', "00", token=True)
AGAIN = REQUEST._replace(past=Past(State.PENDING, Outcome.PENDING))


def told(path: Path, uid: str = "ann") -> dict[str, Any]:
    document: dict[str, Any] = json.loads(story_of(uid, path, as_json=True))
    return document


def steps(path: Path) -> list[tuple[str, str | None, str]]:
    return [(each["what"], each["outcome"], each["became"]) for each in told(path)["steps"]]


def settled(outcome: Outcome, **more: Any) -> Settlement:
    return Settlement(1, State.SETTLED, outcome, **{"attempts": 1, "http_status": 200, "settled_at": 101.0, **more})


def test_created_at_the_first_try_is_one_line(tmp_path: Path) -> None:
    """And costs no event; the token is not shown."""
    with Journal(tmp_path / "out.journal.db", HERE) as journal:
        journal.sent([REQUEST], 100.0)
        journal.settle([settled(Outcome.CREATED, auth_token="ann_secret", created_at=99)])
        assert journal._one("SELECT count(*) FROM events") == 0
    assert told(tmp_path / "out.csv", " Ann") == {
        "uid": "ann", "journal": str(tmp_path / "out.journal.db"), "app_id": "app", "base_url": "http://h/v3",
        "row": 4, "name": None,
        "steps": [
            {"at": "1970-01-01T00:01:41.000Z", "night": None, "what": "create", "outcome": "created",
             "became": "created (200)"},
        ],
        "now": [
            "created by this job, at 1970-01-01T00:01:39Z by the app's clock", "an auth token is recorded (not shown)",
        ],
    }  # fmt: skip
    text = story_of("ann", tmp_path / "out.csv", as_json=False)
    assert "secret" not in text
    assert "1970-01-01T00:01:41Z  create  created (200)" in text


def test_what_an_older_journal_keeps_of_a_servers_words_makes_no_line_of_ours(tmp_path: Path) -> None:
    """They were recorded as they came, escape sequences and line breaks included."""
    path, evil = tmp_path / "out.journal.db", "\x1b[2Jno\nfake: 100 created"
    with Journal(path, HERE) as journal:
        journal.sent([REQUEST], 100.0)
        failed = {"http_status": 400, "error_code": "ERR\x1b[2J", "error_message": evil}
        journal.settle([settled(Outcome.FAILED, **failed)])
    assert steps(path) == [
        ("create", "failed", r"failed (400) ERR\x1b[2J \x1b[2Jno\nfake: 100 created"),
    ]


def test_what_was_read_later_stands_later(tmp_path: Path) -> None:
    """An undo reads the user whom the run has created; the row's own word is older than that."""
    path = tmp_path / "out.journal.db"
    with Journal(path, HERE) as journal:
        journal.sent([REQUEST], 100.0)
        journal.settle([settled(Outcome.CREATED)])
        journal.remember([Event(1, 150.0, None, ANSWER, "read", "absent", 404)])
    assert steps(path) == [
        ("create", "created", "created (200)"),
        ("read", None, "the app has no such user that is active (404)"),
    ]


def test_every_try_answer_and_kill_is_there(tmp_path: Path) -> None:
    """A lost answer, a kill, a failure, and the try that made it: each once, in order."""
    path = tmp_path / "out.journal.db"
    with Journal(path, HERE) as journal:
        journal.sent([REQUEST], 100.0)
        journal.remember([Event(1, 100.5, None, ANSWER, "create", "in_doubt", message="connection lost")])
    with Journal(path, HERE) as journal:  # as a kill leaves it
        journal.sent([AGAIN], 200.0)
        refused = {"http_status": 400, "error_code": "ERR_BAD_REQUEST", "error_message": "The name is wrong."}
        journal.settle([settled(Outcome.FAILED, **refused, doubt_since=100.0)])
    with Journal(path, HERE) as journal:
        journal.sent([AGAIN], 300.0)
        # Stopped before a worker took it, then taken up again: nothing more is there to say of that.
        journal.settle([Settlement(1, State.PENDING, Outcome.PENDING, 1, doubt_since=100.0)])
        journal.sent([AGAIN], 400.0)
        journal.settle([settled(Outcome.CREATED, attempts=3)])
    assert steps(path) == [
        ("create", None, "no believable answer (connection lost)"),
        ("create", None, "sent; the process ended before its outcome was recorded"),
        ("create", "failed", "failed (400) ERR_BAD_REQUEST The name is wrong."),
        ("create", "created", "created (200)"),
    ]


def test_what_took_several_requests_is_no_retry(tmp_path: Path) -> None:
    """A create that finds the user, and the update after it: each was sent once, and nothing says otherwise."""
    path = tmp_path / "out.journal.db"
    with Journal(path, HERE) as journal:
        journal.sent([REQUEST], 100.0)
        journal.settle([settled(Outcome.UPDATED, attempts=2)])
    assert steps(path) == [("update", "updated", "updated (200)")]


@pytest.mark.parametrize(("uid", "now"), [("u2", 2), ("u3", 3)])
def test_what_is_open_is_told(tmp_path: Path, uid: str, now: int) -> None:
    """Failed and in doubt; recorded as sent and left so by a kill."""
    a_journal(tmp_path / "out.journal.db")
    story = told(tmp_path / "out.csv", uid)
    doubt = "in doubt since 1970-01-01T00:01:40Z: it may have been created"
    expected = {
        2: [doubt, "no auth token is recorded"],
        3: ["no outcome yet; the next run goes on with it", doubt, "no auth token is recorded"],
    }
    assert story["now"] == expected[now]


def test_a_step_names_the_sync_that_history_names(tmp_path: Path) -> None:
    """Of several attempts at one night, the one in which it happened."""
    path = tmp_path / "hr.db"
    live = Live("00", None, Standing.ACTIVE)

    def sent(state: SyncState, request: UserRequest, at: float, action: Action, outcome: Outcome) -> None:
        state.sent([request._replace(change=Change(action, b"", None, live))], at)
        state.settle([settled(outcome, live=live, settled_at=at)])

    with SyncState(path, HERE, make=True) as state:
        state.end_night(state.begin_night(50.0), 60.0, 0, {}, good=True)
        state.begin_night(100.0)
        sent(state, REQUEST, 101.0, Action.CREATE, Outcome.CREATED)
        state.end_night(state.begin_night(200.0), 201.0, 0, {"stopped_by": "empty_roster"}, good=False)
        number = state.begin_night(300.0)
        sent(state, AGAIN, 301.0, Action.DEACTIVATE, Outcome.DEACTIVATED)
        state.end_night(number, 302.0, 0, {}, good=True)
        state.end_night(state.begin_night(400.0), 401.0, 0, {}, good=True)
    assert [(step["night"], step["what"]) for step in told(path)["steps"]] == [(2, "create"), (4, "deactivate")]


def test_what_an_undo_has_done_is_told(tmp_path: Path) -> None:
    """The outcome that it took back stays in the story, and what a run does for the user afterwards follows."""
    path = tmp_path / "out.journal.db"
    with Journal(path, HERE) as journal:
        journal.sent([REQUEST], 100.0)
        journal.settle([settled(Outcome.CREATED)])
    reversed_ = settled(Outcome.REVERSED, settled_at=200.0, error_code="deactivated")
    with UndoJournal(path, HERE, permanent=False, tags=64) as undo:
        undo.begin(150.0)
        undo.settle([reversed_])
    before = [("create", "created", "created (200)"), ("undo", "reversed", "reversed deactivated")]
    assert steps(path) == before
    with Journal(path, HERE) as journal:
        journal.sent([AGAIN], 300.0)
        journal.settle([settled(Outcome.CREATED, settled_at=301.0)])
    after = [*before, ("create", "created", "created (200)")]
    assert steps(path) == after
    with UndoJournal(path, HERE, permanent=False, tags=64) as undo:
        undo.end(1, 210.0, {}, good=True)
    with UndoJournal(path, HERE, permanent=False, tags=64) as undo:
        undo.begin(350.0)
        undo.settle([reversed_._replace(settled_at=400.0)])
    assert steps(path) == [*after, ("undo", "reversed", "reversed deactivated")]


def test_whom_a_killed_undo_may_have_taken_back_is_in_doubt(tmp_path: Path) -> None:
    """As `status` and `doctor` count it."""
    path = tmp_path / "out.journal.db"
    with Journal(path, HERE) as journal:
        journal.sent([REQUEST], 100.0)
        journal.settle([settled(Outcome.CREATED)])
    with UndoJournal(path, HERE, permanent=False, tags=64) as undo:
        undo.record([LeavingRow(1, undo.begin(150.0), "deactivate", 160.0)])
    assert "in doubt: an undo may have taken it back" in told(path)["now"]


def test_who_was_never_sent_has_no_story(tmp_path: Path) -> None:
    """Exit 2; a rejected row never is, and its reason is in the results."""
    a_journal(tmp_path / "out.journal.db")
    with pytest.raises(UsageError, match=r"'nobody' in .*: nobody with this uid was ever sent; rejected rows never"):
        story_of("nobody", tmp_path / "out.csv", as_json=False)


def test_of_whom_only_the_row_is_known_there_is_no_story(tmp_path: Path) -> None:
    """A round notes where the row of somebody who was there before stands, which it rejects."""
    with Journal(tmp_path / "out.journal.db", HERE) as journal:
        journal.take_over([standing_at("boss", 4)])
    with pytest.raises(UsageError, match=r"'boss' in .*: nobody with this uid was ever sent; rejected rows never"):
        story_of("boss", tmp_path / "out.csv", as_json=False)


@pytest.mark.parametrize("ours", [BEFORE, AWAY_BEFORE])
def test_whom_an_earlier_round_has_created_is_told_so(tmp_path: Path, ours: int) -> None:
    """Also where it had deactivated the user."""
    path = tmp_path / "out.journal.db"
    user = EarlierUser(0, "ann", 4, "00", State.SETTLED.value, 100.0, Outcome.CREATED.value, created_at=99, ours=ours)
    with Journal(path, HERE) as journal:
        journal.take_over([user])
    assert "created by an earlier round of this job, at 1970-01-01T00:01:39Z by the app's clock" in told(path)["now"]


@pytest.mark.parametrize("number", [1, 1000])
def test_a_first_run_writes_no_events(tmp_path: Path, number: int) -> None:
    """However many are created at once; only who is sent again leaves a word behind."""
    requests: Sequence[UserRequest] = [
        UserRequest(n, n, f"u{n}", b"{}", "00", token=False) for n in range(1, number + 1)
    ]
    with Journal(tmp_path / "j.db", HERE) as journal:
        journal.sent(requests, 1.0)
        journal.settle(Settlement(each.key, State.SETTLED, Outcome.CREATED, 1) for each in requests)
        assert journal._one("SELECT count(*) FROM events") == 0
        journal.sent([requests[0]._replace(past=AGAIN.past)], 2.0)
        assert journal._one("SELECT count(*) FROM events") == 1

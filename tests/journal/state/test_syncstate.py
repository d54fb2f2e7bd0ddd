"""The state: what is known of each user, from night to night, whatever happens to the file or the process."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from provisioner.errors import JournalError, StorageError
from provisioner.journal.header import Identity
from provisioner.journal.journal import Journal
from provisioner.journal.schema import APPLICATION_ID, VERSION
from provisioner.journal.state.managed import Adoption
from provisioner.journal.state.syncstate import PlannedState, SyncState
from provisioner.model import Action, Change, Live, Outcome, Settlement, Standing, State, UserRequest
from tests.rig.journals import FORMAT_1

IDENTITY = Identity("app1", "https://app1.api-eu.cometchat.io/v3")
ANN = Live("hash-ann", b"\1" * 56, Standing.ACTIVE)
WAY_BACK = "move it away and begin with --adopt, by hand, which takes over users of the roster that exist"

EVERYBODY = ("made", "updated", "there", "away", "failed", "doubted", "sent", "pending")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "hr.db"


def opened(path: Path, *, make: bool = True) -> SyncState:
    return SyncState(path, IDENTITY, make=make)


def a_request(state: SyncState, uid: str, action: Action, after: Live = ANN) -> UserRequest:
    """As `syncing` makes one, with the key that the state has for the uid."""
    met = state.met([uid]).get(uid)
    key = met.key if met else state.new_key()
    return UserRequest(
        key, 1, uid, b"{}", after.body_hash or "", token=True,
        change=Change(action, b"", met.live if met else None, after),
    )  # fmt: skip


def a_settlement(request: UserRequest, outcome: Outcome, live: Live | None, state: State = State.SETTLED) -> Settlement:
    return Settlement(request.key, state, outcome, 1, 200, auth_token=f"{request.uid}-token", settled_at=9.0, live=live)


def carry_out(state: SyncState, uid: str, action: Action, outcome: Outcome, live: Live | None = ANN) -> None:
    request = a_request(state, uid, action)
    state.plan([uid])
    state.sent([request], 8.0)
    state.settle([a_settlement(request, outcome, live)])


def night(state: SyncState, *, good: bool = True) -> None:
    number = state.begin_night(1.0)
    state.end_night(number, 2.0, 10, {"created": 1}, good=good)


def told(state: SyncState, uids: Sequence[str]) -> dict[str, str]:
    found = state.tonight(uids)
    return dict(zip(found["uid"], found["outcome"], strict=True))


def lives(state: SyncState, *uids: str) -> dict[str, Live | None]:
    return {uid: met.live for uid, met in state.met(uids).items()}


# --- opening -------------------------------------------------------------------------------------------------------


def test_a_state_that_is_not_there_is_made_only_when_told(path: Path) -> None:
    """A mistyped path must not begin a new history: nothing is left behind."""
    with pytest.raises(JournalError) as caught, opened(path, make=False):
        pass
    assert str(caught.value) == (
        f"{path}: no such state file; check --state, or begin with --adopt, once and by hand, which makes one and "
        "takes over those users of the roster that exist"
    )
    assert list(path.parent.iterdir()) == []
    with opened(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with opened(path, make=False) as state:
        assert (state.nights.epoch, state.managed(), state.nights.last(), state.nights.good()) == (1, 0, [], [])


def test_a_journal_of_an_earlier_version_is_taken_over(path: Path) -> None:
    """What it settled is managed from now on; what it did not settle keeps its doubt and its tokens."""
    with closing(sqlite3.connect(path)) as database:
        database.executescript(FORMAT_1)
    for _ in range(2):
        with opened(path, make=False) as state:
            assert lives(state, *EVERYBODY) == {
                "made": Live("h1", None, Standing.ACTIVE),
                "updated": Live("h2+12356", None, Standing.ACTIVE),
                "there": Live(None, None, Standing.ACTIVE),
                "away": Live(None, None, Standing.DEACTIVATED),
                **dict.fromkeys(("failed", "doubted", "sent", "pending")),
            }
            assert [met.exists for met in state.met(EVERYBODY[4:]).values()] == [False] * 4
            known = state.known(EVERYBODY)
            assert (known["made"].auth_token, known["doubted"].doubt_since, known["sent"].doubt_since) == (
                "token-1", 4.0, 5.0,
            )  # fmt: skip
            assert sorted(uid for uid, _ in state.leavers()) == ["doubted", "made", "sent", "there", "updated"]
            assert [each.uid for each in state.in_doubt()] == ["doubted", "sent"]
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (VERSION,)


def test_a_journal_of_a_run_is_a_state(path: Path) -> None:
    """The users that `run` created need not be adopted."""
    with Journal(path, IDENTITY) as journal:
        request = UserRequest(journal.new_key(), 1, "ann", b"{}", "h", token=True)
        journal.sent([request], 1.0)
        journal.settle([a_settlement(request, Outcome.CREATED, None)])
    with opened(path, make=False) as state:
        assert lives(state, "ann") == {"ann": Live("h", None, Standing.ACTIVE)}
        assert state.managed() == 1


@pytest.mark.parametrize("besides", [None, "", "+15"])
def test_what_a_user_of_a_run_may_have_besides_its_body_goes_on_in_the_state(path: Path, besides: str | None) -> None:
    """A look at it takes nothing away from the run: no night has begun."""
    with Journal(path, IDENTITY) as journal:
        request = UserRequest(journal.new_key(), 1, "ann", b"{}", "h", token=True)
        journal.sent([request], 1.0)
        journal.settle([a_settlement(request, Outcome.UPDATED, None)._replace(besides=besides)])
    for _ in range(2):
        with opened(path, make=False) as state:
            assert lives(state, "ann") == {"ann": Live(f"h{besides or ''}", None, Standing.ACTIVE)}
        with Journal(path, IDENTITY) as journal:
            assert journal.known(["ann"])["ann"].besides == besides


def test_a_run_can_go_on_with_a_state(path: Path) -> None:
    """Both are one file format."""
    with opened(path) as state:
        carry_out(state, "ann", Action.CREATE, Outcome.CREATED)
    with Journal(path, IDENTITY) as journal:
        assert journal.known(["ann"])["ann"].auth_token == "ann-token"


def test_for_whom_a_run_has_sent_something_is_not_as_the_last_night_left_it(path: Path) -> None:
    """Whatever has come of it; who was in doubt since that night is the run's."""
    with opened(path) as state:
        for uid in ("ann", "bob"):
            carry_out(state, uid, Action.CREATE, Outcome.CREATED)
        state.sent([a_request(state, "cat", Action.CREATE)], 8.0)
        night(state)
    with Journal(path, IDENTITY) as journal:
        known = journal.known(["ann", "cat"])
        requests = [
            UserRequest(met.key, 1, uid, b"{}", "other", token=True, past=met.past(changed=True))
            for uid, met in known.items()
        ]
        journal.sent(requests, 9.0)
        journal.settle([a_settlement(each, Outcome.CREATED, None) for each in requests])
    with opened(path) as state:
        assert lives(state, "ann", "bob", "cat") == {"ann": None, "bob": ANN, "cat": Live("other", None, ANN.standing)}
        assert (state.met(["ann"])["ann"].exists, state.managed()) == (True, 3)


def test_a_run_brings_whom_a_refused_night_has_found_to_its_row(path: Path) -> None:
    """Which of two bodies its two killed creates have left there is not known, though whose user it is."""
    with Journal(path, IDENTITY) as journal:
        key = journal.new_key()
        for body in ("first", "second"):
            journal.sent([UserRequest(key, 1, "ann", b"{}", body, token=True)], 8.0)
        once = UserRequest(journal.new_key(), 2, "bob", b"{}", "first", token=True)
        journal.sent([once], 8.0)
    with opened(path, make=False) as state:
        for doubt in state.in_doubt():
            state.resolve(doubt.uid, Standing.ACTIVE)
        state.unwanted = True
    with Journal(path, IDENTITY) as journal:
        known = journal.known(["ann", "bob"])
    assert {uid: (each.outcome, each.ours) for uid, each in known.items()} == dict.fromkeys(known, ("created", 1))
    assert (known["ann"].body_hash == "second", known["bob"].body_hash) == (False, "first")


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("PRAGMA application_id = 7", "not a journal of provisioner; move it away or check --state"),
        (
            f"PRAGMA user_version = {VERSION + 1}",
            f"written by a newer provisioner (format {VERSION + 1}, this one reads {VERSION}); update it",
        ),
        (
            "UPDATE meta SET value = 'app2' WHERE key = 'app_id'",
            (
                f"made for app app2 at {IDENTITY.base_url}, not for app1 at {IDENTITY.base_url}; "
                "check --state, the app id and the region"
            ),
        ),
    ],
)
def test_a_state_that_is_not_ours_is_refused(path: Path, statement: str, said: str) -> None:
    """In one sentence, and no lock is left behind."""
    with opened(path) as state:
        carry_out(state, "ann", Action.CREATE, Outcome.CREATED)
    with closing(sqlite3.connect(path)) as database:
        database.execute(statement)
        database.commit()
    with pytest.raises(JournalError) as caught, opened(path):
        pass
    assert str(caught.value) == f"{path}: {said}"
    assert not path.with_name("hr.db.lock").exists()


def test_a_state_in_use_is_refused(path: Path) -> None:
    """The first is named."""
    with opened(path), pytest.raises(JournalError, match=rf"in use by process {os.getpid()} on .*check --state$"):
        opened(path).__enter__()


def a_big_state(path: Path) -> bytes:
    with opened(path) as state:
        for n in range(300):
            carry_out(state, f"user-{n}", Action.CREATE, Outcome.CREATED)
        night(state)
    return path.read_bytes()


@pytest.mark.slow
def test_a_state_that_was_cut_short_is_never_believed(path: Path) -> None:
    """At whatever length: refused with the way back, and left as it is."""
    whole = a_big_state(path)
    for length in [
        0,
        1,
        10,
        99,
        100,
        512,
        1000,
        4095,
        4096,
        5000,
        8192,
        len(whole) // 2,
        len(whole) - 4096,
        len(whole) - 1,
    ]:
        path.write_bytes(whole[:length])
        with pytest.raises(JournalError) as caught, opened(path, make=False):
            pass
        assert str(caught.value).startswith(f"{path}: the state is damaged, or no state ("), length
        assert str(caught.value).endswith(WAY_BACK)
        assert path.read_bytes() == whole[:length]


@pytest.mark.slow
@pytest.mark.parametrize("changed", [3, 300])
def test_a_state_that_was_emptied_beside_its_log_is_never_believed(path: Path, changed: int) -> None:
    """What a kill left in the log makes no state of a file that was emptied, cut or replaced, nor does `--adopt`.

    Unless the log holds all that is missing: then nothing is.
    """
    a_big_state(path)
    with opened(path) as state:
        for n in range(changed):
            carry_out(state, f"user-{n}", Action.UPDATE, Outcome.UPDATED)
        whole, log = path.read_bytes(), path.with_name("hr.db-wal").read_bytes()
    other = path.with_name("other.db")
    with opened(other) as state:
        carry_out(state, "somebody", Action.CREATE, Outcome.CREATED)
    lengths = (0, 1, 99, 100, 4095, 4096, 8192, len(whole) // 2, len(whole) - 4096, len(whole) - 1)
    copy = path.with_name("copy.db")
    refused = 0
    for content in (*(whole[:length] for length in lengths), other.read_bytes()):
        for make in (True, False):
            copy.write_bytes(content)
            copy.with_name("copy.db-wal").write_bytes(log)
            refused += 1
            with suppress(JournalError), opened(copy, make=make) as state:
                assert (len(content) > 99, state.managed(), state.nights.epoch) == (True, 300, 2)
                assert len(state.met([f"user-{n}" for n in range(300)])) == 300
                refused -= 1
    assert refused == 2 * (len(lengths) + 1) if changed == 3 else refused >= 6
    copy.write_bytes(whole)
    copy.with_name("copy.db-wal").write_bytes(log)
    with opened(copy, make=False) as state:
        assert state.managed() == 300


def test_a_blank_database_is_no_state(path: Path) -> None:
    """With `--adopt` it is begun, as after a kill at once; without it somebody has replaced the state."""
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode = WAL")
    with pytest.raises(JournalError, match=r"the state is damaged, or no state \(it holds nothing\)"):
        opened(path, make=False).__enter__()
    with opened(path) as state:
        assert state.managed() == 0


def test_the_cure_of_a_kept_plan_is_no_option(path: Path) -> None:
    """It is carried out with its own state: `--state` and `--adopt` are refused beside it."""
    for content, said in [
        (None, "no such state file"),
        (b"", "the state is damaged, or no state (cut short to 0 bytes)"),
        (b"uid,name\n" * 200, "the state is damaged, or no state (file is not a database)"),
    ]:
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(JournalError) as caught:
            PlannedState(path, IDENTITY).__enter__()
        assert str(caught.value) == f"{path}: {said}; put it back as it was, or make a new plan"
    path.unlink()
    with PlannedState(path, IDENTITY, make=True) as state:
        carry_out(state, "ann", Action.CREATE, Outcome.CREATED)
    with pytest.raises(JournalError, match=r"not for app2 at \S+; put it back as it was, or make a new plan"):
        PlannedState(path, replace(IDENTITY, app_id="app2")).__enter__()


@pytest.mark.slow
def test_a_damaged_state_is_refused_or_means_what_it_meant(path: Path) -> None:
    """Pages wiped: SQLite's own check sees each, and nothing but `JournalError` comes out."""
    whole = a_big_state(path)
    refused = 0
    for page in range(len(whole) // 4096):
        path.write_bytes(whole[: page * 4096] + b"\xa5" * 4096 + whole[(page + 1) * 4096 :])
        with pytest.raises(JournalError), opened(path):
            pass
        refused += 1
    assert refused == len(whole) // 4096


@pytest.mark.slow
def test_single_bytes_flipped_do_no_more_than_that(path: Path) -> None:
    """Anywhere in the file: `JournalError` or `StorageError`, or it can be read; never another error."""
    whole = a_big_state(path)
    uids = [f"user-{n}" for n in range(300)]
    for at in [*range(16, 100, 7), *range(100, len(whole), len(whole) // 60)]:
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        with suppress(JournalError, StorageError), opened(path) as state:
            assert set(state.met(uids)) <= set(uids)
            assert len(list(state.leavers())) <= 300
            assert len(state.tonight(uids)["uid"]) <= 300
        for beside in ("-wal", "-shm"):
            path.with_name(path.name + beside).unlink(missing_ok=True)


# --- what is known -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", list(Action))
def test_what_is_sent_is_in_doubt_until_it_is_settled(path: Path, action: Action) -> None:
    """Also after a kill; the action that is in doubt is known."""
    with opened(path) as state:
        carry_out(state, "ann", Action.CREATE, Outcome.CREATED)
        state.sent([a_request(state, "ann", action)], 20.0)
        shutil.copy(path, path.with_name("copy.db"))
        shutil.copy(path.with_name("hr.db-wal"), path.with_name("copy.db-wal"))
    # Who was known to be there and is created is gone, and with it all that was known: see below.
    anew = action is Action.CREATE
    with opened(path.with_name("copy.db")) as killed:
        [met] = killed.met(["ann"]).values()
        standing, token = (None, None) if anew else ("active", "ann-token")
        assert (met.live, met.exists, met.operation, met.standing) == (None, not anew, action, standing)
        assert killed.known(["ann"])["ann"].auth_token == token


@pytest.mark.parametrize(
    ("before", "action", "flush", "lost"),
    [
        ("unknown", Action.UPDATE, False, False),
        ("unknown", Action.REACTIVATE, False, True),
        ("unknown", Action.DEACTIVATE, True, True),
        ("unknown", Action.DEACTIVATE, False, False),
        ("flushed", Action.UPDATE, False, False),
        ("flushing", Action.REACTIVATE, False, True),
        ("flushing", Action.UPDATE, False, False),
    ],
)
def test_of_whom_a_copy_knows_no_flush_the_token_is_kept(
    path: Path, before: str, action: Action, flush: bool, lost: bool
) -> None:
    """Killed with a change on the wire: lost with a flush of ours, or where the app has shown the user deactivated.

    An update that says a flush is in doubt is in a copy of an older version, which said so of everybody.
    """
    with opened(path) as state:
        carry_out(state, "ann", Action.CREATE, Outcome.CREATED)
        state.database.execute("UPDATE users SET sessions = ?", (before,))
        request = a_request(state, "ann", action)
        assert request.change is not None
        state.sent([request._replace(change=request.change._replace(flush=flush))], 9.0)
        assert state.met(["ann"])["ann"].has_lost_token(Action.UPDATE) is lost


def test_a_copy_keeps_what_is_known_of_a_flush(path: Path) -> None:
    """Of all others it knows only that a night since may have deactivated them."""
    with opened(path) as state:
        for uid, sessions in (("ann", None), ("bob", "flushing"), ("eve", "flushed")):
            carry_out(state, uid, Action.CREATE, Outcome.CREATED)
            state.database.execute("UPDATE users SET sessions = ? WHERE uid = ?", (sessions, uid))
        state.database.execute("UPDATE users SET operation = 'deactivate' WHERE uid = 'bob'")
        state.mark_as_copy()
        met = state.met(["ann", "bob", "eve"])
    assert {uid: each.sessions for uid, each in met.items()} == {"ann": "unknown", "bob": "flushing", "eve": "flushed"}


def test_a_user_created_anew_loses_its_token_with_the_record_that_it_is_sent(path: Path) -> None:
    """In the middle of a change as well as planned; a kill then leaves a create in doubt, and no token of the dead."""
    with opened(path) as state:
        for uid in ("midway", "planned"):
            carry_out(state, uid, Action.CREATE, Outcome.CREATED)
        midway = a_request(state, "midway", Action.UPDATE)
        state.sent([midway, a_request(state, "planned", Action.CREATE)], 20.0)
        state.sent_anew(midway, 21.0)
        state.is_new = False
        known, met = state.known(["midway", "planned"]), state.met(["midway", "planned"])
        assert {uid: (each.auth_token, each.doubt_since) for uid, each in known.items()} == {
            "midway": (None, 21.0),
            "planned": (None, 20.0),
        }
        assert {(each.operation, each.certain, each.standing, each.exists) for each in met.values()} == {
            ("create", 0, None, False)
        }
        assert [each.uid for each in state.in_doubt()] == ["midway", "planned"]


def test_who_may_have_been_created_is_managed_until_it_is_known(path: Path) -> None:
    """Killed over, or failed in doubt: a leaver; found to be ours: managed for good; not ours: nobody's."""
    with opened(path) as state:
        doubted = a_request(state, "doubted", Action.CREATE)
        refused = a_request(state, "refused", Action.CREATE)
        state.sent([doubted, refused, *(a_request(state, uid, Action.CREATE) for uid in ("ours", "theirs"))], 7.0)
        failed = a_settlement(doubted, Outcome.FAILED, None)
        state.settle([failed._replace(doubt_since=7.0), a_settlement(refused, Outcome.FAILED, None)])
        assert [uid for uid, _ in state.leavers()] == ["doubted", "ours", "theirs"]
        assert [tuple(each) for each in state.in_doubt()] == [
            ("doubted", 7.0, None),
            ("ours", 7.0, None),
            ("theirs", 7.0, None),
        ]
        assert state.is_leaver(["ours", "refused"]) == {"ours"}
        state.see(["doubted"])
        state.resolve("ours", Standing.ACTIVE)
        state.resolve("theirs", None)
        state.is_new = False
        assert ([uid for uid, _ in state.leavers()], state.in_doubt()) == (["ours"], [])
        ours = state.met(["ours"])["ours"]
        assert (state.managed(), ours.exists, ours.live, ours.operation) == (1, True, None, Action.UPDATE)
        known = state.known(["ours"])["ours"]
        assert (known.ours, known.auth_token, known.created_at) == (1, None, None)
        assert state.known(["theirs"])["theirs"].doubt_since is None


def test_a_leaver_whom_another_hand_reactivated_is_one_again(path: Path) -> None:
    """Seen in this session, recorded when something is carried out; counted with those who are managed."""
    away = Live(None, b"\3" * 56, Standing.DEACTIVATED)
    with opened(path) as state:
        carry_out(state, "ann", Action.DEACTIVATE, Outcome.DEACTIVATED, away)
        night(state)
        assert (list(state.leavers()), state.managed()) == ([], 0)
        state.wake(["ann"])
        assert (list(state.leavers()), state.managed()) == ([("ann", 1)], 1)
        assert state.met(["ann"])["ann"].standing == "deactivated"
        state.record_woken()
        assert state.met(["ann"])["ann"].live == away._replace(standing=Standing.ACTIVE)


def test_what_is_settled_is_known_for_certain(path: Path) -> None:
    """Hash, digests and standing come back as they went in."""
    away = Live(None, b"\3" * 56, Standing.DEACTIVATED)
    with opened(path) as state:
        carry_out(state, "ann", Action.CREATE, Outcome.CREATED)
        carry_out(state, "bob", Action.DEACTIVATE, Outcome.DEACTIVATED, away)
        carry_out(state, "cy", Action.CREATE, Outcome.FAILED, None)
    with opened(path) as state:
        assert lives(state, "ann", "bob", "cy", "nobody") == {"ann": ANN, "bob": away, "cy": None}
        assert (state.managed(), list(state.leavers())) == (1, [("ann", 0)])
        assert state.is_leaver(["ann", "bob", "cy", "nobody"]) == {"ann", "bob"}


def test_an_adopted_user_is_managed_without_a_request(path: Path) -> None:
    """With its time of creation, told as unchanged; its adoption again changes nothing."""
    with opened(path) as state:
        state.adopt([Adoption("ann", 1, ANN, 77)], 5.0)
        assert (lives(state, "ann"), told(state, ["ann"])) == ({"ann": ANN}, {"ann": "unchanged"})
        assert state.known(["ann"])["ann"].created_at == 77
        carry_out(state, "ann", Action.UPDATE, Outcome.UPDATED)
        assert told(state, ["ann"]) == {"ann": "updated"}


def test_a_user_found_in_the_directory_and_killed_over_still_exists(path: Path) -> None:
    """Its adoption was an update or a return on the wire: it is there, though nothing is certain."""
    with opened(path) as state:
        for uid, action in [("new", Action.CREATE), ("up", Action.UPDATE), ("back", Action.REACTIVATE)]:
            state.sent([a_request(state, uid, action)], 1.0)
        exists = {uid: met.exists for uid, met in state.met(["new", "up", "back"]).items()}
        assert exists == {"new": False, "up": True, "back": True}


# --- tonight -------------------------------------------------------------------------------------------------------


def test_a_night_lasts_until_it_is_good(path: Path) -> None:
    """What happened in a night that was cut short is told by the one that ends it."""
    with opened(path) as state:
        carry_out(state, "ann", Action.CREATE, Outcome.CREATED)
        night(state, good=False)
        assert (state.nights.epoch, told(state, ["ann"])) == (1, {"ann": "created"})
    with opened(path) as state:
        assert told(state, ["ann"]) == {"ann": "created"}
        assert state.met(["ann"])["ann"].again is Outcome.CREATED
        night(state)
        assert (state.nights.epoch, told(state, ["ann"])) == (2, {"ann": "unchanged"})
        assert state.met(["ann"])["ann"].again is None


def test_what_was_planned_and_not_settled_is_pending(path: Path) -> None:
    """And a failure counts only while it is still planned."""
    with opened(path) as state:
        carry_out(state, "done", Action.CREATE, Outcome.CREATED)
        carry_out(state, "failed", Action.UPDATE, Outcome.FAILED)
        carry_out(state, "left", Action.CREATE, Outcome.CREATED)
        state.plan(["left"])
        request = a_request(state, "cut", Action.UPDATE)
        state.plan(["cut"])
        state.sent([request], 1.0)
        state.settle([a_settlement(request, Outcome.PENDING, ANN, State.PENDING)])
        uids = ["done", "failed", "left", "cut"]
        expected = {"done": "created", "failed": "failed", "left": "created", "cut": "pending"}
        assert told(state, uids) == expected
    with opened(path) as state:
        assert told(state, uids) == {**expected, "failed": "unchanged", "cut": "unchanged"}


def test_who_left_in_an_earlier_attempt_and_is_named_again_is_pending_until_it_is_back(path: Path) -> None:
    """A row is never told as deactivated, however early this attempt is stopped."""
    with opened(path) as state:
        carry_out(state, "ann", Action.DEACTIVATE, Outcome.DEACTIVATED, ANN._replace(standing=Standing.DEACTIVATED))
    with opened(path) as state:
        state.see(["ann"])
        state.plan(["ann"])
        assert told(state, ["ann"]) == {"ann": "pending"}
        carry_out(state, "ann", Action.REACTIVATE, Outcome.REACTIVATED)
        assert told(state, ["ann"]) == {"ann": "reactivated"}


def test_who_was_created_tonight_is_so_though_an_attempt_since_wanted_it_gone(path: Path) -> None:
    """It was in no roster in between, and that attempt ended before anything left for it."""
    with opened(path) as state:
        carry_out(state, "ann", Action.CREATE, Outcome.CREATED)
        request = a_request(state, "ann", Action.DEACTIVATE)
        state.sent([request], 9.0)
        state.settle([a_settlement(request, Outcome.PENDING, ANN, State.PENDING)])
    with opened(path) as state:
        state.see(["ann"])
        assert told(state, ["ann"]) == {"ann": "created"}
        night(state)
        assert told(state, ["ann"]) == {"ann": "unchanged"}


def test_whom_the_roster_names_as_deactivated_is_a_leaver_with_a_row(path: Path) -> None:
    """Present and a leaver; once deactivated it is that, whatever is planned for it by a later attempt."""
    with opened(path) as state:
        state.adopt([Adoption("ann", 1, ANN, None), Adoption("bob", 2, ANN, None)], 1.0)
        state.see(["ann", "bob"])
        state.name([("ann", 7)])
        assert (list(state.leavers()), state.named(["ann", "bob"])) == ([("ann", 0)], {"ann": 7})
        state.plan(["ann"])
        assert told(state, ["ann"]) == {"ann": "pending"}
        carry_out(state, "ann", Action.DEACTIVATE, Outcome.DEACTIVATED, ANN._replace(standing=Standing.DEACTIVATED))
        assert told(state, ["ann"]) == {"ann": "deactivated"}
        assert (list(state.leavers()), state.left_tonight()) == ([], [("ann", 0)])
    with opened(path) as state:
        state.see(["ann", "bob"])
        state.name([("ann", 7)])
        night(state)
        assert state.database.execute("SELECT uid, absent FROM users ORDER BY uid").fetchall() == [
            ("ann", 0),
            ("bob", 0),
        ]


def test_leavers_of_earlier_attempts_are_of_this_night(path: Path) -> None:
    """Until the night is good, and unless they are back."""
    away = ANN._replace(standing=Standing.DEACTIVATED)
    with opened(path) as state:
        carry_out(state, "ann", Action.DEACTIVATE, Outcome.DEACTIVATED, away)
        carry_out(state, "bob", Action.DEACTIVATE, Outcome.DEACTIVATED, away)
        assert state.left_tonight() == [("ann", 0), ("bob", 0)]
    with opened(path) as state:
        state.see(["bob"])
        assert state.left_tonight() == [("ann", 0)]
        night(state)
        assert state.left_tonight() == []


def test_absence_counts_good_nights_in_a_row(path: Path) -> None:
    """A night that was not good does not count, and being seen begins anew."""

    def a_night(*seen: str, good: bool = True) -> dict[str, int]:
        with opened(path) as state:
            state.see(seen)
            night(state, good=good)
            rows = state.database.execute("SELECT uid, absent FROM users ORDER BY uid").fetchall()
            return dict(rows)

    with opened(path) as state:
        state.adopt([Adoption("ann", 1, ANN, None), Adoption("bob", 2, ANN, None)], 1.0)
        carry_out(state, "zoe", Action.CREATE, Outcome.FAILED, None)
    assert a_night("ann", "bob") == {"ann": 0, "bob": 0, "zoe": 0}
    assert a_night("ann") == {"ann": 0, "bob": 1, "zoe": 0}
    assert a_night("ann", good=False) == {"ann": 0, "bob": 1, "zoe": 0}
    assert a_night() == {"ann": 1, "bob": 2, "zoe": 0}
    assert a_night("bob") == {"ann": 2, "bob": 0, "zoe": 0}


def test_who_was_seen_is_forgotten_with_the_session(path: Path) -> None:
    """The next night sees for itself."""
    with opened(path) as state:
        state.adopt([Adoption("ann", 1, ANN, None)], 1.0)
        state.see(["ann", "ann"])
        assert (list(state.leavers()), state.is_leaver(["ann"])) == ([], set())
    with opened(path) as state:
        assert (list(state.leavers()), state.is_leaver(["ann"])) == ([("ann", 0)], {"ann"})


def test_a_disk_that_takes_no_more_is_no_bug_of_ours(path: Path) -> None:
    """Not even where the first thing that it does not take is that a night begins."""
    with opened(path) as state:
        state.database.execute("PRAGMA max_page_count = 1")
        with pytest.raises(StorageError, match=r"hr\.db: cannot be written any more \(database or disk is full\)"):
            state.begin_night(1.0, "x" * 100_000)


@pytest.mark.parametrize("note", ["see", "plan", "wake", "name", "leavers"])
def test_a_folder_for_temporary_files_that_takes_no_more_is_told_from_the_disk_of_the_state(
    path: Path, note: str
) -> None:
    """It may be a small one in memory; what to do about it is another matter."""
    uids = [f"user-{number}" for number in range(5_000)]
    with opened(path) as state:
        for uid in uids[:2_000] if note == "leavers" else ():
            carry_out(state, uid, Action.CREATE, Outcome.CREATED)
        state.database.execute("PRAGMA temp.max_page_count = 1")
        notes: dict[str, Callable[[], object]] = {
            "see": lambda: state.see(uids),
            "plan": lambda: state.plan(uids),
            "wake": lambda: state.wake(uids),
            "name": lambda: state.name([(uid, 1) for uid in uids]),
            "leavers": lambda: list(state.leavers()),
        }
        with pytest.raises(StorageError) as caught:
            notes[note]()
    assert str(caught.value) == (
        f"{path}: no room for what is noted while a roster is compared with it (database or disk is full); make room "
        "in the folder for temporary files, or name another one in SQLITE_TMPDIR, then run the same command again"
    )


def test_the_mark_moves_with_anything(path: Path) -> None:
    """A night, an adoption, a change that is sent, its outcome; reading does not move it."""
    with opened(path) as state:
        marks = [state.mark(), state.mark()]
        assert marks[0] == marks[1]
        number = state.begin_night(1.0)
        marks = [state.mark()]
        state.adopt([Adoption("ann", 1, ANN, None)], 5.0)
        marks.append(state.mark())
        request = a_request(state, "bob", Action.CREATE)
        state.sent([request], 6.0)
        marks.append(state.mark())
        state.settle([a_settlement(request, Outcome.CREATED, ANN)])
        marks.append(state.mark())
        state.end_night(number, 7.0, 1, {}, good=True)
        marks.append(state.mark())
        state.met(["ann"])
        state.see(["ann"])
        assert len(set(marks)) == len(marks)
        assert state.mark() == marks[-1]


def test_the_mark_of_the_file_is_ours(path: Path) -> None:
    """So that other programs' databases are known for what they are."""
    with opened(path):
        pass
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)

"""Admission: which rows still need a request, matched by uid and body, never by position."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Final

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner.journal.header import EMULATOR, Identity
from provisioner.journal.journal import Journal
from provisioner.model import AuthTokens, OnExisting, Outcome, Past, Settlement, State, UserRequest
from provisioner.run.admission import Admitted, admit
from provisioner.sending.life.steps import Policy, untouched
from tests.rig.sampling import examples

IDENTITY = Identity("app", "http://localhost")
SKIP = Policy()
SOME_OUTCOMES: Final = [Outcome.CREATED, Outcome.EXISTING, Outcome.UPDATED, Outcome.FAILED, None]
SCHEMA: Final = {
    "row": pl.Int64, "uid": pl.String, "body": pl.String, "token": pl.Boolean, "deactivated": pl.Boolean,
    "filled": pl.Int64,
}  # fmt: skip


def body_of(uid: str, name: str = "N") -> str:
    return f'{{"uid":"{uid}","name":"{name}"}}'


def hash_of(body: str) -> str:
    return blake2b(body.encode(), digest_size=8).hexdigest()


def a_roster(*uids: str, first_row: int = 1, name: str = "N") -> pl.DataFrame:
    rows = [(row, uid, body_of(uid, name), True, None, 1) for row, uid in enumerate(uids, first_row)]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def a_request(key: int, row: int, uid: str, past: Past | None = None, name: str = "N") -> UserRequest:
    body = body_of(uid, name)
    return UserRequest(key, row, uid, body.encode(), hash_of(body), token=True, past=past, filled=1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "j.db"


def after_a_run(path: Path, outcomes: Mapping[str, Outcome | None], app: Identity = IDENTITY) -> None:
    """Make a journal in which each of these uids, in this order, was sent and, unless None, settled."""
    with Journal(path, app) as journal:
        requests = [request for part in admit(a_roster(*outcomes), journal, SKIP) for request in part.requests]
        journal.sent(requests, 50.0)
        keys = {request.uid: request.key for request in requests}
        journal.settle(
            Settlement(keys[uid], State.SETTLED, outcome, 1, auth_token=f"{uid}_t", created_at=7, settled_at=51.0)
            for uid, outcome in outcomes.items()
            if outcome is not None
        )


def test_a_new_journal_admits_every_row(path: Path) -> None:
    """A first run sends all, in roster order, each with a key of its own and no past."""
    with Journal(path, IDENTITY) as journal:
        assert list(admit(a_roster("b", "a", first_row=4), journal, SKIP)) == [
            Admitted([a_request(1, 4, "b"), a_request(2, 5, "a")], 0, [])
        ]


@pytest.mark.parametrize("outcome", [Outcome.CREATED, Outcome.EXISTING, Outcome.UPDATED])
def test_settled_and_unchanged_rows_cost_no_request(path: Path, outcome: Outcome) -> None:
    """Promise 2: nothing that was settled is sent again."""
    after_a_run(path, {"a": outcome, "b": outcome})
    with Journal(path, IDENTITY) as journal:
        assert list(admit(a_roster("a", "b"), journal, SKIP)) == [Admitted([], 2, [])]


def test_failed_and_unsettled_rows_are_tried_again_with_what_is_known_of_them(path: Path) -> None:
    """A failed row comes again; one that was cut off comes in doubt since it was sent; a new one has no past."""
    after_a_run(path, {"failed": Outcome.FAILED, "cut": None})
    with Journal(path, IDENTITY) as journal:
        failed = Past(State.SETTLED, Outcome.FAILED, 1, "failed_t", 7, filled=1)
        cut = Past(State.SENT, Outcome.PENDING, doubt_since=50.0, filled=1)
        assert list(admit(a_roster("failed", "cut", "new"), journal, SKIP)) == [
            Admitted([a_request(1, 1, "failed", failed), a_request(2, 2, "cut", cut), a_request(3, 3, "new")], 0, [])
        ]


def test_a_row_in_doubt_that_was_not_taken_has_filled_no_more_than_before(path: Path) -> None:
    """A field that came into it since, and another hand may give the user, is not emptied as ours later."""
    after_a_run(path, {"u1": None})
    with Journal(path, IDENTITY) as journal:
        (part,) = admit(a_roster("u1", name="M").with_columns(filled=3), journal, SKIP)
        journal.sent(part.requests, 60.0)
        journal.settle(map(untouched, part.requests))
        left = journal.known(["u1"])["u1"]
    assert (left.state, left.doubt_since, left.filled) == (State.PENDING, 50.0, 1)


def test_a_settled_row_whose_body_changed_says_so(path: Path) -> None:
    """An edited roster: the row comes again under its old key, marked as changed, with its token."""
    after_a_run(path, {"a": Outcome.CREATED, "b": Outcome.CREATED})
    with Journal(path, IDENTITY) as journal:
        past = Past(State.SETTLED, Outcome.CREATED, 1, "a_t", 7, changed=True, ours=True, filled=1)
        roster = pl.concat([a_roster("a", name="M"), a_roster("b", first_row=2)])
        assert list(admit(roster, journal, SKIP)) == [Admitted([a_request(1, 1, "a", past, name="M")], 1, [])]


def test_in_a_rehearsal_every_row_that_is_sent_again_is_sent_as_if_for_the_first_time(path: Path) -> None:
    """The users of the one before went with its emulator: edited, failed or cut off, a row has its key and no past."""
    after_a_run(path, {"a": Outcome.CREATED, "b": Outcome.CREATED, "c": Outcome.FAILED, "d": None}, EMULATOR)
    with Journal(path, EMULATOR) as journal:
        roster = pl.concat([a_roster("a", name="M"), a_roster("b", "c", "d", "e", first_row=2)])
        again = [a_request(1, 1, "a", name="M"), a_request(3, 3, "c"), a_request(4, 4, "d"), a_request(5, 5, "e")]
        assert list(admit(roster, journal, SKIP)) == [Admitted(again, 1, [])]


# Settled as, with a token, found deactivated; then whether a row is done, by what is asked now.
ENOUGH: Final = {
    (Outcome.CREATED, True, False): {"skip", "update", "fail", "skip all", "update all"},
    (Outcome.CREATED, False, False): set(),
    (Outcome.EXISTING, True, False): {"skip", "skip all"},
    (Outcome.EXISTING, False, False): {"skip"},
    (Outcome.EXISTING, False, True): {"skip", "update", "skip all", "update all"},
    (Outcome.UPDATED, True, False): {"skip", "update", "skip all", "update all"},
    (Outcome.UPDATED, False, False): {"skip", "update"},
}
POLICIES: Final = {
    "skip": Policy(),
    "update": Policy(OnExisting.UPDATE),
    "fail": Policy(OnExisting.FAIL),
    "skip all": Policy(auth_tokens=AuthTokens.ALL),
    "update all": Policy(OnExisting.UPDATE, AuthTokens.ALL),
}


@pytest.mark.parametrize(("outcome", "token", "away"), ENOUGH)
def test_a_settled_row_is_done_as_long_as_it_is_enough_for_what_is_asked_now(
    path: Path, outcome: Outcome, token: bool, away: bool
) -> None:
    """Another policy takes up again those that fall short of it; without `--restart`."""
    with Journal(path, IDENTITY) as journal:
        (admitted,) = admit(a_roster("a"), journal, SKIP)
        journal.sent(admitted.requests, 50.0)
        code = "deactivated" if away else None
        journal.settle(
            [Settlement(1, State.SETTLED, outcome, 1, 200, code, auth_token="t" if token else None, settled_at=51.0)]
        )
    with Journal(path, IDENTITY) as journal:
        done = {name for name, policy in POLICIES.items() if next(admit(a_roster("a"), journal, policy)).skipped}
        assert done == ENOUGH[outcome, token, away]
        wants_none = a_roster("a").with_columns(token=pl.lit(value=False))
        assert next(admit(wants_none, journal, POLICIES["skip all"])).skipped == 1


def test_that_a_user_is_ours_is_known_whatever_was_sent_since(path: Path) -> None:
    """An edited row that was killed on its way, refused or stopped: the next run still knows who created the user."""
    after_a_run(path, {"a": Outcome.CREATED, "b": Outcome.EXISTING})
    pasts = []
    for settlement in (
        None,
        Settlement(1, State.SETTLED, Outcome.FAILED, 2, 400, "ERR_X", "", "a_t", 7, 52.0),
        Settlement(1, State.PENDING, Outcome.PENDING, 2, auth_token="a_t", created_at=7),
    ):
        with Journal(path, IDENTITY) as journal:
            (admitted,) = admit(a_roster("a", "b", name="M"), journal, SKIP)
            pasts.append([request.past for request in admitted.requests])
            journal.sent(admitted.requests, 60.0)
            journal.settle([settlement] if settlement else [])
    with Journal(path, IDENTITY) as journal:
        (admitted,) = admit(a_roster("a", "b", name="M"), journal, SKIP)
        pasts.append([request.past for request in admitted.requests])
    assert [[past and past.ours for past in each] for each in pasts] == [[True, False]] * 4
    assert [each[0] and each[0].auth_token for each in pasts] == ["a_t"] * 4


@pytest.mark.parametrize(
    ("outcome", "managed", "done"),
    [
        (Outcome.CREATED, ("name",), True),
        (Outcome.CREATED, ("name", "link"), True),
        (Outcome.CREATED, ("name", "avatar"), False),
        (Outcome.UPDATED, ("name", "avatar"), True),
    ],
)
def test_a_field_that_a_user_of_ours_may_have_besides_its_row_is_emptied_once_it_has_a_column(
    path: Path, outcome: Outcome, managed: Sequence[str], done: bool
) -> None:
    """The row is changed then, though its body is the same; of a user who was there before it is left."""
    after_a_run(path, {"a": outcome})
    with Journal(path, IDENTITY) as journal:
        kept = Settlement(1, State.SETTLED, outcome, 1, auth_token="a_t", created_at=7, settled_at=52.0, besides="+15")
        journal.settle([kept])
        (admitted,) = admit(a_roster("a"), journal, Policy(managed=managed))
        past = Past(State.SETTLED, outcome, 1, "a_t", 7, changed=True, ours=True, filled=1)
        assert admitted == (Admitted([], 1, []) if done else Admitted([a_request(1, 1, "a", past)], 0, []))


def test_a_deactivated_user_is_settled_like_any_other(path: Path) -> None:
    """A settled row costs no request, night after night; the result says what to do about it."""
    with Journal(path, IDENTITY) as journal:
        (admitted,) = admit(a_roster("a"), journal, SKIP)
        journal.sent(admitted.requests, 50.0)
        journal.settle([Settlement(1, State.SETTLED, Outcome.EXISTING, 1, 404, "deactivated", "", settled_at=51.0)])
    with Journal(path, IDENTITY) as journal:
        assert list(admit(a_roster("a"), journal, SKIP)) == [Admitted([], 1, [])]


def test_an_edited_row_that_had_failed_is_not_changed_but_tried_again(path: Path) -> None:
    """Mending a failed row is the point of a second run: it is created, not taken for one that was there before."""
    after_a_run(path, {"a": Outcome.FAILED})
    with Journal(path, IDENTITY) as journal:
        past = Past(State.SETTLED, Outcome.FAILED, 1, "a_t", 7, filled=1)
        assert list(admit(a_roster("a", name="M"), journal, SKIP)) == [
            Admitted([a_request(1, 1, "a", past, name="M")], 0, [])
        ]


def test_a_re_sorted_roster_costs_nothing_and_its_new_rows_are_noted(path: Path) -> None:
    """Rows are matched by uid: only those that stand elsewhere are told to the journal, by key."""
    after_a_run(path, dict.fromkeys("abc", Outcome.CREATED))
    with Journal(path, IDENTITY) as journal:
        (admitted,) = admit(a_roster("c", "b", "a"), journal, SKIP)
        assert admitted == Admitted([], 3, [(3, 1), (1, 3)])
        journal.move(admitted.moved)
    with Journal(path, IDENTITY) as journal:
        assert list(admit(a_roster("c", "b", "a"), journal, SKIP)) == [Admitted([], 3, [])]


def test_a_row_put_in_at_the_top_is_the_only_one_sent(path: Path) -> None:
    """Resuming by position would send the last row again and never the first."""
    after_a_run(path, dict.fromkeys("abc", Outcome.CREATED))
    with Journal(path, IDENTITY) as journal:
        assert list(admit(a_roster("z", "a", "b", "c"), journal, SKIP)) == [
            Admitted([a_request(4, 1, "z")], 3, [(1, 2), (2, 3), (3, 4)])
        ]


def test_a_shrunk_roster_leaves_the_others_alone(path: Path) -> None:
    """Rows that are gone are not sent, and what is known of them is there when they come back."""
    after_a_run(path, {"a": Outcome.CREATED, "b": Outcome.FAILED, "c": Outcome.CREATED})
    with Journal(path, IDENTITY) as journal:
        assert list(admit(a_roster("c"), journal, SKIP)) == [Admitted([], 1, [(3, 1)])]
        assert set(journal.known(["a", "b"])) == {"a", "b"}


def test_a_batch_larger_than_one_look_up_is_sorted_out_in_parts(path: Path) -> None:
    """Parts are short, so that commits need not wait, and together they are the batch."""
    uids = [f"u{n}" for n in range(9001)]
    after_a_run(path, {"u5000": Outcome.CREATED})
    with Journal(path, IDENTITY) as journal:
        parts = list(admit(a_roster(*uids), journal, SKIP))
    assert [len(part.requests) + part.skipped for part in parts] == [4000, 4000, 1001]
    assert [request.uid for part in parts for request in part.requests] == [uid for uid in uids if uid != "u5000"]
    assert [request.key for part in parts for request in part.requests] == list(range(2, 9002))


def test_no_rows_are_no_work(path: Path) -> None:
    """A batch in which every row was rejected asks the journal nothing."""
    with Journal(path, IDENTITY) as journal:
        assert list(admit(a_roster(), journal, SKIP)) == []


@given(
    before=st.dictionaries(st.sampled_from("abcdef"), st.sampled_from(SOME_OUTCOMES)),
    roster=st.lists(st.sampled_from("abcdefgh"), unique=True),
    edited=st.sets(st.sampled_from("abcdefgh")),
)
@settings(max_examples=examples(20), deadline=None)
def test_every_row_is_either_sent_or_settled_and_unchanged(
    tmp_path_factory: pytest.TempPathFactory,
    before: dict[str, Outcome | None],
    roster: list[str],
    edited: set[str],
) -> None:
    """Whatever the first run did and whatever became of the roster: no row is lost, none is sent needlessly."""
    path = tmp_path_factory.mktemp("admission") / "j.db"
    after_a_run(path, before)
    rows = [(n, uid, body_of(uid, "M" if uid in edited else "N"), True, None, 1) for n, uid in enumerate(roster, 1)]
    with Journal(path, IDENTITY) as journal:
        parts = list(admit(pl.DataFrame(rows, schema=SCHEMA, orient="row"), journal, SKIP))
    settled = {uid for uid, outcome in before.items() if outcome not in {None, Outcome.FAILED}}
    needed = [uid for uid in roster if uid not in settled or uid in edited]
    requests = [request for part in parts for request in part.requests]
    assert [(request.row, request.uid) for request in requests] == [(roster.index(uid) + 1, uid) for uid in needed]
    assert sum(part.skipped for part in parts) == len(roster) - len(needed)
    assert {r.uid for r in requests if r.past and r.past.changed} == settled & edited & set(roster)
    assert len({request.key for request in requests}) == len(requests)

"""Users who were taken for deleted and are created anew: what was known of them comes back with their creation time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioner.journal.header import Identity
from provisioner.journal.state.gone import LetGoRow
from provisioner.journal.state.syncstate import SyncState
from provisioner.model import Action, Change, Live, Outcome, Settlement, Standing, State, UserRequest

ANN = Live("hash-ann", b"\1" * 56, Standing.ACTIVE)
CREATED_AT, LATER = 1_700_000_000, 1_700_000_500


@pytest.fixture
def state(tmp_path: Path) -> Iterator[SyncState]:
    with SyncState(tmp_path / "hr.db", Identity("app1", "https://x.test/v3"), make=True) as state:
        yield state


def a_request(state: SyncState, action: Action, *, flush: bool = False) -> UserRequest:
    met = state.met(["ann"]).get("ann")
    key, before = (met.key, met.live) if met else (state.new_key(), None)
    change = Change(action, b"", before, ANN, flush=flush)
    return UserRequest(key, 1, "ann", b"{}", "hash-ann", token=True, change=change)


def settle(state: SyncState, request: UserRequest, outcome: Outcome, created_at: int | None, token: str | None) -> None:
    live = ANN if outcome is not Outcome.FAILED else None
    state.is_new = False
    settled = Settlement(request.key, State.SETTLED, outcome, 1, 200, auth_token=token, settled_at=9.0, live=live)
    state.settle([settled._replace(created_at=created_at)])


def created(state: SyncState) -> None:
    request = a_request(state, Action.CREATE)
    state.sent([request], 8.0)
    settle(state, request, Outcome.CREATED, CREATED_AT, "old")


def sent_anew(state: SyncState, *, midway: bool) -> UserRequest:
    request = a_request(state, Action.UPDATE if midway else Action.CREATE)
    state.sent([request], 20.0)
    if midway:
        state.sent_anew(request, 21.0)
    return request


def known(state: SyncState) -> tuple[str | None, int]:
    ann = state.known(["ann"])["ann"]
    return ann.auth_token, ann.ours


@pytest.mark.parametrize("midway", [True, False])
@pytest.mark.parametrize("outcome", [Outcome.UPDATED, Outcome.REACTIVATED])
@pytest.mark.parametrize(("created_at", "expected"), [(CREATED_AT, ("old", 1)), (LATER, (None, 0)), (None, (None, 0))])
def test_whoever_was_there_all_along_keeps_what_was_known(
    state: SyncState, outcome: Outcome, created_at: int | None, expected: tuple[str | None, int], midway: bool
) -> None:
    """By the time of its creation; meanwhile nothing is claimed, and whoever is another one begins with nothing."""
    created(state)
    request = sent_anew(state, midway=midway)
    assert known(state) == (None, 0)
    settle(state, request, outcome, created_at, None)
    assert known(state) == expected


def test_a_create_that_fails_leaves_the_question_open(state: SyncState) -> None:
    """Also when the next night's create is recorded; the one that ends it decides."""
    created(state)
    settle(state, sent_anew(state, midway=False), Outcome.FAILED, None, None)
    request = sent_anew(state, midway=False)
    settle(state, request, Outcome.UPDATED, CREATED_AT, None)
    assert known(state) == ("old", 1)


def test_whoever_is_created_has_nothing_of_the_former_one(state: SyncState) -> None:
    """Nor is it given back later, when an update tells of the same second."""
    created(state)
    settle(state, sent_anew(state, midway=False), Outcome.CREATED, CREATED_AT, "new")
    assert known(state) == ("new", 1)
    update = a_request(state, Action.UPDATE)
    state.sent([update], 30.0)
    settle(state, update, Outcome.UPDATED, CREATED_AT, None)
    assert known(state) == (None, 1)


def test_a_token_minted_on_the_way_counts(state: SyncState) -> None:
    """For everybody who is there, when that is asked for: the newer one is told."""
    created(state)
    settle(state, sent_anew(state, midway=False), Outcome.UPDATED, CREATED_AT, "minted")
    assert known(state) == ("minted", 1)


def test_a_token_that_may_have_been_flushed_does_not_come_back(state: SyncState) -> None:
    """Its end was not known when the user seemed to be gone."""
    created(state)
    state.sent([a_request(state, Action.DEACTIVATE, flush=True)], 15.0)
    settle(state, sent_anew(state, midway=True), Outcome.UPDATED, CREATED_AT, None)
    assert known(state) == (None, 0)


def test_a_leaver_in_doubt_who_is_the_former_user_is_managed(state: SyncState) -> None:
    """Killed over the create, and in no later roster: when it was created says that it is the one of before."""
    created(state)
    sent_anew(state, midway=False)
    [doubt] = state.in_doubt()
    assert doubt == ("ann", 20.0, CREATED_AT)
    state.resolve("ann", Standing.ACTIVE, former=True)
    assert (known(state), state.in_doubt(), list(state.leavers())) == (("old", 1), [], [("ann", 0)])
    assert state.met(["ann"])["ann"].exists


def test_who_is_let_go_is_no_longer_managed(state: SyncState) -> None:
    """Somebody else has taken the uid, and no row names it: nothing of the former user is known any more."""
    created(state)
    state.note_others([], [], [LetGoRow("ann")])
    met = state.met(["ann"])["ann"]
    assert (met.live, met.exists, met.created_at, known(state)) == (None, False, None, (None, 0))
    assert (list(state.leavers()), state.in_doubt(), state.managed()) == ([], [], 0)

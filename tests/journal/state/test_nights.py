"""The table of nights: which there were, and which one is not over."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from provisioner.journal.header import Identity
from provisioner.journal.state.managed import Adoption
from provisioner.journal.state.nights import Night, Nights
from provisioner.journal.state.syncstate import SyncState
from provisioner.model import Action, Change, Live, Outcome, Settlement, Standing, State, UserRequest

IDENTITY = Identity("app1", "https://app1.api-eu.cometchat.io/v3")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "hr.db"


def opened(path: Path, *, make: bool = True) -> SyncState:
    return SyncState(path, IDENTITY, make=make)


def night(state: SyncState, *, good: bool = True) -> None:
    number = state.begin_night(1.0)
    state.end_night(number, 2.0, 10, {"created": 1}, good=good)


def test_nights_are_told_in_order(path: Path) -> None:
    """The last ones, with what their summaries said."""
    with opened(path) as state:
        night(state)
        night(state, good=False)
        state.begin_night(9.0)
        first, second, third = state.nights.last()
        assert (first.number, first.epoch, first.good, first.rows, first.summary) == (1, 1, True, 10, {"created": 1})
        assert (second.epoch, second.good, third.epoch, third.finished) == (2, False, 2, None)
        assert state.nights.last(1) == [third]


def test_whose_rows_were_sent_was_in_that_roster(path: Path) -> None:
    """The last sync that had begun by then, whether it came to its end or not; not for who is sent away."""
    live = Live("", None, Standing.ACTIVE)
    with opened(path) as state:
        for began, uid, action in (
            (100.0, "ann", Action.CREATE), (200.0, "bob", Action.CREATE), (300.0, "ann", Action.DEACTIVATE),
            (400.0, "cy", Action.REACTIVATE),
        ):  # fmt: skip
            state.begin_night(began)
            met = state.met([uid]).get(uid)
            change = Change(action, b"", None, live)
            key = met.key if met else state.new_key()
            request = UserRequest(key, 1, uid, b"{}", "", token=False, change=change)
            state.sent([request], began + 1.5)
            created = {"ann": 100, "bob": 200}.get(uid)
            state.settle([Settlement(key, State.SETTLED, Outcome.CREATED, 1, live=live, created_at=created)])
        state.adopt([Adoption("di", 1, live, 50)], 99.0)
        assert state.nights.last_seen(["ann", "bob", "cy", "di", "eva"]) == {"ann": 100.0, "bob": 200.0, "cy": 400.0}


def test_a_kept_plan_is_unfinished_until_its_night_is_good(path: Path) -> None:
    """Only the last night counts."""
    with opened(path) as state:
        assert state.nights.unfinished_plan() is None
        number = state.begin_night(1.0, "digest")
        assert state.nights.unfinished_plan() == "digest"
        state.end_night(number, 2.0, 1, {}, good=False)
        assert state.nights.unfinished_plan() == "digest"
        number = state.begin_night(3.0, "digest")
        state.end_night(number, 4.0, 1, {}, good=True)
        assert state.nights.unfinished_plan() is None
        state.begin_night(5.0)
        assert state.nights.unfinished_plan() is None


def test_a_night_is_over_when_it_is_good(path: Path) -> None:
    """Attempts that failed or were killed share a number with the one that ends them."""
    with opened(path) as state:
        epochs = []
        for good in (False, True, True, False):
            epochs.append(state.nights.epoch)
            night(state, good=good)
        state.begin_night(9.0)
        assert (epochs, state.nights.epoch) == ([1, 1, 2, 3], 3)
        assert [each.epoch for each in state.nights.last()] == [1, 1, 2, 3, 3]


def test_every_member_of_a_night_comes_from_its_own_column(path: Path) -> None:
    """Values that differ from each other come back where they belong; one that was killed has no end."""
    with opened(path) as state:
        state.end_night(state.begin_night(10.0, "digest"), 12.5, 7, {"created": 3}, good=True)
        state.begin_night(20.0)
        whole, killed = state.nights.last()
        assert whole == Night(1, 1, 10.0, 12.5, True, 7, {"created": 3})
        assert killed == Night(2, 2, 20.0, None, False, None, {})
        assert (whole.seconds, killed.seconds) == (2.5, None)


def test_nights_are_read_from_any_connection(path: Path) -> None:
    """A state that is only looked at has the same nights."""
    with opened(path) as state:
        night(state)
        expected = state.nights.last()
    with closing(sqlite3.connect(path)) as database:
        assert Nights(database).last() == expected

"""Mints: counted before they leave, never beyond the limit, and on through a journal that begins anew."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from provisioner.errors import JournalError
from provisioner.journal.course.mints import MOST, given_before
from provisioner.journal.header import Identity
from provisioner.journal.journal import Journal
from provisioner.journal.lock import set_journal_aside
from provisioner.model import Outcome, Settlement, State, UserRequest
from tests.rig.journals import HERE

ANN = UserRequest(1, 1, "ann", b"{}", "00", token=True)


def spend(journal: Journal, uid: str, times: int) -> None:
    """Mint so often for a user."""
    assert [journal.count_mints([uid]) for _ in range(times)] == [set()] * times


def test_none_leaves_beyond_the_limit(tmp_path: Path) -> None:
    """Also after a kill: each is on disk before it leaves. Others are not concerned."""
    with Journal(tmp_path / "j.db", HERE) as journal:
        spend(journal, "ann", MOST - 1)
    with Journal(tmp_path / "j.db", HERE) as journal:
        assert journal.count_mints(["ann", "bob"]) == set()
        assert journal.count_mints(["ann", "bob"]) == {"ann"}
        assert journal.count_mints(["ann"]) == {"ann"}


def test_a_journal_that_begins_anew_counts_on(tmp_path: Path) -> None:
    """From the last one that was set aside for it, however often; a journal that has begun stays as it is."""
    path = tmp_path / "out.journal.db"
    with Journal(path, HERE) as journal:
        spend(journal, "ann", MOST - 2)
    for _ in range(2):
        assert set_journal_aside(path) is not None
        with Journal(path, HERE) as journal:
            spend(journal, "ann", 1)
    with Journal(path, HERE) as journal:
        journal.sent([ANN], 1.0)
    with Journal(path, HERE) as journal:
        assert journal.count_mints(["ann"]) == {"ann"}


def test_another_apps_counts_are_not_taken_over(tmp_path: Path) -> None:
    """Its users are others."""
    path = tmp_path / "out.journal.db"
    with Journal(path, Identity("another", "https://another.example/v3")) as journal:
        spend(journal, "ann", MOST)
    assert (given_before(path, HERE), given_before(path.with_name("none.db"), HERE)) == (0, 0)
    set_journal_aside(path)
    with Journal(path, HERE) as journal:
        assert journal.count_mints(["ann"]) == set()


def test_flushed_tokens_count_no_more(tmp_path: Path) -> None:
    """Whoever was deactivated begins anew, in the commit that records it."""
    with Journal(tmp_path / "j.db", HERE) as journal:
        spend(journal, "ann", MOST)
        journal.sent([ANN], 1.0)
        journal.settle([Settlement(1, State.SETTLED, Outcome.CREATED, 1, settled_at=2.0)])
        assert journal.count_mints(["ann"]) == {"ann"}
        journal.settle([Settlement(1, State.SETTLED, Outcome.CREATED, 1, settled_at=2.0, parted=True)])
        assert journal.count_mints(["ann"]) == set()


def test_who_was_given_a_token_is_counted_once(tmp_path: Path) -> None:
    """By a create or by a mint, and whether it was recorded or not."""
    with Journal(tmp_path / "j.db", HERE) as journal:
        journal.sent([ANN, ANN._replace(key=2, uid="bob"), ANN._replace(key=3, uid="cat")], 1.0)
        created = Settlement(1, State.SETTLED, Outcome.CREATED, 1, auth_token="t", settled_at=2.0)
        journal.settle([created, created._replace(key=3, auth_token=None)])
        journal.count_mints(["ann", "bob"])
    assert given_before(tmp_path / "j.db", HERE) == 2


def test_who_was_given_a_token_is_known_through_every_restart(tmp_path: Path) -> None:
    """Also one that came with the create, and behind journals of another app; it is no mint, and counts as none."""
    path, other = tmp_path / "out.journal.db", Identity("another", "https://another.example/v3")
    with Journal(path, HERE) as journal:
        journal.sent([ANN], 1.0)
        journal.settle([Settlement(1, State.SETTLED, Outcome.CREATED, 1, auth_token="t", settled_at=2.0)])
        journal.count_mints(["bob"])
    for owner in (HERE, HERE, other, HERE):
        set_journal_aside(path)
        with Journal(path, owner) as journal:
            journal.sent([ANN._replace(uid="cat")], 3.0)
        assert given_before(path, owner) == (2 if owner is HERE else 0)
    with Journal(path, HERE) as journal:
        spend(journal, "ann", MOST)
        assert journal.count_mints(["ann"]) == {"ann"}
        spend(journal, "bob", MOST - 1)
        assert journal.count_mints(["bob"]) == {"bob"}


def test_a_journal_from_before_mints_were_counted_tells_whom_it_gave_tokens(tmp_path: Path) -> None:
    """By what is recorded, which is all there is."""
    path = tmp_path / "out.journal.db"
    with Journal(path, HERE) as journal:
        journal.sent([ANN], 1.0)
        journal.settle([Settlement(1, State.SETTLED, Outcome.CREATED, 1, auth_token="t", settled_at=2.0)])
    with closing(sqlite3.connect(path)) as database:
        database.execute("DROP TABLE mints")
    assert given_before(path, HERE) == 1
    set_journal_aside(path)
    with Journal(path, HERE):
        pass
    assert given_before(path, HERE) == 1


def test_who_was_given_tokens_is_not_nobody_where_the_journal_may_not_be_read(tmp_path: Path) -> None:
    """Minted anew without a question, they could end the sessions of others."""
    path = tmp_path / "r.journal.db"
    path.mkdir()
    with pytest.raises(JournalError, match="so nobody knows who was given an auth token; mend that, or move it away"):
        given_before(path, Identity("app", "http://h"))

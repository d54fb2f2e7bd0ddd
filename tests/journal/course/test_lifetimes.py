"""How long each run of a job can have gone on sending."""

from __future__ import annotations

import pytest

from provisioner.journal.course.lifetimes import MOST, Lifetime, Lifetimes

TWO = Lifetimes((Lifetime(1, 100.0, 200.0), Lifetime(4, 500.0, 600.0)))


@pytest.mark.parametrize(("sent_at", "last"), [(150.0, 200.0), (450.0, 200.0), (500.0, 600.0), (50.0, 0.0)])
def test_a_row_is_held_against_the_run_that_sent_it(sent_at: float, last: float) -> None:
    """Also one that was sent after the last sign of life; before the first one there was none."""
    assert TWO.last_of(sent_at) == last


def test_a_run_begins_with_its_first_sign_of_life_and_lasts_to_the_one_after_the_last() -> None:
    """Rows of a run are recorded as sent a little before."""
    once = TWO.going_on(5, 1000.0, since=1.0, unseen=1.0)
    assert once == (*TWO, Lifetime(5, 997.0, 1001.0))
    assert once.going_on(5, 1002.0, since=2.0, unseen=4.0) == (*TWO, Lifetime(5, 997.0, 1006.0))


def test_they_come_back_as_they_were_kept() -> None:
    """Also when there are none yet."""
    assert Lifetimes.read(TWO.text()) == TWO
    assert Lifetimes.read("[]") == ()


def test_of_many_runs_the_first_ones_are_kept_as_one() -> None:
    """A job may be run every night for years."""
    kept = Lifetimes()
    for run in range(1, MOST + 3):
        kept = kept.going_on(run, run * 100.0, since=1.0, unseen=1.0)
    assert (len(kept), kept[0]) == (MOST, Lifetime(3, 97.0, 301.0))

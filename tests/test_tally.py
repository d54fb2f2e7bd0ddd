"""What is counted while a run lasts is counted once, and taken back where nothing was sent."""

from __future__ import annotations

from provisioner.tally import RequestTally


def test_a_request_that_never_left_is_not_counted() -> None:
    """It is taken back whole: with the first, nothing is known of when any was sent."""
    tally = RequestTally()
    tally.add(10.0)
    tally.take_back()
    assert tally == RequestTally()
    tally.add(11.0)
    tally.add(12.0, again=True)
    tally.take_back(again=True)
    assert tally == RequestTally(sent=1, first=11.0, last=12.0)


def test_the_pace_is_that_between_the_first_and_the_last() -> None:
    """One request has none."""
    tally = RequestTally()
    tally.add(60.0)
    assert tally.per_minute == 0.0
    tally.add(60.5)
    tally.add(61.0)
    assert tally.per_minute == 120.0

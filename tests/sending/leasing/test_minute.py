"""What was given in the last minute counts when a limit is changed; tests/sending/test_pacing.py has the limits."""

from __future__ import annotations

from provisioner.sending.leasing.minute import Taken


def test_room_is_there_when_the_minute_holds_no_more_than_the_new_pace_gives() -> None:
    """60 slots at once: 30 s at 2 a second; two minutes at half a one, but after one it is over."""
    taken = Taken()
    assert taken.room_from(1.0) == 0.0
    taken.add(100.0, 60)
    assert (taken.room_from(2.0), taken.room_from(0.5)) == (130.0, 160.0)


def test_what_is_older_than_a_minute_counts_no_more() -> None:
    """The last block alone is left."""
    taken = Taken()
    taken.add(0.0, 1000)
    taken.add(61.0, 10)
    assert taken.room_from(10.0) == 62.0

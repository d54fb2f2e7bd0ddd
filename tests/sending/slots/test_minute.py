"""A minute by the server's clock holds no more than allowed, whatever happens to requests on their way."""

from __future__ import annotations

from bisect import bisect_left
from heapq import heappop, heappush

from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner.sending.slots.minute import Minute
from tests.rig.sampling import examples


def test_there_is_room_again_a_minute_after_the_answer() -> None:
    """It was there at 100.1 s at the latest: at 160.1 s it may be forgotten, a tick or two more for coarse clocks."""
    minute = Minute()
    minute.answered(minute.sent(100.0), 100.1)
    assert minute.wait(1, 2, 100.2) == 0.0
    assert 59.9 <= minute.wait(1, 1, 100.2) <= 59.92
    assert (minute.wait(1, 1, 160.09) > 0, minute.wait(1, 1, 160.12)) == (True, 0.0)


def test_without_an_answer_it_is_on_its_way_for_half_a_second() -> None:
    """A server that takes 20 s to answer costs no more of the rate than that, nor does one that never does."""
    for answered in (None, 120.0):
        minute = Minute()
        ticket = minute.sent(100.0)
        if answered:
            minute.answered(ticket, answered)
        assert (minute.wait(1, 1, 160.49) > 0, minute.wait(1, 1, 160.52)) == (True, 0.0)


def test_an_answer_to_what_is_over_changes_nothing() -> None:
    """Asked after more than a minute, and after hours of silence."""
    minute = Minute()
    ticket = minute.sent(100.0)
    assert minute.wait(1, 1, 170.0) == 0.0
    minute.answered(ticket, 170.0)
    late = minute.sent(10_000.0)
    assert [minute.wait(1, most, 10_000.0) > 0 for most in (1, 2)] == [True, False]
    minute.answered(late, 10_000.0)
    assert minute.wait(1, 1, 10_060.1) == 0.0


def test_says_when_there_is_room_for_a_block() -> None:
    """Ten, a second apart: for three at once the third of them has to be over."""
    minute = Minute()
    for second in range(10):
        minute.answered(minute.sent(100.0 + second), 100.0 + second)
    assert minute.wait(3, 13, 110.0) == 0.0
    assert 52.0 <= minute.wait(3, 10, 110.0) <= 52.02


@given(
    most=st.integers(1, 40),
    trips=st.lists(st.tuples(st.floats(0, 0.49), st.floats(0, 30), st.floats(0, 2)), min_size=50, max_size=120),
)
@settings(max_examples=examples(60), deadline=None)
def test_no_minute_of_the_server_holds_more(most: int, trips: list[tuple[float, float, float]]) -> None:
    """Each is up to half a second on its way there, up to 30 s on its way back, and sent as soon as there is room.

    trips  seconds there, seconds back, seconds of idleness before
    """
    minute, now, arrivals = Minute(), 1000.0, list[float]()
    answers: list[tuple[float, int]] = []
    for there, back, idle in trips:
        now += idle
        while wait := minute.wait(1, most, now):
            now += wait if not answers else min(wait, max(0.0, answers[0][0] - now) + 1e-3)
            while answers and answers[0][0] <= now:
                minute.answered(heappop(answers)[1], now)
        ticket = minute.sent(now)
        arrivals.append(now + there)
        heappush(answers, (now + there + back, ticket))
    arrivals.sort()
    assert max(bisect_left(arrivals, begin + 60) - i for i, begin in enumerate(arrivals)) <= most

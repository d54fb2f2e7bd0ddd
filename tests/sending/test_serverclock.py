"""The server's clock, learned from its answers: never thought later than it is."""

from __future__ import annotations

import email.utils
import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.sending.serverclock import ServerClock, http_date

# 1 Nov 2023 10:00:00 GMT
EPOCH = 1_698_832_800


def date_of(moment: float) -> str:
    """What a server whose clock says `moment` writes into `Date`."""
    return email.utils.formatdate(math.floor(moment), usegmt=True)


@given(
    offset=st.floats(-86_400, 86_400),
    answers=st.lists(
        st.tuples(st.floats(0, 100), st.floats(0, 60)),
        min_size=1,
        max_size=20,
    ),
)
def test_the_servers_clock_is_never_thought_later_than_it_is(offset: float, answers: list[tuple[float, float]]) -> None:
    """Whatever the distance and the delays: never too late, nor more than a second and a delay too early."""
    clock = ServerClock()
    now = 1_700_000_000.0
    for later, delay in answers:
        now += later
        clock.learn(date_of(now + offset), now + delay)
    assert clock.theirs(now) <= now + offset + 1e-5
    assert clock.theirs(now) > now + offset - 1 - max(delay for _, delay in answers) - 1e-5


def test_without_a_date_nothing_is_known() -> None:
    """Whoever has to know asks; until then every moment is long ago, so that a user of ours is never another's."""
    clock = ServerClock()
    for text in ("", "yesterday", "2023-11-01T10:00:00Z"):
        clock.learn(text, float(EPOCH))
    assert (clock.offset, clock.theirs(5.0)) == (None, 0.0)
    assert clock.now() is None


def test_ticks_that_jump_are_noticed() -> None:
    """Ours go on by 10 s in mid-run; users of ours must not look 10 s too old."""
    clock = ServerClock()
    for second in range(60):
        clock.learn(date_of(EPOCH + second), EPOCH + second - 10.0)
    for second in range(60, 660):
        clock.learn(date_of(EPOCH + second), float(EPOCH + second))
    assert clock.theirs(EPOCH + 660.0) <= EPOCH + 660.0


def test_this_machines_clock_of_the_wall_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server's time is told by ticks, however the machine's clock is put right meanwhile."""
    ticks = iter([100.0, 160.0])
    clock = ServerClock(lambda: next(ticks))
    clock.learn(date_of(EPOCH), clock.ticks())
    monkeypatch.setattr(time, "time", lambda: 5.0)
    assert clock.now() == EPOCH + 60


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Wed, 01 Nov 2023 10:00:00 GMT", float(EPOCH)),
        ("Wednesday, 01-Nov-23 10:00:00 GMT", float(EPOCH)),
        ("", None),
        ("7", None),
        ("never", None),
        ("Wed, 99 Nov 2023 10:00:00 GMT", None),
    ],
)
def test_what_is_a_date(text: str, seconds: float | None) -> None:
    """The forms of RFC 9110 that name their zone; anything else is none."""
    assert http_date(text) == seconds


def test_a_date_without_a_zone_is_greenwichs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest form of an HTTP date, read on a machine in New York."""
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        assert http_date("Wed Nov  1 10:00:00 2023") == EPOCH
    finally:
        monkeypatch.undo()
        time.tzset()

"""The server's clock, learned from its answers: never thought later than it is."""

from __future__ import annotations

import email.utils
import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from provisioner.sending.serverclock import ServerClock, http_date, retry_after

# 1 Nov 2023 10:00:00 GMT
EPOCH = 1_698_832_800
EPOCH_DATE = "Wed, 01 Nov 2023 10:00:00 GMT"


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
    assert clock.server_time(now) <= now + offset + 1e-5
    assert clock.server_time(now) > now + offset - 1 - max(delay for _, delay in answers) - 1e-5


def test_without_a_date_nothing_is_known() -> None:
    """Whoever has to know asks; until then every moment is long ago, so that a user of ours is never another's."""
    clock = ServerClock()
    for text in ("", "yesterday", "2023-11-01T10:00:00Z"):
        clock.learn(text, float(EPOCH))
    assert (clock.offset, clock.server_time(5.0)) == (None, 0.0)
    assert clock.now() is None


def test_ticks_that_jump_are_noticed() -> None:
    """Ours go on by 10 s in mid-run; users of ours must not look 10 s too old."""
    clock = ServerClock()
    for second in range(60):
        clock.learn(date_of(EPOCH + second), EPOCH + second - 10.0)
    for second in range(60, 660):
        clock.learn(date_of(EPOCH + second), float(EPOCH + second))
    assert clock.server_time(EPOCH + 660.0) <= EPOCH + 660.0


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


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "15"}, 15.0),
        ({"retry-after": "0"}, 0.0),
        ({"Retry-After": "0.5"}, 0.5),
        ({"Retry-After": "Wed, 01 Nov 2023 10:00:30 GMT", "Date": EPOCH_DATE}, 30.0),
        ({"Retry-After": "Wed, 01 Nov 2023 09:59:00 GMT", "Date": EPOCH_DATE}, 0.0),
        ({"Retry-After": "Wed, 01 Nov 2023 10:00:30 GMT"}, 20.0),
        ({"X-RateLimit-Reset": str(EPOCH + 46), "Date": EPOCH_DATE}, 46.0),
        ({"x-rate-limit-reset": str(EPOCH + 46), "date": EPOCH_DATE}, 46.0),
        ({"X-Rate-Limit-Reset": str(EPOCH - 46), "Date": EPOCH_DATE}, 0.0),
        ({"X-RateLimit-Reset": str(EPOCH + 46)}, 36.0),
        ({"X-RateLimit-Reset": "7", "Date": EPOCH_DATE}, 7.0),
        ({"X-Rate-Limit-Reset": "7"}, 7.0),
        ({"Retry-After": "3", "X-RateLimit-Reset": str(EPOCH + 46), "Date": EPOCH_DATE}, 3.0),
        ({"Retry-After": "soon", "X-RateLimit-Reset": "7"}, 7.0),
        ({"X-RateLimit-Reset": "soon", "X-Rate-Limit-Reset": "7"}, 7.0),
        ({"Retry-After": "-1"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "inf"}, None),
        ({"Retry-After": ""}, None),
        ({"Date": EPOCH_DATE}, None),
        ({}, None),
    ],
)
def test_how_long_the_server_asks_us_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    """Both spellings, seconds or a date, a reset by the server's own clock (ours is 10 s ahead of the date here)."""
    assert retry_after(CIMultiDict(headers), now=EPOCH + 10.0) == seconds


@given(
    headers=st.dictionaries(
        st.sampled_from(["Retry-After", "X-RateLimit-Reset", "X-Rate-Limit-Reset", "Date"]),
        st.text(max_size=30) | st.floats().map(str) | st.integers().map(str) | st.just(EPOCH_DATE),
    )
)
def test_a_wait_is_a_number_of_seconds_or_none(headers: dict[str, str]) -> None:
    """Whatever the headers hold: never negative, infinite or no number."""
    seconds = retry_after(CIMultiDict(headers), now=float(EPOCH))
    assert seconds is None or (seconds >= 0 and math.isfinite(seconds))

"""How long to wait, and why a run ends; nothing here sends or sleeps."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.errors import ExitCode
from provisioner.sending.calls import Failure, Reply
from provisioner.sending.retry import Waits, backoff, pause, stop
from provisioner.stop import Stop
from tests.rig.replies import REPLIES, refusal

WAITS = st.builds(
    Waits,
    backoff_base=st.floats(0.001, 10),
    backoff_max=st.floats(0.001, 1000),
    pause_max=st.floats(0.001, 10_000),
)
JITTER = st.floats(0, 1, exclude_max=True)


@given(tries=st.integers(0, 10**9), waits=WAITS, jitter=JITTER)
def test_a_back_off_is_between_nothing_and_the_longest(tries: int, waits: Waits, jitter: float) -> None:
    """Full jitter: anywhere from 0 to the cap, after however many tries."""
    assert 0 <= backoff(tries, waits, jitter) <= waits.backoff_max


@given(tries=st.integers(1, 100), waits=WAITS)
def test_back_offs_grow_and_then_stay(tries: int, waits: Waits) -> None:
    """The cap never falls from one try to the next, and never more than doubles."""
    now, then = backoff(tries, waits, 1.0), backoff(tries + 1, waits, 1.0)
    assert now <= then <= 2 * now


def test_back_offs_double_up_to_the_longest() -> None:
    """With the default waits: a second after the first try, 30 s from the sixth on."""
    assert [backoff(tries, Waits(), 1.0) for tries in range(1, 9)] == [1, 2, 4, 8, 16, 30, 30, 30]
    assert [backoff(tries, Waits(), 0.5) for tries in range(1, 4)] == [0.5, 1, 2]


@given(
    retry_after=st.none() | st.floats(allow_nan=False),
    strikes=st.integers(0, 10**9),
    waits=WAITS,
    jitter=JITTER,
)
def test_a_pause_is_never_longer_than_allowed(
    retry_after: float | None, strikes: int, waits: Waits, jitter: float
) -> None:
    """Whatever the server asks for, infinity included."""
    assert 0 <= pause(Reply(status=429, retry_after=retry_after), strikes, waits, jitter) <= waits.pause_max


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [(3.0, 3.0), (0.25, 0.25), (120.0, 120.0), (121.0, 120.0), (1e300, 120.0), (float("inf"), 120.0)],
)
def test_the_server_says_how_long_to_pause_within_reason(retry_after: float, seconds: float) -> None:
    """No jitter on top, and an absurd value is cut to the longest pause."""
    assert pause(Reply(status=429, retry_after=retry_after), 1, Waits(), 0.9) == seconds


@pytest.mark.parametrize("retry_after", [0.0, -5.0])
def test_a_pause_of_nothing_is_still_a_pause(retry_after: float) -> None:
    """A 429 that says "now" (a reset in the past, clocks apart) still slows us down when it comes again and again."""
    assert pause(Reply(status=429, retry_after=retry_after), 5, Waits(), 0.5) > 0


@given(strikes=st.integers(1, 40), waits=WAITS, jitter=JITTER)
def test_pauses_without_a_word_from_the_server_grow(strikes: int, waits: Waits, jitter: float) -> None:
    """At least half of the cap each time, and the cap doubles up to the longest pause."""
    reply = Reply(status=429)
    now, then = pause(reply, strikes, waits, jitter), pause(reply, strikes + 1, waits, jitter)
    assert min(waits.pause_max, 2.0 ** min(strikes, 16)) / 2 <= now <= then


STOPS = [
    (401, "AUTH_ERR_APIKEY_NOT_FOUND", "key"),
    (401, None, "key"),
    (401, "AUTH_ERR_EMPTY_APIKEY", "key"),
    (401, "AUTH_ERR_EMPTY_APPID", "app"),
    (401, "AUTH_ERR_INVALID_APPID", "app"),
    (400, "AUTH_ERR_INVALID_APPID", "app"),
    (402, None, "plan"),
    (402, "ERR_PLAN_QUOTA_RESTRICTION", "plan"),
    (403, "ERR_PLAN_QUOTA_RESTRICTION", "plan"),
    (402, "ERR_PLAN_RESTRICTION", "plan"),
    (402, "ERR_SUBSCRIPTION_EXPIRED", "plan"),
    (403, "AUTH_ERR_NO_ACCESS", "scope"),
    (403, None, "scope"),
    (404, "ERR_API_NOT_FOUND", "endpoint"),
    (404, None, "endpoint"),
    (405, None, "endpoint"),
    (400, "ERR_INVALID_API_VERSION", "endpoint"),
    (302, None, "endpoint"),
    (308, None, "endpoint"),
]

# Codes whose status is not documented or was seen to differ: the code is what counts, as it does in `judge`.
STOPS_UNDER_ANOTHER_STATUS = [
    (404, "AUTH_ERR_APIKEY_NOT_FOUND", "key"),
    (403, "AUTH_ERR_APIKEY_NOT_FOUND", "key"),
    (400, "AUTH_ERR_EMPTY_APIKEY", "key"),
    (401, "AUTH_ERR_NO_ACCESS", "scope"),
    (403, "ERR_PLAN_RESTRICTION", "plan"),
    (400, "ERR_API_NOT_FOUND", "endpoint"),
]


@pytest.mark.parametrize(("status", "code", "reason"), STOPS)
def test_a_stop_has_its_word(status: int, code: str | None, reason: str) -> None:
    """One stable word for the summary, and exit code 4."""
    ended = stop(refusal(status, code))
    assert (ended.reason, ended.exit_code) == (reason, 4)


@pytest.mark.parametrize(("status", "code", "reason"), STOPS_UNDER_ANOTHER_STATUS)
def test_a_stop_goes_by_the_code_whatever_the_status(status: int, code: str, reason: str) -> None:
    """A wrong key is called a wrong key, also by a server that answers 404 to it."""
    assert stop(refusal(status, code)).reason == reason


def test_a_stop_says_what_happened_what_to_do_and_what_the_api_said() -> None:
    """One sentence a person can act on."""
    reply = Reply(status=403, code="AUTH_ERR_NO_ACCESS", message="The key *** cannot be used.")
    assert stop(reply) == Stop(
        "scope",
        "the API key may not create users; use a key with the scope fullAccess (a REST API Key) "
        "(the API answered 403 AUTH_ERR_NO_ACCESS: The key *** cannot be used.)",
        ExitCode.API,
    )


@pytest.mark.parametrize(("origin", "said"), [("keys/acme", " in keys/acme"), ("{}", " in {}"), ("", "")])
def test_a_wrong_key_is_told_with_where_it_came_from(origin: str, said: str) -> None:
    """And with no place that is not in use, when nobody knows."""
    ended = stop(Reply(status=401, message="No."), origin)
    todo = f"check the API key{said} and that it belongs to this app"
    assert ended == Stop("key", f"the API key is not accepted; {todo} (the API answered 401: No.)", ExitCode.API)


def test_a_certificate_nobody_vouches_for_is_told_as_such() -> None:
    """Not as a network that is down."""
    ended = stop(Reply(failure=Failure.UNTRUSTED, message="self-signed certificate"))
    said = "the server's TLS certificate is not accepted; check the base URL and this machine's CA certificates"
    assert ended == Stop("tls", f"{said} (self-signed certificate)", ExitCode.API)


@given(reply=REPLIES)
def test_every_stop_can_be_told(reply: Reply) -> None:
    """Whatever ends a run, there is a reason of one word and a sentence with something to do in it."""
    ended = stop(reply)
    assert ended.exit_code == 4
    assert ended.reason.isidentifier()
    assert "; " in ended.message

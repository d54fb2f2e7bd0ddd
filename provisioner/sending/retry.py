"""How long to wait before the next attempt, or why the run stops: pure functions that neither sleep nor send."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from provisioner.errors import ExitCode
from provisioner.sending.calls import ANSWERED, Failure, Reply
from provisioner.stop import Stop


@dataclass(frozen=True, slots=True)
class Waits:
    """Seconds: the first back-off, the longest back-off, and the longest pause that a server can impose."""

    backoff_base: float = 0.5
    backoff_max: float = 30.0
    pause_max: float = 120.0


def backoff(tries: int, waits: Waits, jitter: float) -> float:
    """Return the seconds before attempt `tries + 1`: exponential with full jitter, `jitter` in [0, 1)."""
    return jitter * min(waits.backoff_max, waits.backoff_base * 2.0 ** min(max(tries, 1), 32))


def pause(reply: Reply, strikes: int, waits: Waits, jitter: float) -> float:
    """Return the seconds for which all requests pause after a 429: what the server says, else a back-off.

    strikes  consecutive pauses, including this one, with no request accepted in between
    """
    if reply.retry_after is not None:
        # A repeated "retry now" still means a pause, and a longer one each time.
        least = min(1.0, 0.05 * 2.0 ** min(strikes, 16))
        return min(max(reply.retry_after, least), waits.pause_max)
    longest = min(waits.pause_max, 2.0 ** min(strikes, 16))
    # At least half: unlike the back-off of a single row, a pause must not be almost zero.
    return longest * (0.5 + jitter / 2)


# (the summary's word for what stopped the run, what it means, what to do)
_KEY = ("key", "the API key is not accepted", "check the API key{} and that it belongs to this app")
_SCOPE = ("scope", "the API key may not create users", "use a key with the scope fullAccess (a REST API Key)")
_PLAN = ("plan", "the plan does not allow this", "check the app's plan, then resume")
_APP = ("app", "the API does not know this app", "check the app id and the region")
_ENDPOINT = ("endpoint", "there is no such endpoint", "check the base URL: it ends before /users")
STOPS_BY_CODE: Final[Mapping[str, tuple[str, str, str]]] = MappingProxyType(
    {
        "AUTH_ERR_APIKEY_NOT_FOUND": _KEY,
        "AUTH_ERR_EMPTY_APIKEY": _KEY,
        "AUTH_ERR_NO_ACCESS": _SCOPE,
        "ERR_PLAN_RESTRICTION": _PLAN,
        "ERR_API_NOT_FOUND": _ENDPOINT,
        "AUTH_ERR_EMPTY_APPID": _APP,
        "AUTH_ERR_INVALID_APPID": _APP,
        "ERR_PLAN_QUOTA_RESTRICTION": (
            "plan",
            "the plan's user quota is reached",
            "raise the plan or delete users, then resume",
        ),
        "ERR_SUBSCRIPTION_EXPIRED": ("plan", "the subscription has expired", "renew it, then resume"),
        "ERR_INVALID_API_VERSION": (
            "endpoint",
            "the API version in the base URL is wrong",
            "check the base URL",
        ),
    }
)
"""Codes of a 4xx that stop the run."""
_STOPS_BY_STATUS: Final[Mapping[int, tuple[str, str, str]]] = MappingProxyType(
    {
        401: _KEY,
        402: _PLAN,
        403: _SCOPE,
        404: _ENDPOINT,
        405: _ENDPOINT,
        407: ("proxy", "the proxy wants a log-in", "check the proxy settings in the environment"),
    }
)


def stop(reply: Reply, key_origin: str = "") -> Stop:
    """Return the stop of the whole run (exit 4) that an answer of the API calls for.

    key_origin  the variable or file that the API key came from; empty if unknown
    """
    if reply.failure is Failure.UNTRUSTED:
        message = "the server's TLS certificate is not accepted; check the base URL and this machine's CA certificates"
        return Stop("tls", f"{message} ({reply.message})", ExitCode.API)
    if reply.failure is Failure.BARRED:
        return Stop("proxy", f"{reply.message or 'the proxy refuses'}; then resume", ExitCode.API)
    status = reply.status or 0
    moved = ("endpoint", "the address answers with a redirect", "give the base URL it leads to")
    known = (
        STOPS_BY_CODE.get(reply.code or "") or _STOPS_BY_STATUS.get(status) or (moved if status // 100 == 3 else None)
    )
    reason, what, todo = known or ("refused", "the API refuses", "see the answer")
    todo = todo.format(f" in {key_origin}" if key_origin else "")
    words = f": {reply.message}" if reply.message else ""
    return Stop(reason, f"{what}; {todo}{ANSWERED}{reply.answer}{words})", ExitCode.API)

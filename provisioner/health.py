"""What `doctor` concludes from what it saw: pure functions, each giving one check with what to do about it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from provisioner.sending.calls import Failure, Reply
from provisioner.sending.retry import stop

# Seconds between two clocks that are nothing to speak of.
CLOCK_TOLERANCE: Final = 2.0
# Bytes: less free space than this is soon used up by a journal and its results.
LITTLE_SPACE: Final = 100 * 1024 * 1024
PYTHON_NEEDED: Final = (3, 11)

# Without TLS, and not to this machine itself.
_IN_THE_CLEAR: Final = re.compile(r"http://(?!(localhost|127(\.\d+){3}|\[::1\])(:\d+)?(/|$))", re.IGNORECASE)
_REQUIREMENT: Final = re.compile(r"([A-Za-z0-9_.-]+)>=([\d.]+)$")


class Status(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the doctor's: what was looked at, what was seen, and what to do ("" when there is nothing)."""

    name: str
    status: Status
    seen: str
    do: str = ""


def exit_code(checks: Iterable[Check]) -> int:
    """0 when no check is an error, else 4."""
    return 4 if any(each.status is Status.ERROR for each in checks) else 0


def refused(name: str, message: str) -> Check:
    """Make an error of a message of ours, cut into what is wrong and what to do."""
    match = re.fullmatch(r"(no [^:]+): (.+)|(.+?); (.+)", message, re.DOTALL)
    if match is None:
        return Check(name, Status.ERROR, message)
    return Check(name, Status.ERROR, match[1] or match[3], match[2] or match[4])


# --- this machine ---


def software(python: tuple[int, int, int], installed: Mapping[str, str | None], needed: Sequence[str]) -> Check:
    """Judge the versions of Python and of the libraries.

    installed  library → its version; None when it is not there
    needed     requirements as the package states them: `polars>=2.0`
    """
    said = ".".join(map(str, python))
    listed = ", ".join(f"{name} {version}" for name, version in installed.items() if version)
    least = {match[1]: match[2] for each in needed if (match := _REQUIREMENT.fullmatch(each))}
    wrong = [name for name, version in least.items() if _release(installed.get(name) or "") < _release(version)]
    seen = f"Python {said}; {listed}"
    if python[:2] < PYTHON_NEEDED:
        wanted = ".".join(map(str, PYTHON_NEEDED))
        return Check("software", Status.ERROR, seen, f"use Python {wanted} or newer")
    if wrong:
        wanted = ", ".join(f"{name} {least[name]} or newer" for name in wrong)
        return Check("software", Status.ERROR, seen, f"install {wanted}")
    return Check("software", Status.OK, seen)


def _release(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)[:3]))


def configuration(file: str | None, overridden: Mapping[str, object]) -> Check:
    """Name the config file, and the limits it sets itself."""
    seen = file or "no config file; flags, environment and defaults only"
    if overridden:
        seen += "; own limits: " + ", ".join(f"{key} = {_toml(value)}" for key, value in overridden.items())
    return Check("configuration", Status.OK, seen)


def _toml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def api_key(origin: str, mode: int | None) -> Check:
    """Judge where the key comes from; `mode` is that of the file that holds it, None when it is in no file."""
    if mode is not None and mode & 0o077:
        seen = f"in {origin}, which others on this machine can get at (mode {mode & 0o777:04o})"
        return Check("api_key", Status.WARNING, seen, f"chmod 600 {origin}")
    return Check("api_key", Status.OK, f"in {origin}")


def base_url(url: str, origin: str) -> Check:
    """Judge the API's address by its looks."""
    seen = f"{url}, from {origin}"
    if _IN_THE_CLEAR.match(url):
        return Check("base_url", Status.WARNING, f"{seen}: the key travels in the clear", "use https")
    return Check("base_url", Status.OK, seen)


def output(folder: str, *, writable: bool, free: int | None) -> Check:
    """Judge the folder that results go to; `free` is in bytes, None when it is not known."""
    if not writable:
        return Check("output", Status.ERROR, f"{folder}: cannot be written to", "choose another --output, or chmod it")
    if free is None:
        return Check("output", Status.OK, f"{folder}: can be written to")
    seen = f"{folder}: can be written to, {free / 1e9:.1f} GB free"
    if free < LITTLE_SPACE:
        return Check("output", Status.WARNING, seen, "make room: a run writes a journal and the results")
    return Check("output", Status.OK, seen)


# --- the way to the API ---


def reached(reply: Reply) -> bool:
    """Whether there was an HTTP server at the other end."""
    return reply.status is not None or reply.failure is Failure.UNREADABLE


def dns(host: str, addresses: Sequence[str], why: str, reply: Reply) -> Check:
    """Judge what the name resolved to; `why` is what went wrong when there is nothing."""
    if host in addresses:
        return Check("dns", Status.OK, f"{host} is an address already")
    if addresses:
        return Check("dns", Status.OK, f"{host} is {', '.join(addresses)}")
    seen = f"{host} cannot be looked up ({why})"
    if reached(reply):
        return Check("dns", Status.OK, f"{seen}; the proxy does that")
    return Check("dns", Status.ERROR, seen, "check the app id and region, or the base URL, and this machine's DNS")


_UNREACHED: Final[Mapping[Failure, str]] = MappingProxyType(
    {
        Failure.UNREACHED: "check the base URL, the network, and the proxy variables in the environment",
        Failure.UNTRUSTED: "check the base URL and this machine's CA certificates",
        Failure.TIMEOUT: "try again; a firewall may swallow the packets, or a proxy is needed",
        Failure.LOST: "try again; a proxy or a firewall may cut connections",
    }
)


def network(reply: Reply, *, tls: bool, seconds: float) -> Check:
    """Judge whether something answered; `seconds` is how long it took."""
    if reply.failure is not None and not reached(reply):
        seen = f"{reply.failure} ({reply.message})"
        return Check("network", Status.ERROR, seen, _UNREACHED[reply.failure])
    how = "TLS, certificate accepted" if tls else "without TLS"
    return Check("network", Status.OK, f"answered in {seconds * 1000:.0f} ms; {how}")


# --- what the API says ---

_TODO: Final[Mapping[str, str]] = MappingProxyType(
    {
        "key": "copy the REST API Key of this app again; check that app id, region and key belong together",
        "scope": "use a key with the scope fullAccess (a REST API Key, not an Auth Key)",
        "plan": "check the app's plan in the CometChat dashboard",
        "endpoint": "check the base URL: it ends before /users, such as https://<app id>.api-<region>.cometchat.io/v3",
        "app": "check the app id and the region",
        "proxy": "check the proxy variables in the environment",
        "refused": "check the base URL, then what the answer says",
    }
)
_NOT_THE_API: Final = "check the base URL, and whether a proxy or a log-in page stands between"


def access(reply: Reply) -> Check:
    """Judge by the answer to a read whether the key is accepted.

    The server's words are left out where they may quote the key.
    """
    status = reply.status or 0
    answer = " ".join(str(part) for part in (status, reply.code) if part)
    if reply.failure is Failure.UNREADABLE or (reply.data is not None and "items" not in reply.data):
        return Check("access", Status.ERROR, f"answered {status}, but not as the API does", _NOT_THE_API)
    if status // 100 == 2:
        seen = "the key is accepted for reading; whether it may create users shows with the first create only"
        return Check("access", Status.OK, seen)
    if status == 429:
        wait = "" if reply.retry_after is None else f" for {reply.retry_after:.0f} s"
        return Check("access", Status.WARNING, f"rate-limited{wait} ({answer}): not known", "wait, then try again")
    if status >= 500:
        seen = f"the server failed ({answer}: {reply.message})"
        return Check("access", Status.ERROR, seen, "try again later; a proxy between may also answer so")
    if reply.code is None and status in {401, 403}:
        return Check("access", Status.ERROR, f"refused ({answer}), but not in the API's words", _NOT_THE_API)
    reason = stop(reply).reason
    seen = f"{_REFUSED[reason]} ({answer})" if reason in _REFUSED else f"refused ({answer}: {reply.message})"
    return Check("access", Status.ERROR, seen, _TODO.get(reason, _TODO["refused"]))


_REFUSED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "key": "the key is not accepted",
        "scope": "the key may not read users, so it is no key that may create them",
        "plan": "the plan does not allow it",
        "endpoint": "there is no such endpoint",
        "app": "the API does not know this app",
        "proxy": "the proxy wants a log-in",
    }
)


def clock(offset: float | None, seconds: float) -> Check:
    """Judge the difference of the clocks.

    offset   seconds that the server is ahead by at least (`Date` is cut to whole seconds); None when it told no time
    seconds  how long the exchange took, which is how much the bound may be off besides that
    """
    if offset is None:
        seen = "the server tells no time"
        return Check("clock", Status.WARNING, seen, "check the base URL: the API sends a Date header")
    most = offset + 1 + seconds
    if offset <= CLOCK_TOLERANCE and most >= -CLOCK_TOLERANCE:
        return Check("clock", Status.OK, f"within {CLOCK_TOLERANCE:.0f} s of the server's")
    behind = offset > 0
    seen = f"{abs(offset if behind else most):.0f} s {'behind' if behind else 'ahead of'} the server's"
    todo = (
        "set this machine's clock (NTP): after a lost reply a user is known as ours by the time of its creation. A run "
        "allows for a steady difference, but not for a clock that is put right while it runs"
    )
    return Check("clock", Status.WARNING, seen, todo)


def rate_limit(told: int | None, core: int, standard: int) -> Check:
    """Hold the limit told with a read (requests a minute) against the configured ones."""
    if told is None:
        return Check("rate_limit", Status.OK, f"the server tells none; configured: {core:,} and {standard:,} a minute")
    seen = f"the server allows {told:,} reads and updates a minute, configured are {standard:,}"
    wrong = [
        f"{key} = {told}"
        for key, configured in (("requests_per_minute", core), ("standard_requests_per_minute", standard))
        if configured > told
    ]
    if not wrong:
        return Check("rate_limit", Status.OK, f"{seen}; that for creates is told with creates only")
    if core > told:
        seen += f", and {core:,} creates, for which it should be no more"
    return Check("rate_limit", Status.WARNING, seen, f"set under [rate]: {' and '.join(wrong)}, at most")


def constant_roles(columns: Mapping[str, Any]) -> list[str]:
    """List the roles that the `[columns]` table names itself: constants, defaults, the values of a map."""
    found = [each for key, source in columns.items() if key.strip().lower() == "role" for each in _named(source)]
    return sorted({str(each).strip().lower() for each in found if isinstance(each, str | int)} - {""})


def _named(source: object) -> Iterator[object]:
    match source:
        case list():
            for each in source:
                yield from _named(each)
        case {"column": inner, **rest}:
            yield from _named(inner)
            yield from _named(rest)
        case Mapping():
            yield from (source.get("value"), source.get("default"))
            entries = source.get("map")
            yield from entries.values() if isinstance(entries, Mapping) else ()


def roles(reply: Reply, wanted: Sequence[str]) -> Check:
    """Hold the app's roles against those that the configuration names."""
    items = (reply.data or {}).get("items")
    if not isinstance(items, list):
        why = str(reply.failure or f"answered {' '.join(str(each) for each in (reply.status, reply.code) if each)}")
        todo = "nothing, if the roster's roles exist: a run lets the API judge them then"
        return Check("roles", Status.WARNING, f"the app's roles cannot be read ({why})", todo)
    named = [each.get("role") for each in items if isinstance(each, Mapping)]
    known = sorted({"default", *(each.lower() for each in named if isinstance(each, str))})
    if missing := [role for role in wanted if role not in known]:
        seen = f"[columns] names {', '.join(missing)}, but the app has {', '.join(known)} only"
        return Check("roles", Status.ERROR, seen, "make the role in the CometChat dashboard, or name another")
    return Check("roles", Status.OK, f"the app has {', '.join(known)}")

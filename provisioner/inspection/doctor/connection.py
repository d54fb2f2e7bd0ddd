"""What `doctor` concludes from what it saw: pure functions, each giving one check with what to do about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from provisioner.inspection.doctor.diagnosis import Check, Status
from provisioner.sending.calls import Failure, Reply
from provisioner.sending.retry import stop
from provisioner.sending.users.needs import PER_PAGE, Room, count_of, roles_in
from provisioner.sending.users.profile import DEFAULT_ROLE
from provisioner.validation.fields.mapping import ColumnMapping
from provisioner.wording import counted

# Seconds between two clocks that are nothing to speak of.
CLOCK_TOLERANCE: Final = 2.0


# --- the way to the API ---


def reached(reply: Reply) -> bool:
    """Whether there was an HTTP server at the other end."""
    return reply.status is not None or reply.failure is Failure.UNREADABLE


def proxy(shown: str, variable: str) -> Check:
    """Say what requests go through; whether it lets them through is seen with the network."""
    return Check("proxy", Status.OK, f"{shown}, from {variable}")


def dns(host: str, addresses: Sequence[str], why: str, reply: Reply, *, proxied: bool = False) -> Check:
    """Judge what the name resolved to; `why` is what went wrong when there is nothing.

    proxied  requests go through a proxy, which looks the name up itself
    """
    if host in addresses:
        return Check("dns", Status.OK, f"{host} is an address already")
    if addresses:
        return Check("dns", Status.OK, f"{host} is {', '.join(addresses)}")
    seen = f"{host} cannot be looked up ({why})"
    if proxied or reached(reply):
        return Check("dns", Status.OK, f"{seen}; the proxy does that")
    return Check("dns", Status.ERROR, seen, "check the app id and region, or the base URL, and this machine's DNS")


_UNREACHED: Final[Mapping[Failure, str]] = MappingProxyType(
    {
        Failure.UNREACHED: "check the base URL, the network, and the proxy variables in the environment",
        Failure.PROXY: "check the proxy variables in the environment, and that the proxy is up and lets you through",
        Failure.BARRED: "give the log-in in the proxy's address, or have the proxy let you through to the API",
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

# Why a run would be stopped → what that means for a read, and what to do.
_REFUSED: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "key": (
            "the key is not accepted",
            "copy the REST API Key of this app again; check that app id, region and key belong together",
        ),
        "scope": (
            "the key may not read users, so it is no key that may create them",
            "use a key with the scope fullAccess (a REST API Key, not an Auth Key)",
        ),
        "plan": ("the plan does not allow it", "check the app's plan in the CometChat dashboard"),
        "endpoint": (
            "there is no such endpoint",
            "check the base URL: it ends before /users, such as https://<app id>.api-<region>.cometchat.io/v3",
        ),
        "app": ("the API does not know this app", "check the app id and the region"),
        "proxy": ("the proxy wants a log-in", "check the proxy variables in the environment"),
    }
)
_NOT_THE_API: Final = "check the base URL, and whether a proxy or a log-in page stands between"


def access(reply: Reply) -> Check:
    """Judge by the answer to a read whether the key is accepted.

    The server's words are left out where they may quote the key.
    """
    status = reply.status or 0
    if reply.failure is Failure.UNREADABLE or (reply.data is not None and "items" not in reply.data):
        return Check("access", Status.ERROR, f"answered {status}, but not as the API does", _NOT_THE_API)
    if status // 100 == 2:
        seen = "the key is accepted for reading; whether it may create users shows with the first create only"
        return Check("access", Status.OK, seen)
    if status == 429:
        wait = "" if reply.retry_after is None else f" for {reply.retry_after:.0f} s"
        return Check(
            "access", Status.WARNING, f"rate-limited{wait} ({reply.answer}): not known", "wait, then try again"
        )
    if status >= 500:
        seen = f"the server failed ({reply.answer}: {reply.message})"
        return Check("access", Status.ERROR, seen, "try again later; a proxy between may also answer so")
    if reply.code is None and status in {401, 403}:
        return Check("access", Status.ERROR, f"refused ({reply.answer}), but not in the API's words", _NOT_THE_API)
    if (refused := _REFUSED.get(stop(reply).reason)) is None:
        seen = f"refused ({reply.answer}: {reply.message})"
        return Check("access", Status.ERROR, seen, "check the base URL, then what the answer says")
    seen, cure = refused
    return Check("access", Status.ERROR, f"{seen} ({reply.answer})", cure)


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
    todo = "set this machine's clock (NTP): it dates what the results and the log say; a run works with any"
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


def users(reply: Reply, *, underscore: bool, most: int | None = None) -> Check:
    """Say how many of the app's first users have a uid with `_` in it, and whether there is room for more.

    underscore  whether the uids of a roster may have one
    most        users that the app's plan allows, if that is configured
    """
    items = (reply.data or {}).get("items")
    if not isinstance(items, list):
        return Check("users", Status.WARNING, f"the app's users cannot be read ({_why(reply)})", "try again")
    uids = [str(each.get("uid", "")) for each in items if isinstance(each, Mapping)]
    holding = sum("_" in uid for uid in uids)
    count = counted(len(uids), "user")
    looked_at = f"the first {count}" if len(uids) >= PER_PAGE else f"the app's {count}" if uids else "there are none"
    if not holding:
        seen = f"{looked_at}, no uid with _" if uids else looked_at
    else:
        cure = "uid_allow_underscore = true under [constraints] lets a roster have such uids too"
        seen = f"{looked_at}, {holding:,} with _ in the uid{'' if underscore else f'; {cure}'}"
    return Check("users", Status.OK, seen) if most is None else _room(Room(most, count_of(reply), 0), seen)


def _room(room: Room, seen: str) -> Check:
    """Say how many more users the plan allows, by `max_users`."""
    if room.there is None:
        todo = "look into the CometChat dashboard how many users the app has"
        return Check("users", Status.WARNING, f"{seen}; how many there are in all, it does not tell", todo)
    seen = f"{seen}; {room.there:,} of max_users = {room.most:,}"
    if room.there < room.most:
        return Check("users", Status.OK, f"{seen}, room for {room.most - room.there:,}")
    return Check("users", Status.WARNING, f"{seen}, no room for more", "delete users for good, or take a larger plan")


def _why(reply: Reply) -> str:
    return str(reply.failure or f"answered {reply.answer}")


def constant_roles(mapping: ColumnMapping) -> list[str]:
    """List the roles that the `[columns]` table names itself: constants, defaults, the values of a map."""
    return sorted({str(each).strip().lower() for each in mapping.roles} - {""})


def roles(reply: Reply, wanted: Sequence[str]) -> Check:
    """Hold the app's roles against those that the configuration names."""
    if not isinstance((reply.data or {}).get("items"), list):
        todo = "nothing, if the roster's roles exist: a run lets the API judge them then"
        return Check("roles", Status.WARNING, f"the app's roles cannot be read ({_why(reply)})", todo)
    known = sorted({DEFAULT_ROLE, *roles_in(reply)})
    if missing := [role for role in wanted if role not in known]:
        seen = f"[columns] names {', '.join(missing)}, but the app has {', '.join(known)} only"
        return Check("roles", Status.ERROR, seen, "make the role in the CometChat dashboard, or name another")
    return Check("roles", Status.OK, f"the app has {', '.join(known)}")

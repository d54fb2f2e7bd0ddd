"""When something goes wrong: by chance, or by a script. What then happens is in `effects`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from enum import StrEnum
from hashlib import blake2b
from typing import Any, Self


class Fault(StrEnum):
    """Everything that can be made to go wrong; "commit" is when the request takes effect in the store."""

    LOST_REPLY = "lost-reply"  # done, then the connection is closed without an answer
    RESET_BEFORE_COMMIT = "reset-before-commit"
    RESET_AFTER_COMMIT = "reset-after-commit"
    HANG_BEFORE_COMMIT = "hang-before-commit"  # nothing is done and nothing said until the client gives up
    HANG_AFTER_COMMIT = "hang-after-commit"
    ERROR_BEFORE_COMMIT = "error-before-commit"  # 5xx with the API's error envelope
    ERROR_AFTER_COMMIT = "error-after-commit"
    HTML_502_BEFORE_COMMIT = "html-502-before-commit"  # a gateway's page
    HTML_503_BEFORE_COMMIT = "html-503-before-commit"
    HTML_504_BEFORE_COMMIT = "html-504-before-commit"
    HTML_502_AFTER_COMMIT = "html-502-after-commit"
    HTML_503_AFTER_COMMIT = "html-503-after-commit"
    HTML_504_AFTER_COMMIT = "html-504-after-commit"
    EMPTY_BODY = "empty-body"  # done, right status, no body
    TRUNCATED_JSON = "truncated-json"  # done, whole HTTP answer, half the JSON
    BROKEN_BODY = "broken-body"  # done, the connection breaks in the middle of the body
    WRONG_CONTENT_TYPE = "wrong-content-type"  # done, right body, said to be text/html
    EMPTY_REFUSAL = "empty-refusal"  # a 4xx with no body; whoever is not refused is left alone
    CUT_REFUSAL = "cut-refusal"  # a 4xx with half its envelope
    HTML_REFUSAL = "html-refusal"  # a 4xx with the page of a proxy instead of its envelope
    SLOW = "slow"  # done at once, answered late
    SLOW_BEFORE_COMMIT = "slow-before-commit"  # done late, even if the client has given up by then
    SLOW_BODY = "slow-body"  # half the body, a pause, the other half
    WRONG_UID = "wrong-uid"  # done, the answer speaks of another user
    NO_TOKEN = "no-token"  # noqa: S105 - no secret; done, but the token asked for is not in the answer
    STORM = "storm"  # from now on and for a while, 429 to everything
    SILENT_STORM = "silent-storm"  # the same, without saying how long
    REVOKE_KEY = "revoke-key"  # from now on the key is unknown
    QUOTA_REACHED = "quota-reached"  # from now on no user can be created


DEFAULT_SECONDS: Mapping[Fault, float] = {
    Fault.SLOW: 1.0,
    Fault.SLOW_BEFORE_COMMIT: 1.0,
    Fault.SLOW_BODY: 1.0,
    Fault.STORM: 2.0,
    Fault.SILENT_STORM: 2.0,
}
"""How long a fault lasts where its duration matters, in seconds."""


@dataclass(frozen=True, slots=True)
class ScriptedFault:
    """A fault that strikes the `nth` matching request and the `times - 1` after it.

    `route` ("POST /users") and `uid` (lower case) say what matches; without them every request under /v3
    does. Requests are counted from the moment the plan is put in force. `seconds` is the duration of a
    slow answer or a storm; without it `DEFAULT_SECONDS` holds. Raises ValueError for a count below 1.
    """

    fault: Fault
    nth: int = 1
    times: int = 1
    uid: str | None = None
    route: str | None = None
    seconds: float | None = None

    def __post_init__(self) -> None:
        if self.nth < 1 or self.times < 1:
            raise ValueError(f"{self.fault}: nth and times count from 1, not {self.nth} and {self.times}")
        if self.seconds is not None and self.seconds < 0:
            raise ValueError(f"{self.fault}: seconds must not be negative, and {self.seconds} is")


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """Which faults strike: `rates` are probabilities per request, `script` names requests and comes first.

    At most one fault strikes a request, so the rates together are at most 1. `error_status` is the HTTP
    status of the two error-... faults. Raises ValueError for a plan that cannot be.
    """

    rates: Mapping[Fault, float] = field(default_factory=dict)
    script: tuple[ScriptedFault, ...] = ()
    error_status: int = 500

    def __post_init__(self) -> None:
        for fault, rate in self.rates.items():
            if not 0 <= rate <= 1:
                raise ValueError(f"{fault}: a rate is from 0 to 1, not {rate}")
        if sum(self.rates.values()) > 1 + 1e-9:
            raise ValueError(f"the rates add up to {sum(self.rates.values()):g}, which is more than 1")
        if not 500 <= self.error_status <= 599:
            raise ValueError(f"error_status is from 500 to 599, not {self.error_status}")

    @classmethod
    def from_json(cls, plan: object) -> Self:
        """Read the JSON form: {"rates": {NAME: RATE}, "script": [{"fault": NAME, ...}], "error_status": 500}.

        Raises ValueError with what is wrong, in one sentence.
        """
        members = _members(plan, cls, "a fault plan")
        rates = members.get("rates", {})
        script = members.get("script", [])
        if not isinstance(rates, dict) or not isinstance(script, list):
            raise ValueError("in a fault plan, rates is an object and script a list")
        return cls(
            rates={named(name): _number(name, rate) for name, rate in rates.items()},
            script=tuple(_scripted(entry) for entry in script),
            error_status=_count("error_status", members.get("error_status", 500)),
        )


def named(name: object) -> Fault:
    """Give the fault of that name; raises ValueError that tells the nearest known one, or who names all."""
    try:
        return Fault(str(name))
    except ValueError:
        near = get_close_matches(str(name), list(Fault), n=1, cutoff=0.5)
        hint = f"did you mean {near[0]}?" if near else "`provisioner emulator --help` names all"
        raise ValueError(f"there is no fault named {name}; {hint}") from None


def _scripted(entry: object) -> ScriptedFault:
    members = _members(entry, ScriptedFault, "a scripted fault")
    if "fault" not in members:
        raise ValueError('a scripted fault needs a "fault"')
    uid, route, seconds = members.get("uid"), members.get("route"), members.get("seconds")
    return ScriptedFault(
        fault=named(members["fault"]),
        nth=_count("nth", members.get("nth", 1)),
        times=_count("times", members.get("times", 1)),
        uid=None if uid is None else str(uid).lower(),
        route=None if route is None else str(route),
        seconds=None if seconds is None else _number("seconds", seconds),
    )


def _members(value: object, kind: type[Any], what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{what} is a JSON object")
    known = [member.name for member in fields(kind)]
    for name in value:
        if name not in known:
            raise ValueError(f"{what} has no {name!r}, only {', '.join(known)}")
    return value


def _number(name: object, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{name}: {value!r} is not a number")
    return float(value)


def _count(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{name}: {value!r} is not a whole number")
    return value


@dataclass(frozen=True, slots=True)
class Strike:
    """A fault that hits the request at hand; `seconds` is its duration where it has one."""

    fault: Fault
    seconds: float


class FaultDesk:
    """One plan in force: says what strikes the next request.

    Chance is drawn from (seed, route, uid, how many such requests there were), not from one stream of random
    numbers: the same users meet the same faults in whatever order their requests arrive.
    """

    def __init__(self, plan: FaultPlan, seed: int = 0) -> None:
        self.plan = plan
        self._seed = seed
        self._scripted_seen = [0] * len(plan.script)
        self._seen: dict[tuple[str, str | None], int] = {}
        self._by_uid: dict[str | None, list[int]] = {}
        for index, entry in enumerate(plan.script):
            self._by_uid.setdefault(entry.uid, []).append(index)

    def strike(self, route: str, uid: str | None) -> Strike | None:
        """Tell what strikes this request, and count it; `route` is like "POST /users"."""
        return self._by_script(route, uid) or self._by_chance(route, uid)

    def _by_script(self, route: str, uid: str | None) -> Strike | None:
        found = None
        candidates = self._by_uid.get(None, [])
        if uid is not None:
            candidates = candidates + self._by_uid.get(uid, [])
        for index in candidates:
            entry = self.plan.script[index]
            if entry.route not in (None, route):
                continue
            self._scripted_seen[index] += 1
            if found is None and entry.nth <= self._scripted_seen[index] < entry.nth + entry.times:
                found = _strike(entry.fault, entry.seconds)
        return found

    def _by_chance(self, route: str, uid: str | None) -> Strike | None:
        if not self.plan.rates:
            return None
        count = self._seen[route, uid] = self._seen.get((route, uid), 0) + 1
        digest = blake2b(f"{self._seed}\0{route}\0{uid}\0{count}".encode(), digest_size=8).digest()
        chance = int.from_bytes(digest, "big") / 2**64
        for fault, rate in self.plan.rates.items():
            if chance < rate:
                return _strike(fault, None)
            chance -= rate
        return None


def _strike(fault: Fault, seconds: float | None) -> Strike:
    return Strike(fault, DEFAULT_SECONDS.get(fault, 0.0) if seconds is None else seconds)

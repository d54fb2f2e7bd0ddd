"""Every behaviour of the emulated server that can be chosen, with the default the documentation points to."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from provisioner.emulator.app.faults import FaultPlan

Scope: TypeAlias = Literal["fullAccess", "authOnly"]
Plan: TypeAlias = Literal["paid", "free"]
HeaderStyle: TypeAlias = Literal["both", "hyphenated", "laravel"]
DuplicateStyle: TypeAlias = Literal["current", "legacy", "409"]

FREE_PLAN_USERS = 100
"""Users the free plan was seen to stop at, with 402."""

FREE_PLAN_LIMIT = 500
"""Requests a minute of the free plan, core and standard together (docs: rest-api/rate-limits)."""


@dataclass(frozen=True, slots=True)
class Clock:
    """Where the emulator takes its time from, in seconds; tests put in their own."""

    wall: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic


@dataclass(frozen=True, slots=True)
class Constraints:
    """What a user may hold: characters are Unicode code points, bytes those of compact UTF-8 JSON.

    The numbers are those of rest-api/users/create and articles/properties-and-constraints; the two disagree
    about `_` in a uid. `check_roles` off lets a user have a role that does not exist.
    """

    uid_max_length: int = 100
    uid_allow_underscore: bool = True
    name_max_length: int = 100
    url_max_length: int = 3000
    tags_max: int = 25
    tag_max_length: int = 100
    metadata_max_bytes: int = 5120
    body_max_bytes: int = 10240
    check_roles: bool = True


@dataclass(frozen=True, slots=True)
class EmulatorSettings:
    """One emulated app. Times are in seconds, limits in requests per window. Raises ValueError.

    host, port           where to listen; port 0 is any free one
    api_key              the one key that is accepted; None makes a random one, told by `Emulator.api_key`
    scope                of that key; `auth_only_creates` lets an authOnly key create users and mint tokens
    latency(_jitter)     wait between doing and answering, plus up to the jitter at random
    plan                 free: one limit of 500 for both groups, and 100 users unless `quota` says otherwise
    window               length of a rate window, which the first request opens
    header_style         spelling of the rate headers; `limit_headers` off leaves them out of normal answers
    duplicate_style      400 ERR_UID_ALREADY_EXISTS, 400 with details.uid as in older versions, or 409
    quota                users the app can hold, deactivated ones included; None is no limit
    clock_skew           how far the server's clock is ahead of ours
    lowercase_uids       on create and in paths
    tokens_per_user      the oldest go when there are more
    reuse_tokens         a mint without `force: true` gives the newest token instead of another one
    empty_lists          bulk answers hold empty lists instead of leaving them out
    merge_updates        an update merges metadata and tags instead of replacing them
    sample_users         begin with the five sample users of a new app
    audit_path           also append the audit to this file, one JSON object per line
    """

    host: str = "127.0.0.1"
    port: int = 0
    api_key: str | None = field(default=None, repr=False)
    scope: Scope = "fullAccess"
    auth_only_creates: bool = False
    latency: float = 0.0
    latency_jitter: float = 0.0
    plan: Plan = "paid"
    core_limit: int = 10_000
    standard_limit: int = 20_000
    window: float = 60.0
    header_style: HeaderStyle = "both"
    limit_headers: bool = True
    duplicate_style: DuplicateStyle = "current"
    quota: int | None = None
    clock_skew: float = 0.0
    lowercase_uids: bool = True
    tokens_per_user: int = 100
    reuse_tokens: bool = False
    empty_lists: bool = False
    merge_updates: bool = False
    sample_users: bool = False
    roles: tuple[str, ...] = ("default",)
    constraints: Constraints = field(default_factory=Constraints)
    seed: int = 0
    faults: FaultPlan = field(default_factory=FaultPlan)
    audit_path: Path | None = None

    def __post_init__(self) -> None:
        for name, choices in _CHOICES:
            if getattr(self, name) not in get_args(choices):
                raise ValueError(f"{name} is one of {', '.join(get_args(choices))}, not {getattr(self, name)!r}")
        for name, least in _LEAST:
            value = getattr(self, name)
            if value is not None and value < least:
                raise ValueError(f"{name} is at least {least}, not {value}")
        if self.port > 65535:
            raise ValueError(f"port is at most 65535, not {self.port}")
        if not self.host:
            raise ValueError("host is empty, which would be every network; 127.0.0.1 is this machine alone")
        if self.window <= 0:
            raise ValueError(f"window is more than 0 seconds, not {self.window}")
        if self.api_key is not None and not self.api_key.strip():
            raise ValueError("api_key must not be empty")

    @property
    def user_quota(self) -> int | None:
        """Users the app can hold, by its own setting or by its plan."""
        return FREE_PLAN_USERS if self.quota is None and self.plan == "free" else self.quota


_CHOICES = (
    ("scope", Scope),
    ("plan", Plan),
    ("header_style", HeaderStyle),
    ("duplicate_style", DuplicateStyle),
)

_LEAST = (
    ("port", 0),
    ("latency", 0),
    ("latency_jitter", 0),
    ("core_limit", 1),
    ("standard_limit", 1),
    ("quota", 0),
    ("tokens_per_user", 1),
)

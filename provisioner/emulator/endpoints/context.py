"""What a handler works with: the emulated app, and one call to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from provisioner.emulator.app.settings import Clock, EmulatorSettings
from provisioner.emulator.app.store import Role, Store, StoredUser
from provisioner.emulator.endpoints.errors import invalid, uid_not_found

SAMPLE_USERS = {
    f"cometchat-uid-{number}": name
    for number, name in enumerate(("Andrew Joseph", "George Alan", "Nancy Grace", "Susan Marie", "John Paul"), 1)
}
"""The users a new app comes with."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request that passed the gate.

    `uid`, `token` and `role` are those of the path, decoded, uid and role as they are stored; empty where the
    path has none. `body` is the JSON object that was sent, empty for no body, None for anything else.
    """

    uid: str = ""
    token: str = field(default="", repr=False)
    role: str = ""
    query: Mapping[str, Sequence[str]] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None

    @property
    def named_uid(self) -> str | None:
        """Give the uid the request is about, from path or body; None when neither names one."""
        uid = self.uid or (self.body or {}).get("uid") or self._only_one
        return uid.strip().lower() if isinstance(uid, str) else None

    @property
    def _only_one(self) -> object:
        """The one that a call for many is about, when it is about one."""
        for name in ("uidsToDeactivate", "uidsToActivate"):
            uids = (self.body or {}).get(name)
            if isinstance(uids, list) and len(uids) == 1:
                return uids[0]
        return None

    @property
    def fields(self) -> Mapping[str, Any]:
        """Give the members of the body. Raises ApiError when it is no JSON object."""
        if self.body is None:
            raise invalid({"body": ["The body must be a JSON object sent as application/json."]})
        return self.body


class Tenant:
    """One emulated app: its settings, its store and its clock."""

    def __init__(self, settings: EmulatorSettings, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock
        self.store = Store(settings.tokens_per_user)
        self.quota_reached = False
        for role in settings.roles:
            self.store.roles[role.lower()] = Role(role.lower(), role.replace("-", " ").title(), self.now())
        for uid, name in SAMPLE_USERS.items() if settings.sample_users else ():
            self.store.create(uid, {"name": name}, self.now())

    def wall(self) -> float:
        """Give the server's clock, UNIX seconds: ours with the skew."""
        return self.clock.wall() + self.settings.clock_skew

    def now(self) -> int:
        """Give the server's clock as the API shows it."""
        return int(self.wall())

    def as_stored(self, uid: str) -> str:
        """Give a uid as the server stores it."""
        return uid.lower() if self.settings.lowercase_uids else uid

    def user(self, uid: str) -> StoredUser:
        """Find an active user; raises ApiError, which a deactivated one meets too."""
        user = self.store.active(uid)
        if user is None:
            raise uid_not_found(uid)
        return user

    @property
    def full(self) -> bool:
        """Whether the plan allows no user more."""
        quota = self.settings.user_quota
        return self.quota_reached or (quota is not None and len(self.store.users) >= quota)

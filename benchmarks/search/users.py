"""The people of a case: what the roster says of them, and what the server has of them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any


def uid_of(who: int) -> str:
    """Give the uid of the n-th person."""
    return f"u{who}"


def profile_of(who: int, version: int) -> dict[str, str]:
    """Give the profile that a version of a row says; the odd ones have a picture."""
    name = f"Person {who}" + (f" v{version}" if version else "")
    return {"name": name} | ({"avatar": f"http://a/{who}"} if version % 2 else {})


def body_of(who: int, version: int) -> bytes:
    """Give the body of a row's create."""
    return json.dumps({"uid": uid_of(who), **profile_of(who, version)}, separators=(",", ":")).encode()


@dataclass(slots=True, eq=False)
class User:
    """One incarnation of a user.

    created_at  UNIX seconds by the server's clock
    life        that created it; None for a stranger's
    touched     whether a stranger wrote its profile, and we have not since
    sleeps      whether it is deactivated; `slept`: whether it ever was
    died        whether a stranger deleted it
    tokens      all that were ever given for it; `living`: those that are left of them, and of other hands
    unflushed   whether it was deactivated by a stranger, so that nobody could flush its tokens since
    """

    uid: str
    profile: dict[str, Any]
    created_at: int
    life: int | None = None
    touched: bool = False
    sleeps: bool = False
    slept: bool = False
    died: bool = False
    tokens: set[str] = field(default_factory=set)
    living: set[str] = field(default_factory=set)
    unflushed: bool = False

    @property
    def ours(self) -> bool:
        """Whether a create of ours made it."""
        return self.life is not None

    def public(self) -> dict[str, Any]:
        """Give what the API shows of it."""
        shown = {"uid": self.uid, **self.profile, "createdAt": self.created_at, "role": "default"}
        return shown | ({"deactivatedAt": self.created_at + 1} if self.sleeps else {})

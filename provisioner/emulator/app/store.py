"""The users, auth tokens and roles of one app, in memory. Knows nothing of HTTP, keys or limits.

Times are UNIX seconds of the server's clock. Uids come in as they are to be stored.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

_ATTRIBUTES = {
    "name": "name",
    "avatar": "avatar",
    "link": "link",
    "role": "role",
    "statusMessage": "status_message",
    "metadata": "metadata",
    "tags": "tags",
}
"""The API's field names and ours."""


@dataclass(frozen=True, slots=True)
class StoredUser:
    """One user; a field that was never set is None."""

    uid: str
    name: str
    created_at: int
    role: str = "default"
    avatar: str | None = None
    link: str | None = None
    status_message: str | None = None
    metadata: Mapping[str, Any] | None = None
    tags: tuple[str, ...] | None = None
    updated_at: int | None = None
    deactivated_at: int | None = None
    last_active_at: int | None = None

    @property
    def active(self) -> bool:
        """Whether the user can be seen; the uid of one that cannot stays taken."""
        return self.deactivated_at is None

    def public(self, *, with_tags: bool) -> dict[str, Any]:
        """Give the user as the API shows it: members that were never set are absent, not null."""
        members = {
            "uid": self.uid,
            "name": self.name,
            "link": self.link,
            "avatar": self.avatar,
            "metadata": self.metadata,
            "status": "offline",
            "statusMessage": self.status_message,
            "role": self.role,
            "createdAt": self.created_at,
            "updatedAt": self.updated_at,
            "lastActiveAt": self.last_active_at,
            "deactivatedAt": self.deactivated_at,
            "tags": self.tags if with_tags else None,
        }
        return {name: value for name, value in members.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Token:
    """One auth token of a user."""

    uid: str
    value: str = field(repr=False)
    created_at: int

    def public(self) -> dict[str, Any]:
        """Give the token as the API shows it."""
        return {"uid": self.uid, "authToken": self.value, "createdAt": self.created_at}


class Ending(StrEnum):
    """What ended the life of an auth token."""

    FLUSHED = "flushed"
    REVOKED = "revoked"
    PUSHED_OUT = "pushed out"  # by a newer one, beyond the limit
    DELETED = "deleted"  # with its user


@dataclass(frozen=True, slots=True)
class TokenLife:
    """An auth token from its beginning to its end; `ended_at` and `ended_by` are null while it lives."""

    token: Token
    ended_at: int | None = None
    ended_by: Ending | None = None


@dataclass(frozen=True, slots=True)
class Role:
    """One role; `settings` and `metadata` are kept as they came."""

    role: str
    name: str
    created_at: int
    description: str | None = None
    metadata: Mapping[str, Any] | None = None
    settings: Mapping[str, Any] | None = None
    updated_at: int | None = None

    def public(self) -> dict[str, Any]:
        """Give the role as the API shows it."""
        members = {
            "role": self.role,
            "name": self.name,
            "description": self.description,
            "metadata": self.metadata,
            "settings": self.settings,
            "createdAt": self.created_at,
            "updatedAt": self.updated_at,
        }
        return {name: value for name, value in members.items() if value is not None}


class Store:
    """Everything the emulated app holds, in order of creation."""

    def __init__(self, tokens_per_user: int = 100) -> None:
        self.users: dict[str, StoredUser] = {}
        self.roles: dict[str, Role] = {}
        self._tokens: dict[str, deque[Token]] = {}
        self._ended: list[TokenLife] = []
        self._tokens_per_user = tokens_per_user

    def active(self, uid: str) -> StoredUser | None:
        """Find a user that is not deactivated."""
        user = self.users.get(uid)
        return user if user is not None and user.active else None

    def create(self, uid: str, profile: Mapping[str, Any], now: int) -> StoredUser:
        """Add a user from checked API fields; the uid must be free."""
        values = {_ATTRIBUTES[name]: value for name, value in profile.items()}
        user = self.users[uid] = StoredUser(uid=uid, created_at=now, **values)
        return user

    def update(self, uid: str, changes: Mapping[str, Any], unset: Iterable[str], now: int) -> StoredUser:
        """Change the given API fields of a user and clear those in `unset`; the rest stays."""
        values = {_ATTRIBUTES[name]: value for name, value in changes.items()}
        cleared = dict.fromkeys((_ATTRIBUTES[name] for name in unset), None)
        user = self.users[uid] = replace(self.users[uid], **{**values, **cleared}, updated_at=now)
        return user

    def put(self, user: StoredUser, tokens: Iterable[Token] = ()) -> None:
        """Set a user down as it is, with its tokens, replacing the one with the same uid."""
        self.users[user.uid] = user
        self._tokens[user.uid] = deque(tokens, self._tokens_per_user)

    def deactivate(self, uid: str, now: int) -> None:
        """Hide a user; its uid stays taken and its tokens are kept."""
        self.users[uid] = replace(self.users[uid], deactivated_at=now)

    def reactivate(self, uid: str) -> None:
        """Show a deactivated user again."""
        self.users[uid] = replace(self.users[uid], deactivated_at=None)

    def delete(self, uid: str, now: int) -> None:
        """Forget a user and end its tokens; the uid is free again."""
        del self.users[uid]
        self._end(self._tokens.pop(uid, ()), Ending.DELETED, now)

    def select(self, wanted: Callable[[StoredUser], bool]) -> list[StoredUser]:
        """Give the users that are wanted."""
        return [user for user in self.users.values() if wanted(user)]

    def mint(self, uid: str, now: int) -> Token:
        """Make a token for a user; beyond the limit the oldest is dropped."""
        token = Token(uid, f"{uid}_{now:010d}{os.urandom(15).hex()}", now)
        tokens = self._tokens.get(uid)
        if tokens is None:
            tokens = self._tokens[uid] = deque(maxlen=self._tokens_per_user)
        if len(tokens) == self._tokens_per_user:
            self._end([tokens[0]], Ending.PUSHED_OUT, now)
        tokens.append(token)
        return token

    def tokens(self, uid: str) -> tuple[Token, ...]:
        """Give the tokens of a user, oldest first."""
        return tuple(self._tokens.get(uid, ()))

    def token(self, uid: str, value: str) -> Token | None:
        """Find one token of a user."""
        return next((token for token in self._tokens.get(uid, ()) if token.value == value), None)

    def owner(self, value: str) -> StoredUser | None:
        """Find whose token this is, active or not; None when it is nobody's, or nobody's any more."""
        # The uid may hold the underscore that separates it from the rest.
        uid = value.rpartition("_")[0]
        found = self.token(uid, value) is not None
        return self.users.get(uid) if found else self._owner_of_foreign(value)

    def lives(self) -> Iterator[TokenLife]:
        """Give every token: those that have ended, in that order, then the living ones."""
        yield from list(self._ended)
        for tokens in list(self._tokens.values()):
            yield from map(TokenLife, list(tokens))

    def revoke(self, token: Token, now: int) -> None:
        """End one token."""
        self._tokens[token.uid].remove(token)
        self._end([token], Ending.REVOKED, now)

    def flush(self, uid: str, now: int) -> None:
        """End all tokens of a user."""
        self._end(self._tokens.pop(uid, ()), Ending.FLUSHED, now)

    def _end(self, tokens: Iterable[Token], by: Ending, now: int) -> None:
        self._ended += [TokenLife(token, now, by) for token in tokens]

    def _owner_of_foreign(self, value: str) -> StoredUser | None:
        """Find the owner of a token that was put here from elsewhere, in whatever form."""
        uids = (uid for uid, tokens in self._tokens.items() if any(token.value == value for token in tokens))
        return self.users.get(next(uids, ""))

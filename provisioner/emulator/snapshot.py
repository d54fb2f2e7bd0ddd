"""Stored users as lines of JSON, and back: what a rehearsal looks at, and what it begins with.

{"uid": "ann", "name": "Ann", "role": "default", "created_at": 1700000000, "updated_at": null,
 "deactivated_at": null, "avatar": null, ..., "tokens": ["ann_1700000000..."]}
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from typing import Any

import orjson

from provisioner.emulator.app.store import Store, StoredUser, Token
from provisioner.emulator.endpoints.context import Tenant

_MEMBERS = {
    "uid": str,
    "name": str,
    "created_at": int,
    "role": str,
    "avatar": str,
    "link": str,
    "status_message": str,
    "metadata": dict,
    "tags": list,
    "updated_at": int,
    "deactivated_at": int,
    "last_active_at": int,
    "tokens": list,
}


def snapshot(store: Store) -> Iterator[bytes]:
    """Write every user, in order of creation, one line each."""
    for user in list(store.users.values()):
        tokens = [token.value for token in store.tokens(user.uid)]
        yield orjson.dumps({**asdict(user), "tokens": tokens}, option=orjson.OPT_APPEND_NEWLINE)


def token_lives(store: Store) -> Iterator[bytes]:
    """Write every auth token there ever was, one line each: those that have ended first."""
    for life in store.lives():
        members = {**asdict(life.token), "ended_at": life.ended_at, "ended_by": life.ended_by}
        members["token"] = members.pop("value")
        yield orjson.dumps(members, option=orjson.OPT_APPEND_NEWLINE)


def restore(tenant: Tenant, lines: Iterable[bytes]) -> int:
    """Put users into the store as they are, past every check of the API; gives their number.

    `uid` is needed; `name` is the uid and `created_at` is now unless they are given. All lines are read
    before the first user is put there. Raises ValueError that names the line.
    """
    read = [_user(tenant, number, line) for number, line in enumerate(lines, 1) if line.strip()]
    for user, values in read:
        tenant.store.put(user, (Token(user.uid, value, user.created_at) for value in values))
    return len(read)


def _user(tenant: Tenant, number: int, line: bytes) -> tuple[StoredUser, list[str]]:
    try:
        members = orjson.loads(line)
    except orjson.JSONDecodeError as wrong:
        raise ValueError(f"line {number} is no JSON: {wrong}") from None
    if not isinstance(members, dict) or not isinstance(members.get("uid"), str):
        raise ValueError(f'line {number} is no user: it needs a "uid"')
    for name, value in members.items():
        if name not in _MEMBERS:
            raise ValueError(f"line {number}: a user has no {name!r}, only {', '.join(_MEMBERS)}")
        if value is not None and type(value) is not _MEMBERS[name]:
            raise ValueError(f"line {number}: {name} is {value!r}, which is no {_MEMBERS[name].__name__}")
        if isinstance(value, list) and not all(isinstance(each, str) for each in value):
            raise ValueError(f"line {number}: {name} is {value!r}, which holds more than texts")
    tokens = members.pop("tokens", None) or []
    return _completed(tenant, members), tokens


def _completed(tenant: Tenant, members: dict[str, Any]) -> StoredUser:
    uid = tenant.as_stored(members["uid"])
    given = {name: value for name, value in members.items() if value is not None}
    if "tags" in given:
        given["tags"] = tuple(given["tags"])
    return replace(StoredUser(uid=uid, name=uid, created_at=tenant.now()), **{**given, "uid": uid})

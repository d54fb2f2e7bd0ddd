"""The model of the API: what a request does, and what it is answered before anything happens to the answer."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Container, Mapping
from typing import Any, NamedTuple, TypeAlias

from benchmarks.search.case import Act, Before, Op, Stranger
from benchmarks.search.users import User, profile_of, uid_of

Answered: TypeAlias = tuple[int, dict[str, Any]]
"""Status and document."""


class Asked(NamedTuple):
    """What a request asks for."""

    op: Op
    uid: str
    fields: Mapping[str, Any]
    query: Mapping[str, str]

    @classmethod
    def of(cls, method: str, path: str, query: Mapping[str, str], body: bytes | None) -> Asked:
        """Read a request."""
        fields: dict[str, Any] = json.loads(body) if body else {}
        match method, path.strip("/").split("/"):
            case "POST", ["users"]:
                return cls(Op.CREATE, fields["uid"], fields, query)
            case "GET", ["users"]:
                return cls(Op.LIST, "", fields, query)
            case "GET", ["roles"]:
                return cls(Op.ROLES, "", fields, query)
            case "DELETE", ["users"]:
                return cls(Op.DEACTIVATE, fields["uidsToDeactivate"][0], fields, query)
            case "PUT", ["users"]:
                return cls(Op.REACTIVATE, fields["uidsToActivate"][0], fields, query)
            case "GET", ["users", uid]:
                return cls(Op.READ, uid, fields, query)
            case "PUT", ["users", uid]:
                return cls(Op.UPDATE, uid, fields, query)
            case "POST", ["users", uid, "auth_tokens"]:
                return cls(Op.MINT, uid, fields, query)
            case "DELETE", ["users", uid, "auth_tokens"]:
                return cls(Op.FLUSH, uid, fields, query)
        raise ValueError(f"no such request: {method} {path}")


def error(code: str, message: str, details: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Give the API's error envelope."""
    return {"error": {"code": code, "message": message, **({"details": details} if details else {})}}


class Server:
    """The users of an app.

    clock         UNIX seconds by the server's clock
    never         uids that it will not have
    incarnations  uid → everybody who ever had it, in order
    refused       uid → codes of the refusals that it meant
    did           what was done at our request: in which life, to whom, and what
    """

    def __init__(self, clock: Callable[[], float], never: Container[str]) -> None:
        self._clock, self._never = clock, never
        self.users: dict[str, User] = {}
        self.incarnations: dict[str, list[User]] = defaultdict(list)
        self.refused: dict[str, set[str]] = defaultdict(set)
        self.did: list[tuple[int, str, Op]] = []
        self.disturbed: dict[str, int] = {}
        self._tokens = 0

    def there_before(self, each: Before) -> None:
        """Put a stranger's user there."""
        profile = profile_of(each.who, 0) if each.same else {"name": "Somebody"}
        user = User(uid_of(each.who), profile, int(self._clock() - each.age), living={"a token of the app's own"})
        user.sleeps = user.slept = user.unflushed = each.deactivated
        self._put(user)

    def act(self, stranger: Stranger, life: int) -> None:
        """Let a stranger do something, where it can be done."""
        uid = uid_of(stranger.who)
        user = self.users.get(uid)
        self.disturbed[uid] = life
        match stranger.act, user:
            case Act.CREATE, None:
                self._put(User(uid, {"name": "Somebody"}, int(self._clock())))
            case Act.CHANGE, User() if not user.sleeps:
                user.profile, user.touched = {"name": "Changed"}, True
            case Act.DEACTIVATE, User():
                user.sleeps = user.slept = user.unflushed = True
            case Act.REACTIVATE, User():
                user.sleeps = user.unflushed = False
            case Act.DELETE, User():
                user.died = True
                del self.users[uid]

    def _put(self, user: User) -> None:
        self.users[user.uid] = user
        self.incarnations[user.uid].append(user)

    def carry_out(self, asked: Asked, life: int, *, old_form: bool = False) -> Answered:
        """Do what a request of ours asks for.

        life      in which it left
        old_form  whether a uid that is taken is told in the older form
        """
        match asked.op:
            case Op.CREATE:
                return self._create(asked, life, old_form=old_form)
            case Op.DEACTIVATE | Op.REACTIVATE:
                return self._turn(asked, life)
            case Op.ROLES:
                return 200, {"data": [{"role": "default"}]}
            case Op.LIST:
                return self._list(asked)
        user = self.users.get(asked.uid)
        if user is None or user.sleeps:
            return 404, error("ERR_UID_NOT_FOUND", f"The uid {asked.uid} does not exist")
        if asked.op is Op.MINT:
            return 200, {"data": {"uid": asked.uid, "authToken": self._token(user)}}
        if asked.op is Op.FLUSH:
            user.living.clear()
            return 200, {"data": {"success": True, "message": f"Cleared Auth Tokens successfully for uid {asked.uid}."}}
        if asked.op is Op.UPDATE:
            self.did.append((life, asked.uid, asked.op))
            changes = dict(asked.fields)
            gone = changes.pop("unset", ())
            user.profile = {name: value for name, value in (user.profile | changes).items() if name not in gone}
            user.touched = False
        return 200, {"data": user.public()}

    def _create(self, asked: Asked, life: int, *, old_form: bool) -> Answered:
        if asked.uid in self._never:
            self.refused[asked.uid].add("ERR_BAD_REQUEST")
            return 400, error("ERR_BAD_REQUEST", "Failed to validate the data.", {"name": ["It is not liked."]})
        if asked.uid in self.users:
            if old_form:
                return 400, error("ERR_BAD_REQUEST", "Failed.", {"uid": ["The uid has already been taken."]})
            return 400, error("ERR_UID_ALREADY_EXISTS", f"The uid {asked.uid} exists")
        profile = dict(asked.fields)
        with_token = profile.pop("withAuthToken", False)
        del profile["uid"]
        user = User(asked.uid, profile, int(self._clock()), life)
        self._put(user)
        self.did.append((life, asked.uid, asked.op))
        return 200, {"data": user.public() | ({"authToken": self._token(user)} if with_token else {})}

    def _turn(self, asked: Asked, life: int) -> Answered:
        off, user = asked.op is Op.DEACTIVATE, self.users.get(asked.uid)
        done, before = (
            ("deactivatedUids", "alreadyDeactivatedUids") if off else ("reactivatedUids", "nonDeactivatedUids")
        )
        lists: dict[str, list[str]] = {done: [], before: [], "notFound": []}
        if user is None:
            lists["notFound"].append(asked.uid)
        elif user.sleeps is off:
            lists[before].append(asked.uid)
        else:
            lists[done].append(asked.uid)
            user.sleeps, user.unflushed = off, False
            user.slept = user.slept or off
            self.did.append((life, asked.uid, asked.op))
        return 200, {"data": lists}

    def _list(self, asked: Asked) -> Answered:
        wanted = asked.query.get("onlyDeactivated") == "true"
        users = [user.public() for user in self.users.values() if user.sleeps is wanted]
        pagination = {"total": len(users), "count": len(users), "current_page": 1, "total_pages": 1}
        return 200, {"data": users, "meta": {"pagination": pagination}}

    def _token(self, user: User) -> str:
        self._tokens += 1
        user.tokens.add(token := f"{user.uid}_{self._tokens}")
        user.living.add(token)
        return token

"""The users endpoints."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from provisioner.emulator.app.audit import Did
from provisioner.emulator.app.store import StoredUser
from provisioner.emulator.endpoints import validation
from provisioner.emulator.endpoints.answers import Answer, data, page, success
from provisioner.emulator.endpoints.context import Call, Tenant
from provisioner.emulator.endpoints.errors import ApiError, invalid, quota_reached, uid_not_found, uid_taken

_TAKEN: Mapping[str, Callable[[str], ApiError]] = {
    "current": uid_taken,
    "legacy": lambda _uid: invalid({"uid": ["The uid has already been taken."]}),
    "409": lambda uid: uid_taken(uid, status=409),
}


def create(tenant: Tenant, call: Call) -> Answer:
    """POST /users: validation, then the duplicate, then the quota."""
    profile = validation.new_user(call.fields, tenant.settings.constraints, tenant.store.roles)
    uid = tenant.as_stored(profile.pop("uid"))
    with_token = profile.pop("withAuthToken", False)
    if uid in tenant.store.users:
        raise _TAKEN[tenant.settings.duplicate_style](uid)
    if tenant.full:
        raise quota_reached()
    now = tenant.now()
    shown = tenant.store.create(uid, profile, now).public(with_tags=True)
    if with_token:
        shown["authToken"] = tenant.store.mint(uid, now).value
    return data(shown, Did.CREATED)


def read(tenant: Tenant, call: Call) -> Answer:
    """GET /users/{uid}: tags are not shown, only lists can show them."""
    return data(tenant.user(call.uid).public(with_tags=False), Did.READ)


def update(tenant: Tenant, call: Call) -> Answer:
    """PUT /users/{uid}: what is not sent stays."""
    user = tenant.user(call.uid)
    changes = validation.changed_user(call.fields, tenant.settings.constraints, tenant.store.roles)
    unset = changes.pop("unset", [])
    if tenant.settings.merge_updates:
        changes = _merged(user, changes)
    changed = tenant.store.update(call.uid, changes, unset, tenant.now())
    return data(changed.public(with_tags=True), Did.UPDATED)


def delete(tenant: Tenant, call: Call) -> Answer:
    """DELETE /users/{uid}: for good with `permanent: true`, which works on a deactivated user too."""
    permanent = validation.flag(call.fields, "permanent")
    user = tenant.store.users.get(call.uid)
    if user is None:
        raise uid_not_found(call.uid)
    if permanent:
        tenant.store.delete(call.uid, tenant.now())
        return success(f"User with {call.uid} has been deleted successfully.", Did.DELETED)
    return _deactivate(tenant, [call.uid])


def deactivate(tenant: Tenant, call: Call) -> Answer:
    """DELETE /users: 200 even when nothing matched."""
    return _deactivate(tenant, validation.uids(call.fields, "uidsToDeactivate"))


def reactivate(tenant: Tenant, call: Call) -> Answer:
    """PUT /users: 200 even when nothing matched."""
    away, there, missing = _sorted(tenant, validation.uids(call.fields, "uidsToActivate"), active=False)
    for uid in away:
        tenant.store.reactivate(uid)
    lists = {"reactivatedUids": away, "nonDeactivatedUids": there, "notFound": missing}
    return _bulk(tenant, lists, Did.REACTIVATED if away else Did.NOTHING)


def listing(tenant: Tenant, call: Call) -> Answer:
    """GET /users: in order of creation; only active users unless others are asked for."""
    number = _whole(call, "page", default=1, most=2**63 - 1)
    per_page = _whole(call, "perPage", default=100, most=1000)
    found = tenant.store.select(_wanted(call))
    shown = found[(number - 1) * per_page : number * per_page]
    with_tags = _yes(call, "withTags")
    users = [user.public(with_tags=with_tags) for user in shown]
    if not shown:
        return page(users, number, per_page, len(found))
    cursor = {"updatedAt": shown[-1].updated_at or shown[-1].created_at, "affix": "append"}
    return page(users, number, per_page, len(found), cursor=cursor)


def _deactivate(tenant: Tenant, sent: Sequence[str]) -> Answer:
    there, away, missing = _sorted(tenant, sent, active=True)
    for uid in there:
        tenant.store.deactivate(uid, tenant.now())
    lists = {"deactivatedUids": there, "alreadyDeactivatedUids": away, "notFound": missing}
    return _bulk(tenant, lists, Did.DEACTIVATED if there else Did.NOTHING)


def _sorted(tenant: Tenant, sent: Sequence[str], *, active: bool) -> tuple[list[str], list[str], list[str]]:
    """Sort uids into those of users who are active, or not, those of the other users, and those of nobody, as sent.

    One that is sent twice counts once.
    """
    once: dict[str, str] = {}
    for uid in sent:
        once.setdefault(tenant.as_stored(uid), uid)
    users = [tenant.store.users[uid] for uid in once if uid in tenant.store.users]
    such = [user.uid for user in users if user.active is active]
    others = [user.uid for user in users if user.active is not active]
    return such, others, [uid for stored, uid in once.items() if stored not in tenant.store.users]


def _bulk(tenant: Tenant, lists: Mapping[str, list[str]], did: Did) -> Answer:
    if not tenant.settings.empty_lists:
        lists = {name: uids for name, uids in lists.items() if uids}
    return data(lists, did)


def _merged(user: StoredUser, changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(changes)
    if "metadata" in merged:
        merged["metadata"] = {**(user.metadata or {}), **merged["metadata"]}
    if "tags" in merged:
        merged["tags"] = tuple(dict.fromkeys((*(user.tags or ()), *merged["tags"])))
    return merged


def _wanted(call: Call) -> Callable[[StoredUser], bool]:
    """Turn the query into one test; every parameter narrows."""
    key = _one(call, "searchKey").lower()
    attributes = [name for name in ("uid", "name") if name in (_all(call, "searchIn") or ("uid", "name"))]
    roles = {role.lower() for role in (*_all(call, "role"), *_all(call, "roles"))}
    tags = set(_all(call, "tags"))
    only_deactivated = _yes(call, "onlyDeactivated")
    with_deactivated = only_deactivated or _yes(call, "withDeactivated")
    nobody = _one(call, "status") == "available"  # nobody ever connects to an emulator

    def wanted(user: StoredUser) -> bool:
        if nobody or (only_deactivated if user.active else not with_deactivated):
            return False
        if roles and user.role not in roles:
            return False
        if tags and tags.isdisjoint(user.tags or ()):
            return False
        return not key or any(getattr(user, name).lower().startswith(key) for name in attributes)

    return wanted


def _all(call: Call, name: str) -> tuple[str, ...]:
    """Give all values of a parameter, whether as name, name[] or separated by commas."""
    given = (*call.query.get(name, ()), *call.query.get(f"{name}[]", ()))
    return tuple(value for text in given for value in text.split(",") if value)


def _one(call: Call, name: str) -> str:
    return next(iter(call.query.get(name, ())), "")


def _yes(call: Call, name: str) -> bool:
    return _one(call, name).lower() in {"true", "1"}


def _whole(call: Call, name: str, default: int, most: int) -> int:
    digits = (_one(call, name) or str(default)).lstrip("0")
    if not digits.isascii() or not digits.isdecimal():
        raise invalid({name: [f"The {name} must be at least 1."]})
    if len(digits) > len(str(most)) or int(digits) > most:
        raise invalid({name: [f"The {name} may not be greater than {most}."]})
    return int(digits)

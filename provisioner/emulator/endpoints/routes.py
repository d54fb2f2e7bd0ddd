"""Which request is served by what: the table of endpoints, and the call that a handler is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from provisioner.emulator.app.limits import Group
from provisioner.emulator.endpoints import roles, tokens, users
from provisioner.emulator.endpoints.answers import Answer
from provisioner.emulator.endpoints.context import Call, Tenant

PREFIX = "/v3"


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint: its rate group, its handler, and whether `auth_only_creates` opens it to authOnly."""

    group: Group
    handle: Callable[[Tenant, Call], Answer]
    auth_only: bool = False


# Docs place only creating and deleting users in the core group; minting is placed in none. Counting it
# and deactivation as core is the stricter reading.
ROUTES: Mapping[tuple[str, str], Route] = {
    ("POST", "/users"): Route(Group.CORE, users.create, auth_only=True),
    ("GET", "/users"): Route(Group.STANDARD, users.listing),
    ("PUT", "/users"): Route(Group.STANDARD, users.reactivate),
    ("DELETE", "/users"): Route(Group.CORE, users.deactivate),
    ("GET", "/users/{uid}"): Route(Group.STANDARD, users.read),
    ("PUT", "/users/{uid}"): Route(Group.STANDARD, users.update),
    ("DELETE", "/users/{uid}"): Route(Group.CORE, users.delete),
    ("POST", "/users/{uid}/auth_tokens"): Route(Group.CORE, tokens.mint, auth_only=True),
    ("GET", "/users/{uid}/auth_tokens"): Route(Group.STANDARD, tokens.listing),
    ("DELETE", "/users/{uid}/auth_tokens"): Route(Group.STANDARD, tokens.flush),
    ("GET", "/users/{uid}/auth_tokens/{token}"): Route(Group.STANDARD, tokens.read),
    ("DELETE", "/users/{uid}/auth_tokens/{token}"): Route(Group.STANDARD, tokens.revoke),
    ("POST", "/roles"): Route(Group.STANDARD, roles.create),
    ("GET", "/roles"): Route(Group.STANDARD, roles.listing),
    ("GET", "/roles/{role}"): Route(Group.STANDARD, roles.read),
    ("PUT", "/roles/{role}"): Route(Group.STANDARD, roles.update),
    ("DELETE", "/roles/{role}"): Route(Group.STANDARD, roles.delete),
}

_TEMPLATES: Mapping[tuple[str, int], tuple[str, ...]] = {
    (segments[0], len(segments)): segments for segments in (tuple(path[1:].split("/")) for _, path in ROUTES)
}
"""The segments of each path template, by the first of them and their number."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes: the template ("*" if it is none of ours) and what fills its braces, decoded."""

    template: str
    route: Route | None = None
    parts: Mapping[str, str] = field(default_factory=dict)


NOWHERE = Target("*")


def find(method: str, raw_path: str) -> Target:
    """Find the endpoint; `raw_path` is still percent-encoded, so that a %2F stays in its segment."""
    if not raw_path.startswith(f"{PREFIX}/"):
        return NOWHERE
    segments = raw_path[len(PREFIX) + 1 :].split("/")
    names = _TEMPLATES.get((segments[0], len(segments)))
    if names is None:
        return NOWHERE
    parts = {}
    for name, segment in zip(names, segments, strict=True):
        if name.startswith("{") and segment:
            parts[name[1:-1]] = unquote(segment)
        elif name != segment:
            return NOWHERE
    template = "/" + "/".join(names)
    return Target(template, ROUTES.get((method, template)), parts)

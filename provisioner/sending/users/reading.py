"""A user as the API shows it: read by its uid, and its tags from a list, where only lists show them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from provisioner.model import UserRequest
from provisioner.sending.attempts import Exchanger, unnoted
from provisioner.sending.calls import Operation, Reply
from provisioner.sending.retry import Verdict

# Pages of a search that are looked through: it finds everybody whose uid begins alike.
_PAGES: Final = 10
_PER_PAGE: Final = 1000
_TAGS: Final = "tags"


class Shown(NamedTuple):
    """What was found.

    verdict  DONE when the user is there and active; None when the run was stopped
    user     as the API shows it
    untold   fields that were wanted, and that the API would not tell
    """

    verdict: Verdict | None
    reply: Reply
    user: Mapping[str, Any] = {}
    untold: frozenset[str] = frozenset()


async def read_user(exchanger: Exchanger, request: UserRequest, *, with_tags: bool) -> Shown:
    """Read one user.

    with_tags  look for its tags in the list when they are not shown otherwise
    """
    verdict, reply = await exchanger(Operation.READ, request, token=False, note=unnoted)
    user = reply.data or {}
    if verdict is not Verdict.DONE or _TAGS in user:
        return Shown(verdict, reply, user)
    if not with_tags:
        return Shown(verdict, reply, user, frozenset({_TAGS}))
    return await _with_tags(exchanger, request, Shown(verdict, reply, user))


async def read_deactivated(exchanger: Exchanger, request: UserRequest) -> Shown:
    """Read one user who is deactivated: only a list shows it; the verdict is ABSENT when none does."""
    verdict, reply, user = await _searched(exchanger, request, "&onlyDeactivated=true")
    if verdict is Verdict.DONE and user is None:
        return Shown(Verdict.ABSENT, reply)
    return Shown(verdict, reply, user or {}, frozenset() if user and _TAGS in user else frozenset({_TAGS}))


async def _with_tags(exchanger: Exchanger, request: UserRequest, shown: Shown) -> Shown:
    verdict, reply, user = await _searched(exchanger, request, "")
    if verdict is None or verdict is Verdict.STOP:
        return shown._replace(verdict=verdict, reply=reply)
    if user is None:
        return shown._replace(untold=frozenset({_TAGS}))
    return shown._replace(user={**shown.user, _TAGS: user.get(_TAGS)})


async def _searched(
    exchanger: Exchanger, request: UserRequest, more: str
) -> tuple[Verdict | None, Reply, Mapping[str, Any] | None]:
    """Look through the list for one user; `more` is added to what is asked."""
    wanted = f"searchKey={quote(request.uid)}&searchIn[]=uid&withTags=true{more}&perPage={_PER_PAGE}"
    verdict: Verdict | None = Verdict.DONE
    reply = Reply()
    for page in range(1, _PAGES + 1):
        query = f"{wanted}&page={page}"
        verdict, reply = await exchanger(Operation.LIST, request, token=False, note=unnoted, query=query)
        users = (reply.data or {}).get("items") if verdict is Verdict.DONE else None
        for user in users or ():
            if isinstance(user, dict) and user.get("uid") == request.uid:
                return verdict, reply, user
        if len(users or ()) < _PER_PAGE:
            break
    return verdict, reply, None

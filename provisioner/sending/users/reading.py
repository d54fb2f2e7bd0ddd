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
DEACTIVATED: Final = "&onlyDeactivated=true"
"""Has a list be that of the deactivated users, and not that of the active ones."""


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


class Searched(NamedTuple):
    """What a search of a list came to.

    user   as the list shows it; None when it was not found
    whole  whether it says something that it was not found: the list was looked through to the end of what begins alike
    """

    verdict: Verdict | None
    reply: Reply
    user: Mapping[str, Any] | None
    whole: bool


async def read_deactivated(exchanger: Exchanger, request: UserRequest) -> Shown:
    """Read one user who is deactivated: only a list shows it; the verdict is ABSENT when none does."""
    verdict, reply, user, _ = await search(exchanger, request, DEACTIVATED)
    if verdict is Verdict.DONE and user is None:
        return Shown(Verdict.ABSENT, reply)
    return Shown(verdict, reply, user or {}, frozenset() if user and _TAGS in user else frozenset({_TAGS}))


async def _with_tags(exchanger: Exchanger, request: UserRequest, shown: Shown) -> Shown:
    verdict, reply, user, _ = await search(exchanger, request)
    if verdict is None or verdict is Verdict.STOP:
        return shown._replace(verdict=verdict, reply=reply)
    if user is None:
        return shown._replace(untold=frozenset({_TAGS}))
    return shown._replace(user={**shown.user, _TAGS: user.get(_TAGS)})


async def search(exchanger: Exchanger, request: UserRequest, which: str = "") -> Searched:
    """Look through a list for one user, tags and all; `which` is `DEACTIVATED`, or nothing for the active users."""
    wanted, uid = f"searchKey={quote(request.uid)}&searchIn[]=uid&withTags=true{which}", request.uid.lower()
    verdict, reply, whole = Verdict.DONE, Reply(), False
    for page in range(1, _PAGES + 1):
        query = f"{wanted}&perPage={_PER_PAGE}&page={page}"
        answered, reply = await exchanger(Operation.LIST, request, token=False, note=unnoted, query=query)
        if answered is not Verdict.DONE:
            return Searched(answered, reply, None, whole=False)
        users = [user for user in (reply.data or {}).get("items") or () if is_user(user)]
        if (user := next((user for user in users if user["uid"].lower() == uid), None)) is not None:
            return Searched(verdict, reply, user, whole=True)
        last = last_page(reply.data or {})
        whole = not users or (page >= last if last is not None else len(users) < _PER_PAGE)
        # An API that cannot search gives whoever there is.
        if whole or not all(uid in user["uid"].lower() for user in users):
            break
    return Searched(verdict, reply, None, whole)


def last_page(data: Mapping[str, Any]) -> int | None:
    """Give the number of a list's last page; None without a word on it: then there is one more to be tried."""
    meta = data.get("meta")
    paging = meta.get("pagination") if isinstance(meta, dict) else None
    total = paging.get("total_pages") if isinstance(paging, dict) else None
    return total if isinstance(total, int) and total > 0 else None


def is_user(shown: Any) -> bool:
    """Whether something that the API lists can be a user."""
    return isinstance(shown, dict) and isinstance(shown.get("uid"), str)

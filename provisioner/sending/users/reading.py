"""A user as the API shows it: read by its uid, and its tags from a list, where only lists show them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from provisioner.errors import DirectoryError
from provisioner.model import Standing, UserRequest
from provisioner.sending.attempts import Exchanger
from provisioner.sending.calls import NOBODY, Operation, Reply
from provisioner.sending.users.needs import PER_PAGE, pagination_of
from provisioner.sending.verdicts import Verdict

# Pages of a search that are looked through: it finds everybody whose uid begins alike.
_PAGES: Final = 10
# The same where whoever is not found is gone: those of a million users.
_ALL_PAGES: Final = 1000
_TAGS: Final = "tags"
DEACTIVATED: Final = "&onlyDeactivated=true"
"""Has a list be that of the deactivated users, and not that of the active ones."""
LISTS: Final[Mapping[Standing, str]] = {Standing.ACTIVE: "", Standing.DEACTIVATED: DEACTIVATED}
"""Where users of each kind are listed."""
SINGLY: Final = 1000
"""Users who are asked for singly at most, before a list is believed that lacks or changes them."""
# Users who are asked for at once.
_AT_ONCE: Final = 16


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
    verdict, reply = await exchanger(Operation.READ, request)
    user = reply.data or {}
    if verdict is not Verdict.DONE or _TAGS in user:
        return Shown(verdict, reply, user)
    if not with_tags:
        return Shown(verdict, reply, user, frozenset({_TAGS}))
    return await told_tags(exchanger, request, Shown(verdict, reply, user))


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
    verdict, reply, user, _ = await search(exchanger, request, DEACTIVATED, _ALL_PAGES)
    if verdict is Verdict.DONE and user is None:
        return Shown(Verdict.ABSENT, reply)
    return Shown(verdict, reply, user or {}, frozenset() if user and _TAGS in user else frozenset({_TAGS}))


async def read_parted(exchanger: Exchanger, request: UserRequest) -> tuple[Shown, bool]:
    """Read one user who was deactivated, whatever it is now; and whether it was found among the deactivated."""
    shown = await read_deactivated(exchanger, request)
    if shown.verdict is not Verdict.ABSENT:
        return shown, shown.verdict is Verdict.DONE
    return await read_user(exchanger, request, with_tags=False), False


async def told_tags(exchanger: Exchanger, request: UserRequest, shown: Shown) -> Shown:
    """Add to a user its tags, from a list."""
    verdict, reply, user, _ = await search(exchanger, request)
    if verdict in {None, Verdict.STOP, Verdict.IN_DOUBT}:
        return shown._replace(verdict=verdict, reply=reply)
    if user is None:
        return shown._replace(untold=frozenset({_TAGS}))
    return shown._replace(user={**shown.user, _TAGS: user.get(_TAGS)})


async def search(exchanger: Exchanger, request: UserRequest, which: str = "", pages: int = _PAGES) -> Searched:
    """Look through a list for one user, tags and all; `which` is `DEACTIVATED`, or nothing for the active users.

    pages  as many as are looked through at most
    """
    wanted, uid = f"searchKey={quote(request.uid)}&searchIn[]=uid&withTags=true{which}", request.uid.lower()
    reply, whole = Reply(), False
    for page in range(1, pages + 1):
        query = f"{wanted}&perPage={PER_PAGE}&page={page}"
        verdict, reply = await exchanger(Operation.LIST, request, query=query)
        if verdict is not Verdict.DONE:
            return Searched(verdict, reply, None, whole=False)
        users = [user for user in (reply.data or {}).get("items") or () if is_user(user)]
        if (user := next((user for user in users if user["uid"].lower() == uid), None)) is not None:
            return Searched(Verdict.DONE, reply, user, whole=True)
        last = last_page(reply.data or {})
        whole = not users or (page >= last if last is not None else len(users) < PER_PAGE)
        # An API that cannot search gives whoever there is.
        if whole or not all(uid in user["uid"].lower() for user in users):
            break
    return Searched(Verdict.DONE, reply, None, whole)


class Found(NamedTuple):
    """What became of looking for one user.

    user     as the API shows it; None when there is no such active user
    by_list  whether a list shows it, tags and all
    whole    whether the list of deactivated users was looked through, so that one who is not found is nowhere
    """

    uid: str
    user: Mapping[str, Any] | None
    listed_as: Standing
    by_list: bool
    whole: bool


async def singly(exchanger: Exchanger, uids: Sequence[str], doing: str) -> AsyncGenerator[Found, None]:
    """Look for each of these users, some at once; it ends early when the run is stopped.

    doing  what is said of the command when there is no answer

    Raises `DirectoryError` when the API does not tell.
    """
    for start in range(0, len(uids), _AT_ONCE):
        some = (_look_for(exchanger, uid, doing) for uid in uids[start : start + _AT_ONCE])
        for found in await asyncio.gather(*some):
            if found is None:
                return
            yield found


async def _look_for(exchanger: Exchanger, uid: str, doing: str) -> Found | None:
    """Look in the lists, which tell tags and who is deactivated, then by its address; None when the run was stopped."""
    request, whole = NOBODY._replace(uid=uid), False
    if exchanger.stopper.is_stopping():
        return None
    for listed_as, which in LISTS.items():
        found = await search(exchanger, request, which)
        whole = found.whole
        if found.user is not None:
            return Found(uid, found.user, listed_as, by_list=True, whole=whole)
    verdict, reply = await exchanger(Operation.READ, request)
    if verdict in {Verdict.DONE, Verdict.ABSENT}:
        user = (reply.data or {}) if verdict is Verdict.DONE else None
        return Found(uid, user, Standing.ACTIVE, by_list=False, whole=whole)
    if exchanger.stopper.is_stopping():
        return None
    why = reply.message or reply.failure
    raise DirectoryError(f"{uid}: the API does not tell how this user is ({why}); {doing}, run again")


def last_page(data: Mapping[str, Any]) -> int | None:
    """Give the number of a list's last page; None without a word on it: then there is one more to be tried."""
    total = pagination_of(data).get("total_pages")
    return total if isinstance(total, int) and total > 0 else None


def is_user(shown: Any) -> bool:
    """Whether something that the API lists can be a user."""
    return isinstance(shown, dict) and isinstance(shown.get("uid"), str)

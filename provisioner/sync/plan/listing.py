"""The app's users as the API lists them, a thousand at a time: those who are active, then those who are not."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Mapping, Sequence
from hashlib import blake2b
from typing import Any, Final, NamedTuple

import orjson

from provisioner.errors import DirectoryError
from provisioner.logs.events import get_logger
from provisioner.model import Standing
from provisioner.sending.attempts import Exchanger
from provisioner.sending.calls import NOBODY, Operation
from provisioner.sending.users.needs import PER_PAGE
from provisioner.sending.users.reading import LISTS, is_user, last_page
from provisioner.sending.verdicts import Verdict

NOTHING_CHANGED: Final = "nothing was changed"

log = get_logger()


class Page(NamedTuple):
    """One page of a list.

    listed_as  which list it is a page of: that of active users, or that of deactivated ones
    last       the number of the last page, as this one has it; null without a word on it
    """

    number: int
    listed_as: Standing
    users: Sequence[Mapping[str, Any]]
    last: int | None

    @property
    def ends(self) -> bool:
        """Whether no other page of the list follows."""
        return not self.users or (self.last is not None and self.number >= self.last)

    @property
    def whom(self) -> bytes:
        """A digest of whom it lists, in this order."""
        return blake2b(orjson.dumps([user["uid"] for user in self.users]), digest_size=16).digest()

    def repeated(self, before: int | None) -> str | None:
        """Say what is wrong when page `before` listed just the same: to an API that knows no pages there is no end.

        Pages shift while users are created, by one or a few: one user alone can stand on a last page once more.
        """
        if before is None or not self.users or (self.ends and len(self.users) == 1):
            return None
        earlier = "the page before it" if before == self.number - 1 else f"page {before}"
        return f"it is {earlier} once more"


async def pages(exchanger: Exchanger, ahead: int = 1, doing: str = NOTHING_CHANGED) -> AsyncGenerator[Page, None]:
    """Give every page of the active users, then of the deactivated ones; it ends early when the run is stopped.

    ahead  pages on the wire at once, as soon as it is known how many there are
    doing  what is said of the command when the list cannot be read

    Raises `DirectoryError` when it cannot be read whole.
    """
    for listed_as in LISTS:
        waiting: deque[asyncio.Task[Page | None]] = deque()
        page = await _page(exchanger, listed_as, 1, doing)
        following, seen = 2, dict[bytes, int]()
        try:
            while page is not None:
                yield page
                if page.ends:
                    break
                while len(waiting) < ahead and (not waiting or following <= (page.last or 0)):
                    waiting.append(asyncio.create_task(_page(exchanger, listed_as, following, doing)))
                    following += 1
                seen[page.whom] = page.number
                page = await waiting.popleft()
                if page is not None and (wrong := page.repeated(seen.get(page.whom))) is not None:
                    raise _unread(page.number, wrong, doing)
        finally:
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
        if page is None:
            return


async def _page(exchanger: Exchanger, listed_as: Standing, number: int, doing: str) -> Page | None:
    """Read one page; None when the run was stopped."""
    query = f"perPage={PER_PAGE}&page={number}&withTags=true{LISTS[listed_as]}"
    verdict, reply = await exchanger(Operation.LIST, NOBODY, query=query)
    if verdict is not Verdict.DONE:
        if exchanger.stopper.is_stopping():
            return None
        raise _unread(number, str(reply.message or reply.failure), doing)
    data = reply.data or {}
    users, last = data["items"], last_page(data)
    if not all(map(is_user, users)):
        raise _unread(number, "it lists something that is no user", doing)
    if not users and last is not None and number < last:
        raise _unread(number, f"it is empty, and {last:,} pages are promised", doing)
    return Page(number, listed_as, users, last)


def _unread(page: int, why: str, doing: str) -> DirectoryError:
    log.error("directory.unread", page=page, reason=why)
    message = f"the app's users cannot be listed: page {page} ({why}); {doing}, run again"
    return DirectoryError(message)


def standing_of(user: Mapping[str, Any], listed_as: Standing) -> Standing:
    """Say whether a user may log in, by what is shown of it and by the list that shows it."""
    return Standing.DEACTIVATED if user.get("deactivatedAt") else listed_as

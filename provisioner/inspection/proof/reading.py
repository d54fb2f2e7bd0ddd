"""The app's users, read for a proof: by pages or one by one, whichever is fewer requests.

A list shifts while it is read: users who come and go move others from one page to the next, so one can be skipped, or
be shown as it was a while ago. So whoever is missing or differs is asked for singly before that is said of anybody; the
first thousand of them, which tell by themselves when something is wrong with the list.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Final, Protocol, TypeVar

from provisioner.errors import DirectoryError
from provisioner.inspection.proof.ledger import Ledger
from provisioner.logs.events import get_logger
from provisioner.model import Standing
from provisioner.sending.attempts import Exchanger, unnoted
from provisioner.sending.calls import NOBODY, Operation
from provisioner.sending.retry import Verdict
from provisioner.sending.users.reading import search
from provisioner.sync.plan.listing import LISTS, pages

T = TypeVar("T")

SINGLY: Final = 1000
"""Users who are asked for singly at most, before it is said of them that they are missing or differ."""
NOTHING_PROVED: Final = "nothing was proved"
# Pages on the wire at once, and users who are asked for at once.
_AHEAD: Final = 4
_AT_ONCE: Final = 16

log = get_logger()


class InThread(Protocol):
    """Carries out a call in the thread of the ledger."""

    def __call__(self, call: Callable[[], T], /) -> Awaitable[T]:
        """Begin it, and wait for what it gives."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How the app was read.

    pages        that were read
    by_pages     False when users were asked for one by one
    singly       users who were asked for singly
    unconfirmed  users who are missing or differ by the list alone, because too many others do
    """

    pages: int
    by_pages: bool
    singly: int
    unconfirmed: int


async def read_app(exchanger: Exchanger, ledger: Ledger, in_thread: InThread) -> Reading | None:
    """Show the ledger everybody it expects; None when that was stopped.

    Raises `DirectoryError` when the API does not tell.
    """
    expected = await in_thread(ledger.size)
    number, by_pages = 0, True
    async with aclosing(pages(exchanger, _AHEAD, NOTHING_PROVED)) as listed:
        async for page in listed:
            await in_thread(partial(ledger.meet, page.users, page.listed_as))
            number += 1
            # What is left of the list, and a page of deactivated users, against one request for each user.
            if number == 1 and page.last is not None and expected < page.last:
                by_pages = False
                break
    asking, unconfirmed = _Asking(exchanger, ledger, in_thread), 0
    if not by_pages:
        await asking.ask_unmet()
    elif not exchanger.stopper:
        unlike, number_unlike = await in_thread(partial(_first, ledger, SINGLY))
        await asking.ask(unlike)
        unconfirmed = number_unlike - len(unlike)
    if exchanger.stopper:
        return None
    log.info("app.read", pages=number, singly=asking.asked, unconfirmed=unconfirmed, told=sorted(ledger.told))
    return Reading(number, by_pages, asking.asked, unconfirmed)


def _first(ledger: Ledger, most: int) -> tuple[list[str], int]:
    """Give the first of those who are not as expected, and how many there are."""
    unlike = (each.uid for each in ledger.unlike())
    first = list(islice(unlike, most))
    return first, len(first) + sum(1 for _ in unlike)


@dataclass(slots=True)
class _Asking:
    """Asks for users singly, some at once."""

    exchanger: Exchanger
    ledger: Ledger
    in_thread: InThread
    asked: int = 0

    async def ask_unmet(self) -> None:
        """Ask for everybody whom the app has not shown yet."""
        after = ""
        while uids := await self.in_thread(partial(self.ledger.unmet, after)):
            await self.ask(uids)
            after = uids[-1]

    async def ask(self, uids: Sequence[str]) -> None:
        """Ask for these, until the run is being stopped."""
        for start in range(0, len(uids), _AT_ONCE):
            if self.exchanger.stopper:
                return
            some = uids[start : start + _AT_ONCE]
            await asyncio.gather(*map(self._ask, some))
            self.asked += len(some)

    async def _ask(self, uid: str) -> None:
        """Look for one user: in the lists, which tell tags and who is deactivated, then by its address."""
        request, whole = NOBODY._replace(uid=uid), False
        for listed_as, which in LISTS.items():
            found = await search(self.exchanger, request, which)
            whole = found.whole
            if found.user is not None:
                await self.in_thread(partial(self.ledger.meet, [found.user], listed_as))
                return
        verdict, reply = await self.exchanger(Operation.READ, request, token=False, note=unnoted)
        if verdict is Verdict.DONE:
            await self.in_thread(partial(self.ledger.meet, [reply.data or {}], Standing.ACTIVE, by_list=False))
        elif verdict is Verdict.ABSENT:
            await self.in_thread(partial(self.ledger.lose, uid, everywhere=whole))
        elif not self.exchanger.stopper:
            why = reply.message or reply.failure
            raise DirectoryError(f"{uid}: the API does not tell how this user is ({why}); {NOTHING_PROVED}, run again")

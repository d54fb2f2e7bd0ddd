"""The app's users, read for a proof: by pages or one by one, whichever is fewer requests.

A list shifts while it is read: users who come and go move others from one page to the next, so one can be skipped, or
be shown as it was a while ago. So whoever is missing or differs is asked for singly before that is said of anybody; the
first thousand of them, which tell by themselves when something is wrong with the list.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Final

from provisioner.inspection.proof.ledger import Ledger
from provisioner.logs.events import get_logger
from provisioner.sending.attempts import Exchanger
from provisioner.sending.users.reading import SINGLY, Found, singly
from provisioner.sync.plan.listing import pages
from provisioner.threads import InThread

NOTHING_PROVED: Final = "nothing was proved"
# Pages on the wire at once.
_AHEAD: Final = 4

log = get_logger()


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
    elif not exchanger.stopper.is_stopping():
        unlike, number_unlike = await in_thread(partial(_first, ledger, SINGLY))
        await asking.ask(unlike)
        unconfirmed = number_unlike - len(unlike)
    if exchanger.stopper.is_stopping():
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
        async with aclosing(singly(self.exchanger, uids, NOTHING_PROVED)) as answers:
            async for found in answers:
                await self.in_thread(partial(self._meet, found))
                self.asked += 1

    def _meet(self, found: Found) -> None:
        if found.user is not None:
            self.ledger.meet([found.user], found.listed_as, by_list=found.by_list)
        else:
            self.ledger.lose(found.uid, everywhere=found.whole)

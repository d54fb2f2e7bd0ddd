"""Asks the app what a roster needs of it, before anything is sent: how many users there are, and which roles."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Final

from provisioner.logs.events import get_logger
from provisioner.sending.attempts import Exchanger
from provisioner.sending.calls import NOBODY, Operation
from provisioner.sending.roles import RoleCheck
from provisioner.sending.users.needs import FIRST_PAGE, Needs, count_of, needs_of
from provisioner.sending.verdicts import Verdict

# Seconds: whoever looks ahead is waiting, and nothing is lost when the app does not answer.
_PATIENCE: Final = 20.0

log = get_logger()


async def ask_needs(exchanger: Exchanger, most: int | None, creates: int, roles: Collection[str] | None) -> Needs:
    """Ask the app, a request for each question; what it does not tell is left open, with a warning.

    Arguments and answer are those of `needs_of`.
    """
    there, check, stopper = None, RoleCheck(exchanger, on=roles is not None), exchanger.stopper
    try:
        async with asyncio.timeout(_PATIENCE):
            if most is not None:
                there = await _users(exchanger)
            if not stopper.is_stopping() and any(map(check.doubtful, roles or ())):
                await check.ask()
                if stopper.stop is not None:
                    log.warning("app.not_asked", reason=stopper.stop.message)
    except TimeoutError:
        log.warning("app.not_asked", reason=f"no answer in {_PATIENCE:.0f} s")
        check.known = None
    return needs_of(there, None if stopper.is_stopping() else check.known, most, creates, roles)


async def _users(exchanger: Exchanger) -> int | None:
    verdict, reply = await exchanger(Operation.LIST, NOBODY, query=FIRST_PAGE)
    there = count_of(reply) if verdict is Verdict.DONE else None
    if there is None:
        log.warning("app.users_unknown", reason=reply.message or str(reply.failure or "its list does not tell"))
    return there

"""The life of a row that says whether its user is deactivated.

    deactivated:  as any row → created, updated ─→ on disk: its profile is there ─→ (flush) ─→ deactivate
    not:          deactivated by us before: reactivate ─→ as any row

A deactivation leaves only when it is on disk that the user is there as the row has it: after a kill the row is told for
what it is, though the API finds no user who is deactivated. Users of others are deactivated under the policy to update
them, and under no other; whom this job has deactivated comes back under any.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Any, Final

from provisioner.model import OnExisting, Outcome, Past, Settlement, State, UserRequest
from provisioner.sending.attempts import Exchanger
from provisioner.sending.calls import Operation, Reply
from provisioner.sending.life.lifecycle import Lifecycle
from provisioner.sending.life.steps import Policy
from provisioner.sending.users.failures import ANEW, DEACTIVATED, GONE, unsuccessful
from provisioner.sending.users.keeper import is_another
from provisioner.sending.users.reading import Shown, read_parted, read_user
from provisioner.sending.verdicts import Verdict

AS_SAID: Final = "the user is deactivated, as the roster says"
"""What is told of a row that asks for that."""

_LEFT_OVER: Final = "the user is there, but could not be deactivated: "
_UNFLUSHED: Final = "the user is there, but its auth tokens could not be flushed, so it is not deactivated yet: "
_GONE: Final = f"another hand has deleted the user since; {ANEW}"


@dataclass(frozen=True, slots=True)
class Parting:
    """Carries rows to their outcomes as `Lifecycle` does, and their users to the standing that the row asks for.

    confirm  records that the user of a settlement is there as the row has it; on disk when it returns
    """

    exchanger: Exchanger
    lifecycle: Lifecycle
    policy: Policy
    confirm: Callable[[Settlement], Awaitable[None]]

    def settle(self, request: UserRequest) -> Coroutine[Any, Any, Settlement]:
        """Carry one row as far as the run lasts."""
        return self.lifecycle.settle(request) if request.deactivated is None else self._settle(request)

    async def _settle(self, request: UserRequest) -> Settlement:
        past = request.past
        if past is None:
            return await self._carried_out(request, woken=False)
        made = bool(request.deactivated) and past.made
        woken = past.parted and not past.ours and not made and (self._updates or not request.deactivated)
        if not (made or woken):
            return await self._carried_out(request, woken=False)
        shown = await self._looked_up(request, away=woken)
        if shown.verdict not in {Verdict.DONE, Verdict.ABSENT}:
            return self._unsuccessful(_as_known(request, past), shown.verdict, shown.reply)
        if is_another(shown.user, past.created_at):
            # Nothing that was settled is of that one: it is looked at as if the row had been cut short.
            past = replace(past, state=State.PENDING, made=False, parted=False, withdrawn=past.ours)
            return await self._carried_out(request._replace(past=past), woken=False)
        if made:
            return await self._deactivate(request, _as_known(request, past), fresh=False)
        verdict, reply = await self.exchanger(Operation.REACTIVATE, request)
        if verdict is not Verdict.DONE:
            return self._unsuccessful(_as_known(request, past), verdict, reply)
        return await self._carried_out(request, woken=True)

    async def _looked_up(self, request: UserRequest, *, away: bool) -> Shown:
        """Read a user before anything is done to it that its own profile does not show; `away`: it is deactivated."""
        if away:
            return (await read_parted(self.exchanger, request))[0]
        return await read_user(self.exchanger, request, with_tags=False)

    async def _carried_out(self, request: UserRequest, *, woken: bool) -> Settlement:
        """Have the user be as the row has it, and then deactivated if the row says so."""
        past = request.past
        settlement = await self.lifecycle.settle(request)
        carried_out = settlement.outcome is Outcome.CREATED or (settlement.outcome is Outcome.UPDATED and self._updates)
        if not request.deactivated:
            return settlement._replace(parted=False) if woken or carried_out else settlement
        if not carried_out:
            return _said(settlement)
        await self.confirm(settlement)
        fresh = past is None and settlement.outcome is Outcome.CREATED
        return await self._deactivate(request, settlement, fresh=fresh)

    @property
    def _updates(self) -> bool:
        return self.policy.on_existing is OnExisting.UPDATE

    async def _deactivate(self, request: UserRequest, there: Settlement, *, fresh: bool) -> Settlement:
        """Deactivate a user who is there; one whom this run has just created without a token has none to flush."""
        if not fresh:
            verdict, reply = await self.exchanger(Operation.FLUSH, request)
            if verdict not in {Verdict.DONE, Verdict.ABSENT}:
                return self._unsuccessful(there, verdict, reply, _UNFLUSHED)
            there = there._replace(auth_token=None)
        verdict, reply = await self.exchanger(Operation.DEACTIVATE, request)
        if verdict is not Verdict.DONE:
            return self._unsuccessful(there, verdict, reply, _LEFT_OVER)
        done = there._replace(http_status=reply.status, settled_at=time.time(), parted=True)
        return done._replace(error_code=DEACTIVATED, error_message=AS_SAID)

    def _unsuccessful(self, there: Settlement, verdict: Verdict | None, reply: Reply, prefix: str = "") -> Settlement:
        ended = unsuccessful(there, verdict, reply, self.exchanger.max_attempts, prefix)
        return ended._replace(error_code=GONE, error_message=_GONE) if verdict is Verdict.ABSENT else ended


def _as_known(request: UserRequest, past: Past) -> Settlement:
    """Give how a row stands whose user is there for certain."""
    return Settlement(
        request.key,
        State.SETTLED,
        Outcome.CREATED if past.ours else Outcome.UPDATED,
        past.attempts,
        auth_token=past.auth_token,
        created_at=past.created_at,
        settled_at=time.time(),
        mark=past.mark,
    )


def _said(settlement: Settlement) -> Settlement:
    """Say of a user who was there and deactivated that this is what the roster asks for."""
    if settlement.outcome is Outcome.EXISTING and settlement.error_code == DEACTIVATED:
        return settlement._replace(error_message=AS_SAID)
    return settlement

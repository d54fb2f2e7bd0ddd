"""What the life of a row is made of: one request each, and what is on disk before it leaves."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import partial

from provisioner.model import FIELDS, AuthTokens, OnExisting, Past, Settlement, UserRequest
from provisioner.sending.attempts import Exchanger
from provisioner.sending.calls import Operation, Reply
from provisioner.sending.life.row import Life
from provisioner.sending.serverclock import ServerClock
from provisioner.sending.users import profile, trace
from provisioner.sending.users.failures import unsuccessful
from provisioner.sending.users.keeper import Keeper
from provisioner.sending.verdicts import Verdict
from provisioner.tally import OutcomeTally


@dataclass(frozen=True, slots=True)
class Policy:
    """What the person who runs this wants for users that are there.

    managed  the fields that the roster has a source for: what it has nothing for is emptied when a user of ours is
             brought up to date
    """

    on_existing: OnExisting = OnExisting.SKIP
    auth_tokens: AuthTokens = AuthTokens.CREATED
    managed: Collection[str] = ()

    def mints(self, *, ours: bool) -> bool:
        """Whether a user who is there is given an auth token where one is wanted and none is known."""
        return ours or self.auth_tokens is AuthTokens.ALL


def is_met(past: Past) -> bool:
    """Whether an answer has told this job of a user of others."""
    return past.was_there or past.created_at is not None


class Steps:
    """Sends the requests of a row; holds what all rows share.

    keeper  keeps what an undo will need to know; None when nothing is to be undone
    """

    def __init__(
        self,
        exchanger: Exchanger,
        policy: Policy,
        server_clock: ServerClock,
        outcomes: OutcomeTally,
        keeper: Keeper | None = None,
    ) -> None:
        self._exchanger, self._policy, self._server_clock = exchanger, policy, server_clock
        self._outcomes, self._keeper = outcomes, keeper

    async def _forget(self, life: Life) -> None:
        """Go on as with a uid that was never ours: our user is gone, and so is all that is known of it."""
        if self._keeper is not None:
            await self._keeper.begin_anew(life.request)
        life.forget()

    async def _update(self, life: Life, *, own: bool) -> tuple[Verdict | None, Reply]:
        """Send the roster's profile; what it overwrites is kept before it leaves."""
        life.own = own
        request = self._whole(life.request) if own else life.request
        if self._keeper is not None:
            past = request.past
            own = own and not (past is not None and past.before)
            verdict, reply = await self._keeper.before_update(request, own=own, shown=life.shown)
            if verdict is not Verdict.DONE:
                return verdict, reply
        return await self._exchange(Operation.UPDATE, life, request)

    def _whole(self, request: UserRequest) -> UserRequest:
        """Have a user of ours become what the roster has: what was emptied there goes, if this job had filled it."""
        filled = request.past.filled if request.past is not None else 0
        emptied = frozenset(self._policy.managed).intersection(FIELDS if filled is None else trace.names_of(filled))
        return request._replace(body=profile.emptying(request.body, emptied))

    def _unsuccessful(self, life: Life, verdict: Verdict | None, reply: Reply, prefix: str = "") -> Settlement:
        return unsuccessful(life.open(), verdict, reply, self._exchanger.max_attempts, prefix)

    async def _exchange(
        self, operation: Operation, life: Life, request: UserRequest | None = None
    ) -> tuple[Verdict | None, Reply]:
        request = life.request if request is None else request
        wants_token = operation is Operation.MINT or (operation is Operation.CREATE and request.token)
        note = partial(life.note, operation)
        verdict, reply = await self._exchanger(operation, request, token=wants_token, note=note)
        if verdict is Verdict.DONE and self._keeper is not None:
            life.believe(operation, request, reply)
        return verdict, reply

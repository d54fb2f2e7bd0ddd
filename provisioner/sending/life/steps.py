"""What the life of a row is made of: one request each, and what is on disk before it leaves."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import partial

from provisioner.model import FIELDS, AuthTokens, OnExisting, Outcome, Past, Settlement, State, UserRequest
from provisioner.sending.attempts import Exchanger
from provisioner.sending.calls import Operation, Reply
from provisioner.sending.life.row import Life
from provisioner.sending.serverclock import ServerClock
from provisioner.sending.users import profile, trace
from provisioner.sending.users.failures import unsuccessful
from provisioner.sending.users.keeper import Keeper, is_noted
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


def was_done(request: UserRequest) -> bool:
    """Whether an earlier run was done with a row for which a run has something to send again."""
    return request.change is None and request.past is not None and request.past.state is State.SETTLED


def untouched(request: UserRequest) -> Settlement:
    """Record a row as it was: it was recorded as sent and then never taken by a worker."""
    past, change = request.past, request.change
    return Settlement(
        request.key,
        State.PENDING,
        Outcome.PENDING,
        past.attempts if past else 0,
        auth_token=past.auth_token if past else None,
        created_at=past.created_at if past else None,
        doubt_since=past.doubt_since if past else None,
        live=change.before if change else None,
        filled=past.filled if past else None,
    )


def foreseen(request: UserRequest, policy: Policy) -> Iterator[Operation]:
    """Say which requests the life of a row takes when all goes well, as far as the journal tells.

    policy  what is asked now; see `lifecycle` for what follows from it
    """
    past = request.past
    if request.deactivated:
        yield Operation.DEACTIVATE
    back = past is not None and (past.withdrawn or (past.parted and request.deactivated is False))
    if back:
        yield from (Operation.LIST, Operation.REACTIVATE)
    # A user that was there before is gone on with, without a create that would only say so again.
    if past is None or not (past.withdrawn or past.ours or is_met(past)):
        yield Operation.CREATE
        return
    mints = request.token and not past.auth_token and policy.mints(ours=past.ours)
    if not past.withdrawn and (past.ours or mints or not past.was_there or policy.on_existing is not OnExisting.SKIP):
        yield Operation.READ
    if not past.ours or past.withdrawn or past.changed:
        yield from _updating(request, past, policy)
    if mints:
        yield Operation.MINT


def _updating(request: UserRequest, past: Past, policy: Policy) -> Iterator[Operation]:
    ours = past.ours or past.withdrawn
    if ours or policy.on_existing is OnExisting.UPDATE:
        sets = trace.set_by(request.body)
        if (past.before or not ours) and not is_noted(past, sets) and "tags" in sets:  # only a list shows them
            yield Operation.LIST
        yield Operation.UPDATE


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

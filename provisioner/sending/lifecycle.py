"""The life of one row, from its first request to its outcome.

    ours, deactivated by an undo: reactivate, update → created
    ours, and edited since: update ───────────────→ created
    settled as there before: as below ────────────→ existing, updated
    create ─┬─ done ──────────────────────────────→ created
            ├─ refused ───────────────────────────→ failed
            ├─ in doubt: again, up to the limit ──→ failed, still in doubt
            └─ exists ─┬─ an attempt of ours is in doubt: read it back ─┬─ ours ──→ (mint) created
                       │                                                └─ not ours ─┐
                       └─ was there before ──────────────────────────────────────────┴─→ existing, updated, failed

Every way out is a `Settlement`. When the run is stopped on the way, its state is pending: what is known stays known.
"""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from provisioner.logs.events import get_logger
from provisioner.model import AuthTokens, OnExisting, Outcome, OutcomeTally, Past, Settlement, State, UserRequest
from provisioner.sending.attempts import Exchanger
from provisioner.sending.calls import Operation, Reply
from provisioner.sending.retry import Verdict
from provisioner.sending.serverclock import ServerClock, created_since
from provisioner.sending.users import profile, trace
from provisioner.sending.users.failures import ANEW, DEACTIVATED, GONE, drifted, unsuccessful, words_of
from provisioner.sending.users.keeper import Keeper, carried, last_change, moment, shows

log = get_logger()


@dataclass(frozen=True, slots=True)
class Policy:
    """What the person who runs this wants for users that are there.

    managed  the fields that the roster has a source for: what it has nothing for is emptied when a user of ours is
             brought up to date
    """

    on_existing: OnExisting = OnExisting.SKIP
    auth_tokens: AuthTokens = AuthTokens.CREATED
    managed: Collection[str] = ()


# What is counted with the row.
_ATTEMPTS: Final = frozenset({Operation.CREATE, Operation.UPDATE})


class _Life:
    """What is known of one row while it lasts."""

    __slots__ = (
        "attempts", "besides", "carried", "clock", "created_at", "doubt_since", "doubted", "mark", "request", "token",
    )  # fmt: skip

    def __init__(self, request: UserRequest, clock: ServerClock) -> None:
        self.clock = clock
        past = request.past
        self.request = request
        self.attempts = past.attempts if past else 0
        self.doubt_since = past.doubt_since if past else None
        self.token = past.auth_token if past else None
        self.created_at = past.created_at if past else None
        self.mark = past.mark if past else None
        self.carried: bytes | None = None
        self.besides: str | None = None
        self.doubted = False

    def note(self, operation: Operation, verdict: Verdict, began: float) -> None:
        """Take in an answer to a request sent at `began` (ticks, see `ServerClock`)."""
        if operation in _ATTEMPTS:
            self.attempts += 1
        if verdict is Verdict.IN_DOUBT:
            self.doubted = self.doubted or operation is Operation.UPDATE
        if operation is Operation.CREATE and verdict is Verdict.IN_DOUBT:
            # The earliest counts, also when the server's clock was put back between two attempts.
            self.doubt_since = min(self.clock.theirs(began), math.inf if self.doubt_since is None else self.doubt_since)

    def believe(self, operation: Operation, request: UserRequest, reply: Reply) -> None:
        """Take in an answer that says what was done: when that was, by the server, and what an update left there."""
        user = reply.data or {}
        self.mark = last_change(user, self.mark)
        if operation is Operation.UPDATE:
            self.carried = carried(request.body, user)
            self.besides = trace.left_by(request.body)
            if "updatedAt" not in user and (now := self.clock.now()) is not None:
                self.mark = last_change({"updatedAt": math.ceil(now)}, self.mark)

    def settled(self, outcome: Outcome, reply: Reply | None = None, created_at: int | None = None) -> Settlement:
        return Settlement(
            self.request.key,
            State.SETTLED,
            outcome,
            self.attempts,
            http_status=reply.status if reply else None,
            auth_token=self.token,
            created_at=created_at,
            settled_at=time.time(),
            mark=self.mark,
            carried=self.carried,
            doubted=self.doubted,
            besides=self.besides,
        )

    def open(self, reply: Reply | None = None) -> Settlement:
        # Doubt outlives a failure: the next run tries again and must still be able to tell ours from others.
        return self.settled(Outcome.FAILED, reply, self.created_at)._replace(doubt_since=self.doubt_since)

    def failed(self, reply: Reply, code: str, message: str) -> Settlement:
        return self.open(reply)._replace(error_code=code, error_message=message)


class Lifecycle:
    """Carries rows to their outcomes; holds what all rows share."""

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

    def settle(self, request: UserRequest) -> Coroutine[Any, Any, Settlement]:
        """Carry one row as far as the run lasts."""
        life, past = _Life(request, self._server_clock), request.past
        if past is None:
            return self._create(life)
        if past.withdrawn:
            return self._bring_back(life)
        if past.ours:
            return self._ours(life, past)
        if past.was_there and self._policy.on_existing is not OnExisting.FAIL:
            return self._was_there_before(life, None)
        return self._create(life)

    async def _create(self, life: _Life) -> Settlement:
        request = life.request
        verdict, reply = await self._exchange(Operation.CREATE, life)
        if verdict is Verdict.DONE:
            return self._created(life, reply)
        if verdict is Verdict.EXISTS:
            if life.doubt_since is not None:
                return await self._resolve_doubt(life, life.doubt_since, reply)
            return await self._was_there_before(life, reply)
        if verdict is Verdict.REFUSED and (fields := drifted(reply)):
            self._drift(fields, request, reply)
        return self._unsuccessful(life, verdict, reply)

    async def _bring_back(self, life: _Life) -> Settlement:
        """Begin anew with a user of ours whom an undo has deactivated; one who was deleted since is created."""
        life.doubt_since = None
        verdict, reply = await self._exchange(Operation.REACTIVATE, life)
        if verdict is Verdict.ABSENT:
            if self._keeper is not None:
                await self._keeper.begin_anew(life.request)
            life.created_at = life.mark = None
            return await self._create(life)
        if verdict is Verdict.DONE:
            verdict, reply = await self._update(life, own=True)
        if verdict is Verdict.ABSENT:
            return life.failed(reply, GONE, "another hand has deactivated or deleted the user just now; run again")
        if verdict is not Verdict.DONE:
            return self._unsuccessful(life, verdict, reply)
        return await self._settle_with_token(life, Outcome.CREATED, reply, life.created_at)

    async def _update(self, life: _Life, *, own: bool) -> tuple[Verdict | None, Reply]:
        """Send the roster's profile; what it overwrites is kept before it leaves."""
        request = self._whole(life.request) if own else life.request
        if self._keeper is not None:
            past = request.past
            own = own and not (past is not None and past.before)
            verdict, reply = await self._keeper.before_update(request, own=own)
            if verdict is not Verdict.DONE:
                return verdict, reply
        return await self._exchange(Operation.UPDATE, life, request)

    def _whole(self, request: UserRequest) -> UserRequest:
        """Have a user of ours become just what the roster has: what was emptied there goes."""
        return request._replace(body=profile.emptying(request.body, self._policy.managed))

    async def _ours(self, life: _Life, past: Past) -> Settlement:
        """Bring a user of ours to what the roster has now; `--on-existing` is about the users of others."""
        life.doubt_since = None
        reply: Reply | None = None
        if past.changed or past.outcome is not Outcome.CREATED:
            verdict, reply = await self._update(life, own=True)
            if verdict is Verdict.ABSENT:
                message = "this job created the user, and another hand has deactivated or deleted it since"
                return life.failed(reply, GONE, f"{message}; reactivate it and run again, or, if it is deleted, {ANEW}")
            if verdict is not Verdict.DONE:
                return self._unsuccessful(life, verdict, reply)
            self._outcomes.edited += 1
        return await self._settle_with_token(life, Outcome.CREATED, reply, past.created_at)

    def _drift(self, fields: list[str], request: UserRequest, reply: Reply) -> None:
        """Note that the API is stricter than our rules; logged once for each field."""
        drift = self._outcomes.drift
        if news := [field for field in fields if field not in drift]:
            log.warning("rules.drift", fields=news, row=request.row, status=reply.status, said=words_of(reply))
        drift.update(fields)

    def _created(self, life: _Life, reply: Reply) -> Settlement:
        data = reply.data or {}
        if life.request.token:
            life.token = data["authToken"]
        return life.settled(Outcome.CREATED, reply, _created_at(reply))

    async def _resolve_doubt(self, life: _Life, since: float, exists: Reply) -> Settlement:
        """Tell whether the user that is there came from an attempt of ours whose answer was lost."""
        verdict, reply = await self._exchange(Operation.READ, life)
        if verdict is Verdict.ABSENT:
            return self._deactivated(life, exists)
        if verdict is not Verdict.DONE:
            return self._unsuccessful(life, verdict, reply)
        created_at = _created_at(reply)
        if not created_since(created_at, since):
            return await self._was_there_before(life, exists, created_at)
        unsure = life.request.past is not None and life.request.past.edited
        whole = self._whole(life.request).body
        edited = unsure and not shows(whole, reply.data or {})
        life.besides = trace.left_by(whole) if unsure else None
        if edited or self._policy.on_existing is OnExisting.UPDATE:
            # What went out before the kill is not what the roster holds now. And who is to be updated whoever created
            # it, is: in doubt, a stranger's user can be taken for ours.
            verdict, reply = await self._update(life, own=True)
            if verdict is not Verdict.DONE:
                return self._unsuccessful(life, verdict, reply)
            self._outcomes.edited += edited
        return await self._settle_with_token(life, Outcome.CREATED, reply, created_at)

    async def _was_there_before(self, life: _Life, exists: Reply | None, created_at: int | None = None) -> Settlement:
        """Do what `--on-existing` asks for a user that some other hand created, or that we have settled before."""
        life.doubt_since, past = None, life.request.past
        created_at = life.created_at if created_at is None else created_at
        match self._policy.on_existing:
            case OnExisting.FAIL:
                message = "the uid exists already, and --on-existing is fail"
                return life.failed(exists or Reply(), "ERR_UID_ALREADY_EXISTS", message)
            case OnExisting.SKIP:
                as_updated = past is not None and past.outcome is Outcome.UPDATED and not past.changed
                outcome = Outcome.UPDATED if as_updated else Outcome.EXISTING
                return await self._settle_with_token(life, outcome, exists, created_at)
        verdict, reply = await self._update(life, own=False)
        if verdict is Verdict.ABSENT:
            return self._deactivated(life, reply)
        if verdict is not Verdict.DONE:
            return self._unsuccessful(life, verdict, reply)
        return await self._settle_with_token(life, Outcome.UPDATED, reply, _created_at(reply) or created_at)

    async def _settle_with_token(
        self, life: _Life, outcome: Outcome, reply: Reply | None, created_at: int | None
    ) -> Settlement:
        """Settle a row whose create gave no token; mint one if it is wanted and none was ever recorded."""
        everyone = self._policy.auth_tokens is AuthTokens.ALL
        if not life.request.token or life.token or not (everyone or outcome is Outcome.CREATED):
            return life.settled(outcome, reply, created_at)
        verdict, minted = await self._exchange(Operation.MINT, life)
        if verdict is Verdict.ABSENT and outcome is not Outcome.CREATED:
            return self._deactivated(life, minted)
        if verdict is not Verdict.DONE:
            return self._unsuccessful(life, verdict, minted, "the user is there, but no auth token could be minted: ")
        life.token = (minted.data or {})["authToken"]
        return life.settled(outcome, minted, created_at)

    def _deactivated(self, life: _Life, reply: Reply) -> Settlement:
        message = (
            "the uid belongs to a deactivated user; reactivate it, or delete it for good and feed this row in anew"
        )
        if self._policy.on_existing is OnExisting.FAIL:
            return life.failed(reply, DEACTIVATED, message)
        return life.settled(Outcome.EXISTING, reply)._replace(error_code=DEACTIVATED, error_message=message)

    def _unsuccessful(self, life: _Life, verdict: Verdict | None, reply: Reply, prefix: str = "") -> Settlement:
        return unsuccessful(life.open(), verdict, reply, self._exchanger.max_attempts, prefix)

    async def _exchange(
        self, operation: Operation, life: _Life, request: UserRequest | None = None
    ) -> tuple[Verdict | None, Reply]:
        request = life.request if request is None else request
        wants_token = operation is Operation.MINT or (operation is Operation.CREATE and request.token)
        note = partial(life.note, operation)
        verdict, reply = await self._exchanger(operation, request, token=wants_token, note=note)
        if verdict is Verdict.DONE and self._keeper is not None:
            life.believe(operation, request, reply)
        return verdict, reply


def _created_at(reply: Reply) -> int | None:
    return moment(reply.data or {}, "createdAt")

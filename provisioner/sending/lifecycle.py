"""The life of one row, from its first request to its outcome.

    ours, deactivated by an undo: read ─┬─ not deleted since: reactivate, update → created
                                        └─ made anew by another hand: as below ──→ existing, updated, failed
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

from provisioner.model import AuthTokens, OnExisting, Outcome, OutcomeTally, Past, Settlement, State, UserRequest
from provisioner.sending.attempts import Exchanger
from provisioner.sending.calls import Operation, Reply
from provisioner.sending.retry import Verdict
from provisioner.sending.serverclock import ServerClock, created_since
from provisioner.sending.users import failures, profile, trace
from provisioner.sending.users.failures import note_drift, unsuccessful
from provisioner.sending.users.keeper import Keeper, carried, changed_after, last_change, moment, shows
from provisioner.sending.users.reading import Shown, read_parted, read_user


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
            return self._bring_back(life, past)
        if past.ours:
            return self._ours(life, past)
        if past.was_there and self._policy.on_existing is not OnExisting.FAIL:
            return self._was_there_before(life, None)
        return self._create(life)

    async def _create(self, life: _Life) -> Settlement:
        verdict, reply = await self._exchange(Operation.CREATE, life)
        if verdict is Verdict.DONE:
            return self._created(life, reply)
        if verdict is Verdict.EXISTS:
            if life.doubt_since is not None:
                return await self._resolve_doubt(life, life.doubt_since, reply)
            return await self._was_there_before(life, reply)
        if verdict is Verdict.REFUSED:
            note_drift(self._outcomes.drift, life.request.row, reply)
        return self._unsuccessful(life, verdict, reply)

    async def _bring_back(self, life: _Life, past: Past) -> Settlement:
        """Begin anew with a user of ours whom an undo has deactivated, if it is that user still."""
        shown, away = await read_parted(self._exchanger, life.request)
        if shown.verdict is Verdict.ABSENT:
            # A list may be behind: that a user is deleted is only believed of a request about the user itself.
            verdict, reply = await self._exchange(Operation.REACTIVATE, life)
            if verdict is Verdict.ABSENT:
                await self._forget(life)
                return await self._create(life)
            if verdict is not Verdict.DONE:
                return self._unsuccessful(life, verdict, reply)
            shown = await read_user(self._exchanger, life.request, with_tags=False)
        if shown.verdict is not Verdict.DONE:
            return self._unsuccessful(life, shown.verdict, shown.reply)
        created_at = moment(shown.user, "createdAt")
        if None not in (created_at, life.created_at) and created_at != life.created_at:
            await self._forget(life)
            if away:
                return self._deactivated(life, shown.reply)
            return await self._was_there_before(life, shown.reply, created_at)
        return await self._awake(life, shown, away=away, by_hand=self._by_hand(life, past, shown, away=away))

    def _by_hand(self, life: _Life, past: Past, shown: Shown, *, away: bool) -> bool:
        """Whether a user of ours is as another hand has made it, and nothing asks for it to be otherwise."""
        # Once something of ours may have left, a change may be our own.
        if past.begun or past.changed or self._policy.on_existing is OnExisting.UPDATE:
            return False
        return changed_after(shown.user, life.created_at if life.mark is None else life.mark, away=away)

    async def _awake(self, life: _Life, shown: Shown, *, away: bool, by_hand: bool) -> Settlement:
        """Have a user of ours be active and, unless another hand has changed it, as the roster has it."""
        verdict, reply, mark = shown.verdict, shown.reply, life.mark
        if not by_hand and self._keeper is not None:
            await self._keeper.begin_back(life.request)
        if away:
            verdict, reply = await self._exchange(Operation.REACTIVATE, life)
        if verdict is Verdict.DONE and not by_hand:
            verdict, reply = await self._update(life, own=True)
        if verdict is Verdict.ABSENT:
            return life.failed(reply, *failures.JUST_GONE)
        if verdict is not Verdict.DONE:
            return self._unsuccessful(life, verdict, reply)
        there = await self._settle_with_token(life, Outcome.CREATED, reply, life.created_at)
        told = by_hand and there.outcome is Outcome.CREATED
        return failures.told(there, failures.LEFT_ALONE)._replace(mark=mark) if told else there

    async def _forget(self, life: _Life) -> None:
        """Go on as with a uid that was never ours: our user is gone, and so is all that is known of it."""
        if self._keeper is not None:
            await self._keeper.begin_anew(life.request)
        life.created_at = life.mark = life.token = life.doubt_since = None
        life.request = life.request._replace(past=None)

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
                return life.failed(reply, *failures.LOST)
            if verdict is not Verdict.DONE:
                return self._unsuccessful(life, verdict, reply)
            self._outcomes.edited += 1
        return await self._settle_with_token(life, Outcome.CREATED, reply, past.created_at)

    def _created(self, life: _Life, reply: Reply) -> Settlement:
        data = reply.data or {}
        if life.request.token:
            life.token = data["authToken"]
        return life.settled(Outcome.CREATED, reply, moment(reply.data or {}, "createdAt"))

    async def _resolve_doubt(self, life: _Life, since: float, exists: Reply) -> Settlement:
        """Tell whether the user that is there came from an attempt of ours whose answer was lost."""
        verdict, reply = await self._exchange(Operation.READ, life)
        if verdict is Verdict.ABSENT:
            return self._deactivated(life, exists)
        if verdict is not Verdict.DONE:
            return self._unsuccessful(life, verdict, reply)
        created_at = moment(reply.data or {}, "createdAt")
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
                return life.failed(exists or Reply(), *failures.THERE)
            case OnExisting.SKIP:
                as_updated = past is not None and past.outcome is Outcome.UPDATED and not past.changed
                outcome = Outcome.UPDATED if as_updated else Outcome.EXISTING
                return await self._settle_with_token(life, outcome, exists, created_at)
        verdict, reply = await self._update(life, own=False)
        if verdict is Verdict.ABSENT:
            return self._deactivated(life, reply)
        if verdict is not Verdict.DONE:
            return self._unsuccessful(life, verdict, reply)
        return await self._settle_with_token(
            life, Outcome.UPDATED, reply, moment(reply.data or {}, "createdAt") or created_at
        )

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
        if self._policy.on_existing is OnExisting.FAIL:
            return life.failed(reply, *failures.TAKEN)
        return failures.told(life.settled(Outcome.EXISTING, reply), failures.TAKEN)

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

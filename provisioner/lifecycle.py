"""The life of one row, from its first request to its outcome.

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
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from provisioner.client import ServerClock
from provisioner.model import (
    AuthTokens,
    OnExisting,
    Operation,
    Outcome,
    Reply,
    Settlement,
    State,
    Stop,
    Tally,
    UserRequest,
)
from provisioner.pacing import Pacing
from provisioner.retry import Verdict, Waits, backoff, judge, stop
from provisioner.stopper import Stopper

Send = Callable[[Operation, UserRequest], Awaitable[Reply]]

DEACTIVATED = "deactivated"
IN_DOUBT = "in_doubt"


@dataclass(frozen=True, slots=True)
class Policy:
    """What the person who runs this wants.

    max_attempts       answers in doubt per operation and run before a row is given up
    unreachable_after  seconds without a single connection before the run ends
    """

    on_existing: OnExisting = OnExisting.SKIP
    auth_tokens: AuthTokens = AuthTokens.CREATED
    max_attempts: int = 8
    unreachable_after: float = 60.0


class _Life:
    """What is known of one row while it lasts."""

    __slots__ = ("attempts", "doubt_since", "request", "token")

    def __init__(self, request: UserRequest) -> None:
        past = request.past
        self.request = request
        self.attempts = past.attempts if past else 0
        self.doubt_since = past.doubt_since if past else None
        self.token = past.auth_token if past else None

    def unsettled(self) -> Settlement:
        return Settlement(
            self.request.key,
            State.PENDING,
            Outcome.PENDING,
            self.attempts,
            auth_token=self.token,
            doubt_since=self.doubt_since,
        )

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
        )

    def failed(self, reply: Reply, code: str, message: str) -> Settlement:
        # Doubt outlives a failure: the next run tries again and must still be able to tell ours from others.
        return Settlement(
            self.request.key,
            State.SETTLED,
            Outcome.FAILED,
            self.attempts,
            http_status=reply.status,
            error_code=code,
            error_message=message,
            auth_token=self.token,
            settled_at=time.time(),
            doubt_since=self.doubt_since,
        )


class Reach:
    """Ends the run when nothing gets through for a while.

    after  seconds
    """

    def __init__(self, after: float, stopper: Stopper) -> None:
        self._after, self._stopper = after, stopper
        self._silent_since: float | None = None

    def contact(self) -> None:
        """Note that a connection was made."""
        self._silent_since = None

    def none(self, reply: Reply, now: float) -> None:
        """No connection could be made; `now` is monotonic seconds."""
        if self._silent_since is None:
            self._silent_since = now
        elif now - self._silent_since >= self._after:
            said = (
                f"the API could not be reached for {self._after:.0f} s; check the network and the base URL, then resume"
            )
            self._stopper.request(Stop("unreachable", f"{said} ({reply.message})", 4))


class Lifecycle:
    """Carries rows to their outcomes; holds what all rows share."""

    def __init__(
        self,
        *,
        send: Send,
        pacing: Pacing,
        stopper: Stopper,
        policy: Policy,
        waits: Waits,
        tally: Tally,
        server_clock: ServerClock,
        jitter: Callable[[], float],
    ) -> None:
        self._send, self._pacing, self._stopper = send, pacing, stopper
        self._policy, self._waits, self._tally = policy, waits, tally
        self._server_clock, self._jitter = server_clock, jitter
        self._reach = Reach(policy.unreachable_after, stopper)

    async def settle(self, request: UserRequest) -> Settlement:
        """Carry one row as far as the run lasts."""
        life = _Life(request)
        if request.past is not None and request.past.changed:
            return await self._was_there_before(life, None)
        verdict, reply = await self._exchange(Operation.CREATE, life)
        if verdict is Verdict.DONE:
            return self._created(life, reply)
        if verdict is Verdict.EXISTS:
            if life.doubt_since is not None:
                return await self._resolve_doubt(life, life.doubt_since, reply)
            return await self._was_there_before(life, reply)
        if verdict is Verdict.REFUSED and reply.status in {400, 413, 422}:
            self._tally.drift += 1
        return self._unsuccessful(life, verdict, reply)

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
        # Both are the server's time, and `theirs` is never late, so a user of ours is never taken for another's.
        if created_at is None or created_at < math.floor(self._server_clock.theirs(since)):
            return await self._was_there_before(life, exists, created_at)
        return await self._settle_with_token(life, Outcome.CREATED, reply, created_at)

    async def _was_there_before(self, life: _Life, exists: Reply | None, created_at: int | None = None) -> Settlement:
        """Do what `--on-existing` asks for a user that some other hand created, or that we have settled before."""
        life.doubt_since = None
        if created_at is None and life.request.past is not None:
            created_at = life.request.past.created_at
        match self._policy.on_existing:
            case OnExisting.FAIL:
                said = "the uid exists already, and --on-existing is fail"
                return life.failed(exists or Reply(), "ERR_UID_ALREADY_EXISTS", said)
            case OnExisting.SKIP:
                return await self._settle_with_token(life, Outcome.EXISTING, exists, created_at)
        verdict, reply = await self._exchange(Operation.UPDATE, life)
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
        if verdict is Verdict.ABSENT:
            return self._deactivated(life, minted)
        if verdict is not Verdict.DONE:
            return self._unsuccessful(life, verdict, minted, "the user is there, but no auth token could be minted: ")
        life.token = (minted.data or {})["authToken"]
        return life.settled(outcome, minted, created_at)

    def _deactivated(self, life: _Life, reply: Reply) -> Settlement:
        life.doubt_since = None
        said = "the uid belongs to a deactivated user; reactivate it or delete it for good, then run again"
        return Settlement(
            life.request.key,
            State.SETTLED,
            Outcome.EXISTING,
            life.attempts,
            http_status=reply.status,
            error_code=DEACTIVATED,
            error_message=said,
            auth_token=life.token,
            settled_at=time.time(),
        )

    def _unsuccessful(self, life: _Life, verdict: Verdict | None, reply: Reply, prefix: str = "") -> Settlement:
        match verdict:
            case None | Verdict.STOP:
                return life.unsettled()
            case Verdict.IN_DOUBT:
                tries = self._policy.max_attempts
                said = f"{prefix}no believable answer in {tries} attempts ({reply.failure or reply.message}); run again"
                return life.failed(reply, reply.code or IN_DOUBT, said)
            case _:
                return life.failed(reply, reply.code or f"HTTP_{reply.status}", prefix + _words(reply))

    async def _exchange(self, operation: Operation, life: _Life) -> tuple[Verdict | None, Reply]:
        """Send until there is an answer to go by; the verdict is None when the run was stopped before that."""
        answers = missed = 0
        while await self._pacing.slot(operation.budget) and not self._stopper:
            if answers or missed:
                self._tally.retries += 1
            began = time.time()
            self._count_request()
            reply = await self._send(operation, life.request)
            wants_token = operation is Operation.MINT or (operation is Operation.CREATE and life.request.token)
            verdict = judge(operation, reply, life.request.uid, token=wants_token)
            self._pacing.saw(operation.budget, reply, limited=verdict is Verdict.LIMITED)
            if verdict is Verdict.LIMITED:
                self._tally.rate_limited += 1
                continue
            if verdict is Verdict.UNREACHED:
                missed += 1
                self._reach.none(reply, time.monotonic())
                await self._stopper.nap(backoff(missed, self._waits, self._jitter()))
                continue
            self._reach.contact()
            answers += 1
            self._note(operation, verdict, life, began)
            if verdict is Verdict.STOP:
                self._stopper.request(stop(reply))
            if verdict is not Verdict.IN_DOUBT or answers >= self._policy.max_attempts:
                return verdict, reply
            await self._stopper.nap(backoff(answers, self._waits, self._jitter()))
        return None, Reply()

    def _count_request(self) -> None:
        tally, now = self._tally, time.monotonic()
        tally.requests += 1
        tally.last_request = now
        if tally.first_request is None:
            tally.first_request = now

    def _note(self, operation: Operation, verdict: Verdict, life: _Life, began: float) -> None:
        if operation in {Operation.CREATE, Operation.UPDATE}:
            life.attempts += 1
        if operation is Operation.CREATE and verdict is Verdict.IN_DOUBT and life.doubt_since is None:
            life.doubt_since = began


def _created_at(reply: Reply) -> int | None:
    value = (reply.data or {}).get("createdAt")
    return int(value) if isinstance(value, int | float) else None


def _words(reply: Reply) -> str:
    """Say what the server said, its details included."""
    said = reply.message or ""
    if not reply.details:
        return said
    fields = []
    for field, sentences in reply.details.items():
        text = " ".join(map(str, sentences)) if isinstance(sentences, list) else str(sentences)
        fields.append(f"{field}: {text}")
    return f"{said} [{'; '.join(fields)}]"[:500]

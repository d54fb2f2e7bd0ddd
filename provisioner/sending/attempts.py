"""One operation until there is an answer to go by: waiting for leave to send, sending, judging, trying again."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from provisioner.errors import ExitCode
from provisioner.logs.events import get_logger
from provisioner.model import UserRequest
from provisioner.sending.calls import NOBODY, Failure, Operation, Reply, unbelieved
from provisioner.sending.pacing import Pacing
from provisioner.sending.retry import Waits, backoff, stop
from provisioner.sending.serverclock import ServerClock
from provisioner.sending.verdicts import Verdict, judge
from provisioner.stop import Stop, Stopper
from provisioner.tally import RequestTally

Send = Callable[[Operation, UserRequest, str], Awaitable[Reply]]
"""`Client.send`: an operation, the user it is about, and a query string for those that take one."""

Note = Callable[[Verdict, float], None]

Trace = Callable[[Operation, UserRequest, Verdict, Reply], None]

Guard = Callable[[UserRequest], Awaitable[Reply | None]]
"""Counts an auth token that is to be minted; what is told instead when there are to be no more of them."""

log = get_logger()


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

    def giving_up_in(self, now: float) -> float | None:
        """Seconds until the run ends when nothing gets through meanwhile; None as long as something does."""
        return None if self._silent_since is None else max(0.0, self._silent_since + self._after - now)

    def none(self, reply: Reply, now: float) -> None:
        """No connection could be made; `now` is monotonic seconds."""
        if self._silent_since is None:
            self._silent_since = now
            log.warning("api.unreachable", reason=reply.message, giving_up_in=self._after)
        elif now - self._silent_since >= self._after:
            self._stopper.request(Stop("unreachable", self._sentence(reply), ExitCode.API))

    def _sentence(self, reply: Reply) -> str:
        if reply.failure is Failure.PROXY:
            return f"{reply.message}, then resume (nothing got through for {self._after:.0f} s)"
        todo = "check the network and the base URL, then resume"
        return f"the API could not be reached for {self._after:.0f} s; {todo} ({reply.message})"


# A stop at a request that never left; it does not count.
_NEVER_LEFT: Final = frozenset({Failure.BARRED, Failure.UNTRUSTED})


def _left(verdict: Verdict, reply: Reply) -> Verdict:
    """Say what an answer leaves of its row: it is in doubt where the run stops at an answer that is not the API's."""
    unproven = verdict is Verdict.STOP and reply.failure is None and not reply.own
    return Verdict.IN_DOUBT if unproven else verdict


def unnoted(_verdict: Verdict, _began: float) -> None:
    """Take no note of an answer: of an operation that leaves nothing in doubt, such as one that reads."""


@dataclass(frozen=True, slots=True)
class Exchanger:
    """Carries out operations; what all rows share on their way to the network.

    jitter        gives numbers in [0, 1)
    max_attempts  answers in doubt before an operation is given up for this run
    trace         told of every reply and what it was taken for; None when nobody wants to know
    guard         asked before each mint; None when nobody counts them
    key_origin    where the API key came from, for whoever has to mend it
    """

    send: Send
    pacing: Pacing
    stopper: Stopper
    requests: RequestTally
    waits: Waits
    reach: Reach
    jitter: Callable[[], float]
    max_attempts: int = 8
    trace: Trace | None = None
    guard: Guard | None = None
    key_origin: str = ""

    async def __call__(
        self, operation: Operation, request: UserRequest, *, token: bool = False, note: Note = unnoted, query: str = ""
    ) -> tuple[Verdict | None, Reply]:
        """Send until there is an answer to go by; the verdict is None when the run was stopped before that.

        token  whether the answer has to hold an auth token
        note   called with what each answer leaves of the row, and when its request left (ticks, see `ServerClock`)
        query  of the address, for operations that take one
        """
        answers = missed = 0
        if operation is Operation.MINT and (refusal := await self._refusal(request)) is not None:
            return Verdict.REFUSED, refusal
        budget = operation.budget
        # A slot that is free takes no turn of the loop.
        while (ticket := self.pacing.slot_now(budget) or await self.pacing.slot(budget)) and self.stopper.stop is None:
            began = time.monotonic()
            self.requests.add(began, again=answers > 0)
            self.requests.on_wire += 1
            try:
                reply = await self.send(operation, request, query)
            finally:
                self.requests.on_wire -= 1
                self.pacing.answered(budget, ticket)
            verdict, reply = self._judged(operation, request, reply, token=token)
            self.pacing.learn(budget, reply, limited=verdict is Verdict.LIMITED)
            if verdict is Verdict.UNREACHED:
                self.requests.take_back(again=answers > 0)
                missed += 1
                self.reach.none(reply, time.monotonic())
                await self.stopper.nap(backoff(missed, self.waits, self.jitter()))
                continue
            self.reach.contact()
            if verdict is Verdict.LIMITED:
                self.requests.rate_limited += 1
                continue
            answers += 1
            note(_left(verdict, reply), began)
            if verdict is Verdict.STOP:
                if reply.failure in _NEVER_LEFT:
                    self.requests.take_back(again=answers > 1)
                self.stopper.request(stop(reply, self.key_origin))
            if verdict is not Verdict.IN_DOUBT or answers >= self.max_attempts:
                return verdict, reply
            if operation is Operation.MINT and (refusal := await self._refusal(request)) is not None:
                return Verdict.REFUSED, refusal
            await self.stopper.nap(backoff(answers, self.waits, self.jitter()))
        return None, Reply()

    def _judged(
        self, operation: Operation, request: UserRequest, reply: Reply, *, token: bool
    ) -> tuple[Verdict, Reply]:
        """Say what a reply means, give it the reason where it is not believed, and have it traced."""
        verdict = judge(operation, reply, request.uid, token=token)
        if (verdict is Verdict.IN_DOUBT or verdict is Verdict.REFUSED) and reply.data is not None:
            reply = reply._replace(message=unbelieved(operation, reply, request.uid))
        if self.trace is not None:
            self.trace(operation, request, verdict, reply)
        return verdict, reply

    async def _refusal(self, request: UserRequest) -> Reply | None:
        """Give why no token is minted; a mint whose answer is in doubt may have been carried out, and counts."""
        return await self.guard(request) if self.guard is not None else None


async def server_time(exchanger: Exchanger, clock: ServerClock) -> float | None:
    """Give the server's time (UNIX seconds), asked for once when no answer has told it; None when that ends the run.

    No create may leave before it is known: only the server's own time can tell later whether a user is of that create.
    """
    if clock.now() is None and not exchanger.stopper.is_stopping():
        verdict, reply = await exchanger(Operation.PROBE, NOBODY)
        if clock.now() is None and verdict is not None:
            why = reply.message or str(reply.failure or reply.status)
            message = f"the API has not told its time, without which nothing can be sent safely ({why}); run again"
            exchanger.stopper.request(Stop("no_time", message, ExitCode.API))
    return clock.now()

"""One operation until it has a usable answer: wait for a slot, send, judge the reply, retry."""

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
"""`Client.send`: takes an operation, the user it concerns, and the query string of operations that have one."""

Note = Callable[[Verdict, float], None]

Trace = Callable[[Operation, UserRequest, Verdict, Reply], None]

Guard = Callable[[UserRequest], Awaitable[Reply | None]]
"""Counts an auth token before it is minted; returns a refusal when no more tokens may be minted, else None."""

log = get_logger()


class OutageTimer:
    """Stops the run when the API has been unreachable for `after` seconds."""

    def __init__(self, after: float, stopper: Stopper) -> None:
        self._after, self._stopper = after, stopper
        self._unreachable_since: float | None = None

    def reset(self) -> None:
        """Record that a connection was made."""
        self._unreachable_since = None

    def giving_up_in(self, now: float) -> float | None:
        """Return the seconds until the run is stopped unless a connection is made; None while the API is reachable."""
        return None if self._unreachable_since is None else max(0.0, self._unreachable_since + self._after - now)

    def failed(self, reply: Reply, now: float) -> None:
        """Record that no connection could be made at `now` (monotonic seconds); stop the run if that lasts too long."""
        if self._unreachable_since is None:
            self._unreachable_since = now
            log.warning("api.unreachable", reason=reply.message, giving_up_in=self._after)
        elif now - self._unreachable_since >= self._after:
            self._stopper.request(Stop("unreachable", self._message(reply), ExitCode.API))

    def _message(self, reply: Reply) -> str:
        if reply.failure is Failure.PROXY:
            return f"{reply.message}, then resume (nothing got through for {self._after:.0f} s)"
        todo = "check the network and the base URL, then resume"
        return f"the API could not be reached for {self._after:.0f} s; {todo} ({reply.message})"


# Failures that stop the run before the request was sent; such a request is not counted.
_NEVER_SENT: Final = frozenset({Failure.BARRED, Failure.UNTRUSTED})


def _for_row(verdict: Verdict, reply: Reply) -> Verdict:
    """Return what a verdict means for the row: in doubt if the run stops at an answer that is not the API's own."""
    unproven = verdict is Verdict.STOP and reply.failure is None and not reply.own
    return Verdict.IN_DOUBT if unproven else verdict


def unnoted(_verdict: Verdict, _began: float) -> None:
    """Ignore an answer: the default `note`, for operations that leave nothing in doubt, such as reads."""


@dataclass(frozen=True, slots=True)
class Exchanger:
    """Sends operations until they have an answer; shared by all rows.

    jitter        returns random numbers in [0, 1)
    max_attempts  answers in doubt after which an operation is given up for this run
    trace         called with every reply and its verdict; None for no tracing
    guard         called before each mint; None if mints are not limited
    key_origin    where the API key came from, for the message about a key that is not accepted
    """

    send: Send
    pacing: Pacing
    stopper: Stopper
    requests: RequestTally
    waits: Waits
    outage: OutageTimer
    jitter: Callable[[], float]
    max_attempts: int = 8
    trace: Trace | None = None
    guard: Guard | None = None
    key_origin: str = ""

    async def __call__(
        self, operation: Operation, request: UserRequest, *, token: bool = False, note: Note = unnoted, query: str = ""
    ) -> tuple[Verdict | None, Reply]:
        """Send until there is a usable answer. The verdict is None if the run was stopped before that.

        token  whether the answer has to hold an auth token
        note   called for each answer with what it means for the row, and when its request was sent (ticks, see
               `ServerClock`)
        query  query string, for operations that take one
        """
        answers = unreached = 0
        if operation is Operation.MINT and (refusal := await self._refusal(request)) is not None:
            return Verdict.REFUSED, refusal
        budget = operation.budget
        # A slot that is available costs no turn of the event loop.
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
                unreached += 1
                self.outage.failed(reply, time.monotonic())
                await self.stopper.nap(backoff(unreached, self.waits, self.jitter()))
                continue
            self.outage.reset()
            if verdict is Verdict.LIMITED:
                self.requests.rate_limited += 1
                continue
            answers += 1
            note(_for_row(verdict, reply), began)
            if verdict is Verdict.STOP:
                if reply.failure in _NEVER_SENT:
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
        """Judge a reply, and trace it. A reply that is not believed gets the reason as its message."""
        verdict = judge(operation, reply, request.uid, token=token)
        if (verdict is Verdict.IN_DOUBT or verdict is Verdict.REFUSED) and reply.data is not None:
            reply = reply._replace(message=unbelieved(operation, reply, request.uid))
        if self.trace is not None:
            self.trace(operation, request, verdict, reply)
        return verdict, reply

    async def _refusal(self, request: UserRequest) -> Reply | None:
        """Return why no token may be minted, else None. A mint in doubt may have succeeded, so each attempt counts."""
        return await self.guard(request) if self.guard is not None else None


async def server_time(exchanger: Exchanger, clock: ServerClock) -> float | None:
    """Return the server's time (UNIX seconds), sending a probe if no answer has shown it; None if that stops the run.

    No create may be sent before the time is known: only the server's own time shows later whether a user was made by
    that create.
    """
    if clock.now() is None and not exchanger.stopper.is_stopping():
        verdict, reply = await exchanger(Operation.PROBE, NOBODY)
        if clock.now() is None and verdict is not None:
            why = reply.message or str(reply.failure or reply.status)
            message = f"the API has not told its time, without which nothing can be sent safely ({why}); run again"
            exchanger.stopper.request(Stop("no_time", message, ExitCode.API))
    return clock.now()

"""The life of one change of a sync, from its first request to its outcome.

    create      as in a run; a user that is there already is brought up to date, a deactivated one reactivated first
    update      PUT; when nobody active has the uid any more: reactivate, else create
    reactivate  PUT uidsToActivate, then update if the profile changed; when there is no such user: create
    deactivate  DELETE auth_tokens, unless sessions are kept, then DELETE uidsToDeactivate; never deleted

Whoever turned out to be ours when it was in no roster any more, and comes back, is told as created. Who comes back gets
a token in place of the one that was lost or flushed.

All but the create are idempotent, so after a kill or a lost answer they are simply done again. Auth tokens are flushed
while the user is active: the API does not find one that is deactivated. So a deactivation leaves only when no token is
left, and whoever is found deactivated after an attempt of ours has none.

What is known of the user goes with the settlement: as before when the change was refused, as it should be when it was
carried out, nothing when that is in doubt.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from provisioner.model import Action, Change, Live, Outcome, Past, Settlement, Standing, State, UserRequest
from provisioner.sending.attempts import Exchanger
from provisioner.sending.calls import Operation, Reply
from provisioner.sending.life.lifecycle import Lifecycle
from provisioner.sending.users import profile, trace
from provisioner.sending.users.failures import DEACTIVATED, GONE, unsuccessful
from provisioner.sending.users.keeper import moment
from provisioner.sending.verdicts import Verdict
from provisioner.sync.plan.guards import option_of_plan

SESSIONS_UNKNOWN = "sessions_unknown"
_FOUND_DEACTIVATED = (
    "another hand had deactivated the user, and the API finds no auth tokens of one that is deactivated: whether any "
    "are left is not known"
)
_UNMINTED = "the user is there, but no auth token could be minted in place of the one that is gone: "
_UNFLUSHED = "the auth tokens could not be flushed, so the user is not deactivated yet ({} does without): "


class _Course:
    """What is known of one change while it lasts."""

    __slots__ = ("attempts", "doubt", "flushed", "planned", "request")

    def __init__(self, request: UserRequest, planned: Change) -> None:
        self.request, self.planned = request, planned
        self.attempts = 0
        self.doubt = False
        # Whether the auth tokens are gone: a flush was carried out, or may have been (None).
        self.flushed: bool | None = False

    @property
    def token(self) -> str | None:
        """The auth token that is known of the user, unless it may have been flushed."""
        past = self.request.past
        return past.auth_token if past and self.flushed is False else None

    @property
    def unsettled(self) -> Settlement:
        """What there is to record of it as long as it has no outcome."""
        past = self.request.past
        created_at = past.created_at if past else None
        unsettled = Settlement(self.request.key, State.PENDING, Outcome.PENDING, self.attempts)
        return unsettled._replace(auth_token=self.token, created_at=created_at)

    def note(self, verdict: Verdict, _: float) -> None:
        """Take in an answer: what one in doubt leaves open, only one that tells how things stand can close."""
        self.attempts += 1
        self.doubt = verdict is Verdict.IN_DOUBT or (self.doubt and verdict in {Verdict.REFUSED, Verdict.STOP})


def anew(request: UserRequest) -> UserRequest:
    """Forget what is known of a user that is gone: the one that takes its place has no fate, token or doubt yet."""
    past = request.past
    if past is None:
        return request
    nothing = Past(State.PENDING, Outcome.PENDING, past.attempts)
    return request._replace(past=nothing)


def _untold(past: Past | None) -> bool:
    """Tell whether a user is ours and no answer ever told of it: its token is lost, and it stood in no results."""
    return past is not None and past.ours and past.auth_token is None and past.created_at is None


def _made_of(request: UserRequest) -> Live:
    """Give what is known of a user who is created: its body, and nothing of what the one before it had besides."""
    members = profile.members(request.body.decode())
    return Live(request.body_hash, profile.digests(members), Standing.ACTIVE, profile.packed(members))


def _known(made: Live, settlement: Settlement, payload: bytes) -> Live:
    """Give what is known of a user for whom a create ended well; one whom it met may have more than the body.

    So may one of ours that was made of another row before.
    """
    ours = settlement.outcome is Outcome.CREATED and settlement.besides is None
    return made if ours else _beside(made, payload)


def _beside(made: Live, payload: bytes) -> Live:
    """Give what is known of a user who was there and was brought up to date: what the update left may be anything."""
    besides = trace.left_by(payload)
    digests = None if made.digests is None else profile.with_besides(made.digests, besides)
    return made._replace(body_hash=f"{made.body_hash}{besides}", digests=digests)


@dataclass(frozen=True, slots=True)
class Changes:
    """Carries changes to their outcomes.

    lifecycle   of creates; its policy has to be to update users that are there
    sends_anew  records that a user who is gone may be created from now on, its old token forgotten; on disk when it
                returns
    everyone    whoever turns out to be there, and deactivated, is given an auth token as well
    kept        they are those of a kept plan
    """

    exchanger: Exchanger
    lifecycle: Lifecycle
    sends_anew: Callable[[UserRequest], Awaitable[None]]
    everyone: bool = False
    kept: bool = False

    async def settle(self, request: UserRequest) -> Settlement:
        """Carry one change as far as the run lasts."""
        change = request.change
        if change is None:
            raise ValueError("a sync carries out changes only")
        course = _Course(request, change)
        match change.action:
            case Action.CREATE:
                return await self._create(course, change)
            case Action.UPDATE:
                return await self._update(course, change, Outcome.UPDATED)
            case Action.REACTIVATE:
                return await self._reactivate(course, change)
            case Action.DEACTIVATE:
                return await self._deactivate(course, change)

    async def _create(self, course: _Course, change: Change) -> Settlement:
        settlement = await self.lifecycle.settle(course.request)
        if settlement.outcome is Outcome.EXISTING and settlement.error_code == DEACTIVATED:
            course.attempts = settlement.attempts
            found = _beside(change.after, change.payload)
            return await self._reactivate(course, change._replace(after=found, mint=change.mint or self.everyone))
        if settlement.outcome in {Outcome.CREATED, Outcome.UPDATED}:
            return settlement._replace(live=_known(change.after, settlement, change.payload))
        return settlement

    async def _update(self, course: _Course, change: Change, outcome: Outcome) -> Settlement:
        if not change.payload:  # only an auth token is wanting
            return await self._present(course, change, outcome, Reply())
        verdict, reply = await self._exchange(Operation.UPDATE, course)
        if verdict is Verdict.DONE:
            return await self._present(course, change, outcome, reply)
        if verdict is Verdict.ABSENT and outcome is Outcome.UPDATED:
            # Nobody active has the uid, whatever was known.
            return await self._reactivate(course, change._replace(before=None))
        if outcome is Outcome.UPDATED:
            return self._unsuccessful(course, verdict, reply, change.before)
        # One half was carried out for certain. A refusal leaves only the other half for the next night.
        # Where a token is wanting that was flushed, nothing but the doubt would remember it.
        before = change.before if verdict is Verdict.REFUSED and not change.mint else None
        known = before and before._replace(standing=Standing.ACTIVE)
        return self._unsuccessful(course, verdict, reply, known)

    async def _reactivate(self, course: _Course, change: Change) -> Settlement:
        verdict, reply = await self._exchange(Operation.REACTIVATE, course)
        if verdict is Verdict.ABSENT:
            return await self._create_anew(course, change)
        if verdict is not Verdict.DONE:
            return self._unsuccessful(course, verdict, reply, change.before)
        if change.payload:
            return await self._update(course, change, Outcome.REACTIVATED)
        return await self._present(course, change, Outcome.REACTIVATED, reply)

    async def _present(self, course: _Course, change: Change, outcome: Outcome, reply: Reply) -> Settlement:
        """Settle a user who is there, and as the roster has it."""
        untold = _untold(course.request.past)
        settlement = self._done(course, Outcome.CREATED if untold else outcome, reply, change.after)
        if not (course.request.token and (untold or change.mint)):
            return settlement
        verdict, minted = await self._exchange(Operation.MINT, course)
        if verdict is not Verdict.DONE:
            # Nothing is known of the user then, so that the next night does all of it again.
            return self._unsuccessful(course, verdict, minted, None, _UNMINTED)
        return settlement._replace(http_status=minted.status, auth_token=(minted.data or {})["authToken"])

    async def _create_anew(self, course: _Course, change: Change) -> Settlement:
        """Create a user that was deleted by another hand; a second surprise is for the next night."""
        request = anew(course.request)
        await self.sends_anew(request)
        settlement = await self.lifecycle.settle(request)
        known = None
        if settlement.outcome in {Outcome.CREATED, Outcome.UPDATED}:
            known = _known(_made_of(request), settlement, change.payload)
        return settlement._replace(live=known, attempts=settlement.attempts + course.attempts)

    async def _deactivate(self, course: _Course, change: Change) -> Settlement:
        if change.flush:
            verdict, reply = await self._flush(course)
            if verdict not in {Verdict.DONE, Verdict.ABSENT}:
                without = option_of_plan("--keep-sessions", kept=self.kept)
                return self._unsuccessful(course, verdict, reply, change.before, _UNFLUSHED.format(without))
        verdict, reply = await self._exchange(Operation.DEACTIVATE, course)
        if verdict is Verdict.ABSENT:
            course.flushed = True if change.flush else course.flushed
            done = self._done(course, Outcome.DEACTIVATED, reply, change.after)
            return done._replace(error_code=GONE, error_message="there was no such user any more")
        if verdict is not Verdict.DONE:
            # Whose tokens are gone is not as before: should the user come back, a new one is to be minted.
            return self._unsuccessful(course, verdict, reply, change.before if course.flushed is False else None)
        done = self._done(course, Outcome.DEACTIVATED, reply, change.after)
        if change.flush and not done.flushed:
            return done._replace(error_code=SESSIONS_UNKNOWN, error_message=_FOUND_DEACTIVATED)
        return done

    async def _flush(self, course: _Course) -> tuple[Verdict | None, Reply]:
        """Flush the auth tokens; the API does not find a user who is deactivated already, perhaps by ourselves."""
        verdict, reply = await self._exchange(Operation.FLUSH, course)
        if verdict is Verdict.DONE or (verdict is Verdict.ABSENT and course.planned.flushed):
            course.flushed = True
        elif course.doubt or verdict is Verdict.ABSENT:
            course.flushed = None
        return verdict, reply

    def _done(self, course: _Course, outcome: Outcome, reply: Reply, live: Live) -> Settlement:
        if course.planned.again and outcome in {Outcome.UPDATED, Outcome.REACTIVATED}:
            # Created in this night is created, though the user left and came back between its attempts.
            outcome = course.planned.again
        unsettled = course.unsettled
        return unsettled._replace(
            state=State.SETTLED,
            outcome=outcome,
            http_status=reply.status,
            created_at=unsettled.created_at or moment(reply.data or {}, "createdAt"),
            settled_at=time.time(),
            live=live,
            flushed=outcome is Outcome.DEACTIVATED and bool(course.flushed),
        )

    def _unsuccessful(
        self, course: _Course, verdict: Verdict | None, reply: Reply, before: Live | None, prefix: str = ""
    ) -> Settlement:
        ended = unsuccessful(course.unsettled, verdict, reply, self.exchanger.max_attempts, prefix)
        return ended._replace(live=None if course.doubt else before)

    async def _exchange(self, operation: Operation, course: _Course) -> tuple[Verdict | None, Reply]:
        course.doubt = False
        token = operation is Operation.MINT
        return await self.exchanger(operation, course.request, token=token, note=course.note)

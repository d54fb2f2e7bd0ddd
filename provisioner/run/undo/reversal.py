"""The life of one reversal, from the first look at a user to its verdict.

    created by this job:  read ─┬─ as we left it ─→ record, deactivate or delete ─→ reversed
                                └─ changed, in use, gone ────────────────────────→ kept
    updated by this job:  read ─┬─ as we left it ─→ record, put back ────────────→ reversed, or kept in part
                                ├─ in doubt, and as it was before ───────────────→ untouched
                                └─ changed, gone, or nothing known of before ────→ kept
    deactivated by this job, as the roster said: found among the deactivated, and reactivated before it is put back;
                          by the round before, and reactivated by this one: deactivated again after that
    in doubt:             read ─┬─ created since our first attempt: as above
                                ├─ created after the run had ended ──────────────→ kept
                                └─ not there, or older ──────────────────────────→ untouched

All requests but the reads are on disk before they leave, so what a kill cut short is told from what another hand did:
a user that is gone, and whose reversal was recorded, is reversed. Each is idempotent and may be sent again.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from provisioner.errors import StorageError
from provisioner.journal.course.lifetimes import Lifetimes
from provisioner.journal.recorder import Gathering, Recorder
from provisioner.journal.undo.overwrites import KEPT, UNKNOWN
from provisioner.journal.undo.reversals import Candidate, LeavingRow, OwnedRow, PartlyBackRow
from provisioner.journal.undo.undojournal import Record, UndoJournal
from provisioner.model import Outcome, Settlement, State, UserRequest
from provisioner.run.undo import comparison
from provisioner.run.undo.comparison import Finding, Restoration
from provisioner.run.undo.reasons import ACTIONS, DONE, REASONS
from provisioner.sending.attempts import Exchanger
from provisioner.sending.calls import Operation, Reply
from provisioner.sending.serverclock import ServerClock, created_since
from provisioner.sending.users import trace
from provisioner.sending.users.failures import unsuccessful
from provisioner.sending.users.keeper import is_another, last_change, moment
from provisioner.sending.users.reading import Shown, read_deactivated, read_user
from provisioner.sending.verdicts import Verdict
from provisioner.stop import Stop

# Seconds by which the clock of an answer, and a sign of life, may be late.
_UNSEEN: Final = 5.0


class _Course:
    """What is known of one reversal while it lasts.

    doubt   its request may have been carried out
    mark    when a user was last changed who is as this job left it, see `users`
    leaves  the user is deactivated once it is put back, as it was by an earlier round
    """

    __slots__ = ("attempts", "doubt", "each", "leaves", "mark", "request")

    def __init__(self, request: UserRequest, each: Candidate) -> None:
        self.request, self.each = request, each
        self.attempts, self.doubt, self.mark, self.leaves = each.attempts, bool(each.sent), each.mark, False

    @property
    def deleted(self) -> bool:
        """Whether the user may have been deleted for good by us."""
        return self.doubt and self.each.action == ACTIONS[Operation.DELETE]

    def note(self, verdict: Verdict, _: float) -> None:
        """Take in an answer to a request that changes something."""
        self.attempts += 1
        self.doubt = self.doubt or verdict is Verdict.IN_DOUBT


@dataclass(slots=True)
class Reversals:
    """Carries users to their verdicts; holds what all of them share.

    late       seconds after which a create that was sent can no longer be carried out
    lifetimes  how long the runs can have sent something; None when that is not known
    taken      number of a user → what is known of it, until it is looked at
    """

    exchanger: Exchanger
    recorder: Recorder
    journal: UndoJournal
    clock: ServerClock
    late: float
    lifetimes: Lifetimes | None = None
    taken: dict[int, Candidate] = field(default_factory=dict)
    _gathering: Gathering[Record] = field(init=False)

    def __post_init__(self) -> None:
        self._gathering = Gathering(self._write)

    async def settle(self, request: UserRequest) -> Settlement:
        """Carry one user as far as the undo lasts."""
        each = self.taken.pop(request.key)
        course = _Course(request, each)
        try:
            if each.ours:
                return await self._created(course)
            if each.kind == KEPT or each.parted_before:
                return await self._updated(course)
            if each.doubt_since is not None:
                return await self._doubtful(course, each.doubt_since)
            return self._kept(course, "before_unknown")
        except StorageError as error:
            self.exchanger.stopper.request(Stop.because_of(error))
            return self._unsuccessful(course, None, Reply())

    async def _created(self, course: _Course) -> Settlement:
        each = course.each
        shown = await read_user(self.exchanger, course.request, with_tags=False)
        if shown.verdict is Verdict.ABSENT:
            return await self._absent(course, shown.reply)
        if shown.verdict is not Verdict.DONE:
            return self._unsuccessful(course, shown.verdict, shown.reply)
        why = comparison.changed_since(each, shown.user)
        if course.deleted and why == "another_user":
            return self._reversed(course, Operation.DELETE, shown.reply)
        if why is None and (each.withdrawn == 1 or each.away) and not course.doubt:
            why = "reactivated"
        course.mark = last_change(shown.user, each.mark)
        why = why or self._undated(each, shown)
        return self._kept(course, why, shown.reply) if why else await self._remove(course)

    def _undated(self, each: Candidate, shown: Shown) -> str | None:
        """Keep from being deleted for good a user of whom nobody can say that it is the one whom this job created."""
        dated = None not in (each.created_at, moment(shown.user, "createdAt"))
        return "undated" if self.journal.permanent and not dated else None

    async def _absent(self, course: _Course, reply: Reply) -> Settlement:
        """Settle a user of ours who is not there: deactivated or deleted, by us or by another hand."""
        each, permanent = course.each, self.journal.permanent
        if not (course.doubt or each.parted or each.withdrawn):
            return self._kept(course, "gone", reply)
        # Only the list of the deactivated tells one whom we have deactivated from one who was made anew since.
        shown = await read_deactivated(self.exchanger, course.request)
        if shown.verdict is Verdict.ABSENT and course.deleted:
            return self._reversed(course, Operation.DELETE, shown.reply)
        if shown.verdict is not Verdict.DONE:
            return self._without(course, shown.verdict, shown.reply)
        why = comparison.changed_since(each, shown.user, away=True) or self._undated(each, shown)
        if why == "another_user" or (why and permanent):
            return self._kept(course, why, shown.reply)
        if permanent:
            return await self._remove(course)
        return self._reversed(course, Operation.DEACTIVATE, shown.reply)

    async def _remove(self, course: _Course) -> Settlement:
        operation = Operation.DELETE if self.journal.permanent else Operation.DEACTIVATE
        verdict, reply = await self._send(operation, course, course.request)
        done = (reply.data or {}).get("alreadyDeactivatedUids")
        before_us = isinstance(done, list) and course.request.uid in done
        match verdict:
            case Verdict.DONE if course.doubt or course.each.parted or not before_us:
                return self._reversed(course, operation, reply)
            case Verdict.ABSENT if course.doubt and operation is Operation.DELETE:
                return self._reversed(course, operation, reply)
            case Verdict.DONE | Verdict.ABSENT:
                return self._kept(course, "gone", reply)
            case Verdict.REFUSED if operation is Operation.DELETE and reply.code is None:
                message = "the API only deactivated the user: something on the way takes the body of a DELETE away"
                return self._settled(course, Outcome.FAILED, "not_permanent", message, reply)
        return self._unsuccessful(course, verdict, reply)

    async def _updated(self, course: _Course) -> Settlement:
        each = course.each
        with_tags = "tags" in trace.names_of(each.fields or 0)
        shown = await read_user(self.exchanger, course.request, with_tags=with_tags)
        away = shown.verdict is Verdict.ABSENT and bool(each.parted or each.parted_before)
        if away:
            shown = await read_deactivated(self.exchanger, course.request)
        if shown.verdict is not Verdict.DONE:
            return self._without(course, shown.verdict, shown.reply)
        if is_another(shown.user, each.created_at):
            return await self._replaced(course, shown)
        if not away and (why := comparison.stands(each, shown.user, sent=course.doubt)):
            return self._kept(course, why, shown.reply)
        if comparison.may_be_later(each) and await self._may_come_late(course):
            return await self._updated(course)
        hidden = shown.untold if with_tags else frozenset[str]()
        found = comparison.restoration(each, shown.user, hidden, sent=course.doubt)
        if found.finding is Finding.UNTOUCHED and away == bool(each.parted_before):
            return self._settled(course, Outcome.UNTOUCHED, None, None, shown.reply)
        if (why := comparison.stays(each, found, away=away)) is not None:
            return self._kept(course, why, shown.reply)
        course.leaves = bool(each.parted_before) and not away
        if away and not each.parted_before:
            verdict, reply = await self._send(Operation.REACTIVATE, course, course.request)
            if verdict is not Verdict.DONE:
                return self._without(course, verdict, reply)
            course.doubt = True  # active by our hand from now on, whatever becomes of the rest
        mark = moment(shown.user, "updatedAt") if (now := self.clock.now()) is None or not away else math.ceil(now)
        return await self._put_back(course, found, shown.reply, mark)

    async def _replaced(self, course: _Course, shown: Shown) -> Settlement:
        """Tell whether whoever has the uid of a user that was updated comes from another hand."""
        # Where no update of ours is open, a create may be: of a run that was killed, and before it another hand had
        # deleted the user.
        since = course.each.doubt_since if course.each.confirmed else None
        if since is not None and created_since(moment(shown.user, "createdAt"), since):
            return await self._doubtful(course, since)
        return self._kept(course, "another_user", shown.reply)

    async def _put_back(self, course: _Course, found: Restoration, reply: Reply, mark: int | None) -> Settlement:
        """Send what is still to be put back; `mark`: when the user was last changed, if that is nothing."""
        if found.payload:
            body = b'{"uid":"' + course.request.uid.encode() + b'",' + found.payload[1:]
            verdict, reply = await self._send(Operation.UPDATE, course, course.request._replace(body=body))
            if verdict is not Verdict.DONE:
                return self._without(course, verdict, reply)
            mark = moment(reply.data or {}, "updatedAt")
        for operation in (Operation.FLUSH, Operation.DEACTIVATE) if course.leaves else ():
            verdict, reply = await self._send(operation, course, course.request)
            if verdict is not Verdict.DONE:
                return self._without(course, verdict, reply)
        if not (left := (*found.stuck, *found.lost)):
            return self._reversed(course, Operation.UPDATE, reply)
        # Whom no update of ours has touched since an undo put it back in part stays as a run has settled it.
        if course.doubt or course.leaves or trace.bits_of(left) != course.each.fields:
            await self._gathering.put(PartlyBackRow(course.request.key, trace.bits_of(left), mark))
        return self._kept(course, "not_clearable" if found.stuck else "not_told", reply, ", ".join(left))

    async def _doubtful(self, course: _Course, since: float) -> Settlement:
        """Tell whether a user comes from a create of ours whose answer was lost, as a run would."""
        each = course.each
        shown = await self._read_late(course)
        if shown.verdict is Verdict.ABSENT:
            # The doubt stays: a run asks once more before it says who created the user.
            return self._settled(course, Outcome.UNTOUCHED, None, None, shown.reply, doubt_since=since)
        if shown.verdict is not Verdict.DONE:
            return self._unsuccessful(course, shown.verdict, shown.reply)
        created = moment(shown.user, "createdAt")
        if not created_since(created, since):
            if each.kind == UNKNOWN:
                return self._kept(course, "before_unknown", shown.reply)
            return self._settled(course, Outcome.UNTOUCHED, None, None, shown.reply)
        if created is not None and created > self._last_of(each):
            return self._kept(course, "created_later", shown.reply)
        await self._gathering.put(OwnedRow(each.key, created, time.time()))
        mark = each.mark if each.mark is not None else created
        course.each = each._replace(ours=1, created_at=created, mark=mark, doubt_since=None)
        why = comparison.changed_since(course.each, shown.user)
        return self._kept(course, why, shown.reply) if why else await self._remove(course)

    def _last_of(self, each: Candidate) -> float:
        """Say until when a create of ours can have been carried out (UNIX seconds, the server's)."""
        if self.lifetimes is None:
            return math.inf
        # A run that was killed in its first second has left no sign of life but what it recorded as sent.
        return max(self.lifetimes.last_of(each.sent_at), each.sent_at + 1) + self.late + _UNSEEN

    async def _read_late(self, course: _Course) -> Shown:
        """Read a user; one who is not there once more when nothing can come late any more."""
        shown = await read_user(self.exchanger, course.request, with_tags=False)
        if shown.verdict is not Verdict.ABSENT or not await self._may_come_late(course):
            return shown
        return await read_user(self.exchanger, course.request, with_tags=False)

    async def _may_come_late(self, course: _Course) -> bool:
        """Wait until nothing that was sent for a user can be carried out any more; False when that is so already."""
        sent, now = max(course.each.sent_at, course.each.kept_at or 0.0), self.clock.now()
        wait = sent + self.late - now if now is not None else 0.0
        if wait <= 0:
            return False
        await self.exchanger.stopper.nap(min(wait, self.late))
        # The clock is a lower bound: once is enough.
        course.each = course.each._replace(sent_at=0.0, kept_at=0.0)
        return True

    async def _send(self, operation: Operation, course: _Course, request: UserRequest) -> tuple[Verdict | None, Reply]:
        """Record that a request may leave, and send it."""
        now = self.clock.now() or 0.0
        await self._gathering.put(LeavingRow(request.key, self.journal.round, ACTIONS[operation], now))
        return await self.exchanger(operation, request, note=course.note)

    async def _write(self, records: list[Record]) -> None:
        await self.recorder.run(partial(self.journal.record, records))

    def _reversed(self, course: _Course, operation: Operation, reply: Reply) -> Settlement:
        return self._settled(course, Outcome.REVERSED, DONE[operation], None, reply)

    def _kept(self, course: _Course, reason: str, reply: Reply | None = None, what: str = "") -> Settlement:
        return self._settled(course, Outcome.KEPT, reason, REASONS[reason].format(what), reply)

    def _settled(
        self,
        course: _Course,
        outcome: Outcome,
        reason: str | None,
        message: str | None,
        reply: Reply | None,
        doubt_since: float | None = None,
    ) -> Settlement:
        return Settlement(
            course.request.key,
            State.SETTLED,
            outcome,
            course.attempts,
            http_status=reply.status if reply else None,
            error_code=reason,
            error_message=message,
            settled_at=time.time(),
            doubt_since=doubt_since,
            mark=course.mark,
        )

    def _without(self, course: _Course, verdict: Verdict | None, reply: Reply) -> Settlement:
        """Settle a user whom the app does not have any more, or will not tell of or change."""
        if verdict is Verdict.ABSENT:
            return self._kept(course, "gone", reply)
        return self._unsuccessful(course, verdict, reply)

    def _unsuccessful(self, course: _Course, verdict: Verdict | None, reply: Reply) -> Settlement:
        there = Settlement(course.request.key, State.PENDING, Outcome.PENDING, course.attempts)
        ended = unsuccessful(there, verdict, reply, self.exchanger.max_attempts)
        # A failure that leaves open what became of the request stays recorded as sent.
        return ended._replace(doubt_since=self.clock.now() or 0.0) if course.doubt else ended

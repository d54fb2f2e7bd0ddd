"""Which of the valid rows still need a request, and their way into the pool.

A row needs one unless the journal knows it as settled and unchanged, in a way that is enough for what is asked now. In
a rehearsal each that needs one is sent as if for the first time: the built-in emulator begins empty each time.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final, Protocol

import polars as pl

from provisioner.errors import StorageError
from provisioner.journal.columns import DONE_COLUMNS, hash_of
from provisioner.journal.course import unreached
from provisioner.journal.header import EMULATOR
from provisioner.journal.journal import Journal
from provisioner.journal.lock import unwritable
from provisioner.journal.recorder import Gathering, Recorder
from provisioner.journal.undo.overwrites import ALL
from provisioner.model import FINAL, AuthTokens, OnExisting, Outcome, Past, Settlement, State, UserRequest
from provisioner.results.resubmission import EarlierRounds
from provisioner.run.intake import CheckedBatch
from provisioner.run.rounds.returning import follow, take_over
from provisioner.sending.life.steps import Policy, foreseen, was_done
from provisioner.sending.pool import Backlog, Settle
from provisioner.sending.roles import RoleCheck
from provisioner.sending.serverclock import ServerClock
from provisioner.sending.users import profile
from provisioner.stop import Stop, Stopper, stopping_on_storage_error
from provisioner.tally import OutcomeTally
from provisioner.threads import in_thread

# Rows looked up at once: a look-up holds up the commits behind it, so it has to be short.
_LOOKUP: Final = 4000

_TEXTS: Final = {"uid", "body_hash", "outcome", "besides"}
_SETTLED: Final = {name: pl.String if name in _TEXTS else pl.Int64 for name in DONE_COLUMNS}


@dataclass(frozen=True, slots=True)
class Admitted:
    """What is to be sent of some rows, how many were settled before, and which of those stand elsewhere now."""

    requests: Sequence[UserRequest]
    skipped: int
    moved: Sequence[tuple[int, int]]


def admit(valid: pl.DataFrame, journal: Journal, policy: Policy) -> Iterator[Admitted]:
    """Sort out a batch's valid rows (`Checked.valid`), a few thousand at a time.

    policy  what is asked now

    Rows are matched by uid and body, never by position: a roster may be edited or re-sorted between two runs.
    """
    for part in valid.iter_slices(_LOOKUP):
        rows = part.select("row", "uid", pl.col("body").cast(pl.Binary), "token", "deactivated", "filled")
        hashes = [hash_of(body) for body in rows["body"].to_list()]
        rows = rows.with_columns(body_hash=pl.Series(hashes, dtype=pl.String))
        settled = journal.settled(part["uid"].to_list())
        if not settled["uid"]:
            yield Admitted(list(_requests(rows, journal, policy)), 0, [])
            continue
        # On a resume nearly all rows are these, so they are not looked at one by one.
        met = pl.DataFrame(settled, schema=_SETTLED).rename({"body_hash": "done_hash"})
        both = rows.drop("body").join(met, on="uid", how="left", maintain_order="left")
        done = both.select((pl.col("body_hash") == pl.col("done_hash")) & ~_falls_short(policy)).to_series()
        done = done.fill_null(value=False)
        moved = both.filter(done & (both["row"] != both["was"])).select("key", "row").rows()
        yield Admitted(list(_requests(rows.filter(~done), journal, policy)), int(done.sum()), moved)


def _falls_short(policy: Policy) -> pl.Expr:
    """Whether a settled row is not as it is asked for now.

    Of a user that another hand has deactivated no more can be had. Who was deactivated as the roster said comes back
    when it says so, whatever is asked for users of others.
    """
    outcome, here = pl.col("outcome"), pl.col("away") == 0
    created, there = outcome == Outcome.CREATED.value, outcome != Outcome.CREATED.value
    everyone = pl.lit(policy.auth_tokens is AuthTokens.ALL)
    falls_short = here & pl.col("token") & (pl.col("has_token") == 0) & (created | everyone)
    # Null where no column says who is deactivated.
    ours, leaves, parted = created, pl.col("deactivated"), pl.col("parted") == 1
    if policy.on_existing is OnExisting.UPDATE:
        ours |= here | parted
    falls_short |= ((ours & (leaves != (parted & ~here))) | (parted & ~leaves)).fill_null(value=False)
    falls_short |= created & _has_more(policy)
    match policy.on_existing:
        case OnExisting.FAIL:
            return falls_short | there
        case OnExisting.UPDATE:
            return falls_short | (here & (outcome == Outcome.EXISTING.value))
        case OnExisting.SKIP:
            return falls_short


def _has_more(policy: Policy) -> pl.Expr:
    """Whether a user of ours may have something in a field for which the roster has a column by now, and no value."""
    places = profile.besides(policy.managed).removeprefix("+")
    return pl.col("besides").str.contains(f"[{places}]").fill_null(value=False) if places else pl.lit(value=False)


def _requests(rows: pl.DataFrame, journal: Journal, policy: Policy) -> Iterator[UserRequest]:
    known, unmet = journal.known(rows["uid"].to_list()), unmet_by(journal)
    rehearsed = journal.identity == EMULATOR
    for row, uid, body, token, leaves, filled, body_hash in rows.iter_rows():
        met = known.get(uid)
        if met is None or rehearsed:
            key, past = (journal.new_key(), unmet) if met is None else (met.key, None)
            yield UserRequest(key, row, uid, body, body_hash, token, past, None, leaves, filled)
        else:
            edited = met.doubt_since is not None and met.doubt_hash != body_hash
            more = bool(met.ours) and profile.any_of(met.besides or "", policy.managed)
            # What may have been put back is another profile than the row's; who was to be deactivated has that still.
            back, settled = bool(met.reversing) and met.ours != 1, met.state == State.SETTLED and met.outcome in FINAL
            changed = (settled or bool(met.withdrawn)) and (met.body_hash != body_hash or back)
            changed |= bool(met.owed) or (more and not met.withdrawn)
            # No undo would know of it else: an update keeps what the user was before this round deactivates it.
            changed |= bool(leaves) and met.before and met.made_hash is None and not met.noted
            made = met.made_hash == body_hash and not (changed or met.withdrawn or more)
            past = met.past(changed=changed, edited=edited, ours=bool(met.ours), made=made)
            if leaves is not None and past.parted and past.ours and not (leaves and made):
                # As after an undo: whoever may be deactivated is not found by an update.
                past = replace(past, withdrawn=True)
            yield UserRequest(met.key, row, uid, body, body_hash, token, past, None, leaves, filled)


def unmet_by(journal: Journal) -> Past | None:
    """Give the past of a uid that a journal does not know: to one that is a copy, the lost run may have sent it."""
    since = journal.copied_at
    return None if since is None else Past(State.PENDING, Outcome.PENDING, doubt_since=since, edited=True, noted=ALL)


@dataclass(slots=True)
class EarlierRuns:
    """What earlier runs of the job have done, by their journal, which is only looked at.

    policy    what is asked now
    settled   valid rows that need no request any more
    open      those that still need some
    requests  how many those are, as far as the journal tells, under each budget
    """

    journal: Journal
    policy: Policy
    settled: int = 0
    open: int = 0
    requests: Counter[str] = field(default_factory=Counter)

    def look_up(self, checked: CheckedBatch) -> None:
        """Count one more batch. Raises `StorageError`."""
        for part in admit(checked.valid, self.journal, self.policy):
            self.settled += part.skipped
            self.open += len(part.requests)
            for request in part.requests:
                self.requests.update(operation.budget for operation in foreseen(request, self.policy))


@dataclass(frozen=True, slots=True)
class Outbox:
    """The way of requests into the pool: each is on disk as sent before it leaves.

    A block of them is recorded before a worker can take one; but what an earlier run was done with stays that until a
    worker has it, so that a stop, or a kill, leaves no more of it open than it must.

    block_size   rows recorded as sent in one commit
    clock        the server's
    server_time  waits until it is known: UNIX seconds; None when the run was stopped before that
    unsent       what could not be recorded as sent
    """

    recorder: Recorder
    backlog: Backlog
    stopper: Stopper
    block_size: int
    clock: ServerClock
    server_time: Callable[[], Awaitable[float | None]]
    unsent: list[UserRequest] = field(default_factory=list)

    async def put(self, requests: Sequence[UserRequest]) -> Sequence[UserRequest]:
        """Put requests until the run is being stopped, also by what cannot be recorded; give those that were not."""
        for start in range(0, len(requests), self.block_size):
            told = None if self.stopper.is_stopping() else await self.server_time()
            if told is None or self.stopper.is_stopping():  # an answer that stops the run may tell the time
                return requests[start:]
            block = requests[start : start + self.block_size]
            try:
                if first := [each for each in block if not was_done(each)]:
                    await self.recorder.run(partial(self._record, first))
            except StorageError as error:
                self.stopper.request(Stop.because_of(error))
                return requests[start:]
            await self.backlog.put(block)
        return []

    def recording(self, settle: Settle) -> Settle:
        """Make what carries a row as far as the run lasts record it as sent, if that has not been done before."""
        gathering = Gathering[UserRequest](lambda rows: self.recorder.run(partial(self._record, rows)))

        async def recorded(request: UserRequest) -> Settlement:
            try:
                await gathering.put(request)
            except StorageError:
                self.unsent.append(request)
                raise
            return await settle(request)

        return lambda request: recorded(request) if was_done(request) else settle(request)

    async def leave(self, requests: Iterable[UserRequest]) -> None:
        """Have those of them that an earlier run was done with be told as pending: they are not as they are asked for.

        Raises `StorageError`.
        """
        if late := [each.key for each in requests if was_done(each)]:
            journal = self.recorder.journal
            with unwritable(journal.path):
                await self.recorder.run(partial(unreached.leave, journal.database, late))

    def _record(self, block: Sequence[UserRequest]) -> None:
        """Record a block as sent; at what time is asked in the journal's thread, which may have been busy till now."""
        self.recorder.journal.sent(block, self.clock.server_time(self.clock.ticks()))


Feed = Callable[[Outbox], Awaitable[None]]
"""Puts all that is to be sent into the outbox."""


class CheckedRoster(Protocol):
    """A roster that gives its rows checked, batch by batch, and takes each back once it is admitted; see `Surveyed`."""

    def batches(self) -> Iterator[CheckedBatch]:
        """Check the whole roster. Raises `RosterChangedError`."""

    def keep(self, checked: CheckedBatch, unknown_roles: Mapping[int, str] | None = None) -> None:
        """Keep what the results will want to know of a batch. Raises `StorageError`, once all of it is counted."""


@dataclass(frozen=True, slots=True)
class Admission:
    """A run's feed: reads the roster to its end, one batch ahead of the sending.

    reader   the thread that reads and checks
    earlier  the rounds in which the rows were rejected before
    """

    surveyed: CheckedRoster
    roles: RoleCheck
    policy: Policy
    stopper: Stopper
    outcomes: OutcomeTally
    reader: Executor
    earlier: EarlierRounds = field(default_factory=partial(EarlierRounds, ()))

    async def feed(self, outbox: Outbox) -> None:
        """Read on to the end: also a stopped run counts and explains every row.

        Whatever it raises leaves rows uncounted, so that no results can be written.
        """
        batches = self.surveyed.batches()

        def following() -> asyncio.Future[CheckedBatch | None]:
            return in_thread(self.reader, lambda: next(batches, None))

        upcoming = following()
        while (checked := await upcoming) is not None:
            upcoming = following()
            rejected: dict[int, str] = {}
            with stopping_on_storage_error(self.stopper):
                checked = await self._recognised(checked, outbox.recorder)
            with stopping_on_storage_error(self.stopper):
                await self._admit(checked, outbox, rejected)
            # Also of a stopped run: its rejected rows can be mended and fed in before it goes on.
            with stopping_on_storage_error(self.stopper):
                if rejected or checked.checked.rejected.height:
                    await outbox.recorder.run(partial(follow, outbox.recorder.journal, checked, rejected))
            with stopping_on_storage_error(self.stopper):
                self.surveyed.keep(checked, rejected)

    async def _recognised(self, checked: CheckedBatch, recorder: Recorder) -> CheckedBatch:
        """Tell whose rows those are that were rejected before, and whose users this job has created."""
        if not self.earlier.journals:
            return checked
        of_rejected = partial(take_over, rejected_only=self.stopper.is_stopping())
        return await recorder.run(partial(of_rejected, recorder.journal, self.earlier, checked))

    async def _admit(self, checked: CheckedBatch, outbox: Outbox, rejected: dict[int, str]) -> None:
        """Put the rows that need a request into the outbox; those with an unknown role into `rejected`, row → why."""
        if self.stopper.is_stopping() and outbox.recorder.journal.is_new:
            return  # there is nothing to record of further rows: none was settled before
        roles = dict(checked.roles(known)) if (known := self.roles.known) is not None else {}
        recorder = outbox.recorder
        parts = admit(checked.valid, recorder.journal, self.policy)
        while (part := await recorder.run(lambda: next(parts, None))) is not None:
            part = await self._with_known_roles(part, roles, rejected)
            self.outcomes.skipped += part.skipped
            left = await outbox.put(part.requests)
            with stopping_on_storage_error(self.stopper):  # the parts behind it are to be told of as well
                await outbox.leave(each for each in left if any(foreseen(each, self.policy)))
                if part.moved:
                    await recorder.run(partial(recorder.journal.move, part.moved))

    async def _with_known_roles(self, part: Admitted, roles: dict[int, str], rejected: dict[int, str]) -> Admitted:
        doubtful = [each for each in part.requests if self.roles.doubtful(roles.get(each.row))]
        if not doubtful:
            return part
        await self.roles.ensure(roles[each.row] for each in doubtful)
        unknown = {each.row for each in doubtful if self.roles.doubtful(roles[each.row])}
        if self.stopper.is_stopping() or not unknown:
            return part
        rejected.update({row: self.roles.message(roles[row]) for row in unknown})
        return Admitted([each for each in part.requests if each.row not in unknown], part.skipped, part.moved)

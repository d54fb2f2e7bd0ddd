"""A run, from the roster to the results, readable from top to bottom.

    roster → checking → admission → journal: sent → backlog → workers → journal: settled → results

Reading and checking happen in one thread, the journal lives in another, the requests on the event loop. Each hands
on at most one batch ahead of the next, so memory does not grow with the roster.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, closing
from functools import partial
from itertools import chain
from typing import Final

from provisioner.errors import ExitCode, StorageError
from provisioner.journal.columns import MADE, MadeRow
from provisioner.journal.course.events import ANSWER, Event
from provisioner.journal.course.mints import given_before
from provisioner.journal.header import is_unused
from provisioner.journal.journal import Journal
from provisioner.journal.recorder import Gathering, Recorder
from provisioner.logs.events import get_logger
from provisioner.model import AuthTokens, Outcome, Settlement, UserRequest
from provisioner.results.lines import TOKENS, Counts, Fetch, Lines, count_lines, keep_results, unless_unwritten
from provisioner.results.manifest import REJECTED, RESULTS, written_last
from provisioner.results.merging.folder import join_folder, refuse_unlike
from provisioner.results.summary import Summary, end_unwritten, keep_summary, written
from provisioner.run.admission import Admission, Feed, Outbox
from provisioner.run.intake import Surveyed, keep_rejected, log_warnings, open_roster, record_of, survey
from provisioner.run.job import (
    Job,
    Prospect,
    Run,
    Target,
    begins_anew,
    check_journal,
    keep_earlier_files,
    set_results_aside,
    source_of,
)
from provisioner.run.progress.sampler import on_record
from provisioner.run.unchanged.ending import End, is_over, keep, recall
from provisioner.run.unchanged.question import Question
from provisioner.run.undo.keeping import Keeping
from provisioner.run.wiring import (
    Connection,
    block_size,
    connected,
    convert_times,
    counting_mints,
    is_of_a_fleet,
    open_store,
    tell_of_copy,
)
from provisioner.sending.calls import Operation, Reply
from provisioner.sending.life.lifecycle import Lifecycle
from provisioner.sending.life.parting import Parting
from provisioner.sending.life.steps import Policy, untouched, was_done
from provisioner.sending.pool import Backlog, Settle
from provisioner.sending.roles import RoleCheck
from provisioner.sending.verdicts import Verdict
from provisioner.stop import NOT_CONFIRMED, InterruptedEarlyError, Stop, Stopper, confirmed, stopping_on_storage_error

# Answers that leave open what has happened, or find nobody.
_UNUSUAL: Final = frozenset({Verdict.IN_DOUBT, Verdict.ABSENT})

log = get_logger()


async def provision(
    job: Job,
    target: Target,
    stopper: Stopper,
    confirm: Callable[[Prospect], bool] | None = None,
    confirm_minting: Callable[[int], bool] | None = None,
) -> Summary:
    """Create the users of a roster: the main job.

    confirm          asked before the first request; without it nobody is asked
    confirm_minting  asked before everything else, with how many users an earlier run has given an auth token, when it
                     is begun anew and mints for all
    """
    run, settings = Run.begin(job, stopper), job.settings.run
    job.outputs.make_folder()
    if confirm_minting is not None and settings.restart and settings.auth_tokens is AuthTokens.ALL:
        given = given_before(job.outputs.journal, target.identity)
        if given and not confirmed(partial(confirm_minting, given)):
            raise _unconfirmed()
    folder, shard = job.outputs.results.parent, settings.shard
    begun = job.outputs.journal.exists() or is_of_a_fleet(job.settings)
    refuse_unlike(folder, shard)
    async with AsyncExitStack() as stack:
        stack.enter_context(run.watch.watching())
        question = Question.of(job)
        opened = stack.enter_context(closing(await open_roster(run)))
        reader = stack.enter_context(ThreadPoolExecutor(1, "reader"))
        journal = Journal(job.outputs.journal, target.identity)
        opening = partial(_open, job, journal, stopper)
        # Nothing of an earlier run is touched, and nothing is left by this one, before it is known that it can begin.
        source = source_of(job, opened.roster.sheets)
        anew, whose = begins_anew(job, source)
        check_journal(job, anew=anew)
        recorder = None if anew else await stack.enter_async_context(opening())
        if recorder is not None:
            end = await recorder.run(partial(recall, job, question, journal))
            if end is not None:
                return await _end_again(run, target, recorder, end, confirm)
        surveyed = await survey(opened, reader, stopper)
        share = surveyed.survey.share if settings.limit is None else None  # of its beginning nothing can be told
        refuse_unlike(folder, shard, share, begun=begun)
        job.outputs.refuse_too_many(surveyed.survey.taken)
        _ask(run, target, confirm)
        # Not by whether it was made just now: a run that was killed while it looked at the roster has left it.
        new = recorder is None or await recorder.run(lambda: is_unused(journal.database))
        keep_earlier_files(job, source, whose, anew=anew, new=new)
        if recorder is None:
            recorder = await stack.enter_async_context(opening())
        await recorder.run(lambda: journal.course.keep_roster(source.text))
        join_folder(folder, shard, share, begun=begun)
        run.watch.enter("sending")
        async with connected(run, target, counting_mints(recorder)) as connection:
            policy = Policy(settings.on_existing, settings.auth_tokens, opened.binding.sourced)
            outcomes = run.tally.outcomes
            keeping = Keeping(connection.exchanger, recorder, connection.clock)
            lifecycle = Lifecycle(connection.exchanger, policy, connection.clock, outcomes, keeping)
            roles = RoleCheck(connection.exchanger, on=settings.check_roles, create=settings.create_roles)
            admission = Admission(surveyed, roles, policy, stopper, outcomes, reader, opened.earlier)
            parting = Parting(connection.exchanger, lifecycle, policy, _confirming(recorder))
            await carry_out(run, connection, recorder, parting.settle, admission.feed)
        run.watch.enter("writing")
        return await recorder.run(lambda: _finish(run, question, surveyed, journal))


@asynccontextmanager
async def _open(job: Job, journal: Journal, stopper: Stopper) -> AsyncIterator[Recorder]:
    """Open the journal of a job, see `open_store`."""
    settings = job.settings.run
    async with open_store(journal, stopper, job.settings) as recorder:
        await recorder.run(partial(journal.claim, str(settings.shard or "")))
        if settings.restored:
            await recorder.run(journal.mark_as_copy)
        tell_of_copy(journal)
        yield recorder


def _ask(run: Run, target: Target, confirm: Callable[[Prospect], bool] | None) -> None:
    """Raise `InterruptedEarlyError` unless it is agreed."""
    if confirm is None:
        return
    job, rows = run.job, run.tally.rows.total or 0
    prospect = Prospect(rows, job.roster.names, target.identity, job.settings.run.on_existing)
    with run.watch.aside():
        if not confirmed(lambda: confirm(prospect)):
            raise _unconfirmed()


async def _end_again(
    run: Run, target: Target, recorder: Recorder, end: End, confirm: Callable[[Prospect], bool] | None
) -> Summary:
    """End as the run before did: nothing has changed since."""
    end.take_over(run.tally)
    _ask(run, target, confirm)
    join_folder(run.job.outputs.results.parent, run.job.settings.run.shard)
    run.watch.enter("sending")
    async with connected(run, target) as connection, on_record(run, connection, recorder, "run"):
        pass
    return await recorder.run(lambda: _summed_up(run, end, recorder.journal))


def _unconfirmed() -> InterruptedEarlyError:
    return InterruptedEarlyError(Stop(NOT_CONFIRMED, "nothing was sent: the run was not confirmed", ExitCode.SAFETY))


def _confirming(recorder: Recorder) -> Callable[[Settlement], Awaitable[None]]:
    """Give what records that a user is there, who is to be deactivated from then on."""
    gathering = Gathering[MadeRow](lambda rows: recorder.run(partial(recorder.journal.note, rows, MADE)))

    async def confirm(there: Settlement) -> None:
        ours = there.outcome is Outcome.CREATED
        await gathering.put(MadeRow(there.key, ours, there.attempts, there.created_at, there.mark, there.besides))

    return confirm


async def carry_out(
    run: Run, connection: Connection, recorder: Recorder, settle: Settle, feed: Feed, command: str = "run"
) -> None:
    """Carry all that a feed gives through the pool; when this returns, every row's fate is on disk.

    command  what the journal's course calls it

    What the feed raises is raised again, once what was sent is settled: rows were left uncounted, and results would
    lack them. Those of an earlier run stand, and the store knows all.
    """
    run.stopper.begun = True
    connection.listeners.append(partial(_remember, recorder))
    async with on_record(run, connection, recorder, command):
        await _carry_through(run, connection, recorder, settle, feed)


async def _carry_through(run: Run, connection: Connection, recorder: Recorder, settle: Settle, feed: Feed) -> None:
    backlog = Backlog(run.stopper)
    await convert_times(connection, recorder)
    at_once, clock = block_size(run.job.settings), connection.clock
    outbox = Outbox(recorder, backlog, run.stopper, at_once, clock, connection.server_time)
    with backlog.open():
        feeding = asyncio.create_task(_fed(feed, outbox), name="feed")
        try:
            for error in await connection.pool.drain(backlog, outbox.recording(settle), recorder.record):
                if not isinstance(error, StorageError):  # which has stopped the run, in its own words
                    log.error("run.bug", exc_info=error)
        except asyncio.CancelledError:
            feeding.cancel()
            raise
        finally:
            (cut_short,) = await asyncio.gather(feeding, return_exceptions=True)
    left = backlog.leftovers()
    for request in left:
        if not was_done(request):
            recorder.record(untouched(request))
    with stopping_on_storage_error(run.stopper):
        await recorder.flush()
    with stopping_on_storage_error(run.stopper):
        await outbox.leave([*left, *outbox.unsent])
    if cut_short is not None:
        raise cut_short


def _remember(recorder: Recorder, operation: Operation, request: UserRequest, verdict: Verdict, reply: Reply) -> None:
    """Record an answer that is out of the ordinary: the story of a user who was created at once is its outcome."""
    if verdict not in _UNUSUAL or not request.key:
        return
    recorder.remember(
        Event(
            user=request.key,
            at=time.time(),
            epoch=None,
            kind=ANSWER,
            operation=operation.value,
            outcome=verdict.name.lower(),
            http_status=reply.status,
            code=reply.code,
            message=reply.why,
        )
    )


async def _fed(feed: Feed, outbox: Outbox) -> None:
    try:
        await feed(outbox)
    finally:
        outbox.backlog.end()


def _finish(run: Run, question: Question, surveyed: Surveyed, journal: Journal) -> Summary:
    job = run.job
    if journal.place.is_taken:
        set_results_aside(job.outputs, whole=True)
    end, whole = keep_end(run, surveyed, journal.outcomes, changed=True)
    if not run.stopper.is_stopping() and job.settings.run.limit is None and not end.counts.outcomes[Outcome.PENDING]:
        with stopping_on_storage_error(run.stopper):
            journal.forget_copy()
    summary = _summed_up(run, end, journal, results=whole)
    keep(job, question, surveyed, journal, end, over=is_over(run, end))
    return summary


def keep_end(run: Run, surveyed: Surveyed, fetch: Fetch, more: Lines = tuple, *, changed: bool) -> tuple[End, bool]:
    """Write the results and the rejected rows; what they add up to, and whether they could be written.

    more     lines behind those of the rows
    changed  something may have been: else the results that are there stay as they are, and known as ours

    What could not be written is counted all the same, and what an earlier run has written stays known as ours.
    """
    job, outputs = run.job, run.job.outputs
    known = {name: written_last(outputs.summary, name) for name in (RESULTS, TOKENS, REJECTED)}

    def counted() -> Counts:
        return count_lines(chain(surveyed.lines.frames(), more()), fetch)

    try:
        if changed:
            counts, digests = keep_results(outputs, surveyed.lines, fetch, more())
        else:
            counts, digests = counted(), {name: known[name] for name in (RESULTS, TOKENS)}
        record, rejected = keep_rejected(job, surveyed)
        return End(run.tally.rows, counts, surveyed.report(), record.with_digests(digests), rejected), True
    except StorageError as error:
        end_unwritten(run.stopper, error)
        return End(run.tally.rows, counted(), surveyed.report(), record_of(job, surveyed, known), None), False


def _summed_up(run: Run, end: End, journal: Journal, *, results: bool = True) -> Summary:
    """Write the summary, and warn of what was found; `results`: they could be written."""
    job, now = run.job, time.time()
    log_warnings(job, end.report)
    emulated, app = job.settings.api.emulator, journal.identity.address

    def made(left: bool) -> Summary:
        wrote, stop = written(job.outputs, end.rejected, results=True), run.stopper.stop
        wrote = unless_unwritten(wrote, results=results, summary=left)
        return Summary(
            end.counts, run.tally, end.report, run.started, now, stop, wrote,
            record=end.record, emulated=emulated, base_url=app,
        )  # fmt: skip

    summary = keep_summary(job.outputs.summary, run.stopper, made)
    if summary.outputs["summary"] is not None:
        journal.course.told()
    return summary

"""A run, from the roster to the results, readable from top to bottom.

    roster → checking → admission → journal: sent → source → workers → journal: settled → results

Reading and checking happen in one thread, the journal lives in another, the requests on the event loop. Each hands
on at most one batch ahead of the next, so memory does not grow with the roster.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, closing
from typing import Any

import structlog

from provisioner.errors import StorageError
from provisioner.files import set_aside
from provisioner.journal.journal import Journal, set_journal_aside
from provisioner.journal.recorder import Recorder
from provisioner.model import Outcome, Settlement, State, Tally, UserRequest
from provisioner.results.lines import Fetch, write_results
from provisioner.results.summary import Summary, write_summary, written
from provisioner.run.admission import Feed
from provisioner.run.intake import Checking, begin_checking, in_thread, keep_rejected, look_over, tell_warnings
from provisioner.run.job import Job, Target
from provisioner.run.progress import Watch
from provisioner.run.wiring import block_size, exchanging, policy
from provisioner.sending.lifecycle import Lifecycle
from provisioner.sending.pool import Pool, Settle, Source
from provisioner.sending.roles import RoleCheck
from provisioner.settings.tables import Settings
from provisioner.stop import Stop, Stopper

log = structlog.get_logger()


async def run(job: Job, target: Target, stopper: Stopper) -> Summary:
    """Provision a roster: the main job."""
    started = time.time()
    tally = Tally()
    watch = Watch(tally, drawn=job.drawn)
    job.outputs.make_folder()
    async with AsyncExitStack() as stack:
        stack.enter_context(watch.watching())
        checking = stack.enter_context(closing(await begin_checking(job, tally)))
        _keep_earlier_files(job)
        reader, writer = (stack.enter_context(ThreadPoolExecutor(1, name)) for name in ("reader", "journal"))
        journal = await stack.enter_async_context(_journal(job, target, writer))
        await look_over(checking, reader, stopper)
        watch.enter("sending")
        await _provision(job, target, checking, Recorder(journal, writer, stopper), reader, stopper, watch)
        watch.enter("writing")
        return await in_thread(writer, lambda: _finish_run(job, checking, journal.outcomes, started, stopper.stop))


async def _provision(
    job: Job,
    target: Target,
    checking: Checking,
    recorder: Recorder,
    reader: ThreadPoolExecutor,
    stopper: Stopper,
    watch: Watch,
) -> None:
    """Send what needs sending; when this returns, every row's fate is on disk."""
    settings, tally = job.settings, checking.tally
    source = Source(stopper)
    async with exchanging(job, target, stopper, tally, watch) as (exchanger, server_clock):
        lifecycle = Lifecycle(exchanger, policy(settings), server_clock)
        roles = RoleCheck(exchanger, on=settings.run.check_roles)
        feed = Feed(checking, recorder, source, roles, stopper, reader, block_size(settings))
        cut_short = await drain(settings, lifecycle.settle, feed.run(), source, recorder, stopper, tally)
    await settle_rest(source, recorder, stopper)
    if cut_short is not None:
        # Rows were left uncounted: results would lack them. Those of an earlier run stand, and the journal knows all.
        raise cut_short


async def drain(
    settings: Settings,
    settle: Settle,
    feeding: Coroutine[Any, Any, None],
    source: Source,
    recorder: Recorder,
    stopper: Stopper,
    tally: Tally,
) -> BaseException | None:
    """Carry all that `feeding` gives to the source through the pool; what cut the feeding short, if something did."""
    pool = Pool(settings.rate.max_in_flight, settle, recorder.record, settings.run.max_failures, tally, stopper)
    feed = asyncio.create_task(feeding, name="feed")
    for bug in await pool.drain(source):
        log.error("run.bug", exc_info=bug)
    (cut_short,) = await asyncio.gather(feed, return_exceptions=True)
    return cut_short


async def settle_rest(source: Source, recorder: Recorder, stopper: Stopper) -> None:
    """Record what no worker took as it was; when this returns, every row's fate is on disk, or the run is stopped."""
    for request in source.leftovers():
        recorder.record(_untouched(request))
    try:
        await recorder.flush()
    except StorageError as error:
        stopper.request(Stop.because_of(error))


def _finish_run(job: Job, checking: Checking, fetch: Fetch, started: float, stop: Stop | None) -> Summary:
    counts = write_results(job.outputs.results, checking.lines, fetch)
    keep_rejected(job, checking)
    wrote = written(job.outputs, results=True, rejected=checking.rejected.rows > 0)
    report = checking.report()
    tell_warnings(job, report)
    summary = Summary(counts, checking.tally, report, started, time.time(), stop, wrote)
    write_summary(job.outputs.summary, summary.document)
    return summary


def _keep_earlier_files(job: Job) -> None:
    """Keep what an earlier run left where this one would not continue it: its files may hold the only tokens."""
    restart, files = job.settings.run.restart, job.outputs
    if restart and (aside := set_journal_aside(files.journal)) is not None:
        log.info("journal.set_aside", kept_as=str(aside))
    if (restart or not files.journal.exists()) and (aside := set_aside(files.results)) is not None:
        log.warning("results.set_aside", kept_as=str(aside), reason="they belong to no journal that is continued here")


@asynccontextmanager
async def _journal(job: Job, target: Target, writer: ThreadPoolExecutor) -> AsyncIterator[Journal]:
    journal = Journal(job.outputs.journal, target.identity)
    await in_thread(writer, journal.__enter__)
    try:
        yield journal
    finally:
        await in_thread(writer, lambda: journal.__exit__(None, None, None))


def _untouched(request: UserRequest) -> Settlement:
    """Record a row as it was: it was marked as sent and then never taken by a worker."""
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
    )

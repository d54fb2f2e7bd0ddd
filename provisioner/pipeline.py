"""A run, from the roster to the results, readable from top to bottom.

    roster → checking → admission → journal: sent → source → workers → journal: settled → results

Reading and checking happen in one thread, the journal lives in another, the requests on the event loop. Each hands
on at most one batch ahead of the next, so memory does not grow with the roster.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field
from typing import Any

import structlog

from provisioner import __version__
from provisioner import files as files_module
from provisioner.checking import Checking
from provisioner.errors import StorageError
from provisioner.feeding import Feed
from provisioner.journal.journal import Journal
from provisioner.journal.journal import set_aside as set_journal_aside
from provisioner.journal.recorder import Recorder
from provisioner.journal.view import Identity
from provisioner.model import Outcome, Settlement, State, Tally, UserRequest
from provisioner.offline import Job, begin_checking, in_thread, keep_rejected, look_over, tell_warnings
from provisioner.progress import Watch
from provisioner.results.lines import Fetch, write_results
from provisioner.results.summary import Summary, write_summary, written
from provisioner.sending.attempts import Exchanger, Reach
from provisioner.sending.calls import Budget
from provisioner.sending.client import Client, Timeouts
from provisioner.sending.clock import ServerClock
from provisioner.sending.lifecycle import Lifecycle, Policy
from provisioner.sending.pacing import Gate, Pacing
from provisioner.sending.pool import ErrorBudget, Pool, Settle, Source
from provisioner.sending.retry import Waits
from provisioner.sending.roles import RoleCheck
from provisioner.settings.tables import Settings
from provisioner.stop import Stop, Stopper

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Target:
    """Where requests go.

    identity  what the journal remembers of it
    """

    base_url: str
    api_key: str = field(repr=False)
    identity: Identity


async def run(job: Job, target: Target, stopper: Stopper) -> Summary:
    """Provision a roster: the main job."""
    started = time.time()
    tally = Tally()
    watch = Watch(tally, drawn=job.drawn)
    job.outputs.make_folder()
    async with AsyncExitStack() as stack:
        stack.enter_context(watch.watching())
        checking = stack.enter_context(closing(await begin_checking(job, tally)))
        _set_aside(job)
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
    failures = settings.run.max_failures
    budget = ErrorBudget(failures.rows, failures.share)
    pool = Pool(settings.rate.max_in_flight, settle, recorder.record, budget, tally, stopper)
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
        stopper.request(Stop("storage", str(error), error.exit_code))


def _finish_run(job: Job, checking: Checking, fetch: Fetch, started: float, stop: Stop | None) -> Summary:
    counts = write_results(job.outputs.results, checking.lines, fetch)
    keep_rejected(job, checking)
    wrote = written(job.outputs, results=True, rejected=checking.rejected.rows > 0)
    report = checking.report()
    tell_warnings(job, report)
    summary = Summary(counts, checking.tally, report, started, time.time(), stop, wrote)
    write_summary(job.outputs.summary, summary.document)
    return summary


def _set_aside(job: Job) -> None:
    """Keep what an earlier run left where this one would not continue it: its files may hold the only tokens."""
    restart, files = job.settings.run.restart, job.outputs
    if restart and (aside := set_journal_aside(files.journal)) is not None:
        log.info("journal.set_aside", kept_as=str(aside))
    if (restart or not files.journal.exists()) and (aside := files_module.set_aside(files.results)) is not None:
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


@asynccontextmanager
async def exchanging(
    job: Job, target: Target, stopper: Stopper, tally: Tally, watch: Watch | None = None
) -> AsyncIterator[tuple[Exchanger, ServerClock]]:
    """Give what carries out operations, as long as the block lasts."""
    pacing = make_pacing(job.settings)
    if watch is not None:
        watch.pacing = pacing
    stopper.on_stop(lambda _: pacing.close())
    async with make_client(job.settings, target) as client:
        yield make_exchanger(job.settings, client, pacing, stopper, tally), client.clock
    pacing.close()


def make_client(settings: Settings, target: Target) -> Client:
    """Build the client that the settings ask for."""
    api = settings.api
    timeouts = Timeouts(api.connect_timeout, api.read_timeout, api.total_timeout)
    agent = f"provisioner/{__version__}"
    return Client(
        target.base_url, target.api_key, timeouts=timeouts, in_flight=settings.rate.max_in_flight, agent=agent
    )


def make_pacing(settings: Settings) -> Pacing:
    """Build the pacing that the settings ask for."""
    rate = settings.rate
    limits = {
        Budget.CORE: rate.requests_per_minute * rate.share,
        Budget.STANDARD: rate.standard_requests_per_minute * rate.share,
    }
    gate = Gate(waits(settings), time.monotonic, random.random)
    return Pacing(
        limits,
        rate.share,
        gate,
        told=lambda budget, limit: log.warning(
            "rate.lowered", budget=budget.value, per_minute=limit, reason="told by the server"
        ),
        paused=lambda seconds: log.warning("rate.paused", seconds=round(seconds, 3), reason="429 from the server"),
    )


def waits(settings: Settings) -> Waits:
    """Give the waiting times that the settings ask for."""
    retry = settings.retry
    return Waits(retry.backoff_base, retry.backoff_max, retry.pause_max)


def make_exchanger(settings: Settings, client: Client, pacing: Pacing, stopper: Stopper, tally: Tally) -> Exchanger:
    """Build what carries out operations."""
    retry = settings.retry
    reach = Reach(retry.unreachable_after, stopper)
    return Exchanger(
        client.send, pacing, stopper, tally, waits(settings), reach, random.random, max_attempts=retry.max_attempts
    )


def policy(settings: Settings) -> Policy:
    """Give the policy for existing users that the settings ask for."""
    return Policy(settings.run.on_existing, settings.run.auth_tokens)


def block_size(settings: Settings) -> int:
    """Rows recorded as sent in one commit: half a second's worth, so that a kill leaves few in doubt."""
    per_second = settings.rate.requests_per_minute * settings.rate.share / 60
    return max(16, min(2000, int(per_second / 2)))

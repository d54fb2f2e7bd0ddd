"""A nightly sync, from the roster to the results, readable from top to bottom.

    roster → checking → planning → guards → journal: sent → source → workers → journal: settled → results

Nothing is changed before the whole roster has been read, compared and let through by the guards.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl
import structlog

from provisioner.errors import ExitCode, StorageError
from provisioner.files import same_file
from provisioner.journal.recorder import Recorder
from provisioner.journal.syncstate import SyncState
from provisioner.model import Action, Change, Live, OnExisting, Past, Standing, Tally, UserRequest
from provisioner.run.job import Job, Target
from provisioner.run.pipeline import drain, settle_rest
from provisioner.run.progress import Watch
from provisioner.run.wiring import block_size, exchanging
from provisioner.sending.lifecycle import Lifecycle, Policy
from provisioner.sending.pool import Source
from provisioner.stop import Stop, Stopper
from provisioner.sync.changes import Changes, anew
from provisioner.sync.plan.leavers import write_leavers
from provisioner.sync.plan.planner import frames
from provisioner.sync.plan.preflight import Preview, Threads, previewed
from provisioner.sync.summary import NightSummary, summarise

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class SyncJob:
    """A job, and what a sync needs besides.

    leavers    where they are listed
    kept       digest of the kept plan that is carried out, if one is
    check      raises `UsageError` when the kept plan does not fit any more
    confirm    asked before the first change
    """

    job: Job
    leavers: Path
    kept: str | None = None
    check: Callable[[Preview], None] = lambda _: None
    confirm: Callable[[Preview], bool] = lambda _: True


async def sync_roster(sync: SyncJob, target: Target, stopper: Stopper) -> NightSummary:
    """Bring the app's users to what the roster says."""
    started, tally, settings = time.time(), Tally(), sync.job.settings
    watch = Watch(tally, drawn=sync.job.drawn)
    if (limit := settings.sync.max_duration) is not None:
        message = f"the time given by --max-duration ({limit:,.0f} s) is over; the same command goes on"
        over = Stop("max_duration", message, ExitCode.TIME_OVER)
        asyncio.get_running_loop().call_later(limit, stopper.request, over)
    asking = target if settings.sync.adopt or settings.sync.refresh else None
    with watch.watching():
        async with previewed(sync.job, asking, target.identity, stopper, tally, watch) as (seen, threads):
            await threads.use_state(lambda: sync.check(seen))
            _list_leavers(sync, seen)
            number = await threads.use_state(lambda: seen.state.begin_night(started, sync.kept))
            stop = _first_stop(sync, seen)
            if stop is None:
                await threads.use_state(lambda: seen.planner.record(started))
                watch.enter("sending")
                tally.skipped = seen.plan.unchanged
                await _carry_out(sync.job, target, seen, threads, stopper, watch)
                stop = stopper.stop
            watch.enter("writing")
            return await threads.use_state(lambda: _finish(sync, seen, number, started, stop))


def _list_leavers(sync: SyncJob, seen: Preview) -> None:
    """List them, unless that would change what a person has approved of: after a kill it is read again."""
    approved = sync.job.settings.sync.approve
    if approved is None or not same_file(approved, sync.leavers):
        write_leavers(sync.leavers, seen.plan.leavers, seen.left_before)


def _first_stop(sync: SyncJob, seen: Preview) -> Stop | None:
    """Say why nothing at all is changed, if it is not to be."""
    if seen.refused:
        message = "; ".join(refusal.message for refusal in seen.refused)
        return Stop(seen.refused[0].reason, f"nothing was changed: {message}", ExitCode.SAFETY)
    if not sync.confirm(seen):
        return Stop("not_confirmed", "nothing was changed: the plan was not confirmed", ExitCode.SAFETY)
    return None


async def _carry_out(job: Job, target: Target, seen: Preview, threads: Threads, stopper: Stopper, watch: Watch) -> None:
    """Send what the plan holds; when this returns, every change's fate is on disk."""
    settings, tally = job.settings, seen.checking.tally
    recorder = Recorder(seen.state, threads.writer, stopper)
    source = Source(stopper)
    async with exchanging(job, target, stopper, tally, watch) as (exchanger, server_clock):
        lifecycle = Lifecycle(exchanger, Policy(OnExisting.UPDATE, settings.run.auth_tokens), server_clock)
        changes = Changes(exchanger, lifecycle)
        feeding = _feed(job, seen, recorder, source, stopper)
        cut_short = await drain(settings, changes.settle, feeding, source, recorder, stopper, tally)
    await settle_rest(source, recorder, stopper)
    if cut_short is not None:
        raise cut_short


async def _feed(job: Job, seen: Preview, recorder: Recorder, source: Source, stopper: Stopper) -> None:
    """Give the pool the changes of the plan, each block recorded as sent before."""
    pieces = frames(seen.plan, block_size(job.settings))
    try:
        while not stopper and (piece := await recorder.run(lambda: next(pieces, None))) is not None:
            block = await recorder.run(partial(_requests, piece, seen.state))
            await recorder.run(partial(seen.state.sent, block, time.time()))
            await source.put(block)
    except StorageError as error:
        stopper.request(Stop.because_of(error))
    finally:
        source.end()


def _requests(piece: pl.DataFrame, state: SyncState) -> list[UserRequest]:
    uids = piece["uid"].to_list()
    known, met = state.known(uids), state.met(uids)
    requests = []
    for row, uid, action, _, body, body_hash, token, payload, digests in piece.iter_rows():
        ours, old = known.get(uid), met.get(uid)
        before = old.live if old else None
        if action == Action.DEACTIVATE:
            after = old.deactivated if old else Live(None, None, Standing.DEACTIVATED)
        else:
            after = Live(body_hash, digests, Standing.ACTIVE)
        change = Change(Action(action), payload.encode(), before, after, old.again if old else None)
        past: Past | None = None
        if ours is not None:
            edited = ours.doubt_since is not None and ours.doubt_hash != body_hash
            past = ours.past(changed=False, edited=edited)
        key = ours.key if ours is not None else state.new_key()
        request = UserRequest(key, row, uid, body.encode(), body_hash, token, past, change)
        gone = action == Action.CREATE and old is not None and old.standing is not None
        requests.append(anew(request) if gone else request)
    return requests


def _finish(sync: SyncJob, seen: Preview, number: int, started: float, stop: Stop | None) -> NightSummary:
    """Write what is to be read in the morning, and record the night."""
    summary = summarise(sync.job, sync.leavers, seen, started, stop)
    rows = seen.checking.tally.rows or 0
    seen.state.end_night(number, summary.finished, rows, summary.recorded, good=stop is None)
    return summary

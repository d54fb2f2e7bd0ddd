"""A nightly sync, from the roster to the results, readable from top to bottom.

    roster → checking → planning → guards → journal: sent → backlog → workers → journal: settled → results

Nothing is changed before the whole roster has been read, compared and let through by the guards.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from provisioner.errors import ExitCode, StorageError
from provisioner.files.looking import same_file
from provisioner.journal.columns import Known
from provisioner.journal.state.managed import Met
from provisioner.journal.state.syncstate import SyncState
from provisioner.logs.events import get_logger
from provisioner.model import Action, AuthTokens, Change, Live, OnExisting, Standing, UserRequest
from provisioner.results.manifest import known_digest, rewrite, written_last
from provisioner.run.admission import Outbox, unmet_by
from provisioner.run.job import Job, Run, Target, set_results_aside
from provisioner.run.pipeline import carry_out
from provisioner.run.progress.sampler import on_record
from provisioner.run.unchanged.ending import End
from provisioner.run.wiring import connected, counting_mints
from provisioner.sending.life.lifecycle import Lifecycle
from provisioner.sending.life.steps import Policy
from provisioner.sending.roles import RoleCheck
from provisioner.sending.serverclock import ServerClock
from provisioner.sending.users.trace import between
from provisioner.stop import NOT_CONFIRMED, Stop, Stopper, confirmed, stopping_on_storage_error
from provisioner.sync.changes import Changes
from provisioner.sync.keptplan import KeptPlan, StateMark, check_plan
from provisioner.sync.plan.assessment import Assessment, Opening, Preflight, assessed, names_of, opening
from provisioner.sync.plan.changeset import PlannedChange
from provisioner.sync.plan.leavers import write_leavers
from provisioner.sync.quiet import end_again, keep_night, question_of, recalled
from provisioner.sync.summary import LEAVERS, TIME_OVER, NightSummary, summarise

log = get_logger()


@dataclass(frozen=True, slots=True)
class SyncJob:
    """A job, and what a sync needs besides.

    leavers    where they are listed
    kept       the kept plan that is carried out, if one is
    confirm    asked before the first change
    """

    job: Job
    leavers: Path
    kept: KeptPlan | None = None
    confirm: Callable[[Assessment], bool] = lambda _: True


async def sync(sync_job: SyncJob, target: Target, stopper: Stopper) -> NightSummary:
    """Bring the app's users to what the roster says.

    Prints nothing and sets nothing up. Raises `ProvisionerError`, or `InterruptedEarlyError` when it is stopped before
    anything was sent; stopped later, it ends with a summary that says so.
    """
    run, settings = Run.begin(sync_job.job, stopper), sync_job.job.settings.sync
    log.info(
        "sync.started",
        roster=list(run.job.roster.names),
        state=str(run.job.outputs.journal),
        api=target.identity.base_url,
    )
    asking = target if settings.adopt or settings.refresh else None
    kept = sync_job.kept
    question = question_of(run.job, sync_job.leavers) if kept is None else None
    with _limited(settings.max_duration, stopper), run.watch.watching():
        async with AsyncExitStack() as stack:
            there = await stack.enter_async_context(opening(run, target.identity, kept=kept is not None))
            use_state = there.recorder.run
            same = await use_state(partial(recalled, run, question, there.state)) if question is not None else None
            if same is not None:
                return await _end_again(sync_job, run, target, there, *same)
            ready = await stack.enter_async_context(assessed(run, there, asking, target))
            assessment = ready.assessment
            run.job.outputs.refuse_too_many(ready.surveyed.survey.taken + len(assessment.going))
            if kept is not None:
                plan, state = ready.planner.plan, ready.state
                await use_state(lambda: check_plan(kept, assessment, StateMark.of(state), plan.every()))
            listed = await use_state(lambda: _list_leavers(sync_job, assessment, ready.state))
            with run.watch.aside():
                stop = _first_stop(sync_job, assessment)
            number = await use_state(partial(_begin, sync_job, run, ready.state, stop))
            if stop is None:
                await use_state(lambda: ready.planner.record(run.started))
                if (now := run.clock.now()) is not None:
                    await use_state(partial(ready.state.hear, now))
                run.watch.enter("sending")
                run.tally.outcomes.skipped = assessment.plan.unchanged
                await _carry_out(run, target, ready)
                stop = stopper.stop
            run.watch.enter("writing")
            summary = await use_state(lambda: _finish(sync_job, run, ready, number, stop, listed))
            if question is not None:
                await use_state(partial(keep_night, run, question, ready.surveyed, ready.state, summary))
            return summary


async def _end_again(
    sync_job: SyncJob, run: Run, target: Target, there: Opening, end: End, assessment: Assessment
) -> NightSummary:
    """End as the night before did: nothing has changed since."""
    with run.watch.aside():
        stop = _first_stop(sync_job, assessment)
    if stop is None:
        run.watch.enter("sending")
        async with connected(run, target) as connection, on_record(run, connection, there.recorder, "sync"):
            pass
        stop = run.stopper.stop
        if stop is not None and stop.reason == TIME_OVER:  # all is done
            stop = None
    run.watch.enter("writing")
    return await there.recorder.run(partial(end_again, run, end, assessment, there.state, stop))


def _begin(sync_job: SyncJob, run: Run, state: SyncState, stop: Stop | None) -> int | None:
    """Record that a night begins, and keep what results there are of no night of this state: they may hold tokens.

    Gives its number; None when nothing is to be changed by what would be the first: a state that was made for it is not
    kept then, and the journal of a run stays one.
    """
    if stop is not None and not state.nights.begun:
        state.unwanted = True
        return None
    if stop is None and state.is_new:
        set_results_aside(sync_job.job.outputs)
    return state.begin_night(run.started, sync_job.kept.digest if sync_job.kept is not None else None)


@contextmanager
def _limited(seconds: float | None, stopper: Stopper) -> Iterator[None]:
    """Stop the run once it has lasted so long."""
    if seconds is None:
        yield
        return
    message = f"the time given by --max-duration ({seconds:,.0f} s) is over; the same command goes on"
    over = Stop(TIME_OVER, message, ExitCode.TIME_OVER)
    timer = asyncio.get_running_loop().call_later(seconds, stopper.request, over)
    try:
        yield
    finally:
        timer.cancel()


def _list_leavers(sync_job: SyncJob, assessment: Assessment, state: SyncState) -> str | None:
    """List them, unless that would change what a person has approved of: after a kill it is read again.

    A list that somebody has begun to shorten is set aside first. Gives the digest of what was written there last.
    """
    path, approved = sync_job.leavers, sync_job.job.settings.sync.approve
    known = written_last(sync_job.job.outputs.summary, LEAVERS)
    if approved is not None and same_file(approved, path):
        return known_digest(path, known)
    leavers, left = assessment.leavers, assessment.left_before
    everybody = [uid for uid, _ in (*left, *leavers.all)]
    names, good_nights, seen = names_of(state, everybody), state.nights.good(), state.nights.last_seen(everybody)
    return rewrite(path, known, lambda: write_leavers(path, leavers, names, good_nights, left, seen))


def _first_stop(sync_job: SyncJob, assessment: Assessment) -> Stop | None:
    """Say why nothing at all is changed, if it is not to be."""
    for refusal in assessment.refused:
        log.error("sync.refused", reason=refusal.reason, message=refusal.message, in_words=True)
    if assessment.refused:
        message = "; ".join(refusal.message for refusal in assessment.refused)
        return Stop(assessment.refused[0].reason, f"nothing was changed: {message}", ExitCode.SAFETY)
    if not confirmed(lambda: sync_job.confirm(assessment)):
        return Stop(NOT_CONFIRMED, "nothing was changed: the plan was not confirmed", ExitCode.SAFETY)
    return None


async def _carry_out(run: Run, target: Target, ready: Preflight) -> None:
    """Send what the plan holds; when this returns, every change's fate is on disk."""
    policy = Policy(OnExisting.UPDATE, run.job.settings.run.auth_tokens)
    async with connected(run, target, counting_mints(ready.recorder)) as connection:
        if run.job.settings.run.create_roles and _sends_profiles(ready.assessment):
            roles = RoleCheck(connection.exchanger, on=True, create=True)
            await roles.ensure(ready.surveyed.roles)
        lifecycle = Lifecycle(connection.exchanger, policy, connection.clock, run.tally.outcomes)
        everyone = policy.auth_tokens is AuthTokens.ALL
        anew, kept = partial(_send_anew, ready, connection.clock), ready.assessment.kept
        changes = Changes(connection.exchanger, lifecycle, anew, everyone, kept=kept)
        await carry_out(run, connection, ready.recorder, changes.settle, partial(_feed, ready), "sync")


def _sends_profiles(assessment: Assessment) -> bool:
    plan = assessment.plan
    return bool(plan.actions[Action.CREATE] or plan.actions[Action.REACTIVATE] or plan.updates)


async def _send_anew(ready: Preflight, server: ServerClock, request: UserRequest) -> None:
    await ready.recorder.run(lambda: ready.state.sent_anew(request, server.server_time(server.ticks())))


async def _feed(ready: Preflight, outbox: Outbox) -> None:
    """Put the changes of the plan into the outbox."""
    pieces, recorder = ready.planner.plan.pieces(outbox.block_size), outbox.recorder
    with stopping_on_storage_error(outbox.stopper):
        while (
            not outbox.stopper.is_stopping() and (piece := await recorder.run(lambda: next(pieces, None))) is not None
        ):
            await outbox.put(await recorder.run(partial(_requests, piece, ready.state)))


def _requests(changes: Sequence[PlannedChange], state: SyncState) -> list[UserRequest]:
    uids = [each.uid for each in changes]
    known, met = state.known(uids), state.met(uids)
    return [_request(each, known.get(each.uid), met.get(each.uid), state) for each in changes]


def _request(planned: PlannedChange, ours: Known | None, old: Met | None, state: SyncState) -> UserRequest:
    """Join what is planned with what the state knows of the requests so far (`ours`) and of the user (`old`)."""
    action = Action(planned.action)
    if action is Action.DEACTIVATE:
        after = old.deactivated if old else Live(None, None, Standing.DEACTIVATED)
    else:
        after = Live(planned.live_hash, planned.digests, Standing.ACTIVE, planned.profile)
    before, again, flushed = (old.live, old.again, old.flushed) if old else (None, None, False)
    unsure = after.digests if action is Action.DEACTIVATE else between(old.digests if old else None, after.digests)
    payload = planned.payload.encode()
    change = Change(action, payload, before, after, again, planned.flush, flushed, planned.mint, unsure)
    past = unmet = unmet_by(state)
    if ours is not None:
        edited = ours.doubt_since is not None and ours.doubt_hash != planned.body_hash
        # A create asks the API whose the user is; a change has only what the state knows to go by.
        past = ours.past(changed=False, edited=edited, ours=bool(ours.ours) and action is not Action.CREATE)
        # Who joined in a lost night, and was woken by an attempt at this one, is ours by when it was created.
        if unmet is not None and action is Action.CREATE and planned.mint and past.doubt_since is None:
            past = unmet
        # A token that may have been flushed opens nothing any more.
        past = replace(past, auth_token=None) if old is not None and old.has_lost_token(action) else past
    key, body = ours.key if ours is not None else state.new_key(), planned.body.encode()
    return UserRequest(key, planned.row, planned.uid, body, planned.body_hash, planned.token, past, change)


def _finish(
    sync_job: SyncJob, run: Run, ready: Preflight, number: int | None, stop: Stop | None, listed: str | None
) -> NightSummary:
    """Write what is to be read in the morning, and record the night; `listed` is the digest of the list of leavers."""
    if ready.state.place.is_taken:
        set_results_aside(sync_job.job.outputs, whole=True)
    summary = summarise(run, sync_job.leavers, listed, ready, stop)
    rows, good = run.tally.rows.total or 0, summary.summary.stop is None
    if number is None:
        return summary
    try:
        ready.state.end_night(number, summary.finished, rows, summary.recorded, good=good)
    except StorageError as error:  # the night is not over then, and the same command goes on with it
        run.stopper.request(Stop.because_of(error))
        return summarise(run, sync_job.leavers, listed, ready, run.stopper.stop)
    return summary

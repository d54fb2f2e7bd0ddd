"""What a sync would do, judged: the half of it that changes nothing, shared by `plan` and `sync`.

    roster → checking → (directory) → planning → leavers → guards → Assessment

What is reported of it is an `Assessment`, of plain values; what carries it out needs a `Preflight`, of live ones.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass

from provisioner.errors import RosterError
from provisioner.journal.recorder import Recorder
from provisioner.journal.syncstate import SyncState
from provisioner.journal.view import Identity
from provisioner.results.findings import Report
from provisioner.run.intake import Surveyed, open_roster, survey
from provisioner.run.job import Run, Target
from provisioner.run.wiring import connected, open_store
from provisioner.settings.tables import Sync
from provisioner.stop import stop_early
from provisioner.sync.plan.directory import Directory, read_directory, resolve_doubts
from provisioner.sync.plan.guards import Refusal, Tonight, refusals
from provisioner.sync.plan.leavers import LeaverPolicy, Leavers, check_approved, read_approved
from provisioner.sync.plan.planner import Planner, PlanTotals


@dataclass(frozen=True, slots=True)
class Assessment:
    """All that is known before anything is changed.

    rows, rejected  of the roster
    report          what was found in it
    left_before     leavers that an earlier attempt of this night has deactivated, as `Leavers` has them
    refused         why nothing may be changed
    drift           what another hand did, when the directory was read
    """

    rows: int
    rejected: int
    report: Report
    plan: PlanTotals
    leavers: Leavers
    policy: LeaverPolicy
    left_before: Sequence[tuple[str, int]]
    refused: tuple[Refusal, ...]
    drift: Mapping[str, int] | None


@dataclass(frozen=True, slots=True)
class Preflight:
    """What a sync goes on with: its roster, its state and its plan, as long as they are open.

    recorder  carries out calls of the state, in its thread
    """

    assessment: Assessment
    surveyed: Surveyed
    state: SyncState
    recorder: Recorder
    planner: Planner


@asynccontextmanager
async def preflight(
    run: Run, target: Target | None, identity: Identity, resolving: Target | None = None
) -> AsyncIterator[Preflight]:
    """Read the roster, compare it with the state and judge what would be done.

    target     where to ask for the directory; None when nobody is to be asked
    resolving  where to ask whether leavers in doubt are ours, which the state then knows; None to leave that open

    Raises `ProvisionerError`, or `InterruptedEarlyError` when the run is to end.
    """
    job, stopper = run.job, run.stopper
    job.outputs.make_folder()
    async with AsyncExitStack() as stack:
        opened = stack.enter_context(closing(await open_roster(run)))
        reader = stack.enter_context(ThreadPoolExecutor(1, "reader"))
        state = SyncState(job.outputs.journal, identity, make=job.settings.sync.adopt)
        recorder = await stack.enter_async_context(open_store(state, stopper, verbose=job.settings.log.verbose))
        surveyed = await survey(opened, reader, stopper)
        directory = await _directory(run, target, state, recorder) if target is not None else None
        run.watch.enter("checking")
        planner = Planner(surveyed, state, job.outputs.results.parent, directory)
        stack.callback(planner.close)
        await recorder.run(lambda: planner.read(lambda: stop_early(stopper)))
        _refuse_duplicates(surveyed)
        if resolving is not None:
            await _resolve_doubts(run, resolving, state, recorder)
        assessment = await recorder.run(lambda: _assess(run, surveyed, state, planner, directory))
        yield Preflight(assessment, surveyed, state, recorder, planner)


async def _directory(run: Run, target: Target, state: SyncState, recorder: Recorder) -> Directory:
    directory = await recorder.run(lambda: Directory(state.database))
    async with connected(run, target) as connection:
        await read_directory(connection.exchanger, directory, recorder.run)
    stop_early(run.stopper)
    return directory


async def _resolve_doubts(run: Run, target: Target, state: SyncState, recorder: Recorder) -> None:
    """Ask about those who may have been created and are in no roster any more: they are leavers, or nobody of ours."""
    if doubts := await recorder.run(state.in_doubt):
        async with connected(run, target) as connection:
            await resolve_doubts(connection.exchanger, connection.clock, state, doubts, recorder.run)
        stop_early(run.stopper)


def _assess(
    run: Run, surveyed: Surveyed, state: SyncState, planner: Planner, directory: Directory | None
) -> Assessment:
    """Sort out the leavers, which completes the plan, and judge it."""
    settings, rows = run.job.settings.sync, run.tally.rows
    policy = _leaver_policy(settings, state)
    leavers = planner.sort_out_leavers(policy)
    left = state.left_tonight()
    last = state.nights.last_good()
    night = Tonight(
        rows=rows.total or 0,
        rejected=rows.rejected,
        last_rows=last.rows if last else None,
        managed=state.managed() + len(left),
        leaving=len(leavers.due) + len(left),
        approved=policy.approved is not None,
    )
    refused = tuple(refusals(night, settings.max_deactivations, settings.max_rejected))
    drift = directory.drift() if directory is not None else None
    report, totals = surveyed.report(), planner.plan.totals()
    return Assessment(night.rows, night.rejected, report, totals, leavers, policy, left, refused, drift)


def _leaver_policy(settings: Sync, state: SyncState) -> LeaverPolicy:
    if settings.approve is None:
        return LeaverPolicy(settings.deactivate_leavers, settings.grace_nights)
    approved = read_approved(settings.approve)
    known = state.is_leaver(sorted(approved))
    check_approved(settings.approve, sorted(approved - known))
    return LeaverPolicy(settings.deactivate_leavers, settings.grace_nights, approved)


def _refuse_duplicates(surveyed: Surveyed) -> None:
    """Refuse a roster with two rows for one person: which of them is right cannot be known."""
    found = surveyed.findings.defects.get("uid.duplicate")
    if found is not None:
        rows = ", ".join(map(str, found.first_rows)) + (" and more" if found.rows > len(found.first_rows) else "")
        message = f"{found.rows:,} rows name a person that another row names (rows {rows})"
        name = surveyed.opened.roster.name
        raise RosterError(f"{name}: {message}; nothing was changed, take one of each out")

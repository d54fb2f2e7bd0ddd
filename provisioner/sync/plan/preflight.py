"""What a sync would do, judged: the half of it that changes nothing, shared by `plan` and `sync`.

roster → checking → (directory) → planning → leavers → guards → Preview
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from typing import TypeVar

from provisioner.errors import RosterError
from provisioner.journal.syncstate import SyncState
from provisioner.journal.view import Identity
from provisioner.model import Tally
from provisioner.run.intake import Checking, begin_checking, in_thread, look_over
from provisioner.run.job import Job, Target
from provisioner.run.progress import Watch
from provisioner.run.wiring import exchanging
from provisioner.stop import Stopper, stop_early
from provisioner.sync.plan.directory import Directory, read_directory
from provisioner.sync.plan.guards import Refusal, Tonight, refusals
from provisioner.sync.plan.leavers import LeaverPolicy, check_approved, read_approved
from provisioner.sync.plan.planner import Plan, Planner

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Preview:
    """All that is known before anything is changed.

    left_before  leavers that an earlier attempt of this night has deactivated, as `Leavers` has them
    refused      why nothing may be changed
    drift        what another hand did, when the directory was read
    """

    checking: Checking
    state: SyncState
    plan: Plan
    planner: Planner
    left_before: list[tuple[str, int]]
    refused: tuple[Refusal, ...]
    drift: dict[str, int] | None


@dataclass(frozen=True, slots=True)
class Threads:
    """The one that reads and checks, and the one that uses the state."""

    reader: ThreadPoolExecutor
    writer: ThreadPoolExecutor

    async def use_state(self, call: Callable[[], T]) -> T:
        """Carry out a call in the thread of the state."""
        return await in_thread(self.writer, call)


@asynccontextmanager
async def previewed(
    job: Job, target: Target | None, identity: Identity, stopper: Stopper, tally: Tally, watch: Watch
) -> AsyncIterator[tuple[Preview, Threads]]:
    """Read the roster, compare it with the state and judge what would be done.

    target  where to ask for the directory; None when nobody is to be asked
    """
    job.outputs.make_folder()
    async with AsyncExitStack() as stack:
        checking = stack.enter_context(closing(await begin_checking(job, tally)))
        reader, writer = (stack.enter_context(ThreadPoolExecutor(1, name)) for name in ("reader", "state"))
        threads = Threads(reader, writer)
        state = await stack.enter_async_context(_state(job, identity, threads))
        await look_over(checking, reader, stopper)
        directory = await _directory(job, target, state, threads, stopper, tally) if target is not None else None
        watch.enter("checking")
        planner = Planner(checking, state, job.outputs.results.parent, directory)
        stack.callback(planner.close)
        plan = await threads.use_state(lambda: planner.read(lambda: stop_early(stopper)))
        _refuse_duplicates(checking)
        policy = await threads.use_state(lambda: _leaver_policy(job, state))
        await threads.use_state(lambda: planner.sort_out_leavers(policy))
        left = await threads.use_state(state.left_tonight)
        refused = await threads.use_state(lambda: _refused(checking, state, plan, policy, len(left)))
        drift = await threads.use_state(directory.drift) if directory is not None else None
        yield Preview(checking, state, plan, planner, left, refused, drift), threads


async def _directory(
    job: Job, target: Target, state: SyncState, threads: Threads, stopper: Stopper, tally: Tally
) -> Directory | None:
    directory = await threads.use_state(lambda: Directory(state.database))

    async def in_state_thread(call: Callable[[], None]) -> None:
        await threads.use_state(call)

    async with exchanging(job, target, stopper, tally) as (exchanger, _):
        read = await read_directory(exchanger, directory, in_state_thread)
    stop_early(stopper)
    return directory if read else None


@asynccontextmanager
async def _state(job: Job, identity: Identity, threads: Threads) -> AsyncIterator[SyncState]:
    state = SyncState(job.outputs.journal, identity, make=job.settings.sync.adopt)
    await threads.use_state(state.__enter__)
    try:
        yield state
    finally:
        await threads.use_state(lambda: state.__exit__(None, None, None))


def _leaver_policy(job: Job, state: SyncState) -> LeaverPolicy:
    told = job.settings.sync
    if told.approve is None:
        return LeaverPolicy(told.deactivate_leavers, told.grace_nights)
    approved = read_approved(told.approve)
    known = state.is_leaver(sorted(approved))
    check_approved(told.approve, sorted(approved - known))
    return LeaverPolicy(told.deactivate_leavers, told.grace_nights, approved)


def _refused(checking: Checking, state: SyncState, plan: Plan, policy: LeaverPolicy, left: int) -> tuple[Refusal, ...]:
    told, last = checking.settings.sync, state.nights.last_good()
    night = Tonight(
        rows=checking.tally.rows or 0,
        rejected=checking.tally.rejected,
        last_rows=last.rows if last else None,
        managed=state.managed() + left,
        leaving=len(plan.leavers.due) + left,
        approved=policy.approved is not None,
    )
    return tuple(refusals(night, told.max_deactivations, told.max_rejected))


def _refuse_duplicates(checking: Checking) -> None:
    """Refuse a roster with two rows for one person: which of them is right cannot be known."""
    found = checking.findings.defects.get("uid.duplicate")
    if found is not None:
        rows = ", ".join(map(str, found.first_rows)) + (" and more" if found.rows > len(found.first_rows) else "")
        message = f"{found.rows:,} rows name a person that another row names (rows {rows})"
        raise RosterError(f"{checking.roster.name}: {message}; nothing was changed, take one of each out")

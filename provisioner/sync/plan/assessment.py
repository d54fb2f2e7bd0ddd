"""What a sync would do, judged: the half of it that changes nothing, shared by `plan` and `sync`.

    roster → checking → (directory) → planning → leavers → guards → Assessment

What is reported of it is an `Assessment`, of plain values; what carries it out needs a `Preflight`, of live ones.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import Final

from provisioner.errors import ConfigurationError
from provisioner.journal.copies.mark import refuse_empty_copy
from provisioner.journal.header import Identity
from provisioner.journal.lock import unnoted
from provisioner.journal.recorder import Recorder
from provisioner.journal.state.syncstate import PlannedState, SyncState
from provisioner.model import Action
from provisioner.results.findings import Report
from provisioner.run.intake import Opened, Surveyed, open_roster, survey
from provisioner.run.job import Run, Target
from provisioner.run.wiring import connected, convert_times, open_store, tell_of_copy
from provisioner.sending.users.profile import members, unpacked
from provisioner.settings.tables import Sync
from provisioner.stop import stop_early
from provisioner.sync.plan.changeset import EXAMPLES, Plan, PlanTotals, in_words
from provisioner.sync.plan.directory import Directory, look_for_missing, read_directory, resolve_doubts
from provisioner.sync.plan.guards import STANDING, Example, Limits, Refusal, Tonight, refusals
from provisioner.sync.plan.leavers import LeaverPolicy, Leavers, check_approved, read_approved
from provisioner.sync.plan.planner import Planner
from provisioner.tally import RowTally
from provisioner.threads import in_thread

# Users looked up at once, and looked through for examples.
_LOOKED_THROUGH: Final = 4000


@dataclass(frozen=True, slots=True)
class Assessment:
    """All that is known before anything is changed.

    rows, rejected  of the roster
    report          what was found in it
    left_before     leavers that an earlier attempt of this night has deactivated, as `Leavers` has them
    refused         why nothing may be changed
    drift           what another hand did, when the directory was read
    kept            a kept plan is carried out
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
    kept: bool = False

    @property
    def found(self) -> int:
        """How many leavers there are, those of an earlier attempt included."""
        return self.leavers.found + len(self.left_before)

    @property
    def holds_back(self) -> bool:
        """Whether leavers who are to be deactivated stay, because they may be in the roster and could not be told."""
        return bool(self.leavers.reported) and self.policy.deactivate and self.policy.approved is None

    @property
    def going(self) -> Sequence[tuple[str, int]]:
        """The leavers that this night deactivates, or an earlier attempt has deactivated."""
        return (*self.left_before, *self.leavers.due)


@dataclass(frozen=True, slots=True)
class Opening:
    """What a sync reads, open: its roster and its state.

    reader    reads the roster
    recorder  carries out calls of the state, in its thread
    kept      a kept plan is carried out
    """

    opened: Opened
    reader: Executor
    state: SyncState
    recorder: Recorder
    kept: bool


@dataclass(frozen=True, slots=True)
class Preflight:
    """What a sync goes on with: its roster, its state and its plan, as long as they are open.

    recorder  as `Opening` has it
    """

    assessment: Assessment
    surveyed: Surveyed
    state: SyncState
    recorder: Recorder
    planner: Planner


@asynccontextmanager
async def preflight(run: Run, target: Target | None, identity: Identity) -> AsyncIterator[Preflight]:
    """Open a roster and a state, and judge what would be done; as `opening` and `assessed` do."""
    async with opening(run, identity) as there, assessed(run, there, target) as ready:
        yield ready


@asynccontextmanager
async def opening(run: Run, identity: Identity, *, kept: bool = False) -> AsyncIterator[Opening]:
    """Open the roster and the state, which may be those of a kept plan. Raises `ProvisionerError`."""
    job = run.job
    job.outputs.make_folder()
    async with AsyncExitStack() as stack:
        opened = stack.enter_context(closing(await open_roster(run)))
        reader = stack.enter_context(ThreadPoolExecutor(1, "reader"))
        if job.settings.run.restored:
            refuse_empty_copy(job.outputs.journal)
        kind = PlannedState if kept else SyncState
        state = kind(job.outputs.journal, identity, make=job.settings.sync.adopt)
        recorder = await stack.enter_async_context(open_store(state, run.stopper, job.settings))
        if job.settings.run.restored:
            await recorder.run(state.mark_as_copy)
        tell_of_copy(state)
        yield Opening(opened, reader, state, recorder, kept)


@asynccontextmanager
async def assessed(
    run: Run, there: Opening, target: Target | None, resolving: Target | None = None
) -> AsyncIterator[Preflight]:
    """Read the roster, compare it with the state and judge what would be done.

    target     where to ask for the directory; None when nobody is to be asked, unless the state is a copy
    resolving  where to ask whether leavers in doubt are ours, which the state then knows; None to leave that open

    Raises `ProvisionerError`, or `InterruptedEarlyError` when the run is to end.
    """
    stopper, state, recorder = run.stopper, there.state, there.recorder
    if state.copied_at is not None:
        # What nights that it does not know have made of users is seen in the app.
        target = target or resolving
        if target is None:
            message = "the state is a copy, and what nights since have done is seen only in the app; add --refresh"
            raise ConfigurationError(f"{state.path}: {message}, which sync does by itself")
    surveyed = await survey(there.opened, there.reader, stopper)
    surveyed = await in_thread(there.reader, partial(surveyed.compared, lambda: stop_early(stopper)))
    directory = await _directory(run, target, state, recorder) if target is not None else None
    run.watch.enter("checking")
    with closing(Planner(surveyed, state, run.job.outputs.results.parent, directory)) as planner:
        await recorder.run(lambda: planner.read(lambda: stop_early(stopper)))
        if resolving is not None:
            await _resolve_doubts(run, resolving, state, recorder, planner)
        assessment = await recorder.run(lambda: _assess(run, surveyed, state, planner, directory, kept=there.kept))
        yield Preflight(assessment, surveyed, state, recorder, planner)


async def _directory(run: Run, target: Target, state: SyncState, recorder: Recorder) -> Directory:
    with unnoted(state.path):
        directory = await recorder.run(lambda: Directory(state.database))
        async with connected(run, target) as connection:
            if await read_directory(connection.exchanger, directory, recorder.run):
                await look_for_missing(connection.exchanger, directory, recorder.run)
    stop_early(run.stopper)
    return directory


async def _resolve_doubts(run: Run, target: Target, state: SyncState, recorder: Recorder, planner: Planner) -> None:
    """Ask about those who may have been created and are in no roster any more: they are leavers, or nobody of ours.

    Of the latter, those whom the roster names as deactivated may be active because a night that was killed woke them.
    """
    if await recorder.run(state.in_doubt):
        async with connected(run, target) as connection:
            await convert_times(connection, recorder)
            doubts = await recorder.run(state.in_doubt)
            others = await resolve_doubts(connection.exchanger, state, doubts, recorder.run)
            planner.strangers |= await recorder.run(partial(state.named, others))
        stop_early(run.stopper)


def _assess(
    run: Run, surveyed: Surveyed, state: SyncState, planner: Planner, directory: Directory | None, *, kept: bool
) -> Assessment:
    """Sort out the leavers, which completes the plan, and judge it."""
    settings, rows = run.job.settings.sync, run.tally.rows
    policy = _leaver_policy(settings, state, planner.strangers)
    leavers = planner.sort_out_leavers(policy)
    left = state.left_tonight()
    totals, approved = planner.plan.totals(), policy.approved or frozenset()
    every = (*left, *leavers.all)
    leavers = replace(leavers, named=state.named([uid for uid, _ in every]))
    gone = [uid for uid, absent in every if not absent and uid not in leavers.named]
    managed = known = state.managed() + len(left)
    if settings.adopt:
        # Who is taken over was there before the night.
        managed += planner.taken_over + len(planner.strangers)
    report = surveyed.report()
    night = Tonight(
        rows=rows.total or 0,
        rejected=rows.rejected,
        managed=managed,
        expected=known - state.absent_before(),
        lacking=sum(uid not in approved for uid in gone),
        leaving=len(leavers.due) + len(left) if leavers.due else 0,
        approved=policy.approved is not None,
        creates=totals.actions[Action.CREATE],
        absent=len(gone),
        changed=totals.altered,
        adopting=settings.adopt,
        codes=report.rejected_by_code,
        woken=totals.woken,
        looking=directory is not None,
        drifted=totals.drifted,
        kept=kept,
    )
    limits = Limits(settings.max_deactivations, settings.max_rejected, settings.max_creates, settings.max_updates)
    seen = _Seen(surveyed, state, planner.plan, gone, [uid for uid, _ in (*left, *leavers.due)])
    refused = tuple(each.with_examples(tuple(seen.examples(each))) for each in refusals(night, limits))
    drift = directory.drift() if directory is not None else None
    return Assessment(night.rows, night.rejected, report, totals, leavers, policy, left, refused, drift, kept)


def undisturbed(settings: Sync, rows: RowTally, report: Report) -> Assessment:
    """Judge a roster whose users are all as wanted, of which nobody has left."""
    plan = PlanTotals(unchanged=rows.valid)
    return Assessment(rows.checked, rows.rejected, report, plan, Leavers(), _manner(settings), (), (), None)


@dataclass(frozen=True, slots=True)
class _Seen:
    """Where the examples of a refusal are found.

    gone     uids that tonight's roster is the first not to name
    leaving  uids that would be deactivated
    """

    surveyed: Surveyed
    state: SyncState
    plan: Plan
    gone: Sequence[str]
    leaving: Sequence[str]

    def examples(self, refusal: Refusal) -> Iterator[Example]:
        """Give some of those whom a refusal is about."""
        match refusal.reason:
            case "too_many_updates" | "too_many_reactivations":
                yield from self.plan.so_far.examples.get(refusal.field or "", ())
            case "too_many_creates":
                yield from self._other_ids()
            case "too_many_rejected":
                lines = (frame.drop_nulls("error_message") for frame in self.surveyed.lines.frames())
                found = (
                    row for frame in lines for row in frame.select("uid_input", "row", "error_message").iter_rows()
                )
                for uid, row, why in islice(found, EXAMPLES):
                    yield Example(uid or f"row {row}", f"row {row}", uid, why)
            case "too_many_leavers":
                yield from (Example(uid, STANDING, "active", "deactivated") for uid in self.leaving[:EXAMPLES])
            case _:
                names = names_of(self.state, self.gone[:EXAMPLES])
                yield from (Example(uid, "name", names.get(uid), None) for uid in self.gone[:EXAMPLES])

    def _other_ids(self) -> Iterator[Example]:
        """Give pairs of an absent and a new user of the same name; where there are none, the first new users."""
        absent = {name: uid for uid, name in reversed(names_of(self.state, self.gone[:_LOOKED_THROUGH]).items())}
        frames = (frame.filter(action=Action.CREATE.value) for frame in self.plan.changes.frames())
        new = islice(
            ((uid, body) for frame in frames for uid, body in frame.select("uid", "body").iter_rows()), _LOOKED_THROUGH
        )
        named = [(uid, in_words(members(body).get("name")) or "") for uid, body in new]
        pairs = [Example(absent[name], "uid", absent[name], uid) for uid, name in named if name in absent]
        yield from pairs[:EXAMPLES] or [Example(uid, "uid", None, uid) for uid, _ in named[:EXAMPLES]]


def names_of(state: SyncState, uids: Sequence[str]) -> dict[str, str]:
    """Look up the names of users as the state keeps them; those not kept are not in the answer."""
    names = {}
    for start in range(0, len(uids), _LOOKED_THROUGH):
        for uid, kept in state.profiles(uids[start : start + _LOOKED_THROUGH]).items():
            if (name := in_words(unpacked(kept).get("name"))) is not None:
                names[uid] = name
    return {uid: names[uid] for uid in uids if uid in names}


def _leaver_policy(settings: Sync, state: SyncState, strangers: Collection[str]) -> LeaverPolicy:
    if settings.approve is None:
        return _manner(settings)
    approved = read_approved(settings.approve)
    known = state.is_leaver(sorted(approved)) | frozenset(strangers)
    check_approved(settings.approve, sorted(approved - known))
    return replace(_manner(settings), approved=approved)


def _manner(settings: Sync) -> LeaverPolicy:
    return LeaverPolicy(settings.deactivate_leavers, settings.grace_nights, flush=not settings.keep_sessions)

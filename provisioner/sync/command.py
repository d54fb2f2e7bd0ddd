"""What `sync` and `plan` do, from a roster or a kept plan and settings to a summary or a report."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console

from provisioner.errors import ConfigurationError, ExitCode, OutputError, StorageError, UsageError
from provisioner.files.cures import foreign_name
from provisioner.files.looking import same_file
from provisioner.files.writing import temporary_folder
from provisioner.journal.header import app_at
from provisioner.logs.events import get_logger
from provisioner.model import Action
from provisioner.results.outputs import refuse_as_output, refuse_what_is_no_file
from provisioner.roster.database.address import PREFIX
from provisioner.roster.files.inputs import shown
from provisioner.run.dryrun import look_ahead
from provisioner.run.job import Job, Run, Target, identity, make_job, make_target, refuse_emulator, rosters
from provisioner.run.rates import Dial
from provisioner.run.runtime import is_agreed, is_anybody_there
from provisioner.settings.layers import flag_of
from provisioner.settings.named import APPROVED, named_files
from provisioner.settings.tables import Settings
from provisioner.stop import Stop, Stopper
from provisioner.sync import night
from provisioner.sync.keptplan import (
    KeptPlan,
    PlanSource,
    StateMark,
    is_plan,
    kept_in,
    read_plan,
    readable_in,
    refuse_as_plan,
    write_plan,
)
from provisioner.sync.metrics import check_metrics_file, write_metrics
from provisioner.sync.night import SyncJob
from provisioner.sync.plan.assessment import Assessment, preflight
from provisioner.sync.plan.report import PlanReport
from provisioner.sync.summary import NightSummary

log = get_logger()


async def sync(
    arguments: Sequence[str],
    settings: Settings,
    stopper: Stopper,
    *,
    confirm: Callable[[Assessment], bool] | None,
    drawn: bool,
    dial: Dial | None = None,
) -> NightSummary:
    """Bring the app's users to what a roster, or a kept plan, says; see `provisioner.api.sync_async`."""
    with measured(arguments, settings) as document:
        job, target = sync_job(arguments, settings)
        job = replace(job, job=replace(job.job, drawn=drawn, dial=dial), confirm=confirm or job.confirm)
        summary = await night.sync(job, target, stopper)
        document.update(summary.document)
        return summary


@contextmanager
def measured(arguments: Sequence[str], settings: Settings) -> Iterator[dict[str, Any]]:
    """Write the metrics of a sync: what is put into the dictionary, if anything is, or just its exit code if it fails.

    Raises `OutputError` when they cannot be written there.
    """
    metrics = settings.sync.metrics_file
    if metrics is None:
        yield {}
        return
    state = _state_of(arguments, settings)
    check_metrics_file(metrics, state)
    started, document = time.time(), dict[str, Any]()
    try:
        yield document
    except BaseException as error:
        document = {"exit_code": Stop.because_of(error).exit_code if isinstance(error, Exception) else ExitCode.BUG}
        raise
    finally:
        try:
            if document:
                write_metrics(metrics, state, started, document)
        except (OSError, StorageError) as error:
            # The sync ended as it ended; that its file grows old is what an alert sees.
            log.error("metrics.not_written", reason=str(error))


def _state_of(arguments: Sequence[str], settings: Settings) -> Path | None:
    """Name the state of a sync: of a kept plan its own, if it can be read."""
    kept = readable_in(arguments)
    return settings.sync.state if kept is None else kept.state


def sync_job(arguments: Sequence[str], settings: Settings) -> tuple[SyncJob, Target]:
    """Find what a sync needs, and where it sends; nobody is asked before the first change.

    arguments  a roster, or the one kept plan that is to be carried out with the settings it was made with

    Raises `ConfigurationError`, `RosterError`, `OutputError` or, for a plan that cannot be used, `UsageError`.
    """
    kept = kept_in(arguments)
    if kept is not None:
        arguments, settings = kept.roster, _as_planned(kept, settings)
    if settings.run.dry_run:
        raise ConfigurationError("run.dry_run: a sync sends; use plan to see what it would do, or take dry_run out")
    target = make_target(settings)
    if kept is not None and app_at(kept.app) != target.identity.address:
        cure = "check app id, region and base URL, or make a new plan; nothing was changed"
        raise UsageError(f"the plan was made for {kept.app}, not for {target.identity.base_url}; {cure}")
    job = _night_job(arguments, settings)
    outputs, leavers = job.outputs, job.outputs.leavers
    refuse_as_output(leavers, outputs.cure(leavers))
    # What was approved may be that very list, which stays as it is then.
    _refuse_overwriting(leavers, job, (each for each in named_files(settings) if each[0] != APPROVED))
    return SyncJob(job, leavers, kept), target


@dataclass(frozen=True, slots=True)
class PlanJob:
    """A job that changes nothing.

    target  where to ask for the directory; None when nobody is to be asked
    keep    where the plan is kept, if it is
    source  what the plan is made from, as it is kept
    """

    job: Job
    target: Target | None
    keep: Path | None
    source: PlanSource


@contextmanager
def plan_job(arguments: Sequence[str], settings: Settings) -> Iterator[PlanJob]:
    """Find what a plan needs; what it writes by the way is gone when the block ends.

    settings.output.file is where the plan is kept. Raises as `sync_job` does.
    """
    if _is_kept(arguments):
        read_plan(Path(arguments[0]))
        raise UsageError(f"{arguments[0]}: is a kept plan; carry it out with sync, or give the roster")
    keep, asks = settings.output.file, settings.sync.refresh or settings.sync.adopt
    if settings.run.create_roles or settings.api.max_users is not None:  # which asks the app too
        refuse_emulator(settings)
    target, app = make_target(settings) if asks else None, identity(settings)
    given = _absolute(rosters(arguments, settings)) if keep is not None else []
    source = PlanSource(
        given, settings.sync.model_dump(), app.base_url, settings.run.auth_tokens, settings.run.create_roles
    )
    with temporary_folder() as folder:
        job = _preview_job(arguments, settings, folder)
        if keep is not None:
            refuse_as_plan(keep)
            refuse_as_output(keep, job.outputs.cure(keep))
            _refuse_overwriting(keep, job, named_files(settings))
        yield PlanJob(job, target, keep, source)


def _is_kept(arguments: Sequence[str]) -> bool:
    """Tell a kept plan from a roster where a roster is wanted: what is not there can only be one."""
    return is_plan(arguments) and Path(arguments[0]).exists()


async def make_plan(planned: PlanJob, stopper: Stopper) -> PlanReport:
    """Report what a sync would do, and keep the plan where that is asked for; prints nothing and sets nothing up.

    Raises `ProvisionerError`, or `InterruptedEarlyError` when it is stopped.
    """
    run, keep, settings = Run.begin(planned.job, stopper), planned.keep, planned.job.settings
    with run.watch.watching():
        async with preflight(run, planned.target, identity(settings)) as ready:
            ready.state.unwanted = True
            requests = run.tally.requests.sent
            creates, roles = ready.assessment.plan.actions[Action.CREATE], ready.surveyed.roles
            needs = await look_ahead(run, creates, roles)
            first = await ready.recorder.run(lambda: ready.planner.plan.first(settings.run.show))
            report = PlanReport(ready.assessment, settings.rate, requests, str(keep) if keep else None, first, needs)
            if keep is not None:
                plan, state = ready.planner.plan, ready.state
                await ready.recorder.run(lambda: write_plan(keep, planned.source, report, plan, StateMark.of(state)))
            return report


async def plan(arguments: Sequence[str], settings: Settings, stopper: Stopper, *, drawn: bool) -> PlanReport:
    """Report what a sync would do; see `provisioner.api.plan_async`."""
    with plan_job(arguments, settings) as planned:
        return await make_plan(replace(planned, job=replace(planned.job, drawn=drawn)), stopper)


def files_of(arguments: Sequence[str], settings: Settings, *, planning: bool = False) -> tuple[Path, ...]:
    """Name the files that a sync, or the making of a plan, reads and writes. Raises as `sync_job` does."""
    if _is_kept(arguments) if planning else is_plan(arguments):
        kept = read_plan(Path(arguments[0]))
        arguments, settings = kept.roster, _as_planned(kept, settings)
    job = _night_job(arguments, settings)
    files = (*job.roster.paths, *job.outputs.paths(), job.outputs.leavers, settings.sync.metrics_file)
    return tuple(filter(None, files))


def _night_job(arguments: Sequence[str], settings: Settings) -> Job:
    job, state = make_job(arguments, settings), _state_file(settings)
    if (trouble := foreign_name(state)) is not None:
        raise OutputError(trouble)
    return replace(job, outputs=replace(job.outputs, journal=state))


def _refuse_overwriting(path: Path, job: Job, named: Iterable[tuple[str, Path]]) -> None:
    """Refuse a name under which a sync or a plan would overwrite what it reads or keeps; raises `OutputError`."""
    rosters, state = job.roster.paths, _state_file(job.settings)
    job.outputs.refuse_overwriting([path], [*(("the roster", roster) for roster in rosters), *named])
    if any(same_file(state, roster) for roster in rosters):
        raise OutputError(f"{state}: is the roster; check --state")


def _preview_job(arguments: Sequence[str], settings: Settings, folder: Path) -> Job:
    """Give a job whose only outputs are in a folder that will be gone; a state that is not there is made there."""
    state = _state_file(settings)
    output = settings.output.model_copy(update={"file": folder / "plan.csv", "tokens_to": None})
    job = make_job(arguments, settings.model_copy(update={"output": output}))
    made = settings.sync.adopt and not state.exists()
    return replace(job, outputs=replace(job.outputs, journal=folder / "state.db" if made else state))


def _state_file(settings: Settings) -> Path:
    if settings.run.limit is not None:
        raise ConfigurationError(
            "run.limit: a sync takes the whole roster, or everybody behind the limit would have left"
        )
    if settings.run.shard is not None:
        raise ConfigurationError(
            "run.shard: a sync takes the whole roster, or everybody of the other shards would have left"
        )
    refuse_what_is_no_file(settings.state_file, "check --state")
    return settings.state_file


def _as_planned(kept: KeptPlan, settings: Settings) -> Settings:
    """Take over the settings that decided what the plan holds, whatever a config file says by now."""
    decided = _decided(kept)
    tables = {table: getattr(settings, table).model_copy(update=decided[table]) for table in decided}
    return settings.model_copy(update=tables)


def _decided(kept: KeptPlan) -> dict[str, dict[str, Any]]:
    """Give the settings that decided what a kept plan holds, table by table."""
    approve = kept.options["approve"]
    # A plan of a query asks it again, and does not hold it.
    queried = all(each.startswith(PREFIX) for each in kept.roster)
    asked = {} if queried else {"query": None, "database": None}
    return {
        "run": {"auth_tokens": kept.auth_tokens, "create_roles": kept.create_roles, **asked},
        "sync": {**kept.options, "state": kept.state, "approve": Path(approve) if approve else None},
    }


def refuse_other_than_planned(
    arguments: Sequence[str], settings: Settings, flags: Mapping[str, Mapping[str, Any]]
) -> None:
    """Raise `UsageError` when a kept plan is to be carried out with a flag that asks for something else.

    settings  with the flags in them
    """
    if not is_plan(arguments) or not (flags.get("run") or flags.get("sync")):
        return  # without reading what can be long
    for table, decided in _decided(read_plan(Path(arguments[0]))).items():
        for key in decided.keys() & flags.get(table, {}).keys():
            asked, planned = (_comparable(each) for each in (getattr(getattr(settings, table), key), decided[key]))
            if asked != planned:
                flag, is_switch = flag_of(table, key), isinstance(asked, bool)
                was = f"with {flag} {planned}" if planned and not is_switch else f"with{'out' * (not planned)} it"
                asks = (
                    flag
                    if asked is True or planned is None
                    else f"{flag}={'false' if is_switch else flags[table][key]}"
                )
                cure = "leave the option out, or make a new plan; nothing was changed"
                raise UsageError(f"{asks}: {arguments[0]} was made {was}, and just that is carried out; {cure}")


def _comparable(value: object) -> object:
    return str(value.resolve()) if isinstance(value, Path) else value


def confirming(settings: Settings) -> Callable[[Assessment], bool]:
    """Give what asks a person who is there before the first change; a scheduler is not asked."""
    if settings.sync.yes or not is_anybody_there():
        return lambda _: True

    def ask(assessment: Assessment) -> bool:
        console = Console(stderr=True)
        PlanReport(assessment, settings.rate, 0, None).show(console)
        return is_agreed("Carry this out?", default=False, console=console)

    return ask


def _absolute(arguments: Sequence[str]) -> list[str]:
    """Name the roster so that it is found from anywhere; raises `OutputError` for what a file must not hold."""
    if secret := [shown(each) for each in arguments if shown(each) != each]:
        raise OutputError(f"{secret[0]}: its address holds a secret that a kept plan would tell; fetch the file first")
    return [
        each if "://" in each or each == "-" or each.startswith(PREFIX) else str(Path(each).resolve())
        for each in arguments
    ]

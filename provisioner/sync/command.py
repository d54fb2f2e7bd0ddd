"""The commands of a nightly sync, from their settings to their exit codes."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import structlog
from rich.console import Console
from rich.prompt import Confirm

from provisioner.errors import ConfigurationError, ExitCode, OutputError, ProvisionerError, StorageError
from provisioner.files import same_file
from provisioner.model import Tally
from provisioner.roster.files.inputs import shown
from provisioner.run.job import Job, identity, make_job, make_target, set_up_logs
from provisioner.run.progress import Watch
from provisioner.run.session import conduct
from provisioner.settings.tables import Settings
from provisioner.stop import Stopper
from provisioner.sync.history import history_of
from provisioner.sync.metrics import check_metrics_file, write_metrics
from provisioner.sync.night import SyncJob, sync_roster
from provisioner.sync.plan.keptplan import KeptPlan, check_plan, is_plan, read_plan, write_plan
from provisioner.sync.plan.preflight import Preview, previewed
from provisioner.sync.plan.report import PlanReport
from provisioner.sync.summary import NightSummary

log = structlog.get_logger()


def sync_command(arguments: list[str], settings: Settings) -> ExitCode:
    """Bring the app's users to what a roster, or a kept plan, says (`sync`)."""
    metrics, state = settings.sync.metrics_file, settings.sync.state
    if metrics is None:
        return _sync_command(arguments, settings)[0]
    check_metrics_file(metrics, state)
    started, told = time.time(), {"exit_code": ExitCode.BUG}
    try:
        code, document = _sync_command(arguments, settings)
        told = document or {"exit_code": code}
    except ProvisionerError as error:
        told = {"exit_code": error.exit_code}
        raise
    finally:
        _tell_metrics(metrics, state, started, told)
    return code


def _tell_metrics(path: Path, state: Path | None, started: float, told: Mapping[str, Any]) -> None:
    try:
        write_metrics(path, state, started, told)
    except (OSError, StorageError) as error:
        # The sync ended as it ended; that its file grows old is what an alert sees.
        print(f"error: the metrics could not be written: {error}", file=sys.stderr)


def _sync_command(arguments: list[str], settings: Settings) -> tuple[ExitCode, dict[str, Any] | None]:
    kept = read_plan(Path(arguments[0])) if is_plan(arguments) else None
    if kept is not None:
        arguments, settings = list(kept.roster), _as_planned(kept, settings)
    target = make_target(settings)
    job = _night_job(arguments, settings)
    set_up_logs(job, target.api_key)
    leavers = job.outputs.results.with_suffix(".leavers.csv")
    _refuse_overwriting(job, leavers)
    sync = SyncJob(job, leavers, kept.digest if kept else None, _checking(kept), _asking(settings))
    endings: list[NightSummary] = []

    async def work(stopper: Stopper) -> NightSummary:
        state, api = str(job.outputs.journal), target.identity.base_url
        log.info("sync.started", roster=list(job.roster.names), state=state, api=api)
        endings.append(await sync_roster(sync, target, stopper))
        for refusal in endings[0].seen.refused:
            log.error("sync.refused", reason=refusal.reason, message=refusal.message)
        return endings[0]

    code = conduct(settings, work)
    return code, endings[0].document if endings else None


def plan_command(arguments: list[str], settings: Settings) -> ExitCode:
    """Say what a sync would do (`plan`); `settings.output.file` is where the plan is kept."""
    asked = settings.sync.refresh or settings.sync.adopt
    target = make_target(settings) if asked else None
    app = identity(settings)
    given = _absolute(arguments) if settings.output.file is not None else []
    with tempfile.TemporaryDirectory(prefix="provisioner-") as folder:
        job = _preview_job(arguments, settings, Path(folder))
        set_up_logs(job, target.api_key if target else "")

        async def work(stopper: Stopper) -> PlanReport:
            tally = Tally()
            watch = Watch(tally, drawn=job.drawn)
            with watch.watching():
                async with previewed(job, target, app, stopper, tally, watch) as (seen, threads):
                    kept = settings.output.file
                    report = PlanReport(seen, settings.rate, tally.requests, str(kept) if kept else None)
                    if kept is not None:
                        options = settings.sync.model_dump()
                        await threads.use_state(lambda: write_plan(kept, report, given, options, app.base_url))
                    return report

        return conduct(settings, work)


def history_command(settings: Settings, last: int, *, as_json: bool) -> str:
    """Tell the last nights (`history`)."""
    return history_of(_state_file(settings), last, as_json=as_json)


def _night_job(arguments: list[str], settings: Settings) -> Job:
    job = make_job(arguments, settings)
    return replace(job, outputs=replace(job.outputs, journal=_state_file(settings)))


def _refuse_overwriting(job: Job, leavers: Path) -> None:
    """Refuse names under which a sync would overwrite what it reads or keeps; raises `OutputError`."""
    outputs = job.outputs
    written = [outputs.results, outputs.rejected, outputs.summary, leavers]
    for path, other in product(written, [*job.roster.paths, outputs.journal]):
        if same_file(path, other):
            what = "the state" if other is outputs.journal else "the roster"
            raise OutputError(f"{path}: would overwrite {what}; choose another name")
    if any(same_file(outputs.journal, roster) for roster in job.roster.paths):
        raise OutputError(f"{outputs.journal}: is the roster; check --state")


def _preview_job(arguments: list[str], settings: Settings, folder: Path) -> Job:
    """Give a job whose only outputs are in a folder that will be gone; a state that is not there is made there."""
    state = _state_file(settings)
    output = settings.output.model_copy(update={"file": folder / "plan.csv"})
    job = make_job(arguments, settings.model_copy(update={"output": output}))
    made = settings.sync.adopt and not state.exists()
    return replace(job, outputs=replace(job.outputs, journal=folder / "state.db" if made else state))


def _state_file(settings: Settings) -> Path:
    if settings.run.limit is not None:
        raise ConfigurationError(
            "run.limit: a sync takes the whole roster, or everybody behind the limit would have left"
        )
    if settings.sync.state is None:
        raise ConfigurationError("no state file: give --state FILE, or state under [sync] in the config file")
    return settings.sync.state


def _as_planned(kept: KeptPlan, settings: Settings) -> Settings:
    """Take over the settings that decided what the plan holds."""
    approve = kept.options.get("approve")
    update = {**kept.options, "state": kept.state, "approve": Path(approve) if approve else None}
    return settings.model_copy(update={"sync": settings.sync.model_copy(update=update)})


def _checking(kept: KeptPlan | None) -> Callable[[Preview], None]:
    return (lambda seen: check_plan(kept, seen)) if kept is not None else (lambda _: None)


def _asking(settings: Settings) -> Callable[[Preview], bool]:
    """Ask a person who is there; a scheduler is not asked."""
    present = sys.stdin.isatty() and sys.stderr.isatty()
    if settings.sync.yes or not present:
        return lambda _: True

    def ask(seen: Preview) -> bool:
        console = Console(stderr=True)
        PlanReport(seen, settings.rate, 0, None).show(console)
        return Confirm.ask("Carry this out?", console=console, default=False)

    return ask


def _absolute(arguments: list[str]) -> list[str]:
    """Name the roster so that it is found from anywhere; raises `OutputError` for what a file must not hold."""
    if secret := [shown(each) for each in arguments if shown(each) != each]:
        raise OutputError(f"{secret[0]}: its address holds a secret that a kept plan would tell; fetch the file first")
    return [each if "://" in each or each == "-" else str(Path(each).resolve()) for each in arguments]

"""A life of a nightly sync: the real `sync`, from the roster's file to results, summary and state."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import Final

from benchmarks.search.case import Case
from benchmarks.search.client import tables, target
from benchmarks.search.process import Ended, live
from benchmarks.search.users import profile_of, uid_of
from benchmarks.search.world import World
from provisioner.results.outputs import Outputs
from provisioner.roster.files.inputs import find_inputs
from provisioner.run.job import Job
from provisioner.settings.tables import Settings, Sync
from provisioner.settings.values import Allowance
from provisioner.stop import Stopper
from provisioner.sync.night import SyncJob, sync
from provisioner.sync.summary import NightSummary

ROSTER: Final = "hr.csv"
STATE: Final = "hr.db"
RESULTS: Final = "hr.results.csv"


def live_night(case: Case, number: int, world: World, folder: Path, *, adopt: bool, clean: bool) -> Ended:
    """Live one life of a sync in a folder; `clean` when it is neither killed nor stopped."""
    job = _job(case, number, folder, adopt=adopt)
    since = world.theirs()
    ended = live(case, number, world, folder, lambda stopper: _life(job, world, stopper), clean=clean)
    ended.sent = {uid_of(row.who): since for row in case.rows}
    return ended


async def _life(job: SyncJob, world: World, stopper: Stopper) -> NightSummary:
    summary = await sync(job, target(world), stopper)
    if (stop := summary.summary.stop) is not None:
        stopper.request(stop)
    return summary


def _job(case: Case, number: int, folder: Path, *, adopt: bool) -> SyncJob:
    roster = folder / ROSTER
    with roster.open("w", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(("uid", "name", "avatar", "left"))
        for row in case.rows:
            if (version := case.version(row.who, number)) >= 0:
                profile = profile_of(row.who, version)
                left = "yes" if case.left(row.who, number) else ""
                lines.writerow((uid_of(row.who), profile["name"], profile.get("avatar", ""), left))
    settings = _settings(case.rate, case.workers, case.attempts, case.auth_tokens, adopt, number in case.refreshes)
    results = folder / RESULTS
    outputs = Outputs(results, folder / "hr.rejected.csv", folder / "hr.summary.json", folder / STATE)
    return SyncJob(Job(find_inputs([str(roster)]), settings, outputs), folder / "hr.leavers.csv")


@cache
def _settings(rate: int, workers: int, attempts: int, auth_tokens: str, adopt: bool, refresh: bool) -> Settings:
    asked = {
        "run": {"auth_tokens": auth_tokens},
        "columns": {"deactivated": "left"},
        "sync": {"deactivate_leavers": True, "adopt": adopt, "refresh": refresh} | _allowances(),
    }
    return Settings.model_validate(tables(rate, workers, attempts) | asked)


def _allowances() -> dict[str, str]:
    """Let every guard bear as much as it can be told to."""
    return {name: "100%" for name, member in Sync.model_fields.items() if isinstance(member.default, Allowance)}

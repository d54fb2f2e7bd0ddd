"""A fleet, from its file to its summary."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from provisioner.errors import ExitCode, OutputError
from provisioner.fleet.conductor import Conductor
from provisioner.fleet.engine import Engine
from provisioner.fleet.jobs import Fleet
from provisioner.fleet.local.processes import Processes
from provisioner.fleet.pacing import alone, paced
from provisioner.fleet.standing import Standing
from provisioner.fleet.summary import FleetSummary
from provisioner.fleet.view import watching
from provisioner.journal.lock import JournalLock
from provisioner.logs.events import get_logger
from provisioner.results.outputs import refuse_as_output
from provisioner.results.summary import keep_summary
from provisioner.run.runtime import begin_agreed, is_anybody_there
from provisioner.stop import NOT_CONFIRMED, InterruptedEarlyError, Stop, Stopper, confirmed
from provisioner.wording import counted

# Seconds between two words from a job: often enough for eyes, or for a log.
_DRAWN: Final = 1.0
_LOGGED: Final = 5.0
# Apps that a person is shown before being asked.
_APPS: Final = 20

log = get_logger()


@dataclass(frozen=True, slots=True)
class Manner:
    """How a fleet is to be carried out.

    at_once  jobs at a time; None for one on each core
    drawn    draw the progress on the terminal
    ray      the head of a Ray cluster that carries them out, `local` for one on this machine; None for processes
    confirm  asked before the first job, with what the fleet is about to do; None when nobody is asked
    """

    at_once: int | None = None
    drawn: bool = False
    ray: str | None = None
    confirm: Callable[[str], bool] | None = None


async def carry_out(fleet: Fleet, manner: Manner, stopper: Stopper) -> FleetSummary:
    """Carry out all jobs of a fleet, each in a process of its own, here or on a cluster.

    Raises `OutputError` when its folder or the file of its summary cannot be used, `JournalError` when another fleet of
    this file is running, and `InterruptedEarlyError` when it is not confirmed.
    """
    confirm = manner.confirm
    if confirm is not None and not confirmed(lambda: confirm(prospect(fleet))):
        stop = Stop(NOT_CONFIRMED, "nothing was started: the fleet was not confirmed", ExitCode.SAFETY)
        raise InterruptedEarlyError(stop)
    started, standings = time.time(), [Standing(job) for job in fleet.jobs]
    summary = fleet.folder / "summary.json"
    with alone(fleet), _made(fleet.folder), JournalLock(fleet.folder / "fleet", "take another fleet file"):
        refuse_as_output(summary, "move it away")
        async with _engine(fleet, manner) as (engine, room):
            stopper.at_once.append(engine.kill)
            at_once = min(manner.at_once or room, len(standings))
            shared = sorted(fleet.sharing)
            log.info("fleet.started", jobs=len(standings), at_once=at_once, sharing_a_rate=shared, ray=manner.ray)
            with watching(standings, drawn=manner.drawn):
                await Conductor(standings, engine, stopper, at_once, fleet.base).carry_out()

        def made(left: bool) -> FleetSummary:
            return FleetSummary(standings, started, time.time(), stopper.stop, summary if left else None)

        return keep_summary(summary, stopper, made)


def prospect(fleet: Fleet) -> str:
    """Say what a fleet is about to do: a line for each app, as far as there are not too many."""
    groups = {job.group: job for job in fleet.jobs}
    shards = Counter(job.group for job in fleet.jobs)
    apps: dict[str, list[str]] = {}
    for job in groups.values():
        app = fleet.apps[job.group] or "(an app that its settings do not tell)"
        part = f" in {counted(shards[job.group], 'shard')}" if job.shard is not None else ""
        apps.setdefault(app, []).append(f"{job.command} of {job.group}{part}")
    lines = [f"{app}: {', '.join(jobs)}" for app, jobs in islice(apps.items(), _APPS)]
    more = [f"and {counted(len(apps) - _APPS, 'app')} more"] if len(apps) > _APPS else []
    return "\n".join((*lines, *more, f"{counted(len(fleet.jobs), 'job')} for {counted(len(apps), 'app')}"))


def confirming(*, yes: bool) -> Callable[[str], bool] | None:
    """Give what asks a person who is there before the first job; None where nobody is there."""
    if yes or not is_anybody_there():
        return None
    return begin_agreed


@asynccontextmanager
async def _engine(fleet: Fleet, manner: Manner) -> AsyncIterator[tuple[Engine, int]]:
    """Give what carries out jobs, and how many it has room for."""
    every = _DRAWN if manner.drawn else _LOGGED
    if manner.ray is None:
        async with paced(fleet) as pacers:
            yield Processes(fleet.base, fleet.folder / "logs", pacers, every), os.cpu_count() or 1
        return
    from provisioner.fleet.cluster.engine import on_cluster

    async with on_cluster(fleet, manner.ray, every) as jobs:
        yield jobs, jobs.at_once


@contextmanager
def _made(folder: Path) -> Iterator[None]:
    """Have the fleet's folder there; where it was not, and nothing came into it, it is gone again in the end."""
    try:
        folder.mkdir()
    except FileExistsError:
        if not folder.is_dir():
            message = "a file is called as the fleet's folder would be; rename one of the two"
            raise OutputError(f"{folder}: {message}") from None
        yield
        return
    except OSError as error:
        raise OutputError(f"{folder}: cannot be made ({error.strerror}); copy the fleet file elsewhere") from None
    try:
        yield
    finally:
        with suppress(OSError):  # something is in it
            folder.rmdir()

"""A fleet, from its file to its summary."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from provisioner.errors import OutputError
from provisioner.fleet.conductor import Conductor
from provisioner.fleet.engine import Engine, Processes
from provisioner.fleet.jobs import Fleet
from provisioner.fleet.pacing import paced, sharing
from provisioner.fleet.standing import Standing
from provisioner.fleet.summary import FleetSummary
from provisioner.fleet.view import watching
from provisioner.journal.lock import JournalLock
from provisioner.logs import get_logger
from provisioner.results.summary import write_summary
from provisioner.stop import Stopper

# Seconds between two words from a job: often enough for eyes, or for a log.
_DRAWN: Final = 1.0
_LOGGED: Final = 5.0

log = get_logger()


@dataclass(frozen=True, slots=True)
class Asked:
    """How a fleet is to be carried out.

    at_once  jobs at a time; None for one on each core
    drawn    draw the progress on the terminal
    ray      the head of a Ray cluster that carries them out, `local` for one on this machine; None for processes
    """

    at_once: int | None = None
    drawn: bool = False
    ray: str | None = None


async def carry_out(fleet: Fleet, asked: Asked, stopper: Stopper) -> FleetSummary:
    """Carry out all jobs of a fleet, each in a process of its own, here or on a cluster.

    Raises `OutputError` when its folder cannot be used, `JournalError` when another fleet of this file is running.
    """
    started, standings = time.time(), [Standing(job) for job in fleet.jobs]
    _make(fleet.folder)
    summary = fleet.folder / "summary.json"
    with JournalLock(fleet.folder / "fleet", "take another fleet file"):
        async with _engine(fleet, asked) as (engine, room):
            stopper.at_once.append(engine.kill)
            at_once = min(asked.at_once or room, len(standings))
            shared = sorted(sharing(fleet))
            log.info("fleet.started", jobs=len(standings), at_once=at_once, sharing_a_rate=shared, ray=asked.ray)
            with watching(standings, drawn=asked.drawn):
                await Conductor(standings, engine, stopper, at_once, fleet.base).carry_out()
        ended = FleetSummary(standings, started, time.time(), stopper.stop, summary)
        write_summary(summary, ended.document)
    return ended


@asynccontextmanager
async def _engine(fleet: Fleet, asked: Asked) -> AsyncIterator[tuple[Engine, int]]:
    """Give what carries out jobs, and how many it has room for."""
    every = _DRAWN if asked.drawn else _LOGGED
    if asked.ray is None:
        async with paced(fleet) as pacers:
            yield Processes(fleet.base, fleet.folder / "logs", pacers, every), os.cpu_count() or 1
        return
    from provisioner.fleet.cluster.engine import on_cluster

    async with on_cluster(fleet, asked.ray, every) as jobs:
        yield jobs, jobs.at_once


def _make(folder: Path) -> None:
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be made ({error.strerror}); copy the fleet file elsewhere") from None

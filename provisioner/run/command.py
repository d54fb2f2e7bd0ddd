"""The commands of a run: `provision` and `validate` carry out and give a summary, the others are the whole command."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import structlog

from provisioner.errors import ExitCode
from provisioner.results.summary import Summary
from provisioner.run.dryrun import validate
from provisioner.run.job import Job, Target, make_job, make_target, on_terminal, set_up_logs
from provisioner.run.session import conduct
from provisioner.settings.tables import Settings
from provisioner.stop import Stopper

log = structlog.get_logger()


async def provision(job: Job, target: Target | None, stopper: Stopper) -> Summary:
    """Create the users of a roster; None as the target is the built-in emulator, which lives as long as this.

    Prints nothing and sets nothing up. Raises `ProvisionerError`, or `InterruptedEarlyError` when it is stopped
    before anything was sent; stopped later, it ends with a summary that says so.
    """
    from provisioner.run import pipeline

    async with AsyncExitStack() as stack:
        where = target if target is not None else await stack.enter_async_context(_emulator(job.settings))
        log.info("run.started", roster=list(job.roster.names), api=where.identity.base_url)
        return await pipeline.provision(job, where, stopper)


def check_roster(roster: Sequence[str], settings: Settings) -> ExitCode:
    """Check a roster, print the summary, give the exit code (`validate`, `run --dry-run`)."""
    job = on_terminal(make_job(roster, settings))
    set_up_logs(job)
    return conduct(settings, lambda stopper: validate(job, stopper))


def run_roster(roster: Sequence[str], settings: Settings) -> ExitCode:
    """Create the users of a roster, print the summary, give the exit code (`run`)."""
    # Known before anything is opened or made: where to, and with which key.
    target = None if settings.api.emulator else make_target(settings)
    job = on_terminal(make_job(roster, settings))
    set_up_logs(job, target.api_key if target else "")
    return conduct(settings, lambda stopper: provision(job, target, stopper))


@asynccontextmanager
async def _emulator(settings: Settings) -> AsyncIterator[Target]:
    from provisioner.emulator.app.settings import EmulatorSettings
    from provisioner.emulator.server import run_emulator
    from provisioner.journal.view import Identity

    rate = settings.rate
    limits = EmulatorSettings(core_limit=rate.requests_per_minute, standard_limit=rate.standard_requests_per_minute)
    async with run_emulator(limits) as emulator:
        # Another port each time, but the same stand-in as far as the journal is concerned.
        yield Target(emulator.url, emulator.api_key, Identity("emulator", "built-in emulator"))

"""The commands of a run: from settings to an exit code."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import structlog

from provisioner.errors import ExitCode
from provisioner.run.dryrun import check
from provisioner.run.job import Target, make_job, make_target, set_up_logs
from provisioner.run.session import Ending, conduct
from provisioner.settings.tables import Settings
from provisioner.stop import Stopper

log = structlog.get_logger()


def check_roster(roster: Sequence[str], settings: Settings) -> ExitCode:
    """Check a roster, print the summary, give the exit code (`validate`, `run --dry-run`)."""
    job = make_job(roster, settings)
    set_up_logs(job)
    return conduct(settings, lambda stopper: check(job, stopper))


def run_roster(roster: Sequence[str], settings: Settings) -> ExitCode:
    """Provision a roster, print the summary, give the exit code (`run`)."""
    from provisioner.run.pipeline import run

    # Told before anything is opened or made: where to, and with which key.
    told = None if settings.api.emulator else make_target(settings)
    job = make_job(roster, settings)
    set_up_logs(job, told.api_key if told else "")

    async def work(stopper: Stopper) -> Ending:
        async with AsyncExitStack() as stack:
            target = told if told is not None else await stack.enter_async_context(_emulator(settings))
            log.info("run.started", roster=list(job.roster.names), api=target.identity.base_url)
            return await run(job, target, stopper)

    return conduct(settings, work)


@asynccontextmanager
async def _emulator(settings: Settings) -> AsyncIterator[Target]:
    from provisioner.emulator.app.settings import EmulatorSettings
    from provisioner.emulator.server import run_emulator
    from provisioner.journal.view import Identity

    rate = settings.rate
    told = EmulatorSettings(core_limit=rate.requests_per_minute, standard_limit=rate.standard_requests_per_minute)
    async with run_emulator(told) as emulator:
        # Another port each time, but the same stand-in as far as the journal is concerned.
        yield Target(emulator.url, emulator.api_key, Identity("emulator", "built-in emulator"))

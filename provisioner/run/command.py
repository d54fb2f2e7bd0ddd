"""What `run` and `validate` do, from a roster and settings to a summary; and what is asked before the first request."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

from rich.console import Console

from provisioner.errors import ConfigurationError, UsageError
from provisioner.journal.header import EMULATOR
from provisioner.logs.events import get_logger
from provisioner.results.summary import Summary
from provisioner.run import dryrun
from provisioner.run.job import Prospect, Target, make_job, make_target
from provisioner.run.rates import Dial
from provisioner.settings.tables import Settings
from provisioner.stop import Stopper
from provisioner.wording import counted

log = get_logger()


async def validate(roster: Sequence[str], settings: Settings, stopper: Stopper, *, drawn: bool) -> Summary:
    """Check a roster and send nothing; see `provisioner.api.validate_async`."""
    return await dryrun.validate(replace(make_job(roster, settings, check=True), drawn=drawn), stopper)


async def run(
    roster: Sequence[str],
    settings: Settings,
    stopper: Stopper,
    *,
    confirm: Callable[[Prospect], bool] | None = None,
    confirm_minting: Callable[[int], bool] | None = None,
    drawn: bool,
    dial: Dial | None = None,
) -> Summary:
    """Create the users of a roster; see `provisioner.api.run_async`."""
    if settings.run.restored and settings.run.restart:
        raise ConfigurationError("--restored goes on with a journal and --restart sets it aside; leave one out")
    if settings.run.dry_run:
        return await validate(roster, settings, stopper, drawn=drawn)
    from provisioner.run import pipeline

    # Known before anything is opened or made: where to, and with which key.
    target = None if settings.api.emulator else make_target(settings)
    job = replace(make_job(roster, settings), drawn=drawn, dial=dial)
    async with AsyncExitStack() as stack:
        where = target if target is not None else await stack.enter_async_context(emulated(settings))
        log.info("run.started", roster=list(job.roster.names), api=where.identity.base_url)
        return await pipeline.provision(job, where, stopper, confirm, confirm_minting)


def confirming(settings: Settings, *, yes: bool) -> Callable[[Prospect], bool] | None:
    """Give what asks a person who is there before the first request; None where nobody is there, or nothing is real."""
    from provisioner.run.runtime import begin_agreed, is_anybody_there

    if yes or not is_anybody_there() or settings.api.emulator or settings.run.dry_run:
        return None
    return begin_agreed


def confirming_mints(settings: Settings, *, yes: bool) -> Callable[[int], bool] | None:
    """Give what asks whether auth tokens are minted again for users that have one; None where nothing is real.

    It raises `UsageError` when nobody is there to be asked.
    """
    if yes or settings.api.emulator or settings.run.dry_run:
        return None

    def ask(given: int) -> bool:
        from provisioner.run.runtime import is_agreed, is_anybody_there

        were = f"{counted(given, 'user')} of this job {'were' if given != 1 else 'was'} given auth tokens before"
        if not is_anybody_there():
            raise UsageError(
                f"{were}, and --restart with --auth-tokens all mints another one for each that is in the roster; "
                "resume without --restart, or give --yes"
            )
        question = f"{were}; each that is in the roster gets one more, and the API keeps 100 of a user. Mint them?"
        return is_agreed(question, default=False, console=Console(stderr=True, highlight=False))

    return ask


@asynccontextmanager
async def emulated(settings: Settings) -> AsyncIterator[Target]:
    """Start the built-in emulator, at the rate that is set."""
    from provisioner.emulator.app.settings import EmulatorSettings
    from provisioner.emulator.server import run_emulator

    rate = settings.rate
    limits = EmulatorSettings(core_limit=rate.requests_per_minute, standard_limit=rate.standard_requests_per_minute)
    async with run_emulator(limits) as emulator:
        yield Target(emulator.url, emulator.api_key, EMULATOR)

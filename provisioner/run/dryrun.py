"""The half of a run that sends nothing: open, survey, check. It is all of `validate` and `run --dry-run`."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from provisioner.errors import ConfigurationError
from provisioner.journal.header import EMULATOR, Identity
from provisioner.logs.events import get_logger
from provisioner.model import Outcome
from provisioner.results.lines import count_unsent
from provisioner.results.manifest import Source, set_others_aside
from provisioner.results.summary import Estimate, Summary, write_summary, written
from provisioner.run.intake import Surveyed, keep_rejected, open_roster, survey
from provisioner.run.job import Job, Run, begins_anew, identity, make_target, source_of
from provisioner.run.rates import seconds_for
from provisioner.run.rounds.returning import foresee
from provisioner.sending.calls import Budget
from provisioner.sending.users.needs import Needs, needs_of
from provisioner.sending.users.profile import DEFAULT_ROLE
from provisioner.settings.tables import Settings
from provisioner.stop import Stopper, stop_early
from provisioner.threads import in_thread

if TYPE_CHECKING:
    from provisioner.run.admission import EarlierRuns

log = get_logger()


async def validate(job: Job, stopper: Stopper) -> Summary:
    """Read and check a roster and send nothing.

    Raises `ProvisionerError`, or `InterruptedEarlyError` when it is stopped.
    """
    run = Run.begin(job, stopper)
    job.outputs.make_folder()
    with ExitStack() as stack:
        stack.enter_context(run.watch.watching())
        opened = stack.enter_context(closing(await open_roster(run, offline=True)))
        source = source_of(job, opened.roster.sheets)
        set_others_aside(job.outputs, source, check=True)
        reader = stack.enter_context(ThreadPoolExecutor(1))
        earlier = _earlier(job, source, opened.binding.sourced, stack)
        surveyed = await survey(opened, reader, stopper)
        job.outputs.refuse_too_many(surveyed.survey.taken)
        run.watch.enter("checking")
        own = job.outputs.journal if earlier is None else earlier.journal
        foreseen = partial(foresee, own, opened.earlier, _identity(job.settings))
        batches, leaving = map(foreseen, surveyed.batches()), 0
        while (checked := await in_thread(reader, lambda: next(batches, None))) is not None:
            if earlier is not None:
                await in_thread(reader, partial(earlier.look_up, checked))
            surveyed.keep(checked)
            leaving += int(checked.valid["deactivated"].sum())
            stop_early(stopper)
        run.watch.enter("writing")
        needed = earlier.open if earlier else run.tally.rows.valid
        needs = await look_ahead(run, needed, surveyed.roles) if job.settings.run.dry_run else None
        return await asyncio.to_thread(_finish, run, surveyed, earlier, leaving, needs)


async def look_ahead(run: Run, creates: int, roles: Collection[str]) -> Needs | None:
    """Ask the app whether there is room for so many users, and which of the roles it lacks; None when nobody asks.

    It is the only thing that is asked of the network before a run; without a key or an answer it is left open.
    """
    settings = run.job.settings
    most, create_roles = settings.api.max_users, settings.run.create_roles
    if most is None and not create_roles:
        return None
    if settings.api.emulator:  # begins empty each time
        return needs_of(0, frozenset({DEFAULT_ROLE}), most, creates, roles if create_roles else None)
    from provisioner.run.wiring import connected
    from provisioner.sending.users.asking import ask_needs

    try:
        target = make_target(settings)
    except ConfigurationError as error:
        log.warning("app.not_asked", reason=str(error))
        return needs_of(None, None, most, creates, None)
    apart = replace(run, stopper=Stopper())  # what the app refuses to tell is no end of what only looks
    with run.stopper.on_stop(apart.stopper.request):
        async with connected(apart, target) as connection:
            needs = await ask_needs(connection.exchanger, most, creates, roles if create_roles else None)
    stop_early(run.stopper)
    return needs


def _earlier(job: Job, source: Source, managed: Collection[str], stack: ExitStack) -> EarlierRuns | None:
    """Open the journal that a run would go on with, if there is one. Raises `JournalError` as a run would."""
    journal = job.outputs.journal
    if not job.settings.run.dry_run or not journal.exists() or begins_anew(job, source)[0]:
        return None
    # What it takes to send is loaded where an earlier run has sent; to check a roster needs none of it.
    from provisioner.journal.journal import JournalReader
    from provisioner.run.admission import EarlierRuns
    from provisioner.sending.life.steps import Policy

    reader = JournalReader(journal, _identity(job.settings))
    asked = job.settings.run
    policy = Policy(asked.on_existing, asked.auth_tokens, managed)
    return EarlierRuns(stack.enter_context(reader), policy)


def _identity(settings: Settings) -> Identity | None:
    if settings.api.emulator:
        return EMULATOR
    try:
        return identity(settings)
    except ConfigurationError:  # nothing is sent, so nobody has to say yet where to
        return None


def _finish(run: Run, surveyed: Surveyed, earlier: EarlierRuns | None, leaving: int, needs: Needs | None) -> Summary:
    job = run.job
    counts = count_unsent(run.tally.rows)
    record, rejected = keep_rejected(job, surveyed)
    wrote = written(job.outputs, rejected, results=False)
    requests: Counter[str] = Counter(
        earlier.requests if earlier else {Budget.CORE: counts.outcomes[Outcome.PENDING] + leaving}
    )
    requests[Budget.STANDARD] += needs.requests if needs is not None else 0
    seconds = seconds_for(job.settings.rate, requests)
    estimate = Estimate(sum(requests.values()), seconds, earlier.settled if earlier else None)
    summary = Summary(
        counts, run.tally, surveyed.report(), run.started, time.time(), None, wrote, estimate, record, needs=needs
    )
    # What is shown of people is for whoever asked, not for the file.
    filed = replace(summary, report=replace(summary.report, requests=()))
    write_summary(job.outputs.summary, filed.document)
    return summary

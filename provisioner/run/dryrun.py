"""The half of a run that sends nothing: open, survey, check. It is all of `validate` and `run --dry-run`."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace

from provisioner.model import Outcome
from provisioner.results.lines import count_unsent
from provisioner.results.summary import Estimate, Summary, write_summary, written
from provisioner.run.intake import Surveyed, keep_rejected, open_roster, survey
from provisioner.run.job import Job, Run
from provisioner.stop import Stopper, stop_early
from provisioner.threads import in_thread


async def validate(job: Job, stopper: Stopper) -> Summary:
    """Read and check a roster and send nothing.

    Raises `ProvisionerError`, or `InterruptedEarlyError` when it is stopped.
    """
    run = Run.begin(job, stopper)
    job.outputs.make_folder()
    with (
        run.watch.watching(),
        closing(await open_roster(run, offline=True)) as opened,
        ThreadPoolExecutor(1) as reader,
    ):
        surveyed = await survey(opened, reader, stopper)
        run.watch.enter("checking")
        batches = surveyed.batches()
        while (checked := await in_thread(reader, lambda: next(batches, None))) is not None:
            surveyed.keep(checked)
            stop_early(stopper)
        run.watch.enter("writing")
        return await asyncio.to_thread(_finish, run, surveyed)


def _finish(run: Run, surveyed: Surveyed) -> Summary:
    job = run.job
    counts = count_unsent(surveyed.lines)
    keep_rejected(job, surveyed)
    wrote = written(job.outputs, results=False, rejected=surveyed.rejected.rows > 0)
    requests, rate = counts.outcomes[Outcome.PENDING], job.settings.rate
    estimate = Estimate(requests, requests * 60 / (rate.requests_per_minute * rate.share))
    summary = Summary(counts, run.tally, surveyed.report(), run.started, time.time(), None, wrote, estimate)
    # What is shown of people is for whoever asked, not for the file.
    filed = replace(summary, report=replace(summary.report, requests=()))
    write_summary(job.outputs.summary, filed.document)
    return summary

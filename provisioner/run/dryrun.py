"""The half of a run that sends nothing: open, look over, check. It is all of `validate` and `run --dry-run`."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace

from provisioner.model import Outcome, Tally
from provisioner.results.lines import count_unsent
from provisioner.results.summary import Estimate, Summary, write_summary, written
from provisioner.run.intake import Checking, begin_checking, in_thread, keep_rejected, look_over
from provisioner.run.job import Job
from provisioner.run.progress import Watch
from provisioner.stop import Stopper, stop_early


async def check(job: Job, stopper: Stopper) -> Summary:
    """Read and check a roster and send nothing: `validate` and `--dry-run`."""
    started = time.time()
    tally = Tally()
    watch = Watch(tally, drawn=job.drawn)
    job.outputs.make_folder()
    with (
        watch.watching(),
        closing(await begin_checking(job, tally, offline=True)) as checking,
        ThreadPoolExecutor(1) as reader,
    ):
        await look_over(checking, reader, stopper)
        watch.enter("checking")
        while (checked := await in_thread(reader, checking.next)) is not None:
            checking.keep(checked)
            stop_early(stopper)
        watch.enter("writing")
        return await asyncio.to_thread(_finish_check, job, checking, started)


def _finish_check(job: Job, checking: Checking, started: float) -> Summary:
    counts = count_unsent(checking.lines)
    keep_rejected(job, checking)
    wrote = written(job.outputs, results=False, rejected=checking.rejected.rows > 0)
    requests, rate = counts.outcomes[Outcome.PENDING], job.settings.rate
    estimate = Estimate(requests, requests * 60 / (rate.requests_per_minute * rate.share))
    summary = Summary(counts, checking.tally, checking.report(), started, time.time(), None, wrote, estimate)
    # What is shown of people is for whoever asked, not for the file.
    filed = replace(summary, report=replace(summary.report, requests=()))
    write_summary(job.outputs.summary, filed.document)
    return summary

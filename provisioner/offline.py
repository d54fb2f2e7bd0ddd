"""The half of a run that sends nothing: open, look over, check. It is all of `validate` and `run --dry-run`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TypeVar

import structlog

from provisioner.checking import Checking
from provisioner.model import Outcome, Tally
from provisioner.progress import Watch
from provisioner.results.findings import Report
from provisioner.results.lines import count_unsent
from provisioner.results.outputs import Outputs
from provisioner.results.rejections import write_rejected
from provisioner.results.summary import Estimate, Summary, write_summary, written
from provisioner.roster.files.inputs import Sources
from provisioner.roster.files.text import text_codec
from provisioner.settings.tables import Settings
from provisioner.stop import Stop, Stopper

T = TypeVar("T")
log = structlog.get_logger()


class InterruptedEarlyError(Exception):
    """The run was stopped before anything was sent, by `stop`."""

    def __init__(self, stop: Stop) -> None:
        super().__init__(stop.message)
        self.stop = stop


@dataclass(frozen=True, slots=True)
class Job:
    """What was asked for; `drawn` when there is a terminal to draw the progress on."""

    roster: Sources
    settings: Settings
    outputs: Outputs
    drawn: bool = False


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


async def begin_checking(job: Job, tally: Tally, *, offline: bool = False) -> Checking:
    """Open the roster and warn of columns that are ignored; raises `RosterError` or `ConfigurationError`."""
    folder = job.outputs.results.parent
    checking = await asyncio.to_thread(Checking.open, job.roster, job.settings, folder, tally, offline=offline)
    if unknown := checking.binding.unknown:
        log.warning(
            "roster.unknown_columns",
            columns=list(unknown),
            hint="ignored; map them under [columns] if they matter",
        )
    return checking


def tell_warnings(job: Job, report: Report) -> None:
    """Log what is warned of, for the one who reads the log of a run; a program reads it in the summary."""
    if report.warnings and not job.settings.output.json_summary:
        log.warning(
            "roster.warned",
            rows_by_code={code: found.rows for code, found in sorted(report.warnings.items())},
            hint="no reason to reject a row; it is one with --strict",
        )


async def look_over(checking: Checking, reader: ThreadPoolExecutor, stopper: Stopper) -> None:
    """Read the whole roster once; raises `RosterError`, or `InterruptedEarlyError` when the run is to end."""
    rows = await in_thread(reader, lambda: checking.look_over(lambda: stop_early(stopper)))
    stop_early(stopper)
    if rows == 0 and checking.settings.run.limit != 0:
        log.warning("roster.no_rows", roster=checking.roster.name, hint="it has a header and nothing else")


def stop_early(stopper: Stopper) -> None:
    """Raise `InterruptedEarlyError` when the run is to end."""
    if stopper.stop is not None:
        raise InterruptedEarlyError(stopper.stop)


def keep_rejected(job: Job, checking: Checking) -> None:
    """Write the rejected rows so that they can be mended and fed in with the same settings."""
    roster, encoded = checking.roster, text_codec(job.settings.run.encoding) is not None
    write_rejected(job.outputs.rejected, checking.rejected, roster.columns, roster.rejected_delimiter, marked=encoded)


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


async def in_thread(thread: ThreadPoolExecutor, call: Callable[[], T]) -> T:
    """Carry out a call in a thread of its own kind, and wait for it."""
    return await asyncio.get_running_loop().run_in_executor(thread, call)

"""A night with the roster of the last one, on which nothing was to be done: known by digests, so no row is read.

all that `run.unchanged` asks for           ┐
the last night found every user as wanted,  ├─→  tonight finds the same, and writes what is there already
knew of no leaver, and sent nothing         ┘
"""

from __future__ import annotations

import time
from pathlib import Path

from provisioner.journal.state.syncstate import SyncState
from provisioner.model import Outcome
from provisioner.results.manifest import REJECTED
from provisioner.results.summary import Summary, write_summary, written
from provisioner.run.intake import Surveyed
from provisioner.run.job import Job, Run
from provisioner.run.unchanged.ending import End, keep, recall
from provisioner.run.unchanged.question import Question
from provisioner.stop import NOT_CONFIRMED, Stop
from provisioner.sync.plan.assessment import Assessment, undisturbed
from provisioner.sync.summary import LEAVERS, NightSummary


def question_of(job: Job, leavers: Path) -> Question | None:
    """Say what a night is asked; None where the app or a list has a say in it."""
    sync = job.settings.sync
    if sync.adopt or sync.refresh or sync.approve is not None:
        return None
    return Question.of(job, sync, {LEAVERS: leavers})


def recalled(run: Run, question: Question, state: SyncState) -> tuple[End, Assessment] | None:
    """Give what the night adds up to, and count its rows; None when they have to be read."""
    end = recall(run.job, question, state)
    if end is None:
        return None
    end.take_over(run.tally)
    return end, undisturbed(run.job.settings.sync, end.rows, end.report)


def end_again(run: Run, end: End, assessment: Assessment, state: SyncState, stop: Stop | None) -> NightSummary:
    """Write the summary, and record the night; in the state's thread."""
    number = state.begin_night(run.started)
    outputs = written(run.job.outputs, end.rejected, results=stop is None or stop.reason != NOT_CONFIRMED)
    summary = Summary(end.counts, run.tally, end.report, run.started, time.time(), stop, outputs, record=end.record)
    night = NightSummary(summary, assessment, {}, None)
    write_summary(run.job.outputs.summary, night.document)
    state.end_night(number, night.finished, assessment.rows, night.recorded, good=stop is None, quiet=True)
    return night


def keep_night(run: Run, question: Question, surveyed: Surveyed, state: SyncState, night: NightSummary) -> None:
    """Keep how a night ended, when the next one has nothing to do; in the state's thread."""
    summary = night.summary
    rejected = summary.outputs[REJECTED]
    path = Path(rejected) if rejected is not None else None
    end = End(run.tally.rows, summary.counts, summary.report, summary.record, path)
    quiet = _is_quiet(night) and not run.tally.requests.sent
    keep(run.job, question, surveyed, state, end, over=quiet)


def _is_quiet(night: NightSummary) -> bool:
    """Whether every user was as wanted, and nobody has left."""
    counts = night.summary.counts.outcomes
    others = counts.keys() - {Outcome.UNCHANGED, Outcome.REJECTED}
    return night.summary.stop is None and not (night.assessment.found or any(counts[each] for each in others))

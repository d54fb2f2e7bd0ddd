"""How a run or a night ended that has left nothing to do, kept in its journal; found again by one that would end so.

    the same roster, byte for byte        ┐
    asked in the same way, by the same    ├─→  the same rows are valid, all of them are settled, and the results,
    program                               │    the rejected rows and the numbers are those that are there
    nothing recorded of any user since    │
    files as they were written            ┘

Where any of it does not hold, or might not, every row is looked at as ever.
"""

from __future__ import annotations

import stat
from contextlib import suppress
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from provisioner.files.looking import digest_of
from provisioner.files.writing import PRIVATE
from provisioner.journal.journal import Journal
from provisioner.logs.events import get_logger
from provisioner.model import AuthTokens, OnExisting, Outcome
from provisioner.results.findings import Report
from provisioner.results.lines import TOKENS, Counts
from provisioner.results.manifest import REJECTED, RESULTS, Record, read_record
from provisioner.run.intake import Surveyed
from provisioner.run.job import Job, Run
from provisioner.run.unchanged.question import Question
from provisioner.tally import RowTally, Tally

# A role that is missing may be there the next time.
_BY_THE_APP: Final = "role.unknown"

log = get_logger()


@dataclass(frozen=True, slots=True)
class End:
    """What a run adds up to, as far as it is the same whenever it is asked again.

    rejected  the file of the rejected rows; null when there are none
    """

    rows: RowTally
    counts: Counts
    report: Report
    record: Record
    rejected: Path | None

    def take_over(self, tally: Tally) -> None:
        """Count the rows as if they had been read, and settled before."""
        for each in fields(RowTally):
            setattr(tally.rows, each.name, getattr(self.rows, each.name))
        tally.outcomes.skipped = self.rows.valid


@dataclass(frozen=True, slots=True)
class Ending:
    """An end, and what it rests on.

    asked   `Question.asked`
    sizes   bytes of each file of the roster; `roster`: their digests
    files   name of a file that was written → digest; null for one that there must not be
    """

    asked: str
    sizes: list[int]
    roster: list[str]
    files: dict[str, str | None]
    end: End


def recall(job: Job, question: Question, journal: Journal) -> End | None:
    """Find the end that a run comes to without looking at a row; None when that cannot be told."""
    if not question.is_repeatable or not _is_certain(journal) or (text := journal.course.ending) is None:
        return None
    try:
        kept = _adapter().validate_json(text)
    except ValidationError:  # of another version
        return None
    if kept.asked != question.asked or kept.sizes != question.sizes:
        return None
    if kept.end.record.roster != read_record(job.outputs.summary).roster:  # else the files may be another roster's
        return None
    if kept.files != _written(job, question) or kept.roster != question.digests():
        return None
    log.info("roster.unchanged", roster=list(job.roster.names), hint="every row is as the last run has left it")
    return kept.end


def keep(job: Job, question: Question, surveyed: Surveyed, journal: Journal, end: End, *, over: bool) -> None:
    """Keep how something ended; `over`: the next one has nothing to do."""
    ending = None
    if over and question.is_repeatable and _is_certain(journal) and _is_alike(surveyed):
        ending = _ending(job, question, end)
    journal.course.keep_ending(None if ending is None else _adapter().dump_json(ending).decode())


def _ending(job: Job, question: Question, end: End) -> Ending | None:
    if end.rejected not in {None, job.outputs.rejected}:  # a workbook that had no room for them
        return None
    roster, files = question.digests_of_what_was_read(), _written(job, question)
    if roster is None or "" in files.values():
        return None
    return Ending(question.asked, question.sizes, roster, files, end)


def _is_certain(journal: Journal) -> bool:
    """Whether it knows all there is to know: it is no copy of a lost one, was never undone, and has one clock."""
    return journal.copied_at is None and not journal.undone and not journal.has_local_times


def is_over(run: Run, end: End) -> bool:
    """Whether the next run would send nothing for any of these rows."""
    outcomes, settings = end.counts.outcomes, run.job.settings.run
    if run.stopper.is_stopping() or outcomes[Outcome.PENDING] or outcomes[Outcome.FAILED]:
        return False
    if _BY_THE_APP in end.report.defects:
        return False
    if run.tally.outcomes.skipped == end.rows.valid:
        return True
    there = outcomes[Outcome.EXISTING]
    if settings.on_existing is not OnExisting.SKIP and (there or outcomes[Outcome.UPDATED]):
        return False
    without = end.counts.tokenless
    match settings.auth_tokens:
        case AuthTokens.NONE:
            return True
        case AuthTokens.CREATED:
            return not without[Outcome.CREATED]
        case AuthTokens.ALL:
            return not without.total()


def _is_alike(surveyed: Surveyed) -> bool:
    """Whether its rows are judged alike whenever they are read, with nothing to be told on the way."""
    opened, survey = surveyed.opened, surveyed.survey
    by_the_clock = "deactivated" in opened.binding.fields
    told = bool(opened.roster.notices()) or survey.reveals is not None or not survey.rows
    return not (by_the_clock or told or opened.earlier.journals)


def _written(job: Job, question: Question) -> dict[str, str | None]:
    """Say what stands in the files that are written; nothing fits one that others may read and must not."""
    lists = {REJECTED: job.outputs.rejected, **question.lists}
    private = {RESULTS: job.outputs.results, TOKENS: job.outputs.tokens}
    return {name: digest_of(path) for name, path in lists.items()} | {
        name: digest_of(path) if _is_private(path) else "" for name, path in private.items() if path is not None
    }


def _is_private(path: Path) -> bool:
    with suppress(OSError):
        return stat.S_IMODE(path.stat().st_mode) == PRIVATE
    return False


@cache
def _adapter() -> TypeAdapter[Ending]:
    return TypeAdapter(Ending)

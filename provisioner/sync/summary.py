"""What a night adds up to: the summary of a run, with what a sync knows besides.

Every roster row has one outcome, every leaver one fate; both sums are asserted:

    rows    = rejected + created + existing + updated + unchanged + reactivated + failed + pending
    leavers = deactivated + failed + pending + reported + in grace
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import polars as pl
from rich.console import Console
from rich.text import Text

from provisioner.errors import ExitCode
from provisioner.journal.columns import OUTCOME_COLUMNS
from provisioner.journal.state.syncstate import SyncState
from provisioner.journal.statements import Columns
from provisioner.model import ROW_OUTCOMES, Action, Outcome
from provisioner.results.lines import count_lines, unless_unwritten
from provisioner.results.summary import Summary, Words, keep_summary, tell_unconfirmed, written
from provisioner.run.job import Run
from provisioner.run.pipeline import keep_end
from provisioner.sending.life.parting import AS_SAID
from provisioner.sending.users.failures import DEACTIVATED
from provisioner.stop import NOT_CONFIRMED, Stop
from provisioner.sync.plan.assessment import Assessment, Preflight, names_of
from provisioner.sync.plan.guards import option_of_plan
from provisioner.wording import counted

# Fed in alone, the rejected rows would be a roster without everybody else.
_WORDS: Final = Words("mend them where the roster comes from; see {}", "nothing has changed", tokens=" in the results")

TIME_OVER: Final = "max_duration"
"""The reason of a stop after `--max-duration`."""

LEAVERS: Final = "leavers"
"""What the list of them is called among the outputs."""

_NOBODY: Final = "the state knows no such user, and nobody is created to be deactivated"

# What became of a leaver that was to be deactivated, and how a line tells of one for which nothing was done yet.
_FATES: Final = (Outcome.DEACTIVATED, Outcome.FAILED, Outcome.PENDING)
_PENDING: Final = {
    "outcome": Outcome.PENDING.value, "http_status": None, "attempts": 0, "error_code": None, "error_message": None,
    "settled_at": None,
}  # fmt: skip

# Leavers looked up in the state at once.
_AT_ONCE: Final = 4000

# What is not recorded in the state: it can be long, and names files that are overwritten the next night.
_NOT_RECORDED: Final = ("outputs", "roster", "digests", "defects", "warnings", "files")


@dataclass(frozen=True, slots=True)
class NightSummary:
    """The end of a night; `summary` is about the roster's rows.

    fates    outcome → leavers that were to be deactivated
    flushed  those deactivated of whom no auth token is left for certain
    """

    summary: Summary
    assessment: Assessment
    fates: Mapping[str, int]
    list_of_leavers: Path | None
    flushed: int = 0

    def __post_init__(self) -> None:
        due = len(self.assessment.going)
        if sum(self.fates.get(each, 0) for each in _FATES) != due:
            raise AssertionError(f"{due} leavers were to be deactivated, but their fates are {dict(self.fates)}")

    @property
    def finished(self) -> float:
        """UNIX seconds."""
        return self.summary.finished

    @property
    def exit_code(self) -> ExitCode:
        """The command's exit code."""
        return max(self.summary.exit_code, ExitCode.ROWS_LEFT if self.fates.get(Outcome.FAILED) else ExitCode.OK)

    @property
    def outputs(self) -> Mapping[str, str | None]:
        """The files that were written, as given."""
        return self.summary.outputs

    @property
    def document(self) -> dict[str, Any]:
        """The summary as the file and `--json` hold it."""
        base = self.summary.document
        outcomes = {outcome.value: self.summary.counts.outcomes[outcome] for outcome in ROW_OUTCOMES}
        leavers, fates = self.assessment.leavers, self.fates
        night = {
            "deactivated": fates.get(Outcome.DEACTIVATED, 0),
            "sessions_flushed": self.flushed,
            "leavers": {
                "found": self.assessment.found,
                **{each.value: fates.get(each, 0) for each in _FATES},
                "in_grace": len(leavers.in_grace),
                "reported": len(leavers.reported),
            },
            "updated_fields": self.assessment.plan.touched,
            "adopted": self._adopted,
        }
        rest = {name: value for name, value in base.items() if name not in {*outcomes, *night, "rows", "edited"}}
        document = {"rows": base["rows"], **outcomes, **night, **rest, "exit_code": self.exit_code}
        if self.assessment.drift is not None:
            document["directory"] = {**self.assessment.drift, "changed": self.assessment.plan.changed}
        if self.assessment.refused:
            document["refused"] = [each.document for each in self.assessment.refused]
        document["outputs"] = {
            **base["outputs"],
            LEAVERS: str(self.list_of_leavers) if self.list_of_leavers else None,
        }
        return document

    @property
    def recorded(self) -> dict[str, Any]:
        """What the state keeps of it."""
        return {name: value for name, value in self.document.items() if name not in _NOT_RECORDED}

    def show(self, console: Console) -> None:
        """Print the tables for people."""
        tell_unconfirmed(console, self.summary.stop)
        self.summary.show(console, _WORDS)
        for line in self._remarks():
            console.print(line)

    @property
    def _adopted(self) -> int:
        return self.assessment.plan.adopted if _changes(self.summary.stop, self.assessment) else 0

    def _left(self, outcome: str) -> str:
        """Say of those who were deactivated that some may have auth tokens left."""
        if outcome != Outcome.DEACTIVATED or self.flushed == self.fates[outcome]:
            return ""
        return f" ({self.fates[outcome] - self.flushed:,} with auth tokens that may be left)"

    def _remarks(self) -> Iterator[Text]:
        leavers, fates = self.assessment.leavers, self.fates
        if found := self.assessment.found:
            parts = [f"{fates[outcome]:,} {outcome}{self._left(outcome)}" for outcome in fates if fates[outcome]]
            parts += [f"{len(leavers.in_grace):,} in grace"] if leavers.in_grace else []
            parts += [f"{len(leavers.reported):,} only reported"] if leavers.reported else []
            listed = f"; see {self.list_of_leavers}" if self.list_of_leavers else ""
            yield Text(f"{counted(found, 'leaver')}: {', '.join(parts)}{listed}")
        if self.assessment.holds_back:
            approve = option_of_plan("--approve", kept=self.assessment.kept)
            yield from (Text(f"{why}, or {approve} names who is", "yellow") for why in self._held_back())
        if self._adopted:
            yield Text(f"{counted(self._adopted, 'user')} taken over as they are")
        for refusal in self.assessment.refused:
            yield Text(f"nothing was changed: {refusal.message}", "red")

    def _held_back(self) -> Iterator[str]:
        """Say why nobody is deactivated, and what would change that."""
        plan = self.assessment.plan
        if plan.nameless:
            message = f"{counted(plan.nameless, 'row')} without a usable uid, who may be any of the leavers"
            yield f"{message}, so nobody is deactivated until they are mended"
        if plan.holding:
            message = f"{counted(plan.holding, 'cell')} with what looks like other rows (row.swallowed)"
            yield f"{message}: the leavers may be there, so nobody is deactivated until that is mended"
        if plan.unread:
            message = "the leavers may be on a sheet or page that is not read, so nobody is deactivated until all pages"
            alone = "are there, --sheet names the only one that counts (each that does needs a --state of its own)"
            yield f"{message} {alone}"
        if not plan.anybody:
            found = counted(len(self.assessment.leavers.reported), "leaver")
            message = f"{found} in the roster without the leading zeros of the uid"
            yield f"{message}, so not deactivated until uids are exported as text"


def summarise(run: Run, list_of_leavers: Path, digest: str | None, ready: Preflight, stop: Stop | None) -> NightSummary:
    """Write results, rejected rows and summary, and say what the night adds up to; in the state's thread.

    digest  of the list of leavers as it was written last; None when it was not

    A night on which nothing may be changed leaves the results of the night before.
    """
    job, surveyed, state, assessment = run.job, ready.surveyed, ready.state, ready.assessment
    changed = _changes(stop, assessment)
    named = assessment.leavers.named
    tonight = partial(_tonight, state, frozenset(uid for uid, _ in assessment.leavers.due))
    fates = count_lines(leaver_lines(assessment), tonight).outcomes
    unnamed = count_lines(leaver_lines(assessment, without=named), tonight).outcomes if named else fates
    more, fetch = partial(leaver_lines, assessment, named, state), partial(_told_of_rows, state, assessment, tonight)
    end, whole = keep_end(run, surveyed, fetch, more, changed=changed)
    rows = replace(end.counts, outcomes=end.counts.outcomes - unnamed)
    if whole and stop is not None and stop.reason == TIME_OVER and not end.counts.outcomes[Outcome.PENDING]:
        stop = None  # time was over when all was done
    record, finished, flushed = end.record.with_digests({LEAVERS: digest}), time.time(), state.flushed_tonight()
    leavers = list_of_leavers if assessment.found else None

    def made(left: bool) -> NightSummary:
        ended = stop if whole and left else stop or run.stopper.stop
        wrote = unless_unwritten(written(job.outputs, end.rejected, results=changed), results=whole, summary=left)
        summary = Summary(rows, run.tally, end.report, run.started, finished, ended, wrote, record=record)
        return NightSummary(summary, assessment, fates, leavers, flushed)

    return keep_summary(job.outputs.summary, run.stopper, made)


def _changes(stop: Stop | None, assessment: Assessment) -> bool:
    """Whether a night may change anything: no guard refused it, and nobody said no."""
    return stop is None or not (assessment.refused or stop.reason == NOT_CONFIRMED)


def _tonight(state: SyncState, due: frozenset[str], uids: list[str]) -> Columns:
    """Fetch what became of users in this night.

    Whoever is `due` to be deactivated is pending until that is settled, whatever an earlier attempt did for the user.
    """
    found = state.tonight(uids)
    if due.isdisjoint(found["uid"]):
        return found
    fates = [(place, uid, found["outcome"][place]) for place, uid in enumerate(found["uid"]) if uid in due]
    failed = state.met([uid for _, uid, outcome in fates if outcome == Outcome.FAILED])
    others = {uid for uid, met in failed.items() if met.operation != Action.DEACTIVATE}
    for place in [place for place, uid, outcome in fates if uid in others or outcome not in _FATES]:
        for name, value in _PENDING.items():
            found[name][place] = value
    return found


def _told_of_rows(
    state: SyncState, assessment: Assessment, tonight: Callable[[list[str]], Columns], uids: list[str]
) -> Columns:
    """Fetch what became of roster rows: of those that name their users as deactivated, in the words for rows."""
    found, named = tonight(uids), state.named(uids)
    if not named:
        return found
    kept = {uid for uid, _ in assessment.leavers.reported}
    nothing: dict[str, Any] = dict.fromkeys(OUTCOME_COLUMNS)
    lines = {uid: nothing | {"uid": uid, "outcome": "unchanged", "attempts": 0} for uid in named}
    lines |= {line[0]: dict(zip(found, line, strict=True)) for line in zip(*found.values(), strict=True)}
    known = {uid for uid, met in state.met(list(named)).items() if met.exists}
    for uid in named.keys() - kept:
        line = lines[uid]
        if line["outcome"] == Outcome.DEACTIVATED:
            line["outcome"] = Outcome.UPDATED.value
        if line["outcome"] in {Outcome.UPDATED, Outcome.UNCHANGED} and line["error_code"] is None:
            line |= {"error_code": DEACTIVATED, "error_message": AS_SAID if uid in known else _NOBODY}
    return {name: [line[name] for line in lines.values()] for name in OUTCOME_COLUMNS}


def leaver_lines(
    assessment: Assessment, without: Collection[str] = (), state: SyncState | None = None
) -> Iterator[pl.DataFrame]:
    """Give lines without a row for the leavers of tonight, those of earlier attempts of this night included.

    without  those who have a row, which says more
    state    knows what they are called
    """
    uids = [uid for uid, _ in assessment.going if uid not in without]
    for start in range(0, len(uids), _AT_ONCE):
        some = uids[start : start + _AT_ONCE]
        names = names_of(state, some) if state is not None else {}
        of = {"uid": some, "name": [names.get(uid) for uid in some]}
        yield pl.DataFrame(of, schema={"uid": pl.String, "name": pl.String}).select(
            pl.lit(None, pl.Int64).alias("row"),
            "uid",
            "name",
            *(pl.lit(None, pl.String).alias(name) for name in ("uid_input", "error_code", "error_message")),
        )

"""What a run adds up to: one object for machines, one table for people."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from rich.console import Console, Group, RenderableType
from rich.text import Text

from provisioner.errors import ExitCode, StorageError
from provisioner.files.aside import set_aside
from provisioner.files.looking import content_of
from provisioner.files.writing import SHARED, written_whole
from provisioner.logs.events import get_logger
from provisioner.model import ROW_OUTCOMES, RUN_OUTCOMES, Kind, Outcome
from provisioner.results.findings import Report
from provisioner.results.lines import TOKENS, Counts
from provisioner.results.manifest import NOTHING_RECORDED, Record, forget_notes
from provisioner.results.outputs import Outputs
from provisioner.results.tables import plain_table
from provisioner.sending.users.needs import Needs
from provisioner.stop import NOT_CONFIRMED, Stop, Stopper
from provisioner.tally import RequestTally, Tally
from provisioner.wording import counted, duration, iso_time, json_text

log = get_logger()

_END: Final = "exit_code"
# The outcomes as people read them, from the top.
_SHOWN: Final = sorted(ROW_OUTCOMES, key=lambda outcome: outcome.place)


class _Documented(Protocol):
    @property
    def document(self) -> Mapping[str, Any]: ...


Made = TypeVar("Made", bound=_Documented)


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run would take: requests, and seconds at the rate that is set.

    settled  valid rows that earlier runs have settled; None when there was none, so nothing was looked up
    """

    requests: int
    seconds: float
    settled: int | None = None


@dataclass(frozen=True, slots=True)
class Words:
    """What is said differently of a run and of a sync.

    mend    what to do about rejected rows; {} is the file that holds them
    idle    why valid rows needed no request
    tokens  what there is to say about the number of auth tokens
    """

    mend: str = "mend them in {} and feed that file in"
    idle: str = "earlier runs had settled every valid row"
    tokens: str = ""


_LEFT: Final = "{} of users that were there before, who are left as they are"
_RUN: Final = Words()
_SHARD: Final = Words("see {0}; once all shards have run, merge {0.parent} and mend the rejected rows of that")


@dataclass(frozen=True, slots=True)
class Summary:
    """The end of a run. `document` is the summary file; its numbers add up, or making one raises `AssertionError`.

    started   UNIX seconds
    finished  UNIX seconds
    emulated  it was the built-in emulator that answered
    needs     what the app was asked about before anything is sent, if it was
    base_url  the address that it was sent to, in its one spelling; told unless that was the emulator
    """

    counts: Counts
    tally: Tally
    report: Report
    started: float
    finished: float
    stop: Stop | None
    outputs: Mapping[str, str | None]
    estimate: Estimate | None = None
    record: Record = NOTHING_RECORDED
    emulated: bool = False
    needs: Needs | None = None
    base_url: str | None = None

    def __post_init__(self) -> None:
        counts, rows = self.counts, self.tally.rows
        if counts.rows != sum(counts.outcomes[outcome] for outcome in _SHOWN):
            raise AssertionError(f"{counts.rows} rows, but their outcomes are {dict(counts.outcomes)}")
        if counts.rows != rows.checked or counts.outcomes[Outcome.REJECTED] != rows.rejected:
            raise AssertionError(
                f"{rows.checked} rows were read, {rows.rejected} rejected, but the results say {counts}"
            )
        if self.stop is None and self.estimate is None and counts.outcomes[Outcome.PENDING]:
            raise AssertionError(
                f"{counts.outcomes[Outcome.PENDING]} rows have no outcome, but nothing stopped the run"
            )

    @property
    def exit_code(self) -> ExitCode:
        """The command's exit code."""
        if self.stop is not None:
            return self.stop.exit_code
        outcomes = self.counts.outcomes
        return ExitCode.ROWS_LEFT if any(outcomes[each] for each in Outcome if each.kind is Kind.LEFT) else ExitCode.OK

    @property
    def document(self) -> dict[str, Any]:
        """The summary as the file and `--json` hold it."""
        outcomes, requests, drift = self.counts.outcomes, self.tally.requests, self.tally.outcomes.drift
        document: dict[str, Any] = {
            "rows": self.counts.rows,
            **{outcome.value: outcomes[outcome] for outcome in RUN_OUTCOMES},
            "deactivated": self.counts.deactivated,
            "edited": self.tally.outcomes.edited,
            **sent(requests),
            "tokens": self.counts.tokens,
            "rejected_by_code": self.report.rejected_by_code,
            "failed_by_code": dict(sorted(self.counts.failed_by_code.items())),
            **lasted(self.started, self.finished),
            "requests_per_minute": round(requests.per_minute, 1),
            **ended(self.stop, self.exit_code, self.outputs),
            **self.record.document,
            **self.report.document,
        }
        document |= {"emulator": True} if self.emulated else {"base_url": self.base_url} if self.base_url else {}
        if drift:
            document["drift"] = dict(sorted(drift.items()))
        if self.needs is not None:
            document["app"] = self.needs.document
        if self.estimate is not None:
            estimate = self.estimate
            document["estimate"] = {"requests": estimate.requests, "seconds": round(estimate.seconds, 1)}
            if estimate.settled is not None:
                document["estimate"]["settled"] = estimate.settled
        return document

    def show(self, console: Console, words: Words | None = None) -> None:
        """Print the tables for people."""
        words = words or (_RUN if self.record.share is None else _SHARD)
        for request in self.report.requests:
            request.show(console)
        if self.report.requests:
            console.print()
        console.print(Group(self._outcomes(words), *self._remarks(words), *self.report.tables()))

    def _outcomes(self, words: Words) -> RenderableType:
        table = plain_table()
        table.add_column(justify="right")
        table.add_column()
        table.add_column(overflow="fold")
        table.add_row(*counted(self.counts.rows, "row").split(), "")
        for outcome in _SHOWN:
            if number := self.counts.outcomes[outcome]:
                note = Text(self._note(outcome, words))
                table.add_row(Text(f"{number:,}", outcome.colour), Text(outcome, outcome.colour), note)
        return table

    def _note(self, outcome: Outcome, words: Words) -> str:
        if outcome is Outcome.FAILED:
            codes = sorted(self.counts.failed_by_code.items(), key=lambda item: (-item[1], item[0]))
            return ", ".join(f"{code} {number:,}" for code, number in codes)
        if outcome is Outcome.CREATED and (edited := self.tally.outcomes.edited):
            return f"{edited:,} edited since, and brought up to date"
        where = self.outputs.get("rejected") if outcome is Outcome.REJECTED else None
        return words.mend.format(Path(where)) if where else ""

    def _remarks(self, words: Words) -> list[Text]:
        requests, drift, remarks = self.tally.requests, self.tally.outcomes.drift, []
        if self.estimate is not None:
            least = duration(self.estimate.seconds)
            needed = counted(self.estimate.requests, "request")
            settled = f"; {counted(self.estimate.settled, 'row')} settled already" if self.estimate.settled else ""
            remarks.append(Text(f"nothing was sent; it would take {needed} and at least {least}{settled}"))
        elif requests.sent:
            message = f"{counted(requests.sent, 'request')} in {duration(self.finished - self.started)}"
            extra = [f"{requests.retries:,} retried"] if requests.retries else []
            extra += [f"{requests.rate_limited:,} rate-limited"] if requests.rate_limited else []
            apart = self.outputs.get(TOKENS)
            tokens = counted(self.counts.tokens, "auth token") + (f" in {apart}" if apart else words.tokens)
            remarks.append(Text(message + (f" ({', '.join(extra)})" if extra else "") + f"; {tokens}"))
        elif self.counts.rows and self.outputs.get("results") and self.stop is None:
            left = self.tally.outcomes.settled.total()
            why = _LEFT.format(counted(left, "edited row")) if left else words.idle
            why = why if self.tally.rows.valid else "no row is valid"
            remarks.append(Text(f"no request was sent: {why}"))
        if self.emulated and requests.sent:
            remarks.append(Text("sent to the built-in emulator: nobody was created in an app", "yellow"))
        if drift:
            fields = ", ".join(f"{field} {number:,}" for field, number in drift.most_common())
            message = (
                "the API refused what the rules let pass, so a rule seems out of date; see [constraints] in the config"
            )
            remarks.append(Text(f"{message}: {fields}", "yellow"))
        for message, wrong in self.needs.remarks() if self.needs is not None else ():
            remarks.append(Text(message, "yellow" if wrong else ""))
        if gone := self.counts.deactivated:
            remarks.append(Text(f"{counted(gone, 'user')} deactivated, as the roster says"))
        remarks.extend(Text(message) for message in self.report.remarks())
        if where := self.outputs.get("results"):
            remarks.append(Text(f"results: {where}"))
        return remarks


def written(outputs: Outputs, rejected: Path | None, *, results: bool) -> dict[str, str | None]:
    """Name the files a command wrote, as given; null for those it did not."""
    files = {
        "results": str(outputs.results) if results else None,
        "rejected": str(rejected) if rejected is not None else None,
        "summary": str(outputs.summary),
        "journal": str(outputs.journal) if results else None,
    }
    return files | ({TOKENS: str(outputs.tokens)} if results and outputs.tokens else {})


def document_of_end(
    error: Exception, started: float, outputs: Mapping[str, str | None], record: Record
) -> dict[str, Any]:
    """Give the summary of a command that ended before it could count anything; numbers are left out, not made up.

    started  UNIX seconds
    outputs  the one file that is written now: the summary
    """
    stop = Stop.because_of(error)
    if stop.exit_code is ExitCode.BUG:  # what a bug of ours says can hold anything
        stop = replace(stop, message=type(error).__name__)
    return lasted(started, time.time()) | ended(stop, stop.exit_code, outputs) | record.document


def tell_unconfirmed(console: Console, stop: Stop | None) -> None:
    """Say first, before numbers that tell of what was done earlier, that a person did not want it done."""
    if stop is not None and stop.reason == NOT_CONFIRMED:
        console.print(Text(stop.message, "yellow"))


def sent(requests: RequestTally) -> dict[str, int]:
    """Give what every summary says of its requests."""
    return {"requests": requests.sent, "retries": requests.retries, "rate_limited": requests.rate_limited}


def lasted(started: float, finished: float) -> dict[str, Any]:
    """Give what every summary says of its time (UNIX seconds)."""
    return {
        "started_at": iso_time(started),
        "finished_at": iso_time(finished),
        "elapsed_seconds": round(finished - started, 3),
    }


def ended(stop: Stop | None, exit_code: ExitCode, outputs: Mapping[str, str | None]) -> dict[str, Any]:
    """Give what every summary says at its end: what stopped the command, and what it has written."""
    return {
        "stopped_by": stop.reason if stop else None,
        "message": stop.message if stop else None,
        "exit_code": exit_code,
        "outputs": dict(outputs),
    }


def keep_summary(path: Path, stopper: Stopper, make: Callable[[bool], Made]) -> Made:
    """Make a summary, told whether there is its file, and write it; what keeps it from being written is in it then."""
    made = make(True)
    try:
        write_summary(path, made.document)
    except StorageError as error:
        end_unwritten(stopper, error)
        made = make(False)
    return made


def end_unwritten(stopper: Stopper, error: StorageError) -> None:
    """End a command whose files cannot be written: its journal knows all that was done, and the same command goes on.

    It is only logged when something else has ended the command before.
    """
    if stopper.is_stopping():
        log.error("results.not_written", reason=str(error))
    stopper.request(Stop.because_of(error))


def write_summary(path: Path, summary: Mapping[str, Any]) -> None:
    """Write the summary as indented JSON; what has its name and is none of ours is set aside, and told of."""
    if not _is_alike(path, summary) and (aside := set_aside(path)) is not None:
        log.warning("results.set_aside", kept_as=[str(aside)], reason="it is no summary that was written here")
    with written_whole(path, SHARED) as temporary:
        temporary.write_bytes(encode(summary, indent=2))
    forget_notes(summary)


def _is_alike(path: Path, summary: Mapping[str, Any]) -> bool:
    """Whether a file is a summary by its members, of which each says how it ended; so is one that is not there."""
    try:
        if path.is_dir():
            return True
        document = json.loads(content_of(path))
    except (OSError, ValueError, RecursionError):
        return not os.path.lexists(path)
    return isinstance(document, dict) and (_END in document or _END not in summary)


def encode(document: Mapping[str, Any], indent: int | None = None) -> bytes:
    """Write JSON with a line end; a file name that is not UTF-8 is written with escapes, which a reader undoes."""
    return (json_text(document, indent) + "\n").encode(errors="backslashreplace")

"""What a report says, as plain values: how it ended, where it went, what it adds up to. Pure; the page is its form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from provisioner.errors import ExitCode
from provisioner.inspection.record.overview import Overview
from provisioner.inspection.report import chapters
from provisioner.inspection.report.chapters import GOING_ON, KILLED, Facts, Finding, Grid, at, number_of
from provisioner.inspection.report.sources import Sources, members
from provisioner.journal.course.table import PastRun
from provisioner.model import ROW_OUTCOMES, Outcome
from provisioner.roster.files.inputs import shown
from provisioner.sending.calls import ANSWERED
from provisioner.sync.plan.guards import without_examples
from provisioner.wording import counted, duration

# Reasons of a stop whose message is in words of ours, about the app, this machine or what was asked. Any other is not
# told, one that is new neither: it may quote a cell of the roster, or of a list.
_TOLD: Final = frozenset(
    {
        "endpoint", "error_budget", "journal", "key", "max_duration", "memory", "no_time", "not_confirmed", "output",
        "pacer", "plan", "proxy", "scope", "sighup", "sigint", "sigterm", "storage", "tls", "unreachable",
    }
)  # fmt: skip

_KINDS: Final = {"check": "Check of a roster", "run": "Provisioning run", "sync": "Nightly sync", "state": "State"}

_IN_ORDER: Final = sorted(Outcome, key=lambda outcome: outcome.place)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How it ended; `tone` is good, warning, bad or open."""

    tone: str
    headline: str
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Share:
    """How many rows have one outcome; `part` of all in percent."""

    outcome: str
    number: int
    part: float


@dataclass(frozen=True, slots=True)
class Content:
    """All that a report says but its pictures.

    rows     of the roster; null while they are not known
    total    what the shares add up to
    notes    what else there is to know of the sums, a sentence each
    missing  what could not be read
    """

    kind: str
    verdict: Verdict
    about: Facts
    rows: int | None
    total: int
    shares: list[Share]
    notes: list[str]
    asked: Facts
    runs: Grid | None
    defects: list[Finding]
    failures: list[Finding]
    warnings: list[Finding]
    proof: Facts
    undo: Facts
    files: Grid
    nights: Grid | None
    missing: tuple[str, ...]


def content_of(sources: Sources) -> Content:
    """Put into words what was found."""
    summary, overview = sources.summary, sources.overview
    kind = _kind(sources)
    newer = _newer(summary, overview)
    if kind == "state" and overview is not None:
        summary = overview.nights[-1].summary
    rows, shares = _sums(summary, None if kind == "state" else newer)
    runs = chapters.runs(overview) if overview is not None and overview.course else None
    nights = chapters.nights(overview.nights, in_use=overview.in_use) if overview and overview.nights else None
    return Content(
        kind=_KINDS[kind],
        verdict=_verdict(sources, summary, kind, newer),
        about=_about(sources, summary),
        rows=rows,
        total=sum(each.number for each in shares),
        shares=shares,
        notes=_taken_back(sources, summary) + _notes(summary, newer),
        asked=chapters.options(last.asked) if (last := _last_run(overview)) is not None else [],
        runs=runs,
        defects=chapters.findings(summary.get("defects"), sources.uids),
        failures=chapters.failures({} if newer is not None else summary.get("failed_by_code"), overview),
        warnings=chapters.findings(summary.get("warnings"), sources.uids),
        proof=chapters.proof(sources.proof),
        undo=chapters.undo(sources.undo),
        files=chapters.files(summary.get("outputs")),
        nights=nights,
        missing=sources.missing,
    )


def _kind(sources: Sources) -> str:
    if sources.check:
        return "check"
    overview = sources.overview
    if sources.results is None:
        return "state" if overview is not None and overview.nights else "run"
    return "sync" if "leavers" in sources.summary or (overview is not None and overview.nights) else "run"


def _last_run(overview: Overview | None) -> PastRun | None:
    """Give the last run that did what was asked, and took nothing back."""
    return overview.runs[-1] if overview is not None and overview.runs else None


def _newer(summary: Mapping[str, Any], overview: Overview | None) -> Overview | None:
    """Give the journal where the summary is of a run before its last, which goes on, was killed, or had an error."""
    last, finished = _last_run(overview), _seconds(summary.get("finished_at"))
    if last is None or (finished is None and last.finished is not None):
        return None if summary else overview
    return overview if finished is None or last.started > finished else None


def _seconds(text: object) -> float | None:
    try:
        return datetime.fromisoformat(str(text)).timestamp()
    except ValueError:
        return None


def _sums(summary: Mapping[str, Any], newer: Overview | None) -> tuple[int | None, list[Share]]:
    """Give the rows and their outcomes: by the summary, or what a journal knows that is newer."""
    numbers: dict[Outcome, int | None] = {each: number_of(summary.get(each)) for each in ROW_OUTCOMES}
    rows = number_of(summary.get("rows"))
    if newer is not None:
        rows, numbers = None, {each: newer.outcomes.get(each) for each in _IN_ORDER}
    found = {outcome: number for outcome in _IN_ORDER if (number := numbers.get(outcome))}
    total = sum(found.values())
    return rows, [Share(outcome.value, number, 100 * number / total) for outcome, number in found.items()]


def _verdict(sources: Sources, summary: Mapping[str, Any], kind: str, newer: Overview | None) -> Verdict:
    overview = sources.overview
    if kind == "state" and overview is not None:
        return _of_night(chapters.end_of(overview.nights[-1], in_use=overview.in_use), summary)
    if newer is not None:
        last = _last_run(newer)
        if newer.in_use and last is not None and last is newer.course[-1]:
            return Verdict("open", "Still running", "These are the numbers as the journal has them now.")
        ended = last and (KILLED if last.finished is None else last.stopped_by)
        if ended:
            headline = "Killed" if ended == KILLED else f"Stopped: {ended}"
            return Verdict("bad", headline, "Nothing that was settled is lost; the same command goes on.")
        return Verdict("open", "No summary", "These are the numbers as the journal has them.")
    code, stopped = number_of(summary.get("exit_code")), summary.get("stopped_by")
    if stopped:
        return Verdict("bad", f"Stopped: {stopped}", _message(summary))
    if kind == "check":
        return _of_check(code)
    if undone := _taken_back(sources, summary):
        said = undone[0].partition(":")[0]
        return Verdict("warning", said, "The numbers are those of the run; what the undo did is below.")
    if code == ExitCode.OK:
        return Verdict("good", "Done", "Every row is as it was asked for.")
    return Verdict("warning", "Finished, and some rows need a person", "See the tables below for what to do.")


def _of_check(code: int | None) -> Verdict:
    if code == ExitCode.OK:
        return Verdict("good", "Nothing to mend", "Every row can be sent. Nothing was sent.")
    return Verdict("warning", "Some rows have to be mended", "Nothing was sent. See the tables below for what to do.")


def _of_night(end: str, summary: Mapping[str, Any]) -> Verdict:
    if end == GOING_ON:
        return Verdict("open", "A night is going on")
    if end == KILLED:
        return Verdict("bad", "The last night was killed", "The same command goes on with it.")
    if end != "good":
        return Verdict("bad", f"The last night was {end}", _message(summary))
    if number_of(summary.get("exit_code")) == ExitCode.OK:
        return Verdict("good", "The last night was good")
    return Verdict("warning", "The last night was good, and some rows need a person")


def _message(summary: Mapping[str, Any]) -> str:
    """Say why it ended early, in words of ours: no example of a refusal, and not what the API said."""
    message, refused = summary.get("message"), summary.get("refused")
    if isinstance(refused, list) and (said := [each for each in map(_refusal, refused) if each]):
        return f"Nothing was changed: {'; '.join(said)}."
    if not isinstance(message, str) or summary.get("stopped_by") not in _TOLD:
        return "The summary and the log say why."
    ours = message.partition(ANSWERED)[0]
    return f"{ours[:1].upper()}{ours[1:]}."


def _refusal(document: object) -> str | None:
    message = members(document).get("message")
    return without_examples(message) if isinstance(message, str) else None


def _about(sources: Sources, summary: Mapping[str, Any]) -> Facts:
    overview = sources.overview
    facts: Facts = []
    if overview is not None:
        facts += [
            ("app", overview.owner.app_id or "(named by its address)"),
            ("address", shown(overview.owner.base_url)),
        ]
        if sources.results is None:
            facts.append(("state", str(overview.place.journal)))
    last = _last_run(overview)
    roster = summary.get("roster") or (last.asked.get("roster") if last is not None else None)
    if isinstance(roster, list) and roster:
        more = f" and {counted(len(roster) - 3, 'more file')}" if len(roster) > 3 else ""
        facts.append(("roster", ", ".join(map(str, roster[:3])) + more))
    began, ended = _seconds(summary.get("started_at")), _seconds(summary.get("finished_at"))
    which = "last run " if overview is not None and len(overview.runs) > 1 else ""
    times = (("began", began), ("ended", ended))
    facts += [(which + label, f"{at(seconds)} UTC") for label, seconds in times if seconds is not None]
    if began is not None and ended is not None:
        facts.append((f"{which}took", duration(max(0.0, ended - began))))
    return facts


def _taken_back(sources: Sources, summary: Mapping[str, Any]) -> list[str]:
    """Say that an undo came after the run, so that nobody takes the sums for what is there now."""
    reversed_ones = number_of(sources.undo.get("reversed"))
    ran, undone = (_seconds(document.get("finished_at")) for document in (summary, sources.undo))
    said = []
    if reversed_ones and ran is not None and undone is not None and undone >= ran:
        said.append(f"Taken back since: {counted(reversed_ones, 'user')}, see below")
    overview = sources.overview
    last = overview.course[-1] if overview is not None and overview.course else None
    if overview is not None and last is not None and last.is_undo and last.finished is None:  # it has left no sums yet
        if overview.in_use:
            said.append("An undo is going on: what it has taken back so far is not in the numbers")
        else:
            said.append("An undo was killed since: what it had taken back is not in the numbers; the same undo goes on")
    elif last is not None and last.is_undo and last.stopped_by and not said:
        # It may have been one that was to go on with what another was killed in.
        said.append("An undo was stopped since: what may be taken back is not in the numbers; the same undo goes on")
    return said


def _notes(summary: Mapping[str, Any], newer: Overview | None) -> list[str]:
    if newer is not None:
        doubted = f"{counted(newer.in_doubt, 'user')} may have been created by a request without an answer"
        return [f"{doubted}; the next run finds out"] if newer.in_doubt else []
    notes = []
    if summary.get("emulator") is True and summary.get("requests"):
        notes.append("It was sent to the built-in emulator: nobody was created in an app")
    outputs = members(summary.get("outputs"))
    for name, noun, what in (
        ("requests", "request", "sent by the last run"),
        ("retries", "request", "sent again"),
        ("rate_limited", "request", "turned away with 429, for which everyone paused"),
        ("tokens", "auth token", f"in {'a file of their own' if 'tokens' in outputs else 'the results'}"),
        ("edited", "user", "brought up to date because their rows had been edited"),
    ):
        if number := number_of(summary.get(name)):
            notes.append(f"{counted(number, noun)} {what}")
    notes += _special_notes(summary)
    return notes


def _special_notes(summary: Mapping[str, Any]) -> list[str]:
    notes = []
    estimate, mended, leavers = (members(summary.get(name)) for name in ("estimate", "mended", "leavers"))
    if not leavers and (gone := number_of(summary.get("deactivated"))):
        notes.append(f"{counted(gone, 'user')} deactivated, as the roster says")
    if (needed := number_of(estimate.get("requests"))) is not None:
        seconds = estimate.get("seconds")
        least = f" and at least {duration(seconds)}" if isinstance(seconds, int | float) else ""
        notes.append(f"It would take {counted(needed, 'request')}{least}")
    if (before := number_of(mended.get("before"))) is not None:
        notes.append(
            f"{number_of(mended.get('mended')) or 0:,} of {counted(before, 'row')} mended since the last round"
        )
    if number_of(leavers.get("found")):
        parts = [
            f"{number:,} {name.replace('_', ' ')}" for name, each in leavers.items() if (number := number_of(each))
        ]
        notes.append(f"Leavers: {', '.join(parts)}")
    if overridden := members(summary.get("constraints_overridden")):
        notes.append(f"Limits that the config overrides: {', '.join(map(str, overridden))}")
    return notes

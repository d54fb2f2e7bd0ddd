"""The tables of a report: findings with their cures, runs, nights, files, and what a proof or an undo says.

Pure, and wary: the documents come from files, and a key that is not known, or not what it was, is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from provisioner.inspection.record.history import COUNTS
from provisioner.inspection.record.overview import Overview
from provisioner.inspection.report.sources import first_rows, members
from provisioner.journal.course.points import Point
from provisioner.journal.course.table import PastRun
from provisioner.journal.state.nights import Night
from provisioner.stop import NOT_CONFIRMED
from provisioner.wording import ESCAPES, LONGEST_SHOWN, duration

Facts = list[tuple[str, str]]
"""Label and value, in the order in which they are read."""

KILLED, GOING_ON = "killed", "still running"

_PROOF: Final = {
    "message": "in a sentence", "time": "read back at", "rows": "rows", "rejected": "rejected rows, not compared",
    "compared": "users compared", "matching": "matching", "differing_users": "differing",
    "differing": "differing, by field", "missing": "missing in the app", "deactivated": "deactivated in the app",
    "active": "active, and deactivated by the roster",
    "compared_fields": "fields compared", "not_compared": "fields not compared", "requests": "requests",
    "roster_sha256": "SHA-256 of the roster's side", "app_sha256": "SHA-256 of the app's side",
}  # fmt: skip
_UNDO: Final = {
    "users": "users", "reversed": "reversed", "done": "how", "kept": "kept as they are", "kept_by_reason": "why",
    "failed": "failed", "failed_by_code": "codes", "pending": "not come to yet", "tokens_left": "tokens left valid",
    "requests": "requests", "finished_at": "ended", "stopped_by": "stopped by",
}  # fmt: skip
# Lists of words of ours; other lists may name people.
_WORDS: Final = frozenset({"compared_fields", "not_compared"})
_FILES: Final = {
    "results": "one line for each row", "rejected": "rejected rows, to be mended", "summary": "the numbers, as JSON",
    "journal": "what became of every user", "tokens": "the auth tokens", "leavers": "who has left", "plan": "the plan",
}  # fmt: skip
# There is a column for each but two in a report, whose heads are short as well: there are many beside each other.
_NIGHTLY: Final = {each: head for each, head in COUNTS.items() if each not in {"sessions_flushed", "existing"}}


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found under one code; `first` names the first rows, with uids where they are known."""

    code: str
    rows: int
    first: str
    mend: str


@dataclass(frozen=True, slots=True)
class Grid:
    """A table: names of the columns, those of them that hold numbers, and the lines."""

    heads: Sequence[str]
    numbers: frozenset[str]
    lines: Sequence[Sequence[str]]

    def full(self) -> Grid:
        """Leave out the columns that are empty in every line."""
        kept = [place for place in range(len(self.heads)) if any(line[place] for line in self.lines)]
        lines = [[line[place] for place in kept] for line in self.lines]
        return Grid([self.heads[place] for place in kept], self.numbers, lines)


def at(seconds: float | None) -> str:
    """Say UNIX seconds as a person reads them, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S") if seconds is not None else ""


def number_of(value: object) -> int | None:
    """Give a count as it stands in a document, None for what is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def findings(found: object, uids: Mapping[int, str]) -> list[Finding]:
    """Give what the summary says of defects or warnings, the most frequent first."""
    all_of_them = []
    for code, each in members(found).items():
        facts = members(each)
        rows, named = number_of(facts.get("rows")) or 0, first_rows(each)
        text = _rows_named([(row, uids.get(row, "")) for row in named], rows)
        all_of_them.append(Finding(code, rows, text, str(facts.get("mend") or "")))
    return sorted(all_of_them, key=lambda finding: (-finding.rows, finding.code))


def failures(counts: object, overview: Overview | None) -> list[Finding]:
    """Give the codes with which the API refused rows; its words may name people, so they stay in the results."""
    first = overview.failed if overview is not None else {}
    numbers = {code: number_of(number) or 0 for code, number in members(counts).items()}
    numbers = numbers or {code: len(rows) for code, rows in first.items()}
    return [
        Finding(code, rows, _rows_named(first.get(code, []), rows), _cure(code))
        for code, rows in sorted(numbers.items(), key=lambda item: (-item[1], item[0]))
    ]


def _cure(code: str) -> str:
    if code == "in_doubt":
        return "run the same command again: it finds out whether these users were created"
    return "see error_message in the results, mend the row or the app, and run the same command again"


def _rows_named(first: Sequence[tuple[int, str]], rows: int) -> str:
    """Name rows, with their uids where they are known: `2 (ann), 4 (bob), …`."""
    shown = [f"{row} ({_short(uid)})" if uid else str(row) for row, uid in first]
    return ", ".join([*shown, "…"] if rows > len(shown) else shown)


def _short(uid: str) -> str:
    return uid[:LONGEST_SHOWN].translate(ESCAPES) + ("…" if len(uid) > LONGEST_SHOWN else "")


def state_of(run: PastRun, *, last: bool, in_use: bool) -> str:
    """Say what ended a run: nothing, a stop, a kill; only the last one can be going on."""
    if run.finished is not None:
        return f"stopped: {run.stopped_by}" if run.stopped_by else "came to its end"
    return GOING_ON if last and in_use else KILLED


def runs(overview: Overview) -> Grid:
    """Give a line for each run: how long it took, what it did, under which limit, and what ended it."""
    lines = []
    for run in overview.course:
        points = [point for point in overview.points if point.run == run.number]
        seconds = (run.finished or max((each.ends_at for each in points), default=run.started)) - run.started
        requests = run.requests if run.requests is not None else sum(each.requests for each in points)
        settled, paused = sum(each.settled for each in points), sum(each.paused for each in points)
        cells = (
            run.command,
            at(run.started),
            duration(max(0.0, seconds)),
            f"{requests:,}",
            f"{settled:,}",
            f"{requests * 60 / seconds:,.0f}" if seconds >= 1 else "",
            _limits(points),
            duration(paused) if paused else "",
            f"{turned_away:,}" if (turned_away := sum(each.rate_limited for each in points)) else "",
            state_of(run, last=run is overview.course[-1], in_use=overview.in_use),
        )
        lines.append(cells)
    heads = (
        "what",
        "began",
        "took",
        "requests",
        "rows settled",
        "a minute",
        "limit a minute",
        "paused",
        "429",
        "ended",
    )
    return Grid(heads, frozenset((*heads[3:7], "429")), lines).full()


def _limits(points: Sequence[Point]) -> str:
    """Say which limits were in force, in the order in which they were."""
    busy = "standard" if sum(each.standard for each in points) > sum(each.core for each in points) else "core"
    limits = [each.standard_limit if busy == "standard" else each.core_limit for each in points]
    changes = [limit for before, limit in zip([None, *limits], limits, strict=False) if limit != before]
    return " → ".join(f"{limit:,.0f}" for limit in changes[:4])


def nights(some: Iterable[Night], *, in_use: bool) -> Grid:
    """Give a line for each attempt at a night, the latest first; a count that no night has is left out."""
    latest_first = list(some)[::-1]
    several = any(night.attempt > 1 for night in latest_first)
    lines = []
    for night in latest_first:
        counts = [night.rows, *(number_of(night.summary.get(each)) for each in (*_NIGHTLY, "requests"))]
        took = duration(night.seconds) if night.seconds is not None else ""
        ended = end_of(night, in_use=in_use and night is latest_first[0])
        numbers = [f"{number:,}" if number else "" for number in counts]
        attempt = str(night.attempt) if several else ""
        lines.append([str(night.number), at(night.started)[:16], *numbers, took, attempt, ended])
    counted_ones = ("rows", *_NIGHTLY.values(), "requests")
    heads = ("night", "began", *counted_ones, "took", "attempt", "ended")
    return Grid(heads, frozenset((*counted_ones, "attempt")), lines).full()


def each_once(some: Iterable[Night]) -> list[Night]:
    """Give each night once: by its last attempt that might change something, for such a one counts those before it.

    One that was refused counts by its own roster, and one that was killed not at all; they speak where no other does.
    """
    found: dict[int, Night] = {}
    for night in some:
        if night.epoch not in found or _counts(night) >= _counts(found[night.epoch]):
            found[night.epoch] = night
    return list(found.values())


def _counts(night: Night) -> int:
    if night.finished is None:
        return 0
    changed_nothing = night.summary.get("refused") or night.summary.get("stopped_by") == NOT_CONFIRMED
    return 1 if changed_nothing else 2


def end_of(night: Night, *, in_use: bool) -> str:
    """Say how a night ended."""
    if night.finished is None:
        return GOING_ON if in_use else KILLED
    return "good" if night.good else f"stopped: {night.summary.get('stopped_by') or 'unknown'}"


def files(outputs: object) -> Grid:
    """Give the files that were written, and what each is for."""
    lines = [(path, _FILES.get(name, name)) for name, path in members(outputs).items() if isinstance(path, str)]
    return Grid(("file", "what is in it"), frozenset(), lines)


def options(asked: Mapping[str, Any]) -> Facts:
    """Give the options of a run as the config file calls them, with values as people write them."""
    return [(name, _value(name, value)) for name, value in asked.items() if name != "roster"]


def _value(name: str, value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float() if name == "share":
            return f"{value:.4g}" if value > 1 else f"{100 * value:.4g}%"
        case _:
            return str(value)


def proof(document: Mapping[str, Any]) -> Facts:
    """Give what a proof says; nothing when there is none."""
    return list(_said(document, _PROOF))


def undo(document: Mapping[str, Any]) -> Facts:
    """Give what the summary of an undo says; nothing when there is none."""
    return list(_said(document, _UNDO))


def _said(document: Mapping[str, Any], labels: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Give the members that are known; of lists and objects that may name people, how many there are."""
    for name, label in labels.items():
        match document.get(name):
            case None | bool():
                continue
            case int() as number:
                yield label, f"{number:,}"
            case str() as text:
                yield label, text[:200]
            case [*words] | {**words} if name in _WORDS:
                yield label, ", ".join(str(each)[:200] for each in words) or "none"
            case {**parts} if all(number_of(each) is not None for each in parts.values()):
                if told := ", ".join(f"{part} {number:,}" for part, number in parts.items() if number):
                    yield label, told
            case [*parts] | {**parts}:
                yield label, f"{len(parts):,}"

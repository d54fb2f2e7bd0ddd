"""The verdict on a crash campaign: what the command claims, held against what the emulator saw.

Each check is a function that gives the offenders, one line each; a campaign has passed when there are none. Nothing
here believes the command: results, summaries and journal are claims, the emulator's audit and users are the facts.
"""

from __future__ import annotations

import math
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from benchmarks.crash.ledger import FINAL, Fate, Ledger
from benchmarks.crash.scenario import Kind, Person
from provisioner.emulator.app.audit import busiest

OUTCOMES: Final = ("rejected", "created", "existing", "updated", "failed", "pending")

# Requests of a quarter of a second bunch up on their way when a machine is busy.
_JITTER: Final = 0.25
_WINDOWS: Final = (1.0, 10.0, 60.0)


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the command. Times are monotonic seconds.

    exit_code  negative for the number of the signal that ended it
    phase      what it was doing when it was killed; None for a run that ended by itself
    ambush     the summary's word for the run-level fault that lay in wait, None when there was none
    summary    what it printed, None when it was killed or said nothing
    told       what it wrote to stderr
    """

    started: float
    ended: float
    exit_code: int
    phase: str | None
    ambush: str | None
    summary: Mapping[str, Any] | None
    told: str = ""
    interrupted: bool = False

    @property
    def ended_well(self) -> bool:
        """Whether it may end like this."""
        if "Traceback" in self.told:
            return False
        if self.phase is not None or self.exit_code in {0, 1}:
            return True
        # A signal meets its default action while Python starts and ends; a shell shows both as 128 + number.
        if self.interrupted and self.exit_code in {130, 143, -signal.SIGINT, -signal.SIGTERM}:
            return True
        return self.exit_code == 4 and self.summary is not None and self.summary["stopped_by"] == self.ambush


@dataclass(frozen=True)
class Evidence:
    """Everything there is to judge by, once the last run has ended.

    results   lines of the results file, cells as text
    before    uid → user, as they were before the first run; `users` are those afterwards
    audit     the emulator's records, in order of arrival
    rates     group → requests allowed in any minute
    left_behind  files of runs that were killed, which no later run has removed
    """

    people: Sequence[Person]
    auth_tokens: str
    on_existing: str
    results: Sequence[Mapping[str, str]]
    runs: Sequence[Run]
    before: Mapping[str, Mapping[str, Any]]
    users: Mapping[str, Mapping[str, Any]]
    audit: Sequence[Mapping[str, Any]]
    ledger: Ledger
    rates: Mapping[str, int]
    left_behind: Sequence[str] = ()

    @cached_property
    def by_us(self) -> Counter[str]:
        """How often each user was created over the API."""
        return Counter(record["uid"] for record in self.audit if record["did"] == "created")

    @cached_property
    def settled(self) -> list[tuple[Person, Mapping[str, str]]]:
        """The valid rows of the roster, each with the line about it."""
        lines = {line["row"]: line for line in self.results}
        return [
            (person, lines[str(person.row)]) for person in self.people if person.kind.valid and str(person.row) in lines
        ]

    def wants_token(self, person: Person, outcome: str) -> bool:
        """Whether a row with this outcome is to have an auth token."""
        if person.asks or person.left or person.kind is Kind.DEACTIVATED or self.auth_tokens == "none":
            return False
        return outcome == "created" or self.auth_tokens == "all"

    def is_away(self, person: Person) -> bool:
        """Whether the user of a settled row is to be deactivated; of those who were there only by an update."""
        if person.kind is Kind.DEACTIVATED:
            return True
        return person.left and (not person.kind.there or self.on_existing == "update")


def rows_lost(evidence: Evidence) -> Iterator[str]:
    """Each roster row has one line, in roster order, and speaks of that row."""
    expected = [(str(person.row), person.uid) for person in evidence.people]
    found = [(line["row"], line["uid_input"]) for line in evidence.results]
    if expected != found:
        for row, uid in expected:
            if found.count((row, uid)) != 1:
                yield f"row {row} ({uid}) has {found.count((row, uid))} lines"
        if sorted(expected) == sorted(found):
            yield "the lines are not in roster order"


def rows_unsettled(evidence: Evidence) -> Iterator[str]:
    """In the end every valid row is created, existing or updated, and no other."""
    for line in evidence.results:
        kind = evidence.people[int(line["row"]) - 1].kind
        if (line["outcome"] in FINAL) != kind.valid or (line["outcome"] == "rejected") == kind.valid:
            yield f"row {line['row']} ({kind}): {line['outcome']} {line['error_code']} {line['error_message']}"


def rows_failed(evidence: Evidence) -> Iterator[str]:
    """No run ends with a failed row: no row is refused, and eight doubtful answers in a row are too many."""
    for number, run in enumerate(evidence.runs, 1):
        if run.summary and run.summary["failed"]:
            yield f"run {number}: {run.summary['failed']} failed rows: {run.summary.get('failed_by_code')}"


def created_twice(evidence: Evidence) -> Iterator[str]:
    """No user comes to be more than once."""
    yield from (f"{uid}: created {times} times" for uid, times in evidence.by_us.items() if times > 1)


def misreported_created(evidence: Evidence) -> Iterator[str]:
    """Nobody is called created who was there before, or whom we did not create."""
    for person, line in evidence.settled:
        if line["outcome"] == "created" and (person.kind.there or not evidence.by_us[person.uid]):
            yield f"{person.uid}: created, but {person.kind}"


def misreported_existing(evidence: Evidence) -> Iterator[str]:
    """Nobody is called existing or updated whom we created, or for whom the other was asked for."""
    for person, line in evidence.settled:
        updates = evidence.on_existing == "update" and person.kind is not Kind.DEACTIVATED
        other = "existing" if updates else "updated"
        if line["outcome"] == other or (line["outcome"] in {"existing", "updated"} and not person.kind.there):
            yield f"{person.uid}: {line['outcome']} {line['error_code']}, but {person.kind}"


def tokens_missing(evidence: Evidence) -> Iterator[str]:
    """Every row that wants a token has one."""
    for person, line in evidence.settled:
        if evidence.wants_token(person, line["outcome"]) and not line["auth_token"]:
            yield f"{person.uid}: {line['outcome']} without a token"


def tokens_wrong(evidence: Evidence) -> Iterator[str]:
    """Every token is one that the server has for that very user, and nobody has one who wanted none."""
    for person, line in evidence.settled:
        token, outcome = line["auth_token"], line["outcome"]
        if token and token not in evidence.users[person.uid]["tokens"]:
            yield f"{person.uid}: the server does not know its token"
        if token and not evidence.wants_token(person, outcome):
            yield f"{person.uid}: {outcome}, and has a token that was not asked for"


def settled_sent_again(evidence: Evidence) -> Iterator[str]:
    """No request, not even a read, is about a row that was settled before its run began."""
    for record in evidence.audit:
        known = evidence.ledger.first.get(record["uid"])
        if known is not None and record["monotonic"] >= known[1]:
            yield f"{record['uid']}: {record['method']} {record['path']}, settled before as {known[0].outcome}"


def settled_changed(evidence: Evidence) -> Iterator[str]:
    """Nothing that was settled changes, neither in the journal nor in the results."""
    yield from evidence.ledger.wrong
    for person, line in evidence.settled:
        fate = Fate(line["outcome"], line["auth_token"] or None, int(line["created_at"] or 0) or None)
        known = evidence.ledger.first.get(person.uid)
        if known is not None and known[0] != fate:
            yield f"{person.uid}: the journal had settled {known[0]}, the results say {fate}"


def profiles_wrong(evidence: Evidence) -> Iterator[str]:
    """Users are those of the roster; those that were there before are as they were unless they were updated."""
    for person, line in evidence.settled:
        before, after = evidence.before.get(person.uid), evidence.users.get(person.uid)
        ours = line["outcome"] in {"created", "updated"}
        name = person.name if ours or before is None else before["name"]
        if after is None or after["name"] != name:
            yield f"{person.uid}: {line['outcome']}, but the user is {after and after['name']!r}"
    if strangers := evidence.users.keys() - {person.uid for person in evidence.people}:
        yield f"users that are in no roster: {sorted(strangers)}"


def standings_wrong(evidence: Evidence) -> Iterator[str]:
    """Whose account is disabled ends deactivated, without a living token, and is told so; nobody else does."""
    for person, line in evidence.settled:
        user, away = evidence.users.get(person.uid, {}), evidence.is_away(person)
        if bool(user.get("deactivated_at")) is not away:
            yield f"{person.uid} ({person.kind}): {'active' if away else 'deactivated'}"
        # Told of those who were there, and whom nobody asked to deactivate, only when that is met.
        if person.kind is not Kind.DEACTIVATED and (line["error_code"] == "deactivated") is not away:
            yield f"{person.uid}: {line['outcome']} {line['error_code']}, but {'deactivated' if away else 'active'}"
        if away and not person.kind.there and user.get("tokens"):
            yield f"{person.uid}: deactivated, with {len(user['tokens'])} living tokens"


def sums_wrong(evidence: Evidence) -> Iterator[str]:
    """Every summary adds up and counts the requests that arrived; the last one agrees with the results."""
    for number, run in enumerate(evidence.runs, 1):
        if run.summary is None:
            continue
        counted = sum(run.summary[outcome] for outcome in OUTCOMES)
        if not run.summary["rows"] == counted == len(evidence.people):
            yield f"run {number}: {run.summary['rows']} rows, outcomes of {counted}"
        arrived = sum(run.started <= record["monotonic"] < run.ended for record in evidence.audit)
        if run.summary["requests"] != arrived:
            yield f"run {number}: {run.summary['requests']} requests by the summary, {arrived} arrived"
    last = evidence.runs[-1].summary or {}
    found = Counter(line["outcome"] for line in evidence.results)
    told = {outcome: last.get(outcome, 0) for outcome in OUTCOMES}
    if told != {outcome: found[outcome] for outcome in OUTCOMES}:
        yield f"the last summary says {told}, the results {dict(found)}"
    made = [line for line in evidence.results if line["outcome"] in {"created", "updated"}]
    if last.get("deactivated") != sum(line["error_code"] == "deactivated" for line in made):
        yield f"the last summary counts {last.get('deactivated')} deactivated"
    if last.get("tokens") != sum(bool(line["auth_token"]) for line in evidence.results):
        yield f"the last summary counts {last.get('tokens')} tokens"


def over_the_rate(evidence: Evidence) -> Iterator[str]:
    """No minute holds more requests than allowed, nor a shorter time more than its part and what may come at once."""
    for group, rate in evidence.rates.items():
        for length, most in most_requests(evidence, group).items():
            if most > allowed(rate, length):
                yield f"{most} {group} requests in {length:g} s, {allowed(rate, length)} allowed"


def allowed(rate: int, length: float) -> int:
    """Count the requests that `length` seconds may hold at `rate` a minute; only a minute holds exactly that."""
    if length == 60:
        return rate
    # The bucket's size, and at a large rate half of it in hand: see `provisioner.sending.pacing.Shape`.
    at_once = 1.5 * max(1.0, min(16.0, rate / 300), rate / 3000)
    return math.ceil(at_once + rate / 60 * (length + _JITTER))


def most_requests(evidence: Evidence, group: str) -> dict[float, int]:
    """Count the most requests of a group in windows of some lengths, in seconds."""
    arrived = [record["monotonic"] for record in evidence.audit if record["group"] == group]
    return {length: busiest(arrived, length) for length in _WINDOWS}


def ended_wrong(evidence: Evidence) -> Iterator[str]:
    """No run ends but by a signal, by being through, or by the fault that stops it; none shows a traceback."""
    for number, run in enumerate(evidence.runs, 1):
        if not run.ended_well:
            reason = (run.summary or {}).get("stopped_by")
            lay = f"stopped by {reason}, in wait: {run.ambush}"
            yield f"run {number}: exit code {run.exit_code}, {lay}: {run.told[-500:]}"


CHECKS: Final[Mapping[str, Callable[[Evidence], Iterator[str]]]] = {
    "rows lost": rows_lost,
    "rows not settled in the end": rows_unsettled,
    "rows failed": rows_failed,
    "users created twice": created_twice,
    "misreported as created": misreported_created,
    "misreported as existing": misreported_existing,
    "tokens missing": tokens_missing,
    "tokens wrong": tokens_wrong,
    "settled rows sent again": settled_sent_again,
    "settled rows changed": settled_changed,
    "profiles wrong": profiles_wrong,
    "standings wrong": standings_wrong,
    "sums wrong": sums_wrong,
    "over the rate": over_the_rate,
    "runs ended wrong": ended_wrong,
}


def judge(evidence: Evidence) -> dict[str, list[str]]:
    """Give the offenders of every check; a campaign has passed when there are none."""
    return {name: list(check(evidence)) for name, check in CHECKS.items()}


def figures(evidence: Evidence) -> dict[str, Any]:
    """Tell what a campaign was like: none of it is right or wrong."""
    audit, valid = evidence.audit, sum(person.kind.valid for person in evidence.people)
    outcomes = Counter(line["outcome"] for line in evidence.results)
    read = {record["uid"] for record in audit if record["did"] == "read"}
    ours = {person.uid for person, line in evidence.settled if line["outcome"] == "created"}
    minted = Counter(record["uid"] for record in audit if record["did"] == "minted")
    phases = Counter(run.phase for run in evidence.runs if run.phase)
    return {
        "rows": dict(sorted(outcomes.items())),
        "runs": len(evidence.runs),
        "kills": phases.total(),
        "killed while": dict(sorted(phases.items())),
        "stopped by": dict(Counter(run.summary["stopped_by"] for run in evidence.runs if run.summary)),
        "requests": len(audit),
        "requests per valid row": round(len(audit) / max(1, valid), 2),
        "most core requests": {f"in {length:g} s": most for length, most in most_requests(evidence, "core").items()},
        "read back": len(read),
        "of these ours": len(read & ours),
        "tokens minted": minted.total(),
        "deactivated": sum(record["did"] == "deactivated" for record in audit),
        "reactivated": sum(record["did"] == "reactivated" for record in audit),
        "users with more than one": sum(times > 1 for times in minted.values()),
        "files left behind": len(evidence.left_behind),
        "faults": dict(sorted(Counter(record["fault"] for record in audit if record["fault"]).items())),
    }

"""A simulated company's nights: every night another roster, carried to an emulator by the real command."""

from __future__ import annotations

import json
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any, Final

from benchmarks.crash.scenario import hostility
from benchmarks.nights.company import LEAVE, ROLE, Company, Profile, Row, changed, respelt, somebody, write_roster
from benchmarks.nights.evidence import FEW, Evidence, Session
from benchmarks.nights.exports import spoilt
from benchmarks.nights.ledger import Books, Expected, Kept, Known, kept
from benchmarks.nights.schedule import Kind, Options
from benchmarks.nights.verdict import history_wrong, judge
from benchmarks.rig.backstage import Api, emulator
from benchmarks.rig.harness import COMMAND, NO_KEY, BenchmarkError, Finished, lines_of, require, run
from benchmarks.rig.victim import Victim

Start = Callable[[list[str], Path], Finished]

_WIDE_OPEN: Final = 600_000
_LATENCY: Final = "2ms"
# How long the requests of a night would take that is killed, if it were not.
_KILLED_SECONDS: Final = 4
_FAULT_RATE: Final = 0.2
_STRANGERS: Final = 0.01
# Nobody's time of grace is over on a night on which nothing is to change.
_FOR_EVER: Final = 1000
_QUIET: Final = frozenset({Kind.QUIET, Kind.BLANK})

_CONFIG: Final = """\
[rate]
requests_per_minute = {rate}
standard_requests_per_minute = {rate}
share = 1.0
max_in_flight = {in_flight}
[columns]
deactivated = "left"
"""
# Everything quick, so that many faults fit into a night.
_QUICK: Final = """\
[api]
connect_timeout = 3.0
read_timeout = 3.0
total_timeout = 3.0
[retry]
backoff_base = 0.02
backoff_max = 0.2
pause_max = 0.5
"""


@dataclass(frozen=True, slots=True)
class Report:
    """What came of one night."""

    number: int
    evidence: Evidence
    offenders: Mapping[str, list[str]]

    @property
    def passed(self) -> bool:
        """Whether every check came out at zero."""
        return not any(self.offenders.values())


class Simulation:
    """One company, one state, one emulator, many nights.

    start  runs a command line to its end, in a folder
    """

    def __init__(self, options: Options, folder: Path, api: Api, start: Start = run) -> None:
        self.options, self.folder, self.api, self.start = options, folder, api, start
        self.random = Random(options.seed)
        self.company = Company(options.people, self.random, leave=options.leave)
        self.books = Books()
        self.sessions: list[Session] = []
        self._rows: list[Row] = []
        self._good: list[Row] = []
        self._drift: dict[str, int] | None = None

    def nights(self) -> Iterator[Report]:
        """Let the nights pass; the books tell nothing any more after one that has gone wrong, so it is the last."""
        self._settle_in()
        for number, kind in enumerate(self.options.schedule(), 1):
            report = self._night(number, kind)
            yield report
            if not report.passed:
                return
            if not kind.refused:
                self.books.users = dict(report.evidence.known)

    def history(self) -> list[str]:
        """Tell in what the command's own history is wrong."""
        last = str(len(self.sessions) + 1)
        arguments = [str(COMMAND), "history", "--state", "hr.state.db", "--json", "--last", last]
        told = json.loads(require(self.start(arguments, self.folder), 0).stdout)
        return list(history_wrong(told["nights"][::-1], self.sessions))

    def _settle_in(self) -> None:
        """Put there who is there before the first night: strangers, and some of the company's people."""
        random, users = self.random, self.books.users
        for number in range(max(2, round(_STRANGERS * self.options.people))):
            users[f"stranger-{number}"] = Known(somebody(random), active=number % 5 > 0, managed=False)
        for uid in random.sample(sorted(self.company.employees), self.options.people // 5):
            profile = self.company.employees[uid]
            other = changed(profile, random) if random.random() < 0.3 else profile
            users[uid] = Known(other, active=random.random() < 0.9, managed=False)
        self._put(
            {
                uid: known.profile.user(uid, deactivated_at=_gone(known), tokens=[f"{uid}_phone", f"{uid}_desk"])
                for uid, known in users.items()
            }
        )

    def _put(self, users: Mapping[str, Mapping[str, Any]]) -> None:
        self.api.put("users", "\n".join(map(json.dumps, users.values())))

    def _night(self, number: int, kind: Kind) -> Report:
        self._rows = self._export(kind)
        write_roster(self.folder / "roster.csv", self._rows, blanks=kind is Kind.BLANK)
        if kind is Kind.OTHER_HAND:
            self._drift = self._other_hand()
        grace = _FOR_EVER if kind in _QUIET else self.options.grace_nights
        expected = self.books.expect(self._rows, grace, looking=kind.reads_directory)
        known = self.books.users if kind.refused else self.books.after(expected)
        before, place = self.api.users(), len(self.api.audit())
        results = self.folder / "results.csv"
        old = results.read_bytes() if results.exists() else b""
        sessions = self._carry_out(kind, expected, grace)
        self.sessions += sessions
        audit = self.api.audit()
        did = {name: Counter(each["uid"] for each in audit if each["did"] == name) for name in ("created", "deleted")}
        evidence = Evidence(
            kind=kind,
            expected=expected,
            known=known,
            before=before,
            users=self.api.users(),
            audit=audit[place:],
            created=did["created"],
            deleted=did["deleted"],
            sessions=sessions,
            results=lines_of(results),
            results_kept=results.exists() and results.read_bytes() == old,
            leavers=frozenset(line["uid"] for line in lines_of(self.folder / "results.leavers.csv")),
            tokens=self._kept().tokens,
            drift=self._drift if kind is Kind.OTHER_HAND else None,
            in_doubt=_in_doubt(expected),
        )
        return Report(number, evidence, judge(evidence))

    def _export(self, kind: Kind) -> list[Row]:
        """Give the rows of tonight's roster. What a bad export says is not true of anybody."""
        if kind in _QUIET:
            return respelt(self._good, self.random)
        if kind.refused:
            return spoilt(self.company.export(), kind)
        if kind is not Kind.ADOPT:
            self.company.moves_on()
        self._good = self.company.export()
        return self._good

    def _other_hand(self) -> dict[str, int]:
        """Change, deactivate and delete some users of the roster, behind the command's back."""
        users, each = self.books.users, max(2, self.options.people // 2000)
        there = sorted(row.uid for row in self._rows if not row.rejected and users.get(row.uid, _NOBODY).active)
        picked = self.random.sample(there, 3 * each)
        as_stored = self.api.users()
        for uid in picked[: 2 * each]:
            known = users[uid]
            if uid in picked[:each]:
                users[uid] = replace(known, profile=changed(known.profile, self.random))
            else:
                users[uid] = replace(known, active=False)
        kept_members = ("created_at", "updated_at", "tokens")
        self._put(
            {
                uid: users[uid].profile.user(
                    uid, deactivated_at=_gone(users[uid]), **{name: as_stored[uid][name] for name in kept_members}
                )
                for uid in picked[: 2 * each]
            }
        )
        for uid in picked[2 * each :]:
            self._delete(uid)
            del users[uid]
        strangers = sum(not known.managed for known in users.values())
        return {
            "deleted": each,
            "deactivated": each,
            "reactivated": 0,
            "replaced": 0,
            "strangers": strangers,
            "changed": each,
        }

    def _delete(self, uid: str) -> None:
        """Delete a user for good, as another client of the API does."""
        headers = {"apikey": NO_KEY, "Content-Type": "application/json", "Accept": "application/json"}
        body = json.dumps({"permanent": True}).encode()
        request = urllib.request.Request(f"{self.api.url}/users/{uid}", body, headers, method="DELETE")
        with urllib.request.urlopen(request):
            pass

    def _carry_out(self, kind: Kind, expected: Expected, grace: int) -> list[Session]:
        """Run the command as often as the night takes."""
        options = ["--deactivate-leavers", "--grace-nights", str(grace)]
        # Who is held back on some nights leaves with the others on one night: so many are no broken export.
        options += ["--max-deactivations", "25%"] if self.options.leave > LEAVE else []
        match kind:
            case Kind.ADOPT:
                return [self._sync("--adopt", *options)]
            case Kind.OTHER_HAND:
                return [self._sync("--refresh", *options)]
            case Kind.FAULTS:
                with self._faults():
                    return [self._sync(*options, config=self._config(_WIDE_OPEN, 64, _QUICK))]
            case Kind.KILLED:
                killed = [self._killed(expected, options) for _ in range(self.options.kills)]
                return [*killed, self._sync(*options)]
            case Kind.KILLED_AMONG_FAULTS:
                with self._faults():
                    killed = [self._killed(expected, options, _QUICK) for _ in range(self.options.kills)]
                    return [*killed, self._sync(*options, config=self._config(_WIDE_OPEN, 64, _QUICK))]
            case Kind.CUT_SHORT:
                limit = self.options.duration
                config = self._config(_lasting(expected, 4 * limit), FEW)
                return [self._sync("--max-duration", f"{limit}s", *options, config=config), self._sync(*options)]
            case Kind.PLANNED:
                planned = [*self._command("plan", "roster.csv"), "-o", "plan.json", "--state", "hr.state.db", *options]
                return [self._run("plan", planned), self._run("sync", self._command("sync", "plan.json"))]
        return [self._sync(*options)]

    def _sync(self, *options: str, config: str | None = None) -> Session:
        return self._run("sync", [*self._command("sync", "roster.csv", config), "--state", "hr.state.db", *options])

    def _command(self, verb: str, roster: str, config: str | None = None) -> list[str]:
        results = [] if verb == "plan" else ["-o", "results.csv"]
        told = ["--base-url", self.api.url, "-c", config or self._config(_WIDE_OPEN, 64), "--json", "--no-progress"]
        return [str(COMMAND), verb, roster, *results, *told]

    def _config(self, rate: int, in_flight: int, more: str = "") -> str:
        """Write a config file and give its name."""
        (self.folder / "night.toml").write_text(_CONFIG.format(rate=rate, in_flight=in_flight) + more)
        return "night.toml"

    def _run(self, verb: str, arguments: list[str]) -> Session:
        begins, settled = len(self.api.audit()) + 1, self._kept().settled
        ended = self.start(arguments, self.folder)
        document = json.loads(ended.stdout) if ended.stdout.startswith("{") else None
        return Session(verb, ended.exit_code, ended.ended - ended.started, document, ended.stderr, begins, settled)

    @contextmanager
    def _faults(self) -> Iterator[None]:
        self.api.put("faults", json.dumps(hostility("all", _FAULT_RATE, ()).plan(None, 1)))
        try:
            yield
        finally:
            self.api.put("faults", "{}")

    def _killed(self, expected: Expected, options: list[str], more: str = "") -> Session:
        """Kill the command when its part of the night's requests has arrived. Raises BenchmarkError if it is over."""
        config = self._config(_lasting(expected, _KILLED_SECONDS), FEW, more)
        command = [*self._command("sync", "roster.csv", config), "--state", "hr.state.db", *options]
        begins, settled = len(self.api.audit()) + 1, self._kept().settled
        enough = max(1, expected.requests // (self.options.kills + 1))
        place, file, began = self.api.place(), self.folder / "audit.ndjson", time.monotonic()
        with Victim(command, self.folder / "results.csv", self.api) as victim:
            if not victim.comes_to(lambda: _lines_since(file, place) >= enough):
                raise BenchmarkError("the night was over before it could be killed: more people or more changes")
            victim.kill()
            code = victim.end()
            _, told = victim.output()
        return Session("sync", code, time.monotonic() - began, None, told, begins, settled)

    def _kept(self) -> Kept:
        state = self.folder / "hr.state.db"
        return kept(state) if state.exists() else Kept(frozenset(), {})


_NOBODY: Final = Known(Profile(""), active=False)


def _gone(known: Known) -> int | None:
    return None if known.active else int(time.time())


def _lasting(expected: Expected, seconds: float) -> int:
    """Give the requests a minute at which a night's changes take so long."""
    return max(60, round(expected.requests * 60 / seconds))


def _in_doubt(expected: Expected) -> int:
    """How many changes a kill can leave in doubt: those on the wire, and two blocks of those recorded as sent.

    A block is half a second's worth, and 16 at least.
    """
    return FEW + 2 * max(16, _lasting(expected, _KILLED_SECONDS) // 120)


def _lines_since(file: Path, place: int) -> int:
    with file.open("rb") as opened:
        opened.seek(place)
        return opened.read().count(b"\n")


@contextmanager
def simulation(options: Options, folder: Path, start: Start = run) -> Iterator[Simulation]:
    """Give a simulation in an empty folder, its emulator running as long as the block lasts."""
    limits = ["--core-limit", str(2 * _WIDE_OPEN), "--standard-limit", str(2 * _WIDE_OPEN)]
    more = ["--role", ROLE, "--seed", str(options.seed), "--latency", _LATENCY]
    with emulator(folder / "audit.ndjson", *limits, *more) as api:
        yield Simulation(options, folder, api, start)

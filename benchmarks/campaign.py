"""The crash campaign: one roster, one journal, one emulator, many runs that are killed, and one that ends.

The command is the real one, a process of its own; so is the emulator, which lives through all of it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import urllib.request
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from csv import DictReader
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from random import Random
from typing import Any, Final

from benchmarks.harness import COMMAND, NO_KEY, BenchmarkError
from benchmarks.ledger import Ledger
from benchmarks.scenario import hostility, population, users_before, write_roster
from benchmarks.verdict import Evidence, Run
from provisioner.emulator.faults import Fault

# Everything quick, so that many faults and many kills fit into a few minutes.
CONFIG: Final = """\
[api]
connect_timeout = 2.0
read_timeout = 0.5
total_timeout = 0.5
[retry]
max_attempts = 8
backoff_base = 0.02
backoff_max = 0.2
pause_max = 0.3
unreachable_after = 30.0
"""

# The summary's word for what a run-level fault does.
_REASONS: Final = {Fault.REVOKE_KEY: "key", Fault.QUOTA_REACHED: "plan"}

_LOOK_SECONDS: Final = 0.002
_LATE_SECONDS: Final = 5.0


class Aim(StrEnum):
    """At what a kill is aimed; what it hit is another matter."""

    ANYWHERE = "anywhere"
    SENDING = "sending"
    STOPPING = "stopping"  # after a SIGINT
    WRITING = "writing"  # after a SIGINT, when the results are being written


_AIMS: Final[Mapping[Aim, float]] = {Aim.ANYWHERE: 0.35, Aim.SENDING: 0.45, Aim.STOPPING: 0.1, Aim.WRITING: 0.1}
_AIMS_WHEN_THROUGH: Final[Mapping[Aim, float]] = {Aim.ANYWHERE: 0.6, Aim.WRITING: 0.4}


@dataclass(frozen=True, slots=True)
class Options:
    """One campaign. Times are in seconds; `rate` is the share of requests that a fault strikes."""

    rows: int = 3000
    kills: int = 200
    seed: int = 1
    faults: str = "all"
    rate: float = 0.1
    latency: float = 0.005
    jitter: float = 0.06
    clock_skew: float = 180.0
    auth_tokens: str = "created"
    on_existing: str = "skip"
    per_minute: int = 9000


class Api:
    """The emulator, behind the API's back."""

    def __init__(self, url: str, audit: Path) -> None:
        self.url = url
        self._root = url.removesuffix("/v3")
        self._audit = audit

    def put(self, what: str, body: str) -> None:
        """Set `users` down, or put `faults` in force."""
        request = urllib.request.Request(f"{self._root}/_emulator/{what}", body.encode(), method="POST")
        with urllib.request.urlopen(request):
            pass

    def users(self) -> dict[str, dict[str, Any]]:
        """Give all users by uid, with their tokens."""
        with urllib.request.urlopen(f"{self._root}/_emulator/users") as answer:
            return {user["uid"]: user for user in map(json.loads, answer.read().splitlines())}

    def arrived(self) -> int:
        """Give a number that grows when a request takes effect."""
        return self._audit.stat().st_size

    def audit(self) -> list[dict[str, Any]]:
        """Give all records in order of arrival, when those that take effect late have done so."""
        deadline = time.monotonic() + _LATE_SECONDS
        while True:
            records = [json.loads(line) for line in self._audit.read_bytes().splitlines()]
            records.sort(key=lambda record: record["seq"])
            if not records or records[-1]["seq"] == len(records) or time.monotonic() > deadline:
                return records
            time.sleep(0.1)


@contextmanager
def emulator(options: Options, folder: Path) -> Iterator[Api]:
    """Run an emulator as a process of its own for as long as the block lasts."""
    audit = folder / "audit.ndjson"
    arguments = [
        *("--port", "0", "--audit", audit, "--seed", options.seed, f"--clock-skew={options.clock_skew}s"),
        *("--latency", f"{options.latency}s", "--latency-jitter", f"{options.jitter}s"),
        *("--core-limit", options.per_minute, "--standard-limit", 2 * options.per_minute),
    ]
    with subprocess.Popen(
        [str(COMMAND), "emulator", *map(str, arguments)],
        env=os.environ | {"EMULATOR_API_KEY": NO_KEY},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line.startswith("listening on "):
                raise BenchmarkError("the emulator did not start")
            yield Api(line.removeprefix("listening on ").strip(), audit)
        finally:
            process.terminate()


class Campaign:
    """One roster, one journal, one emulator, many runs."""

    def __init__(self, options: Options, folder: Path, api: Api) -> None:
        self.options, self.folder, self.api = options, folder, api
        self.random = Random(options.seed)
        self.people = population(options.rows, self.random)
        self.valid = sum(person.kind.valid for person in self.people)
        self.before = {user["uid"]: user for user in users_before(self.people, options.clock_skew, self.random)}
        self.ledger = Ledger()
        self.runs: list[Run] = []
        self._hostility = hostility(options.faults, options.rate, self.people)
        self._ambushes = deque(self._hostility.ambushes)
        self._start_up = 1.0  # seconds from the start of a run to its first request
        self._results = folder / "results.csv"

    @property
    def kills(self) -> int:
        """How many runs have been killed so far."""
        return sum(run.phase is not None for run in self.runs)

    @property
    def through(self) -> bool:
        """Whether the last run that ended by itself left nothing to do."""
        last = next((run.summary for run in reversed(self.runs) if run.summary), None)
        return last is not None and last["exit_code"] in {0, 1} and not last["failed"]

    def conduct(self) -> Evidence:
        """Run, kill and run again until there were kills enough and nothing is left to do."""
        write_roster(self.folder / "roster.csv", self.people)
        (self.folder / "quick.toml").write_text(CONFIG)
        self.api.put("users", "\n".join(map(json.dumps, self.before.values())))
        self._lie_in_wait()
        # Bounded: what does not come to an end is a finding, too.
        while len(self.runs) < 2 * self.options.kills + 20:
            killing = self.kills < self.options.kills
            if self.through and not killing and self.runs[-1].phase is None:
                break
            self._once(self._aim() if killing else None)
        return self._evidence()

    def _aim(self) -> Aim:
        aims = _AIMS_WHEN_THROUGH if self.through else _AIMS
        return self.random.choices(list(aims), list(aims.values()))[0]

    def _once(self, aim: Aim | None) -> None:
        """One run: start it, kill it if it is to be killed, and note what came of it."""
        ambush = _REASONS[self._ambushes[0]] if self._ambushes else None
        before, started = self.api.arrived(), time.monotonic()
        with (self.folder / "run.out").open("w+") as out, (self.folder / "run.err").open("w+") as err:
            process = subprocess.Popen(self._command(), cwd=self.folder, env=_environment(), stdout=out, stderr=err)
            try:
                if aim is not None and self._wait(process, aim, before):
                    process.kill()
                process.wait(120)
            finally:
                process.kill()
                process.wait()
            ended = time.monotonic()
            out.seek(0)
            err.seek(0)
            said, words = out.read(), err.read()[-500:]
        phase = self._phase(process.pid, before) if process.returncode == -signal.SIGKILL else None
        summary = json.loads(said) if said.endswith("}\n") and phase is None else None
        self.runs.append(Run(started, ended, process.returncode, phase, ambush, summary, words))
        self.ledger.take(self._results.with_suffix(".journal.db"), time.monotonic())
        if self._ambushes and summary and summary["stopped_by"] == ambush:
            self._ambushes.popleft()
            self._lie_in_wait()

    def _command(self) -> list[str]:
        options = self.options
        return [
            *(str(COMMAND), "run", "roster.csv", "--base-url", self.api.url, "-o", self._results.name, "--json"),
            *("-c", "quick.toml", "--requests-per-minute", str(options.per_minute), "--share", "100%"),
            *("--max-failures", "50%", "--auth-tokens", options.auth_tokens, "--on-existing", options.on_existing),
            "--no-progress",
        ]

    def _wait(self, process: subprocess.Popen[bytes], aim: Aim, before: int) -> bool:
        """Return at the instant to kill; False when the process has ended before it."""
        random, dwell = self.random, self._dwell()
        if aim is Aim.ANYWHERE:
            return _passes(process, random.uniform(0, self._start_up + dwell))
        if not self.through:
            started = time.monotonic()
            if not _comes(process, lambda: self.api.arrived() > before):
                return False
            self._start_up += (time.monotonic() - started - self._start_up) / 4
            if not _passes(process, random.uniform(0, 2 * dwell)):
                return False
            if aim is Aim.SENDING:
                return True
            process.send_signal(signal.SIGINT)
        if aim is Aim.WRITING:
            return _comes(process, lambda: self._part(process.pid)) and _passes(process, random.uniform(0, 0.02))
        return _passes(process, random.uniform(0, 0.3))

    def _dwell(self) -> float:
        """Seconds of sending for a kill, so that rows and kills run out together; a tenth is left for the end."""
        left = max(1.0, 0.9 * self.options.kills - self.kills)
        return min(2.0, max(0.05, 1.5 * (self.valid - len(self.ledger.first)) * 60 / self.options.per_minute / left))

    def _part(self, pid: int) -> bool:
        return any(self.folder.glob(f".*.{pid}.part"))

    def _phase(self, pid: int, before: int) -> str:
        """Tell from what a killed run has left behind how far it had come."""
        lock = self._results.with_suffix(".journal.db.lock")
        if self._part(pid):
            return "writing"
        if self.api.arrived() > before:
            return "sending"
        return "reading" if lock.exists() and f"process {pid} " in lock.read_text() else "starting"

    def _lie_in_wait(self) -> None:
        """Put the faults in force, the next ambush with them: somewhere in its part of the rows that are left."""
        ambush = self._ambushes[0] if self._ambushes else None
        left = (self.valid - len(self.ledger.first)) / max(1, len(self._ambushes))
        nth = max(1, int(left * self.random.uniform(0.3, 0.9)))
        self.api.put("faults", json.dumps(self._hostility.plan(ambush, nth)))

    def _evidence(self) -> Evidence:
        audit = self.api.audit()
        results: list[dict[str, str]] = []
        if self._results.exists():
            with self._results.open(newline="", encoding="utf-8") as file:
                results = list(DictReader(file))
        rates = {"core": self.options.per_minute, "standard": 20_000}
        return Evidence(
            people=self.people,
            auth_tokens=self.options.auth_tokens,
            on_existing=self.options.on_existing,
            results=results,
            runs=self.runs,
            before=self.before,
            users=self.api.users(),
            audit=audit,
            ledger=self.ledger,
            rates=rates,
        )


def _passes(process: subprocess.Popen[bytes], time_: float) -> bool:
    try:
        process.wait(time_)
    except subprocess.TimeoutExpired:
        return True
    return False


def _comes(process: subprocess.Popen[bytes], condition: Callable[[], bool]) -> bool:
    while process.poll() is None:
        if condition():
            return True
        time.sleep(_LOOK_SECONDS)
    return False


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COMETCHAT_")}
    return kept | {"COMETCHAT_API_KEY": NO_KEY}

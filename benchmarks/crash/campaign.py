"""The crash campaign: one roster, one journal, one emulator, many runs that are killed, and one that ends.

The command is the real one, a process of its own; so is the emulator, which lives through all of it.
"""

from __future__ import annotations

import json
import signal
import sys
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from random import Random
from typing import Final

from benchmarks.crash.ledger import Ledger
from benchmarks.crash.scenario import ROLE, edited, hostility, population, users_before, write_roster
from benchmarks.crash.verdict import Evidence, Run
from benchmarks.rig.backstage import Api
from benchmarks.rig.harness import lines_of
from benchmarks.rig.victim import Victim
from provisioner.emulator.app.faults import Fault

# Everything quick, so that many faults and many kills fit into a few minutes; but patient enough for a machine that is
# busy, where half a second for an answer was seen to leave rows in doubt eight times in a row.
CONFIG: Final = """\
[api]
connect_timeout = 2.0
read_timeout = 1.5
total_timeout = 1.5
[retry]
max_attempts = 8
backoff_base = 0.02
backoff_max = 0.2
pause_max = 0.3
unreachable_after = 30.0
"""

# The summary's word for what a run-level fault does.
_REASONS: Final = {Fault.REVOKE_KEY: "key", Fault.QUOTA_REACHED: "plan"}

# Rows are recorded as sent up to one and a half seconds ahead: only a run that sends for longer has rows on the wire
# that no earlier run had recorded. This part of the runs does.
_LONG: Final = 0.15

# Seconds by which the clock of the machine is ahead, another one in each life: it is put right, or another one goes on.
CLOCKS: Final = (0, 0, 1, -1, 2, -2, 120, -120, 3600, -3600)

STANDARD_PER_MINUTE: Final = 20_000
"""The command's own default for reads and updates."""


class Aim(StrEnum):
    """At what a kill is aimed; what it hit is another matter."""

    ANYWHERE = "anywhere"
    READING = "reading"
    SENDING = "sending"
    STOPPING = "stopping"  # after a signal that it can answer
    WRITING = "writing"  # the same, when the results are being written


_AIMS: Final[Mapping[Aim, float]] = {
    Aim.ANYWHERE: 0.3,
    Aim.READING: 0.1,
    Aim.SENDING: 0.4,
    Aim.STOPPING: 0.1,
    Aim.WRITING: 0.1,
}
_AIMS_WHEN_THROUGH: Final[Mapping[Aim, float]] = {Aim.ANYWHERE: 0.4, Aim.READING: 0.2, Aim.WRITING: 0.4}


@dataclass(frozen=True, slots=True)
class Options:
    """One campaign. Times are in seconds.

    rate   share of the requests that a fault strikes
    edits  how often the roster is edited between two runs
    disabled  share of the rows whose accounts are
    """

    rows: int = 3000
    kills: int = 200
    edits: int = 8
    seed: int = 1
    faults: str = "all"
    rate: float = 0.1
    latency: float = 0.005
    jitter: float = 0.12
    clock_skew: float = 180.0
    auth_tokens: str = "created"
    on_existing: str = "skip"
    per_minute: int = 5000
    disabled: float = 0.0

    def of_emulator(self) -> list[str]:
        """Give the emulator's options."""
        return [
            *("--seed", str(self.seed), "--role", ROLE, f"--clock-skew={self.clock_skew}s"),
            *("--latency", f"{self.latency}s", "--latency-jitter", f"{self.jitter}s"),
            *("--core-limit", str(self.per_minute), "--standard-limit", str(STANDARD_PER_MINUTE)),
        ]


class Campaign:
    """One roster, one journal, one emulator, many runs."""

    def __init__(self, options: Options, folder: Path, api: Api) -> None:
        self.options, self.folder, self.api = options, folder, api
        self.random = Random(options.seed)
        self.people = population(options.rows, self.random, options.disabled)
        self.valid = sum(person.kind.valid for person in self.people)
        self.before = {user["uid"]: user for user in users_before(self.people, options.clock_skew, self.random)}
        self.ledger = Ledger()
        self.runs: list[Run] = []
        self._edited_at = 0
        self._hostility = hostility(options.faults, options.rate, self.people)
        self._ambushes = deque(self._hostility.ambushes)
        self._start_up = 1.0  # seconds from the start of a run to its first request
        self._roster, self._results = folder / "roster.csv", folder / "results.csv"
        self._edits = deque(options.kills * n // (options.edits + 1) for n in range(1, options.edits + 1))

    @property
    def kills(self) -> int:
        """How many runs have been killed so far."""
        return sum(run.phase is not None for run in self.runs)

    @property
    def through(self) -> bool:
        """Whether the last run that ended by itself left nothing to do; an edit makes work."""
        last = next((run.summary for run in reversed(self.runs[self._edited_at :]) if run.summary), None)
        return last is not None and last["exit_code"] in {0, 1} and not last["failed"]

    def conduct(self) -> Evidence:
        """Run, kill and run again until there were kills enough and nothing is left to do."""
        write_roster(self._roster, self.people)
        mapped = '[columns]\ndeactivated = "left"\n' if self.options.disabled else ""
        (self.folder / "quick.toml").write_text(CONFIG + mapped)
        self.api.put("users", "\n".join(map(json.dumps, self.before.values())))
        self._lie_in_wait()
        # Bounded: what does not come to an end is a finding, too.
        while len(self.runs) < 2 * self.options.kills + 20:
            killing = self.kills < self.options.kills
            if self.through and not killing and self.runs[-1].phase is None:
                break
            if self._edits and self.kills >= self._edits[0]:
                self._edits.popleft()
                self._edit()
            self._once(self._aim() if killing else None)
        return self._evidence()

    def _edit(self) -> None:
        """Edit the roster: what was settled of the rows it touches is open again."""
        before, self.people = self.people, edited(self.people, self.random, self.options.disabled)
        pairs = [(old, new) for old, new in zip(before, self.people, strict=True) if old != new]
        self.ledger.reopen(
            {new.uid for _, new in pairs}, turned={new.uid for old, new in pairs if old.left is not new.left}
        )
        self._edited_at = len(self.runs)
        write_roster(self._roster, self.people)

    def _aim(self) -> Aim:
        aims = _AIMS_WHEN_THROUGH if self.through else _AIMS
        return self.random.choices(list(aims), list(aims.values()))[0]

    def _once(self, aim: Aim | None) -> None:
        """One run: start it, kill it if it is to be killed, and note what came of it."""
        ambush = _REASONS[self._ambushes[0]] if self._ambushes else None
        with Victim(self._command(), self._results, self.api) as victim:
            if aim is not None and self._wait(victim, aim):
                victim.kill()
            exit_code, ended = victim.end(), time.monotonic()
            phase = victim.phase() if exit_code == -signal.SIGKILL else None
            said, told = victim.output()
        summary = json.loads(said) if phase is None and said.endswith("}\n") else None
        self.runs.append(
            Run(victim.started, ended, exit_code, phase, ambush, summary, told, interrupted=victim.interrupted)
        )
        self.ledger.take(self._results.with_suffix(".journal.db"), time.monotonic())
        if self._ambushes and summary and summary["stopped_by"] == ambush:
            self._ambushes.popleft()
            self._lie_in_wait()

    def _command(self) -> list[str]:
        options = self.options
        return [
            *(sys.executable, "-m", "benchmarks.rig.elsewhen", str(self.random.choice(CLOCKS))),
            *("run", self._roster.name, "--base-url", self.api.url, "-o", self._results.name, "--json"),
            *("-c", "quick.toml", "--requests-per-minute", str(options.per_minute), "--share", "100%"),
            *("--max-failures", "50%", "--auth-tokens", options.auth_tokens, "--on-existing", options.on_existing),
            "--no-progress",
        ]

    def _wait(self, victim: Victim, aim: Aim) -> bool:
        """Return at the instant to kill; False when the run has ended before it."""
        random, dwell = self.random, self._dwell()
        if aim is Aim.ANYWHERE:
            return victim.passes(random.uniform(0, self._start_up + dwell))
        if aim is Aim.READING:
            return victim.comes_to(victim.reading) and victim.passes(random.uniform(0, 0.1))
        if not self.through:
            if not victim.comes_to(victim.sending):
                return False
            self._start_up += (time.monotonic() - victim.started - self._start_up) / 4
            if not victim.passes(random.uniform(1.0, 2.5) if random.random() < _LONG else random.uniform(0, 2 * dwell)):
                return False
            if aim is Aim.SENDING:
                return True
            victim.interrupt(random.choice((signal.SIGINT, signal.SIGTERM)))
        if aim is Aim.WRITING:
            return victim.comes_to(victim.writing) and victim.passes(random.uniform(0, 0.01))
        return victim.passes(random.uniform(0, 0.3))

    def _dwell(self) -> float:
        """Seconds of sending for a kill, so that rows and kills run out together; a tenth is left for the end."""
        left = max(1.0, 0.9 * self.options.kills - self.kills)
        return min(2.0, max(0.05, 1.5 * (self.valid - len(self.ledger.first)) * 60 / self.options.per_minute / left))

    def _lie_in_wait(self) -> None:
        """Put the faults in force, the next ambush with them: somewhere in its part of the rows that are left."""
        ambush = self._ambushes[0] if self._ambushes else None
        left = (self.valid - len(self.ledger.first)) / max(1, len(self._ambushes))
        nth = max(1, int(left * self.random.uniform(0.3, 0.9)))
        self.api.put("faults", json.dumps(self._hostility.plan(ambush, nth)))

    def _evidence(self) -> Evidence:
        audit = self.api.audit()
        rates = {"core": self.options.per_minute, "standard": STANDARD_PER_MINUTE}
        return Evidence(
            people=self.people,
            auth_tokens=self.options.auth_tokens,
            on_existing=self.options.on_existing,
            results=lines_of(self._results),
            runs=self.runs,
            before=self.before,
            users=self.api.users(),
            audit=audit,
            ledger=self.ledger,
            rates=rates,
            left_behind=sorted(path.name for path in self.folder.glob(".*.part")),
        )

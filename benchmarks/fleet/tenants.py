"""Do tenants of a fleet notice each other? `python -m benchmarks.fleet.tenants --tenants 20 --seconds 45`.

Each tenant has an app of its own (a sink) and a roster that takes so many seconds at its rate. Beside them stand three
in trouble: one with a wrong key, one whose API takes 5 s for an answer, one whose API answers 429 to all but one
request a minute. Judged by what arrived: every healthy tenant has all its users, at 99 % of its rate from the first to
the last, never more than the rate in any 60 s; the wrong key ends with 4; and the CPU of the fleet and all jobs is told
for each request. Exit code 1 when one of these does not hold.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.rig.backstage import emulator
from benchmarks.rig.harness import COMMAND, NO_KEY, lines_of, read_arrivals, running_sink, running_sinks
from benchmarks.rig.make_roster import write_roster
from provisioner.emulator.app.audit import busiest

_LEAST: Final = 0.99
_SLOW: Final = 5.0
_TROUBLED: Final = ("wrong-key", "slow", "limited")


@dataclass(frozen=True, slots=True)
class Tenant:
    """What arrived for a tenant: users, at how many a minute from the first to the last, at most in any 60 s."""

    name: str
    users: int
    per_minute: float
    worst_minute: int

    @classmethod
    def of(cls, name: str, arrivals: Sequence[float]) -> Tenant:
        """Judge by when each user arrived (seconds)."""
        seconds = arrivals[-1] - arrivals[0] if len(arrivals) > 1 else 0.0
        rate = (len(arrivals) - 1) * 60 / seconds if seconds else 0.0
        return cls(name, len(arrivals), rate, busiest(arrivals, 60))

    def faults(self, rows: int, rate: int) -> Iterator[str]:
        """Say what is not as it should be."""
        if self.users != rows:
            yield f"{self.name}: {self.users} users of {rows} rows"
        if self.per_minute < _LEAST * rate:
            yield f"{self.name}: {self.per_minute:,.0f} a minute of {rate:,}"
        if self.worst_minute > rate:
            yield f"{self.name}: {self.worst_minute:,} in a minute, of {rate:,}"


@dataclass(frozen=True, slots=True)
class Measured:
    """One fleet: its healthy tenants, what the wrong key ended with, CPU seconds of the fleet and all its jobs."""

    tenants: tuple[Tenant, ...]
    wrong_key: int | None
    seconds: float
    cpu: float


def _job(name: str, url: str, key: str) -> str:
    return f'[[job]]\nname = "{name}"\nroster = "r.csv"\nbase_url = "{url}"\napi_key_file = "{key}"\n'


def measure(folder: Path, tenants: int, rows: int, rate: int, *, troubled: bool) -> Measured:
    """Carry out a fleet until its healthy tenants have ended, then stop what is left of it."""
    write_roster(folder / "r.csv", rows, seed=1, form="csv")
    (folder / "key").write_text(NO_KEY)
    (folder / "wrong").write_text(NO_KEY[::-1])
    (folder / "provisioner.toml").write_text(f"[rate]\nrequests_per_minute = {rate}\nshare = 1.0\n")
    names = [f"tenant-{n:02}" for n in range(1, tenants + 1)]
    with ExitStack() as stack:
        for name in names:
            (folder / name).mkdir()
        # In one process: there each would wake up for every request, on the cores that the jobs have.
        sinks = stack.enter_context(running_sinks([folder / name for name in names]))
        jobs = [_job(name, sink.url, "key") for name, sink in zip(names, sinks, strict=True)]
        if troubled:
            (folder / "slow").mkdir()
            strict = stack.enter_context(emulator(folder / "strict"))
            slow = stack.enter_context(running_sink(folder / "slow", _SLOW))
            limited = stack.enter_context(emulator(folder / "limited", "--core-limit", "1", "--standard-limit", "1"))
            urls = zip(_TROUBLED, (strict.url, slow.url, limited.url), ("wrong", "key", "key"), strict=True)
            jobs = [_job(*each) for each in urls] + jobs
        (folder / "f.toml").write_text("\n".join(jobs))
        began = time.monotonic()
        ended, cpu = _carried_out(folder, names, len(jobs), rows * 60 / rate * 4 + 60)
        seconds = ended - began
    arrived = [Tenant.of(name, read_arrivals(sink.arrivals)) for name, sink in zip(names, sinks, strict=True)]
    summary = json.loads((folder / "f.fleet" / "summary.json").read_bytes())
    codes = {job["name"]: job["exit_code"] for job in summary["jobs"]}
    _check_results(folder, names, rows)
    return Measured(tuple(arrived), codes.get("wrong-key"), seconds, cpu)


def _carried_out(folder: Path, names: Iterable[str], at_once: int, patience: float) -> tuple[float, float]:
    """Run the fleet until the healthy have ended: when that was (monotonic seconds), and the CPU of all of it."""
    summaries = [folder / "f.fleet" / f"{name}.results.summary.json" for name in names]
    with (folder / "log").open("wb") as log:
        fleet = subprocess.Popen(
            [str(COMMAND), "fleet", "f.toml", "--jobs", str(at_once)], cwd=folder, stdout=log, stderr=log
        )
        deadline = time.monotonic() + patience
        while not all(each.exists() for each in summaries) and time.monotonic() < deadline:
            time.sleep(0.2)
        ended = time.monotonic()
        fleet.send_signal(signal.SIGTERM)
        _, status, used = os.wait4(fleet.pid, 0)
        fleet.returncode = os.waitstatus_to_exitcode(status)
    return ended, used.ru_utime + used.ru_stime


def _check_results(folder: Path, names: Iterable[str], rows: int) -> None:
    """Raise AssertionError unless every healthy tenant has a line `created` with a token for each row."""
    for name in names:
        lines = lines_of(folder / "f.fleet" / f"{name}.results.csv")
        good = sum(line["outcome"] == "created" and line["auth_token"] != "" for line in lines)
        if good != rows:
            raise AssertionError(f"{name}: {good} created with a token, of {rows}")


def main() -> None:
    """Measure once, judge, and print what was seen."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("tenants", 20), ("rate", 10_000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--seconds", type=float, default=45.0, help="that a roster takes at its rate")
    parser.add_argument("--alone", action="store_true", help="without the three in trouble")
    asked = parser.parse_args()
    rows = int(asked.rate * asked.seconds / 60)
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder), asked.tenants, rows, asked.rate, troubled=not asked.alone)
    faults = [fault for each in found.tenants for fault in each.faults(rows, asked.rate)]
    if not asked.alone and found.wrong_key != 4:
        faults.append(f"the wrong key ended with {found.wrong_key}")
    rates = sorted(each.per_minute / asked.rate for each in found.tenants)
    users = sum(each.users for each in found.tenants)
    print(json.dumps({
        "tenants": asked.tenants, "rows": rows, "rate": asked.rate, "troubled": not asked.alone,
        "slowest": round(rates[0], 4), "median": round(rates[len(rates) // 2], 4), "fastest": round(rates[-1], 4),
        "worst_minute": max(each.worst_minute for each in found.tenants), "seconds": round(found.seconds, 1),
        "cpu_seconds": round(found.cpu, 1), "cpu_us_a_request": round(found.cpu * 1e6 / users) if users else None,
        "cores": round(found.cpu / found.seconds, 2), "load": [round(each, 1) for each in os.getloadavg()],
        "faults": len(faults),
    }), *faults[:10], sep="\n")  # fmt: skip
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()

"""How long does a finished job take when it is run again? `python -m benchmarks.speed.resume [--rows 1000000]`.

Makes the journal of a finished job, through the code that would have made it; then, in each round, validates the roster
and runs the real command over it twice, with an API root where nobody listens: every row is settled and unchanged, so
there is nothing to send. The first of the two looks at every row, because what the journal keeps of the last end is
taken away before; the second knows by digests that nothing has changed. Exit code, summary and results are checked.

Likewise two nights of a sync, whose state is that journal after one night without a change.
"""

from __future__ import annotations

import argparse
import json
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

from benchmarks.rig.footprint import COSTS, Cost, Footprint
from benchmarks.rig.harness import COMMAND, BenchmarkError, command, require, run, validate
from benchmarks.rig.make_roster import Format, write_roster
from benchmarks.rig.medians import Line, table
from provisioner.journal.header import Identity
from provisioner.journal.journal import Journal
from provisioner.journal.state.syncstate import SyncState
from provisioner.model import AuthTokens, Outcome, Settlement, State, UserRequest
from provisioner.roster.reader import open_roster
from provisioner.run.admission import admit
from provisioner.sending.life.steps import Policy
from provisioner.validation.constraints import Constraints
from provisioner.validation.fields.binding import bind
from provisioner.validation.survey import survey
from provisioner.validation.validator import Validator

_RATE: Final = 10_000
_IN_FLIGHT: Final = 64


@dataclass(frozen=True, slots=True)
class Round:
    """What each took: a check of the roster, a run that looks at every row, and one that knows that nothing changed.

    night_by_rows, night_by_digest  the same of two nights
    """

    validate: Cost
    by_rows: Cost
    by_digest: Cost
    night_by_rows: Cost
    night_by_digest: Cost


TABLE: Final[tuple[Line[Round], ...]] = (
    Line("validate, CPU", "s", 2, lambda each: each.validate.cpu_seconds),
    Line("again, by its rows, CPU", "s", 2, lambda each: each.by_rows.cpu_seconds),
    Line("again, by its digest, CPU", "s", 2, lambda each: each.by_digest.cpu_seconds),
    Line("by its rows / validate, CPU", "x", 2, lambda each: _ratio(each.by_rows, each.validate)),
    Line("  by the clock", "x", 2, lambda each: each.by_rows.seconds / each.validate.seconds),
    Line("by its digest / validate, CPU", "x", 2, lambda each: _ratio(each.by_digest, each.validate)),
    Line("  by the clock", "x", 2, lambda each: each.by_digest.seconds / each.validate.seconds),
    Line("a night, by its rows / validate, CPU", "x", 2, lambda each: _ratio(each.night_by_rows, each.validate)),
    Line("a night, by its digest / validate, CPU", "x", 2, lambda each: _ratio(each.night_by_digest, each.validate)),
)


def _ratio(one: Cost, other: Cost) -> float:
    return one.cpu_seconds / other.cpu_seconds


@contextmanager
def nobody_listening() -> Iterator[str]:
    """Hold a port at which every connection is refused; gives an API root there."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}/v3"


def finish(roster: Path, results: Path, base_url: str) -> int:
    """Make the journal of a job in which every row was created; gives the number of users."""
    opened = open_roster(roster)
    binding = bind(opened.schema)
    known = survey(opened, binding, roster.parent)
    validator = Validator(binding, Constraints(), known, auth_tokens=AuthTokens.CREATED)
    users = 0
    with Journal(results.with_suffix(".journal.db"), Identity("", base_url)) as journal:
        for batch in opened.batches():
            for admitted in admit(validator.check(batch).valid, journal, Policy()):
                now = time.time()
                journal.sent(admitted.requests, now)
                journal.settle(created(request, now) for request in admitted.requests)
                users += len(admitted.requests)
    return users


def created(request: UserRequest, now: float) -> Settlement:
    """Say that a request made a user, with a token of the API's form."""
    token = f"{request.uid}_{now:.0f}{request.body_hash}{request.body_hash[:14]}"
    return Settlement(
        request.key,
        State.SETTLED,
        Outcome.CREATED,
        attempts=1,
        http_status=200,
        auth_token=token,
        created_at=int(now),
        settled_at=now,
    )


def resume(roster: Path, results: Path, base_url: str, rows: int) -> Cost:
    """Run the real command over the finished job. Raises BenchmarkError unless all is as it should be."""
    memory = Footprint()
    told = command(roster, base_url, results, requests_per_minute=_RATE, in_flight=_IN_FLIGHT)
    done = require(run([*told, "--json"], roster.parent, watch=memory.watch), exit_code=0)
    summary: dict[str, Any] = json.loads(done.stdout)
    found = {key: summary[key] for key in ("rows", "created", "tokens", "requests")}
    if found != {"rows": rows, "created": rows, "tokens": rows, "requests": 0}:
        raise BenchmarkError(f"the summary tells {found} of {rows} rows")
    lines = pl.scan_csv(results, infer_schema=False)
    settled = lines.filter(outcome="created").select(pl.col("auth_token").n_unique()).collect().item()
    if settled != rows:
        raise BenchmarkError(f"{settled} tokens of created users in the results of {rows} rows")
    return Cost.of(done, memory)


def first_night(roster: Path, results: Path, base_url: str, rows: int) -> Path:
    """Make a state of the finished job by a night over it; nothing is to be done in those that follow."""
    state = results.with_name("night.db")
    shutil.copyfile(results.with_suffix(".journal.db"), state)
    spend_night(roster, state, base_url, rows)
    return state


def spend_night(roster: Path, state: Path, base_url: str, rows: int) -> Cost:
    """Carry out a night by the real command, on which nothing is to be done. Raises BenchmarkError for any other."""
    memory = Footprint()
    told = [str(COMMAND), "sync", str(roster), "--state", str(state), "--base-url", base_url, "--yes"]
    told += ["-o", str(state.with_suffix(".csv")), "--json", "--no-progress"]
    done = require(run(told, roster.parent, watch=memory.watch), exit_code=0)
    summary: dict[str, Any] = json.loads(done.stdout)
    found = {key: summary[key] for key in ("rows", "unchanged", "requests")}
    if found != {"rows": rows, "unchanged": rows, "requests": 0}:
        raise BenchmarkError(f"the summary of a night tells {found} of {rows} rows")
    return Cost.of(done, memory)


def forget_night(state: Path, base_url: str) -> None:
    """Take away what the state keeps of how the last night ended."""
    with SyncState(state, Identity("", base_url)) as opened:
        opened.course.keep_ending(None)


def forget(results: Path, base_url: str) -> None:
    """Take away what the journal keeps of how the last run ended."""
    with Journal(results.with_suffix(".journal.db"), Identity("", base_url)) as journal:
        journal.course.keep_ending(None)


def check(roster: Path, rows: int) -> Cost:
    """Check the roster by the real command."""
    memory = Footprint()
    done = validate(roster, watch=memory.watch)
    if (found := json.loads(done.stdout)["rows"]) != rows:
        raise BenchmarkError(f"{found} rows checked of {rows}")
    return Cost.of(done, memory)


def one_round(roster: Path, results: Path, state: Path, base_url: str, rows: int) -> Round:
    """Check the roster, then run the finished job twice, and spend two nights."""
    checked = check(roster, rows)
    forget(results, base_url)
    by_rows, by_digest = (resume(roster, results, base_url, rows) for _ in range(2))
    forget_night(state, base_url)
    nights = (spend_night(roster, state, base_url, rows) for _ in range(2))
    return Round(checked, by_rows, by_digest, *nights)


def measure(rows: int, rounds: int, form: Format) -> list[Round]:
    """Make the finished job, and run it again and again."""
    with tempfile.TemporaryDirectory(prefix="resume-") as name, nobody_listening() as base_url:
        roster = Path(name) / f"roster.{form}"
        results = Path(name) / "results.csv"
        write_roster(roster, rows, form=form)
        started = time.monotonic()
        if (users := finish(roster, results, base_url)) != rows:
            raise BenchmarkError(f"{users} users in the journal of {rows} rows")
        print(f"a journal of {rows:,} users, made in {time.monotonic() - started:.1f} s", file=sys.stderr)
        state = first_night(roster, results, base_url, rows)
        return [one_round(roster, results, state, base_url, rows) for _ in range(rounds)]


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.speed.resume", description="A finished job, run again: nothing is sent."
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--format", choices=("csv", "parquet"), default="csv")
    options = parser.parse_args()
    try:
        rounds = measure(options.rows, options.rounds, options.format)
    except BenchmarkError as error:
        sys.exit(f"benchmarks.speed.resume: {error}")
    print(f"{options.rows:,} rows, all settled, {options.rounds} rounds\n\n{table(TABLE, rounds)}")
    print(f"\nby its rows\n{table(COSTS, [each.by_rows for each in rounds])}")


if __name__ == "__main__":
    main()

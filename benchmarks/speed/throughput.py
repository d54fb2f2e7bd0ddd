"""The real command against the bare loop: `python -m benchmarks.speed.throughput [--rows 50000] [--rounds 5]`.

Each round sends the same roster three times to the same sink: by the bare loop, by `provisioner run` with the
rate wide open, and by `provisioner run` cut down to one row, which is what the command costs to start. Rounds
are interleaved, as the machine's mood lasts longer than one of them, and compared only within the round.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from array import array
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.rig.harness import (
    BenchmarkError,
    Finished,
    RunningSink,
    between,
    command,
    read_arrivals,
    require,
    run,
    running_sink,
)
from benchmarks.rig.make_roster import write_roster
from benchmarks.rig.medians import Line, table

RATE_WIDE_OPEN = 100_000_000  # requests a minute: a hundred times what one core can send


@dataclass(frozen=True, slots=True)
class Round:
    """One round as run: the processes, and what the bare loop and the summary said of themselves.

    `bare_cpu` is the CPU time of sending alone; `whole_run` is requests per second by the command's summary,
    from reading the roster to writing the results.
    """

    bare: Finished
    bare_cpu: float
    full: Finished
    one_row: Finished
    whole_run: float


@dataclass(frozen=True, slots=True)
class Figures:
    """One round as judged. Rates are users per second, from the first to the last to arrive at the sink."""

    bare_rate: float
    rate: float
    whole_run: float
    bare_cpu: float
    cpu: float
    added: float

    @property
    def share(self) -> float:
        """The part of the bare loop's rate that the command reaches."""
        return self.rate / self.bare_rate


TABLE: Final[tuple[Line[Figures], ...]] = (
    Line("bare loop", "users/s", 0, lambda figures: figures.bare_rate),
    Line("command, while sending", "users/s", 0, lambda figures: figures.rate),
    Line("command, whole run", "users/s", 0, lambda figures: figures.whole_run),
    Line("command / bare loop, while sending", "%", 1, lambda figures: 100 * figures.share),
    Line("bare loop", "CPU s/1000", 4, lambda figures: figures.bare_cpu),
    Line("command, less its start", "CPU s/1000", 4, lambda figures: figures.cpu),
    Line("CPU added per row", "µs", 1, lambda figures: figures.added),
)


def one_round(sink: RunningSink, rosters: tuple[Path, Path], folder: Path, in_flight: int) -> Round:
    """Send the roster by the bare loop and by the command, and the one-row roster by the command."""
    roster, one_row = rosters
    bare = require(
        run(
            [
                *(sys.executable, "-m", "benchmarks.speed.bare_loop", "--url", sink.url),
                *("--roster", str(roster), "--in-flight", str(in_flight)),
            ]
        ),
        exit_code=0,
    )
    full, summary = provision(roster, sink, folder, in_flight)
    start, _ = provision(one_row, sink, folder, in_flight)
    return Round(
        bare=bare,
        bare_cpu=json.loads(bare.stdout)["cpu_seconds"],
        full=full,
        one_row=start,
        whole_run=summary["requests"] / summary["elapsed_seconds"],
    )


def provision(roster: Path, sink: RunningSink, folder: Path, in_flight: int) -> tuple[Finished, dict[str, float]]:
    """Let the command send a roster, its rate wide open; gives the process and its summary. Raises BenchmarkError."""
    # A folder of its own: the journal of an earlier round would leave nothing to send.
    output = Path(tempfile.mkdtemp(dir=folder)) / "results.csv"
    arguments = command(roster, sink.url, output, requests_per_minute=RATE_WIDE_OPEN, in_flight=in_flight)
    finished = require(run(arguments, cwd=output.parent), exit_code=0)
    summary: dict[str, float] = json.loads(output.with_suffix(".summary.json").read_text())
    return finished, summary


def judge(done: Round, arrivals: array[float], rows: int) -> Figures:
    """Tell what one round amounts to; every user must have arrived, once."""
    bare, full = (_arrived(arrivals, process, rows) for process in (done.bare, done.full))
    cpu = done.full.cpu - done.one_row.cpu
    return Figures(
        bare_rate=(rows - 1) / (bare[-1] - bare[0]),
        rate=(rows - 1) / (full[-1] - full[0]),
        whole_run=done.whole_run,
        bare_cpu=1000 * done.bare_cpu / rows,
        cpu=1000 * cpu / (rows - 1),
        added=1e6 * (cpu / (rows - 1) - done.bare_cpu / rows),
    )


def _arrived(arrivals: array[float], process: Finished, rows: int) -> array[float]:
    arrived = between(arrivals, process.started, process.ended)
    if len(arrived) != rows:
        raise BenchmarkError(f"{len(arrived)} users arrived where {rows} were sent")
    return arrived


def measure(rows: int, rounds: int, in_flight: int) -> list[Figures]:
    """Run and judge all rounds."""
    with tempfile.TemporaryDirectory(prefix="throughput-") as name:
        folder = Path(name)
        rosters = folder / "roster.parquet", folder / "one.parquet"
        write_roster(rosters[0], rows, form="parquet")
        write_roster(rosters[1], 1, form="parquet")
        with running_sink(folder) as sink:
            done = []
            for number in range(1, rounds + 1):
                print(f"round {number} of {rounds}", file=sys.stderr)
                done.append(one_round(sink, rosters, folder, in_flight))
        arrivals = read_arrivals(sink.arrivals)
        return [judge(each, arrivals, rows) for each in done]


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.speed.throughput", description="The command against the bare aiohttp loop."
    )
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--in-flight", type=int, default=64)
    options = parser.parse_args()
    try:
        rounds = measure(options.rows, options.rounds, options.in_flight)
    except BenchmarkError as error:
        sys.exit(f"benchmarks.speed.throughput: {error}")
    print(f"{options.rows} users a round, {options.rounds} rounds, {options.in_flight} in flight\n")
    print(table(TABLE, rounds))


if __name__ == "__main__":
    main()

"""How fast is a roster validated, and in how much memory? `python -m benchmarks.speed.validation [--rows 1000000]`.

For each size and format: the real `provisioner validate`, its two halves alone, reading alone by polars, and the same
rules in a tight loop of plain Python, each in a process of its own, in interleaved rounds. Every count is checked
against what the generator planned. At the end, on the largest rosters: how long a run takes to its first request.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, get_args

from benchmarks.rig.footprint import Footprint
from benchmarks.rig.harness import BenchmarkError, require, run, validate
from benchmarks.rig.make_roster import DEFECTS, Format
from benchmarks.rig.medians import Line, table
from benchmarks.speed.first_request import seconds_to_first_request

INVALID: Final = "2%"
SOME_REJECTED: Final = 1


@dataclass(frozen=True, slots=True)
class Given:
    """One roster of the benchmark."""

    path: Path
    rows: int

    @property
    def planned(self) -> Mapping[str, int]:
        """Rows with each defect: the codes take turns."""
        broken = self.rows * 2 // 100
        counts = {code: len(range(turn, broken, len(DEFECTS))) for turn, code in enumerate(DEFECTS)}
        return {code: count for code, count in counts.items() if count}


@dataclass(frozen=True, slots=True)
class Took:
    """What one process took for `rows` (or users), of which `rejected` were (None: none were judged)."""

    rows: int
    seconds: float
    cpu_seconds: float
    rejected: int | None = None

    @property
    def rate(self) -> float:
        """Rows a second, by the clock on the wall."""
        return self.rows / self.seconds

    @property
    def cpu(self) -> float:
        """Microseconds of CPU for a row."""
        return 1e6 * self.cpu_seconds / self.rows


@dataclass(frozen=True, slots=True)
class Round:
    """One round over one roster; the parts are those of `benchmarks.speed.alone`."""

    command: Took
    memory: Footprint
    parts: Mapping[str, Took]


TABLE: Final[tuple[Line[Round], ...]] = (
    Line("provisioner validate", "rows/s", 0, lambda done: done.command.rate),
    Line("  CPU", "µs/row", 2, lambda done: done.command.cpu),
    Line("its survey alone", "rows/s", 0, lambda done: done.parts["survey"].rate),
    Line("a run's survey alone", "rows/s", 0, lambda done: done.parts["survey-of-a-run"].rate),
    Line("its validator alone, in memory *", "rows/s", 0, lambda done: done.parts["validator"].rate),
    Line("  CPU", "µs/row", 2, lambda done: done.parts["validator"].cpu),
    Line("a run's validator, in memory *", "rows/s", 0, lambda done: done.parts["validator-of-a-run"].rate),
    Line("  CPU", "µs/row", 2, lambda done: done.parts["validator-of-a-run"].cpu),
    Line("polars, reading only", "rows/s", 0, lambda done: done.parts["read"].rate),
    Line("plain Python *", "rows/s", 0, lambda done: done.parts["plain"].rate),
    Line("  CPU", "µs/row", 2, lambda done: done.parts["plain"].cpu),
    Line("plain Python, in memory *", "rows/s", 0, lambda done: done.parts["plain-validator"].rate),
    Line("  CPU", "µs/row", 2, lambda done: done.parts["plain-validator"].cpu),
    Line("validate / polars, reading only", "", 3, lambda done: done.command.rate / done.parts["read"].rate),
    Line("validate / plain Python", "x", 2, lambda done: done.command.rate / done.parts["plain"].rate),
    Line("  by CPU", "x", 2, lambda done: done.parts["plain"].cpu / done.command.cpu),
    Line(
        "validator / plain Python, in memory",
        "x",
        2,
        lambda done: done.parts["validator"].rate / done.parts["plain-validator"].rate,
    ),
    Line("  by CPU", "x", 2, lambda done: done.parts["plain-validator"].cpu / done.parts["validator"].cpu),
    Line(
        "a run's validator / plain Python",
        "x",
        2,
        lambda done: done.parts["validator-of-a-run"].rate / done.parts["plain-validator"].rate,
    ),
    Line("  by CPU", "x", 2, lambda done: done.parts["plain-validator"].cpu / done.parts["validator-of-a-run"].cpu),
    Line(
        "a run's validator / polars reading",
        "",
        3,
        lambda done: done.parts["validator-of-a-run"].rate / done.parts["read"].rate,
    ),
    Line("peak memory of validate", "MiB", 0, lambda done: done.memory.resident),
    Line("  anonymous", "MiB", 0, lambda done: done.memory.anonymous),
)
SAMPLED: Final = ("validator", "validator-of-a-run", "plain-validator", "plain")


@contextmanager
def rosters(folder: Path | None, sizes: Sequence[int]) -> Iterator[list[Given]]:
    """Make the rosters that are not in the folder yet; without a folder they are gone at the end."""
    with tempfile.TemporaryDirectory(prefix="validation-") as temporary:
        place = folder or Path(temporary)
        place.mkdir(parents=True, exist_ok=True)
        yield [_made(place, rows, form) for rows in sorted(sizes) for form in get_args(Format)]


def _made(folder: Path, rows: int, form: Format) -> Given:
    path = folder / f"roster-{rows}-{INVALID.removesuffix('%')}-percent-invalid.{form}"
    if not path.exists():
        print(f"writing {path.name}", file=sys.stderr)
        half = path.with_name(f"{path.name}.part")
        told = ["--rows", str(rows), "--invalid", INVALID, "--format", form, "-o", str(half)]
        require(run([sys.executable, "-m", "benchmarks.rig.make_roster", *told]), exit_code=0)
        half.rename(path)
    return Given(path, rows)


def one_round(given: Given, sample: int) -> Round:
    """Measure everything once, each in a process of its own."""
    command, memory = _validate(given)
    parts = {name: _part(name, given, None) for name in ("survey", "survey-of-a-run", "read")}
    parts |= {name: _part(name, given, min(sample, given.rows)) for name in SAMPLED}
    return Round(command, memory, parts)


def _validate(given: Given) -> tuple[Took, Footprint]:
    """Run the real command; its summary must tell what was planned."""
    memory = Footprint()
    done = validate(given.path, SOME_REJECTED, memory.watch)
    memory.wait()
    summary: dict[str, Any] = json.loads(done.stdout)
    told = (summary["rows"], summary["rejected"], summary["pending"], summary["rejected_by_code"])
    rejected = sum(given.planned.values())
    if told != (given.rows, rejected, given.rows - rejected, given.planned):
        raise BenchmarkError(f"{given.path.name}: {told}, but planned were {given.planned}")
    return Took(given.rows, done.ended - done.started, done.cpu, rejected), memory


def _part(name: str, given: Given, rows: int | None) -> Took:
    """Run one part alone; it must have seen, and rejected, as many rows as were planned."""
    limit = [] if rows is None else ["--rows", str(rows)]
    arguments = [sys.executable, "-m", "benchmarks.speed.alone", name, str(given.path), *limit]
    took = Took(**json.loads(require(run(arguments), exit_code=0).stdout))
    expected = given.rows if rows is None else rows
    if took.rows != expected or took.rejected not in {None, expected * 2 // 100}:
        raise BenchmarkError(f"{name}, {given.path.name}: {took}")
    return took


def growth(done: Mapping[Given, Sequence[Round]], form: Format) -> str:
    """Say by how much memory has grown from the smallest roster of a format to the largest."""
    small, *_, large = [given for given in done if given.path.suffix == f".{form}"]
    peaks = [statistics.median(each.memory.anonymous for each in done[given]) for given in (small, large)]
    resident = [statistics.median(each.memory.resident for each in done[given]) for given in (small, large)]
    words = f"{form}: memory at {large.rows:,} rows / at {small.rows:,} rows"
    return f"{words}: {resident[1] / resident[0]:.2f}, anonymous {peaks[1] / peaks[0]:.2f}"


def first_requests(several: Sequence[Given], rounds: int, folder: Path) -> Iterator[str]:
    """Say how long a run over each roster takes to its first request."""
    for given in several:
        took = [seconds_to_first_request(given.path, folder) for _ in range(rounds)]
        what = f"{given.path.suffix[1:]}, {given.rows:,} rows: first request of a run after"
        yield f"{what} {statistics.median(took):.2f} s ({min(took):.2f} to {max(took):.2f})"


def measure(options: argparse.Namespace) -> None:
    """Make the rosters, run the rounds, print the tables."""
    with rosters(options.folder, options.rows) as several, tempfile.TemporaryDirectory(dir=options.folder) as name:
        done: dict[Given, list[Round]] = {given: [] for given in several}
        for number in range(1, options.rounds + 1):
            for given in several:
                print(f"round {number} of {options.rounds}: {given.path.name}", file=sys.stderr)
                done[given].append(one_round(given, options.sample))
        for given, rounds in done.items():
            size = given.path.stat().st_size / 1e6
            what = f"{given.path.suffix[1:]}, {given.rows:,} rows, {size:,.0f} MB, {len(rounds)} rounds"
            print(f"\n{what}\n{table(TABLE, rounds)}")
        print(f"\n* over the first {options.sample:,} rows\n")
        if len(options.rows) > 1:
            print("\n".join(growth(done, form) for form in get_args(Format)))
        largest = [given for given in several if given.rows == max(options.rows)]
        print("\n".join(first_requests(largest, options.rounds, Path(name))))


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.speed.validation", description="Validation: its speed and its memory."
    )
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 10_000_000], help="sizes of the rosters")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sample", type=int, default=200_000, help="rows for what is marked with * in the table")
    parser.add_argument("--folder", type=Path, help="where rosters are kept and found again; default: nowhere")
    try:
        measure(parser.parse_args())
    except BenchmarkError as error:
        sys.exit(f"benchmarks.speed.validation: {error}")


if __name__ == "__main__":
    main()

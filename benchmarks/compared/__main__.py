"""The figures of docs/performance.md in one go: `make bench`, or `python -m benchmarks.compared [--rounds 3]`.

What the command does is measured beside what a user would pick instead, in interleaved rounds, each in a process of its
own. What is not installed is left out, and said. Sizes are small: all of it takes a few minutes.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from benchmarks.compared import checking, machine, parts, sending
from benchmarks.rig.harness import BenchmarkError
from benchmarks.speed.validation import Took


def spread(values: Sequence[float], digits: int) -> str:
    """Write a median with the lowest and the highest round."""
    written = [f"{value:,.{digits}f}" for value in (statistics.median(values), min(values), max(values))]
    return f"{written[0]} ({written[1]} to {written[2]})"


def ways(known: Mapping[str, tuple[str, object]]) -> list[str]:
    """Choose those whose package is installed; the others are named on standard error."""
    lacking = {way: package for way, (package, _) in known.items() if machine.missing([package])}
    for way, package in lacking.items():
        print(f"{way}: left out, for {package} is not installed (pip install '.[bench]')", file=sys.stderr)
    return [way for way in known if way not in lacking]


def compared(title: str, unit: str, took: Mapping[str, list[Took]], names: Mapping[str, str]) -> str:
    """Lay out a table: how many a second, CPU for each, and how many times the command's that is."""
    lines = [
        f"{title}\n",
        f"| | {unit} a second | CPU, µs each | against the command, CPU |",
        "| --- | --- | --- | --- |",
    ]
    for way, rounds in took.items():
        times = [each.cpu / ours.cpu for each, ours in zip(rounds, took["command"], strict=True)]
        against = "1" if way == "command" else spread(times, 2)
        rate, cpu = spread([each.rate for each in rounds], 0), spread([each.cpu for each in rounds], 1)
        lines.append(f"| {names[way]} | {rate} | {cpu} | {against} |")
    return "\n".join(lines)


_SENDING: Final = {
    "command": "**`provisioner run`**, its CPU less its start",
    "bare": "aiohttp, all that makes it fast, nothing else",
    "aiohttp": "aiohttp as most people write it",
    "httpx": "httpx",
    "requests": "requests, a session for each of 64 threads",
}
_CHECKING: Final = {
    "command": "**`provisioner validate`**, less its start",
    "plain": "a tight loop of plain Python",
    "pydantic": "pydantic, row by row",
    "dataframely": "dataframely",
}


def sent(rounds: int, rows: int, folder: Path) -> Iterator[str]:
    """Send the same users in every way."""
    chosen = ways(sending.WAYS)
    with parts.sending(folder, rows) as send:
        took = _interleaved(rounds, ["command", *chosen], send)
    title = (
        f"Sending, 64 at once, to a sink on the same machine; {rows:,} users, {parts.FEW:,} by httpx and by requests"
    )
    yield compared(title, "users", took, _SENDING)


def checked(rounds: int, rows: int, folder: Path) -> Iterator[str]:
    """Check the same roster in every way."""
    chosen = ways(checking.WAYS)
    check = parts.checking(folder, rows)
    took = _interleaved(rounds, ["command", *chosen], check)
    yield compared(f"Checking a CSV, {rows:,} rows, 2 % of them invalid", "rows", took, _CHECKING)


def others(rounds: int, rows: int, folder: Path) -> Iterator[str]:
    """Measure what nothing else does."""
    yield "The command alone\n\n| | |\n| --- | --- |"
    for name, digits, unit, figure in parts.alone(folder, rows):
        values = [figure() for _ in range(rounds)]
        yield f"| {name} | {spread(values, digits)}{unit} |"


def _interleaved(rounds: int, names: Sequence[str], measure: Callable[[str], Took]) -> dict[str, list[Took]]:
    took: dict[str, list[Took]] = {name: [] for name in names}
    for number in range(1, rounds + 1):
        for name, several in took.items():
            print(f"round {number} of {rounds}: {name}", file=sys.stderr)
            several.append(measure(name))
    return took


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compared", description="All figures, in a table.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=100_000, help="of the rosters that are checked (default 100000)")
    parser.add_argument("--users", type=int, default=10_000, help="that are sent (default 10000)")
    options = parser.parse_args()
    print("\n".join(machine.described()), flush=True)
    with tempfile.TemporaryDirectory(prefix="compared-") as name:
        sections = (
            sent(options.rounds, options.users, Path(name)),
            checked(options.rounds, options.rows, Path(name)),
            others(options.rounds, options.rows, Path(name)),
        )
        try:
            for section in sections:
                print(flush=True)
                for lines in section:
                    print(lines, flush=True)
        except BenchmarkError as error:
            sys.exit(f"benchmarks.compared: {error}")


if __name__ == "__main__":
    main()

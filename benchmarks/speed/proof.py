"""How long does it take to prove that everybody is there? `python -m benchmarks.speed.proof [--rows 1000000]`.

Writes a roster with every field, starts an app that has just these users and lists them, and lets the real command
verify the one by the other. Exit code, counts, requests and both digests are checked.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.rig.footprint import COSTS, Cost, Footprint
from benchmarks.rig.harness import COMMAND, BenchmarkError, listening, require, run
from benchmarks.rig.lister import PER_PAGE
from benchmarks.rig.make_roster import write_roster
from benchmarks.rig.medians import table


def prove(roster: Path, url: str, rows: int) -> Cost:
    """Let the real command prove it. Raises BenchmarkError unless all is as it should be."""
    memory, results = Footprint(), roster.with_name("results.csv")
    told = [str(COMMAND), "verify", str(roster), "--base-url", url, "-o", str(results), "--no-progress", "--json"]
    done = require(run(told, roster.parent, watch=memory.watch), exit_code=0)
    proof: dict[str, Any] = json.loads(done.stdout)
    found = {key: proof[key] for key in ("rows", "matching", "requests")}
    expected = {"rows": rows, "matching": rows, "requests": -(-rows // PER_PAGE) + 1}
    if found != expected or proof["roster_sha256"] != proof["app_sha256"]:
        raise BenchmarkError(f"the proof tells {found} instead of {expected}")
    return Cost.of(done, memory)


def measure(rows: int, rounds: int) -> list[Cost]:
    """Make the roster and the app, and prove it again and again."""
    with tempfile.TemporaryDirectory(prefix="proof-") as name:
        roster = Path(name) / "roster.csv"
        write_roster(roster, rows, form="csv")
        pages = str(roster.with_suffix(".pages"))
        with listening([sys.executable, "-m", "benchmarks.rig.lister", str(roster), "--pages", pages]) as (url,):
            return [prove(roster, url, rows) for _ in range(rounds)]


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.speed.proof", description="Everybody of a roster, proved to be there."
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    try:
        rounds = measure(options.rows, options.rounds)
    except BenchmarkError as error:
        sys.exit(f"benchmarks.speed.proof: {error}")
    print(f"{options.rows:,} rows, {options.rounds} rounds\n\n{table(COSTS, rounds)}")


if __name__ == "__main__":
    main()

"""Exact under crashes and a hostile network? `python -m benchmarks.crash.chaos --rows 3000 --kills 200 --seed 1`.

Sends a roster with the real command to an emulator in which things go wrong, kills the command with SIGKILL at random
instants, starts it again until it has been killed often enough, lets it come to its end, and judges its results by
what the emulator saw. Exit code 1 unless every check comes out at zero. `--each` does this for each fault by itself.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from benchmarks.crash.campaign import Campaign, Options
from benchmarks.crash.report import Report, tell_offenders
from benchmarks.crash.verdict import figures, judge
from benchmarks.rig.backstage import emulator
from benchmarks.rig.harness import BenchmarkError, an_empty_folder, seconds, share
from provisioner.emulator.app.faults import Fault

# A campaign for one fault: small, because there are many of them.
_EACH_ROWS, _EACH_KILLS = 300, 4


def campaign(options: Options, folder: Path) -> Report[Options]:
    """Conduct and judge one campaign in an empty folder. Raises BenchmarkError, ValueError for an unknown fault."""
    began = time.monotonic()
    with emulator(folder / "audit.ndjson", *options.of_emulator()) as api:
        evidence = Campaign(options, folder, api).conduct()
    return Report(options, judge(evidence), {**figures(evidence), "seconds": round(time.monotonic() - began, 1)})


def show(report: Report[Options]) -> None:
    """Print the table, and some of the offenders, if there are any, to stderr."""
    for name, lines in report.offenders.items():
        print(f"{len(lines):>8}  {name}")
    print()
    for name, value in report.figures.items():
        text = ", ".join(f"{key} {number}" for key, number in value.items()) if isinstance(value, dict) else value
        print(f"{name + ':':26}{text}")
    tell_offenders(report)


def show_each(reports: Iterator[Report[Options]]) -> bool:
    """Print one line for each campaign as it ends; whether all have passed."""
    print(f"{'fault':24}{'offenders':>10}{'struck':>8}{'kills':>7}{'runs':>6}{'requests/row':>14}{'seconds':>9}")
    passed = True
    for report in reports:
        found, wrong = report.figures, sum(map(len, report.offenders.values()))
        name = report.options.faults
        print(
            f"{name:24}{wrong:>10}{found['faults'].get(name, 0):>8}{found['kills']:>7}{found['runs']:>6}"
            f"{found['requests per valid row']:>14.2f}{found['seconds']:>9.1f}",
            flush=True,
        )
        tell_offenders(report)
        passed = passed and report.passed
    return passed


def each_fault(options: Options, folder: Path) -> Iterator[Report[Options]]:
    """Conduct a campaign for each fault by itself."""
    for fault in Fault:
        place = folder / fault.value
        place.mkdir()
        yield campaign(replace(options, faults=fault.value), place)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.crash.chaos", description="Exact under crashes and a hostile network?"
    )
    usual = Options()
    parser.add_argument("--rows", type=int, help=f"default {usual.rows}; {_EACH_ROWS} with --each")
    parser.add_argument("--kills", type=int, help=f"default {usual.kills}; {_EACH_KILLS} with --each")
    parser.add_argument("--edits", type=int, default=usual.edits, help="times the roster is edited between two runs")
    parser.add_argument("--seed", type=int, default=usual.seed)
    parser.add_argument("--faults", default=usual.faults, help="all by chance, once (each of them), none, or a name")
    parser.add_argument("--rate", type=share, default=usual.rate, help="share of the requests a fault strikes: 10%%")
    parser.add_argument("--latency", type=seconds, default=usual.latency, help="of the emulator: 5ms")
    parser.add_argument("--jitter", type=seconds, default=usual.jitter, help="at most this much more: 120ms")
    parser.add_argument("--clock-skew", type=seconds, default=usual.clock_skew, help="how far its clock is ahead: 180s")
    parser.add_argument("--auth-tokens", choices=("created", "all", "none"), default=usual.auth_tokens)
    parser.add_argument("--on-existing", choices=("skip", "update"), default=usual.on_existing)
    parser.add_argument("--per-minute", type=int, default=usual.per_minute, help="requests a minute, all of them ours")
    parser.add_argument("--disabled", type=share, default=usual.disabled, help="share of disabled accounts: 20%%")
    parser.add_argument("--each", action="store_true", help="each fault by itself, one line for each")
    parser.add_argument("--json", action="store_true", help="one JSON object for a campaign instead of a table")
    parser.add_argument("--folder", type=Path, help="keep everything in this folder, which must not exist yet")
    return parser.parse_args()


def _options(given: argparse.Namespace) -> Options:
    rows, kills = (_EACH_ROWS, _EACH_KILLS) if given.each else (Options().rows, Options().kills)
    named = {name: value for name, value in vars(given).items() if name in Options.__dataclass_fields__}
    return Options(**{**named, "rows": given.rows or rows, "kills": kills if given.kills is None else given.kills})


def _conduct(given: argparse.Namespace, folder: Path) -> bool:
    options = _options(given)
    if given.each:
        reports = each_fault(options, folder)
        if not given.json:
            return show_each(reports)
        done = list(reports)
        for report in done:
            print(json.dumps(report.document))
        return all(report.passed for report in done)
    report = campaign(options, folder)
    if given.json:
        print(json.dumps(report.document))
        tell_offenders(report)
    else:
        show(report)
    return report.passed


def main() -> None:
    """Read the arguments, conduct and judge."""
    given = _arguments()
    try:
        with an_empty_folder(given.folder) as folder:
            passed = _conduct(given, folder)
    except (BenchmarkError, OSError, ValueError) as error:
        sys.exit(f"benchmarks.crash.chaos: {error}")
    sys.exit(0 if passed else 1)


if __name__ == "__main__":
    main()

"""Is the nightly sync exact, night after night? `python -m benchmarks.nights --people 20000 --nights 30 --seed 1`.

Simulates a company whose roster changes every night, and carries each night's roster to an emulator by the real
command. Some nights go wrong: the export is broken, the command is killed or runs out of time, replies are lost,
another hand changes users. After each night the app's users, results, summary and state are judged by what plain Python
says they have to be. Exit code 1 at the first night with an offence.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from benchmarks.nights.schedule import Options
from benchmarks.nights.shift import Report, simulation
from benchmarks.rig.harness import BenchmarkError, an_empty_folder, share

_OFFENDERS_SHOWN: Final = 10


def simulate(options: Options, folder: Path) -> bool:
    """Print a line for each night as it ends, and the offenders; whether there are none."""
    columns = ("new", "updated", "back", "left", "same", "rejected", "sent", "changes", "allowed", "runs", "seconds")
    print(f"{'night':>5}  {'kind':24}{'rows':>8}" + "".join(f"{name:>9}" for name in columns))
    with simulation(options, folder) as nights:
        passed = True
        for report in nights.nights():
            print(_line(report), flush=True)
            passed = passed and report.passed
            _tell(report.offenders)
        wrong = nights.history()
        _tell({"history wrong": wrong})
    return passed and not wrong


def _line(report: Report) -> str:
    evidence, done = report.evidence, Counter[str]()
    if not evidence.kind.refused:
        done = evidence.expected.counts + Counter(deactivated=len(evidence.expected.due))
    names = ("created", "updated", "reactivated", "deactivated", "unchanged", "rejected")
    seconds = sum(session.seconds for session in evidence.sessions)
    numbers = [*(done[name] for name in names), len(evidence.audit), evidence.needed, evidence.allowed]
    texts = [f"{number:,}" for number in (*numbers, len(evidence.sessions))] + [f"{seconds:.1f}"]
    cells = "".join(f"{text:>9}" for text in texts)
    offences = sum(map(len, report.offenders.values()))
    ending = f"  {offences} OFFENCES" if offences else ""
    return f"{report.number:>5}  {evidence.kind:24}{len(evidence.expected.rows):>8,}{cells}{ending}"


def _tell(offenders: Mapping[str, list[str]]) -> None:
    for name, lines in offenders.items():
        for line in lines[:_OFFENDERS_SHOWN]:
            print(f"{name}: {line[:1000]}", file=sys.stderr)


def _options() -> tuple[Options, Path | None]:
    usual = Options()
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.nights", description="Is the nightly sync exact, night after night?"
    )
    parser.add_argument("--people", type=int, default=usual.people)
    parser.add_argument("--nights", type=int, default=usual.nights)
    parser.add_argument("--seed", type=int, default=usual.seed)
    parser.add_argument("--leave", type=share, default=usual.leave, help="share that leaves each night: 3%%")
    parser.add_argument("--grace-nights", type=int, default=usual.grace_nights, help="before a leaver is deactivated")
    parser.add_argument("--kills", type=int, default=usual.kills, help="on the night on which the command is killed")
    parser.add_argument("--duration", type=int, default=usual.duration, help="seconds of the night with a time limit")
    parser.add_argument("--bad-only", action="store_true", help="the first night, then each kind of broken export")
    parser.add_argument("--folder", type=Path, help="keep everything in this folder, which must not exist yet")
    given = vars(parser.parse_args())
    folder = given.pop("folder")
    return Options(**given), folder


def main() -> int:
    """Let the nights pass and print the table; 1 when there was an offence, 2 when it could not be carried out."""
    options, folder = _options()
    try:
        with an_empty_folder(folder) as place:
            return 0 if simulate(options, place) else 1
    except (BenchmarkError, FileExistsError) as error:
        print(f"nights: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())

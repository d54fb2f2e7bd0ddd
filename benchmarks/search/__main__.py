"""Does any order of events break a promise? `python -m benchmarks.search --seeds 100000`.

The real code runs in one process on a loop whose time jumps and whose order of events is drawn from a seed, against a
small model of the server: answers are lost, spoilt, delayed and repeated, strangers act, clocks jump, the process is
killed before any step and started again on what is on the disk. After each life the promises are judged. A seed that
fails is printed as a test, as small as it can be made (of many the first five); exit code 1 then.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import Final

from benchmarks.search.drawing import draw
from benchmarks.search.hunt import Hunt, hunt, quiet, told

_MOST_TOLD: Final = 5


def main() -> int:
    """Hunt, and print what was found."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000, help="how many cases are tried")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--minutes", type=float, help="begin no further case after so long")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--keep-going", action="store_true", help="do not end at the first seed that fails")
    options = parser.parse_args()
    quiet()
    so_far, named = Hunt(), set[int]()
    for so_far in hunt(draw, range(options.first, options.first + options.seeds), options.jobs, options.minutes):
        if sys.stdout.isatty():
            print(f"\r{_line(so_far)}", end="", flush=True)
        for seed in so_far.found.keys() - named:
            print(f"\rseed {seed}: {so_far.found[seed]}", flush=True)
        named = set(so_far.found)
        if so_far.found and not options.keep_going:
            break
    print(f"\r{_line(so_far)}")
    for seed in sorted(so_far.found)[:_MOST_TOLD]:
        print(f"\nseed {seed}: {so_far.found[seed]}\n{told(draw(seed))}")
    return 1 if so_far.found else 0


def _line(so_far: Hunt) -> str:
    found = f"{len(so_far.found)} seeds fail" if so_far.found else "no offence"
    return f"{so_far.seeds:,} seeds, {so_far.lives:,} lives, {so_far.lives_a_minute:,.0f} lives a minute, {found}"


if __name__ == "__main__":
    sys.exit(main())

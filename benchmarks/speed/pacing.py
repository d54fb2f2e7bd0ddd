"""Is the rate kept, and used? `python -m benchmarks.speed.pacing --rpm 3000 --seconds 30 --latency 20ms`.

Runs the real command over a roster it cannot finish, stops it by SIGINT, and judges when users arrived at the
sink: the worst sliding windows, which must never hold more than is allowed, and the share of the allowed rate
that was used after the first second. Exit code 1 when it sent too much, or less than 98 %.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
from array import array
from bisect import bisect_left
from dataclasses import dataclass
from pathlib import Path

from benchmarks.rig.harness import (
    BenchmarkError,
    between,
    command,
    read_arrivals,
    require,
    run,
    running_sink,
    seconds,
)
from benchmarks.rig.make_roster import write_roster
from provisioner.emulator.app.audit import busiest

LEAST_USED = 0.98
SETTLING = 1.0  # seconds: connections are made and the first block is journaled
ON_ITS_WAY = 0.05  # seconds by which one request may take longer to arrive than another
INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Window:
    """The fullest window of one length in seconds: requests in it, and how many were allowed."""

    length: float
    worst: int
    allowed: int

    @property
    def used(self) -> float:
        """Requests as a part of those allowed; above 1 is too much."""
        return self.worst / self.allowed


def allowed(rate: int, burst: int, length: float) -> int:
    """Count the requests allowed in any `length` seconds, at `rate` a minute with `burst` of them at once.

    A minute may hold `rate` and no more, burst included; so the rest of it flows at rate - burst a minute. A shorter
    window may hold what bunched up on its way as well.
    """
    steady, at_once = (rate, 0) if length >= 60 else (rate - burst, burst + rate / 60 * ON_ITS_WAY)
    return math.ceil(at_once + steady * length / 60)


def windows(arrivals: array[float], rate: int, burst: int, duration: float) -> list[Window]:
    """Find the fullest sixth and half of a run of `duration` seconds, and all of it; a minute at most."""
    lengths = sorted({min(duration / 6, 60.0), min(duration / 2, 60.0), min(duration, 60.0)})
    return [Window(each, busiest(arrivals, each), allowed(rate, burst, each)) for each in lengths]


def share_used(arrivals: array[float], rate: int, end: float) -> float:
    """Tell the used part of what the rate allows, from one second after the first arrival to `end`."""
    start = arrivals[0] + SETTLING
    count = bisect_left(arrivals, end) - bisect_left(arrivals, start)
    return count / (rate / 60 * (end - start))


def observe(rate: int, duration: float, latency: float, in_flight: int) -> tuple[array[float], float]:
    """Tell when users arrived in a run of `duration` seconds, and the moment it was told to stop.

    Raises BenchmarkError when they are too few to judge by.
    """
    with tempfile.TemporaryDirectory(prefix="pacing-") as name:
        folder = Path(name)
        roster = folder / "roster.parquet"
        write_roster(roster, int(rate / 60 * (duration + 60)), form="parquet")
        with running_sink(folder, latency) as sink:
            arguments = command(roster, sink.url, folder / "results.csv", requests_per_minute=rate, in_flight=in_flight)
            finished = require(run(arguments, cwd=folder, stop_after=duration), INTERRUPTED)
        end = finished.started + duration
        arrivals = between(read_arrivals(sink.arrivals), finished.started, end)
        if not arrivals or end - arrivals[0] <= SETTLING:
            raise BenchmarkError("too few arrivals to judge; give it more seconds")
        return arrivals, end


def report(arrivals: array[float], rate: int, burst: int, end: float) -> bool:
    """Print the figures; whether the rate was kept and used."""
    used = share_used(arrivals, rate, end)
    print(f"{len(arrivals)} users arrived in {end - arrivals[0]:.1f} s")
    print(f"allowed: {rate} in any minute, burst included; {burst} at once")
    print(f"used after the first second: {used:.2%} (at least {LEAST_USED:.0%})")
    judged = windows(arrivals, rate, burst, end - arrivals[0])
    for window in judged:
        of = f"{window.worst} of {window.allowed} allowed"
        print(f"fullest {window.length:.1f} s: {of} ({window.used:.2%})")
    return used >= LEAST_USED and all(window.worst <= window.allowed for window in judged)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.speed.pacing", description="Is the rate kept, and used?"
    )
    parser.add_argument("--rpm", type=int, default=3000, help="requests a minute (default 3000)")
    parser.add_argument("--seconds", type=seconds, default=30.0, help="how long to send (default 30)")
    parser.add_argument("--latency", type=seconds, default=0.02, help="of the sink: 20ms, 0.5s")
    parser.add_argument("--in-flight", type=int, default=64)
    parser.add_argument("--burst", type=int, help="at once; default 16, or 20 ms of the rate if that is more")
    options = parser.parse_args()
    burst = options.burst or max(16, round(options.rpm / 60 * 0.02))
    try:
        arrivals, end = observe(options.rpm, options.seconds, options.latency, options.in_flight)
    except BenchmarkError as error:
        sys.exit(f"benchmarks.speed.pacing: {error}")
    sys.exit(0 if report(arrivals, options.rpm, burst, end) else 1)


if __name__ == "__main__":
    main()

"""What is measured, one process at a time."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final, TypeAlias

from benchmarks.rig.footprint import Cost
from benchmarks.rig.harness import COMMAND, BenchmarkError, Finished, require, run, running_sink, validate
from benchmarks.rig.make_roster import percentage, write_roster
from benchmarks.speed.first_request import seconds_to_first_request
from benchmarks.speed.pacing import observe, share_used
from benchmarks.speed.resume import (
    finish,
    first_night,
    forget,
    forget_night,
    nobody_listening,
    resume,
    spend_night,
)
from benchmarks.speed.throughput import provision
from benchmarks.speed.validation import Took

IN_FLIGHT: Final = 64

_Again: TypeAlias = Callable[[Path, Path, str, int], Cost]
_Forget: TypeAlias = Callable[[Path, str], None]

FEW: Final = 1_500
"""Users that are sent by what is slow."""
_SLOW: Final = frozenset({"httpx", "requests"})
_SOME_REJECTED: Final = 1
_RATE: Final = 12_000
_PACED_SECONDS: Final = 16.0
_SAMPLE: Final = 50


@contextmanager
def sending(folder: Path, users: int) -> Iterator[Callable[[str], Took]]:
    """Start a sink; gives what sends to it, by the command less its start or in one of `sending.WAYS`."""
    rosters = {number: folder / f"users-{number}.parquet" for number in (users, FEW, 1)}
    for number, path in rosters.items():
        write_roster(path, number, form="parquet")
    with running_sink(folder) as sink:

        def send(way: str) -> Took:
            if way == "command":
                whole, summary = provision(rosters[users], sink, folder, IN_FLIGHT)
                start, _ = provision(rosters[1], sink, folder, IN_FLIGHT)
                return Took(users, summary["elapsed_seconds"], whole.cpu - start.cpu)
            number = FEW if way in _SLOW else users
            roster = str(rosters[number])
            told = ["benchmarks.compared.sending", way, "--url", sink.url, "--roster", roster]
            answer = json.loads(_module(*told, "--in-flight", str(IN_FLIGHT)).stdout)
            return Took(answer["requests"], answer["seconds"], answer["cpu_seconds"])

        yield send


def checking(folder: Path, rows: int) -> Callable[[str], Took]:
    """Give what checks a roster, by the command less its start, or in one of `checking.WAYS`."""
    roster, one_row = folder / "roster.csv", folder / "one.csv"
    write_roster(roster, rows, invalid=percentage("2%"), form="csv")
    write_roster(one_row, 1, form="csv")

    def check(way: str) -> Took:
        if way == "command":
            done, start = validate(roster, _SOME_REJECTED), validate(one_row)
            told = json.loads(done.stdout)
            seconds = done.ended - done.started - (start.ended - start.started)
            if seconds <= 0:
                raise BenchmarkError(f"{rows} rows took no longer than one: give it more --rows")
            took = Took(told["rows"], seconds, done.cpu - start.cpu)
        else:
            told = json.loads(_module("benchmarks.compared.checking", way, str(roster)).stdout)
            took = Took(told["rows"], told["seconds"], told["cpu_seconds"])
        if (told["rows"], told["rejected"]) != (rows, rows * 2 // 100):
            raise BenchmarkError(f"{way}: {told['rejected']} of {told['rows']} rows rejected")
        return took

    return check


def alone(folder: Path, rows: int) -> Iterator[tuple[str, int, str, Callable[[], float]]]:
    """Give what only the command does: what it is, its digits, its unit, and what measures it once."""
    sound, small, finished = folder / "sound.csv", folder / "small.csv", folder / "results.csv"
    write_roster(small, _SAMPLE, form="csv")
    write_roster(sound, rows, form="csv")
    yield "`provisioner --help`, CPU", 2, " s", lambda: require(run([str(COMMAND), "--help"], folder), 0).cpu
    yield f"`validate` of {_SAMPLE} rows, CPU", 2, " s", lambda: validate(small).cpu
    yield f"first request of a run over {rows:,} rows", 2, " s", lambda: seconds_to_first_request(sound, folder)
    with nobody_listening() as base_url:
        finish(sound, finished, base_url)

        state = first_night(sound, finished, base_url, rows)
        ways = (
            (f"a finished run of {rows:,} rows again", resume, forget, finished),
            (f"a night without a change over {rows:,} people", spend_night, forget_night, state),
        )

        def again(carry_out: _Again, forget_end: _Forget, kept: Path, *, known: bool) -> float:
            if not known:
                forget_end(kept, base_url)
            return carry_out(sound, kept, base_url, rows).cpu_seconds / validate(sound).cpu

        for what, carry_out, forget_end, kept in ways:
            said = f"{what}, CPU, against `validate` of them"
            yield f"{said}: looked at row by row", 2, " x", partial(again, carry_out, forget_end, kept, known=False)
            yield f"{said}: known to be unchanged", 2, " x", partial(again, carry_out, forget_end, kept, known=True)
    yield f"allowed rate used, {_RATE:,} a minute, 20 ms", 2, " %", used


def used() -> float:
    """Tell the part of an allowed rate that is used after the first second, in per cent."""
    arrivals, end = observe(_RATE, _PACED_SECONDS, 0.02, IN_FLIGHT)
    return 100 * share_used(arrivals, _RATE, end)


def _module(*arguments: str) -> Finished:
    return require(run([sys.executable, "-m", *arguments]), 0)

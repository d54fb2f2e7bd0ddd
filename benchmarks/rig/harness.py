"""What the benchmarks share: the sink and the real command as processes of their own, and the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
COMMAND: Final = Path(sys.executable).with_name("provisioner")
NO_KEY: Final = "0123456789abcdef0123456789abcdef01234567"  # of the right form, and valid nowhere


class BenchmarkError(Exception):
    """A process did not do what it was measured for; the message holds what it said."""


@dataclass(frozen=True, slots=True)
class RunningSink:
    """A sink that is listening: `url` is its API root, `arrivals` the file it writes when it stops."""

    url: str
    arrivals: Path


@dataclass(frozen=True, slots=True)
class Finished:
    """One ended process: exit code, CPU seconds (user and system), monotonic start and end, what it said."""

    exit_code: int
    cpu: float
    started: float
    ended: float
    stdout: str
    stderr: str


def event_loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Choose the loop as the command does: uvloop where it is installed, else the standard one (None)."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def seconds(text: str) -> float:
    """Read `20ms`, `0.5s` or plain seconds as seconds; anything else is a ValueError."""
    if text.endswith("ms"):
        return float(text.removesuffix("ms")) / 1000
    return float(text.removesuffix("s"))


def share(text: str) -> float:
    """Read `2%` or `0.02` as a share; anything else is a ValueError."""
    return float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)


@contextlib.contextmanager
def an_empty_folder(kept: Path | None) -> Iterator[Path]:
    """Make a folder that is kept, or one for as long as the block lasts. Raises OSError for one that is there."""
    if kept is not None:
        kept.mkdir(parents=True)
        yield kept.resolve()
    else:
        with tempfile.TemporaryDirectory() as name:
            yield Path(name)


def lines_of(path: Path) -> list[dict[str, str]]:
    """Read a CSV that the command has written; one that is not there has no lines."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@contextlib.contextmanager
def running_sink(folder: Path, latency: float = 0.0) -> Iterator[RunningSink]:
    """Start a sink on a free port; its arrivals are on disk once the context has ended."""
    with running_sinks([folder], latency) as (sink,):
        yield sink


@contextlib.contextmanager
def running_sinks(folders: Sequence[Path], latency: float = 0.0) -> Iterator[Sequence[RunningSink]]:
    """Start a process with a sink for each folder, which its arrivals go to."""
    files = [folder / "arrivals.bin" for folder in folders]
    arguments = ["--port", "0", "--latency", str(latency), "--arrivals", *map(str, files)]
    with listening([sys.executable, "-m", "benchmarks.rig.sink", *arguments], len(files)) as urls:
        yield [RunningSink(url=url, arrivals=file) for url, file in zip(urls, files, strict=True)]


@contextlib.contextmanager
def listening(arguments: Sequence[str], apps: int = 1, **variables: str) -> Iterator[list[str]]:
    """Run a server for as long as the block lasts; gives the API root of each of its apps. Raises BenchmarkError."""
    with subprocess.Popen(
        arguments, cwd=ROOT, env=os.environ | variables, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            lines = [process.stdout.readline() for _ in range(apps)]
            if not all(line.startswith("listening on ") for line in lines):
                raise BenchmarkError(f"did not start: {' '.join(arguments)}")
            yield [line.removeprefix("listening on ").strip() for line in lines]
        finally:
            process.terminate()


def read_arrivals(file: Path) -> array[float]:
    """Read when each user arrived at the sink: monotonic seconds, ascending."""
    arrivals = array("d")
    arrivals.frombytes(file.read_bytes())
    return arrivals


def between(arrivals: array[float], started: float, ended: float) -> array[float]:
    """Pick the arrivals of one process by its start and end on the same monotonic clock."""
    return arrivals[bisect_left(arrivals, started) : bisect_left(arrivals, ended)]


def command(roster: Path, url: str, output: Path, *, requests_per_minute: int, in_flight: int) -> list[str]:
    """Give the real command line for sending `roster` to `url` with the whole of a rate."""
    return [
        *(str(COMMAND), "run", str(roster), "--base-url", url, "-o", str(output), "--no-progress"),
        *("--requests-per-minute", str(requests_per_minute), "--share", "100%"),
        *("--max-in-flight", str(in_flight)),
    ]


def run(
    arguments: list[str],
    cwd: Path = ROOT,
    *,
    stop_after: float | None = None,
    watch: Callable[[int], None] | None = None,
) -> Finished:
    """Run a process to its end; with `stop_after`, send it SIGINT that many seconds after its start.

    `watch` is told the process's id as soon as it has one.
    """
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        started = time.monotonic()
        process = subprocess.Popen(arguments, cwd=cwd, env=environment(), stdout=out, stderr=err)
        if watch is not None:
            watch(process.pid)
        timer = threading.Timer(stop_after or 0, os.kill, (process.pid, signal.SIGINT))
        if stop_after is not None:
            timer.start()
        # wait4, as nothing else tells the CPU time of one child.
        _, status, usage = os.wait4(process.pid, 0)
        timer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        ended = time.monotonic()
        out.seek(0)
        err.seek(0)
        return Finished(
            exit_code=process.returncode,
            cpu=usage.ru_utime + usage.ru_stime,
            started=started,
            ended=ended,
            stdout=out.read(),
            stderr=err.read(),
        )


def validate(roster: Path, exit_code: int = 0, watch: Callable[[int], None] | None = None) -> Finished:
    """Let the command check a roster, in a folder of its own beside it. Raises BenchmarkError."""
    with tempfile.TemporaryDirectory(dir=roster.parent) as name:
        told = [str(COMMAND), "validate", str(roster), "-o", f"{name}/results.csv", "--json", "--no-progress"]
        return require(run(told, Path(name), watch=watch), exit_code)


def require(finished: Finished, exit_code: int) -> Finished:
    """Return the same process, or raise a BenchmarkError with its last words on another exit code."""
    if finished.exit_code != exit_code:
        words = (finished.stderr or finished.stdout).strip()[-2000:]
        raise BenchmarkError(f"exit code {finished.exit_code} instead of {exit_code}: {words}")
    return finished


def environment() -> dict[str, str]:
    """Give ours without the settings of a real app, so that no measurement can reach one.

    And without a wish for no bytecode: whoever uses the command has it, and need not compile it at each start.
    """
    unwanted = ("COMETCHAT_", "PYTHONDONTWRITEBYTECODE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
    return kept | {"COMETCHAT_API_KEY": NO_KEY}

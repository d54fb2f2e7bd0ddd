"""One run of the real command: watched from outside, interrupted or killed at an instant of somebody's choice."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, ClassVar, Final, Protocol, Self

from benchmarks.rig.backstage import Api
from benchmarks.rig.harness import ROOT, BenchmarkError, environment

_LOOK_SECONDS: Final = 0.002
# A run over a few thousand rows has to end by itself long before that.
_PATIENCE: Final = 120.0


class Process(Protocol):
    """What is asked of a running command."""

    @property
    def pid(self) -> int:
        """The id of the process."""

    def poll(self) -> int | None:
        """Tell whether it has ended, and how."""

    def wait(self, timeout: float, /) -> int:
        """Wait for its end; raises `subprocess.TimeoutExpired`."""

    def send_signal(self, number: int, /) -> None:
        """Send it a signal."""

    def kill(self) -> None:
        """Send SIGKILL."""


def started(command: Sequence[str], cwd: Path, env: Mapping[str, str], out: IO[bytes], err: IO[bytes]) -> Process:
    """Start the command."""
    return subprocess.Popen(command, cwd=cwd, env=env, stdout=out, stderr=err)


@dataclass(slots=True)
class Victim:
    """A running command. Use as a context manager: it does not outlive the block.

    results      where its results go
    started      monotonic seconds
    interrupted  whether it was sent a signal that it can answer
    """

    start: ClassVar[Callable[..., Process]] = staticmethod(started)

    command: Sequence[str]
    results: Path
    api: Api
    started: float = field(default=0.0, init=False)
    interrupted: bool = field(default=False, init=False)
    _place: int = field(default=0, init=False)
    _parts: frozenset[tuple[str, int]] = field(default=frozenset(), init=False)
    _process: Process = field(init=False)

    def __enter__(self) -> Self:
        self._place, self._parts, self.started = self.api.place(), self._partly_written(), time.monotonic()
        with self._said("out").open("wb") as out, self._said("err").open("wb") as err:
            # It works in a folder of its own, from where our modules have to be found.
            env = environment() | {"PYTHONPATH": str(ROOT)}
            self._process = Victim.start(self.command, self.results.parent, env, out, err)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait(_PATIENCE)

    def passes(self, seconds: float) -> bool:
        """Let it run for so long; False when it has ended before."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return True
        return False

    def comes_to(self, stage: Callable[[], bool]) -> bool:
        """Let it run until it is `reading`, `sending` or `writing`; False when it has ended before."""
        deadline = time.monotonic() + _PATIENCE
        while self._process.poll() is None and time.monotonic() < deadline:
            if stage():
                return True
            time.sleep(_LOOK_SECONDS)
        return False

    def reading(self) -> bool:
        """Tell whether it holds the journal, as it does from before the roster is read."""
        lock = self.results.with_suffix(".journal.db.lock")
        return lock.exists() and f"process {self._process.pid} " in lock.read_text()

    def sending(self) -> bool:
        """Tell whether a request of its own has arrived."""
        return self.api.arrived(self._place, self.started)

    def writing(self) -> bool:
        """Tell whether it has left a file of results in part: one that is being written, or was when it was killed."""
        return not self._partly_written() <= self._parts

    def _partly_written(self) -> frozenset[tuple[str, int]]:
        found = set()
        for path in self.results.parent.glob(".*.part"):
            with suppress(FileNotFoundError):  # renamed meanwhile
                found.add((path.name, path.stat().st_mtime_ns))
        return frozenset(found)

    def phase(self) -> str:
        """Tell from what a killed run has left behind how far it had come."""
        stages = (("writing", self.writing), ("sending", self.sending), ("reading", self.reading))
        return next((name for name, was in stages if was()), "starting")

    def interrupt(self, number: signal.Signals) -> None:
        """Send a signal that it can answer."""
        self.interrupted = True
        self._process.send_signal(number)

    def kill(self) -> None:
        """Send it SIGKILL, which it cannot answer."""
        self._process.kill()

    def end(self) -> int:
        """Wait for its end and give its exit code, negative for a signal. Raises BenchmarkError when it hangs."""
        try:
            return self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            raise BenchmarkError(f"a run has not ended within {_PATIENCE:.0f} s") from None

    def output(self) -> tuple[str, str]:
        """Give what it has said so far on stdout and stderr."""
        return self._said("out").read_text(), self._said("err").read_text()

    def _said(self, stream: str) -> Path:
        return self.results.with_name(f"run.{stream}")

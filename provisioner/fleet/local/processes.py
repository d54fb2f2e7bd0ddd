"""Where a job is carried out: the real command, in a process of this machine, that knows of no other job."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias, cast

import orjson

from provisioner.errors import ConfigurationError, ExitCode
from provisioner.fleet.engine import Progress, command_of, cure_of, event_of, is_progress, opened, prepared, refused
from provisioner.fleet.jobs import Job
from provisioner.fleet.standing import Ended

_Readers: TypeAlias = tuple[asyncio.StreamReader, asyncio.StreamReader]
_LINE: Final = 1 << 20

_QUIET: Final = 30.0
"""Seconds that a job may say nothing once it was asked to stop; one that lives tells every few how far it is."""
# A fleet that was suspended itself has missed what its jobs said: so many looks have to find nothing new.
_LOOKS: Final = 10


@dataclass(slots=True, eq=False)
class _Child:
    """A process that carries out a job.

    lines  that it has said
    hung   whether it was ended for having said nothing
    """

    process: asyncio.subprocess.Process
    lines: int = 0
    hung: bool = False


class Processes:
    """Jobs as processes of this machine.

    base    the folder that they are started in
    logs    the folder of their logs
    pacers  job's group → the socket that its slots come from
    quiet   seconds that one may say nothing when it was asked to stop; then it hangs, and is ended
    """

    def __init__(self, base: Path, logs: Path, pacers: Mapping[str, Path], every: float, quiet: float = _QUIET) -> None:
        self._base, self._logs, self._pacers, self._every = base, logs, pacers, every
        self._quiet = quiet
        self._running: set[asyncio.subprocess.Process] = set()
        self._stopping = asyncio.Event()

    async def carry_out(self, job: Job, progress: Progress) -> Ended:
        """Carry out a job to its end."""
        try:
            variables, file = prepared(job, self._base, self._logs, self._pacers.get(job.group), self._every)
            log = opened(file)
        except (ConfigurationError, OSError) as error:
            return refused(error)
        try:
            process = await self._begun(job, variables)
            return process if isinstance(process, Ended) else await self._followed(process, log, progress)
        finally:
            os.close(log)

    async def _begun(self, job: Job, variables: Mapping[str, str]) -> asyncio.subprocess.Process | Ended:
        try:
            # In a session of its own: Ctrl-C at the terminal comes to the fleet, which hands it on once.
            return await asyncio.create_subprocess_exec(
                *(sys.executable, *command_of(job)),
                cwd=self._base,
                env=variables,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
                limit=_LINE,
            )
        except OSError as error:
            cure = cure_of(error, "mend that, and run the fleet again")
            message = f"its process cannot be started ({error.strerror or error}); {cure}"
            return Ended(ExitCode.USAGE, message=message)

    async def _followed(self, process: asyncio.subprocess.Process, log: int, progress: Progress) -> Ended:
        self._running.add(process)
        child = _Child(process)
        minding = asyncio.create_task(self._end_when_hung(child), name="hung job")
        try:
            if self._stopping.is_set():
                _signal(process, signal.SIGTERM)
            stdout, stderr = cast("_Readers", (process.stdout, process.stderr))  # both are pipes
            printed, words = await asyncio.gather(stdout.read(), _listen(stderr, child, log, progress))
            code = await process.wait()
        finally:
            minding.cancel()
            self._running.discard(process)
            _signal(process, signal.SIGKILL)  # if nobody waits for it any more
        try:
            summary = orjson.loads(printed)
        except ValueError:
            summary = {}
        if child.hung:
            did = f"it hung: asked to stop, it said nothing for {self._quiet:g} s, and was killed"
            words = f"{did}; the same command goes on where it was"
        return Ended(code, summary if isinstance(summary, dict) else {}, words)

    async def _end_when_hung(self, child: _Child) -> None:
        """Kill a process that says nothing when it was asked to stop: it would keep the fleet from ending."""
        await self._stopping.wait()
        found, looks = child.lines, 0
        while looks < _LOOKS:
            await asyncio.sleep(self._quiet / _LOOKS)
            found, looks = (found, looks + 1) if child.lines == found else (child.lines, 0)
        child.hung = _signal(child.process, signal.SIGKILL)

    def stop(self) -> None:
        """Ask all jobs to stop; one that hangs is ended."""
        self._stopping.set()
        for process in self._running:
            _signal(process, signal.SIGTERM)

    def kill(self) -> None:
        """End all jobs at once."""
        for process in self._running:
            _signal(process, signal.SIGKILL)


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> bool:
    """Send a signal to a process; whether it was still there."""
    # Before 3.12.5 `send_signal` could take the exit code from whoever waits for it (python/cpython#87744).
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.kill(process.pid, number)
            return True
    return False


async def _listen(stream: asyncio.StreamReader, child: _Child, log: int, progress: Progress) -> str | None:
    """Hand on progress, keep all the rest as the job's log; give the last line that was said in words."""
    words = None
    while line := await _line(stream):
        child.lines += 1
        event = event_of(line)
        if is_progress(event):
            progress(event)
            continue
        if event is None and (said := line.decode(errors="replace").strip()):
            words = said.removeprefix("error: ").removeprefix("bug: ")
        with suppress(OSError):  # a full disk is the job's to tell
            os.write(log, line)
    return words


async def _line(stream: asyncio.StreamReader) -> bytes:
    while True:
        with suppress(ValueError):  # a line without an end: it is left out
            return await stream.readline()

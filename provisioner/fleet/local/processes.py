"""Where a job is carried out: the real command, in a process of this machine, that knows of no other job."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeAlias, cast

import orjson

from provisioner.errors import ExitCode
from provisioner.fleet.engine import Progress, command_of, cure_of, event_of, opened, prepared, refused
from provisioner.fleet.jobs import Job
from provisioner.fleet.standing import Ended

_Readers: TypeAlias = tuple[asyncio.StreamReader, asyncio.StreamReader]
_LINE: Final = 1 << 20


class Processes:
    """Jobs as processes of this machine.

    base    the folder that they are started in
    logs    the folder of their logs
    pacers  job's group → the socket that its slots come from
    """

    def __init__(self, base: Path, logs: Path, pacers: Mapping[str, Path], every: float) -> None:
        self._base, self._logs, self._pacers, self._every = base, logs, pacers, every
        self._running: set[asyncio.subprocess.Process] = set()
        self._stopping = False

    async def carry_out(self, job: Job, progress: Progress) -> Ended:
        """Carry out a job to its end."""
        needed = prepared(job, self._base, self._logs, self._pacers.get(job.group), self._every)
        if isinstance(needed, Ended):
            return needed
        try:
            log = opened(needed[1])
        except OSError as error:
            return refused(error)
        try:
            process = await self._begun(job, needed[0])
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
        try:
            if self._stopping:
                process.terminate()
            stdout, stderr = cast("_Readers", (process.stdout, process.stderr))  # both are pipes
            printed, words = await asyncio.gather(stdout.read(), _listen(stderr, log, progress))
            code = await process.wait()
        finally:
            self._running.discard(process)
            if process.returncode is None:  # nobody waits for it any more
                process.kill()
        try:
            summary = orjson.loads(printed)
        except ValueError:
            summary = {}
        return Ended(code, summary if isinstance(summary, dict) else {}, words)

    def stop(self) -> None:
        """Ask all jobs to stop."""
        self._stopping = True
        for process in self._running:
            with suppress(ProcessLookupError):
                process.terminate()

    def kill(self) -> None:
        """End all jobs at once."""
        for process in self._running:
            with suppress(ProcessLookupError):
                process.kill()


async def _listen(stream: asyncio.StreamReader, log: int, progress: Progress) -> str | None:
    """Hand on progress, keep all the rest as the job's log; give the last line that was said in words."""
    words = None
    while line := await _line(stream):
        event = event_of(line)
        if event is not None and event.get("event") == "run.progress":
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

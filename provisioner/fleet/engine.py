"""Where a job is carried out: the real command, in a process of this machine, that knows of no other job."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, Self, TypeAlias, cast

import orjson

from provisioner.errors import ConfigurationError, ExitCode
from provisioner.files import PRIVATE
from provisioner.fleet.jobs import Job
from provisioner.fleet.standing import SIGNALLED, Ended
from provisioner.journal.lock import holder_of, process_of
from provisioner.results.outputs import summary_of
from provisioner.run.progress.watch import PROGRESS_SECONDS
from provisioner.run.wiring import PACER
from provisioner.settings.apikey import API_KEY_ORIGIN, API_KEY_VARIABLE
from provisioner.settings.secretfile import is_shown, looks_like_key, secret_of

Progress = Callable[[Mapping[str, Any]], None]
"""Told the facts of a progress event."""

_Readers: TypeAlias = tuple[asyncio.StreamReader, asyncio.StreamReader]
_LINE: Final = 1 << 20
_PASSED: Final = frozenset(
    {
        "PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR",
        "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "LD_LIBRARY_PATH",
        "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV",
    }
)  # fmt: skip
"""What every process needs of its surroundings: no secret of ours, and nothing that says where users go."""


class Engine(Protocol):
    """What carries out jobs."""

    async def carry_out(self, job: Job, progress: Progress) -> Ended:
        """Carry out a job to its end."""

    def stop(self) -> None:
        """Ask all jobs to stop: what is on the wire finishes, and is recorded."""

    def kill(self) -> None:
        """End all jobs at once; their journals know all that matters."""


def environment_of(
    job: Job, base: Path, environment: Mapping[str, str], pacer: Path | str | None, every: float
) -> dict[str, str]:
    """Give the variables of a job. Raises `ConfigurationError` when its key cannot be had.

    environment  the fleet's own
    pacer        the socket, or the actor, that its slots come from
    every        seconds between two progress events
    """
    own = {name: value for name, value in environment.items() if name in _PASSED or name.startswith("LC_")}
    for name in job.passed:
        if name not in environment:
            raise ConfigurationError(f"{name}: this variable, which the job needs, is not set")
    own |= job.variables(environment)
    if (key := _key(job, base, environment)) is not None:
        own |= {API_KEY_VARIABLE: key, API_KEY_ORIGIN: job.key_variable or str(job.key_file)}
    if pacer is not None:
        own[PACER] = str(pacer)
    return own | {PROGRESS_SECONDS: str(every)}


def _key(job: Job, base: Path, environment: Mapping[str, str]) -> str | None:
    if job.key_variable is not None:
        if not (key := environment.get(job.key_variable, "").strip()):
            named = "what it names" if looks_like_key(job.key_variable) else job.key_variable
            raise ConfigurationError(f"api_key_variable: {named} is not set")
        return key
    if job.key_file is None:
        return None
    try:
        path = (base / job.key_file).expanduser()
    except RuntimeError as error:  # `~somebody` who is nobody
        if not is_shown(job.key_file, like_key=True):
            raise ConfigurationError("api_key_file: what was given is no path") from None
        raise ConfigurationError(f"api_key_file: {job.key_file} cannot be read ({error})") from None
    key = secret_of(path, "api_key_file", "api_key_variable", like_key=True).strip()
    if not key:
        raise ConfigurationError(f"api_key_file: {job.key_file} is empty")
    return key


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
        try:
            variables = environment_of(job, self._base, os.environ, self._pacers.get(job.group), self._every)
            (self._base / job.output).parent.mkdir(parents=True, exist_ok=True)
            log = _opened(self._logs / f"{job.file_name}.log")
        except ConfigurationError as error:
            return Ended(error.exit_code, message=str(error))
        except OSError as error:
            return Ended(ExitCode.USAGE, message=f"{error.filename}: cannot be written ({error.strerror})")
        try:
            # In a session of its own: Ctrl-C at the terminal comes to the fleet, which hands it on once.
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, *_begun(job)),
                cwd=self._base,
                env=variables,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
                limit=_LINE,
            )
            return await self._followed(process, log, progress)
        finally:
            os.close(log)

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


@dataclass(frozen=True, slots=True)
class Left:
    """The process of a job that an earlier fleet has left running, as surely as the system can tell.

    base     the folder that it was started in
    summary  of the job, and `before`: which file that was when the process was found
    """

    job: Job
    base: Path
    process: int
    summary: Path
    before: tuple[int, int] | None

    @classmethod
    def find(cls, job: Job, base: Path) -> Self | None:
        """Find it; None when nobody holds the job's journal, or somebody who is not surely such a process."""
        holder, summary = holder_of(base / job.journal), summary_of(base / job.output)
        if holder is None or (process := process_of(holder)) is None:
            return None
        left = cls(job, base, process, summary, _version_of(summary))
        return left if left.is_there() else None

    def is_there(self) -> bool:
        """Whether the process is there: this user's, in this folder, started as the job is. False without `/proc`."""
        process = Path("/proc", str(self.process))
        try:
            words = (process / "cmdline").read_bytes().removesuffix(b"\0").split(b"\0")
            ours = process.stat().st_uid == os.getuid() and (process / "cwd").samefile(self.base)
            ours = ours and not _is_tended(process)
        except OSError:
            return False
        # Whether its fleet was given --yes is the same to us.
        begun = [each for each in words if each != b"--yes"]
        job = [os.fsencode(each) for each in _begun(self.job) if each != "--yes"]
        return ours and begun[-len(job) :] == job

    def stop(self) -> None:
        """Ask it to stop: what is on the wire finishes, and is recorded."""
        with suppress(ProcessLookupError):
            os.kill(self.process, ExitCode.SIGTERM - SIGNALLED)

    def ended(self) -> Ended | None:
        """Tell how it ended by the summary that it wrote; None when it wrote none."""
        if _version_of(self.summary) == self.before:
            return None
        try:
            document = orjson.loads(self.summary.read_bytes())
            return Ended(int(document["exit_code"]), document)
        except (OSError, ValueError, KeyError, TypeError):
            return None


def _is_tended(process: Path) -> bool:
    """Whether the parent is another fleet, which is alive: it has left nothing. Raises OSError."""
    parent = (process / "stat").read_bytes().rpartition(b")")[2].split()[1].decode()
    return parent != str(os.getpid()) and b"fleet" in Path("/proc", parent, "cmdline").read_bytes().split(b"\0")


def _version_of(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def _begun(job: Job) -> list[str]:
    return ["-P", "-m", "provisioner", *job.arguments()]


def _opened(path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, PRIVATE)


async def _listen(stream: asyncio.StreamReader, log: int, progress: Progress) -> str | None:
    """Hand on progress, keep all the rest as the job's log; give the last line that was said in words."""
    words = None
    while line := await _line(stream):
        event = _event(line)
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


def _event(line: bytes) -> dict[str, Any] | None:
    try:
        event = orjson.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) else None

"""Where a job is carried out: the real command, in a process of this machine, that knows of no other job."""

from __future__ import annotations

import asyncio
import errno
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, Self, TypeAlias, cast

import orjson

from provisioner.errors import ConfigurationError, ExitCode
from provisioner.files.looking import content_of
from provisioner.files.writing import PRIVATE
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

_FEWER: Final = "start fewer jobs at a time (--jobs)"
_SCARCE: Final[Mapping[int, str]] = {
    errno.EMFILE: f"{_FEWER}, or raise the limit of open files (ulimit -n)",
    errno.EAGAIN: f"{_FEWER}, or raise the limit of processes (ulimit -u)",
    errno.ENFILE: _FEWER,
    errno.ENOMEM: _FEWER,
}
"""What a machine can have too little of, and what to do then."""

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


def prepared(
    job: Job, base: Path, logs: Path, pacer: Path | str | None, every: float
) -> tuple[dict[str, str], Path] | Ended:
    """Give the variables of a job and the file of its log, with the folders that it needs; or how it has ended."""
    log = logs / f"{job.file_name}.log"
    try:
        variables = environment_of(job, base, os.environ, pacer, every)
        for file in (base / job.output, log):
            file.parent.mkdir(parents=True, exist_ok=True)
    except ConfigurationError as error:
        return Ended(error.exit_code, message=str(error))
    except OSError as error:
        return refused(error)
    return variables, log


def refused(error: OSError) -> Ended:
    """See a job whose files cannot be had as ended."""
    cure = cure_of(error, "")
    message = f"{error.filename}: cannot be written ({error.strerror}){cure and f'; {cure}'}"
    return Ended(ExitCode.USAGE, message=message)


def cure_of(error: OSError, otherwise: str) -> str:
    """Say what to do when this machine has not enough of something; `otherwise` when it is not that."""
    return _SCARCE.get(error.errno or 0, otherwise)


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
                *(sys.executable, *_begun(job)),
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
            document = orjson.loads(content_of(self.summary))
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


def opened(log: Path) -> int:
    """Open the log of a job, to be written at its end. Raises OSError."""
    return os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, PRIVATE)


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


def event_of(line: bytes | str) -> dict[str, Any] | None:
    """Read a line of a job as a log event; None when it is none."""
    try:
        event = orjson.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) else None

"""What carries out a job, and what each has to have for that: variables, folders and a log of its own."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Protocol, TypeGuard

import orjson

from provisioner.errors import ConfigurationError, ExitCode
from provisioner.files.writing import PRIVATE
from provisioner.fleet.jobs import Job
from provisioner.fleet.standing import Ended
from provisioner.run.progress.watch import PROGRESS_SECONDS
from provisioner.run.wiring import PACER
from provisioner.settings.apikey import API_KEY_ORIGIN, API_KEY_VARIABLE
from provisioner.settings.secretfile import looks_like_key, secret_of

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
    key = secret_of(base / job.key_file, "api_key_file", "api_key_variable", like_key=True).strip()
    if not key:
        raise ConfigurationError(f"api_key_file: {job.key_file} is empty")
    return key


def prepared(job: Job, base: Path, logs: Path, pacer: Path | str | None, every: float) -> tuple[dict[str, str], Path]:
    """Give the variables of a job and the file of its log, with the folders that it needs. Raises as `refused` says."""
    log = logs / f"{job.file_name}.log"
    variables = environment_of(job, base, os.environ, pacer, every)
    for file in (base / job.output, log):
        file.parent.mkdir(parents=True, exist_ok=True)
    return variables, log


def refused(error: ConfigurationError | OSError) -> Ended:
    """See a job whose key, variables or files cannot be had as ended."""
    if isinstance(error, ConfigurationError):
        return Ended(error.exit_code, message=str(error))
    cure = cure_of(error, "")
    message = f"{error.filename}: cannot be written ({error.strerror}){cure and f'; {cure}'}"
    return Ended(ExitCode.USAGE, message=message)


def cure_of(error: OSError, otherwise: str) -> str:
    """Say what to do when this machine has not enough of something; `otherwise` when it is not that."""
    return _SCARCE.get(error.errno or 0, otherwise)


def command_of(job: Job) -> list[str]:
    """Give the words behind Python's own that start a job as a process."""
    return ["-P", "-m", "provisioner", *job.arguments()]


def opened(log: Path) -> int:
    """Open the log of a job, to be written at its end. Raises OSError."""
    return os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, PRIVATE)


def event_of(line: bytes | str) -> dict[str, Any] | None:
    """Read a line of a job as a log event; None when it is none."""
    try:
        event = orjson.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) else None


def is_progress(event: dict[str, Any] | None) -> TypeGuard[dict[str, Any]]:
    """Tell whether a log event says how far a job is."""
    return event is not None and event.get("event") == "run.progress"

"""The process of a job that an earlier fleet has left running: found, stopped, and asked how it ended."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import orjson

from provisioner.files.looking import content_of
from provisioner.fleet.engine import command_of
from provisioner.fleet.jobs import Job
from provisioner.fleet.standing import Ended
from provisioner.journal.lock import holder_of, process_of
from provisioner.results.outputs import summary_of


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
        job = [os.fsencode(each) for each in command_of(self.job) if each != "--yes"]
        return ours and begun[-len(job) :] == job

    def stop(self) -> None:
        """Ask it to stop: what is on the wire finishes, and is recorded."""
        with suppress(ProcessLookupError):
            os.kill(self.process, signal.SIGTERM)

    def kill(self) -> None:
        """End it at once; its journal knows all that matters."""
        with suppress(ProcessLookupError):
            os.kill(self.process, signal.SIGKILL)

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

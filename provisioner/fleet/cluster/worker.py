"""What a node does for a job: the same as the command, by the Python API, in a process that does nothing else.

Its paths are those of the fleet's folder, which every node has to see.
"""

from __future__ import annotations

import asyncio
import io
import os
import sys
import time
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TypeAlias

from provisioner import api
from provisioner.errors import ExitCode
from provisioner.fleet.engine import event_of, is_progress, opened, refused
from provisioner.fleet.jobs import Job
from provisioner.journal.lock import holder_of
from provisioner.logs.events import get_logger, set_up
from provisioner.run.command import confirming_mints
from provisioner.run.runtime import loop_factory, set_up_logs
from provisioner.settings.apikey import API_KEY_VARIABLE
from provisioner.settings.tables import Settings
from provisioner.stop import Stop, Stopper

OURS: Final = ("COMETCHAT_", "PROVISIONER_")
"""What the names of variables begin with that are a job's own, whatever a node has."""

# Seconds between two reports, and for which the process of a node that is lost may still hold a journal.
_EVERY: Final = 0.5
_LINGERING: Final = 30.0

End: TypeAlias = tuple[int, dict[str, Any], str | None]
"""An exit code, a summary, and the last words where there is no summary."""


class Lines(io.TextIOBase):
    """What a job says: progress is kept for the next report, the rest goes into its log."""

    def __init__(self, log: int) -> None:
        self._log, self._rest = log, ""
        self.facts: dict[str, Any] = {}

    def writable(self) -> bool:
        """Say that it takes text."""
        return True

    def write(self, text: str) -> int:
        """Take some; whole lines are looked at."""
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._take(line)
        return len(text)

    def _take(self, line: str) -> None:
        event = event_of(line)
        if is_progress(event):
            self.facts = event
            return
        with suppress(OSError):  # a full disk is the job's to tell
            os.write(self._log, line.encode() + b"\n")


def carry_out(job: Job, base: str, log: str, variables: Mapping[str, str], hub: Any) -> End:
    """Carry out a job to its end, in a process that is ended afterwards.

    base       the fleet's folder
    log        the file of its log
    variables  its environment, see `fleet.engine.prepared`
    hub        the actor, see `cluster.hub.Hub`
    """
    try:
        (Path(base) / job.output).parent.mkdir(parents=True, exist_ok=True)
        said = Lines(opened(Path(log)))
        os.chdir(base)
    except OSError as error:
        ended = refused(error)
        return ended.exit_code, {}, ended.message
    for name in [each for each in os.environ if each.startswith(OURS)]:
        del os.environ[name]
    os.environ.update(variables)
    sys.stderr = said
    set_up(format_="json", secrets=[variables.get(API_KEY_VARIABLE, "")])
    try:
        settings = settings_of(job)
        set_up_logs(settings, ())
        _wait_for(job.journal)
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            summary = runner.run(_reporting(job, settings, said, hub))
    except Exception as error:
        stop = Stop.because_of(error)
        if stop.exit_code is ExitCode.BUG:
            get_logger().error("run.bug", exc_info=error)
        return int(stop.exit_code), {}, stop.message
    return int(summary.exit_code), dict(summary.document), None


def _wait_for(journal: Path) -> None:
    """Wait until the process of a node that was lost has let go of the journal; a run tells who holds it else."""
    until = time.monotonic() + _LINGERING
    while holder_of(journal) is not None and time.monotonic() < until:
        time.sleep(_EVERY)


async def _reporting(job: Job, settings: Settings, said: Lines, hub: Any) -> Any:
    import ray

    stopper = Stopper()
    reporting = asyncio.create_task(report(job.name, said, hub, stopper, _EVERY))
    try:
        return await _work(job, settings, stopper)
    finally:
        reporting.cancel()
        await asyncio.gather(reporting, return_exceptions=True)
        with suppress(ray.exceptions.RayError):  # it is for a picture
            await hub.report.remote(job.name, said.facts)


async def report(name: str, said: Lines, hub: Any, stopper: Stopper, every: float) -> None:
    """Report a job again and again; by the answers it hears that all are to stop."""
    import ray

    while True:
        with suppress(ray.exceptions.RayError):  # the next one may get through
            if await hub.report.remote(name, said.facts) and not stopper.is_stopping():
                stopper.request(Stop("sigterm", "interrupted by SIGTERM", ExitCode.SIGTERM))
        await asyncio.sleep(every)


def _work(job: Job, settings: Settings, stopper: Stopper) -> Coroutine[Any, Any, Any]:
    if job.command == "sync":
        return api.sync_async(list(job.roster), settings, stopper=stopper)
    minting = confirming_mints(settings, yes=job.yes)
    return api.run_async(list(job.roster), settings, confirm_minting=minting, stopper=stopper)


def settings_of(job: Job) -> Settings:
    """Give the settings that the job's command line would give. Raises `ConfigurationError`."""
    return api.settings(job.config, None, **job.tables(), log={"format": "json", "quiet": False})

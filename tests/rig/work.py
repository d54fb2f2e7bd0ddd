"""Runs and nights inside the event loop of a test, against the emulator: no process is started."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from provisioner.emulator.app.settings import EmulatorSettings
from provisioner.emulator.server import Emulator, run_emulator
from provisioner.journal.header import Identity
from provisioner.run.job import Job, Target, make_job
from provisioner.settings.tables import Output, Retry, Settings

T = TypeVar("T")

APP = Identity("app1", "https://app1.api-eu.cometchat.io/v3")
"""What journals and states of these runs are about, whatever port the emulator has."""


@dataclass(frozen=True, slots=True)
class Place:
    """A folder with a roster and what is written beside it."""

    folder: Path

    def write(self, text: str) -> None:
        """Write the roster."""
        (self.folder / "r.csv").write_text(text, encoding="utf-8")

    def job(self, **tables: Any) -> Job:
        """Make a job for it; `tables` are those of the settings."""
        given = {"output": Output(file=self.folder / "out.csv"), "retry": Retry(backoff_base=0.001), **tables}
        return make_job([str(self.folder / "r.csv")], Settings(**given))

    def night(self, **tables: Any) -> Job:
        """Make a job whose journal is the state `hr.db`."""
        job = self.job(**tables)
        return replace(job, outputs=replace(job.outputs, journal=self.folder / "hr.db"))


def with_emulator(work: Callable[[Target, Emulator], Awaitable[T]], settings: EmulatorSettings | None = None) -> T:
    """Do something with an emulator that lives as long as that; within a minute."""

    async def main() -> T:
        async with asyncio.timeout(60), run_emulator(settings or EmulatorSettings()) as emulator:
            return await work(Target(emulator.url, emulator.api_key, APP), emulator)

    return asyncio.run(main())

"""A life of a run: the real code from the feed to the journal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, cast

import polars as pl

from benchmarks.search.case import Case, Row
from benchmarks.search.client import HERE, tables, target
from benchmarks.search.process import Ended, live
from benchmarks.search.users import body_of, profile_of, uid_of
from benchmarks.search.world import World
from provisioner.journal.journal import Journal
from provisioner.model import UserRequest
from provisioner.results.outputs import Outputs
from provisioner.roster.files.inputs import Inputs
from provisioner.roster.formats.rows import RosterBatch
from provisioner.run.admission import Admission
from provisioner.run.intake import CheckedBatch
from provisioner.run.job import Job, Run
from provisioner.run.pipeline import carry_out
from provisioner.run.wiring import connected, open_store
from provisioner.sending.life.lifecycle import Lifecycle
from provisioner.sending.life.steps import Policy
from provisioner.sending.roles import RoleCheck
from provisioner.sending.users.trace import bits_of
from provisioner.settings.tables import Settings
from provisioner.stop import Stopper
from provisioner.validation.checked import Checked

JOURNAL: Final = "out.journal.db"


def live_run(case: Case, number: int, world: World, folder: Path, *, clean: bool) -> Ended:
    """Live one life of a run in a folder; `clean` when it is neither killed nor stopped."""
    journal = WatchedJournal(folder / JOURNAL, world)
    ended = live(case, number, world, folder, lambda stopper: _life(case, number, world, journal, stopper), clean=clean)
    ended.sent = journal.marked
    return ended


async def _life(case: Case, number: int, world: World, journal: WatchedJournal, stopper: Stopper) -> None:
    settings = settings_of(case, number)
    job = Job(Inputs(()), settings, cast("Outputs", None))
    run = Run.begin(job, stopper)
    async with open_store(journal, stopper) as recorder, connected(run, target(world)) as connection:
        policy, outcomes = Policy(settings.run.on_existing, settings.run.auth_tokens), run.tally.outcomes
        lifecycle = Lifecycle(connection.exchanger, policy, connection.clock, outcomes)
        roles = RoleCheck(connection.exchanger, on=True)
        admission = Admission(Rows(case, number), roles, policy, stopper, outcomes, _READER)
        await carry_out(run, connection, recorder, lifecycle.settle, admission.feed)


_READER: Final = cast("Any", object())


class WatchedJournal(Journal):
    """Notes when the server's clock showed what as a request was recorded as sent."""

    def __init__(self, path: Path, world: World) -> None:
        super().__init__(path, HERE)
        self._world = world
        self.marked: dict[str, float] = {}

    def sent(self, requests: Iterable[UserRequest], *rest: Any, **named: Any) -> None:
        """Record them, and note when."""
        requests = list(requests)
        super().sent(requests, *rest, **named)
        for each in requests:
            self.marked[each.uid] = self._world.theirs()


@dataclass(frozen=True)
class Rows:
    """A roster that was read and checked already."""

    case: Case
    life: int

    def batches(self) -> Iterator[CheckedBatch]:
        """Give the valid rows of a life."""
        rows = [row for row in self.case.rows if self.case.version(row.who, self.life) >= 0]
        for start in range(0, len(rows), self.case.batch):
            yield self._batch(rows[start : start + self.case.batch])

    def _batch(self, rows: list[Row]) -> CheckedBatch:
        valid = pl.DataFrame(
            {
                "row": [row.who + 1 for row in rows],
                "uid": [uid_of(row.who) for row in rows],
                "body": [body_of(row.who, self.case.version(row.who, self.life)).decode() for row in rows],
                "token": [row.token and self.case.asked(self.life).auth_tokens != "none" for row in rows],
                "role": [None for _ in rows],
                "deactivated": [None for _ in rows],
                "filled": [bits_of(profile_of(row.who, self.case.version(row.who, self.life))) for row in rows],
            },
            schema={
                "row": pl.Int64,
                "uid": pl.String,
                "body": pl.String,
                "token": pl.Boolean,
                "role": pl.String,
                "deactivated": pl.Boolean,
                "filled": pl.Int64,
            },
        )
        return CheckedBatch(cast("RosterBatch", None), Checked(valid, valid, _NOBODY, {}))

    def keep(self, checked: CheckedBatch, unknown_roles: Mapping[int, str] | None = None) -> None:
        """Nothing is written of it."""


_NOBODY: Final = pl.DataFrame()


@cache
def _settings(rate: int, workers: int, attempts: int, on_existing: str, auth_tokens: str) -> Settings:
    asked = {"run": {"on_existing": on_existing, "auth_tokens": auth_tokens}}
    return Settings.model_validate(tables(rate, workers, attempts) | asked)


def settings_of(case: Case, life: int) -> Settings:
    """Give the settings of a life."""
    asked = case.asked(life)
    return _settings(case.rate, case.workers, case.attempts, asked.on_existing, asked.auth_tokens)

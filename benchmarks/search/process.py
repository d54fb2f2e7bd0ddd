"""One life of a run: the real code from the feed to the journal, in a loop of its own, against the model."""

from __future__ import annotations

import asyncio
import random
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Final, Self, cast

import polars as pl
from yarl import URL

from benchmarks.search.answers import Answer
from benchmarks.search.case import Case, Row
from benchmarks.search.loop import KilledError, SearchLoop, StuckError
from benchmarks.search.users import body_of, uid_of
from benchmarks.search.world import PATIENCE, World
from provisioner.errors import ExitCode
from provisioner.journal.journal import Journal
from provisioner.journal.view import Identity
from provisioner.model import AuthTokens, OnExisting, UserRequest
from provisioner.results.outputs import Outputs
from provisioner.roster.files.inputs import Inputs
from provisioner.roster.formats.rows import RosterBatch
from provisioner.run.admission import Admission
from provisioner.run.intake import CheckedBatch
from provisioner.run.job import Job, Run, Target
from provisioner.run.pipeline import carry_out
from provisioner.run.wiring import connected, open_store
from provisioner.sending.client import Client, Timeouts
from provisioner.sending.lifecycle import Lifecycle, Policy
from provisioner.sending.roles import RoleCheck
from provisioner.settings.tables import Settings
from provisioner.stop import Stop, Stopper
from provisioner.validation.validator import Checked

BASE: Final = "http://model/v3"
HERE: Final = Identity("model", BASE)


@dataclass(slots=True)
class Ended:
    """How a life ended, and what it left.

    killed    it was killed; else `stop` is why it stopped early, if it did
    wrong     what must not happen at all: a bug, a deadlock
    sent      uid → the server's time at which it was last recorded as sent
    """

    killed: bool = False
    stop: Stop | None = None
    wrong: list[str] = field(default_factory=list)
    steps: int = 0
    sent: Mapping[str, float] = field(default_factory=dict)

    def marked(self, uids: Iterable[str]) -> list[tuple[str, float]]:
        """Give when these were recorded as sent, those of them that were in this life."""
        return [(uid, self.sent[uid]) for uid in uids if uid in self.sent]


class _Exchange:
    """One request to the model, as aiohttp's sessions have them."""

    def __init__(self, world: World, method: str, url: URL, data: bytes | None) -> None:
        self._world, self._method, self._url, self._data = world, method, url, data

    async def __aenter__(self) -> Answer:
        path = self._url.path.removeprefix("/v3")
        loop = asyncio.get_running_loop()
        return await self._world.send(loop, self._method, path, self._url.query, self._data)

    async def __aexit__(self, *_: object) -> None:
        return None


class _Session:
    """As much of aiohttp's session as the client uses."""

    def __init__(self, world: World) -> None:
        self._world = world

    def request(self, method: str, url: URL, *, data: bytes | None, allow_redirects: bool) -> _Exchange:
        assert not allow_redirects
        return _Exchange(self._world, method, url, data)

    async def close(self) -> None:
        return None


class ModelClient(Client):
    """The real client, but for the network."""

    def __init__(self, world: World) -> None:
        limits = Timeouts(PATIENCE, PATIENCE, PATIENCE)
        super().__init__(BASE, "key", timeouts=limits, in_flight=9, agent="search")
        self._world = world

    async def __aenter__(self) -> Self:
        self._reading = self._writing = cast("Any", _Session(self._world))
        return self


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
                "token": [row.token and self.case.auth_tokens != "none" for row in rows],
                "role": [None for _ in rows],
            },
            schema={"row": pl.Int64, "uid": pl.String, "body": pl.String, "token": pl.Boolean, "role": pl.String},
        )
        return CheckedBatch(cast("RosterBatch", None), Checked(valid, valid, _NOBODY, {}))

    def keep(self, checked: CheckedBatch, unknown_roles: Mapping[int, str] | None = None) -> None:
        """Nothing is written of it."""


_NOBODY: Final = pl.DataFrame()


@cache
def _settings(case_rate: int, workers: int, attempts: int, on_existing: str, auth_tokens: str) -> Settings:
    wanted = {
        "api": {"base_url": BASE},
        "rate": {
            "requests_per_minute": case_rate,
            "standard_requests_per_minute": case_rate,
            "max_in_flight": workers,
            "share": 1.0,
        },
        "retry": {"max_attempts": attempts},
        "run": {"on_existing": on_existing, "auth_tokens": auth_tokens},
    }
    return Settings.model_validate(wanted)


def settings_of(case: Case) -> Settings:
    """Give the settings of every life of a case."""
    return _settings(case.rate, case.workers, case.attempts, case.on_existing, case.auth_tokens)


@contextmanager
def _time_of(world: World) -> Iterator[None]:
    """Have our process see its machine's clock, and nothing else."""
    wall, monotonic = time.time, time.monotonic
    time.time, time.monotonic = world.wall, lambda: world.now
    try:
        yield
    finally:
        time.time, time.monotonic = wall, monotonic


async def _life(case: Case, number: int, world: World, journal: WatchedJournal, stopper: Stopper) -> None:
    settings = settings_of(case)
    job = Job(cast("Inputs", None), settings, cast("Outputs", None))
    run = Run.begin(job, stopper)
    target = Target(BASE, "key", HERE, client=lambda *_: ModelClient(world))
    async with open_store(journal, stopper) as recorder, connected(run, target) as connection:
        policy, outcomes = Policy(OnExisting(case.on_existing), AuthTokens(case.auth_tokens)), run.tally.outcomes
        lifecycle = Lifecycle(connection.exchanger, policy, connection.clock, outcomes)
        roles = RoleCheck(connection.exchanger, on=True)
        admission = Admission(Rows(case, number), roles, policy, stopper, outcomes, _READER)
        await carry_out(run, connection.pool, recorder, lifecycle.settle, admission.feed)


_READER: Final = cast("Any", object())


def live(case: Case, number: int, world: World, path: Path, *, clean: bool = False) -> Ended:
    """Live one life on the journal at `path`, and leave there what it left on the disk.

    clean  it is neither killed nor stopped
    """
    here = case.lives[min(number, len(case.lives) - 1)]
    kill, stop = (None, None) if clean else (here.kill, here.stop)
    ended = Ended()
    world.begin(number)
    random.seed(here.order)
    loop = SearchLoop(Random(here.order) if here.order else None, world)
    journal = WatchedJournal(path, world)
    with _time_of(world):
        stopper = Stopper()
        if stop is not None:
            asked = Stop("sigterm", "asked to", ExitCode.SIGTERM)
            loop.at_step(stop, lambda: stopper.request(asked))
        try:
            loop.live(_life(case, number, world, journal, stopper), kill)
        except KilledError:
            ended.killed = True
        except StuckError as error:
            ended.wrong.append(f"stuck: {error}")
        except Exception as error:
            ended.wrong.append(f"{type(error).__name__}: {error}")
        ended.stop, ended.steps = stopper.stop, loop.steps
        world.end()
        _bury(loop, path, abrupt=ended.killed or bool(ended.wrong))
    ended.wrong += loop.errors
    if ended.stop is not None and ended.stop.reason == "bug":
        ended.wrong.append(ended.stop.message)
    ended.sent = journal.marked
    return ended


def _bury(loop: SearchLoop, path: Path, *, abrupt: bool) -> None:
    """Take a life apart; when it was killed, the disk stays as it was at that moment."""
    if not abrupt:
        loop.bury()
        return
    aside = path.with_name("aside")
    aside.mkdir()
    for name in (path.name, path.name + "-wal"):
        if path.with_name(name).exists():
            shutil.copyfile(path.with_name(name), aside / name)
    loop.bury()
    for each in path.parent.iterdir():
        if each.is_file():
            each.unlink()
    for each in aside.iterdir():
        each.rename(path.with_name(each.name))
    aside.rmdir()

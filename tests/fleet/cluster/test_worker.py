"""A job on a node is the job of the command line; what it asks the fleet is answered as at a socket."""

from __future__ import annotations

import asyncio
import errno
import os
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import orjson
import pytest
import structlog

from provisioner.errors import ExitCode, RosterError
from provisioner.fleet.cluster import worker
from provisioner.fleet.cluster.hub import Hub
from provisioner.fleet.cluster.worker import Lines, carry_out, report, settings_of
from provisioner.fleet.jobs import Job
from provisioner.sending.slots.actor import ActorLink
from provisioner.sending.slots.desk import Lease
from provisioner.stop import InterruptedEarlyError, Stop, Stopper

QUESTION = ("lease", "http://h/v3", "core", 6000.0, 10)


def test_a_job_has_the_settings_of_its_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Shard, state, output, its own config, and its app by the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COMETCHAT_BASE_URL", "http://127.0.0.1:9/v3")
    (tmp_path / "own.toml").write_text("[rate]\nrequests_per_minute = 600\n")
    shard = settings_of(Job("all 2/3", "all", "run", ("r.csv",), Path("o.csv"), Path("own.toml"), shard="2/3"))
    assert (str(shard.run.shard), shard.output.file) == ("2/3", Path("o.csv"))
    assert (shard.rate.requests_per_minute, shard.base_url) == (600, "http://127.0.0.1:9/v3")
    night = settings_of(Job("acme", "acme", "sync", ("r.csv",), Path("o.csv"), state=Path("s.db")))
    assert (night.sync.state, night.rate.requests_per_minute) == (Path("s.db"), 10_000)


def test_a_folder_that_a_node_cannot_make_ends_its_job_as_it_does_here(tmp_path: Path) -> None:
    """A file stands where it would be: exit 2, and no bug."""
    (tmp_path / "afile").write_text("")
    job = Job("a", "a", "run", ("r.csv",), Path("afile/o.csv"))
    ended = carry_out(job, str(tmp_path), str(tmp_path / "log"), {}, None)
    assert ended == (2, {}, f"{tmp_path / 'afile'}: cannot be written (File exists)")


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (RosterError("r.csv: no such file"), ExitCode.USAGE, "r.csv: no such file"),
        (InterruptedEarlyError(Stop("sigterm", "interrupted", ExitCode.SIGTERM)), ExitCode.SIGTERM, "interrupted"),
        (MemoryError(), ExitCode.SAFETY, "memory ran out"),
        (OSError(errno.EMFILE, "Too many open files"), ExitCode.SAFETY, "no more files can be opened"),
        (KeyError("k-12345678901234567890"), ExitCode.BUG, "KeyError: "),
    ],
)
def test_a_job_ends_on_a_node_as_it_would_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, code: ExitCode, message: str
) -> None:
    """A limit of the node is no bug; of one the log that the config names has the traceback, without the key."""

    async def fail(*_: Any) -> None:
        raise error

    for name, value in (("_reporting", fail), ("_wait_for", lambda _: None)):
        monkeypatch.setattr(worker, name, value)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "environ", {})
    monkeypatch.setattr(sys, "stderr", sys.stderr)
    (tmp_path / "key").write_text("k-12345678901234567890")
    (tmp_path / "key").chmod(0o600)
    (tmp_path / "own.toml").write_text('[api]\napi_key_file = "key"\n[log]\nfile = "own.log"\n')
    job = Job("a", "a", "run", ("r.csv",), Path("o.csv"), Path("own.toml"))
    ended = carry_out(job, str(tmp_path), str(tmp_path / "log"), {}, None)
    assert (ended[0], ended[1], str(ended[2]).startswith(message)) == (code, {}, True)
    structlog.get_config()["processors"][-1]._file.close()  # as the end of the process does
    logged = (tmp_path / "own.log").read_text()
    assert ("Traceback" in logged, "k-1234" in logged) == (code is ExitCode.BUG, False)


def test_progress_is_told_and_the_rest_is_logged(tmp_path: Path) -> None:
    """Line by line, in whatever pieces it comes."""
    log = os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT)
    lines = Lines(log)
    lines.write('{"event": "run.started"}\n{"event": "run.pro')
    assert lines.facts == {}
    lines.write('gress", "done": 7}\nplain words\n')
    os.close(log)
    assert lines.facts == {"event": "run.progress", "done": 7}
    assert (tmp_path / "log").read_text() == '{"event": "run.started"}\nplain words\n'


def test_the_hub_hears_reports_and_tells_all_to_stop() -> None:
    """What was heard is given once."""
    hub = Hub()
    assert hub.report("a", {"done": 1}) is False
    assert hub.report("a", {"done": 2}) is False
    assert hub.report("b", {}) is False
    assert hub.reports() == {"a": {"done": 2}}
    assert hub.reports() == {}
    hub.stop()
    assert hub.report("b", {"done": 1}) is True


class LostError(Exception):
    """As Ray raises it when an actor cannot be reached."""


@pytest.fixture
def ray(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Stand in for Ray, which need not be installed."""
    module: Any = ModuleType("ray")
    module.exceptions = SimpleNamespace(RayError=LostError)
    monkeypatch.setitem(sys.modules, "ray", module)
    return module


@pytest.mark.usefixtures("ray")
def test_a_report_that_is_lost_leaves_a_job_hearing(tmp_path: Path) -> None:
    """That all are to stop is heard by one that comes later."""
    answers = iter([None, False, True])
    stopper = Stopper()

    def heard(*_: Any) -> bool:
        answer = next(answers, True)
        if answer is None:
            raise LostError
        return answer

    async def work() -> None:
        lines = Lines(os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT))
        reporting = asyncio.create_task(report("a", lines, SimpleNamespace(report=Remote(heard)), stopper, 0.0))
        async with asyncio.timeout(60):
            await stopper.wait()
        reporting.cancel()

    asyncio.run(work())
    assert stopper.stop == Stop("sigterm", "interrupted by SIGTERM", ExitCode.SIGTERM)


class Remote:
    """A method of an actor: called as Ray has it, answered at the next turn of the loop."""

    def __init__(self, call: Any) -> None:
        self._call = call

    async def _answered(self, *given: Any) -> Any:
        return self._call(*given)

    def remote(self, *given: Any) -> Any:
        return asyncio.ensure_future(self._answered(*given))


def test_slots_come_from_an_actor_as_from_a_socket(ray: Any) -> None:
    """And when it has gone, whoever asks waits, says so, and asks the one that is there then."""
    hub, lost = Hub(), list[float]()

    def dead(*_: Any) -> Any:
        raise LostError

    actors = [SimpleNamespace(answer=Remote(dead), forget=Remote(dead))]

    def get_actor(name: str, namespace: str) -> Any:
        assert (name, namespace) == ("fleet 1", "provisioner")
        return actors[-1]

    ray.get_actor = get_actor

    def gone(seconds: float) -> None:
        lost.append(seconds)
        actors.append(SimpleNamespace(answer=Remote(hub.answer), forget=Remote(hub.forget)))

    async def ask() -> list[Any]:
        link = ActorLink("fleet 1", lambda: 5.0, gone)
        try:
            return await link.ask(QUESTION)
        finally:
            link.close()
            await asyncio.sleep(0)

    lease = Lease(*asyncio.run(ask()))
    assert (lost, lease.slots, lease.per_minute) == ([0.0], 1, 6000.0)
    assert orjson.loads(orjson.dumps(hub.answer("x", list(QUESTION))))[3] == 6000.0

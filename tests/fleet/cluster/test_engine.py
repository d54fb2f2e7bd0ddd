"""Jobs of a fleet on a Ray cluster; what needs Ray itself is a campaign, for it takes half a minute to begin."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from provisioner.errors import UsageError
from provisioner.files.cures import with_extra
from provisioner.fleet.cluster.engine import RayJobs, on_cluster
from provisioner.fleet.jobs import read_fleet
from tests.rig.command import COMMAND, KEY, emulator, environment, people, rows, write_roster

FLEET = '[[job]]\nname = "all"\nroster = "people.csv"\nshards = 2\nbase_url = "{url}"\napi_key_file = "key"\n'


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("local", f"--ray needs Ray; {with_extra('ray')}"),
        ("auto", f"--ray needs Ray; {with_extra('ray')}"),
    ],
)
def test_without_ray_it_is_said_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str, message: str
) -> None:
    """In one sentence, before anything is started."""
    monkeypatch.setitem(sys.modules, "ray", None)
    (tmp_path / "f.toml").write_text(FLEET.format(url="http://127.0.0.1:9/v3"))

    async def reach() -> None:
        async with on_cluster(read_fleet(tmp_path / "f.toml"), address, 1.0):
            raise AssertionError("there is no Ray")

    with pytest.raises(UsageError) as error:
        asyncio.run(reach())
    assert str(error.value) == message


class Recorded:
    """The task of a cluster: it keeps what it was given, and ends well at once."""

    def __init__(self) -> None:
        self.given: list[tuple[Any, ...]] = []

    def options(self, **_: object) -> Recorded:
        return self

    def remote(self, *given: Any) -> Any:
        self.given.append(given)
        return asyncio.sleep(0, (0, {}, None))


def test_a_job_has_its_key_also_where_the_fleet_has_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A node knows nothing of the fleet's surroundings: what is a job's own goes there whoever else has it here."""
    table = {"app_id": "a", "region": "eu", "api_key_variable": "COMETCHAT_API_KEY", "environment": "AWS_PROFILE"}
    for name, value in {"COMETCHAT_API_KEY": "k", "COMETCHAT_REGION": "eu", "AWS_PROFILE": "p", "X": "x"}.items():
        monkeypatch.setenv(name, value)
    lines = "".join(f'{name} = "{value}"\n' for name, value in table.items())
    (tmp_path / "f.toml").write_text(f'[[job]]\nname = "acme"\nroster = "r.csv"\n{lines}')
    fleet, task = read_fleet(tmp_path / "f.toml"), Recorded()
    errors = SimpleNamespace(RayTaskError=ArithmeticError, RayError=OSError)
    ray = SimpleNamespace(remote=lambda **_: lambda _: task, exceptions=errors)
    jobs = RayJobs(ray, fleet, "hub", "name", frozenset(), 1.0)
    ended = asyncio.run(jobs.carry_out(fleet.jobs[0], lambda _: None))
    ((job, base, log, variables, hub),) = task.given
    assert (ended.exit_code, job, base, hub) == (0, fleet.jobs[0], str(tmp_path), "hub")
    assert log == str(tmp_path / "f.fleet/logs/acme.log")
    assert variables == {
        "COMETCHAT_API_KEY": "k", "COMETCHAT_APP_ID": "a", "COMETCHAT_REGION": "eu", "AWS_PROFILE": "p",
        "PROVISIONER_PROGRESS_SECONDS": "1.0", "PROVISIONER_API_KEY_ORIGIN": "COMETCHAT_API_KEY",
    }  # fmt: skip


@pytest.mark.campaign
@pytest.mark.process
@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="the extra ray is not installed")
def test_a_fleet_on_ray_does_what_one_of_processes_does(tmp_path: Path) -> None:
    """Both shards, every user once, with a token; another run of it costs no request."""

    def carried_out() -> dict[str, Any]:
        # Not forked from a process that has threads, as `provisioner` is here: Ray is not made for that.
        command = [COMMAND, "fleet", "f.toml", "--ray", "local", "--json"]
        ended = subprocess.run(
            command, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False, timeout=240
        )
        assert ended.returncode == 0, ended.stderr
        totals: dict[str, Any] = json.loads(ended.stdout)["totals"]
        return totals

    write_roster(tmp_path / "people.csv", people(200))
    (tmp_path / "key").write_text(KEY)
    with emulator(tmp_path) as api:
        (tmp_path / "f.toml").write_text(FLEET.format(url=api.url))
        assert carried_out()["created"] == 200
        assert sorted(api.created()) == [each["uid"] for each in people(200)]
        assert carried_out()["requests"] == 0
    found = [line for path in (tmp_path / "f.fleet/all").glob("*.results.csv") for line in rows(path)]
    assert {line["outcome"] for line in found} == {"created"}
    assert all(line["auth_token"] for line in found)

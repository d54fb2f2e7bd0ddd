"""Jobs of a fleet on a Ray cluster; what needs Ray itself is a campaign, for it takes half a minute to begin."""

from __future__ import annotations

import asyncio
import csv
import importlib.util
import sys
from pathlib import Path

import pytest

from provisioner.errors import UsageError
from provisioner.fleet.cluster.engine import on_cluster
from provisioner.fleet.jobs import read_fleet
from tests.rig.command import KEY, emulator, people, provisioner, write_roster

FLEET = '[[job]]\nname = "all"\nroster = "people.csv"\nshards = 2\nbase_url = "{url}"\napi_key_file = "key"\n'


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("local", "--ray needs Ray: pip install 'cometchat-provisioner[ray]'"),
        ("auto", "--ray needs Ray: pip install 'cometchat-provisioner[ray]'"),
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


@pytest.mark.campaign
@pytest.mark.process
@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="the extra ray is not installed")
def test_a_fleet_on_ray_does_what_one_of_processes_does(tmp_path: Path) -> None:
    """Both shards, every user once, with a token; another run of it costs no request."""
    write_roster(tmp_path / "people.csv", people(200))
    (tmp_path / "key").write_text(KEY)
    with emulator(tmp_path) as api:
        (tmp_path / "f.toml").write_text(FLEET.format(url=api.url))
        command = ("fleet", "f.toml", "--ray", "local", "--json")
        done = provisioner(*command, cwd=tmp_path)
        assert done.exit_code == 0, done.stderr
        assert sorted(api.created()) == [each["uid"] for each in people(200)]
        again = provisioner(*command, cwd=tmp_path)
        assert again.summary["totals"]["requests"] == 0
    found = [
        line
        for path in (tmp_path / "f.fleet/all").glob("*.results.csv")
        for line in csv.DictReader(path.open(newline="", encoding="utf-8"))
    ]
    assert {line["outcome"] for line in found} == {"created"}
    assert all(line["auth_token"] for line in found)

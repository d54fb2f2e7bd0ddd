"""What docs/fleet.md and the template of a shard's job show is taken, and does what they say."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from provisioner.fleet.jobs import KEYS, read_fleet
from tests.rig.command import KEY, ROOT, emulator, people, provisioner, rows, write_roster

PAGE = (ROOT / "docs/fleet.md").read_text(encoding="utf-8")
TEMPLATE = (ROOT / "docs/schedulers/shard-job.yaml").read_text(encoding="utf-8")


def manifests(number: int, of: int) -> dict[str, dict[str, Any]]:
    """Give the objects of a shard by kind, as the template's own line makes them."""
    filled = TEMPLATE.replace("@I@", str(number)).replace("@N@", str(of)).replace("@SHARE@", "45%")
    return {each["kind"]: each for each in yaml.safe_load_all(filled)}


def test_the_fleet_of_the_page_is_one(tmp_path: Path) -> None:
    """Two tenants and eight shards, with the keys that the table explains."""
    found = re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    (tmp_path / "tenants.toml").write_text(found[1], encoding="utf-8")
    jobs = read_fleet(tmp_path / "tenants.toml").jobs
    assert [job.name for job in jobs] == ["acme", "zeta", *(f"everybody {number}/8" for number in range(1, 9))]
    assert [job.command for job in jobs[:3]] == ["sync", "sync", "run"]
    table = PAGE.split("## The keys")[1].split("\n## ")[0]
    assert {key for key in KEYS if f"`{key}`" in table} == set(KEYS)


def test_a_volume_for_each_shard_and_another_try_for_what_can_be_resumed() -> None:
    """Names tell the shard; the codes that end a job are those against which trying again helps nothing."""
    first, second = (manifests(number, 2) for number in (1, 2))
    names = [each["PersistentVolumeClaim"]["metadata"]["name"] for each in (first, second)]
    assert names == ["provisioner-shard-1-of-2", "provisioner-shard-2-of-2"]
    spec = second["Job"]["spec"]
    volumes = {each["name"]: each for each in spec["template"]["spec"]["volumes"]}
    assert volumes["state"]["persistentVolumeClaim"]["claimName"] == names[1]
    assert spec["podFailurePolicy"]["rules"][1]["onExitCodes"]["values"] == [1, 2, 3, 5, 70]


@pytest.mark.process
def test_the_commands_of_the_template_create_everybody(tmp_path: Path) -> None:
    """Both shards, one after the other: each user once."""
    write_roster(tmp_path / "users.csv", people(40))
    with emulator(tmp_path) as api:
        (tmp_path / "provisioner.toml").write_text(f'[api]\nbase_url = "{api.url}"\n')
        for number in (1, 2):
            (container,) = manifests(number, 2)["Job"]["spec"]["template"]["spec"]["containers"]
            command = [re.sub("^/(roster|config|state)/", f"{tmp_path}/", each) for each in container["command"][1:]]
            ended = provisioner(*command, cwd=tmp_path, COMETCHAT_API_KEY=KEY)
            assert ended.exit_code == 0, ended.stderr
        created = api.created()
    results = [line for number in (1, 2) for line in rows(tmp_path / f"shard-{number}-of-2.results.csv")]
    assert Counter(created) == Counter(line["uid"] for line in results) == {each["uid"]: 1 for each in people(40)}

"""What docs/fleet.md and the template of a shard's job show is taken, and does what they say."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any, Self

import pytest
import yaml  # type: ignore[import-untyped]

from provisioner.errors import ExitCode
from provisioner.fleet.jobs import KEYS, read_fleet
from tests.rig.command import (
    COMMAND,
    KEY,
    ROOT,
    emulator,
    environment,
    people,
    provisioner,
    rows,
    write_roster,
)

PAGE = (ROOT / "docs/fleet.md").read_text(encoding="utf-8")
SCHEDULERS = ROOT / "docs/schedulers"
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


@pytest.mark.slow
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


def indexed() -> dict[str, Any]:
    """Give the spec of the indexed Job."""
    documents = yaml.safe_load_all((SCHEDULERS / "indexed-job.yaml").read_text(encoding="utf-8"))
    spec: dict[str, Any] = {each["kind"]: each for each in documents}["Job"]["spec"]
    return spec


def carried_out(command: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Carry out a line of a scheduler by a shell, with its places in a folder."""
    moved = re.sub(r"/(?:srv/hr|etc/provisioner|var/lib/provisioner|roster|config|state)/", f"{folder}/", command)
    path = f"{Path(COMMAND).parent}:{os.environ['PATH']}"
    return subprocess.run(
        ["sh", "-c", moved], cwd=folder, env=environment(PATH=path, COMETCHAT_API_KEY=KEY, **variables),
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.process
def test_the_indexed_job_creates_everybody_and_merges(tmp_path: Path) -> None:
    """An index for each shard; a code that helps nothing fails its index alone; the results are found by merge."""
    spec = indexed()
    (container,) = spec["template"]["spec"]["containers"]
    shell, option, line = container["command"]
    assert (shell, option, spec["completionMode"]) == ("sh", "-c", "Indexed")
    assert f'+ 1))/{spec["completions"]}"' in line
    rule = spec["podFailurePolicy"]["rules"][1]
    assert (rule["action"], rule["onExitCodes"]["values"]) == ("FailIndex", [1, 2, 3, 5, 70])
    assert {ExitCode.USAGE, ExitCode.SAFETY, ExitCode.BUG} < set(rule["onExitCodes"]["values"])
    write_roster(tmp_path / "users.csv", people(40))
    with emulator(tmp_path) as api:
        (tmp_path / "provisioner.toml").write_text(f'[api]\nbase_url = "{api.url}"\n')
        for index in range(spec["completions"]):
            ended = carried_out(line, tmp_path, JOB_COMPLETION_INDEX=str(index))
            assert ended.returncode == 0, ended.stderr
        assert Counter(api.created()) == {each["uid"]: 1 for each in people(40)}
    assert provisioner("merge", "users.shards", cwd=tmp_path).exit_code == 0
    assert [line["outcome"] for line in rows(tmp_path / "users.results.csv")] == ["created"] * 40


class Mapped:
    """What an operator of Airflow is given: what all its tasks have, and what each has."""

    def __init__(self, **same: Any) -> None:
        self.same, self.each = same, dict[str, list[Any]]()

    @classmethod
    def partial(cls, **same: Any) -> Mapped:
        made = MADE[same["task_id"]] = cls(**same)
        return made

    def expand(self, **each: list[Any]) -> None:
        self.each = each


class Dag:
    """As much of a DAG as stands in a with statement."""

    def __init__(self, **given: Any) -> None:
        self.given = given

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


MADE: dict[str, Mapped] = {}


@pytest.mark.slow
@pytest.mark.process
def test_the_mapped_task_syncs_each_tenant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command for each, with a config of its own; what is skipped is what airflow_dag.py skips."""
    bash = "airflow.providers.standard.operators.bash"
    parts = ("airflow", "airflow.sdk", *(bash.rsplit(".", n)[0] for n in (3, 2, 1)), bash)
    modules = {name: ModuleType(name) for name in parts}
    vars(modules["airflow.sdk"])["DAG"], vars(modules[bash])["BashOperator"] = Dag, Mapped
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    known = runpy.run_path(str(SCHEDULERS / "airflow_tenants.py"))
    task = MADE["sync"]
    assert (task.same["skip_on_exit_code"], task.same["retries"]) == ([1, 5], 3)
    assert known["dag"].given["max_active_runs"] == 1
    assert len(task.each["bash_command"]) == len(known["TENANTS"]) == 2
    with emulator(tmp_path) as api:
        for tenant, number in zip(known["TENANTS"], (3, 5), strict=True):
            write_roster(tmp_path / f"{tenant}.csv", people(number, first=1 + 10 * number))
            (tmp_path / f"{tenant}.toml").write_text(
                f'[api]\nbase_url = "{api.url}"\n[sync]\nstate = "{tenant}.db"\nadopt = true\n'
                f'[output]\nfile = "{tenant}.night.csv"\n'
            )
        for command in task.each["bash_command"]:
            ended = carried_out(command, tmp_path)
            assert ended.returncode == 0, ended.stderr
        assert len(api.created()) == 8

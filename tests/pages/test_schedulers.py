"""The examples for schedulers work: their own tools take them, their commands run, their exit codes are as told."""

from __future__ import annotations

import ast
import configparser
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from provisioner.errors import ExitCode
from tests.rig.command import (
    COMMAND,
    KEY,
    ROOT,
    RunningEmulator,
    emulator,
    environment,
    people,
    provisioner,
    write_roster,
)

EXAMPLES = ROOT / "docs/schedulers"
PAGE = (ROOT / "docs/nightly-sync.md").read_text(encoding="utf-8")
CODES = set(ExitCode)
CRON = re.compile(r"((?:[\d*/,-]+ ){5}) ?(\w+)  (.+)")


def told(scheduler: str) -> dict[int, str]:
    """Give what the page says a scheduler does, by exit code."""
    section = PAGE.split("## Exit codes, and what a scheduler does\n")[1].split("\n## ")[0]
    head, _, *lines = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("|")]
    return {int(line[0]): line[head.index(scheduler)] for line in lines}


def unit(name: str) -> Mapping[str, Mapping[str, str]]:
    """Read a unit file; a key that stands twice is an error."""
    parser = configparser.ConfigParser(interpolation=None, strict=True)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string((EXAMPLES / name).read_text(encoding="utf-8"))
    return {section: dict(parser[section]) for section in parser.sections()}


def manifests() -> dict[str, dict[str, Any]]:
    """Give the objects for Kubernetes by kind."""
    documents = yaml.safe_load_all((EXAMPLES / "cronjob.yaml").read_text(encoding="utf-8"))
    return {each["kind"]: each for each in documents}


def job() -> dict[str, Any]:
    """Give the job that the CronJob makes."""
    spec: dict[str, Any] = manifests()["CronJob"]["spec"]["jobTemplate"]["spec"]
    return spec


def operator() -> dict[str, Any]:
    """Give the arguments of the DAG's operator that are literals."""
    tree = ast.parse((EXAMPLES / "airflow_dag.py").read_text(encoding="utf-8"))
    (call,) = [
        node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "BashOperator"
    ]
    literals = (ast.Constant, ast.List)
    return {each.arg: ast.literal_eval(each.value) for each in call.keywords if isinstance(each.value, literals)}  # type: ignore[misc]


def cron_line() -> tuple[list[str], str, str]:
    """Give the five fields, the user and the command."""
    lines = (EXAMPLES / "crontab").read_text(encoding="utf-8").splitlines()
    (line,) = [each for each in lines if each and not each.startswith("#") and not re.match(r"[A-Z]+=", each)]
    found = CRON.fullmatch(line)
    assert found is not None, line
    return found[1].split(), found[2], found[3]


class Machine:
    """A folder that the paths of the examples are moved to, with a state of thirty people."""

    def __init__(self, folder: Path, api: RunningEmulator) -> None:
        self.folder = folder
        self.places = {
            "/etc/provisioner": folder / "etc",
            "/var/lib/provisioner": folder / "lib",
            "/var/lib/node_exporter/textfile_collector": folder / "collector",
            "/srv/hr": folder / "hr",
            "/opt/provisioner/bin": Path(COMMAND).parent,
            "/config": folder / "etc",
            "/state": folder / "lib",
            "/roster": folder / "hr",
        }
        for place in self.places.values():
            place.mkdir(exist_ok=True)
        self.url = api.url
        self.install((EXAMPLES / "provisioner.toml").read_text(encoding="utf-8"))
        (folder / "etc/cometchat.key").write_text(KEY)
        self.staff(30)

    def install(self, config: str) -> None:
        """Put the configuration where it belongs; the emulator stands in for the app."""
        app = re.compile(r'app_id = "\w+"\nregion = "us"\n')
        assert app.search(config)
        moved = self.moved(app.sub(f'base_url = "{self.url}"\n', config))
        (self.folder / "etc/provisioner.toml").write_text(moved)

    def moved(self, text: str) -> str:
        """Put the places of this machine into a text."""
        pattern = re.compile(r"(?<![\w/.])(" + "|".join(sorted(self.places, key=len, reverse=True)) + r")(?=[/\s\"]|$)")
        return pattern.sub(lambda found: str(self.places[found[1]]), text)

    def staff(self, number: int) -> None:
        """Export so many people."""
        write_roster(self.folder / "hr/hr.csv", people(number))

    def adopt(self) -> None:
        """Have the first night behind it."""
        config = self.folder / "etc/provisioner.toml"
        ended = provisioner(
            "sync", self.folder / "hr/hr.csv", "-c", config, "--adopt", cwd=self.folder, COMETCHAT_API_KEY=KEY
        )
        assert ended.exit_code == 0, ended.stderr

    def run(self, command: str | list[str], cwd: str = "/", **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command line of an example."""
        moved = self.moved(command) if isinstance(command, str) else [self.moved(each) for each in command]
        return subprocess.run(
            ["sh", "-c", moved] if isinstance(moved, str) else moved,
            cwd=self.places.get(cwd, self.folder),
            env=environment(PATH=f"{Path(COMMAND).parent}:{os.environ['PATH']}", **variables),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEmulator]:
    """Share one emulator; each machine takes the same people over."""
    with emulator(tmp_path_factory.mktemp("emulator")) as running:
        yield running


@pytest.fixture
def machine(tmp_path: Path, api: RunningEmulator) -> Machine:
    """A machine of its own for each test."""
    return Machine(tmp_path, api)


def tool(name: str) -> str:
    """Give the path of a program, or skip the test."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed")
    return path


def checked(*command: object, **variables: str) -> str:
    """Run a tool that judges; give what it says."""
    ended = subprocess.run(
        list(map(str, command)),
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout + ended.stderr


@pytest.mark.parametrize("scheduler", ["cron", "systemd", "Kubernetes", "Airflow"])
def test_every_exit_code_is_told_of(scheduler: str) -> None:
    """No code is left to guess what it does to a scheduler."""
    assert set(told(scheduler)) == CODES


@pytest.mark.slow
def test_cron_is_silent_after_a_good_night_and_mails_after_any_other(machine: Machine) -> None:
    """Whatever cron's shell prints is mailed."""
    fields, user, command = cron_line()
    assert (fields, user) == (["30", "2", "*", "*", "*"], "provisioner")
    assert "%" not in command
    machine.adopt()
    good = machine.run(command)
    assert (good.returncode, good.stdout, good.stderr) == (0, "", "")
    machine.staff(15)
    refused = machine.run(command)
    assert refused.returncode == 0
    assert "the roster lacks 15 of 30 people, a quarter or more" in refused.stdout
    shutil.move(machine.folder / "hr/hr.csv", machine.folder / "hr/late.csv")
    late = machine.run(command)
    assert "hr.csv: " in late.stdout
    assert told("cron") == {code: "mail" if code else "silence" for code in CODES}


@pytest.mark.slow
def test_systemd_runs_the_service(machine: Machine) -> None:
    """Its command line, in its folder."""
    service = unit("provisioner-sync.service")["Service"]
    machine.adopt()
    good = machine.run(shlex.split(service["ExecStart"]), service["WorkingDirectory"])
    assert (good.returncode, good.stderr) == (0, "")
    machine.staff(15)
    assert machine.run(shlex.split(service["ExecStart"]), service["WorkingDirectory"]).returncode == 3
    assert 'provisioner_sync_stopped{state="' in (machine.folder / "collector/provisioner.prom").read_text()


def test_systemd_does_what_is_told() -> None:
    """What counts as a success, what is started again, what is not."""
    service = unit("provisioner-sync.service")["Service"]
    fine = {0, *map(int, service["SuccessExitStatus"].split())}
    final = set(map(int, service["RestartPreventExitStatus"].split()))
    assert service["Restart"] == "on-failure"
    said = {code: "success" if code in fine else "failed" if code in final else "restart" for code in CODES}
    assert told("systemd") == said
    assert unit("provisioner-sync.timer")["Timer"]["OnCalendar"] == "*-*-* 02:30:00"


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    """By `systemd-analyze verify`, with a program and a user that are there."""
    analyze = tool("systemd-analyze")
    for name in ("provisioner-sync.service", "provisioner-sync.timer"):
        text = (EXAMPLES / name).read_text(encoding="utf-8")
        text = text.replace("/opt/provisioner/bin/provisioner", COMMAND).replace("User=provisioner", "User=root")
        (tmp_path / name).write_text(text)
    assert checked(analyze, "verify", "--man=no", *sorted(tmp_path.iterdir())) == ""


@pytest.mark.slow
def test_kubernetes_runs_the_container(machine: Machine) -> None:
    """Its command line, with the configuration of the ConfigMap and the key of the Secret."""
    (container,) = job()["template"]["spec"]["containers"]
    variables = {each["name"]: each["valueFrom"]["secretKeyRef"] for each in container["env"]}
    assert variables == {"COMETCHAT_API_KEY": {"name": "provisioner", "key": "api-key"}}
    machine.install(manifests()["ConfigMap"]["data"]["provisioner.toml"])
    machine.adopt()
    good = machine.run(container["command"], container["workingDir"], COMETCHAT_API_KEY=KEY)
    assert (good.returncode, good.stderr) == (0, "")
    machine.staff(15)
    assert machine.run(container["command"], container["workingDir"], COMETCHAT_API_KEY=KEY).returncode == 3


def test_kubernetes_does_what_is_told() -> None:
    """One night at a time, and no pod is tried again where that does not help."""
    cron, spec = manifests()["CronJob"]["spec"], job()
    assert (cron["concurrencyPolicy"], spec["template"]["spec"]["restartPolicy"]) == ("Forbid", "Never")
    (container,) = spec["template"]["spec"]["containers"]
    drained, final = spec["podFailurePolicy"]["rules"]
    assert drained == {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]}
    assert (final["action"], final["onExitCodes"]["operator"]) == ("FailJob", "In")
    assert final["onExitCodes"]["containerName"] == container["name"]
    values = set(final["onExitCodes"]["values"])
    said = {code: "failed, no retry" if code in values else "retry" if code else "complete" for code in CODES}
    assert told("Kubernetes") == said


def test_kubernetes_mounts_what_the_command_names() -> None:
    """Every path of the command lies on a volume, and every volume is there."""
    pod = job()["template"]["spec"]
    (container,) = pod["containers"]
    mounts = {each["mountPath"]: each["name"] for each in container["volumeMounts"]}
    assert set(mounts.values()) == {each["name"] for each in pod["volumes"]}
    config = manifests()["ConfigMap"]["data"]["provisioner.toml"]
    named = {str(Path(each).parent) for each in container["command"] if each.startswith("/")}
    named |= {str(Path(each).parent) for each in re.findall(r'"(/[^"]+)"', config)} | {container["workingDir"]}
    assert named <= set(mounts)
    claims = {each["persistentVolumeClaim"]["claimName"] for each in pod["volumes"] if "persistentVolumeClaim" in each}
    assert claims == {manifests()["PersistentVolumeClaim"]["metadata"]["name"], "hr-export"}


def test_kubernetes_takes_the_manifests() -> None:
    """By the schemas of its API, with nothing beside what these know."""
    tools = {"kubernetes-validate": ("--strict",), "kubeconform": ("-strict",)}
    for name, options in tools.items():
        if (path := shutil.which(name)) is not None:
            checked(path, *options, EXAMPLES / "cronjob.yaml")
            return
    pytest.skip("neither kubernetes-validate nor kubeconform is installed")


@pytest.mark.slow
def test_airflow_runs_the_task(machine: Machine) -> None:
    """Its command line, in its folder."""
    task = operator()
    machine.adopt()
    good = machine.run(task["bash_command"], task["cwd"])
    assert (good.returncode, good.stderr) == (0, "")
    machine.staff(15)
    assert machine.run(task["bash_command"], task["cwd"]).returncode == 3


def test_airflow_does_what_is_told() -> None:
    """What is skipped; whatever else fails is tried again."""
    task = operator()
    skipped = set(task["skip_on_exit_code"])
    assert task["retries"] == 3
    assert told("Airflow") == {code: "skipped" if code in skipped else "retry" if code else "success" for code in CODES}


def test_airflow_takes_the_dag(tmp_path: Path) -> None:
    """Its own classes take every argument."""
    python = Path(tool("airflow")).with_name("python")
    look = (
        "import runpy; dag = runpy.run_path(__import__('sys').argv[1])['dag']; task = dag.get_task('sync'); "
        "print(dag.dag_id, dag.max_active_runs, dag.catchup, task.retries, task.skip_on_exit_code)"
    )
    said = checked(python, "-c", look, EXAMPLES / "airflow_dag.py", AIRFLOW_HOME=str(tmp_path))
    assert said.splitlines()[-1] == "provisioner_sync 1 False 3 [1, 5]"


def test_the_example_of_the_dag_is_python() -> None:
    """Whether Airflow is installed or not."""
    compile((EXAMPLES / "airflow_dag.py").read_text(encoding="utf-8"), "airflow_dag.py", "exec")


def test_no_key_stands_in_an_example() -> None:
    """The key is in the environment or in a file of its own."""
    for path in EXAMPLES.iterdir():
        assert not re.search(r"\b[0-9a-f]{32,}\b", path.read_text(encoding="utf-8")), path

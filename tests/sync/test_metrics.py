"""The metrics file is what a textfile collector takes, written however the sync ended."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from provisioner.errors import OutputError, StorageError
from provisioner.sync.metrics import check_metrics_file, write_metrics
from tests.rig.command import KEY, PACKAGE, ROOT, RunningEmulator, emulator, people, provisioner, write_roster

RULES = ROOT / "docs/alerts/provisioner.rules.yml"
PROMTOOL = shutil.which("promtool")
NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
SAMPLE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)\{((?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)*)\} (\S+)')
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')
ESCAPED = {r"\\": "\\", r"\"": '"', r"\n": "\n"}

Key = tuple[str, tuple[tuple[str, str], ...]]

NIGHT = {
    "rows": 9, "rejected": 1, "created": 2, "existing": 0, "updated": 3, "unchanged": 2, "reactivated": 1,
    "failed": 0, "pending": 0, "requests": 7, "retries": 1, "rate_limited": 0, "elapsed_seconds": 1.25,
    "stopped_by": None, "exit_code": 1, "sessions_flushed": 1,
    "leavers": {"found": 6, "deactivated": 1, "failed": 0, "pending": 0, "in_grace": 2, "reported": 3},
}  # fmt: skip


def parsed(text: str) -> dict[Key, float]:
    """Read the text format strictly: every name told of once, before its samples; no sample twice."""
    assert text.endswith("\n")
    samples: dict[Key, float] = {}
    seen: list[str] = []
    lines = iter(text.removesuffix("\n").split("\n"))
    for line in lines:
        if line.startswith("# HELP "):
            name, meaning = line.removeprefix("# HELP ").split(" ", 1)
            assert NAME.fullmatch(name)
            assert name not in seen
            assert meaning.endswith(".")
            assert next(lines) == f"# TYPE {name} gauge"
            seen.append(name)
            continue
        found = SAMPLE.fullmatch(line)
        assert found is not None, line
        assert found[1] == seen[-1]
        labels = {name: re.sub(r"\\.", lambda each: ESCAPED[each[0]], text) for name, text in LABEL.findall(found[2])}
        key = (found[1].removeprefix("provisioner_sync_"), tuple(labels.items()))
        assert key not in samples
        samples[key] = float(found[3])
    return samples


def told(path: Path) -> dict[str, float]:
    """Give the samples by name and the labels besides that of the state, times left out."""
    return {
        name + "".join(f" {value}" for label, value in labels if label != "state"): number
        for (name, labels), number in parsed(path.read_text(encoding="utf-8")).items()
        if "timestamp" not in name
    }


def test_a_night_is_told_whole(tmp_path: Path) -> None:
    """Every number of the summary that an alert may look at, with the state file as a label."""
    path, state, before = tmp_path / "new" / "sync.prom", tmp_path / "hr.state.db", time.time()
    write_metrics(path, state, 1000.0, NIGHT)
    samples = parsed(path.read_text(encoding="utf-8"))
    end = samples.pop(("end_timestamp_seconds", (("state", str(state)),)))
    assert before - 1 < end < time.time() + 1
    users = {"rejected": 1, "created": 2, "existing": 0, "updated": 3, "unchanged": 2, "reactivated": 1}
    fates = {"deactivated": 1, "failed": 0, "pending": 0, "in_grace": 2, "reported": 3}
    numbers = {"start_timestamp_seconds": 1000.0, "exit_code": 1, "success": 0, "rows": 9, "requests": 7, "retries": 1}
    numbers |= {"rate_limited": 0, "duration_seconds": 1.25, "sessions_flushed": 1}
    label = ("state", str(state))
    expected: dict[Key, float] = {
        **{(name, (label,)): value for name, value in numbers.items()},
        **{("users", (label, ("outcome", name))): n for name, n in {**users, "failed": 0, "pending": 0}.items()},
        **{("leavers", (label, ("fate", name))): n for name, n in fates.items()},
    }
    assert samples == expected


def test_what_stopped_a_night_is_a_label(tmp_path: Path) -> None:
    """So an alert can say it."""
    path = tmp_path / "sync.prom"
    write_metrics(path, None, 0.0, {**NIGHT, "stopped_by": "too_many_leavers", "exit_code": 3})
    assert parsed(path.read_text())[("stopped", (("reason", "too_many_leavers"),))] == 1


def test_without_a_summary_there_are_times_and_the_exit_code(tmp_path: Path) -> None:
    """A sync that could not begin has no numbers, and makes up none."""
    path = tmp_path / "sync.prom"
    write_metrics(path, None, 0.0, {"exit_code": 0})
    assert told(path) == {"exit_code": 0, "success": 1}


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ('a "b".db', 'a "b".db'),
        ("a\\n.db", "a\\n.db"),
        ("a\nb.db", "a\nb.db"),
        ("é.db", "é.db"),
        ("a\udcff", "a\ufffd"),
    ],
)
def test_any_path_can_be_a_label(tmp_path: Path, name: str, shown: str) -> None:
    """Quotes, backslashes and line ends are escaped; what is no text is replaced."""
    path = tmp_path / "sync.prom"
    write_metrics(path, tmp_path / name, 0.0, {"exit_code": 0})
    assert {dict(labels)["state"] for _, labels in parsed(path.read_text("utf-8"))} == {str(tmp_path / shown)}


def test_two_states_of_one_machine_are_told_apart(tmp_path: Path) -> None:
    """A collector that finds a sample twice takes none."""
    samples: list[Key] = []
    for name in ("hr", "guests"):
        write_metrics(tmp_path / f"{name}.prom", tmp_path / f"{name}.db", 0.0, NIGHT)
        samples += parsed((tmp_path / f"{name}.prom").read_text())
    assert len(set(samples)) == len(samples)


def test_the_file_is_whole_or_as_it_was_and_others_may_read_it(tmp_path: Path) -> None:
    """The collector is another user, and reads whenever it likes."""
    path = tmp_path / "sync.prom"
    write_metrics(path, None, 0.0, {"exit_code": 0})
    mask = os.umask(0)
    os.umask(mask)
    assert path.stat().st_mode & 0o777 == 0o666 & ~mask
    with pytest.raises((OSError, StorageError)):
        write_metrics(path / "below.prom", None, 0.0, {"exit_code": 3})
    assert told(path) == {"exit_code": 0, "success": 1}
    assert [each.name for each in tmp_path.iterdir()] == ["sync.prom"]


def test_a_file_that_no_collector_reads_is_refused(tmp_path: Path) -> None:
    """Neither is one that the state is in."""
    with pytest.raises(
        OutputError, match=r"m\.txt: a textfile collector reads only \*\.prom; give --metrics-file this"
    ):
        check_metrics_file(tmp_path / "m.txt", None)
    with pytest.raises(OutputError, match=r"s\.prom: the metrics would overwrite the state; choose another"):
        check_metrics_file(tmp_path / "s.prom", tmp_path / "s.prom")
    (tmp_path / "d.prom").mkdir()
    with pytest.raises(OutputError, match=r"d\.prom: is a folder; choose another --metrics-file"):
        check_metrics_file(tmp_path / "d.prom", None)
    (tmp_path / "l.prom").symlink_to("/nowhere/l.prom")
    with pytest.raises(OutputError, match=r"l\.prom: is a link that leads nowhere; mount the disk"):
        check_metrics_file(tmp_path / "l.prom", None)
    check_metrics_file(tmp_path / "m.prom", tmp_path / "s.db")


@pytest.mark.parametrize(
    "more", ["backup_age_seconds 7\n", "# HELP backup_age_seconds Age.\n", "notes of mine\n", "\0\n"]
)
@pytest.mark.parametrize("night", [None, NIGHT])
def test_metrics_of_somebody_else_are_not_overwritten(tmp_path: Path, more: str, night: dict[str, Any] | None) -> None:
    """Alone or behind ours; set aside in a folder that a collector reads, they would be there twice."""
    path = tmp_path / "m.prom"
    if night is not None:
        write_metrics(path, tmp_path / "s.db", 0.0, night)
        check_metrics_file(path, tmp_path / "s.db")
    with path.open("a") as file:
        file.write(more)
    message = r"m\.prom: holds what is no metric of a sync, and would be overwritten; choose another --metrics-file"
    with pytest.raises(OutputError, match=message):
        check_metrics_file(path, tmp_path / "s.db")


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEmulator]:
    """Share one emulator: each test has users of its own."""
    with emulator(tmp_path_factory.mktemp("emulator")) as running:
        yield running


def sync(folder: Path, api: RunningEmulator, *more: object, key: str = KEY) -> tuple[int, dict[str, float], str]:
    """Run a night; give exit code, metrics and stderr."""
    options = ("--state", "hr.db", "--metrics-file", "sync.prom", "-q", *api.flags())
    ended = provisioner("sync", "hr.csv", *options, *more, cwd=folder, COMETCHAT_API_KEY=key)
    return ended.exit_code, told(folder / "sync.prom"), ended.stderr


@pytest.mark.slow
def test_the_metrics_are_written_however_a_sync_ends(tmp_path: Path, api: RunningEmulator) -> None:
    """Well or refused, without a roster, without a key, or with one that the API does not accept."""
    code, metrics, _ = sync(tmp_path, api)
    assert (code, metrics) == (2, {"exit_code": 2, "success": 0})
    write_roster(tmp_path / "hr.csv", people(30))
    code, metrics, _ = sync(tmp_path, api, "--adopt")
    assert (code, metrics["exit_code"], metrics["success"], metrics["users created"]) == (0, 0, 1, 30)
    write_roster(tmp_path / "hr.csv", people(15))
    code, metrics, _ = sync(tmp_path, api)
    assert (code, metrics["success"], metrics["stopped shrunken_roster"], metrics["leavers reported"]) == (3, 0, 1, 15)
    write_roster(tmp_path / "hr.csv", people(32))
    code, metrics, _ = sync(tmp_path, api, key="00112233445566778899aabbccddeeff00112234")
    assert (code, metrics["exit_code"], metrics["stopped key"], metrics["users pending"]) == (4, 4, 1, 2)
    code, metrics, _ = sync(tmp_path, api, key="")
    assert (code, metrics) == (2, {"exit_code": 2, "success": 0})


@pytest.mark.slow
def test_metrics_that_cannot_be_written_are_no_failed_night(tmp_path: Path, api: RunningEmulator) -> None:
    """The sync ended as it ended; stderr tells, and the file's age."""
    write_roster(tmp_path / "hr.csv", people(3, first=500))
    (tmp_path / "file").write_text("in the way")
    options = ("--state", "hr.db", "--adopt", "--metrics-file", "file/sync.prom", "-q", *api.flags())
    ended = provisioner("sync", "hr.csv", *options, cwd=tmp_path, COMETCHAT_API_KEY=KEY)
    assert ended.exit_code == 0
    assert [each["level"] for each in ended.events("metrics.not_written")] == ["error"]
    assert ended.stderr.count("\n") == 1


def test_the_rules_are_about_metrics_that_there_are() -> None:
    """A rule over a misspelt name never fires, and nobody notices."""
    rules = [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]
    assert len({rule["alert"] for rule in rules}) == len(rules) == 7
    source = (PACKAGE / "sync/metrics.py").read_text(encoding="utf-8")
    for rule in rules:
        assert rule["labels"]["severity"] in {"page", "ticket"}
        for name in re.findall(r"provisioner_sync_([a-z_]+)", rule["expr"]):
            assert f'"{name}", "' in source, name


def promtool(*arguments: object, stdin: str | None = None) -> str:
    """Have Prometheus' own tool judge."""
    if PROMTOOL is None:
        pytest.skip("promtool is not installed")
    ended = subprocess.run(
        [PROMTOOL, *map(str, arguments)], input=stdin, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout + ended.stderr


def test_prometheus_takes_the_metrics(tmp_path: Path) -> None:
    """By `promtool check metrics`, which minds names and units as well."""
    write_metrics(tmp_path / "sync.prom", tmp_path / 'a "b\\".db', 1.5, {**NIGHT, "stopped_by": "key", "exit_code": 4})
    assert promtool("check", "metrics", stdin=(tmp_path / "sync.prom").read_text()) == ""


def test_prometheus_takes_the_rules() -> None:
    """By `promtool check rules`."""
    assert "7 rules found" in promtool("check", "rules", RULES)


def test_the_rules_fire_when_they_should(tmp_path: Path) -> None:
    """Nothing after a good night; after others what the page says."""
    state = '{state="/s"}'
    cases: list[tuple[dict[str, str], str, set[str]]] = [
        ({"exit_code": "0+0x5000", "end_timestamp_seconds": "0+60x5000"}, "25h", set()),
        ({"exit_code": "3+0x5000", "end_timestamp_seconds": "0+60x5000"}, "1h", {"ProvisionerSyncRefused"}),
        ({"exit_code": "2+0x5000", "end_timestamp_seconds": "0+60x5000"}, "1h", {"ProvisionerSyncRefused"}),
        ({"exit_code": "4+0x5000", "end_timestamp_seconds": "0+60x5000"}, "1h", set()),
        ({"exit_code": "4+0x5000", "end_timestamp_seconds": "0+60x5000"}, "3h", {"ProvisionerSyncApiRefuses"}),
        ({"exit_code": "0+0x5000", "end_timestamp_seconds": "0+0x5000"}, "27h", {"ProvisionerSyncMissing"}),
        ({"exit_code": "5+0x9000", "end_timestamp_seconds": "0+60x9000"}, "80h", {"ProvisionerSyncNeverDone"}),
        ({}, "2h", {"ProvisionerSyncNeverSeen"}),
    ]
    tests: list[dict[str, Any]] = []
    for series, moment, firing in cases:
        values = [{"series": f"provisioner_sync_{name}{state}", "values": told} for name, told in series.items()]
        query = 'count by (alertname) (ALERTS{alertstate="firing"})'
        expected = [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in sorted(firing)]
        checks = [{"expr": query, "eval_time": moment, "exp_samples": expected}]
        tests.append({"interval": "1m", "input_series": values, "promql_expr_test": checks})
    (tmp_path / "tests.yml").write_text(yaml.safe_dump({"rule_files": [str(RULES)], "tests": tests}))
    assert "SUCCESS" in promtool("test", "rules", tmp_path / "tests.yml")

"""A command leaves its summary where nobody's file is in the way."""

from __future__ import annotations

import json
import os
import socket
import stat
from pathlib import Path

import pytest

from provisioner.cli.app import carry_out
from provisioner.cli.boundary import boundary
from provisioner.errors import ExitCode
from provisioner.journal.header import Identity
from provisioner.journal.state.syncstate import SyncState

APP = Identity("app1", "https://app1.api-eu.cometchat.io/v3")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", ["c.check.rejected.csv", "c.check.summary.json"])
def test_a_link_that_leads_nowhere_stays_one_and_is_told(
    here: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """One sentence, exit 2: also the summary of that end takes no place of a link."""
    (here / "u.csv").write_text("uid,name\na,A\n")
    (here / name).symlink_to("/nowhere/x")
    with pytest.raises(SystemExit) as ended, boundary():
        carry_out(("validate", "u.csv", "-o", "c.csv", "--log-format", "console"))
    cure = "mount the disk that it leads to, or remove the link"
    assert f"error: {name}: is a link that leads nowhere; {cure}\n" in capsys.readouterr().err
    assert (ended.value.code, str((here / name).readlink())) == (ExitCode.USAGE, "/nowhere/x")


def test_a_refused_value_leaves_its_summary_where_the_config_has_it(here: Path) -> None:
    """What the job of another config says of the last time stays as it was."""
    (here / "u.csv").write_text("uid,name\na,A\n")
    (here / "night.toml").write_text('[output]\nfile = "night.csv"\n')
    with pytest.raises(SystemExit) as ended, boundary():
        carry_out(("validate", "u.csv", "--config", "night.toml", "--limit", "-5"))
    assert ended.value.code == ExitCode.USAGE
    assert sorted(each.name for each in here.iterdir()) == ["night.check.summary.json", "night.toml", "u.csv"]


@pytest.mark.parametrize(("shard", "left"), [("2/2", ["shard-2-of-2.results.check.summary.json"]), ("x", [])])
def test_a_refused_value_leaves_its_summary_where_its_shard_is(here: Path, shard: str, left: list[str]) -> None:
    """That of the flag counts, as it does for all settings; one that is none has no summary."""
    (here / "u.csv").write_text("uid,name\na,A\n")
    (here / "u.shards").mkdir()
    (here / "night.toml").write_text('[run]\nshard = "1/2"\n')
    with pytest.raises(SystemExit), boundary():
        carry_out(("validate", "u.csv", "--config", "night.toml", "--limit", "-5", "--shard", shard))
    assert sorted(each.name for each in here.iterdir()) == ["night.toml", "u.csv", "u.shards"]
    assert [each.name for each in (here / "u.shards").iterdir()] == left


@pytest.mark.parametrize("command", ["verify u.csv", "plan u.csv --state s.db", "undo u.results.csv"])
def test_a_refused_value_is_told_as_json_where_the_config_that_was_named_asks_for_it(
    here: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    """Also by a command that leaves no summary file; the config of this folder, which was not named, does not count."""
    (here / "asks.toml").write_text("[output]\njson = true\n")
    (here / "not.toml").write_text("[output]\njson = false\n")
    refused(*command.split(), "-c", "asks.toml", "--share", "900%")
    assert json.loads(capsys.readouterr().out)["exit_code"] == ExitCode.USAGE
    (here / "asks.toml").rename("provisioner.toml")
    refused(*command.split(), "-c", "not.toml", "--share", "900%")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("what", ["pipe", "socket", "device"])
@pytest.mark.parametrize("slip", [(), ("--sheet", "x", "--config", "none.toml")])
def test_what_is_no_file_stays_where_a_summary_would_be(
    here: Path, capsys: pytest.CaptureFixture[str], what: str, slip: tuple[str, ...]
) -> None:
    """It was set aside by the very command that refused it, which a service that reads it does not get over."""
    (here / "u.csv").write_text("uid,name\na,A\n")
    summary = here / "c.check.summary.json"
    if what == "pipe":
        os.mkfifo(summary)
    elif what == "socket":
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(summary.name)
    else:
        summary.symlink_to("/dev/zero")
    with pytest.raises(SystemExit) as ended, boundary():
        carry_out(("validate", "u.csv", "-o", "c.csv", "--log-format", "console", *slip))
    told = [line for line in capsys.readouterr().err.splitlines() if summary.name in line]
    said = f"{summary.name}: is a {what}, not a file; choose another --output"
    assert (ended.value.code, told) == (ExitCode.USAGE, [f"{'warning' if slip else 'error'}: {said}"])
    assert sorted(each.name for each in here.iterdir()) == [summary.name, "u.csv"]
    assert not stat.S_ISREG(summary.lstat().st_mode)


@pytest.mark.parametrize(
    "asked",
    [
        "run u.csv -c x.summary.json",
        "run u.csv -c x.summary.json --concurrency 0",
        "run u.csv -c provisioner.toml",
        "run u.csv --log-file x.summary.json",
        "run u.csv --sheet x --log-file x.summary.json",
        "sync u.csv --state x.summary.json",
        "sync u.csv --state x.summary.json --max-creates -1",
        "sync u.csv --state s.db --approve x.summary.json",
    ],
)
def test_no_summary_of_a_refusal_takes_the_place_of_what_the_command_reads_or_keeps(here: Path, asked: str) -> None:
    """Exit 2 changes nothing: a state was renamed, and the next night began with none."""
    (here / "u.csv").write_text("uid,name\na,A\n")
    (here / "x.summary.json").write_text('api.app_id = "app1"\napi.region = "eu"\n')
    (here / "provisioner.toml").write_text('[api]\napp_id = "app1"\nregion = "eu"\napi_key_file = "x.summary.json"\n')
    before = {each.name: each.read_bytes() for each in here.iterdir()}
    with pytest.raises(SystemExit) as ended, boundary():
        carry_out((*asked.split(), "-o", "x.csv"))
    assert ended.value.code == ExitCode.USAGE
    assert {each.name: each.read_bytes() for each in here.iterdir()} == before


def refused(*words: str) -> None:
    """See that a command ends with exit code 2."""
    with pytest.raises(SystemExit) as ended, boundary():
        carry_out((*words, "--log-format", "console"))
    assert ended.value.code == ExitCode.USAGE


@pytest.fixture
def plan(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A kept plan of a roster, beside the summary of a night of that roster."""
    for name, value in {"API_KEY": "k" * 40, "APP_ID": "app1", "REGION": "eu"}.items():
        monkeypatch.setenv(f"COMETCHAT_{name}", value)
    (here / "hr.csv").write_text("uid,name\na,A\n")
    with SyncState(here / "s.db", APP, make=True):
        pass
    carry_out(("plan", "hr.csv", "--state", "s.db", "-o", "p.json"))
    (here / "hr.results.summary.json").write_text('{"exit_code": 0}\n')
    return here / "p.json"


@pytest.mark.parametrize(
    ("slip", "said"),
    [
        (("--refresh",), "was made without it"),
        (("--sheet", "x"), "only a workbook"),
        (("--config", "none.toml"), "none.toml"),
        (("--config", "shard.toml"), "run.shard"),
        ((), "the plan no longer fits"),
    ],
)
def test_a_refused_plan_leaves_its_summary_where_its_night_would(
    here: Path, plan: Path, slip: tuple[str, ...], said: str
) -> None:
    """Under the name of the roster: who reads that of last night would take it for tonight's."""
    (here / "shard.toml").write_text('[run]\nshard = "1/2"\n')
    if not slip:
        (here / "hr.csv").write_text("uid,name\na,Other\n")
    refused("sync", plan.name, *slip)
    told = json.loads((here / "hr.results.summary.json").read_text())
    assert (told["exit_code"], said in told["message"]) == (ExitCode.USAGE, True), told
    assert not (here / "p.results.summary.json").exists()


def test_a_plan_whose_roster_is_not_there_any_more_leaves_a_summary(here: Path, plan: Path) -> None:
    """Its name is no slip of the hand; a plan that cannot be read knows none."""
    for name in ("hr.csv", "hr.results.summary.json"):
        (here / name).unlink()
    refused("sync", plan.name)
    assert "hr.csv: no such file" in json.loads((here / "hr.results.summary.json").read_text())["message"]
    plan.write_text(plan.read_text().replace("create", "update", 1))
    refused("sync", plan.name)
    assert "changed by hand" in json.loads((here / "p.results.summary.json").read_text())["message"]


def test_a_plan_is_not_in_the_way_of_its_own_summary(here: Path, plan: Path) -> None:
    """Also where it is called so."""
    plan.rename(here / "hr.results.summary.json")
    before = (here / "hr.results.summary.json").read_bytes()
    refused("sync", "hr.results.summary.json", "--refresh")
    assert (here / "hr.results.summary.json").read_bytes() == before

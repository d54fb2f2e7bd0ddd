"""A command leaves its summary where nobody's file is in the way."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from provisioner.cli.app import carry_out
from provisioner.cli.boundary import boundary
from provisioner.errors import ExitCode


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

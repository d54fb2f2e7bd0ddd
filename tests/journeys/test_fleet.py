"""Fleets, end to end: tenants that know nothing of each other, one rate for an app, and whatever is killed goes on."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from provisioner.emulator.app.audit import busiest
from provisioner.fleet.engine import environment_of
from provisioner.fleet.jobs import Job
from provisioner.journal.lock import holder_of
from tests.rig.command import (
    KEY,
    PATIENCE,
    RunningEmulator,
    deadline,
    emulator,
    people,
    provisioner,
    rows,
    started,
    wait_until,
    write_roster,
)  # fmt: skip

CONFIG = "[rate]\nrequests_per_minute = {}\nshare = 1.0\n"


def write_fleet(folder: Path, *jobs: dict[str, Any], **defaults: Any) -> Path:
    """One file of jobs; TOML takes JSON's texts, numbers and lists."""

    def lines(table: dict[str, Any]) -> str:
        return "".join(f"{key} = {json.dumps(value)}\n" for key, value in table.items())

    text = f"[defaults]\n{lines(defaults)}" + "".join(f"[[job]]\n{lines(job)}" for job in jobs)
    path = folder / "all.toml"
    path.write_text(text, encoding="utf-8")
    return path


def most_creates(api: RunningEmulator, seconds: float) -> int:
    """The most creates, refused ones included, that came to the app in any so many seconds."""
    return busiest((record["monotonic"] for record in api.lines("audit") if record["group"] == "core"), seconds)


def process_of(journal: Path) -> int:
    """The id of the process that holds a journal, as its lock says it; 0 when there is none."""
    found = re.match(r"process (\d+)", holder_of(journal) or "")
    return int(found[1]) if found else 0


def test_a_job_gets_its_own_variables_and_no_other_jobs() -> None:
    """Neither another tenant's key nor what the fleet's shell says of an app gets into a job."""
    surroundings = {
        "PATH": "/bin", "LC_ALL": "C.UTF-8", "COMETCHAT_API_KEY": "shell", "COMETCHAT_REGION": "us",
        "ACME_KEY": "a-key", "ZETA_KEY": "z-key", "AWS_PROFILE": "p", "SECRET": "s",
    }  # fmt: skip
    job = Job(
        "acme", "acme", "run", ("r.csv",), Path("o.csv"),
        address={"COMETCHAT_APP_ID": "1"}, key_variable="ACME_KEY", passed=("AWS_PROFILE",),
    )  # fmt: skip
    assert environment_of(job, Path(), surroundings, Path("/tmp/s"), 5) == {
        "PATH": "/bin", "LC_ALL": "C.UTF-8", "COMETCHAT_APP_ID": "1", "COMETCHAT_API_KEY": "a-key", "AWS_PROFILE": "p",
        "PROVISIONER_PACER": "/tmp/s", "PROVISIONER_PROGRESS_SECONDS": "5",
        "PROVISIONER_API_KEY_ORIGIN": "ACME_KEY",
    }  # fmt: skip


@pytest.mark.slow
def test_a_wrong_key_ends_its_own_tenant_and_no_other(tmp_path: Path) -> None:
    """Right, wrong and missing keys side by side, a run and a sync: one summary, the worst exit code, then a resume."""
    write_roster(tmp_path / "good.csv", people(30))
    write_roster(tmp_path / "bad.csv", people(30, first=100))
    (tmp_path / "wrong").write_text("0" * 40)
    with emulator(tmp_path) as api:
        good = {"name": "good", "command": "sync", "roster": "good.csv", "state": "good.db", "config": "adopt.toml"}
        (tmp_path / "adopt.toml").write_text("[sync]\nadopt = true\n")
        wrong = {"name": "wrong", "roster": "bad.csv", "api_key_file": "wrong"}
        none = {"name": "none", "roster": "bad.csv", "api_key_variable": "NO_SUCH_KEY"}
        fleet = write_fleet(tmp_path, wrong, none, good, base_url=api.url, api_key_file="emulator.key")
        first = provisioner("fleet", fleet, "--json", "--jobs", 2, cwd=tmp_path)
        created = api.created()
        write_fleet(
            tmp_path, {**wrong, "api_key_file": "emulator.key"}, good, base_url=api.url, api_key_file="emulator.key"
        )
        again = provisioner("fleet", fleet, "--json", cwd=tmp_path)
        users = api.users()
    jobs = {job["name"]: job for job in first.summary["jobs"]}
    assert (first.exit_code, first.summary["exit_code"]) == (2, 2)
    assert {name: job["exit_code"] for name, job in jobs.items()} == {"good": 0, "wrong": 4, "none": 2}
    assert "check the API key in wrong and that it belongs to this app" in jobs["wrong"]["message"]
    assert jobs["none"]["message"] == "api_key_variable: NO_SUCH_KEY is not set"
    assert sorted(created) == [person["uid"] for person in people(30)]
    assert (again.exit_code, again.summary["totals"]["created"], len(users)) == (0, 30, 60)
    assert KEY not in first.stdout + first.stderr
    assert json.loads((tmp_path / "all.fleet" / "summary.json").read_text()) == again.summary


@pytest.mark.slow
def test_shards_of_a_roster_killed_one_by_one_and_then_their_fleet(tmp_path: Path) -> None:
    """A shard that is killed is started again; a fleet that is killed leaves shards that wait for the next one's slots.

    All are created once, each with its token, and the app's rate, which they share, is never over.
    """
    write_roster(tmp_path / "all.csv", people(1200))
    (tmp_path / "rate.toml").write_text(CONFIG.format(3000))
    with emulator(tmp_path, "--core-limit", 3000) as api:
        fleet = write_fleet(
            tmp_path,
            {"name": "all", "roster": "all.csv", "shards": 2},
            base_url=api.url,
            api_key_file="emulator.key",
            config="rate.toml",
        )
        outputs = [tmp_path / "all.fleet" / "all" / f"shard-{number}-of-2.results.csv" for number in (1, 2)]
        journals = [output.with_suffix(".journal.db") for output in outputs]
        with started("fleet", fleet, "--jobs", 2, cwd=tmp_path) as process:
            wait_until(lambda: len(api.users()) > 200)
            killed = process_of(journals[0])
            subprocess.run(["kill", "-9", str(killed)], check=True)
            wait_until(lambda: process_of(journals[0]) not in {0, killed} and len(api.users()) > 400)
            process.send_signal(signal.SIGKILL)
            process.wait(PATIENCE)
        left = [process_of(journal) for journal in journals]
        ended = provisioner("fleet", fleet, "--json", "--jobs", 2, cwd=tmp_path)
        created, users, most = api.created(), api.users(), most_creates(api, 6)
        turned_away = [record for record in api.lines("audit") if record["status"] == 429]
    assert all(left), "both outlived their fleet"
    assert (ended.exit_code, len(created), len(set(created))) == (0, 1200, 1200)
    assert ended.summary["totals"]["created"] == 1200
    results = [line for output in outputs for line in rows(output)]
    assert Counter(line["outcome"] for line in results) == {"created": 1200}
    assert all(line["auth_token"] in users[line["uid"]]["tokens"] for line in results)
    # 50 a second, and a quarter second's worth that bunches up: before the kill, after it, and on the way.
    assert most <= 6 * 50 + 3 * 13
    assert turned_away == []


@pytest.mark.slow
def test_an_app_that_a_variable_names_has_one_rate_as_well(tmp_path: Path) -> None:
    """Shards, and another job that spells the same address otherwise: the emulator is asked no more than it allows."""
    write_roster(tmp_path / "all.csv", people(150))
    (tmp_path / "provisioner.toml").write_text(CONFIG.format(3000))
    with emulator(tmp_path, "--core-limit", 3000) as api:
        url = api.url.replace("127.0.0.1", "localhost")
        fleet = write_fleet(
            tmp_path,
            {"name": "all", "shards": 2, "environment": ["COMETCHAT_BASE_URL", "COMETCHAT_API_KEY"]},
            {"name": "one", "base_url": url.replace("localhost", "LOCALHOST"), "api_key_file": "emulator.key"},
            roster="all.csv",
        )
        variables = {"COMETCHAT_BASE_URL": url, "COMETCHAT_API_KEY": KEY}
        ended = provisioner("fleet", fleet, "--jobs", 3, "--yes", "--json", cwd=tmp_path, **variables)
        most = most_creates(api, 2)
    assert (ended.exit_code, ended.summary["totals"]["created"], ended.summary["totals"]["existing"]) == (0, 150, 150)
    assert ended.events("fleet.started")[0]["sharing_a_rate"] == ["all", "one"]
    assert most <= 2 * 50 + 3 * 13


@pytest.mark.slow
def test_without_its_pacer_a_job_sends_nothing_and_says_so(tmp_path: Path) -> None:
    """A fleet that is gone and does not come back: exit 4 after `unreachable_after`, no request, and the cure."""
    roster = write_roster(tmp_path / "one.csv", people(5))
    (tmp_path / "c.toml").write_text("[retry]\nunreachable_after = 1.0\n")
    with emulator(tmp_path) as api:
        variables = {"COMETCHAT_API_KEY": KEY, "PROVISIONER_PACER": str(tmp_path / "nobody")}
        ended = provisioner("run", roster, "-c", "c.toml", *api.flags(), "--json", cwd=tmp_path, **variables)
        requests = api.lines("audit")
    summary = ended.summary
    assert (ended.exit_code, summary["stopped_by"], summary["pending"], requests) == (4, "pacer", 5, [])
    assert summary["message"].endswith("has been gone for 1 s; run the fleet again, which resumes")
    assert len(ended.events("pacer.gone")) == 1


@pytest.mark.sampled
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGHUP, 143)])
def test_a_signal_stops_all_jobs_properly(tmp_path: Path, number: signal.Signals, code: int) -> None:
    """Each job finishes what is on the wire and writes its results; the same command goes on."""
    write_roster(tmp_path / "one.csv", people(2000))
    (tmp_path / "rate.toml").write_text(CONFIG.format(3000))
    with emulator(tmp_path) as api:
        fleet = write_fleet(
            tmp_path,
            {"name": "one", "roster": "one.csv"},
            {"name": "later", "roster": "one.csv"},
            base_url=api.url, api_key_file="emulator.key", config="rate.toml",
        )  # fmt: skip
        with started("fleet", fleet, "--json", "--jobs", 1, cwd=tmp_path) as process:
            wait_until(lambda: len(api.users()) > 100)
            process.send_signal(number)
            stdout, stderr = process.communicate(timeout=60)
    one, later = json.loads(stdout)["jobs"]
    assert process.returncode == code
    assert (one["exit_code"], one["stopped_by"], later["state"]) == (143, "sigterm", "waiting")
    assert one["created"] + one["pending"] == 2000
    assert Path(tmp_path, one["outputs"]["results"]).exists()
    assert f'"resume": "provisioner fleet {fleet} --json --jobs 1"' in stderr


@pytest.mark.slow
@pytest.mark.parametrize("shards", [None, 2])
def test_a_signal_stops_the_jobs_that_an_earlier_fleet_left_running(tmp_path: Path, shards: int | None) -> None:
    """Those waited for, and those whose turn has not come: they end properly, and are told as what they are."""
    write_roster(tmp_path / "one.csv", people(2000))
    (tmp_path / "rate.toml").write_text(CONFIG.format(1200))
    job = {"name": "one", "roster": "one.csv"} | ({} if shards is None else {"shards": shards})
    with emulator(tmp_path) as api:
        fleet = write_fleet(tmp_path, job, base_url=api.url, api_key_file="emulator.key", config="rate.toml")
        outputs = [tmp_path / "all.fleet" / "one.results.csv"]
        if shards is not None:
            outputs = [tmp_path / "all.fleet" / "one" / f"shard-{n + 1}-of-2.results.csv" for n in range(shards)]
        journals = [output.with_suffix(".journal.db") for output in outputs]
        with started("fleet", fleet, "--jobs", 2, cwd=tmp_path) as process:
            wait_until(lambda: len(api.users()) > 20)
            process.send_signal(signal.SIGKILL)
            process.wait(PATIENCE)
        assert all(map(process_of, journals)), "all outlived their fleet"
        with started("fleet", fleet, "--json", "--jobs", 1, cwd=tmp_path) as process:
            with deadline(process):
                while '"job.waits"' not in process.stderr.readline():
                    pass
            process.send_signal(signal.SIGTERM)
            stdout, stderr = process.communicate(timeout=60)
        created = api.created()
    summary = json.loads(stdout)
    states = {(each["state"], each["exit_code"], each["stopped_by"], each["starts"]) for each in summary["jobs"]}
    assert (process.returncode, states) == (143, {("ended", 143, "sigterm", 0)}), stderr
    assert (summary["ended"], summary["running"], summary["not_begun"]) == (len(outputs), 0, 0)
    assert (summary["requests_per_minute"], all(each["elapsed_seconds"] for each in summary["jobs"])) == (0, True)
    assert (summary["totals"]["created"], summary["totals"]["pending"]) == (len(created), 2000 - len(created))
    assert not any(map(process_of, journals))
    results = [line for output in outputs for line in rows(output)]
    assert Counter(line["outcome"] for line in results) == {"created": len(created), "pending": 2000 - len(created)}


@pytest.mark.slow
def test_a_process_that_no_fleet_has_started_is_left_alone_and_named(tmp_path: Path) -> None:
    """Somebody's own run of a job: it goes on, the summary says so, and what it says stops the run properly."""
    write_roster(tmp_path / "one.csv", people(2000))
    (tmp_path / "rate.toml").write_text(CONFIG.format(1200))
    (tmp_path / "all.fleet").mkdir()
    output = tmp_path / "all.fleet" / "one.results.csv"
    with emulator(tmp_path) as api:
        fleet = write_fleet(
            tmp_path, {"name": "one", "roster": "one.csv"},
            base_url=api.url, api_key_file="emulator.key", config="rate.toml",
        )  # fmt: skip
        own = ("run", "one.csv", *api.flags(), "-c", "rate.toml", "-o", output, "--json")
        with started(*own, cwd=tmp_path, COMETCHAT_API_KEY=KEY) as run:
            wait_until(lambda: len(api.users()) > 20)
            number = process_of(output.with_suffix(".journal.db"))
            with started("fleet", fleet, "--json", cwd=tmp_path) as process:
                with deadline(process):
                    while '"job.waits"' not in process.stderr.readline():
                        pass
                process.send_signal(signal.SIGTERM)
                stdout, stderr = process.communicate(timeout=60)
            sent = len(api.users())
            wait_until(lambda: len(api.users()) > sent + 20)
            summary = json.loads(stdout)
            (job,) = summary["jobs"]
            holder = f"process {number} on {socket.gethostname()}"
            message = f"in use by {holder}, which goes on: whether it is a job of this file cannot be told; "
            message += f"kill {number} stops it properly"
            said = (job["state"], job["exit_code"], job["starts"], job["message"])
            assert said == ("running", None, 0, message)
            assert (process.returncode, summary["running"], summary["not_begun"]) == (143, 1, 0)
            assert summary["message"] == f"interrupted by SIGTERM; still running: one ({holder})"
            assert f'"reason": "{message}"' in stderr
            subprocess.run(["kill", str(number)], check=True)
            stdout, _ = run.communicate(timeout=60)
    assert (run.returncode, json.loads(stdout)["stopped_by"]) == (143, "sigterm")

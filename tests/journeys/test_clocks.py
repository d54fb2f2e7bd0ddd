"""Whose user it is, is told by the server's time: clocks of machines that are wrong, or put right between two lives."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.rig.command import KEY, RunningEmulator, emulator, people, provisioner, rows, start, wait_until, write_roster

OURS, THEIRS = ("person-00002", "person-00003"), ("person-00004", "person-00005")
# Seconds by which the clock of the machine that is killed is ahead, and that of the one that resumes.
CLOCKS = [(2, -2), (-2, 2), (120, -120), (-120, 120), (3600, -3600), (-3600, 3600)]


@contextmanager
def hanging(folder: Path) -> Iterator[RunningEmulator]:
    """The first create of four users is never answered: two came to be by it, two were there a moment before."""
    script = [{"fault": "hang-after-commit", "uid": uid, "route": "POST /users"} for uid in OURS]
    script += [{"fault": "hang-before-commit", "uid": uid, "route": "POST /users"} for uid in THEIRS]
    (folder / "faults.json").write_text(json.dumps({"script": script}))
    users = [{"uid": uid, "name": "As it was", "created_at": int(time.time()) - 3} for uid in THEIRS]
    (folder / "users.ndjson").write_text("\n".join(map(json.dumps, users)))
    write_roster(folder / "people.csv", people(6))
    with emulator(folder, "--fault-script", folder / "faults.json", "--users", folder / "users.ndjson") as api:
        yield api


def killed_and_resumed(folder: Path, api: RunningEmulator, clocks: tuple[int, int], *command: object) -> None:
    """Kill it while the four requests hang, by one clock; carry it out to its end by another."""
    victim = start(*command, cwd=folder, ahead=clocks[0], COMETCHAT_API_KEY=KEY)
    wanted = {*OURS, *THEIRS}
    wait_until(lambda: wanted <= {each["uid"] for each in api.lines("audit") if each["method"] == "POST"})
    victim.kill()
    done = start(*command, cwd=folder, ahead=clocks[1], COMETCHAT_API_KEY=KEY).end()
    assert done.exit_code == 0, done.stderr


@pytest.mark.sampled
@pytest.mark.parametrize("clocks", CLOCKS)
def test_a_run_that_is_resumed_by_another_clock_is_exact(tmp_path: Path, clocks: tuple[int, int]) -> None:
    """Ours are created, with tokens that work; those of another hand are existing, and nobody mints for them."""
    with hanging(tmp_path) as api:
        killed_and_resumed(tmp_path, api, clocks, "run", "people.csv", *api.flags(), "-o", "out.csv")
        told = {row["uid"]: row for row in rows(tmp_path / "out.csv")}
        assert {uid: told[uid]["outcome"] for uid in (*OURS, *THEIRS)} == {
            **dict.fromkeys(OURS, "created"), **dict.fromkeys(THEIRS, "existing"),
        }  # fmt: skip
        assert all(api.accepts(uid, told[uid]["auth_token"]) for uid in OURS)
        assert [api.users()[uid]["tokens"] for uid in THEIRS] == [[], []]


@pytest.mark.sampled
@pytest.mark.parametrize("clocks", [CLOCKS[0], CLOCKS[3], CLOCKS[4]])
def test_a_sync_that_is_resumed_by_another_clock_is_exact(tmp_path: Path, clocks: tuple[int, int]) -> None:
    """Ours are created, with tokens that work; those of another hand are brought up to date."""
    with hanging(tmp_path) as api:
        # Nobody manages anybody yet: the state is made by an empty night.
        write_roster(tmp_path / "one.csv", people(1))
        first = ("sync", "one.csv", *api.flags(), "--state", "s.db", "--adopt", "-o", "one.out.csv", "--yes")
        assert provisioner(*first, cwd=tmp_path, COMETCHAT_API_KEY=KEY).exit_code == 0
        command = ("sync", "people.csv", *api.flags(), "--state", "s.db", "-o", "out.csv", "--yes")
        killed_and_resumed(tmp_path, api, clocks, *command)
        told = {row["uid"]: row for row in rows(tmp_path / "out.csv")}
        assert {uid: told[uid]["outcome"] for uid in (*OURS, *THEIRS)} == {
            **dict.fromkeys(OURS, "created"), **dict.fromkeys(THEIRS, "updated"),
        }  # fmt: skip
        assert all(api.accepts(uid, told[uid]["auth_token"]) for uid in OURS)
        assert [api.users()[uid]["name"] for uid in THEIRS] == ["Person 4", "Person 5"]


@pytest.mark.slow
def test_the_time_is_asked_before_the_first_create_and_only_then(tmp_path: Path) -> None:
    """One request, counted, and none when there is nothing to send. The journal has the server's words."""
    write_roster(tmp_path / "people.csv", people(3))
    with emulator(tmp_path, "--clock-skew", "86400s") as api:
        command = ("run", "people.csv", *api.flags(), "-o", "out.csv", "--json")
        done = provisioner(*command, cwd=tmp_path, COMETCHAT_API_KEY=KEY)
        assert [each["method"] for each in api.lines("audit")] == ["GET", "POST", "POST", "POST"]
        assert done.summary["requests"] == 4
        assert provisioner(*command, cwd=tmp_path, COMETCHAT_API_KEY=KEY).summary["requests"] == 0
    with closing(sqlite3.connect(tmp_path / "out.journal.db")) as journal:
        (ahead,) = journal.execute("SELECT max(sent_at) FROM users").fetchone()
    assert ahead - time.time() == pytest.approx(86_400, abs=60)


@pytest.mark.slow
def test_a_leaver_in_doubt_is_told_by_the_converted_time(tmp_path: Path) -> None:
    """The state is of an older format, whose doubts are by our clock, a day ahead of the server's: still a leaver."""
    joiner = "person-00002"
    (tmp_path / "faults.json").write_text(
        json.dumps({"script": [{"fault": "hang-after-commit", "uid": joiner, "route": "POST /users"}]})
    )
    options = ("--state", "s.db", "--yes", "--json")
    with emulator(tmp_path, "--fault-script", tmp_path / "faults.json", "--clock-skew", "-86400s") as api:
        write_roster(tmp_path / "people.csv", people(1))
        first = ("sync", "people.csv", *api.flags(), *options, "--adopt", "-o", "out.csv")
        assert provisioner(*first, cwd=tmp_path, COMETCHAT_API_KEY=KEY).exit_code == 0
        write_roster(tmp_path / "people.csv", people(2))
        night = ("sync", "people.csv", *api.flags(), *options, "-o", "out.csv")
        victim = start(*night, cwd=tmp_path, COMETCHAT_API_KEY=KEY)
        wait_until(lambda: joiner in api.users())
        victim.kill()
        with closing(sqlite3.connect(tmp_path / "s.db")) as state, state:
            state.execute("INSERT INTO meta VALUES ('times', 'local')")
            state.execute("UPDATE users SET sent_at = sent_at + 86400")
        write_roster(tmp_path / "people.csv", people(1))
        ended = provisioner(*night, "--deactivate-leavers", cwd=tmp_path, COMETCHAT_API_KEY=KEY)
        assert (ended.exit_code, ended.summary["deactivated"]) == (0, 1), ended.stderr

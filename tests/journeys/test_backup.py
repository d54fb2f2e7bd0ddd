"""A journal that is lost, and a copy of it that goes on in its place."""

from __future__ import annotations

import json
import shutil
import sqlite3
import stat
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from provisioner.journal.copies.backup import back_up
from tests.rig.command import KEY, RunningEmulator, emulator, people, provisioner, rows, start, wait_until, write_roster

PEOPLE = people(240)
STRANGERS = [f"person-{n:05}" for n in (3, 100, 160, 230, 240)]


def with_strangers(folder: Path) -> tuple[object, ...]:
    """Some users of the roster were there before, created by another hand."""
    write_roster(folder / "people.csv", PEOPLE)
    users = [{"uid": uid, "name": "A stranger", "created_at": int(time.time()) - 60} for uid in STRANGERS]
    (folder / "users.ndjson").write_text("\n".join(map(json.dumps, users)))
    return ("--users", folder / "users.ndjson", "--latency", "20ms")


def lost(
    folder: Path,
    api: RunningEmulator,
    copy: Callable[[], object],
    *command: object,
    journal: str = "out.journal.db",
    ahead: int = 0,
) -> None:
    """Copy the journal in mid-run; kill the run somewhat later, and lose its journal.

    ahead  seconds by which the clock of its machine is wrong
    """
    victim = start(*command, cwd=folder, ahead=ahead, COMETCHAT_API_KEY=KEY)
    wait_until(lambda: len(api.created()) > 40)
    copy()
    known = len(api.created())
    wait_until(lambda: len(api.created()) > known + 30)
    victim.kill()
    for each in folder.glob(f"{journal}*"):
        each.unlink()


def check(folder: Path, api: RunningEmulator) -> None:
    """Ours are created, once, with tokens that work; strangers are existing, and nobody minted for them."""
    told = {row["uid"]: row for row in rows(folder / "out.csv")}
    ours = [each["uid"] for each in PEOPLE if each["uid"] not in STRANGERS]
    assert [uid for uid in ours if told[uid]["outcome"] != "created"] == []
    assert [uid for uid in STRANGERS if told[uid]["outcome"] != "existing"] == []
    assert sorted(api.created()) == sorted(ours)
    users = api.users()
    assert [uid for uid in ours if not api.accepts(uid, told[uid]["auth_token"])] == []
    assert [users[uid]["tokens"] for uid in STRANGERS] == [[]] * len(STRANGERS)
    assert {users[uid]["name"] for uid in STRANGERS} == {"A stranger"}


@pytest.mark.slow
def test_a_copy_goes_on_when_the_journal_is_lost(tmp_path: Path) -> None:
    """Copied and killed in mid-run: exact, as if nothing had been lost; then the copy is a journal as any other."""
    flags = with_strangers(tmp_path)
    with emulator(tmp_path, *flags) as api:
        command = ("run", "people.csv", *api.flags(), "-o", "out.csv")

        def copy() -> None:
            done = provisioner("backup", "out.csv", "safe.db", "--json", cwd=tmp_path)
            assert done.exit_code == 0, done.stderr

        lost(tmp_path, api, copy, *command)
        assert stat.S_IMODE((tmp_path / "safe.db").stat().st_mode) == 0o600
        shutil.copy(tmp_path / "safe.db", tmp_path / "out.journal.db")
        assert json.loads(provisioner("status", "out.csv", "--json", cwd=tmp_path).stdout)["copied_at"]
        done = provisioner(*command, "--json", cwd=tmp_path, COMETCHAT_API_KEY=KEY)
        assert done.exit_code == 0, done.stderr
        assert [each["file"] for each in done.events("journal.restored")] == ["out.journal.db"]
        check(tmp_path, api)
        again = provisioner(*command, "--json", cwd=tmp_path, COMETCHAT_API_KEY=KEY)
        assert (again.summary["requests"], again.events("journal.restored")) == (0, [])
        # The same copy once more: whatever the second one did is found out as well.
        shutil.copy(tmp_path / "safe.db", tmp_path / "out.journal.db")
        for each in tmp_path.glob("out.journal.db-*"):
            each.unlink()
        assert provisioner(*command, cwd=tmp_path, COMETCHAT_API_KEY=KEY).exit_code == 0
        check(tmp_path, api)


@pytest.mark.slow
def test_a_copy_made_in_another_way_goes_on_when_it_is_said_to_be_one(tmp_path: Path) -> None:
    """`--restored`: with an edited roster, and killed once more on the way."""
    flags = with_strangers(tmp_path)
    with emulator(tmp_path, *flags) as api:
        command = ("run", "people.csv", *api.flags(), "-o", "out.csv")

        def copy() -> None:
            with closing(sqlite3.connect(tmp_path / "out.journal.db")) as journal:
                journal.execute("VACUUM INTO ?", (str(tmp_path / "safe.db"),))

        lost(tmp_path, api, copy, *command)
        shutil.copy(tmp_path / "safe.db", tmp_path / "out.journal.db")
        edited = [each | {"name": f"{each['name']} II"} for each in PEOPLE]
        write_roster(tmp_path / "people.csv", edited)
        victim = start(*command, "--restored", cwd=tmp_path, COMETCHAT_API_KEY=KEY)
        known = len(api.created())
        wait_until(lambda: len(api.created()) > known + 30)
        victim.kill()
        victim.end()
        done = provisioner(*command, cwd=tmp_path, COMETCHAT_API_KEY=KEY)
        assert done.exit_code == 0, done.stderr
        check(tmp_path, api)
        users = api.users()
        assert [each["uid"] for each in edited if users[each["uid"]]["name"] not in {each["name"], "A stranger"}] == []


@pytest.mark.slow
@pytest.mark.parametrize("command", [("run",), ("sync", "--state", "out.journal.db")])
def test_a_copy_without_its_log_stays_where_it_was_put_and_goes_on_with_it(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    """`--restored` says what is missing; with the log beside it the same command goes on."""
    write_roster(tmp_path / "people.csv", PEOPLE)
    with emulator(tmp_path, "--latency", "20ms") as api:
        given = (*command, "people.csv", *api.flags(), "-o", "out.csv")
        adopt = ("--adopt", "--yes") if command[0] == "sync" else ()
        victim = start(*given, *adopt, cwd=tmp_path, COMETCHAT_API_KEY=KEY)
        wait_until(lambda: len(api.created()) > 40)
        victim.kill()
        victim.end()
        journal, log = tmp_path / "out.journal.db", tmp_path / "out.journal.db-wal"
        kept = log.read_bytes()
        log.unlink()
        (tmp_path / "out.journal.db-shm").unlink(missing_ok=True)
        copy = journal.read_bytes()
        refused = provisioner(*given, *adopt, "--restored", cwd=tmp_path, COMETCHAT_API_KEY=KEY)
        assert refused.exit_code == 2
        assert "probably made without the file out.journal.db-wal; put both back" in refused.stderr
        assert (journal.read_bytes(), log.exists()) == (copy, False)
        log.write_bytes(kept)
        done = provisioner(*given, "--restored", "--json", cwd=tmp_path, COMETCHAT_API_KEY=KEY)
        assert (done.exit_code, done.summary["created"], done.summary["tokens"]) == (0, 240, 240), done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("ahead", [pytest.param(120, marks=pytest.mark.campaign), -120])
def test_a_shard_goes_on_from_a_copy_on_a_machine_with_another_clock(tmp_path: Path, ahead: int) -> None:
    """One machine is two minutes fast, the other one slow; the shards merged are as if nothing had been lost."""
    flags = with_strangers(tmp_path)
    with emulator(tmp_path, *flags) as api:
        shard, other = (("run", "people.csv", *api.flags(), "--shard", f"{number}/2") for number in (1, 2))
        results = "people.shards/shard-1-of-2.results"

        journal = tmp_path / f"{results}.journal.db"
        copy = partial(back_up, journal, tmp_path / "safe.db")
        # So slow that its hundred rows outlast the copy.
        lost(tmp_path, api, copy, *shard, "--requests-per-minute", 1200, journal=f"{results}.journal.db", ahead=ahead)
        (tmp_path / "safe.db").rename(journal)
        done = start(*shard, "--json", cwd=tmp_path, ahead=-ahead, COMETCHAT_API_KEY=KEY).end()
        assert (done.exit_code, len(done.events("journal.restored"))) == (0, 1), done.stderr
        assert provisioner(*other, cwd=tmp_path, COMETCHAT_API_KEY=KEY).exit_code == 0
        merged = provisioner("merge", "people.shards", "-o", "out.csv", "--json", cwd=tmp_path)
        outcomes = {"created": len(PEOPLE) - len(STRANGERS), "existing": len(STRANGERS), "failed": 0}
        assert {name: merged.summary[name] for name in outcomes} == outcomes
        check(tmp_path, api)


def test_a_state_goes_on_from_a_copy_of_nights_before(tmp_path: Path) -> None:
    """A whole night is lost: who joined in it is created, with a token, who left is away, and all are as the roster."""

    def night(api: RunningEmulator, roster: list[dict[str, str]], *options: object) -> dict[str, Any]:
        write_roster(tmp_path / "hr.csv", roster)
        command = ("sync", "hr.csv", *api.flags(), "--state", "hr.db", "-o", "out.csv", "--yes", "--json")
        done = provisioner(*command, "--deactivate-leavers", *options, cwd=tmp_path, COMETCHAT_API_KEY=KEY)
        assert done.exit_code == 0, done.stderr
        return done.summary

    staff, joiners = people(60), people(12, first=61)
    renamed = [each | {"name": "Renamed"} if n < 6 else each for n, each in enumerate(staff)]
    users = [{"uid": "person-00072", "name": "A stranger", "created_at": int(time.time()) - 60}]
    (tmp_path / "users.ndjson").write_text("\n".join(map(json.dumps, users)))
    with emulator(tmp_path, "--users", tmp_path / "users.ndjson") as api:
        night(api, staff, "--adopt")
        assert provisioner("backup", "hr.db", "safe.db", cwd=tmp_path).exit_code == 0
        # The last two leave, twelve join, of whom one was there before, and six are renamed.
        lost_night = night(api, [*renamed[:-2], *joiners])
        assert (lost_night["created"], lost_night["deactivated"]) == (11, 2)
        # Two more join in one night and leave in the next, and both nights are lost.
        guests = people(2, first=80)
        night(api, [*renamed[:-2], *joiners, *guests])
        assert night(api, [*renamed[:-2], *joiners])["deactivated"] == 2
        for each in tmp_path.glob("hr.db*"):
            each.unlink()
        (tmp_path / "safe.db").rename(tmp_path / "hr.db")
        plan = ("plan", "hr.csv", *api.flags(), "--state", "hr.db")
        blind = provisioner(*plan, cwd=tmp_path, COMETCHAT_API_KEY=KEY)
        assert blind.exit_code == 2
        assert "hr.db: the state is a copy, and what nights since have done is seen only in the app" in blind.stderr
        seen = provisioner(*plan, "--refresh", "--json", cwd=tmp_path, COMETCHAT_API_KEY=KEY)
        assert (seen.summary["create"], seen.summary["update"]) == (11, 0), seen.stderr
        # One leaver is back, three names are as they were, one who joined has left.
        now = [*staff[:3], *renamed[3:-1], *joiners[1:], guests[0]]
        told = night(api, now)
        outcomes = {row["uid"]: row for row in rows(tmp_path / "out.csv")}
        ours = [each["uid"] for each in joiners[1:-1]]
        assert [uid for uid in ours if outcomes[uid]["outcome"] != "created"] == []
        assert [uid for uid in ours if not api.accepts(uid, outcomes[uid]["auth_token"])] == []
        for uid in ("person-00059", guests[0]["uid"]):
            assert outcomes[uid]["outcome"] == "reactivated"
            assert api.accepts(uid, outcomes[uid]["auth_token"])
        assert (told["created"], told["updated"], told["reactivated"]) == (10, 3, 2)
        proof = provisioner(
            "verify", "hr.csv", *api.flags(), "--state", "hr.db", "-o", "proof.csv", cwd=tmp_path, COMETCHAT_API_KEY=KEY
        )
        assert proof.exit_code == 0, proof.stdout
        assert night(api, now)["requests"] == 0


@pytest.mark.slow
def test_who_came_and_left_in_lost_nights_gets_a_token_though_the_night_after_is_cut_short(tmp_path: Path) -> None:
    """It had brought them back, and not got as far as the token: they are ours by when they were created."""
    staff, guests = people(20), people(2, first=80)
    with emulator(tmp_path) as api:

        def night(roster: list[dict[str, str]], *options: object) -> int:
            write_roster(tmp_path / "hr.csv", roster)
            command = ("sync", "hr.csv", *api.flags(), "--state", "hr.db", "-o", "out.csv", "--deactivate-leavers")
            return provisioner(*command, *options, cwd=tmp_path, COMETCHAT_API_KEY=KEY).exit_code

        assert night(staff, "--adopt") == 0
        assert provisioner("backup", "hr.db", "safe.db", cwd=tmp_path).exit_code == 0
        assert [night([*staff, *guests]), night(staff)] == [0, 0]
        for each in tmp_path.glob("hr.db*"):
            each.unlink()
        (tmp_path / "safe.db").rename(tmp_path / "hr.db")
        api.faults({"fault": "revoke-key", "route": "POST /users/{uid}/auth_tokens"})
        assert night([*staff, *guests]) == 4
        api.faults()
        assert night([*staff, *guests]) == 0
        tokens = {row["uid"]: row["auth_token"] for row in rows(tmp_path / "out.csv")}
        assert all(api.accepts(each["uid"], tokens[each["uid"]]) for each in guests)


@pytest.mark.slow
def test_updates_on_the_wire_when_a_state_is_copied_cost_nobody_a_token(tmp_path: Path) -> None:
    """Killed with updates under way, copied; the original goes on, and the copy, killed as well, ends as it did.

    A token is forgotten only where a night that the copy does not know has deactivated the user: it gets a new one.
    """
    (tmp_path / "provisioner.toml").write_text('[sync]\nmax_updates = "100%"\ndeactivate_leavers = true\n')
    staff = people(40)
    renamed = [each | {"name": f"{each['name']} II"} for each in staff]
    again = [each | {"name": f"{each['name']} III"} for each in staff]
    with emulator(tmp_path, "--latency", "150ms") as api:

        def did(what: str) -> list[str]:
            return [each["uid"] for each in api.lines("audit") if each["did"] == what]

        def command(state: str) -> tuple[object, ...]:
            return ("sync", "hr.csv", *api.flags(), "--state", state, "-o", f"{state}.csv", "--yes", "--json")

        def night(state: str, roster: list[dict[str, str]], *options: object) -> dict[str, Any]:
            write_roster(tmp_path / "hr.csv", roster)
            done = provisioner(*command(state), *options, cwd=tmp_path, COMETCHAT_API_KEY=KEY)
            assert done.exit_code == 0, done.stderr
            return done.summary

        def killed(state: str, roster: list[dict[str, str]]) -> set[str]:
            """Kill a night as soon as some of its updates were carried out: those that were on the wire then."""
            write_roster(tmp_path / "hr.csv", roster)
            before = len(did("updated"))
            victim = start(*command(state), "--requests-per-minute", 900, cwd=tmp_path, COMETCHAT_API_KEY=KEY)
            wait_until(lambda: len(did("updated")) > before + 3)
            victim.kill()
            victim.end()
            with closing(sqlite3.connect(f"file:{tmp_path / state}?mode=ro", uri=True)) as database:
                sent = database.execute("SELECT uid FROM users WHERE state = 'sent' AND operation = 'update'")
                return {uid for (uid,) in sent}

        night("hr.db", staff, "--adopt")
        (tmp_path / "taken").mkdir()
        wire = killed("hr.db", renamed)
        for each in tmp_path.glob("hr.db*"):
            shutil.copy(each, tmp_path / "taken" / each.name)
        assert provisioner("backup", "taken/hr.db", "copy.db", cwd=tmp_path).exit_code == 0
        leaver = min(wire)
        night("hr.db", [each for each in renamed if each["uid"] != leaver])
        assert killed("copy.db", again)
        told = night("copy.db", again)
        results = {row["uid"]: row for row in rows(tmp_path / "copy.db.csv")}
        assert [uid for uid, row in results.items() if not api.accepts(uid, row["auth_token"])] == []
        assert (results[leaver]["outcome"], told["reactivated"], len(results)) == ("reactivated", 1, 40)
        assert set(did("minted")) == {leaver}

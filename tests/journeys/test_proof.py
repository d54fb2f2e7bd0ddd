"""`verify`, the real command against a real emulator: who is there, exactly as in the file."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.rig.command import KEY, Finished, RunningEmulator, provisioner, rows, started, write_roster
from tests.rig.company import Company

NUMBER = 1500
HEAD = ("uid", "name", "avatar", "link", "role", "statusMessage", "metadata", "tags")


def person(number: int) -> dict[str, str]:
    """Somebody of whom every field is told, in ways that come back otherwise than they were written."""
    metadata = {"z": number, "a": {"float": 1.0, "id": 2**53 + number, "text": " Ünï ☃ ", "nothing": None}}
    return {
        "uid": f"Staff-{number:05}",
        "name": f"  Persön {number} 👩‍⚕️ ",
        "avatar": f"https://x.test/{number}.png",
        "link": f"https://x.test/{number}",
        "role": "NURSE" if number % 2 else "default",
        "statusMessage": "at work",
        "metadata": json.dumps(metadata),
        "tags": f"b;a;t{number % 7}",
    }


def verified(app: RunningEmulator, folder: Path, *arguments: object, roster: str = "users.csv") -> Finished:
    options = ("-o", "out/results.csv", *app.flags(), "--json", "--log-format", "json", *arguments)
    return provisioner("verify", roster, *options, cwd=folder, COMETCHAT_API_KEY=KEY)


@pytest.mark.slow
def test_the_key_of_a_rehearsal_may_stand_in_a_uid(tmp_path: Path) -> None:
    """It is a word like any other there."""
    (tmp_path / "users.csv").write_text("uid,name\nrehearsal-1,Ann Rehearsal\n")
    with started("emulator", "--port", 0, cwd=tmp_path, EMULATOR_API_KEY="rehearsal") as process:
        api = RunningEmulator(process.stdout.readline().removeprefix("listening on ").strip())
        command = ("users.csv", *api.flags(), "-o", "out.csv")
        ended = [provisioner(each, *command, cwd=tmp_path, COMETCHAT_API_KEY="rehearsal") for each in ("run", "verify")]
    assert [each.exit_code for each in ended] == [0, 0], ended[1].stderr


@pytest.mark.slow
def test_a_clean_run_is_proved_and_what_another_hand_did_is_found(app: RunningEmulator, tmp_path: Path) -> None:
    """Two pages of rows with every field: as many requests as pages. Then exactly what was changed, and no stranger."""
    write_roster(tmp_path / "users.csv", [person(number) for number in range(NUMBER)])
    options = ("-o", "out/results.csv", *app.flags(), "--requests-per-minute", 600_000)
    ran = provisioner("run", "users.csv", *options, cwd=tmp_path, COMETCHAT_API_KEY=KEY)
    assert ran.exit_code == 0, ran.stderr
    before = app.users()
    files = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    proved = verified(app, tmp_path)
    assert proved.exit_code == 0, proved.stderr
    proof = proved.summary
    assert proof == json.loads((tmp_path / "out/results.proof.json").read_bytes())
    counts = ("rows", "compared", "matching", "differing_users", "missing", "deactivated", "rejected", "asked_singly")
    assert [proof[name] for name in counts] == [NUMBER, NUMBER, NUMBER, 0, 0, 0, 0, 0]
    assert (proof["differing"], proof["roster_sha256"]) == ({}, proof["app_sha256"])
    assert proof["compared_fields"] == list(HEAD[1:])
    assert proof["requests"] <= NUMBER // 1000 + 2
    assert rows(tmp_path / "out/results.differences.csv") == []
    assert stat.S_IMODE((tmp_path / "out/results.differences.csv").stat().st_mode) == 0o600
    assert app.users() == before
    assert {name: (tmp_path / "out" / name).read_bytes() for name in files} == files

    uid = [f"staff-{number:05}" for number in range(NUMBER)]
    for gone in uid[1000:1003]:
        app.another_hand("DELETE", f"/users/{gone}", {"permanent": True})
    app.another_hand("DELETE", "/users", {"uidsToDeactivate": uid[7:9]})
    changes: list[dict[str, Any]] = [
        {"role": "default"},
        {"name": "Other"},
        {"tags": ["a"]},
        {"metadata": {"z": 4}},
        {"unset": ["avatar"]},
    ]
    for who, change in zip(uid[-9:-4], changes, strict=True):
        app.another_hand("PUT", f"/users/{who}", change)
    app.another_hand("POST", "/users", {"uid": "stranger", "name": "Stranger"})
    found = verified(app, tmp_path)
    assert found.exit_code == 1, found.stderr
    proof = found.summary
    assert [proof[name] for name in counts] == [NUMBER, NUMBER, NUMBER - 10, 5, 3, 2, 0, 10]
    assert proof["differing"] == {"name": 1, "avatar": 1, "role": 1, "metadata": 1, "tags": 1}
    assert proof["roster_sha256"] != proof["app_sha256"]
    lines = rows(tmp_path / "out/results.differences.csv")
    assert [(line["uid"], line["field"]) for line in lines] == [
        (uid[7], "standing"), (uid[8], "standing"),
        *((each, "standing") for each in uid[1000:1003]),
        *zip(uid[-9:-4], ("role", "name", "tags", "metadata", "avatar"), strict=True),
    ]  # fmt: skip
    assert [(line["roster"], line["app"]) for line in lines[:3]] == [
        ("active", "deactivated"), ("active", "deactivated"), ("active", "missing"),
    ]  # fmt: skip
    assert [(line["roster"], line["app"]) for line in lines[-3:-2]] == [('["a","b","t2"]', '["a"]')]


def test_a_sync_is_proved_with_its_leavers(app: RunningEmulator, tmp_path: Path) -> None:
    """Who left is deactivated, as the state has it; who was woken by another hand is found. The state stays so."""
    company = Company(tmp_path, app, "left")
    for names in (("ann", "bob", "cy", "di"), ("ann", "bob", "cy"), ("ann", "bob")):
        company.names(*names)
        assert company.sync(*(("--adopt",) if len(names) == 4 else ("--deactivate-leavers",))).exit_code == 0
    before = (tmp_path / "hr.db").read_bytes()
    clean = verified(app, tmp_path, "--state", "hr.db", roster="hr.csv")
    assert clean.exit_code == 0, clean.stderr
    assert (clean.summary["compared"], clean.summary["leavers"]) == (2, {"compared": 2, "differing": 0})
    company.another_hand("PUT", "/users", {"uidsToActivate": [company.uid("cy")]})
    company.delete("di")
    found = verified(app, tmp_path, "--state", "hr.db", roster="hr.csv")
    assert (found.exit_code, found.summary["leavers"]) == (1, {"compared": 2, "differing": 1})
    assert found.summary["roster_sha256"] == found.summary["app_sha256"]
    assert rows(tmp_path / "out/results.differences.csv") == [
        {"uid": company.uid("cy"), "field": "standing", "roster": "deactivated", "app": "active"}
    ]
    assert (tmp_path / "hr.db").read_bytes() == before


@pytest.mark.slow
def test_rows_that_are_rejected_or_come_again_are_counted(app: RunningEmulator, tmp_path: Path) -> None:
    """Nothing is said of them; with a state two equal rows are one row, and rows that differ are all rejected."""
    company = Company(tmp_path, app, "twice")
    ann, bob, bad = (company.uid(name) for name in ("ann", "bob", "bad"))
    company.write(f"uid,name\n{ann},Ann\n{ann},Ann\n{bob},Bob\n{bad},\n{bob},Robert\nno uid,X\n")
    assert company.sync("--adopt", "--max-rejected", "5").exit_code == 1
    proved = verified(app, tmp_path, "--state", "hr.db", roster="hr.csv")
    counts = ("rows", "rejected", "repeated", "compared", "matching")
    assert (proved.exit_code, [proved.summary[name] for name in counts]) == (0, [6, 4, 1, 1, 1])
    (tmp_path / "out/results.proof.json").unlink()
    found = verified(app, tmp_path, roster="hr.csv")
    assert (found.exit_code, [found.summary[name] for name in counts]) == (1, [6, 4, 0, 2, 1])


@pytest.mark.slow
def test_users_of_another_app_are_not_proved(app: RunningEmulator, tmp_path: Path) -> None:
    """The journal beside the output says whose they are: exit 2. One that cannot be read is no reason not to look."""
    company = Company(tmp_path, app, "other")
    company.names("ann")
    assert provisioner("run", "hr.csv", "--emulator", "-o", "out/results.csv", cwd=tmp_path).exit_code == 0
    journal = tmp_path / "out/results.journal.db"
    other = verified(app, tmp_path, roster="hr.csv")
    assert (other.exit_code, other.summary["stopped_by"]) == (2, "journal")
    assert "the users of this job are those of app emulator at built-in emulator, not of app (none) at" in other.stderr
    assert not (tmp_path / "out/results.proof.json").exists()
    journal.write_bytes(b"\0" * 5000)
    damaged = verified(app, tmp_path, roster="hr.csv")
    assert (damaged.exit_code, damaged.summary["missing"]) == (1, 1)
    assert len(damaged.events("journal.unread")) == 1


@pytest.mark.slow
def test_what_cannot_be_read_is_no_proof(app: RunningEmulator, tmp_path: Path) -> None:
    """A wrong key, a state that is not there, the built-in emulator: an exit code and a sentence, no file."""
    write_roster(tmp_path / "users.csv", [{"uid": "ann", "name": "Ann"}])
    wrong = provisioner("verify", "users.csv", *app.flags(), "--json", cwd=tmp_path, COMETCHAT_API_KEY="wrong")
    assert (wrong.exit_code, wrong.summary["exit_code"]) == (4, 4)
    assert "nothing was proved: the API key is not accepted" in wrong.summary["message"]
    no_state = verified(app, tmp_path, "--state", "hr.db")
    assert (no_state.exit_code, no_state.summary["message"]) == (2, "hr.db: no such state file; check --state")
    (tmp_path / "provisioner.toml").write_text("[api]\nemulator = true\n")
    where = {"COMETCHAT_API_KEY": KEY, "COMETCHAT_BASE_URL": app.url}
    built_in = provisioner("verify", "users.csv", "--json", cwd=tmp_path, **where)
    assert (built_in.exit_code, "lives only as long as a run" in built_in.summary["message"]) == (2, True)
    assert not list(tmp_path.rglob("*.proof.json"))

"""`verify`, the real command against a real emulator: who is there, exactly as in the file."""

from __future__ import annotations

import json
import stat
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.rig.command import KEY, PATIENCE, Finished, RunningEmulator, emulator, provisioner, rows, write_roster

NUMBER = 5000
HEAD = ("uid", "name", "avatar", "link", "role", "statusMessage", "metadata", "tags")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEmulator]:
    with emulator(tmp_path_factory.mktemp("app"), "--role", "nurse") as running:
        yield running


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


def another_hand(app: RunningEmulator, method: str, path: str, body: Mapping[str, Any]) -> None:
    headers = {"apikey": KEY, "Content-Type": "application/json"}
    request = urllib.request.Request(f"{app.url}{path}", json.dumps(body).encode(), headers, method=method)
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        answer.read()


def verified(app: RunningEmulator, folder: Path, *arguments: object, roster: str = "users.csv") -> Finished:
    options = ("-o", "out/results.csv", *app.flags(), "--json", "--log-format", "json", *arguments)
    return provisioner("verify", roster, *options, cwd=folder, COMETCHAT_API_KEY=KEY)


def test_a_clean_run_is_proved_and_what_another_hand_did_is_found(app: RunningEmulator, tmp_path: Path) -> None:
    """5,000 rows with every field: as many requests as pages. Then exactly what was changed, and no stranger."""
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
        another_hand(app, "DELETE", f"/users/{gone}", {"permanent": True})
    another_hand(app, "DELETE", "/users", {"uidsToDeactivate": uid[7:9]})
    changes: list[dict[str, Any]] = [
        {"role": "default"},
        {"name": "Other"},
        {"tags": ["a"]},
        {"metadata": {"z": 4}},
        {"unset": ["avatar"]},
    ]
    for who, change in zip(uid[-9:-4], changes, strict=True):
        another_hand(app, "PUT", f"/users/{who}", change)
    another_hand(app, "POST", "/users", {"uid": "stranger", "name": "Stranger"})
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

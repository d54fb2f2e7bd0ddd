"""`show` and `status`, the real command: the story of somebody whom a run, nights and other hands have met."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.rig.command import KEY, RunningEmulator, provisioner, start, wait_until
from tests.rig.company import Company


@pytest.mark.slow
def test_the_whole_story_stands_on_one_screen(app: RunningEmulator, tmp_path: Path) -> None:
    """Created after a lost answer, updated by a night, left, and came back: a line each, in order, and no token."""
    company = Company(tmp_path, app, "story")
    ann = company.uid("ann")
    company.faults({"fault": "lost-reply", "route": "POST /users", "uid": ann})
    company.roster({"ann": {"name": "Ann"}, "bob": {"name": "Bob"}})
    assert company.sync("--adopt").exit_code == 0
    company.faults()
    company.roster({"ann": {"name": "Anna"}, "bob": {"name": "Bob"}})
    assert company.sync().exit_code == 0
    company.roster({"bob": {"name": "Bob"}})
    assert company.sync("--deactivate-leavers").exit_code == 0
    company.roster({"ann": {"name": "Anna"}, "bob": {"name": "Bob"}})
    assert company.sync().exit_code == 0
    told = provisioner("show", ann, "hr.db", "--json", cwd=tmp_path)
    assert told.exit_code == 0, told.stderr
    story = json.loads(told.stdout)
    assert [(step["night"], step["what"], step["outcome"]) for step in story["steps"]] == [
        (1, "create", None), (1, "create", "created"), (2, "update", "updated"), (3, "deactivate", "deactivated"),
        (4, "reactivate", "reactivated"),
    ]  # fmt: skip
    assert story["steps"][0]["became"].startswith("no believable answer (connection lost")
    assert (story["name"], story["now"][0]) == ("Anna", "active, as far as the state knows")
    screen = provisioner("show", ann.upper(), "hr.results.csv", cwd=tmp_path)
    assert (screen.exit_code, screen.stderr) == (0, "")
    assert len(screen.stdout.splitlines()) < 12
    assert "night 3  deactivate  deactivated (200)" in screen.stdout
    token = company.tokens()["ann"]
    assert token
    assert token not in screen.stdout + told.stdout
    bob = json.loads(provisioner("show", company.uid("bob"), "hr.db", "--json", cwd=tmp_path).stdout)
    assert [step["what"] for step in bob["steps"]] == ["create"]
    nobody = provisioner("show", "nobody", "hr.db", cwd=tmp_path)
    assert (nobody.exit_code, nobody.stdout) == (2, "")


@pytest.mark.slow
def test_a_killed_run_can_be_asked_how_it_stands(app: RunningEmulator, tmp_path: Path) -> None:
    """While it runs it is named as running; after the kill its doubts are told; after the resume the whole story."""
    company = Company(tmp_path, app, "killed")
    company.names("ann", "bob")
    ann = company.uid("ann")
    company.faults({"fault": "hang-after-commit", "route": "POST /users", "uid": ann})
    options = ("run", "hr.csv", "-o", "out.csv", *app.flags())
    running = start(*options, cwd=tmp_path, COMETCHAT_API_KEY=KEY)
    wait_until(lambda: {"ann", "bob"} <= set(company.users()))

    def status() -> dict[str, object]:
        told = provisioner("status", "out.csv", "--json", cwd=tmp_path)
        assert told.exit_code == 0, told.stderr
        document: dict[str, object] = json.loads(told.stdout)
        return document

    wait_until(lambda: status()["outcomes"] == {"created": 1, "pending": 1})
    assert str(status()["held_by"]).startswith("process ")
    running.kill()
    company.faults()
    assert (status()["held_by"], status()["in_doubt"]) == (None, 1)
    assert provisioner(*options, cwd=tmp_path, COMETCHAT_API_KEY=KEY).exit_code == 0
    assert (status()["outcomes"], status()["in_doubt"]) == ({"created": 2}, 0)
    story = json.loads(provisioner("show", ann, "out.csv", "--json", cwd=tmp_path).stdout)
    assert [(step["what"], step["outcome"], step["became"]) for step in story["steps"]] == [
        ("create", None, "sent; the process ended before its outcome was recorded"),
        ("create", "created", "created (200)"),
    ]

"""Nights at the edges: killed at the worst instant, in doubt, changed by another hand, a mute API."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rig.command import RunningEmulator, rows, wait_until
from tests.rig.company import Company

_numbers = itertools.count(1)


@pytest.fixture
def company(app: RunningEmulator, tmp_path: Path) -> Iterator[Company]:
    company = Company(tmp_path, app, f"e{next(_numbers)}")
    company.news()
    yield company
    company.faults()


def killed_with_a_create_on_the_wire(company: Company, name: str, *arguments: object, fault: str) -> None:
    """Start a night and kill it while the create of somebody has no answer."""
    company.faults({"fault": fault, "route": "POST /users", "uid": company.uid(name)})
    before = len(company.app.lines("audit"))
    night = company.start(*arguments)
    wait_until(lambda: any(each["fault"] == fault for each in company.app.lines("audit")[before:]))
    night.kill()
    company.faults()


@pytest.mark.sampled
@pytest.mark.parametrize("fault", ["hang-before-commit", "hang-after-commit"])
@pytest.mark.parametrize("more", [[], ["--refresh"]], ids=["met by an update", "seen in the directory"])
def test_a_user_created_anew_has_a_token_that_works(company: Company, fault: str, more: list[str]) -> None:
    """Deleted by another hand, killed with the POST on the wire: created, and never the dead user's token."""
    company.names("ann", "bob")
    assert company.sync("--adopt").exit_code == 0
    old = company.tokens()["ann"]
    company.delete("ann")
    company.roster({"ann": {"name": "Anna"}, "bob": {"name": "BOB"}})
    killed_with_a_create_on_the_wire(company, "ann", *more, fault=fault)
    ended = company.sync(*more)
    assert ended.exit_code == 0, ended.stderr
    assert (company.told(), company.active()) == (
        {"ann": "created", "bob": "unchanged"},
        {"ann": "Anna", "bob": "BOB"},
    )
    token = company.tokens()["ann"]
    assert (token != old, company.app.accepts(company.uid("ann"), token)) == (True, True)


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["hang-before-commit", "hang-after-commit"])
def test_a_joiner_in_doubt_who_is_in_no_later_export_is_a_leaver(company: Company, fault: str) -> None:
    """Found to be ours: listed, and deactivated when that is asked for; never created: nobody's, and no leaver."""
    company.names("ann", "bob")
    assert company.sync("--adopt").exit_code == 0
    company.names("ann", "bob", "joiner")
    killed_with_a_create_on_the_wire(company, "joiner", fault=fault)
    made = fault == "hang-after-commit"
    company.names("ann", "bob")
    listed = company.sync()
    assert (listed.exit_code, listed.summary["leavers"]["reported"]) == (0, int(made)), listed.stderr
    assert sorted(company.active()) == ["ann", "bob", *(["joiner"] if made else [])]
    ended = company.sync("--deactivate-leavers")
    assert (ended.exit_code, ended.summary["deactivated"]) == (0, int(made)), ended.stderr
    assert sorted(company.active()) == ["ann", "bob"]
    company.news()
    assert (company.sync("--deactivate-leavers").exit_code, company.news()) == (0, [])


@pytest.mark.slow
def test_a_create_that_failed_in_doubt_is_a_leaver_too(company: Company) -> None:
    """Given up after so many attempts, and in no later export: it is asked for, and goes like any leaver."""
    company.names("ann", "bob")
    assert company.sync("--adopt").exit_code == 0
    company.names("ann", "bob", "new")
    company.faults(
        {"fault": "lost-reply", "route": "POST /users", "uid": company.uid("new"), "times": 1},
        {"fault": "error-before-commit", "route": "POST /users", "uid": company.uid("new"), "nth": 2, "times": 9},
    )
    assert company.sync("--max-failures", "100%").exit_code == 1
    company.faults()
    company.names("ann", "bob")
    ended = company.sync("--deactivate-leavers")
    assert (ended.exit_code, ended.summary["deactivated"], sorted(company.active())) == (0, 1, ["ann", "bob"]), (
        ended.stderr
    )


@pytest.mark.slow
def test_a_stranger_of_whom_it_was_in_doubt_is_left_alone(company: Company) -> None:
    """Somebody else's user of that name, from before: the answer that would have said so was lost."""
    company.names("ann")
    assert company.sync("--adopt").exit_code == 0
    company.seed({"uid": "old", "name": "Old", "created_at": 1_600_000_000})
    company.names("ann", "old")
    killed_with_a_create_on_the_wire(company, "old", fault="hang-before-commit")
    company.names("ann")
    ended = company.sync("--deactivate-leavers")
    assert (ended.exit_code, ended.summary["leavers"]["found"]) == (0, 0), ended.stderr
    assert company.active() == {"ann": "ANN", "old": "Old"}


@pytest.mark.slow
def test_a_leaver_whom_another_hand_reactivated_is_seen_and_goes_again(company: Company) -> None:
    """With `--refresh`: counted as reactivated, listed as a leaver, deactivated once more."""
    company.names("ann", "cy", "bob")
    assert company.sync("--adopt").exit_code == 0
    company.names("ann", "cy")
    assert company.sync("--deactivate-leavers").summary["deactivated"] == 1
    company.another_hand("PUT", "/users", {"uidsToActivate": [company.uid("bob")]})
    assert company.sync("--deactivate-leavers").summary["leavers"]["found"] == 0
    planned = company.plan("--deactivate-leavers", "--refresh")
    assert (planned.summary["deactivate"], planned.summary["directory"]["reactivated"]) == (1, 1)
    ended = company.sync("--deactivate-leavers", "--refresh")
    assert (ended.exit_code, ended.summary["deactivated"], sorted(company.active())) == (0, 1, ["ann", "cy"]), (
        ended.stderr
    )
    assert [line["uid"] for line in rows(company.folder / "hr.results.leavers.csv")] == [company.uid("bob")]


@pytest.mark.sampled
@pytest.mark.parametrize("fault", ["error-before-commit", "truncated-json", "empty-body"])
def test_a_list_that_cannot_be_read_whole_changes_nobody(company: Company, fault: str) -> None:
    """Exit 4 of `--refresh`, `--adopt` and `plan`, whichever page it is; nobody is updated blindly."""
    company.names("ann", "bob")
    assert company.sync("--adopt").exit_code == 0
    company.roster({"ann": {"name": "Anna"}, "bob": {"name": "BOB"}})
    company.did()
    for nth in (1, 2):
        for command, option in (("sync", "--refresh"), ("sync", "--adopt"), ("plan", "--refresh")):
            company.faults({"fault": fault, "route": "GET /users", "nth": nth, "times": 50})
            failed = company.start(option, command=command).end()
            assert (failed.exit_code, failed.summary["stopped_by"]) == (4, "directory"), failed.stderr
            assert "error: the app's users cannot be listed: page 1 (" in failed.stderr
    assert (company.did(), company.active()["ann"]) == ({}, "ANN")
    company.faults()
    assert company.sync("--refresh").summary["updated"] == 1


@pytest.mark.slow
def test_whom_the_app_never_took_is_not_said_to_be_deactivated(company: Company) -> None:
    """A create that failed, and a roster that then names the user as deactivated: nobody is there."""
    (company.folder / "left.toml").write_text(
        '[columns]\ndeactivated = "left"\n[retry]\nbackoff_base = 0.05\nmax_attempts = 2\n'
    )
    night = ("--config", "left.toml", "--max-in-flight", "1")
    company.roster({"ann": {"name": "Ann"}, "bob": {"name": "Bob"}}, ("name", "left"))
    company.faults({"fault": "error-before-commit", "route": "POST /users", "nth": 2, "times": 2})
    assert company.sync("--adopt", *night).summary["failed"] == 1
    company.faults()
    company.roster({"ann": {"name": "Ann"}, "bob": {"name": "Bob", "left": "yes"}}, ("name", "left"))
    assert company.sync(*night).exit_code == 0
    bob = next(line for line in rows(company.folder / "hr.results.csv") if line["uid"] == company.uid("bob"))
    assert (bob["outcome"], bob["error_code"], bob["error_message"]) == (
        "unchanged", "deactivated", "the state knows no such user, and nobody is created to be deactivated",
    )  # fmt: skip


@pytest.mark.slow
def test_an_emptied_status_message_is_no_drift_each_night(company: Company) -> None:
    """It cannot be taken away, so it stays, and nobody is said to have changed it."""
    company.roster(
        {"ann": {"name": "Ann", "statusMessage": "here"}, "bob": {"name": "Bob", "statusMessage": "hi"}},
        ("name", "statusMessage"),
    )
    assert company.sync("--adopt").exit_code == 0
    company.roster(
        {"ann": {"name": "Anna", "statusMessage": ""}, "bob": {"name": "Bob", "statusMessage": "hi"}},
        ("name", "statusMessage"),
    )
    assert company.sync().summary["updated"] == 1
    for _ in range(2):
        company.did()
        ended = company.sync("--refresh")
        assert (ended.exit_code, ended.summary["unchanged"], ended.summary["directory"]["changed"]) == (0, 2, 0)
        assert company.did() == {}


@pytest.mark.slow
def test_time_that_is_over_when_all_is_done_is_no_stop(company: Company) -> None:
    """The last answer came after `--max-duration`: nothing is pending, exit 0, a good night."""
    company.names("ann")
    company.faults({"fault": "slow", "route": "POST /users", "seconds": 4.0})
    ended = company.sync("--adopt", "--max-duration", "3s")
    assert (ended.exit_code, ended.summary["stopped_by"], ended.summary["created"]) == (0, None, 1), ended.stderr
    assert "run.stopped" not in ended.stderr

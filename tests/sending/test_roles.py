"""Roles that do not exist are told before the first create, not by a refusal for each row."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from provisioner.model import UserRequest
from provisioner.sending.attempts import Exchanger
from provisioner.sending.calls import Failure, Operation, Reply
from provisioner.sending.roles import RoleCheck
from provisioner.stop import Stopper
from tests.rig import clock
from tests.rig.command import KEY, emulator, people, provisioner, rows, write_roster
from tests.rig.slots import an_exchanger

ROLES = Reply(status=200, data={"items": [{"role": "default"}, {"role": "Crew"}, {"name": "no role"}, "no object"]})


def ensured(roles: Sequence[str], *replies: Reply) -> tuple[RoleCheck, list[tuple[Operation, bytes]]]:
    """A role check that was to make what is missing, and what it sent."""
    sent: list[tuple[Operation, bytes]] = []
    script = iter(replies)

    async def send(operation: Operation, request: UserRequest, query: str) -> Reply:
        sent.append((operation, request.body))
        return next(script)

    async def main() -> RoleCheck:
        check = RoleCheck(an_exchanger(send, Stopper()), on=False, create=True)
        await check.ensure(roles)
        return check

    return clock.run(main()), sent


def asked(*replies: Reply, on: bool = True, times: int = 1) -> tuple[RoleCheck, list[Operation], Exchanger]:
    """A role check that has asked, what it sent, and its exchanger."""
    sent: list[Operation] = []
    script = iter(replies)

    async def send(operation: Operation, request: UserRequest, query: str) -> Reply:
        sent.append(operation)
        return next(script)

    async def main() -> tuple[RoleCheck, Exchanger]:
        exchanger = an_exchanger(send, Stopper())
        check = RoleCheck(exchanger, on=on)
        for _ in range(times):
            await check.ask()
        return check, exchanger

    check, exchanger = clock.run(main())
    return check, sent, exchanger


def test_the_default_role_needs_no_asking() -> None:
    """Before the API is asked only other roles are doubtful; no role is none."""
    check, _, _ = asked(times=0)
    assert [check.doubtful(role) for role in (None, "default", "crew")] == [False, False, True]


def test_the_api_is_asked_once() -> None:
    """Its roles are known from then on, in lower case; whatever else the answer holds is let be."""
    check, sent, _ = asked(ROLES, times=3)
    assert sent == [Operation.ROLES]
    assert set(check.known or ()) == {"default", "crew"}
    assert check.message("boss") == "'boss' is no role of this app, known are crew, default"


def test_switched_off_every_role_passes_and_nothing_is_asked() -> None:
    """`check_roles = false` leaves it to the API."""
    check, sent, _ = asked(on=False)
    assert (check.doubtful("boss"), sent) == (False, [])


@pytest.mark.parametrize(
    "reply",
    [
        Reply(status=403, code="AUTH_ERR_NO_ACCESS", message="no"),
        Reply(status=404, code="ERR_API_NOT_FOUND", message="none"),
        Reply(status=400, code="ERR_BAD_REQUEST", message="bad"),
        Reply(status=200, data={"uid": "no list"}),
    ],
)
def test_an_api_that_does_not_tell_is_warned_about_and_the_run_goes_on(reply: Reply) -> None:
    """A key that may not look at roles may still create users: every role passes, with one warning."""
    with capture_logs() as logs:
        check, sent, exchanger = asked(reply)
    assert (check.doubtful("boss"), len(sent), exchanger.stopper.stop) == (False, 1, None)
    assert [(log["event"], log["log_level"]) for log in logs] == [("roles.unchecked", "warning")]


def test_an_answer_that_lists_no_roles_is_said_to_be_none() -> None:
    """A warning says why, also of a success."""
    with capture_logs() as logs:
        asked(Reply(status=200, data={}))
    assert [log["reason"] for log in logs] == ["the answer holds no list of roles"]


def test_a_wrong_key_stops_the_run_here_already() -> None:
    """A 401 is a 401 wherever it is met."""
    _, _, exchanger = asked(Reply(status=401, code="AUTH_ERR_APIKEY_NOT_FOUND", message="wrong"))
    assert exchanger.stopper.stop is not None
    assert (exchanger.stopper.stop.reason, exchanger.stopper.stop.exit_code) == ("key", 4)


def test_a_lost_answer_is_asked_for_again() -> None:
    """Reading has no side effect: it is simply repeated."""
    check, sent, _ = asked(Reply(failure=Failure.LOST), Reply(status=503), ROLES)
    assert (len(sent), check.known) == (3, frozenset({"default", "crew"}))


MADE = Reply(status=200, data={"role": "boss", "name": "boss"})
TAKEN = Reply(status=400, code="ERR_ROLE_ALREADY_EXISTS", message="exists")


@pytest.mark.parametrize(
    "replies", [[MADE], [TAKEN], [Reply(failure=Failure.LOST), TAKEN], [Reply(status=200, data={"role": "x"}), MADE]]
)
def test_a_role_that_is_missing_is_made_once(replies: list[Reply]) -> None:
    """A lost answer is asked for again; that it is there already is as good. A known one costs nothing."""
    check, sent = ensured(["crew", "boss", "boss"], ROLES, *replies)
    body = (Operation.CREATE_ROLE, b'{"role":"boss","name":"boss"}')
    assert sent == [(Operation.ROLES, b""), *[body] * len(replies)]
    assert check.known == frozenset({"default", "crew", "boss"})


def test_no_more_roles_are_made_than_an_app_can_have() -> None:
    """Of those past 25 it is said; nothing is sent for them."""
    there = Reply(status=200, data={"items": [{"role": f"r{number}"} for number in range(23)]})
    check, sent = ensured(["boss", "chief"], there, MADE)
    assert [operation for operation, _ in sent] == [Operation.ROLES, Operation.CREATE_ROLE]
    assert "and was not created (an app has 25 roles at most)" in check.message("chief")


def test_a_role_that_is_refused_rejects_its_rows() -> None:
    """With the API's words; it is not asked for again."""
    refused = Reply(status=400, code="ERR_BAD_REQUEST", message="no such luck")
    check, sent = ensured(["boss"], ROLES, refused)
    assert (check.doubtful("boss"), len(sent)) == (True, 2)
    assert check.message("boss") == (
        "'boss' is no role of this app and was not created (no such luck), known are crew, default"
    )


@pytest.mark.slow
def test_with_create_roles_rows_get_the_roles_they_name(tmp_path: Path) -> None:
    """Only those that rows to be sent name. A dry run tells which, and whether the users fit, and changes nothing."""
    staff = [{**each, "role": role} for each, role in zip(people(4), ("", "Crew", "boss", "boss"), strict=True)]
    staff.append({"uid": "no good", "name": "", "role": "nobody"})
    roster = write_roster(tmp_path / "staff.csv", staff)
    (tmp_path / "provisioner.toml").write_text("[api]\nmax_users = 3\n")
    with emulator(tmp_path, "--role", "crew") as api:
        command = ("run", roster, *api.flags(), "-o", "x.csv", "--json", "--create-roles")
        dry = provisioner(*command, "--dry-run", cwd=tmp_path, COMETCHAT_API_KEY=KEY)
        asked = [(record["method"], record["path"]) for record in api.lines("audit")]
        ended = provisioner(*command, cwd=tmp_path, COMETCHAT_API_KEY=KEY)
        made = [record["path"] for record in api.lines("audit") if record["did"] == "configured"]
        again = provisioner(*command, "--restart", cwd=tmp_path, COMETCHAT_API_KEY=KEY)
    assert dry.summary["app"] == {
        "room": {"max_users": 3, "app_users": 0, "creates": 4, "too_many": 1}, "roles_to_create": ["boss"],
    }  # fmt: skip
    assert asked == [("GET", "/users"), ("GET", "/roles")]
    assert dry.summary["estimate"]["requests"] == 5
    assert (ended.summary["created"], ended.summary["rejected"], made) == (4, 1, ["/roles"])
    assert again.summary["existing"] == 4


def test_without_a_key_a_dry_run_leaves_open_what_only_the_app_can_tell(tmp_path: Path) -> None:
    """It says so, and does the rest; `validate` asks nothing whatever is set."""
    roster = write_roster(tmp_path / "staff.csv", people(4))
    (tmp_path / "provisioner.toml").write_text("[api]\nmax_users = 3\n[run]\ncreate_roles = true\n")
    dry = provisioner("run", roster, "--dry-run", "--json", cwd=tmp_path)
    assert (dry.exit_code, len(dry.events("app.not_asked"))) == (0, 1)
    assert dry.summary["app"]["room"] == {"max_users": 3, "app_users": None, "creates": 4, "too_many": 1}
    assert "app" not in provisioner("validate", roster, "--json", cwd=tmp_path).summary


@pytest.mark.slow
def test_a_sync_makes_roles_before_its_first_change(tmp_path: Path) -> None:
    """Its plan tells which; a night without changes asks nothing."""
    roster = write_roster(tmp_path / "staff.csv", [{**each, "role": "boss"} for each in people(3)])
    with emulator(tmp_path) as api:
        flags = (roster, "--state", "s.db", "--create-roles", "--base-url", api.url, "--json")
        plan = provisioner("plan", *flags, "--adopt", cwd=tmp_path, COMETCHAT_API_KEY=KEY)
        first = provisioner("sync", *flags, "--adopt", cwd=tmp_path, COMETCHAT_API_KEY=KEY)
        before = len(api.lines("audit"))
        second = provisioner("sync", *flags, cwd=tmp_path, COMETCHAT_API_KEY=KEY)
        assert len(api.lines("audit")) == before
    assert plan.summary["app"] == {"roles_to_create": ["boss"]}
    # Two pages of the directory, and the role.
    assert plan.summary["requests"] == {"core": 3, "standard": 3}
    assert (first.exit_code, first.summary["created"], second.exit_code) == (0, 3, 0), first.stderr


def test_rows_with_an_unknown_role_are_rejected_and_come_back(tmp_path: Path) -> None:
    """They are in the rejected file with the known roles named, cost no create, and pass once the role exists."""
    staff = [
        {**each, "role": role} for each, role in zip(people(5), ("", "Crew", "boss", "default", "boss"), strict=True)
    ]
    staff.insert(1, {"uid": "no good", "name": "", "role": "boss"})
    roster = write_roster(tmp_path / "staff.csv", staff)
    with emulator(tmp_path, "--role", "crew") as api:
        command = ("run", roster, *api.flags(), "-o", "x.csv", "--json")
        ended = provisioner(*command, cwd=tmp_path, COMETCHAT_API_KEY=KEY)
        assert sorted(api.created()) == ["person-00001", "person-00002", "person-00004"]
        assert [record["path"] for record in api.lines("audit")].count("/roles") == 1
    assert ended.exit_code == 1
    assert ended.summary["rejected_by_code"] == {"name.missing": 1, "role.unknown": 2, "uid.charset": 1}
    assert [line["outcome"] for line in rows(tmp_path / "x.csv")] == [
        "created", "rejected", "created", "rejected", "created", "rejected",
    ]  # fmt: skip
    rejected = rows(tmp_path / "x.rejected.csv")
    assert [(line["_row"], line["_errors"]) for line in rejected if line["_row"] != "2"] == [
        ("4", "role.unknown: 'boss' is no role of this app, known are crew, default"),
        ("6", "role.unknown: 'boss' is no role of this app, known are crew, default"),
    ]
    assert [line["_row"] for line in rejected] == ["2", "4", "6"]


@pytest.mark.slow
def test_a_roster_that_names_no_other_role_asks_nothing(tmp_path: Path) -> None:
    """No request that nobody needs; and none at all when everything was settled before."""
    roster = write_roster(tmp_path / "staff.csv", [{**each, "role": "crew"} for each in people(2)])
    plain = write_roster(tmp_path / "plain.csv", people(2, first=10))
    with emulator(tmp_path, "--role", "crew") as api:
        provisioner("run", plain, *api.flags(), "-o", "p.csv", cwd=tmp_path, COMETCHAT_API_KEY=KEY)
        assert [record["path"] for record in api.lines("audit")].count("/roles") == 0
        command = ("run", roster, *api.flags(), "-o", "x.csv", "--json")
        first = provisioner(*command, cwd=tmp_path, COMETCHAT_API_KEY=KEY)
        second = provisioner(*command, cwd=tmp_path, COMETCHAT_API_KEY=KEY)
    assert (first.summary["requests"], second.summary["requests"]) == (3, 0)

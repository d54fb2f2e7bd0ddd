"""What the doctor concludes from the way to the API and from its answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from provisioner.inspection.doctor import connection
from provisioner.inspection.doctor.diagnosis import Check, Status
from provisioner.sending.calls import Failure, Reply
from provisioner.validation.fields.mapping import parse_mapping


@pytest.mark.parametrize(
    ("offset", "seconds", "status"),
    [
        (0.0, 0.1, Status.OK), (2.0, 0.1, Status.OK), (2.1, 0.1, Status.WARNING),
        # `Date` is cut to whole seconds and has travelled: the bound may be low by a second and the journey.
        (-1.0, 0.1, Status.OK), (-3.0, 0.1, Status.OK), (-3.2, 0.1, Status.WARNING), (-3.2, 5.0, Status.OK),
    ],
)  # fmt: skip
def test_clocks_are_told_apart_only_when_they_certainly_are(offset: float, seconds: float, status: Status) -> None:
    """Two seconds and what cannot be known are no warning."""
    assert connection.clock(offset, seconds).status is status


def test_a_clock_that_is_wrong_stops_no_run() -> None:
    """What it is needed for is said, and nothing of what a run does without it."""
    todo = "set this machine's clock (NTP): it dates what the results and the log say; a run works with any"
    assert connection.clock(3600.0, 0.1) == Check("clock", Status.WARNING, "3600 s behind the server's", todo)


def test_every_way_not_to_reach_a_server_has_its_advice() -> None:
    """A certificate, a firewall and a closed port are mended differently."""
    lost = [each for each in Failure if each is not Failure.UNREADABLE]
    found = [connection.network(Reply(failure=each, message="why"), tls=True, seconds=0.1) for each in lost]
    assert [each.seen for each in found] == [f"{each} (why)" for each in lost]
    assert len({each.do for each in found}) == len(found)
    assert connection.network(Reply(status=500), tls=True, seconds=0.1) == Check(
        "network", Status.OK, "answered in 100 ms; TLS, certificate accepted"
    )


@pytest.mark.parametrize(
    ("columns", "roles"),
    [
        ({}, []),
        ({"role": "column"}, []),
        ({"role": {"value": " Coach "}}, ["coach"]),
        ({"Role": {"column": "job", "map": {"HR": "staff", "PE": "Coach"}, "default": "default"}},
         ["coach", "default", "staff"]),
        ({"name": {"value": "x"}, "role": {"value": ""}}, []),
        ({"role": "{job}-{grade}"}, []),
        ({"role": ["job", {"column": {"column": "x", "default": "staff"}, "map": {"a": "coach"}}]}, ["coach", "staff"]),
    ],
)  # fmt: skip
def test_the_roles_that_a_configuration_names_itself(columns: Mapping[str, Any], roles: Sequence[str]) -> None:
    """Constants, defaults and the values of a map; in lower case, as they are sent."""
    assert connection.constant_roles(parse_mapping(columns)) == roles


def test_roles_that_cannot_be_read_are_a_warning() -> None:
    """A run lets the API judge them then."""
    for reply in (Reply(status=403, code="AUTH_ERR_NO_ACCESS"), Reply(failure=Failure.TIMEOUT), Reply(200, data={})):
        assert connection.roles(reply, ["coach"]).status is Status.WARNING


def test_a_name_that_only_the_proxy_can_look_up_is_fine() -> None:
    """Behind a proxy this machine may know no names at all."""
    assert connection.dns("h", [], "no answer", Reply(status=200, data={})).status is Status.OK
    assert connection.dns("h", [], "no answer", Reply(failure=Failure.UNREACHED)).status is Status.ERROR
    assert connection.dns("h", [], "no answer", Reply(failure=Failure.PROXY), proxied=True).status is Status.OK


@pytest.mark.parametrize(
    ("uids", "underscore", "seen"),
    [
        ([], False, "there are none"),
        (["a", "b-1"], False, "the app's 2 users, no uid with _"),
        (
            ["a", "b_1"],
            False,
            (
                "the app's 2 users, 1 with _ in the uid; uid_allow_underscore = true under [constraints] lets a roster "
                "have such uids too"
            ),
        ),
        ([f"u_{number}" for number in range(1000)], True, "the first 1,000 users, 1,000 with _ in the uid"),
    ],
)
def test_whether_an_app_takes_underscores_is_seen_in_its_uids(uids: list[str], underscore: bool, seen: str) -> None:
    """Counted among its first thousand; where a roster may not have them it is said how it may."""
    reply = Reply(status=200, data={"items": [{"uid": uid} for uid in uids]})
    assert connection.users(reply, underscore=underscore) == Check("users", Status.OK, seen)


def test_users_that_cannot_be_read_are_a_warning() -> None:
    """With the reason."""
    found = connection.users(Reply(status=403, code="AUTH_ERR_NO_ACCESS"), underscore=True)
    seen = "the app's users cannot be read (answered 403 AUTH_ERR_NO_ACCESS)"
    assert found == Check("users", Status.WARNING, seen, "try again")


@pytest.mark.parametrize(
    ("users", "most", "status", "seen"),
    [
        (2, 100, Status.OK, "the app's 2 users, no uid with _; 2 of max_users = 100, room for 98"),
        (2, 2, Status.WARNING, "the app's 2 users, no uid with _; 2 of max_users = 2, no room for more"),
        (
            1000,
            5000,
            Status.WARNING,
            "the first 1,000 users, no uid with _; how many there are in all, it does not tell",
        ),
    ],
)
def test_how_much_room_an_app_has_is_said(users: int, most: int, status: Status, seen: str) -> None:
    """With `max_users`: a warning when there is none, or when nobody knows."""
    reply = Reply(status=200, data={"items": [{"uid": "a"}] * users})
    found = connection.users(reply, underscore=True, most=most)
    assert (found.status, found.seen) == (status, seen)

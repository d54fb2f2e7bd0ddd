"""What a roster needs of an app: whether its users fit, and which roles would be made."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.sending.calls import Reply
from provisioner.sending.users.needs import Needs, Room, count_of, needs_of

CREW = frozenset({"default", "crew"})


@pytest.mark.parametrize(
    ("room", "too_many", "told"),
    [
        (Room(100, 60, 40), 0, "max_users: the app has 60 of 100 users, up to 40 more would be created"),
        (Room(100, 60, 50), 10, "max_users: the app has 60 of 100 users, up to 50 more would be created, 10 too many"),
        (
            Room(100, None, 101),
            1,
            "max_users: the app has an unknown number of 100 users, up to 101 more would be created, 1 too many",
        ),
    ],
)
def test_whether_the_users_fit_is_said_with_the_numbers(room: Room, too_many: int, told: str) -> None:
    """Who is there already takes no room, so that more may fit than the sum says."""
    assert (room.too_many, str(room)) == (too_many, told)


def test_of_the_roles_that_are_missing_as_many_as_an_app_can_have() -> None:
    """In the order in which rows name them; an app has 25."""
    roles = [f"r{number}" for number in range(30)]
    needs = needs_of(None, CREW, None, 5, ["crew", *roles])
    assert needs == Needs(None, roles[:23], roles[23:])
    assert needs.document == {"roles_to_create": roles[:23], "roles_past_the_limit": roles[23:]}
    assert [wrong for _, wrong in needs.remarks()] == [False, True]


def test_what_the_app_does_not_tell_is_left_open() -> None:
    """And what nobody asked is not in the document."""
    assert needs_of(None, None, 100, 5, ["boss"]).document == {
        "room": {"max_users": 100, "app_users": None, "creates": 5, "too_many": 0}
    }
    assert needs_of(3, CREW, None, 5, None) == Needs()


def page(users: int, **pagination: Any) -> Reply:
    return Reply(status=200, data={"items": [{}] * users, "meta": {"pagination": pagination}})


@pytest.mark.parametrize(
    ("reply", "count"),
    [
        (page(5, total=0), 5),
        (page(0), 0),
        (page(1000, total=2500), 2500),
        (page(1000, total=0), None),
        (page(1000, total="many"), None),
        (Reply(status=200, data={"items": [{}]}), 1),
        (Reply(status=403, code="AUTH_ERR_NO_ACCESS"), None),
    ],
)
def test_users_are_counted_by_the_first_page(reply: Reply, count: int | None) -> None:
    """A page that is not full is all there are; of a full one the total is believed, unless it is less."""
    assert count_of(reply) == count

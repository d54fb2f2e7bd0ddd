"""What is noted of a user before an update, and what an answer shows of it."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.sending.users import keeper
from provisioner.sending.users.keeper import carried, shows
from provisioner.sending.users.trace import entry_of


def test_an_answer_shows_a_body_when_it_shows_all_that_it_sets() -> None:
    """Whatever else the user has; a field of which the answer tells nothing may be another one."""
    body = b'{"uid":"ann","name":"Ann","metadata":{"b":1,"a":[1.50]},"tags":["x"]}'
    user = {"uid": "ann", "name": "Ann", "metadata": {"a": [1.50], "b": 1}, "tags": ["x"], "role": "default"}
    assert shows(body, user)
    assert not shows(body, user | {"name": "Anna"})
    assert not shows(body, user | {"metadata": {"b": 1}})
    assert not shows(body, {name: value for name, value in user.items() if name != "tags"})
    assert shows(b'{"uid":"ann","name":"Ann"}', user)


def test_an_answer_shows_that_fields_are_empty() -> None:
    """An avatar that is there still is seen; of metadata and tags an answer that has none tells nothing."""
    body = b'{"uid":"ann","name":"Ann","role":"default","unset":["avatar","link"]}'
    user = {"uid": "ann", "name": "Ann", "role": "default"}
    assert shows(body, user)
    assert not shows(body, user | {"avatar": "https://a.b/1"})
    assert not shows(b'{"uid":"ann","name":"Ann","tags":[]}', user)
    assert shows(b'{"uid":"ann","name":"Ann","tags":[]}', user | {"tags": []})
    assert not shows(b'{"uid":"ann","name":"Ann","tags":[]}', user | {"tags": ["x"]})
    assert not shows(b'{"uid":"ann","name":"Ann","unset":["metadata"]}', user)


def test_what_an_update_emptied_is_carried_as_the_answer_shows_it() -> None:
    """As an empty field where the answer has none, and with its value where the API has left it there."""
    body = b'{"uid":"ann","name":"Ann","unset":["avatar"]}'
    assert carried(body, {"name": "Ann"}) == entry_of({"name": '"Ann"', "avatar": None})
    assert carried(body, {"name": "Ann", "avatar": "x"}) == entry_of({"name": '"Ann"', "avatar": '"x"'})


@pytest.mark.parametrize(
    ("said", "at"),
    [
        (1_790_000_000, 1_790_000_000),
        (1_790_000_000.7, 1_790_000_000),
        (0, 0),
        (253_402_300_799, 253_402_300_799),
        (253_402_300_800, None),
        (1.79e12, None),
        (-1, None),
        ("1790000000", None),
        (None, None),
    ],
)
def test_a_time_is_one_that_a_calendar_has(said: Any, at: int | None) -> None:
    """One of milliseconds is none: results and journals could not tell it."""
    assert keeper.moment({"createdAt": said}, "createdAt") == at


@pytest.mark.parametrize(
    ("times", "active", "away"),
    [
        ({"updatedAt": 10}, False, False),
        ({}, False, False),
        # Where no time of the deactivation is shown, it may be what changed the user.
        ({"updatedAt": 15}, True, False),
        ({"updatedAt": 15, "deactivatedAt": 15}, True, False),
        ({"updatedAt": 15, "deactivatedAt": 16}, True, False),
        ({"updatedAt": 15, "deactivatedAt": 17}, True, True),
        ({"updatedAt": 18, "deactivatedAt": 17}, True, False),
    ],
)
def test_a_deactivation_is_no_change_by_another_hand(times: dict[str, int], *, active: bool, away: bool) -> None:
    """Of a user who is deactivated, only a change before that counts."""
    assert keeper.changed_after(times, 10, away=False) == active
    assert keeper.changed_after(times, 10, away=True) == away
    assert not keeper.changed_after(times, None, away=False)

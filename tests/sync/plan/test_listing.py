"""One page of the app's users: whether others follow, whether it came before, and whom it shows as what."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.model import Standing
from provisioner.sync.plan.listing import Page, standing_of

ACTIVE, DEACTIVATED = Standing.ACTIVE, Standing.DEACTIVATED


def page(number: int, uids: str, last: int | None) -> Page:
    return Page(number, ACTIVE, [{"uid": uid} for uid in uids], last)


@pytest.mark.parametrize(
    ("number", "uids", "last", "ends"),
    [(1, "ab", 1, True), (1, "ab", 2, False), (3, "ab", 2, True), (1, "", 5, True), (1, "ab", None, False)],
)
def test_no_other_page_follows_the_last_one_and_an_empty_one(
    number: int, uids: str, last: int | None, *, ends: bool
) -> None:
    """Where nobody says how many there are, it goes on until there is nobody."""
    assert page(number, uids, last).ends is ends


@pytest.mark.parametrize(
    ("listed", "before", "said"),
    [
        (page(2, "ab", None), None, None),
        (page(2, "ab", None), 1, "it is the page before it once more"),
        (page(5, "ab", 9), 1, "it is page 1 once more"),
        (page(2, "a", 2), 1, None),
        (page(2, "a", None), 1, "it is the page before it once more"),
        (page(2, "", None), 1, None),
    ],
)
def test_a_page_that_came_before_is_told(listed: Page, before: int | None, said: str | None) -> None:
    """But for one user on a last page: pages shift while users are created."""
    assert listed.repeated(before) == said


def test_whom_pages_list_tells_them_apart() -> None:
    """In this order."""
    assert page(1, "ab", None).whom == page(7, "ab", 9).whom
    assert page(1, "ab", None).whom != page(1, "ba", None).whom


@pytest.mark.parametrize(
    ("user", "listed_as", "standing"),
    [
        ({}, ACTIVE, ACTIVE),
        ({"deactivatedAt": 5}, ACTIVE, DEACTIVATED),
        ({"deactivatedAt": None}, ACTIVE, ACTIVE),
        ({}, DEACTIVATED, DEACTIVATED),
    ],
)
def test_a_user_is_what_is_shown_of_it_or_the_list_that_shows_it(
    user: dict[str, Any], listed_as: Standing, standing: Standing
) -> None:
    """Some servers show both in one list."""
    assert standing_of(user, listed_as) is standing

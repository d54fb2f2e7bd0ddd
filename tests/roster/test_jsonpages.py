"""What JSON tells of the list in it: whether it is all, or a page of it."""

from __future__ import annotations

import pytest

from provisioner.roster.jsonpages import Page, only_part


def page(rows: int, **told: object) -> Page:
    made = Page("r.json", is_alone=not told, rows=rows)
    for name, value in told.items():
        made.note(name, value)
    return made


@pytest.mark.parametrize(
    ("pages", "is_part"),
    [
        ([page(2, count="2")], False),
        ([page(2, count="2", next="/2")], True),
        ([page(1, count="2", next="/2"), page(1, count="2", next="/3")], False),
        ([page(2, total="4"), page(2)], False),
        ([page(2, total="4"), page(3, total="5")], False),
        ([page(2, total="2"), page(3, total="5")], True),
        ([page(2, error="OK")], False),
        ([page(2, error="timeout")], True),
        ([page(2)], False),
        ([], False),
    ],
)
def test_a_roster_is_a_part_where_its_pages_tell_of_more_than_they_hold(pages: list[Page], is_part: bool) -> None:
    """A number that a page holds itself tells nothing of the next one."""
    assert (only_part(pages) is not None) is is_part


def test_of_several_numbers_the_greatest_counts() -> None:
    """A `count` of the page stands beside a total."""
    assert page(2, count="2", total="7", size="9").number("total") == 7

"""What a sync refuses to do: each guard at its boundary."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.settings.values import LEAST_DEACTIVATIONS, Allowance, parse_allowance
from provisioner.sync.plan.guards import Refusal, Tonight, refusals

FIVE_PERCENT = Allowance(share=0.05)
LEAVERS = Allowance(share=0.05, least=LEAST_DEACTIVATIONS)
QUIET = Tonight(rows=1000, rejected=0, last_rows=1000, managed=1000, leaving=0, approved=False)


def reasons(night: Tonight, leavers: Allowance = LEAVERS, rejected: Allowance = FIVE_PERCENT) -> list[str]:
    return [refusal.reason for refusal in refusals(night, leavers, rejected)]


def test_a_quiet_night_is_let_through() -> None:
    """Nothing to refuse."""
    assert reasons(QUIET) == []


def test_an_empty_roster_is_refused() -> None:
    """Once: that it also shrank goes without saying."""
    night = replace(QUIET, rows=0)
    assert list(refusals(night, LEAVERS, FIVE_PERCENT)) == [
        Refusal("empty_roster", "the roster has no rows; look at the export")
    ]


def test_an_empty_roster_is_refused_on_the_first_night_too() -> None:
    """There is no last night to compare it with."""
    assert reasons(replace(QUIET, rows=0, last_rows=None, managed=0)) == ["empty_roster"]


@pytest.mark.parametrize(
    ("rows", "last", "refused"),
    [(666, 1000, True), (667, 1000, False), (2, 3, False), (1, 2, True), (1, None, False), (3000, 1, False)],
)
def test_a_roster_that_lost_more_than_a_third_is_refused(rows: int, last: int | None, refused: bool) -> None:
    """Exactly a third may go; growing is fine; a first night has nothing to shrink from."""
    assert reasons(replace(QUIET, rows=rows, last_rows=last)) == (["shrunken_roster"] if refused else [])


@given(last=st.integers(1, 10**7), missing=st.integers(0, 10**7))
def test_the_third_is_exact(last: int, missing: int) -> None:
    """No rounding of the share lets one row more or less go."""
    rows = max(1, last - missing)
    expected = ["shrunken_roster"] if Fraction(rows, last) < Fraction(2, 3) else []
    assert reasons(replace(QUIET, rows=rows, last_rows=last)) == expected


@pytest.mark.parametrize(
    ("rejected", "borne", "refused"),
    [
        (50, FIVE_PERCENT, False),
        (51, FIVE_PERCENT, True),
        (3, Allowance(number=3), False),
        (4, Allowance(number=3), True),
        (1, Allowance(number=0), True),
        (1000, Allowance(share=1.0), False),
    ],
)
def test_too_many_rejected_rows_are_refused(rejected: int, borne: Allowance, refused: bool) -> None:
    """A number or a share of tonight's rows."""
    expected = ["too_many_rejected"] if refused else []
    assert reasons(replace(QUIET, rejected=rejected), rejected=borne) == expected


@pytest.mark.parametrize(
    ("leaving", "managed", "borne", "refused"),
    [
        (50, 1000, LEAVERS, False),
        (51, 1000, LEAVERS, True),
        (10, 20, LEAVERS, False),
        (11, 20, LEAVERS, True),
        (10, 0, LEAVERS, False),
        (1, 1000, Allowance(number=0), True),
        (11, 20, Allowance(number=11), False),
    ],
)
def test_too_many_leavers_are_refused(leaving: int, managed: int, borne: Allowance, refused: bool) -> None:
    """A share of the managed users and at least ten people, or a number as it stands."""
    expected = ["too_many_leavers"] if refused else []
    assert reasons(replace(QUIET, leaving=leaving, managed=managed), leavers=borne) == expected


def test_approved_leavers_are_not_counted() -> None:
    """A person has looked at each of them."""
    assert reasons(replace(QUIET, leaving=900, approved=True)) == []


def test_approval_lets_nothing_else_through() -> None:
    """Rows that are missing or rejected are no matter of leavers."""
    night = replace(QUIET, rows=600, rejected=100, leaving=400, approved=True)
    assert reasons(night) == ["shrunken_roster", "too_many_rejected"]


def test_every_reason_is_told_at_once() -> None:
    """With the numbers, the option and what to do."""
    night = replace(QUIET, rows=600, rejected=100, leaving=400)
    assert [refusal.message for refusal in refusals(night, LEAVERS, FIVE_PERCENT)] == [
        "the roster has 600 rows, the last good night's had 1,000: more than a third is missing; look at the export",
        "100 of 600 rows are rejected, more than 30 (--max-rejected 5%); see the rejected file",
        (
            "400 of 1,000 users would be deactivated, more than 50 (--max-deactivations 5%); "
            "see the leavers file, and give it to --approve if they have all left"
        ),
    ]


@given(percent=st.integers(0, 100), total=st.integers(0, 10**7), least=st.integers(0, 20))
def test_a_share_is_exact(percent: int, total: int, least: int) -> None:
    """29 % of 100 people are 29 of them, whatever binary fractions make of it."""
    assert parse_allowance(f"{percent}%", least).of(total) == max(least, total * percent // 100)


def test_an_allowance_is_shown_as_it_is_written() -> None:
    """In messages that name the option."""
    assert [str(Allowance(number=7)), str(Allowance(share=0.05)), str(Allowance(share=0.025))] == ["7", "5%", "2.5%"]

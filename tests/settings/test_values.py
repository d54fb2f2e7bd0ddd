"""Amounts as people write them, and what is borne of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from provisioner.settings.values import (
    LEAST_SETTLED,
    Allowance,
    parse_allowance,
    parse_duration,
    parse_share,
)

T = TypeVar("T")
ALLOWED_FAILURES = Allowance(share=0.05, counted_at=LEAST_SETTLED)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (20, Allowance(number=20)),
        ("20", Allowance(number=20)),
        (" 20 ", Allowance(number=20)),
        ("0", Allowance(number=0)),
        ("5%", Allowance(share=0.05, least=10)),
        ("2.5 %", Allowance(share=0.025, least=10)),
        ("0%", Allowance(share=0.0, least=10)),
        ("100%", Allowance(share=1.0, least=10)),
        (Allowance(number=3), Allowance(number=3)),
    ],
)
def test_an_allowance_is_a_number_or_a_share(given: object, expected: Allowance) -> None:
    """A number is taken as it stands; only a share has a least."""
    assert parse_allowance(given, 10) == expected


@pytest.mark.parametrize(
    "given", ["", "%", "five", "-1", "1.5", "-5%", "101%", "nan%", "inf%", True, None, "5%%", "1e2"]
)
def test_what_is_no_allowance_is_refused(given: object) -> None:
    """With the two forms that are read."""
    with pytest.raises(ValueError, match=r"^give a number such as 20, or a share such as 5%$"):
        parse_allowance(given)


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ("90s", 90.0),
        ("30min", 1800.0),
        ("30m", 1800.0),
        ("4h", 14400.0),
        ("4H", 14400.0),
        ("1h 30m", 5400.0),
        ("1h30min", 5400.0),
        ("1.5h", 5400.0),
        ("2d", 172800.0),
        (90, 90.0),
        ("0.5", 0.5),
    ],
)
def test_a_duration_is_read_in_the_units_people_use(given: object, seconds: float) -> None:
    """A number alone is seconds."""
    assert parse_duration(given) == seconds


@pytest.mark.parametrize(
    "given", ["", "0", "0s", "-4h", "soon", "4 hours", "h", "400d", True, None, "4h -1s", "nan", "inf"]
)
def test_what_is_no_duration_is_refused(given: Any) -> None:
    """Nothing, nothing at all, less than that, more than a year."""
    with pytest.raises(ValueError, match=r"^give a duration such as 4h, 30min or 90s$"):
        parse_duration(given)


@pytest.mark.parametrize(
    ("allowance", "total", "count", "exceeded"),
    [
        (ALLOWED_FAILURES, 99, 99, False),
        (ALLOWED_FAILURES, 100, 5, False),
        (ALLOWED_FAILURES, 100, 6, True),
        (ALLOWED_FAILURES, 10_000, 500, False),
        (ALLOWED_FAILURES, 10_000, 501, True),
        (Allowance(share=0.0, counted_at=100), 100, 0, False),
        (Allowance(share=0.0, counted_at=100), 100, 1, True),
        (Allowance(share=1.0, counted_at=100), 100, 100, False),
        (Allowance(number=0), 1, 0, False),
        (Allowance(number=0), 1, 1, True),
        (Allowance(number=7), 7, 7, False),
        (Allowance(number=7), 8, 8, True),
        (Allowance(number=7), 1_000_000, 8, True),
        (Allowance(), 1000, 1000, False),
        (Allowance(share=0.05, least=10), 20, 10, False),
        (Allowance(share=0.05, least=10), 20, 11, True),
        (Allowance(share=0.29), 100, 29, False),
    ],
)
def test_when_an_allowance_is_exceeded(allowance: Allowance, total: int, count: int, exceeded: bool) -> None:
    """More than so many, or more than such a share once there are enough for it to count."""
    assert allowance.exceeded(count, total) is exceeded


@pytest.mark.parametrize(
    ("allowance", "words"), [(ALLOWED_FAILURES, "5% of the settled rows"), (Allowance(number=3), "3 rows")]
)
def test_an_allowance_in_words(allowance: Allowance, words: str) -> None:
    """As the message of the stop has it."""
    assert allowance.phrase("row", "settled rows") == words


@drawn(st.floats(min_value=0, max_value=1, exclude_min=True))
def test_a_share_is_read_back_however_it_is_written(share: float) -> None:
    """As a number, as its text, as a percentage."""
    assert parse_share(share) == parse_share(str(share)) == parse_share(f" {share!r} ") == share
    assert parse_share(f"{share * 100!r}%") == pytest.approx(share)


ANYTHING = st.floats() | st.integers() | st.text() | st.text("0123456789.%-+e ") | st.none() | st.booleans()


def read_or_refused(read: Callable[[object], T], value: object) -> T | None:
    """None for a `ValueError`; anything else that is raised is a fault."""
    try:
        return read(value)
    except ValueError:
        return None


@drawn(ANYTHING)
def test_whatever_is_no_share_is_a_value_error(value: object) -> None:
    """No text, number or nothing gives a share outside (0, 1], and nothing but `ValueError` comes out."""
    share = read_or_refused(parse_share, value)
    assert share is None or 0 < share <= 1


@drawn(st.integers(0, 10**12))
def test_a_number_of_failures_is_read_back(rows: int) -> None:
    """As a number and as its text."""
    assert parse_allowance(rows) == parse_allowance(f" {rows} ") == Allowance(number=rows)


@drawn(st.floats(min_value=0, max_value=100))
def test_a_share_of_failures_is_read_back(percent: float) -> None:
    """0 % bears none, 100 % bears all; a bare number is never a share."""
    assert parse_allowance(f"{percent!r}%") == Allowance(share=percent / 100)


@drawn(ANYTHING)
def test_whatever_is_no_error_budget_is_a_value_error(value: object) -> None:
    """Either a number of rows or a share in [0, 1], never both, never neither."""
    read = read_or_refused(parse_allowance, value)
    if read is not None:
        assert (read.number is None) != (read.share is None)
        assert 0 <= (read.share or 0) <= 1
        assert (read.number or 0) >= 0

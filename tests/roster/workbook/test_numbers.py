"""Numbers as a person sees them, and counts of days as the moments they are."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.roster.workbook.numbers import duration_text, is_short, moment_text, number_text


@pytest.mark.parametrize(
    ("stored", "text", "is_rounded"),
    [
        ("7", "7", False),
        ("0", "0", False),
        ("-5", "-5", False),
        ("7.0", "7", False),
        ("-0", "0", False),
        ("007", "7", False),
        ("0.25", "0.25", False),
        ("1.1000000000000001", "1.1", False),
        ("0.30000000000000004", "0.3", True),
        ("2.5000000000000001E-3", "0.0025", False),
        ("999999999999999", "999999999999999", False),
        ("1E+15", "1000000000000000", True),
        ("1000000000000000", "1000000000000000", True),
        ("1234567890123456", "1234567890123456", True),
        ("123456789012345678", "123456789012345678", True),
        ("1.759288472991171e+17", "175928847299117100", True),
        ("1.23456789012345E+17", "123456789012345000", True),
        ("123456789.123456789", "123456789.123457", True),
        ("no number", "no number", False),
        ("1e999", "1e999", False),
    ],
)
def test_a_number_is_what_a_person_sees(stored: str, text: str, is_rounded: bool) -> None:
    """No exponent, no noise behind the fifteenth digit; stored digits stay, and too many of them are told."""
    assert number_text(stored) == (text, is_rounded)


@given(st.integers(-(10**15) + 1, 10**15 - 1))
def test_whole_numbers_of_fifteen_digits_are_exact(number: int) -> None:
    """As they are stored by any program: with digits, as a float, with an exponent."""
    for stored in (str(number), repr(float(number)), f"{number:.16E}"):
        assert number_text(stored) == (str(number), False)


@given(st.integers(10**15, 10**30))
def test_longer_whole_numbers_are_told_whatever_their_digits(number: int) -> None:
    """A spreadsheet puts zeros where the digits were, so zeros are no sign of a number that is whole."""
    for stored in (str(number), f"{number:.14E}", f"{number:.16E}"):
        assert number_text(stored)[1]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_no_number_changes_by_more_than_its_sixteenth_digit(number: float) -> None:
    """Whatever is stored, fifteen digits of it are sent, and no exponent."""
    text, _ = number_text(repr(number))
    assert "e" not in text.lower()
    assert abs(Decimal(text) - Decimal(number)) <= abs(Decimal(number)) / 10**14


def test_only_plain_digits_are_short() -> None:
    """Other scripts' digits and leading zeros are read as numbers first."""
    assert [is_short(text) for text in ("0", "12", "012", "-1", "1.5", "", "1" * 16)] == [True, True, *[False] * 5]


@pytest.mark.parametrize(
    ("number", "since_1904", "text"),
    [
        (45413, False, "2024-05-01"),
        (45413.5625, False, "2024-05-01T13:30:00"),
        (45413.562676504631, False, "2024-05-01T13:30:15.250"),
        (0.5625, False, "13:30:00"),
        (0, False, "00:00:00"),
        (1, False, "1900-01-01"),
        (59, False, "1900-02-28"),
        (60, False, "1900-02-29"),
        (61, False, "1900-03-01"),
        (2958465, False, "9999-12-31"),
        (2958466, False, None),
        (-1, False, None),
        (45413 - 1462, True, "2024-05-01"),
        (0.5625, True, "13:30:00"),
        (0.999999999, False, "1900-01-01"),
    ],
)
def test_a_count_of_days_is_a_moment(number: float, since_1904: bool, text: str | None) -> None:
    """As ISO has it; the day that only spreadsheets know is written as they show it."""
    assert moment_text(number, since_1904=since_1904) == text


@given(st.dates(min_value=dt.date(1900, 3, 1)))
def test_every_day_is_itself(day: dt.date) -> None:
    """Counted from 30 December 1899, as all of them are since March 1900."""
    assert moment_text(float((day - dt.date(1899, 12, 30)).days)) == day.isoformat()


def test_a_length_of_time_has_as_many_hours_as_it_takes() -> None:
    """A day and a half are 36 hours and no date."""
    assert [duration_text(number) for number in (1.5, 0.5, 100, -1)] == ["36:00:00", "12:00:00", "2400:00:00", None]

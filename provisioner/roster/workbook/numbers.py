"""Numbers, dates and times of day as text.

A cell holds a binary number. A spreadsheet shows 15 digits of it, and counts days, so that half past one on
1 May 2024 is 45413.5625.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from math import isfinite
from typing import Final

EXACT_DIGITS: Final = 15
"""So many digits of a number a spreadsheet keeps and shows."""

_DAY: Final = 86_400_000  # in milliseconds
_ONLY_IN_SPREADSHEETS: Final = 60  # 29 February 1900, which no other calendar has
_FIRST_DAY: Final = date(1899, 12, 31)
_AFTER_9999: Final = 2_958_466
_DAYS_1904: Final = 1462


def is_short(digits: str) -> bool:
    """Whether a number is its own text already: a whole one of few digits, as nearly all are."""
    return len(digits) <= EXACT_DIGITS and digits.isdecimal() and (digits[0] != "0" or digits == "0")


def number_text(stored: str) -> tuple[str, bool]:
    """Write a number as a person sees it, without exponents, and say whether it has more digits than are kept.

    Stored digits stay as they are; `7.0` is 7, `0.30000000000000004` is 0.3. What is no number stays what it is.
    """
    if is_short(stored):
        return stored, False
    number = finite(stored)
    if number is None:
        return stored, False
    exact = Decimal(repr(number))
    rounded = _significant(exact) > EXACT_DIGITS
    if stored.isdecimal() and stored[0] != "0":
        return stored, rounded
    return _plain(exact if number.is_integer() else Decimal(f"{number:.{EXACT_DIGITS}g}")), rounded


def finite(stored: str) -> float | None:
    """Read a stored number; null for what is none."""
    try:
        number = float(stored)
    except ValueError:
        return None
    return number if isfinite(number) else None


@lru_cache(maxsize=4096)
def moment_text(number: float, *, since_1904: bool = False) -> str | None:
    """Write the moment that a count of days is as ISO has it: a day, a time of day, or both.

    45413 is 2024-05-01, 45413.5625 is 2024-05-01T13:30:00, 0.5625 is 13:30:00. Null for what no spreadsheet shows as
    a moment: before its first day, or after the year 9999.
    """
    days, rest = divmod(round(number * _DAY), _DAY)
    if days < 0:
        return None
    time = _clock(rest)
    if days == 0:
        return time
    days += _DAYS_1904 if since_1904 else 0
    if days >= _AFTER_9999:
        return None
    if days == _ONLY_IN_SPREADSHEETS:
        day = "1900-02-29"
    else:
        day = str(_FIRST_DAY + timedelta(days - (days > _ONLY_IN_SPREADSHEETS)))
    return day if rest == 0 else f"{day}T{time}"


def duration_text(number: float) -> str | None:
    """Write a length of time in hours, minutes and seconds: 1.5 is 36:00:00. Null for one below zero."""
    return None if number < 0 else _clock(round(number * _DAY))


def _clock(milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    text = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{text}.{rest:03}" if rest else text


def _significant(number: Decimal) -> int:
    """Count the digits of a whole number, or those of another from its first that is not zero to its last."""
    _, digits, exponent = number.normalize().as_tuple()
    return len(digits) + max(0, int(exponent))


def _plain(number: Decimal) -> str:
    text = f"{number.normalize():f}"
    return "0" if text == "-0" else text

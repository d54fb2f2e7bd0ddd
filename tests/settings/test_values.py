"""Amounts as people write them."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.settings.values import Allowance, parse_allowance, parse_duration


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

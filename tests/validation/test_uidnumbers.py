"""Uids that are numbers: lost zeros and rounded digits are told by all of them together."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from provisioner.validation.uidnumbers import DigitUids
from tests.rig.checking import looked_over, rows_of


@pytest.mark.slow
def test_long_numbers_of_which_only_some_end_in_zero_are_not_rounded(tmp_path: Path) -> None:
    """Among 16-digit numbers one in ten ends in 0; a spreadsheet would have rounded them all."""
    counted = [{"uid": str(1_000_000_000_000_123 + number), "name": "n"} for number in range(40)]
    rounded = [{"uid": f"{100_000_000_000_123 + number}0", "name": "n"} for number in range(3)]
    assert looked_over(tmp_path, counted) == []
    assert [row for row, _ in looked_over(tmp_path, counted[:10] + rounded)] == [8, 11, 12, 13]


SPARSE = [str(10_000 + 317 * number) for number in range(100)]


@pytest.mark.parametrize(
    ("uids", "usual"),
    [
        ([*SPARSE, "417", "9001"], 5),
        ([*SPARSE, "417", "a-1", "b"], 5),
        ([*SPARSE, "417", "00418"], None),
        (SPARSE, None),
        ([*SPARSE[:19]], None),
        ([*SPARSE[:18], "417"], None),
        ([*SPARSE[:19], "417"], 5),
        ([*SPARSE[:80], *map(str, range(400, 6000, 280))], 5),
        ([*SPARSE[:79], *map(str, range(400, 6160, 280))], None),
        (["4170", *(str(1_000 + 83 * number) for number in range(99)), "17"], None),
        ([str(number) for number in range(1, 60_001)], None),
        ([str(number) for number in range(9_000, 60_001)], None),
        ([str(number) for number in range(1, 60_001, 2)], None),
        ([str(number) for number in range(1, 60_001, 3)], 5),
        ([f"{number * 7919:020d}".replace("0", "5") for number in range(1, 40)] + ["7"], 20),
    ],
)
def test_lost_zeros_are_told_by_the_lengths_of_all_numbers(uids: list[str], usual: int | None) -> None:
    """At least 20 numbers, 80 % of them of the longest length, none with a leading 0, and no counter."""
    digits = DigitUids()
    for start in range(0, len(uids), 1_000):
        digits.add(pl.Series(uids[start : start + 1_000]))
    assert digits.usual_length == usual


@pytest.mark.slow
def test_a_uid_that_may_have_lost_its_zeros_is_warned_of(tmp_path: Path) -> None:
    """Each shorter number is named, with the length that is usual."""
    message = "has fewer digits than the usual 5, so leading zeros may be lost"
    assert looked_over(tmp_path, rows_of(["417", *SPARSE, "abc", "9001"])) == [
        (1, f"uid.zeros_lost: '417' {message}"),
        (103, f"uid.zeros_lost: '9001' {message}"),
    ]


@pytest.mark.parametrize(
    ("long", "rounded", "by_chance"),
    [(0, 0, False), (19, 0, False), (20, 0, True), (20, 9, True), (20, 10, False), (20, 20, False)],
)
def test_rounding_is_chance_when_fewer_than_half_of_many_long_numbers_end_in_zero(
    long: int, rounded: int, by_chance: bool
) -> None:
    """Twenty numbers of more than 15 digits are enough to tell; short numbers and other uids do not count."""
    digits = DigitUids()
    uids = [f"{100_000_000_000_000 + number}{0 if number < rounded else 1}" for number in range(long)]
    digits.add(pl.Series([*uids, *map(str, range(100)), "a-1", None], dtype=pl.String))
    assert (digits.rounded, digits.rounded_by_chance) == (rounded, by_chance)

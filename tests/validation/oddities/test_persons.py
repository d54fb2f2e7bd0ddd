"""Rows that are no people, and people who are called like them."""

from __future__ import annotations

import polars as pl
import pytest

from provisioner.validation.oddities.persons import TOTALS, Shape
from tests.rig.checking import check, check_warnings, warnings

PEOPLE = [("a1", "Ann Lee", "red"), ("b2", "Bob Poe", "blue")]


def roster(*rows: tuple[str | None, ...]) -> pl.DataFrame:
    return pl.DataFrame([*PEOPLE, *rows], schema=["uid", "name", "tags"], orient="row")


@pytest.mark.parametrize("around", ["", " ", "\u200b", "\ufeff", "'", '"', "\u00a0'"])
def test_the_header_once_more_has_one_defect(around: str) -> None:
    """Whatever blanks, quotes and invisible characters stand around it; and it is nobody's duplicate."""
    again = tuple(f"{around}{name}{around[::-1]}" for name in ("uid", "name", "tags"))
    checked = check(roster(again, ("uid", "Uma Idle", "red"), again))
    assert {code: found.first_rows for code, found in checked.defects.items()} == {"row.header_again": (3, 5)}
    assert checked.valid["uid"].to_list() == ["a1", "b2", "uid"]


def test_half_a_header_is_a_person() -> None:
    """A row is the header once more only when every cell is."""
    assert check(roster(("uid", "name", None))).defects == {}


def test_the_header_is_found_whatever_feeds_the_uid() -> None:
    """A template, and a column without a name beside the others."""
    frame = roster(("uid", "name", "tags")).with_columns(pl.Series("_column_4", ["x", None, " "]))
    found = check_warnings(frame, {"uid": "{uid}-{tags}"}, strict=False)
    assert {code: each.first_rows for code, each in found.defects.items()} == {"row.header_again": (3,)}


@pytest.mark.parametrize("row", [("---", "----", "-"), ("--", None, " "), (":---", "---:", ":-:")])
def test_a_row_of_dashes_is_no_person(row: tuple[str | None, ...]) -> None:
    """Also as Markdown draws it; it has no other warning."""
    assert warnings(roster(row)) == {"row.not_a_person": (3,)}


@pytest.mark.parametrize("word", [*TOTALS, "TOTAL", "Total:", " Summe "])
@pytest.mark.parametrize("rest", [("2", None), ("Sum of all", None), ("1,234.5", "blue")])
def test_a_total_is_no_person(word: str, rest: tuple[str | None, ...]) -> None:
    """It lacks what the others have, or has numbers where they have text."""
    assert warnings(roster((word, *rest)))["row.not_a_person"] == (3,)


def test_somebody_who_is_called_so_is_a_person() -> None:
    """A row like the others."""
    assert warnings(roster(("total", "Tom Total", "red"), ("sum", "Kim Sum", "blue"))) == {}


def test_the_only_row_is_a_person() -> None:
    """There are no others to be unlike."""
    assert not Shape().differs({"uid": "total", "name": None})

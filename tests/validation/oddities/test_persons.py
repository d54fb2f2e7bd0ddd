"""Rows that are no people, and people who are called like them."""

from __future__ import annotations

import polars as pl
import pytest

from provisioner.validation.oddities.persons import SAMPLE, TOTALS, Shape, Shapes
from tests.rig.checking import warnings

PEOPLE = [("a1", "Ann Lee", "red"), ("b2", "Bob Poe", "blue")]


def roster(*rows: tuple[str | None, ...]) -> pl.DataFrame:
    return pl.DataFrame([*PEOPLE, *rows], schema=["uid", "name", "tags"], orient="row")


@pytest.mark.parametrize("row", [("---", "----", "-"), ("--", None, " "), (":---", "---:", ":-:")])
def test_a_row_of_dashes_is_no_person(row: tuple[str | None, ...]) -> None:
    """Also as Markdown draws it; it has no other warning."""
    assert warnings(roster(row)) == {"row.not_a_person": (3,)}


@pytest.mark.sampled
@pytest.mark.parametrize("word", [*TOTALS, "TOTAL", "Total:", " Summe ", "Итого", "ИТОГО:"])
@pytest.mark.parametrize("rest", [("2", None), ("Sum of all", None), ("1,234.5", "blue")])
def test_a_total_is_no_person(word: str, rest: tuple[str | None, ...]) -> None:
    """It lacks what the others have, or has numbers where they have text."""
    assert warnings(roster((word, *rest)))["row.not_a_person"] == (3,)


@pytest.mark.parametrize(
    "row",
    [
        ("text", "Text", "list"),
        ("VARCHAR", "VARCHAR", None),
        ("required", "required", "optional"),
        ("string", "string", ""),
    ],
)
def test_a_second_header_of_kinds_is_no_person(row: tuple[str | None, ...]) -> None:
    """Below the names of the columns it says what stands in them."""
    assert warnings(roster(row)) == {"row.not_a_person": (3,)}


def test_somebody_who_is_called_like_a_kind_is_a_person() -> None:
    """By any cell that says something else; and one word alone says nothing of the columns."""
    assert warnings(roster(("text", "Ann Text", "list"), ("json", "Jason", "red"))) == {}


def test_somebody_who_is_called_so_is_a_person() -> None:
    """A row like the others."""
    assert warnings(roster(("total", "Tom Total", "red"), ("sum", "Kim Sum", "blue"))) == {}


@pytest.mark.parametrize("word", ["End", "Page", "Count", "Stand", "Ende", "Summa", "T"])
def test_a_name_that_is_a_word_for_an_end_is_one_where_only_something_else_is_lacking(word: str) -> None:
    """Such as an address that nearly all others have: the row has the id and the name of a person."""
    people = [(f"Lee{n}", "Ann", f"u{n}", f"a{n}@x.org") for n in range(9)]
    frame = pl.DataFrame(
        [*people, (word, "Michael", "u9", None)], schema=["last", "name", "uid", "email"], orient="row"
    )
    assert warnings(frame) == {}
    trailer = pl.DataFrame([*people, (word, None, None, "2")], schema=["last", "name", "uid", "email"], orient="row")
    assert warnings(trailer)["row.not_a_person"] == (10,)


def test_the_only_row_is_a_person() -> None:
    """There are no others to be unlike."""
    assert not Shape().differs({"uid": "total", "name": None})


def test_a_cell_of_a_megabyte_that_is_nearly_a_number_is_judged_in_no_time() -> None:
    """However many digits or blanks it has before what makes a text of it."""
    shape = Shape(10, {"name": 10}, {"name": 0})
    digits, padded = "1" * 1_000_000, f"1{' ' * 1_000_000}"
    assert [shape.differs({"name": each}) for each in (digits, f"{digits}x", f"{padded}x")] == [True, False, False]


@pytest.mark.parametrize("rows", [1, SAMPLE - 1, SAMPLE, 5 * SAMPLE, 40 * SAMPLE + 7])
def test_the_sample_is_the_same_whatever_the_batches_are(rows: int) -> None:
    """From all over the roster, and never more of it than it may be."""
    people = pl.DataFrame(
        {"uid": [f"u{n}" for n in range(rows)], "dept": ["x"] * (rows // 4) + [""] * (rows - rows // 4)}
    )
    found = []
    for size in (rows, 1 + rows // 3, 999):
        shapes = Shapes()
        for part in people.iter_slices(size):
            shapes.add(part)
        found.append(shapes.whole())
    assert found == [found[0]] * 3
    sampled = found[0].rows
    assert sampled == rows if rows < SAMPLE else SAMPLE // 2 <= sampled <= SAMPLE
    assert found[0].filled == {"uid": sampled, "dept": pytest.approx(sampled / 4, abs=1)}


@pytest.mark.parametrize("columns", [{"_column_1": ["a", "b"]}, {"id": [1, 2]}, {}])
def test_where_no_column_has_a_name_or_text_nothing_is_said_of_the_rows(columns: dict[str, list[object]]) -> None:
    shapes = Shapes()
    frame = pl.DataFrame(columns)
    assert shapes.add(frame).to_list() == list(range(frame.height))
    assert shapes.whole() == Shape()

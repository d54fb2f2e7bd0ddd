"""Cells before they are read."""

from __future__ import annotations

import json

import polars as pl
import pytest

from provisioner.validation.fields.binding import bind
from provisioner.validation.fields.mapping import parse_mapping
from provisioner.validation.oddities.cleaning import Cleaning
from tests.rig.checking import check, check_warnings, parsed
from tests.rig.rows import UNSEEN_LETTERS


@pytest.mark.parametrize("letter", UNSEEN_LETTERS)
def test_what_cannot_be_seen_is_trimmed_around_people_and_addresses_only(letter: str) -> None:
    """Uid, name and e-mail address; within them, and around anything else, it stays."""
    row = {"uid": f"{letter}a1 {letter}", "name": f" {letter}A{letter}nn{letter}", "metadata.email": f"{letter}a@b.c"}
    assert parsed(check([row | {"statusMessage": f"hi{letter}"}])) == {
        "uid": "a1",
        "name": f"A{letter}nn",
        "statusMessage": f"hi{letter}",
        "metadata": {"email": "a@b.c"},
    }


def test_the_parts_of_a_template_are_trimmed_too() -> None:
    """Each cell that feeds a name."""
    mapping = parse_mapping({"name": "{first} {last}"})
    row = {"uid": "a", "first": "\u200bAnn\u200b", "last": "Lee\ufeff"}
    assert parsed(check([row], mapping=mapping))["name"] == "Ann Lee"


@pytest.mark.parametrize(
    "name", [["nick", "full"], {"column": "full", "map": {"Bob": "Robert"}, "default": "nobody"}], ids=["list", "map"]
)
def test_what_is_sent_of_a_row_does_not_depend_on_the_others(name: object) -> None:
    """A cell that may feed the name is trimmed also where another is taken, or where it is looked up."""
    mapping = parse_mapping({"name": name, "metadata": {"full": "full"}})
    row, other = {"uid": "b", "full": "\u200bBob", "nick": "Bo"}, {"uid": "a", "full": "\u200bAnn", "nick": None}
    alone, beside = (check([row, *more], mapping=mapping).valid["body"][0] for more in ((), (other,)))
    assert alone == beside
    assert json.loads(alone)["metadata"] == {"full": "Bob"}
    assert json.loads(alone)["name"] in {"Bo", "Robert"}


def test_joiners_within_names_stay() -> None:
    """An emoji family and a Persian name are written with them."""
    for name in (
        "\U0001f468\u200d\U0001f469\u200d\U0001f467 Family",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
    ):
        assert parsed(check([{"uid": "a", "name": name}]))["name"] == name


def test_each_column_with_a_word_for_nothing_is_named() -> None:
    """Missing values are none of them, nor are required columns, whole metadata and longer text."""
    frame = pl.DataFrame({
        "uid": ["a", "b", "c"], "name": ["Ann", "nil", "Cy"], "tags": ["nan", " nil ", "red"],
        "metadata.dept": ["None", "NULL", "None of it"], "metadata": ["null", None, None],
    })  # fmt: skip
    words = Cleaning(bind(frame.schema)).words(frame)
    assert words is not None
    assert words.to_list() == [["tags", "metadata.dept"], ["tags"], None]
    found = check_warnings(frame, strict=False).warnings["value.placeholder"]
    assert (found.rows, found.kinds) == (2, {"tags": 2, "metadata.dept": 1})


def test_columns_with_such_words_are_named_on_one_line() -> None:
    """Whatever is in a name, and however many there are: a message is a sentence, and no list of a thousand names."""
    columns = ["metadata.no\nte", *(f"metadata.c{number}" for number in range(100))]
    frame = pl.DataFrame({"uid": ["a"], "name": ["Ann"], **{name: ["nil"] for name in columns}})
    named = ", ".join([r"metadata.no\nte", *(f"metadata.c{number}" for number in range(19))])
    message = f"value.placeholder: {named} and 81 more: a word for nothing, sent as it stands"
    assert check_warnings(frame, strict=True).lines["error_message"].item() == message


def test_a_word_that_is_looked_up_is_not_sent_as_it_stands() -> None:
    """A map takes its own words, one with a default any; a column that is sent besides is told of all the same."""
    frame = pl.DataFrame({
        "uid": ["a", "b"], "name": ["Ann", "Bob"], "mapped": ["None", "nil"], "any": ["nan", "nil"],
        "filled": ["nil", None], "twice": ["None", None], "both": ["None", None],
    })  # fmt: skip
    mapping = parse_mapping({
        "role": {"column": ["mapped", "any"], "map": {"None": "guest"}},
        "tags": {"columns": [{"column": "any", "map": {"red": "r"}, "default": "x"}, "twice"]},
        "statusMessage": {"column": {"column": "filled", "default": "here"}, "map": {"nil": "away"}},
        "metadata": {"twice": {"column": "twice", "map": {"None": 0}}, "both": "{both}", "constant": {"value": "None"}},
    })  # fmt: skip
    words = Cleaning(bind(frame.schema, mapping)).words(frame)
    assert words is not None
    assert [set(each) for each in words.to_list()] == [{"any", "twice", "both"}, {"mapped", "any"}]


def test_a_column_without_such_words_is_not_touched() -> None:
    """Nothing is made for a batch in which there is nothing to find."""
    frame = pl.DataFrame({"uid": ["a"], "name": ["Zoë"], "tags": ["red"]})
    cleaning = Cleaning(bind(frame.schema))
    assert cleaning.words(frame) is None
    assert cleaning.people(frame) is frame

"""What a reader knows of cells, and uids that are words, become defects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl
import pytest

from provisioner.model import AuthTokens
from provisioner.roster.formats.rows import RosterBatch
from provisioner.validation.checked import Checked
from provisioner.validation.constraints import Constraints
from provisioner.validation.fields.binding import bind
from provisioner.validation.fields.mapping import parse_mapping
from provisioner.validation.survey import Survey
from provisioner.validation.validator import Validator
from provisioner.validation.vocabulary.nothing import WORDS
from tests.rig.checking import check

FRAME = pl.DataFrame({"uid": ["1234567890123456800", "b"], "name": ['{"first":"Cy"}', "Bob"], "zip": ["1", "2"]})


def judged(kind: str, column: str, table: Mapping[str, Any] | None = None, **remarks: list[int]) -> Checked:
    """Check a batch of which a reader knows that the first cell of a column is of a kind."""
    binding = bind(FRAME.schema, parse_mapping(table or {}))
    validator = Validator(binding, Constraints(), Survey(2), auth_tokens=AuthTokens.NONE)
    cells = {kind: {column: pl.Series([True, False])}}
    named = {name.replace("_", "."): rows for name, rows in remarks.items()}
    return validator.check(RosterBatch(1, FRAME, named, cells))


@pytest.mark.parametrize(
    ("kind", "column", "table", "code"),
    [
        ("rounded", "uid", None, "uid.rounded"),
        ("rounded", "zip", {"uid": "{uid}-{zip}"}, "uid.rounded"),
        ("rounded", "zip", {"uid": ["zip", "uid"]}, "uid.rounded"),
        ("not_text", "uid", None, "uid.not_text"),
        ("not_text", "name", None, "name.not_text"),
        ("not_text", "zip", {"name": "{name} {zip}"}, "name.not_text"),
    ],
)
def test_what_a_reader_knows_of_a_cell_rejects_the_row(
    kind: str, column: str, table: Mapping[str, Any] | None, code: str
) -> None:
    """Where the column feeds the field, alone, in a template or in a list; and it is the only code."""
    checked = judged(kind, column, table)
    assert {each: found.first_rows for each, found in checked.defects.items()} == {code: (1,)}
    assert checked.warnings == {}


@pytest.mark.parametrize("kind", ["rounded", "not_text"])
def test_elsewhere_it_is_no_defect(kind: str) -> None:
    """A column that feeds neither the uid nor the name."""
    assert judged(kind, "zip").defects == {}


def test_what_a_reader_says_of_a_row_is_a_warning() -> None:
    """Its rows are counted under the code the reader gave."""
    found = judged("rounded", "zip", row_hidden=[1]).warnings
    assert found["row.hidden"].first_rows == (2,)


@pytest.mark.parametrize("word", WORDS)
def test_a_uid_that_stands_for_nothing_is_a_placeholder_and_repeats_nobody(word: str) -> None:
    """In any case, encoded too, and never another row's duplicate."""
    rows = [{"uid": form, "name": "n"} for form in (word, word.upper(), f" {word.lower()} ")]
    assert list(check(rows).defects) == ["uid.placeholder"]
    encoded = parse_mapping({"uid": {"column": "uid", "encode": "hex"}})
    found = check(rows, mapping=encoded).defects
    assert {code: each.rows for code, each in found.items()} == {"uid.placeholder": 3}

"""Warnings: each from both sides, counted with its rows, rejecting nothing unless the validator is strict."""

from __future__ import annotations

import json

import polars as pl
import pytest

from provisioner.model import AuthTokens
from provisioner.roster.formats.rows import RosterBatch
from provisioner.validation.constraints import Constraints
from provisioner.validation.fields.binding import bind
from provisioner.validation.rules import Found
from provisioner.validation.validator import Validator
from provisioner.validation.vocabulary.nothing import NO_NAMES, NO_NAMES_EXACTLY
from provisioner.validation.warnings import WARNINGS, warning_rules
from tests.rig.checking import check_warnings, learned, people, warnings
from tests.rig.command import ROOT


def test_no_warning_is_mended_by_what_a_message_shows() -> None:
    """Its rows are sent, and no message of theirs is written anywhere."""
    assert [code for code, advice in WARNINGS.items() if "message shows" in advice.mend] == []


def test_what_mends_every_format_is_said_before_what_only_texts_have() -> None:
    """A workbook has no quotes around its cells, and no delimiters."""
    mend = WARNINGS["row.unnamed_column"].mend
    of_all, *of_texts = mend.split("; ")
    assert of_all == "give the column a name in the header, or empty these cells"
    assert [each.startswith("where a CSV ") for each in of_texts] == [True]


@pytest.mark.parametrize(
    ("uid", "expected"),
    [
        ("7.39E+10", "uid.scientific"),
        ("7,39e+10", "uid.scientific"),
        ("1E+05", "uid.scientific"),
        ("1.2345678901234567e19", "uid.scientific"),
        ("12e4", None),
        ("3e-10", None),
        ("7.39", None),
        ("a7.39E+10", None),
        ("123456789012345", None),
        ("1234567890123450", "uid.looks_rounded"),
        ("12345678901234500000", "uid.looks_rounded"),
        ("12345678901234501000", None),
        ("1234567890123456", None),
        ("a123456789012345000", None),
    ],
)
def test_uids_that_a_spreadsheet_has_changed_are_warned_of(uid: str, expected: str | None) -> None:
    """Digits that are lost: it is the number form or the zeros after the fifteenth digit that tell."""
    assert warnings(people(uid=uid)) == ({expected: (1,)} if expected else {})


@pytest.mark.parametrize(
    ("columns", "cell", "is_suspect"),
    [
        ({}, "a, b, c", True),
        ({}, "a,b", True),
        ({}, "a,b;c,d,e", False),
        ({}, "a,b,c;", False),
        ({}, '["a,b,c"]', False),
        ({"tags_separator": ","}, "a,b,c", False),
        ({"tags_separator": "|"}, "a,b,c", True),
    ],
)
def test_tags_with_commas_that_stayed_together_are_warned_of(
    columns: dict[str, str], cell: str, is_suspect: bool
) -> None:
    """The only cell there is says what the column holds; lists and what is split already are no such text."""
    assert warnings(people(tags=cell), columns) == ({"tags.not_split": (1,)} if is_suspect else {})


@pytest.mark.parametrize(("hits", "others", "is_suspect"), [(9, 1, True), (8, 1, False), (1, 30, False)])
@pytest.mark.parametrize(
    ("mark", "name"), [("|", "|"), ("/", "/"), (",", ","), ("\n", "line end"), ("\r\n", "line end")]
)
def test_another_separator_counts_when_nearly_all_cells_hold_it(
    mark: str, name: str, hits: int, others: int, is_suspect: bool
) -> None:
    """Nine of ten filled cells; here and there it is a part of a tag. The separator is named with how to mend it."""
    cells = [f"red{mark}blue"] * hits + ["red;green"] * others + [None, " "]
    frame = pl.DataFrame({"uid": [f"u{row}" for row in range(len(cells))], "name": "Ann", "tags": cells})
    found = check_warnings(frame, strict=False).warnings.get("tags.not_split")
    assert found == (Found(hits, tuple(range(1, min(hits, 5) + 1)), {name: hits}) if is_suspect else None)


def test_a_message_about_tags_shows_the_tag() -> None:
    """As it would be sent."""
    messages = check_warnings(people(tags="a, b, c"), strict=True).lines["error_message"].to_list()
    assert messages == ["tags.not_split: 'a, b, c' became one tag, and holds , as nearly all cells do"]


def test_one_tag_of_a_list_may_hold_commas() -> None:
    """A list says itself where its tags end."""
    assert warnings(pl.DataFrame({"uid": ["ann"], "name": ["Ann"], "tags": [["a,b,c"]]})) == {}


@pytest.mark.parametrize(("letters", "is_long"), [("é" * 1592, False), ("é" * 1593, True)])
def test_metadata_of_more_than_1600_characters_are_warned_of(letters: str, is_long: bool) -> None:
    """Characters of the compact form, not bytes."""
    cell = json.dumps({"k": letters})
    assert warnings(people(metadata=cell)) == ({"metadata.long": (1,)} if is_long else {})


@pytest.mark.sampled
@pytest.mark.parametrize("name", [*NO_NAMES, *NO_NAMES_EXACTLY, "NULL", "Test", "#n/A", " N/A "])
def test_a_name_that_stands_for_none_is_warned_of(name: str) -> None:
    """What programs and people write where there is no name, in any case and trimmed."""
    assert warnings(people(name=name)) == {"name.placeholder": (1,)}


@pytest.mark.parametrize("name", ["Na", "Nan", "Nonette", "Test Ann", "Nil", "-a", "N", "O", "a.", "Tbd Lee"])
def test_a_name_of_a_person_is_no_placeholder(name: str) -> None:
    """Short names and names that only hold such a word pass."""
    assert warnings(people(name=name)) == {}


def test_warnings_are_counted_for_every_row_and_reject_none() -> None:
    """A rejected row is warned of as well; the first five rows are named."""
    frame = pl.DataFrame({"uid": [*"abcdefg", "7.39E+10"], "name": ["test"] * 7 + ["H"]})
    checked = check_warnings(frame, strict=False)
    assert checked.warnings == {
        "uid.scientific": Found(1, (8,)),
        "name.placeholder": Found(7, (1, 2, 3, 4, 5)),
    }
    assert checked.defects == {"uid.charset": Found(1, (8,))}
    assert (checked.valid.height, checked.rejected.height) == (7, 1)


def test_a_shortened_number_is_seen_behind_what_is_made_of_it() -> None:
    """Its uid is a legal one, and nobody's."""
    frame = pl.DataFrame({"id": ["73912345678", " 7.39E+10 "], "name": ["Ann", "Bob"]})
    uid = {"column": "id", "encode": "uuid5", "namespace": "6ba7b810-9dad-11d1-80b4-00c04fd430c8"}
    assert warnings(frame, {"uid": uid}) == {"uid.scientific": (2,)}


def test_strict_makes_every_warning_a_defect_after_the_ordinary_ones() -> None:
    """Also for a row that has no other defect, and for one whose request is too large."""
    big = json.dumps({"k": "m" * 5000})
    url = "https://e.org/".ljust(3000, "l")
    frame = pl.DataFrame({
        "uid": ["ann", "7.39E+10", "bob", "eve"], "name": ["test", "Bob", "Bob", "tbd"],
        "metadata": [None, None, None, big], "avatar": [None, None, None, url], "link": [None, None, None, url],
    })  # fmt: skip
    checked = check_warnings(frame, strict=True)
    placeholder = "name.placeholder: 'tbd' stands for no name"
    long = "metadata.long: 5008 characters, an older page allows 1600"
    scientific = "uid.scientific: '7.39e+10' looks like a number shortened by a spreadsheet"
    assert checked.lines.select("row", "error_code", "error_message").rows() == [
        (1, "name.placeholder", "name.placeholder: 'test' stands for no name"),
        (
            2,
            "uid.charset",
            f"uid.charset: '.' in '7.39e+10', only ASCII letters, digits and - are allowed; {scientific}",
        ),
        (3, None, None),
        (
            4,
            "body.too_large",
            f"body.too_large: 11068 bytes, at most 10240; {placeholder}; {long}",
        ),
    ]
    assert list(checked.defects.items()) == [
        ("uid.charset", Found(1, (2,))),
        ("body.too_large", Found(1, (4,))),
        ("uid.scientific", Found(1, (2,))),
        ("name.placeholder", Found(2, (1, 4))),
        ("metadata.long", Found(1, (4,))),
    ]
    assert checked.warnings == {}
    assert checked.valid["row"].to_list() == [3]


def test_a_row_that_is_only_too_large_as_a_request_is_warned_of_too() -> None:
    """A warning does not depend on what else is wrong with a row."""
    frame = pl.DataFrame({"uid": ["ann"], "name": ["test"], "tags": ["a,b,c"]})
    binding = bind(frame.schema)
    validator = Validator(binding, Constraints(body_max_bytes=20), learned(frame, binding), auth_tokens=AuthTokens.NONE)
    checked = validator.check(RosterBatch(1, frame))
    assert checked.defects == {"body.too_large": Found(1, (1,))}
    assert checked.warnings == {"name.placeholder": Found(1, (1,)), "tags.not_split": Found(1, (1,), {",": 1})}


def test_there_is_advice_for_each_warning_in_the_order_of_the_rules() -> None:
    """What a code means and how to mend it can always be messages."""
    codes = [rule.code for rule in warning_rules(5, rounded=True)]
    assert codes == list(WARNINGS)
    assert all(advice.meaning and advice.mend for advice in WARNINGS.values())


def test_the_document_tells_of_every_warning() -> None:
    """A code a person meets can be looked up."""
    document = (ROOT / "docs/warnings.md").read_text(encoding="utf-8")
    assert [line.split("`")[1] for line in document.splitlines() if line.startswith("| `")] == list(WARNINGS)

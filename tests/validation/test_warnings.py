"""Warnings: each from both sides, counted with its rows, rejecting nothing unless the validator is strict."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from provisioner.model import AuthTokens
from provisioner.roster.formats.csvfile import BlockSizes, open_csv
from provisioner.roster.formats.rows import RosterBatch
from provisioner.roster.reader import open_roster
from provisioner.validation.constraints import Constraints
from provisioner.validation.digits import DigitUids
from provisioner.validation.fields.binding import bind
from provisioner.validation.fields.mapping import parse_mapping
from provisioner.validation.survey import Survey, survey
from provisioner.validation.validator import Checked, Found, Validator
from provisioner.validation.warnings import EXACT_PLACEHOLDERS, PLACEHOLDERS, WARNINGS, warning_rules
from tests.rig.command import ROOT

SMALL = BlockSizes(first=50, block=200, first_batch=2, batch=3)


def lint(frame: pl.DataFrame, columns: Mapping[str, Any] | None = None, *, strict: bool) -> Checked:
    """Check a frame as one batch."""
    binding = bind(frame.schema, parse_mapping(columns or {}))
    validator = Validator(binding, Constraints(), Survey(frame.height), auth_tokens=AuthTokens.NONE, strict=strict)
    return validator.check(RosterBatch(1, frame))


def warnings(frame: pl.DataFrame, columns: Mapping[str, Any] | None = None) -> dict[str, tuple[int, ...]]:
    """Code → rows warned of, of a frame as one batch."""
    return {code: found.first_rows for code, found in lint(frame, columns, strict=False).warnings.items()}


def looked_over(
    folder: Path, rows: Sequence[Mapping[str, str]], *, strict: bool = True, identity: bool = True, run_length: int = 10
) -> list[tuple[int, str]]:
    """Row and message of each row that a strict check rejects, in small batches, with the survey on disk."""
    path = folder / "r.csv"
    pl.DataFrame(rows).write_csv(path)
    roster = open_csv(path, sizes=SMALL)
    binding = bind(roster.schema)
    surveyed = survey(roster, binding, folder, identity=identity, run_length=run_length)
    validator = Validator(binding, Constraints(), surveyed, auth_tokens=AuthTokens.NONE, strict=strict)
    lines = pl.concat([validator.check(batch).lines for batch in roster.batches()])
    return lines.drop_nulls("error_message").select("row", "error_message").rows()


def people(**cells: str) -> pl.DataFrame:
    return pl.DataFrame({"uid": ["ann"], "name": ["Ann"], **{name: [cell] for name, cell in cells.items()}})


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
        ("1234567890123450", "uid.rounded"),
        ("12345678901234500000", "uid.rounded"),
        ("12345678901234501000", None),
        ("1234567890123456", None),
        ("a123456789012345000", None),
    ],
)
def test_uids_that_a_spreadsheet_has_changed_are_warned_of(uid: str, expected: str | None) -> None:
    """Digits that are lost: it is the number form or the zeros after the fifteenth digit that tell."""
    assert warnings(people(uid=uid)) == ({expected: (1,)} if expected else {})


def test_long_numbers_of_which_only_some_end_in_zero_are_not_rounded(tmp_path: Path) -> None:
    """Among 16-digit numbers one in ten ends in 0; a spreadsheet would have rounded them all."""
    counted = [{"uid": str(1_000_000_000_000_123 + number), "name": "n"} for number in range(40)]
    rounded = [{"uid": f"{100_000_000_000_123 + number}0", "name": "n"} for number in range(3)]
    assert looked_over(tmp_path, counted) == []
    assert [row for row, _ in looked_over(tmp_path, counted[:10] + rounded)] == [8, 11, 12, 13]


def rows_of(uids: Sequence[str]) -> list[dict[str, str]]:
    return [{"uid": uid, "name": "n"} for uid in uids]


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


def test_a_uid_that_may_have_lost_its_zeros_is_warned_of(tmp_path: Path) -> None:
    said = "has fewer digits than the usual 5, so leading zeros may be lost"
    assert looked_over(tmp_path, rows_of(["417", *SPARSE, "abc", "9001"])) == [
        (1, f"uid.zeros_lost: '417' {said}"),
        (103, f"uid.zeros_lost: '9001' {said}"),
    ]


@pytest.mark.parametrize("run_length", [1, 1_000])
def test_a_name_that_an_earlier_row_spells_otherwise_is_a_twin(tmp_path: Path, run_length: int) -> None:
    """By case, composition, compatibility forms or blanks; the first row of the name is named, identical ones pass."""
    names = [
        "José", "Ann Lee", "JOSE", "JOSÉ", "Jose\u0301", "José", "ann  lee", "Bob", "Ann Lee", "\uff21nn Lee", "Straße",
        "STRASSE", "Bob", "ann\u00a0lee",
    ]  # fmt: skip
    rows = [{"uid": f"u{number}", "name": name} for number, name in enumerate(names)]
    assert looked_over(tmp_path, rows, run_length=run_length) == [
        (4, "name.twin: 'JOSÉ' is spelled 'José' in row 1"),
        (5, "name.twin: 'Jose\u0301' is spelled 'José' in row 1"),
        (7, "name.twin: 'ann  lee' is spelled 'Ann Lee' in row 2"),
        (10, "name.twin: '\uff21nn Lee' is spelled 'Ann Lee' in row 2"),
        (12, "name.twin: 'STRASSE' is spelled 'Straße' in row 11"),
        (14, "name.twin: 'ann\u00a0lee' is spelled 'Ann Lee' in row 2"),
    ]


@pytest.mark.parametrize(
    ("column", "is_own"),
    [
        ("email", True), ("E-Mail", True), ("mail", True), ("Work_Email", True), ("workEmail", True),
        ("private email address", True), ("metadata.email", True), ("metadata.@private.email", True),
        ("manager_email", False), ("voicemail", False), ("mailing", False), ("_email", False), ("note", False),
    ],
)  # fmt: skip
def test_an_address_under_two_uids_is_warned_of_by_the_name_of_its_column(
    tmp_path: Path, column: str, is_own: bool
) -> None:
    """Case does not count, what is no address does not, and one uid may come again with its own."""
    cells = ["a@x.org", "b@x.org", " A@X.org", "", "none", "none", "a@x.org", "a@x.org"]
    uids = ["ann", "bob", "eve", "dan", "fay", "gus", "ANN", "hal"]
    names = ["Ann", "Bob", "Eve", "Dan", "Fay", "Gus", "Ann", "Hal"]
    rows = [{"uid": uid, "name": name, column: cell} for uid, name, cell in zip(uids, names, cells, strict=True)]
    shared = "email.shared: 'a@x.org' is the e-mail address of another uid in row 1"
    duplicate = "uid.duplicate: 'ann' is the uid of row 1 already"
    assert looked_over(tmp_path, rows) == ([(3, shared), (7, duplicate), (8, shared)] if is_own else [(7, duplicate)])


def test_an_address_is_found_inside_metadata(tmp_path: Path) -> None:
    """In JSON text at any depth, with blanks or without."""
    cells = [
        {"@private": {"email": "a@x.org"}, "team": "b@x.org"},
        {"work_email": "A@x.org"},
        {"manager_email": "a@x.org"},
        {"team": "b@x.org"},
    ]
    texts = [json.dumps(cell, indent=None if number % 2 else 1) for number, cell in enumerate(cells)]
    rows = [{"uid": f"u{number}", "name": f"N{number}", "metadata": text} for number, text in enumerate(texts)]
    assert looked_over(tmp_path, rows) == [(2, "email.shared: 'a@x.org' is the e-mail address of another uid in row 1")]


def test_an_address_is_found_in_a_struct_and_in_a_mapped_column(tmp_path: Path) -> None:
    path = tmp_path / "r.parquet"
    pl.DataFrame({
        "uid": ["a", "b", "c"], "name": ["A", "B", "C"], "reach": ["x@x.org", "y@x.org", "X@x.org"],
        "metadata": [{"in": {"email": "z@x.org"}}, {"in": {"email": "Z@x.org"}}, {"in": {"email": None}}],
    }).write_parquet(path)  # fmt: skip
    roster = open_roster(path)
    found = []
    for columns in ({}, {"metadata": {"email": "reach"}}):
        binding = bind(roster.schema, parse_mapping(columns))
        surveyed = survey(roster, binding, tmp_path, identity=True)
        validator = Validator(binding, Constraints(), surveyed, auth_tokens=AuthTokens.NONE)
        found += [validator.check(batch).warnings for batch in roster.batches()]
    assert found == [{"email.shared": Found(1, (2,))}, {"email.shared": Found(2, (2, 3))}]


def test_identities_are_compared_only_when_that_is_asked_for(tmp_path: Path) -> None:
    """The first request of an ordinary run does not wait for it."""
    rows = [{"uid": "a", "name": "Ann", "email": "a@x.org"}, {"uid": "b", "name": "ANN", "email": "a@x.org"}]
    shared = "email.shared: 'a@x.org' is the e-mail address of another uid in row 1"
    assert looked_over(tmp_path, rows, identity=False) == []
    assert looked_over(tmp_path, rows) == [
        (2, f"name.twin: 'ANN' is spelled 'Ann' in row 1; {shared}"),
    ]


@pytest.mark.parametrize(
    ("columns", "cell", "is_suspect"),
    [
        ({}, "a, b, c", True),
        ({}, "a,b", False),
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
    assert warnings(people(tags=cell), columns) == ({"tags.not_split": (1,)} if is_suspect else {})


def test_a_message_about_tags_shows_the_tag() -> None:
    said = lint(people(tags="a, b, c"), strict=True).lines["error_message"].to_list()
    assert said == ["tags.not_split: 'a, b, c' became one tag, with its commas"]


def test_one_tag_of_a_list_may_hold_commas() -> None:
    assert warnings(pl.DataFrame({"uid": ["ann"], "name": ["Ann"], "tags": [["a,b,c"]]})) == {}


@pytest.mark.parametrize(("letters", "is_long"), [("é" * 1592, False), ("é" * 1593, True)])
def test_metadata_of_more_than_1600_characters_are_warned_of(letters: str, is_long: bool) -> None:
    """Characters of the compact form, not bytes."""
    cell = json.dumps({"k": letters})
    assert warnings(people(metadata=cell)) == ({"metadata.long": (1,)} if is_long else {})


@pytest.mark.parametrize("name", [*PLACEHOLDERS, *EXACT_PLACEHOLDERS, "NULL", "Test", "#n/A", " N/A "])
def test_a_name_that_stands_for_none_is_warned_of(name: str) -> None:
    assert warnings(people(name=name)) == {"name.placeholder": (1,)}


@pytest.mark.parametrize("name", ["Na", "Nan", "Nonette", "Test Ann", "Nil", "-a", "N", "O", "a.", "Tbd Lee"])
def test_a_name_of_a_person_is_no_placeholder(name: str) -> None:
    assert warnings(people(name=name)) == {}


def test_warnings_are_counted_for_every_row_and_reject_none() -> None:
    """A rejected row is warned of as well; the first five rows are named."""
    frame = pl.DataFrame({"uid": [*"abcdefg", "7.39E+10"], "name": ["test"] * 7 + ["H"]})
    checked = lint(frame, strict=False)
    assert checked.warnings == {
        "uid.scientific": Found(1, (8,)),
        "name.placeholder": Found(7, (1, 2, 3, 4, 5)),
    }
    assert checked.defects == {"uid.charset": Found(1, (8,))}
    assert (checked.valid.height, checked.rejected.height) == (7, 1)


def test_strict_makes_every_warning_a_defect_after_the_ordinary_ones() -> None:
    """Also for a row that has no other defect, and for one whose request is too large."""
    big = json.dumps({"k": "m" * 5000})
    url = "https://e.org/".ljust(3000, "l")
    frame = pl.DataFrame({
        "uid": ["ann", "7.39E+10", "bob", "eve"], "name": ["test", "Bob", "Bob", "tbd"],
        "metadata": [None, None, None, big], "avatar": [None, None, None, url], "link": [None, None, None, url],
    })  # fmt: skip
    checked = lint(frame, strict=True)
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
    frame = pl.DataFrame({"uid": ["ann"], "name": ["test"], "tags": ["a,b,c"]})
    binding = bind(frame.schema)
    validator = Validator(binding, Constraints(body_max_bytes=20), Survey(1), auth_tokens=AuthTokens.NONE)
    checked = validator.check(RosterBatch(1, frame))
    assert checked.defects == {"body.too_large": Found(1, (1,))}
    assert checked.warnings == {"name.placeholder": Found(1, (1,)), "tags.not_split": Found(1, (1,))}


def test_there_is_advice_for_each_warning_in_the_order_of_the_rules() -> None:
    codes = [rule.code for rule in warning_rules(5, rounded=True)]
    assert codes == list(WARNINGS)
    assert all(advice.meaning and advice.mend for advice in WARNINGS.values())


def test_the_document_tells_of_every_warning() -> None:
    """A code a person meets can be looked up."""
    told = (ROOT / "docs/warnings.md").read_text(encoding="utf-8")
    assert [line.split("`")[1] for line in told.splitlines() if line.startswith("| `")] == list(WARNINGS)

"""E-mail addresses: found by the names of columns, metadata keys and members, and nowhere else."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from provisioner.model import AuthTokens
from provisioner.roster.reader import open_roster
from provisioner.validation.constraints import Constraints
from provisioner.validation.fields.binding import bind
from provisioner.validation.fields.emails import email_sources, emails
from provisioner.validation.fields.mapping import parse_mapping
from provisioner.validation.rules import Found
from provisioner.validation.survey import survey
from provisioner.validation.validator import Validator
from tests.rig.checking import bound, looked_over


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("column", "is_own"),
    [
        ("email", True), ("E-Mail", True), ("mail", True), ("Work_Email", True), ("workEmail", True),
        ("private email address", True), ("metadata.email", True), ("metadata.@private.email", True),
        ("manager_email", False), ("voicemail", False), ("mailing", False), ("_email", False), ("note", False),
        ("profile.email", True), ("metadata.company_email", True), ("manager.email", False),
        ("metadata.manager.mail", False), ("guardian.work_email", False), ("company.email", False),
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


def test_in_metadata_as_json_the_address_of_somebody_else_is_not_the_persons_own() -> None:
    """As in a struct: an object that names somebody else, and a list of objects, hold none of the person's."""
    cells = [
        {"manager": {"email": "b@x.org"}, "team": {"lead": {"email": "b@x.org"}}, "email": "A@x.org"},
        {"manager": {"email": "b@x.org"}, "contact": {"x": 1, "work_email": " a@x.org "}},
        {"manager": {"email": "b@x.org"}, "email": "none"},
        {"assistants": [{"email": "b@x.org"}]},
        {"manager": {"name": "B", "email": "b@x.org"}},
        {"manager": {"title": "a}", "email": "b@x.org"}},
        {"team": [{"x": 1}], "e-mail": "a@x.org"},
        {"email": "a@x.org"},
    ]
    texts = [*map(json.dumps, cells), '{"manager":{"email":"b@x.org"}', None]
    binding = bound(frame := pl.DataFrame({"metadata": texts}), {})
    (source,) = email_sources(binding)
    ours = "a@x.org"
    assert emails(frame, source, binding).to_list() == [ours, ours, None, None, None, None, ours, ours, None, None]


def test_an_address_is_found_in_a_struct_and_in_a_mapped_column(tmp_path: Path) -> None:
    """By the name of the member, or of the key that the column is mapped to."""
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


def test_the_address_of_somebody_else_further_in_is_not_the_persons_own() -> None:
    """In a struct, and at a place of the metadata that a column of any name is mapped to."""
    inner = {"manager": {"email": "b@x.org"}, "contact": {"email": "a@x.org"}}
    frame = pl.DataFrame({"uid": ["a"], "name": ["A"], "metadata": [inner], "reach": ["b@x.org"]})
    found = [bound(frame, {}), bound(frame.drop("metadata"), {"metadata": {"manager": {"email": "reach"}}})]
    assert [[emails(frame, source, each).to_list() for source in email_sources(each)] for each in found] == [
        [["a@x.org"]], [],
    ]  # fmt: skip


def test_an_address_is_lower_cased_and_a_text_without_an_at_sign_is_none() -> None:
    """A column of another type and a mapped column of any name are looked at by the same rule."""
    frame = pl.DataFrame({"email": [" A@X.org ", "none", None], "mail": [1, 2, 3], "reach": ["r@x.org", " ", "x"]})
    binding = bound(frame, {"metadata": {"work_email": "reach", "note": "reach"}})
    found = [emails(frame, source, binding).to_list() for source in email_sources(binding)]
    assert found == [["a@x.org", None, None], ["r@x.org", None, None]]

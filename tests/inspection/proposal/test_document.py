"""A proposal becomes a config file that says just what was proposed, whatever its columns are called."""

from __future__ import annotations

import tomllib

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from provisioner.inspection.proposal.document import Entry, LeftOut, Proposal, Question, document, literal
from provisioner.validation.fields.binding import bind
from provisioner.validation.fields.mapping import parse_mapping
from provisioner.validation.fields.source import FromColumn

TEXTS = st.text(st.characters(codec="utf-8"))
VALUES = st.recursive(TEXTS | st.booleans() | st.integers(-9, 9), lambda each: st.lists(each, max_size=3), max_leaves=5)


@given(st.dictionaries(TEXTS, VALUES, max_size=3) | VALUES)
def test_every_value_comes_back_as_it_was(value: object) -> None:
    """Quotes, line ends, dots, braces, `@`, control characters: TOML reads what was meant."""
    assert tomllib.loads(f"x = {literal(value)}") == {"x": value}


@given(st.lists(TEXTS.filter(bool), min_size=1, max_size=4, unique=True), TEXTS)
def test_names_of_columns_break_nothing(columns: list[str], roster: str) -> None:
    """In values they stand as they are, in comments on the comment's own line."""
    first, *rest = columns
    text = document(
        roster,
        Proposal(
            (
                Entry("uid", first, f"why {first}", (first,)),
                Entry("@private.email", first, roster, (first,), metadata=True),
            ),
            tuple(Entry("department", each, "", (each,), metadata=True) for each in rest),
            tuple(LeftOut(each, f"because {each}") for each in rest),
            tuple(rest),
            (Question("name", f"nobody {roster}", tuple(rest)),),
            {"uid_allow_underscore": (True, roster)},
        ),
        {"encoding": "cp1252", "sheet": first},
        [roster],
        roster,
    )
    unused = [each for each in rest if not each.startswith("_")]
    left_out = {"leave_out": unused} if unused else {}
    assert tomllib.loads(text) == {
        "run": {"encoding": "cp1252", "sheet": first},
        "columns": {"uid": first, **left_out, "metadata": {"@private.email": first}},
        "constraints": {"uid_allow_underscore": True},
    }


def test_what_is_to_be_chosen_and_what_could_be_added_is_written_and_not_in_force() -> None:
    """A # is all there is to take away."""
    proposal = Proposal(
        (Entry("uid", "id", "an id"),),
        (Entry("department", "Dept.", "", ("Dept.",), metadata=True),),
        questions=(Question("name", "no column holds names", ("a b", "c")),),
    )
    text = document("r.csv", proposal, {})
    assert tomllib.loads(text) == {"columns": {"uid": "id"}}
    in_force = text
    for line in ('name = "a b"', "[columns.metadata]", 'department = "Dept."'):
        assert f"\n# {line}\n" in text
        in_force = in_force.replace(f"\n# {line}\n", f"\n{line}\n")
    assert tomllib.loads(in_force) == {"columns": {"uid": "id", "name": "a b", "metadata": {"department": "Dept."}}}


def test_what_could_stand_in_place_of_a_line_is_written_below_it() -> None:
    """Not in force; whoever takes the line above out and the # away has the other."""
    proposal = Proposal((Entry("uid", {"column": "Mail", "encode": "hex"}, "addresses", others=("Nr.",)),))
    text = document("r.csv", proposal, {})
    above, below = 'uid = { column = "Mail", encode = "hex" }\n', '# uid = "Nr."\n'
    assert f"{above}# If this is the better one, take its # away and the line above out:\n{below}" in text
    assert tomllib.loads(text) == {"columns": {"uid": {"column": "Mail", "encode": "hex"}}}
    assert tomllib.loads(text.replace(above, "").replace(below, below[2:])) == {"columns": {"uid": "Nr."}}


def test_no_line_is_too_wide_to_be_read() -> None:
    """Reasons stand above what they are for, wrapped."""
    many = tuple(LeftOut(f"column number {n}", "no field is called like it") for n in range(500))
    proposal = Proposal((Entry("uid", "id", "because " * 40),), left_out=many)
    assert max(map(len, document("r.csv", proposal, {}).splitlines())) <= 100


def test_what_is_kept_out_stays_out_when_all_others_are_sent() -> None:
    """Whoever takes the # away before `others` sends no secret with them, and the line says so."""
    proposal = Proposal((Entry("uid", "id", "an id"), Entry("name", "Name", "a name")), kept_out=("IBAN", "Gehalt"))
    text = document("r.csv", proposal, {})
    said = "# All other columns but these, where other users do not see them:\n# others = "
    assert said in text
    config = tomllib.loads(text.replace("\n# others = ", "\nothers = "))["columns"]
    assert config == {
        "uid": "id", "name": "Name", "leave_out": ["IBAN", "Gehalt"], "others": "metadata.@private.roster",
    }  # fmt: skip
    columns = dict.fromkeys(("id", "Name", "IBAN", "Gehalt", "Ort"), pl.String())
    assert dict(bind(columns, parse_mapping(config)).metadata) == {("@private", "roster", "Ort"): FromColumn("Ort")}


def test_what_nothing_is_made_of_is_known_and_what_is_new_is_not() -> None:
    """No night tells of the columns that were looked at; a line that is put in force is, though its column is there."""
    left_out = tuple(LeftOut(name, "why") for name in ("IBAN", "Ort", "Abteilung", "Ort", "_column_4"))
    suggestions = (Entry("department", "Abteilung", "", ("Abteilung",), metadata=True),)
    entries = (Entry("uid", "id", "an id"), Entry("name", "Name", "a name"))
    text = document("r.csv", Proposal(entries, suggestions, left_out, kept_out=("IBAN",)), {})
    config = tomllib.loads(text)["columns"]
    assert config == {"uid": "id", "name": "Name", "leave_out": ["IBAN", "Ort", "Abteilung"]}
    columns = dict.fromkeys(("id", "Name", "IBAN", "Ort", "Abteilung", "Neu"), pl.String())
    assert bind(columns, parse_mapping(config)).unknown == ("Neu",)
    text = text.replace("\n# [columns.metadata]", "\n[columns.metadata]").replace("\n# department", "\ndepartment")
    in_force = bind(columns, parse_mapping(tomllib.loads(text)["columns"]))
    assert dict(in_force.metadata) == {("department",): FromColumn("Abteilung")}

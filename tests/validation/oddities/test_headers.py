"""Rows that are the header once more, or another one, and people who are called like the names of columns."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from provisioner.errors import RosterError
from provisioner.roster.formats.rows import RosterBatch
from provisioner.roster.reader import open_roster
from provisioner.validation.fields import cells
from provisioner.validation.fields.binding import bind
from provisioner.validation.fields.mapping import parse_mapping
from provisioner.validation.oddities.headers import Headers, OtherHeader
from provisioner.validation.survey import survey
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


@pytest.mark.parametrize(
    "row", [("UID", "Name", "TAGS"), (" uid", "NAME ", None), ("Uid", "name", ""), ("uid", "name", "\u200b")]
)
def test_a_header_in_another_case_or_with_blank_cells_is_the_header_once_more(row: tuple[str | None, ...]) -> None:
    """What is below it stands in the columns that it names."""
    assert list(check(roster(row)).defects) == ["row.header_again"]
    assert other(roster(row)) is None


def test_a_header_without_a_column_that_others_stand_in_for_is_the_header_once_more() -> None:
    """Of a list of columns for the name, one is enough."""
    frame = pl.DataFrame({"Login": ["a", "LOGIN"], "Full": ["Ann", "full"], "Nick": ["An", None]})
    found = check_warnings(frame, {"uid": "Login", "name": ["Nick", "Full"]}, strict=False)
    assert {code: each.first_rows for code, each in found.defects.items()} == {"row.header_again": (2,)}


def test_a_row_that_has_no_cell_in_a_needed_column_is_no_header() -> None:
    """It is a person without a name."""
    assert list(check(roster(("uid", None, "tags"))).defects) == ["name.missing"]


def test_the_header_is_found_whatever_feeds_the_uid() -> None:
    """A template, and a column without a name beside the others."""
    frame = roster(("uid", "name", "tags")).with_columns(pl.Series("_column_4", ["x", None, " "]))
    found = check_warnings(frame, {"uid": "{uid}-{tags}"}, strict=False)
    assert {code: each.first_rows for code, each in found.defects.items()} == {"row.header_again": (3,)}


@pytest.mark.parametrize(
    "row",
    [
        ("name", "uid", "tags"),
        ("Name", " UID ", None),
        ("uid", "name", "role"),
        ("uid", "name", "colour"),
        ("uid", "tags", "name"),
        ("uid", "tags", None),
        ("role", "name", "uid"),
        ("Login", "Full Name", None),
        ("Full Name", "user_id", "Team"),
        ("Vorname", "Nachname", "E-Mail"),
    ],
)
def test_a_row_that_names_columns_otherwise_is_another_header(row: tuple[str | None, ...]) -> None:
    """In another order, with others beside them, or in other words; with its number and its cells."""
    cells = tuple(cell for cell in row if cell)
    assert other(roster(("d4", "Di", "x"), row, ("name", "uid", None))) == OtherHeader(4, cells)


@pytest.mark.parametrize(
    "row",
    [
        ("id", "Ann", "uid;name"),
        ("name", "name", None),
        ("mail", "Mail", "name"),
        ("sales", "Name", "red"),
        ("title", "Department", "red"),
        ("uid", "Uma Idle", "tags"),
        ("ann", "Name", "uid"),
        ("team", "Support", "name"),
    ],
)
def test_people_who_are_called_like_columns_are_people(row: tuple[str, ...]) -> None:
    """What stands for the uid and for the name has to be a word of a header, and neither is said twice."""
    assert other(roster(row)) is None


@pytest.mark.parametrize(
    ("columns", "rows", "found"),
    [
        ({"uid": "Login", "name": ["Nick", "Full"]}, [("Full", "Login", "Nick")], 1),
        ({"uid": "Login", "name": ["Nick", "Full"]}, [("login", "full", None)], None),
        ({"uid": "Login", "name": ["Nick", "Full"]}, [("Full", "Login", None)], 1),
        (
            {"uid": {"column": "Login", "encode": "cometchat"}, "name": "Full"},
            [("x", "y", "z"), ("Full", "Nick", "Login")],
            2,
        ),
        ({"uid": "{Login}-{Nick}", "name": "Full"}, [("Full", "Nick", "Login")], 1),
        ({"uid": "Login", "name": "Login"}, [("login", "red", None), ("full", "login", None)], 2),
        ({"uid": "Login", "name": "Login"}, [("login", None, None)], None),
        ({"uid": "Login", "name": {"value": "Somebody"}}, [("full", "login", None)], None),
    ],
)
def test_another_header_is_found_whatever_feeds_uid_and_name(
    columns: Mapping[str, Any], rows: list[tuple[str | None, ...]], found: int | None
) -> None:
    """Lists, templates, encoded uids, and one column for both; a name that is the same for all stands in no cell."""
    frame = pl.DataFrame(rows, schema=dict.fromkeys(("Login", "Full", "Nick"), pl.String), orient="row")
    assert ((header := other(frame, columns)) and header.row) == found


@pytest.mark.parametrize("name", ["Имя", "ИМЯ", "имЯ", "Jméno", "ÉLÈVE", "Ὄνομα", "氏名"])
def test_headers_are_found_in_any_alphabet(name: str) -> None:
    """Also where the uid's column holds letters that no uid has: once more, or in another order."""
    frame = pl.DataFrame([("a1", "Ann"), ("ID", name), (name, "ID")], schema=["ID", name], orient="row")
    assert other(frame, {"uid": "ID", "name": name}) == OtherHeader(3, (name, "ID"))
    again = check_warnings(
        pl.DataFrame({name: ["a1", name], "ID": ["Ann", "ID"]}), {"uid": name, "name": "ID"}, strict=False
    )
    assert {code: each.first_rows for code, each in again.defects.items()} == {"row.header_again": (2,)}


def test_columns_of_other_types_are_no_header() -> None:
    """A number in a row is none of a name."""
    frame = pl.DataFrame({"uid": ["name", "name"], "name": ["uid", "uid"], "age": [7, None]})
    assert other(frame) == OtherHeader(2, ("name", "uid"))
    assert other(pl.DataFrame({"uid": [1], "name": ["uid"]})) is None


def test_a_roster_with_another_header_is_refused_with_file_and_row(tmp_path: Path) -> None:
    """The row is that of its own file."""
    path = tmp_path / "r.csv"
    path.write_text("uid,name\na1,Ann\nname,uid\nBob,b2\n")
    opened = open_roster(path)
    with pytest.raises(RosterError) as caught:
        survey(opened, bind(opened.schema), tmp_path)
    assert str(caught.value) == (
        f"{path}: row 2 (line 3) ('name', 'uid') is the header of another table; save the rows from there on as a file "
        "of its own and name both files, with the same columns, spelled alike, in any order; or delete the row if the "
        "columns of the first header are right for what is below it"
    )


def other(frame: pl.DataFrame, columns: Mapping[str, Any] | None = None) -> OtherHeader | None:
    """The first row of a frame that is another header."""
    binding = bind(frame.schema, parse_mapping(columns or {}))
    return Headers(binding).other(RosterBatch(1, frame), cells.uids(frame, binding))


def test_cells_below_no_name_behind_a_named_column_are_warned_of(tmp_path: Path) -> None:
    """They may be the rest of a cell with a comma in it; with strict the row is rejected, which says what to do."""
    path = tmp_path / "r.csv"
    path.write_text("uid,name,\na,Ann,\nb,Lee, Bob,\nc,Poe, Cy\nd,Di, \ne,Ed,NULL\n")
    (batch,) = open_roster(path).batches()
    assert warnings(batch.frame) == {"row.unnamed_column": (2, 3)}
    checked = check_warnings(batch.frame, strict=True)
    assert checked.lines.drop_nulls("error_message").select("row", "error_message").rows() == [
        (row, "row.unnamed_column: a cell stands in a column without a name, so nothing is made of it")
        for row in (2, 3)
    ]
    mended = {"name": "{name},{_column_3}"}
    assert warnings(batch.frame, mended) == {}


@pytest.mark.parametrize(
    ("columns", "rows"),
    [
        (("_column_1", "_column_2", "uid", "name"), ()),
        (("uid", "_column_2", "name", "_column_4"), (1, 2, 3)),
        (("uid", "name", "_column_3_", "tags"), (1, 3)),
        (("uid", "name", "_column_3_tags", "_note"), ()),
    ],
)
def test_only_what_can_be_the_rest_of_a_cell_before_it_is_warned_of(
    columns: tuple[str, ...], rows: tuple[int, ...]
) -> None:
    """A data frame writes its index in front, without a name; one name that comes twice is no missing one."""
    frame = pl.DataFrame([("1", "2", "x", "y"), ("3", "4", None, "z"), ("5", "6", "v", None)], columns, orient="row")
    assert warnings(frame) == ({"row.unnamed_column": rows} if rows else {})


def test_a_column_without_a_name_may_hold_anything() -> None:
    """Of numbers and lists it counts whether they are there."""
    frame = pl.DataFrame({"uid": ["a", "b"], "name": ["A", "B"], "_column_3": [None, 1.5], "_column_4": [[1], None]})
    assert warnings(frame) == {"row.unnamed_column": (1, 2)}

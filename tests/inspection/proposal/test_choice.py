"""Which column becomes what: told by its name and by what stands in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from provisioner.inspection.proposal.choice import propose
from provisioner.inspection.proposal.document import Proposal
from provisioner.inspection.proposal.evidence import gather
from provisioner.roster.reader import RosterOptions, open_roster
from provisioner.validation.constraints import UID_KINDS
from provisioner.validation.vocabulary.recognition import missing_from
from provisioner.validation.warnings import WARNINGS

UUIDS = [f"6f9619ff-8b86-d011-b42d-00c04fc96{n:03}" for n in range(5)]
NOW = 1_796_000_000.0
NAMES = ["Ann Lee", "Bob Poe", "Cy Roe", "Di Fox", "Ed Oak"]


def proposed(folder: Path, **columns: list[Any]) -> Proposal:
    """What is proposed for a roster of these columns; every one has the names beside it, unless it says otherwise."""
    path = folder / "r.parquet"
    pl.DataFrame({"Full Name": NAMES} | columns, strict=False).write_parquet(path)
    return propose(gather(open_roster(path, RosterOptions(missing=missing_from))), NOW)


def value(proposal: Proposal, key: str) -> Any:
    """What a key is made of; None when there is no such entry."""
    return next((entry.value for entry in proposal.entries if entry.key == key), None)


def why_left_out(proposal: Proposal) -> dict[str, str]:
    """Column → why it becomes nothing."""
    return {each.column: each.reason for each in proposal.left_out}


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"Login": ["a", "b", "c", "d", "e"], "Employee ID": ["1", "2", "3", "4", "5"]}, "Employee ID"),
        ({"id": [1, 2, 3, 4, 5], "user_id": [9, 8, 7, 6, 5]}, "user_id"),
        # as MongoDB, CouchDB and Elasticsearch call it; other columns that begin with _ are a program's own
        ({"_id": [f"507f1f77bcf86cd79943901{n}" for n in range(5)], "__v": [0] * 5, "_errors": UUIDS}, "_id"),
        ({"_id": UUIDS, "Employee ID": ["1", "2", "3", "4", "5"]}, "Employee ID"),
        ({"_airbyte_ab_id": UUIDS}, None),
        # nearly empty, or the same for all: no id of a person
        ({"Employee ID": ["1", None, None, None, None], "id": [1, 2, 3, 4, 5]}, "id"),
        ({"Account ID": ["x"] * 5, "username": ["a", "b", "c", "d", "e"]}, "username"),
        # an id that is a uid as it stands comes before one that has to be encoded
        ({"uid": ["a|1", "a|2", "a|3", "a|4", "a|5"], "id": [1, 2, 3, 4, 5]}, "id"),
        ({"uid": ["a|1", "a|2", "a|3", "a|4", "a|5"]}, {"column": "uid", "encode": "base32"}),
        # too long for base32: the next that keeps them apart
        ({"uid": [f"a|{'b' * 70}{n}" for n in range(5)]}, {"column": "uid", "encode": "slug"}),
        ({"E-Mail": [f"a{n}@x.org" for n in range(5)]}, {"column": "E-Mail", "encode": "base32", "lower": True}),
        ({"Kontakt": [f"a{n}@x.org" for n in range(5)]}, {"column": "Kontakt", "encode": "base32", "lower": True}),
        # called like nothing, but every cell is an id that only a program makes
        ({"Zeichen": UUIDS, "Ort": ["K", "K", "B", "B", "B"]}, "Zeichen"),
        ({"Zeichen": [f"01ARZ3NDEKTSV4RRFFQ69G5FA{n}" for n in range(5)]}, "Zeichen"),
        ({"Zeichen": [f"507f1f77bcf86cd79943901{n}" for n in range(5)]}, "Zeichen"),
        ({"Zeichen": ["qa", "qb", "qc", "qd", "qe"], "Ort": ["K", "K", "B", "B", "B"]}, None),
        ({"Zeichen": [f"AD12000120302003591001{n:02}" for n in range(5)]}, None),
        ({"Zeichen": [f"50771177230640079943901{n}" for n in range(5)]}, None),
        ({"Zeichen": [*UUIDS[:4], "qe"]}, None),
        # called a number and nothing more, and one that everybody has
        ({"Nr.": [17, 4, 5, 23, 9]}, "Nr."),
        ({"Nr.": [f"A-{n}7" for n in range(5)]}, "Nr."),
        ({"Nr.": [f"01712345{n}" for n in range(5)]}, None),
        # the number of the row is no id where there is a better one
        ({"Nr.": [1, 2, 3, 4, 5], "E-Mail": [f"a{n}@x.org" for n in range(5)]},
         {"column": "E-Mail", "encode": "base32", "lower": True}),
        ({"Nr.": [1, 2, 3, 4, 5]}, "Nr."),
        *(({"Nr.": cells, "E-Mail": [f"a{n}@x.org" for n in range(5)]},
           {"column": "E-Mail", "encode": "base32", "lower": True})
          for cells in (["001", "002", "003", "004", "005"], [0, 1, 2, 3, 4], ["1.", "2.", "3.", "4.", "5."],
                        ["7", "9", "9", "12", "13"], ["7", None, "9", "12", "13"])),
        # a number that does not count the rows comes before an address that has to be encoded
        *(({name: cells, "E-Mail": [f"a{n}@x.org" for n in range(5)]}, name)
          for name in ("Nr.", "No.", "Number", "#", "Nummer")
          for cells in ([f"000{n}" for n in range(17, 22)], [f"EXT-{n}" for n in range(5)], [4711, 1234, 9876, 5, 17])),
        # not so the number of a row, nor one before a name that people log in with
        ({"Lfd. Nr.": [4711, 1234, 9876, 5, 17], "E-Mail": [f"a{n}@x.org" for n in range(5)]},
         {"column": "E-Mail", "encode": "base32", "lower": True}),
        ({"Nr.": [4711, 1234, 9876, 5, 17], "Login": ["a", "b", "c", "d", "e"]}, "Login"),
        # one of five is broken, one comes twice: the rows are rejected, the column is right all the same
        ({"Employee ID": ["1", "2", "3", "4", "5 b"]}, "Employee ID"),
        ({"Employee ID": ["1", "2", "3", "4", "4"]}, "Employee ID"),
        # ids that differ in case only are kept apart, where no other id is a uid as it stands
        ({"user_id": ["AbC1", "aBc1", "ABc1", "abC1", "abc1"]}, {"column": "user_id", "encode": "base32"}),
        ({"uid": ["AbC1", "aBc1", "xY2", "yZ3", "zA4"]}, {"column": "uid", "encode": "base32"}),
        ({"uid": ["AbC1", "aBc1", "xY2", "yZ3", "zA4"], "id": [1, 2, 3, 4, 5]}, "id"),
        ({"Login": ["a|B", "a|b", "a|c", "a|d", "a|e"]}, {"column": "Login", "encode": "base32"}),
        ({"uid": ["AbC1", "aBc1", "xY2", "yZ3", "9.0"]}, {"column": "uid", "encode": "base32"}),
        ({"Zeichen": ["qA", "qa", "qC", "qD", "qE"]}, None),
        # too long for an encoding that keeps them apart: it is still the one, and a row is rejected
        ({"uid": [f"{'b' * 70}{n}" for n in "aAbcd"]}, "uid"),
        # addresses that differ in case only are one
        ({"E-Mail": ["Ann@x.org", "ann@x.org", "b@x.org", "c@x.org", "d@x.org"]},
         {"column": "E-Mail", "encode": "base32", "lower": True}),
        # what belongs to another tells no people apart, whatever stands in it
        ({"company.id": ["a", "b", "c", "d", "e"], "Manager ID": ["f", "g", "h", "i", "j"]}, None),
        ({"Ort": ["K", "K", "B", "B", "B"]}, None),
        # nor what is wrapped in something that nobody knows
        ({"address.id": UUIDS, "Employee ID (Manager)": ["f", "g", "h", "i", "j"],
          "recruiter.contact": [f"a{n}@x.org" for n in range(5)], "E-Mail (Eltern)": [f"b{n}@x.org" for n in range(5)]},
         None),
        # nor an id of what somebody has or does, in whatever form it is made, and though it counts the rows
        ({"Order ID": UUIDS, "device.id": UUIDS, "Session UUID": UUIDS}, None),
        ({"Order ID": [1, 2, 3, 4, 5]}, None),
        # nor what is private, or the name of somebody, or feeds another field by its name
        ({"API token": UUIDS, "PIN": [1, 2, 3, 4, 5], "Ehepartner": ["A", "B", "C", "D", "E"]}, None),
        ({"tags": UUIDS, "statusMessage": [f"a{n}@x.org" for n in range(5)], "metadata.ref": UUIDS}, None),
    ],
)  # fmt: skip
def test_the_uid_is_what_tells_people_apart(tmp_path: Path, columns: dict[str, list[Any]], expected: Any) -> None:
    """An id, else a log-in, else an address; unique, there in nearly every row, and legal or made so."""
    proposal = proposed(tmp_path, **columns)
    assert value(proposal, "uid") == expected
    assert [question.field for question in proposal.questions] == ([] if expected else ["uid"])


@pytest.mark.parametrize(
    ("column", "cells", "others", "why"),
    [
        ("Nr.", ["EXT-1", "EXT-2", "EXT-2", "EXT-4", "EXT-5"], ("Nr.",), "a number, which is not called an id"),
        ("Lfd. Nr.", ["00017", "00018", "00019", "00020", "00021"], ("Lfd. Nr.",),
         "a number, which is not called an id"),
        ("Nr.", [1, 2, 3, 4, 5], (), "it counts the rows"),
        ("#", [1, 1, 1, 2, 2], (), "a number, which is not called an id"),
    ],
)  # fmt: skip
def test_a_number_that_may_be_an_id_stands_beside_the_address(
    tmp_path: Path, column: str, cells: list[Any], others: tuple[str, ...], why: str
) -> None:
    """It is for a person to choose; that it counts the rows is said where the cells do."""
    columns: dict[str, list[Any]] = {column: cells, "E-Mail": [f"a{n}@x.org" for n in range(5)]}
    proposal = proposed(tmp_path, **columns)
    assert proposal.entries[0].others == others
    assert why_left_out(proposal) == {column: why}


def test_the_address_stands_beside_a_number_that_is_taken(tmp_path: Path) -> None:
    """Nothing says that the number stays with a person."""
    columns: dict[str, list[Any]] = {"Nr.": [17, 4, 5, 23, 9], "E-Mail": [f"a{n}@x.org" for n in range(5)]}
    proposal = proposed(tmp_path, **columns)
    assert proposal.entries[0].others == ({"column": "E-Mail", "encode": "base32", "lower": True},)


@pytest.mark.sampled
@pytest.mark.parametrize(
    "column",
    ["Date of Birth", "Sueldo", "Maaş", "T.C. No", "Versichertennummer", "Geburtstag", "N° de sécurité sociale",
     "NI Number", "PIN", "Bankverbindung", "Initial pw", "保険証番号", "Ehepartner", "Account Number", "Order ID",
     "IBAN", "Annual salary", "パスポート番号", "Дата рождения", "Fecha nac.", "Nr konta", "Telefon", "Passport No."],
)  # fmt: skip
def test_what_is_private_is_no_uid_for_want_of_a_better_one(tmp_path: Path, column: str) -> None:
    """A uid is public and cannot be changed: where nothing is called like an id of a person, a person chooses."""
    for cells in (["1a", "2b", "3c", "4d", "5e"], [2001, 2002, 2003, 2004, 2005], [1, 2, 3, 4, 5]):
        proposal = proposed(tmp_path, **{column: cells})
        if column != "Account Number" or cells != [1, 2, 3, 4, 5]:
            assert [question.field for question in proposal.questions] == ["uid"], cells
            offered = [column] if column == "Account Number" else []
            assert list(proposal.questions[0].columns) == offered


def test_what_could_be_chosen_is_offered_with_a_warning(tmp_path: Path) -> None:
    """Nothing private among it, and no names."""
    proposal = proposed(
        tmp_path,
        Ort=["K", "K", "B", "B", "B"],
        Kürzung=["a", "b", "c", "d", "e"],
        PIN=["1a", "2", "3", "4", "5"],
    )
    assert [(each.field, each.columns) for each in proposal.questions] == [("uid", ("Kürzung", "Ort"))]
    assert proposal.questions[0].reason == (
        "no column is called like an id of a person: take one that everybody may see and that never changes, for a uid "
        "is public and cannot be changed, or add one"
    )


def test_private_keys_of_the_metadata_are_kept_where_others_do_not_see_them(tmp_path: Path) -> None:
    """An address and a number go where they would go by that word, a secret nowhere, and each is sent once."""
    proposal = proposed(
        tmp_path,
        id=[1, 2, 3, 4, 5],
        **{"metadata.email": ["a@x.org"] * 5, "metadata.workPhone": ["1"] * 5, "metadata.home_phone": ["2"] * 5,
           "Metadata.User_Password": ["x"] * 5, "metadata.@private.iban": ["x"] * 5,
           "metadata.@private.mail": ["x"] * 5,
           "metadata.contact": ["a@x.org"] * 5, "metadata.email_verified": ["yes"] * 5, "metadata.team": ["a"] * 5,
           "metadata.name": ["Ann"] * 5, "metadata.id": ["7"] * 5},
    )  # fmt: skip
    assert {entry.key: entry.value for entry in proposal.entries} == {
        "uid": "id", "name": "Full Name", "@private.email": "metadata.email", "@private.phone": "metadata.workPhone",
        "@private.home_phone": "metadata.home_phone", "@private.contact": "metadata.contact",
    }  # fmt: skip
    assert proposal.by_name == (
        "metadata.@private.mail", "metadata.email_verified", "metadata.team", "metadata.name", "metadata.id",
    )  # fmt: skip
    assert proposal.kept_out == (
        "metadata.email", "metadata.workPhone", "metadata.home_phone", "Metadata.User_Password",
        "metadata.@private.iban", "metadata.contact",
    )  # fmt: skip
    secret = "a secret, or too private: it is never sent"
    assert why_left_out(proposal) == {"Metadata.User_Password": secret, "metadata.@private.iban": secret}


def test_no_place_in_the_metadata_is_given_twice(tmp_path: Path) -> None:
    """What stands in `@private` by its name stays there; what can go nowhere else is left out."""
    mails = [f"a{n}@x.org" for n in range(5)]
    proposal = proposed(
        tmp_path, id=[1, 2, 3, 4, 5],
        **{"email": mails, "metadata.@private.email": mails, "metadata.email": mails,
           "metadata.phone": ["1"] * 5, "metadata.phone.home": ["2"] * 5},
    )  # fmt: skip
    assert {entry.key: entry.value for entry in proposal.entries if entry.metadata} == {
        "@private.phone": "metadata.phone"
    }
    another = "another one of its kind, or not filled as such"
    assert why_left_out(proposal) == dict.fromkeys(("email", "metadata.email", "metadata.phone.home"), another)
    assert proposal.kept_out == ("metadata.email", "metadata.phone", "metadata.phone.home")


@pytest.mark.parametrize(
    ("column", "cells", "expected"),
    [
        ("metadata", [{"email": "a@x.org", "more": {"pay": 1}}] * 5, "email, more.pay"),
        ("metadata", ['{"a": [{"phone": 1}]}', "{", "x", "7", None], "a.phone"),
        ("metadata.contact", [{"email": "a@x.org"}] * 5, "email"),
        ("metadata", [{"@private": {"email": "a@x.org"}, "email": "", "team": "a"}] * 5, None),
        ("metadata.@private", [{"email": "a@x.org"}] * 5, None),
    ],
)
def test_objects_that_hold_what_is_private_are_not_shown_to_everybody(
    tmp_path: Path, column: str, cells: list[Any], expected: str | None
) -> None:
    """The keys are named, and what to do; objects that have it in `@private` are taken as they are."""
    proposal = proposed(tmp_path, id=[1, 2, 3, 4, 5], **{column: cells})
    if expected is None:
        assert (proposal.by_name, proposal.kept_out, why_left_out(proposal)) == ((column,), (), {})
        return
    assert (proposal.by_name, proposal.kept_out) == ((), (column,))
    assert why_left_out(proposal) == {
        column: f"everybody in the app would see what its objects hold under {expected}: take it out of the cells, and "
        "the column out of leave_out, to send the rest"
    }


def test_secrets_within_objects_are_kept_out_as_well(tmp_path: Path) -> None:
    """Also of a column that feeds nothing: a line for all others would send it."""
    proposal = proposed(
        tmp_path, id=[1, 2, 3, 4, 5], more=[{"password": "x", "email": "a@x.org"}] * 5, text=['{"iban": "DE1"}'] * 5,
        fine=[{"email": "a@x.org"}] * 5,
    )  # fmt: skip
    assert proposal.kept_out == ("more", "text")
    assert why_left_out(proposal)["more"] == (
        "what its objects hold under password is secret, or too private: take it out of the cells, and the column out "
        "of leave_out, to send the rest"
    )


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"Vorname": ["Ann", "Bob", "Cy", "Di", "Ed"], "Full Name": ["Lee", "Poe", "Roe", "Fox", "Oak"]},
         "{Vorname} {Full Name}"),
        ({"Vorname": ["Ann", "Bob", "Cy", "Di", "Ed"]}, "Full Name"),
        ({"Full Name": ["Ann Lee", None, "Cy Roe", "Di Fox", "Ed Oak"], "First": [None] * 5,
          "First Name": ["Ann", "Bob", "Cy", "Di", "Ed"], "Last Name": ["Lee", "Poe", "Roe", "Fox", "Oak"]},
         ["Full Name", "{First Name} {Last Name}"]),
        ({"Full Name": ["Lee, Ann", "Poe, Bob", "Roe, Cy", "Fox, Di", "Oak, Ed"],
          "First Name": ["Ann", "Bob", "Cy", "Di", "Ed"], "Last Name": ["Lee", "Poe", "Roe", "Fox", "Oak"]},
         "{First Name} {Last Name}"),
        # of somebody else; a name that people have given themselves is one word
        ({"Full Name": ["Ma Lee", "Pa Poe", "Ma Roe", "Pa Fox", "Ma Oak"], "Last Name": ["Hill", "Poe", "Ray",
         "Fey", "Ash"],
          "First Name": ["Ann", "Bob", "Cy", "Di", "Ed"]}, "{First Name} {Last Name}"),
        ({"Full Name": ["Sunny", "Bobster", "CRoe", "Fox", "edward"], "Last Name": ["Hill", "Poe", "Ray", "Fey", "Ash"],
          "First Name": ["Ann", "Bob", "Cy", "Di", "Ed"]}, "Full Name"),
        # what people log in with is none where something else is; nor what a program notes behind it
        ({"Full Name": ["annlee", "bob", "cy.roe", "di-fox", "Ed Oak"], "real_name": NAMES}, "real_name"),
        ({"Full Name": [None] * 5, "name": ["annlee", "bob", "cy.roe", "di-fox", "ed"]}, "name"),
        *(({"Full Name": [*NAMES[:4], noted], "First Name": ["Ann", "Bob", "Cy", "Di", "Ed"],
            "Last Name": ["Lee", "Poe", "Roe", "Fox", "Oak"]}, expected)
          for noted, expected in [("Ed Oak (On Leave)", "{First Name} {Last Name}"), ("Ed Oak (she/her)", "Full Name"),
                                  ("Ed Oak (004711)", "{First Name} {Last Name}"),
                                  ("ed@x.org", "{First Name} {Last Name}")]),
        ({"Full Name": [f"a{n}@x.org" for n in range(5)], "nickname": ["a", "b", "c", "d", "e"]}, "nickname"),
        ({"Full Name": [None] * 5, "First|Name": ["A"] * 5, "surname": ["Lee", "Poe", "Roe", "Fox", "Oak"]}, "surname"),
        ({"Full Name": [None] * 5, "姓": ["山田"] * 5, "名": ["太郎"] * 5}, "{姓} {名}"),
        ({"Full Name": [None] * 5, "이름": ["민준"] * 5, "성": ["김"] * 5}, "{성} {이름}"),
        ({"Full Name": [None] * 5, "Tên": ["An"] * 5, "Họ": ["Lê"] * 5}, "{Họ} {Tên}"),
        ({"Full Name": [None] * 5, "Фамилия": ["Ли"] * 5, "Имя": ["Анна"] * 5}, "{Имя} {Фамилия}"),
        ({"Full Name": [None] * 5, "HO": ["x"] * 5, "First Name": ["Ann"] * 5, "Last Name": ["Lee"] * 5},
         "{First Name} {Last Name}"),
        # numbers of people
        ({"Full Name": [None] * 5, "Mitarbeiter": ["001", "002", "003", "E4", "-"], "Vorname": ["Ann"] * 5,
          "Nachname": ["Lee"] * 5}, "{Vorname} {Nachname}"),
        ({"Full Name": [None] * 5, "Mitarbeiter": [4711, 4712, 4713, 4714, 4715], "Vorname": ["Ann"] * 5}, "Vorname"),
        ({"Full Name": [None] * 5, "Mitarbeiter": ["001", "002", "003", "004", "005"]}, None),
        ({"Full Name": [None] * 5, "Mitarbeiter": [f"{name} (47{n})" for n, name in enumerate(NAMES)]}, "Mitarbeiter"),
        ({"Full Name": [None] * 5, "username": ["a", "b", "c", "d", "e"]}, "username"),
        ({"Full Name": [None] * 5, "username": [f"a{n}@x.org" for n in range(5)]}, None),
        ({"Full Name": [None] * 5}, None),
    ],
)  # fmt: skip
def test_the_name_is_what_people_are_called(tmp_path: Path, columns: dict[str, list[Any]], expected: Any) -> None:
    """Halves are told from whole names by what stands in them; an address is never shown as a name."""
    proposal = proposed(tmp_path, **{"id": [1, 2, 3, 4, 5]} | columns)
    assert value(proposal, "name") == expected
    assert [question.field for question in proposal.questions] == ([] if expected else ["name"])


def test_what_stands_before_a_last_name_is_not_lost_in_silence(tmp_path: Path) -> None:
    """A name with it is offered; where nobody has any there is none to speak of."""
    columns: dict[str, list[Any]] = {
        "id": [1, 2, 3, 4, 5], "Full Name": [None] * 5, "Achternaam": ["Berg", "Poe", "Roe", "Fox", "Oak"],
        "Roepnaam": ["Jan", "Bob", "Cy", "Di", "Ed"], "Tussenvoegsel(s)": ["van der", *[None] * 4],
    }  # fmt: skip
    (entry,) = [each for each in proposed(tmp_path, **columns).entries if each.key == "name"]
    assert (entry.value, entry.others) == (
        "{Roepnaam} {Achternaam}", ("{Roepnaam} {Tussenvoegsel(s)} {Achternaam}",),
    )  # fmt: skip
    assert "'Tussenvoegsel(s)', filled in 1 row, belongs before the last" in entry.reason
    columns["Tussenvoegsel(s)"] = [None] * 5
    (entry,) = [each for each in proposed(tmp_path, **columns).entries if each.key == "name"]
    assert (entry.others, entry.reason) == ((), "first and last name")


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        (["ann@x.org", *NAMES[1:]],
         "; 1 is an e-mail address, which everybody in the app would see: write names there"),
        (["a@x.org", "b@x.org", *NAMES[2:]],
         "; 2 are e-mail addresses, which everybody in the app would see: write names there"),
        (["Ann Lee (Terminated)", *NAMES[1:]], "; 1 with more in brackets, which everybody in the app would see"),
        (NAMES, ""),
    ],
)  # fmt: skip
def test_what_everybody_would_see_beside_names_is_told(tmp_path: Path, cells: list[str], told: str) -> None:
    """An address that some have for a name, and what is noted behind it."""
    columns: dict[str, list[Any]] = {"id": [1, 2, 3, 4, 5], "Full Name": cells}
    proposal = proposed(tmp_path, **columns)
    assert next(entry.reason for entry in proposal.entries if entry.key == "name") == f"the whole name{told}"


@pytest.mark.parametrize(
    "column",
    ["Employee", "Team Member", "Kollege", "Salarié", "Empleado", "Dipendente", "Medewerker", "Student", "社員"],
)
@pytest.mark.parametrize(
    ("cells", "is_name"),
    [
        (["Ann Lee", "Bob Poe", "Cy Roe", "Di Fox", "Ed Oak"], True),
        (["Lee, Ann", "Poe, Bob", "Roe, Cy", "Fox, Di", "Oak, Ed"], True),
        (["山田太郎", "佐藤花子", "鈴木", "高橋", "田中"], True),
        ([f"E-{n}" for n in range(5)], False),
        (["yes", "yes", "no", "yes", "no"], False),
        (["Full Time", "Full Time", "Part Time", "Full Time", "Part Time"], False),
        ([f"a{n}@x.org" for n in range(5)], False),
        ([f"2024-03-0{n}" for n in range(1, 6)], False),
    ],
)
def test_a_word_for_people_is_a_name_where_the_cells_are_names(
    tmp_path: Path, column: str, cells: list[str], is_name: bool
) -> None:
    """Below the same word others have an id, a yes, or a kind of contract."""
    columns: dict[str, list[Any]] = {"Full Name": [None] * 5, "id": [1, 2, 3, 4, 5], column: cells}
    proposal = proposed(tmp_path, **columns)
    assert value(proposal, "name") == (column if is_name else None)


def test_what_cannot_be_names_is_not_offered_as_one(tmp_path: Path) -> None:
    """No dates, no numbers, nothing that many share; where nothing is left, a column is to be added."""
    columns: dict[str, list[Any]] = {
        "Full Name": [None] * 5,
        "id": [1, 2, 3, 4, 5],
        "Department": ["A", "A", "A", "B", "B"],
        "Start Date": ["2024-03-01", "1 May 2020", "3.4.2021", "2019-01-01", "5/6/2007"],
        "Amount": [3, 5, 8, 2, 9],
    }
    (question,) = proposed(tmp_path, **columns).questions
    reason = "no column holds the names that people see in the chat"
    assert (question.reason, question.columns) == (f"{reason}: add one to the file", ())
    (question,) = proposed(tmp_path, **columns, Wer=["Ann", "Bob", "Cy", "Di", "Ed"]).questions
    assert (question.reason, question.columns) == (reason, ("Wer",))


def test_pictures_pages_and_addresses_go_where_they_belong(tmp_path: Path) -> None:
    """`profile_url` is a page or a picture: the cells tell. What is called as a field and is none is taken away."""
    pages, pictures = [f"https://x.org/{n}" for n in range(5)], [f"https://x.org/{n}.png" for n in range(5)]
    page = proposed(tmp_path, id=[1, 2, 3, 4, 5], profile_url=pages, Foto=pictures)
    assert (value(page, "link"), value(page, "avatar")) == ("profile_url", "Foto")
    picture = proposed(tmp_path, id=[1, 2, 3, 4, 5], profile_url=pictures, avatar=[f"{n}.jpg" for n in range(5)])
    assert (value(picture, "link"), value(picture, "avatar")) == (None, "profile_url")
    neither = proposed(tmp_path, id=[1, 2, 3, 4, 5], avatar=[f"{n}.jpg" for n in range(5)])
    assert value(neither, "avatar") == {"value": ""}


def test_what_is_left_out_is_told_with_the_reason(tmp_path: Path) -> None:
    """Nobody has to ask why a column is not there."""
    proposal = proposed(
        tmp_path,
        id=[1, 2, 3, 4, 5], Status=["on", "on", "on", "on", "off"], Password=["x"] * 5, Abteilung=["A"] * 5,
        Custom=[{"a": 1}] * 5, Leer=[None] * 5, role=["admin"] * 5, tags=[["a"]] * 5, Ort=["K"] * 5,
        **{"a{b}": ["x"] * 5, "E-Mail": ["a@x.org"] * 5, "Zweite E-Mail": ["b@x.org"] * 5,
           "Gesperrt (Mensa)": ["ja"] * 5},
    )  # fmt: skip
    assert why_left_out(proposal) == {
        "Status": (
            "it says who is active (on: 4, off: 1); every row becomes a user: take out those who should not, "
            "or take the # before deactivated away"
        ),
        "Password": "a secret, or too private: it is never sent",
        "Abteilung": "everybody in the app would see it: take the # before its line away to send it",
        "Custom": "it holds objects or lists: export what is in them as columns of their own to use it",
        "Leer": "there is nothing in it",
        "role": "a role has to be there in the app first; a map under [columns] says which cell means which role",
        "Ort": "no field of a user is called like it",
        "a{b}": "its name holds a brace: rename it to use it, or write the brace twice under [columns]",
        "Zweite E-Mail": "no field of a user is called like it",
        "Gesperrt (Mensa)": (
            "it may tell who has left, or be about what its brackets name: if it tells who has left, make deactivated "
            "of it under [columns]"
        ),
    }
    assert (value(proposal, "role"), proposal.by_name) == ({"value": "default"}, ("tags",))
    assert [(each.key, each.value) for each in proposal.suggestions] == [("department", "Abteilung")]


@pytest.mark.parametrize("column", ["is_bot", "isBot", "Bot", "profile.is_bot", "is_service_account"])
def test_a_column_that_says_who_is_a_program_is_told(tmp_path: Path, column: str) -> None:
    """For a program becomes a user as people do; a name that only holds the word says nothing."""
    columns: dict[str, list[Any]] = {"id": [1, 2, 3, 4, 5], column: [True, *[False] * 4], "bottle": ["x"] * 5}
    proposal = proposed(tmp_path, **columns)
    assert why_left_out(proposal) == {
        column: "it says who is a program (false: 4, true: 1); every row becomes a user: take the programs out",
        "bottle": "no field of a user is called like it",
    }


def test_the_name_of_the_table_before_all_columns_is_nobodys(tmp_path: Path) -> None:
    """Its columns are taken as they are without it."""
    cells = {"SAP:ID": ["1", "2"], "SAP:Name": ["Ann Lee", "Bob Poe"], "SAP:Email": ["a@x.org", "b@x.org"]}
    path = tmp_path / "r.csv"
    pl.DataFrame(cells).write_csv(path)
    proposal = propose(gather(open_roster(path, RosterOptions(missing=missing_from))), NOW)
    assert {each.key: each.value for each in proposal.entries} == {
        "uid": "SAP:ID", "name": "SAP:Name", "@private.email": "SAP:Email",
    }  # fmt: skip


def test_underscores_are_allowed_where_ids_hold_them(tmp_path: Path) -> None:
    """The API's pages contradict each other, and real apps take them; the config says so."""
    proposal = proposed(tmp_path, user_id=["u_1", "u_2", "u_3", "u_4", "u_5"])
    assert value(proposal, "uid") == "user_id"
    assert proposal.constraints == {
        "uid_allow_underscore": (True, "5 of the ids hold _, of which the API's pages say both: try one first")
    }


def test_a_uid_that_reveals_an_address_is_told(tmp_path: Path) -> None:
    """A run would warn of it, so the proposal says it before, and what hides the address."""
    proposal = proposed(tmp_path, **{"E-Mail": [f"a{n}@x.org" for n in range(5)]})
    assert proposal.entries[0].reason == (
        "e-mail addresses, which no uid can be, so they are encoded; your app has to do the same at log-in. "
        'Others can turn such a uid back into the address: encode = "uuid5" with a namespace hides it'
    )


def test_ids_that_differ_in_case_only_are_told(tmp_path: Path) -> None:
    """The app would take two of them for one person; whoever reads the mapping sees why the ids are encoded."""
    proposal = proposed(tmp_path, user_id=["AbC1", "aBc1", "xY2", "yZ3", "zA4"])
    assert proposal.entries[0].reason == (
        "ids, some of which differ in upper and lower case only, which makes one uid of them, so they are encoded; "
        "your app has to do the same at log-in"
    )
    both = proposed(tmp_path, user_id=["a|B", "a|b", "a|c", "a|d", "a|e"])
    assert both.entries[0].reason == (
        "ids that hold |, which no uid can, some of which differ in upper and lower case only, which makes one uid of "
        "them, so they are encoded; your app has to do the same at log-in"
    )


def test_what_belongs_to_the_company_is_left_out(tmp_path: Path) -> None:
    """Its picture is nobody's avatar, and its address nobody's own."""
    urls, mails = [f"https://x.org/{n}.png" for n in range(5)], [f"a{n}@x.org" for n in range(5)]
    proposal = proposed(
        tmp_path,
        **{"user.id": ["a", "b", "c", "d", "e"], "company.id": ["k"] * 5, "company.name": ["K"] * 5,
           "company.email": mails, "company.photo": urls, "companyPhone": ["1"] * 5, "Team Email": mails},
    )  # fmt: skip
    assert {entry.key: entry.value for entry in proposal.entries} == {"uid": "user.id", "name": "Full Name"}


@pytest.mark.parametrize(
    ("cell", "mend"),
    [
        ("100{}.0", UID_KINDS["numbers with .0"]),
        ("{{6F9619FF-8B86-D011-B42D-00C04FC964F{}}}", UID_KINDS["braces"]),
        ("'a{}'", UID_KINDS["single quotes"]),
        ("\u201ca{}\u201d", UID_KINDS["typographic quotes"]),
        ('="0012{}"', UID_KINDS["formulas"]),
        ("13:3{}", UID_KINDS["times"]),
        ("a\u200b{}", UID_KINDS["invisible characters"]),
        ("1.2{}E+05", f"{WARNINGS['uid.scientific'].meaning}: {WARNINGS['uid.scientific'].mend}"),
    ],
)
def test_damage_is_told_and_never_encoded(tmp_path: Path, cell: str, mend: str) -> None:
    """Whoever mends the file has the ids that the app knows; the words are those of a check."""
    ids = [cell.format(n) for n in range(5)]
    proposal = proposed(tmp_path, **{"Employee ID": ids, "E-Mail": [f"a{n}@x.org" for n in range(5)]})
    assert value(proposal, "uid") == "Employee ID"
    assert proposal.entries[0].reason == (
        f"an id of one person, in every row, no two alike, but to be mended in the roster first (5 cells): {mend}"
    )
    beside = proposed(tmp_path, **{"Employee ID": ids, "Student ID": ["a", "b", "c", "d", "e"]})
    assert value(beside, "uid") == "Student ID"
    assert why_left_out(beside) == {"Employee ID": f"another id, to be mended in the roster first (5 cells): {mend}"}


def test_damage_that_makes_ids_alike_leaves_the_choice_open(tmp_path: Path) -> None:
    """Rounded numbers tell nobody apart: the question says what became of them."""
    proposal = proposed(tmp_path, **{"Employee ID": ["1.23E+05"] * 4 + ["1.24E+05"]})
    scientific = WARNINGS["uid.scientific"]
    assert {each.field: each.reason for each in proposal.questions} == {
        "uid": "no column tells people apart: take one in which no two rows have the same, or add one; 'Employee ID' "
        f"is to be mended in the roster first (5 cells): {scientific.meaning}: {scientific.mend}"
    }


def test_a_few_damaged_ids_among_others_are_told_where_all_are_encoded(tmp_path: Path) -> None:
    """Whoever reads why knows of them; the others are right."""
    proposal = proposed(tmp_path, uid=["a|1", "a|2", "a|3", "a|4", "1000.0"])
    assert value(proposal, "uid") == {"column": "uid", "encode": "base32"}
    assert proposal.entries[0].reason == (
        "ids that hold |., which no uid can, so they are encoded; your app has to do the same at log-in; "
        f"to be mended in the roster first (1 cell): {UID_KINDS['numbers with .0']}"
    )


def test_columns_without_a_name_are_not_passed_over_in_silence(tmp_path: Path) -> None:
    """They are told as left out, by the name that `[columns]` knows them by; an empty one is not worth a word."""
    (path := tmp_path / "r.csv").write_text("uid,name,,,\na,Ann,x,,1\nb,Bob,y,,\n")
    found = gather(open_roster(path, RosterOptions(missing=missing_from)))
    assert list(why_left_out(propose(found, NOW, found.nameless))) == ["_column_3", "_column_5"]

"""Workbooks as people have them, each kind of file in a folder of `tests/rig/data/rosters`: read, told or refused."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import structlog

from provisioner import api
from provisioner.errors import ExitCode, RosterError
from provisioner.roster.workbook.file import open_workbook
from tests.rig.workbooks import by_hand, edited, seen_in, table, text, texts, workbook

ROSTERS = Path(__file__).parents[2] / "rig/data/rosters"


@dataclass(frozen=True)
class Read:
    """What a workbook is read as.

    users    the requests that would be sent, without `withAuthToken`
    rejected code → rows
    warned   code → rows
    told     codes of the notices
    """

    users: tuple[dict[str, Any], ...] = ()
    rejected: dict[str, tuple[int, ...]] = field(default_factory=dict)
    told: tuple[str, ...] = ()
    warned: dict[str, tuple[int, ...]] = field(default_factory=dict)


def user(uid: str, name: str, **more: Any) -> dict[str, Any]:
    """The request for a user."""
    return {"uid": uid, "name": name, **more}


ANN, BOB = user("a1", "Ann"), user("b2", "Bob")
CASES = {
    "workbook-numbers/x-padded": Read((user("00042", "Ann", metadata={"zip": "01234"}), user("7", "Bob"))),
    "workbook-numbers/x-mixed-ids": Read((user("1001", "Ann"), user("1002", "Bob")), {"uid.duplicate": (2, 4)}),
    "workbook-numbers/x-formats": Read(
        (
            user("a1", "Ann", metadata={"share": "0.25", "phone": "447700900123", "salary": "1234.5"}),
            user("b2", "Bob", metadata={"phone": "447700900120", "salary": "1000000000000000"}),
        )
    ),
    "workbook-numbers/x-furigana": Read((user("a1", "山田太郎", statusMessage="Hello bold"),)),
    "workbook-numbers/x-bad-dimension": Read(tuple(user(f"u{number}", f"P {number}") for number in range(5))),
    "workbook-numbers/x-merged-data": Read(
        (user("a1", "Ann", metadata={"dept": "Sales"}), BOB, user("c3", "Cy")), told=("cells.merged",)
    ),
    "workbook-sheets/x-hidden-first": Read((ANN,), told=("sheet.found",)),
    "workbook-sheets/x-cover": Read((ANN,), told=("sheet.found",)),
    "formulas/x-formulas-zero": Read((user("a1", "0"), user("b2", "0"))),
    "formulas/x-formulas-cached": Read((ANN, user("1002", "Bob")), {"uid.missing": (3,)}, ("cells.error",)),
    "hidden-rows/x-hidden-rows": Read(tuple(user(f"u{number}", f"P {number}") for number in range(5))),
    "header-line/x-title": Read(
        (user("a1", "Ann Lee", tags=["red"]), user("b2", "Bob Poe", tags=["blue"])), told=("header.found",)
    ),
    "header-line/x-merged-header": Read((user("a1", "Ann", tags=["red"]),), told=("header.found",)),
    "header-line/x-offset": Read((ANN, BOB)),
    "header-line/x-number-header": Read((ANN,)),
    "empty-rows/x-last-cell": Read((ANN,)),
    "empty-rows/x-trailing-blank": Read((ANN,)),
}
REFUSED = {
    "workbook-sheets/x-empty": "x-empty.xlsx has no header: its sheet is empty; --sheet names another",
    "formulas/x-formulas-uncached": (
        "x-formulas-uncached.xlsx: column 'uid': it holds 2 formulas without a stored value (C2, C3); "
        "open the workbook in Excel and save it"
    ),
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own: results are written beside the roster."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def validated(file: str) -> Read:
    """Check a roster, and give what was found."""
    with structlog.testing.capture_logs() as events:
        summary = api.validate(file, api.settings(environment={}, run={"show": 5}))
    document = summary.document
    users = [each["body"] for each in document.get("shown_requests", [])]
    rejected, warned = (
        {code: tuple(found["first_rows"]) for code, found in document[key].items()} for key in ("defects", "warnings")
    )
    assert summary.exit_code == (ExitCode.ROWS_LEFT if rejected else ExitCode.OK)
    told = [event["event"] for event in events if event["event"].startswith(("sheet.", "header.", "cells."))]
    sent = tuple({key: value for key, value in body.items() if key != "withAuthToken"} for body in users)
    return Read(sent, rejected, tuple(told), warned)


@pytest.mark.sampled
@pytest.mark.parametrize("case", CASES)
def test_a_workbook_is_read_as_its_owner_sees_it(folder: Path, case: str) -> None:
    """The users that would be sent, the rows that are rejected, and what is told of the file."""
    name = shutil.copy(ROSTERS / f"{case}.xlsx", folder)
    found, expected = validated(Path(name).name), CASES[case]
    assert (found.users, found.rejected, found.told) == (expected.users, expected.rejected, expected.told)


@pytest.mark.parametrize("case", REFUSED)
def test_a_workbook_without_what_is_needed_is_refused_with_the_cure(folder: Path, case: str) -> None:
    """Nothing is sent, and the sentence says what to do."""
    name = shutil.copy(ROSTERS / f"{case}.xlsx", folder)
    with pytest.raises(RosterError) as raised:
        validated(Path(name).name)
    assert str(raised.value) == REFUSED[case]


def test_every_workbook_of_the_samples_has_its_case() -> None:
    """Those whose rows are judged by a rule of their own stand with that rule."""
    files = {path.relative_to(ROSTERS).with_suffix("").as_posix() for path in ROSTERS.glob("*/x-*.xlsx")}
    assert files - {"workbook-numbers/x-snowflake"} == {*CASES, *REFUSED}


def test_a_message_about_another_row_names_the_row_of_the_sheet(folder: Path) -> None:
    """Titles and blank rows move the rows, so their number alone leads nowhere."""
    people = [["Staff"], ["uid", "name"], ["a", "A"], [], ["b", "B"], ["b", "C"]]
    workbook(folder, ("S", table(*people)))
    assert validated("r.xlsx").rejected == {"uid.duplicate": (3,)}
    rows = open_workbook(folder / "r.results.check.rejected.xlsx").frame.rows()
    assert rows == [("b", "C", "3", "uid.duplicate: 'b' is the uid of row 2 (sheet row 5) already")]


def test_two_columns_of_one_name_matter_only_when_a_field_is_fed_by_them(folder: Path) -> None:
    """Comments come twice in many exports; nobody knows which of two names is meant."""
    workbook(folder, ("S", table(["uid", "name", "Comment", "Comment"], ["a", "A", "x", "y"])))
    assert validated("r.xlsx").users == (user("a", "A"),)
    workbook(folder, ("S", table(["uid", "name", "name"], ["a", "A", "B"])))
    with pytest.raises(RosterError, match="two columns are named 'name'"):
        validated("r.xlsx")


HARD: list[list[str | None]] = [
    ["Staff list"],
    ["Employee ID", "name", "role", "Note"],
    ["00042", "Ann", "bad role", "=1+1"],
    ["123456789012345678", "Bob", "default", "'=2"],
    ["a b", None, "b r", "two\nlines \x01 _x0041_ 😀"],
    ["007", "Cy", None, "+49 170"],
]


WRONG = "role.charset: ' ' in 'b r', only ASCII letters, digits, - and _ are allowed"


def test_rejected_rows_of_a_workbook_come_back_as_one_and_can_be_mended(folder: Path) -> None:
    """Ids stay text, the wrong cells say why, and what nobody has touched is read as it was; round after round."""
    asked = api.settings(environment={}, columns={"uid": "Employee ID", "metadata": {"n": "Note"}})
    workbook(folder, ("Staff", texts(*HARD)))
    summary = api.validate("r.xlsx", asked)
    file = folder / "r.results.check.rejected.xlsx"
    assert summary.document["outputs"]["rejected"] == file.name
    first = open_workbook(file)
    assert (first.sheet, first.header_row, first.frame.columns[:4]) == ("Rejected rows", 1, HARD[1])
    assert [row[:5] for row in first.frame.rows()] == [
        ("00042", "Ann", "bad role", "=1+1", "1"),
        ("a b", None, "b r", "two\nlines \x01 _x0041_ 😀", "3"),
    ]
    assert seen_in(file).filled == {"C2", "A3", "B3", "C3"}
    edited(file, {"bad role": "default", "a b": "00043"})
    again = api.validate(file.name, asked.model_copy(update={"run": asked.run.model_copy(update={"show": 5})})).document
    assert again["mended"] == {"before": 2, "mended": 1, "rejected": 1}
    assert again["shown_requests"][0]["body"] == {
        "uid": "00042", "name": "Ann", "role": "default", "metadata": {"n": "=1+1"}, "withAuthToken": True,
    }  # fmt: skip
    assert open_workbook(folder / "r.round2.results.check.rejected.xlsx").frame.rows() == [
        (
            "00043", None, "b r", "two\nlines \x01 _x0041_ 😀", "2",
            f"name.missing: no name, one is required; {WRONG}",
        )
    ]  # fmt: skip


def test_a_workbook_that_somebody_mends_is_set_aside_and_not_overwritten(folder: Path) -> None:
    """Saved by a spreadsheet program it is another file; one that nobody has touched is written anew."""
    workbook(folder, ("S", table(["uid", "name"], ["a b", "A"])))
    file = folder / "r.results.check.rejected.xlsx"
    for _ in range(2):
        validated("r.xlsx")
        assert sorted(each.name for each in folder.glob("*.rejected*")) == [file.name]
    edited(file, {"a b": "a-b"})
    mended = file.read_bytes()
    validated("r.xlsx")
    aside = [each for each in folder.glob("*.rejected*") if each != file]
    assert [each.read_bytes() for each in aside] == [mended]


def test_rows_that_a_workbook_has_no_room_for_come_back_as_csv(folder: Path) -> None:
    """They are told, and nothing of them is lost; a workbook of before goes when nobody has touched it."""
    workbook(folder, ("S", table(["uid", "name"], ["a b", "A"])))
    validated("r.xlsx")
    assert (folder / "r.results.check.rejected.xlsx").exists()
    by_hand(folder, f"<row>{text('uid')}{text('name')}</row>", f"<row>{text('a b')}{text('n' * 40_000)}</row>")
    with structlog.testing.capture_logs() as events:
        summary = api.validate("r.xlsx", api.settings(environment={}))
    told = next(event for event in events if event["event"] == "rejected.as_csv")
    assert told["reason"] == "a cell of 40,000 characters is longer than the 32,767 that a workbook has room for"
    assert summary.document["outputs"]["rejected"] == "r.results.check.rejected.csv"
    assert [each.name for each in folder.glob("*.rejected*")] == ["r.results.check.rejected.csv"]
    assert "n" * 40_000 in (folder / "r.results.check.rejected.csv").read_text()


def test_rejected_rows_are_fed_in_with_the_settings_of_the_roster(folder: Path) -> None:
    """Their header is the first row, whichever the roster's was, and their sheet has the roster's name."""
    asked = api.settings(environment={}, run={"header_row": 2, "sheet": "Staff"}, columns={"uid": "Employee ID"})
    workbook(folder, ("Cover", table(["x"])), ("Staff", texts(*HARD)))
    api.validate("r.xlsx", asked)
    (folder / "r.csv").write_text("Staff list\nEmployee ID;name\na b;Ann\nc;Bob\nd e;Cy\n")
    assert api.validate("r.results.check.rejected.xlsx", asked).document["mended"]["before"] == 2
    api.validate("r.csv", asked)
    assert api.validate("r.results.check.rejected.csv", asked).document["mended"] == {
        "before": 2, "mended": 0, "rejected": 2,
    }  # fmt: skip

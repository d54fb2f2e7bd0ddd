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
from tests.rig.workbooks import table, workbook

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
    rows = (folder / "r.results.check.rejected.csv").read_text(encoding="utf-8").splitlines()
    assert rows[1] == "b,C,3,uid.duplicate: 'b' is the uid of row 2 (sheet row 5) already"


def test_two_columns_of_one_name_matter_only_when_a_field_is_fed_by_them(folder: Path) -> None:
    """Comments come twice in many exports; nobody knows which of two names is meant."""
    workbook(folder, ("S", table(["uid", "name", "Comment", "Comment"], ["a", "A", "x", "y"])))
    assert validated("r.xlsx").users == (user("a", "A"),)
    workbook(folder, ("S", table(["uid", "name", "name"], ["a", "A", "B"])))
    with pytest.raises(RosterError, match="two columns are named 'name'"):
        validated("r.xlsx")

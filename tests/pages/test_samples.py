"""The sample rosters are what `samples/README.md` says, and `make_samples.py` writes them anew."""

import csv
import json
import re
import subprocess
import sys
import tomllib
import unicodedata
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from provisioner.roster.workbook.file import open_workbook
from provisioner.roster.workbook.header import SheetOptions
from tests.rig.command import ROOT

SAMPLES = ROOT / "samples"
USER_COLUMNS = [
    *("uid", "name", "avatar", "link", "role", "status_message", "tags", "metadata"),
    *("metadata.department", "metadata.@private.email", "withAuthToken"),
]
REJECTED = (12, 25, 38, 51, 64, 77, 90, 103, 116, 129, 142, 155, 168, 181, 194)
STAFF = SheetOptions("Stammdaten", 4)
AS_TEXT_ONLY = {25: {"metadata"}, 38: {"tags", "withAuthToken"}}


def rows_of(name: str, encoding: str = "utf-8") -> list[dict[str, str]]:
    with (SAMPLES / name).open(encoding=encoding, newline="") as file:
        return list(csv.DictReader(file, strict=True))


@pytest.fixture(scope="module")
def users() -> list[dict[str, str]]:
    return rows_of("users.csv")


@pytest.fixture(scope="module")
def typed() -> list[dict[str, Any]]:
    return pl.read_parquet(SAMPLES / "users.parquet").rows(named=True)


@pytest.fixture(scope="module")
def valid(users: list[dict[str, str]]) -> list[dict[str, str]]:
    return [user for row, user in enumerate(users, start=1) if row not in REJECTED]


def as_typed(user: dict[str, str]) -> dict[str, Any]:
    """A row of users.csv as users.parquet should hold it, null members of metadata left out."""
    tags, token = user["tags"], user["withAuthToken"].lower()
    return {
        **{column: user[column] or None for column in USER_COLUMNS},
        "tags": (json.loads(tags) if tags.startswith("[") else tags.split(";")) if tags else None,
        "metadata": json.loads(user["metadata"]),
        "withAuthToken": token in ("true", "yes", "1", "t") if token else None,
    }


def without_null_members(user: dict[str, Any]) -> dict[str, Any]:
    return {**user, "metadata": {name: value for name, value in user["metadata"].items() if value is not None}}


def without(columns: set[str], user: dict[str, Any]) -> dict[str, Any]:
    return {column: value for column, value in user.items() if column not in columns}


@pytest.mark.slow
def test_the_generator_writes_the_committed_files_anew(tmp_path: Path) -> None:
    """The text files come out the same to the byte, the Parquet file and the workbooks the same to the cell."""
    subprocess.run([sys.executable, SAMPLES / "make_samples.py", "-o", tmp_path], check=True)

    nights = [f"nights/{night}.csv" for night in ("friday", "monday", "thursday", "tuesday", "wednesday")]
    written = sorted(str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*.*"))
    workbooks = {"people.mended.xlsx": SheetOptions("rejected"), "people.xlsx": STAFF}
    assert written == ["hr_export.csv", *nights, *workbooks, "users.csv", "users.parquet"]
    for name in ("users.csv", "hr_export.csv", *nights):
        assert (tmp_path / name).read_bytes() == (SAMPLES / name).read_bytes()
    assert_frame_equal(pl.read_parquet(tmp_path / "users.parquet"), pl.read_parquet(SAMPLES / "users.parquet"))
    for name, options in workbooks.items():
        anew, kept = (open_workbook(folder / name, options) for folder in (tmp_path, SAMPLES))
        assert_frame_equal(anew.frame, kept.frame)


def test_the_sheet_of_people_is_as_personnel_offices_make_them() -> None:
    """A title, a heading of two rows, numbers padded by their format; its mended rows are those that come back."""
    sheet = open_workbook(SAMPLES / "people.xlsx", STAFF)
    numbers = sheet.frame["Personal-Nr."].drop_nulls()
    assert (sheet.frame.height, numbers.str.contains(r"^0\d{4}$").sum(), sheet.frame.width) == (62, 56, 10)
    mended = open_workbook(SAMPLES / "people.mended.xlsx", SheetOptions("rejected"))
    assert mended.columns == (*sheet.columns, "_row", "_errors")
    assert mended.frame["Personal-Nr."].n_unique() == mended.frame.height == 13


def test_users_csv_holds_200_whole_rows(users: list[dict[str, str]]) -> None:
    """Every row has every column, line ends inside of cells notwithstanding."""
    assert len(users) == 200
    assert {tuple(user) for user in users} == {tuple(USER_COLUMNS)}
    assert all(None not in user.values() for user in users)


def test_the_valid_users_have_uids_of_their_own(valid: list[dict[str, str]]) -> None:
    """A valid uid is unique after trimming and lower-casing, and holds letters, digits and dashes only."""
    uids = [user["uid"].strip().lower() for user in valid]

    assert len(set(uids)) == len(uids) == 185
    assert [uid for uid in uids if not re.fullmatch(r"[a-z0-9-]{1,100}", uid)] == []
    assert any(uid.startswith("0") for uid in uids)


def test_a_fresh_app_knows_the_roles_of_the_valid_users(valid: list[dict[str, str]]) -> None:
    """Nobody but the broken row asks for a role that a new app does not have."""
    assert {user["role"].lower() for user in valid} == {"", "default"}


def test_every_address_is_on_example_com(users: list[dict[str, str]]) -> None:
    """A trial run can reach nobody: no host and no mailbox belongs to anyone."""
    sheet = open_workbook(SAMPLES / "people.xlsx", STAFF).frame.rows()
    text = json.dumps([users, rows_of("hr_export.csv", "utf-8-sig"), sheet])

    hosts = set(re.findall(r"https?://([^/\"]+)", text, re.IGNORECASE)) | set(re.findall(r"@([\w.]+)", text))
    assert hosts - {"private.email"} == {
        "example.com",
        "cdn.example.com",
        "people.example.com",
    }


def test_the_text_is_hard_on_careless_programs(valid: list[dict[str, str]]) -> None:
    """Scripts, emoji of several parts, combining marks, line ends and quotes are all among the valid rows."""
    text = "".join("".join(user.values()) for user in valid)
    scripts = {unicodedata.name(letter).split()[0] for letter in text if unicodedata.category(letter) == "Lo"}

    assert scripts >= {"ARABIC", "BENGALI", "CJK", "DEVANAGARI", "HANGUL", "HEBREW", "HIRAGANA", "TAMIL", "THAI"}
    for part in ("👨\u200d👩\u200d👧\u200d👦", "🏳\ufe0f\u200d🌈", "👍🏽", "🇳🇴", "e\u0301", "\r\n", "\n", '"', "\u00a0"):
        assert part in text


def test_edges_of_the_rules_are_among_the_valid_users(valid: list[dict[str, str]]) -> None:
    """The longest uid, the longest name and the most tags are there, and not one more."""
    assert max(len(user["uid"].strip()) for user in valid) == 100
    assert max(len(user["name"].strip()) for user in valid) == 100
    assert max(len(as_typed(user)["tags"] or ()) for user in valid) == 25


def test_both_forms_of_tags_and_all_spellings_of_booleans_occur(users: list[dict[str, str]]) -> None:
    """Tags come as text and as JSON; tokens are asked for and refused in several spellings."""
    assert {user["tags"][:1] == "[" for user in users} == {True, False}
    assert {user["withAuthToken"] for user in users} == {
        *("", "true", "yes", "1", "T", "no", "0", "f", "False", "later")
    }


def test_the_parquet_file_holds_the_same_people(users: list[dict[str, str]], typed: list[dict[str, Any]]) -> None:
    """Cell for cell, but for the three cells that are no list, no object and no boolean."""
    assert len(typed) == len(users)
    for row, (user, other) in enumerate(zip(users, typed, strict=True), start=1):
        left_out = AS_TEXT_ONLY.get(row, set())
        expected = as_typed(user | dict.fromkeys(left_out, "{}"))
        actual = without_null_members(other)
        assert without(left_out, expected) == without(left_out, actual)


def test_the_parquet_file_has_types() -> None:
    """Tags are lists, metadata is a struct, a token is a boolean, the rest is text."""
    schema = pl.read_parquet_schema(SAMPLES / "users.parquet")

    assert {name: kind.base_type() for name, kind in schema.items() if kind != pl.String()} == {
        "tags": pl.List,
        "metadata": pl.Struct,
        "withAuthToken": pl.Boolean,
    }


def test_the_readme_lists_the_rows_that_are_rejected() -> None:
    """The table names each broken row, and each defect code once."""
    table = re.findall(r"^\| (\d+) \| (.*) \|$", (SAMPLES / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    codes = [code for _, text in table for code in re.findall(r"`([a-z_]+\.[a-z_]+)`", text)]

    assert tuple(int(row) for row, _ in table) == REJECTED
    assert len(codes) == len(set(codes)) == 18


def test_the_hr_export_is_a_spreadsheet_export() -> None:
    """It has 60 people, a byte order mark and Windows line ends, as spreadsheets write them."""
    text = (SAMPLES / "hr_export.csv").read_bytes()
    people = rows_of("hr_export.csv", "utf-8-sig")

    assert text.startswith(b"\xef\xbb\xbf")
    assert text.count(b"\n") == text.count(b"\r\n") == 61
    assert len({person["employee_id"] for person in people}) == len(people) == 60
    assert len({person["work_email"] for person in people}) == 60
    assert [person["first_name"] for person in people if not person["last_name"]] == ["Concepción"]


def test_the_hr_configuration_maps_columns_that_are_there() -> None:
    """A column, a template, a constant and metadata: all of them name columns of the export."""
    columns = tomllib.loads((SAMPLES / "hr_export.toml").read_text(encoding="utf-8"))["columns"]
    header = set(rows_of("hr_export.csv", "utf-8-sig")[0])
    metadata = columns.pop("metadata")
    sources = [value for name, value in columns.items() if isinstance(value, str) and name != "tags_separator"]
    named = {name for value in sources for name in re.findall(r"{(\w+)}", value) or [value]}

    assert columns["role"] == {"value": "default"}
    assert named | set(metadata.values()) == header - {"manager_id"}

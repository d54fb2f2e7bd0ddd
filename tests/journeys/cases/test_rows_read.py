"""What happens to a row once it is read: who is sent, what is rejected or warned of, and how it is to be mended."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.rig.cases import SAMPLES, document, sent

Rows = dict[str, list[int]]

ONE_ERROR, FINE = 1, 0

# File → options, exit code, code → first rows of the defects and of the warnings.
CASES: dict[str, tuple[dict[str, Any], int, Rows, Rows]] = {
    "header-again/repeated-header.csv": ({}, ONE_ERROR, {"row.header_again": [3]}, {}),
    "not-a-person/sqlcmd-dashes.csv": ({}, FINE, {}, {"row.not_a_person": [1]}),
    "not-a-person/footer-total.csv": ({}, FINE, {}, {"row.not_a_person": [3]}),
    "not-a-person/markdown.txt": ({}, FINE, {}, {"row.not_a_person": [1]}),
    "not-a-person/footer-rows-affected.csv": ({}, ONE_ERROR, {"name.missing": [3], "uid.charset": [3]}, {}),
    "invisible/zw-uid.csv": ({}, FINE, {}, {}),
    "invisible/zw-header.csv": ({}, FINE, {}, {}),
    "invisible/nbsp.csv": ({}, ONE_ERROR, {"uid.charset": [2, 3]}, {}),
    "invisible/rtl.csv": ({}, FINE, {}, {}),
    "invisible/nul-cell.csv": ({}, ONE_ERROR, {"uid.charset": [1]}, {"name.control_characters": [2]}),
    "invisible/control-chars.csv": ({}, FINE, {}, {"name.control_characters": [1, 2]}),
    "not-text/types.ndjson": (
        {}, ONE_ERROR, {"name.not_text": [3, 4, 5], "tags.not_a_list": [2, 3], "uid.charset": [2]}, {},
    ),
    "uid-forms/date-ids.csv": ({}, FINE, {}, {"uid.looks_like_a_date": [1, 2, 3, 5]}),
    "uid-forms/dup-first-bad.csv": ({}, ONE_ERROR, {"name.missing": [1], "uid.duplicate": [2]}, {}),
    "null-words/null-words.csv": ({}, FINE, {}, {"value.placeholder": [2, 3, 4, 6]}),
    "null-words/mysql-null.tsv": ({}, FINE, {}, {}),
    "uid-words/null-uid.csv": ({}, ONE_ERROR, {"uid.placeholder": [1, 3, 4, 5, 6]}, {}),
    "lists/pg-array.csv": ({}, FINE, {}, {}),
    "mojibake/mojibake.csv": ({}, FINE, {}, {"name.mojibake": [1, 2, 3]}),
    "mojibake/replacement-char.csv": ({}, FINE, {}, {"name.mojibake": [1, 2, 3]}),
    "mojibake/html-entities.csv": ({}, FINE, {}, {"name.mojibake": [1, 2]}),
    "mojibake/utf8-latin.csv": ({"encoding": "cp1252"}, FINE, {}, {"name.mojibake": [1, 2]}),
    "mojibake/cp1251.csv": ({"encoding": "cp1252"}, FINE, {}, {"name.mojibake": [1, 2]}),
    "odd-values/avatar-odd.csv": ({}, ONE_ERROR, {"avatar.not_a_url": [1, 2, 3, 5, 6]}, {}),
    "odd-values/formula.csv": ({}, ONE_ERROR, {"uid.charset": [3]}, {}),
}  # fmt: skip

# File → the code, and what is said of how to mend it.
MENDED = {
    "uid-forms/float-ids.csv": ("uid.charset", "numbers with .0: write them as text"),
    "uid-forms/email-uid.csv": ("uid.charset", "encode"),
    "uid-forms/guid-braces.csv": ("uid.charset", "leave out the braces"),
    "uid-forms/excel-formula-text.csv": ("uid.charset", "write 00123"),
    "quotes/single-quotes-header-plain.csv": ("uid.charset", "single quotes"),
    "quotes/smart-quote-wrapped.csv": ("uid.charset", "typographic"),
    "lists/python-list.csv": ("tags.not_a_list", "JSON"),
    "lists/python-dict.csv": ("metadata.not_an_object", "double quotes, true, false and null"),
    "lists/smart-quotes.csv": ("metadata.not_an_object", "straight quotes"),
    "lists/json-in-json.csv": ("metadata.not_an_object", "JSON in a JSON string"),
    "tags-not-split/tags-pipe.csv": ("tags.not_split", 'tags_separator = "|"'),
    "tags-not-split/tags-newline.csv": ("tags.not_split", "line end"),
    "null-words/null-words.csv": (
        "value.placeholder", "statusMessage (4 cells), tags (3 cells), metadata.dept (3 cells)",
    ),
}  # fmt: skip


def rows_by_code(found: dict[str, Any], key: str) -> Rows:
    return {code: each["first_rows"] for code, each in found[key].items()}


@pytest.mark.sampled
@pytest.mark.parametrize("name", CASES)
def test_each_sample_has_the_defects_and_warnings_it_should(tmp_path: Path, name: str) -> None:
    """And no others; the exit code is that of the defects alone."""
    run, exit_code, defects, warnings = CASES[name]
    found = document(SAMPLES / name, tmp_path, run=run)
    assert (found["exit_code"], rows_by_code(found, "defects"), rows_by_code(found, "warnings")) == (
        exit_code,
        defects,
        warnings,
    )


@pytest.mark.sampled
@pytest.mark.parametrize("name", MENDED)
def test_how_to_mend_is_said_of_what_is_there(tmp_path: Path, name: str) -> None:
    """By its true cause, once for the whole column."""
    code, expected = MENDED[name]
    found = document(SAMPLES / name, tmp_path)
    assert expected in {**found["defects"], **found["warnings"]}[code]["mend"]


@pytest.mark.sampled
@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case[3]])
def test_strict_rejects_what_is_warned_of(tmp_path: Path, name: str) -> None:
    """With the code of the warning."""
    run, _, _, warnings = CASES[name]
    found = document(SAMPLES / name, tmp_path, run={**run, "strict": True})
    assert found["exit_code"] == ONE_ERROR
    assert {code: found["defects"][code]["first_rows"] for code in warnings} == warnings


def test_who_is_sent(tmp_path: Path) -> None:
    """Missing values are left out, arrays are tags, marks around names are gone and joiners within them stay."""
    people = sent(document(SAMPLES / "null-words/null-words.csv", tmp_path))
    assert [people[0], people[4]] == [{"uid": "a1", "name": "Ann"}, {"uid": "a5", "name": "Ed"}]
    assert people[6] == {
        "uid": "a7", "name": "Gus", "statusMessage": "-", "tags": ["-"], "metadata": {"dept": "-"},
    }  # fmt: skip
    assert sent(document(SAMPLES / "null-words/mysql-null.tsv", tmp_path))[0] == {"uid": "a1", "name": "Ann Lee"}
    arrays = sent(document(SAMPLES / "lists/pg-array.csv", tmp_path))
    assert [user.get("tags") for user in arrays] == [["red", "blue"], None, ["red"], ["big boss", "blue"]]
    names = [user["name"] for user in sent(document(SAMPLES / "invisible/rtl.csv", tmp_path))]
    assert [len(names[0]), len(names[1]), names[3].count("\u200d")] == [4, 5, 3]
    first = sent(document(SAMPLES / "not-text/types.ndjson", tmp_path))
    assert first == [{"uid": "1001", "name": "Ann", "metadata": {"a": 1}, "tags": ["red", "blue"]}]


def test_a_night_without_departments_takes_them_away(tmp_path: Path) -> None:
    """NULL is no department."""
    night = sent(document(SAMPLES / "null-words/sync-night2-null.csv", tmp_path))
    assert [user.keys() for user in night] == [{"uid", "name"}] * 50


def test_the_second_of_two_says_that_the_first_is_rejected_too(tmp_path: Path) -> None:
    """Nobody has to guess why neither was sent."""
    shutil.copy(SAMPLES / "uid-forms/dup-first-bad.csv", tmp_path / "r.csv")
    found = document(tmp_path / "r.csv", tmp_path)
    rejected = Path(found["outputs"]["rejected"]).read_text(encoding="utf-8")
    assert "is the uid of row 1" in rejected
    assert "already, which is rejected too" in rejected


@pytest.mark.sampled
@pytest.mark.parametrize("write", ["csv", "tsv", "ndjson", "csv.gz"])
@pytest.mark.parametrize("at", [0, 7_000, 29_999])
def test_wherever_such_rows_stand_and_whatever_the_format(tmp_path: Path, write: str, at: int) -> None:
    """The first, the last, and one far behind the first block."""
    rows = [{"uid": f"u{number}", "name": f"Person {number} of many", "dept": "x" * 30} for number in range(30_000)]
    odd = [
        {"uid": "uid", "name": "name", "dept": "dept"}, {"uid": "Total", "name": "30,000", "dept": ""},
        {"uid": "--", "name": "----", "dept": "-"}, {"uid": "NULL", "name": "Zo\u00c3\u00ab", "dept": "NULL"},
    ]  # fmt: skip
    rows[at:at] = odd
    delimiter = "\t" if write == "tsv" else "|"
    if write == "ndjson":
        text = "".join(f"{json.dumps({key: cell for key, cell in row.items() if cell})}\n" for row in rows)
    else:
        text = "".join(f"{delimiter.join(cells)}\n" for cells in [tuple(rows[0]), *(row.values() for row in rows)])
    path = tmp_path / f"r.{write}"
    path.write_bytes(gzip.compress(text.encode()) if write == "csv.gz" else text.encode())
    found = document(path, tmp_path)
    assert rows_by_code(found, "defects") == {"row.header_again": [at + 1], "uid.placeholder": [at + 4]}
    assert rows_by_code(found, "warnings") == {"row.not_a_person": [at + 2, at + 3], "name.mojibake": [at + 4]}

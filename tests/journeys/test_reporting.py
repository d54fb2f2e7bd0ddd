"""What a person and a program are told of a roster, end to end: the real command on real files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from provisioner.validation.constraints import DEFECTS
from provisioner.validation.warnings import WARNINGS
from tests.rig.command import Finished, people, provisioner, rows, write_roster

MIXED = [
    {"uid": "a", "name": "Ann"},
    {"uid": "b b", "name": ""},
    {"uid": "c", "name": "N/A"},
    {"uid": "d d", "name": "Dee"},
]


def validate(folder: Path, *arguments: object) -> Finished:
    """Validate with the outputs of the folder."""
    return provisioner("validate", *arguments, "-o", "r.csv", cwd=folder)


def filed(folder: Path) -> dict[str, Any]:
    """The summary file."""
    document: dict[str, Any] = json.loads((folder / "r.check.summary.json").read_text())
    return document


def advised(code: str, *first_rows: int) -> dict[str, Any]:
    """What the summary says of a code that was found in those rows."""
    advice = {**DEFECTS, **WARNINGS}[code]
    return {"rows": len(first_rows), "first_rows": list(first_rows), "mend": advice.mend}


def test_machines_get_every_code_with_its_rows_and_how_to_mend_it(tmp_path: Path) -> None:
    """Beside the counts, which stay as they were; stdout and the file say the same."""
    ended = validate(tmp_path, write_roster(tmp_path / "staff.csv", MIXED), "--json")
    assert (ended.exit_code, ended.summary) == (1, filed(tmp_path))
    assert ended.summary["rejected_by_code"] == {"name.missing": 1, "uid.charset": 2}
    assert ended.summary["defects"] == {
        "name.missing": advised("name.missing", 2),
        "uid.charset": advised("uid.charset", 2, 4),
    }
    assert ended.summary["warnings"] == {"name.placeholder": advised("name.placeholder", 3)}
    assert {"mended", "files", "constraints_overridden", "shown_requests"} & set(ended.summary) == set()


def test_people_get_a_table_at_the_end(tmp_path: Path) -> None:
    """Which rows, and what to do about them; a warning says that it is one. In 100 columns, without a terminal."""
    roster = write_roster(tmp_path / "staff.csv", MIXED)
    for command in (("validate",), ("run", "--dry-run")):
        lines = provisioner(*command, roster, "-o", "r.csv", cwd=tmp_path).stdout.splitlines()
        assert max(map(len, lines)) <= 100
        table = lines[lines.index("") + 1 :]
        assert [line.split("  ")[0].split(" ")[-1] for line in table if not line.startswith(" ")] == [
            "code",
            "uid.charset",
            "name.missing",
            "name.placeholder",
        ]
        assert [line.split()[2:5] for line in table if line.startswith("uid.charset")] == [["2,", "4", "(lines"]]


def test_a_mended_file_says_how_many_rows_are_mended(tmp_path: Path) -> None:
    """The rejected file, mended in part and fed in: what became of its rows, in words and in numbers."""
    validate(tmp_path, write_roster(tmp_path / "staff.csv", MIXED))
    first, second = rows(tmp_path / "r.check.rejected.csv")
    mended = write_roster(tmp_path / "mended.csv", [first, {**second, "uid": "d-d"}])
    ended = validate(tmp_path, mended)
    assert ended.exit_code == 1
    assert "1 of 2 rows mended; 1 is still rejected" in ended.stdout.splitlines()
    assert filed(tmp_path)["mended"] == {"before": 2, "mended": 1, "rejected": 1}


@pytest.mark.slow
def test_the_first_requests_are_shown_as_they_would_be_sent(tmp_path: Path) -> None:
    """`--show`: valid rows only, the token where it is asked for, and nothing of it in the file."""
    told = [{**each, "withAuthToken": word} for each, word in zip(MIXED, ("", "", "no", ""), strict=True)]
    roster = write_roster(tmp_path / "staff.csv", told)
    bodies = ['{"uid":"a","name":"Ann","withAuthToken":true}', '{"uid":"c","name":"N/A"}']
    assert validate(tmp_path, roster, "--show", 5).stdout.splitlines()[:6] == [
        "POST /users  row 1",
        bodies[0],
        "POST /users  row 3",
        bodies[1],
        "",
        "4  rows",
    ]
    shown = validate(tmp_path, roster, "--show", 1, "--json").summary["shown_requests"]
    assert shown == [{"row": 1, "method": "POST", "path": "/users", "body": json.loads(bodies[0])}]
    assert "shown_requests" not in filed(tmp_path)
    assert "POST" not in validate(tmp_path, roster).stdout


def test_warnings_alone_are_no_failure_unless_strict(tmp_path: Path) -> None:
    """Exit 0 and no rejected file; with `--strict` the same code is a defect."""
    roster = write_roster(tmp_path / "staff.csv", [MIXED[0], MIXED[2]])
    ended = validate(tmp_path, roster, "--json")
    assert (ended.exit_code, ended.summary["rejected"], list(ended.summary["warnings"])) == (0, 0, ["name.placeholder"])
    strict = validate(tmp_path, roster, "--json", "--strict")
    assert (strict.exit_code, strict.summary["rejected"]) == (1, 1)
    assert (strict.summary["defects"], strict.summary["warnings"]) == (
        {"name.placeholder": advised("name.placeholder", 2)},
        {},
    )


@pytest.mark.slow
def test_whole_file_warnings_are_looked_for_where_nothing_waits(tmp_path: Path) -> None:
    """Twins cost a pass: `validate`, `--dry-run` and `--strict` take it, an ordinary run begins at once."""
    roster = write_roster(tmp_path / "staff.csv", [{"uid": "a", "name": "José"}, {"uid": "b", "name": "JOSÉ"}])
    found = {}
    for name, command in {
        "validate": ("validate",),
        "dry": ("run", "--dry-run"),
        "run": ("run", "--emulator"),
        "strict": ("run", "--emulator", "--strict"),
    }.items():
        summary = provisioner(*command, roster, "--json", "-o", f"{name}.csv", cwd=tmp_path).summary
        found[name] = (list(summary["defects"]), list(summary["warnings"]))
    assert found == {
        "validate": ([], ["name.twin"]),
        "dry": ([], ["name.twin"]),
        "run": ([], []),
        "strict": (["name.twin"], []),
    }


@pytest.mark.slow
def test_a_run_logs_its_warnings_in_one_line(tmp_path: Path) -> None:
    """For whoever reads the log and not the table; with `--json` the summary says it."""
    roster = write_roster(tmp_path / "staff.csv", [MIXED[0], MIXED[2]])
    ended = provisioner("run", roster, "--emulator", "-o", "r.csv", cwd=tmp_path)
    assert [event["rows_by_code"] for event in ended.events("roster.warned")] == [{"name.placeholder": 1}]
    again = provisioner("run", roster, "--emulator", "-o", "r.csv", "--json", cwd=tmp_path)
    assert (again.exit_code, again.events("roster.warned")) == (0, [])
    assert again.summary["warnings"] == {"name.placeholder": advised("name.placeholder", 2)}


def test_limits_that_the_config_changes_are_told(tmp_path: Path) -> None:
    """So that nobody wonders why a row is rejected here and not there."""
    (tmp_path / "provisioner.toml").write_text("[constraints]\nname_max_length = 5\ntags_max = 25\n")
    ended = validate(tmp_path, write_roster(tmp_path / "staff.csv", people(1)))
    assert ended.exit_code == 1
    said = "limits that the config overrides: name_max_length (5 characters, documented 100 characters)"
    assert said in ended.stdout.splitlines()
    assert filed(tmp_path)["constraints_overridden"] == {"name_max_length": 5}


def test_a_row_of_several_files_can_be_traced_to_its_file(tmp_path: Path) -> None:
    """Row numbers run on; the summary says where each file begins."""
    one = write_roster(tmp_path / "one.csv", people(2))
    other = write_roster(tmp_path / "other.csv", [{"uid": "b b", "name": "B"}])
    ended = validate(tmp_path, one, other)
    assert filed(tmp_path)["files"] == [
        {"name": str(one), "first_row": 1, "rows": 2},
        {"name": str(other), "first_row": 3, "rows": 1},
    ]
    assert filed(tmp_path)["defects"] == {"uid.charset": advised("uid.charset", 3)}
    assert [line.split(":")[0] for line in ended.stdout.splitlines() if line.startswith("row")] == [
        "rows 1 to 2",
        "row 3",
    ]


def test_rejected_rows_of_another_encoding_come_back_and_are_fed_in_with_the_same_settings(tmp_path: Path) -> None:
    """As UTF-8 that says so: no letter changes on the way, whatever `--encoding` says both times."""
    (tmp_path / "users.csv").write_bytes("uid,name\na b,Zo\u00eb\n".encode("cp1252"))
    first = provisioner("validate", "users.csv", "--encoding", "cp1252", "-o", "r.csv", cwd=tmp_path)
    again = provisioner("validate", "r.check.rejected.csv", "--encoding", "cp1252", "-o", "s.csv", cwd=tmp_path)
    assert (first.exit_code, again.exit_code) == (1, 1)
    assert (tmp_path / "s.check.rejected.csv").read_bytes() == (tmp_path / "r.check.rejected.csv").read_bytes()
    assert "a b,Zo\u00eb," in (tmp_path / "r.check.rejected.csv").read_text(encoding="utf-8-sig")

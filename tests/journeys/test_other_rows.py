"""Another sheet, another query, fewer files of a pattern: another roster under the same name, and nothing is lost."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.rig.command import KEY, Finished, RunningEmulator, emulator, provisioner, rows, write_roster
from tests.rig.workbooks import texts, workbook

pytestmark = pytest.mark.process

BERLIN = texts(["uid", "name"], ["s1", "Ann Berlin"], ["s2", ""])
MUNICH = texts(["uid", "name"], ["s1", "Max Munich"], ["s3", "Mia"])
QUERIES = {
    city: (
        "--query",
        f"SELECT uid, name FROM staff WHERE city = '{city}' ORDER BY uid",
        "--database",
        "sqlite:///hr.db",
    )
    for city in ("Berlin", "Munich")
}
ENDINGS = ("csv", "rejected.xlsx", "summary.json", "journal.db")


@pytest.fixture
def app(tmp_path: Path) -> Iterator[RunningEmulator]:
    """An app in which nobody is yet."""
    with emulator(tmp_path) as running:
        yield running


@pytest.fixture(autouse=True)
def here(tmp_path: Path) -> Path:
    """A workbook of two sheets, a database of two teams, and a folder of two parts."""
    workbook(tmp_path, ("Berlin", BERLIN), ("Munich", MUNICH), name="staff.xlsx")
    with closing(sqlite3.connect(tmp_path / "hr.db")) as database, database:
        database.execute("CREATE TABLE staff (uid TEXT, name TEXT, city TEXT)")
        people = [("s1", "Ann Berlin"), ("s2", "")], [("s1", "Max Munich"), ("s3", "Mia")]
        for city, team in zip(QUERIES, people, strict=True):
            database.executemany(f"INSERT INTO staff VALUES (?, ?, '{city}')", team)
    (tmp_path / "parts").mkdir()
    for part in "ab":
        write_roster(
            tmp_path / f"parts/{part}.csv", [{"uid": f"{part}1", "name": "N"}, {"uid": f"{part}2", "name": ""}]
        )
    return tmp_path


def run(app: RunningEmulator, here: Path, *arguments: str) -> Finished:
    """Run the command against the app."""
    return provisioner("run", *arguments, "--json", *app.flags(), cwd=here, COMETCHAT_API_KEY=KEY)


def fates(path: Path) -> dict[str, str]:
    """Uid → outcome, by the results."""
    return {row["uid"]: row["outcome"] for row in rows(path)}


def kept(ended: Finished, here: Path) -> tuple[list[str], list[bytes]]:
    """Say why files were set aside, and what is in them: results, rejected rows, summary and journal."""
    (told,), (journal,) = ended.events("results.set_aside"), ended.events("journal.set_aside")
    names = [*told["kept_as"], journal["kept_as"]]
    return [told["reason"], journal["reason"]], [(here / name).read_bytes() for name in names]


@pytest.mark.slow
def test_another_sheet_is_another_roster(app: RunningEmulator, here: Path) -> None:
    """Nobody is taken for edited, nobody gets another's token; all four files of the first one are kept."""
    first = run(app, here, "staff.xlsx")
    assert (first.exit_code, first.summary["created"], first.summary["rejected"]) == (1, 1, 1)
    files = [(here / f"staff.results.{ending}").read_bytes() for ending in ENDINGS]
    second = run(app, here, "staff.xlsx", "--sheet", "Munich")
    whose = f"sheet 'Berlin' of {here / 'staff.xlsx'}"
    assert kept(second, here) == (
        [f"they belong to another roster, {whose}", f"it belongs to another roster, {whose}"],
        files,
    )
    assert (second.exit_code, second.summary["edited"]) == (0, 0)
    assert fates(here / "staff.results.csv") == {"s1": "existing", "s3": "created"}
    assert rows(here / "staff.results.csv")[0]["auth_token"] == ""
    assert app.users()["s1"]["name"] == "Ann Berlin"
    assert not (here / "staff.results.rejected.xlsx").exists()


@pytest.mark.slow
def test_the_cure_for_people_on_other_sheets_works_to_the_letter(app: RunningEmulator, here: Path) -> None:
    """Each sheet with an -o of its own: nothing is set aside, and both resume."""
    first = run(app, here, "staff.xlsx", "--sheet", "Berlin", "-o", "berlin.csv")
    (told,) = run(app, here, "staff.xlsx", "-o", "berlin.csv").events("sheet.others")
    assert told["message"] == (
        "staff.xlsx: of its sheets only 'Berlin' is read, and 'Munich' has the needed columns as well; "
        "give each with --sheet and an -o of its own, in a sync also a --state of its own"
    )
    second = run(app, here, "staff.xlsx", "--sheet", "Munich", "-o", "munich.csv")
    again = run(app, here, "staff.xlsx", "--sheet", "Berlin", "-o", "berlin.csv")
    assert (first.exit_code, second.exit_code, again.exit_code, again.summary["requests"]) == (1, 0, 1, 0)
    assert "set_aside" not in first.stderr + second.stderr + again.stderr
    assert fates(here / "berlin.csv") == {"s1": "created", "s2": "rejected"}


@pytest.mark.sampled
@pytest.mark.parametrize("sheets", [("Berlin", "Munich"), ("Team", "Munich"), ("New", "Berlin")])
def test_the_sheet_that_was_read_before_is_the_same_roster(
    app: RunningEmulator, here: Path, sheets: tuple[str, str]
) -> None:
    """Whether it is named now or found, also where it was renamed or another one stands before it: it resumes."""
    assert run(app, here, "staff.xlsx").exit_code == 1
    first, second = sheets
    tables = {"Berlin": BERLIN, "Team": BERLIN}
    workbook(here, *((name, tables.get(name, MUNICH)) for name in (first, second)), name="staff.xlsx")
    named = ("--sheet", next(name for name in sheets if name in tables))
    again = run(app, here, "staff.xlsx", *named)
    assert (again.exit_code, again.summary["requests"], "set_aside" in again.stderr) == (1, 0, False)


@pytest.mark.slow
def test_a_run_that_was_never_summed_up_is_known_by_its_journal(app: RunningEmulator, here: Path) -> None:
    """As after a kill: there is no summary, and what the journal knows is not taken for the other sheet's."""
    run(app, here, "staff.xlsx")
    for ending in ENDINGS[:3]:
        (here / f"staff.results.{ending}").unlink()
    second = run(app, here, "staff.xlsx", "--sheet", "Munich")
    (told,) = second.events("journal.set_aside")
    assert told["reason"] == f"it belongs to another roster, sheet 'Berlin' of {here / 'staff.xlsx'}"
    assert (fates(here / "staff.results.csv"), second.summary["edited"]) == ({"s1": "existing", "s3": "created"}, 0)


@pytest.mark.slow
def test_what_could_not_begin_forgets_no_sheet(app: RunningEmulator, here: Path) -> None:
    """The summary that it leaves still says whose results lie there."""
    run(app, here, "staff.xlsx")
    results = (here / "staff.results.csv").read_bytes()
    refused = provisioner("run", "staff.xlsx", "--sheet", "Munich", *app.flags(), cwd=here)
    assert (refused.exit_code, json.loads((here / "staff.results.summary.json").read_text())["sheets"]) == (
        2,
        ["Berlin"],
    )
    (told,) = run(app, here, "staff.xlsx", "--sheet", "Munich").events("results.set_aside")
    assert (here / told["kept_as"][0]).read_bytes() == results


@pytest.mark.slow
def test_files_from_before_sheets_were_recorded_still_resume(app: RunningEmulator, here: Path) -> None:
    """Neither their summary nor their journal says which sheet was read."""
    run(app, here, "staff.xlsx")
    summary = here / "staff.results.summary.json"
    document = json.loads(summary.read_text())
    assert document.pop("sheets") == ["Berlin"]
    summary.write_text(json.dumps(document))
    with closing(sqlite3.connect(here / "staff.results.journal.db")) as database, database:
        database.execute("DELETE FROM meta WHERE key = 'roster'")
    again = run(app, here, "staff.xlsx", "--sheet", "Berlin")
    assert (again.exit_code, again.summary["requests"], "set_aside" in again.stderr) == (1, 0, False)


@pytest.mark.slow
def test_rejected_rows_of_a_sheet_are_mended_round_after_round(app: RunningEmulator, here: Path) -> None:
    """They come back on a sheet of the name that was given, and of another one when none was: still the same round."""
    for named in ((), ("--sheet", "Berlin")):
        assert run(app, here, "staff.xlsx", *named).exit_code == 1
        ended = run(app, here, "staff.results.rejected.xlsx")
        assert (ended.exit_code, fates(here / "staff.round2.results.csv")) == (1, {"s2": "rejected"})
        assert ended.events("results.set_aside") == []


@pytest.mark.slow
def test_a_check_of_another_sheet_has_files_of_its_own(app: RunningEmulator, here: Path) -> None:
    """A dry run counts everybody of it, and neither it nor `validate` touches a file of the run."""
    run(app, here, "staff.xlsx")
    before = {path.name: path.read_bytes() for path in here.glob("staff.results.*")}
    dry = run(app, here, "staff.xlsx", "--sheet", "Munich", "--dry-run")
    assert (dry.summary["estimate"]["requests"], dry.exit_code) == (2, 0)
    assert provisioner("validate", "staff.xlsx", cwd=here).exit_code == 1
    rejected = (here / "staff.results.check.rejected.xlsx").read_bytes()
    checked = provisioner("validate", "staff.xlsx", "--sheet", "Munich", cwd=here)
    (told,) = checked.events("results.set_aside")
    assert rejected in [(here / name).read_bytes() for name in told["kept_as"]]
    assert {name: (here / name).read_bytes() for name in before} == before


@pytest.mark.slow
def test_another_query_is_another_roster(app: RunningEmulator, here: Path) -> None:
    """As another sheet is; the same one with other blanks around it is not. No query is told."""
    first = run(app, here, *QUERIES["Berlin"])
    assert (first.exit_code, first.summary["created"], first.summary["rejected"]) == (1, 1, 1)
    files = [(here / f"hr.results.{ending}").read_bytes() for ending in ("csv", "rejected.parquet", *ENDINGS[2:])]
    option, sql, *database = QUERIES["Berlin"]
    again = run(app, here, option, f"\n{sql} ;\n", *database)
    assert (again.exit_code, again.summary["requests"], "set_aside" in again.stderr) == (1, 0, False)
    files[2:] = [(here / f"hr.results.{ending}").read_bytes() for ending in ENDINGS[2:]]
    second = run(app, here, *QUERIES["Munich"])
    assert kept(second, here) == (
        [f"{what} to another roster, another query of hr" for what in ("they belong", "it belongs")],
        files,
    )
    assert (second.exit_code, second.summary["edited"]) == (0, 0)
    assert fates(here / "hr.results.csv") == {"s1": "existing", "s3": "created"}
    assert "SELECT" not in second.stderr + (here / "hr.results.summary.json").read_text()


@pytest.mark.slow
def test_the_same_query_of_another_database_of_that_name_is_another_roster(app: RunningEmulator, here: Path) -> None:
    """An SQLite file in another folder, say."""
    run(app, here, *QUERIES["Berlin"])
    (here / "sub").mkdir()
    with closing(sqlite3.connect(here / "sub/hr.db")) as database, database:
        database.execute("CREATE TABLE staff (uid TEXT, name TEXT, city TEXT)")
        database.execute("INSERT INTO staff VALUES ('s1', 'Else', 'Berlin')")
    ended = run(app, here, *QUERIES["Berlin"][:3], "sqlite:///sub/hr.db")
    assert (ended.summary["edited"], fates(here / "hr.results.csv")) == (0, {"s1": "existing"})


@pytest.mark.slow
@pytest.mark.parametrize("pattern", [("parts/*.csv",), ("parts/a.csv", "parts/b.csv")])
def test_one_part_alone_is_another_roster(app: RunningEmulator, here: Path, pattern: tuple[str, ...]) -> None:
    """Both are called after the first part: the rejected rows and the tokens of the others are kept."""
    assert run(app, here, *pattern).exit_code == 1
    files = [(here / f"a.results.{ending}").read_bytes() for ending in ("csv", "rejected.csv", *ENDINGS[2:])]
    alone = run(app, here, "parts/a.csv")
    whose = f"{here / 'parts/a.csv'} and 1 more"
    reasons = [f"they belong to another roster, {whose}", f"it belongs to another roster, {whose}"]
    assert kept(alone, here) == (reasons, files)
    assert fates(here / "a.results.csv") == {"a1": "existing", "a2": "rejected"}


@pytest.mark.slow
@pytest.mark.parametrize("roster", ["parts/*.csv", "parts"])
def test_a_roster_that_has_grown_or_lost_a_part_is_the_same(app: RunningEmulator, here: Path, roster: str) -> None:
    """A further part is added to it, and one that was deleted is as rows that were: it resumes."""
    run(app, here, roster)
    write_roster(here / "parts/c.csv", [{"uid": "c1", "name": "N"}])
    grown = run(app, here, roster)
    assert (grown.summary["created"], grown.summary["tokens"], "set_aside" in grown.stderr) == (3, 3, False)
    (here / "parts/b.csv").unlink()
    shrunk = run(app, here, roster)
    assert (shrunk.summary["requests"], shrunk.summary["created"], "set_aside" in shrunk.stderr) == (0, 2, False)

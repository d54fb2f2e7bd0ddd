"""Several files as one roster: rows run on, and what one file lacks is told with its name."""

from __future__ import annotations

import gzip
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from provisioner.errors import RosterError
from provisioner.roster.files.inputs import Sheets, find_inputs
from provisioner.roster.formats.rows import Roster
from provisioner.roster.reader import RosterOptions, open_roster
from tests.rig.workbooks import texts, workbook

pytestmark = pytest.mark.usefixtures("here")


def opened(*names: str, limit: int | None = None) -> Roster:
    return open_roster(find_inputs(names), RosterOptions(limit=limit))


def rows_of(roster: Roster) -> list[tuple[object, ...]]:
    """All rows, once it is sure that they are numbered without a gap."""
    found: list[tuple[object, ...]] = []
    for batch in roster.batches():
        assert batch.first_row == len(found) + 1
        found += batch.frame.select(roster.columns).rows()
    return found


def refused(*names: str) -> str:
    with pytest.raises(RosterError) as error:
        rows_of(opened(*names))
    return str(error.value)


def test_row_numbers_run_on_and_the_first_files_columns_rule(here: Path) -> None:
    (here / "a.csv").write_text("uid,name\n" + "a,Ann\n" * 2000)
    (here / "b.txt").write_text("name;uid\nBob;b\n")
    (here / "c.tsv.gz").write_bytes(gzip.compress(b"uid\tname\nc\tCleo\n"))
    roster = opened("a.csv", "b.txt", "c.tsv.gz")
    for _ in range(2):
        assert rows_of(roster) == [("a", "Ann")] * 2000 + [("b", "Bob"), ("c", "Cleo")]
    assert (roster.name, roster.columns, roster.rejected_delimiter) == ("a.csv and 2 more", ("uid", "name"), ",")
    assert roster.parts() == [("a.csv", 2000), ("b.txt", 1), ("c.tsv.gz", 1)]
    assert roster.size == sum((here / name).stat().st_size for name in ("a.csv", "b.txt", "c.tsv.gz"))


def test_the_parts_are_known_after_a_whole_pass_only(here: Path) -> None:
    (here / "a.csv").write_text("uid,name\na,b\n")
    (here / "b.csv").write_text("uid,name\n")
    roster = opened("a.csv", "b.csv")
    assert (roster.parts(), opened("a.csv").parts()) == ([], ())
    rows_of(roster)
    assert roster.parts() == [("a.csv", 1), ("b.csv", 0)]


def test_a_file_without_rows_is_no_obstacle_wherever_it_stands(here: Path) -> None:
    (here / "a.csv").write_text("uid,name\n")
    (here / "b.csv").write_text("uid,name\nb,Bob\n")
    (here / "c.csv").write_text("uid,name")
    assert rows_of(opened("a.csv", "b.csv", "c.csv")) == [("b", "Bob")]


@pytest.mark.parametrize("limit", range(6))
def test_the_limit_counts_over_all_files_and_behind_it_is_nothing_not_even_a_defect(here: Path, limit: int) -> None:
    (here / "a.csv").write_text("uid,name\na,1\nb,2\n")
    (here / "b.csv").write_text("uid,name\nc,3\nd,4\ne,5\n")
    (here / "c.csv").write_text('uid,name\nf,"6\n')
    everything = [("a", "1"), ("b", "2"), ("c", "3"), ("d", "4"), ("e", "5")]
    assert rows_of(opened("a.csv", "b.csv", limit=limit)) == everything[:limit]
    (here / "b.csv").write_text("uid,name\nc,3\nd,4\ne,5,x\n")
    if limit < 5:
        assert rows_of(opened("a.csv", "b.csv", limit=limit)) == everything[:limit]


def test_progress_runs_over_all_files(here: Path) -> None:
    (here / "a.csv").write_text("uid,name\n" + "a,1\n" * 1500)
    pl.DataFrame({"uid": ["b"] * 1500, "name": ["2"] * 1500}).write_parquet(here / "b.parquet")
    roster = opened("a.csv", "b.parquet")
    calls: list[tuple[int, int]] = []
    for _ in roster.batches(lambda done, read: calls.append((done, read))):
        pass
    assert (calls, calls[-1]) == (sorted(calls), (3000, roster.size))


def test_json_lines_may_lack_keys_that_others_have(here: Path) -> None:
    """There a missing value is left out, so files of one export differ in their keys."""
    (here / "a.ndjson").write_text('{"uid": "a", "name": "Ann"}\n')
    (here / "b.ndjson").write_text('{"tags": "x", "uid": "b", "name": "Bob"}\n')
    roster = opened("a.ndjson", "b.ndjson")
    assert roster.columns == ("uid", "name", "tags")
    assert rows_of(roster) == [("a", "Ann", None), ("b", "Bob", "x")]


def test_files_with_other_columns_are_told_with_the_file_and_the_columns(here: Path) -> None:
    (here / "a.csv").write_text("uid,name\n")
    (here / "b.csv").write_text("uid,Name,tags\n")
    (here / "c.csv").write_text("uid\n")
    (here / "d.csv").write_text("uid,name," + ",".join("xyzuvw") + "\n")
    hint = "; name only files of one roster, which have the same columns"
    said = "b.csv: its columns are not those of a.csv: it lacks 'name' and has also 'Name', 'tags'"
    assert refused("a.csv", "b.csv") == said + hint
    assert refused("a.csv", "c.csv") == "c.csv: its columns are not those of a.csv: it lacks 'name'" + hint
    said = "d.csv: its columns are not those of a.csv: it has also 'x', 'y', 'z', 'u', 'v' and 1 more"
    assert refused("a.csv", "d.csv") == said + hint


def test_files_with_other_types_are_told(here: Path) -> None:
    (here / "a.csv").write_text("uid,name\na,b\n")
    pl.DataFrame({"uid": ["c"], "name": ["d"]}).write_parquet("b.parquet")
    pl.DataFrame({"uid": [1], "name": ["d"]}).write_parquet("c.parquet")
    assert rows_of(opened("a.csv", "b.parquet")) == [("a", "b"), ("c", "d")]
    for first, types in (("a.csv", "Int64, but String in a.csv"), ("b.parquet", "Int64, but String in b.parquet")):
        said = f"c.parquet: column 'uid' is {types}; write it as one type in all of them"
        assert refused(first, "c.parquet") == said


def test_a_defect_is_told_with_the_file_and_its_own_row(here: Path) -> None:
    (here / "a.csv").write_text("uid,name\n" + "a,1\n" * 10)
    (here / "b.csv").write_text("uid,name\nb,2\nc,3,4\n")
    hint = "put cells that hold a comma in quotes"
    assert refused("a.csv", "b.csv") == f"b.csv: row 2 (line 3, byte 17): 3 cells, but the header has 2; {hint}"


def test_the_sheets_of_several_workbooks_are_those_of_each(here: Path) -> None:
    """Also in an archive; a text has none."""
    people = texts(["uid", "name"], ["a", "A"])
    workbook(here, ("Berlin", people), ("Notes", texts(["x"])), name="a.xlsx")
    workbook(here, ("Old", texts(["x"])), ("Munich", people), name="b.xlsx")
    (here / "c.csv").write_text("uid,name\nc,C\n")
    with zipfile.ZipFile(here / "z.zip", "w") as archive:
        archive.write(here / "b.xlsx", "b.xlsx")
    found = []
    for names in (("a.xlsx", "c.csv", "b.xlsx"), ("z.zip",), ("c.csv",)):
        with closing(opened(*names)) as roster:
            found.append(roster.sheets)
    assert found == [
        Sheets(frozenset({"Berlin", "Munich"}), frozenset({"Notes", "Old"})),
        Sheets(frozenset({"Munich"}), frozenset({"Old"})),
        Sheets(),
    ]


@pytest.mark.parametrize("limit", [None, 3, 100])
def test_what_is_known_of_the_rows_that_are_read_is_told_whatever_the_limit(here: Path, limit: int | None) -> None:
    """Cells that cannot be read, keys that are there twice, places and notices, of a further file as of the first."""

    def formula(_: object, sheet: Any) -> None:
        for number, row in enumerate((["uid", "name", "role"], ["b", "B", "r"])):
            sheet.write_row(number, 0, row)
        sheet.write_row(2, 0, ["c", "C"])
        sheet.write_formula(2, 2, "=A1", None, "")

    workbook(here, ("People", texts(["uid", "name", "role"], ["a", "A", "r"])), name="a.xlsx")
    workbook(here, ("People", formula), name="b.xlsx")
    stored = "b.xlsx: it holds a formula without a stored value (C3); open the workbook in Excel and save it"
    (here / "a.ndjson").write_text('{"uid":"a","name":"A"}\n')
    (here / "b.ndjson").write_text('{"uid":"b","name":"B"}\n{"uid":"c","name":"C","name":"D"}\n')
    (here / "a.csv").write_text("uid,name\na,A\n")
    (here / "b.csv").write_text("uid,name\nb,B\n\nc,C\n")
    with closing(opened("a.xlsx", "b.xlsx", limit=limit)) as roster:
        rows_of(roster)
        assert (dict(roster.unreadable), roster.place(3)) == ({"role": stored}, "sheet row 3 of b.xlsx")
    with closing(opened("a.ndjson", "b.ndjson", limit=limit)) as roster:
        rows_of(roster)
        assert list(roster.unreadable) == ["name"]
    with closing(opened("a.csv", "b.csv", limit=limit)) as roster:
        assert rows_of(roster) == rows_of(roster)
        assert [roster.place(row) for row in (1, 2, 3)] == ["line 2 of a.csv", "line 2 of b.csv", "line 4 of b.csv"]


def test_a_further_file_that_is_another_when_it_is_read_again_is_refused_with_a_limit_too(here: Path) -> None:
    (here / "a.csv").write_text("uid,name\na,A\n")
    (here / "b.csv").write_text("uid,name\nb,B\n")
    with closing(opened("a.csv", "b.csv", limit=5)) as roster:
        rows_of(roster)
        (here / "b.csv").write_text("name,uid\nB,b\n")
        with pytest.raises(RosterError, match=r"^b\.csv: changed while it was read$"):
            rows_of(roster)


@pytest.mark.parametrize("name", ["b.csv", "b.parquet"])
def test_a_further_file_with_other_columns_than_when_it_was_opened_is_refused_with_a_limit_too(
    here: Path, name: str
) -> None:
    """Else the cells of a column that has another name by then would be lost, and nothing would say so."""

    def write(column: str) -> None:
        frame = pl.DataFrame({"uid": ["b"], "name": ["B"], column: ["r"]})
        frame.write_csv(here / name) if name == "b.csv" else frame.write_parquet(here / name)

    (here / "a.csv").write_text("uid,name,role\na,A,r\n")
    write("role")
    with closing(opened("a.csv", name, limit=5)) as roster:
        write("rolle")
        with pytest.raises(RosterError, match=r"^b\.\w+: changed while it was read$"):
            rows_of(roster)

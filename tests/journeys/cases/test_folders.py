"""Folders of parts, partitions, parts of unlike types, and files of a pattern that are no parts."""

from __future__ import annotations

import base64
import gzip
import json
import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from provisioner.errors import RosterError
from provisioner.roster.files.inputs import find_inputs
from provisioner.roster.reader import open_roster
from tests.rig.cases import SAMPLES, document, events, refusal, users
from tests.rig.command import provisioner

ANN, BOB = {"uid": "a1", "name": "Ann"}, {"uid": "b2", "name": "Bob"}
FOLDERS, DRIFT = SAMPLES / "folders", SAMPLES / "drift" / "schemadrift"
DEPT: dict[str, Any] = {"metadata": {"dept": "dept"}}


def test_a_folder_of_parts_is_one_roster(tmp_path: Path) -> None:
    """Whatever it is called, as a folder and by a pattern; a part without bytes has no rows."""
    assert users(FOLDERS / "spark.parquet", tmp_path) == [ANN, BOB]
    assert users(FOLDERS / "spark.csv", tmp_path) == [ANN, BOB]
    assert users(FOLDERS / "spark.csv" / "*.csv", tmp_path) == [ANN, BOB]


def test_partitions_are_columns(tmp_path: Path) -> None:
    """Their values are decoded, and they are mapped as any other."""
    expected = [
        {"uid": "ur", "name": "Ann", "metadata": {"dept": "R&D"}},
        {"uid": "us", "name": "Ann", "metadata": {"dept": "Sales"}},
    ]
    for roster in (FOLDERS / "hive", FOLDERS / "hive" / "**" / "*.parquet", FOLDERS / "hive" / "dept=*" / "*"):
        assert users(roster, tmp_path, columns=DEPT) == expected
    several = [FOLDERS / "hive" / "dept=R%26D" / "part-0.parquet", FOLDERS / "hive" / "dept=Sales" / "part-0.parquet"]
    assert users(several, tmp_path, columns=DEPT) == expected


def partitioned(folder: Path, suffix: str) -> Path:
    """The same people in parts of a format, with a part for no department, an empty one and what is none."""
    parts = {"dept=A%2FB/year=2026/p0": ("a1", "Ann"), "dept=__HIVE_DEFAULT_PARTITION__/year=2027/p1": ("b2", "Bob")}
    for name, (uid, who) in parts.items():
        path = folder / "people" / f"{name}{suffix}"
        path.parent.mkdir(parents=True)
        row = {"uid": uid, "name": who}
        if suffix == ".parquet":
            pl.DataFrame([row]).write_parquet(path)
        elif suffix == ".csv":
            pl.DataFrame([row]).write_csv(path)
        else:
            path.write_text(json.dumps([row] if suffix == ".json" else row))
        if suffix != ".parquet":
            (path.parent / f"p9{suffix}").write_text("[]" if suffix == ".json" else "")
        for beside in ("_SUCCESS", ".p0.crc", f"~$p0{suffix}", f"_tmp{suffix}"):
            (path.parent / beside).write_text("x")
    return folder / "people"


@pytest.mark.sampled
@pytest.mark.parametrize("suffix", [".csv", ".ndjson", ".json", ".parquet"])
@pytest.mark.parametrize("pattern", ["", "**/*", "**"])
def test_folders_of_every_format_are_read_alike(tmp_path: Path, suffix: str, pattern: str) -> None:
    """What begins with `_`, `.` or `~$` is none of it, empty parts are no rows."""
    folder = partitioned(tmp_path, suffix)
    metadata = {"metadata": {"dept": "dept", "year": "year"}}
    assert users(folder / pattern if pattern else folder, tmp_path, columns=metadata) == [
        ANN | {"metadata": {"dept": "A/B", "year": "2026"}},
        BOB | {"metadata": {"year": "2027"}},
    ]


@pytest.mark.parametrize("suffix", [".csv", ".ndjson", ".json"])
@pytest.mark.parametrize("nothing", ["", " \n"])
def test_a_packed_part_without_anything_is_no_row(tmp_path: Path, suffix: str, nothing: str) -> None:
    """Its bytes are those of the compression; so it is with one that holds nothing but blanks."""
    row = {".csv": "uid,name\na1,Ann\n", ".ndjson": json.dumps(ANN), ".json": json.dumps([ANN])}[suffix]
    (tmp_path / "people").mkdir()
    for name, text in (("p0", nothing), ("p1", row), ("p2", nothing)):
        (tmp_path / "people" / f"{name}{suffix}.gz").write_bytes(gzip.compress(text.encode()))
    assert users(tmp_path / "people", tmp_path) == [ANN]


@pytest.mark.parametrize("again", ["uid,name,note", '"UID", Name ,', "uid,name,"])
def test_the_header_once_more_in_a_part_is_rejected_as_in_a_file_that_is_named(tmp_path: Path, again: str) -> None:
    """And nobody else: a person may be called as a column is."""
    part = tmp_path / "people" / "dept=Sales" / "a.csv"
    part.parent.mkdir(parents=True)
    part.write_text(f"uid,name,note\na1,Ann,\n{again}\nuid,Uma,x\n")
    frames = []
    for roster in (part.parent.parent, part):
        with closing(open_roster(find_inputs([str(roster)]))) as opened:
            (batch,) = opened.batches()
            frames.append(batch.frame)
    assert frames[0]["dept"].to_list() == ["Sales", None, "Sales"]
    assert frames[0].drop("dept").equals(frames[1])
    for roster in (part.parent.parent, part):
        ((code, found),) = document(roster, tmp_path)["defects"].items()
        assert (code, found["rows"], found["first_rows"]) == ("row.header_again", 1, [2])


def test_rejected_rows_keep_the_columns_of_their_folders(tmp_path: Path) -> None:
    """So that they can be mended and fed in again from anywhere; lines of NDJSON too."""
    (tmp_path / "dept=X").mkdir()
    (tmp_path / "dept=X" / "p.ndjson").write_text('{"uid":"a b","name":"Ann","tags":["x"]}\n{"name": "Bob" }\n')
    found = document(tmp_path / "*" / "*.ndjson", tmp_path, columns=DEPT)
    lines = Path(found["outputs"]["rejected"])
    rejected = [json.loads(line) for line in lines.read_text().splitlines()]
    assert [(row.get("uid"), row["dept"]) for row in rejected] == [("a b", "X"), (None, "X")]
    again = tmp_path / "again.ndjson"
    again.write_text(lines.read_text().splitlines()[0].replace("a b", "a1"))
    assert users(again, tmp_path, columns=DEPT) == [ANN | {"metadata": {"dept": "X"}, "tags": ["x"]}]


def test_a_column_of_the_file_itself_wins(tmp_path: Path) -> None:
    """What the file says is what is sent."""
    (tmp_path / "name=Zoe").mkdir()
    (tmp_path / "name=Zoe" / "p.csv").write_text("uid,name\na1,Ann\n")
    assert users(tmp_path / "name=Zoe", tmp_path) == [ANN]


def test_folders_that_are_no_roster_are_told(tmp_path: Path) -> None:
    """An empty one, one of empty parts, one with something else, a table with rows of earlier versions."""
    (tmp_path / "e").mkdir()
    assert (
        refusal(tmp_path / "e", tmp_path) == "e is a folder without a roster in it; name a file, or a folder of parts"
    )
    (tmp_path / "e" / "a.csv").touch()
    assert refusal(tmp_path / "e", tmp_path) == "e/a.csv is empty: there is no row, and no header either"
    (tmp_path / "e" / "b.txt.bak").write_text("x")
    assert refusal(tmp_path / "e", tmp_path).startswith("e/b.txt.bak: a roster ends in one of ")
    (tmp_path / "e" / "_delta_log").mkdir()
    assert refusal(tmp_path / "e", tmp_path).startswith("e is a Delta table: it holds rows of earlier versions")


def test_an_empty_folder_that_a_pattern_fits_has_no_rows(tmp_path: Path) -> None:
    """As one within a folder of parts; a pattern that fits nothing else is told."""
    (tmp_path / "people" / "old").mkdir(parents=True)
    (tmp_path / "people" / "old" / "_SUCCESS").touch()
    assert refusal(tmp_path / "people" / "*", tmp_path).endswith("people/*: no file matches")
    (tmp_path / "people" / "a.json").write_text(json.dumps([ANN]))
    assert users(tmp_path / "people" / "*", tmp_path) == users(tmp_path / "people", tmp_path) == [ANN]


def test_parts_may_store_a_column_in_different_ways(tmp_path: Path) -> None:
    """As long as its values are the same."""
    assert users(DRIFT / "[12].parquet", tmp_path) == [ANN | {"tags": ["x"]}, BOB]
    assert users(DRIFT / "[34].parquet", tmp_path) == [ANN, BOB]


@pytest.mark.parametrize(
    ("one", "other", "sent"),
    [
        (pl.Series([7], dtype=pl.Int8), pl.Series([2**63], dtype=pl.UInt64), ["7", str(2**63)]),
        (pl.Series(["a"], dtype=pl.Categorical), pl.Series(["b"], dtype=pl.Enum(["b"])), ["a", "b"]),
        (pl.Series([3], dtype=pl.UInt16), pl.Series([-4], dtype=pl.Int32), ["3", "-4"]),
    ],
)
def test_the_type_that_holds_both_is_taken(tmp_path: Path, one: pl.Series, other: pl.Series, sent: list[str]) -> None:
    """Text in any form, integers of any size; in whichever order the parts come."""
    for first, second, expected in ((one, other, sent), (other, one, sent[::-1])):
        pl.DataFrame({"uid": first, "name": ["n"]}).write_parquet(tmp_path / "1.parquet")
        pl.DataFrame({"uid": second, "name": ["n"]}).write_parquet(tmp_path / "2.parquet")
        assert [user["uid"] for user in users(tmp_path / "?.parquet", tmp_path)] == expected


def test_types_that_do_not_go_together_are_refused(tmp_path: Path) -> None:
    """Integers beyond 2^53 would not survive a float."""
    pl.DataFrame({"uid": [1], "name": ["n"]}).write_parquet(tmp_path / "1.parquet")
    pl.DataFrame({"uid": [1.5], "name": ["n"]}).write_parquet(tmp_path / "2.parquet")
    assert "2.parquet: column 'uid' is Float64, but Int64 in 1.parquet" in refusal(tmp_path / "?.parquet", tmp_path)


def test_the_files_of_the_job_itself_are_no_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given or default names, in the folder of the parts: the same arguments mean the same files again."""
    from provisioner.run.job import make_job
    from provisioner.settings.tables import load
    from provisioner.sync.command import plan_job

    shutil.copytree(SAMPLES / "own-files" / "glob-own", tmp_path / "in")
    monkeypatch.chdir(tmp_path)
    for name in ("out.csv", "out.rejected.csv", "out.leavers.csv", "out.check.rejected.csv", "out.20261128T071315.csv"):
        (tmp_path / "in" / name).write_text("row,uid\n")
    (tmp_path / "in" / "~$1.csv").write_text("x")
    given = load({"output": {"file": Path("in/out.csv")}}, {}, None)
    for argument in ("in/*.csv", "in", "./in/*"):
        names = make_job([argument], given).roster.names
        assert [Path(name).name for name in names] == ["1.csv", "2.csv"]
    monkeypatch.chdir(tmp_path / "in")
    for path in Path().glob("out*"):
        path.unlink()
    for name in ("1.results.csv", "1.results.rejected.csv", "1.results.leavers.csv"):
        Path(name).write_text("row,uid\n")
    assert make_job(["*.csv"], load({}, {}, None)).roster.names == ("1.csv", "2.csv")
    with plan_job(
        ["*.csv"], load({"sync": {"state": Path("../s.db")}}, {"COMETCHAT_APP_ID": "a", "COMETCHAT_REGION": "us"}, None)
    ) as planned:
        assert planned.job.roster.names == ("1.csv", "2.csv")


def test_what_was_named_is_read_whatever_it_is_called() -> None:
    """Only what a pattern or a folder gave can be left out."""
    assert find_inputs(["_a.csv"]).without(lambda _: True).names == ("_a.csv",)


def parts_of(folder: Path, *parts: list[str]) -> Path:
    """A folder with these rows of `uid,name,dept` in each file."""
    (folder / "in").mkdir()
    for number, rows in enumerate(parts):
        (folder / "in" / f"{number:02}.csv").write_text("\n".join(["uid,name,dept", *rows, ""]))
    return folder / "in"


def people(first: str, count: int, dept: str) -> list[str]:
    return [f"{first}{number:04},Person {number},{dept}" for number in range(count)]


TOTAL = ["total,All of us,"]


@pytest.mark.parametrize(
    ("parts", "rejected"),
    [
        # Of 2,000 people 1,000 have no department: it is no wonder that one more has none.
        ([people("a", 1000, "Sales"), *[people(f"b{n}-", 100, "") for n in range(10)], TOTAL], {}),
        ([*[people(f"b{n}-", 100, "") for n in range(10)], people("a", 1000, "Sales"), TOTAL], {}),
        # Of 21,000 people 1,000.
        (
            [people("a", 1000, ""), *[people(f"c{n}-", 1000, "Sales") for n in range(20)], TOTAL],
            {"row.not_a_person": 1},
        ),
    ],
)
def test_what_a_row_is_is_told_by_the_rows_of_all_files(
    tmp_path: Path, parts: list[list[str]], rejected: dict[str, int]
) -> None:
    """However many there are, and whatever is in the first ones."""
    found = document(parts_of(tmp_path, *parts), tmp_path, run={"strict": True})
    assert found["rejected_by_code"] == rejected


def test_uids_that_tell_addresses_are_found_in_any_file(tmp_path: Path) -> None:
    encoded = [base64.b32encode(f"person{n}@example.org".encode()).decode().rstrip("=").lower() for n in range(200)]
    folder = parts_of(tmp_path, people("a", 200, "x"), [f"{uid},Somebody,x" for uid in encoded])
    assert "uid.reveals_email" in [event["event"] for event in events(folder, tmp_path)]


def vanishing(folder: Path, suffix: str) -> list[str]:
    """Read two files, of which one vanishes when both have been opened; the uids."""
    write = {".csv": "write_csv", ".ndjson": "write_ndjson", ".parquet": "write_parquet", ".xlsx": "write_excel"}
    for number in (1, 2):
        getattr(pl.DataFrame({"uid": [f"u{number}"], "name": ["Ann"]}), write[suffix])(folder / f"{number}{suffix}")
    with closing(open_roster(find_inputs([str(folder / f"?{suffix}")]))) as roster:
        (folder / f"2{suffix}").unlink()
        return [uid for batch in roster.batches() for uid in batch.frame["uid"]]


@pytest.mark.parametrize("suffix", [".csv", ".ndjson", ".parquet"])
def test_a_part_that_vanishes_while_it_is_read_is_told(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(RosterError, match=rf"/2\{suffix}.* (cannot be read|changed while it was read)"):
        vanishing(tmp_path, suffix)


def test_a_workbook_that_vanishes_has_been_read_already(tmp_path: Path) -> None:
    assert vanishing(tmp_path, ".xlsx") == ["u1", "u2"]


def test_the_place_of_a_row_names_its_file_where_there_are_several(tmp_path: Path) -> None:
    """Each with its own line, whatever the files are called."""
    for name in ("a", "b"):
        (tmp_path / f"{name}.csv").write_text(f"uid,name\n{name}1,A\n{name} 2,B\n")
    said = provisioner("validate", "a.csv", "b.csv", cwd=tmp_path).stdout
    assert "uid.charset     2  2, 4 (line 3 of a.csv, line 3 of b.csv)" in said

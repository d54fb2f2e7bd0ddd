"""Outputs: which files belong to one `--output`, and that none of them is ever the roster."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from provisioner.errors import OutputError
from provisioner.results.outputs import (
    FORMATS,
    SHEET_ROWS,
    Outputs,
    journal_of,
    results_of,
    stem_of,
    summary_of,
    told_of_results,
)
from provisioner.roster.files.inputs import find_inputs
from provisioner.roster.workbook.sheet import LAST_ROW

pytestmark = pytest.mark.usefixtures("here")


def beside(results: Path, *rosters: Path) -> Outputs:
    """Name the outputs for rosters as they are given on the command line."""
    inputs = find_inputs([str(roster) for roster in rosters])
    return Outputs.beside(results, inputs.rejected_suffix, inputs.paths)


@pytest.mark.parametrize(
    ("results", "roster", "stem", "rejected"),
    [
        ("results.csv", "users.csv", "results", ".csv"),
        ("out/results.parquet", "users.csv", "out/results", ".csv"),
        ("results.ndjson", "users.parquet", "results", ".parquet"),
        ("hr.2026-11.csv", "users.csv", "hr.2026-11", ".csv"),
        ("Results.CSV", "USERS.CSV", "Results", ".csv"),
        ("x.csv", "x.parquet", "x", ".parquet"),
        ("users.results.csv", "users.csv", "users.results", ".csv"),
        ("x.csv", "users.tsv", "x", ".tsv"),
        ("x.csv", "users.jsonl", "x", ".jsonl"),
        ("x.csv", "users.ndjson.gz", "x", ".csv"),
        ("x.csv", "users.xlsx", "x", ".xlsx"),
        ("x.csv", "-", "x", ".csv"),
        ("x.csv", "s3://bucket/users.parquet", "x", ".parquet"),
    ],
)
def test_names_the_files_that_belong_to_one_output(results: str, roster: str, stem: str, rejected: str) -> None:
    """As documented, beside the results, the rejected rows in a format the roster can have; nothing is made yet."""
    inputs = find_inputs([roster])
    named = Outputs.beside(Path(results), inputs.rejected_suffix, inputs.paths)
    assert named == Outputs(
        Path(results), Path(f"{stem}.rejected{rejected}"), Path(f"{stem}.summary.json"), Path(f"{stem}.journal.db")
    )
    assert named.paths() == (named.results, named.rejected, named.summary, named.journal)
    assert list(Path().iterdir()) == []


def test_a_check_writes_files_of_its_own(here: Path) -> None:
    """What is checked only may be the rejected file of a run, and touches none of its files."""
    (here / "x.rejected.csv").write_text("uid,name\n")
    named = Outputs.beside(Path("x.csv"), ".csv", [Path("x.rejected.csv")], check=True)
    assert (named.rejected, named.summary) == (Path("x.check.rejected.csv"), Path("x.check.summary.json"))
    assert (named.results, named.journal) == (Path("x.csv"), Path("x.journal.db"))
    with pytest.raises(OutputError, match=r"x\.check\.rejected\.csv: would overwrite the roster"):
        Outputs.beside(Path("x.csv"), ".csv", [Path("x.check.rejected.csv")], check=True)


@pytest.mark.parametrize("check", [False, True], ids=["run", "check"])
@pytest.mark.parametrize(
    "name", ["rejected.csv", "rejected.xlsx", "rejected.20260131T100000.csv", "rejected.ndjson.gz"]
)
def test_rejected_rows_of_a_job_are_no_roster_of_that_job(here: Path, name: str, *, check: bool) -> None:
    """Whatever the format now: its results would be replaced, and the rows themselves by what is rejected again."""
    roster, results = here / f"x.{'check.' if check else ''}{name}", here / "x.csv"
    why = re.escape(f"{roster}: holds rejected rows of the job of {results}, whose files would be replaced; choose")
    with pytest.raises(OutputError, match=why):
        Outputs.beside(results, ".parquet", [roster], check=check)
    roster.write_text("uid,name\n")
    (here / "mended.csv").symlink_to(roster)
    with pytest.raises(OutputError, match="whose files would be replaced; choose another --output"):
        Outputs.beside(Path("x.csv"), ".parquet", [here / "mended.csv"], check=check)
    others = [here / "deep" / roster.name, here / "y.rejected.csv", here / "x.rejects.csv"]
    assert Outputs.beside(results, ".parquet", others, check=check).results == results


@pytest.mark.parametrize(
    ("tokens", "why"),
    [
        ("t.txt", r"t\.txt: auth tokens are written as \.csv, \.parquet, \.ndjson"),
        ("x.csv", r"x\.csv: another file of this job has that name"),
        ("x.rejected.csv", "another file of this job has that name"),
        ("x.leavers.csv", "another file of this job has that name"),
        ("users.csv", r"users\.csv: would overwrite the roster"),
    ],
)
def test_tokens_have_a_file_of_their_own(here: Path, tokens: str, why: str) -> None:
    """It is neither the roster nor another file of the job; else it is one of what the job writes."""
    (here / "users.csv").write_text("uid,name\n")
    with pytest.raises(OutputError, match=why):
        Outputs.beside(Path("x.csv"), ".csv", [Path("users.csv")], tokens=Path(tokens))
    named = Outputs.beside(Path("x.csv"), ".csv", [Path("users.csv")], tokens=Path("deep/x.tokens.csv"))
    assert named.paths()[-1] == named.tokens == Path("deep/x.tokens.csv")
    named.make_folder()
    assert (here / "deep").is_dir()


@pytest.mark.parametrize("name", ["results", "results.xls", "results.json", "results.csv.gz"])
def test_refuses_an_ending_it_cannot_write(name: str) -> None:
    """The format is the suffix: an unknown one is told with those that are known."""
    with pytest.raises(OutputError) as error:
        beside(Path(name), Path("users.csv"))
    said = "results are written as .csv, .parquet, .ndjson, .xlsx; give --output one of these endings"
    assert str(error.value) == f"{name}: {said}"
    assert FORMATS == (".csv", ".parquet", ".ndjson", ".xlsx")


def the_refused(results: Path, roster: Path) -> str:
    before = roster.read_text()
    with pytest.raises(OutputError) as error:
        beside(results, roster)
    assert roster.read_text() == before
    return str(error.value)


@pytest.mark.parametrize("spelling", ["users.csv", "./users.csv", "sub/../users.csv", "{here}/users.csv", "link.csv"])
def test_refuses_to_write_over_the_roster_however_it_is_spelled(here: Path, spelling: str) -> None:
    """The same file by a relative or absolute path or a symbolic link is still the roster."""
    (here / "sub").mkdir()
    (here / "users.csv").write_text("uid,name\n")
    (here / "link.csv").symlink_to("users.csv")
    results = Path(spelling.format(here=here))
    assert the_refused(results, here / "users.csv") == f"{results}: would overwrite the roster; choose another --output"


def test_refuses_a_hard_link_to_the_roster(here: Path) -> None:
    """Two names of one file are one file."""
    (here / "users.csv").write_text("uid,name\n")
    (here / "other.csv").hardlink_to(here / "users.csv")
    assert the_refused(Path("other.csv"), Path("users.csv")).startswith("other.csv: would overwrite the roster")


def test_refuses_a_folder_that_is_another_name_of_the_rosters(here: Path) -> None:
    """A symbolic link higher up changes nothing."""
    (here / "real").mkdir()
    (here / "alias").symlink_to("real")
    (here / "real" / "users.csv").write_text("uid,name\n")
    assert the_refused(Path("alias/users.csv"), Path("real/users.csv")).startswith("alias/users.csv: would overwrite")


def test_refuses_rejected_rows_that_would_replace_the_roster_they_come_from(here: Path) -> None:
    """Feeding in x.rejected.csv with -o x.csv would destroy it, or, with nothing rejected, remove it."""
    (here / "x.rejected.csv").write_text("uid,name,_row,_errors\n")
    said = the_refused(Path("x.csv"), Path("x.rejected.csv"))
    assert said == "x.rejected.csv: would overwrite the roster; choose another --output"
    assert beside(Path("y.csv"), Path("x.rejected.csv")).rejected == Path("y.rejected.csv")


def test_refuses_to_write_over_any_of_several_rosters(here: Path) -> None:
    """The second file is as precious as the first."""
    (here / "b.csv").write_text("uid,name\n")
    with pytest.raises(OutputError) as error:
        beside(Path("b.csv"), Path("a.csv"), Path("b.csv"))
    assert str(error.value) == "b.csv: would overwrite the roster; choose another --output"


def test_a_roster_that_is_not_there_is_the_readers_affair(here: Path) -> None:
    """Two paths that do not exist are compared by name; the missing roster is reported by whoever opens it."""
    with pytest.raises(OutputError, match=r"^sub/\.\./users\.csv: would overwrite the roster"):
        beside(Path("sub/../users.csv"), here / "users.csv")
    assert beside(Path("out.csv"), Path("users.csv")).results == Path("out.csv")


def test_a_roster_that_is_a_link_to_itself_is_the_readers_affair(here: Path) -> None:
    """Nothing a user can cause ends in a traceback."""
    (here / "users.csv").symlink_to("users.csv")
    assert beside(Path("out.csv"), Path("users.csv")).results == Path("out.csv")


@pytest.mark.slow
def test_refuses_to_log_into_the_roster(here: Path) -> None:
    """A slip of the shell's completion must not append JSON lines to the only copy of a roster."""
    (here / "users.csv").write_text("uid,name\nada,Ada\n")
    command = [
        sys.executable,
        "-c",
        "from provisioner.cli.app import main; main()",
        "run",
        "users.csv",
        "--emulator",
        "-q",
    ]
    done = subprocess.run(
        [*command, "--log-file", "./users.csv"], capture_output=True, text=True, timeout=60, check=False
    )
    assert (here / "users.csv").read_text() == "uid,name\nada,Ada\n"
    assert done.returncode == 2


# --- the folder ---


def test_a_missing_folder_is_made(here: Path) -> None:
    """With its parents; making it again is no error."""
    named = beside(Path("a/b/c/results.csv"), Path("users.csv"))
    named.make_folder()
    named.make_folder()
    assert [str(each.relative_to(here)) for each in here.rglob("*")] == ["a", "a/b", "a/b/c"]


MEND = "make room or mend that, then run the same command again"


@pytest.mark.parametrize(
    ("results", "said"),
    [
        ("file/results.csv", "file: the output folder cannot be made (file is a file); choose another --output"),
        (
            "file/sub/results.csv",
            "file/sub: the output folder cannot be made (file is a file); choose another --output",
        ),
        (
            "gone/r.csv",
            f"gone: the output folder cannot be made (gone is a link that leads nowhere); {MEND}",
        ),
        (
            "loop/r.csv",
            f"loop: the output folder cannot be made (loop is a link that leads nowhere); {MEND}",
        ),
    ],
)
def test_a_folder_that_cannot_be_made_is_told(here: Path, results: str, said: str) -> None:
    """The message names the folder and what is in the way."""
    (here / "file").touch()
    (here / "gone").symlink_to("nowhere")
    (here / "loop").symlink_to("loop")
    with pytest.raises(OutputError) as error:
        beside(Path(results), Path("users.csv")).make_folder()
    assert str(error.value) == said


@pytest.mark.parametrize("name", ["r.csv", "r.rejected.csv", "r.summary.json", "r.journal.db"])
def test_a_folder_in_the_place_of_an_output_is_told(here: Path, name: str) -> None:
    """Before anything is sent, not when the results are to be written."""
    (here / name).mkdir()
    with pytest.raises(OutputError) as error:
        beside(Path("r.csv"), Path("users.csv")).make_folder()
    assert str(error.value) == f"{name}: is a folder; choose another --output"


@pytest.mark.parametrize("name", ["r.csv", "r.rejected.csv", "r.summary.json", "r.journal.db", "t.csv"])
def test_what_is_no_file_in_the_place_of_an_output_is_told(here: Path, name: str) -> None:
    """Reading a pipe would wait for ever; the null device holds nothing and keeps nobody waiting."""
    outputs = Outputs.beside(Path("r.csv"), ".csv", [Path("users.csv")], tokens=Path("t.csv"))
    cure = "choose another --tokens-to" if name == "t.csv" else "choose another --output"

    def in_a_socket() -> None:
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(name)

    ways: dict[str, Callable[[], object]] = {
        "pipe": lambda: os.mkfifo(name),
        "socket": in_a_socket,
        "device": lambda: Path(name).symlink_to("/dev/zero"),
    }
    for what, make in ways.items():
        make()
        with pytest.raises(OutputError) as error:
            outputs.make_folder()
        assert str(error.value) == f"{name}: is a {what}, not a file; {cure}"
        Path(name).unlink()
    Path(name).symlink_to(os.devnull)
    outputs.make_folder()


@pytest.mark.parametrize("name", [".csv", "out/.NDJSON"])
def test_an_ending_alone_is_told_as_that(name: str) -> None:
    """It was told to have one of the endings, of which it is one."""
    ending = Path(name).name
    with pytest.raises(OutputError) as error:
        beside(Path(name), Path("users.csv"))
    assert str(error.value) == f"{name}: has no name before the ending; give --output one, such as results{ending}"
    with pytest.raises(OutputError) as error:
        Outputs.beside(Path("r.csv"), ".csv", [], tokens=Path(name))
    assert str(error.value) == f"{name}: has no name before the ending; give --tokens-to one, such as tokens{ending}"


@pytest.mark.parametrize("name", ["r.csv", "r.rejected.csv", "r.summary.json", "t.csv"])
@pytest.mark.parametrize("target", ["/nowhere/r.csv", "itself"])
def test_a_link_that_leads_nowhere_is_no_place_for_an_output(here: Path, name: str, target: str) -> None:
    """What is on a disk that is not mounted may be the only tokens; both cures that are told work."""
    outputs = Outputs.beside(Path("r.csv"), ".csv", [Path("users.csv")], tokens=Path("t.csv"))
    Path(name).symlink_to(name if target == "itself" else target)
    with pytest.raises(OutputError) as error:
        outputs.make_folder()
    cure = "mount the disk that it leads to, or remove the link"
    assert str(error.value) == f"{name}: is a link that leads nowhere; {cure}"
    Path(name).unlink()
    outputs.make_folder()
    (here / "mounted").touch()
    Path(name).symlink_to("mounted")
    outputs.make_folder()


def test_a_link_to_a_journal_that_is_still_to_be_made_is_let_alone(here: Path) -> None:
    """SQLite makes the file behind it: nothing takes the place of the link."""
    (here / "fast").mkdir()
    Path("r.journal.db").symlink_to("fast/r.db")
    beside(Path("r.csv"), Path("users.csv")).make_folder()
    assert Path("r.journal.db").readlink() == Path("fast/r.db")


def test_what_is_wrong_with_the_file_of_the_tokens_is_mended_by_its_own_option(here: Path) -> None:
    """Another --output would be another journal, and change nothing about them."""
    (here / "users.csv").touch()
    (here / "t.csv").mkdir()
    long = f"{'t' * 251}.csv"
    said = {
        "t.csv": "t.csv: is a folder",
        "users.csv": "users.csv: would overwrite the roster",
        "users.csv/t.csv": "users.csv: the output folder cannot be made (users.csv is a file)",
        long: f"{long}: cannot be an output (File name too long)",
    }
    for name, wrong in said.items():
        with pytest.raises(OutputError) as error:
            Outputs.beside(Path("r.csv"), ".csv", [Path("users.csv")], tokens=Path(name)).make_folder()
        assert str(error.value) == f"{wrong}; choose another --tokens-to"


def test_a_folder_that_cannot_be_written_to_is_told(nobody: Path) -> None:
    """A read-only folder is found out before anything is sent."""
    (nobody / "sealed").mkdir(0o500)
    with pytest.raises(OutputError) as error:
        beside(nobody / "sealed" / "r.csv", Path("users.csv")).make_folder()
    assert str(error.value) == f"{nobody}/sealed: the output folder cannot be written to; choose another --output"
    with pytest.raises(OutputError) as error:
        beside(nobody / "sealed" / "sub" / "r.csv", Path("users.csv")).make_folder()
    said = "the output folder cannot be made (Permission denied); choose another --output"
    assert str(error.value) == f"{nobody}/sealed/sub: {said}"


def test_another_output_is_no_cure_where_a_journal_lies(nobody: Path) -> None:
    """It would be a job that knows of nobody, and report our own users as existing."""
    (nobody / "sealed").mkdir()
    (nobody / "sealed" / "r.journal.db").write_text("what became of them")
    (nobody / "sealed" / "r.summary.json").mkdir()
    outputs = beside(nobody / "sealed" / "r.csv", Path("users.csv"))
    with pytest.raises(OutputError) as error:
        outputs.make_folder()
    assert str(error.value) == f"{nobody}/sealed/r.summary.json: is a folder; {MEND}"
    (nobody / "sealed").chmod(0o500)
    with pytest.raises(OutputError) as error:
        outputs.make_folder()
    assert str(error.value) == f"{nobody}/sealed: the output folder cannot be written to; {MEND}"


@pytest.mark.parametrize("name", ["r.csv", "r.rejected.csv", "r.summary.json"])
def test_what_another_account_keeps_is_told(name: str) -> None:
    """In a folder like `/tmp` it could not even be set aside, which was found out once everybody had been created."""
    if os.geteuid() != 0:
        pytest.skip("only root can give files to other accounts")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, name).write_text("theirs")
        os.chown(Path(folder, name), 1, -1)
        Path(folder).chmod(0o1777)
        os.setresuid(65534, 65534, 0)
        try:
            with pytest.raises(OutputError) as error:
                beside(Path(folder, "r.csv"), Path("users.csv")).make_folder()
            beside(Path(folder, "other.csv"), Path("users.csv")).make_folder()
        finally:
            os.setresuid(0, 0, 0)
        said = "belongs to another account, and only that may replace it in this folder; choose another --output"
        assert str(error.value) == f"{folder}/{name}: {said}"


def test_a_folder_that_cannot_be_entered_is_told(nobody: Path) -> None:
    """A folder without search permission is an unusable folder, not a bug of ours."""
    (nobody / "sealed").mkdir(0o600)
    with pytest.raises(OutputError):
        beside(nobody / "sealed" / "r.csv", Path("users.csv")).make_folder()


def test_a_name_that_becomes_too_long_is_told() -> None:
    """The results' own name fits in 255 bytes, that of the rejected rows does not: told before anything is sent."""
    with pytest.raises(OutputError):
        beside(Path("r" * 245 + ".csv"), Path("users.csv")).make_folder()


def test_the_files_of_a_job_lead_to_each_other(here: Path) -> None:
    """Of the results by a journal's name those that are there are meant, in whatever format, else a CSV."""
    results = Path("out/hr.2026.results.xlsx")
    assert (journal_of(results), summary_of(results), summary_of(results, check=True)) == (
        Path("out/hr.2026.results.journal.db"),
        Path("out/hr.2026.results.summary.json"),
        Path("out/hr.2026.results.check.summary.json"),
    )
    for file in (journal_of(results), summary_of(results), summary_of(results, check=True)):
        assert stem_of(file) == Path("out/hr.2026.results")
    assert (stem_of(results), results_of(Path("hr.state"))) == (None, None)
    assert results_of(journal_of(results)) == Path("out/hr.2026.results.csv")
    (here / "out").mkdir()
    (here / results).touch()
    assert results_of(journal_of(results)) == results


def test_a_workbook_has_room_for_a_million_rows() -> None:
    """It is known before anything is sent; other formats have room for any number."""
    assert SHEET_ROWS == LAST_ROW - 1
    beside(Path("r.xlsx"), Path("u.csv")).refuse_too_many(SHEET_ROWS)
    beside(Path("r.csv"), Path("u.csv")).refuse_too_many(SHEET_ROWS + 1)
    with pytest.raises(OutputError) as error:
        beside(Path("r.xlsx"), Path("u.csv")).refuse_too_many(SHEET_ROWS + 1)
    assert str(error.value) == (
        "r.xlsx: a workbook has room for 1,048,575 rows below its header, and there are 1,048,576; "
        "choose .csv, .parquet or .ndjson for --output"
    )


def test_what_tells_of_results_is_found_behind_a_refusal(tmp_path: Path) -> None:
    """It keeps the summary of the run before; where there was none, a refusal tells for itself."""
    run = {"rows": 1, "outputs": {"results": "a.csv"}}
    refusal = {"exit_code": 2, "outputs": {"summary": "a.summary.json"}}
    path, found = tmp_path / "a.summary.json", []
    for document in (run, {**refusal, "last_run": run}, refusal):
        path.write_text(json.dumps(document))
        found.append(told_of_results(path))
    assert found == [run, run, refusal]
    for text in ("{", "7", "[1]", "null"):
        path.write_text(text)
        with pytest.raises((ValueError, TypeError)):
            told_of_results(path)

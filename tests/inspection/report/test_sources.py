"""What belongs to one report is found by any of its names, and what is damaged is told, never raised."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from provisioner.errors import UsageError
from provisioner.inspection.report.sources import find_sources
from provisioner.journal.journal import Journal
from provisioner.journal.state.syncstate import SyncState
from tests.rig.journals import HERE, a_journal

SUMMARY = {
    "rows": 3,
    "outputs": {"results": "out.csv", "journal": "out.journal.db"},
    "defects": {"uid.charset": {"rows": 2, "first_rows": [1, 3], "mend": "write it otherwise"}},
}


@pytest.fixture
def job(tmp_path: Path) -> Path:
    """The folder of a job that ran."""
    (tmp_path / "out.summary.json").write_text(json.dumps(SUMMARY))
    (tmp_path / "out.csv").write_text("row,uid,uid_input,outcome\n1,,a b,rejected\n2,u2,u2,created\n3,x y,,rejected\n")
    a_journal(tmp_path / "out.journal.db")
    return tmp_path


@pytest.mark.parametrize("name", ["out.csv", "out.summary.json", "out.journal.db"])
def test_a_job_is_found_by_each_of_its_files(job: Path, name: str) -> None:
    """Results, summary and journal lead to the same report, with the uids of the rows that the summary names."""
    found = find_sources(job / name)
    assert (found.file, found.check, found.summary) == (job / "out.report.html", False, SUMMARY)
    assert found.overview is not None
    assert (dict(found.uids), found.missing) == ({1: "a b", 3: "x y"}, ())


@pytest.mark.parametrize("ending", ["csv", "ndjson", "xlsx", "parquet"])
def test_what_is_wrong_with_the_results_is_told_without_their_cells(tmp_path: Path, ending: str) -> None:
    """Somebody has edited them, or they are no results at all: neither a cell nor a name of a column is quoted."""
    (tmp_path / "out.summary.json").write_text('{"defects": {"uid.charset": {"rows": 1, "first_rows": [1]}}}')
    cells = {"row": ["Ann Lee"], "uid": ["ann@firm.example"], "uid_input": ["ann@firm.example"]}
    for frame in (pl.DataFrame(cells), pl.DataFrame({"ann@firm.example": ["Ann Lee"]})):
        file = tmp_path / f"out.{ending}"
        if ending == "parquet":
            frame.write_parquet(file)
        else:
            file.write_text(frame.write_ndjson() if ending == "ndjson" else frame.write_csv())
        (missing,) = find_sources(file).missing
        assert missing == f"{file.name} cannot be read as results"


def test_how_a_run_ended_whose_journal_took_no_more_is_in_its_summary(job: Path) -> None:
    """Nobody killed it: the line of that run is of its end."""
    with Journal(job / "out.journal.db", HERE) as journal:
        journal.course.begin(100.0, "run", {})
    times = {"started_at": "1970-01-01T00:01:39.500Z", "finished_at": "1970-01-01T00:01:41.000Z"}
    (job / "out.summary.json").write_text(json.dumps(SUMMARY | times | {"stopped_by": "storage", "requests": 5}))
    found = find_sources(job / "out.csv")
    assert found.overview is not None
    last = found.overview.course[-1]
    assert (last.finished, last.stopped_by, last.requests) == (101.0, "storage", 5)


def test_a_check_has_a_report_of_its_own(job: Path) -> None:
    """Named by its summary, or found when there was no run; it tells nothing of the journal."""
    (job / "out.check.summary.json").write_text('{"rows": 7}')
    assert find_sources(job / "out.csv").summary["rows"] == 3
    found = find_sources(job / "out.check.summary.json")
    assert (found.file, found.check, found.overview) == (job / "out.check.report.html", True, None)
    (job / "out.summary.json").unlink()
    (job / "out.journal.db").unlink()
    assert find_sources(job / "out.csv").summary == {"rows": 7}


def test_a_state_is_known_for_what_it_is(tmp_path: Path) -> None:
    """Whatever it is called."""
    with SyncState(tmp_path / "hr.state", HERE, make=True) as state:
        number = state.begin_night(100.0)
        state.end_night(number, 130.0, 5, {"created": 5}, good=True)
    found = find_sources(tmp_path / "hr.state")
    assert found.overview is not None
    assert (found.file.name, found.results) == ("hr.report.html", None)
    assert [night.summary for night in found.overview.nights] == [{"created": 5}]


def test_a_sync_finds_its_state_where_it_is_now(tmp_path: Path) -> None:
    """Named in the summary as it was given then, or beside it since."""
    SyncState(tmp_path / "hr.state", HERE, make=True).__enter__().__exit__(None, None, None)
    outputs = {"results": "users.results.csv", "journal": "/gone/hr.state"}
    (tmp_path / "users.results.summary.json").write_text(json.dumps({"rows": 1, "outputs": outputs}))
    found = find_sources(tmp_path / "users.results.csv")
    assert found.overview is not None
    assert found.overview.place.journal == tmp_path / "hr.state"


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("out.summary.json", b'{"rows": ', "out.summary.json cannot be read"),
        ("out.summary.json", b"[1]", "out.summary.json is no JSON object"),
        ("out.journal.db", b"SQLite format 3\0" + b"x" * 5000, "cannot be read as a journal"),
        ("out.journal.db", b"uid,name", "cannot be read as a journal"),
        ("out.csv", b"a,b\n1,2\n", "out.csv cannot be read"),
        ("out.proof.json", b"{", "out.proof.json cannot be read"),
        ("out.undo.summary.json", b"null", "out.undo.summary.json is no JSON object"),
    ],
)
def test_what_is_damaged_is_told_and_the_rest_is_used(job: Path, name: str, content: bytes, told: str) -> None:
    """One sentence, and no traceback for a file of anybody's making."""
    (job / name).write_bytes(content)
    assert [told in each for each in find_sources(job / "out.csv").missing] == [True]


def test_nothing_to_report_on_is_wrong_usage(tmp_path: Path) -> None:
    """It says what was looked for."""
    with pytest.raises(UsageError, match=r"neither out\.summary\.json nor out\.journal\.db is there"):
        find_sources(tmp_path / "out.csv")
    (tmp_path / "x.db").write_bytes(b"SQLite format 3\0" + b"x" * 5000)
    with pytest.raises(UsageError, match="name a run's results file or a state"):
        find_sources(tmp_path / "x.db")

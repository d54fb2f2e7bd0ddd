"""The tables of a report: whole where the documents are as they should be, and wary where they are not."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from provisioner.inspection.record.overview import Overview
from provisioner.inspection.record.places import Place
from provisioner.inspection.report import chapters
from provisioner.inspection.report.chapters import Finding
from provisioner.journal.course.table import PastRun
from provisioner.journal.header import Identity
from provisioner.journal.state.nights import Night
from provisioner.model import Outcome
from tests.journal.course.test_points import a_point


def an_overview(*, in_use: bool = False, in_doubt: int = 0, **facts: Any) -> Overview:
    usual: dict[str, Any] = {
        "place": Place(Path("j.db"), None), "owner": Identity("app1", "https://h/v3"), "outcomes": {},
        "holder": "process 1" if in_use else None, "doubted": Counter({Outcome.PENDING: in_doubt}),
    }  # fmt: skip
    return Overview(**usual | facts)


def a_run(number: int, **facts: Any) -> PastRun:
    usual: dict[str, Any] = {
        "number": number, "started": number * 1000.0, "finished": number * 1000.0 + 60, "command": "run",
        "epoch": None, "asked": {}, "stopped_by": None, "requests": 600,
    }  # fmt: skip
    return PastRun(**usual | facts)


def test_findings_name_first_rows_with_uids_and_the_cure() -> None:
    """The most frequent first; a uid is cut and shown without what cannot be seen."""
    found = {
        "name.missing": {"rows": 1, "first_rows": [4], "mend": "give the row a name"},
        "uid.charset": {"rows": 9, "first_rows": [1, 2], "mend": "write it otherwise"},
    }
    assert chapters.findings(found, {1: "a\u200bb", 2: "x" * 50}) == [
        Finding("uid.charset", 9, "1 (a\\u200bb), 2 (" + "x" * 40 + "…), …", "write it otherwise"),
        Finding("name.missing", 1, "4", "give the row a name"),
    ]


def test_failures_name_codes_and_rows_and_not_the_words_of_the_api() -> None:
    """They may quote the row; where to read them is said."""
    overview = an_overview(failed={"ERR_BAD_REQUEST": [(7, "ann")], "in_doubt": [(8, "bob")]})
    cures = [
        "see error_message in the results, mend the row or the app, and run the same command again",
        "run the same command again: it finds out whether these users were created",
    ]
    assert chapters.failures({"ERR_BAD_REQUEST": 3, "in_doubt": 1}, overview) == [
        Finding("ERR_BAD_REQUEST", 3, "7 (ann), …", cures[0]), Finding("in_doubt", 1, "8 (bob)", cures[1]),
    ]  # fmt: skip
    assert [each.code for each in chapters.failures({}, overview)] == ["ERR_BAD_REQUEST", "in_doubt"]


@pytest.mark.parametrize(
    "odd", [None, [], "x", {"a": None}, {"a": {"rows": "9", "first_rows": "12"}}, {"a": {"first_rows": [None]}}]
)
def test_documents_that_are_not_as_they_should_be_raise_nothing(odd: object) -> None:
    """Whoever wrote them."""
    assert {each.rows for each in chapters.findings(odd, {})} <= {0}
    assert chapters.files(odd).lines == []


def test_runs_are_told_with_limits_pauses_and_ends() -> None:
    """One stopped, one killed, one that is going on; columns that are empty in all of them are left out."""
    overview = an_overview(
        in_use=True,
        course=[
            a_run(1, stopped_by="sigint"),
            a_run(2, finished=None, requests=None),
            a_run(3, finished=None, requests=None),
        ],
        points=[
            a_point(run=1, settled=100, paused=2.5, rate_limited=3), a_point(run=1, settled=50, core_limit=600.0),
            a_point(run=2, ends_at=2010.0, requests=50), a_point(run=3, ends_at=3001.0, core=0, standard=9),
        ],
    )  # fmt: skip
    grid = chapters.runs(overview)
    assert list(grid.heads) == [
        "what", "began", "took", "requests", "rows settled", "a minute", "limit a minute", "paused", "429", "ended",
    ]  # fmt: skip
    assert [list(line) for line in grid.lines] == [
        ["run", "1970-01-01 00:16:40", "1 min 0 s", "600", "150", "600", "9,000 → 600", "3 s", "3",
         "stopped: sigint"],
        ["run", "1970-01-01 00:33:20", "10 s", "50", "149", "300", "9,000", "", "", "killed"],
        ["run", "1970-01-01 00:50:00", "1 s", "150", "149", "9,000", "18,000", "", "", "still running"],
    ]  # fmt: skip
    assert "paused" not in chapters.runs(an_overview(course=[a_run(1)], points=[a_point()])).heads


def test_nights_are_told_the_latest_first() -> None:
    """Counts that no night has are left out; a killed night has no numbers."""
    nights = [
        Night(1, 1, 0.0, 60.0, True, 5, {"created": 5, "updated": 0, "requests": 6}),
        Night(2, 2, 86400.0, 86430.0, False, 5, {"stopped_by": "max_deactivations", "failed": 1}),
        Night(3, 2, 90000.0, None, False, None, {}),
    ]
    grid = chapters.nights(nights, in_use=False)
    assert list(grid.heads) == ["night", "began", "rows", "new", "failed", "requests", "took", "ended"]
    assert [list(line) for line in grid.lines] == [
        ["3", "1970-01-02 01:00", "", "", "", "", "", "killed"],
        ["2", "1970-01-02 00:00", "5", "", "1", "", "30 s", "stopped: max_deactivations"],
        ["1", "1970-01-01 00:00", "5", "5", "", "6", "1 min 0 s", "good"],
    ]
    assert chapters.nights(nights, in_use=True).lines[0][-1] == "still running"


def a_night(number: int, epoch: int, attempt: int = 1, **summary: Any) -> Night:
    finished = None if summary.get("stopped_by") == "killed" else 60.0
    return Night(number, epoch, 0.0, finished, not summary.get("stopped_by"), 5, summary, attempt)


REFUSED: dict[str, Any] = {"stopped_by": "empty_roster", "refused": [{"reason": "empty_roster"}]}


@pytest.mark.parametrize(
    ("attempts", "told"),
    [
        ([{"stopped_by": "sigint", "created": 6}, {"stopped_by": "killed"}, {"created": 40}], 4),
        ([{"stopped_by": "sigint", "created": 6}, {"stopped_by": "sigint", "created": 12}, REFUSED], 3),
        ([{"stopped_by": "sigint", "created": 6}, {"stopped_by": "killed"}, {"stopped_by": "not_confirmed"}], 2),
        ([{"stopped_by": "killed"}, {**REFUSED, "created": 6}, {"stopped_by": "killed"}], 3),
        ([{"stopped_by": "killed"}, {"stopped_by": "killed"}, {"stopped_by": "killed"}], 4),
    ],
)
def test_a_night_in_several_attempts_counts_once(attempts: list[dict[str, Any]], told: int) -> None:
    """By the last that tells what the night has changed so far; the nights around it by themselves."""
    tried = [a_night(2 + place, 2, 1 + place, **each) for place, each in enumerate(attempts)]
    nights = [a_night(1, 1), *tried, a_night(5, 3)]
    assert [night.number for night in chapters.each_once(nights)] == [1, told, 5]
    grid = chapters.nights(nights, in_use=False)
    assert list(grid.heads)[-2:] == ["attempt", "ended"]
    assert [line[-2] for line in grid.lines] == ["1", "3", "2", "1", "1"]


def test_a_proof_and_an_undo_are_told_by_the_keys_that_are_known() -> None:
    """Others are left out, and of lists that may name people only how long they are."""
    proof = {
        "app_id": "app1", "matching": 4990, "differing": {"name": 3, "role": 2, "link": 0}, "missing": ["ann", "bob"],
        "compared_fields": ["name"], "not_compared": {"tags": "no column"}, "surprise": "ann@example.org",
        "exit_code": 1,
    }  # fmt: skip
    assert chapters.proof(proof) == [
        ("matching", "4,990"), ("differing, by field", "name 3, role 2"), ("missing in the app", "2"),
        ("fields compared", "name"), ("fields not compared", "tags"),
    ]  # fmt: skip
    undo = {"reversed": 7, "kept": 2, "kept_by_reason": {"changed": 2}, "done": {}, "failed": {"ann": "no such user"}}
    assert chapters.undo(undo) == [("reversed", "7"), ("kept as they are", "2"), ("why", "changed 2"), ("failed", "1")]
    assert (chapters.proof({}), chapters.undo({})) == ([], [])


def test_options_are_told_as_people_write_them() -> None:
    """A share in percent, yes and no, thousands apart."""
    asked = {"roster": ["r.csv"], "requests_per_minute": 10000, "share": 0.9, "check_roles": False, "limit": "x"}
    assert chapters.options(asked) == [
        ("requests_per_minute", "10,000"), ("share", "90%"), ("check_roles", "no"), ("limit", "x"),
    ]  # fmt: skip

"""Promise: one document that holds every job and adds them up, and a table that names those who need somebody."""

from __future__ import annotations

from pathlib import Path

from provisioner.errors import ExitCode
from provisioner.fleet.jobs import Job
from provisioner.fleet.standing import Ended, Phase, Standing
from provisioner.fleet.summary import FleetSummary
from provisioner.results.tables import printed
from provisioner.stop import Stop


def a_standing(name: str, ended: Ended | None, phase: Phase = Phase.ENDED) -> Standing:
    return Standing(Job(name, name, "run", ("r.csv",), Path("o.csv")), phase, starts=1, ended=ended)


def a_summary() -> FleetSummary:
    good = Ended(0, {"rows": 10, "created": 10, "pending": 0, "requests": 10, "outputs": {"results": "a.csv"}})
    some = Ended(1, {"rows": 5, "created": 3, "rejected": 2, "pending": 0, "requests": 3})
    refused = Ended(4, {"rows": 9, "created": 0, "pending": 9, "message": "the key was refused"})
    standings = [
        a_standing("good", good),
        a_standing("some", some),
        a_standing("refused", refused),
        a_standing("broken", Ended(-9, message="killed")),
        a_standing("later", None, Phase.WAITING),
    ]
    return FleetSummary(standings, 0.0, 60.0, None, Path("summary.json"))


def test_totals_are_what_the_jobs_say_added_up() -> None:
    """A job without a summary adds nothing, and is named: the sums are of fewer rows than the rosters have."""
    document = a_summary().document
    assert document["totals"] == {"rows": 24, "created": 13, "pending": 9, "rejected": 2, "requests": 13} | {
        key: value for key, value in document["totals"].items() if value == 0
    }
    assert (document["ended"], document["not_begun"], document["requests_per_minute"]) == (4, 1, 13.0)
    assert [job["exit_code"] for job in document["jobs"]] == [0, 1, 4, 137, None]
    assert document["jobs"][0]["outputs"] == {"results": "a.csv"}
    assert document["not_counted"] == ["broken", "later"]
    told = "not counted: broken, later; `provisioner status OUTPUT` tells what a job has done"
    assert told in printed(a_summary().show)


def test_sums_of_all_jobs_leave_nothing_to_say() -> None:
    """Also when a roster had no row; and one of a thing is one."""
    whole = FleetSummary([a_standing("empty", Ended(0, {"rows": 0}))], 0.0, 60.0, None, Path("summary.json"))
    assert (whole.document["not_counted"], "not counted" in printed(whole.show)) == ([], False)
    one = Ended(0, {"rows": 1, "created": 1, "requests": 1, "retries": 1, "tokens": 1})
    told = printed(FleetSummary([a_standing("one", one)], 0.0, 60.0, None, Path("summary.json")).show)
    assert "1 row · 1 created · 1 request · 1 retried · 1 token · 1 min 0 s" in told


def test_a_killed_job_is_a_bug_until_somebody_has_looked() -> None:
    """137 is no exit code of ours: the fleet ends with 70."""
    assert a_summary().exit_code is ExitCode.BUG


def test_what_goes_on_is_named_and_is_not_taken_for_not_begun() -> None:
    """A process that the fleet has neither started nor stopped is still sending: the document says which."""
    left = a_standing("left", None, Phase.RUNNING)
    left.waits_for = "process 7 on elsewhere"
    stop = Stop("sigterm", "interrupted by SIGTERM", ExitCode.SIGTERM)
    document = FleetSummary([left, a_standing("later", None, Phase.WAITING)], 0.0, 1.0, stop, Path("s.json")).document
    assert {name: document[name] for name in ("ended", "held_back", "running", "not_begun", "message")} == {
        "ended": 0, "held_back": 0, "running": 1, "not_begun": 1,
        "message": "interrupted by SIGTERM; still running: left (process 7 on elsewhere)",
    }  # fmt: skip
    message = "in use by process 7 on elsewhere, which goes on: whether it is a job of this file cannot be told; "
    assert [job["message"] for job in document["jobs"]] == [f"{message}SIGTERM stops it properly", None]


def test_people_read_the_jobs_that_need_somebody() -> None:
    """Each with its exit code and the sentence that goes with it; those that are done are counted."""
    text = printed(a_summary().show)
    assert "refused  exit 4    the key was refused" in text
    assert "some     exit 1    2 rejected" in text
    assert "later    waiting" in text
    assert "good" not in text.replace("goods", "").split("5 jobs")[0]
    assert "5 jobs, 1 with nothing left to do" in text

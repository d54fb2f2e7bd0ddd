"""The summary: numbers that add up, the same for machines and for people."""

from __future__ import annotations

import io
import json
import os
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from structlog.testing import capture_logs

from provisioner.errors import ExitCode
from provisioner.model import Outcome
from provisioner.results.findings import CreateRequest, Mended, Report, RosterFile
from provisioner.results.lines import Counts
from provisioner.results.manifest import Record
from provisioner.results.outputs import Outputs
from provisioner.results.summary import Estimate, Summary, encode, write_summary, written
from provisioner.roster.shard import Shard, Share
from provisioner.stop import Stop
from provisioner.tally import Tally
from provisioner.validation.constraints import DEFECTS
from provisioner.validation.rules import Found
from provisioner.validation.warnings import WARNINGS
from provisioner.wording import duration
from tests.rig.tally import a_tally

STARTED = 1_700_000_000.5
NOTHING: dict[str, str | None] = {"results": None, "rejected": None, "summary": "r.summary.json", "journal": None}
STOP = Stop("key", "the API key is not accepted", ExitCode.API)
CLEAN = Report({}, {})
SIX = ("rejected", "created", "existing", "updated", "failed", "pending")


def a_summary(outcomes: Mapping[str, int], stop: Stop | None = None, estimate: Estimate | None = None) -> Summary:
    """Make a summary of that many rows of each outcome."""
    counts = Counts(Counter(outcomes), Counter({"ERR_X": outcomes.get("failed", 0)}), tokens=outcomes.get("created", 0))
    tally = a_tally(checked=sum(outcomes.values()), rejected=outcomes.get("rejected", 0))
    report = Report({"uid.missing": Found(outcomes["rejected"], (1,))} if outcomes.get("rejected") else {}, {})
    return Summary(counts, tally, report, STARTED, STARTED + 61.23456, stop, NOTHING, estimate)


def shown(summary: Summary, width: int = 100) -> str:
    """What a person reads, without the blanks that pad a table."""
    console = Console(file=io.StringIO(), width=width, highlight=False)
    with console.capture() as captured:
        summary.show(console)
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


# --- the document ---


def test_the_document_has_the_keys_of_the_contract_in_its_order() -> None:
    """Promise 1, for machines: whole values, codes in alphabetical order, times in UTC, paths as given."""
    outputs = {"results": "o/r.csv", "rejected": "o/r.rejected.csv", "summary": "s", "journal": "j"}
    counts = Counts(
        Counter(rejected=2, created=5, existing=1, updated=3, failed=4, pending=6),
        Counter(Z=1, A=3),
        tokens=5,
        deactivated=7,
    )
    tally = a_tally(
        checked=21, rejected=2, sent=31, retries=7, rate_limited=2, first=10.0, last=40.0
    )  # fmt: skip
    report = Report({"uid.missing": Found(2, (3, 4)), "name.missing": Found(1, (3,))}, {"name.twin": Found(6, (1, 2))})
    tally.outcomes.edited = 8
    record = Record(("/hr/users.csv",), {"rejected": "5e1f"})
    document = Summary(counts, tally, report, STARTED, STARTED + 61.23456, STOP, outputs, record=record).document
    assert list(document.items()) == [
        ("rows", 21),
        ("rejected", 2),
        ("created", 5),
        ("existing", 1),
        ("updated", 3),
        ("failed", 4),
        ("pending", 6),
        ("deactivated", 7),
        ("edited", 8),
        ("requests", 31),
        ("retries", 7),
        ("rate_limited", 2),
        ("tokens", 5),
        ("rejected_by_code", {"name.missing": 1, "uid.missing": 2}),
        ("failed_by_code", {"A": 3, "Z": 1}),
        ("started_at", "2023-11-14T22:13:20.500Z"),
        ("finished_at", "2023-11-14T22:14:21.734Z"),
        ("elapsed_seconds", 61.235),
        ("requests_per_minute", 60.0),
        ("stopped_by", "key"),
        ("message", "the API key is not accepted"),
        ("exit_code", 4),
        ("outputs", outputs),
        ("roster", ["/hr/users.csv"]),
        ("digests", {"rejected": "5e1f"}),
        (
            "defects",
            {
                "name.missing": {"rows": 1, "first_rows": [3], "mend": DEFECTS["name.missing"].mend},
                "uid.missing": {"rows": 2, "first_rows": [3, 4], "mend": DEFECTS["uid.missing"].mend},
            },
        ),
        ("warnings", {"name.twin": {"rows": 6, "first_rows": [1, 2], "mend": WARNINGS["name.twin"].mend}}),
    ]
    assert [list(document[key]) for key in ("rejected_by_code", "failed_by_code", "defects")] == [
        ["name.missing", "uid.missing"],
        ["A", "Z"],
        ["name.missing", "uid.missing"],
    ]


def test_an_estimate_comes_last_and_only_when_nothing_is_sent() -> None:
    """`validate` and `--dry-run` say what a run would take; a run does not."""
    checked = a_summary({"rejected": 1, "pending": 2}, estimate=Estimate(2, 0.0123)).document
    assert list(checked.items())[-1] == ("estimate", {"requests": 2, "seconds": 0.0})
    assert "estimate" not in a_summary({"created": 1}).document


@given(outcomes=st.dictionaries(st.sampled_from(SIX), st.integers(0, 10**9)))
def test_the_outcomes_of_the_document_add_up_to_its_rows(outcomes: dict[str, int]) -> None:
    """Promise 1: rows = rejected + created + existing + updated + failed + pending, whatever happened."""
    document = a_summary(outcomes, STOP).document
    assert document["rows"] == sum(document[each] for each in SIX) == sum(outcomes.values())


@pytest.mark.parametrize(
    "tally",
    [
        a_tally(checked=4, rejected=1),
        a_tally(checked=2, rejected=1),
        a_tally(checked=3, rejected=0),
        a_tally(checked=3, rejected=2),
    ],
)
def test_numbers_that_do_not_add_up_make_no_summary(tally: Tally) -> None:
    """Rows lost or found between the rules and the results are a bug that is told, not a total that is written."""
    counts = Counts(Counter(rejected=1, created=2))
    with pytest.raises(AssertionError, match=r"rows were read, \d rejected, but the results say"):
        Summary(counts, tally, CLEAN, STARTED, STARTED, None, NOTHING)


def test_a_row_left_over_without_a_reason_makes_no_summary() -> None:
    """Pending rows belong to a run that was stopped or that sent nothing; else one was forgotten."""
    with pytest.raises(AssertionError, match="2 rows have no outcome, but nothing stopped the run"):
        a_summary({"created": 1, "pending": 2})
    assert a_summary({"created": 1, "pending": 2}, stop=STOP).document["pending"] == 2
    assert a_summary({"pending": 2}, estimate=Estimate(2, 1.0)).document["pending"] == 2


def test_an_outcome_that_is_none_of_the_six_makes_no_summary() -> None:
    """The promised sum is asserted over the six outcomes that are written, not over whatever was counted."""
    with pytest.raises(AssertionError):
        a_summary({"created": 1, "sent": 1}, STOP)


@pytest.mark.parametrize(
    ("outcomes", "stop", "code"),
    [
        ({}, None, 0),
        ({"created": 1, "existing": 1, "updated": 1}, None, 0),
        ({"created": 1, "rejected": 1}, None, 1),
        ({"created": 1, "failed": 1}, None, 1),
        ({"failed": 1, "pending": 1}, Stop("error_budget", "", ExitCode.SAFETY), 3),
        ({"created": 1, "pending": 1}, STOP, 4),
        ({"created": 1}, Stop("sigint", "", ExitCode.SIGINT), 130),
        ({"rejected": 1}, Stop("sigterm", "", ExitCode.SIGTERM), 143),
    ],
)
def test_the_exit_code_is_that_of_the_contract(outcomes: dict[str, int], stop: Stop | None, code: int) -> None:
    """0 all well, 1 some rows rejected or failed, else what stopped the run."""
    assert a_summary(outcomes, stop).exit_code == code


@pytest.mark.parametrize(
    ("outcomes", "code"), [({"pending": 3}, 0), ({"pending": 3, "rejected": 1}, 1), ({"rejected": 1}, 1), ({}, 0)]
)
def test_what_sends_nothing_exits_by_the_rejected_rows_alone(outcomes: dict[str, int], code: int) -> None:
    """`validate` and `--dry-run` give 0 or 1: that nobody was created is what was asked for."""
    assert a_summary(outcomes, estimate=Estimate(3, 1.0)).exit_code == code


def test_the_rate_is_that_between_the_first_and_the_last_request() -> None:
    """Neither the reading before nor the writing after counts; fewer than two requests have no rate."""
    for tally, rate in (
        (a_tally(sent=1, first=5.0, last=5.0), 0.0),
        (a_tally(sent=2, first=5.0, last=5.0), 0.0),
        (a_tally(sent=101, first=5.0, last=15.0), 600.0),
    ):
        assert Summary(Counts(), tally, CLEAN, STARTED, STARTED, None, NOTHING).document["requests_per_minute"] == rate


@pytest.mark.parametrize(
    ("results", "rejected", "told"),
    [
        (True, True, {"results": "o/r.csv", "rejected": "o/r.rejected.csv", "summary": "s", "journal": "o/j.db"}),
        (True, False, {"results": "o/r.csv", "rejected": None, "summary": "s", "journal": "o/j.db"}),
        (False, True, {"results": None, "rejected": "o/r.rejected.csv", "summary": "s", "journal": None}),
    ],
)
def test_only_files_that_were_written_are_named(results: bool, rejected: bool, told: dict[str, Any]) -> None:
    """As given, not made absolute: the paths go into the next command."""
    outputs = Outputs(Path("o/r.csv"), Path("o/r.rejected.csv"), Path("s"), Path("o/j.db"))
    assert written(outputs, outputs.rejected if rejected else None, results=results) == told


# --- for people ---


@pytest.mark.parametrize("sent", [0, 2])
def test_nobody_was_sent_to_the_emulator_when_nothing_was_sent(sent: int) -> None:
    """A second run on an unchanged roster says that no request was sent, and nothing else of requests."""
    counts, tally = Counts(Counter(created=1)), a_tally(checked=1, rejected=0, valid=1, sent=sent)
    outputs = {**NOTHING, "results": "r.csv"}
    summary = Summary(counts, tally, CLEAN, STARTED, STARTED, None, outputs, emulated=True)
    told = "sent to the built-in emulator: nobody was created in an app" in shown(summary)
    assert (told, "no request was sent" in shown(summary)) == (bool(sent), not sent)


def test_the_table_says_what_happened_and_what_to_do() -> None:
    """Every outcome that occurred; where the rejected rows are; what it took; then each defect, and how to mend it."""
    outputs = {"results": "r.csv", "rejected": "r.rejected.csv", "summary": "s", "journal": "j"}
    counts = Counts(Counter(rejected=1200, created=5, failed=3), Counter(ERR_A=1, ERR_B=2), tokens=5)
    tally = a_tally(checked=1208, rejected=1200, sent=1031, retries=7, rate_limited=2)
    report = Report({"name.missing": Found(5, (2, 3, 5, 7, 11)), "uid.missing": Found(1195, (1, 4, 6, 8, 9))}, {})
    assert shown(Summary(counts, tally, report, STARTED, STARTED + 61.2, None, outputs)).splitlines() == [
        "1,208  rows",
        "    5  created",
        "1,200  rejected  mend them in r.rejected.csv and feed that file in",
        "    3  failed    ERR_B 2, ERR_A 1",
        "1,031 requests in 1 min 2 s (7 retried, 2 rate-limited); 5 auth tokens",
        "results: r.csv",
        "",
        "code           rows  first rows        how to mend",
        "uid.missing   1,195  1, 4, 6, 8, 9, …  give the row a uid",
        "name.missing      5  2, 3, 5, 7, 11    give the row a name",
    ]


def test_rejected_rows_of_a_shard_are_mended_once_they_are_merged() -> None:
    """What was fed in of one shard alone would be in no set of results with the others."""
    where = NOTHING | {"rejected": "u.shards/s.rejected.csv"}
    record = Record(share=Share(Shard(2, 2), 1, 4, "f"))
    one = a_summary({"rejected": 1})
    of_shard = shown(replace(one, outputs=where, record=record), 200).splitlines()[1]
    todo = "see u.shards/s.rejected.csv; once all shards have run, merge u.shards and mend the rejected rows of that"
    assert of_shard == f"1  rejected  {todo}"


def test_the_table_of_a_dry_run_says_what_a_run_would_take() -> None:
    """Requests and time at the rate that is set; nothing about results, since there are none."""
    assert shown(a_summary({"pending": 20_000}, estimate=Estimate(20_000, 133.3))).splitlines() == [
        "20,000  rows",
        "20,000  pending",
        "nothing was sent; it would take 20,000 requests and at least 2 min 14 s",
    ]


def test_one_of_a_thing_is_one() -> None:
    """`1 request`, not `1 requests`, wherever something is counted."""
    tally = a_tally(checked=1, sent=1)
    sent = Summary(Counts(Counter(created=1), tokens=1), tally, CLEAN, STARTED, STARTED, None, NOTHING)
    assert shown(sent).splitlines() == ["1  row", "1  created", "1 request in 0 s; 1 auth token"]
    assert shown(a_summary({"pending": 1}, estimate=Estimate(1, 0.1))).splitlines() == [
        "1  row",
        "1  pending",
        "nothing was sent; it would take 1 request and at least 1 s",
    ]


def test_what_else_was_found_is_told_a_line_each() -> None:
    """Mended rows, limits that differ, files: for people between what it took and the table, for machines by key."""
    files = (RosterFile("a.csv", 1, 2), RosterFile("b.csv", 3, 1))
    report = Report({}, {}, Mended(3, 1), files, {"uid_max_length": 50})
    summary = Summary(Counts(Counter(pending=3)), a_tally(checked=3), report, STARTED, STARTED, STOP, NOTHING)
    assert shown(summary).splitlines() == [
        "3  rows",
        "3  pending",
        "2 of 3 rows mended; 1 is still rejected",
        "limits that the config overrides: uid_max_length (50 characters, documented 100 characters)",
        "rows 1 to 2: a.csv",
        "row 3: b.csv",
    ]
    assert list(summary.document.items())[-5:] == [
        ("defects", {}),
        ("warnings", {}),
        ("mended", {"before": 3, "mended": 2, "rejected": 1}),
        ("files", [{"name": "a.csv", "first_row": 1, "rows": 2}, {"name": "b.csv", "first_row": 3, "rows": 1}]),
        ("constraints_overridden", {"uid_max_length": 50}),
    ]


def test_requests_are_shown_before_everything_else() -> None:
    """Each on a line of its own that can be copied; for machines the body is an object."""
    body = '{"uid":"a","name":"' + "n" * 90 + '","withAuthToken":true}'
    summary = Summary(
        Counts(Counter(pending=1)),
        a_tally(checked=1),
        Report({}, {}, requests=(CreateRequest(7, body),)),
        STARTED, STARTED, None, NOTHING, Estimate(1, 1.0),
    )  # fmt: skip
    assert shown(summary, width=60).splitlines()[:4] == ["POST /users  row 7", body, "", "1  row"]
    assert summary.document["shown_requests"] == [
        {
            "row": 7,
            "method": "POST",
            "path": "/users",
            "body": {"uid": "a", "name": "n" * 90, "withAuthToken": True},
        }
    ]


@pytest.mark.parametrize("number", ["0.1234567890123456789012345", "1e5", "9" * 5000])
def test_a_request_is_shown_with_the_numbers_that_are_sent(number: str) -> None:
    """To programs as well: a float or Python would make others of them."""
    body = f'{{"uid": "a", "name": "A", "metadata": {{"n": {number}}}}}'
    assert body in encode(CreateRequest(1, body).document).decode()


def test_a_run_that_had_nothing_to_do_says_so() -> None:
    """The same command again: no request, and why; a roster without rows or a stopped run says nothing of the kind."""
    settled = "no request was sent: earlier runs had settled every valid row"
    outputs = NOTHING | {"results": "r.csv"}

    def table(counts: Counts, checked: int, stop: Stop | None) -> str:
        return shown(Summary(counts, a_tally(checked=checked, valid=checked), CLEAN, STARTED, STARTED, stop, outputs))

    assert settled in table(Counts(Counter(created=1)), 1, None)
    assert settled not in table(Counts(), 0, None)
    tally = a_tally(checked=1, valid=1)
    tally.outcomes.settled[Outcome.EXISTING] = 1
    left = shown(Summary(Counts(Counter(existing=1)), tally, CLEAN, STARTED, STARTED, None, outputs))
    assert "no request was sent: 1 edited row of users that were there before, who are left as they are" in left
    tally.outcomes.edited = 1
    edited = shown(Summary(Counts(Counter(created=1)), tally, CLEAN, STARTED, STARTED, None, outputs))
    assert "1 created 1 edited since, and brought up to date" in " ".join(edited.split())
    assert settled not in table(Counts(Counter(pending=1)), 1, STOP)


@pytest.mark.parametrize("path", ["runs[old]/r.rejected.csv", "runs[/old]/r.rejected.csv"])
def test_brackets_in_a_path_are_brackets(path: str) -> None:
    """Folders are named by users; the path that is shown is the path that is there."""
    counts = Counts(Counter(rejected=1))
    summary = Summary(
        counts, a_tally(checked=1, rejected=1), CLEAN, STARTED, STARTED, None, NOTHING | {"rejected": path}
    )
    assert f"mend them in {path} and feed that file in" in shown(summary)


def test_brackets_in_a_code_are_brackets() -> None:
    """What a server says is shown, not carried out."""
    counts = Counts(Counter(failed=1), Counter({"[red]ERR[/]": 1}))
    assert "[red]ERR[/] 1" in shown(Summary(counts, a_tally(checked=1), CLEAN, STARTED, STARTED, None, NOTHING))


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (0.001, "1 s"),
        (59, "59 s"),
        (59.1, "1 min 0 s"),
        (200, "3 min 20 s"),
        (3599.5, "1 h 0 min"),
        (7500, "2 h 5 min"),
        (3600 * 100, "100 h 0 min"),
    ],
)
def test_a_duration_is_said_as_a_person_says_it(seconds: float, said: str) -> None:
    """Rounded up: nothing takes less than it takes."""
    assert duration(seconds) == said


@given(st.floats(0, 10**8), st.floats(0, 10**8))
def test_a_longer_time_is_never_said_to_be_shorter(one: float, other: float) -> None:
    """Minutes and seconds stay below sixty, and the order of times is that of what is said."""

    def parts(seconds: float) -> tuple[int, int]:
        numbers = [int(word) for word in duration(seconds).split() if word.isdigit()]
        assert all(number < 60 for number in numbers[1:])
        scale = {"s": 1, "min": 60, "h": 3600}[duration(seconds).split()[1]]
        return (scale, sum(number * weight for number, weight in zip(numbers, (60, 1), strict=False)))

    shorter, longer = sorted((one, other))
    assert parts(shorter) <= parts(longer)


# --- the summary file ---


def test_the_summary_file_is_json_for_eyes_too(tmp_path: Path) -> None:
    """Indented, in the order given, with a line end."""
    write_summary(tmp_path / "s.json", {"rows": 1, "outputs": {"results": "ü.csv"}})
    assert (tmp_path / "s.json").read_text() == '{\n  "rows": 1,\n  "outputs": {\n    "results": "ü.csv"\n  }\n}\n'


@pytest.mark.parametrize(
    "mine", ["notes on the migration\n", '{"budget": 7}', '{"rows": 7, "message": "mine"}', "[]", "", "[" * 100_000]
)
def test_a_file_of_a_person_that_is_called_as_a_summary_is_set_aside(tmp_path: Path, mine: str) -> None:
    """It is told of, and the next summary takes the place of the last one only."""
    path = tmp_path / "s.summary.json"
    path.write_text(mine)
    with capture_logs() as logged:
        write_summary(path, {"rows": 1, "exit_code": 0})
        write_summary(path, {"rows": 2, "exit_code": 0})
    assert json.loads(path.read_bytes()) == {"rows": 2, "exit_code": 0}
    (kept,) = set(tmp_path.iterdir()) - {path}
    assert kept.read_text() == mine
    assert [(event["event"], event["kept_as"]) for event in logged] == [("results.set_aside", [str(kept)])]


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/nowhere/x")], ids=["pipe", "link"])
def test_what_comes_into_the_place_of_a_summary_while_a_run_sends_is_set_aside(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    """A pipe is not waited for, and a link is kept for the day on which its disk is there again."""
    make(tmp_path / "r.summary.json")
    with capture_logs() as events:
        write_summary(tmp_path / "r.summary.json", {"rows": 1})
    (aside,) = (each for each in tmp_path.iterdir() if each.name != "r.summary.json")
    assert [each["kept_as"] for each in events] == [[str(aside)]]
    assert (aside.is_fifo() or aside.is_symlink(), json.loads((tmp_path / "r.summary.json").read_bytes())) == (
        True,
        {"rows": 1},
    )


def test_a_path_that_is_not_utf8_does_not_spoil_the_summary(tmp_path: Path) -> None:
    """A folder named in Latin-1 long ago: the run that wrote its results there also ends with a summary."""
    write_summary(tmp_path / "s.json", {"outputs": {"results": os.fsdecode(b"M\xfcller/r.csv")}})
    assert json.loads((tmp_path / "s.json").read_text())["outputs"]["results"].startswith("M")

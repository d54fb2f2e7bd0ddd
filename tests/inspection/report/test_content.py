"""What a report says first: how it ended, and what it adds up to; of the last run, whatever became of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from provisioner.inspection.report.content import Share, content_of
from provisioner.inspection.report.sources import Sources
from provisioner.journal.state.nights import Night
from tests.inspection.report.test_chapters import a_run, an_overview

DONE = {
    "rows": 10, "created": 8, "rejected": 2, "existing": 0, "requests": 9, "tokens": 8, "rate_limited": 1,
    "started_at": "1970-01-01T00:16:40Z", "finished_at": "1970-01-01T00:18:00Z", "stopped_by": None, "message": None,
    "exit_code": 1, "roster": ["/data/r.csv"], "emulator": True,
}  # fmt: skip


def some_sources(summary: dict[str, Any] | None = None, **facts: Any) -> Sources:
    return Sources(Path("out.report.html"), **{"results": Path("out.csv"), "summary": summary or {}, **facts})


def headline(*given: Any, **facts: Any) -> tuple[str, str]:
    verdict = content_of(some_sources(*given, **facts)).verdict
    return verdict.tone, verdict.headline


def test_a_run_that_is_over_is_told_by_its_summary() -> None:
    """Rows are their outcomes, in the order in which people read them; where, from what, when, and how long."""
    content = content_of(some_sources(DONE, overview=an_overview(course=[a_run(1)])))
    assert (content.kind, content.rows, content.total) == ("Provisioning run", 10, 10)
    assert content.shares == [Share("created", 8, 80.0), Share("rejected", 2, 20.0)]
    assert content.about == [
        ("app", "app1"), ("address", "https://h/v3"), ("roster", "/data/r.csv"),
        ("began", "1970-01-01 00:16:40 UTC"), ("ended", "1970-01-01 00:18:00 UTC"), ("took", "1 min 20 s"),
    ]  # fmt: skip
    assert content.notes == [
        "It was sent to the built-in emulator: nobody was created in an app",
        "9 requests sent by the last run", "1 request turned away with 429, for which everyone paused",
        "8 auth tokens in the results",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("summary", "verdict"),
    [
        ({**DONE, "exit_code": 0}, ("good", "Done")),
        (DONE, ("warning", "Finished, and some rows need a person")),
        ({**DONE, "exit_code": 4, "stopped_by": "key", "message": "no key"}, ("bad", "Stopped: key")),
        ({"exit_code": 2, "stopped_by": "roster", "message": "row 3: 'Ann Lee'"}, ("bad", "Stopped: roster")),
    ],
)
def test_the_headline_is_how_it_ended(summary: dict[str, Any], verdict: tuple[str, str]) -> None:
    """And the sentence below it is the summary's, unless it may quote the roster."""
    assert headline(summary) == verdict
    assert "Ann Lee" not in content_of(some_sources(summary)).verdict.sentence


REFUSED: dict[str, Any] = {
    "exit_code": 3, "stopped_by": "a_guard_of_tomorrow", "message": "nothing was changed: 2 of 5; for example Ann Lee",
    "refused": [
        {"reason": "a_guard_of_tomorrow", "message": "2 of 5; look at it; for example ann: name 'A' → 'x'"},
        {"reason": "another", "message": "no rows", "examples": []},
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("summary", "said"),
    [
        (REFUSED, "Nothing was changed: 2 of 5; look at it; no rows."),
        ({**REFUSED, "refused": None}, "The summary and the log say why."),
        ({**REFUSED, "refused": [None, {"message": 3}, "Ann Lee"]}, "The summary and the log say why."),
        ({**DONE, "stopped_by": "usage", "message": "--approve: Ann Lee"}, "The summary and the log say why."),
        ({**DONE, "stopped_by": "a_reason_of_tomorrow", "message": "Ann Lee"}, "The summary and the log say why."),
        ({**DONE, "stopped_by": "sigint", "message": "interrupted by SIGINT"}, "Interrupted by SIGINT."),
        (
            {**DONE, "stopped_by": "scope", "message": "no scope; take another (the API answered 403: Ann Lee (x))"},
            "No scope; take another.",
        ),
    ],
)
def test_why_it_ended_is_told_in_words_of_ours(summary: dict[str, Any], said: str) -> None:
    """A refusal without its examples, an answer without the API's words; what may quote a cell is not told at all."""
    assert content_of(some_sources(summary)).verdict.sentence == said
    night = Night(1, 1, 0.0, 9.0, False, 5, summary)
    assert content_of(some_sources(results=None, overview=an_overview(nights=[night]))).verdict.sentence == said


def test_a_run_that_was_killed_or_is_going_on_is_told_by_its_journal() -> None:
    """An older summary does not speak for it."""
    facts: dict[str, Any] = {"course": [a_run(1), a_run(2, finished=None)], "outcomes": {"created": 3, "pending": 1}}
    assert headline(DONE, overview=an_overview(**facts)) == ("bad", "Killed")
    assert headline(DONE, overview=an_overview(**facts, in_use=True)) == ("open", "Still running")
    content = content_of(some_sources(DONE, overview=an_overview(**facts, in_doubt=1)))
    assert (content.rows, content.shares) == (None, [Share("created", 3, 75.0), Share("pending", 1, 25.0)])
    assert content.notes == [
        "1 user may have been created by a request without an answer; the next run finds out",
    ]


@pytest.mark.parametrize("summary", [{}, DONE])
def test_a_run_that_an_error_ended_is_not_told_by_what_was_before(summary: dict[str, Any]) -> None:
    """It left no summary; an earlier one does not speak for it, nor does it for one that wrote its own."""
    facts: dict[str, Any] = {"course": [a_run(1), a_run(2, stopped_by="interrupted")], "outcomes": {"created": 3}}
    content = content_of(some_sources(summary, overview=an_overview(**facts)))
    assert (content.verdict.tone, content.verdict.headline) == ("bad", "Stopped: interrupted")
    assert content.verdict.sentence == "Nothing that was settled is lost; the same command goes on."
    assert (content.rows, content.shares) == (None, [Share("created", 3, 100.0)])


def test_a_check_says_that_nothing_was_sent() -> None:
    """And what it would take."""
    summary = {"rows": 5, "pending": 5, "exit_code": 0, "stopped_by": None, "estimate": {"requests": 5, "seconds": 2}}
    content = content_of(some_sources(summary, check=True))
    assert (content.kind, content.verdict.tone) == ("Check of a roster", "good")
    assert content.notes == ["It would take 5 requests and at least 2 s"]
    assert headline({**summary, "exit_code": 1}, check=True) == ("warning", "Some rows have to be mended")


@pytest.mark.parametrize(
    ("night", "verdict"),
    [
        (
            Night(1, 1, 0.0, 60.0, True, 5, {"rows": 5, "created": 5, "exit_code": 0}),
            ("good", "The last night was good"),
        ),
        (Night(1, 1, 0.0, 9.0, False, 5, {"stopped_by": "x"}), ("bad", "The last night was stopped: x")),
        (Night(1, 1, 0.0, None, False, None, {}), ("bad", "The last night was killed")),
    ],
)
def test_a_state_is_told_by_its_last_night(night: Night, verdict: tuple[str, str]) -> None:
    """With the table of all of them."""
    sources = some_sources(results=None, overview=an_overview(nights=[night]))
    content = content_of(sources)
    assert (content.kind, (content.verdict.tone, content.verdict.headline)) == ("State", verdict)
    assert content.nights is not None


def test_an_address_is_shown_without_what_may_be_secret_in_it() -> None:
    """A user, a password or a query may be a key."""
    address = "https://me:secret@h/v3?token=abc"
    overview = an_overview(owner=an_overview().owner.__class__("", address))
    text = str(content_of(some_sources(DONE, overview=overview)).about)
    assert not any(each in text for each in ("secret", "abc"))


def test_an_undo_since_is_told_beside_the_sums() -> None:
    """They are the run's own; what was asked is what the run was asked, and an undo that was killed kills no run."""
    runs = [a_run(1, asked={"on_existing": "skip"}), a_run(2, command="undo", finished=None)]
    undo = {"reversed": 8, "finished_at": "1970-01-01T02:00:00Z"}
    content = content_of(some_sources(DONE, overview=an_overview(course=runs), undo=undo))
    assert (content.verdict.tone, content.notes[0]) == ("warning", "Taken back since: 8 users, see below")
    done = {**DONE, "exit_code": 0}
    assert headline(done, undo=undo) == headline(DONE, undo=undo) == ("warning", "Taken back since")
    stopped = {**done, "exit_code": 5, "stopped_by": "unreachable"}
    assert headline(stopped, undo=undo) == ("bad", "Stopped: unreachable")
    assert content.asked == [("on_existing", "skip")]
    assert [label for label, _ in content.about] == ["app", "address", "roster", "began", "ended", "took"]
    for in_use, said in ((False, "An undo was killed since"), (True, "An undo is going on")):
        begun = {"overview": an_overview(course=runs, in_use=in_use)}
        assert headline(done, **begun) == ("warning", said)
        assert content_of(some_sources(done, **begun)).notes[0].startswith(f"{said}: ")
    halted = {"overview": an_overview(course=[*runs, a_run(3, command="undo", stopped_by="key")])}
    assert headline(done, **halted, undo={**undo, "reversed": 0}) == ("warning", "An undo was stopped since")
    assert headline(done, **halted, undo=undo) == ("warning", "Taken back since")
    assert headline(done, overview=an_overview(course=[*runs, a_run(3)])) != ("warning", "An undo was killed since")
    earlier = {"reversed": 8, "finished_at": "1970-01-01T00:00:00Z"}
    assert content_of(some_sources(DONE, undo=earlier)).notes[0] != content.notes[0]

"""What a night adds up to: every row one outcome, every leaver one fate, or there is no summary."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from provisioner.errors import ExitCode
from provisioner.model import Action, Outcome
from provisioner.results.findings import Report
from provisioner.results.lines import Counts
from provisioner.results.summary import Summary
from provisioner.sync.plan.assessment import Assessment
from provisioner.sync.plan.changeset import PlanTotals
from provisioner.sync.plan.guards import Refusal
from provisioner.sync.plan.leavers import LeaverPolicy, Leavers
from provisioner.sync.summary import NightSummary, leaver_lines
from tests.rig.tally import a_tally

LEAVERS = Leavers(due=[("di", 0), ("ed", 1)], in_grace=[("flo", 0)])
ASSESSED = Assessment(
    3,
    0,
    Report({}, {}),
    PlanTotals(Counter(), {Action.UPDATE: Counter({"name": 1})}, unchanged=2),
    LEAVERS,
    LeaverPolicy(True),
    [("gil", 0)],
    (),
    None,
)
FATES = {Outcome.DEACTIVATED: 2, Outcome.FAILED: 1}


def night(assessment: Assessment = ASSESSED, fates: dict[Outcome, int] = FATES) -> NightSummary:
    counts = Counts(Counter(updated=1, unchanged=2))
    outputs = {"results": "r.csv", "rejected": None, "summary": "s.json", "journal": "hr.db"}
    summary = Summary(counts, a_tally(checked=3, valid=3, sent=4), Report({}, {}), 1.0, 2.0, None, outputs)
    return NightSummary(summary, assessment, {each.value: number for each, number in fates.items()}, Path("l.csv"), 1)


def test_fates_that_do_not_add_up_make_no_summary() -> None:
    """Three were to be deactivated, one of them by an earlier attempt."""
    with pytest.raises(AssertionError, match="3 leavers were to be deactivated"):
        night(fates={Outcome.DEACTIVATED: 2})


def test_a_fate_that_nobody_is_told_makes_no_summary() -> None:
    """What was to be deactivated is deactivated, failed or pending: the document has no other number for it."""
    with pytest.raises(AssertionError, match=r"3 leavers were to be deactivated, but their fates are {.*created"):
        night(fates={Outcome.DEACTIVATED: 2, Outcome.CREATED: 1})


def test_a_leaver_who_could_not_be_deactivated_needs_a_look() -> None:
    """Exit 1, though no row has failed."""
    assert night().exit_code is ExitCode.ROWS_LEFT
    assert night(fates={Outcome.DEACTIVATED: 3}).exit_code is ExitCode.OK


def test_the_document_tells_rows_and_leavers_apart() -> None:
    """A leaver is no row; what the state keeps names no files."""
    document = night().document
    assert (document["rows"], document["deactivated"], document["sessions_flushed"]) == (3, 2, 1)
    assert document["leavers"] == {
        "found": 4, "deactivated": 2, "failed": 1, "pending": 0, "in_grace": 1, "reported": 0,
    }  # fmt: skip
    assert "outputs" in document
    assert "outputs" not in night().recorded


def test_a_refusal_stands_in_the_document_and_in_red() -> None:
    """With its one stable word."""
    refused = night(replace(ASSESSED, refused=(Refusal("empty_roster", "the roster has no rows"),)))
    assert refused.document["refused"] == [
        {"reason": "empty_roster", "message": "the roster has no rows", "option": None, "examples": []}
    ]
    console = Console(width=100, highlight=False)
    with console.capture() as captured:
        refused.show(console)
    assert "nothing was changed: the roster has no rows" in captured.get()
    assert "4 leavers: 2 deactivated (1 with auth tokens that may be left), 1 failed, 1 in grace" in captured.get()


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        (
            PlanTotals(nameless=2),
            "2 rows without a usable uid, who may be any of the leavers, so nobody is deactivated until they",
        ),
        (
            PlanTotals(holding=1),
            "1 cell with what looks like other rows (row.swallowed): the leavers may be there, so nobody is deact",
        ),
        (
            PlanTotals(unread=1),
            "until all pages are there, --sheet names the only one that counts (each that does needs a --state",
        ),
        (
            PlanTotals(),
            "1 leaver in the roster without the leading zeros of the uid, so not deactivated until uids are exported",
        ),
    ],
)
def test_people_read_why_no_leaver_goes(plan: PlanTotals, said: str) -> None:
    """And what would let them go."""
    kept = replace(ASSESSED, leavers=Leavers(reported=[("di", 0)]), left_before=[], plan=plan)
    console = Console(width=300, highlight=False)
    with console.capture() as captured:
        night(kept, {}).show(console)
        night(replace(kept, kept=True), {}).show(console)
    assert said in captured.get()
    assert captured.get().count("or --approve names") == captured.get().count("or --approve of a new plan names") == 1


@pytest.mark.parametrize("policy", [LeaverPolicy(), LeaverPolicy(True, approved=frozenset({"ed"}))])
def test_of_leavers_who_stay_as_was_asked_no_other_reason_is_told(policy: LeaverPolicy) -> None:
    """Mended rows and whole pages would let nobody go."""
    plan = PlanTotals(nameless=2, unread=1)
    kept = replace(ASSESSED, leavers=Leavers(reported=[("di", 0)]), left_before=[], plan=plan, policy=policy)
    console = Console(width=300, highlight=False)
    with console.capture() as captured:
        night(kept, {}).show(console)
    assert "1 leaver: 1 only reported; see l.csv" in captured.get()
    assert "nobody is deactivated" not in captured.get()


def test_leavers_have_lines_without_a_row() -> None:
    """Those of earlier attempts first."""
    [frame] = leaver_lines(ASSESSED)
    assert frame["uid"].to_list() == ["gil", "di", "ed"]
    assert frame["row"].null_count() == 3

"""What `plan` reports: numbers, what they take, and what would keep a sync from it."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import pytest
from rich.console import Console

from provisioner.errors import ExitCode
from provisioner.model import Action
from provisioner.results.findings import Report
from provisioner.settings.tables import Rate
from provisioner.sync.plan.assessment import Assessment
from provisioner.sync.plan.changeset import PlannedChange, PlanTotals
from provisioner.sync.plan.guards import Refusal
from provisioner.sync.plan.leavers import LeaverPolicy, Leavers
from provisioner.sync.plan.report import PlanReport, document_of
from provisioner.wording import json_text

ACTIONS = {Action.CREATE: 3, Action.UPDATE: 2, Action.REACTIVATE: 1, Action.DEACTIVATE: 1}
TOKENS = Counter({Action.CREATE: 1})
FIELDS = {Action.UPDATE: Counter({"name": 2, "avatar": 1}), Action.REACTIVATE: Counter({"name": 1})}
TOTALS = PlanTotals(Counter(ACTIONS), FIELDS, updates=3, tokens=TOKENS, unchanged=5)
LEAVERS = Leavers(due=[("di", 0)], reported=[("ed", 2)])
NIGHT = Assessment(11, 0, Report({}, {}), TOTALS, LEAVERS, LeaverPolicy(), [], (), None)


def report(assessment: Assessment = NIGHT, pages: int = 0, kept: str | None = None) -> PlanReport:
    rate = Rate(requests_per_minute=60, standard_requests_per_minute=120, share=1.0)
    return PlanReport(assessment, rate, pages, kept)


def shown(each: PlanReport) -> list[str]:
    console = Console(width=100, highlight=False)
    with console.capture() as captured:
        each.show(console)
    return [" ".join(line.split()) for line in captured.get().splitlines()]


def test_requests_are_counted_as_the_api_counts_them() -> None:
    """Creates and deactivations are core; reactivations, updates and pages are standard. The slower group decides."""
    assert report(pages=2).requests == {"core": 4, "standard": 6}
    assert report(pages=2).seconds == 4.0
    assert report(pages=20).seconds == 12.0


@pytest.mark.parametrize(
    ("assessment", "code"),
    [
        (NIGHT, ExitCode.OK),
        (replace(NIGHT, rejected=1), ExitCode.ROWS_LEFT),
        (replace(NIGHT, rejected=1, refused=(Refusal("empty_roster", "no"),)), ExitCode.SAFETY),
    ],
)
def test_the_code_tells_whether_a_sync_would_go(assessment: Assessment, code: ExitCode) -> None:
    """3 when it would refuse, 1 when rows are rejected."""
    assert report(assessment).exit_code is code


def test_the_document_holds_every_number() -> None:
    """As the kept plan has it; what another hand did only when the directory was read."""
    document = report().document
    assert [document[each.value] for each in Action] == [3, 2, 1, 1]
    assert document["leavers"] == {"found": 2, "deactivated": 1, "in_grace": 0, "reported": 1}
    assert (document["updated_fields"], "directory" in document) == ({"avatar": 1, "name": 3}, False)
    drift = {"deleted": 1, "deactivated": 0, "strangers": 4}
    assert report(replace(NIGHT, drift=drift)).document["directory"] == {**drift, "changed": 0}


@pytest.mark.parametrize(
    ("policy", "why"),
    [
        (LeaverPolicy(), "; --deactivate-leavers would let them go"),
        (LeaverPolicy(approved=frozenset({"di"})), ": not on the list that is approved"),
        (LeaverPolicy(deactivate=True), ": the roster has them without the leading zeros of their uids"),
    ],
)
def test_a_leaver_who_stays_is_told_with_the_reason(policy: LeaverPolicy, why: str) -> None:
    """And with what would let him go: of a plan that is carried out, a new one."""
    assert f"1 leaver only reported{why}" in shown(report(replace(NIGHT, policy=policy)))
    why = why.replace("leavers would", "leavers of a new plan would")
    assert f"1 leaver only reported{why}" in shown(report(replace(NIGHT, policy=policy, kept=True)))


def test_leavers_who_may_be_on_another_sheet_stay() -> None:
    """Whatever else would let them go."""
    unsure = replace(NIGHT, policy=LeaverPolicy(deactivate=True), plan=replace(NIGHT.plan, unread=1))
    assert "1 leaver only reported: 1 file with other sheets or pages of people, so any of them may be there" in shown(
        report(unsure)
    )


def test_leavers_who_may_be_in_a_cell_stay() -> None:
    """A stray quote makes rows a part of a cell."""
    unsure = replace(NIGHT, policy=LeaverPolicy(deactivate=True), plan=replace(NIGHT.plan, holding=2))
    assert "1 leaver only reported: 2 cells with what looks like other rows, so any of them may be there" in shown(
        report(unsure)
    )


def test_leavers_who_may_be_in_a_row_without_a_uid_stay() -> None:
    """Whether the roster has others of them without the leading zeros of their uids or not."""
    unsure = replace(NIGHT, policy=LeaverPolicy(deactivate=True), plan=replace(NIGHT.plan, nameless=2))
    assert "1 leaver only reported: 2 rows without a usable uid, so any of them may still be there" in shown(
        report(unsure)
    )


def test_people_read_what_would_be_done() -> None:
    """The most touched field first, beside the action that changes it."""
    lines = shown(report(kept="plan.json"))
    assert lines[:3] == ["11 rows", "3 to create 1 auth token to be minted", "2 to update name 2, avatar 1"]
    assert lines[3] == "1 to reactivate name 1"
    assert lines[-1] == "plan: plan.json"


def test_auth_tokens_are_told_at_whose_they_are() -> None:
    """Also those of whom a create may find, which takes a request of its own to mint them."""
    tokens = Counter({Action.CREATE: 3, Action.REACTIVATE: 1})
    minting = report(replace(NIGHT, plan=replace(TOTALS, tokens=tokens, mints=3)))
    told, back = "3 to create 3 auth tokens to be minted", "1 to reactivate name 1, 1 auth token to be minted"
    assert shown(minting)[1:5] == [told, "2 to update name 2, avatar 1", back, "1 to deactivate auth tokens kept"]
    assert (minting.document["tokens"], minting.requests["core"]) == (4, 7)


def test_numbers_are_told_as_they_are_sent() -> None:
    """To the digit, the old ones and the new ones."""
    old, new = '{"n":1.50}', '{"n":0.1234567890123456789012345}'
    payload, known = f'{{"metadata":{new}}}', json.dumps({"metadata": old})
    change = PlannedChange(
        1, "a", "update", ["metadata"], "", "", token=False, payload=payload, digests=None, old=known
    )
    told = json_text(document_of(change), None)
    assert told.endswith(
        f'[{{"field": "metadata", "old": {old}, "new": {new}}}]}}'.replace(":1", ": 1").replace(":0", ": 0")
    )

"""Outcomes and actions hold what the rest of the code tells of them; a new one is found by every list."""

from __future__ import annotations

import json

import orjson
import pytest
from rich.style import Style

from provisioner.inspection.record.history import COUNTS
from provisioner.model import (
    FINAL,
    ROW_OUTCOMES,
    RUN_OUTCOMES,
    TOKEN_BYTES,
    Action,
    Kind,
    Outcome,
    with_auth_token,
)


def test_the_outcomes_and_actions_are_the_documented_ones() -> None:
    """Files, journals and scripts hold these words: in this order, and looked up by them."""
    assert [each.value for each in Outcome] == [
        "rejected", "created", "existing", "updated", "unchanged", "reactivated", "deactivated", "failed", "pending",
        "reversed", "kept", "untouched",
    ]  # fmt: skip
    assert [Outcome(each.value) for each in Outcome] == list(Outcome)
    assert [Action(each.value) for each in Action] == list(Action)
    assert json.loads(json.dumps(list(Action))) == ["create", "update", "reactivate", "deactivate"]
    assert orjson.dumps(Outcome.CREATED) == b'"created"'


def test_a_row_has_one_of_eight_outcomes_and_a_run_gives_six_of_them() -> None:
    """The sums of both summaries: a leaver is no row, and only a sync leaves a user as it is."""
    of_an_undo = {Outcome.REVERSED, Outcome.KEPT, Outcome.UNTOUCHED}
    assert set(Outcome) - set(ROW_OUTCOMES) == {Outcome.DEACTIVATED} | of_an_undo
    assert set(ROW_OUTCOMES) - set(RUN_OUTCOMES) == {Outcome.UNCHANGED, Outcome.REACTIVATED}


def test_people_read_what_went_well_first() -> None:
    """What was done, what was as it should be, what is to be mended, what is still to do; no two share a place."""
    shown = sorted(Outcome, key=lambda outcome: outcome.place)
    assert [each.value for each in shown] == [
        "created", "updated", "reactivated", "unchanged", "existing", "rejected", "failed", "pending", "deactivated",
        "reversed", "kept", "untouched",
    ]  # fmt: skip
    assert len({each.place for each in Outcome}) == len(Outcome)


@pytest.mark.parametrize("each", [*Outcome, *Action])
def test_a_colour_is_one_that_consoles_know(each: Outcome | Action) -> None:
    """The ground does not know rich; this holds that rich knows the word."""
    assert Style.parse(each.colour).color is not None


def test_what_a_run_need_not_look_at_again_is_what_is_final() -> None:
    """A row that failed, was rejected or is pending is gone through again."""
    assert {Outcome.CREATED, Outcome.EXISTING, Outcome.UPDATED} == FINAL
    assert {each for each in Outcome if each.kind is Kind.LEFT} == {Outcome.REJECTED, Outcome.FAILED}


def test_the_history_has_a_column_for_every_outcome() -> None:
    """Their heads are short words of its own."""
    outcomes = {each.value for each in Outcome if each.kind is not Kind.UNDO}
    assert set(COUNTS) == outcomes | {"sessions_flushed"}


def test_asking_for_a_token_is_spliced_into_the_body() -> None:
    """What is checked for its size, shown and sent is one and the same."""
    body = b'{"uid":"ann"}'
    asked = with_auth_token(body)
    assert orjson.loads(asked) == {"uid": "ann", "withAuthToken": True}
    assert len(asked) == len(body) + TOKEN_BYTES

"""What becomes of the rows of a batch after the rules: none gets lost, and repeats say what is true in the end."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
import pytest

from provisioner.model import AuthTokens
from provisioner.roster.formats.rows import RosterBatch
from provisioner.validation.checked import Checked, Verdicts, reject
from provisioner.validation.constraints import Constraints
from provisioner.validation.fields.binding import bind
from provisioner.validation.repeats import fingerprints
from provisioner.validation.rules import Found
from provisioner.validation.survey import Survey
from provisioner.validation.validator import Validator
from tests.rig.checking import ANN, check, csv_frame


def test_rows_that_are_rejected_afterwards_move_with_their_reason() -> None:
    """What only the API can judge: such a row leaves the valid ones for the rejected ones, in roster order."""
    batch = RosterBatch(
        5, csv_frame([{"uid": uid, "name": name} for uid, name in zip("abc", ("A", "", "C"), strict=True)])
    )
    binding = bind(batch.frame.schema)
    checked = Validator(binding, Constraints(), Survey(3), auth_tokens=AuthTokens.CREATED).check(batch)
    moved = reject(checked, batch, "role.unknown", {5: "why not"})
    missing = "name.missing: no name, one is required"
    assert moved.valid["row"].to_list() == [7]
    assert moved.lines.rows() == [
        (5, "a", "a", "A", "role.unknown", "role.unknown: why not"), (6, "b", "b", None, "name.missing", missing),
        (7, "c", "c", "C", None, None),
    ]  # fmt: skip
    assert moved.rejected.select("uid", "_row", "_errors").rows() == [
        ("a", 5, "role.unknown: why not"), ("b", 6, missing),
    ]  # fmt: skip
    assert moved.defects == {"name.missing": Found(1, (6,)), "role.unknown": Found(1, (5,))}
    more = reject(moved, batch, "role.unknown", {7: "why not"})
    assert more.defects == {"name.missing": Found(1, (6,)), "role.unknown": Found(2, (5, 7))}
    assert (checked.warnings, moved.warnings) == ({}, {})


def test_a_batch_that_loses_a_row_cannot_be_built() -> None:
    """Valid and rejected rows add up to the lines, always."""
    checked = check([ANN, {"uid": "b b", "name": "B"}])
    with pytest.raises(AssertionError, match=r"^2 rows became 1 valid, 0 rejected$"):
        Checked(checked.lines, checked.valid, checked.rejected.clear(), {})


def errors(batches: Sequence[Sequence[tuple[str, str]]], roles: dict[int, str]) -> list[str]:
    """Settle batches of uid and name; the message of each row, of the lines and of the rejected rows alike."""
    people = [csv_frame([{"uid": uid, "name": name} for uid, name in batch]) for batch in batches]
    survey = Survey(sum(map(len, batches)), repeated=fingerprints(pl.concat(people)["uid"]).unique().sort())
    validator = Validator(bind(people[0].schema), Constraints(), survey, auth_tokens=AuthTokens.NONE)
    verdicts, said, row = Verdicts(), [], 1
    for frame in people:
        batch = RosterBatch(row, frame)
        own = {each: why for each, why in roles.items() if each in batch.numbers}
        settled = verdicts.settle(validator.check(batch), batch, own)
        told = settled.lines["error_message"].to_list()
        assert settled.rejected["_errors"].to_list() == [each for each in told if each]
        said += [each or "" for each in told]
        row += frame.height
    return said


ALREADY = "uid.duplicate: 'a' is the uid of row 1 already"


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_a_repeat_of_a_row_that_is_rejected_for_its_role_says_so(cut: int) -> None:
    """In the same batch or in a later one; what else is wrong with it is said as well."""
    people = [("a", "A"), ("a", "B"), ("b", "C"), ("a", ""), ("b", "D")]
    missing = "name.missing: no name, one is required"
    assert errors([people[:cut], people[cut:]], {1: "no such role"}) == [
        "role.unknown: no such role", f"{ALREADY}, which is rejected too", "",
        f"{missing}; {ALREADY}, which is rejected too", "uid.duplicate: 'b' is the uid of row 3 already",
    ]  # fmt: skip


def test_a_repeat_of_a_row_that_is_taken_says_that_its_uid_is_taken() -> None:
    """Whoever else has an unknown role."""
    people = [("a", "A"), ("a", "B"), ("b", "C")]
    assert errors([people], {3: "no such role"}) == ["", ALREADY, "role.unknown: no such role"]

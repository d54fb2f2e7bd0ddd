"""What a sync knows of a user it manages, and what follows from it."""

from __future__ import annotations

import pytest

from provisioner.journal.state.managed import AdoptedRow, Adoption, Met
from provisioner.model import Live, Outcome, Standing


def test_only_what_has_to_be_told_again_is_told_again() -> None:
    """Created and reactivated; an update is told by itself, a deactivation is undone by the return."""
    for outcome in Outcome:
        met = opened_met(outcome)
        assert (met is not None) is (outcome in {Outcome.CREATED, Outcome.REACTIVATED})


def opened_met(outcome: Outcome) -> Outcome | None:
    return Met("ann", 1, "update", 1, "active", "h", b"", outcome.value).again


@pytest.mark.parametrize(
    ("met", "live", "exists"),
    [
        (Met("ann", 1, "update", 1, "active", "h", b"d", None), Live("h", b"d", Standing.ACTIVE), True),
        (Met("ann", 1, "update", 0, "active", "h", b"d", None), None, True),
        (Met("ann", 1, "create", 0, None, None, None, None), None, False),
        (Met("ann", 1, "reactivate", 0, None, None, None, None), None, True),
    ],
)
def test_only_what_is_certain_is_known(met: Met, live: Live | None, exists: bool) -> None:
    """A change in doubt hides what was known; a user found in the directory exists all the same."""
    assert (met.live, met.exists) == (live, exists)


@pytest.mark.parametrize(
    ("operation", "certain", "kept"), [("update", 1, True), ("deactivate", 0, True), ("update", 0, False)]
)
def test_a_deactivation_leaves_the_profile_as_it_is(operation: str, certain: int, kept: bool) -> None:
    """Unless it was in doubt before."""
    met = Met("ann", 1, operation, certain, "active", "h", b"d", None)
    known = Live("h", b"d", Standing.DEACTIVATED) if kept else Live(None, None, Standing.DEACTIVATED)
    assert met.deactivated == known


def test_an_adoption_is_recorded_member_by_member() -> None:
    """A user without a hash of its own has an empty one in the column that must not be null."""
    user = Adoption(uid="ann", row=3, live=Live(None, b"d", Standing.ACTIVE), created_at=77)
    assert AdoptedRow.of(user, key=5, epoch=2, now=9.0)._asdict() == {
        "id": 5, "uid": "ann", "row": 3, "body_hash": "", "digests": b"d", "standing": "active", "epoch": 2,
        "now": 9.0, "created_at": 77, "profile": None,
    }  # fmt: skip

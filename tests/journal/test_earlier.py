"""What a journal knows of users that it has created, or may have, as the next round asks for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioner.journal.columns import BEFORE
from provisioner.journal.earlier import created_in
from provisioner.journal.header import Identity
from provisioner.journal.journal import Journal
from provisioner.journal.undo.reversals import LEAVING, LeavingRow
from provisioner.model import Outcome, Settlement, State, UserRequest

OWNER = Identity("app", "http://localhost")
OUTCOMES = {"ann": Outcome.CREATED, "bob": Outcome.EXISTING, "cy": None, "di": Outcome.FAILED}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Each of these was sent and, but for Cy, settled."""
    path = tmp_path / "j.db"
    with Journal(path, OWNER) as journal:
        for key, (uid, outcome) in enumerate(OUTCOMES.items(), 1):
            journal.sent([UserRequest(key, key, uid, b"{}", "0" * 16, token=False)], 50.0)
            if outcome is not None:
                journal.settle([Settlement(key, State.SETTLED, outcome, 1)])
    return path


def test_those_are_told_whom_it_created_or_may_have(path: Path) -> None:
    """Of somebody else's users, and of those who were refused, there is nothing to go on with."""
    found = {each.uid: (each.ours, each.state, each.row) for each in created_in(path, list(OUTCOMES), OWNER)}
    assert found == {"ann": (BEFORE, "settled", 1), "cy": (0, "sent", 3)}
    assert created_in(path, ["ann"], Identity("other", "http://localhost")) == []
    assert created_in(path.with_name("none.db"), ["ann"], OWNER) == []


def test_who_may_have_been_deactivated_by_an_undo_is_to_be_brought_back(path: Path) -> None:
    """Whoever brings the user back has made it: an undo of that round may take it away again."""
    with Journal(path, OWNER) as journal:
        journal.note([LeavingRow(1, 1, "deactivate", 60.0)], LEAVING)  # type: ignore[list-item]
    (ann,) = created_in(path, ["ann"], OWNER)
    assert (ann.withdrawn, ann.ours) == (1, 1)

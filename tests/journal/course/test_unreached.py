"""What a stopped run tells of rows that it has not reached, and that the journal knows nothing of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest

from provisioner.journal.course import unreached
from provisioner.journal.header import Identity
from provisioner.journal.journal import Journal
from provisioner.model import Outcome, Settlement, State, UserRequest

HERE: Final = Identity("app1", "http://h/v3")
DONE: Final = Settlement(1, State.SETTLED, Outcome.CREATED, 1, 200, auth_token="t", created_at=3, settled_at=5.0)


def told(journal: Journal) -> dict[str, dict[str, Any]]:
    """What results are made of, by uid."""
    found = journal.outcomes(["ann", "bob", "cy"])
    rows = [dict(zip(found, row, strict=True)) for row in zip(*found.values(), strict=True)]
    return {row.pop("uid"): row for row in rows}


@pytest.mark.parametrize("outcome", [Outcome.CREATED, Outcome.UPDATED, Outcome.EXISTING])
def test_a_row_that_an_earlier_run_was_done_with_is_pending_as_long_as_the_journal_is_open(
    tmp_path: Path, outcome: Outcome
) -> None:
    """With what is known of its user; whoever failed, or is in doubt, is told as that. Nothing of it is recorded."""
    requests = [UserRequest(key, key, uid, b"{}", "00", token=True) for key, uid in enumerate(("ann", "bob", "cy"), 1)]
    failed = DONE._replace(key=2, outcome=Outcome.FAILED, http_status=400, error_code="E", error_message="no")
    with Journal(tmp_path / "j.db", HERE) as journal:
        journal.sent(requests, 4.0)
        journal.settle([DONE._replace(outcome=outcome, error_code="deactivated"), failed])
        before, known = told(journal), journal.known(["ann"])
        unreached.leave(journal.database, [1, 2, 3])
        unreached.leave(journal.database, [1])
        nothing = {"http_status": None, "error_code": None, "error_message": None, "settled_at": None}
        assert told(journal) == {**before, "ann": {**before["ann"], "outcome": "pending", **nothing}}
        assert journal.known(["ann"]) == known
    with Journal(tmp_path / "j.db", HERE) as journal:
        assert told(journal) == before

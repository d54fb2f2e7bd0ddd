"""Calls are counted as CometChat counts them."""

from __future__ import annotations

from provisioner.sending.calls import Budget, Operation, Reply


def test_every_operation_is_counted_in_a_group() -> None:
    """Creating, deactivating, deleting and minting in the core group, where less is allowed; all else in the other."""
    core = {each for each in Operation if each.budget is Budget.CORE}
    assert core == {Operation.CREATE, Operation.DEACTIVATE, Operation.DELETE, Operation.MINT}
    assert {each.budget for each in set(Operation) - core} == {Budget.STANDARD}


def test_a_reply_that_tells_nothing_holds_nothing() -> None:
    """What an operation ends with that was stopped before its first request."""
    assert set(Reply()) == {None}

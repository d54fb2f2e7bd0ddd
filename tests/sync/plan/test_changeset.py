"""Planned changes: kept on disk in their order, told with old and new values."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioner.model import Action
from provisioner.results.spool import Spool
from provisioner.sync.plan.changeset import UNKNOWN, Plan, PlannedChange, in_words


def a_change(uid: str, action: Action = Action.UPDATE) -> PlannedChange:
    return PlannedChange(1, uid, action.value, ["name"], "{}", "h", token=False, payload="{}", digests=b"")


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_changes_come_back_in_order_and_in_pieces(tmp_path: Path, size: int) -> None:
    """At most so many at a time, as they went in, from a file that is gone afterwards."""
    plan = Plan(Spool(tmp_path))
    for part in (["a", "b", "c"], ["d"], []):
        plan.add([a_change(uid) for uid in part])
    pieces = list(plan.pieces(size))
    assert [change for piece in pieces for change in piece] == [a_change(uid) for uid in "abcd"]
    assert all(len(piece) <= size for piece in pieces)
    plan.changes.close()


def test_a_change_tells_old_and_new_values() -> None:
    """Of a field that was not set, is emptied, or whose old value is not known."""
    change = a_change("a")._replace(
        fields=["name", "avatar", "role", "tags"],
        payload='{"name":"Anna","role":"nurse","tags":["x"],"unset":["avatar"]}',
        old='{"name":"\\"Ann\\"","avatar":"\\"https://x.test/a\\"","tags":null}',
    )
    assert list(change.values()) == [
        ("name", '"Ann"', '"Anna"'),
        ("avatar", '"https://x.test/a"', None),
        ("role", UNKNOWN, '"nurse"'),
        ("tags", None, '["x"]'),
    ]
    assert [in_words(text) for text in ('"Ann"', '["x"]', None, UNKNOWN)] == ["Ann", '["x"]', None, None]


def test_a_value_whose_number_no_python_reads_is_told_as_it_stands() -> None:
    """However long a whole number is."""
    assert in_words(long := f'{{"n":{"9" * 5000}}}') == long


def test_the_first_changes_are_given_for_people(tmp_path: Path) -> None:
    """As many as are asked for, or as there are."""
    plan = Plan(Spool(tmp_path))
    plan.add([a_change(uid) for uid in "abc"])
    assert [[each.uid for each in plan.first(number)] for number in (0, 2, 9)] == [[], ["a", "b"], ["a", "b", "c"]]
    plan.changes.close()


def test_auth_tokens_add_up_per_action(tmp_path: Path) -> None:
    """Of whom a create may find in the app, too; who is there keeps what they have, unless one is minted."""
    plan = Plan(Spool(tmp_path))
    lost = a_change("a", Action.CREATE)._replace(token=True, mint=True)
    back = a_change("b", Action.REACTIVATE)._replace(token=True, mint=True)
    plan.add([lost, a_change("c", Action.CREATE)._replace(token=True), back, a_change("d")._replace(token=True)])
    totals = plan.totals()
    assert (+totals.tokens, totals.mints) == ({Action.CREATE: 2, Action.REACTIVATE: 1}, 2)
    plan.changes.close()

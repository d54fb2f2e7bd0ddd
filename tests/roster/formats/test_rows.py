"""What every format gives: small batches are put together."""

from __future__ import annotations

from typing import Any

import polars as pl

from provisioner.roster.formats.rows import ROUNDED, RosterBatch, gathered, without_blank_rows


def batch(first: int, *uids: str, column: str = "uid") -> RosterBatch:
    """Some rows: those whose uid begins with x are remarked upon, those with 9 in it are rounded."""
    cells = pl.Series(["9" in uid for uid in uids])
    remarked = [index for index, uid in enumerate(uids) if uid.startswith("x")]
    remarks = {"odd": remarked} if remarked else {}
    return RosterBatch(first, pl.DataFrame({column: uids}), remarks, {ROUNDED: {column: cells}} if cells.any() else {})


def told(one: RosterBatch) -> tuple[object, ...]:
    cells = {kind: {name: it.to_list() for name, it in columns.items()} for kind, columns in one.cells.items()}
    return one.first_row, one.numbers.to_list(), one.frame.to_dict(as_series=False), dict(one.remarks), cells


def test_small_batches_become_one_in_which_each_row_is_what_it_was() -> None:
    whole = batch(1, "a", "x1", "b9", "x9", "c", "x2")
    parts = [batch(1, "a", "x1"), batch(3, "b9"), batch(4, "x9", "c", "x2")]
    assert [told(each) for each in gathered(parts)] == [told(whole)]
    kept = pl.Series([True, True, False])
    some = [parts[0], parts[1], parts[2].only(kept)]
    assert [told(each) for each in gathered(some)] == [told(whole.only(pl.Series([True] * 5 + [False])))]


def test_batches_stay_apart_that_are_large_or_of_other_columns() -> None:
    long = "l" * 100
    parts = [
        batch(1, "a"),
        batch(2, long),
        batch(3, "b"),
        batch(4, "c"),
        batch(5, "d", column="id"),
        batch(6, long[:9]),
    ]
    found = [each.frame.rows() for each in gathered(parts, room=10)]
    assert found == [[("a",)], [(long,)], [("b",), ("c",)], [("d",)], [(long[:9],)]]
    found = [each.frame.rows() for each in gathered(parts[:4], rows=2)]
    assert found == [[("a",), (long,)], [("b",), ("c",)]]
    assert list(gathered([])) == []


def test_a_row_of_empty_lists_maps_and_structs_is_no_row() -> None:
    """As it is none in JSON: what would be sent of it is nothing at all."""
    keys = pl.Map(pl.String(), pl.Int64())
    nothing: dict[str, Any] = {
        "uid": None,
        "tags": [],
        "metadata": {"a": None, "b": {"c": None}},
        "more": {},
        "kind": " ",
    }
    something: list[dict[str, Any]] = [
        {"uid": "a"}, {"tags": [None]}, {"metadata": {"a": 0, "b": None}}, {"metadata": {"a": None, "b": {"c": ""}}},
        {"more": {"x": None}}, {"kind": "x"},
    ]  # fmt: skip
    kinds = pl.Schema(
        {
            "uid": pl.String(),
            "tags": pl.List(pl.String()),
            "metadata": pl.Struct({"a": pl.Int64(), "b": pl.Struct({"c": pl.String()})}),
            "more": keys,
            "kind": pl.Categorical(),
        }
    )
    rows = [
        nothing,
        dict.fromkeys(nothing),
        *({**nothing, **each} for each in something),
        {**nothing, "uid": " \u00a0"},
    ]
    frame = pl.DataFrame(rows, schema=kinds)
    assert without_blank_rows(frame).rows() == frame[2:-1].rows()

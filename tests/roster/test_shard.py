"""Which rows are in a shard: by a hash that any program can do."""

from __future__ import annotations

import hashlib

import polars as pl
import pytest

from provisioner.roster.formats.rows import RosterBatch
from provisioner.roster.shard import Dealt, Shard, Share

VECTORS = [
    ("", 16406829232824261652),
    ("ann", 5301121648421453870),
    ("person-00001", 6123888571691240401),
    ("a_b-c", 11133957645256988862),
    ("jürgen", 1852985682209598805),
]
"""Uids as they are sent, and the numbers that docs/shards.md says they have."""


@pytest.mark.parametrize(("uid", "number"), VECTORS)
@pytest.mark.parametrize("of", [1, 2, 3, 16, 1000])
def test_the_shard_of_a_uid_is_as_documented(uid: str, number: int, of: int) -> None:
    """The number of a uid divided by that of the shards leaves the shard, counted from 0; and it is in no other one."""
    assert [n for n in range(1, of + 1) if Shard(n, of).holds([uid or None]) == [True]] == [number % of + 1]


def test_every_row_is_in_one_shard_and_shards_are_about_as_large() -> None:
    """Nobody is left out or taken twice, also rows without a uid; all shards know the same roster by its uids."""
    uids = [*(f"person-{n}" for n in range(8000)), None, None]
    dealt = [Dealt(Shard(n, 16)) for n in range(1, 17)]
    masks = [[*each.add(uids[:5000]), *each.add(uids[5000:])] for each in dealt]
    assert [sum(held) for held in zip(*masks, strict=True)] == [1] * 8002
    shares = [each.share for each in dealt]
    assert sum(share.rows for share in shares) == 8002
    assert all(400 < share.rows < 600 for share in shares)
    known = b"".join(hashlib.sha256((uid or "").encode()).digest()[:8] for uid in uids)
    fingerprint = hashlib.sha256(known).hexdigest()[:32]
    assert shares[2] == Share(Shard(3, 16), shares[2].rows, 8002, fingerprint)
    assert shares[2].document == {"number": 3, "of": 16, "roster_rows": 8002, "fingerprint": fingerprint}
    assert {share.fingerprint for share in shares} == {fingerprint}


def test_names_sort_as_numbers_do() -> None:
    """In the listing of a folder the second shard comes before the tenth."""
    assert [Shard(2, 16).stem, Shard(10, 16).stem, Shard(1, 4).stem, Shard(7, 100).stem] == [
        "shard-02-of-16", "shard-10-of-16", "shard-1-of-4", "shard-007-of-100",
    ]  # fmt: skip


def test_rows_that_stay_in_a_batch_keep_their_numbers_and_what_is_known_of_them() -> None:
    """What a reader said of single rows moves along with them."""
    frame = pl.DataFrame({"uid": ["a", "b", "c", "d"]})
    batch = RosterBatch(11, frame, {"odd": [0, 2, 3]}, {"formula": {"uid": pl.Series([True, False, True, False])}})
    left = batch.only(pl.Series([False, True, True, True]))
    assert left.frame["uid"].to_list() == ["b", "c", "d"]
    assert left.numbers.to_list() == [12, 13, 14]
    assert left.positions(pl.Series([12, 14])).to_list() == [0, 2]
    assert left.remarks == {"odd": [1, 2]}
    assert left.cells["formula"]["uid"].to_list() == [False, True, False]
    assert batch.only(pl.Series([True] * 4)) is batch
    assert (batch.numbers.to_list(), batch.positions(pl.Series([13])).to_list()) == ([11, 12, 13, 14], [2])

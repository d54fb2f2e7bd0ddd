"""Frames wait on disk: without a name, of every type, and with nothing of them in memory."""

from __future__ import annotations

import sys
from contextlib import closing
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from provisioner.errors import StorageError
from provisioner.results.spool import Spool, SpooledBatches
from provisioner.roster.formats.rows import RosterBatch
from tests.rig.results import ROWS, lines_of, many_lines


def test_the_spool_has_no_name_and_gives_back_what_it_got(tmp_path: Path) -> None:
    """Frames wait on disk in a file that nobody else can open and that no kill leaves behind; empty ones do not."""
    frames = [lines_of(ROWS[:2]), lines_of([]), lines_of(ROWS[2:])]
    with closing(Spool(tmp_path)) as spool:
        for frame in frames:
            spool.append(frame)
        assert list(tmp_path.iterdir()) == []
        assert spool.rows == 6
        for _ in range(2):
            assert [frame.rows() for frame in spool.frames()] == [ROWS[:2], ROWS[2:]]


def test_the_spool_keeps_every_type(tmp_path: Path) -> None:
    """The rejected rows of a Parquet roster come back as they were: lists, structs, dates, categories, nulls."""
    frame = pl.DataFrame(
        {
            "tags": [["a", None], None],
            "meta": [{"k": 1, "l": None}, {"k": None, "l": "x"}],
            "born": [date(2000, 1, 2), None],
            "kind": pl.Series(["x", "y"], dtype=pl.Categorical),
            "id": pl.Series([2**63, 1], dtype=pl.UInt64),
        }
    )
    with closing(Spool(tmp_path)) as spool:
        spool.append(frame)
        assert [each.equals(frame) and each.schema == frame.schema for each in spool.frames()] == [True]


@pytest.mark.parametrize("name", ["uid", "_", "_uid", "__uid", " number of the row ", "*", "^.*$"])
def test_batches_come_back_with_their_numbers_whatever_their_columns_are_called(tmp_path: Path, name: str) -> None:
    """The numbers of rows wait beside them, in a column that no roster has."""
    batch = RosterBatch(1, pl.DataFrame({"uid": ["a", "b"]} | {name: ["x", "y"]}), rows=pl.Series([3, 7]))
    with closing(SpooledBatches(tmp_path)) as spool:
        spool.add(batch)
        (back,) = spool.batches()
    assert back.frame.equals(batch.frame)
    assert back.numbers.to_list() == [3, 7]


def test_the_spool_holds_nothing_in_memory(tmp_path: Path) -> None:
    """Promise 8: a spool that has seen a thousand frames is not larger than one that has seen ten, but for offsets."""
    with closing(Spool(tmp_path)) as spool:
        for _ in range(1000):
            spool.append(lines_of(ROWS))
        held = [getattr(spool, name) for name in vars(spool)]
        assert not [each for each in held if isinstance(each, pl.DataFrame)]
        assert sum(sys.getsizeof(each) for each in held) < 20_000


@pytest.mark.usefixtures("small_files")
def test_a_disk_that_fills_up_under_the_spool_is_a_storage_error(tmp_path: Path) -> None:
    """The spool of a large roster is large: a full disk there is as good a reason to stop as anywhere else."""
    with closing(Spool(tmp_path)) as spool, pytest.raises(StorageError):
        spool.append(many_lines())


@pytest.mark.usefixtures("small_files")
def test_what_a_full_disk_has_no_room_for_is_given_back_all_the_same(tmp_path: Path) -> None:
    """A run that stops for it still counts every row: nothing is lost, and the order stays."""
    frames = [lines_of(ROWS[:2]), many_lines(), lines_of(ROWS[2:])]
    with closing(Spool(tmp_path)) as spool:
        spool.append(frames[0])
        with pytest.raises(
            StorageError,
            match=r"no room for the rows that .* \(File too large\); make room, then run the same command again$",
        ):
            spool.append(frames[1])
        spool.append(frames[2])
        assert (len(spool), spool.rows) == (3, sum(each.height for each in frames))
        assert [each.equals(frame) for each, frame in zip(spool.frames(), frames, strict=True)] == [True] * 3

"""What comes again is found on disk as in memory; memory does not follow the roster, and a full disk is told."""

from __future__ import annotations

import gc
import random
import tracemalloc
from collections import Counter, defaultdict
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest

from provisioner.errors import OutputError, StorageError
from provisioner.validation.repeats import Repeats
from tests.rig.disk import no_file_larger_than


def prints(source: random.Random, count: int, kinds: int) -> list[int]:
    """Give numbers over the whole range of 64 bits, of so many kinds."""
    return [source.randrange(kinds) * (2**64 // kinds) for _ in range(count)]


def repeated(frames: list[pl.DataFrame], folder: Path, run_length: int) -> list[tuple[int, ...]]:
    with closing(Repeats(folder, run_length)) as repeats:
        for frame in frames:
            repeats.add(frame)
        found = sorted(repeats.repeated().rows())
    keys = [key for frame in frames for key in frame["key"]]
    assert repeats.again == len(keys) - len(set(keys))
    return found


@pytest.mark.parametrize("run_length", [1, 100, 10_000])
def test_every_key_that_comes_again_is_found_once_and_no_other(tmp_path: Path, run_length: int) -> None:
    """Within a run and across runs; 10,000 is more than there are, so that nothing touches the disk."""
    keys = prints(random.Random(1), 1_500, 1_000)
    frames = [pl.DataFrame({"key": keys[at : at + 77]}, schema={"key": pl.UInt64}) for at in range(0, 1_500, 77)]
    expected = sorted((key,) for key, times in Counter(keys).items() if times > 1)
    assert repeated(frames, tmp_path, run_length) == expected


@pytest.mark.parametrize("run_length", [100, 10_000])
def test_with_forms_a_key_is_repeated_by_another_form_only(tmp_path: Path, run_length: int) -> None:
    """However often a key comes with one form, it is not repeated; every form of a repeated key is given."""
    source = random.Random(2)
    pairs = [(key, source.randrange(2)) for key in prints(source, 1_500, 700)]
    schema = {"key": pl.UInt64, "form": pl.UInt64}
    frames = [pl.DataFrame(pairs[at : at + 77], schema=schema, orient="row") for at in range(0, 1_500, 77)]
    forms = defaultdict(set)
    for key, form in pairs:
        forms[key].add(form)
    expected = sorted((key, form) for key, found in forms.items() if len(found) > 1 for form in found)
    assert repeated(frames, tmp_path, run_length) == expected


def test_nothing_is_repeated_where_nothing_was_added(tmp_path: Path) -> None:
    """No frame at all, or frames without rows."""
    assert repeated([], tmp_path, 10) == []
    assert repeated([pl.DataFrame(schema={"key": pl.UInt64})], tmp_path, 10) == []


def test_the_file_has_no_name_and_is_made_when_it_is_needed(tmp_path: Path) -> None:
    """A kill leaves nothing behind, and a small roster needs no place to write to."""
    assert repeated([pl.DataFrame({"key": [7, 7]}, schema={"key": pl.UInt64})], tmp_path / "nowhere", 3) == [(7,)]
    with closing(Repeats(tmp_path, 2)) as repeats:
        repeats.add(pl.DataFrame({"key": [7, 7, 2**63]}, schema={"key": pl.UInt64}))
        assert list(tmp_path.iterdir()) == []
        assert repeats.repeated().rows() == [(7,)]


def test_a_full_disk_is_told_in_one_sentence(tmp_path: Path) -> None:
    """With the folder, the reason and what to do."""
    keys = pl.DataFrame({"key": prints(random.Random(3), 5_000, 5_000)}, schema={"key": pl.UInt64})
    with closing(Repeats(tmp_path, 10)) as repeats, no_file_larger_than(4096), pytest.raises(StorageError) as raised:
        repeats.add(keys)
    assert str(raised.value) == (
        f"{tmp_path}: no room to look for repeated values (File too large); make room, then run again"
    )


@pytest.mark.slow
def test_after_a_full_disk_nothing_complains_while_it_is_cleared_away(tmp_path: Path) -> None:
    """What was being written goes with the error's traceback, in whatever order: nothing more appears on stderr."""
    test_a_full_disk_is_told_in_one_sentence(tmp_path)
    gc.collect()


def test_a_folder_that_takes_no_file_is_told_in_one_sentence(tmp_path: Path) -> None:
    """With the folder, the reason and what to do."""
    keys = pl.DataFrame({"key": [1, 2]}, schema={"key": pl.UInt64})
    with closing(Repeats(tmp_path / "gone", 1)) as repeats, pytest.raises(OutputError) as raised:
        repeats.add(keys)
    assert str(raised.value) == (
        f"{tmp_path / 'gone'}: no file can be made there (No such file or directory); choose another --output"
    )


def test_what_is_on_disk_is_not_held_in_memory(tmp_path: Path) -> None:
    """Python's own part: after many runs no more than the places of the pieces is kept."""
    with closing(Repeats(tmp_path, 1_000)) as repeats:
        tracemalloc.start()
        for start in range(0, 200_000, 1_000):
            keys = pl.int_range(start, start + 1_000, dtype=pl.UInt64, eager=True) * (2**64 // 200_000)
            repeats.add(keys.to_frame("key"))
        held, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert repeats.repeated().height == 0
    assert held < 4_000_000

"""A file is written whole or not at all, in every format."""

from __future__ import annotations

import stat
from pathlib import Path

import polars as pl
import pytest

from provisioner.errors import StorageError
from provisioner.files.writing import PRIVATE
from provisioner.results.formats.writing import WRITERS, write_frames
from provisioner.results.outputs import FORMATS


def test_every_format_of_results_can_be_written() -> None:
    """What `--output` takes is what there is a writer for."""
    assert tuple(WRITERS) == FORMATS


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_file_replaces_the_old_one_as_a_whole(tmp_path: Path, suffix: str) -> None:
    """Frame by frame, with its own mode, and nothing is left beside it."""
    path = tmp_path / f"r{suffix}"
    path.write_text("old")
    frame = pl.DataFrame({"uid": ["a", "b"], "n": [1, 2]})
    write_frames(path, frame.iter_slices(1), frame.schema, PRIVATE)
    assert [each.name for each in tmp_path.iterdir()] == [path.name]
    assert stat.S_IMODE(path.stat().st_mode) == PRIVATE
    assert path.read_bytes() != b"old"


@pytest.mark.usefixtures("small_files")
@pytest.mark.parametrize("suffix", FORMATS)
def test_a_disk_that_fills_up_leaves_the_old_file(tmp_path: Path, suffix: str) -> None:
    """It is a storage error, and nothing is left beside the file."""
    path = tmp_path / f"r{suffix}"
    path.write_text("old")
    frame = pl.DataFrame({"uid": [f"u{number * 7919 % 9973}" for number in range(9000)]})
    with pytest.raises(StorageError, match=r"cannot be written \(.*; make room"):
        write_frames(path, frame.iter_slices(1000), frame.schema, PRIVATE)
    assert {each.name: each.read_text() for each in tmp_path.iterdir()} == {path.name: "old"}

"""The rejected rows, as a file that can be mended and fed in again."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import polars as pl
import pytest

from provisioner.results.rejections import write_rejected
from provisioner.results.spool import Spool


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_rejected_rows_come_in_the_rosters_format_and_a_stale_file_goes(tmp_path: Path, suffix: str) -> None:
    """Own columns in own order, then `_row` and `_errors`; nothing rejected leaves no file, not even an old one."""
    path = tmp_path / f"r.rejected{suffix}"
    rejected = pl.DataFrame({"Name": [" x "], "uid": ["ü"], "_row": [7], "_errors": ["uid.charset: it is"]})
    with closing(Spool(tmp_path)) as spool:
        spool.append(rejected.clear())
        spool.append(rejected)
        write_rejected(path, spool)
    read = pl.read_csv(path) if suffix == ".csv" else pl.read_parquet(path)
    assert (read.columns, read.rows()) == (["Name", "uid", "_row", "_errors"], [(" x ", "ü", 7, "uid.charset: it is")])
    for stale in (True, False):
        with closing(Spool(tmp_path)) as empty:
            empty.append(rejected.clear())
            write_rejected(path, empty)
        assert list(tmp_path.iterdir()) == [], f"with a stale file: {stale}"

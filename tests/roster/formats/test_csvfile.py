"""CSV blocks: cut where a row ends, and a defect has its place however far into the file it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioner.errors import RosterError
from provisioner.roster.formats.csvfile import BlockSizes, CsvRoster, _last_row_end, open_csv

HEADER = b"uid,name\n"
TINY = BlockSizes(first=7, block=5, longest_row=1000, first_batch=1, batch=2)


def rows_of(roster: CsvRoster) -> list[tuple[object, ...]]:
    return [row for batch in roster.batches() for row in batch.frame.rows()]


@pytest.mark.parametrize(
    ("chunk", "quotes_before", "end"),
    [
        (b"a,b\nc", 0, 4),
        (b'a,b\nc,"d\ne', 0, 4),
        (b'"a\n","b\n', 0, 0),
        (b"d\ne\n", 1, 0),
        (b'd\n"\ne', 1, 4),
        (b"no line end", 0, 0),
    ],
)
def test_a_row_ends_at_a_line_end_that_no_quoted_cell_holds(chunk: bytes, quotes_before: int, end: int) -> None:
    assert _last_row_end(chunk, b"\n", quotes_before) == end


@pytest.mark.parametrize("row", [b"x,y,z\n", b'x,"y\n', b'x,"y"z\n', b"x,\xff\n"])
def test_a_defect_far_into_a_large_file_is_told_by_its_row_and_byte(tmp_path: Path, row: bytes) -> None:
    """Many blocks further on than the first, which `open_roster` tries."""
    path, good = tmp_path / "r.csv", b'"a\n""b",c\n' * 90_000
    path.write_bytes(HEADER + good + row + good)
    roster = open_csv(path, sizes=BlockSizes(first=1000, block=100_000))
    with pytest.raises(RosterError, match=r"row 90001\b") as raised:
        rows_of(roster)
    places = range(len(HEADER + good), len(HEADER + good + row))
    assert any(f"(byte {place})" in str(raised.value) for place in places)


def test_a_row_without_end_is_given_up_in_time(tmp_path: Path) -> None:
    """A quote that is never closed must not pull the whole file into memory."""
    path = tmp_path / "r.csv"
    path.write_bytes(HEADER + b'a,"b\n' + b"c,d\n" * 1000)
    with pytest.raises(RosterError, match=r"row 1, column 'name' \(byte 11\): a quote \(\"\) that is never closed"):
        open_csv(path, sizes=TINY)
    path.write_bytes(HEADER + b"a" * 5000)
    with pytest.raises(RosterError, match=r"after row 0: a row of more than"):
        open_csv(path, sizes=TINY)

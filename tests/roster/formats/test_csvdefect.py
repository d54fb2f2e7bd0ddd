"""The second look at a broken block: what is wrong first, and where."""

from __future__ import annotations

import pytest

from provisioner.roster.formats.csvdefect import BARE_QUOTE, NEVER_CLOSED, TEXT_AFTER_QUOTE, Defect, first_defect


@pytest.mark.parametrize(
    ("block", "defect"),
    [
        (b"a,b\n\nc,d\n", None),
        (b'a,"b\n', Defect(NEVER_CLOSED, 0, 1, 2, 0)),
        (b'a,b\n"c"d,e\n', Defect(TEXT_AFTER_QUOTE, 1, 0, 4, 4)),
        (b'a,5"\n', Defect(BARE_QUOTE, 0, 1, 2, 0)),
    ],
)
def test_the_first_defect_has_its_row_column_and_byte(block: bytes, defect: Defect | None) -> None:
    assert first_defect(block, 2, b"\n") == defect

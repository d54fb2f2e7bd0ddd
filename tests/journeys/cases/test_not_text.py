"""Values that are no text: the reader of JSON says which cells are objects, lists or booleans."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from provisioner.roster.formats.rows import NOT_TEXT
from provisioner.roster.reader import open_roster


@pytest.mark.parametrize("name", ["r.ndjson", "r.json"])
def test_cells_that_are_no_text_are_marked(tmp_path: Path, name: str) -> None:
    """Numbers and null are text; a line that is read to the digit is no exception."""
    rows = [
        {"uid": 1, "name": "Ann", "n": None},
        {"uid": 2.50, "name": {"first": "Bob"}, "n": [1]},
        {"uid": True, "name": ["Cy"], "n": "x"},
        {"uid": "d", "name": False, "k": 12345678901234567890},
    ]
    lines = [json.dumps(row) for row in rows]
    (tmp_path / name).write_text(
        "".join(f"{line}\n" for line in lines) if name == "r.ndjson" else f"[{','.join(lines)}]"
    )
    (batch,) = open_roster(tmp_path / name).batches()
    found = {column: cells.to_list() for column, cells in batch.cells[NOT_TEXT].items()}
    assert found == {
        "uid": [False, False, True, False],
        "name": [False, True, True, True],
        "n": [False, True, False, False],
    }


def test_a_roster_of_texts_has_nothing_marked(tmp_path: Path) -> None:
    """And so costs nothing further on."""
    (tmp_path / "r.ndjson").write_text('{"uid":"a","name":"b"}\n')
    (batch,) = open_roster(tmp_path / "r.ndjson").batches()
    assert batch.cells == {NOT_TEXT: {}}

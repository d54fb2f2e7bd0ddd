"""docs/import.md is true: its sheet becomes users, step by step, as it stands there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rig.command import ROOT, emulator, rows
from tests.rig.sessions import play

PAGE = (ROOT / "docs/import.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_session_is_what_the_commands_print(tmp_path: Path) -> None:
    """From the sheet to the mended second round and its proof; 61 people are there in the end, each once."""
    with emulator(tmp_path) as api:
        play(PAGE, tmp_path, api.url)
    settled = [line for name in ("people.results.csv", "people.round2.results.csv") for line in rows(tmp_path / name)]
    created = [line["uid"] for line in settled if line["outcome"] == "created"]
    assert len(created) == len(set(created)) == 61
    assert "00017" in created

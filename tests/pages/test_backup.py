"""docs/backup.md is true: its session runs as it stands there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rig.command import ROOT, emulator
from tests.rig.sessions import play

PAGE = (ROOT / "docs/backup.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_session_is_what_the_commands_print(tmp_path: Path) -> None:
    """A copy, a loss, and nobody has noticed."""
    with emulator(tmp_path) as api:
        play(PAGE, tmp_path, api.url)

"""docs/migration.md is true: its rehearsal goes as it stands there, the run that is killed included."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rig.command import ROOT, emulator
from tests.rig.sessions import play

PAGE = (ROOT / "docs/migration.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_session_is_what_the_commands_print(tmp_path: Path) -> None:
    """From the check to the proof and the way back. The kill comes once somebody has been created."""
    with emulator(tmp_path) as api:
        users = f"{api.url.removesuffix('/v3')}/_emulator/users"
        page = PAGE.replace("& sleep 10;", f"& until curl -s {users} | grep -q crew-414; do sleep 0.1; done;")
        assert page != PAGE
        play(page, tmp_path, api.url)

"""docs/undo.md is true: its session runs as it stands there, and it tells every reason and every column."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from provisioner.run.undo.listing import COLUMNS
from provisioner.run.undo.reasons import DONE, REASONS
from tests.rig.command import ROOT, emulator
from tests.rig.sessions import play

PAGE = (ROOT / "docs/undo.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_session_is_what_the_commands_print(tmp_path: Path) -> None:
    """A run, another hand, what would be undone, what was, and the run again. In a shell of its own for each step."""
    functions = re.findall(r"^\$ (api\(\) .*)$", PAGE, re.MULTILINE)
    with_it = re.compile(r"^\$ ((?:.*; )?api [PG])", re.MULTILINE)
    page = with_it.sub(lambda step: f"$ {functions[0]}; {step[1]}", PAGE)
    with emulator(tmp_path) as api:
        play(page, tmp_path, api.url)


def test_every_reason_and_every_column_is_told_of() -> None:
    """A name in the list is a name on the page."""
    told = set(re.findall(r"`(\w+)`", PAGE))
    assert {*REASONS, *DONE.values(), *COLUMNS} - told == set()

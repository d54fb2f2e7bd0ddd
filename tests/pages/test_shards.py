"""docs/shards.md is true: its session runs as it stands there, and its table of hashes is right."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from provisioner.roster.shard import Shard
from tests.rig.command import ROOT, emulator
from tests.rig.sessions import play
from tests.roster.test_shard import VECTORS

PAGE = (ROOT / "docs/shards.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_session_is_what_the_commands_print(tmp_path: Path) -> None:
    """Two shards, a merge that is too early, and one that is not."""
    with emulator(tmp_path) as api:
        play(PAGE, tmp_path, api.url)


def test_the_table_of_hashes_is_right() -> None:
    """Who writes a program by it finds the same shards."""
    told = re.findall(r"^\| (?:`([^`]+)`|\(none\)) \| (\d+) \| (\d+) \| (\d+) \|$", PAGE, re.MULTILINE)
    assert [(uid, int(number)) for uid, number, *_ in told] == VECTORS
    for uid, _, *shards in told:
        for of, number in zip((3, 16), shards, strict=True):
            assert Shard(int(number), of).holds([uid or None]) == [True]

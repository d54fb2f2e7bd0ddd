"""docs/nightly-sync.md is true: its session runs as it stands there, and no metric is missing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.rig.command import PACKAGE, ROOT, emulator
from tests.rig.sessions import matches, play

PAGE = (ROOT / "docs/nightly-sync.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_session_is_what_the_commands_print(tmp_path: Path) -> None:
    """From the first night to the last one, in one folder, with the configuration that is shown."""
    with emulator(tmp_path) as api:
        play(PAGE, tmp_path, api.url)


def test_a_session_that_prints_something_else_is_found_out() -> None:
    """The comparison is worth something."""
    assert matches(["40  rows", " 1  created", "1 request in 1 s"], "40  rows\n 1  created\n1 request in 3 s\n")
    assert matches(["…", "4 … good"], "head\n 5 x\n 4 a b good")
    assert not matches(["40  rows"], "40  rows\n 1  created")
    assert not matches(["40  rows", "…", "done"], "41  rows\nmore\ndone")


def test_every_metric_is_told_of() -> None:
    """A name in the code is a name on the page."""
    source = (PACKAGE / "sync/metrics.py").read_text(encoding="utf-8")
    names = set(re.findall(r'(?:yield |^    \()"([a-z_]+)", "', source, re.MULTILINE))
    assert len(names) == 13
    section = PAGE.split("## What to alert on")[1].split("\n## ")[0]
    assert set(re.findall(r"(?:provisioner_sync_|`…_)([a-z_]+)", section)) == names

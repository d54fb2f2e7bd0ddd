"""docs/init.md is true: its session prints what stands there, and writes the file that is shown."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.rig.command import ROOT, provisioner

PAGE = (ROOT / "docs/init.md").read_text(encoding="utf-8")
ROSTER = re.findall(r"```csv\n(.*?)```", PAGE, re.DOTALL)[0]
CONFIG = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)[0]
COMMAND, PRINTED = re.findall(r"```console\n\$ provisioner (.*?)\n(.*?)```", PAGE, re.DOTALL)[0]


@pytest.mark.slow
def test_the_session_is_what_the_command_prints_and_writes(tmp_path: Path) -> None:
    """To the letter; and the two commands that it names run."""
    (tmp_path / "members.csv").write_text(ROSTER, encoding="utf-8")
    done = provisioner(*shlex.split(COMMAND), cwd=tmp_path)
    assert (done.exit_code, done.stdout, done.stderr) == (0, PRINTED, "")
    assert (tmp_path / "provisioner.toml").read_text(encoding="utf-8") == CONFIG
    for line in PRINTED.splitlines()[-2:]:
        words = shlex.split(line.partition(": provisioner ")[2].partition("   (")[0])
        assert provisioner(*words, cwd=tmp_path).exit_code == 1

"""docs/nightly-sync.md is true: its session runs as it stands there, and no metric is missing."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from tests.rig.command import COMMAND, KEY, PACKAGE, ROOT, emulator, environment

PAGE = (ROOT / "docs/nightly-sync.md").read_text(encoding="utf-8")
TIMES = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\dZ)?|\b\d+ s\b")


def steps() -> list[tuple[str, int, list[str]]]:
    """Give each command of the page with the exit code and the lines that are told to follow."""
    told = []
    for block in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL):
        for step in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            first, *printed = step.rstrip().splitlines()
            command, _, remark = first.partition("    # ")
            code = re.fullmatch(r"exit (\d+)", remark)
            told.append((command, int(code[1]) if code else 0, printed))
    return told


def matches(shown: list[str], printed: str) -> bool:
    """Whether that was printed: `…` stands for anything, and when it was and how long it took do not matter."""
    plain = " ".join(TIMES.sub("N", "\n".join(shown)).split())
    pattern = ".*".join(re.escape(part.strip()) for part in plain.split("…")).replace(r"\ ", " +")
    return re.fullmatch(pattern, " ".join(TIMES.sub("N", printed).split()), re.DOTALL) is not None


def test_the_session_is_what_the_commands_print(tmp_path: Path) -> None:
    """From the first night to the last one, in one folder, with the configuration that is shown."""
    (tmp_path / "samples").symlink_to(ROOT / "samples")
    config = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)[0]
    path = f"{Path(COMMAND).parent}:{os.environ['PATH']}"
    with emulator(tmp_path) as api:
        (tmp_path / "provisioner.toml").write_text(config.replace("http://127.0.0.1:8765/v3", api.url))
        for command, code, shown in steps():
            ended = subprocess.run(
                ["bash", "-c", command],
                cwd=tmp_path,
                env=environment(PATH=path, COMETCHAT_API_KEY=KEY),
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            assert ended.returncode == code, f"{command}: {ended.stderr}"
            assert matches(shown, ended.stdout), f"{command}: {ended.stdout}"


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
    assert len(names) == 12
    section = PAGE.split("## What to alert on")[1].split("\n## ")[0]
    assert set(re.findall(r"(?:provisioner_sync_|`…_)([a-z_]+)", section)) == names

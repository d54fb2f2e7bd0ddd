"""Sessions of a page: the commands in its `console` blocks, what is said to be printed, and whether that is so."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.rig.command import COMMAND, KEY, ROOT, Finished, environment, provisioner

TIMES = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?Z?)?|\b\d+ s\b")


@dataclass(frozen=True)
class Step:
    """A command, the exit code it is said to have, and the lines that are said to follow."""

    command: str
    code: int
    shown: list[str]


def steps(page: str) -> list[Step]:
    """Give the commands of a page in order; `    # exit 1` behind one says how it ends."""
    told = []
    for block in re.findall(r"```console\n(.*?)```", page, re.DOTALL):
        for step in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            first, *printed = step.rstrip().splitlines()
            command, _, remark = first.partition("    # ")
            code = re.fullmatch(r"exit (\d+)", remark)
            told.append(Step(command, int(code[1]) if code else 0, printed))
    return told


def matches(shown: list[str], printed: str) -> bool:
    """Whether that was printed: `…` stands for anything, and when it was and how long it took do not matter."""
    plain = " ".join(TIMES.sub("N", "\n".join(shown)).split())
    pattern = ".*".join(re.escape(part.strip()) for part in plain.split("…")).replace(r"\ ", " +")
    return re.fullmatch(pattern, " ".join(TIMES.sub("N", printed).split()), re.DOTALL) is not None


def play(page: str, folder: Path, url: str) -> None:
    """Carry out the session of a page beside the samples, with the first configuration it shows, against this API.

    Each step has a shell of its own, if it needs one; what an `export` says holds for those after it.
    """
    page = page.replace("http://127.0.0.1:8765/v3", url)
    (folder / "samples").symlink_to(ROOT / "samples")
    for config in re.findall(r"```toml\n(.*?)```", page, re.DOTALL)[:1]:
        (folder / "provisioner.toml").write_text(config)
    variables = {"PATH": f"{Path(COMMAND).parent}:{os.environ['PATH']}"}
    for step in steps(page):
        if step.command.startswith("export "):
            variables |= dict(re.findall(r"(\w+)=(\S+)", step.command))
            continue
        ended = _carried_out(step.command, folder, variables | {"COMETCHAT_API_KEY": KEY})
        assert ended.exit_code == step.code, f"{step.command}: {ended.stdout} {ended.stderr}"
        assert matches(step.shown, ended.stdout), f"{step.command}: {ended.stdout}"


def _carried_out(line: str, folder: Path, variables: dict[str, str]) -> Finished:
    words = shlex.split(line)
    if words[0] == "provisioner" and not re.search(r"[^\w\s.,:;=%@/+-]", line):
        return provisioner(*words[1:], cwd=folder, **variables)
    ended = subprocess.run(
        ["bash", "-c", line], cwd=folder, env=environment(**variables), capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    return Finished(ended.returncode, ended.stdout, ended.stderr)

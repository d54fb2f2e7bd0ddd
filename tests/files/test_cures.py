"""What is advised where a file cannot be had."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from provisioner.files.cures import cure_at


@pytest.mark.parametrize("cure", [{"PYTHONUTF8": "1"}, {"LC_ALL": "C.UTF-8"}])
def test_a_name_that_the_locale_cannot_read_is_none_that_is_to_be_changed(here: Path, cure: dict[str, str]) -> None:
    """The name is UTF-8, and what is told to be set lets the same command go on."""
    code = "import sys; from pathlib import Path; from provisioner.files.cures import foreign_name as of; "
    command = [sys.executable, "-c", code + "print(ascii(of(Path(sys.argv[1]))))"]
    plain = {"PATH": os.environ["PATH"], "LC_ALL": "C", "PYTHONUTF8": "0"}

    def told(name: bytes, **variables: str) -> str:
        asked = [*map(os.fsencode, command), name]
        done = subprocess.run(asked, cwd=here, env=plain | variables, capture_output=True, check=True)
        return done.stdout.decode().strip()

    why = "the name is UTF-8, and the locale (ascii) is not; set PYTHONUTF8=1, or LC_ALL=C.UTF-8, and run"
    assert told("é.csv".encode()) == f"'\\xe9.csv: {why} the same command again'"
    assert told("é.csv".encode(), **cure) == "None"
    assert told(b"\xe9.csv").endswith("is not UTF-8; rename it'")


def test_another_output_is_advised_where_nothing_can_be_recorded_alone(nobody: Path) -> None:
    """No journal, an empty one and a folder in its place know of nobody; what cannot be looked at may know of all."""
    mend = "make room or mend that, then run the same command again"
    for name, content in {"empty": b"", "held": b"users", "log": b"", "log-wal": b"users"}.items():
        (nobody / name).write_bytes(content)
    (nobody / "folder").mkdir()
    (nobody / "linked").symlink_to(nobody / "not mounted" / "j.db")
    (nobody / "disk").symlink_to("not mounted")
    (nobody / "loop").symlink_to("loop")
    (nobody / "sealed").mkdir(0)
    told = {name: cure_at(nobody / name) for name in ("empty", "folder", "absent", "held/j", "x" * 300)}
    assert told == dict.fromkeys(told, "choose another --output")
    held = {name: cure_at(nobody / name) for name in ("held", "log", "linked", "disk/a/j", "loop/j", "sealed/j")}
    assert held == dict.fromkeys(held, mend)

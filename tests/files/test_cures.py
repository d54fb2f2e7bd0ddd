"""What is advised where a file cannot be had."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from provisioner.files import cures
from provisioner.files.cures import EXTRAS, cure_at, with_extra
from tests.rig.command import ROOT


def test_an_extra_is_added_by_a_command_that_works_where_we_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the pip beside us, which needs neither a checkout nor a release; where there is none, as the page says."""
    monkeypatch.setattr(sys, "executable", "/my tool/bin/python")
    monkeypatch.setattr(cures, "find_spec", lambda name: name)
    packages = "adbc-driver-postgresql nanoarrow 'pymysql[rsa]'"
    assert with_extra("sql") == f"run '/my tool/bin/python' -m pip install {packages}"
    monkeypatch.setattr(cures, "find_spec", lambda _: None)
    assert with_extra("sql") == "add the extra sql, as docs/install.md says"


def test_an_extra_is_made_of_what_the_project_says() -> None:
    """Whoever adds it by its packages has what the extra would have brought."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = project["optional-dependencies"]
    assert {name: tuple(each.partition(">")[0] for each in needed[name]) for name in EXTRAS} == EXTRAS


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

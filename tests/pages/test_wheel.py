"""The wheel holds what the program needs, the example config included, and a README whose links work anywhere."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from provisioner.inspection.settinglist import example_config

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel as it is built from here."""
    if not (ROOT / "provisioner").exists():
        pytest.skip("the package is installed from a wheel and its source is not here")
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    return zipfile.ZipFile(path)


@pytest.mark.slow
def test_the_wheel_holds_the_package_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    """Every file of it that is no leftover, the example config, and what describes it; no test, no sample."""
    package = {
        each.relative_to(ROOT).as_posix()
        for each in (ROOT / "provisioner").rglob("*")
        if each.is_file() and "__pycache__" not in each.parts
    }
    held = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert held == package | {"provisioner/inspection/config.example.toml"}
    described = {name.partition(".dist-info/")[2] for name in wheel.namelist() if ".dist-info/" in name}
    assert described == {"METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE"}


def test_every_link_of_its_readme_is_an_address(wheel: zipfile.ZipFile) -> None:
    """The package index has no files beside it; each address is that of a file which is here."""
    (name,) = (each for each in wheel.namelist() if each.endswith("/METADATA"))
    links = re.findall(r"\]\(([^)\s]+)\)", wheel.read(name).decode())
    assert [each for each in links if not each.startswith(("https://", "#"))] == []
    ours = "https://github.com/cometchat-provisioner/provisioner/blob/main/"
    named = {each.removeprefix(ours).partition("#")[0] for each in links if each.startswith(ours)}
    assert named
    assert {each for each in named if not (ROOT / each).exists()} == set()


def test_the_example_is_the_one_of_the_project(wheel: zipfile.ZipFile) -> None:
    """`provisioner config example` prints it, from the source and from the wheel."""
    here = (ROOT / "config.example.toml").read_text(encoding="utf-8")
    assert example_config() == here
    assert wheel.read("provisioner/inspection/config.example.toml").decode() == here

"""What contributors are told is true, and what is claimed of the distribution agrees with itself."""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

import provisioner
from provisioner.files.aside import time_stamp
from provisioner.files.writing import notes_of
from provisioner.inspection.doctor.command import DISTRIBUTION
from provisioner.results.outputs import FORMATS, Outputs
from tests.rig.command import PACKAGE, ROOT

PAGES = {name: (ROOT / name).read_text(encoding="utf-8") for name in ("CONTRIBUTING.md", "SECURITY.md")}
CONTRIBUTING = PAGES["CONTRIBUTING.md"]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
NOXFILE = (ROOT / "noxfile.py").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PREFIX = "Programming Language :: Python :: "
CLAIMED = re.findall(rf'"{PREFIX}(3\.\d+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def words(page: str) -> list[str]:
    """All that stands in backticks, fences taken away."""
    return re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", page, flags=re.DOTALL))


def commands() -> list[list[str]]:
    """Every command that CONTRIBUTING.md names, as a shell would take it apart."""
    blocks = re.findall(r"```console\n(.*?)```", CONTRIBUTING, re.DOTALL)
    lines = [line.split("#")[0].strip() for block in blocks for line in block.splitlines()]
    known = re.compile(r"([A-Z_]+=\S+ )?(make|pytest|nox|python|pip)\b")
    return [shlex.split(each) for each in [*lines, *words(CONTRIBUTING)] if known.match(each)]


def path_of(name: str) -> Path:
    """The package is looked for where it was imported from, which need not be the checkout."""
    return PACKAGE / name.removeprefix("provisioner/") if name.startswith("provisioner/") else ROOT / name


def test_every_path_that_is_named_exists() -> None:
    """Whoever follows the pages finds the file or the folder."""
    like_a_path = re.compile(r"\.?[a-z_]+(/[\w.-]*)+|[\w-]+\.(py|md|toml|txt)")
    named = {word for page in PAGES.values() for word in words(page) if like_a_path.fullmatch(word)}
    of_no_folder = {"__init__.py", "utils.py", "out/site"}  # the last is made
    assert len(named) > 40
    assert {word for word in named - of_no_folder if not path_of(word).exists()} == set()


def test_every_folder_of_the_package_has_its_line() -> None:
    """The table of folders is whole; the emulator is told as one."""
    folders = {each.parent.relative_to(PACKAGE).as_posix() for each in PACKAGE.rglob("__init__.py")} - {"."}
    of_ours = {f"provisioner/{name}/" for name in folders if not name.startswith("emulator/")}
    assert of_ours <= set(re.findall(r"^\| `([^`]+)` \|", CONTRIBUTING, re.MULTILINE))


def test_every_command_that_is_named_can_be_given() -> None:
    """Targets of make, sessions of nox, modules and folders are there."""
    sessions = set(re.findall(r"^def ([a-z]+)\(session", NOXFILE, re.MULTILINE))
    counted = 0
    for command in commands():
        while "=" in command[0]:
            command.pop(0)
        counted += 1
        match command:
            case ["make", *targets]:
                wanted = {each for each in targets if "=" not in each}
                assert wanted <= set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE)), command
            case ["nox", "-s", session, *_]:
                name, _, version = session.partition("-")
                assert name in sessions, command
                assert version in CLAIMED, command
            case ["python", "-m", module, *_]:
                assert importlib.util.find_spec(module), command
            case ["pytest", path] if not path.startswith("-"):
                assert (ROOT / path).exists(), command
    assert counted > 15


def test_every_marker_that_is_named_is_one() -> None:
    """`-m` with a word that no test bears would select everything, and nobody would notice."""
    markers = {each.partition(":")[0] for each in PROJECT["tool"]["pytest"]["ini_options"]["markers"]}
    named = [command[command.index("-m") + 1] for command in commands() if "-m" in command and "python" not in command]
    assert {each.removeprefix("not ") for each in named} <= markers
    assert named


def test_continuous_integration_calls_the_same_command() -> None:
    """What passes here passes there."""
    assert (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()[-1] == "make test"


def test_the_distribution_has_one_name() -> None:
    """Hints that tell what to install name what is on the index, with extras that there are."""
    assert PROJECT["project"]["name"] == DISTRIBUTION
    files = [*PACKAGE.rglob("*.py"), *ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    hints = {
        hint for file in files for hint in re.findall(r"pipx? install '([^.'][^']*)'", file.read_text(encoding="utf-8"))
    }
    extras = PROJECT["project"]["optional-dependencies"]
    assert hints
    assert hints <= {DISTRIBUTION, *(f"{DISTRIBUTION}[{extra}]" for extra in extras)}


def test_the_changelog_knows_the_version() -> None:
    """The newest section is that of the version in the code, and the pages that are supported name it."""
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.findall(r"^## (\d+\.\d+\.\d+)", changelog, re.MULTILINE)[0]
    supported = re.findall(r"^\| (\d+\.\d+) \| yes \|", PAGES["SECURITY.md"], re.MULTILINE)
    assert (newest, supported) == (provisioner.__version__, [provisioner.__version__.rpartition(".")[0]])


def test_the_oldest_python_is_the_same_everywhere() -> None:
    """What is claimed is what linter and type checker judge by."""
    oldest = CLAIMED[0]
    assert (f">={oldest}", f"py{oldest.replace('.', '')}", oldest) == (
        PROJECT["project"]["requires-python"],
        PROJECT["tool"]["ruff"]["target-version"],
        PROJECT["tool"]["mypy"]["python_version"],
    )


def test_the_picture_of_the_layers_is_what_the_linter_holds() -> None:
    """In its order, from top to bottom, and what stands side by side; the last layer is the ground, named below it."""
    contract = next(each for each in PROJECT["tool"]["importlinter"]["contracts"] if each["type"] == "layers")
    *layers, ground = [re.sub("[()]", "", layer) for layer in contract["layers"]]
    page = (ROOT / "docs/how-it-works.md").read_text(encoding="utf-8")
    assert f"\n{' → '.join([*layers, 'the ground'])}\n" in page
    (told,) = re.findall(r"The ground is what everything stands on: (.*?)\.", page, re.DOTALL)
    assert set(re.findall(r"`(\w+)`", told)) == set(ground.split(" : "))


def test_nothing_that_a_job_leaves_in_the_checkout_gets_into_a_commit(tmp_path: Path) -> None:
    """Journals and results hold tokens, also those that were set aside under a name with the time, or merged."""
    ignored = ROOT / ".gitignore"
    if not ignored.exists() or shutil.which("git") is None:
        pytest.skip("the tests of a distribution have no .gitignore")
    whole = [f"people.{kind}{ending}" for kind in ("results", "all") for ending in FORMATS]
    names = [name for each in whole for name in _left_by(Outputs.beside(Path(each), Path(each).suffix, ()))]
    stamp = time_stamp()
    aside = [f"{each.stem}.{stamp}{more}{each.suffix}" for each in map(Path, names) for more in ("", "-2")]
    journals = [name for name in (*names, *aside) if ".journal." in name]
    beside = [name + ending for name in journals for ending in ("-wal", "-shm", ".lock")]
    notes = [notes_of(Path(name)).name for name in names]
    states = ["hr.state.db", f"hr.state.{stamp}.db", "hr.state.db-wal"]
    left = {*names, *aside, *beside, *notes, *states}
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True, env=environment)
    (tmp_path / ".gitignore").write_bytes(ignored.read_bytes())
    for name in left:
        (tmp_path / name).touch()
    found = ["git", "-C", str(tmp_path), "ls-files", "--others", "--exclude-standard"]
    told = subprocess.run(found, check=True, env=environment, capture_output=True, text=True)
    assert told.stdout.splitlines() == [".gitignore"]


def _left_by(outputs: Outputs) -> list[str]:
    """Name all that the commands write for one --output."""
    files = (*outputs.paths(), outputs.proof, outputs.differences, outputs.leavers, outputs.undo, outputs.undo_summary)
    more = (outputs.results.with_suffix(ending) for ending in (".report.html", ".check.summary.json"))
    checked = (outputs.results.with_suffix(f".check.rejected{outputs.rejected.suffix}"),)
    return [each.name for each in (*files, *more, *checked)]

"""What is proved before a release: the tests against the wheel on every Python claimed, the checks, the coverage.

`nox` runs all of it; `nox -s tests-3.13 -- -m "not process"` one part: what follows `--` goes to pytest.
"""

from __future__ import annotations

import shutil
import tarfile
from pathlib import Path
from typing import Final

import nox

CLAIMED: Final = nox.project.python_versions(nox.project.load_toml("pyproject.toml"))
COMING: Final = ["3.14"]
"""Not claimed yet; tried where it is installed."""

CONSTRAINTS: Final = str(Path("constraints.txt").resolve())
EXTRAS: Final = "[dev,speed]"
SPREAD: Final = ("--all", "-n", "auto", "--dist", "worksteal")

nox.needs_version = ">=2025.2"
nox.options.default_venv_backend = "virtualenv"


@nox.session(python=[*CLAIMED, *COMING])
def tests(session: nox.Session) -> None:
    """Run the tests against the wheel, from a source distribution whose package has been taken away."""
    sources = _unpacked_sdist(session)
    wheel = _wheel_of(session, sources)
    session.install("--constraint", CONSTRAINTS, f"{wheel}{EXTRAS}")
    # `nox -r` finds one of this version installed already, which pip would leave as it is.
    session.install("--force-reinstall", "--no-deps", str(wheel))
    # Left where it is, the folder would be imported instead of what was installed.
    shutil.rmtree(sources / "provisioner")
    with session.chdir(sources):
        installed = "import provisioner; assert 'site-packages' in provisioner.__file__, provisioner.__file__"
        session.run("python", "-c", installed, env={"PYTHONPATH": ""})
        session.run("pytest", *SPREAD, *session.posargs, env={"PYTHONPATH": ""})


@nox.session(python=CLAIMED[0])
def lint(session: nox.Session) -> None:
    """Check style, the directions of imports, and types as each Python sees them."""
    session.install("--constraint", CONSTRAINTS, "--editable", f".{EXTRAS}")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("lint-imports", "--no-logo", "--no-cache")
    for version in CLAIMED:
        session.run("mypy", "--python-version", version)


@nox.session(python=CLAIMED[0])
def coverage(session: nox.Session) -> None:
    """Measure what the tests reach, the processes they start included, and hold the floor."""
    session.install("--constraint", CONSTRAINTS, "--editable", f".{EXTRAS}")
    session.run("pytest", *SPREAD, "--cov", "--cov-report=term-missing:skip-covered", *session.posargs)


def _unpacked_sdist(session: nox.Session) -> Path:
    """Make the source distribution and unpack it; what it lacks, the tests lack."""
    folder = Path(session.create_tmp()).resolve()
    shutil.rmtree(folder)
    folder.mkdir()
    session.install("--constraint", CONSTRAINTS, "hatchling", "hatch-fancy-pypi-readme")
    session.run("python", "-m", "hatchling", "build", "--target", "sdist", "--directory", str(folder))
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as file:
        file.extractall(folder, filter="data")
    return folder / archive.name.removesuffix(".tar.gz")


def _wheel_of(session: nox.Session, sources: Path) -> Path:
    with session.chdir(sources):
        session.run("python", "-m", "hatchling", "build", "--target", "wheel", "--directory", str(sources.parent))
    (wheel,) = sources.parent.glob("*.whl")
    return wheel

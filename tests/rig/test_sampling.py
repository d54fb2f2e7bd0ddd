"""What is left out of `make test`, and how it is asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.rig.command import ROOT
from tests.rig.sampling import examples

SAMPLED = "tests/rig/test_sampling.py::test_cases_are_sampled"
LEFT_OUT = "tests/rig/test_sampling.py::test_seconds_are_left_out"


@pytest.mark.sampled
@pytest.mark.parametrize("case", range(11))
def test_cases_are_sampled(case: int) -> None:
    """Every fifth, the first among them."""
    assert case in range(11)


@pytest.mark.slow
def test_seconds_are_left_out() -> None:
    """Unless they are asked for: then more examples are tried as well."""
    assert examples(150) >= 150


def collected(*arguments: str) -> list[str]:
    """The tests of two kinds that would run."""
    command = [sys.executable, "-m", "pytest", "--collect-only", *arguments]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [line for line in said.splitlines() if line.startswith((SAMPLED, LEFT_OUT))]


def test_what_is_asked_for_is_tried() -> None:
    """A file by itself is sampled; with `--all` it is tried whole."""
    cases = [f"{SAMPLED}[{case}]" for case in range(11)]
    assert collected("tests/rig/test_sampling.py") == cases[::5]
    assert collected("tests/rig/test_sampling.py", "--all") == [*cases, LEFT_OUT]

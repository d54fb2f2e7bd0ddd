"""The tree of our exceptions, and what each ends the command with."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
from collections.abc import Iterator

import orjson
import pytest

import provisioner
from provisioner import errors
from provisioner.errors import ExitCode

PREFIXES = ("provisioner.emulator", "provisioner.__main__")
"""The emulator is a program of its own; `__main__` only begins."""


def drawn() -> dict[str, str]:
    """Exception → its parent, as the docstring draws them."""
    above: list[str] = []
    parents = {}
    for line in (errors.__doc__ or "").splitlines():
        if match := re.match(r"    ((?:[│ ]   )*)(?:[├└]── )?(\w+)(?: {2,}|$)", line):
            depth = len(match[1]) // 4 + ("── " in line)
            above[depth:] = [match[2]]
            parents[match[2]] = above[depth - 1] if depth else ""
    return parents


def defined(base: type[BaseException] = Exception) -> Iterator[tuple[str, str]]:
    """Every exception that the package defines, with its parent."""
    for each in base.__subclasses__():
        if each.__module__.startswith("provisioner.") and not each.__module__.startswith(PREFIXES):
            yield each.__name__, base.__name__
        yield from defined(each)


def test_the_tree_names_every_exception_of_ours() -> None:
    """Whoever reads the docstring knows all there are, and which is a kind of which."""
    for module in pkgutil.walk_packages(provisioner.__path__, "provisioner."):
        if not module.name.startswith(PREFIXES):
            importlib.import_module(module.name)
    assert {"Exception": "", "ValueError": "", **dict(defined())} == drawn()


@pytest.mark.parametrize("name", [name for name in drawn() if hasattr(errors, name)])
def test_the_tree_says_what_each_ends_the_command_with(name: str) -> None:
    """The number beside a name is the one the command ends with; a name without one has its parent's."""
    code = re.search(rf"{name} +(\d+) ", errors.__doc__ or "")
    kind = getattr(errors, name)
    assert kind.exit_code == (int(code[1]) if code else getattr(errors, drawn()[name]).exit_code)


def test_an_exit_code_is_a_number_wherever_it_is_written() -> None:
    """Logs, summaries and metrics hold the number, not a name of ours."""
    code = ExitCode.SAFETY
    assert [f"{code}", str(code), repr(code), json.dumps(code), orjson.dumps(code)] == ["3", "3", "3", "3", b"3"]

"""Tests of the guard: only a test that is marked can start a process."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.rig import command, company
from tests.rig.processes import ProcessStartedError, no_process, starts_processes

WAYS: dict[str, Callable[[], object]] = {
    "command": lambda: subprocess.run([sys.executable, "-c", ""], check=True),
    "shell": lambda: os.system("true"),
    "fork": os.fork,
    "spawned": multiprocessing.get_context("spawn").Process(target=print).start,
    "forked by a server": multiprocessing.get_context("forkserver").Process(target=print).start,
    "rig": lambda: command.provisioner("--version", cwd=Path()),
}


def in_a_fixture() -> None:
    """Name what starts one."""
    command.provisioner("--version", cwd=Path())


@pytest.mark.process  # so that nothing but the block of the test forbids it
@pytest.mark.parametrize("way", WAYS)
def test_no_way_leads_to_a_process(way: str) -> None:
    """Whatever is used, it raises before there is one, and says what to do."""
    with no_process(), pytest.raises(ProcessStartedError, match=r"mark this test with `@pytest.mark.process`"):
        WAYS[way]()


@pytest.mark.process
def test_outside_of_it_a_process_starts() -> None:
    """The guard ends with its block, and is there again in the next one."""
    with no_process(), no_process():
        pass
    assert subprocess.run([sys.executable, "-c", "print(7)"], capture_output=True, check=True).stdout == b"7\n"


def test_a_test_that_is_not_marked_is_guarded(request: pytest.FixtureRequest) -> None:
    """This one is not marked."""
    assert request.node.get_closest_marker("process") is None
    with pytest.raises(ProcessStartedError):
        os.fork()


def test_what_starts_processes_is_known_by_what_it_names() -> None:
    """By itself, through a function of the tests, through a class; `rows` of the same module starts none."""
    assert starts_processes([command.provisioner])
    assert starts_processes([command.emulator])
    assert starts_processes([in_a_fixture])
    assert not starts_processes([command.rows, command.write_roster, company])

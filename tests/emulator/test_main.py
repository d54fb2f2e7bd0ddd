"""Tests of `python -m provisioner.emulator`: the emulator without the rest of the command."""

import subprocess
import sys


def test_it_is_a_command_of_its_own() -> None:
    """Its help is that of the `emulator` command, under the name by which it was called."""
    run = subprocess.run(
        [sys.executable, "-W", "error", "-m", "provisioner.emulator", "--help"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert "python -m provisioner.emulator" in run.stdout
    for option in ("--port", "--fault", "--users", "--audit"):
        assert option in run.stdout


def test_a_wrong_option_is_refused() -> None:
    """Exit 2, and nothing was started."""
    run = subprocess.run(
        [sys.executable, "-m", "provisioner.emulator", "--prot", "1"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (run.returncode, run.stdout) == (2, "")
    assert "--prot" in run.stderr

"""`run` and `validate`: settings decide which of two functions a roster goes to."""

from __future__ import annotations

import pytest

from provisioner.cli.app import carry_out
from provisioner.errors import ExitCode


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("run users.csv", ExitCode.API),
        ("run users.csv --dry-run", ExitCode.ROWS_LEFT),
        ("validate users.csv", ExitCode.ROWS_LEFT),
    ],
)
def test_a_dry_run_is_a_check(words: str, code: ExitCode, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only `run` sends, and not even that with --dry-run; the exit code is what the function gives."""
    monkeypatch.setattr("provisioner.run.command.run_roster", lambda *_: ExitCode.API)
    monkeypatch.setattr("provisioner.run.command.check_roster", lambda *_: ExitCode.ROWS_LEFT)
    assert carry_out(words.split()) == code

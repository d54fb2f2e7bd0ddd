"""`run` and `validate`: arguments become settings, settings what carries them out, and what that gives an exit code."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner import api
from provisioner.cli.app import carry_out
from provisioner.cli.asked import Asked
from provisioner.errors import ExitCode
from provisioner.run.rates import Dial
from provisioner.settings.tables import Settings


@pytest.mark.parametrize(
    ("words", "work", "dry"),
    [
        ("run users.csv", "run_async", False),
        ("run users.csv --dry-run", "run_async", True),
        ("validate users.csv", "validate_async", False),
    ],
)
def test_a_command_carries_out_what_the_api_has(
    words: str, work: str, dry: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exit code is that of what it gives."""
    called: list[tuple[list[str], bool, Any]] = []

    def carried_out(asked: Asked, settings: Settings, carrying: Any, dial: Dial | None = None) -> ExitCode:
        assert (dial is None) is asked.check
        assert asked.check is (work == "validate_async")
        called.append((list(asked.roster), settings.run.dry_run, getattr(carrying, "func", carrying)))
        return ExitCode.ROWS_LEFT

    monkeypatch.setattr("provisioner.cli.commands.run.carried_out", carried_out)
    assert carry_out(words.split()) == ExitCode.ROWS_LEFT
    assert called == [(["users.csv"], dry, getattr(api, work))]

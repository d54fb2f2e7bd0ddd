"""Validates a roster in this process, as the command does, and gives what would be sent or why it is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from provisioner import api
from provisioner.errors import RosterError

SAMPLES = Path(__file__).parent / "data" / "rosters"
"""Files of the kinds people have, in a folder for each class."""


def document(roster: str | Path | Sequence[str | Path], folder: Path, **tables: Mapping[str, Any]) -> dict[str, Any]:
    """The summary of `validate`, whose files go to a folder of their own; `tables` are those of a config file."""
    config = tables.pop("config", None)
    output = {"file": str(folder / "checked.csv"), **tables.pop("output", {})}
    run = {"show": 50, **tables.pop("run", {})}
    settings = api.settings(config, {}, output=output, run=run, **tables)  # type: ignore[arg-type]
    return dict(api.validate(roster, settings).document)


def users(roster: str | Path | Sequence[str | Path], folder: Path, **tables: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The users that would be sent of a roster without a defect, without `withAuthToken`."""
    found = document(roster, folder, **tables)
    assert (found["exit_code"], found["defects"]) == (0, {})
    return sent(found)


def sent(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The users in a summary, without `withAuthToken`."""
    bodies = [request["body"] for request in found.get("shown_requests", ())]
    return [{key: value for key, value in body.items() if key != "withAuthToken"} for body in bodies]


def refusal(roster: str | Path | Sequence[str | Path], folder: Path, **tables: Mapping[str, Any]) -> str:
    """The sentence that refuses a roster, with the folder of the roster taken out of it."""
    with pytest.raises(RosterError) as raised:
        document(roster, folder, **tables)
    return str(raised.value).replace(f"{SAMPLES}/", "").replace(f"{folder}/", "")


def events(
    roster: str | Path, folder: Path, level: str = "warning", **tables: Mapping[str, Any]
) -> list[Mapping[str, Any]]:
    """What is logged while a roster is validated."""
    with capture_logs() as logged:
        document(roster, folder, **tables)
    return [event for event in logged if event["log_level"] == level]

"""One line of the doctor's, and what all of them make of the exit code."""

from __future__ import annotations

import pytest

from provisioner.inspection.doctor.diagnosis import Check, Status, exit_code, refused


@pytest.mark.parametrize(
    ("statuses", "code"),
    [([], 0), ([Status.OK, Status.WARNING], 0), ([Status.ERROR, Status.OK], 4)],
)
def test_only_an_error_is_one_for_a_scheduler(statuses: list[Status], code: int) -> None:
    """Warnings are for people."""
    assert exit_code(Check("any", status, "seen") for status in statuses) == code


@pytest.mark.parametrize(
    ("message", "seen", "do"),
    [
        ("no API key: set COMETCHAT_API_KEY", "no API key", "set COMETCHAT_API_KEY"),
        ("key: cannot be read; chmod it, or name another", "key: cannot be read", "chmod it, or name another"),
        ("all is lost", "all is lost", ""),
    ],
)
def test_a_refusal_is_cut_into_what_is_wrong_and_what_to_do(message: str, seen: str, do: str) -> None:
    """Every message of ours is made of both; one that is not loses nothing."""
    assert refused("api_key", message) == Check("api_key", Status.ERROR, seen, do)

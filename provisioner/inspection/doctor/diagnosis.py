"""One check: what was looked at, what was seen, what to do."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from provisioner.errors import ExitCode


class Status(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the doctor's: what was looked at, what was seen, and what to do ("" when there is nothing)."""

    name: str
    status: Status
    seen: str
    do: str = ""


def exit_code(checks: Iterable[Check]) -> ExitCode:
    """0 when no check is an error, else 4."""
    return ExitCode.API if any(each.status is Status.ERROR for each in checks) else ExitCode.OK


def refused(name: str, message: str) -> Check:
    """Make an error of a message of ours, cut into what is wrong and what to do."""
    match = re.fullmatch(r"(no [^:]+): (.+)|(.+?); (.+)", message, re.DOTALL)
    if match is None:
        return Check(name, Status.ERROR, message)
    return Check(name, Status.ERROR, match[1] or match[3], match[2] or match[4])

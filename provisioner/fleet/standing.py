"""How far a job is, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from provisioner.errors import ExitCode
from provisioner.fleet.jobs import Job
from provisioner.journal.lock import process_of

SIGNALLED: Final = 128
"""What an exit code has above the number of the signal that ended a process."""


KILLED: Final = -9
"""The exit code of a process that SIGKILL has ended."""


class Phase(StrEnum):
    """Where a job is."""

    WAITING = "waiting"
    RUNNING = "running"
    ENDED = "ended"
    HELD_BACK = "held back"


@dataclass(frozen=True, slots=True)
class Ended:
    """A process that has ended.

    exit_code  of a command; minus the number of the signal that killed it
    summary    what it printed with `--json`; empty when it came to none
    message    its last words, where there is no summary
    """

    exit_code: int
    summary: Mapping[str, Any] = field(default_factory=dict)
    message: str | None = None


@dataclass(slots=True)
class Standing:
    """A job and how far it is.

    progress   the facts of its last progress event
    done       rows that were through, by the last word of its sending: what its journal knows outlives its process
    starts     how often it was started; more than once after it was killed
    waits_for  what it cannot begin for
    began      monotonic seconds
    """

    job: Job
    phase: Phase = Phase.WAITING
    progress: Mapping[str, Any] = field(default_factory=dict)
    done: int = 0
    starts: int = 0
    waits_for: str | None = None
    began: float = 0.0
    seconds: float = 0.0
    ended: Ended | None = None

    def note(self, facts: Mapping[str, Any]) -> None:
        """Take in a progress event; each stage counts rows of its own, and only those that were sent are done."""
        self.progress = facts
        if facts.get("stage") == "sending":
            self.done = int(facts.get("done") or 0)

    @property
    def exit_code(self) -> int | None:
        """What it ended with; 128 and the signal's number for one that was killed; None when it has not ended."""
        if self.ended is None:
            return None
        return self.ended.exit_code if self.ended.exit_code >= 0 else SIGNALLED - self.ended.exit_code

    @property
    def in_trouble(self) -> bool:
        """Whether somebody has to look at more than its rows."""
        return self.exit_code not in {None, ExitCode.OK, ExitCode.ROWS_LEFT}

    @property
    def summary(self) -> Mapping[str, Any]:
        """What it printed in the end; empty as long as it has come to none."""
        return self.ended.summary if self.ended is not None else {}

    @property
    def message(self) -> str | None:
        """What stopped it, in one sentence; of one that is not ours to begin, who holds its journal."""
        if self.ended is not None:
            return self.summary.get("message") or self.ended.message
        if self.waits_for is None:
            return None
        cure = "SIGTERM" if (process := process_of(self.waits_for)) is None else f"kill {process}"
        what = f"in use by {self.waits_for}, which goes on: whether it is a job of this file cannot be told"
        return f"{what}; {cure} stops it properly"


ORDER: Final = (
    ExitCode.OK, ExitCode.ROWS_LEFT, ExitCode.TIME_OVER, ExitCode.SAFETY, ExitCode.API, ExitCode.USAGE, ExitCode.BUG,
)  # fmt: skip
"""From good to bad. What is not among them (killed by a signal) is worse."""


def worst(codes: Sequence[int]) -> int:
    """Give the worst of the exit codes of jobs: 0, 1, 5, 3, 4, 2, 70, then those of jobs that were killed."""
    places = {int(code): place for place, code in enumerate(ORDER)}
    return max(codes, key=lambda code: (places.get(code, len(places)), code), default=int(ExitCode.OK))

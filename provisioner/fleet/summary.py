"""What a fleet adds up to: one object for machines, a table for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from provisioner.errors import ExitCode
from provisioner.fleet.standing import ORDER, Phase, Standing, worst
from provisioner.model import Outcome
from provisioner.results.tables import plain_table
from provisioner.stop import Stop
from provisioner.wording import counted, duration, iso_time, listed

COUNTED: Final = ("rows", *(outcome.value for outcome in Outcome), "requests", "retries", "rate_limited", "tokens")
"""What is added up over jobs, where their summaries have it."""

_WORDS: Final = {"retries": "retried", "rate_limited": "rate-limited"}
_MOST_SHOWN: Final = 50


@dataclass(frozen=True, slots=True)
class FleetSummary:
    """The end of a fleet.

    started   UNIX seconds
    finished  UNIX seconds
    stop      what ended the fleet before its jobs did
    file      where the document is kept; None when it could not be written
    """

    standings: Sequence[Standing]
    started: float
    finished: float
    stop: Stop | None
    file: Path | None

    @property
    def exit_code(self) -> ExitCode:
        """The fleet's exit code: what stopped it, else the worst of its jobs'."""
        if self.stop is not None:
            return self.stop.exit_code
        code = worst([each.exit_code for each in self.standings if each.exit_code is not None])
        return ExitCode(code) if code in ORDER else ExitCode.BUG

    @property
    def message(self) -> str | None:
        """What ended the fleet before its jobs did, and which of them go on in processes that it has not started."""
        if self.stop is None:
            return None
        on = [f"{each.job.name} ({each.waits_for})" for each in self.standings if each.phase is Phase.RUNNING]
        return f"{self.stop.message}; still running: {', '.join(on)}" if on else self.stop.message

    @property
    def outputs(self) -> Mapping[str, str | None]:
        """The files that were written."""
        return {"summary": None if self.file is None else str(self.file)}

    @property
    def document(self) -> dict[str, Any]:
        """The summary as the file and `--json` hold it."""
        seconds, phases = self.finished - self.started, Counter(each.phase for each in self.standings)
        # What an earlier fleet had started has sent its requests before this one's time.
        sent = _added_up(each for each in self.standings if each.starts).get("requests", 0)
        return {
            "jobs": [_document(each) for each in self.standings],
            "totals": self.totals,
            "ended": phases[Phase.ENDED],
            "held_back": phases[Phase.HELD_BACK],
            "running": phases[Phase.RUNNING],
            "not_begun": phases[Phase.WAITING],
            "not_counted": self.not_counted,
            "started_at": iso_time(self.started),
            "finished_at": iso_time(self.finished),
            "elapsed_seconds": round(seconds, 3),
            "requests_per_minute": round(sent * 60 / seconds, 1) if seconds > 0 else 0.0,
            "stopped_by": self.stop.reason if self.stop else None,
            "message": self.message,
            "exit_code": self.exit_code,
            "outputs": dict(self.outputs),
        }

    @property
    def totals(self) -> dict[str, int]:
        """What the jobs' summaries say, added up."""
        return _added_up(self.standings)

    @property
    def not_counted(self) -> list[str]:
        """The names of the jobs that came to no numbers: killed, refused or never begun; in no sum are their rows."""
        return [each.job.name for each in self.standings if "rows" not in each.summary]

    def show(self, console: Console) -> None:
        """Print what people read: the jobs that need somebody, and the totals."""
        table = plain_table()
        for style in ("bold", "", ""):
            table.add_column(style=style, overflow="fold")
        wanting = [each for each in self.standings if each.exit_code != ExitCode.OK]
        for each in wanting[:_MOST_SHOWN]:
            end = f"exit {each.exit_code}" if each.phase is Phase.ENDED else each.phase.value
            table.add_row(each.job.name, end, Text(each.message or _left(each)))
        if wanting:
            console.print(table)
        if len(wanting) > _MOST_SHOWN:
            console.print(Text(f"and {len(wanting) - _MOST_SHOWN:,} more{f'; see {self.file}' if self.file else ''}"))
        good = len(self.standings) - len(wanting)
        console.print(Text(f"{counted(len(self.standings), 'job')}, {good:,} with nothing left to do"))
        totals = {key: number for key, number in self.totals.items() if number}
        said = " · ".join(_said(_WORDS.get(key, key), number) for key, number in totals.items())
        console.print(Text(f"{said}{' · ' if said else ''}{duration(self.finished - self.started)}"))
        if without := self.not_counted:
            console.print(
                Text(f"not counted: {listed(without)}; `provisioner status OUTPUT` tells what a job has done")
            )
        if self.file is not None:
            console.print(Text(f"summary: {self.file}"))


def _added_up(standings: Iterable[Standing]) -> dict[str, int]:
    totals: Counter[str] = Counter()
    for each in standings:
        totals.update({key: each.summary[key] for key in COUNTED if isinstance(each.summary.get(key), int)})
    return {key: totals[key] for key in COUNTED if key in totals}


def _said(word: str, number: int) -> str:
    """Say how many; only of things, not of what became of them, is there one or several."""
    return counted(number, word.removesuffix("s")) if word.endswith("s") else f"{number:,} {word}"


def _left(standing: Standing) -> str:
    found = ((key, standing.summary.get(key)) for key in ("rejected", "failed", "pending"))
    return ", ".join(f"{number:,} {key}" for key, number in found if number)


def _document(standing: Standing) -> dict[str, Any]:
    job, summary = standing.job, standing.summary
    document = {
        "name": job.name,
        "command": job.command,
        "shard": job.shard,
        "state": standing.phase.value,
        "exit_code": standing.exit_code,
        "stopped_by": summary.get("stopped_by"),
        "message": standing.message,
        "starts": standing.starts,
        "elapsed_seconds": round(standing.seconds, 3),
    }
    document |= {key: summary[key] for key in (*COUNTED, "requests_per_minute") if key in summary}
    return document | {"outputs": summary.get("outputs", {"results": None})}

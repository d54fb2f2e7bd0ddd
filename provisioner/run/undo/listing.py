"""The list that an undo leaves: one line for each user the job created or updated, and what became of it."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from provisioner.files.writing import PRIVATE, written_whole
from provisioner.journal.undo.telling import Line
from provisioner.model import Outcome
from provisioner.results.manifest import rewrite
from provisioner.wording import iso_time

COLUMNS: Final = ("row", "uid", "verdict", "done", "reason", "message", "http_status", "attempts", "settled_at")


@dataclass(slots=True)
class Counts:
    """What the lines add up to: verdict, what was done, why users are kept, what failed → users."""

    verdicts: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)
    kept: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)

    def add(self, line: Line) -> None:
        """Count one line."""
        self.verdicts[line.verdict] += 1
        if line.done is not None:
            self.done[line.done] += 1
        if line.reason is not None:
            (self.kept if line.verdict == Outcome.KEPT else self.failed)[line.reason] += 1


def count_lines(lines: Iterable[Line]) -> Counts:
    """Say what lines add up to that are not written."""
    counts = Counts()
    for line in lines:
        counts.add(line)
    return counts


def write_list(path: Path, written: str | None, lines: Iterable[Line]) -> tuple[Counts, str | None]:
    """Write the lines; say what they add up to, and the digest of the file. Raises `StorageError`.

    written  see `rewrite`
    """
    counts = Counts()
    return counts, rewrite(path, written, lambda: _write(path, _counted(lines, counts)))


def _write(path: Path, lines: Iterable[tuple[object, ...]]) -> None:
    with written_whole(path, PRIVATE) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(lines)


def _counted(lines: Iterable[Line], counts: Counts) -> Iterator[tuple[object, ...]]:
    for line in lines:
        counts.add(line)
        yield (*line[:-1], None if line.settled_at is None else iso_time(line.settled_at))

"""A case from its first life to its end, and what was wrong with it."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.search.case import Case
from benchmarks.search.judge import Judge, read_claims
from benchmarks.search.process import live
from benchmarks.search.world import World

_MEMORY: Final = Path("/dev/shm")
_MOST_CLEAN_LIVES: Final = 3


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a case.

    offences  of the first life that had any
    lives     that were lived
    trace     a text that is another one when anything went otherwise
    """

    offences: tuple[str, ...]
    lives: int
    trace: str = ""

    @property
    def kind(self) -> str | None:
        """What kind the first offence is of."""
        return self.offences[0].split(":")[0] if self.offences else None


def trial(case: Case) -> Verdict:
    """Live all lives of a case, then some that nobody disturbs, until the job is finished."""
    folder = Path(tempfile.mkdtemp(prefix="search-", dir=_MEMORY if _MEMORY.is_dir() else None))
    try:
        return _lived(case, folder / "out.journal")
    finally:
        shutil.rmtree(folder)


def _lived(case: Case, path: Path) -> Verdict:
    world = World(case)
    judge = Judge(case, world)
    last, steps = len(case.lives) - 1, []
    for number in range(last + 1 + _MOST_CLEAN_LIVES):
        ended = live(case, number, world, path, clean=number >= last)
        steps.append(ended.steps)
        claims = read_claims(path) if path.exists() else {}
        world.doubt(ended.marked(uid for uid, line in claims.items() if line.state == "sent"))
        offences = judge.after(number, ended, claims)
        finished = number >= last and not any(
            line.outcome == "failed" and line.error_code == "in_doubt" for line in claims.values()
        )
        if finished and not offences:
            offences = list(judge.at_last(number, claims))
        if offences or finished:
            break
    trace = f"{steps} {len(world.requests)} {world.now!r} {sorted(claims.values())}"
    return Verdict(tuple(offences), number + 1, trace)

"""A case from its first life to its end, and what was wrong with it."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.search.case import Case
from benchmarks.search.judge import Claims, Judge, read_claims
from benchmarks.search.nightjudge import NightJudge, count_good, read_results
from benchmarks.search.nights import RESULTS, STATE, live_night
from benchmarks.search.runs import JOURNAL, live_run
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
    place = Path(tempfile.mkdtemp(prefix="search-", dir=_MEMORY if _MEMORY.is_dir() else None))
    try:
        (folder := place / "job").mkdir()
        return _nights(case, folder) if case.sync else _run(case, folder)
    finally:
        shutil.rmtree(place)


def _run(case: Case, folder: Path) -> Verdict:
    world = World(case)
    judge = Judge(case, world)
    last, steps = len(case.lives) - 1, []
    for number in range(last + 1 + _MOST_CLEAN_LIVES):
        ended = live_run(case, number, world, folder, clean=number >= last)
        steps.append(ended.steps)
        claims = read_claims(folder / JOURNAL)
        world.doubt(ended.marked(uid for uid, line in claims.items() if line.state == "sent"))
        offences = judge.after(number, ended, claims)
        finished = number >= last and not _open(claims)
        if finished and not offences:
            offences = list(judge.at_last(number, claims))
        if offences or finished:
            break
    return Verdict(tuple(offences), number + 1, _trace(steps, world, claims))


def _nights(case: Case, folder: Path) -> Verdict:
    world = World(case)
    judge = NightJudge(case, world)
    last, steps = len(case.lives) - 1, []
    for number in range(last + 1 + _MOST_CLEAN_LIVES):
        ended = live_night(case, number, world, folder, adopt=judge.good == 0, clean=number >= last)
        steps.append(ended.steps)
        claims = read_claims(folder / STATE)
        world.doubt(ended.marked(uid for uid, line in claims.items() if line.state == "sent"))
        results, good = read_results(folder / RESULTS), count_good(folder / STATE)
        offences = judge.after(number, ended, claims, results, good)
        if offences or (number >= last and not _open(claims)):
            break
    return Verdict(tuple(offences), number + 1, _trace(steps, world, claims))


def _open(claims: Claims) -> bool:
    return any(line.state != "settled" or line.error_code == "in_doubt" for line in claims.values())


def _trace(steps: list[int], world: World, claims: Claims) -> str:
    return f"{steps} {len(world.requests)} {world.now!r} {sorted(map(repr, claims.values()))}"

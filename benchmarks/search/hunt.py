"""Tries seed after seed, on every processor, and makes the first offence smaller."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import count
from multiprocessing import get_context
from typing import Final

import structlog

from benchmarks.search.case import Case
from benchmarks.search.shrink import as_test, shrink
from benchmarks.search.trial import Verdict, trial

_CHUNK: Final = 50
# A life that was killed keeps its lock file open for good, as nothing else would keep the lock: a process has room for
# some ten thousand.
_CHUNKS_A_PROCESS: Final = 60


@dataclass(slots=True)
class Hunt:
    """How far a hunt has come.

    found  seed → the first offence of its case
    """

    seeds: int = 0
    lives: int = 0
    found: dict[int, str] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)

    @property
    def lives_a_minute(self) -> float:
        """How fast it goes."""
        return self.lives * 60 / max(time.monotonic() - self.began, 1e-9)


def quiet() -> None:
    """Have the product log nothing: it would be most of the work."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))


def hunt(draw: Callable[[int], Case], seeds: Sequence[int], jobs: int, minutes: float | None) -> Iterator[Hunt]:
    """Try seeds, some at a time, until all are tried or the time is over; tells how far it has come after each time."""
    chunks = (seeds[start : start + _CHUNK] for start in count(0, _CHUNK))
    so_far = Hunt()
    fresh = get_context("forkserver")
    with ProcessPoolExecutor(jobs, fresh, initializer=quiet, max_tasks_per_child=_CHUNKS_A_PROCESS) as pool:
        running: set[Future[list[tuple[int, int, str | None]]]] = set()
        while True:
            late = minutes is not None and time.monotonic() - so_far.began > minutes * 60
            while len(running) < jobs + 1 and not late and (chunk := next(chunks, ())):
                running.add(pool.submit(_tried, draw, chunk))
            if not running:
                return
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for each in done:
                for seed, lives, offence in each.result():
                    so_far.seeds += 1
                    so_far.lives += lives
                    if offence is not None:
                        so_far.found[seed] = offence
            yield so_far


def _tried(draw: Callable[[int], Case], seeds: Sequence[int]) -> list[tuple[int, int, str | None]]:
    tried = []
    for seed in seeds:
        verdict = trial(draw(seed))
        tried.append((seed, verdict.lives, verdict.offences[0] if verdict.offences else None))
    return tried


def smallest(case: Case) -> tuple[Case, Verdict]:
    """Make a case that fails smaller, as long as its first offence stays of its kind."""
    kind = trial(case).kind
    small = shrink(case, lambda smaller: trial(smaller).kind == kind)
    return small, trial(small)


def told(case: Case) -> str:
    """Print what is wrong with a case that fails, as small as it can be made."""
    small, verdict = smallest(case)
    return as_test(small, "; ".join(verdict.offences))

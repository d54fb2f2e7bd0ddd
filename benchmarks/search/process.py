"""One life of a process of ours, in a loop of its own, against the model; and what it leaves on the disk."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.search.case import Case
from benchmarks.search.loop import KilledError, SearchLoop, StuckError
from benchmarks.search.world import World
from provisioner.errors import DirectoryError, ExitCode
from provisioner.stop import InterruptedEarlyError, Stop, Stopper

Work = Callable[[Stopper], Coroutine[Any, Any, object]]


@dataclass(slots=True)
class Ended:
    """How a life ended, and what it left.

    killed    it was killed; else `stop` is why it stopped early, if it did
    wrong     what must not happen at all: a bug, a deadlock
    sent      uid → the server's time at which it was last recorded as sent
    """

    killed: bool = False
    stop: Stop | None = None
    wrong: list[str] = field(default_factory=list)
    steps: int = 0
    sent: Mapping[str, float] = field(default_factory=dict)

    def marked(self, uids: Iterable[str]) -> list[tuple[str, float]]:
        """Give when these were recorded as sent, those of them that were in this life."""
        return [(uid, self.sent[uid]) for uid in uids if uid in self.sent]


@contextmanager
def _time_of(world: World) -> Iterator[None]:
    """Have our process see its machine's clock, and nothing else."""
    wall, monotonic = time.time, time.monotonic
    time.time, time.monotonic = world.wall, lambda: world.now
    try:
        yield
    finally:
        time.time, time.monotonic = wall, monotonic


def live(case: Case, number: int, world: World, folder: Path, work: Work, *, clean: bool) -> Ended:
    """Live one life whose files are in a folder, and leave there what it left on the disk.

    clean  it is neither killed nor stopped
    """
    here = case.lives[min(number, len(case.lives) - 1)]
    kill, stop = (None, None) if clean else (here.kill, here.stop)
    ended = Ended()
    world.begin(number)
    random.seed(here.order)
    loop = SearchLoop(Random(here.order) if here.order else None, world)
    with _time_of(world):
        stopper = Stopper()
        if stop is not None:
            asked = Stop("sigterm", "asked to", ExitCode.SIGTERM)
            loop.at_step(stop, lambda: stopper.request(asked))
        try:
            loop.live(work(stopper), kill)
        except KilledError:
            ended.killed = True
        except InterruptedEarlyError as early:
            ended.stop = early.stop
        except DirectoryError as refused:
            ended.stop = Stop.because_of(refused)
        except StuckError as error:
            ended.wrong.append(f"stuck: {error}")
        except Exception as error:
            ended.wrong.append(f"{type(error).__name__}: {error}")
        ended.stop, ended.steps = ended.stop or stopper.stop, loop.steps
        world.end()
        _bury(loop, folder, abrupt=ended.killed or bool(ended.wrong))
    ended.wrong += loop.errors
    if ended.stop is not None and ended.stop.reason == "bug":
        ended.wrong.append(f"bug: {ended.stop.message}")
    return ended


def _bury(loop: SearchLoop, folder: Path, *, abrupt: bool) -> None:
    """Take a life apart; when it was killed, the disk stays as it was at that moment."""
    if not abrupt:
        loop.bury()
        return
    aside = folder.with_name(folder.name + "-aside")
    shutil.copytree(folder, aside)
    loop.bury()
    shutil.rmtree(folder)
    aside.rename(folder)

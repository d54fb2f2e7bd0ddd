"""Promise: each job ends for itself; what was killed goes on; the fleet ends with the worst of them."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from provisioner.errors import ExitCode
from provisioner.fleet.conductor import Conductor
from provisioner.fleet.engine import command_of
from provisioner.fleet.jobs import Job
from provisioner.fleet.standing import Ended, Phase, Standing, worst
from provisioner.fleet.summary import FleetSummary
from provisioner.stop import Stop, Stopper
from tests.rig.command import KEY, emulator, environment, people, wait_until, write_roster

Turn = tuple[int, int] | tuple[int, int, str]
"""An exit code, and the rows that were done by then: in the stage of sending, or in another one."""


class Played:
    """An engine that plays what was written for each job, one turn for each start."""

    def __init__(self, turns: Mapping[str, list[Turn]], stopper: Stopper | None = None) -> None:
        self.turns = {name: list(each) for name, each in turns.items()}
        self.stopper = stopper
        self.started: list[str] = []
        self.running = self.most = 0
        self.stopped = False

    async def carry_out(self, job: Job, progress: Callable[[Mapping[str, Any]], None]) -> Ended:
        self.started.append(job.name)
        self.running += 1
        self.most = max(self.most, self.running)
        await asyncio.sleep(0)
        self.running -= 1
        code, done, *stage = self.turns[job.name].pop(0)
        progress({"stage": stage[0] if stage else "sending", "done": done})
        if self.stopper is not None:
            self.stopper.request(Stop("sigint", "interrupted by SIGINT", ExitCode.SIGINT))
        return Ended(code, {"rows": done})

    def stop(self) -> None:
        self.stopped = True

    def kill(self) -> None:
        raise AssertionError("nobody asked for that")


def a_job(name: str, group: str | None = None) -> Job:
    return Job(name, group or name, "run", ("r.csv",), Path(f"{name.replace('/', '-')}.csv"))


def conduct(
    engine: Played, jobs: list[Job], at_once: int, folder: Path, stopper: Stopper | None = None
) -> list[Standing]:
    standings = [Standing(job) for job in jobs]
    conductor = Conductor(standings, engine, stopper or Stopper(), at_once, folder, pause=0)
    asyncio.run(conductor.carry_out())
    return standings


def test_jobs_go_in_order_so_many_at_a_time_and_fail_for_themselves(tmp_path: Path) -> None:
    """A tenant that ends with 4 changes nothing for the others."""
    names = ["a", "b", "c", "d", "e"]
    engine = Played({name: [(4 if name == "b" else 0, 1)] for name in names})
    standings = conduct(engine, [a_job(name) for name in names], 2, tmp_path)
    assert (engine.started, engine.most) == (names, 2)
    assert [each.exit_code for each in standings] == [0, 4, 0, 0, 0]


@pytest.mark.parametrize("code", [2, 3, 4, 70])
def test_shards_that_have_not_begun_are_held_back_when_one_has_found_what_all_would(code: int, tmp_path: Path) -> None:
    """A refused key is not tried sixteen times; other rosters go on."""
    jobs = [*(a_job(f"big {number}/3", "big") for number in (1, 2, 3)), a_job("other")]
    engine = Played({"big 1/3": [(code, 0)], "other": [(0, 1)]})
    standings = conduct(engine, jobs, 1, tmp_path)
    assert engine.started == ["big 1/3", "other"]
    assert [each.phase for each in standings] == [Phase.ENDED, Phase.HELD_BACK, Phase.HELD_BACK, Phase.ENDED]
    assert standings[1].message == f"not started, because big 1/3 ended with {code}"


def test_rows_that_were_rejected_hold_nobody_back(tmp_path: Path) -> None:
    """Exit 1 is one shard's rows, not the roster's."""
    engine = Played({"big 1/2": [(1, 5)], "big 2/2": [(0, 5)]})
    standings = conduct(engine, [a_job("big 1/2", "big"), a_job("big 2/2", "big")], 1, tmp_path)
    assert [each.exit_code for each in standings] == [1, 0]


def test_a_job_that_was_killed_goes_on_as_long_as_it_comes_further(tmp_path: Path) -> None:
    """Killed five times, each time with more rows done: started a sixth time, and done."""
    engine = Played({"a": [*((-9, done) for done in (1, 2, 3, 4, 5)), (0, 6)]})
    (standing,) = conduct(engine, [a_job("a")], 1, tmp_path)
    assert (standing.starts, standing.exit_code) == (6, 0)


def test_what_another_stage_counts_is_no_measure_of_how_far_a_job_is(tmp_path: Path) -> None:
    """Killed when it had read 900,000 rows, it has sent none; killed when it wrote its results, all it ever will."""
    deaths: list[Turn] = [(-9, 900_000, "reading"), (-9, 100_000), (-9, 950_000, "checking"), (-9, 300_000)]
    engine = Played({"a": [*deaths, (-9, 0, "writing the results"), (0, 400_000)], "b": [(-9, 7, "reading")] * 9})
    standings = conduct(engine, [a_job("a"), a_job("b")], 2, tmp_path)
    assert [(each.starts, each.exit_code) for each in standings] == [(6, 0), (3, 137)]


@pytest.mark.parametrize("code", [130, 143])
def test_a_job_that_minds_a_signal_was_killed_as_well(tmp_path: Path, code: int) -> None:
    """Nobody here has sent it: the job goes on, and its exit code is not that of a fleet that was stopped."""
    engine = Played({"a": [(code, 5), (0, 9)], "b": [(code, 1)] * 3})
    standings = conduct(engine, [a_job("a"), a_job("b")], 1, tmp_path)
    assert [(each.starts, each.exit_code) for each in standings] == [(2, 0), (3, code)]
    assert FleetSummary(standings, 0.0, 1.0, None, tmp_path / "s.json").exit_code is ExitCode.BUG


def test_a_job_that_is_killed_again_and_again_without_a_row_more_is_given_up(tmp_path: Path) -> None:
    """Short memory kills at the same place each time: three are enough, and the exit code tells the signal."""
    engine = Played({"a": [(-9, 7)] * 9})
    (standing,) = conduct(engine, [a_job("a")], 1, tmp_path)
    assert (standing.starts, standing.exit_code) == (3, 137)
    assert standing.message == "killed by signal 9, 3 times without coming any further; is memory short?"


def test_a_stop_starts_nothing_more(tmp_path: Path) -> None:
    """Jobs that run are asked to stop; those that have not begun stay as they are."""

    async def main() -> tuple[Played, list[Standing]]:
        stopper = Stopper()
        engine = Played({"a": [(143, 1)]}, stopper)
        standings = [Standing(a_job("a")), Standing(a_job("b"))]
        await Conductor(standings, engine, stopper, 1, tmp_path, pause=0).carry_out()
        return engine, standings

    engine, standings = asyncio.run(main())
    assert (engine.started, engine.stopped) == (["a"], True)
    assert [each.phase for each in standings] == [Phase.ENDED, Phase.WAITING]


@pytest.mark.parametrize(
    ("codes", "code"),
    [([], 0), ([0, 1], 1), ([1, 5, 0], 5), ([5, 3], 3), ([3, 4], 4), ([4, 2], 2), ([2, 70], 70), ([70, 137, 0], 137)],
)
def test_the_worst_exit_code_is_the_fleets(codes: list[int], code: int) -> None:
    """From good to bad: 0, 1, 5, 3, 4, 2, 70, killed."""
    assert worst(codes) == code


@pytest.mark.process
@pytest.mark.slow
def test_what_an_earlier_fleet_left_hanging_keeps_no_fleet_from_ending(tmp_path: Path) -> None:
    """It was asked to stop and cannot; it is killed and named."""
    write_roster(tmp_path / "r.csv", people(200))
    (tmp_path / "slow.toml").write_text("[rate]\nrequests_per_minute = 60\n")
    with emulator(tmp_path) as api:
        address = {"COMETCHAT_BASE_URL": api.url}
        job = Job("a", "a", "run", ("r.csv",), Path("o.csv"), config=Path("slow.toml"), address=address)
        words = [sys.executable, *command_of(job)]
        surroundings, null = environment(COMETCHAT_API_KEY=KEY), subprocess.DEVNULL
        with subprocess.Popen(words, cwd=tmp_path, env=surroundings, stdout=null, stderr=null) as left:
            wait_until(lambda: len(api.users()) > 0)
            left.send_signal(signal.SIGSTOP)
            stopper = Stopper()
            stopper.request(Stop("sigterm", "interrupted by SIGTERM", ExitCode.SIGTERM))
            standing = Standing(job)
            conductor = Conductor([standing], Played({}), stopper, 1, tmp_path, pause=0.01, hung=0.05)
            asyncio.run(conductor.carry_out())
    did = "it hung: asked to stop, it was still there after 0.05 s, and was killed"
    said = f"{did}; the same command goes on where it was"
    assert (standing.phase, standing.exit_code, standing.message, left.returncode) == (Phase.ENDED, 137, said, -9)

"""Promise: a job that this machine cannot begin has ended, with what helps; and one that hangs keeps nobody waiting."""

from __future__ import annotations

import asyncio
import errno
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from provisioner.errors import ExitCode
from provisioner.fleet.jobs import Job
from provisioner.fleet.local.processes import Processes
from provisioner.fleet.standing import Ended


def carried_out(folder: Path, output: str = "o.csv") -> Ended:
    job = Job("a", "a", "run", ("r.csv",), Path(output))
    return asyncio.run(Processes(folder, folder / "logs", {}, 1.0).carry_out(job, lambda _: None))


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.EMFILE, "start fewer jobs at a time (--jobs), or raise the limit of open files (ulimit -n)"),
        (errno.EAGAIN, "start fewer jobs at a time (--jobs), or raise the limit of processes (ulimit -u)"),
        (errno.ENOMEM, "start fewer jobs at a time (--jobs)"),
        (errno.EACCES, "mend that, and run the fleet again"),
    ],
)
def test_a_process_that_cannot_be_started_is_told_with_what_helps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, said: str
) -> None:
    """What a machine has too little of, in its own words."""

    async def none(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(asyncio, "create_subprocess_exec", none)
    message = f"its process cannot be started ({os.strerror(number)}); {said}"
    assert carried_out(tmp_path) == Ended(ExitCode.USAGE, message=message)


def test_a_folder_that_cannot_be_made_ends_its_job(tmp_path: Path) -> None:
    """A file stands where it would be."""
    (tmp_path / "afile").write_text("")
    expected = Ended(ExitCode.USAGE, message=f"{tmp_path / 'afile'}: cannot be written (File exists)")
    assert carried_out(tmp_path, "afile/o.csv") == expected


PROGRESS = '{"event": "run.progress", "done": 1}'
DEAF = f"""
import signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print('{PROGRESS}', file=sys.stderr, flush=True)
for _ in range(int(sys.argv[1])):
    time.sleep(0.2)
    print('{PROGRESS}', file=sys.stderr, flush=True)
signal.pause() if sys.argv[1] == "0" else sys.exit(143)
"""


def stopped(folder: Path, monkeypatch: pytest.MonkeyPatch, lines: int, quiet: float) -> Ended:
    """What becomes of a process that does not mind SIGTERM, asked to stop at its first line; it says so many more."""
    real = asyncio.create_subprocess_exec

    async def deaf(*_: object, **options: Any) -> asyncio.subprocess.Process:
        return await real(sys.executable, "-c", DEAF, str(lines), **options)

    monkeypatch.setattr(asyncio, "create_subprocess_exec", deaf)

    async def carry_out() -> Ended:
        processes = Processes(folder, folder / "logs", {}, 1.0, quiet)
        job = Job("a", "a", "run", ("r.csv",), Path("o.csv"))
        return await processes.carry_out(job, lambda _: processes.stop())

    return asyncio.run(carry_out())


@pytest.mark.process
def test_a_job_that_hangs_when_it_is_to_stop_is_killed_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or its fleet would wait for ever, and leave no summary."""
    did = "it hung: asked to stop, it said nothing for 0.1 s, and was killed"
    expected = Ended(-9, message=f"{did}; the same command goes on where it was")
    assert stopped(tmp_path, monkeypatch, 0, 0.1) == expected


@pytest.mark.process
@pytest.mark.slow
def test_a_job_that_takes_its_time_to_stop_is_left_to_it_as_long_as_it_speaks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Results of millions take longer than any limit that would suit others."""
    assert stopped(tmp_path, monkeypatch, 20, 3.0) == Ended(143)

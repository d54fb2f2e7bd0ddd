"""Promise: a job that this machine cannot begin has ended, with what helps; it is no bug."""

from __future__ import annotations

import asyncio
import errno
import os
from pathlib import Path

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

"""Promise: where no slots can be handed out, the fleet says so before the first job, with what helps."""

from __future__ import annotations

import asyncio
import errno
import os
import tempfile
from pathlib import Path

import pytest

from provisioner.errors import OutputError
from provisioner.fleet import pacing
from provisioner.fleet.jobs import Fleet, read_fleet
from provisioner.fleet.pacing import paced


def shards(folder: Path) -> Fleet:
    path = folder / "all.toml"
    path.write_text('[[job]]\nname = "a"\nroster = "a.csv"\nshards = 2\n')
    return read_fleet(path)


async def served(fleet: Fleet, error: OSError | None = None) -> set[str]:
    async with paced(fleet) as sockets:
        if error is not None:
            raise error
        return set(sockets)


def test_a_folder_whose_path_is_too_long_for_a_socket_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a cure that helps, as it does here."""
    (long := tmp_path / ("x" * 100)).mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    message = (
        r"no socket can be made there \(AF_UNIX path too long\); set TMPDIR to another folder, whose path is short$"
    )
    with pytest.raises(OutputError, match=message):
        asyncio.run(served(shards(tmp_path)))
    with tempfile.TemporaryDirectory(dir="/tmp") as short:
        monkeypatch.setattr(tempfile, "tempdir", short)
        assert asyncio.run(served(shards(tmp_path))) == {"a"}


def test_too_few_files_are_no_matter_of_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit is what is to be raised."""

    def serving(*_: object) -> object:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(pacing, "serving", serving)
    message = r"\(Too many open files\); start fewer jobs at a time \(--jobs\), or raise the limit of open files"
    with pytest.raises(OutputError, match=message):
        asyncio.run(served(shards(tmp_path)))


def test_what_happens_to_the_jobs_is_not_laid_on_the_socket(tmp_path: Path) -> None:
    """An error of theirs goes on as it is."""
    with pytest.raises(OSError, match="a job's own"):
        asyncio.run(served(shards(tmp_path), OSError(errno.EMFILE, "a job's own")))

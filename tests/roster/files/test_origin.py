"""Origins: bytes that can be read from their start as often as one likes, and leave nothing behind."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioner.errors import ExitCode, OutputError, StorageError
from provisioner.files.cures import MAKE_ROOM
from provisioner.roster.files.inputs import find_inputs, local_file
from provisioner.roster.files.origin import LocalFile, Origin, chunks, spool
from provisioner.stop import InterruptedEarlyError, Stop
from tests.rig.disk import no_file_larger_than


@pytest.fixture(params=["file", "spool"])
def origin(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Origin]:
    """The same ten bytes, by each kind of origin."""
    path = tmp_path / "r.csv"
    path.write_bytes(b"0123456789")
    made = LocalFile(path) if request.param == "file" else spool(str(path), [b"01234", b"", b"56789"], tmp_path)
    yield made
    made.close()


def test_an_origin_is_read_from_its_start_each_time(origin: Origin, tmp_path: Path) -> None:
    """Two passes, and two readers at once that do not disturb each other."""
    assert (origin.name, origin.size) == (str(tmp_path / "r.csv"), 10)
    with origin.open() as one, origin.open() as other:
        assert (one.read(3), other.read(5), one.read(3), one.tell(), other.tell()) == (b"012", b"01234", b"345", 6, 5)
        assert (one.seek(-2, os.SEEK_END), one.read(), one.read()) == (8, b"89", b"")
    with origin.open() as again:
        assert (again.read(), again.seek(1), again.read(2), again.seek(1, os.SEEK_CUR)) == (b"0123456789", 1, b"12", 4)


def test_what_never_ends_is_read_until_the_run_does(tmp_path: Path) -> None:
    """What is raised for that comes up behind the next piece, and nothing of the rest is waited for."""
    asked: list[str] = []

    def interrupted() -> None:
        asked.append("is it to end?")
        if len(asked) == 3:
            raise InterruptedEarlyError(Stop("sigint", "interrupted", ExitCode.SIGINT))

    with pytest.raises(InterruptedEarlyError):
        spool("zeros", chunks(local_file("/dev/zero"), interrupted), tmp_path)
    assert (len(asked), list(tmp_path.iterdir())) == (3, [])


def test_a_pipe_that_does_not_wait_is_read_to_its_end(tmp_path: Path) -> None:
    """Some programs make their end of a pipe so, and with it that of the command: what comes later is no less read."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    began = threading.Event()

    def write() -> None:
        began.wait()
        os.write(writing, b"a1,Ann\n")
        os.close(writing)

    own, writer = os.dup(0), threading.Thread(target=write)
    os.dup2(reading, 0)
    try:
        writer.start()
        kept = spool("it", chunks(find_inputs(["-"]).files[0], began.set), tmp_path)
    finally:
        os.dup2(own, 0)
        began.set()
        writer.join()
        os.close(own)
        os.close(reading)
    with kept.open() as file:
        assert file.read() == b"a1,Ann\n"
    kept.close()


def test_what_is_spooled_has_no_name(tmp_path: Path) -> None:
    """Nothing that a killed process could leave behind."""
    spooled = spool("standard input", iter([b"a" * 100_000] * 10), tmp_path)
    assert (spooled.size, list(tmp_path.iterdir())) == (1_000_000, [])
    spooled.close()


def test_what_goes_wrong_while_it_is_fetched_is_passed_on(tmp_path: Path) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"uid,name\n"
        raise ConnectionResetError("gone")

    with pytest.raises(ConnectionResetError):
        spool("it", chunks(), tmp_path)


def test_a_folder_that_takes_no_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(OutputError) as error:
        spool("standard input", [], tmp_path / "gone")
    said = "no file can be made there to keep standard input in (No such file or directory); choose another --output"
    assert str(error.value) == f"{tmp_path}/gone: {said}"


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    with no_file_larger_than(300_000), pytest.raises(StorageError) as error:
        spool("standard input", [b"x" * 100_000] * 10, tmp_path)
    said = f"no room to keep standard input in (File too large); {MAKE_ROOM}"
    assert str(error.value) == f"{tmp_path}: {said}"

"""What several test files share: which tests start processes, which are left out, and how hypothesis behaves.

`pytest -m "not process"` runs what starts none. What is slow is left out (`tests/rig/sampling.py`), unless it is asked
for: `--all`. To hypothesis slow is no failure, and a run can be repeated; `HYPOTHESIS_PROFILE=thorough pytest` tries
twenty times as many examples, others each time.
"""

from __future__ import annotations

import codecs
import os
import signal
import sqlite3
import sys
import tempfile
import warnings
from collections.abc import Generator, Iterator
from contextlib import suppress
from functools import partial
from itertools import chain
from pathlib import Path

import pytest
import structlog
from hypothesis import settings

from tests.rig.processes import no_process, starts_processes
from tests.rig.sampling import left_out

# A module is compiled once, whatever the shell says, and not by each command that is started.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
# A command that is started minds a closed terminal, also where the tests themselves do not (nohup, some CI).
signal.signal(signal.SIGHUP, signal.SIG_DFL)


class _Watched(sqlite3.Connection):
    """A connection that is missed when nobody closed it, as Python itself does from 3.13 on."""

    def __del__(self) -> None:
        """Warn, which ends the test that runs."""
        with suppress(sqlite3.ProgrammingError):  # it is closed, or of another thread
            warnings.warn(f"unclosed database: {self.total_changes} changes", ResourceWarning, stacklevel=1)


if sys.version_info < (3, 13):
    sqlite3.connect = partial(sqlite3.connect, factory=_Watched)  # type: ignore[assignment]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take `--all`."""
    parser.addoption("--all", action="store_true", help="leave out nothing that is slow")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores, for tests wait as well: for a disk, for a server, for the rate."""
    return (os.cpu_count() or 1) + 1


def pytest_configure(config: pytest.Config) -> None:
    """Say how many examples hypothesis tries, before the tests are read."""
    settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "all" if _all_of(config) else "quick"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is slow; mark the tests that start processes, by what they and what they are given name."""
    if not _all_of(config):
        out = set(left_out(items))
        config.hook.pytest_deselected(items=list(out))
        items[:] = [item for item in items if item not in out]
    for item in items:
        if isinstance(item, pytest.Function) and starts_processes(_made_of(item)):
            item.add_marker("process")


def _all_of(config: pytest.Config) -> bool:
    return bool(config.getoption("all")) or any("::" in name for name in config.args)


def _made_of(test: pytest.Function) -> Iterator[object]:
    yield test.function
    yield from (each.func for each in chain.from_iterable(test._fixtureinfo.name2fixturedefs.values()))
    if hasattr(test, "callspec"):
        yield from test.callspec.params.values()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Keep processes out of a test, and of its fixtures, unless it is marked."""
    if item.get_closest_marker("process"):
        return (yield)
    with no_process():
        return (yield)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own, in which the rest of the test works."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def open_umask() -> Iterator[None]:
    """Files that are made can be read and written by all, unless somebody sees to it."""
    old = os.umask(0)
    yield
    os.umask(old)


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder in which the rest of the test is no superuser.

    `monkeypatch` is asked for so that it is undone after the superuser is back: a working directory that it changed may
    be one which only that user can go back to.
    """
    codecs.lookup("utf-8-sig")  # loaded when it is first used, from where others than root may not read
    with tempfile.TemporaryDirectory() as folder:
        if os.geteuid() != 0:
            yield Path(folder)
            return
        Path(folder).chmod(0o777)
        os.setresuid(65534, 65534, 0)
        try:
            yield Path(folder)
        finally:
            os.setresuid(0, 0, 0)


@pytest.fixture(autouse=True)
def _minded_signals() -> Iterator[None]:
    """A command that ran in this process leaves its signals ignored, which what the next test starts would inherit."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


@pytest.fixture(autouse=True)
def _unconfigured_logging() -> None:
    """A command that ran in this process has set up its log: the next test begins without one."""
    structlog.reset_defaults()

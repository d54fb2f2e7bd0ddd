"""What several test files share: which tests start processes, and how hypothesis behaves.

`pytest -m "not process"` runs what starts none, in seconds. To hypothesis slow is no failure, and a run can be
repeated; `HYPOTHESIS_PROFILE=thorough pytest` tries twenty times as many examples, others each time.
"""

from __future__ import annotations

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
from hypothesis import HealthCheck, settings

from tests.rig.processes import no_process, starts_processes

# A module is compiled once, whatever the shell says, and not by each command that is started.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
# A command that is started minds a closed terminal, also where the tests themselves do not (nohup, some CI).
signal.signal(signal.SIGHUP, signal.SIG_DFL)

SLOW = [HealthCheck.too_slow]
settings.register_profile("project", deadline=None, derandomize=True, max_examples=50, suppress_health_check=SLOW)
settings.register_profile("thorough", deadline=None, max_examples=1000, suppress_health_check=SLOW)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "project"))


class _Watched(sqlite3.Connection):
    """A connection that is missed when nobody closed it, as Python itself does from 3.13 on."""

    def __del__(self) -> None:
        """Warn, which ends the test that runs."""
        with suppress(sqlite3.ProgrammingError):  # it is closed, or of another thread
            warnings.warn(f"unclosed database: {self.total_changes} changes", ResourceWarning, stacklevel=1)


if sys.version_info < (3, 13):
    sqlite3.connect = partial(sqlite3.connect, factory=_Watched)  # type: ignore[assignment]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that start processes, by what they, their fixtures and their parameters name."""
    for item in items:
        if isinstance(item, pytest.Function) and starts_processes(_made_of(item)):
            item.add_marker("process")


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
def nobody() -> Iterator[Path]:
    """A folder in which the rest of the test is no superuser."""
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
def _unconfigured_logging() -> None:
    """A command that ran in this process has set up its log: the next test begins without one."""
    structlog.reset_defaults()

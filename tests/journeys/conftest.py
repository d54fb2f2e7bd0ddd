"""What several journeys begin with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.rig.command import RunningEmulator, emulator


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEmulator]:
    """An app, with one more role, for all tests of a file."""
    with emulator(tmp_path_factory.mktemp("app"), "--role", "nurse") as running:
        yield running

"""A disk that takes little."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.rig.disk import no_file_larger_than


@pytest.fixture
def small_files() -> Iterator[None]:
    """A disk on which no file grows beyond 4 KiB."""
    with no_file_larger_than(4096):
        yield

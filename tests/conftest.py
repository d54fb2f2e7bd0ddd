"""What several test files share, and how hypothesis behaves: slow is no failure, and a run can be repeated.

`HYPOTHESIS_PROFILE=thorough pytest` tries twenty times as many examples, others each time.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

SLOW = [HealthCheck.too_slow]
settings.register_profile("project", deadline=None, derandomize=True, max_examples=50, suppress_health_check=SLOW)
settings.register_profile("thorough", deadline=None, max_examples=1000, suppress_health_check=SLOW)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "project"))


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

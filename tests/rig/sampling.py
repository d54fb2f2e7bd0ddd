"""What `make test` leaves out, so that it takes minutes: what is slow, and most of what is alike.

slow      seconds for one promise: left out
sampled   many cases of one promise: every fifth is tried
property  three tenths of the examples are tried

`make test-all`, `pytest --all` and a test that is named (`pytest file::test`) leave out nothing.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

import pytest
from hypothesis import HealthCheck, settings

EVERY: Final = 5
_ALL: Final = 50
_QUICK: Final = 15

_QUIET = [HealthCheck.too_slow]
settings.register_profile("quick", deadline=None, derandomize=True, max_examples=_QUICK, suppress_health_check=_QUIET)
settings.register_profile("all", deadline=None, derandomize=True, max_examples=_ALL, suppress_health_check=_QUIET)
settings.register_profile("thorough", deadline=None, max_examples=1000, suppress_health_check=_QUIET)


def examples(most: int) -> int:
    """Give the number of examples of a property that needs more, or fewer, than the usual 50 of all."""
    return max(1, most * settings.get_profile(settings.get_current_profile_name()).max_examples // _ALL)


def left_out(items: list[pytest.Item]) -> list[pytest.Item]:
    """Give the tests that are not tried when not all are, in the order they have."""
    seen: Counter[str] = Counter()
    found: list[pytest.Item] = []
    for item in items:
        test = item.nodeid.partition("[")[0]
        if item.get_closest_marker("slow") or (item.get_closest_marker("sampled") and seen[test] % EVERY):
            found.append(item)
        seen[test] += 1
    return found

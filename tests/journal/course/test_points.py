"""Stretches of a run: many become few, and nothing that they count is lost."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from provisioner.journal.course.points import Point, thinned


def a_point(**facts: Any) -> Point:
    usual: dict[str, Any] = {
        "run": 1, "ends_at": 101.0, "seconds": 1.0, "requests": 150, "settled": 149, "rate_limited": 0, "paused": 0.0,
        "core": 150, "standard": 0, "core_limit": 9000.0, "standard_limit": 18000.0, "held_by": "limit",
    }  # fmt: skip
    return Point(**usual | facts)


def test_two_stretches_become_one() -> None:
    """What they count adds up, the later one says what holds now, and the longer one what held the pace."""
    one = a_point(seconds=3.0, paused=2.5, rate_limited=4, held_by="pause")
    other = a_point(ends_at=102.0, core_limit=600.0, standard=7, held_by="latency")
    assert one.joined(other) == a_point(
        ends_at=102.0, seconds=4.0, requests=300, settled=298, rate_limited=4, paused=2.5, core=300, standard=7,
        core_limit=600.0, held_by="pause",
    )  # fmt: skip


@given(
    st.lists(st.tuples(st.integers(1, 3), st.floats(0.01, 5.0), st.integers(0, 1000)), max_size=200),
    st.sampled_from([2.0, 4.0, 64.0]),
)
def test_fewer_stretches_tell_the_same_of_every_run(drawn: list[tuple[int, float, int]], step: float) -> None:
    """Runs are not mixed, requests and seconds of each stay what they were, and none gets much longer than asked."""
    points = [a_point(run=run, seconds=seconds, requests=sent) for run, seconds, sent in sorted(drawn)]
    few = thinned(points, step)
    assert len(few) <= len(points)
    for run in (1, 2, 3):
        before, after = ([each for each in some if each.run == run] for some in (points, few))
        assert sum(each.requests for each in before) == sum(each.requests for each in after)
        assert abs(sum(each.seconds for each in before) - sum(each.seconds for each in after)) < 1e-6
    assert max((each.seconds for each in few), default=0) <= max(step * 1.1, 5.0)

"""The rate of the last seconds, what holds it, and when more requests at once are advised."""

from __future__ import annotations

import pytest

from provisioner.run.progress.pace import Recent, Sample
from provisioner.sending.calls import Budget
from provisioner.sending.pacing import Gate, Pacing
from provisioner.sending.retry import Waits
from tests.rig import clock


def a_pacing() -> Pacing:
    gate = Gate(Waits(), clock.now, lambda: 0.5)
    limits = {Budget.CORE: 9000.0, Budget.STANDARD: 18_000.0}
    return Pacing(limits, 0.9, gate, lowered=lambda *_: None, paused=lambda _: None)


def recent(*samples: Sample) -> Recent:
    """The samples of some seconds."""
    made = Recent()
    for each in samples:
        made.add(each)
    return made


def test_the_rate_is_the_current_one() -> None:
    """After a pause of minutes the average of the run would say nothing about what is going on now."""
    made, rates = Recent(), []
    for second, requests in ((0, 0), (300, 0), (301, 150), (302, 300), (303, 450)):
        made.add(Sample(1000.0 + second, sent=requests))
        rates.append(made.per_minute)
    assert rates == [None, None, None, 9000.0, 9000.0]


def test_a_long_run_keeps_ten_seconds_of_samples() -> None:
    """Memory does not grow, and the rate is that of ten seconds."""
    made = Recent()
    for tick in range(1000):
        made.add(Sample(tick / 5, sent=tick * tick))
    assert len(made._samples) <= 52
    assert made.seconds == pytest.approx(10.0, abs=0.21)


def test_rows_settled_before_are_no_speed() -> None:
    """A resume reads over a million settled rows in seconds; those to be sent take longer, so nothing is foretold."""
    over = recent(Sample(0.0), Sample(5.0, done=1000, skipped=999))
    behind = recent(Sample(0.0, done=1000, skipped=1000), Sample(5.0, done=1100, skipped=1000))
    assert (over.seconds_left(500), behind.seconds_left(500)) == (None, 25.0)


@pytest.mark.parametrize(
    ("change", "advice"),
    [
        ({}, 128),
        ({"sent": 2000}, 512),
        ({"sent": 8500}, None),
        ({"on_wire": 40}, None),
        ({"limited": 1}, None),
        ({"cpu": 55.0}, None),
    ],
    ids=["latency", "long latency", "nearly at the limit", "not all on the wire", "turned away", "a busy loop"],
)
def test_more_at_once_is_advised_only_where_it_helps(change: dict[str, int], advice: int | None) -> None:
    """64 on the wire give 5,000 a minute, so 9,000 take 116: the next power of two is told. Else nothing is."""
    begin, end = Sample(0.0, on_wire=change.get("on_wire", 64)), Sample(60.0, sent=5000, on_wire=64)
    made = Recent()
    made._samples.extend([begin, end._replace(**change)])
    assert made.more_in_flight(9000.0, 64) == advice

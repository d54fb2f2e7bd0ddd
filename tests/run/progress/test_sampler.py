"""What is kept of the progress for a report."""

from __future__ import annotations

from provisioner.journal.course.points import Point
from provisioner.model import Outcome
from provisioner.run.progress.pace import Sending
from provisioner.run.progress.sampler import Sampler
from provisioner.run.progress.watch import Watch
from provisioner.sending.calls import Budget, Reply
from provisioner.stop import Stopper
from tests.rig import clock
from tests.rig.tally import a_tally
from tests.run.progress.test_pace import a_pacing


def test_a_sample_is_what_was_done_since_the_one_before() -> None:
    """Requests, rows, leaves under each budget, seconds of pause, the limits, and what set the pace."""

    async def main() -> list[Point]:
        tally, samples = a_tally(created=5, sent=9), []
        watch = Watch(tally, Stopper(), drawn=False)
        pacing = a_pacing()
        watch.sending = Sending(pacing)
        sampler = Sampler(3, tally, watch, pacing)
        for _ in range(4):
            await pacing.slot(Budget.CORE)
        tally.requests.sent += 4
        tally.outcomes.settled[Outcome.CREATED] += 3
        samples.append(sampler.take())
        tally.requests.rate_limited += 1
        pacing.learn(Budget.CORE, Reply(status=429, retry_after=30.0, limit=1000), limited=True)
        samples.append(sampler.take())
        return samples

    first, second = clock.run(main())
    assert first._replace(ends_at=0, seconds=0) == Point(3, 0, 0, 4, 3, 0, 0, 4, 0, 9000.0, 18_000.0, "latency")
    assert second._replace(ends_at=0, seconds=0, paused=0) == Point(3, 0, 0, 0, 0, 1, 0, 0, 0, 900.0, 18_000.0, "pause")
    assert 0 <= second.paused <= second.seconds

"""Progress: a line that is redrawn on a terminal, an event every ten seconds elsewhere."""

from __future__ import annotations

import asyncio
import io
import re
import sys
import time
from contextlib import redirect_stderr
from typing import Any

import pytest
from structlog.testing import capture_logs

from provisioner.errors import ConfigurationError, ExitCode
from provisioner.model import Outcome
from provisioner.run.progress.pace import Sending
from provisioner.run.progress.watch import PROGRESS_SECONDS, Watch, told_every
from provisioner.sending.attempts import OutageTimer
from provisioner.sending.calls import Budget, Failure, Reply
from provisioner.stop import Stop, Stopper
from provisioner.tally import Tally
from tests.rig import clock
from tests.rig.tally import a_tally
from tests.run.progress.test_pace import a_pacing


class Terminal(io.StringIO):
    """A terminal that somebody looks at; `looks` are its frames without colours."""

    def isatty(self) -> bool:
        return True

    @property
    def looks(self) -> list[str]:
        plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.getvalue())
        return [line.rstrip() for line in re.split(r"[\r\n]+", plain) if line.strip()]


def a_watch(**facts: Any) -> Watch:
    return Watch(a_tally(**facts), Stopper(), drawn=False)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A wide terminal of a common kind; use with `redirect_stderr`."""
    for name, value in {"TERM": "xterm-256color", "COLUMNS": "200", "LINES": "40"}.items():
        monkeypatch.setenv(name, value)
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    return Terminal()


# --- what is said ---


@pytest.mark.parametrize(
    ("stage", "name", "done", "total"),
    [
        ("reading", "reading", 40, 100),
        ("checking", "checking", 30, 100),
        ("sending", "sending", 3 + 5 + 7, 100),
        ("writing", "writing the results", 0, None),
    ],
)
def test_each_stage_counts_the_rows_that_are_through_with_it(
    stage: str, name: str, done: int, total: int | None
) -> None:
    """Done of total: rows read, rows checked, rows that are rejected, settled before or settled now."""
    watch = a_watch(total=100, surveyed=40, checked=30, rejected=3, skipped=5, created=7, sent=9)
    watch.enter(stage)
    assert watch.facts() == {
        "stage": name, "done": done, "of": total, "rejected": 3, "created": 7, "existing": 0, "updated": 0,
        "failed": 0, "requests": 9, "rate_limited": 0,
    }  # fmt: skip


def told(watch: Watch) -> str:
    """All that is told, as on one line."""
    return " · ".join(each.text for each in (*watch.where(), *watch.how()))


def test_it_begins_with_reading_a_roster_of_unknown_length() -> None:
    """Nothing is promised before the roster has been read once."""
    watch = a_watch(surveyed=7)
    assert (watch.stage.name, watch.facts()["done"], watch.facts()["of"], told(watch)) == (
        "reading", 7, None, "reading 7",
    )  # fmt: skip


def test_what_is_told_is_how_far_how_fast_why_and_what_became_of_the_rows() -> None:
    """Created always, the rest when there is some; before anything is sent only what was rejected."""
    watch = a_watch(total=1250, created=1234, existing=2, updated=3, rejected=4, failed=5, sent=1, surveyed=1250)
    assert told(watch) == "reading 1,250 of 1,250 · 100% · 4 rejected"
    watch.enter("sending")
    assert told(watch) == (
        "sending 1,248 of 1,250 · 99% · starting · 1,234 created · 2 existing · 3 updated · 4 rejected · 5 failed"
    )
    nothing_yet = a_watch()
    nothing_yet.enter("sending")
    assert told(nothing_yet) == "sending · starting · 0 created"


def test_the_first_figure_is_a_rate_and_not_a_burst() -> None:
    """Sixteen requests in a hundredth of a second are no 96,000 a minute: two seconds go by first."""
    watch = a_watch(total=1000)
    watch.enter("sending")
    tally, said = watch._tally, []
    for at, sent in ((0.0, 0), (0.01, 16), (0.5, 90), (1.0, 165), (2.0, 315), (3.0, 465)):
        tally.requests.sent = sent
        tally.outcomes.settled[Outcome.CREATED] = sent
        watch.sample(at, cpu=0.0)
        said.append((watch.speed(), watch.seconds_left()))
    assert said == [("starting", None)] * 4 + [
        ("9,450/min (starting)", pytest.approx(4.35, abs=0.01)),
        ("9,300/min (starting)", pytest.approx(3.45, abs=0.01)),
    ]


def test_a_stop_says_what_is_still_waited_for() -> None:
    """No rate and no time left: requests on the wire finish, then the rest of the roster is counted."""
    stopper = Stopper()
    watch = Watch(a_tally(total=100, created=10, on_wire=12), stopper, drawn=False)
    watch.enter("sending")
    stopper.request(Stop("sigint", "interrupted by SIGINT", ExitCode.SIGINT))
    assert told(watch) == "sending 10 of 100 · 10% · stopping, 12 on the wire · 10 created"
    watch._tally.requests.on_wire = 0
    assert watch.pace() == "stopping, the rest is counted"


def test_the_pace_is_set_by_the_limit_the_latency_or_a_pause() -> None:
    """Whoever waits knows what for: a slot, answers, or the server's leave."""

    async def main() -> list[str]:
        watch = a_watch()
        said = [watch.pace()]
        pacing = a_pacing()
        watch.sending = Sending(pacing)
        said.append(watch.pace())
        waiting = [asyncio.create_task(pacing.slot(Budget.CORE)) for _ in range(100)]
        await asyncio.sleep(0.01)
        said.append(watch.pace())
        pacing.learn(Budget.CORE, Reply(status=429, retry_after=12.4), limited=True)
        said.append(watch.pace())
        pacing.close()
        await asyncio.gather(*waiting)
        return said

    assert clock.run(main()) == ["starting", "latency", "limit 9,000/min", "pause after 429, 12 s left"]


def test_the_pace_of_updates_is_set_by_their_own_limit() -> None:
    """A run that only updates waits for the standard limit, and that is no latency."""

    async def main() -> str:
        watch = a_watch()
        pacing = a_pacing()
        watch.sending = Sending(pacing)
        waiting = [asyncio.create_task(pacing.slot(Budget.STANDARD)) for _ in range(100)]
        await asyncio.sleep(0.01)
        said = watch.pace()
        pacing.close()
        await asyncio.gather(*waiting)
        return said

    assert clock.run(main()) == "limit 18,000/min"


# --- what is drawn ---


def test_a_terminal_shows_stage_numbers_and_pace(terminal: Terminal) -> None:
    """The line is redrawn five times a second, follows the stages, and leaves neither itself nor a hidden cursor."""
    tally = a_tally(surveyed=500)

    async def main() -> None:
        watch = Watch(tally, Stopper(), drawn=True)
        with watch.watching():
            await asyncio.sleep(0.5)
            tally.rows.total = 1000
            watch.enter("sending")
            tally.outcomes.settled[Outcome.CREATED], tally.rows.rejected = 249, 1
            await asyncio.sleep(0.5)

    with redirect_stderr(terminal):
        clock.run(main())
    reading = [look for look in terminal.looks if "reading" in look]
    sending = [look for look in terminal.looks if "sending" in look]
    assert re.search(r"^reading 500$", reading[0])
    assert re.search(r"^━━━━┄{12} sending 250 of 1,000 · 25%", sending[-1])
    assert "starting · 249 created · 1 rejected" in terminal.looks
    assert len(terminal.looks) >= 5
    assert terminal.getvalue().count("\x1b[?25l") == terminal.getvalue().count("\x1b[?25h") == 1
    assert terminal.getvalue().rstrip().endswith("\x1b[2K"), "the last line is wiped"


def test_what_is_logged_while_drawing_stands_above_the_line(terminal: Terminal) -> None:
    """Events and the redrawn line share a terminal without tearing each other."""

    async def main() -> None:
        watch = Watch(Tally(), Stopper(), drawn=True)
        with watch.watching():
            await asyncio.sleep(0.1)
            print("rate.paused seconds=2", file=sys.stderr)
            await asyncio.sleep(0.3)

    with redirect_stderr(terminal):
        clock.run(main())
    assert "rate.paused seconds=2" in terminal.looks


def test_nothing_is_drawn_where_nobody_looks() -> None:
    """Under cron stderr holds events only."""

    async def main() -> None:
        with Watch(Tally(), Stopper(), drawn=False).watching():
            await asyncio.sleep(5)

    with redirect_stderr(Terminal()) as stderr:
        clock.run(main())
    assert stderr.getvalue() == ""


def test_elsewhere_there_is_an_event_every_ten_seconds_until_the_end() -> None:
    """An unattended run of days can be followed in its log; a run of seconds logs no progress."""
    tally = a_tally(total=100)

    async def main() -> None:
        watch = Watch(tally, Stopper(), drawn=False)
        with watch.watching():
            for _ in range(35):
                await asyncio.sleep(1)
                tally.rows.surveyed += 1
        await asyncio.sleep(100)

    with capture_logs() as events:
        clock.run(main())
    facts = dict.fromkeys(("rejected", "created", "existing", "updated", "failed", "requests", "rate_limited"), 0)
    assert [(event["event"], event["log_level"]) for event in events] == [("run.progress", "info")] * 3
    assert [event["done"] for event in events] == pytest.approx([10, 20, 30], abs=1)
    assert events[0] == facts | {
        "event": "run.progress", "log_level": "info", "stage": "reading", "done": events[0]["done"], "of": 100,
        "requests_per_minute": None, "pace": None, "seconds_left": events[0]["seconds_left"],
    }  # fmt: skip
    assert [event["seconds_left"] for event in events] == pytest.approx([90, 80, 70], abs=15)


def test_the_event_of_a_sending_run_has_rate_and_time_left() -> None:
    """By what was done in the last ten seconds; nothing is foretold where nothing was done."""
    watch = a_watch(total=1000, created=200, sent=1)
    watch.enter("sending")
    watch.sample(0.0, cpu=0.0)
    assert watch.forecast() == {"requests_per_minute": None, "pace": "starting", "seconds_left": None}
    watch._tally.requests.sent = 101
    watch.sample(10.0, cpu=0.0)
    assert watch.forecast() == {"requests_per_minute": 600, "pace": "starting", "seconds_left": None}
    watch._tally.outcomes.settled[Outcome.CREATED] = 300
    watch.sample(11.0, cpu=0.0)
    assert watch.forecast()["seconds_left"] == 77
    watch.enter("writing")
    assert watch.forecast() == {"requests_per_minute": None, "pace": None, "seconds_left": None}


def test_an_outage_is_called_one_and_says_when_it_is_given_up() -> None:
    """Not latency: nobody answers."""
    now = time.monotonic()
    watch, outage = a_watch(), OutageTimer(60, Stopper())
    watch.sending = Sending(a_pacing(), outage)
    outage.failed(Reply(failure=Failure.UNREACHED), now - 10)
    assert re.fullmatch(r"cannot reach the API, giving up in (50|49) s", watch.pace())

    async def later() -> str:
        outage.reset()
        return watch.pace()

    assert clock.run(later()) == "latency"


def test_an_error_in_what_is_watched_comes_through() -> None:
    """Watching ends with the block, however that ends."""

    async def main() -> None:
        with Watch(Tally(), Stopper(), drawn=False).watching():
            await asyncio.sleep(1)
            raise LookupError("row 7")

    with pytest.raises(LookupError, match="row 7"):
        clock.run(main())


@pytest.mark.parametrize("given", ["x", "0", "-1", "nan", "inf", "5 s"])
def test_how_often_a_run_is_to_tell_is_a_number_of_seconds(given: str) -> None:
    """A variable that says something else is named, and what to do; without one there is a default."""
    assert (told_every({}), told_every({PROGRESS_SECONDS: ""}), told_every({PROGRESS_SECONDS: "2.5"})) == (10, 10, 2.5)
    said = (
        f"{PROGRESS_SECONDS}: should be a number of seconds above 0, not '{given}'; take the variable out, or mend it"
    )
    with pytest.raises(ConfigurationError) as error:
        told_every({PROGRESS_SECONDS: given})
    assert str(error.value) == said

"""Promise: a line for each job that runs or is in trouble, with what sets its pace, and a line for all together."""

from __future__ import annotations

from pathlib import Path

from provisioner.fleet.jobs import Job
from provisioner.fleet.standing import Ended, Phase, Standing
from provisioner.fleet.view import facts, picture
from provisioner.results.tables import printed


def standings() -> list[Standing]:
    def one(name: str, phase: Phase, done: int | None, ended: Ended | None = None) -> Standing:
        progress = {"stage": "sending", "done": done, "of": 100, "requests_per_minute": 600, "pace": "latency"}
        standing = Standing(Job(name, name, "run", ("r",), Path("o")), phase, starts=1, ended=ended)
        if done:
            standing.note(progress)
        return standing

    return [
        one("acme", Phase.RUNNING, 40),
        one("zeta", Phase.RUNNING, None),
        one("bad", Phase.ENDED, 10, Ended(4, {"rows": 10, "pending": 10, "message": "the key was refused"})),
        one("done", Phase.ENDED, 90, Ended(0, {"rows": 100, "pending": 0})),
        one("later", Phase.WAITING, None),
    ]


def test_what_runs_and_what_is_in_trouble_has_a_line() -> None:
    """Jobs that are done are counted; so is what there is no room for."""
    text = printed(lambda console: console.print(picture(standings(), lines=9)))
    assert [" ".join(line.split()) for line in text.splitlines()] == [
        "acme 40 of 100 600/min (latency)",
        "zeta starting",
        "bad 0 rows exit 4: the key was refused",
        "all 140 rows 600/min · 2 of 5 jobs have ended, 1 in trouble",
    ]
    short = printed(lambda console: console.print(picture(standings(), lines=2)))
    assert [line.split()[0] for line in short.splitlines()] == ["acme", "and", "all"]
    assert "and 2 more" in short


def test_a_long_message_leaves_the_names_readable() -> None:
    """On a narrow terminal the message is cut, not the job."""
    long = standings()
    long[2].ended = Ended(2, message="no such file " * 30)
    text = printed(lambda console: console.print(picture(long, lines=9)))
    assert [line.split()[0] for line in text.splitlines()] == ["acme", "zeta", "bad", "all"]
    assert "40 of 100" in text


def test_the_facts_of_an_event_add_up() -> None:
    """Every job is in one phase."""
    found = facts(standings())
    assert found == {
        "jobs": 5, "waiting": 1, "running": 2, "ended": 2, "held_back": 0, "in_trouble": 1,
        "rows_done": 140, "requests_per_minute": 600,
    }  # fmt: skip

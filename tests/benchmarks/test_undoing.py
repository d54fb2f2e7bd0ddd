"""A run is taken back exactly under SIGKILL and faults; and the judge of that campaign is no friend of ours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.crash.undoing import CHECKS, Evidence, Options, campaign
from benchmarks.rig.victim import Victim
from tests.rig import forking

NOTHING: dict[str, list[str]] = {name: [] for name in CHECKS}


@pytest.mark.slow
@pytest.mark.parametrize("permanent", [False, True])
def test_killed_and_struck(tmp_path: Path, permanent: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of all requests struck, two SIGKILLs: everybody as before, or named, and created anew by a run."""
    monkeypatch.setattr(Victim, "start", forking.victim)
    report = campaign(Options(users=40, kills=2, run_kills=1, seed=5, permanent=permanent), tmp_path)
    assert report.offenders == NOTHING
    assert report.figures["kills"] == 2


@pytest.mark.campaign
@pytest.mark.parametrize(
    "options",
    [Options(), Options(seed=2, permanent=True, finished=False), Options(seed=3, users=150, finished=False)],
)
def test_killed_a_hundred_times(tmp_path: Path, options: Options) -> None:
    """The same with a hundred, also of a run that was left when it had come half-way."""
    report = campaign(options, tmp_path)
    assert report.offenders == NOTHING
    assert report.figures["kills"] == options.kills


def user(name: str, *, away: bool = False, tokens: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"uid": "u", "name": name, "deactivated_at": 9 if away else None, "tokens": list(tokens)}


def record(at: float, uid: str, did: str) -> dict[str, Any]:
    return {"monotonic": at, "method": "DELETE", "path": "/users", "uid": uid, "did": did}


def line(uid: str, verdict: str, reason: str = "") -> dict[str, str]:
    return {"uid": uid, "verdict": verdict, "reason": reason, "message": ""}


def result(uid: str, outcome: str, token: str = "") -> dict[str, str]:
    return {"uid": uid, "outcome": outcome, "auth_token": token, "error_code": "", "error_message": ""}


SUMMARY = {"users": 3, "reversed": 2, "kept": 1, "failed": 0, "pending": 0}


def innocent() -> Evidence:
    """Evidence of an undo that did everything right: ann was created, bob updated, cat touched by another hand."""
    left = {"ann": user("Ann"), "bob": user("Bob, new"), "cat": user("Cat, by another"), "sid": user("Sid")}
    return Evidence(
        before={"bob": user("Bob"), "sid": user("Sid")},
        left=left,
        after={**left, "ann": user("Ann", away=True), "bob": user("Bob")},
        anew={**left, "ann": user("Ann", tokens=("t",))},
        ours=frozenset({"ann", "cat"}),
        touched=frozenset({"cat"}),
        strangers=frozenset({"sid"}),
        audit=(record(1, "ann", "deactivated"), record(2, "bob", "updated"), record(2, "cat", "read")),
        ends=((-9, "", None), (1, "", SUMMARY)),
        lines=(line("ann", "reversed"), line("bob", "reversed"), line("cat", "kept", "changed")),
        results=(result("ann", "created", "t"), result("bob", "existing"), result("cat", "created")),
        reversed_={"ann": 5.0, "bob": 5.0},
        damaged=(),
        permanent=False,
    )


def judged(evidence: Evidence) -> set[str]:
    return {name for name, check in CHECKS.items() if list(check(evidence))}


def test_an_innocent_campaign_passes() -> None:
    """Nothing is held against it."""
    assert judged(innocent()) == set()


GUILTY: dict[str, Callable[[Evidence], Evidence]] = {
    "not as before": lambda good: replace(good, after={**good.after, "bob": user("Bob, new")}),
    "not taken back": lambda good: replace(good, after={**good.after, "ann": user("Ann")}),
    "touched by others, and changed": lambda good: replace(good, after={**good.after, "cat": user("C", away=True)}),
    "strangers asked about": lambda good: replace(good, audit=(*good.audit, record(3, "sid", "read"))),
    "undone twice": lambda good: replace(good, audit=(*good.audit, record(6, "ann", "read"))),
    "list wrong": lambda good: replace(good, ends=((1, "", {**SUMMARY, "kept": 2}),)),
    "undos ended wrong": lambda good: replace(good, ends=((70, "bug", None), *good.ends)),
    "not created again": lambda good: replace(good, anew={**good.anew, "ann": user("Ann")}),
    "proved wrong": lambda good: replace(good, differing={"bob": ["standing"]}),
}


@pytest.mark.parametrize("check", CHECKS)
def test_each_check_finds_what_it_is_for(check: str) -> None:
    """And no other check speaks up for it."""
    assert judged(GUILTY[check](innocent())) == {check}

"""What a run was asked, and of which bytes: whatever bears on its results bears on the digest."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

import provisioner
from provisioner.model import AuthTokens, OnExisting
from provisioner.roster.shard import Shard
from provisioner.run.job import make_job
from provisioner.run.unchanged.question import Question, Stamp
from provisioner.settings.tables import Log, Output, Rate, Run, Settings
from provisioner.validation.constraints import Constraints
from provisioner.validation.fields.mapping import parse_mapping
from tests.rig.work import Place

SECOND = 1_000_000_000


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    place.write("uid,name\nann,Ann\n")
    return place


def asked(place: Place, **tables: Any) -> str:
    return Question.of(place.job(**tables)).asked


@pytest.mark.parametrize(
    "tables",
    [
        {"run": Run(auth_tokens=AuthTokens.NONE)},
        {"run": Run(on_existing=OnExisting.UPDATE)},
        {"run": Run(strict=True)},
        {"run": Run(limit=1)},
        {"run": Run(shard=Shard(1, 2))},
        {"run": Run(encoding="utf-16")},
        {"run": Run(check_roles=False)},
        {"columns": parse_mapping({"name": "uid"})},
        {"columns": parse_mapping({"tags_separator": ","})},
        {"constraints": Constraints(name_max_length=99)},
        {"output": Output(file=Path("elsewhere.csv"))},
    ],
)
def test_another_option_is_another_question(place: Place, tables: dict[str, Any]) -> None:
    """Options that bear on what is valid, what is sent of it, or where it is written."""
    assert asked(place, **tables) != asked(place)


@pytest.mark.parametrize(
    "tables", [{}, {"rate": Rate(share=0.5)}, {"log": Log(verbose=True)}, {"run": Run(restart=True)}]
)
def test_how_it_is_gone_about_is_no_other_question(place: Place, tables: dict[str, Any]) -> None:
    """Rate, logs, and how the run before began."""
    assert asked(place, **tables) == asked(place)


def test_another_program_is_another_question(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new version may judge by other rules."""
    before = asked(place)
    monkeypatch.setattr(provisioner, "__version__", "999")
    assert asked(place) != before


def test_another_file_is_another_question(place: Place, tmp_path: Path) -> None:
    """Also when it holds the same."""
    (tmp_path / "s.csv").write_bytes((tmp_path / "r.csv").read_bytes())
    other = make_job([str(tmp_path / "s.csv")], Settings(output=Output(file=tmp_path / "out.csv")))
    assert Question.of(other).asked != asked(place)


def test_what_is_read_once_cannot_be_asked_again(place: Place, tmp_path: Path) -> None:
    """A pipe has no bytes to be compared."""
    os.mkfifo(tmp_path / "pipe")
    piped = make_job([str(tmp_path / "pipe")], Settings(output=Output(file=tmp_path / "out.csv")))
    assert [Question.of(each).is_repeatable for each in (place.job(), piped)] == [True, False]


def test_a_file_that_was_written_to_while_it_was_read_has_no_digest(place: Place, tmp_path: Path) -> None:
    """Nobody can tell which of its bytes were read, even when they are as they were before."""
    question, file = Question.of(place.job()), tmp_path / "r.csv"
    file.write_bytes(file.read_bytes())
    os.utime(file, ns=(0, 0))
    assert question.digests_of_what_was_read() is None
    assert question.digests() == Question.of(place.job()).digests()


def stamp(changed: int, seen: int) -> Stamp:
    return Stamp(1, 1, 10, changed, changed, seen)


@pytest.mark.parametrize(
    ("changed", "seen", "settled"),
    [
        (100 * SECOND + 1, 100 * SECOND + 60_000_000, True),
        (100 * SECOND + 1, 100 * SECOND + 40_000_000, False),
        (100 * SECOND, 101 * SECOND, False),
        (100 * SECOND, 103 * SECOND, True),
        (200 * SECOND + 1, 100 * SECOND, False),
    ],
)
def test_a_file_just_written_is_not_told_by_its_times(changed: int, seen: int, settled: bool) -> None:
    """Within a tick of its filesystem, of milliseconds or of seconds, another change could leave the same time."""
    assert stamp(changed, seen).is_settled is settled


def test_a_file_is_the_same_while_nothing_of_it_changes() -> None:
    """When it was looked at does not count; that it is there does."""
    assert stamp(5, 10).is_same(stamp(5, 99))
    assert not stamp(5, 10).is_same(stamp(6, 99))
    assert not stamp(5, 10).is_same(None)

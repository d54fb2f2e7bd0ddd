"""Nights on which nothing is to be done: known by digests, and otherwise what they would be if every row were read."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from provisioner.emulator.server import Emulator
from provisioner.errors import ExitCode
from provisioner.journal.state.syncstate import SyncState
from provisioner.run.job import Target
from provisioner.run.pipeline import provision
from provisioner.run.unchanged import question
from provisioner.settings.tables import Output, Run, Sync
from provisioner.settings.values import Allowance
from provisioner.stop import Stopper
from provisioner.sync import night, quiet
from provisioner.sync.night import SyncJob, sync
from provisioner.sync.summary import NightSummary
from provisioner.validation.fields.mapping import parse_mapping
from tests.rig.work import APP, Place, with_emulator

ROSTER = "uid,name\nann,Ann\nbob,Bob\n,Nobody\n"
NEVER_THE_SAME = {"started_at", "finished_at", "elapsed_seconds", "requests_per_minute"}
ANY = Allowance(share=1.0)


class Told(NamedTuple):
    """A night's document without its times, and whether no row was read for it."""

    document: dict[str, Any]
    known: bool


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setattr(question, "_TICK", 0)  # else the roster had to be older than that
    place = Place(tmp_path)
    place.write(ROSTER)
    with SyncState(tmp_path / "hr.db", APP, make=True):
        pass
    return place


def options(place: Place, **given: Any) -> Sync:
    allowed = {"max_rejected": ANY, "max_creates": ANY, "max_deactivations": ANY, "max_updates": ANY}
    return Sync.model_validate({"state": place.folder / "hr.db", **allowed, **given})


async def carry_out(place: Place, target: Target, sync_options: Sync | None = None, **tables: Any) -> Told:
    """Carry out a night; whether a row was read is told by whether the results are the same file as before."""
    results = place.folder / "out.csv"
    before = results.stat().st_ino if results.exists() else None
    job = place.night(sync=sync_options or options(place), **tables)
    summary: NightSummary = await sync(SyncJob(job, place.folder / "out.leavers.csv"), target, Stopper())
    document = {name: value for name, value in summary.document.items() if name not in NEVER_THE_SAME}
    return Told(document, results.exists() and results.stat().st_ino == before)


def test_the_second_night_without_a_change_reads_no_row(place: Place) -> None:
    """It says what the first of them said, is a night of the history, and the third is known as well."""

    async def work(target: Target, _: Emulator) -> list[Told]:
        return [await carry_out(place, target) for _ in range(4)]

    first, *others = with_emulator(work)
    assert (first.document["created"], first.document["rejected"], first.known) == (2, 1, False)
    assert [each.known for each in others] == [False, True, True]
    assert others[0].document == others[1].document == others[2].document
    assert (others[0].document["unchanged"], others[0].document["requests"]) == (2, 0)
    with SyncState(place.folder / "hr.db", APP) as state:
        assert [(each.epoch, each.good, each.rows) for each in state.nights.last()] == [
            (1, True, 3), (2, True, 3), (3, True, 3), (4, True, 3),
        ]  # fmt: skip


def edit(name: str, text: str) -> Callable[[Place], object]:
    def add(place: Place) -> None:
        with (place.folder / name).open("a", encoding="utf-8") as file:
            file.write(text)

    return add


def record_somebody(place: Place) -> None:
    with SyncState(place.folder / "hr.db", APP) as state:
        state.keep_profiles([("ann", b"")])


def wake_somebody(place: Place) -> None:
    with SyncState(place.folder / "hr.db", APP) as state:
        state.record_woken()


def take_for_a_copy(place: Place) -> None:
    with SyncState(place.folder / "hr.db", APP) as state:
        state.mark_as_copy()


@pytest.mark.sampled
@pytest.mark.parametrize(
    "change",
    [
        edit("r.csv", "cy,Cy\n"), edit("r.csv", "\n"), edit("out.csv", "mine"), edit("out.rejected.csv", "mine"),
        edit("out.leavers.csv", "mine"), lambda place: (place.folder / "out.csv").chmod(0o644),
        lambda place: (place.folder / "out.csv").unlink(), lambda place: (place.folder / "out.rejected.csv").unlink(),
        record_somebody, wake_somebody, take_for_a_copy,
    ],
    ids=[
        "a row more", "a byte more", "edited results", "edited rejected rows", "edited leavers", "results for others",
        "no results", "no rejected rows", "a profile", "somebody woken", "a copy",
    ],
)  # fmt: skip
def test_whatever_has_changed_has_every_row_read(place: Place, change: Callable[[Place], object]) -> None:
    """Of the roster, of what was written, or of what is known."""

    async def work(target: Target, _: Emulator) -> list[Told]:
        nights = [await carry_out(place, target) for _ in range(3)]
        change(place)
        return [*nights, await carry_out(place, target)]

    assert [each.known for each in with_emulator(work)] == [False, False, True, False]


@pytest.mark.sampled
@pytest.mark.parametrize(
    "then",
    [
        {"grace_nights": 3}, {"deactivate_leavers": True}, {"max_rejected": Allowance(share=0.5)}, {"refresh": True},
        {"adopt": True},
    ],
    ids=str,
)  # fmt: skip
def test_whatever_is_asked_otherwise_has_every_row_read(place: Place, then: dict[str, Any]) -> None:
    """The same roster may then be refused, or somebody else be a leaver."""

    async def work(target: Target, _: Emulator) -> list[Told]:
        nights = [await carry_out(place, target) for _ in range(3)]
        return [*nights, await carry_out(place, target, options(place, **then))]

    assert [each.known for each in with_emulator(work)] == [False, False, True, False]


@pytest.mark.slow
def test_a_night_with_leavers_is_never_known(place: Place) -> None:
    """Their list tells for how long they have been gone."""

    async def work(target: Target, _: Emulator) -> list[Told]:
        await carry_out(place, target)
        place.write(ROSTER.replace("bob,Bob\n", ""))
        return [await carry_out(place, target) for _ in range(3)]

    told = with_emulator(work)
    assert [each.known for each in told] == [False, False, False]
    assert [each.document["leavers"]["reported"] for each in told] == [1, 1, 1]


@pytest.mark.slow
def test_whom_a_column_deactivates_from_some_day_on_is_looked_at_every_night(place: Place) -> None:
    """The day may have come."""
    place.write("uid,name,left\nann,Ann,\nbob,Bob,2999-01-01\n")
    columns = parse_mapping({"deactivated": "left"})

    async def work(target: Target, _: Emulator) -> list[Told]:
        return [await carry_out(place, target, columns=columns) for _ in range(3)]

    assert [each.known for each in with_emulator(work)] == [False, False, False]


@pytest.mark.slow
def test_a_run_in_between_has_every_row_read(place: Place) -> None:
    """It may change whom it likes, and the state is its journal."""

    async def work(target: Target, _: Emulator) -> list[Told]:
        nights = [await carry_out(place, target) for _ in range(3)]
        other = Place(place.folder / "run")
        other.folder.mkdir()
        other.write("uid,name\nzoe,Zoe\n")
        job = other.job(run=Run(), output=Output(file=other.folder / "hr.results.csv"))
        (other.folder / "hr.results.journal.db").symlink_to(place.folder / "hr.db")
        await provision(job, target, Stopper())
        return [*nights, await carry_out(place, target)]

    told = with_emulator(work)
    assert [each.known for each in told] == [False, False, True, False]


@pytest.mark.slow
def test_a_night_that_nobody_confirms_is_none(place: Place) -> None:
    """It is refused as one in which every row is read, and the next one is known again."""

    async def work(target: Target, _: Emulator) -> tuple[NightSummary, Told]:
        for _night in range(3):
            await carry_out(place, target)
        job = SyncJob(place.night(sync=options(place)), place.folder / "out.leavers.csv", None, lambda _: False)
        return await sync(job, target, Stopper()), await carry_out(place, target)

    refused, after = with_emulator(work)
    assert (refused.exit_code, refused.document["stopped_by"]) == (ExitCode.SAFETY, "not_confirmed")
    assert after.known
    with SyncState(place.folder / "hr.db", APP) as state:
        assert [each.good for each in state.nights.last()] == [True, True, True, False, True]


PEOPLE = ("ann,Ann\n", "bob,Bob\n", "cy,Cy\n", "di,Di\n")
ROSTERS = (
    "".join(PEOPLE), "".join(PEOPLE), "".join(PEOPLE[1:]), "".join(PEOPLE).replace("Cy", "Cyd"), "".join(PEOPLE[:3]),
)  # fmt: skip


@pytest.mark.sampled
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("leaving", [{}, {"deactivate_leavers": True}, {"deactivate_leavers": True, "grace_nights": 2}])
def test_nights_end_alike_whether_rows_are_read_or_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, leaving: dict[str, Any]
) -> None:
    """People leave, come back and change their names: what is told, written and known is the same after every night."""
    monkeypatch.setattr(question, "_TICK", 0)
    draw = random.Random(seed)
    rosters = [roster for _ in range(4) for roster in [draw.choice(ROSTERS)] * draw.randint(1, 4)]

    def nights(folder: Path) -> tuple[list[Any], int]:
        folder.mkdir()
        place = Place(folder)

        async def work(target: Target, _: Emulator) -> tuple[list[Any], int]:
            told: list[Any] = []
            known = 0
            for roster in rosters:
                if not (folder / "r.csv").exists() or (folder / "r.csv").read_text() != f"uid,name\n{roster}":
                    place.write(f"uid,name\n{roster}")
                each = await carry_out(place, target, options(place, adopt=not told, **leaving))
                known += each.known
                told.append([_neutral(each.document), _results(folder), _users(folder)])
            return told, known

        return with_emulator(work)

    by_digest, known = nights(tmp_path / "digest")
    monkeypatch.setattr(night, "question_of", lambda *_: None)
    by_row, none = nights(tmp_path / "row")
    assert by_digest == by_row
    longest = max(len([*same]) for _, same in groupby(rosters))
    assert none == 0
    assert known == 0 or longest > 2


def _neutral(document: dict[str, Any]) -> dict[str, Any]:
    """Leave out the names of files, and digests of what holds times and tokens."""
    return {name: value for name, value in document.items() if name not in {"outputs", "roster", "digests"}}


def _results(folder: Path) -> list[list[str]]:
    lines = [line.split(",") for line in (folder / "out.csv").read_text().splitlines()]
    secret = [lines[0].index(name) for name in ("auth_token", "created_at", "settled_at")]
    return [["…" if cell and at in secret else cell for at, cell in enumerate(line)] for line in lines]


def _users(folder: Path) -> list[Any]:
    columns = (
        "uid, row, state, outcome, operation, certain, live_hash, standing, absent, epoch, sessions, night_outcome"
    )
    with closing(sqlite3.connect(folder / "hr.db")) as database:
        nights = database.execute("SELECT id, epoch, good, rows FROM nights").fetchall()
        return [*database.execute(f"SELECT {columns} FROM users ORDER BY uid"), *nights]


def test_what_is_asked_is_none_where_the_app_or_a_list_has_a_say(place: Place) -> None:
    """The directory is read each time, and a list is for one night."""
    leavers = place.folder / "out.leavers.csv"
    asked: list[dict[str, Any]] = [{}, {"adopt": True}, {"refresh": True}, {"approve": place.folder / "a.csv"}]
    found = [quiet.question_of(place.night(sync=options(place, **each)), leavers) is not None for each in asked]
    assert found == [True, False, False, False]

"""A finished job run again: known by digests where nothing has changed, and looked at row by row where anything has."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
import pytest

import provisioner
from provisioner.emulator.server import Emulator
from provisioner.journal.journal import Journal
from provisioner.model import AuthTokens, Outcome, Settlement, State, UserRequest
from provisioner.results.summary import Summary
from provisioner.run.job import Prospect, Target
from provisioner.run.pipeline import provision
from provisioner.run.unchanged import question
from provisioner.settings.tables import Output, Run
from provisioner.stop import InterruptedEarlyError, Stopper
from provisioner.validation.fields.mapping import parse_mapping
from tests.rig.work import APP, Place, with_emulator

ROSTER = "uid,name\nann,Ann\nbob,\ncy,test\nann,Ann again\n"
NEVER_THE_SAME = {"started_at", "finished_at", "elapsed_seconds", "requests", "requests_per_minute"}

Change = Callable[[Path], object]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setattr(question, "_TICK", 0)  # else the roster had to be older than that
    place = Place(tmp_path)
    place.write(ROSTER)
    return place


class Again(NamedTuple):
    """A run and the same once more; `known` when that left the results in their place, so that no row was read."""

    first: Summary
    second: Summary
    known: bool
    changed: list[str]


def again(place: Place, change: Change = lambda _: None, then: Mapping[str, Any] | None = None, **tables: Any) -> Again:
    """Run, change something in the folder, and run once more, with the tables of `then` in place of their likes."""
    results = place.folder / "out.csv"

    async def twice(target: Target, _: Emulator) -> Again:
        first = await provision(place.job(**tables), target, Stopper())
        before, number = held(place), results.stat().st_ino
        change(place.folder)
        second = await provision(place.job(**{**tables, **(then or {})}), target, Stopper())
        after = held(place)
        changed = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
        return Again(first, second, results.stat().st_ino == number, changed)

    return with_emulator(twice)


def held(place: Place) -> dict[str, bytes]:
    """What the files of a folder hold, but for times and the journal."""
    skipped = (".db", ".json", ".lock", "-wal", "-shm")
    return {each.name: each.read_bytes() for each in place.folder.iterdir() if not each.name.endswith(skipped)}


def numbers(summary: Summary) -> dict[str, Any]:
    return {name: value for name, value in summary.document.items() if name not in NEVER_THE_SAME}


def journal_of(folder: Path) -> Journal:
    return Journal(folder / "out.journal.db", APP)


def forget(folder: Path) -> None:
    with journal_of(folder) as journal:
        journal.course.keep_ending(None)


def test_nothing_changed_is_known_and_told_alike(place: Place) -> None:
    """Files as they were, every number as it was, no request; it is known already when the run that sent is over."""
    ran = again(place)
    assert (ran.known, ran.changed, ran.second.document["requests"]) == (True, [], 0)
    assert numbers(ran.second) == numbers(ran.first)
    assert ran.second.exit_code == ran.first.exit_code
    assert ran.second.tally.outcomes.skipped == 2
    assert (ran.second.report.document, list(ran.second.report.remarks())) == (
        ran.first.report.document,
        list(ran.first.report.remarks()),
    )


@pytest.mark.slow
def test_it_ends_just_as_by_the_long_way(place: Place) -> None:
    """The summary of a run that looks at every row, and of one that does not, differ by their times alone."""
    long = again(place, forget)
    short = again(place)
    assert (long.known, short.known) == (False, True)
    assert numbers(long.second) == numbers(short.second)
    assert long.changed == []


def edit(name: str, old: bytes, new: bytes) -> Change:
    def change(folder: Path) -> None:
        file = folder / name
        file.write_bytes(file.read_bytes().replace(old, new))

    return change


def one_more(folder: Path) -> None:
    """A user is settled anew by another run."""
    with journal_of(folder) as journal:
        (cy,) = journal.known(["cy"]).values()
        journal.sent([UserRequest(cy.key, cy.row, "cy", b"", cy.body_hash, token=True)], 1.0)
        done = Settlement(cy.key, State.SETTLED, Outcome.CREATED, 3, auth_token="t", created_at=1, settled_at=2.0)
        journal.settle([done])


def replaced(folder: Path) -> None:
    shutil.copy(folder / "r.csv", folder / "copy.csv")
    (folder / "copy.csv").replace(folder / "r.csv")


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("change", "changed"),
    [
        pytest.param(edit("r.csv", b"ann,Ann\n", b"ann,Anm\n"), ["out.csv", "r.csv"], id="a byte of the roster"),
        pytest.param(
            edit("r.csv", b"bob,\n", b"bob,Bob\n"), ["out.csv", "out.rejected.csv", "r.csv"], id="a row mended"
        ),
        pytest.param(one_more, ["out.csv"], id="a user settled anew"),
        pytest.param(edit("out.csv", b"created", b"existing"), [], id="results that were edited"),
        pytest.param(lambda folder: (folder / "out.csv").chmod(0o644), [], id="results that others may read"),
        pytest.param(lambda folder: (folder / "out.rejected.csv").unlink(), [], id="no rejected file"),
        pytest.param(lambda folder: (folder / "out.summary.json").unlink(), [], id="no summary"),
        pytest.param(forget, [], id="nothing kept"),
    ],
)
def test_anything_changed_takes_the_long_way(place: Place, change: Change, changed: list[str]) -> None:
    """The results are written again, from the roster and the journal as they are now."""
    ran = again(place, change)
    assert (ran.known, [name for name in ran.changed if "20" not in name]) == (False, changed)
    assert (place.folder / "out.csv").stat().st_mode & 0o777 == 0o600


def test_rejected_rows_that_somebody_began_to_mend_are_set_aside_as_ever(place: Place) -> None:
    """They are neither lost nor taken for what was written."""
    ran = again(place, edit("out.rejected.csv", b"bob,", b"bob,Bob"))
    (kept,) = (name for name in ran.changed if name.startswith("out.rejected.2"))
    assert b"bob,Bob" in (place.folder / kept).read_bytes()
    assert not ran.known


def test_the_same_bytes_in_another_file_of_that_name_are_the_same_roster(place: Place) -> None:
    """An export that is written every night and holds what it held."""
    assert again(place, replaced).known


@pytest.mark.sampled
@pytest.mark.parametrize(
    "then",
    [
        {"run": Run(strict=True)},
        {"run": Run(auth_tokens=AuthTokens.NONE)},
        {"run": Run(limit=1)},
        {"columns": parse_mapping({"null_values": ["test"]})},
    ],
    ids=str,
)
def test_another_option_takes_the_long_way(place: Place, then: dict[str, Any]) -> None:
    """Rows are judged by the options of now."""
    assert not again(place, then=then).known


def test_a_new_version_takes_the_long_way(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its rules may be others."""
    assert not again(place, lambda _: monkeypatch.setattr(provisioner, "__version__", "999")).known


def test_what_another_version_kept_is_none_of_ours(place: Place) -> None:
    """It is not read as what it is not, and kept anew."""

    def older(folder: Path) -> None:
        with journal_of(folder) as journal:
            journal.course.keep_ending('{"asked": 1}')

    assert not again(place, older).known
    assert again(place).known


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("roster", "tables"),
    [
        ("uid,name,gone\nann,Ann,2099-01-01\n", {"columns": parse_mapping({"deactivated": "gone"})}),
        ("uid,name,role\nann,Ann,captain\n", {}),
        ("uid,name,withAuthToken\nann,Ann,no\n", {}),
        ("uid,name\n", {}),
    ],
    ids=["who leaves by a date", "a role that the app lacks", "a token that was not asked for", "no rows"],
)
def test_what_the_next_run_may_judge_otherwise_is_not_known(place: Place, roster: str, tables: dict[str, Any]) -> None:
    """By its date, by the app, or because it is not sure that nothing is wanting."""
    place.write(roster)
    assert not again(place, **tables).known


def test_a_run_that_found_nothing_to_do_has_proved_it(place: Place) -> None:
    """The third run knows what the second has looked at."""
    place.write("uid,name,withAuthToken\nann,Ann,no\n")

    async def thrice(target: Target, _: Emulator) -> list[int]:
        written = []
        for _number in range(3):
            await provision(place.job(), target, Stopper())
            written.append((place.folder / "out.csv").stat().st_ino)
        return written

    first, second, third = with_emulator(thrice)
    assert (first != second, second == third) == (True, True)


@pytest.mark.sampled
@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".ndjson"])
def test_tokens_apart_are_held_against_what_was_written(place: Place, suffix: str) -> None:
    """They are a file of their own, and an edited one is set aside as ever."""
    apart: dict[str, Any] = {
        "output": Output(file=place.folder / "out.csv", tokens_to=place.folder / f"tokens{suffix}")
    }
    assert again(place, **apart).known
    assert not again(place, lambda folder: (folder / f"tokens{suffix}").unlink(), **apart).known
    assert (place.folder / f"tokens{suffix}").stat().st_mode & 0o777 == 0o600


def test_several_files_and_their_names_come_back(place: Place) -> None:
    """Of a roster in parts, with the rows of each; likewise what is seen of a Parquet file."""
    frame = pl.DataFrame({"uid": ["dee"], "name": ["Dee"]})
    frame.write_parquet(place.folder / "r.parquet")
    (place.folder / "r.csv").unlink()
    (place.folder / "r.csv").mkdir()
    frame.write_parquet(place.folder / "r.csv" / "a.parquet")
    frame.with_columns(uid=pl.lit("eve")).write_parquet(place.folder / "r.csv" / "b.parquet")
    ran = again_of_a_folder(place)
    assert ran[0] == ran[1]
    assert [each["rows"] for each in ran[0]["files"]] == [1, 1]


def again_of_a_folder(place: Place) -> list[dict[str, Any]]:
    async def twice(target: Target, _: Emulator) -> list[dict[str, Any]]:
        return [numbers(await provision(place.job(), target, Stopper())) for _ in range(2)]

    return with_emulator(twice)


def test_a_person_is_asked_all_the_same(place: Place) -> None:
    """The question names the rows, and no ends the run."""
    asked: list[int] = []

    def agree(prospect: Prospect) -> bool:
        asked.append(prospect.rows)
        return True

    async def twice(target: Target, _: Emulator) -> None:
        await provision(place.job(), target, Stopper())
        await provision(place.job(), target, Stopper(), confirm=agree)
        with pytest.raises(InterruptedEarlyError):
            await provision(place.job(), target, Stopper(), confirm=lambda _: False)

    with_emulator(twice)
    assert asked == [4]


def test_each_run_is_on_the_record(place: Place) -> None:
    """Also one that looked at nothing."""
    again(place)
    with closing(sqlite3.connect(place.folder / "out.journal.db")) as database:
        runs = database.execute("SELECT command, stopped_by, requests FROM runs").fetchall()
    assert runs == [("run", None, 3), ("run", None, 0)]  # two creates, and one for the time of the server

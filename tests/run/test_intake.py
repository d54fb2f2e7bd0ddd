"""Open, survey, check, keep: in this order, because each step is a type that only the one before it gives."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest

from provisioner.errors import ConfigurationError, ExitCode, RosterChangedError, RosterError
from provisioner.roster.shard import Shard
from provisioner.run.intake import Opened, Surveyed, keep_rejected
from provisioner.run.job import make_job
from provisioner.settings.tables import Run as RunSettings
from provisioner.settings.tables import Settings
from provisioner.stop import InterruptedEarlyError, Stop, Stopper, stop_early
from provisioner.tally import RowTally
from tests.rig.rows import TEXTS, boundary_rows
from tests.rig.work import Place

ROSTER = "uid,name\nann,Ann\nbob,\nann,Anna\n"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    place.write(ROSTER)
    return place


def opened(
    place: Place, rows: RowTally | None = None, settings: Settings | None = None, *, offline: bool = True
) -> Opened:
    job = place.job()
    return Opened.open(job.roster, settings or job.settings, place.folder, rows or RowTally(), offline=offline)


def all_kept(surveyed: Surveyed) -> Surveyed:
    for batch in surveyed.batches():
        surveyed.keep(batch)
    return surveyed


@pytest.mark.parametrize(("offline", "lines"), [(False, 3), (True, 0)])
def test_every_row_is_surveyed_then_checked_then_counted(place: Place, *, offline: bool, lines: int) -> None:
    """A row counts once it is kept, as valid or as rejected; its line is kept either way if there will be results."""
    rows = RowTally()
    with closing(opened(place, rows, offline=offline)) as roster:
        surveyed = roster.survey(lambda: None)
        assert rows == RowTally(total=3, surveyed=3)
        batches = list(surveyed.batches())
        assert rows.checked == 0
        for batch in batches:
            surveyed.keep(batch)
        assert rows == RowTally(total=3, surveyed=3, checked=3, valid=1, rejected=2)
        assert (surveyed.lines.rows, surveyed.rejected.rows) == (lines, 2)
        assert surveyed.report().rejected_by_code == {"name.missing": 1, "uid.duplicate": 1}


def test_a_role_that_does_not_exist_rejects_its_row_when_it_is_kept(place: Place) -> None:
    """The rules knew nothing of it."""
    place.write("uid,name,role\nann,Ann,crew\nbob,Bob,\n")
    rows = RowTally()
    with closing(opened(place, rows)) as roster:
        surveyed = roster.survey(lambda: None)
        [batch] = surveyed.batches()
        assert list(batch.roles()) == [(1, "crew")]
        assert list(batch.roles({"default", "crew"})) == []
        surveyed.keep(batch, {1: "no such role"})
        assert (rows.valid, rows.rejected) == (1, 1)
        assert surveyed.report().rejected_by_code == {"role.unknown": 1}


@pytest.mark.parametrize("change", [ROSTER + "cy,Cy\n", "uid,name\nann,Ann\n", ROSTER.replace("Ann", "Eve")])
def test_a_roster_that_changes_between_the_readings_is_refused(place: Place, change: str) -> None:
    """Whatever was found in the first reading is no longer true."""
    with closing(opened(place)) as roster:
        surveyed = roster.survey(lambda: None)
        place.write(change)
        with pytest.raises(RosterChangedError, match=r"r\.csv: changed while it was read"):
            all_kept(surveyed)


def test_a_roster_that_cannot_be_read_a_second_time_is_not_said_to_have_changed(place: Place) -> None:
    """It would change nothing to wait until it is complete."""
    with closing(opened(place)) as roster:
        surveyed = roster.survey(lambda: None)
        (place.folder / "r.csv").unlink()
        (place.folder / "r.csv").symlink_to("r.csv")
        with pytest.raises(
            RosterChangedError, match=r"r\.csv cannot be read: Too many levels .*; see to that, then run"
        ):
            all_kept(surveyed)


@pytest.mark.parametrize("suffix", [".ndjson", ".json", ".parquet", ".ndjson.gz"])
@pytest.mark.parametrize("replaced", [False, True])
def test_another_file_of_as_many_rows_is_refused_in_every_format(tmp_path: Path, suffix: str, replaced: bool) -> None:
    """Written over, or put in its place; what comes twice in it was looked for in the other one."""
    roster = tmp_path / f"r{suffix}"

    def write(path: Path, *uids: str) -> None:
        people = [{"uid": uid, "name": "Ann"} for uid in uids]
        lines = b"".join(json.dumps(each).encode() + b"\n" for each in people)
        if suffix == ".parquet":
            pl.DataFrame(people).write_parquet(path)
        else:
            path.write_bytes(gzip.compress(lines, mtime=0) if suffix.endswith(".gz") else lines)

    write(roster, "ann", "bob")
    job = make_job([str(roster)], Settings())
    with closing(Opened.open(job.roster, job.settings, tmp_path, RowTally(), offline=True)) as first:
        surveyed = first.survey(lambda: None)
        if replaced:
            write(tmp_path / f"new{suffix}", "ann", "ann")
            (tmp_path / f"new{suffix}").replace(roster)
        else:
            write(roster, "ann", "anna")
        with pytest.raises(RosterChangedError, match=r": changed while it was read"):
            all_kept(surveyed)


def test_whatever_interrupts_ends_the_survey(place: Place) -> None:
    """A stop is heeded while the roster is read."""
    stopper = Stopper()
    stopper.request(Stop("sigint", "interrupted", ExitCode.SIGINT))
    with closing(opened(place)) as roster, pytest.raises(InterruptedEarlyError):
        roster.survey(lambda: stop_early(stopper))


def test_a_roster_without_the_columns_it_needs_is_refused_by_name(place: Place) -> None:
    """Before a row is read."""
    place.write("who,what\nann,Ann\n")
    with pytest.raises((RosterError, ConfigurationError), match=r"r\.csv"):
        opened(place)


def test_rejected_rows_can_be_mended_and_fed_in(place: Place) -> None:
    """In the roster's own columns, with the reason behind them."""
    job = place.job()
    with closing(opened(place)) as roster:
        keep_rejected(job, all_kept(roster.survey(lambda: None)))
    head, *rows = job.outputs.rejected.read_text().splitlines()
    assert head == "uid,name,_row,_errors"
    assert [row.split(",")[2] for row in rows] == ["2", "3"]


def test_a_limit_hides_what_lies_behind_it(place: Place) -> None:
    """Neither read nor judged."""
    rows = RowTally()
    settings = Settings(run=RunSettings(limit=1))
    with closing(opened(place, rows, settings)) as roster:
        all_kept(roster.survey(lambda: None))
    assert (rows.total, rows.valid, rows.rejected) == (1, 1, 0)


LIKENESSES = [
    {"uid": "like-1", "name": "Zoë Q", "metadata": '{"email": "zq@e.org"}'},
    {"uid": "like-2", "name": "zoë q", "metadata": '{"email": "ZQ@e.org"}'},
    {"uid": "like-3", "name": "ZOË Q"},
    {"uid": "like-4", "name": "Zoë Q"},
]


@pytest.mark.sampled
@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("offline", [False, True])
def test_shards_together_judge_as_one_run_does(place: Place, *, strict: bool, offline: bool) -> None:
    """Row by row, in the same words and with the roster's numbers; also what only all rows together tell.

    Duplicates meet in one shard; for rows that look alike the others are looked at; each row is in exactly one shard.
    """
    rows = boundary_rows(0)[::7] + LIKENESSES
    pl.DataFrame(rows, schema=dict.fromkeys(TEXTS, pl.String)).write_csv(place.folder / "r.csv")

    def judged(shard: Shard | None) -> tuple[pl.DataFrame, pl.DataFrame, Counter[str], Counter[str]]:
        settings = Settings(run=RunSettings(strict=strict, shard=shard))
        job = place.job()
        tally = RowTally()
        roster = Opened.open(job.roster, settings, place.folder, tally, offline=offline)
        with closing(roster):
            surveyed = roster.survey(lambda: None)
            batches = list(surveyed.batches())
            for batch in batches:
                surveyed.keep(batch)
            lines, rejected = pl.concat(each.checked.lines for each in batches), pl.concat(surveyed.rejected.frames())
            assert (tally.total, tally.checked) == (lines.height, lines.height)
            assert surveyed.lines.rows == (0 if offline else lines.height)
            report = surveyed.report()
            warned = Counter({code: found.rows for code, found in report.warnings.items()})
            return lines, rejected, Counter(report.rejected_by_code), warned

    whole = judged(None)
    shards = [judged(Shard(number, 3)) for number in (1, 2, 3)]
    assert all(lines.height > 100 for lines, *_ in shards)
    together = pl.concat([lines for lines, *_ in shards]).sort("row")
    assert together.equals(whole[0])
    assert pl.concat([rejected for _, rejected, *_ in shards]).sort("_row").equals(whole[1])
    assert (sum((each[2] for each in shards), Counter()), sum((each[3] for each in shards), Counter())) == whole[2:]

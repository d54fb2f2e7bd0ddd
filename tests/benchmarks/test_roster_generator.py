"""Rosters for measurements: the same every time, of any size, with just the defects that were asked for."""

import csv
import json
import subprocess
import sys
from fractions import Fraction
from itertools import islice
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from benchmarks.rig.make_roster import BATCH_ROWS, DEFECTS, SCHEMA, Format, batch, batches, percentage, write_roster

ROOT = Path(__file__).resolve().parents[2]
NONE = Fraction(0)


def read(path: Path) -> pl.DataFrame:
    """The roster as text; the generator writes no empty cells but missing ones."""
    return pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_csv(path, infer_schema=False)


def number_of_broken_rows(rows: int, invalid: Fraction) -> int:
    return count_differences(
        batch(0, rows, seed=1, invalid=NONE),
        batch(0, rows, seed=1, invalid=invalid),
    )


def count_differences(clean: pl.DataFrame, broken: pl.DataFrame) -> int:
    return sum(left != right for left, right in zip(clean.iter_rows(), broken.iter_rows(), strict=True))


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_the_same_call_writes_the_same_roster(tmp_path: Path, form: Format) -> None:
    """Two writes with one seed agree in every cell, in the order of the rows; another seed does not."""
    paths = [tmp_path / f"{name}.{form}" for name in ("one", "two", "other")]
    for path, seed in zip(paths, (7, 7, 8), strict=True):
        write_roster(path, 2_000, seed=seed, invalid="0.05", form=form)

    one, two, other = (read(path) for path in paths)
    assert_frame_equal(one, two)
    assert not one.equals(other)
    if form == "csv":
        assert paths[0].read_bytes() == paths[1].read_bytes()


def test_both_formats_hold_the_same_text(tmp_path: Path) -> None:
    """A measurement of one format can be held against that of the other."""
    for form in ("csv", "parquet"):
        write_roster(tmp_path / f"roster.{form}", 1_000, invalid="0.1", form=form)

    assert_frame_equal(read(tmp_path / "roster.csv"), read(tmp_path / "roster.parquet"))


def test_a_roster_longer_than_a_batch_is_whole_and_in_order(tmp_path: Path) -> None:
    """Batches join without a seam: each row is there once, in order, one row group for each batch."""
    rows = BATCH_ROWS + 1_234
    write_roster(tmp_path / "roster.parquet", rows, form="parquet")

    written = pl.read_parquet(tmp_path / "roster.parquet")
    assert written["uid"].to_list() == [f"staff-{number:09}" for number in range(rows)]
    assert written.schema == SCHEMA


def test_a_longer_roster_begins_with_the_shorter_one() -> None:
    """A row depends on its number and the seed, not on how many follow or where a batch begins."""
    share = Fraction(3, 100)
    whole = batch(0, 1_000, seed=3, invalid=share)

    assert_frame_equal(batch(400, 100, seed=3, invalid=share), whole.slice(400, 100))


def test_rows_are_made_when_they_are_asked_for() -> None:
    """The first batch of a roster of a billion rows is there at once: nothing is held that is not needed."""
    first = next(islice(batches(1_000_000_000, seed=1, invalid=NONE), 1))

    assert_frame_equal(first.head(10), batch(0, 10, seed=1, invalid=NONE))
    assert first.height == BATCH_ROWS


@pytest.mark.parametrize(
    ("share", "broken"), [("0%", 0), ("2%", 20), ("0.1%", 1), ("33.3%", 333), ("0.5", 500), ("100%", 1_000)]
)
def test_the_share_of_broken_rows_is_exact(share: str, broken: int) -> None:
    """Of a thousand rows just the share that was asked for differs from the flawless roster."""
    assert number_of_broken_rows(1_000, percentage(share)) == broken


def test_broken_rows_are_spread_evenly() -> None:
    """Any hundred rows hold their share: a run that is stopped early has seen the same mixture."""
    share = Fraction(5, 100)
    clean, broken = (batch(0, 2_000, seed=1, invalid=invalid) for invalid in (NONE, share))

    assert {count_differences(clean.slice(first, 100), broken.slice(first, 100)) for first in range(0, 2_000, 100)} == {
        5
    }


def test_every_defect_gets_its_turn() -> None:
    """Eighteen broken rows break the eighteen rules, one each, in the order of the table."""
    assert len(DEFECTS) == 18
    clean, broken = (batch(0, len(DEFECTS), seed=1, invalid=Fraction(invalid)) for invalid in (0, 1))

    changed = [
        {column for column in clean.columns if left[column] != right[column]}
        for left, right in zip(clean.rows(named=True), broken.rows(named=True), strict=True)
    ]
    assert changed == [set(cells) for cells in DEFECTS.values()]


def test_a_repeated_uid_has_an_earlier_row_even_among_broken_ones() -> None:
    """Row 1 keeps its uid whatever its defect, and the duplicate is that uid in another case and with blanks."""
    rows = batch(0, len(DEFECTS), seed=1, invalid=Fraction(1))["uid"]

    assert rows[0] == "staff-000000000"
    assert rows[list(DEFECTS).index("uid.duplicate")] == " STAFF-000000000 "


def test_flawless_rows_keep_the_rules() -> None:
    """Unique uids, tags and metadata that parse, and the only role that a new app knows."""
    rows = batch(0, 5_000, seed=1, invalid=NONE)

    assert rows["uid"].n_unique() == 5_000
    assert rows["name"].null_count() == 0
    assert rows["name"].str.len_chars().max() <= 100  # type: ignore[operator]
    assert set(rows["role"]) == {"default", None}
    assert all(len(tags.split(";")) == 4 for tags in rows["tags"])
    assert all(set(json.loads(text)["@private"]) == {"email", "phone"} for text in rows["metadata"])


def test_a_row_has_about_500_bytes(tmp_path: Path) -> None:
    """The size the published figures are about."""
    write_roster(tmp_path / "roster.csv", 2_000, form="csv")

    assert 450 <= (tmp_path / "roster.csv").stat().st_size / 2_000 <= 550


def test_the_csv_is_one_for_other_programs_too(tmp_path: Path) -> None:
    """The csv module of the standard library reads the same cells, a missing one as the empty text."""
    write_roster(tmp_path / "roster.csv", 500, invalid="0.1", form="csv")

    with (tmp_path / "roster.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, strict=True))
    expected = batch(0, 500, seed=1, invalid=Fraction(1, 10)).fill_null("")
    assert rows == [expected.columns, *map(list, expected.iter_rows())]


@pytest.mark.parametrize("text", ["-1%", "101%", "1.5", "two", "", "%", "1/0"])
def test_a_share_is_from_0_to_1(text: str) -> None:
    """Anything else is refused before a file is begun."""
    with pytest.raises(ValueError, match=r"not a share|Invalid literal for Fraction"):
        percentage(text)


def test_the_command_writes_what_the_function_writes(tmp_path: Path) -> None:
    """Format by suffix, share, seed and row count reach the roster as given."""
    arguments = ["--rows", "300", "--seed", "5", "--invalid", "10%", "-o", str(tmp_path / "roster.csv")]
    subprocess.run([sys.executable, "-m", "benchmarks.rig.make_roster", *arguments], cwd=ROOT, check=True)

    write_roster(tmp_path / "expected.csv", 300, seed=5, invalid="0.1", form="csv")
    assert (tmp_path / "roster.csv").read_bytes() == (tmp_path / "expected.csv").read_bytes()


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--rows", "3", "-o", "roster.txt"], "say --format csv or --format parquet"),
        (["--rows", "-3", "-o", "roster.csv"], "invalid whole_number value: '-3'"),
        (["--rows", "3", "--invalid", "200%", "-o", "roster.csv"], "invalid percentage value: '200%'"),
        (["--rows", "3", "-o", "no/such/folder/roster.csv"], "No such file or directory"),
    ],
)
def test_the_command_says_what_is_wrong(arguments: list[str], words: str) -> None:
    """A wrong argument is a sentence and exit code 2, never a traceback."""
    ended = subprocess.run(
        [sys.executable, "-m", "benchmarks.rig.make_roster", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (ended.returncode, ended.stdout) == (2, "")
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr

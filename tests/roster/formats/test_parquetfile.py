"""Parquet rosters: the same rows whatever the layout of the file, in memory that does not follow it."""

from __future__ import annotations

import weakref
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from provisioner.roster.formats.parquetfile import BATCH, ParquetRoster, open_parquet
from tests.rig.command import ROOT

ROWS = 45_000
FRAME = pl.DataFrame({"number": range(ROWS)}).select(
    uid=pl.format("u{}", "number"),
    number="number",
    role=pl.when(pl.col("number") % 3 == 0).then(pl.lit("crew")).otherwise(pl.lit("guest")).cast(pl.Categorical),
    tags=pl.when(pl.col("number") % 7 > 0).then(pl.concat_list(pl.format("t{}", "number"), pl.lit(None, pl.String))),
    metadata=pl.struct(a="number", b=pl.struct(c=pl.concat_list(pl.col("number") % 5))),
    nothing=pl.lit(None, pl.String),
)
READ = FRAME.with_columns(pl.col("role").cast(pl.String))


@pytest.mark.sampled
@pytest.mark.parametrize("compression", ["zstd", "snappy", "uncompressed"])
@pytest.mark.parametrize("group", [700, 30_000, ROWS])
def test_rows_are_the_same_in_every_layout(tmp_path: Path, group: int, compression: str) -> None:
    """Small groups, one large group; nested, dictionary-encoded and null columns."""
    path = tmp_path / "r.parquet"
    FRAME.write_parquet(path, row_group_size=group, compression=compression)  # type: ignore[arg-type]
    roster = open_parquet(str(path))
    assert (roster.name, roster.columns, roster.parts()) == (str(path), tuple(FRAME.columns), ())
    rows = 0
    for batch in roster.batches():
        assert (batch.first_row, batch.frame.height <= BATCH) == (rows + 1, True)
        assert batch.frame.equals(READ.slice(rows, batch.frame.height))
        rows += batch.frame.height
    assert rows == ROWS
    limited = open_parquet(path, limit=1500)
    assert pl.concat([batch.frame for batch in limited.batches()]).equals(READ.head(1500))


def test_rows_of_nulls_and_blanks_are_no_rows(tmp_path: Path) -> None:
    """Neither are they counted, nor are those with an empty list; a row with anything in it, be it 0, is one."""
    people = [
        {"uid": "a", "n": None, "tags": None}, {"uid": None, "n": None, "tags": None},
        {"uid": " \u00a0", "n": None, "tags": None}, {"uid": None, "n": 0, "tags": None},
        {"uid": None, "n": None, "tags": []}, {"uid": "b", "n": 1, "tags": ["x"]},
    ]  # fmt: skip
    schema = pl.Schema({"uid": pl.String(), "n": pl.Int64(), "tags": pl.List(pl.String)})
    pl.DataFrame(people, schema=schema).write_parquet(tmp_path / "r.parquet")
    (batch,) = open_parquet(tmp_path / "r.parquet").batches()
    assert batch.frame.rows(named=True) == [people[0], people[3], people[-1]]
    assert batch.numbers.to_list() == [1, 2, 3]


@pytest.mark.parametrize("limit", [1, 2, 3, 1_500, 3_000])
def test_a_limit_counts_the_rows_that_are_some(tmp_path: Path, limit: int) -> None:
    """As in every format, however many hold nothing before and between them."""
    rows = [*[None] * 3_000, "a", None, "b", *map(str, range(2_000))]
    pl.DataFrame({"uid": rows}).write_parquet(tmp_path / "r.parquet")
    batches = list(open_parquet(tmp_path / "r.parquet", limit).batches())
    found = [uid for batch in batches for (uid,) in batch.frame.iter_rows()]
    assert found == [uid for uid in rows if uid is not None][:limit]
    assert [number for batch in batches for number in batch.numbers] == [*range(1, len(found) + 1)]


def test_decimals_that_are_too_wide_are_named_and_hinder_no_other_column(tmp_path: Path) -> None:
    """A column of theirs is refused when something is made of it; polars would read none of the file."""
    path = tmp_path / "r.parquet"
    path.write_bytes((ROOT / "tests/rig/data/decimal256.parquet").read_bytes())
    roster = open_parquet(path)
    said = "it holds decimals of 60 digits, of which 38 can be read; write it as text"
    assert roster.unreadable == {"big": said}
    assert [batch.frame.rows() for batch in roster.batches()] == [[("a1", None), ("b2", None)]]


def test_decimals_that_are_too_wide_within_others_are_named_as_well() -> None:
    """Polars panics over them as soon as a row is read."""
    roster = open_parquet(ROOT / "tests/rig/data/decimal256_within.parquet")
    assert roster.unreadable == {"x": "it holds decimals of 60 digits, of which 38 can be read; write it as text"}
    assert [batch.frame.rows() for batch in roster.batches()] == [[("a", "A", None)]]


def test_moments_in_zones_that_polars_lacks_are_those_in_utc(capfd: pytest.CaptureFixture[str]) -> None:
    """A file may name an offset or any other zone; it keeps moments in UTC, and nothing is said on the terminal."""
    roster = open_parquet(ROOT / "tests/rig/data/zones.parquet")
    utc = pl.Datetime("us", "UTC")
    assert dict(roster.schema) == {
        "uid": pl.String(),
        "name": pl.String(),
        "joined": utc,
        "left": pl.Datetime("ns", "UTC"),
        "berlin": pl.Datetime("us", "Europe/Berlin"),
        "visits": pl.List(pl.Struct({"at": pl.Datetime("ms", "UTC")})),
    }
    (batch,) = roster.batches()
    noon = datetime(2024, 1, 1, 12, tzinfo=UTC)
    assert batch.frame.row(0) == (
        "a1",
        "Ann",
        noon,
        datetime(1970, 1, 20, 17, 21, 50, 400_000, UTC),
        noon,
        [{"at": noon}],
    )
    assert batch.frame.row(1) == ("b2", "Bob", None, None, None, None)
    assert capfd.readouterr() == ("", "")


def test_a_date_that_arrow_counts_in_milliseconds_is_a_date() -> None:
    """Wherever it stands, for the file itself says DATE; a moment without a zone beside it stays one."""
    (batch,) = open_parquet(ROOT / "tests/rig/data/date64.parquet").batches()
    day, midnight = date(2024, 1, 1), datetime(2024, 1, 1)  # noqa: DTZ001 - without a zone
    days = {"on": day, "at": [midnight], "off": {"k": day}}
    assert batch.frame.rows() == [("a1", "Ann", day, midnight, days), ("b2", "Bob", None, None, None)]


def test_arrays_of_no_length_are_lists(tmp_path: Path) -> None:
    """Polars writes such arrays, and cannot read them from a file that rows wait in."""
    empty = pl.Series("z", [[], None], dtype=pl.Array(pl.String, 0))
    frame = pl.DataFrame({"uid": ["a", "b"], "z": empty}).with_columns(s=pl.struct("z"), pair=pl.Series([[1, 2]] * 2))
    frame = frame.with_columns(pl.col("pair").list.to_array(2))
    frame.write_parquet(tmp_path / "r.parquet")
    (batch,) = open_parquet(tmp_path / "r.parquet").batches()
    lists = pl.List(pl.String)
    kinds = {"uid": pl.String(), "z": lists, "s": pl.Struct({"z": lists}), "pair": pl.Array(pl.Int64, 2)}
    assert batch.frame.schema == kinds
    assert batch.frame.to_dicts() == frame.to_dicts()


def test_an_earlier_slice_is_let_go_before_the_next_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two slices at once would be twice the memory."""
    path = tmp_path / "r.parquet"
    FRAME.write_parquet(path, row_group_size=1000)
    roster = open_parquet(path)
    earlier: list[weakref.ref[pl.DataFrame]] = []
    read = type(roster)._slice

    def watched(self: ParquetRoster, start: int, rows: int) -> pl.DataFrame:
        assert [slice_ for slice_ in earlier if slice_() is not None] == []
        frame = read(self, start, rows)
        earlier.append(weakref.ref(frame))
        return frame

    monkeypatch.setattr(type(roster), "_slice", watched)
    small = replace(roster, slice_bytes=100_000)
    assert sum(batch.frame.height for batch in small.batches()) == ROWS
    assert len(earlier) > 10

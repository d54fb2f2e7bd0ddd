"""What shards have left becomes one set of results, or is refused in one sentence."""

from __future__ import annotations

import csv
import errno
import json
import shutil
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from structlog.testing import capture_logs

from provisioner.errors import ExitCode, JournalError, OutputError, StorageError
from provisioner.files.looking import digest_of
from provisioner.journal.lock import JournalLock
from provisioner.results.formats.outcomes import RESULT_SCHEMA, scan_results
from provisioner.results.lines import write_lines
from provisioner.results.merging.merge import merge
from provisioner.results.outputs import FORMATS
from provisioner.results.rejections import Dress, write_rejected
from provisioner.results.spool import Spool
from provisioner.roster.workbook.file import open_workbook

AT = "2026-01-31T10:00:00.000Z"


def lines(numbers: list[int], outcome: str = "created") -> pl.DataFrame:
    """Result lines of these rows; one of them has odd cells."""
    odd = [None if n % 3 else "" if n % 2 else ' "a",\n; ' for n in numbers]
    cells: dict[str, Any] = {
        "row": numbers, "uid": [f"u{n}" for n in numbers], "uid_input": odd, "outcome": [outcome] * len(numbers),
        "http_status": [200] * len(numbers), "attempts": [1] * len(numbers), "auth_token": [f"t{n}" for n in numbers],
        "created_at": [7] * len(numbers), "settled_at": [datetime.fromisoformat(AT)] * len(numbers),
        "name": [f"-{n}" for n in numbers],
    }  # fmt: skip
    schema = pl.Schema(RESULT_SCHEMA)
    missing = {name: pl.Series([None] * len(numbers), dtype=schema[name]) for name in schema if name not in cells}
    return pl.DataFrame({**cells, **missing}, schema_overrides=dict(schema)).select(*schema)


def shard(folder: Path, number: int, frame: pl.DataFrame, of: int = 2, ending: str = ".csv", **more: Any) -> Path:
    """Write what a shard that has created all its rows leaves; the roster has 9 rows."""
    folder.mkdir(exist_ok=True)
    results = folder / f"shard-{number}.results{ending}"
    results.unlink(missing_ok=True)
    write_lines(results, iter([frame]), None)
    outcomes = dict.fromkeys(("rejected", "existing", "updated", "failed", "pending", "edited", "retries"), 0)
    document = {
        "rows": frame.height, "created": frame.height, **outcomes, "requests": frame.height, "rate_limited": 0,
        "tokens": frame.height, "started_at": AT, "finished_at": AT, "stopped_by": None, "message": None,
        "exit_code": 0, "outputs": {"results": f"elsewhere/{results.name}", "rejected": None}, "roster": ["/r.csv"],
        "digests": {}, "defects": {}, "warnings": {},
        "shard": {"number": number, "of": of, "roster_rows": 9, "fingerprint": "f"},
    }  # fmt: skip
    (folder / f"shard-{number}.results.summary.json").write_text(json.dumps({**document, **more}))
    return results


@pytest.mark.sampled
@pytest.mark.parametrize("ending", FORMATS)
@pytest.mark.parametrize("to", FORMATS)
def test_every_format_becomes_every_other_one(tmp_path: Path, ending: str, to: str) -> None:
    """Cell by cell, also what is empty and what is not there, which a sheet takes for one; a shard may have no rows."""
    folder = tmp_path / "shards"
    for number, rows in enumerate(([2, 3, 9], [1, 4, 5, 6, 7, 8], []), 1):
        shard(folder, number, lines(rows), of=3, ending=ending)
    summary = merge(folder, tmp_path / f"all{to}")
    expected = lines(list(range(1, 10)))
    if ".xlsx" in {ending, to}:
        expected = expected.with_columns(pl.col("uid_input").replace("", None))
    assert scan_results(tmp_path / f"all{to}").collect().equals(expected)
    assert (summary.counts.rows, summary.counts.tokens, summary.exit_code) == (9, 9, ExitCode.OK)
    assert json.loads((tmp_path / "all.summary.json").read_bytes()) == json.loads(json.dumps(summary.document))
    merge(folder, tmp_path / f"all{to}")


def test_shards_of_rejected_rows_that_were_fed_in_say_which_they_were(tmp_path: Path) -> None:
    """So that the merged round can be merged with the one before it."""
    again = [frame.with_columns(_row=pl.col("row") + 90) for frame in (lines([2, 3, 9]), lines([1, 4, 5, 6, 7, 8]))]
    for number, frame in enumerate(again, 1):
        results = shard(tmp_path / "s", number, frame.drop("_row"))
        write_lines(results, iter([frame]), None, fed_again=True)
    merge(tmp_path / "s", tmp_path / "all.csv")
    expected = [(row, row + 90) for row in range(1, 10)]
    assert scan_results(tmp_path / "all.csv", ("row", "_row")).collect().rows() == expected


def with_rejected(folder: Path, number: int, rows: list[int], ending: str, frame: pl.DataFrame, dress: Dress) -> Path:
    """Write what a shard that has rejected all its rows leaves, the rejected ones as `frame` has them."""
    rejected = folder / f"shard-{number}.results.rejected{ending}"
    with closing(Spool(folder.parent)) as spool:
        spool.append(frame.with_columns(_row=pl.Series(rows), _errors=pl.lit("name.missing: no name, one is required")))
        folder.mkdir(exist_ok=True)
        write_rejected(rejected, spool, dress)
    counts: dict[str, Any] = {
        "created": 0,
        "tokens": 0,
        "rejected": len(rows),
        "digests": {"rejected": digest_of(rejected)},
    }
    frame = lines(rows, "rejected").with_columns(auth_token=pl.lit(None, pl.String))
    shard(
        folder, number, frame, outputs={"results": f"shard-{number}.results.csv", "rejected": str(rejected)}, **counts
    )
    return rejected


def test_rejected_rows_that_no_workbook_has_room_for_are_merged_into_a_csv(tmp_path: Path) -> None:
    """As one run would, whole: a sheet would cut the long cell; the file of the merge before is not left beside it."""
    folder, long = tmp_path / "s", "x" * 40_000
    with_rejected(
        folder, 1, [2, 3, 9], ".xlsx", pl.DataFrame({"uid": ["b", "c", "i"], "note": ["1", "2", "3"]}), Dress()
    )
    some = pl.DataFrame({"uid": list("adefgh"), "note": ["4"] * 6})
    with_rejected(folder, 2, [1, 4, 5, 6, 7, 8], ".xlsx", some, Dress())
    assert merge(folder, tmp_path / "all.csv").outputs["rejected"] == str(tmp_path / "all.rejected.xlsx")
    (folder / "shard-2.results.rejected.xlsx").unlink()
    with_rejected(folder, 2, [1, 4, 5, 6, 7, 8], ".csv", some.with_columns(note=pl.lit(long)), Dress())
    with capture_logs() as events:
        summary = merge(folder, tmp_path / "all.csv")
    assert [each["event"] for each in events] == ["rejected.as_csv"]
    assert summary.outputs["rejected"] == str(tmp_path / "all.rejected.csv")
    assert pl.read_csv(tmp_path / "all.rejected.csv")["note"].to_list() == [long, "1", "2", *[long] * 5, "3"]
    assert not (tmp_path / "all.rejected.xlsx").exists()


def test_the_sheet_of_rejected_rows_has_the_title_that_it_has_in_a_shard(tmp_path: Path) -> None:
    """So that the rows are fed in with the same --sheet."""
    frame = pl.DataFrame({"uid": list("abc")})
    with_rejected(tmp_path / "s", 1, [2, 3, 9], ".xlsx", frame, Dress(sheet="People"))
    shard(tmp_path / "s", 2, lines([1, 4, 5, 6, 7, 8]))
    merge(tmp_path / "s", tmp_path / "all.csv")
    assert open_workbook(tmp_path / "all.rejected.xlsx").sheet == "People"


@pytest.mark.sampled
@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|", "^", "\x01", " ", "_"])
@pytest.mark.parametrize("suffix", [".csv", ".tsv"])
@pytest.mark.parametrize("name", ["my\ncomment", 'a "b"\r\n_errors', "a,b;c\td|e", "plain"])
def test_rejected_rows_are_merged_whatever_stands_in_their_header(
    tmp_path: Path, delimiter: str, suffix: str, name: str
) -> None:
    """Whatever separates the cells: a name may have line ends, quotes, and what does so elsewhere."""
    rows = {1: [2, 3, 9], 2: [1, 4, 5, 6, 7, 8]}
    for number, numbers in rows.items():
        frame = pl.DataFrame({"uid": [f"u{n}" for n in numbers], name: [f"c{n}" for n in numbers]})
        with_rejected(tmp_path / "s", number, numbers, suffix, frame, Dress(delimiter=delimiter, marked=True))
    merge(tmp_path / "s", tmp_path / "all.csv")
    with (tmp_path / f"all.rejected{suffix}").open(newline="", encoding="utf-8-sig") as file:
        header, *found = csv.reader(file, delimiter=delimiter)
    assert header == ["uid", name, "_row", "_errors"]
    assert [tuple(cells[:3]) for cells in found] == [(f"u{n}", f"c{n}", str(n)) for n in range(1, 10)]


def test_a_shard_that_was_stopped_tells_how_the_whole_ended(tmp_path: Path) -> None:
    """Its rows are pending, and the exit code is the one that one run would have had."""
    shard(tmp_path / "s", 1, lines([2, 3, 9]))
    stopped: dict[str, Any] = {"created": 0, "pending": 6, "stopped_by": "key", "message": "refused", "exit_code": 4}
    shard(tmp_path / "s", 2, lines([1, 4, 5, 6, 7, 8], "pending"), **stopped)
    summary = merge(tmp_path / "s", tmp_path / "all.csv")
    assert (summary.exit_code, summary.counts.outcomes["pending"]) == (ExitCode.API, 6)
    assert summary.document["message"] == "shard 2/2: refused"


def a_missing_one(folder: Path) -> None:
    (folder / "shard-2.results.csv").unlink()


def three_missing_ones(folder: Path) -> None:
    (folder / "shard-1.results.csv").unlink()
    shard(folder, 2, lines([1, 4, 5, 6, 7, 8]), of=4)


def one_twice(folder: Path) -> None:
    shard(folder, 2, lines([1, 4, 5, 6, 7, 8])).rename(folder / "more.results.csv")
    (folder / "shard-2.results.summary.json").rename(folder / "more.results.summary.json")
    text = (folder / "more.results.summary.json").read_text().replace("shard-2.results", "more.results")
    (folder / "more.results.summary.json").write_text(text)
    shard(folder, 2, lines([1, 4, 5, 6, 7, 8]))


def another_number(folder: Path) -> None:
    shard(folder, 2, lines([1, 4, 5, 6, 7, 8]), of=3)


def another_roster(folder: Path) -> None:
    other = {"number": 2, "of": 2, "roster_rows": 9, "fingerprint": "g"}
    shard(folder, 2, lines([1, 4, 5, 6, 7, 8]), shard=other)


def a_lost_row(folder: Path) -> None:
    shard(folder, 2, lines([1, 4, 6, 7, 8]))


def a_row_in_both(folder: Path) -> None:
    shard(folder, 2, lines([1, 3, 4, 5, 6, 7, 8]))


def an_outcome_changed(folder: Path) -> None:
    path = folder / "shard-2.results.csv"
    path.write_text(path.read_text().replace(",created,", ",failed,", 1))


def a_cut_one(folder: Path) -> None:
    path = folder / "shard-2.results.csv"
    path.write_text(path.read_text().replace(",200,", ",20x0,", 1))


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (a_missing_one, "s: 1 of 2 shards has no finished results: shard 2; run it, then merge again"),
        (three_missing_ones, "s: 3 of 4 shards have no finished results: shards 1, 3, 4; run them, then merge again"),
        (one_twice, "are both shard 2/2"),
        (another_number, "are not shards of one roster"),
        (another_roster, "are not shards of one roster"),
        (a_lost_row, "row 5: is in no shard, or in two"),
        (a_row_in_both, "row 4: is in no shard, or in two"),
        (an_outcome_changed, "its summary says {'created': 6, 'tokens': 6}"),
        (a_cut_one, "shard-2.results.csv: is not as a run wrote it"),
    ],
)
@pytest.mark.parametrize("to", [".csv", ".parquet"])
def test_what_does_not_fit_is_refused(tmp_path: Path, spoil: Callable[[Path], None], said: str, to: str) -> None:
    """One sentence, exit 2, and nothing is left of the attempt."""
    folder = tmp_path / "s"
    shard(folder, 1, lines([2, 3, 9]))
    shard(folder, 2, lines([1, 4, 5, 6, 7, 8]))
    spoil(folder)
    with pytest.raises(OutputError) as refused:
        merge(folder, tmp_path / f"all{to}")
    assert said in str(refused.value)
    assert refused.value.exit_code == ExitCode.USAGE
    assert [path.name for path in tmp_path.iterdir()] == ["s"]


def test_nothing_of_a_run_is_overwritten(tmp_path: Path) -> None:
    """Neither what is merged, nor results that may hold the only tokens."""
    shard(tmp_path / "s", 1, lines(list(range(1, 10))), of=1)
    with pytest.raises(OutputError, match="would overwrite what is merged"):
        merge(tmp_path / "s", tmp_path / "s" / "shard-1.results.csv")
    (tmp_path / "all.csv").write_text("precious")
    said = r"all\.csv: is there already, and no merge has written it; choose another --output"
    with pytest.raises(OutputError, match=said):
        merge(tmp_path / "s", tmp_path / "all.csv")
    (tmp_path / "s.db").touch()
    for name, journal in (("run", None), ("night", str(tmp_path / "s.db"))):
        (tmp_path / f"{name}.csv").write_text("precious")
        document = {"roster": ["/u.csv"], "digests": {}, "outputs": {"journal": journal}}
        (tmp_path / f"{name}.summary.json").write_text(json.dumps(document))
        with pytest.raises(OutputError, match=rf"{name}\.csv: belongs to a run; choose another --output"):
            merge(tmp_path / "s", tmp_path / f"{name}.csv")
    with pytest.raises(OutputError, match=r"night\.parquet: belongs to a run; choose another --output"):
        merge(tmp_path / "s", tmp_path / "night.parquet")
    with pytest.raises(OutputError, match="holds no finished shard"):
        merge(tmp_path / "nowhere", tmp_path / "other.csv")


@pytest.mark.sampled
@pytest.mark.parametrize("to", FORMATS)
def test_what_somebody_has_made_of_merged_results_is_kept(tmp_path: Path, to: str) -> None:
    """The next merge sets it aside; what it has written itself it replaces."""
    for number, rows in enumerate(([2, 3, 9], [1, 4, 5, 6, 7, 8]), 1):
        shard(tmp_path / "s", number, lines(rows))
    path = tmp_path / f"all{to}"
    merge(tmp_path / "s", path)
    merge(tmp_path / "s", path)
    assert list(tmp_path.glob("all.2*")) == []
    edited = path.read_bytes() + b"my remark"
    path.write_bytes(edited)
    merge(tmp_path / "s", path)
    assert [each.read_bytes() for each in tmp_path.glob(f"all.2*{to}")] == [edited]
    assert json.loads((tmp_path / "all.summary.json").read_bytes())["digests"] == {"results": digest_of(path)}


def left_by(folder: Path) -> dict[str, bytes]:
    """The files of a folder, hidden ones as well; of the summary which digests it has."""
    return {
        path.name: json.dumps(json.loads(path.read_bytes())["digests"]).encode()
        if path.name.endswith(".summary.json")
        else path.read_bytes()
        for path in folder.iterdir()
        if path.is_file()
    }


def two_shards(folder: Path) -> Path:
    """Write two shards, one of which has rejected all its rows; their folder."""
    shard(folder, 1, lines([2, 3, 9]))
    with_rejected(folder, 2, [1, 4, 5, 6, 7, 8], ".csv", pl.DataFrame({"uid": ["a b"] * 6}), Dress())
    return folder


def test_a_merge_that_was_killed_is_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever that was, the next one leaves what one merge would have left, with tokens apart as well."""
    two_shards(tmp_path / "s")
    here, replace = tmp_path / "here", Path.replace
    cuts: list[Path] = []
    named: set[str] = set()

    def cut(temporary: Path, path: Path) -> None:
        named.add(path.name)
        for moment in (lambda: None, lambda: replace(temporary, path)):
            moment()
            cuts.append(tmp_path / f"cut-{len(cuts)}")
            shutil.copytree(here, cuts[-1])

    monkeypatch.setattr(Path, "replace", cut)
    merge(tmp_path / "s", here / "all.csv", here / "tokens.csv")
    monkeypatch.undo()
    assert named >= {"all.csv", "tokens.csv", "all.rejected.csv", "all.summary.json"}
    for each in cuts:
        merge(tmp_path / "s", each / "all.csv", each / "tokens.csv")
        assert left_by(each) == left_by(here)


def test_a_merge_that_a_full_disk_has_stopped_is_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As its error says; what somebody has made of the results in between is set aside."""
    two_shards(tmp_path / "s")
    replace, here = Path.replace, tmp_path / "here"

    def full(temporary: Path, path: Path) -> Path:
        if path.name == "all.summary.json":
            raise OSError(errno.ENOSPC, "No space left on device")
        return replace(temporary, path)

    for edited in (b"", b"my remark"):
        monkeypatch.setattr(Path, "replace", full)
        with pytest.raises(StorageError, match="make room or mend that, then run the same command again"):
            merge(tmp_path / "s", here / "all.csv")
        monkeypatch.undo()
        with (here / "all.csv").open("ab") as file:
            file.write(edited)
        whole = (here / "all.csv").read_bytes()
        merge(tmp_path / "s", here / "all.csv")
        assert [each.read_bytes() for each in here.glob("all.2*")] == [whole] * bool(edited)
        assert not list(here.glob(".*"))
        (here / "all.summary.json").unlink()
        (here / "all.csv").unlink()


def test_two_merges_do_not_write_the_same_results_at_once(tmp_path: Path) -> None:
    """The second one is told who is at work; nothing is left of it, and nothing of the first is touched."""
    two_shards(tmp_path / "s")
    said = (
        r"^.*all\.csv: in use by process \d+ on .+; wait until that run has ended, or choose another --output for other"
    )
    with JournalLock(tmp_path / "all.journal.db"):
        (tmp_path / "all.csv").write_text("half a merge")
        with pytest.raises(JournalError, match=said):
            merge(tmp_path / "s", tmp_path / "all.csv")
    assert left_by(tmp_path) == {"all.csv": b"half a merge"}

"""A run and its mended rounds become one set of results: every outcome once, in its place, and no token is lost."""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from provisioner.errors import ExitCode, OutputError
from provisioner.files.looking import digest_of
from provisioner.files.writing import notes_of
from provisioner.results.formats.outcomes import OF_ROW, RESULT_SCHEMA, scan_results
from provisioner.results.lines import write_lines
from provisioner.results.merging import rounds
from provisioner.results.merging.rounds import merge_rounds
from provisioner.results.outputs import FORMATS

AT = "2026-01-31T10:00:00.000Z"
LATER, LATEST = AT.replace("T10", "T11"), AT.replace("T10", "T12")
CREATED, REJECTED = "created", "rejected"

Line = tuple[int, str, str] | tuple[int, str, str, int | None]


def job(folder: Path, name: str, lines: list[Line], roster: str = "users.csv", **more: Any) -> Path:
    """Write what a run leaves: row, uid, outcome, and of a later round which row it was."""
    cells = [
        {
            "row": row, "uid": uid, "uid_input": uid.upper(), "outcome": outcome, "attempts": int(outcome == CREATED),
            "auth_token": f"token-{uid}" if outcome == CREATED else None, "name": f"={uid}",
            "error_code": "uid.charset" if outcome == REJECTED else None,
            "error_message": "uid.charset: no; name.missing: none" if outcome == REJECTED else None,
            OF_ROW: before[0] if before else None,
        }
        for row, uid, outcome, *before in lines
    ]  # fmt: skip
    frame = pl.DataFrame(cells, schema={**RESULT_SCHEMA, OF_ROW: pl.Int64()})
    again = any(len(line) > 3 for line in lines)
    results = folder / name
    write_lines(results, iter([frame if again else frame.drop(OF_ROW)]), None, fed_again=again)
    counts = dict(frame["outcome"].value_counts().iter_rows())
    document = {
        "rows": frame.height, "rejected": 0, "requests": 5, "retries": 1, "rate_limited": 0, "started_at": AT,
        "finished_at": AT, "stopped_by": None, "message": None, "exit_code": 0, **counts,
        "outputs": {"results": f"elsewhere/{name}", "rejected": f"{results.stem}.rejected.csv"},
        "roster": [f"/somewhere/{roster}"], "digests": {}, **more,
    }  # fmt: skip
    results.with_suffix(".summary.json").write_text(json.dumps(document))
    return results


FIRST: list[Line] = [(1, "a", CREATED), (2, "b b", REJECTED), (3, "c c", REJECTED), (4, "d d", REJECTED)]
SECOND: list[Line] = [(1, "d", CREATED, 4), (2, "b?", REJECTED, 2)]
THIRD: list[Line] = [(1, "b", CREATED, 2)]
OF_FIRST, OF_SECOND = "u.results.rejected.csv", "u.round2.results.rejected.xlsx"


def told(path: Path) -> list[tuple[Any, ...]]:
    """Row, uid, outcome and token of all lines."""
    return scan_results(path, ("row", "uid", "outcome", "auth_token")).collect().rows()


@pytest.mark.sampled
@pytest.mark.parametrize("ending", FORMATS)
@pytest.mark.parametrize("to", FORMATS)
def test_each_mended_row_has_its_last_outcome_in_its_place(tmp_path: Path, ending: str, to: str) -> None:
    """Round after round, whatever the order of the rows in them; a row that nobody has fed in stays as it was."""
    parts = [
        job(tmp_path, f"u.results{ending}", FIRST),
        job(tmp_path, f"u.round2.results{ending}", SECOND, OF_FIRST),
        job(tmp_path, f"u.round3.results{ending}", THIRD, OF_SECOND),
    ]
    summary = merge_rounds(parts, tmp_path / f"all{to}")
    merged = scan_results(tmp_path / f"all{to}").collect()
    assert told(tmp_path / f"all{to}") == [
        (1, "a", CREATED, "token-a"),
        (2, "b", CREATED, "token-b"),
        (3, "c c", REJECTED, None),
        (4, "d", CREATED, "token-d"),
    ]
    assert (merged["uid_input"].to_list(), merged["name"].to_list()) == (
        ["A", "B", "C C", "D"],
        ["=a", "=b", "=c c", "=d"],
    )
    assert (summary.counts.rows, summary.counts.tokens, summary.exit_code) == (4, 3, ExitCode.ROWS_LEFT)
    document = json.loads((tmp_path / "all.summary.json").read_bytes())
    assert document == json.loads(json.dumps(summary.document))
    assert (document["rejected_by_code"], document["mended"]) == (
        {"name.missing": 1, "uid.charset": 1},
        {"before": 3, "mended": 2, "rejected": 1},
    )
    assert (document["requests"], document["retries"], len(document["merged"])) == (15, 3, 3)
    merge_rounds(parts, tmp_path / f"all{to}")


def test_what_has_no_place_comes_behind_the_last_row(tmp_path: Path) -> None:
    """Added by hand, there twice, of a row that there never was: none is lost."""
    lines: list[Line] = [
        (1, "new", CREATED, None), (2, "b", CREATED, 2), (3, "b2", CREATED, 2),
        (4, "far", CREATED, 99), (5, "odd", CREATED, -1), (6, "c", CREATED, 3),
    ]  # fmt: skip
    parts = [job(tmp_path, "u.results.csv", FIRST), job(tmp_path, "u.round2.results.csv", lines, OF_FIRST)]
    merge_rounds(parts, tmp_path / "all.parquet")
    assert [line[:3] for line in told(tmp_path / "all.parquet")] == [
        (1, "a", CREATED), (2, "b", CREATED), (3, "c", CREATED), (4, "d d", REJECTED),
        (5, "new", CREATED), (6, "odd", CREATED), (7, "b2", CREATED), (8, "far", CREATED),
    ]  # fmt: skip


@pytest.mark.slow
def test_nothing_depends_on_how_many_rows_are_held_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few thousand lines of each file at a time, and the later ones by buckets on disk."""
    monkeypatch.setattr(rounds, "_BUCKET", 7)
    first: list[Line] = [(n, f"u {n}", REJECTED if n % 3 else CREATED) for n in range(1, 12_000)]
    mended = [n for n in range(1, 12_000) if n % 3 == 1][::-1]
    second: list[Line] = [(at, f"u{n}", CREATED, n) for at, n in enumerate(mended, 1)]
    parts = [job(tmp_path, "u.results.csv", first), job(tmp_path, "u.round2.results.csv", second, OF_FIRST)]
    merge_rounds(parts, tmp_path / "all.csv")
    expected = [(n, f"u{n}" if n % 3 == 1 else f"u {n}", REJECTED if n % 3 == 2 else CREATED) for n in range(1, 12_000)]
    assert [line[:3] for line in told(tmp_path / "all.csv")] == expected


def test_a_round_that_was_stopped_tells_how_the_whole_ended(tmp_path: Path) -> None:
    """Its rows are pending, and the exit code says why."""
    stopped: dict[str, Any] = {"stopped_by": "key", "message": "refused", "exit_code": 4}
    parts = [
        job(tmp_path, "u.results.csv", FIRST),
        job(tmp_path, "u.round2.results.csv", [(1, "b", "pending", 2)], OF_FIRST, **stopped),
    ]
    summary = merge_rounds(parts, tmp_path / "all.csv")
    assert (summary.exit_code, summary.counts.outcomes["pending"]) == (ExitCode.API, 1)
    assert summary.document["message"] == f"{parts[1]}: refused"


def test_what_is_no_round_of_the_other_is_refused(tmp_path: Path) -> None:
    """In one sentence that says what to do, and nothing is written."""
    first = job(tmp_path, "u.results.csv", FIRST)
    second = job(tmp_path, "u.round2.results.csv", SECOND, OF_FIRST)
    third = job(tmp_path, "u.round3.results.csv", THIRD, OF_SECOND)
    stranger = job(tmp_path, "x.results.csv", FIRST, "x.csv")
    refused = {
        (
            first,
            third,
        ): "is about the rejected rows of u.round2.results, not of .*; name a run and its mended rounds in",
        (
            first,
            stranger,
        ): "does not say which rows of .* its rows were; run that round again, with the columns _row and",
        (first, second, tmp_path / "." / "u.results.csv"): "is named twice; name each round once, in their order",
        (first, tmp_path / "none.csv"): "none.csv: has no finished results with none.summary.json beside them",
        (first, tmp_path / "u.txt"): "results are written as",
    }
    before = sorted(tmp_path.iterdir())
    for parts, why in refused.items():
        with pytest.raises(OutputError, match=why):
            merge_rounds(parts, tmp_path / "all.csv")
    for output in (first, second):
        with pytest.raises(OutputError, match="would overwrite what is merged; choose another --output"):
            merge_rounds([first, second], output)
    with pytest.raises(OutputError, match=r"x\.results\.csv: belongs to a run; choose another --output"):
        merge_rounds([first, second], stranger)
    assert sorted(tmp_path.iterdir()) == before


def test_the_results_of_a_sync_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    """Their lines may be of users who left, or of none: they are no rows of a round."""
    night = job(tmp_path, "s.csv", [(1, "a", "unchanged"), (2, "b b", REJECTED)], leavers={"found": 1})
    mended = job(tmp_path, "s.rejected.results.csv", [(1, "b", CREATED, 2)], "s.rejected.csv")
    before = sorted(tmp_path.iterdir())
    why = re.escape(f"{night}: is of a sync, which goes on by its state; mend the rows in the roster itself, and sync")
    for parts in ([night, mended], [mended, night]):
        with pytest.raises(OutputError, match=why):
            merge_rounds(parts, tmp_path / "all.csv")
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("ending", FORMATS)
def test_a_round_without_rows_takes_no_place(tmp_path: Path, ending: str) -> None:
    """Whatever the format of its file, which may have no line at all."""
    parts = [job(tmp_path, f"u.results{ending}", []), job(tmp_path, f"u.round2.results{ending}", [], OF_FIRST)]
    assert merge_rounds(parts, tmp_path / "all.csv").counts.rows == 0


def test_shards_that_are_named_one_by_one_are_told_to_be_named_by_their_folder(tmp_path: Path) -> None:
    """As `merge users.shards/*.csv` names them."""
    parts = [job(tmp_path, f"s{n}.csv", [(n, f"u{n}", CREATED)], shard={"number": n, "of": 2}) for n in (1, 2)]
    told = rf"s2\.csv: holds a shard .*; name the folder of all shards alone: provisioner merge {tmp_path}$"
    with pytest.raises(OutputError, match=told):
        merge_rounds(parts, tmp_path / "all.csv")


def test_results_that_were_changed_are_not_merged(tmp_path: Path) -> None:
    """A line that is missing would be a person who is told as rejected."""
    first, second = job(tmp_path, "u.results.csv", FIRST), job(tmp_path, "u.round2.results.csv", SECOND, OF_FIRST)
    summary = second.with_suffix(".summary.json")
    told_of = json.loads(summary.read_bytes()) | {"digests": {"results": digest_of(second)}}
    summary.write_text(json.dumps(told_of))
    merge_rounds([first, second], tmp_path / "all.csv")
    second.write_text("".join(second.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(OutputError, match="are not the results that were written there; run that round again, which"):
        merge_rounds([first, second], tmp_path / "all.csv")


def test_a_round_of_rows_that_are_rejected_otherwise_by_now_is_refused(tmp_path: Path) -> None:
    """The numbers of its rows are those of the roster as it was."""
    first = job(tmp_path, "u.results.csv", FIRST, digests={"rejected": "as it is"})
    same = job(tmp_path, "u.round2.results.csv", SECOND, OF_FIRST, mends="as it is")
    merge_rounds([first, same], tmp_path / "all.csv")
    older = job(tmp_path, "u.round2.results.csv", SECOND, OF_FIRST, mends="as it was")
    with pytest.raises(OutputError, match="mend the rows that it rejects now and run these, or leave"):
        merge_rounds([first, older], tmp_path / "all.csv")


def test_a_round_of_a_row_that_is_not_rejected_any_more_is_refused(tmp_path: Path) -> None:
    """The roster was mended and run again since: whoever the round created would be there twice."""
    parts = [job(tmp_path, "u.results.csv", FIRST), job(tmp_path, "mine.csv", SECOND)]
    merge_rounds(parts, tmp_path / "all.csv")
    merged = told(tmp_path / "all.csv")
    job(tmp_path, "u.results.csv", [*FIRST[:3], (4, "d", "existing")])
    with pytest.raises(OutputError, match=r"mine\.csv: mended rows of .* before that was run again.* or leave"):
        merge_rounds(parts, tmp_path / "all.csv")
    assert told(tmp_path / "all.csv") == merged


@pytest.mark.parametrize("lines", [[(1, "c", CREATED, 2)], [(1, "far", CREATED, 9)]])
def test_a_round_of_another_name_is_refused_where_its_numbers_are_of_others_by_now(
    tmp_path: Path, lines: list[Line]
) -> None:
    """The roster was changed and run again since: whoever has that number now would be nowhere."""
    later, again = {"started_at": LATER, "finished_at": LATER}, {"started_at": LATEST, "finished_at": LATEST}
    parts = [job(tmp_path, "u.results.csv", FIRST), job(tmp_path, "mine.csv", lines, **later)]
    merge_rounds(parts, tmp_path / "all.csv")
    merged = told(tmp_path / "all.csv")
    job(tmp_path, "u.results.csv", FIRST, **again)
    with pytest.raises(OutputError, match=r"mine\.csv: mended rows of .* before that was run again.* or leave"):
        merge_rounds(parts, tmp_path / "all.csv")
    assert told(tmp_path / "all.csv") == merged


def test_a_round_of_another_name_is_taken_though_the_first_run_was_run_again(tmp_path: Path) -> None:
    """As long as each row has the uid, but for what was wrong in it, or the name of the one that waits for it."""
    first: list[Line] = [(1, "a a", REJECTED), (2, "b b", REJECTED), (3, "c c", REJECTED)]
    job(tmp_path, "mine.csv", [(1, "AA", CREATED, 1), (2, "b-b", "existing", 2)], finished_at=AT, started_at=AT)
    job(tmp_path, "u.results.csv", first, started_at=LATER, finished_at=LATER)
    merge_rounds([tmp_path / "u.results.csv", tmp_path / "mine.csv"], tmp_path / "all.csv")
    assert [line[:2] for line in told(tmp_path / "all.csv")] == [(1, "AA"), (2, "b-b"), (3, "c c")]


def test_rows_of_two_jobs_at_once_are_not_merged(tmp_path: Path) -> None:
    """A row of the one would take the place of a row of the other."""
    first = job(tmp_path, "u.results.csv", FIRST)
    both = job(tmp_path, "both.csv", SECOND)
    summary = both.with_suffix(".summary.json")
    rosters = [f"/somewhere/{name}.results.rejected.csv" for name in ("u", "x")]
    summary.write_text(json.dumps(json.loads(summary.read_bytes()) | {"roster": rosters}))
    with pytest.raises(OutputError, match=r"of u\.results, x\.results at once, .* run the rejected rows of each"):
        merge_rounds([first, both], tmp_path / "all.csv")


def test_each_option_is_named_for_its_own_file(tmp_path: Path) -> None:
    """Another output would not help where the tokens would stand on the results of a round."""
    first, second = job(tmp_path, "u.results.csv", FIRST), job(tmp_path, "u.round2.results.csv", SECOND, OF_FIRST)
    with pytest.raises(OutputError, match="would overwrite what is merged; choose another --tokens-to"):
        merge_rounds([first, second], tmp_path / "all.csv", first)


def apart(results: Path, secret: Path) -> Path:
    """Have the auth tokens of a round stand in a file of their own, as `--tokens-to` does."""
    frame, tokens = pl.read_csv(results, infer_schema=False), secret / f"{results.stem}.tokens.csv"
    frame.select("row", "uid", "auth_token").drop_nulls().write_csv(tokens)
    frame.with_columns(auth_token=pl.lit(None, pl.String)).write_csv(results)
    summary = results.with_suffix(".summary.json")
    document = json.loads(summary.read_bytes())
    document["outputs"]["tokens"], document["digests"] = str(tokens), {"tokens": digest_of(tokens)}
    summary.write_text(json.dumps(document))
    return tokens


@pytest.mark.sampled
@pytest.mark.parametrize("standing", [(True, True, True), (True, False, True), (False, True, False)])
def test_tokens_that_stand_apart_in_a_round_stay_apart(tmp_path: Path, standing: tuple[bool, ...]) -> None:
    """Whichever rounds have theirs in a file of their own: all are in that of the merged results, in none of these."""
    (secret := tmp_path / "secret").mkdir()
    parts = [
        job(tmp_path, "u.results.csv", FIRST),
        job(tmp_path, "u.round2.results.csv", SECOND, OF_FIRST),
        job(tmp_path, "u.round3.results.csv", THIRD, OF_SECOND),
    ]
    for part, is_apart in zip(parts, standing, strict=True):
        if is_apart:
            apart(part, secret)
    with pytest.raises(OutputError, match="holds auth tokens apart from the results; say with --tokens-to"):
        merge_rounds(parts, tmp_path / "all.csv")
    summary = merge_rounds(parts, tmp_path / "all.csv", tokens := secret / "all.tokens.csv")
    assert [line[3] for line in told(tmp_path / "all.csv")] == [None] * 4
    assert tokens.read_text() == "row,uid,auth_token\n1,a,token-a\n2,b,token-b\n4,d,token-d\n"
    assert (summary.counts.tokens, stat.S_IMODE(tokens.stat().st_mode)) == (3, 0o600)
    assert summary.document["outputs"]["tokens"] == str(tokens)


@pytest.mark.parametrize("change", [Path.unlink, lambda path: path.write_text("row,uid,auth_token\n")])
def test_no_token_is_lost_with_a_file_that_was_changed(tmp_path: Path, change: Callable[[Path], Any]) -> None:
    """Tokens of a round that are gone, or are not those that it wrote, are no tokens to be merged."""
    parts = [job(tmp_path, "u.results.csv", FIRST), job(tmp_path, "u.round2.results.csv", SECOND, OF_FIRST)]
    change(apart(parts[1], tmp_path))
    with pytest.raises(OutputError, match=r"the auth tokens of .*u\.round2\.results\.csv are not what was written"):
        merge_rounds(parts, tmp_path / "all.csv", tmp_path / "t.csv")
    assert not (tmp_path / "all.csv").exists()


@pytest.mark.sampled
@pytest.mark.parametrize("to", FORMATS)
def test_what_somebody_has_made_of_merged_results_is_kept(tmp_path: Path, to: str) -> None:
    """The next merge sets it aside; what it has written itself it replaces."""
    parts = [job(tmp_path, "u.results.csv", FIRST), job(tmp_path, "u.round2.results.csv", SECOND, OF_FIRST)]
    path = tmp_path / f"all{to}"
    merge_rounds(parts, path)
    merge_rounds(parts, path)
    assert list(tmp_path.glob("all.2*")) == []
    edited = path.read_bytes() + b"my remark"
    path.write_bytes(edited)
    merge_rounds(parts, path)
    assert [each.read_bytes() for each in tmp_path.glob(f"all.2*{to}")] == [edited]
    assert json.loads((tmp_path / "all.summary.json").read_bytes())["digests"] == {"results": digest_of(path)}


def test_rounds_whose_merge_was_cut_short_are_merged_again(tmp_path: Path) -> None:
    """Results of which only a note tells are its own; those that nothing tells of may hold the only tokens."""
    parts = [job(tmp_path, "u.results.csv", FIRST), job(tmp_path, "u.round2.results.csv", SECOND, OF_FIRST)]
    path = tmp_path / "all.csv"
    merge_rounds(parts, path)
    (tmp_path / "all.summary.json").unlink()
    with pytest.raises(OutputError, match=r"all\.csv: is there already, and no merge has written it"):
        merge_rounds(parts, path)
    notes_of(path).write_text(f"{digest_of(path)}\n")
    merge_rounds(parts, path)
    assert json.loads((tmp_path / "all.summary.json").read_bytes())["digests"] == {"results": digest_of(path)}
    assert (list(tmp_path.glob("all.2*")), notes_of(path).exists()) == ([], False)

"""Results: one line per roster row, in roster order, private, whole or not at all."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner.errors import JournalError, OutputError, StorageError
from provisioner.files.looking import digest_of
from provisioner.journal.columns import OUTCOME_COLUMNS
from provisioner.journal.header import Identity
from provisioner.journal.journal import Journal
from provisioner.journal.statements import Columns
from provisioner.model import Outcome, Settlement, State, UserRequest
from provisioner.results.formats.outcomes import RESULT_SCHEMA, scan_results
from provisioner.results.lines import (
    Counts,
    TokensApart,
    count_unsent,
    keep_results,
    result_lines,
    write_lines,
    write_results,
)
from provisioner.results.manifest import Record
from provisioner.results.outputs import FORMATS, Outputs
from provisioner.results.spool import Spool
from provisioner.results.summary import write_summary
from provisioner.tally import RowTally
from tests.rig.results import ROWS, lines_of, many_lines
from tests.rig.sampling import examples

KNOWN: Final[dict[str, tuple[Any, ...]]] = {
    "ada": ("ada", "created", 200, 1, None, None, "ada_secret", 1_700_000_000, 1_700_000_001_250),
    "bob": ("bob", "existing", 400, 2, None, None, None, 1_600_000_000, 1_700_000_002_000),
    "cyd": ("cyd", "failed", 400, 1, "ERR_BAD_REQUEST", 'said "no",\nfor good', None, None, 1_700_000_003_000),
}


def at(seconds: float) -> datetime:
    """That moment, in UTC."""
    return datetime.fromtimestamp(seconds, UTC)


RESULTS: Final = [
    (1, "ada", " Ada ", "created", 200, 1, None, None, "ada_secret", 1_700_000_000, at(1_700_000_001.25), "Ada"),
    (2, "bob", "bob", "existing", 400, 2, None, None, None, 1_600_000_000, at(1_700_000_002), "=Bob"),
    (3, None, None, "rejected", None, 0, "uid.missing", ROWS[2][4], None, None, None, None),
    (4, "cyd", "CYD", "failed", 400, 1, *KNOWN["cyd"][4:6], None, None, at(1_700_000_003), "'=Cyd"),
    (5, "ada", "ADA", "rejected", None, 0, "uid.duplicate", ROWS[4][4], None, None, None, "Ada"),
    (6, "dan", "dan", "pending", None, 0, None, None, None, None, None, ROWS[5][5]),
]


def fetch(uids: Sequence[str], known: Mapping[str, tuple[Any, ...]] = KNOWN) -> Columns:
    """Answer like a journal: what it knows, in an order of its own."""
    lines = [known[uid] for uid in sorted(uids, reverse=True) if uid in known]
    return {name: [line[at] for line in lines] for at, name in enumerate(OUTCOME_COLUMNS)}


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    """The six rows, in batches of two."""
    spool = Spool(tmp_path)
    for start in (0, 2, 4):
        spool.append(lines_of(ROWS[start : start + 2]))
    yield spool
    spool.close()


def read_back(path: Path) -> list[tuple[Any, ...]]:
    frame = scan_results(path).collect()
    assert frame.schema == pl.Schema(RESULT_SCHEMA)
    return frame.rows()


def test_the_columns_are_those_of_the_contract_in_its_order() -> None:
    """Whoever reads results by position or by name finds what was documented."""
    assert list(RESULT_SCHEMA) == [
        "row", "uid", "uid_input", "outcome", "http_status", "attempts", "error_code", "error_message",
        "auth_token", "created_at", "settled_at", "name",
    ]  # fmt: skip


def test_a_line_holds_what_the_roster_and_the_journal_say() -> None:
    """Roster order, `pending` for the unknown, ISO time in UTC; a duplicate takes no token of its twin."""
    results = result_lines(lines_of(ROWS), fetch)
    assert results.schema == pl.Schema(RESULT_SCHEMA)
    assert results.rows() == RESULTS


def test_only_valid_rows_are_looked_up() -> None:
    """The journal is asked for the uids of valid rows alone, each once."""
    asked: list[str] = []

    def spy(uids: list[str]) -> Columns:
        asked.extend(uids)
        return fetch([])

    result_lines(lines_of(ROWS), spy)
    assert asked == ["ada", "bob", "cyd", "dan"]


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format_holds_the_same_values_and_counts_them(tmp_path: Path, spool: Spool, suffix: str) -> None:
    """CSV, Parquet, NDJSON and a sheet are writings of one table; promise 1: the counts add up to the rows."""
    path = tmp_path / f"r{suffix}"
    counts = write_results(path, spool, fetch)
    assert read_back(path) == RESULTS
    assert counts == Counts(
        Counter(created=1, existing=1, rejected=2, failed=1, pending=1),
        Counter(ERR_BAD_REQUEST=1),
        tokens=1,
        tokenless=Counter(existing=1),
    )
    assert counts.rows == len(ROWS)


@pytest.mark.parametrize("suffix", FORMATS)
def test_tokens_can_stand_apart(tmp_path: Path, spool: Spool, suffix: str, open_umask: None) -> None:
    """The results are as they were but for them, and count them; both files are the owner's alone."""
    path, tokens = tmp_path / f"r{suffix}", tmp_path / f"t{suffix}"
    apart = TokensApart(tokens, None)
    assert write_results(path, spool, fetch, apart=apart).tokens == 1
    assert read_back(path) == [(*line[:8], None, *line[9:]) for line in RESULTS]
    assert scan_results(tokens, ("row", "uid", "auth_token")).collect().rows(named=True) == [
        {"row": 1, "uid": "ada", "auth_token": "ada_secret"}
    ]
    assert apart.digest == digest_of(tokens)
    assert [stat.S_IMODE(each.stat().st_mode) for each in (path, tokens)] == [0o600, 0o600]


def test_the_tokens_of_another_job_are_kept(tmp_path: Path, spool: Spool) -> None:
    """A file that is not what this job wrote last is set aside; what it wrote last is replaced."""
    path, tokens = tmp_path / "r.csv", tmp_path / "t.csv"
    tokens.write_text("another's")
    apart = TokensApart(tokens, None)
    write_results(path, spool, fetch, apart=apart)
    write_results(path, spool, fetch, apart=TokensApart(tokens, apart.digest))
    (kept,) = tmp_path.glob("t.2*.csv")
    assert (kept.read_text(), tokens.read_text()) == ("another's", "row,uid,auth_token\n1,ada,ada_secret\n")


@pytest.mark.parametrize("suffix", FORMATS)
def test_results_that_somebody_has_worked_on_are_kept(tmp_path: Path, spool: Spool, suffix: str) -> None:
    """Also with the tokens apart; what was written last is replaced. The record takes a digest for each file."""
    outputs = Outputs.beside(tmp_path / f"r{suffix}", ".csv", (), tokens=tmp_path / f"t{suffix}")
    both = (outputs.results, tmp_path / f"t{suffix}")
    for before in (b"mine", b"", b"more of mine"):
        for path in both if before else ():
            path.write_bytes(before)
        counts, digests = keep_results(outputs, spool, fetch)
        assert (counts.tokens, digests) == (1, {"results": digest_of(both[0]), "tokens": digest_of(both[1])})
        write_summary(outputs.summary, Record(("/r.csv",)).with_digests(digests).document)
    assert read_back(outputs.results) == [(*line[:8], None, *line[9:]) for line in RESULTS]
    for stem in ("r", "t"):
        assert sorted(each.read_bytes() for each in tmp_path.glob(f"{stem}.2*{suffix}")) == [b"mine", b"more of mine"]


def test_no_results_without_the_tokens_that_were_in_them(tmp_path: Path, spool: Spool) -> None:
    """When they cannot be written apart, the results stay as they were."""
    path = tmp_path / "r.csv"
    write_results(path, spool, fetch)
    (tmp_path / "t.csv").mkdir()
    with pytest.raises(StorageError):
        write_results(path, spool, fetch, apart=TokensApart(tmp_path / "t.csv", digest_of(tmp_path / "t.csv")))
    assert read_back(path) == RESULTS


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_roster_without_rows_gives_a_file_without_lines(tmp_path: Path, suffix: str) -> None:
    """The file is there, with its header where the format has one."""
    path = tmp_path / f"r{suffix}"
    with closing(Spool(tmp_path)) as spool:
        assert write_results(path, spool, fetch) == Counts()
    if suffix == ".csv":
        assert path.read_text() == ",".join(RESULT_SCHEMA) + "\n"
    if suffix == ".ndjson":
        assert path.read_bytes() == b""
    else:
        assert read_back(path) == []


def test_nothing_but_a_missing_value_is_an_empty_csv_cell(tmp_path: Path) -> None:
    """A null is nothing at all; text with line ends, quotes and separators comes back as it was."""
    with closing(Spool(tmp_path)) as spool:
        spool.append(lines_of([(1, "a", 'x,"y"\r\nz', None, None, None)]))
        write_results(tmp_path / "r.csv", spool, fetch)
    assert (tmp_path / "r.csv").read_bytes().splitlines(keepends=True)[1:] == [
        b'1,a,"x,""y""\r\n',
        b'z",pending,,0,,,,,,\n',
    ]


@pytest.mark.parametrize("suffix", FORMATS)
def test_results_are_written_from_a_journal_that_lives_in_another_thread(
    tmp_path: Path, spool: Spool, suffix: str
) -> None:
    """Whatever polars does with threads, the journal is asked batch by batch, never twice at a time."""
    path = tmp_path / f"r{suffix}"
    asked: list[list[str]] = []

    def work() -> None:
        alone = threading.Lock()
        with Journal(tmp_path / "j.db", Identity("a", "b")) as journal:
            journal.sent([UserRequest(1, 1, "ada", b"{}", "00", token=True)], 1.0)
            journal.settle([Settlement(1, State.SETTLED, Outcome.CREATED, 1, auth_token="t", settled_at=0.0)])

            def noting(uids: list[str]) -> Columns:
                assert alone.acquire(blocking=False)
                asked.append(uids)
                rows = journal.outcomes(uids)
                alone.release()
                return rows

            write_results(path, spool, noting)

    with ThreadPoolExecutor(1) as thread:
        thread.submit(work).result()
    assert asked == [["ada", "bob"], ["cyd"], ["dan"]]
    ada, *others = read_back(path)
    assert ada == (1, "ada", " Ada ", "created", None, 1, None, None, "t", None, at(0), "Ada")
    assert [row[3] for row in others] == ["pending", "rejected", "pending", "rejected", "pending"]


@given(
    suffix=st.sampled_from(FORMATS),
    states=st.lists(st.sampled_from(["rejected", "created", "existing", "updated", "failed", "pending"]), max_size=40),
    batch=st.integers(1, 15),
)
@settings(max_examples=examples(25), deadline=None)
def test_one_row_in_one_outcome_out(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, states: list[str], batch: int
) -> None:
    """Promise 1, for any mixture of outcomes in batches of any size: no line is lost, doubled or moved."""
    folder = tmp_path_factory.mktemp("results")
    # Rejected rows share their uid with the row before them, as duplicates do.
    rows = [
        (
            n,
            f"u{max(n - (state == 'rejected'), 1)}",
            f"U{n}",
            *(("x", "x: y") if state == "rejected" else (None, None)),
            f"N{n}",
        )
        for n, state in enumerate(states, 1)
    ]
    known = {
        f"u{n}": (f"u{n}", state, 200, 1, "ERR" if state == "failed" else None, None, f"t{n}", n, 1000 * n)
        for n, state in enumerate(states, 1)
        if state not in {"rejected", "pending"}
    }
    path = folder / f"r{suffix}"
    with closing(Spool(folder)) as spool:
        for start in range(0, len(rows), batch):
            spool.append(lines_of(rows[start : start + batch]))
        counts = write_results(path, spool, lambda uids: fetch(uids, known))
    assert counts.outcomes == Counter(states)
    assert counts.failed_by_code == Counter({"ERR": states.count("failed")} if "failed" in states else {})
    assert counts.tokens == len(known)
    if states or path.suffix != ".ndjson":
        assert [(row[0], row[3]) for row in read_back(path)] == list(enumerate(states, 1))


def test_without_sending_every_valid_row_is_pending() -> None:
    """`validate` and `--dry-run` count like a run that has sent nothing yet."""
    assert count_unsent(RowTally(checked=6, valid=4, rejected=2)) == Counts(Counter(rejected=2, pending=4))


@pytest.mark.usefixtures("open_umask")
@pytest.mark.parametrize("suffix", FORMATS)
def test_results_are_private_from_the_first_instant(tmp_path: Path, spool: Spool, suffix: str) -> None:
    """Promise 7: whenever the folder is looked at, no file in it that may hold tokens can be read by others."""
    modes: set[int] = set()

    def look() -> None:
        modes.update(stat.S_IMODE(each.stat().st_mode) for each in tmp_path.rglob("*") if each.is_file())
        assert {stat.S_IMODE(each.stat().st_mode) for each in tmp_path.iterdir() if each.is_dir()} <= {0o700}

    def looking(uids: list[str]) -> Columns:
        look()
        return fetch(uids)

    (tmp_path / f"r{suffix}").touch(0o600)
    write_results(tmp_path / f"r{suffix}", spool, looking)
    look()
    assert modes == {0o600}
    assert [each.name for each in tmp_path.iterdir()] == [f"r{suffix}"]


@pytest.mark.usefixtures("open_umask")
def test_results_replace_a_readable_file_by_a_private_one(tmp_path: Path, spool: Spool) -> None:
    """The mode is that of the new file, not of the one it replaces."""
    (tmp_path / "r.csv").touch(0o644)
    write_results(tmp_path / "r.csv", spool, fetch)
    assert stat.S_IMODE((tmp_path / "r.csv").stat().st_mode) == 0o600


@pytest.mark.usefixtures("open_umask")
def test_a_stale_temporary_file_does_not_make_results_readable(tmp_path: Path, spool: Spool) -> None:
    """In a container every run has the same process id: what a killed one left is in the way of the next."""
    (tmp_path / f".r.csv.{os.getpid()}.part").touch(0o644)
    write_results(tmp_path / "r.csv", spool, fetch)
    assert stat.S_IMODE((tmp_path / "r.csv").stat().st_mode) == 0o600


@pytest.mark.parametrize("suffix", FORMATS)
def test_results_that_cannot_be_fetched_leave_what_was_there(tmp_path: Path, spool: Spool, suffix: str) -> None:
    """Written whole or not at all: an error half-way leaves the file of the run before, and no temporary one."""
    path = tmp_path / f"r{suffix}"
    path.write_text("of the run before")
    calls = []

    def failing(uids: list[str]) -> Columns:
        calls.append(uids)
        if len(calls) == 2:
            raise JournalError("gone")
        return fetch(uids)

    with pytest.raises(JournalError, match="gone"):
        write_results(path, spool, failing)
    assert {each.name: each.read_text() for each in tmp_path.iterdir()} == {path.name: "of the run before"}


@pytest.mark.parametrize(
    "suffix",
    FORMATS,
)
def test_a_full_disk_is_a_storage_error_and_leaves_nothing_behind(
    tmp_path: Path, suffix: str, request: pytest.FixtureRequest
) -> None:
    """Every format: the message says which file and what to do; tokens in a half file are worse than no file."""
    path = tmp_path / f"r{suffix}"
    with closing(Spool(tmp_path)) as spool:
        spool.append(many_lines())
        request.getfixturevalue("small_files")
        with pytest.raises(StorageError) as error:
            write_results(path, spool, fetch)
    assert str(error.value).startswith(f"{path}: cannot be written (File too large")
    assert str(error.value).endswith("); make room or mend that, then run the same command again")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.usefixtures("small_files")
def test_a_full_disk_names_the_results_of_a_merge_and_no_hidden_file(tmp_path: Path, suffix: str) -> None:
    """Nobody knows the temporary file, nor finds it afterwards."""
    path = tmp_path / f"r{suffix}"
    with pytest.raises(StorageError) as error:
        write_lines(path, iter([result_lines(many_lines(), fetch)]), None)
    assert str(error.value).startswith(f"{path}: cannot be written (File too large")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", FORMATS)
def test_what_goes_wrong_with_the_lines_themselves_is_told_as_it_is(tmp_path: Path, suffix: str) -> None:
    """Whoever writes a format has no words of its own for it, and leaves no file."""
    wrong = OutputError("row 5: is in no shard (os error 5)")

    def lines() -> Iterator[pl.DataFrame]:
        yield result_lines(many_lines(), fetch)
        raise wrong

    with pytest.raises(OutputError) as error:
        write_lines(tmp_path / f"r{suffix}", lines(), None)
    assert (error.value is wrong, list(tmp_path.iterdir())) == (True, [])


@pytest.mark.slow
def test_results_never_hold_fewer_rows_than_the_roster(tmp_path: Path) -> None:
    """Promise 1 on a full disk as well: either all rows are in the results, or the file of the run before stands."""
    rows = "\n".join(f"user-{n},{'Name ' * 10}{n}" for n in range(6000))
    (tmp_path / "users.csv").write_text(f"uid,name\n{rows}\n")
    (tmp_path / "r.csv").write_text("of the run before")
    run = f"exec {sys.executable} -c 'from provisioner.cli.app import main; main()'"
    options = "run users.csv --emulator --requests-per-minute 600000 -o r.csv -q"
    command = ["sh", "-c", f"ulimit -f 150; {run} {options}"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 3, done.stderr
    files = [each.read_text() for each in tmp_path.glob("r*.csv")]
    assert "of the run before" in files
    assert {text.count("\n") for text in files if text != "of the run before"} <= {6001}


@pytest.mark.slow
def test_a_disk_that_fills_up_while_rows_are_read_stops_a_run_that_counts_them_all(tmp_path: Path) -> None:
    """Promise 1: the rows add up, what was sent is told, and so is the command that goes on."""
    good, bad = "".join(f"user-{n},N,\n" for n in range(20)), "".join(f"no good,N,{n:05000}\n" for n in range(80))
    (tmp_path / "users.csv").write_text(f"uid,name,note\n{good}{bad}")
    run = f"exec {sys.executable} -c 'from provisioner.cli.app import main; main()'"
    options = "run users.csv --emulator -o r.csv --json"
    command = ["sh", "-c", f"ulimit -f 500; {run} {options}"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 3, done.stderr
    summary = json.loads(done.stdout)
    told = {name: summary[name] for name in ("rows", "rejected", "stopped_by")}
    assert told == {"rows": 100, "rejected": 80, "stopped_by": "storage"}
    assert summary["created"] + summary["pending"] == 20
    assert "no room for the rows that are kept until all are read" in summary["message"]
    assert '"event": "run.stopped"' in done.stderr
    assert f'"resume": "provisioner {options}"' in done.stderr

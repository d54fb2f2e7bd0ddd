"""What the benchmarks measure is what they say they measure."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

import pytest

from benchmarks.compared import checking, machine
from benchmarks.rig.footprint import Footprint
from benchmarks.rig.make_roster import DEFECTS, batch, write_roster
from benchmarks.speed.plain_check import COLUMNS, judge
from benchmarks.speed.validation import Given
from tests.rig import rules as oracle
from tests.rig.rows import boundary_rows

LINUX = sys.platform == "linux"


@pytest.mark.slow
@pytest.mark.parametrize(("rows", "invalid"), [(3 * len(DEFECTS), Fraction(1)), (3_000, Fraction(2, 100))])
def test_the_plain_loop_keeps_the_rules(rows: int, invalid: Fraction) -> None:
    """The same codes and the same bytes as the oracle, for every row that the generator makes."""
    roster = batch(0, rows, seed=1, invalid=invalid)

    expected = [
        (judged.codes, b"" if judged.codes else oracle.compact(judged.body))
        for judged in oracle.judge(roster.iter_rows(named=True))
    ]
    assert list(judge(roster.select(COLUMNS).iter_rows())) == expected


@pytest.mark.parametrize("way", checking.WAYS)
def test_what_the_command_is_compared_with_rejects_the_same_rows(way: str, tmp_path: Path) -> None:
    """As many as the generator has broken, by every rule in turn."""
    package, judged_by = checking.WAYS[way]
    pytest.importorskip(package)
    rows, share = 50 * len(DEFECTS), Fraction(2, 100)
    write_roster(tmp_path / "roster.csv", rows, invalid=share, form="csv")
    assert judged_by(tmp_path / "roster.csv") == (rows, int(rows * share))


def test_a_package_that_is_not_there_is_named() -> None:
    """What it was to be compared with is left out of the table."""
    assert machine.missing(["polars", "nobody-has-this"]) == ["nobody-has-this"]


@pytest.mark.slow
def test_the_plain_loop_knows_the_boundaries() -> None:
    """It differs from the oracle only in what it says it does.

    More is blank, long numbers are rounded, and it knows neither words for nothing, nor what cannot be seen, nor the
    lists of other programs, nor the header once more.
    """
    generous = re.compile(r"[\x1c-\x1f\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]|[0-9]{16}")
    words = re.compile(r"(?i)\s*(?:null|\\n|none|nan|n/a|#n/a|undefined|nil)\s*|\s*[{(\[].*", re.DOTALL)

    def is_known(row: Mapping[str, str | None]) -> bool:
        cells = [cell or "" for cell in row.values()]
        lists = [row.get("tags") or "", row.get("metadata") or ""]
        return (
            not any(map(generous.search, cells))
            and not any(map(words.fullmatch, (*cells, *lists)))
            and (row.get("uid") or "").lower() != "uid"
        )

    rows = [row for row in boundary_rows(20_000) if is_known(row)]
    assert len(rows) > 10_000

    plain = [codes for codes, _ in judge([row.get(column) for column in COLUMNS] for row in rows)]
    expected = [judged.codes for judged in oracle.judge(rows)]
    assert [row for row, *codes in zip(rows, plain, expected, strict=True) if codes[0] != codes[1]] == []


@pytest.mark.slow
def test_the_plan_is_what_the_generator_makes() -> None:
    """Every count of the benchmark is checked against it."""
    given = Given(Path("roster.csv"), 1_950)
    roster = batch(0, given.rows, seed=1, invalid=Fraction(2, 100))

    found = [code for judged in oracle.judge(roster.iter_rows(named=True)) for code in judged.codes]
    assert {code: found.count(code) for code in DEFECTS} == given.planned
    assert sum(given.planned.values()) == 39


@pytest.mark.skipif(not LINUX, reason="/proc is Linux's")
def test_the_memory_of_a_process_is_seen_from_outside() -> None:
    """A process that holds 64 MiB of its own until it is told to end."""
    memory = Footprint()
    program = "held = b'x' * (64 << 20); print(flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        memory.watch(process.pid)
        assert process.stdout is not None
        process.stdout.readline()
        while memory.anonymous < 64:
            assert process.poll() is None
        process.communicate(b"\n", timeout=60)
    memory.wait()
    assert 64 < memory.anonymous <= memory.resident < 256

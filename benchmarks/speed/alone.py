"""One part of a validation in a process of its own: `python -m benchmarks.speed.alone PART ROSTER [--rows N]`.

Prints one JSON object: rows, rejected rows (null where none are judged), wall-clock and CPU seconds. What the process
needs to start, and what `prepare` of a part does, is not counted.
"""

from __future__ import annotations

import argparse
import csv
import gc
import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final, TypeAlias

import polars as pl

from benchmarks.speed.plain_check import COLUMNS, judge
from provisioner.model import AuthTokens
from provisioner.roster.reader import RosterOptions, open_roster
from provisioner.validation.constraints import Constraints
from provisioner.validation.fields.binding import bind
from provisioner.validation.survey import survey
from provisioner.validation.validator import Validator

Done: TypeAlias = tuple[int, int | None]
"""Rows, and how many of them were rejected."""
Part: TypeAlias = Callable[[], Done]
"""The part itself, prepared."""

BATCH_ROWS: Final = 50_000


def reading(roster: Path, rows: int | None) -> Part:
    """Read all columns as text, as polars does it best: streaming, in any order."""
    lazy = pl.scan_csv(roster, infer_schema=False) if roster.suffix == ".csv" else pl.scan_parquet(roster)
    lazy = lazy if rows is None else lazy.head(rows)

    def read() -> Done:
        counted = 0

        def count(batch: pl.DataFrame) -> None:
            nonlocal counted
            counted += batch.height

        lazy.sink_batches(count, chunk_size=BATCH_ROWS, maintain_order=False, engine="streaming")
        return counted, None

    return read


def surveying(roster: Path, rows: int | None) -> Part:
    """Look a roster over as `validate` does, names and e-mail addresses included."""
    return lambda: (look_over(roster, rows, identity=True), None)


def surveying_for_a_run(roster: Path, rows: int | None) -> Part:
    """Look a roster over as `run` does before its first request."""
    return lambda: (look_over(roster, rows, identity=False), None)


def look_over(roster: Path, rows: int | None, *, identity: bool) -> int:
    """Read a roster for the first time, and count its rows."""
    opened = open_roster(roster, RosterOptions(limit=rows), roster.parent)
    return survey(opened, bind(opened.schema), roster.parent, identity=identity).rows


def validating(roster: Path, rows: int | None) -> Part:
    """Judge rows that are in memory already, in batches as the reader gives them, with all the warnings."""
    return _validating(roster, rows, identity=True)


def validating_for_a_run(roster: Path, rows: int | None) -> Part:
    """Judge them as `run` does, and the plain loop: without comparing names and e-mail addresses."""
    return _validating(roster, rows, identity=False)


def _validating(roster: Path, rows: int | None, *, identity: bool) -> Part:
    opened = open_roster(roster, RosterOptions(limit=rows), roster.parent)
    binding = bind(opened.schema)
    known = survey(opened, binding, roster.parent, identity=identity)
    batches = list(opened.batches())

    def validate() -> Done:
        validator = Validator(binding, Constraints(), known, auth_tokens=AuthTokens.CREATED)
        rejected = sum(validator.check(batch).rejected.height for batch in batches)
        return known.rows, rejected

    return validate


def plain_validating(roster: Path, rows: int | None) -> Part:
    """Judge rows that are in memory already, one by one."""
    several = list(cells(roster, rows))
    return lambda: tally(several)


def plain_reading_and_validating(roster: Path, rows: int | None) -> Part:
    """Read rows one by one and judge each."""
    return lambda: tally(cells(roster, rows))


def cells(roster: Path, rows: int | None) -> Iterator[Sequence[str | None]]:
    """Read a roster whose columns are `COLUMNS`, with what a Python programmer has at hand."""
    if roster.suffix == ".csv":
        with roster.open(encoding="utf-8", newline="") as file:
            reader = csv.reader(file)
            next(reader)
            yield from islice(reader, rows)
    else:
        lazy = pl.scan_parquet(roster).select(COLUMNS)
        for batch in lazy.head(rows).collect_batches(chunk_size=BATCH_ROWS) if rows else lazy.collect_batches():
            yield from batch.iter_rows()


def tally(several: Iterable[Sequence[str | None]]) -> Done:
    """Judge rows one by one and count."""
    counted = rejected = 0
    for codes, _ in judge(several):
        counted += 1
        rejected += bool(codes)
    return counted, rejected


PARTS: Final = {
    "read": reading,
    "survey": surveying,
    "survey-of-a-run": surveying_for_a_run,
    "validator": validating,
    "validator-of-a-run": validating_for_a_run,
    "plain-validator": plain_validating,
    "plain": plain_reading_and_validating,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.alone", description="One part of a validation.")
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("roster", type=Path)
    parser.add_argument("--rows", type=int, help="only the first so many rows (default: all)")
    options = parser.parse_args()
    part = PARTS[options.part](options.roster, options.rows)
    # What was prepared is no garbage: looking for some would be measured.
    gc.collect()
    gc.freeze()
    wall, cpu = time.perf_counter(), time.process_time()
    rows, rejected = part()
    took = {"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - cpu}
    print(json.dumps({"rows": rows, "rejected": rejected, **took}))


if __name__ == "__main__":
    main()

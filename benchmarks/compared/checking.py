"""The same rules over the same roster by other libraries: `python -m benchmarks.compared.checking WAY ROSTER`.

Each is written as its documentation shows it: pydantic with a model for a row, dataframely with a schema of polars
expressions. They tell which rows are rejected; no words for people, no warnings, no look at the whole file. Prints one
JSON object: rows, rejected rows, wall-clock and CPU seconds.
"""

from __future__ import annotations

import argparse
import csv
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from benchmarks.speed.alone import Done, cells, tally

_BODY: Final = 10240
_TOKEN: Final = len(b',"withAuthToken":true')


def by_plain_python(roster: Path) -> Done:
    """Judge rows in a tight loop, with orjson and regular expressions."""
    return tally(cells(roster, None))


def by_pydantic(roster: Path) -> Done:
    """Make a model of each row, and its JSON."""
    from pydantic import ValidationError

    from benchmarks.compared.person import Person

    seen: set[str] = set()
    counted = rejected = 0
    with roster.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            counted += 1
            try:
                person = Person.model_validate({name: cell for name, cell in row.items() if cell.strip()})
            except ValidationError:
                rejected += 1
                continue
            body = person.model_dump_json(exclude_none=True, exclude={"withAuthToken"})
            rejected += person.uid in seen or len(body.encode()) + _TOKEN > _BODY
            seen.add(person.uid)
    return counted, rejected


def by_dataframely(roster: Path) -> Done:
    """Filter a frame by a schema."""
    from benchmarks.compared.schema import Roster, read

    frame = read(roster)
    valid, _ = Roster.filter(frame)
    return frame.height, frame.height - valid.height


WAYS: Final[dict[str, tuple[str, Callable[[Path], Done]]]] = {
    "plain": ("orjson", by_plain_python),
    "pydantic": ("pydantic", by_pydantic),
    "dataframely": ("dataframely", by_dataframely),
}
"""Way → the package it takes, and how it judges."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compared.checking", description="Check, by others.")
    parser.add_argument("way", choices=WAYS)
    parser.add_argument("roster", type=Path, help="a CSV of benchmarks.rig.make_roster")
    options = parser.parse_args()
    wall, cpu = time.perf_counter(), time.process_time()
    rows, rejected = WAYS[options.way][1](options.roster)
    took = {"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - cpu}
    print(json.dumps({"rows": rows, "rejected": rejected, **took}))


if __name__ == "__main__":
    main()

"""A mended row takes no place of somebody else's, as far as it can be told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from provisioner.journal.header import Identity
from provisioner.journal.journal import Journal
from provisioner.results.formats.outcomes import OF_ROW
from provisioner.results.merging.numbers import has_strangers, is_in_doubt
from provisioner.results.merging.parts import Part
from provisioner.wording import iso_time


def of(path: Path, began: float, ended: float, **more: Any) -> Part:
    """What a run has left, as far as its times go (UNIX seconds)."""
    return Part(path, {"started_at": iso_time(began), "finished_at": iso_time(ended), **more})


def test_a_round_is_in_doubt_that_began_before_the_run_has_ended_last(tmp_path: Path) -> None:
    """By the first of its own runs; not where a digest says which rejected rows it was made of."""
    first, path = of(tmp_path / "u.results.csv", 10, 20), tmp_path / "mine.csv"
    found = [is_in_doubt(first, of(path, began, 40)) for began in (19, 21)]
    found.append(is_in_doubt(first, of(path, 19, 40, mends="a digest")))
    with Journal(tmp_path / "mine.journal.db", Identity("", "http://x")) as journal:
        journal.course.begin(15.0, "run", {})
    assert [*found, is_in_doubt(first, of(path, 21, 40))] == [True, False, False, True]


@pytest.mark.parametrize(
    ("uid", "name", "is_stranger"),
    [
        ("a-b", "x", False),
        ("AB", None, False),
        ("z", "\tÉva  N.", False),
        ("z", "Eva N", True),
        ("ab1", None, True),
        (None, None, True),
    ],
)
def test_a_mended_row_has_the_uid_or_the_name_of_what_it_was(
    uid: str | None, name: str | None, is_stranger: bool
) -> None:
    """But for case, spaces and signs, which are what is mended most; of a row that had none it cannot be told."""
    types = {"row": pl.Int64, "uid_input": pl.String, "name": pl.String}
    before = pl.DataFrame([(1, "?", ""), (2, "a b", "éva n")], schema=types, orient="row")
    later = pl.DataFrame([(1, uid, name, 2), (2, "split", "off", 2)], schema={**types, OF_ROW: pl.Int64}, orient="row")
    assert has_strangers(later, before) is is_stranger
    of_unknown = pl.DataFrame([(1, uid, name, 1)], schema=later.schema, orient="row")
    assert [has_strangers(later.clear(), before), has_strangers(of_unknown, before)] == [False, False]

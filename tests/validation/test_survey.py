"""The survey and what the validator makes of it: no repeated uid is missed, none is invented."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import polars as pl
import pytest

from provisioner.errors import RosterError
from provisioner.model import AuthTokens
from provisioner.roster.csv.blocks import BlockSizes
from provisioner.roster.csv.file import open_csv
from provisioner.roster.reader import open_roster
from provisioner.validation.constraints import Constraints
from provisioner.validation.fields import cells
from provisioner.validation.fields.binding import bind
from provisioner.validation.fields.mapping import parse_mapping
from provisioner.validation.repeats import fingerprints
from provisioner.validation.survey import Survey, survey
from provisioner.validation.validator import Validator

SMALL = BlockSizes(first=50, block=200, first_batch=2, batch=3)


def duplicates(path: Path, *, everything_repeated: bool = False) -> list[tuple[int, str]]:
    """Row and message of each row that is a duplicate."""
    roster = open_csv(path, sizes=SMALL)
    binding = bind(roster.schema)
    surveyed = survey(roster, binding, path.parent)
    if everything_repeated:
        uids = pl.concat([cells.uids(batch.frame, binding) for batch in roster.batches()])
        surveyed = Survey(surveyed.rows, fingerprints(uids.drop_nulls()).unique().sort())
    validator = Validator(binding, Constraints(), surveyed, auth_tokens=AuthTokens.ALL)
    lines = pl.concat([validator.check(batch).lines for batch in roster.batches()])
    found = lines.filter(pl.col("error_message").str.contains("uid.duplicate", literal=True))
    return found.select("row", "error_message").rows()


def test_a_uid_is_repeated_after_trimming_and_folding_and_the_first_row_is_named(tmp_path: Path) -> None:
    """Also when the earlier row is invalid, and across batches; a missing uid repeats nothing."""
    path = tmp_path / "r.csv"
    uids = ["Ann", "bob", "", " ", "ann\u00a0", "eve", " BOB ", "x.y", "X.Y", "É", "é", "ANN", "", "\u212a", "k"]
    path.write_text("uid,name\n" + "".join(f"{uid},{'' if uid == 'bob' else 'n'}\n" for uid in uids))
    charset, too = "only ASCII letters, digits and - are allowed", "which is rejected too"
    assert duplicates(path) == [
        (5, "uid.duplicate: 'ann' is the uid of row 1 already"),
        (7, "uid.duplicate: 'bob' is the uid of row 2 already, which is rejected too"),
        (
            9,
            f"uid.charset: '.' in 'x.y', {charset}; uid.duplicate: 'x.y' is the uid of row 8 already, {too}",
        ),
        (12, "uid.duplicate: 'ann' is the uid of row 1 already"),
    ]


@pytest.mark.slow
@pytest.mark.parametrize("everything_repeated", [False, True])
def test_only_equal_uids_are_duplicates_even_if_all_fingerprints_collide(
    tmp_path: Path, everything_repeated: bool
) -> None:
    """The fingerprints choose whom to compare; the comparison is by the uid itself."""
    source = random.Random(1)
    uids = [f"u{source.randrange(250)}" for _ in range(200)]
    path = tmp_path / "r.csv"
    path.write_text("uid,name\n" + "".join(f"{uid},n\n" for uid in uids))
    expected = [
        (row, f"uid.duplicate: '{uid}' is the uid of row {uids.index(uid) + 1} already")
        for row, uid in enumerate(uids, 1)
        if uids.index(uid) + 1 < row
    ]
    assert duplicates(path, everything_repeated=everything_repeated) == expected


def test_the_survey_counts_rows_and_keeps_only_fingerprints_that_repeat(tmp_path: Path) -> None:
    """Memory follows what is repeated, not the roster."""
    path = tmp_path / "r.parquet"
    source = random.Random(2)
    ids = [source.randrange(30_000) for _ in range(20_000)]
    pl.DataFrame({"id": ids, "name": ["n"] * len(ids)}).write_parquet(path)
    roster = open_roster(path)
    surveyed = survey(roster, bind(roster.schema, parse_mapping({"uid": "id"})), tmp_path)
    repeated = [str(number) for number, times in Counter(ids).items() if times > 1]
    wanted = fingerprints(pl.Series(repeated))
    assert surveyed.rows == len(ids)
    assert surveyed.repeated.is_sorted()
    assert wanted.is_in(surveyed.repeated.implode()).all()
    assert len(surveyed.repeated) <= len(repeated) + 5
    assert surveyed.again == len(ids) - len(set(ids))


def test_a_roster_without_rows_has_an_empty_survey(tmp_path: Path) -> None:
    """A header alone is a roster, of the same types."""
    path = tmp_path / "r.csv"
    path.write_text("uid,name\n")
    roster = open_roster(path)
    surveyed = survey(roster, bind(roster.schema), tmp_path)
    assert (surveyed.rows, surveyed.repeated.to_list(), surveyed.repeated.dtype) == (0, [], pl.UInt64())


@pytest.mark.slow
def test_the_survey_finds_a_defect_in_the_last_row_and_in_columns_nobody_needs(tmp_path: Path) -> None:
    """Before anything is sent, the file is known to be whole."""
    path = tmp_path / "r.csv"
    path.write_bytes(b"uid,name,note\n" + b"a,b,c\n" * 500 + b'x,y,"z" z\n')
    roster = open_csv(path, sizes=SMALL)
    with pytest.raises(RosterError, match=r"row 501 \(line 502\), column 'note'"):
        survey(roster, bind(roster.schema), tmp_path)


@pytest.mark.slow
def test_progress_is_told_while_the_survey_lasts(tmp_path: Path) -> None:
    """It only grows, and ends with all rows and all bytes."""
    path = tmp_path / "r.csv"
    path.write_bytes(b"uid,name\n" + b"a,b\n" * 500)
    roster = open_csv(path, sizes=SMALL)
    calls: list[tuple[int, int]] = []
    survey(roster, bind(roster.schema), tmp_path, progress=lambda rows, size: calls.append((rows, size)))
    assert calls == sorted(calls)
    assert calls[-1] == (500, path.stat().st_size)


def test_a_repeated_encoded_uid_is_told_with_what_it_was_made_of(tmp_path: Path) -> None:
    """The uid as it would be sent is in no cell: the cell is shown beside it."""
    path = tmp_path / "r.csv"
    path.write_text("id,name\nAnna B.,a\nbob,b\nanna b,c\n")
    roster = open_roster(path)
    binding = bind(roster.schema, parse_mapping({"uid": {"column": "id", "encode": "slug"}}))
    surveyed = survey(roster, binding, tmp_path)
    validator = Validator(binding, Constraints(), surveyed, auth_tokens=AuthTokens.ALL)
    messages = [message for batch in roster.batches() for message in validator.check(batch).lines["error_message"]]
    assert messages == [None, None, "uid.duplicate: 'anna-b' (of 'anna b') is the uid of row 1 already"]

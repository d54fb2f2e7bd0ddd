"""Adding up what the rules found: the same whatever the size of the batches, and of bounded size."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.results.findings import CreateRequest, Findings, Mended, RosterFile
from provisioner.roster.formats.rows import RosterBatch
from provisioner.validation.validator import FIRST_ROWS, Checked, Found

LINES = {"row": pl.Int64, "error_code": pl.String}
VALID = {"row": pl.Int64, "body": pl.String, "token": pl.Boolean}


def checked(
    codes: list[str | None],
    first_row: int = 1,
    defects: Mapping[str, Found] | None = None,
    warnings: Mapping[str, Found] | None = None,
) -> Checked:
    """A checked batch of which each row has that code, or is valid."""
    lines = [(first_row + index, code) for index, code in enumerate(codes)]
    valid = [(row, f'{{"uid":"u{row}"}}', row % 2 == 0) for row, code in lines if code is None]
    return Checked(
        pl.DataFrame(lines, schema=LINES, orient="row"),
        pl.DataFrame(valid, schema=VALID, orient="row"),
        pl.DataFrame({"_row": [row for row, code in lines if code is not None]}),
        defects or {},
        warnings or {},
    )


def batch(errors: list[str | None] | None = None, rows: int = 0) -> RosterBatch:
    """A batch with a column `_errors`, or one of so many rows without it."""
    if errors is None:
        return RosterBatch(1, pl.DataFrame({"uid": ["u"] * rows}))
    return RosterBatch(1, pl.DataFrame({"uid": ["u"] * len(errors), "_errors": pl.Series(errors, dtype=pl.String)}))


@given(rows=st.lists(st.sampled_from(["uid.missing", "name.missing", None]), max_size=40), size=st.integers(1, 12))
def test_the_sum_does_not_depend_on_the_batches(rows: list[str | None], size: int) -> None:
    """As many rows as there are, and the first of them in order, however the roster was cut."""
    findings = Findings()
    for start in range(0, len(rows), size):
        part = rows[start : start + size]
        numbers = {code: [start + n for n, each in enumerate(part, 1) if each == code] for code in set(part) - {None}}
        found = {code: Found(len(each), tuple(each[:FIRST_ROWS])) for code, each in numbers.items() if code}
        findings.add(batch(rows=len(part)), checked(part, start + 1, found, found))
    whole = {code: [n for n, each in enumerate(rows, 1) if each == code] for code in set(rows) if code}
    expected = {code: Found(len(each), tuple(each[:FIRST_ROWS])) for code, each in whole.items()}
    report = findings.report([], {})
    assert (report.defects, report.warnings) == (expected, expected)


def test_rows_of_a_rejected_file_are_mended_or_rejected_again() -> None:
    """Those with an entry in `_errors` count; blank entries, rows added by hand and other files do not."""
    findings = Findings()
    findings.add(batch(["uid.missing: x", " ", None, "name.missing: y"]), checked([None, None, "uid.missing", "x.y"]))
    findings.add(batch(["uid.missing: x"]), checked([None]))
    findings.add(batch(rows=2), checked(["uid.missing", None]))
    assert findings.report([], {}).mended == Mended(before=3, rejected=1)


@pytest.mark.parametrize("errors", [None, [], ["", None]])
def test_a_roster_that_was_not_rejected_has_nothing_mended(errors: list[str | None] | None) -> None:
    """No column, no rows, or no entry: there is nothing to say."""
    findings = Findings()
    findings.add(batch(errors), checked([None] * len(errors or [])))
    assert findings.report([], {}).mended is None


def test_the_first_valid_rows_are_shown_as_requests() -> None:
    """As many as wanted, over batches, in order; `withAuthToken` where it is asked for, rejected rows left out."""
    findings = Findings(wanted=3)
    findings.add(batch(rows=3), checked(["uid.missing", None, None]))
    findings.add(batch(rows=3), checked([None, None, None], first_row=4))
    assert findings.report([], {}).requests == (
        CreateRequest(2, '{"uid":"u2","withAuthToken":true}'),
        CreateRequest(3, '{"uid":"u3"}'),
        CreateRequest(4, '{"uid":"u4","withAuthToken":true}'),
    )


def test_without_being_asked_no_request_is_kept() -> None:
    """The names of people are shown to whoever asks for them."""
    findings = Findings()
    findings.add(batch(rows=1), checked([None]))
    assert findings.report([], {}).requests == ()


def test_each_of_several_files_has_its_first_row() -> None:
    """Row numbers run on over the files; one file alone needs no table."""
    parts = [("a.csv", 2), ("b.csv", 0), ("c.csv", 3)]
    assert Findings().report(parts, {}).files == (
        RosterFile("a.csv", 1, 2),
        RosterFile("b.csv", 3, 0),
        RosterFile("c.csv", 3, 3),
    )
    assert Findings().report(parts[:1], {}).files == ()

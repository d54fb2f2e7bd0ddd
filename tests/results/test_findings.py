"""What was found in a roster: added up the same whatever the batches, and put in words whatever the width."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console, Group

from provisioner.results.findings import ADVICE, CreateRequest, Findings, Mended, Report, RosterFile
from provisioner.roster.formats.rows import RosterBatch
from provisioner.validation.checked import Checked
from provisioner.validation.constraints import DEFECTS
from provisioner.validation.rules import FIRST_ROWS, Found
from provisioner.validation.warnings import WARNINGS

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


def batch(errors: list[str | None] | None = None, rows: int = 0, first_row: int = 1) -> RosterBatch:
    """A batch with a column `_errors`, or one of so many rows without it."""
    if errors is None:
        return RosterBatch(first_row, pl.DataFrame({"uid": ["u"] * rows}))
    return RosterBatch(1, pl.DataFrame({"uid": ["u"] * len(errors), "_errors": pl.Series(errors, dtype=pl.String)}))


@given(rows=st.lists(st.sampled_from(["uid.missing", "name.missing", None]), max_size=40), size=st.integers(1, 12))
def test_the_sum_does_not_depend_on_the_batches(rows: list[str | None], size: int) -> None:
    """As many rows as there are, and the first of them in order, however the roster was cut."""
    findings = Findings()
    for start in range(0, len(rows), size):
        part = rows[start : start + size]
        numbers = {code: [start + n for n, each in enumerate(part, 1) if each == code] for code in set(part) - {None}}
        found = {code: Found(len(each), tuple(each[:FIRST_ROWS])) for code, each in numbers.items() if code}
        findings.add(batch(rows=len(part), first_row=start + 1), checked(part, start + 1, found, found))
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


@pytest.mark.parametrize("errors", [None, [], ["", None], ["q", "3", "see: there", "Uid.missing: x"]])
def test_a_roster_that_was_not_rejected_has_nothing_mended(errors: list[str | None] | None) -> None:
    """No column, no rows, no entry, or a column of the roster's own, which names no defect: there is nothing to say."""
    findings = Findings()
    findings.add(batch(errors), checked([None] * len(errors or [])))
    assert findings.report([], {}).mended is None


def test_the_first_valid_rows_are_shown_as_requests() -> None:
    """As many as wanted, over batches, in order; `withAuthToken` where it is asked for, rejected rows left out."""
    findings = Findings(wanted=3)
    findings.add(batch(rows=3), checked(["uid.missing", None, None]))
    findings.add(batch(rows=3, first_row=4), checked([None, None, None], first_row=4))
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


# --- in words ---


def shown(report: Report, width: int) -> list[str]:
    """The table as a person reads it, without the blanks that pad it."""
    console = Console(file=io.StringIO(), width=width, highlight=False)
    with console.capture() as captured:
        console.print(Group(*report.tables()))
    return [line.rstrip() for line in captured.get().splitlines()]


def printed(request: CreateRequest, width: int = 40) -> str:
    """A request as a person reads it."""
    console = Console(file=io.StringIO(), width=width, highlight=False)
    with console.capture() as captured:
        request.show(console)
    return captured.get()


FOUND = Report(
    {"uid.charset": Found(3, (3, 17, 40)), "uid.missing": Found(1200, (1, 2, 4, 5, 6)), "role.charset": Found(3, (9,))},
    {"name.twin": Found(4000, (1, 2, 3, 4, 5))},
)


def test_every_code_has_advice_and_no_code_is_both_a_defect_and_a_warning() -> None:
    """Whatever is counted can be explained: a meaning, and what to do about it, one sentence each."""
    assert set(DEFECTS) & set(WARNINGS) == set()
    assert set(ADVICE) == {*DEFECTS, *WARNINGS}
    for code, advice in ADVICE.items():
        assert advice.meaning, code
        assert advice.mend, code
        assert "\n" not in advice.meaning + advice.mend, code


def test_defects_come_before_warnings_and_the_most_frequent_first() -> None:
    """Same frequency: in the order of the alphabet. A warning says that it is one. More rows than named: `…`."""
    assert [line.split("  ")[0] for line in shown(FOUND, 100) if line and not line.startswith(" ")] == [
        "code",
        "uid.missing",
        "role.charset",
        "uid.charset",
        "warning name.twin",
    ]
    assert shown(FOUND, 100)[:3] == [
        "",
        "code                rows  first rows        how to mend",
        "uid.missing        1,200  1, 2, 4, 5, 6, …  give the row a uid",
    ]


def test_a_narrow_console_gets_the_same_stacked() -> None:
    """Sixty columns: the advice stands under the code."""
    assert shown(FOUND, 60)[:5] == [
        "",
        "uid.missing  1,200 rows: 1, 2, 4, 5, 6, …",
        "    give the row a uid",
        "role.charset  3 rows: 9, …",
        "    use the id of a role as the CometChat dashboard shows",
    ]


FINDINGS = st.dictionaries(
    st.sampled_from(sorted(ADVICE)),
    st.builds(
        lambda rows, first: Found(max(rows, len(first)), tuple(sorted(first))),
        st.integers(1, 10**9),
        st.sets(st.integers(1, 10**9), min_size=1, max_size=FIRST_ROWS),
    ),
)


@given(defects=FINDINGS, warnings=FINDINGS, width=st.integers(40, 200))
def test_nothing_is_wider_than_the_console_and_nothing_is_left_out(
    defects: dict[str, Found], warnings: dict[str, Found], width: int
) -> None:
    """Whatever was found, at any width: no line is too long, no code and no row number is cut."""
    lines = shown(Report(defects, warnings), width)
    assert all(cell_len(line) <= width for line in lines)
    words = " ".join(lines).replace(",", " ").split()
    assert {*defects, *warnings} <= set(words)
    assert {str(row) for found in (*defects.values(), *warnings.values()) for row in found.first_rows} <= set(words)


def test_nothing_found_is_no_table() -> None:
    """A sound roster is not told what it does not have."""
    assert Report({}, {}).tables() == []
    assert Report({}, {}).document == {"defects": {}, "warnings": {}}
    assert list(Report({}, {}).remarks()) == []


@pytest.mark.parametrize(
    ("mended", "said"),
    [
        (Mended(15, 3), "12 of 15 rows mended; 3 are still rejected"),
        (Mended(15, 1), "14 of 15 rows mended; 1 is still rejected"),
        (Mended(15, 0), "15 of 15 rows mended"),
        (Mended(1, 1), "0 of 1 row mended; 1 is still rejected"),
        (Mended(2000, 1000), "1,000 of 2,000 rows mended; 1,000 are still rejected"),
    ],
)
def test_mended_rows_are_counted_in_words(mended: Mended, said: str) -> None:
    """The numbers add up: mended + rejected = before."""
    assert str(mended) == said
    assert mended.document == {"before": mended.before, "mended": mended.mended, "rejected": mended.rejected}
    assert mended.mended + mended.rejected == mended.before


def test_many_files_are_named_in_the_summary_only() -> None:
    """The first ten for people, all of them for machines."""
    files = tuple(RosterFile(f"{number}.csv", number * 2 + 1, 2) for number in range(12))
    report = Report({}, {}, files=files)
    assert list(report.remarks()) == [
        *(f"rows {number * 2 + 1} to {number * 2 + 2}: {number}.csv" for number in range(10)),
        "and 2 more files, see the summary",
    ]
    assert [each["first_row"] for each in report.document["files"]] == list(range(1, 24, 2))


def test_a_file_without_rows_says_so() -> None:
    """Its first row would be the next file's."""
    assert [str(each) for each in (RosterFile("a.csv", 1, 0), RosterFile("b.csv", 1, 1))] == [
        "no rows: a.csv",
        "row 1: b.csv",
    ]


def test_a_request_is_shown_as_it_is_sent() -> None:
    """To the byte, on one line, brackets and all: it can be copied and sent."""
    body = '{"uid":"a","name":"[red]José[/] :smile: ' + "x" * 100 + '"}'
    assert printed(CreateRequest(3, body)) == f"POST /users  row 3\n{body}\n"


def test_a_name_cannot_act_on_the_terminal() -> None:
    """Characters that a terminal acts on and JSON lets stand are shown as escapes of the same meaning."""
    body = '{"uid":"a","name":"\x7f\x9b31m\x85\u2028\u2029é"}'
    line = printed(CreateRequest(1, body)).splitlines()[1]
    assert line == '{"uid":"a","name":"\\u007f\\u009b31m\\u0085\\u2028\\u2029é"}'
    assert json.loads(line) == json.loads(body)

"""What was found in a roster, put in words: whatever the width of the console, and nothing of it twice."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console, Group

from provisioner.results.findings import ADVICE, CreateRequest, Mended, Report, RosterFile
from provisioner.validation.constraints import DEFECTS
from provisioner.validation.validator import FIRST_ROWS, Found
from provisioner.validation.warnings import WARNINGS


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

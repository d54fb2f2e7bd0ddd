"""Lines above a header that was looked for: a title is nothing, and whoever may be a person is not lost."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from provisioner.errors import RosterError
from provisioner.roster.formats.rows import missing_fields
from provisioner.roster.preamble import likelier, with_names_above
from provisioner.roster.reader import RosterOptions, open_roster
from tests.rig.workbooks import texts, workbook

Line = tuple[str, ...]
Writer = Callable[[Path, Sequence[Line]], Path]


def delimited(name: str, delimiter: str, *, packed: bool = False) -> Writer:
    """Write a text whose cells are separated so."""

    def write(folder: Path, lines: Sequence[Line]) -> Path:
        data = "".join(delimiter.join(line) + "\n" for line in lines).encode()
        path = folder / name
        path.write_bytes(gzip.compress(data) if packed else data)
        return path

    return write


def parts(folder: Path, lines: Sequence[Line]) -> Path:
    """Write a folder, in which another part comes first."""
    (folder / "r").mkdir()
    delimited("a.csv", ",")(folder / "r", [lines[-2], lines[-1]])
    return delimited("b.csv", ",")(folder / "r", lines)


def sheet(folder: Path, lines: Sequence[Line]) -> Path:
    """Write a workbook with one sheet."""
    return workbook(folder, ("S", texts(*([cell or None for cell in line] for line in lines))))


WRITERS = [
    delimited("r.csv", ","),
    delimited("r.csv", ";"),
    delimited("r.txt", "|"),
    delimited("r.tsv", "\t"),
    delimited("r.csv.gz", ",", packed=True),
    sheet,
]


def refused(path: Path, **options: int) -> str:
    """What is said of a roster, without its name."""
    with pytest.raises(RosterError) as raised:
        open_roster(path, RosterOptions(**options))  # type: ignore[arg-type]
    return str(raised.value).replace(f"{path}: ", "").replace("in the sheet 'S': ", "")


def rows(path: Path, **options: int) -> list[tuple[object, ...]]:
    """What is read of it."""
    roster = open_roster(path, RosterOptions(**options))  # type: ignore[arg-type]
    return [row for batch in roster.batches() for row in batch.frame.rows()]


@pytest.mark.sampled
@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize(
    ("above", "header", "below"),
    [
        ([("a1", "Ann")], ("uid", "name"), [("b2", "Bob")]),
        ([("ann", "Ann Lee")], ("uid", "name"), [("wim", "Wim Poe"), ("xia", "Xia")]),
        ([("Ann", "Ann")], ("uid", "name"), [("wim", "Wim")]),
        ([("ann", "Ann")], ("uid", "name"), [("wim2", "Wim")]),
        ([("1001", "Ann")], ("uid", "name"), [("x12", "Wim"), ("xia", "Xia")]),
        ([("ann@x.org", "Ann")], ("uid", "name"), [("wim@x.org", "Wim")]),
        ([("a1", "Seán O'Brien-Lee (2)")], ("uid", "name"), [("b2", "Bob")]),
        ([("a1", "Ann", "", "n/a")], ("uid", "name", "tags", "phone"), [("b2", "Bob", "red", "12")]),
        ([("a1", "王")], ("uid", "name"), [("b2", "李")]),
        ([("a1", "Ann")], ("uid", "name"), []),
        ([("ann", "Ann")], ("uid", "name"), []),
    ],
)
def test_a_row_above_the_header_refuses_the_file(
    tmp_path: Path, write: Writer, above: list[Line], header: Line, below: list[Line]
) -> None:
    """Whatever its uid is made of; and what the message says to do helps."""
    path = write(tmp_path, [*above, header, *below])
    unit = "row" if write is sheet else "line"
    shown = ", ".join([f"'{cell}'" for cell in above[0] if cell][:3])
    assert refused(path) == (
        f"{unit} 1 stands above the header and looks like a row of data ({shown}); "
        f"move the header, {unit} 2, to the top, or give --header-row 2 if it is none"
    )
    expected = [tuple(cell or None for cell in row) for row in below]
    assert rows(path, header_row=2) == expected
    top = write(tmp_path, [header, *above, *below])
    assert rows(top) == [tuple(cell or None for cell in row) for row in above] + expected


@pytest.mark.parametrize("write", WRITERS)
def test_a_sorted_roster_is_refused_with_all_rows_above_its_header(tmp_path: Path, write: Writer) -> None:
    """Titles among them are not counted."""
    people = [(f"alf{number}", f"Person {number}") for number in range(1, 8)]
    path = write(tmp_path, [("Staff list", ""), *people, ("uid", "name"), ("wim1", "Person 1")])
    unit = "row" if write is sheet else "line"
    assert refused(path) == (
        f"{unit}s 2, 3, 4, 5, 6 and 2 more stand above the header and look like rows of data ('alf1', 'Person 1'); "
        f"move the header, {unit} 9, to the top, or give --header-row 9 if they are none"
    )


def test_every_part_is_looked_at(tmp_path: Path) -> None:
    """Each has a header of its own."""
    path = parts(tmp_path, [("a1", "Ann"), ("uid", "name"), ("b2", "Bob")])
    with pytest.raises(RosterError, match=r"b\.csv: line 1 stands above the header"):
        open_roster(path)


@pytest.mark.sampled
@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize(
    ("above", "header", "below"),
    [
        ([("Staff list", "")], ("uid", "name"), ("a1", "Ann")),
        ([("Staff", "Export")], ("uid", "name"), ("a1", "Ann")),
        ([("Date", "2024-05-01"), ("Total", "42")], ("uid", "name"), ("a1", "Ann")),
        ([("Date", "2024-05-01", "")], ("uid", "since", "name"), ("a1", "2024-01-01", "Ann")),
        ([("Report 7", "Staff")], ("uid", "name"), ("a1", "Ann")),
        ([("version:v1.0", "", "")], ("uid", "name", "role"), ("a1", "Ann", "default")),
        ([("Identity", "", "Extra")], ("uid", "name", "tags"), ("ann", "Ann", "Red")),
        ([("", "", "2024-05-01", "3")], ("uid", "name", "since", "floor"), ("a1", "Ann", "2024-01-01", "3")),
        ([("User ID", "Full name")], ("uid", "name"), ("a1", "Ann")),
        ([("ID", "Full name")], ("uid", "name"), ("ann", "ann")),
        ([("Login", "Name", "E-mail")], ("uid", "name", "mail"), ("ann", "Ann", "ann@x.org")),
    ],
)
def test_titles_notes_and_other_names_of_the_columns_are_passed_over(
    tmp_path: Path, write: Writer, above: list[Line], header: Line, below: Line
) -> None:
    """They lack a cell that every row needs, or are made of other letters."""
    path = write(tmp_path, [*above, header, below])
    assert rows(path) == [below]
    assert [notice.code for notice in open_roster(path).notices()] == ["header.found"]


@pytest.mark.parametrize(
    ("header", "above", "names"),
    [
        ({2: "Last", 3: "First"}, [{1: "No.", 2: "Name"}], {1: "No.", 2: "Last", 3: "First"}),
        ({2: "Last", 1: " "}, [{1: "No.", 4: "Team"}], {1: "No.", 2: "Last", 4: "Team"}),
        ({2: "Last"}, [{1: "No.", 3: "Team"}, {3: "Group", 4: "Site"}], {1: "No.", 2: "Last", 3: "Group", 4: "Site"}),
        ({2: "Last"}, [{1: "Staff"}], {2: "Last"}),
        ({2: "Last"}, [{1: "No.", 3: "Team"}, {1: "Staff", 3: ""}], {2: "Last"}),
        ({2: "Last"}, [], {2: "Last"}),
    ],
)
def test_a_heading_of_several_lines_is_read_as_a_person_reads_it(
    header: dict[int, str], above: list[dict[int, str]], names: dict[int, str]
) -> None:
    """The lowest name of a column counts, and a line of one cell is a title: neither it nor what is above it names."""
    assert with_names_above(header, above) == names


@pytest.mark.parametrize(
    ("named", "lines", "expected"),
    [
        (1, (("Staff", "2026"), ("uid", "name"), ("a", "A")), 2),
        (1, (("Staff", "2026"), ("note",), ("uid", "name"), ("uid", "name")), 3),
        (3, (("Staff", "2026"), ("uid", "name"), ("a", "A")), 2),
        # named right, or nothing better is there
        (2, (("Staff", "2026"), ("uid", "name"), ("uid", "name")), None),
        (1, (("x", "y"), ("a", "A")), None),
        # some of it below is better than nothing; above it may be the upper half of the heading
        (1, (("x", "y"), ("id", "name")), 2),
        (2, (("No.", "name"), ("", "Last")), None),
    ],
)
def test_the_line_that_looks_more_like_the_header_is_told(
    named: int, lines: tuple[tuple[str, ...], ...], expected: int | None
) -> None:
    """The first of those that name the most of what is needed, and more than the one that was named."""
    rows = {number: dict(enumerate(cells)) for number, cells in enumerate(lines, 1)}
    assert likelier(named, rows, missing_fields) == expected


def test_what_a_wide_header_needs_is_found_without_a_look_at_all_names_for_each(tmp_path: Path) -> None:
    """With 10,000 columns below a title that took half a minute."""
    path = tmp_path / "r.csv"
    names = ["uid", "name", *(f"column {number}" for number in range(2_000))]
    path.write_text(f"Staff list\n{','.join(names)}\na1,Ann\n")
    asked: list[int] = []

    def missing(names: Sequence[str]) -> int:
        asked.append(len(names))
        return missing_fields(names)

    assert open_roster(path, RosterOptions(missing=missing)).columns == tuple(names)
    assert sum(asked) < 20 * len(names)

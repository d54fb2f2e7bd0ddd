"""A CSV roster: rows, their numbers and the place of a defect, however far into the file it stands."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from random import Random

import polars as pl
import pytest

from benchmarks.rosters.grammar import by_letters, by_reader, make_case
from provisioner.errors import RosterError
from provisioner.roster.csv.blocks import BlockSizes
from provisioner.roster.csv.file import CsvRoster, open_csv
from provisioner.roster.csv.header import HeaderOptions
from provisioner.roster.formats.rows import Notice
from provisioner.roster.reader import open_roster

HEADER = b"uid,name\n"
TINY = BlockSizes(first=7, block=5, longest_row=1000, first_batch=1, batch=2)


def rows_of(roster: CsvRoster) -> list[tuple[object, ...]]:
    """All rows, once it is sure that they are numbered without a gap."""
    rows: list[tuple[object, ...]] = []
    for batch in roster.batches():
        assert batch.first_row == len(rows) + 1
        rows += batch.frame.rows()
    return rows


def swallowed(path: Path, sizes: BlockSizes) -> list[int]:
    """The rows with the remark that a cell of theirs holds rows."""
    return [
        batch.first_row + index
        for batch in open_csv(path, sizes=sizes).batches()
        for index in batch.remarks.get("row.swallowed", [])
    ]


@pytest.mark.sampled
@pytest.mark.parametrize("seed", range(4))
def test_files_made_at_random_are_read_as_letter_by_letter(tmp_path: Path, seed: int) -> None:
    """Same rows, or both refuse the same row: quotes, delimiters, line ends, blanks and escapes at edges of blocks."""
    for number in range(100):
        case = make_case(Random(f"{seed}/{number}"))
        assert by_reader(case, tmp_path) == by_letters(case), case


@pytest.mark.sampled
@pytest.mark.parametrize("eol", ["\r", "\n", "\r\n"])
def test_what_a_program_has_written_is_read_back_whatever_ends_its_lines(tmp_path: Path, eol: str) -> None:
    """Quotes within bare cells stand for themselves, and line ends of any kind may be in quoted ones."""
    path, random = tmp_path / "r.csv", Random(eol)
    for number in range(150):
        mark = random.choice(",;\t|")
        cells = ['5" pipe', 'x"y"', "a" + mark, "one\ntwo", 'say "so"\r\n', '"', "plain", f'5"{mark}6"']
        rows = [(f"a{each}", *random.choices(cells, k=2)) for each in range(random.randrange(1, 9))]
        written = [mark.join(_written(cell, mark) for cell in row) for row in [("uid", "name", "note"), *rows]]
        path.write_bytes("".join(line + eol for line in written).encode())
        assert rows_of(open_csv(path)) == rows, (number, written)


def _written(cell: str, delimiter: str) -> str:
    """A cell in quotes where it needs them."""
    needed = cell.startswith('"') or any(letter in cell for letter in (delimiter, "\r", "\n"))
    return '"{}"'.format(cell.replace('"', '""')) if needed else cell


@pytest.mark.sampled
@pytest.mark.parametrize("row", [b"x,y,z\n", b'x,"y\n', b'x,"y"z\n', b"x,\xff\n"])
def test_a_defect_far_into_a_large_file_is_told_by_its_row_line_and_byte(tmp_path: Path, row: bytes) -> None:
    """Many blocks further on than the first, which `open_roster` tries."""
    path, good = tmp_path / "r.csv", b'"a\n""b",c\n' * 90_000
    path.write_bytes(HEADER + good + row + good)
    roster = open_csv(path, sizes=BlockSizes(first=1000, block=100_000))
    with pytest.raises(RosterError, match=r": row 90001 \(line 180002[,)]") as raised:
        rows_of(roster)
    places = range(len(HEADER + good), len(HEADER + good + row))
    assert any(f"byte {place})" in str(raised.value) for place in places)


@pytest.mark.parametrize(("delimiter", "width"), [(",", 2), (";", 3)])
def test_files_that_were_joined_without_a_line_end_are_told(tmp_path: Path, delimiter: str, width: int) -> None:
    """Not as cells that need quotes; with the line end in its place it is read."""
    header = delimiter.join(("uid", "name", "tags")[:width])
    first, second = (delimiter.join((uid, "Ann Lee", "x")[:width]) for uid in ("a1", "b2"))
    path = tmp_path / "r.csv"
    path.write_text(f"{header}\n{first}{header}\n{second}\n")
    with pytest.raises(RosterError, match=r": row 1 \(line 2, byte \d+\): another file was put behind this one, whose"):
        open_csv(path)
    path.write_text(f"{header}\n{first}\n{header}\n{second}\n")
    assert len(rows_of(open_csv(path))) == 3


def test_two_stray_quotes_thousands_of_rows_apart_are_never_one_cell(tmp_path: Path) -> None:
    """The first one refuses the file; nothing between the two is swallowed."""
    path, good = tmp_path / "r.csv", b"a1,Ann\n" * 2_000
    path.write_bytes(HEADER + good + b'b2,"15" monitor"\n' + good + b'c3,"17" monitor"\n' + good)
    with pytest.raises(RosterError, match=r"row 2001 \(line 2002\), column 'name' \(byte 14012\): text after"):
        rows_of(open_csv(path, sizes=BlockSizes(first=1000, block=10_000)))


def test_a_row_without_end_is_given_up_in_time(tmp_path: Path) -> None:
    """A quote that is never closed must not pull the whole file into memory."""
    path = tmp_path / "r.csv"
    path.write_bytes(HEADER + b'a,"b\n' + b"c,d\n" * 1000)
    with pytest.raises(RosterError, match=r"row 1 \(line 2\), column 'name' \(byte 11\): a quote \(\"\) that is never"):
        open_csv(path, sizes=TINY)
    path.write_bytes(HEADER + b"a" * 5000)
    with pytest.raises(RosterError, match=r"after row 0: a row of more than"):
        open_csv(path, sizes=TINY)


def test_a_defect_behind_the_limit_is_not_there_even_in_the_same_block(tmp_path: Path) -> None:
    """Rows of blanks do not count towards the limit."""
    path = tmp_path / "r.csv"
    path.write_bytes(HEADER + b'a,5"\n\0,\xe2\x80\x8b\n"b",c\n\n"d"e,f\n')
    assert rows_of(open_csv(path, limit=2)) == [("a", '5"'), ("b", "c")]
    with pytest.raises(RosterError, match=r"row 3 \(line 6\), column 'uid' \(byte 27\)"):
        rows_of(open_csv(path, limit=3))


@pytest.mark.slow
def test_blank_cells_behind_the_last_column_are_nothing_and_others_refuse(tmp_path: Path) -> None:
    """Also when blank ones have been learned of in an earlier block."""
    path = tmp_path / "r.csv"
    good = b"a,b,, \n" * 40
    path.write_bytes(HEADER + good)
    assert rows_of(open_csv(path, sizes=TINY)) == [("a", "b")] * 40
    path.write_bytes(HEADER + good + b"c,d,,x\n")
    with pytest.raises(RosterError, match=r"row 41 \(line 42, byte \d+\): 4 cells, but the header has 2"):
        rows_of(open_csv(path, sizes=TINY))
    path.write_bytes(HEADER + b"a,b" + b"," * 5000 + b"\nc,d\n")
    assert rows_of(open_csv(path)) == [("a", "b"), ("c", "d")]


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        (b'a1,Ann,"hello\nb2,Bob,ok\nc3,Cy,world"\nd4,Di,x\n', [1]),
        (b'a1,Ann,"hello\r\nb2,Bob,ok\r\nc3,Cy,world"\r\n', [1]),
        (b'x1,Xa,y\na1,Ann,"hello\nb2,Bob,"\n', [2]),
        (b'a1,Ann,"12 Main St\nSpringfield, IL, 5"\n', []),
        (b'ann,Ann,"Main St\nSpringfield, IL, USA"\n', []),
        (b'a1,Ann,"{""a"":1,\n""b"":2,\n""c"":3}"\n', []),
        (b'ann,Ann,"[red,\nblue,,\ngreen]"\n', []),
        (b'a1,"Ann\nLee",x\n', []),
    ],
)
def test_a_cell_that_holds_what_looks_like_rows_is_remarked(tmp_path: Path, data: bytes, rows: list[int]) -> None:
    """Addresses, JSON and lists over several lines are none."""
    path = tmp_path / "r.csv"
    path.write_bytes(b"uid,name,status\n" + data)
    assert swallowed(path, TINY) == rows
    assert swallowed(path, BlockSizes()) == rows


@pytest.mark.slow
def test_cells_that_hold_rows_are_found_with_any_delimiter_and_line_end(tmp_path: Path) -> None:
    """In a file of a thousand columns too."""
    path = tmp_path / "r.csv"
    path.write_bytes(b'uid;name\ra1;"Ann\rb2;Bob"\r')
    assert swallowed(path, TINY) == [1]
    columns, cells = (",".join(f"{letter}{number}" for number in range(3000)) for letter in "cx")
    path.write_text(f'uid,name,{columns}\na1,"Ann\nb2,Bob,{cells}",{cells}\n')
    assert swallowed(path, BlockSizes()) == [1]


def test_a_header_that_was_found_behind_other_lines_is_a_notice(tmp_path: Path) -> None:
    """A header that is the first line, or was named, is none."""
    path = tmp_path / "r.csv"
    path.write_bytes(b"Staff\n,\nuid,name\na,b\n")
    found = Notice("header.found", f"{path}: line 3 is taken for the header; --header-row names another")
    assert open_csv(path).notices() == (found,)
    assert open_csv(path, options=HeaderOptions(header_row=3)).notices() == ()
    assert rows_of(open_csv(path)) == [("a", "b")]


def test_every_column_is_text_and_columns_of_one_name_are_told(tmp_path: Path) -> None:
    """The second of a name is called otherwise, so that it feeds nothing."""
    path = tmp_path / "r.csv"
    path.write_bytes(b"uid,name,x,x\n1,2,3,4\n")
    roster = open_csv(path)
    assert dict(roster.schema) == dict.fromkeys(["uid", "name", "x", "_column_4_x"], pl.String())
    assert roster.repeated == {"x"}


def test_a_header_behind_the_lines_that_are_looked_at_is_told_with_its_line(tmp_path: Path) -> None:
    """A long note above it is no roster, and nothing has to be put in quotes."""
    path = tmp_path / "r.csv"
    path.write_text("note\n" * 25 + "uid,name\na1,Ann\n")
    with pytest.raises(RosterError) as raised:
        open_csv(path)
    assert str(raised.value) == (
        f"{path}: line 1 is no header, and line 26 looks like one; name it with --header-row 26"
    )


@pytest.mark.sampled
@pytest.mark.parametrize("eol", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("seed", range(20))
def test_each_row_has_the_line_that_it_begins_in(tmp_path: Path, eol: str, seed: int) -> None:
    """Whatever blank lines and cells of several lines come before it, in blocks of any size; or none, never another."""
    source = Random(seed)
    begins: list[int] = []
    text = eol * source.randrange(3) + f"uid,name,x{eol}"
    for number in range(60):
        line = text.count(eol) + 1
        kind = source.choice(
            ["plain", "plain", "blank", "blanks", "unseen", "lines", "inches" if seed % 2 else "plain"]
        )
        cell = {"lines": f'"x{eol}{eol}""y"', "inches": '5" pipe'}.get(kind, "Ann")
        text += {"blank": "", "blanks": ", ,", "unseen": "\u200b,\x1a,"}.get(kind, f"u{number},{cell},z") + eol
        if kind not in {"blank", "blanks", "unseen"}:
            begins.append(line)
    path = tmp_path / "r.csv"
    path.write_bytes(text.encode())
    roster = open_csv(path, sizes=BlockSizes(first=source.randrange(10, 90), block=source.randrange(10, 300)))
    for _ in range(2):
        rows = sum(batch.frame.height for batch in roster.batches())
        told = [roster.place(row + 1) for row in range(rows)]
        assert len(told) == len(begins)
        assert [place or f"line {at}" for place, at in zip(told, begins, strict=True)] == [
            f"line {at}" for at in begins
        ]
        assert seed % 2 or None not in told
    assert roster.place(0) is None


@pytest.mark.parametrize("other", ["name,uid\nAnn,a1\n", "id,uid,name\n1,a1,Ann\n", "uid,name\na1,Ann\nb2,Bob\n", "\n"])
@pytest.mark.parametrize("replaced", [True, False])
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_a_file_that_is_another_than_its_header_was_read_of_is_never_read_under_it(
    tmp_path: Path, other: str, replaced: bool, suffix: str
) -> None:
    """Before its first whole reading as after it, whether it was put in the place of the file or written into it."""
    path, written = tmp_path / f"r.csv{suffix}", tmp_path / f"new.csv{suffix}"
    pack = gzip.compress if suffix else bytes
    path.write_bytes(pack(HEADER + b"z9,Zoe Zimmer\n"))
    roster = open_roster(path)
    (written if replaced else path).write_bytes(pack(other.encode()))
    if replaced:
        written.replace(path)
    with pytest.raises(RosterError, match=rf"^{re.escape(str(path))}: changed while it was read$"):
        list(roster.batches())


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("behind", [b"", b"\x1a", b"\x1a\n", b"\x1a\n\x1a\n", b"\x1a\nb2,Bob\n"])
def test_the_mark_of_the_end_of_a_dos_text_is_no_row(tmp_path: Path, end: bytes, behind: bytes) -> None:
    """Also with a line end behind it, and between files that were put together; within a cell it is kept."""
    path = tmp_path / "r.csv"
    path.write_bytes((HEADER + b"a1,An\x1an\n" + behind).replace(b"\n", end))
    assert rows_of(open_csv(path)) == [("a1", "An\x1an"), *([("b2", "Bob")] if b"Bob" in behind else [])]


@pytest.mark.parametrize("surplus", [1, 99, 998])
@pytest.mark.parametrize("begin", ["", "a0,Ann\n", 'a0,"Ann"\n'])
def test_blank_cells_behind_the_last_column_are_none(tmp_path: Path, surplus: int, begin: str) -> None:
    """As spreadsheets export them, in all rows or from one on; a cell there that holds something is told."""
    path, rows = tmp_path / "r.csv", [f"a{number},Ann{',' * surplus}\n" for number in range(1, 9)]
    path.write_text(f"uid,name\n{begin}{''.join(rows)}")
    read = rows_of(open_csv(path))
    assert read[-8:] == [(f"a{number}", "Ann") for number in range(1, 9)]
    path.write_text(f"uid,name\n{begin}{''.join(rows)}b,Bob{',' * surplus}x\n")
    with pytest.raises(RosterError, match=rf"row {len(read) + 1} \(line {len(read) + 2}, .*the header has 2"):
        rows_of(open_csv(path))

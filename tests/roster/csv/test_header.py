"""The head of a CSV: which line is the header, what separates the cells, and what is no header at all."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import pytest

from provisioner.errors import RosterError
from provisioner.roster.csv.defect import NEVER_CLOSED
from provisioner.roster.csv.file import open_csv
from provisioner.roster.csv.grammar import CR, Dialect
from provisioner.roster.csv.header import Header, HeaderOptions, read_header
from provisioner.roster.files.origin import LocalFile
from provisioner.roster.files.text import Utf8Stream, open_text
from provisioner.roster.formats.rows import Notice


def header_of(data: bytes, options: HeaderOptions | None = None) -> Header:
    """The header of a file."""
    file = io.BytesIO(data)
    return read_header("r.csv", Utf8Stream(b"", file, file.tell), options)


def refusal_of(data: bytes, options: HeaderOptions | None = None) -> str:
    """What is said of a file without one."""
    with pytest.raises(RosterError) as raised:
        header_of(data, options)
    return str(raised.value)


def test_the_header_is_the_first_line_that_is_not_blank(tmp_path: Path) -> None:
    """Its length is that of all before the first row."""
    path = tmp_path / "r.csv"
    path.write_bytes(b"\n\r\nuid;;name\r\na;b;c\r\n")
    with open_text(LocalFile(path), None) as stream:
        header = read_header("r.csv", stream)
    assert header == Header(("uid", "_column_2", "name"), frozenset(), Dialect(";"), 14, line=3, lines=3)


@pytest.mark.parametrize("line", ["sep=;\r\n", '"sep=;"\n', "SEP=;\n"])
def test_a_line_sep_says_what_separates_the_cells(line: str) -> None:
    """It is no header and no row, and the one after it is the first that may be the header."""
    header = header_of(f"{line}uid;name,x\na;b\n".encode())
    assert (header.columns, header.dialect.delimiter, header.line, header.found) == (("uid", "name,x"), ";", 2, False)
    assert header.length == len(line) + len("uid;name,x\n")


@pytest.mark.parametrize("delimiter", ["\t", "^", "§", " "])
def test_any_character_may_stand_in_a_line_sep(delimiter: str) -> None:
    """A tab and one of several bytes too."""
    header = header_of(f"sep={delimiter}\nuid{delimiter}name\n".encode())
    assert (header.columns, header.dialect.delimiter) == (("uid", "name"), delimiter)


@pytest.mark.parametrize(
    ("above", "line"),
    [
        ("Staff list\n", 2),
        ("version:v1.0,,\n", 2),
        ("Staff list,,\n\n,,\n", 4),
        ('"Staff list"\n', 2),
        ('"Staff\nlist"\n', 3),
        ("\n" * 18 + "Staff\n", 20),
        ("Report of today, all of it, and more, of it, all\n", 2),
        ("ID,Full name,x\n", 2),
    ],
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_header_behind_other_lines_is_found(above: str, line: int, delimiter: str) -> None:
    """When it names what is needed and no other line does, whatever the lines above hold."""
    header = header_of(f"{above}uid{delimiter}name\na{delimiter}b\n".encode())
    assert (header.columns, header.line, header.found) == (("uid", "name"), line, True)
    assert header.length == len(f"{above}uid{delimiter}name\n")


def test_a_header_is_not_looked_for_further_than_line_20() -> None:
    """Nor behind a first line that is one; a first line may stand anywhere."""
    assert header_of(b"x,y\n" * 20 + b"uid,name\n").columns == ("x", "y")
    assert header_of(b"uid,name\nuid,name\n").line == 1
    assert header_of(b"\n" * 30 + b"uid,name\na,b\n").line == 31


def test_two_lines_that_look_like_the_header_refuse_the_file() -> None:
    """And are told, with what names one of them."""
    said = "r.csv: line 1 is no header, and lines 2 and 4 both look like one; say which it is with --header-row 2"
    assert refusal_of(b"Staff\nuid,name\na,b\nuid,name\n") == said


def test_the_line_that_is_named_to_choose_is_one_that_is_taken() -> None:
    """Of two that look like the header, one that lacks a needed column would be refused in favour of the other."""
    text = b"# exported by X\n#uid,name\nuid,name\na,Ann\n"
    said = "r.csv: line 1 is no header, and lines 2 and 3 both look like one; say which it is with --header-row 3"
    assert refusal_of(text) == said
    named = header_of(text, HeaderOptions(header_row=3))
    assert (named.columns, named.line, named.likelier) == (("uid", "name"), 3, None)


@pytest.mark.parametrize("above", [b"Staff\nuid,name\n", b'"Staff" of 5", today\nx\n', b'"\n"\n', b"\n\n"])
def test_a_line_that_is_named_is_the_header_whatever_stands_above_it(above: bytes) -> None:
    """Lines are counted from 1, as an editor does; a stray quote above is not looked at."""
    header = header_of(above + b"id;mail\na;b\n", HeaderOptions(header_row=3))
    assert (header.columns, header.line, header.lines, header.found) == (("id", "mail"), 3, 3, False)
    assert header.length == len(above + b"id;mail\n")


def test_a_line_far_down_may_be_named() -> None:
    """Behind the lines that are searched, and behind what is read at first."""
    above = b"note\n" * 20_000
    assert header_of(above + b"uid,name\na,b\n" * 9, HeaderOptions(header_row=20_001)).line == 20_001
    assert header_of(b"uid\rname\ra\r", HeaderOptions(header_row=2)) == Header(
        ("name",), frozenset(), Dialect(eol=CR), 9, line=2, lines=2
    )


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("above", ["Staff\n", "Staff, of May; all\n", "Staff\n\n,,\n", '"two\nlines"\n'])
def test_a_better_line_than_the_one_that_is_named_is_known(above: str, delimiter: str) -> None:
    """It is read as it was said, for whoever binds its columns to refuse: he knows which line to name."""
    text = f"{above}uid{delimiter}name\na{delimiter}A\n".encode()
    better = above.count("\n") + 1
    header = header_of(text, HeaderOptions(header_row=1))
    said = f"line {better} looks like the header, and not line 1, which --header-row names; give --header-row {better}"
    assert (header.line, header.found, header.likelier) == (1, False, better)
    assert header.notices("r.csv") == [Notice("header.another", f"r.csv: {said}")]
    assert header_of(text, HeaderOptions(header_row=better)).notices("r.csv") == []


def test_a_row_of_data_that_is_named_as_the_header_is_refused_with_the_better_line() -> None:
    """No line has to be put above it where there is one."""
    said = "r.csv: line 2 looks like the header, and not line 3, which --header-row names; give --header-row 2"
    assert refusal_of(b"Staff\nuid,name\n1,A\n2,B\n", HeaderOptions(header_row=3)) == said


@pytest.mark.parametrize("row", [2, 4, 9])
def test_a_line_that_is_blank_or_not_there_cannot_be_named(row: int) -> None:
    """Nothing else is taken for it."""
    said = f"r.csv: line {row}, which --header-row names as the header, is blank or not there; "
    assert refusal_of(b"uid,name\n\na,b\n", HeaderOptions(header_row=row)) == f"{said}look at the file and name another"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (
            b'uid,"na" me\na,b\n',
            "line 1, column 2 (byte 4): text after the closing quote; a quote inside a quoted cell must be doubled",
        ),
        (
            b'\xef\xbb\xbf\n"Z\xc3\xbcrich";"name\na;b\n',
            f"line 2, column 2 (byte 14): {NEVER_CLOSED}",
        ),
    ],
)
def test_a_broken_quote_in_the_header_has_a_place(tmp_path: Path, data: bytes, said: str) -> None:
    """Line, column and byte of the file, its mark among them."""
    (tmp_path / "r.csv").write_bytes(data)
    with open_text(LocalFile(tmp_path / "r.csv"), None) as stream, pytest.raises(RosterError) as raised:
        read_header("r.csv", stream)
    assert str(raised.value) == f"r.csv: in the header, {said}"


def test_a_named_delimiter_that_cuts_nothing_is_told_with_the_one_that_does() -> None:
    """The file's own."""
    said = "r.csv: its cells are separated by ','; give --delimiter ','"
    assert refusal_of(b"uid,name\na,b\n", HeaderOptions(";")) == said


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "^", ":"])
@pytest.mark.parametrize("above", ["", "\n\n", "sep=~\n"])
def test_it_is_told_where_the_cells_are_in_quotes(delimiter: str, above: str) -> None:
    """Nothing is said of the quotes; also in a file whose quotes mean nothing for want of tabs."""
    data = f'{above}"uid"{delimiter}"na, ""me"""{delimiter}"name"\r\n"a"{delimiter}"x"{delimiter}"b"\r\n'.encode()
    shown = "give --delimiter $'\\t'" if delimiter == "\t" else f"give --delimiter '{delimiter}'"
    said = f"r.csv: its cells are separated by {delimiter!r}; {shown}"
    assert refusal_of(data, HeaderOptions(None if "sep" in above else "~")) == said
    assert refusal_of(data.removeprefix(b"sep=~\n"), HeaderOptions("~", quoting=False)) == said


def test_quotes_that_no_delimiter_explains_are_told_themselves() -> None:
    """With the place; also when nothing is left behind a line `sep=`."""
    assert refusal_of(b'"uid","na"me"\n', HeaderOptions(";")).startswith("r.csv: in the header, line 1, column ")
    assert refusal_of(b"sep=;\n") == "r.csv has no header: there is nothing behind its first line"


def test_the_needed_columns_decide_between_delimiters() -> None:
    """Those that the mapping names, where it does, and not what a line holds most of."""

    def missing(names: object) -> int:
        return 0 if names == ["Nr", "Name, first"] else 1

    header = header_of(b"Nr;Name, first\n1;a, b\n", HeaderOptions(missing=missing))
    assert header.dialect.delimiter == ";"


def test_columns_of_one_name_are_kept_apart() -> None:
    """Only the first has the name."""
    header = header_of(b"uid,x,x,,name,\n")
    assert header.columns == ("uid", "x", "_column_3_x", "_column_4", "name", "_column_6")
    assert header.repeated == {"x"}


HEADING = b'Staff;;;\n"No.\n(new)";Name;;Team\n;Last;First;\n007;Lee;Ann;Deck\n'


@pytest.mark.parametrize("row", [None, 4])
def test_a_heading_of_two_lines_is_one_header(row: int | None) -> None:
    """A name that stands only in the upper line counts: so a sheet with merged cells is saved. Found, or named."""

    def missing(names: Sequence[str]) -> int:
        return len({"No.\n(new)", "Last"} - set(names))

    header = header_of(HEADING, HeaderOptions(missing=missing, header_row=row))
    assert (header.columns, header.line, header.found) == (("No.\n(new)", "Last", "First", "Team"), 4, row is None)
    assert HEADING[header.length :] == b"007;Lee;Ann;Deck\n"


def test_lines_that_do_not_stand_right_above_the_header_name_nothing() -> None:
    """A blank line is between them."""
    assert header_of(b"a,b,c\n\n,uid,name\n1,2,3\n").columns == ("_column_1", "uid", "name")


@pytest.mark.parametrize("more", ["", "^_apostrophes"])
def test_rejected_rows_tell_themselves_what_separates_their_cells(tmp_path: Path, more: str) -> None:
    """So they can be fed in as they were written, also where a line sep= had told it of the roster."""
    path = tmp_path / "r.csv"
    path.write_text(f"uid^name^note^_row^_errors{more}\nb2^Bob, Lee^x^2^uid.charset: ' ' in 'b 2'\n")
    header = open_csv(path).header
    assert (header.dialect.delimiter, header.columns[:3]) == ("^", ("uid", "name", "note"))


@pytest.mark.parametrize(("escape", "header"), [(",", "uid,name"), (";", "uid;name"), ("|", "uid|name")])
def test_what_separates_the_cells_escapes_nothing(escape: str, header: str) -> None:
    said = f"r.csv: {escape} separates the cells and can escape none; give another --escape"
    assert refusal_of(f"{header}\n".encode(), HeaderOptions(escape=escape)) == said


@pytest.mark.parametrize(
    "above", ["", "Staff list\n", "\n" * 70_000], ids=["at the top", "below a title", "below blanks"]
)
@pytest.mark.parametrize("name", ['"How do you\r\nlike it, {}?"', '"x""y\n{}"', "question {}"])
def test_a_long_header_is_read_to_its_end(above: str, name: str) -> None:
    """Surveys ask hundreds of questions, over several lines each: no row is made of what is far behind."""
    names = ["uid", "name", '"a\nb"', *(name.format(number) for number in range(6_000))]
    header = header_of(f"{above}{','.join(names)}\na1,Ann,x\n".encode())
    assert (len(header.columns), header.columns[-1]) == (6_003, name.format(5_999).strip('"').replace('""', '"'))
    assert header.length == len(above) + len(",".join(names)) + 1


def test_a_quote_that_is_never_closed_does_not_make_a_header_of_the_whole_file() -> None:
    """In a cell without quotes it stands for itself, so lines end behind it."""
    header = header_of(b'uid,name,5" pipe\n' + b"a1,Ann,x\n" * 200_000)
    assert (header.columns, header.length) == (("uid", "name", '5" pipe'), 17)

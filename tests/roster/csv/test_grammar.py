"""The grammar of a CSV: each form of a cell, and against the same said letter by letter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.roster.csv.grammar import CR, LF, Break, Dialect, Reading, is_plain, line_end, read_rows
from tests.rig.strictcsv import Letters, RefusedError

COMMA = Dialect()
DIALECTS = st.builds(
    Dialect,
    st.sampled_from(",;\t| "),
    st.sampled_from([LF, LF, LF, CR]),
    st.sampled_from(["", "", "\\"]),
    st.booleans(),
)


def outcome_of(letters: Letters) -> list[list[str]] | tuple[int, int]:
    """The rows, or the place of the refusal."""
    try:
        return letters.rows()
    except RefusedError as refused:
        return refused.row, refused.column


@st.composite
def texts(draw: st.DrawFn) -> tuple[str, Dialect]:
    """A text of what matters to a CSV, dense with quotes, and a dialect."""
    dialect = draw(DIALECTS)
    mark, eol = dialect.delimiter, dialect.eol
    pieces = [
        '"',
        '"',
        '""',
        mark,
        mark,
        eol,
        "\r\n",
        " ",
        "\t",
        "a",
        "\\",
        "\r",
        "\u20ac",
        f'{mark}"',
        f'"{mark}',
        f'"{eol}',
    ]
    return "".join(draw(st.lists(st.sampled_from(pieces), max_size=16))), dialect


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("a,b\n", [["a", "b"]]),
        ("a,b", [["a", "b"]]),
        ("a,\n,b\n", [["a", None], [None, "b"]]),
        ("a,", [["a", None]]),
        ('"a","b ""c"" d",""\n', [["a", 'b "c" d', ""]]),
        ('"a\nb",c\r\nd,e', [["a\nb", "c"], ["d", "e"]]),
        ('a1, "Ann Lee" ,"x"\t\n', [["a1", "Ann Lee", "x"]]),
        ('5" pipe,{"a":1},x"y"\n', [['5" pipe', '{"a":1}', 'x"y"']]),
        ("\n\r\na\n\n\nb\n", [["a"], ["b"]]),
        ("a\r\r\nb\rc\n", [["a"], ["b\rc"]]),
        ('""\n', [[""]]),
    ],
)
def test_a_cell_is_what_stands_between_its_quotes_or_all_that_stands_there(
    text: str, rows: list[list[str | None]]
) -> None:
    """Blanks around quotes are no part of it; in a bare cell quotes stand for themselves; blank lines are no rows."""
    assert read_rows(text, COMMA) == Reading(rows, len(text))


@pytest.mark.parametrize(
    ("text", "broken"),
    [
        ('a,"5" pipe"\n', Break(0, 1, 2, 0, 5)),
        ('a,b\nc,"Ann "Annie" Lee"\n', Break(1, 1, 6, 4, 12)),
        ('a,"b\nc,d\n', Break(0, 1, 2, 0)),
        ('""b,c\n', Break(0, 0, 0, 0, 2)),
        ('a, "b" c\n', Break(0, 1, 2, 0, 6)),
    ],
)
def test_whatever_fits_no_form_ends_the_reading_with_its_place(text: str, broken: Break) -> None:
    """There is no second, lenient reading; the rows before are whole."""
    read = read_rows(text, COMMA)
    assert (read.broken, len(read.rows), read.length) == (broken, broken.row, broken.row_start)


def test_a_text_that_goes_on_may_end_within_a_cell() -> None:
    """What is not whole yet is left for later, and nothing is wrong with it."""
    assert read_rows('a,b\nc,"d\n', COMMA, final=False) == Reading([["a", "b"]], 4)


def test_rows_behind_those_that_are_wanted_are_not_looked_at() -> None:
    """A defect behind them does no harm."""
    assert read_rows('a,b\n"c"d\n', COMMA, most=1) == Reading([["a", "b"]], 4)


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        (r'"5\" pipe",b', ['5" pipe', "b"]),
        (r'"Ann \"Annie\" Lee",b', ['Ann "Annie" Lee', "b"]),
        (r'"a\\","b""c",d\,e', ["a\\", 'b"c', "d\\", "e"]),
    ],
)
def test_an_escape_takes_the_meaning_of_the_next_character_away(text: str, cells: list[str]) -> None:
    """Within quotes only, and doubled quotes are quotes still."""
    assert read_rows(text, Dialect(escape="\\")).rows == [cells]


def test_without_quoting_quotes_stand_for_themselves_everywhere() -> None:
    """Also at the beginning of a cell."""
    assert read_rows('5"\t"Cy" Fox\t"a"\n', Dialect("\t", quoting=False)).rows == [['5"', '"Cy" Fox', '"a"']]


def test_a_blank_that_separates_cells_is_none_around_quotes() -> None:
    """A tab still is; two blanks have an empty cell between them."""
    assert read_rows('a1 "Ann Lee" "x"\nb2\t "B" \t"y"\na1  x\n', Dialect(" ")).rows == [
        ["a1", "Ann Lee", "x"],
        ["b2\t", "B", "y"],
        ["a1", None, "x"],
    ]


@given(texts())
def test_rows_and_refusals_are_those_of_a_reading_letter_by_letter(case: tuple[str, Dialect]) -> None:
    """Same rows, or both refuse, at the same cell."""
    text, dialect = case
    letters = Letters(text, dialect.delimiter, dialect.eol, dialect.escape, dialect.quoting)
    read = read_rows(text, dialect)
    found = (
        (read.broken.row, read.broken.column) if read.broken else [[cell or "" for cell in row] for row in read.rows]
    )
    assert found == outcome_of(letters)


@given(texts(), st.integers(0, 16))
def test_a_text_cut_anywhere_is_read_as_it_is_in_one(case: tuple[str, Dialect], at: int) -> None:
    """What the first piece leaves over goes before the second."""
    text, dialect = case
    end = text.rfind(dialect.eol, 0, at) + 1
    first = read_rows(text[:end], dialect, final=False)
    if first.broken is None:
        rest = read_rows(text[first.length :], dialect)
        whole = read_rows(text, dialect)
        assert [*first.rows, *rest.rows] == whole.rows
        assert (rest.broken is None) == (whole.broken is None)


@given(texts())
def test_a_plain_block_is_one_whose_quotes_are_all_at_edges_or_doubled(case: tuple[str, Dialect]) -> None:
    """A block that is plain is never broken, and one without blanks around quotes or quotes in bare cells is plain."""
    text, dialect = case
    block = text + dialect.eol
    read = read_rows(block, dialect)
    if is_plain(block.encode(), dialect) and dialect.quoting and not dialect.escape:
        assert read.broken is None
    if read.broken is None and not dialect.escape and dialect.quoting:
        edges = dialect.delimiter.join(
            f'"{(cell or "").replace(chr(34), chr(34) * 2)}"' for row in read.rows for cell in row
        )
        assert is_plain((edges + dialect.eol).encode(), dialect)


PIECES = ("", "a", '"a"', '""', '""""', '"b""c"', '"d\ne"', '"a,b"', '"a"x', ' "a"', 'a"', '"', '"' + 'q""' * 9 + '"')


@given(st.lists(st.sampled_from([*PIECES, ",", ",", "\n", "\r\n"]), max_size=24))
def test_the_quick_pattern_ends_where_the_plain_one_does(pieces: list[str]) -> None:
    """With all line ends LF, with one CR before it or none."""
    block = "".join(pieces).encode()
    assert COMMA.quick.match(block).end() == COMMA.plain.match(block).end()  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("block", "plain"),
    [
        (b"a,b\n", True),
        (b'"a"\r,"b"\r\n', False),
        (b'"a"\r\r\n"b"\r', True),
        (b'a,"{""b"":[""c"",""d""],""e"":""f""}"\r\n"","g"', True),
        (b'a,"{""b"":[""c"",""d"],""e"":""f""}"\n', False),
        (b'"a","b,""c""",""\n"d\ne",f\r\n"g"', True),
        (b'a,"5" pipe"\nb,"7" pipe"\n', False),
        (b'a, "b"\n', False),
        (b'5" pipe,b\n', False),
        (b'""b,c\n', False),
        (b'"a"",b\n', False),
    ],
)
def test_whether_a_block_is_plain(block: bytes, plain: bool) -> None:
    """Two cells whose ends hide each other are found, which no count of quotes would."""
    assert is_plain(block, COMMA) is plain


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ('a,b\ra1,"one\ntwo"\r', CR),
        ('a,b\ra1,5" pipe\rb2,"one\ntwo"\r', CR),
        ('a;b\ra1;5", 6"\rb2; "one\n""two"""\r', CR),
        ('a,b\ra1,"5\\" pipe\n"\r', CR),
        ('a,b\ra1,"one\n\\', CR),
        ('a,b\ra1,"5" pipe\rb2,"one\ntwo"\r', CR),
        ('a,b\ra1,"open\rb2,"one\ntwo"\r', CR),
        ('"a"x,b\ra1,"one\ntwo"\r', CR),
        ('"a","b"\ra1,"one\ntwo"\r', CR),
        ('"a","b"\ra1,one\ntwo\r', LF),
        ('"a"x,"b"\na1,one\rtwo\n', LF),
        ('a,b\ra1,5" pipe\nb2,6"\r', LF),
        ('a,"b\rc"', LF),
        ('a,"b\r","c"\r\n"Ann ""A"" Lee",1,u0\r\n', LF),
        ('a,"b\r","c"\r\n"Lee, Ann",1,u0\r\nBob,2,u1\r\n', LF),
        ('a,b,"c\r","d"\r\nu0,Ann,1,x\r\n"u1",Bob,2,x\r\n', LF),
        ('a,b,h\rl,"e""\r""f"\nu0,Ann,x,y\n"u1","Bob ""B"" R",x,y\n', LF),
        ('a,"b\r","c"\r\n"Ann" x,1,u0\r\n', LF),
        ('a,b\ra1,"5" pipe\r"b2","one\ntwo"\r', CR),
        ('a,b\r1,"\n;",c\rAnn,",b,",","\r', CR),
        ('a,b\r"5" pipe,c\rb2,"one\ntwo"\r', CR),
        ("a\r\nb\r\n", LF),
        ("a\rb\nc", LF),
    ],
)
def test_a_cr_alone_ends_lines_where_no_lf_is_outside_quotes(text: str, end: str) -> None:
    """What is in quotes is told by where cells begin: a quote within a bare cell opens nothing."""
    assert line_end(text, ",;\t|", "\\") == end
    assert line_end(text.replace("\r", "\n"), ",;\t|", "\\") == LF


@given(st.lists(st.sampled_from(['"', '""', ",", "\r", "\n", "\r\n", " ", "a", ',"', '"\r']), max_size=20).map("".join))
def test_what_is_outside_quotes_is_told_as_letter_by_letter(text: str) -> None:
    """Whatever stands in a bare cell, and wherever its lines end."""
    assert COMMA.outside_quotes(text)[1:] == bare_letters(text)


def bare_letters(text: str) -> str:
    """A text without its quoted cells, letter by letter: a cell begins behind a comma, a CR or an LF."""
    bare, at, begins = "", 0, True
    while at < len(text):
        quote = at
        while begins and text[quote : quote + 1] in (" ", "\t"):
            quote += 1
        if begins and text[quote : quote + 1] == '"':
            at = quote + 1
            while at < len(text) and (text[at] != '"' or text[at : at + 2] == '""'):
                at += 2 if text[at] == '"' else 1
            at, begins = at + 1, False
            if (behind := text[at:].lstrip(" \t")) and behind[0] not in ",\r\n":
                return bare + '"'
            at = len(text) - len(behind)
            continue
        bare, begins, at = bare + text[at], text[at] in ",\r\n", at + 1
    return bare

"""The head of a CSV file: which line names the columns, what separates the cells, where lines end.

A first line `sep=X` says what separates the cells. The header is the first line that is not blank, unless just one of
the lines behind it names the needed columns and the first does not, alone or with the lines right above it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from provisioner.errors import EmptyRosterError, RosterError
from provisioner.roster.columns import ADDED, named_columns
from provisioner.roster.csv.defect import cells_before_other_end, what_is_broken
from provisioner.roster.csv.grammar import Break, Dialect, line_end, read_rows
from provisioner.roster.csv.looks import DELIMITERS, HOLDING, Line, holding_rows, refuse_odd_header, separated_by, whole
from provisioner.roster.csv.remarks import HEADER_SWALLOWED
from provisioner.roster.encodings.readings import NotUtf8Error, wide_encoding
from provisioner.roster.files.text import TextStream
from provisioner.roster.formats.rows import ANOTHER_HEADER, Missing, Notice, missing_fields
from provisioner.roster.preamble import ROWS_COMPARED, Heading, another_header, likelier, refuse_people_above

LINES_SEARCHED: Final = 20
"""So many lines may come before the header, itself included."""

_FIRST_READ: Final = 64 * 1024
_LONGEST_HEADER: Final = 1024 * 1024
# What separates the last columns of rejected rows separates all, be it what a line sep= has said of the roster.
_REJECTED_LINE: Final = re.compile(r'(?:"[^"]*+"|[^"\r\n])*?([^\w\r\n"])_row\1_errors(?=\1|\r|\n|\Z)')
_QUOTED: Final = re.compile(rb'"[^"]*+(?:"|\Z)')
SEPARATOR_LINE: Final = re.compile(r'"?sep=([^\r\n])"?(?:\r*\n|\r|\Z)', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class HeaderOptions:
    """What is known of a header before the file is opened.

    delimiter   of the cells; found without one
    escape      see `Dialect`
    quoting     likewise
    header_row  the line that is the header, counted from 1; looked for without one
    missing     says how many of the needed columns some names lack
    implied     the delimiter that the name of the file says, unless a line sep= says another
    """

    delimiter: str | None = None
    escape: str = ""
    quoting: bool = True
    header_row: int | None = None
    missing: Missing = missing_fields
    implied: str | None = None


@dataclass(frozen=True, slots=True)
class Header:
    """What the head of a file says of the rest.

    columns   one name for each column, no two alike; one without a name is `_column_<n>`
    repeated  names that several columns bear in the file
    length    of all before the first row, in bytes of UTF-8
    line      the one that is the header, counted from 1
    lines     line ends before the first row
    found     whether the header was looked for, and found behind other lines
    likelier  the line that looks more like the header than the one that was named
    holding   the line in which a quoted cell holds what looks like rows; null where none does
    """

    columns: tuple[str, ...]
    repeated: frozenset[str]
    dialect: Dialect
    length: int
    line: int
    lines: int
    found: bool = False
    likelier: int | None = None
    holding: int | None = None

    def notices(self, name: str) -> list[Notice]:
        """Say which line is the header, or may be, when it was looked for or named, and what may hold rows."""
        said = [] if self.holding is None else [Notice(HEADER_SWALLOWED, f"{name}: line {self.holding}: {HOLDING}")]
        if self.likelier is not None:
            return [*said, Notice(ANOTHER_HEADER, f"{name}: {another_header('line', self.line, self.likelier)}")]
        found = f"{name}: line {self.line} is taken for the header; --header-row names another"
        return [*said, Notice("header.found", found)] if self.found else said


def read_header(name: str, stream: TextStream, options: HeaderOptions | None = None) -> Header:
    """Read the header and what comes before it. Raises RosterError when there is none, or none can be told."""
    options = options or HeaderOptions()
    text = _text(name, _head(name, stream, options.header_row or 1))
    top, told = _told(text)
    start, by_name = top, options.delimiter or options.implied
    given = options.delimiter or told or by_name
    quoting = options.quoting or given != by_name
    eol = line_end(text, given or DELIMITERS, options.escape, quoting=quoting)
    dialect = Dialect(",", eol, options.escape, quoting)
    if options.header_row:
        start = max(start, _line_start(name, text, eol, options.header_row))
    dialect, lines = _likeliest(text, start, dialect, given, options.missing)
    if dialect.escape == dialect.delimiter:
        raise RosterError(f"{name}: {dialect.escape} separates the cells and can escape none; give another --escape")
    if not lines or options.missing(lines[0].names):
        if given:
            _refuse_delimiter(name, text, start, dialect, options.missing)
        _refuse_broken_header(name, stream, text, start, dialect, lines)
    better: int | None = None
    if options.header_row:
        around = [*_lines(text, top, dialect)]
        line, found = whole(lines[0], around), False
        better = _likelier(line, [*around, *lines], options.missing)
    else:
        row = _header_line(name, lines, options.missing)
        line, found = whole(row, lines), row is not lines[0]
        refuse_people_above(name, _heading(row, line, lines, text, dialect), options.missing)
    refuse_odd_header(name, line, lines, dialect, options.missing, better)
    columns, repeated = named_columns(line.names)
    behind = text[: line.end]
    length = len(behind.encode())
    holding = holding_rows(line, lines, dialect)
    return Header(columns, repeated, dialect, length, line.number, behind.count(eol), found, better, holding)


def names_rejected(stream: TextStream, delimiter: str | None = None) -> bool:
    """Tell whether the first line of a text names the columns of rejected rows; one without any does not."""
    try:
        text = _head("", stream, 1).decode(errors="replace")
    except RosterError:
        return False
    start, told = _told(text)
    dialects = (Dialect(each, line_end(text, each)) for each in {*DELIMITERS, told, delimiter} if each)
    firsts = (next(_lines(text, start, each), None) for each in dialects)
    return any(line is not None and set(ADDED) <= set(line.names) for line in firsts)


def _told(text: str) -> tuple[int, str | None]:
    """Say where the text begins behind a line sep=, and what it says itself to separate the cells."""
    above = SEPARATOR_LINE.match(text)
    told = above or _REJECTED_LINE.match(text)
    return above.end() if above else 0, told[1] if told else None


def _head(name: str, stream: TextStream, least: int) -> bytes:
    """Read the lines that are looked at; where they are long, as many as are in the first MiB, but `least` of them."""
    head = b""
    while chunk := stream.read(_FIRST_READ):
        head += chunk
        whole = head[:-1].rstrip(b"\r")  # A CR at the very end may be half of CR LF.
        ends, is_enough = _line_ends(_QUOTED.sub(b"", whole)), len(head) > _LONGEST_HEADER
        # A quote that stands for itself closes nowhere.
        if is_enough and max(ends, _line_ends(whole)) < least:
            what = f"line {least}, which --header-row names, is not within the first MiB"
            what = what if least > 1 else "its first line does not end within 1 MiB; is this a CSV file?"
            raise RosterError(f"{name}: {what}")
        if is_enough or (len(head) >= _FIRST_READ and ends >= max(least, LINES_SEARCHED)):
            head = whole[: max(whole.rfind(b"\n"), whole.rfind(b"\r")) + 1]
            break
    if not head:
        raise EmptyRosterError(f"{name} is empty: it has no bytes at all")
    if not head.strip(b"\r\n \0\x1a"):
        raise EmptyRosterError(f"{name} has no header: it holds nothing but blank lines")
    return head


def _line_ends(text: bytes) -> int:
    """Count the ends of lines of either kind, but for those of blank lines at the start."""
    text = text.lstrip(b"\r\n")
    return max(text.count(b"\n"), text.count(b"\r"))


def _text(name: str, head: bytes) -> str:
    """Decode the lines that are UTF-8. Raises RosterError when the first one is not."""
    first = head.lstrip(b"\r\n").split(b"\n", 1)[0]
    if b"\0" in first:
        wide = wide_encoding(head)
        raise RosterError(f"{name} is {wide[:6].upper()} or binary; if it is text, try --encoding {wide}")
    try:
        return head.decode()
    except UnicodeDecodeError as error:
        whole = max(head.rfind(b"\n", 0, error.start), head.rfind(b"\r", 0, error.start)) + 1
        if head[:whole].strip():
            return head[:whole].decode()
        raise NotUtf8Error.at(f"{name}: in the header, ", head, error.start) from None


def _likeliest(
    text: str, start: int, dialect: Dialect, given: str | None, missing: Missing
) -> tuple[Dialect, list[Line]]:
    """Find what separates the cells: what makes a line name the needed columns, else what cuts the first up most."""
    # Those that are not in the text cut it all alike.
    absent = next((each for each in DELIMITERS if each not in text), None)
    told_apart = [given] if given else [each for each in DELIMITERS if each in text or each == absent]
    found: tuple[Dialect, list[Line]] = replace(dialect, delimiter=told_apart[0]), []
    likeliest = (-len(text) - 1, 0)
    for each in (replace(dialect, delimiter=delimiter) for delimiter in told_apart):
        rows = _lines(text, start, each)
        first = list(islice(rows, 1))
        cells = len(first[0].cells) if first else 0
        if (0, cells) <= likeliest:  # whatever it names
            continue
        named = first and not missing(first[0].names)
        lines = [*first, *rows]
        fewest = 0 if named else min((missing(line.names) for line in lines), default=len(text))
        if (-fewest, cells) > likeliest:
            found, likeliest = (each, lines), (-fewest, cells)
    return found


def _lines(text: str, at: int, dialect: Dialect) -> Iterator[Line]:
    """Give the first rows, as far as they are rows; the text may end within one."""
    first = dialect.behind_blank_lines(text, at)
    for _ in range(LINES_SEARCHED):
        at = dialect.behind_blank_lines(text, at)
        read = read_rows(text, dialect, at, most=1)
        if not read.rows:
            return
        number = text.count(dialect.eol, 0, at) + 1
        if number > LINES_SEARCHED and at > first:
            return
        end = at + read.length
        mixed = dialect.other_end in text[at:end].strip("\r\n")
        before = cells_before_other_end(text, at, dialect) if mixed else 0
        yield Line(read.rows[0], number, end, text[at : at + 1] == '"', before)
        at += read.length


def _line_start(name: str, text: str, eol: str, wanted: int) -> int:
    """Tell where a line begins, counted from 1; what stands above it is no CSV. Raises RosterError."""
    start = 0
    for _ in range(wanted - 1):
        start = text.find(eol, start) + 1
        if not start:
            break
    end = text.find(eol, start)
    if (wanted > 1 and not start) or not text[start : end if end >= 0 else len(text)].strip():
        what = f"line {wanted}, which --header-row names as the header, is blank or not there"
        raise RosterError(f"{name}: {what}; look at the file and name another")
    return start


def _header_line(name: str, lines: Sequence[Line], missing: Missing) -> Line:
    """Say which line is the header. Raises RosterError when it is not the first and cannot be told."""
    lacking = missing(lines[0].names)
    if not lacking:
        return lines[0]
    fewest = min(missing(line.names) for line in lines)
    several = next((line for line in lines if missing(whole(line, lines).names) < fewest), None)
    if several is not None:
        return several
    better = [line for line in lines if missing(line.names) < lacking]
    if len(better) > 1:
        numbers = " and ".join(str(line.number) for line in better[:2])
        what = f"line {lines[0].number} is no header, and lines {numbers} both look like one"
        best = min(better, key=lambda line: missing(line.names)).number  # any other would be refused in its favour
        raise RosterError(f"{name}: {what}; say which it is with --header-row {best}")
    return better[0] if better else lines[0]


def _likelier(named: Line, lines: Sequence[Line], missing: Missing) -> int | None:
    """Give the line that looks more like the header than the one that was named, if one of the first ones does."""
    if not missing(named.names):
        return None
    rows = {line.number: line for line in lines}
    names = {number: dict(enumerate(whole(rows[number], lines).names)) for number in sorted(rows)}
    return likelier(named.number, names | {named.number: dict(enumerate(named.names))}, missing)


def _heading(row: Line, whole: Line, lines: Sequence[Line], text: str, dialect: Dialect) -> Heading:
    above = {each.number: dict(enumerate(each.names)) for each in lines if each.number < row.number}
    below = read_rows(text, dialect, row.end, final=False, most=ROWS_COMPARED if above else 0).rows
    rows = ({column: cell or "" for column, cell in enumerate(cells)} for cells in below)
    return Heading("line", row.number, dict(enumerate(row.names)), dict(enumerate(whole.names)), above, rows)


def _refuse_delimiter(name: str, text: str, start: int, dialect: Dialect, missing: Missing) -> None:
    """Tell what separates the cells of a header in quotes, where the one that was given cannot. Raises RosterError.

    "uid","name"     with ; between cells there is text after a closing quote
    """
    if dialect.quoting and read_rows(text, dialect, start, most=1).broken is None:
        return
    first = text[start:].lstrip("\r\n").split(dialect.eol, 1)[0]
    for delimiter in dict.fromkeys((*DELIMITERS, *re.findall(r'[^\w\s"]', first))):
        line = next(_lines(text, start, replace(dialect, delimiter=delimiter, quoting=True)), None)
        if line is not None and not missing(line.names):
            raise RosterError(f"{name}: {separated_by(delimiter)}")


def _refuse_broken_header(
    name: str, stream: TextStream, text: str, start: int, dialect: Dialect, lines: Sequence[Line]
) -> None:
    """Tell what keeps the first line from being one. Raises RosterError.

    With a delimiter that it does not hold any line is one, whatever its quotes.
    """
    first = text[start:].lstrip("\r\n").split(dialect.eol, 1)[0]
    others = sorted(DELIMITERS, key=lambda each: each not in first) if dialect.delimiter not in first else ()
    for delimiter in (*others, dialect.delimiter):
        if delimiter in first or not lines:
            broken = read_rows(text, each := replace(dialect, delimiter=delimiter), start, most=1).broken
            if broken is not None:
                place = _place(text, broken, dialect, stream.origin)
                raise RosterError(f"{name}: in the header, {place}: {what_is_broken(text, broken, each)}")
    if not lines:
        raise RosterError(f"{name} has no header: there is nothing behind its first line")


def _place(text: str, broken: Break, dialect: Dialect, origin: int | None) -> str:
    """Say where a cell of the header is; `origin` is where the text begins in the file, if it is UTF-8."""
    line = text.count(dialect.eol, 0, broken.start) + 1
    byte = "" if origin is None else f" (byte {origin + len(text[: broken.start].encode())})"
    return f"line {line}, column {broken.column + 1}{byte}"

"""The header of a CSV file: column names, line end, and what separates the cells."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from provisioner.errors import RosterError
from provisioner.roster.files.text import TextStream, looks_like
from provisioner.roster.formats.csvdefect import NEVER_CLOSED

_HEADER = re.compile(rb'(?:\r?\n|\r)*+((?:[^"\r\n]++|"[^"]*+")*+)(\r\n|\n|\r)')
_FIRST_READ = 64 * 1024
_LONGEST_HEADER = 1024 * 1024

DELIMITERS: Final = ",;\t|"
"""What is looked for; the first one where two are as likely."""

# A column that every roster has under some spelling, unless the config maps others.
_REQUIRED: Final = frozenset({"uid", "name"})


@dataclass(frozen=True, slots=True)
class Header:
    """The column names, the line end (LF for CR LF too), the delimiter, and the length of it all in bytes of UTF-8."""

    columns: tuple[str, ...]
    eol: bytes
    delimiter: str
    length: int


def read_header(name: str, stream: TextStream, delimiter: str | None = None) -> Header:
    """Read the first line that is not blank; without a `delimiter` the likeliest is taken. Raises RosterError."""
    head, match = _first_row(name, stream)
    row, eol, length = (match[1], match[2], match.end()) if match else (head, b"\n", len(head))
    if not head:
        raise RosterError(f"{name} is empty: it has no bytes at all")
    if not row.strip(b"\r\n \0"):
        raise RosterError(f"{name} has no header: it holds nothing but blank lines")
    text = _text(name, row)
    delimiter = delimiter or likeliest_delimiter(text)
    columns = tuple(_named(_cells(name, text, delimiter)))
    taken: set[str] = set()
    for column in columns:
        if column in taken:
            raise RosterError(f"{name}: two columns are named {column!r}; rename or remove one")
        taken.add(column)
    return Header(columns, b"\r" if eol == b"\r" else b"\n", delimiter, length)


def likeliest_delimiter(header: str) -> str:
    """Find what separates the cells: what gives the columns every roster has, else what is there most often."""
    unquoted = "".join(header.split('"')[::2])
    return max(DELIMITERS, key=lambda each: (_required(header, each), unquoted.count(each)))


def _required(header: str, delimiter: str) -> int:
    """Count the required columns that a delimiter makes appear."""
    if delimiter not in header:
        return 0
    try:
        cells = next(csv.reader([header], delimiter=delimiter), [])
    except csv.Error:
        return 0
    return len(_REQUIRED & {cell.strip().lower() for cell in cells})


def _first_row(name: str, stream: TextStream) -> tuple[bytes, re.Match[bytes] | None]:
    """Read until the header's line end is seen, and what comes behind it: CR may be half of CR LF."""
    head = b""
    while chunk := stream.read(_FIRST_READ):
        head += chunk
        match = _HEADER.match(head)
        if match and match.end() < len(head):
            return head, match
        if len(head) > _LONGEST_HEADER:
            raise RosterError(f"{name}: its first line does not end within 1 MiB; is this a CSV file?")
    return head, _HEADER.match(head)


def _text(name: str, row: bytes) -> str:
    """Decode the header. Raises RosterError for what is no UTF-8 text."""
    if b"\0" in row:
        order = "utf-16-be" if row.startswith(b"\0") else "utf-16-le"
        raise RosterError(f"{name} is UTF-16 or binary; if it is text, try --encoding {order}")
    try:
        return row.decode().strip("\r\n")
    except UnicodeDecodeError as error:
        where = f"byte 0x{row[error.start]:02X} is not UTF-8{looks_like(row)}"
        raise RosterError(f"{name}: in the header, {where}") from None


def _cells(name: str, text: str, delimiter: str) -> list[str]:
    """Split the header. Raises RosterError for broken quoting."""
    try:
        return next(csv.reader([text], delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        what = NEVER_CLOSED if text.count('"') % 2 else str(error)
        raise RosterError(f"{name}: in the header, {what}") from None


def _named(cells: list[str]) -> Iterator[str]:
    """Name the nameless columns that spreadsheets export by the dozen; `_` keeps them from being fields."""
    for number, cell in enumerate(cells, 1):
        yield cell if cell.strip() else f"_column_{number}"

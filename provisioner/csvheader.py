"""The header of a CSV file, and what a file says about itself before its first row."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from provisioner.diagnosis import NEVER_CLOSED, looks_like
from provisioner.errors import RosterError
from provisioner.textstream import TextStream

_HEADER = re.compile(rb'(?:\r?\n|\r)*+((?:[^"\r\n]++|"[^"]*+")*+)(\r\n|\n|\r)')
_FIRST_READ = 64 * 1024
_LONGEST_HEADER = 1024 * 1024

_EXPORT = "export it as comma-separated UTF-8 CSV"
SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF32_LE, "is UTF-32, which --encoding utf-32 reads"),
    (codecs.BOM_UTF32_BE, "is UTF-32, which --encoding utf-32 reads"),
    (codecs.BOM_UTF16_LE, "is UTF-16, which --encoding utf-16 reads"),
    (codecs.BOM_UTF16_BE, "is UTF-16, which --encoding utf-16 reads"),
    (b"PAR1", "is a Parquet file; give it the suffix .parquet"),
    (b"PK\x03\x04", f"is a spreadsheet or a zip archive; {_EXPORT}"),
    (b"\xd0\xcf\x11\xe0", f"is an Excel workbook; {_EXPORT}"),
    (b"\x1f\x8b", "is compressed with gzip; unpack it first"),
    (b"\x28\xb5\x2f\xfd", "is compressed with zstd; unpack it first"),
)
"""First bytes of a file → what it is and what to do."""

DELIMITERS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}


@dataclass(frozen=True, slots=True)
class Header:
    """The column names, the line end (LF for CR LF too), and the length of it all in bytes of UTF-8."""

    columns: tuple[str, ...]
    eol: bytes
    length: int


def check_signature(path: Path) -> None:
    """Tell a file that is no UTF-8 text by its first bytes. Raises RosterError, OSError."""
    with path.open("rb") as file:
        start = file.read(4)
    for signature, meaning in SIGNATURES:
        if start.startswith(signature):
            raise RosterError(f"{path} {meaning}")


def read_header(path: Path, stream: TextStream) -> Header:
    """Read the first line that is not blank. Raises RosterError."""
    head, match = _first_row(path, stream)
    row, eol, length = (match[1], match[2], match.end()) if match else (head, b"\n", len(head))
    if not row.strip():
        raise RosterError(f"{path} has no header: it holds nothing but blank lines")
    columns = tuple(_named(_cells(path, row)))
    seen: set[str] = set()
    for column in columns:
        if column in seen:
            raise RosterError(f"{path}: two columns are named {column!r}; rename or remove one")
        seen.add(column)
    return Header(columns, b"\r" if eol == b"\r" else b"\n", length)


def _first_row(path: Path, stream: TextStream) -> tuple[bytes, re.Match[bytes] | None]:
    """Read until the header's line end is seen, and what comes behind it: CR may be half of CR LF."""
    head = b""
    while chunk := stream.read(_FIRST_READ):
        head += chunk
        match = _HEADER.match(head)
        if match and match.end() < len(head):
            return head, match
        if len(head) > _LONGEST_HEADER:
            raise RosterError(f"{path}: its first line does not end within 1 MiB; is this a CSV file?")
    return head, _HEADER.match(head)


def _cells(path: Path, row: bytes) -> list[str]:
    """Split the header. Raises RosterError for what is no header of comma-separated UTF-8."""
    if b"\0" in row:
        order = "utf-16-be" if row.startswith(b"\0") else "utf-16-le"
        raise RosterError(f"{path} is UTF-16 or binary; if it is text, try --encoding {order}")
    try:
        text = row.decode()
    except UnicodeDecodeError as error:
        where = f"byte 0x{row[error.start]:02X} is not UTF-8{looks_like(row)}"
        raise RosterError(f"{path}: in the header, {where}") from None
    text = text.strip("\r\n")
    for delimiter, plural in DELIMITERS.items():
        if text.count(delimiter) > text.count(","):
            raise RosterError(f"{path}: its cells are separated by {plural}; {_EXPORT}")
    try:
        return next(csv.reader([text], strict=True), [])
    except csv.Error as error:
        what = NEVER_CLOSED if text.count('"') % 2 else str(error)
        raise RosterError(f"{path}: in the header, {what}") from None


def _named(cells: list[str]) -> Iterator[str]:
    """Name the nameless columns that spreadsheets export by the dozen; `_` keeps them from being fields."""
    for number, cell in enumerate(cells, 1):
        yield cell if cell.strip() else f"_column_{number}"

"""Whether quotes mean anything in a tab-separated file: in one without a quoted cell they stand for themselves.

a1→5" pipe        b2→"Cy" Fox        no cell is quoted
a1→"Ann Lee"                         one is
a1→"Ann⏎Lee"→x                       one is: as lines of their own, the two would not be rows of three cells
"""

from __future__ import annotations

import re
from typing import Final

from provisioner.roster.csv.blocks import BlockSizes
from provisioner.roster.csv.grammar import Dialect, line_end
from provisioner.roster.csv.header import SEPARATOR_LINE
from provisioner.roster.files.origin import Origin
from provisioner.roster.files.text import open_text

_CHUNK: Final = 8 * 1024 * 1024
# What is looked at once more with the next chunk: a quoted cell may go on there.
_OVERLAP: Final = 64 * 1024
# A longer one is refused when the rows are read.
_LONGEST_ROW: Final = BlockSizes().longest_row


def is_ever_quoted(origin: Origin, codec: str | None = None, escape: str = "") -> bool:
    """Whether any cell begins and ends with a quote; `escape` as `Dialect` has it. Raises RosterError, OSError."""
    with open_text(origin, codec) as stream:
        text = b""
        while len(text) < _OVERLAP and (chunk := stream.read(_CHUNK)):
            text += chunk
        lines = _Lines(text, escape)
        text = text[lines.header :]
        while chunk := stream.read(_CHUNK):
            end = text.rfind(lines.eol)
            if end < 0 and len(text) > _LONGEST_ROW:
                return False
            if end >= 0 and b'"' in text and lines.hold_quoted_cell(text, end):
                return True
            text = text[text.rfind(lines.eol, 0, max(0, end - _OVERLAP)) + 1 :] + chunk
    return b'"' in text and lines.hold_quoted_cell(text, len(text))


class _Lines:
    """The lines of a file: how they end, where the first begins that is not blank, and how many tabs are in it."""

    def __init__(self, text: bytes, escape: str) -> None:
        start = text[:_OVERLAP].decode("latin-1")
        self.eol = line_end(start, "\t", escape).encode()
        told = SEPARATOR_LINE.match(start)
        behind = text[told.end() if told else 0 :].lstrip(b"\r\n")
        self.header = len(text) - len(behind)
        self._tabs = behind.split(self.eol, 1)[0].count(b"\t")
        end = rb"\r*+(?:\n|\Z)" if self.eol == b"\n" else rb"\r|\Z"
        self._opening = re.compile(rb'(?:\A|[\t%s]) *+(?=")' % self.eol)
        quoted = rb'"%s" *+(?=\t|%s)' % (Dialect("\t", escape=escape).content.encode(), end)
        self._quoted = re.compile(quoted, re.DOTALL)
        inner = rb"[^\t%s]*+" % self.eol
        bare = rb"(?! *+%s)%s" % (quoted, inner)
        row = rb"%s(?= *+[^ \r\n])%s(?:\t%s)*+(?=%s|\Z)" % (self.eol, bare, bare, self.eol)
        cell = rb"[\t%s](?: *+%s)?+%s" % (self.eol, quoted, inner)
        self._next_bare_row = re.compile(rb"%s(?:(?!%s)%s)*+%s" % (inner, row, cell, row), re.DOTALL)

    def hold_quoted_cell(self, text: bytes, end: int) -> bool:
        """Whether a cell of the text, which begins and ends where lines do, is quoted."""
        for opening in self._opening.finditer(text, 0, end):
            cell = self._quoted.match(text, opening.end(), end)
            if cell is not None and not self._are_rows_without_it(text, cell.start(), cell.end()):
                return True
        return False

    def _are_rows_without_it(self, text: bytes, start: int, end: int) -> bool:
        """Whether a tab or line end is between the quotes, and each line has its tabs even so.

        Of a header, whose tabs tell nothing of itself where only one of both is, the first row behind it that has no
        quoted cell tells.
        """
        held = [each in text[start:end] for each in (b"\t", self.eol)]
        if not any(held):
            return False
        first, last = text.rfind(self.eol, 0, start) + 1, text.find(self.eol, end)
        if not first and not all(held):
            row = self._next_bare_row.match(text, end)
            if row is None:
                return False
            last = row.end()
        lines = text[first : last if last >= 0 else len(text)].split(self.eol)
        return all(line.count(b"\t") == self._tabs for line in lines if line.strip(b" \r"))

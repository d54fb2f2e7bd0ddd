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
from provisioner.roster.files.origin import Origin
from provisioner.roster.files.text import open_text

_CHUNK: Final = 8 * 1024 * 1024
# What is looked at once more with the next chunk: a quoted cell may go on there.
_OVERLAP: Final = 64 * 1024
# A longer one is refused when the rows are read.
_LONGEST_ROW: Final = BlockSizes().longest_row


def is_ever_quoted(origin: Origin, codec: str | None = None, escape: str = "") -> bool:
    """Whether any cell begins and ends with a quote; `escape` as `Dialect` has it. Raises RosterError, OSError."""
    rest = b""
    lines: _Lines | None = None
    with open_text(origin, codec) as stream:
        while chunk := stream.read(_CHUNK):
            text = rest + chunk
            if lines is None and len(text) < _OVERLAP:
                rest = text
                continue
            lines = lines or _Lines(text, escape)
            end = text.rfind(lines.eol)
            if end < 0 and len(text) > _LONGEST_ROW:
                return False
            if end >= 0 and b'"' in text and lines.hold_quoted_cell(text, end):
                return True
            rest = text[text.rfind(lines.eol, 0, max(0, end - _OVERLAP)) + 1 :]
    lines = lines or _Lines(rest, escape)
    return b'"' in rest and lines.hold_quoted_cell(rest, len(rest))


class _Lines:
    """The lines of a file: how they end, and how many tabs are in the first."""

    def __init__(self, text: bytes, escape: str) -> None:
        self.eol = line_end(text[:_OVERLAP].decode("latin-1"), "\t", escape).encode()
        self._tabs = text.lstrip(b"\r\n").split(self.eol, 1)[0].count(b"\t")
        end = rb"\r*+(?:\n|\Z)" if self.eol == b"\n" else rb"\r|\Z"
        self._opening = re.compile(rb'(?:\A|[\t%s]) *+(?=")' % self.eol)
        self._unquoted = re.compile(rb'%s[^"%s]*+(?=%s|\Z)' % (self.eol, self.eol, self.eol))
        content = Dialect("\t", escape=escape).content.encode()
        self._quoted = re.compile(rb'"%s" *+(?=\t|%s)' % (content, end), re.DOTALL)

    def hold_quoted_cell(self, text: bytes, end: int) -> bool:
        """Whether a cell of the text, which begins and ends where lines do, is quoted."""
        for opening in self._opening.finditer(text, 0, end):
            cell = self._quoted.match(text, opening.end(), end)
            if cell is not None and not self._are_rows_without_it(text, cell.start(), cell.end()):
                return True
        return False

    def _are_rows_without_it(self, text: bytes, start: int, end: int) -> bool:
        """Whether a tab or line end is between the quotes, and each line has its tabs even so."""
        if not (b"\t" in (cell := text[start:end]) or self.eol in cell):
            return False
        first, last = text.rfind(self.eol, 0, start) + 1, text.find(self.eol, end)
        if not first:  # of a header, whose tabs tell nothing of itself
            last = found.end() if (found := self._unquoted.search(text, end)) else -1
        lines = text[first : last if last >= 0 else len(text)].split(self.eol)
        return all(line.count(b"\t") == self._tabs for line in lines)

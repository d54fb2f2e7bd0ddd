"""CSV read letter by letter: the grammar said once more, in plain Python, for the tests to hold the reader against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

BLANKS = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2007\u200a\u2028\u2029\u202f\u205f\u3000"


@dataclass
class RefusedError(Exception):
    """The text is no CSV: row and column of the first cell that is none, counted from 0, and the rows before."""

    row: int
    column: int
    rows: list[list[str]] = field(default_factory=list)


@dataclass(frozen=True)
class Letters:
    """A text and how its cells are told apart."""

    text: str
    delimiter: str = ","
    eol: str = "\n"
    escape: str = ""
    quoting: bool = True

    def rows(self) -> list[list[str]]:
        """Give the rows, without blank lines. Raises RefusedError."""
        rows: list[list[str]] = []
        row: list[str] = []
        at = begun = 0
        while at < len(self.text):
            try:
                cell, at = self._cell(at)
            except ValueError:
                raise RefusedError(len(rows), len(row), rows) from None
            row.append(cell)
            if self.text[at : at + 1] == self.delimiter:
                at += 1
                if at < len(self.text):
                    continue
                row.append("")
            at += self._line_end(at)
            if row != [""] or '"' in self.text[begun:at]:
                rows.append(row)
            row, begun = [], at
        return rows

    def quoted_cell_end(self, at: int) -> int | None:
        """Tell where the quoted cell ends that begins with the quote here; null when there is none."""
        if self.text[at : at + 1] != '"':
            return None
        try:
            return self._quoted(at + 1, " ")[1]
        except ValueError:
            return None

    def _cell(self, at: int) -> tuple[str, int]:
        blanks = " \t".replace(self.delimiter, "")
        start = at
        while self.text[at : at + 1] and self.text[at] in blanks:
            at += 1
        if self.quoting and self.text[at : at + 1] == '"':
            return self._quoted(at + 1, blanks)
        at = start
        while at < len(self.text) and self.text[at] not in (self.delimiter, self.eol):
            at += 1
        cell = self.text[start:at]
        return (cell if self.text[at : at + 1] == self.delimiter else cell.rstrip("\r")), at

    def _quoted(self, at: int, blanks: str) -> tuple[str, int]:
        letters = []
        while True:
            letter = self.text[at : at + 1]
            if not letter:
                raise ValueError("never closed")
            if letter == self.escape or (letter == '"' and self.text[at + 1 : at + 2] == '"'):
                at += 1
                if not self.text[at : at + 1]:
                    raise ValueError("never closed")
                letter = self.text[at]
            elif letter == '"':
                break
            letters.append(letter)
            at += 1
        at += 1
        while self.text[at : at + 1] and self.text[at] in blanks:
            at += 1
        if at < len(self.text) and self.text[at] != self.delimiter and not self._line_end(at):
            raise ValueError("text behind the closing quote")
        return "".join(letters), at

    def _line_end(self, at: int) -> int:
        """Length of the line end here; 0 is none."""
        if self.eol == "\r":
            return 1 if self.text[at : at + 1] == "\r" else 0
        end = at
        while self.text[end : end + 1] == "\r":
            end += 1
        return min(end + 1, len(self.text)) - at if self.text[end : end + 1] in ("\n", "") else 0


def roster_rows(rows: Sequence[Sequence[str]], width: int) -> list[list[str]]:
    """Make rows of cells those of a roster: filled up to its width, without blank ones. Raises RefusedError."""
    kept: list[list[str]] = []
    for row in rows:
        surplus = next((column for column in range(width, len(row)) if row[column].strip(BLANKS)), None)
        if surplus is not None:
            raise RefusedError(len(kept), surplus, kept)
        if any(cell.strip(BLANKS) for cell in row):
            kept.append([*row, *[""] * (width - len(row))][:width])
    return kept


def roster_or_refusal(letters: Letters, width: int) -> tuple[list[list[str]], bool]:
    """Give the rows of a roster of so many columns up to its end, or to the row that refuses it, and which it is."""
    try:
        return roster_rows(letters.rows(), width), False
    except RefusedError as refused:
        rows = refused.rows
    try:
        return roster_rows(rows, width), True
    except RefusedError as earlier:
        return earlier.rows, True

"""Tables that fit the console: cells side by side where there is room, stacked where there is not."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rich.console import Console, ConsoleOptions, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

WIDE: Final = 90
"""Columns of a console from which on cells stand side by side."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that is told of: its cells side by side, or its title and its last cells below it."""

    cells: tuple[Text, ...]
    title: Text


@dataclass(frozen=True, slots=True)
class Listing:
    """Entries under the heads of their columns.

    numbers  the heads of columns that are set to the right
    below    as many of an entry's last cells are not in its title
    broken   the first cells may be broken, because nobody looks for them as they stand
    """

    heads: tuple[str, ...]
    entries: Sequence[Entry]
    numbers: frozenset[str] = frozenset()
    below: int = 1
    broken: bool = False

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """Give the table, or the stack."""
        if options.max_width >= WIDE:
            yield self._table()
        else:
            yield from self._stack()

    def _table(self) -> Table:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
        for head in self.heads:
            # A name is looked for as it stands: it is not broken.
            table.add_column(
                head,
                justify="right" if head in self.numbers else "left",
                no_wrap=head == self.heads[0] and not self.broken,
                overflow="fold",
            )
        for entry in self.entries:
            table.add_row(*entry.cells)
        return table

    def _stack(self) -> Iterator[RenderableType]:
        for entry in self.entries:
            yield entry.title
            yield from (Padding(cell, (0, 0, 0, 4)) for cell in entry.cells[-self.below :])


def plain_table() -> Table:
    """Give a table without lines and heads, whose columns are yet to be added."""
    return Table(box=None, show_header=False, pad_edge=False)


class _Unwritten(io.StringIO):
    """Looks like standard output to what draws for it: that writes to it even when it draws nothing."""

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """That of standard output."""
        return getattr(sys.stdout, "encoding", None) or "utf-8"

    def isatty(self) -> bool:
        """Whether standard output is a terminal."""
        return sys.stdout.isatty()


def printed(show: Callable[[Console], object], width: int | None = None) -> str:
    """Give what a console shows, without the blanks that it pads lines with; nobody wants them.

    width  in columns; otherwise as wide as the terminal, and 100 where there is none: wide enough to be read in one
    """
    console = Console(file=_Unwritten(), width=width or (None if sys.stdout.isatty() else 100), highlight=False)
    with console.capture() as captured:
        show(console)
    return "\n".join(line.rstrip() for line in captured.get().splitlines())

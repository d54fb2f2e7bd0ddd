"""Tags that were meant as several: another separator in nearly all cells than the one that is in force.

    tags_separator = ";"     red|blue|green   in all rows       every row is told of, and tags_separator = "|"
                             Smith, Ann       in one of many    a comma is part of that tag

A whole column says it, so it is learned before the first row is judged.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import polars as pl

from provisioner.roster.columns import named
from provisioner.validation.fields import cells
from provisioner.validation.fields.binding import Binding
from provisioner.validation.fields.source import FirstOf, FromColumn, Joined, Mapped, Source, Template

SEPARATORS: Final = {",": ",", "|": r"\|", "/": "/", "line end": r"[\r\n]"}
"""What people separate tags with → its pattern, the likeliest first."""

NEARLY_ALL = (9, 10)
"""The part of the filled cells that holds the other separator at least."""

_ANY = r"[,|/\r\n]"


def sources_of_text(binding: Binding) -> tuple[Source, ...]:
    """Give the sources whose text is cut into tags."""
    source = binding.fields.get("tags")
    parts = source.sources if isinstance(source, Joined) else (source,)
    return tuple(
        part
        for part in parts
        if isinstance(part, FromColumn | FirstOf | Template | Mapped)
        and not any(binding.schema[name].is_nested() for name in part.columns)
    )


def unsplit(text: pl.Expr, in_force: str, pattern: str) -> pl.Expr:
    """Tell whether a text holds another separator, and not the one in force; JSON and arrays are no such text."""
    own = text.str.contains(in_force, literal=True) | text.str.contains(r"^[\[{(]")
    return text.str.contains(pattern) & ~own


@dataclass(slots=True)
class TagForms:
    """Counts the cells of tags with other separators; it does not grow with them.

    filled  cells that hold anything
    others  name of a separator → cells that hold it, and not the one in force
    """

    binding: Binding
    filled: int = 0
    others: dict[str, int] = field(default_factory=dict)

    def add(self, frame: pl.DataFrame) -> None:
        """Count the cells of a batch."""
        for source in sources_of_text(self.binding):
            texts = self._texts(frame, source)
            text = pl.col("text")
            filled, odd, other = texts.select(
                (text != "").sum(),
                self._may_be_missing(source).any().alias("odd"),
                text.str.contains(_ANY).any().alias("other"),
            ).row(0)
            if odd:
                texts = cells.read(frame, {"text": source}, self.binding)
                filled = texts.height - texts["text"].null_count()
            self.filled += filled
            if not other:
                continue
            some, in_force = texts.filter(text.str.contains(_ANY)), self.binding.tags_separator
            found = some.select(
                unsplit(text.str.strip_chars(), in_force, pattern).sum().alias(name)
                for name, pattern in SEPARATORS.items()
            )
            self.others = {name: self.others.get(name, 0) + int(found[name].item()) for name in SEPARATORS}

    def _texts(self, frame: pl.DataFrame, source: Source) -> pl.DataFrame:
        """Give `text`, with the blanks around it where that is as good."""
        if isinstance(source, FromColumn) and self.binding.schema[source.name] == pl.String:
            return frame.select(named(source.name).alias("text"))
        return cells.read(frame, {"text": source}, self.binding)

    def _may_be_missing(self, source: Source) -> pl.Expr:
        """Tell whether a cell begins or ends with a blank, or is a word for nothing."""
        text = pl.col("text")
        blank = ((text < "!") & (text != "")) | text.str.ends_with(" ")
        return blank | text.is_in(cells.one_of(cells.missing(source, self.binding)))

    @property
    def separator(self) -> str | None:
        """The name of the separator that nearly all filled cells hold; None when there is no such."""
        part, whole = NEARLY_ALL
        likely = max(self.others, key=lambda name: self.others[name], default=None)
        if likely is None or not self.others[likely] or self.others[likely] * whole < self.filled * part:
            return None
        return likely


def unsplit_rows(frame: pl.DataFrame, binding: Binding, separator: str | None) -> pl.Series | None:
    """Tell the rows of a batch that hold the separator which the survey found in nearly all cells; null for none."""
    if separator is None:
        return None
    found = cells.column_of(value=False, height=frame.height, kind=pl.Boolean)
    for source in sources_of_text(binding):
        texts = cells.read(frame, {"text": source}, binding)
        other = unsplit(pl.col("text"), binding.tags_separator, SEPARATORS[separator]).fill_null(value=False)
        found = found | texts.select(other).to_series()
    return found

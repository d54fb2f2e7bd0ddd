"""Rows that are no people: rules of dashes, kinds of columns, and totals below a table; for headers see `headers`.

    uid,name,tags
    a1,Ann Lee,red      a person
    ---,---,---         a rule: warning `row.not_a_person`
    text,text,list      a second header
    Total,2,            a total: a number where the others have text, no tags where they have some

Somebody who is called so, in a row like the others, is a person.
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from provisioner.roster.columns import all_named, outlined, unnamed
from provisioner.validation.fields.cells import AROUND, column_of
from provisioner.validation.oddities.entries import said

SAMPLE = 2000
"""So many rows from all over a roster, or half as many, say how its rows are shaped."""

MOST_COLUMNS = 100
"""As many columns say it: the first ones."""

NEARLY_ALL = 0.9

TOTALS = (
    "total", "grand total", "total general", "sum", "gesamt", "summe", "totale", "totaal", "suma", "итого", "合計",
    "subtotal", "sub total", "sub-total", "count", "row count", "record count", "records", "number of records",
    "anzahl", "gesamtanzahl", "zwischensumme", "nombre", "razem", "suma końcowa", "ogółem", "łącznie", "celkem",
    "spolu", "összesen", "toplam", "totalt", "summa", "yhteensä", "i alt", "ukupno", "всего", "总计", "合计", "總計",
    "小计", "합계", "page", "seite", "stand", "end", "ende", "end of file", "trailer", "trl", "tlr", "t", "eof",
)  # fmt: skip
TOTAL_WORDS = [f"{word}{colon}" for word in TOTALS for colon in ("", ":", " :", "\uff1a")]

_ALSO_NAMES = {
    f"{word}{colon}"
    for word in ("count", "records", "nombre", "summa", "page", "seite", "stand", "end", "ende", "t")
    for colon in ("", ":", " :", "\uff1a")
}
"""Those by which people are called, too."""

TYPES = [
    "text", "string", "str", "char", "varchar", "nvarchar", "character varying", "int", "integer", "bigint", "number",
    "numeric", "decimal", "float", "double", "bool", "boolean", "date", "datetime", "timestamp", "uuid", "guid", "json",
    "list", "array", "object", "required", "optional", "mandatory", "pflichtfeld", "pflicht", "obligatorisch",
    "obligatoire", "facultatif", "obligatorio", "opcional",
]  # fmt: skip
"""What a second header says below the names of columns."""

_KINDS = frozenset(TYPES)

RULE = "a row of nothing but dashes"
KINDS = "a second header, which says of what kind each column is"
TOTAL = "a total or a trailer, shaped unlike the other rows"

_NAMELESS = re.compile(r"_column_\d+(?:_(.*))?", re.DOTALL)
_NUMBER = r"^[-+(]?[.,'\s%$€£]*\d[\d.,'\s%$€£]*\)?$"
# Several words, or one with a capital before small letters, or one in letters that have no capitals.
_PERSON = r"^(?:\p{L}[^\d@_]*\s\p{L}[^\d@_]*|\p{Lu}\p{Ll}[^\d@_]*|\p{Lo}[^\d@_]*)$"
_DASHES = r"^:?-+:?$"


def own_columns(frame: pl.DataFrame) -> list[str]:
    """Name the columns of a roster but those that are added to it, and those without a name."""
    return [name for name in frame.columns if not name.startswith("_")]


def name_in_header(column: str) -> str | None:
    """Give the name that a column has in the file, which is nothing where it has none; null for one that is added."""
    nameless = _NAMELESS.fullmatch(column)
    return nameless[1] or "" if nameless else None if column.startswith("_") else column


def rules_of_dashes(frame: pl.DataFrame, uids: pl.Series) -> pl.Series:
    """Give the positions of the rows in which every cell that is not empty is nothing but dashes."""
    uid = pl.col(uids.name)
    begun = uids.to_frame().select(((uid >= "-") & (uid < ".")) | ((uid >= ":") & (uid < ";"))).to_series()
    if not begun.any():
        return pl.Series(dtype=pl.UInt32)
    suspects = begun.arg_true()
    suspects = suspects.filter(uids.gather(suspects).str.contains(_DASHES))
    schema = frame.schema
    texts = [name for name in frame.columns if schema[name] == pl.String and name_in_header(name) is not None]
    cells = frame.select(all_named(texts).gather(suspects).str.strip_chars(AROUND))
    dashes = cells.select(pl.all_horizontal((pl.all().fill_null("") == "") | pl.all().str.contains(_DASHES)))
    return suspects.filter(dashes.to_series())


def kinds_of_columns(frame: pl.DataFrame, suspects: pl.Series) -> pl.Series:
    """Give those of some positions whose rows say in two cells at least of what kind the columns are, and no more."""
    rows = outlined(frame[suspects], own_columns(frame)).iter_rows() if len(suspects) else ()
    filled = [[text for cell in row if (text := str(cell or "").strip(AROUND))] for row in rows]
    return suspects.filter(
        pl.Series([len(row) > 1 and _KINDS.issuperset(map(str.lower, row)) for row in filled], dtype=pl.Boolean)
    )


@dataclass(slots=True)
class Shape:
    """How the rows of a roster are shaped.

    rows     rows looked at, without those that may be totals themselves
    filled   column → how many of them have a cell
    numbers  column of text → how many of these cells are numbers
    """

    rows: int = 0
    filled: dict[str, int] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)

    def differs(self, row: Mapping[str, object], lacking: Container[str] | None = None) -> bool:
        """Tell whether a row lacks cells that nearly all others have, or has numbers where they have text.

        lacking  the columns that tell by what they lack; null for all
        """
        if not self.rows:
            return False
        for name, filled in self.filled.items():
            text = str(row[name] or "").strip(AROUND)
            if not text and filled >= NEARLY_ALL * self.rows and (lacking is None or name in lacking):
                return True
            is_text = name in self.numbers and filled and self.numbers[name] <= (1 - NEARLY_ALL) * filled
            if text and is_text and re.match(_NUMBER, text):
                return True
        return False

    def add(self, other: Shape) -> None:
        """Add what was seen of other rows."""
        self.rows += other.rows
        for total, more in ((self.filled, other.filled), (self.numbers, other.numbers)):
            for name, count in more.items():
                total[name] = total.get(name, 0) + count


class Shapes:
    """Finds how the rows of a roster are shaped, by a sample from all over it; it does not grow with them.

    Those rows are looked at whose numbers a power of two divides, which grows with the roster. What was seen is kept by
    the greatest power that divides a number, so that in the end the rows of the last one can be told from the others:
    it is the same sample whatever the batches are, and whichever rows come first.
    """

    def __init__(self) -> None:
        self._rows = 0
        self._by_power: dict[int, Shape] = {}

    def add(self, frame: pl.DataFrame) -> pl.Series:
        """Look at some of the next rows; their positions among them."""
        before = self._rows
        self._rows += frame.height
        step = 1 << _power_at(self._rows)
        looked_at = pl.int_range(-(before + 1) % step, frame.height, step, dtype=pl.UInt32, eager=True)
        names, schema = own_columns(frame)[:MOST_COLUMNS], frame.schema
        texts = [name for name in names if schema[name] == pl.String]
        if texts:
            numbers = (looked_at.cast(pl.Int64) + before + 1).to_list()
            powers = [(number & -number).bit_length() - 1 for number in numbers]
            self._count(frame.select(all_named(names))[looked_at], texts, powers)
        return looked_at

    def _count(self, sample: pl.DataFrame, texts: Sequence[str], powers: Sequence[int]) -> None:
        others = [name for name in sample.columns if name not in texts]
        people = sample.with_columns(pl.Series("_power", powers, pl.Int64)).filter(~_may_be_totals(sample))
        counted = people.group_by("_power").agg(
            pl.len().alias("_rows"),
            (all_named(texts).str.strip_chars(AROUND) != "").sum(),
            all_named(others).count(),
            all_named(texts).str.contains(_NUMBER).sum().name.prefix("_number of "),
        )
        for found in counted.iter_rows(named=True):
            filled = {name: found[name] for name in sample.columns}
            numbers = {name: found[f"_number of {name}"] for name in texts}
            self._by_power.setdefault(found["_power"], Shape()).add(Shape(found["_rows"], filled, numbers))

    def whole(self) -> Shape:
        """Give that of the whole roster."""
        shape, least = Shape(), _power_at(self._rows)
        for power, seen in self._by_power.items():
            if power >= least:
                shape.add(seen)
        return shape


def _power_at(rows: int) -> int:
    """Say which power of two divides the numbers of the rows that are looked at, of so many rows."""
    return (rows // SAMPLE).bit_length()


def totals(frame: pl.DataFrame, shape: Shape, needed: Container[str] | None = None) -> pl.Series:
    """Give the positions of the total rows; one that was told as such is still one, whatever the others are by now.

    needed  the columns of the uid and the name, where it is not the uid that is the word: who has both is a person
    """
    found = _may_be_totals(frame).arg_true()
    if found.is_empty():
        return found
    rows = outlined(frame[found], own_columns(frame)).iter_rows(named=True)
    are_names = _first_words(frame[found]).is_in(_ALSO_NAMES)
    differ = pl.Series(
        [shape.differs(row, needed if is_name else None) for row, is_name in zip(rows, are_names, strict=True)],
        dtype=pl.Boolean,
    )
    before = said(frame, "row.not_a_person")
    return found.filter(differ if before is None else differ | before.gather(found).is_not_null())


def _may_be_totals(frame: pl.DataFrame) -> pl.Series:
    """Tell the rows whose first cell is the word for a total."""
    return _first_words(frame).is_in(TOTAL_WORDS).fill_null(value=False)


def _first_words(frame: pl.DataFrame) -> pl.Series:
    """Give the first cells of rows in small letters; nulls where they are no texts."""
    first = next((unnamed(frame, name) for name in frame.columns if not name.startswith("_")), None)
    if first is None or first.dtype != pl.String:
        return column_of(None, frame.height, pl.String)
    return first.str.strip_chars(AROUND).str.to_lowercase()


def are_people(cells: pl.Series) -> bool:
    """Tell whether most cells (String, without nulls) are like names of people, and most differ."""
    return min(int(cells.str.contains(_PERSON).sum()), cells.n_unique()) * 2 > len(cells)

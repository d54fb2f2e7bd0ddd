"""Of which columns together `deactivated` is proposed to be made: a list takes the first cell that is filled, no more.

suspended  deleted     both filled in each row: the second would never count, so only one of them is the line
false      true

Austritt    Status     where the first is filled it says so itself: a list of both loses nobody
            gesperrt
2024-03-31  aktiv

Austritt    Status     a day to come would keep the second from being read: only one of them is the line
2099-12-31  gesperrt
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any, Final, NamedTuple

import polars as pl

from provisioner.roster.columns import unnamed
from provisioner.validation.vocabulary.leaving import deactivated

_EVER: Final = float("inf")


class Standing(NamedTuple):
    """What `deactivated` is made of.

    value   as `[columns]` has it; a list of two and more
    used    the columns in it
    others  those that cannot be in it beside them
    nobody  no cell that was looked at says that anybody has left, or is to leave
    """

    value: Any
    used: tuple[str, ...]
    others: tuple[str, ...]
    nobody: bool


def standing(frame: pl.DataFrame, sources: Mapping[str, Any], now: float) -> Standing:
    """Choose of one or more sources those that a list can hold together, from the one that says it of most people on.

    frame    the cells as text, trimmed, and null where nothing stands
    sources  column → what it is under `[columns]`, the best known first; see `leaving.source_of`
    now      UNIX seconds
    """
    told = {name: _told(unnamed(frame, name), source, now) for name, source in sources.items()}
    ever = {name: _told(unnamed(frame, name), source, _EVER).sum() for name, source in sources.items()}
    most = sorted(sources, key=lambda name: (-told[name].sum(), -ever[name]))
    # A day before a word, and what stands for empty cells too behind all.
    place = {name: isinstance(source, dict) + ("default" in source) for name, source in sources.items()}
    used: list[str] = []
    for name in most[: None if frame.height else 1]:  # without a row nobody knows which complete each other
        ordered = sorted((*used, name), key=place.__getitem__)
        if all(_loses_nobody(told[one], told[next_]) for one, next_ in combinations(ordered, 2)):
            used = ordered
    values = [sources[name] for name in used]
    others = tuple(name for name in sources if name not in used)
    nobody = frame.height > 0 and not any(ever[name] for name in used)
    return Standing(values if len(values) > 1 else values[0], tuple(used), others, nobody)


def _loses_nobody(first: pl.Series, later: pl.Series) -> bool:
    """Tell whether each row in which both are filled is said to be deactivated by the first."""
    both = first.is_not_null() & later.is_not_null()
    return bool(first.filter(both).all())


def _told(cells: pl.Series, source: Any, now: float) -> pl.Series:
    """Tell what each cell says (Boolean); null where the list would go on to the next column."""
    cell = pl.col("cell")
    words = source["map"] if isinstance(source, dict) else {}
    text = cell.replace({word: str(gone).lower() for word, gone in words.items()}) if words else cell
    said = deactivated(text, now).fill_null(value=False)
    has_default = isinstance(source, dict) and "default" in source
    return cells.to_frame("cell").select(said if has_default else pl.when(cell.is_not_null()).then(said)).to_series()

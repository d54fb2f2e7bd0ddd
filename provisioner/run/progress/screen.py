"""As much of the progress as a terminal is wide: whole facts, the least important of them left out first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from rich.text import Text

_BAR: Final = 16
_BETWEEN: Final = " · "


class Fact(NamedTuple):
    """One thing that is told; of two that have no room together the one with the higher `rank` goes."""

    text: str
    rank: int
    style: str = ""


def lines(where: Sequence[Fact], how: Sequence[Fact], share: float | None, width: int, *, ascii_only: bool) -> Text:
    """Lay out what is told.

    where       how far it is: the first line
    how         how fast, why, and with what outcome: the second
    share       of all rows that are through, 0 to 1; None where nobody knows
    width       columns
    ascii_only  the terminal can show nothing else

    The bar goes before anything else, for it says what the percentage says. No colour is used that a light or a dark
    background could swallow.
    """
    room = width - 1  # a line that fills the last column wraps on some terminals
    first, *second = [_joined(_fitting(each, room)) for each in (where, how) if each]
    if share is not None and len(first) + _BAR + 1 <= room:
        first = Text.assemble(_bar(share, ascii_only=ascii_only), " ", first)
    text = Text("\n").join([first, *second])
    text.no_wrap, text.overflow = True, "ellipsis"
    return text


def _fitting(facts: Sequence[Fact], room: int) -> list[Fact]:
    kept = list(facts)
    while len(kept) > 1 and len(_joined(kept)) > room:
        kept.remove(max(kept, key=lambda fact: fact.rank))
    return kept


def _joined(facts: Sequence[Fact]) -> Text:
    return Text(_BETWEEN).join(Text(each.text, each.style) for each in facts)


def _bar(share: float, *, ascii_only: bool) -> str:
    done, left = "#." if ascii_only else "━┄"
    full = min(_BAR, int(share * _BAR))
    return done * full + left * (_BAR - full)

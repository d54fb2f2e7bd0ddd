r"""What a number format makes of a number: a moment, a text padded with zeros, or nothing that counts.

00000                     42  is 00042
"EMP"0000                 42  is EMP0042
000\-00\-0000        12345678  is 012-34-5678
yyyy-mm-dd             45413  is 2024-05-01
0.00%, #,##0 €                as the number is
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import partial
from typing import Final, TypeAlias

from provisioner.roster.workbook.numbers import duration_text, moment_text

NumberFormat: TypeAlias = Callable[[float], str | None]
"""What a person sees of a number; null when it is the number itself, in whatever dress."""

_TOKEN: Final = re.compile(
    r'"(?P<quoted>[^"]*)"?|\\(?P<escaped>.)|_(?P<space>.)|\*.|\[(?P<bracket>[^\]]*)\]|(?P<bare>.)', re.DOTALL
)
_CONDITION: Final = re.compile(r"(<=|>=|<>|<|>|=)\s*(-?\d+(?:\.\d+)?)")
_COMPARISONS: Final = {
    "<=": operator.le, ">=": operator.ge, "<>": operator.ne, "<": operator.lt, ">": operator.gt, "=": operator.eq
}  # fmt: skip
_ELAPSED: Final = re.compile(r"h+|m+|s+", re.IGNORECASE)
_OF_A_MOMENT: Final = frozenset("ymdhs")
_PLACES: Final = "0#?"
# What stands for itself without quotes.
_LITERALS: Final = frozenset(" $-+():!^&'~{}<>=")

# The formats that need not be written down; those of East Asia and Thailand among them.
_MOMENTS: Final = frozenset({*range(14, 23), *range(27, 37), 45, 47, *range(50, 59), *range(71, 79), 80, 81})
_DURATIONS: Final = frozenset({46, 79})


@dataclass(frozen=True, slots=True)
class _Section:
    """One of the sections of a format, which are for numbers above, below and of zero, or for a condition.

    holds   the condition; null without one
    pieces  what is shown: a place for a digit (0, #, ?) as (true, it), a literal as (false, it)
    pads    whether numbers that are too short are filled up with zeros
    """

    holds: Callable[[float], bool] | None
    pieces: tuple[tuple[bool, str], ...]
    pads: bool


def built_in(number: int, *, since_1904: bool = False) -> NumberFormat | None:
    """Give the format of a number that needs no code; null for one that does nothing that counts."""
    if number in _DURATIONS:
        return duration_text
    return partial(moment_text, since_1904=since_1904) if number in _MOMENTS else None


def number_format(code: str, *, since_1904: bool = False) -> NumberFormat | None:
    """Give the format of a code; null for one that does nothing that counts."""
    first = _cut(code)[0]
    brackets = [match["bracket"] for match in first if match["bracket"] is not None]
    if any(_ELAPSED.fullmatch(text) for text in brackets):
        return duration_text
    bare = "".join(match["bare"] or " " for match in first).lower()
    if _OF_A_MOMENT & set(bare.replace("general", "")):
        return partial(moment_text, since_1904=since_1904)
    sections = tuple(_section(tokens) for tokens in _cut(code))
    return partial(_padded, sections) if any(section.pads for section in sections) else None


def _cut(code: str) -> list[list[re.Match[str]]]:
    """Cut a code into its sections, and those into what they are made of."""
    sections: list[list[re.Match[str]]] = [[]]
    for match in _TOKEN.finditer(code):
        if match["bare"] == ";":
            sections.append([])
        else:
            sections[-1].append(match)
    return sections


def _section(tokens: list[re.Match[str]]) -> _Section:
    holds, pieces, plain = None, [], True
    for match in tokens:
        if (bracket := match["bracket"]) is not None:
            plain &= not bracket.startswith("$") or bracket.startswith("$-")  # no currency
            if condition := _CONDITION.fullmatch(bracket):
                holds = partial(_compared, condition[1], float(condition[2]))
        elif (bare := match["bare"]) is not None:
            plain &= bare in _PLACES or bare in _LITERALS
            pieces.append((bare in _PLACES, bare))
        elif match["space"] is not None:
            pieces.append((False, " "))
        else:
            pieces.append((False, match["quoted"] or match["escaped"] or ""))
    zeros = sum(is_place and text == "0" for is_place, text in pieces)
    return _Section(holds, tuple(pieces), plain and zeros > 1)


def _compared(sign: str, limit: float, number: float) -> bool:
    return bool(_COMPARISONS[sign](number, limit))


def _padded(sections: tuple[_Section, ...], number: float) -> str | None:
    """Write a number with the section that is for it; null when that one does not pad."""
    section, signed = _chosen(sections, number)
    if section is None or not section.pads:
        return None
    digits = str(abs(int(Decimal(repr(number)).to_integral_value(ROUND_HALF_UP))))
    text = _filled(section.pieces, "" if digits == "0" else digits)
    return f"-{text}" if signed and digits != "0" else text


def _chosen(sections: tuple[_Section, ...], number: float) -> tuple[_Section | None, bool]:
    """Give the section for a number, and whether a minus sign is shown before it."""
    numeric = sections[:3]
    if any(section.holds for section in numeric):
        found = next((each for each in numeric if each.holds is None or each.holds(number)), None)
        return found, number < 0
    if len(numeric) == 1:
        return numeric[0], number < 0
    if number < 0:
        return numeric[1], False
    return numeric[2] if number == 0 and len(numeric) > 2 else numeric[0], False


def _filled(pieces: tuple[tuple[bool, str], ...], digits: str) -> str:
    """Put digits in their places from the right; what is left over stands before the first place."""
    places = sum(is_place for is_place, _ in pieces)
    left, text = places, []
    for is_place, piece in pieces:
        if not is_place:
            text.append(piece)
            continue
        if left == places and len(digits) > places:
            text.append(digits[: len(digits) - places])
        text.append(digits[-left] if left <= len(digits) else {"0": "0", "#": "", "?": " "}[piece])
        left -= 1
    return "".join(text).strip()

"""Signs that stand in names and notes: where they do they tell as little of an encoding as a comma.

Acme\u00ae  N\u00ba 5  30\u00b0      at their places
Mar\u00aea  \u00baan              letters of another encoding
"""

from __future__ import annotations

import re
from typing import Final

_TYPED: Final = 0.1
"""For signs whose bytes are letters within words in older encodings: Garc\u2019a is Garc\u00eda."""

# What signs of the Windows encodings stand between: before and behind. Compiled when a text turns out not to be UTF-8.
_SIGNS: Final = {
    sign: (unlikely, between)
    for unlikely, places in (
        (_TYPED, {
            "\u2019": r"\w.\D", "\u2018\u201c\u201e": r"\W.\w", "\u201d": r"[^\W\d_].\W|[^\w\s].\W",
            "\u2013\u2014": r"\s.\s|\w.\w", "\u2026": r"\w.\W",
        }),
        (0.0, {
            "\u20ac\u00a3\u00a5\u00a2": r"\d.\W|\W.\d|\s.\s", "\u00a0": r"\S.[^a-z]|[^\w\s].\w",
            "\u00b0": r"[\dNn\s].[^a-z]", "\u00aa\u00ba": r"[\dNnM].\W|[Nn].\d", "\u00ae\u2122": r"[\w)].\W",
            "\u00a9\u00a7\u00b1": r"\W.[\s\d]", "\u00bc\u00bd\u00be": r"[\d\W].\W", "\u2022": r"\W.\s",
            "\u00d7": r"[\d\s].[\d\s]", "\u00b7": r"\s.\s|[Ll].[Ll]", "\u00b2": r"m.\W",
            "\u00ab": r"\W.[\s\w]", "\u00bb": r"[\s\w.!?].\W", "\u00a1\u00bf": r"\W.[A-Z]",
        }),
    )
    for signs, between in places.items()
    for sign in signs
}  # fmt: skip


def unlikeliness(around: str) -> float | None:
    """Say how unlikely the middle one of three letters is as a sign; None where it is none, or not at its place."""
    unlikely, between = _SIGNS.get(around[1], (None, None))
    return unlikely if between is not None and re.fullmatch(between, around) else None

"""How counts, durations, times and values are said, to people and in messages."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any, Final

LONGEST_SHOWN: Final = 40
"""Characters of a value that a message shows."""

INVISIBLE: Final = "\u00ad\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2061\u2062\u2063\u2064\u2066\u2067\u2068\u2069\u206a\u206b\u206c\u206d\u206e\u206f\ufeff"  # noqa: E501
"""Characters without a shape or width: zero-width ones, byte order marks, soft hyphens, direction marks."""

WHITE_SPACE: Final = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"  # noqa: E501
"""The characters with Unicode's White_Space property (PropList.txt), which are what polars strips too.

Python's `str.strip()` strips U+001C to U+001F besides, so text that polars does not see is stripped of these.
"""

# Also what some programs of DOS end a text with, and zeros that fill the last block up; another file may stand behind.
NOTHING: Final = WHITE_SPACE + INVISIBLE + "\x00\x1a"
"""Characters of which nothing can be seen in a cell."""

_NUMBER: Final = "\ud800"
_WHOLE_DIGITS: Final = 640  # any Python reads so many

_CONTROLS = [*range(0x20), *range(0x7F, 0xA1)]
_UNSEEN = [*map(ord, INVISIBLE[1:]), *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000]
ESCAPES: Final = (
    {code: f"\\x{code:02x}" for code in (*_CONTROLS, 0xAD)}
    | {code: f"\\u{code:04x}" for code in _UNSEEN}
    | {9: "\\t", 10: "\\n", 13: "\\r"}
)
"""Code point of a character that cannot be seen, or told from a blank → how a message shows it."""


def counted(number: int, noun: str) -> str:
    """Say how many of a thing there are: `1 row`, `2,000 rows`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def duration(seconds: float) -> str:
    """Seconds as a person says them: `12 s`, `3 min 20 s`, `2 h 5 min`."""
    whole = math.ceil(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def shortened(text: str) -> str:
    """Show a value in a message: in quotes, at most 40 characters, control characters escaped."""
    return f"'{text[:LONGEST_SHOWN].translate(ESCAPES)}{'…' if len(text) > LONGEST_SHOWN else ''}'"


def json_error(error: Exception) -> str:
    """Say what a JSON parser found, without the position: the text has been shown."""
    return str(error).partition(":")[0].partition(" at line")[0]


def nearest(name: str, known: tuple[str, ...]) -> str:
    """Say which known name comes nearest, if any does."""
    close = closest(name, known)
    return "" if close is None else f"; did you mean {close!r}?"


def closest(
    name: str, known: Iterable[str], *, key: Callable[[str], str] = str.casefold, cutoff: float = 0.6
) -> str | None:
    """Give the known name that comes nearest, both as `key` makes them; None where none is as like as `cutoff`."""
    by_key = {key(each): each for each in reversed([*known])}
    return next((by_key[found] for found in get_close_matches(key(name), by_key, n=1, cutoff=cutoff)), None)


def printable(text: str) -> str:
    """Give a name as a message can hold it: on one line."""
    return text if text.isprintable() else repr(text)[1:-1]


def printable_in(value: Any) -> Any:
    """Give a part of a JSON document whose texts, keys included, a message can hold."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {printable(key): printable_in(each) for key, each in value.items()}
    return [printable_in(each) for each in value] if isinstance(value, list) else value


def listed(words: Sequence[str], at_most: int = 5) -> str:
    """Name the first of many: `a, b and 3 more`."""
    more = f" and {len(words) - at_most:,} more" if len(words) > at_most else ""
    return ", ".join(words[:at_most]) + more


def first_line(error: object) -> str:
    """Give what an error says in its first line, its name when it says nothing."""
    return (str(error).splitlines() or [type(error).__name__])[0]


def iso_time(seconds: float, timespec: str = "milliseconds") -> str:
    """Give UNIX seconds as documents hold a time: `2026-01-31T23:59:59.000Z`; the number where no calendar has it."""
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat(timespec=timespec).replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return f"{seconds:.0f}"


class Number(float):
    """A number of a JSON text that Python would write otherwise; `text` is what stands there."""

    text: str


def read_exactly(text: str | bytes) -> Any:
    """Read JSON so that `json_text` writes its numbers as they stand, whatever a float or Python makes of them."""
    return json.loads(text, parse_float=_number, parse_int=_number)


def _number(text: str) -> float:
    whole = len(text) <= _WHOLE_DIGITS and text.lstrip("-").isdigit()
    value = int(text) if whole else float(text)
    if repr(value) == text:
        return value
    number = Number(value)
    number.text = text
    return number


def _marked(value: object) -> object:
    """Put a text in the place of each `Number`, which is told by half a surrogate pair: no JSON holds one."""
    if isinstance(value, dict):
        return {key: _marked(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_marked(each) for each in value]
    return f"{_NUMBER}{value.text}" if isinstance(value, Number) else value


def json_text(document: object, indent: int | None = 2, default: Callable[[Any], object] | None = None) -> str:
    """Give JSON as it is printed and filed, every letter as it stands; `default` reads what JSON does not know."""
    text = json.dumps(_marked(document), indent=indent, ensure_ascii=False, default=default)
    return re.sub(rf'"{_NUMBER}([^"]*)"', r"\1", text)

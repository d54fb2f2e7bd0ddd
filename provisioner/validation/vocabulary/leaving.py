"""Whether somebody is deactivated, by a cell that says so: true or false, or the day from which on.

cell                         now: 2026-12-01T09:30Z
yes                          deactivated
2026-12-01                   deactivated: from the beginning of that day on, UTC
2026-12-01T12:00+02:00       not yet: a time without a zone is UTC
1.12.2026                    as 2026-12-01: with points the day stands before the month; with slashes nobody knows
infinity                     never: databases have this word for the day that does not come, and -infinity
(empty)                      not deactivated
next week                    none of it: a defect
"""

from __future__ import annotations

from typing import Final

import polars as pl

TRUE: Final = ("true", "yes", "1", "t", "y")
FALSE: Final = ("false", "no", "0", "f", "n")

# What databases have for a day that does not come, and for one before all others.
_NEVER: Final = "infinity"
_ALWAYS: Final = "-infinity"

_POINTED: Final = r"\.\d\d?\.\d{4}"
_MOMENT: Final = (
    # One way to match at each character: with two, as of `a|b`, polars takes twice as long to cut a cell.
    rf"^(?P<day>\d(?:\d(?:\d\d-\d\d-\d\d|{_POINTED})|{_POINTED}))"
    r"(?:[Tt ](?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,]\d{1,9})?)?"
    r" ?(?:[Zz]|(?P<sign>[+-])(?P<east>\d\d):?(?P<past>\d\d))?)?$"
)
_MINUTE, _HOUR = 60, 3600


def deactivated(text: pl.Expr, now: float) -> pl.Expr:
    """Tell whether somebody is deactivated (Boolean, null for a cell that says none of it); `now` is UNIX seconds.

    text  of the cells, trimmed and null where they are empty
    """
    word = text.str.to_lowercase()
    said = pl.when(text.is_null() | word.is_in([*FALSE, _NEVER])).then(statement=False)
    return said.when(word.is_in([*TRUE, _ALWAYS])).then(statement=True).otherwise(_moment(text) <= now)


def wants_token(text: pl.Expr) -> pl.Expr:
    """Tell whether a cell asks for an auth token, as one that is missing does (Boolean, null where it says neither)."""
    word = text.str.to_lowercase()
    return pl.when(text.is_null() | word.is_in(TRUE)).then(statement=True).when(word.is_in(FALSE)).then(statement=False)


def as_meant(text: pl.Expr, meaning: pl.Expr) -> pl.Expr:
    """Give what cells mean (Boolean) as texts, under their name; a word that means neither is itself in lower case."""
    return pl.when(meaning.is_null()).then(text.str.to_lowercase()).otherwise(meaning.cast(pl.String))


def _moment(text: pl.Expr) -> pl.Expr:
    """Give the moment in UNIX seconds (Int64); null for what is none, such as the 30th of February."""
    parts = text.str.extract_groups(_MOMENT).struct
    said = parts.field("day")
    pointed = pl.when(said.str.contains(".", literal=True)).then(said)
    days = (said.str.to_date("%Y-%m-%d", strict=False), pointed.str.to_date("%d.%m.%Y", strict=False))
    day = pl.coalesce(days).dt.epoch("s")
    hour, minute, second, east, past = (_number(parts.field(name)) for name in _BELOW)
    west = pl.when(parts.field("sign") == "-").then(1).otherwise(-1) * (east * _HOUR + past * _MINUTE)
    sound = pl.all_horizontal([_number(parts.field(name)) < limit for name, limit in _BELOW.items()])
    return pl.when(sound).then(day + hour * _HOUR + minute * _MINUTE + second + west)


# What each part has to be below; a leap second is none that a clock of UNIX seconds knows.
_BELOW: Final = {"hour": 24, "minute": 60, "second": 60, "east": 24, "past": 60}


def _number(part: pl.Expr) -> pl.Expr:
    return part.cast(pl.Int64).fill_null(0)

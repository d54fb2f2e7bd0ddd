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

import re
from collections.abc import Sequence
from typing import Any, Final

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

# What a column is called in which true says that somebody has left, or that somebody has not.
_SAYS_GONE: Final = re.compile(
    r"(?i)disabled|suspended|blocked?|banned|locked|deactivated|inactive|deleted|archived|terminat|gesperrt|austritt|"
    r"ausgetreten|kündigung|sortie|départ|\bbaja|cessazione|desligamento|uit.?dienst|退職|退会"
)
_SAYS_ACTIVE: Final = re.compile(r"(?i)activ|aktiv|enabled|actif|attivo|ativo|actief|有効|在籍|在職|在职|재직")
# Words of a status that say that somebody has left, or may not log in.
_GONE: Final = re.compile(
    r"^(?:in-?a[ck]ti|inatti|inati|de-?a[ck]ti|désacti|disab|deprov|terminat|separated|left$|leaver|resign|suspend|"
    r"block|bann|locked|delet|archiv|former|ex-|ausge(?:treten|schieden)|ehemalig|gekündigt|gesperrt|baja|cessa|"
    r"deslig|退|离职|離職|uit dienst)|^no[nt]?[ -]?a[ck]tiv"
)


def deactivated(text: pl.Expr, now: float) -> pl.Expr:
    """Tell whether somebody is deactivated (Boolean, null for a cell that says none of it); `now` is UNIX seconds.

    text  of the cells, trimmed and null where they are empty
    """
    word = text.str.to_lowercase()
    said = pl.when(text.is_null() | word.is_in([*FALSE, _NEVER])).then(statement=False)
    return said.when(word.is_in([*TRUE, _ALWAYS])).then(statement=True).otherwise(_moment(text) <= now)


def unread(cells: pl.Series) -> int:
    """Count the texts that say neither whether somebody is deactivated nor from which day on."""
    return int(cells.to_frame("cell").select(deactivated(pl.col("cell"), 0).is_null().sum()).item())


def source_of(column: str, values: Sequence[str], odd: int) -> Any:
    """Propose what `deactivated` is made of under `[columns]`, from a column that says who is active.

    values  that the column has, all of them; empty when they are many
    odd     how many cells `deactivated` does not read as they stand

    Austritt, 2026-12-31          Austritt
    is_active, true and false     a map that turns them round
    Status, active and inactive   a map; a word that nobody knows deactivates nobody
    """
    words = [value for value in values if value.lower() in (*TRUE, *FALSE)]
    if not odd and not (words and not _SAYS_GONE.search(column)):
        return column
    if not values:
        return {"column": column, "map": {"terminated": True}, "default": False}
    read = pl.DataFrame({"value": values}, schema={"value": pl.String}).select(deactivated(pl.col("value"), 0))
    dates = {value for value, known in zip(values, read.to_series(), strict=True) if known is not None} - {*words}
    return {"column": column, "map": {each: _is_gone(column, each) for each in values if each not in dates}}


def _is_gone(column: str, value: str) -> bool:
    """Tell what a word means; false where nobody knows."""
    word = value.lower()
    if word in (*TRUE, *FALSE) and _SAYS_ACTIVE.search(column) and not _SAYS_GONE.search(column):
        return word in FALSE
    if word in (*TRUE, *FALSE):
        return word in TRUE and _SAYS_GONE.search(column) is not None
    return _GONE.search(word) is not None


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

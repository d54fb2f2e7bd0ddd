"""Values as people write them in a config file or on the command line: `70%`, `100`, `tab`, an address."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from math import floor
from typing import Final
from urllib.parse import urlsplit

from provisioner.roster.shard import MOST_SHARDS, Shard
from provisioner.wording import counted

LEAST_DEACTIVATIONS: Final = 10
"""So many people may leave in one night whatever share that is, or a tenth of a company that is smaller."""

LEAST_REJECTED: Final = 3
"""So many rows may be rejected whatever share that is."""

LEAST_CHANGED: Final = 3
"""So many people may be created while more are absent too, or have the same field changed, whatever share that is."""

LEAST_SETTLED: Final = 100
"""Settled rows from which on a share of failed ones counts: the first of ten rows is no tenth of a run."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many of something are borne: a number, or a share (0.05 is 5 %); without either, any number.

    least       so many are borne whatever share that is, unless that is nothing
    tenth       but of them no more than a tenth of all, and one at least
    counted_at  how many there must be before a share of them counts; of fewer, all are borne
    """

    number: int | None = None
    share: float | None = None
    least: int = 0
    counted_at: int = 0
    tenth: bool = False

    def of(self, total: int) -> int:
        """How many of `total`."""
        if self.number is not None:
            return self.number
        if self.share is None or total < self.counted_at:
            return total
        least = max(1, min(self.least, total // 10)) if self.tenth else self.least
        # 29 % of 100 is 28.999999999999996 in binary.
        return max(least if self.share else 0, floor(self.share * total + 1e-9))

    def exceeded(self, count: int, total: int) -> bool:
        """Whether `count` of `total` are more than that."""
        return count > self.of(total)

    def phrase(self, noun: str, whole: str) -> str:
        """Say it of things that are counted: `3 rows`, `5% of the settled rows`."""
        return counted(self.number, noun) if self.number is not None else f"{self} of the {whole}"

    def __str__(self) -> str:
        return str(self.number) if self.number is not None else f"{(self.share or 0) * 100:g}%"


def parse_allowance(value: object, least: int = 0, counted_at: int = 0, *, tenth: bool = False) -> Allowance:
    """Read a number (`20`) or a share (`"5%"`, with `least` and `counted_at`); raises `ValueError`."""
    if isinstance(value, Allowance):
        return value
    text = str(value).strip()
    if text.isdecimal():
        return Allowance(number=int(text))
    share = _fraction(text) if text.endswith("%") else None
    if share is not None and 0 <= share <= 1:
        return Allowance(share=share, least=least, counted_at=counted_at, tenth=tenth)
    raise ValueError("give a number such as 20, or a share such as 5%")


_THOUSANDS: Final = {"": 1, "k": 1_000, "m": 1_000_000}


def parse_count(value: object) -> object:
    """Read `10k` as 10000, and `1.5M` as 1500000; what is no text is left for others to refuse. Raises `ValueError`."""
    if not isinstance(value, str):
        return value
    found = re.fullmatch(r"([+-]?\d+(?:_\d+)*)(\.\d+)?\s*([kKmM]?)", value.strip())
    number = Decimal(f"{found[1]}{found[2] or ''}") * _THOUSANDS[found[3].lower()] if found else Decimal("0.1")
    if number != int(number):
        raise ValueError("give a whole number such as 500 or 10k")
    return int(number)


def parse_shard(value: object) -> Shard:
    """Read which shard of how many: `3/16`. Raises ValueError."""
    if isinstance(value, Shard):
        return value
    found = re.fullmatch(r"\s*(\d{1,9})\s*/\s*(\d{1,9})\s*", value) if isinstance(value, str) else None
    shard = Shard(int(found[1]), int(found[2])) if found else Shard(0, 0)
    if not 1 <= shard.number <= shard.of <= MOST_SHARDS:
        raise ValueError(f"should be a shard and how many there are, 1/16 to 16/16, of {MOST_SHARDS:,} at most")
    return shard


def parse_share(value: object) -> float:
    """Read `0.7`, `"0.7"` or `"70%"` as 0.7; raises `ValueError` for anything not above 0 and at most 1."""
    number = _fraction(value)
    if number is None:
        raise ValueError("give a number such as 0.7 or 70%")
    if not 0 < number <= 1:
        raise ValueError("give a share above 0 and at most 1, such as 0.7 or 70%")
    return number


def _fraction(value: object) -> float | None:
    """Read a part of one, as such or in percent; None for what is no number."""
    text = str(value).strip()
    try:
        return float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        return None


def parse_url(value: object) -> object:
    """Take an API root without the slash at its end; what is no text is left for others to refuse."""
    if isinstance(value, str):
        if not re.fullmatch(r"(?i:https?)://[^\s/@?#\\]+[^\s@?#\\]*", value) or not _has_address(value):
            raise ValueError("give an absolute http or https URL, without a user name, a query or a fragment")
        scheme, separator, rest = value.partition("://")
        return f"{scheme.lower()}{separator}{rest}".rstrip("/")
    return value


def _has_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False


# What people write for a tab, which is hard to type.
_TAB: Final = frozenset({"tab", "\\t", "\t"})


def parse_delimiter(value: object) -> str:
    """Read what separates the cells of a CSV: one character of ASCII, a blank too, or `tab`."""
    text = str(value)
    if text.lower() in _TAB:
        return "\t"
    if len(text) != 1 or not text.isascii() or text.isalnum() or text in '"\r\n':
        raise ValueError("give one character such as ; or , or |, or tab")
    return text


def parse_escape(value: object) -> str:
    """Read what takes the meaning of the next character away in a quoted cell: one character, as a rule a backslash."""
    text = str(value)
    if len(text) != 1 or not text.isascii() or not text.isprintable() or text.isalnum() or text in '" ':
        raise ValueError("give one character, such as \\")
    return text


_SECONDS: Final = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}


_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(s|min|m|h|d)", re.IGNORECASE)


def parse_duration(value: object) -> float:
    """Read `90s`, `30min`, `4h`, `1h 30m` or a number of seconds; gives seconds, raises `ValueError`."""
    text = str(value).strip()
    if re.fullmatch(r"\d+(\.\d+)?", text):
        seconds = float(text)
    elif re.fullmatch(rf"(?:{_DURATION.pattern}\s*)+", text, re.IGNORECASE):
        seconds = sum(float(number) * _SECONDS[unit.lower()] for number, unit in _DURATION.findall(text))
    else:
        seconds = 0.0
    if not 0 < seconds <= 366 * 86400:
        raise ValueError("give a duration such as 4h, 30min or 90s")
    return seconds

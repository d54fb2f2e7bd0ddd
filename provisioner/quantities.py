"""Amounts as people write them in a config file or on the command line: `5%`, `10`, `4h`."""

from __future__ import annotations

import re
from typing import Final

from provisioner.guards import Allowance

_SECONDS: Final = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(s|min|m|h|d)", re.IGNORECASE)


def parse_allowance(value: object, least: int = 0) -> Allowance:
    """Read a number (`20`) or a share (`"5%"`, and at least `least`); raises `ValueError`."""
    if isinstance(value, Allowance):
        return value
    text = str(value).strip()
    if text.isdecimal() and not isinstance(value, bool):
        return Allowance(number=int(text))
    if text.endswith("%"):
        try:
            share = float(text.removesuffix("%")) / 100
        except ValueError:
            share = -1.0
        if 0 <= share <= 1:
            return Allowance(share=share, least=least)
    raise ValueError("give a number such as 20, or a share such as 5%")


def parse_duration(value: object) -> float:
    """Read `90s`, `30min`, `4h`, `1h 30m` or a number of seconds; gives seconds, raises `ValueError`."""
    text = str(value).strip()
    if re.fullmatch(r"\d+(\.\d+)?", text) and not isinstance(value, bool):
        seconds = float(text)
    elif re.fullmatch(rf"(?:{_DURATION.pattern}\s*)+", text, re.IGNORECASE):
        seconds = sum(float(number) * _SECONDS[unit.lower()] for number, unit in _DURATION.findall(text))
    else:
        seconds = 0.0
    if not 0 < seconds <= 366 * 86400:
        raise ValueError("give a duration such as 4h, 30min or 90s")
    return seconds

"""A profile in the one form in which what was sent and what the API shows compare: as the API would have stored it.

Of the digests, those of the state tell every digit (see `provisioner.sending.users.profile`), for they hold a roster
against an earlier one; only where the other side is what the API shows does this form count. It is canonical JSON: keys
sorted, no blanks, UTF-8, fields that hold nothing left out. In it counts as one

    text      with and without white space around it; blank text is null
    role      in any case; `default` and none
    tags      in any order, each once
    numbers   1, 1.0 and 1e0; from 2^63 on, below -2^63 and in fractions, whatever is the same double: PHP tells no more
    metadata  keys in any order; what PHP cannot tell apart: {} and [], {"0":"a","1":"b"} and ["a","b"]
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple

import orjson

from provisioner.model import FIELDS
from provisioner.sending.users.profile import DEFAULT_ROLE, digests, parts, same

# Whole numbers below the one, and from the other on, are doubles to PHP.
_LEAST: Final = -(2**63)
_BEYOND: Final = 2**63
# Without any of these, metadata has the same digest as it stands and as it is stored.
_MAY_CHANGE: Final = re.compile(r'\\|""|"\s|\s"|[\[{]\s*[\]}]|"0"|\d{16}|[.eE][\d+-]')


class Known(NamedTuple):
    """A profile that is known: its digests, and those of the form in which the API has stored it."""

    digests: bytes
    stored: bytes


def stored(name: str, value: Any) -> Any:
    """Give a field's value in the form in which the API stores it; None when it holds nothing."""
    if name == "role" and isinstance(value, str):
        value = value.strip().lower()
        return None if value == DEFAULT_ROLE else value or None
    if name == "tags" and isinstance(value, list) and all(isinstance(each, str) for each in value):
        return sorted({each.strip() for each in value} - {""}) or None
    try:
        value = _as_stored(value)
    except RecursionError:
        return value
    return None if value == [] else value


def _as_stored(value: Any) -> Any:
    # Of JSON, so the types are exact: to match by class takes several times as long, for every value of every user.
    kind = type(value)
    if kind is str:
        return value.strip() or None
    if kind is dict:
        if all(str(at) in value for at in range(len(value))):
            return [_as_stored(value[str(at)]) for at in range(len(value))]
        return {key: _as_stored(item) for key, item in value.items()}
    if kind is list:
        return [_as_stored(item) for item in value]
    if kind is float and value.is_integer() and _LEAST <= value < _BEYOND:
        return int(value)
    if kind is int and not _LEAST <= value < _BEYOND:
        return float(value)
    return value


def stored_texts(profile: Mapping[str, str | None]) -> dict[str, str | None]:
    """Give a profile (field → JSON text) in the form in which the API stores it; null for what holds nothing."""
    return {name: text and _stored_text(name, text) for name, text in profile.items()}


def _stored_text(name: str, text: str) -> str | None:
    words = text[1:-1]
    if text[:1] == '"' and name != "role" and "\\" not in text and words.strip() == words != "":
        return text
    if name == "metadata" and not _MAY_CHANGE.search(text):
        return text
    try:
        value = stored(name, orjson.loads(text))
        return None if value is None else orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    except (ValueError, TypeError):  # nested so deep that it can be compared only as it is written
        return text


def known(kept: bytes, profiles: Collection[Mapping[str, str]]) -> Known:
    """Say how the API has stored a profile of which digests are kept.

    profiles  what it may be (field → JSON text): a field that is in none of them is stored as its digest has it
    """
    stored_as = list(parts(kept))
    for each in profiles:
        alike = same(kept, digests(each))
        fields = zip(FIELDS, parts(digests(stored_texts(each))), stored_as, strict=True)
        stored_as = [new if name in alike else so_far for name, new, so_far in fields]
    return Known(kept, b"".join(stored_as))


def recognised(shown: Known, several: Sequence[Known]) -> bytes:
    """Give the digests of a profile as the API shows it: of a field that is one that is known, the known ones.

    The first of `several` counts in which the field is the same as it stands, or as the API stores it.
    """
    digests_shown, stored_shown = list(parts(shown.digests)), list(parts(shown.stored))
    found = list(digests_shown)
    for each in reversed(several):
        for at, (ours, as_stored) in enumerate(zip(parts(each.digests), parts(each.stored), strict=True)):
            if ours == digests_shown[at] or as_stored == stored_shown[at]:
                found[at] = ours
    return b"".join(found)

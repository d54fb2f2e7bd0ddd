"""JSON objects of at most two levels that need no thought, told by polars: nothing is escaped, no key comes twice.

Of such only the blanks have to go, and for that they need not be parsed. In nearly all rows of a roster there are the
same keys in the same order, of which some may be missing: one pattern of them asks for everything at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import orjson
import polars as pl

# Nothing at the ends of a string could be taken for part of JSON's own `, "` or `": `, from which blanks are taken.
_STRING: Final = r'"(?:[^"\\\x00-\x1f,: ](?:[^"\\\x00-\x1f]*[^"\\\x00-\x1f,: ])?)?"'
_ANY_STRING: Final = r'"[^"\\\x00-\x1f]*"'
_KEY: Final = re.compile(_STRING)

# What programs put blanks into, and what remains. To ask whether there are any is cheaper than to take them out.
_BLANKS: Final = {'": ': '":', ', "': ',"'}

# A pattern takes some milliseconds to be made, and grows with the keys; there is a length that polars refuses.
_FEW_ROWS: Final = 1_000
_SAMPLED: Final = 64
_MOST_KEYS: Final = 64
_MOST_ORDERED: Final = 256
_MOST_FORMS: Final = 16
_LONGEST: Final = 20_000


def _scalar(string: str) -> str:
    return rf"(?:{string}|0|-?[1-9][0-9]{{0,14}}|true|false|null)"


def _strings(string: str) -> str:
    return rf"\[(?:{string}(?:, ?{string})*)?\]"


def _members(value: str) -> str:
    return rf"\{{(?:{_STRING}: ?{value}(?:, ?{_STRING}: ?{value})*)?\}}"


_PLAIN: Final = rf"^{_members(f'(?:{_scalar(_STRING)}|{_strings(_STRING)}|{_members(_scalar(_STRING))})')}$"
_KEYS: Final = r'"[^"]*":'


def compact_objects(texts: pl.Series) -> pl.Series:
    """Give the plain ones without their blanks (String), null for the others.

    {"a": "b", "c": 1}        {"a":"b","c":1}
    {"a": "b", "c": [1, 2]}   null: no list of strings
    {"a": 1, "a": 2}          null
    {"a": {"b": 1}, "b": 2}   {"a":{"b":1},"b":2}, or null where few rows are like it
    """
    frame = texts.to_frame("text")
    there = frame.select(pl.col("text").str.contains(blank, literal=True).any().alias(blank) for blank in _BLANKS)
    blanks = [blank for blank, is_there in there.row(0, named=True).items() if is_there]
    compact = pl.col("text")
    for blank in blanks:
        compact = compact.str.replace_all(blank, _BLANKS[blank], literal=True)
    plain = _are_usual(texts, _STRING if blanks else _ANY_STRING)
    others = (texts.is_not_null() & ~plain).arg_true()
    if len(others):
        plain = plain.scatter(others, _are_plain(texts.gather(others)))
    return frame.select(pl.when(plain).then(compact).alias("plain")).to_series()


def _are_plain(texts: pl.Series) -> pl.Series:
    """Tell which are plain (Boolean) and have no key twice, be it in one object or in two."""
    keys = texts.str.extract_all(_KEYS).list
    return texts.str.contains(_PLAIN) & (keys.n_unique() == keys.len())


def _are_usual(texts: pl.Series, string: str) -> pl.Series:
    """Tell which are plain (Boolean, null for null) by the keys that a sample of them has.

    string  the pattern of the strings that may be in them
    """
    pattern = _usual(list(_sample(texts)), string) if len(texts) > _FEW_ROWS else ""
    if not pattern:
        return pl.repeat(value=False, n=len(texts), dtype=pl.Boolean, eager=True)
    return texts.str.contains(pattern) & texts.str.ends_with("}")


def _sample(texts: pl.Series) -> Iterator[Mapping[str, Any]]:
    for text in texts.gather_every(max(1, len(texts) // _SAMPLED)).drop_nulls():
        try:
            value = orjson.loads(text)
        except ValueError:
            continue
        if isinstance(value, dict):
            yield value


def _usual(objects: Sequence[Mapping[str, Any]], string: str) -> str:
    r"""Give a pattern of objects that have some of the keys of these, in their order; none where it would be too long.

    It lets pass what ends with a comma: `^\{"(?:a": ?VALUE(?:, ?"|\}$))?(?:b": ?VALUE(?:, ?"|\}$))?$`
    """
    keys = _in_order(objects)[:_MOST_KEYS]
    members = (rf'{pl.escape_regex(key)}": ?{_value(key, objects, string)}(?:, ?"|\}}$)' for key in keys)
    pattern = rf'^\{{"{"".join(f"(?:{member})?" for member in members)}$'
    return pattern if keys and len(pattern) <= _LONGEST else ""


def _value(key: str, objects: Sequence[Mapping[str, Any]], string: str) -> str:
    """Give a pattern of values: of objects those that have the keys of one that is seen there."""
    within = [[*value] for each in objects if isinstance(value := each.get(key), dict) and _are_keys(value)]
    forms = list(dict.fromkeys(map(tuple, within)))[:_MOST_FORMS]
    return f"(?:{'|'.join((_scalar(string), _strings(string), *(_members_of(form, string) for form in forms)))})"


def _members_of(keys: Sequence[str], string: str) -> str:
    members = ", ?".join(f'"{pl.escape_regex(key)}": ?{_scalar(string)}' for key in keys)
    return rf"\{{{members}\}}"


def _in_order(objects: Sequence[Mapping[str, Any]]) -> Sequence[str]:
    """Put the keys of objects, each of which may lack some, into one order: a, c and a, b, c are a, b, c."""
    order: list[str] = []
    for each in filter(_are_keys, objects):
        at = 0
        for key in each:
            if key not in order:
                if len(order) == _MOST_ORDERED:
                    return order
                order.insert(at, key)
            at = order.index(key) + 1
    return order


def _are_keys(keys: Iterable[str]) -> bool:
    return all(_KEY.fullmatch(f'"{key}"') for key in keys)

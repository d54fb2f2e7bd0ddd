"""A line of NDJSON: the text of its cells, exact to the last digit, and the line with its errors added.

orjson reads most lines by itself. A number that it would make a float of, and a key that may come twice, have a line
read again, its values cut out of the text as they stand:

    {"uid": 1.50, "card": 123456789012345678901, "tags": ["a", 2.50]}    a line
    {"uid": 1.5, "card": 1.2345678901234568e+20, "tags": ["a", 2.5]}     what orjson makes of it
    uid: 1.50    card: 123456789012345678901    tags: ["a",2.50]         its cells, as `exact` gives them
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

import msgspec
import orjson
import polars as pl

from provisioner.roster.columns import ADDED
from provisioner.roster.jsonshapes import END_OF_KEY, keys_within, repeated
from provisioner.wording import json_error, shortened

LINE = "_\0line"
"""The column that holds each line as it stands, to be written again untouched; no roster has one of its name."""

Values: TypeAlias = Mapping[str, Any]

_PLAIN_END_OF_KEY = r'"\s*:'
# Sixteen digits may be more than a float can hold; a fraction, an exponent and -0 would change their looks.
_DELICATE_NUMBER = rf"(?:{END_OF_KEY}|[\[,])\s*-?(?:[0-9]{{16,}}|[0-9]+[.eE]|-0)"

# So many brackets can be nested; orjson writes 254 levels, and reads 1024.
_MOST_BRACKETS = 200

_TOO_GREAT = "number is infinity"
"""What orjson says of a number that no float holds."""

_NO_NUMBERS = ("NaN", "Infinity")

_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
"""Cuts an object into its members: key → value as it stands."""


def parsed(line: str) -> Values:
    """Read one line. Raises ValueError in words for what is no JSON object."""
    try:
        value = orjson.loads(line)
    except ValueError as error:
        if (value := _with_great_numbers(line, error)) is None:
            raise ValueError(f"{shortened(line)} is no JSON ({json_error(error)})") from None
    if not isinstance(value, dict):
        raise ValueError(f"{shortened(line)} is no JSON object")
    return value


def holds_rejected(text: bytes) -> bool:
    """Whether the beginning of a text has the keys of rejected rows, in whatever objects; its letters may be any.

    Within a string they have a backslash before their quotes.
    """
    return all(re.search(rb'(?<!\\)"%s"\s*:' % key.encode(), text) for key in ADDED)


def _with_great_numbers(line: str, error: ValueError) -> Any:
    """Read a line that holds a number of which orjson makes no float, numbers as their texts; None where it is no JSON.

    1e400 is JSON, and `exact` gives it as it stands: it hinders nobody where it feeds nothing.
    """
    if _TOO_GREAT not in str(error):
        return None
    try:
        value = json.loads(line, parse_int=str, parse_float=str, parse_constant=_refuse_word)
        orjson.dumps(value)  # unlike orjson, json lets half a surrogate pair pass
    except (ValueError, TypeError, RecursionError):
        return None
    return value


def _refuse_word(word: str) -> NoReturn:
    raise ValueError(word)


def no_number(text: str) -> str | None:
    """Name a word in an object that Python writes and reads as a number, and JSON does not know: NaN, Infinity."""
    found: list[str] = []
    if any(word in text for word in _NO_NUMBERS):
        json.loads(text, parse_constant=found.append, parse_int=str, parse_float=str)
    return found[0] if found else None


def delicate(lines: Sequence[str], objects: Sequence[Values]) -> list[int]:
    r"""Name the lines (by their index) that `exact` has to read.

    For their numbers, for keys that may come twice, or because they may be nested more deeply than orjson writes.
    A line has at least as many ends of keys as members, and at least as many members as the object has keys. So where
    there are as many ends as keys, none came twice:

        {"a":1.5}                  a fraction                                    delicate
        {"a":1,"a":2}              two ends of keys, but one key is left         delicate
        {"a":"\":","b":{"c":1}}    three ends, three keys with those further in  not
        {"a":"\\\":"}              what looks like an end, within a string       delicate, though it need not be
    """
    line = pl.Series("line", lines, pl.String)
    changed = line.str.contains(_DELICATE_NUMBER) | (line.str.count_matches(r"[\[{]") > _MOST_BRACKETS)
    ends = zip(line.str.count_matches(END_OF_KEY), line.str.count_matches(_PLAIN_END_OF_KEY), strict=True)
    found = set(changed.arg_true())
    for index, (many, plain) in enumerate(ends):
        if index not in found and _may_repeat(objects[index], many, None if "\\" in lines[index] else plain):
            found.add(index)
    return sorted(found)


def _may_repeat(value: Values, ends: int, plain: int | None) -> bool:
    """Tell whether a key may have come twice in a line with so many ends of keys.

    Where nothing is escaped (`plain`), each text that looks like one in what is written of it anew does so in the line
    as well, and to write it is the quickest way to count.
    """
    if plain is None:
        return ends != len(value) and ends != keys_within(value)
    return plain != len(value) and plain != orjson.dumps(value).count(b'":')


def exact(line: str) -> tuple[Values, Mapping[str, str]]:
    """Read a line that `parsed` can read into the texts of its cells, and name the keys that come twice in an object.

    Those are column → key: the column itself, or one further in. Raises ValueError for what is nested too deeply.
    """
    try:
        is_repeated = bool(repeated(line))
        members = {key: bytes(value) for key, value in _members(line).items()}
        values = {key: _exact_text(value) for key, value in members.items()}
        if not is_repeated:
            return values, {}
        own = Counter(key for key, _ in json.loads(line, object_pairs_hook=list))
        within = {key: found[0] for key, value in members.items() if (found := repeated(value))}
        return values, {**within, **{key: key for key, times in own.items() if times > 1}}
    except RecursionError:
        raise ValueError("objects or lists that are nested too deeply") from None


def _exact_text(value: bytes) -> str | None:
    """Give a value as the text of a cell: what is text already without its quotes, the rest without blanks."""
    if value.startswith(b'"'):
        text: str = orjson.loads(value)
        return text
    return None if value == b"null" else msgspec.json.format(value, indent=-1).decode()


def text(value: Any) -> str | None:
    """Give a value that `parsed` read as the text of a cell: JSON, unless it is text already or null."""
    return value if value is None or isinstance(value, str) else orjson.dumps(value).decode()


def rejected_line(line: str, row: int, errors: str) -> str:
    """Add `_row` and `_errors` to an object in place of those of an earlier round; the rest stays to the digit."""
    added = f'"_row":{row},"_errors":{orjson.dumps(errors).decode()}}}'
    members = _members(line)
    if members.keys().isdisjoint(ADDED):
        open_end = line.rstrip().removesuffix("}").rstrip()
    else:
        kept = ((key, bytes(value).decode()) for key, value in members.items() if key not in ADDED)
        open_end = "{" + ",".join(f"{orjson.dumps(key).decode()}:{value}" for key, value in kept)
    return f"{open_end}{'' if open_end.endswith('{') else ','}{added}"


def write_rejected_lines(path: Path, frames: Iterator[pl.DataFrame], _: pl.Schema) -> None:
    """Write frames of rejected rows, one object per line: the roster's own lines with `_row` and `_errors`.

    A row without a line, which came from a file of another format, is made an object of its cells. Raises OSError.
    """
    with path.open("a", encoding="utf-8", newline="\n") as file:
        for frame in frames:
            cells = frame.drop(LINE, *ADDED, strict=False)
            own = frame[LINE] if LINE in frame.columns else pl.repeat(None, frame.height, dtype=pl.String, eager=True)
            for line, row, errors, values in zip(own, frame["_row"], frame["_errors"], cells.iter_rows(), strict=True):
                file.write(f"{rejected_line(line or _object(cells.columns, values), row, errors)}\n")


def _object(columns: Sequence[str], values: Sequence[Any]) -> str:
    return orjson.dumps(
        {name: value for name, value in zip(columns, values, strict=True) if value is not None}
    ).decode()

"""A line of NDJSON: the text of its cells, exact to the last digit, and the line with its errors added.

orjson reads most lines. A number that it would make a float of, and a key that may come twice, send a line the slow
way: its members are then cut out of the text as they stand.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import orjson
import polars as pl

from provisioner.roster.formats.rows import ADDED
from provisioner.wording import json_error, shortened

LINE = "_line"
"""The column that holds each line as it stands, so that a rejected one can be written again untouched."""

Values: TypeAlias = Mapping[str, Any]

_STRING = r'"(?:[^"\\]++|\\.)*+"'
_FIRST_STRING = re.compile(_STRING)
_STRUCTURE = re.compile(rf"{_STRING}|[\[\]{{}},]")
_BLANKS = re.compile(rf"({_STRING})|[ \t]+")
# The end of a key, or of what looks like one within a string; an escaped quote, as JSON within a string has, is none.
_MEMBER = r'(?:[^\\]|\\\\)"\s*:'
# Sixteen digits may be more than a float can hold; a fraction, an exponent and -0 would change their looks.
_DELICATE_NUMBER = rf"(?:{_MEMBER}|[\[,])\s*-?(?:[0-9]{{16,}}|[0-9]+[.eE]|-0)"


def parsed(line: str) -> Values:
    """Read one line. Raises ValueError in words for what is no JSON object."""
    try:
        value = orjson.loads(line)
    except ValueError as error:
        raise ValueError(f"{shortened(line)} is no JSON ({json_error(error)}); each line is one object") from None
    if not isinstance(value, dict):
        raise ValueError(f"{shortened(line)} is no JSON object; each line is one object")
    return value


def delicate(lines: Sequence[str], objects: Sequence[Values]) -> list[int]:
    """Name the lines (by their index) that `exact` has to read: for their numbers, or for keys that may come twice.

    There are at least as many ends of keys in a line as it has members, and as many members as it has different keys.
    """
    line = pl.Series("line", lines, pl.String)
    members = line.str.count_matches(_MEMBER).to_list()
    found = set(line.str.contains(_DELICATE_NUMBER).arg_true())
    for index, (count, value) in enumerate(zip(members, objects, strict=True)):
        if count != len(value) and count != _keys(value):
            found.add(index)
    return sorted(found)


def _keys(value: Any) -> int:
    if isinstance(value, dict):
        return len(value) + sum(_keys(item) for item in value.values() if isinstance(item, dict | list))
    return sum(_keys(item) for item in value if isinstance(item, dict | list))


def exact(line: str) -> Values:
    """Read a line that `parsed` can read into the texts of its cells. Raises ValueError for a key that comes twice."""
    try:
        json.loads(line, object_pairs_hook=_without_doubles, parse_int=str, parse_float=str)
    except RecursionError:
        raise ValueError("objects or lists that are nested too deeply") from None
    return {key: _exact_text(member) for key, member in _members(line)}


def _without_doubles(members: list[tuple[str, Any]]) -> None:
    seen: set[str] = set()
    for key, _ in members:
        if key in seen:
            raise ValueError(f"the key {shortened(key)} comes twice in one object; rename or remove one")
        seen.add(key)


def _members(line: str) -> Iterator[tuple[str, str]]:
    """Cut the members of an object apart: key, and the member as it stands."""
    depth, start = 0, line.index("{") + 1
    for token in _STRUCTURE.finditer(line):
        mark = token[0]
        if mark in "[{":
            depth += 1
        elif mark in "]}":
            depth -= 1
        if depth == 0 or (depth == 1 and mark == ","):
            member = line[start : token.start()]
            if key := _FIRST_STRING.search(member):
                yield orjson.loads(key[0]), member.strip()
            start = token.end()


def _exact_text(member: str) -> str | None:
    """Give the value of a member as the text of a cell."""
    key = _FIRST_STRING.match(member)
    value = member[key.end() :].lstrip(" \t\r:") if key else member
    if value.startswith('"'):
        text: str = orjson.loads(value)
        return text
    return None if value == "null" else _BLANKS.sub(r"\1", value)


def text(value: Any) -> str | None:
    """Give a value that `parsed` read as the text of a cell: JSON, unless it is text already or null."""
    return value if value is None or isinstance(value, str) else orjson.dumps(value).decode()


def rejected_line(line: str, row: int, errors: str) -> str:
    """Add `_row` and `_errors` to an object in place of those of an earlier round; the rest stays to the digit."""
    added = f'"_row":{row},"_errors":{orjson.dumps(errors).decode()}}}'
    if orjson.loads(line).keys().isdisjoint(ADDED):
        open_end = line.rstrip().removesuffix("}").rstrip()
    else:
        open_end = "{" + ",".join(member for key, member in _members(line) if key not in ADDED)
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

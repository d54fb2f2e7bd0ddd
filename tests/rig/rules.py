"""What a row may hold, said once more in plain Python, one row at a time, for the tests to hold the validator against.

It was written from the specification and shares no code with the package. It takes cells as a Parquet file has them;
a CSV's cells are all text.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from math import isfinite
from typing import Any, Self

SPACE = {
    *map(chr, range(0x09, 0x0E)),
    *" \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000",
    *map(chr, range(0x2000, 0x200B)),
}
UNSEEN = {
    *"\u00ad\u061c\u180e\u200b\u200c\u200d\u200e\u200f\ufeff",
    *map(chr, range(0x202A, 0x202F)),
    *map(chr, range(0x2060, 0x2065)),
    *map(chr, range(0x2066, 0x2070)),
}
"""Zero-width characters, byte order marks, soft hyphens and direction marks."""
NULLS = {"NULL", "\\N", "#N/A"}
NOTHINGS = {"null", "\\n", "none", "nan", "n/a", "#n/a", "undefined", "nil"}
ALPHANUMERIC = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
YES = {"true", "yes", "1", "t", "y"}
NO = {"false", "no", "0", "f", "n"}
DEEPEST = 254
"""Objects and arrays within one another that metadata may hold: what a common JSON library writes."""


@dataclass
class Judged:
    """What became of a row: the codes of its defects, or the body to send."""

    uid: str | None
    codes: list[str]
    body: dict[str, Any] = field(default_factory=dict)
    token: bool = False

    @property
    def size(self) -> int:
        """Bytes of the body without `withAuthToken`."""
        return len(compact(self.body))


class NotAnObjectError(Exception):
    """The metadata are none."""


class Number(Decimal):
    """A number of a JSON text: its exact value, and how it was written."""

    text: str

    def __new__(cls, text: str) -> Self:
        number = super().__new__(cls, text)
        number.text = text
        return number


def judge(rows: Iterable[Mapping[str, Any]], *, tokens: str = "created", underscore: bool = False) -> list[Judged]:
    """Judge the rows of a whole roster, whose columns are named as the fields are."""
    seen: set[str] = set()
    several = list(rows)
    header = {column for row in several for column in row}
    return [
        Judged(None, ["row.header_again"]) if _is_header(row, header) else _judge_row(row, seen, tokens, underscore)
        for row in several
    ]


def compact(value: Any) -> bytes:
    """Compact UTF-8 JSON; raises UnicodeEncodeError for half a surrogate pair."""
    return _compact(value).encode()


def _compact(value: Any) -> str:
    match value:
        case dict():
            return "{" + ",".join(f"{_compact(key)}:{_compact(member)}" for key, member in value.items()) + "}"
        case list():
            return "[" + ",".join(map(_compact, value)) + "]"
        case Number():
            return value.text
    return json.dumps(value, ensure_ascii=False)


def trim(text: str, unwanted: set[str] = SPACE) -> str:
    """Take the Unicode white space off both ends, or other characters."""
    start, end = 0, len(text)
    while start < end and text[start] in unwanted:
        start += 1
    while end > start and text[end - 1] in unwanted:
        end -= 1
    return text[start:end]


def _is_header(row: Mapping[str, Any], header: set[str]) -> bool:
    """Cells that hold nothing are none of it; those of uid and name are needed."""
    quotes = set("'\"\u2018\u2019\u201c\u201d")
    bare = {
        column: trim(trim(trim(cell, SPACE | UNSEEN), quotes), SPACE | UNSEEN) if isinstance(cell, str) else cell
        for column, cell in row.items()
    }
    filled = {column: cell for column, cell in bare.items() if cell is not None and cell != ""}
    named = all(isinstance(cell, str) and cell.lower() == column.lower() for column, cell in filled.items())
    return named and {"uid", "name"} & header <= filled.keys()


def _seen_text(value: Any) -> str | None:
    """Read a uid, a name or an e-mail address: what cannot be seen around it is no part of it."""
    return _text(trim(value, SPACE | UNSEEN) if isinstance(value, str) else value)


def _optional(value: Any) -> Any:
    """Take what databases and spreadsheets write for nothing as nothing."""
    return None if isinstance(value, str) and trim(value) in NULLS else value


def _judge_row(row: Mapping[str, Any], seen: set[str], tokens: str, underscore: bool) -> Judged:
    codes: list[str] = []
    uid, name = _fold(_seen_text(row.get("uid"))), _seen_text(row.get("name"))
    row = {key: value if key in {"uid", "name"} else _optional(value) for key, value in row.items()}
    codes += ["uid.missing"] * (uid is None) + ["name.missing"] * (name is None)
    if uid in NOTHINGS:
        codes += ["uid.placeholder"]
    elif uid is not None:
        codes += ["uid.charset"] * any(c not in ALPHANUMERIC | set("-_" if underscore else "-") for c in uid)
        codes += ["uid.too_long"] * (len(uid) > 100) + ["uid.duplicate"] * (uid in seen)
        seen.add(uid)
    codes += ["name.too_long"] * (len(name or "") > 100)
    urls = {key: _text(row.get(key)) for key in ("avatar", "link")}
    codes += [f"{key}.too_long" for key, url in urls.items() if len(url or "") > 3000]
    codes += [f"{key}.not_a_url" for key, url in urls.items() if url is not None and not is_url(url)]
    role = _text(row.get("role"))
    if role is not None and (len(role) > 100 or any(c not in ALPHANUMERIC | set("-_") for c in role)):
        codes.append("role.charset")
    tags = _tags(row.get("tags"))
    if tags is None:
        codes.append("tags.not_a_list")
    else:
        codes += ["tags.too_many"] * (len(tags) > 25) + ["tags.too_long"] * any(len(tag) > 100 for tag in tags)
    metadata = None
    try:
        metadata = _metadata(row)
        codes += ["metadata.too_large"] * (metadata is not None and len(compact(metadata)) > 5120)
    except NotAnObjectError:
        codes.append("metadata.not_an_object")
    wanted = (_text(row.get("withAuthToken")) or "").lower()
    codes += ["with_auth_token.not_a_boolean"] * (wanted not in YES | NO | {""})
    judged = Judged(uid, codes, token=tokens != "none" and wanted not in NO)
    everything = {
        "uid": uid,
        "name": name,
        **urls,
        "role": role and role.lower(),
        "statusMessage": _text(row.get("statusMessage")),
        "metadata": metadata,
        "tags": tags or None,
    }
    if not codes:
        judged.body = {key: value for key, value in everything.items() if value is not None}
        if judged.size + 21 * judged.token > 10240:
            judged.codes = ["body.too_large"]
    return judged


@cache
def is_url(text: str) -> bool:
    """Tell an absolute http or https URL."""
    scheme, mark, rest = text.partition("://")
    if scheme.lower() not in {"http", "https"} or not mark:
        return False
    if any(c in SPACE or unicodedata.category(c) == "Cc" for c in rest):
        return False
    authority = rest
    for stop in "/?#":
        authority = authority.partition(stop)[0]
    host = authority.rpartition("@")[2]
    if host.startswith("["):
        address, closed, port = host[1:].partition("]")
        right = bool(closed) and bool(address) and set(address) <= set("0123456789abcdefABCDEF:.")
        return right and (port == "" or (port[0] == ":" and set(port[1:]) <= set("0123456789")))
    host, _, port = host.partition(":")
    return host != "" and not set(host) & set("@[]\\") and set(port) <= set("0123456789")


def _text(value: Any) -> str | None:
    if value is None or value != value:  # NaN
        return None
    if isinstance(value, bool):
        value = str(value).lower()
    if isinstance(value, float) and value == int(value):
        value = int(value)
    return trim(str(value)) or None


def _fold(text: str | None) -> str | None:
    return None if text is None else "".join(c.lower() if c.isascii() else c for c in text)


def _tags(cell: Any) -> list[str] | None:
    """Read the tags of a cell; None when it is no list."""
    if not isinstance(cell, list):
        text = _text(cell)
        if text is None:
            return []
        if _is_python(text):
            return None
        if (array := _postgres(text)) is not None:
            cell = array
        elif text.startswith("["):
            try:
                cell = json.loads(text)
                compact(cell)  # lone surrogates have no UTF-8
            except (ValueError, RecursionError):
                return None
            if not all(tag is None or isinstance(tag, str) for tag in cell):
                return None
        elif _is_object(text):
            return None
        else:
            cell = text.split(";")
    return [tag for tag in (trim(str(tag)) for tag in cell if tag is not None) if tag]


def _is_object(text: str) -> bool:
    """Tell an object of JSON with any key."""
    try:
        return text.startswith("{") and bool(compact(json.loads(text)))
    except (ValueError, RecursionError):
        return False


def _is_python(text: str) -> bool:
    """Tell a list, tuple or set of texts as Python writes it: its texts stand in single quotes, or a tuple's in any."""
    inner = trim(text[1:-1])
    if text[0] + text[-1] in {"[]", "{}"}:
        return len(text) > 2 and inner.startswith("'") and (text[0] == "[" or (len(inner) > 1 and inner[-1] == "'"))
    if text[0] + text[-1] != "()" or len(text) < 2:
        return False
    one = trim(inner[:-1]) if inner.endswith(",") else inner
    return len(one) > 1 and one[0] in "'\"" and (one[0] == one[-1] or "," in one)


def _postgres(text: str) -> list[str | None] | None:
    """Read a Postgres array of one dimension; None for what is none."""
    if len(text) < 2 or text[0] + text[-1] != "{}":
        return None
    rest = trim(text[1:-1])
    elements: list[str | None] = []
    while rest:
        taken = _quoted(rest) if rest.startswith('"') else _bare(rest)
        if taken is None:
            return None
        element, rest = taken
        elements.append(element)
        rest = trim(rest)
        if rest and (rest[0] != "," or not trim(rest[1:])):
            return None
        rest = trim(rest[1:])
    return elements


def _quoted(text: str) -> tuple[str, str] | None:
    """Take an element in double quotes off a text: it, and what is left."""
    element, at = "", 1
    while at < len(text) and text[at] != '"':
        at += text[at] == "\\"
        element += text[at : at + 1]
        at += 1
    return (element, text[at + 1 :]) if at < len(text) else None


def _bare(text: str) -> tuple[str | None, str] | None:
    at = next((index for index, character in enumerate(text) if character in '{}",\\'), len(text))
    element = trim(text[:at])
    return (None if element.upper() == "NULL" else element, text[at:]) if element else None


def _metadata(row: Mapping[str, Any]) -> dict[str, Any] | None:
    cell = row.get("metadata")
    merged: dict[str, Any] | None = None
    if isinstance(cell, dict):
        merged = _without_nulls(cell)
    elif (text := _text(cell)) is not None:
        merged = (
            None if text == "null" or (text[0] == "[" and text[-1] == "]" and not trim(text[1:-1])) else _object(text)
        )
    for column, value in row.items():
        if not column.lower().startswith("metadata."):
            continue
        read = _seen_text if column.lower().endswith("email") else _text
        value = read(value) if isinstance(value, str) else value
        if value is not None:
            merged = {} if merged is None else merged
            _put(merged, column[len("metadata.") :].split("."), value)
    return merged


def _object(text: str) -> dict[str, Any]:
    def number(text: str) -> Number:
        if not isfinite(float(text)):
            raise ValueError(text)
        return Number(text)

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs):
            raise NotAnObjectError
        return dict(pairs)

    try:
        value = json.loads(text, parse_constant=number, parse_int=number, parse_float=number, object_pairs_hook=members)
        if not isinstance(value, dict) or _depth(value) > DEEPEST:
            raise NotAnObjectError
        compact(value)  # lone surrogates have no UTF-8
    except (ValueError, RecursionError) as error:
        raise NotAnObjectError from error
    return value


def _depth(value: Any) -> int:
    """Count the objects and arrays around the innermost value."""
    depth, level = 0, [value]
    while level := [each for each in level if isinstance(each, dict | list)]:
        depth += 1
        level = [inner for each in level for inner in (each.values() if isinstance(each, dict) else each)]
    return depth


def _without_nulls(value: dict[str, Any]) -> dict[str, Any] | None:
    kept: dict[str, Any] = {}
    for key, member in value.items():
        plain = _without_nulls(member) if isinstance(member, dict) else member
        if isinstance(plain, float):
            if not isfinite(plain):
                raise NotAnObjectError
            plain = Number(repr(plain))
        if plain is not None:
            kept[key] = plain
    return kept or None


def _put(tree: dict[str, Any], place: list[str], value: Any) -> None:
    *outer, last = place
    for key in outer:
        if not isinstance(tree.get(key), dict):
            tree[key] = {}
        tree = tree[key]
    tree[last] = value

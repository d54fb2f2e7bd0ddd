"""JSON as polars expressions: texts and numbers become JSON text without a Python object being made of them.

What cannot be written so is parsed, exactly to the last digit, and written again.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NoReturn, TypeAlias

import orjson
import polars as pl

from provisioner.roster.jsonshapes import key_twice
from provisioner.wording import json_error, shortened

PYTHON = "Python and no JSON"
TYPOGRAPHIC = "typographic"
NESTED = "JSON in a JSON string and no object"
PHP = "PHP and no JSON"
ARROWS = "hstore or Ruby and no JSON"
TWICE = "twice in one object"
"""What an error says of a text that is nearly an object, or may be two."""

# What PHP serializes; an arrow behind a key; a key in single quotes, or a word that only Python has.
_FORMS = {
    PHP: re.compile(r"^\s*[aO]:\d+:"),
    ARROWS: re.compile(r"^\s*\{?\s*:?(?:\"(?:[^\"\\]|\\.)*\"|\w+)\s*=>"),
    PYTHON: re.compile(r"^\s*\{\s*'|[:,\[{]\s*(?:'|(?:True|False|None)\b)"),
}
_TYPOGRAPHIC = re.compile("[\u201c\u201d\u201e\u2018\u2019]")
_STRAIGHT = re.compile('"')


@dataclass(frozen=True, slots=True)
class Written:
    """Members of an object as text already, each with a comma before it: `,"a":1,"b":2`."""

    text: pl.Expr


Tree: TypeAlias = "Mapping[str, Tree | pl.Expr | Written]"
"""An object whose keys are known beforehand: key → object, or an expression of JSON text (null: left out).

In the place of one member several may stand that are `Written`.
"""

_TO_ESCAPE = r'["\\\x00-\x1f]'
_ESCAPED = ("\\", '"', *map(chr, range(0x20)))
_ESCAPES = [orjson.dumps(character)[1:-1].decode() for character in _ESCAPED]


def string(text: pl.Expr) -> pl.Expr:
    """Write text as a JSON string, escaping only what JSON demands; null stays null."""
    return quoted(escaped(text))


def quoted(text: pl.Expr) -> pl.Expr:
    """Write text that needs no escapes as a JSON string; null stays null."""
    return pl.concat_str([pl.lit('"'), text, pl.lit('"')])


def needs_escapes(text: pl.Expr) -> pl.Expr:
    """Tell whether there is anything that JSON demands to be escaped in a string."""
    return text.str.contains(_TO_ESCAPE)


def escaped(text: pl.Expr) -> pl.Expr:
    """Escape what JSON demands to be escaped in a string, and nothing else."""
    return text.str.replace_many(list(_ESCAPED), _ESCAPES)


def in_need_of_escapes(frame: pl.DataFrame, texts: Sequence[str], printable: Sequence[str] = ()) -> list[str]:
    """Name the columns that hold anything to be escaped: to ask is much cheaper than to escape in vain.

    The `printable` ones are known to have no control characters, which leaves two characters to look for.
    """
    needed = frame.select(
        pl.col(*texts).str.contains(_TO_ESCAPE).any(),
        *(pl.col(name).str.contains_any(['"', "\\"]).any() for name in printable),
    )
    return [name for name in needed.columns if needed[name].item()]


def object_of(tree: Tree) -> pl.Expr:
    """Write an object of the members that are there; null when there is none."""
    members = []
    for key, value in tree.items():
        if isinstance(value, Written):
            members.append(value.text)
            continue
        text = value if isinstance(value, pl.Expr) else object_of(value)
        members.append(pl.concat_str([pl.lit(f",{orjson.dumps(key).decode()}:"), text]))
    inner = pl.concat_str(members, ignore_nulls=True)
    text = pl.concat_str([pl.lit("{"), inner.str.slice(1), pl.lit("}")])
    return pl.when(inner != "").then(text)


def has_scalar_form(kind: pl.DataType) -> bool:
    """Tell whether `scalar` can write this type."""
    return kind.is_integer() or isinstance(kind, pl.Boolean | pl.String | pl.Categorical | pl.Enum)


def scalar(value: pl.Expr, kind: pl.DataType) -> pl.Expr:
    """Write a text, an integer or a boolean as JSON; null stays null."""
    text = value.cast(pl.String)
    return text if kind.is_integer() or isinstance(kind, pl.Boolean) else string(text)


def parsed_object(text: str, delicate: bool | None, ends: int | None) -> dict[str, Any] | None:
    """Parse a JSON object; None for null, and for the empty list that PHP writes for an empty object.

    `delicate`: a float would change one of its numbers; `ends`: how often it has an `END_OF_KEY`. Raises ValueError in
    words for anything else, and for an object in which a key comes twice, at any depth.
    """
    try:
        value = _loads_exactly(text) if delicate else orjson.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{shortened(text)} is {_form(text)} ({json_error(error)})") from None
    if value is None or value == []:
        return None
    if not isinstance(value, dict):
        raise ValueError(f"{shortened(text)} is {_nested_form(value)}")
    try:
        key = key_twice(text, value, ends)
    except RecursionError:
        raise ValueError(f"{shortened(text)} is nested too deeply") from None
    if key is not None:
        raise ValueError(f"{shortened(text)} has the key {shortened(key)} {TWICE} (rename or remove one)")
    return value


def _form(text: str) -> str:
    """Say what a text is that is no JSON."""
    if _TYPOGRAPHIC.search(text) and not _STRAIGHT.search(text):
        return f"no JSON, its quotes are {TYPOGRAPHIC}"
    return next((form for form, pattern in _FORMS.items() if pattern.search(text)), "no JSON")


def _nested_form(value: Any) -> str:
    """Say what a JSON text is that is no object; JSON may stand in a JSON string."""
    try:
        inner = orjson.loads(value) if isinstance(value, str) else None
    except ValueError:
        inner = None
    return NESTED if isinstance(inner, dict | list) else "no object"


def _loads_exactly(text: str) -> Any:
    """Parse JSON and keep the text of its numbers: a float would change some of them silently."""
    value = _EXACT.decode(text)
    dumps(value)  # unlike orjson, json lets half a surrogate pair pass
    return value


def _finite_number(text: str) -> orjson.Fragment:
    if not math.isfinite(float(text)):
        raise ValueError(f"{text} is too large for a number")
    return orjson.Fragment(text)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


_EXACT: Final = json.JSONDecoder(parse_int=orjson.Fragment, parse_float=_finite_number, parse_constant=_refuse_constant)
"""Made once: `json.loads` makes one for every text."""


def dumps(value: Any) -> str:
    """Write a value as compact JSON. Raises ValueError for what has no form in it."""
    try:
        return orjson.dumps(value).decode()
    except TypeError as error:
        raise ValueError(f"cannot be written as JSON ({error})") from None

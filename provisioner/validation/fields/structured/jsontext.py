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
from provisioner.validation.constraints import ARROWS, NESTED, PHP, PYTHON, TWICE, TYPOGRAPHIC
from provisioner.wording import json_error, shortened

# What PHP serializes; an arrow behind a key; a key in single quotes, or a word that only Python has.
_FORMS = {
    PHP: re.compile(r"^\s*[aO]:\d+:"),
    ARROWS: re.compile(r"^\s*\{?\s*:?(?:\"(?:[^\"\\]|\\.)*\"|\w+)\s*=>"),
    PYTHON: re.compile(r"^\s*\{\s*'|[:,\[{]\s*(?:'|(?:True|False|None)\b)"),
}
_TYPOGRAPHIC = re.compile("[\u201c\u201d\u201e\u2018\u2019]")
_STRAIGHT = re.compile('"')


class NoObjectError(ValueError):
    """Why a text is no object, in words; `kind`: which of the kinds of what is nearly JSON it is."""

    def __init__(self, reason: str, kind: str | None = None) -> None:
        super().__init__(reason)
        self.kind = kind


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

    `delicate`: a float would change one of its numbers; `ends`: how often it has an `END_OF_KEY`. Raises NoObjectError
    for anything else, and for an object in which a key comes twice, at any depth.
    """
    try:
        value = _loads_exactly(text) if delicate else orjson.loads(text)
    except (ValueError, RecursionError) as error:
        form, kind = _form(text)
        raise NoObjectError(f"{shortened(text)} is {form} ({json_error(error)})", kind) from None
    if value is None or value == []:
        return None
    if not isinstance(value, dict):
        if _holds_json(value):
            raise NoObjectError(f"{shortened(text)} is JSON in a JSON string and no object", NESTED)
        raise NoObjectError(f"{shortened(text)} is no object")
    try:
        key = key_twice(text, value, ends)
    except RecursionError:
        raise NoObjectError(f"{shortened(text)} is nested too deeply") from None
    if key is not None:
        twice = f"has the key {shortened(key)} twice in one object (rename or remove one)"
        raise NoObjectError(f"{shortened(text)} {twice}", TWICE)
    return value


def _form(text: str) -> tuple[str, str | None]:
    """Say what a text is that is no JSON, and give its kind."""
    if _TYPOGRAPHIC.search(text) and not _STRAIGHT.search(text):
        return "no JSON, its quotes are typographic", TYPOGRAPHIC
    kinds = (kind for kind, pattern in _FORMS.items() if pattern.search(text))
    return next(((f"{kind} and no JSON", kind) for kind in kinds), ("no JSON", None))


def _holds_json(value: Any) -> bool:
    """Tell whether an object or a list stands in a JSON string."""
    try:
        return isinstance(value, str) and isinstance(orjson.loads(value), dict | list)
    except ValueError:
        return False


def _loads_exactly(text: str) -> Any:
    """Parse JSON and keep the text of its numbers: a float would change some of them silently."""
    value = _EXACT.decode(text)
    dumps(value)  # unlike orjson, json lets half a surrogate pair pass
    return value


def _finite_number(text: str) -> orjson.Fragment:
    if not math.isfinite(float(text)):
        raise ValueError(f"{shortened(text)} is too large for a number, put it in quotes")
    return orjson.Fragment(text)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


_EXACT: Final = json.JSONDecoder(parse_int=_finite_number, parse_float=_finite_number, parse_constant=_refuse_constant)
"""Made once: `json.loads` makes one for every text."""


def dumps(value: Any) -> str:
    """Write a value as compact JSON. Raises ValueError for what has no form in it."""
    try:
        return orjson.dumps(value).decode()
    except TypeError as error:
        raise ValueError(f"cannot be written as JSON ({error})") from None

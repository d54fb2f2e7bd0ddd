"""The e-mail addresses of a roster's people, found by the names of columns and metadata members."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import TypeAlias

import orjson
import polars as pl

from provisioner.roster.columns import instance_of, member, named
from provisioner.validation.fields import cells
from provisioner.validation.fields.binding import Binding
from provisioner.validation.fields.places import dotted, trimmed_name
from provisioner.validation.fields.source import FromColumn, Source
from provisioner.validation.vocabulary.owners import is_of_another

_OWNERS = (
    "work|business|company|corporate|corp|office|official|professional|private|personal|home|primary|secondary|main|"
    "preferred|default|user|login|account|contact|own|employee|staff|student|member|person|customer|client"
)
EMAIL_NAME = rf"(?:(?:{_OWNERS})[-_. ]?)?(?:e[-_ ]?)?mail(?:[-_ ]?(?:address|addr))?"
"""What a column or member is called that holds a person's own address, in any case: `email`, `E-Mail`, `work_email`.

A `manager_email` is none: many people may share it.
"""

_NAME = re.compile(EMAIL_NAME, re.IGNORECASE | re.ASCII)
_ADDRESS = rf'"(?i-u:{EMAIL_NAME})"\s*:\s*"[^"\\@]+@[^"\\]+"'
# The character before the quote lets the search begin at `mail`, which is rarer.
_MEMBER = rf"(?s:.){_ADDRESS}"
# Of objects and lists before it none has others in it.
_FLAT = r'(?s:[^"{}\[\]]|"(?:[^"\\]|\\.)*")'
_ENTRIES = rf"(?:{_FLAT}|\{{{_FLAT}*\}}|\[{_FLAT}*\])*?"
_PLAINLY_OWN = rf'^\s*\{{{_ENTRIES}(?:"@private"\s*:\s*\{{{_ENTRIES})?{_ADDRESS}'


EmailSource: TypeAlias = Source | pl.Expr
"""Where an address may stand: in a text as a field's, or in what an expression makes of the roster's columns."""


def email_sources(binding: Binding) -> tuple[EmailSource, ...]:
    """Find the columns, metadata columns, struct members and JSON objects that may hold addresses."""
    named = [FromColumn(name) for name in binding.schema if not name.startswith("_") and _is_own(name)]
    placed = [source for place, source in binding.metadata.items() if _is_own(dotted(place)) and source not in named]
    texts = [source for source in (*named, *placed) if _is_text(source, binding)]
    return (*texts, *_given_metadata(binding))


def emails(frame: pl.DataFrame, source: EmailSource, binding: Binding) -> pl.Series:
    """Give the address of each row, lower-cased (String, null where there is none: a text without `@`)."""
    if isinstance(source, pl.Expr):
        text = frame.select(source.alias("email"))
    else:
        text = cells.read(frame, {"email": source}, binding)
    address = pl.col("email").str.to_lowercase()
    return text.select(pl.when(address.str.contains("@", literal=True)).then(address)).to_series()


@lru_cache(maxsize=1 << 16)
def is_email_name(name: str) -> bool:
    """Judge a name by its last dotted part: `metadata.@private.email` is one."""
    return _NAME.fullmatch(trimmed_name(name).rpartition(".")[2]) is not None


@lru_cache(maxsize=1 << 16)
def _is_own(name: str) -> bool:
    """Judge it by the parts before as well: `manager.email` is another's, which many people share."""
    before, dot, _ = name.rpartition(".")
    return is_email_name(name) and not (dot and is_of_another(f"{before}.email"))


def _is_text(source: Source, binding: Binding) -> bool:
    return bool(source.columns) and all(isinstance(binding.schema[name], pl.String) for name in source.columns)


def _given_metadata(binding: Binding) -> Iterator[EmailSource]:
    given = binding.fields.get("metadata")
    if isinstance(given, FromColumn):
        kind = binding.schema[given.name]
        if isinstance(kind, pl.Struct):
            yield from _struct_members(named(given.name), kind)
        elif isinstance(kind, pl.String):
            yield named(given.name).map_batches(_in_objects, return_dtype=pl.String)


def _in_objects(texts: pl.Series) -> pl.Series:
    """Give the address in each object of JSON, which is read where it is not plainly the person's own."""
    # cut out in steps: a group of the pattern would take twice as long
    found = texts.str.extract(_PLAINLY_OWN, 0).str.extract('[^"]+"$', 0).str.strip_chars_end('"').str.strip_chars()
    unknown = found.is_null().arg_true()
    read = unknown.filter(texts.gather(unknown).str.contains(_MEMBER).fill_null(value=False))
    return found.scatter(read, pl.Series(map(_own_address, texts.gather(read)), dtype=pl.String))


def _own_address(text: str) -> str | None:
    """Give the first address that is the person's own by the keys on the way to it; null for what is no JSON too."""
    try:
        return next(_own_addresses(orjson.loads(text)), None)
    except ValueError:
        return None


def _own_addresses(value: object, path: str = "metadata") -> Iterator[str]:
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _own_addresses(each, f"{path}.{key}")
    elif isinstance(value, str) and "@" in value and _is_own(path):
        yield value.strip()


def _struct_members(struct: pl.Expr, kind: pl.Struct, within: str = "metadata") -> Iterator[EmailSource]:
    for name, given in kind.to_schema().items():
        kind_of_member, inner, path = instance_of(given), member(struct, kind, name), f"{within}.{name}"
        if isinstance(kind_of_member, pl.Struct):
            yield from _struct_members(inner, kind_of_member, path)
        elif isinstance(kind_of_member, pl.String) and _is_own(path):
            yield inner.str.strip_chars()

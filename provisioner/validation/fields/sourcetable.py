"""A source as the `[columns]` table writes it: a column, a template, a list of these, or a table with more to do."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any
from uuid import NAMESPACE_DNS, NAMESPACE_OID, NAMESPACE_URL, NAMESPACE_X500, UUID

import orjson

from provisioner.errors import ConfigurationError
from provisioner.validation.fields.source import (
    Constant,
    Encoded,
    Encoding,
    FirstOf,
    FromColumn,
    Joined,
    Mapped,
    Source,
    Template,
    is_encoded,
)
from provisioner.wording import nearest

_CONSTANT_TYPES: Mapping[str, tuple[type, ...]] = MappingProxyType(
    {"metadata": (dict, str), "metadata.": (str, int, float, list, dict), "tags": (str, int, list)}
)
_TABLE_KEYS = ("column", "map", "default", "encode", "lower", "namespace")
_ENCODING_KEYS = frozenset({"encode", "lower", "namespace"})
_NAMESPACES = MappingProxyType(
    {"dns": NAMESPACE_DNS, "url": NAMESPACE_URL, "oid": NAMESPACE_OID, "x500": NAMESPACE_X500}
)
_NAMESPACE = f"{', '.join(_NAMESPACES)} or a UUID of your own"
_FORMS = '"a column", "{a} {template}", a list of these, { column = ... } or { value = "a constant" }'
_DEEPEST = 8


def read_field(where: str, value: Any, name: str) -> Source:
    """Read the source of a whole field; for tags that may be several sources, all of which count."""
    if name != "tags" or not isinstance(value, Mapping) or "columns" not in value:
        return read_source(where, value, name)
    several = value["columns"]
    if len(value) > 1 or not isinstance(several, list) or not several:
        raise ConfigurationError(f"{where}: {{ columns = [...] }} takes a list of sources, and no other key beside it")
    return Joined(tuple(read_source(where, each, name) for each in several))


def read_source(where: str, value: Any, target: str, depth: int = 0) -> Source:
    """Read one source; `target` is the field, or `metadata.` for a metadata key."""
    if depth > _DEEPEST:
        raise ConfigurationError(f"{where} is nested more than {_DEEPEST} deep")
    match value:
        case str() if "{" in value or "}" in value:
            return _template(where, value)
        case str() if value:
            return FromColumn(value)
        case list() if value:
            return FirstOf(tuple(read_source(where, each, target, depth + 1) for each in value))
        case {"value": constant} if len(value) == 1:
            return Constant(_constant(where, constant, target))
        case Mapping() if "column" in value:
            return _worked(where, read_source(where, value["column"], target, depth + 1), value, target)
    raise ConfigurationError(f"{where} must be {_FORMS}")


def _template(where: str, text: str) -> Template | FromColumn:
    """Read a text with braces; where all of them are doubled it is the name of a column that has braces."""
    template = Template(text)
    try:
        literals = [part for part in template.parts if isinstance(part, str)]
    except ValueError as error:
        raise ConfigurationError(f"{where}: {error}") from None
    return template if template.columns else FromColumn("".join(literals))


def _worked(where: str, source: Source, table: Mapping[str, Any], target: str) -> Source:
    """Read what is done with the text of a source: it is looked up, then encoded."""
    for key in table:
        if key not in _TABLE_KEYS:
            raise ConfigurationError(f"{where}: {key!r} is no key beside column{nearest(key, _TABLE_KEYS)}")
    if is_encoded(source):
        raise ConfigurationError(f"{where}: encode belongs into the outer table")
    if "map" in table or "default" in table:
        default = table.get("default")
        if "default" in table:
            default = _constant(f"{where}: default", default, target)
        source = Mapped(source, dict(_entries(where, table, target)), default)
    return _encoded(where, source, table, target)


def _entries(where: str, table: Mapping[str, Any], target: str) -> Iterator[tuple[str, Any]]:
    entries = table.get("map")
    if "map" in table and (not isinstance(entries, Mapping) or not entries):
        raise ConfigurationError(f'{where}: map must be a table such as {{ "cell" = "value" }}')
    for cell, value in (entries or {}).items():
        if not cell or cell != cell.strip():
            hint = "cells are compared without the white space around them, and default is for empty ones"
            raise ConfigurationError(f"{where}: no cell is like {cell!r} of the map: {hint}")
        yield cell, _constant(f"{where}: map {cell!r}", value, target)


def _encoded(where: str, source: Source, table: Mapping[str, Any], target: str) -> Source:
    encoding, lower = table.get("encode"), table.get("lower", False)
    if target != "uid" and not _ENCODING_KEYS.isdisjoint(table):
        raise ConfigurationError(f"{where}: encode, lower and namespace are for the uid only")
    if not isinstance(lower, bool) or ("lower" in table and encoding is None):
        raise ConfigurationError(f"{where}: lower must be true or false, beside encode")
    if ("namespace" in table) != (encoding == Encoding.UUID5):
        raise ConfigurationError(f'{where}: namespace belongs to encode = "uuid5", and that needs one: {_NAMESPACE}')
    if "encode" not in table:
        return source
    if encoding not in list(Encoding):
        raise ConfigurationError(f"{where}: encode must be {', '.join(Encoding)}, not {encoding!r}")
    namespace = _namespace(where, table["namespace"]) if "namespace" in table else None
    return Encoded(source, Encoding(encoding), lower, namespace)


def _namespace(where: str, given: Any) -> UUID:
    """Read one of the namespaces of RFC 9562 by its name, or a UUID of one's own."""
    if isinstance(given, str) and given.lower() in _NAMESPACES:
        return _NAMESPACES[given.lower()]
    try:
        return UUID(given)
    except (ValueError, TypeError, AttributeError):
        raise ConfigurationError(f"{where}: namespace must be {_NAMESPACE}, not {given!r}") from None


def _constant(where: str, value: Any, target: str) -> Any:
    """Check a value against what it is for: metadata take any JSON, tags also a list, the rest a text."""
    types = _CONSTANT_TYPES.get(target, (str, int))
    if not isinstance(value, types):
        names = " or ".join(kind.__name__ for kind in types)
        raise ConfigurationError(f"{where}: the value must be {names}, not {type(value).__name__}")
    if target == "tags" and isinstance(value, list) and not all(isinstance(tag, str) for tag in value):
        raise ConfigurationError(f"{where}: the value must be a list of texts")
    try:
        orjson.dumps(value)  # knows what it can write later: no integer of more than 64 bits
        json.dumps(value, allow_nan=False)  # unlike orjson it refuses NaN and dates
    except (TypeError, ValueError):
        raise ConfigurationError(f"{where}: the value has no form in JSON") from None
    return value

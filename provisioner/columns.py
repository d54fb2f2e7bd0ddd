"""Which roster column feeds which user field: by its name, or by the `[columns]` table of the configuration."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, TypeAlias

import polars as pl
from polars.datatypes import DataTypeClass

from provisioner.errors import ConfigurationError, RosterError

FIELD_WORDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "uid": ("uid",),
        "name": ("name",),
        "avatar": ("avatar",),
        "link": ("link",),
        "role": ("role",),
        "statusMessage": ("status", "message"),
        "metadata": ("metadata",),
        "tags": ("tags",),
        "withAuthToken": ("with", "auth", "token"),
    }
)
"""Field of the request → its words, which a column may join with `_`, `-`, a space or nothing, in any case."""

REQUIRED = ("uid", "name")

_CONSTANT_TYPES: Mapping[str, tuple[type, ...]] = MappingProxyType(
    {"metadata": (dict, str), "metadata.": (str, int, float, list, dict), "tags": (str, int, list)}
)
_FIELD_NAMES = {name: re.compile("[ _-]?".join(words), re.IGNORECASE | re.ASCII) for name, words in FIELD_WORDS.items()}
_METADATA_COLUMN = re.compile(r"metadata\.(.+)", re.IGNORECASE | re.ASCII | re.DOTALL)
_TEMPLATE_PART = re.compile(r"(?P<literal>(?:\{\{|\}\}|[^{}])+)|\{(?P<column>[^{}]+)\}")


@dataclass(frozen=True, slots=True)
class FromColumn:
    """The cell of one column."""

    name: str

    @property
    def columns(self) -> tuple[str, ...]:
        """The one column."""
        return (self.name,)


@dataclass(frozen=True, slots=True)
class Template:
    """A text with columns in braces, such as `{first_name} {last_name}`; `{{` and `}}` stand for braces."""

    text: str

    @property
    def parts(self) -> tuple[str | FromColumn, ...]:
        """The text cut into literals and columns. Raises ValueError for a brace that has no partner."""
        return tuple(self._parts())

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it is made of, in the order of the text."""
        return tuple(part.name for part in self.parts if isinstance(part, FromColumn))

    def _parts(self) -> Iterator[str | FromColumn]:
        at = 0
        while at < len(self.text):
            match = _TEMPLATE_PART.match(self.text, at)
            if match is None:
                raise ValueError(f"the brace at character {at + 1} has no partner (a literal brace is doubled)")
            at = match.end()
            literal = match["literal"]
            yield (FromColumn(match["column"]) if literal is None else literal.replace("{{", "{").replace("}}", "}"))


@dataclass(frozen=True, slots=True)
class Constant:
    """The same value for every row: text, a number or a boolean; for tags also a list, for metadata any JSON."""

    value: Any

    @property
    def columns(self) -> tuple[str, ...]:
        """None."""
        return ()


Source: TypeAlias = FromColumn | Template | Constant
Place: TypeAlias = tuple[str, ...]
"""Where in the metadata a value goes: `metadata.@private.email` is `("@private", "email")`."""


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """The `[columns]` table: field → source, dotted metadata key → source, and what separates tags in a text."""

    fields: Mapping[str, Source] = field(default_factory=dict)
    metadata: Mapping[str, Source] = field(default_factory=dict)
    tags_separator: str = ";"


@dataclass(frozen=True, slots=True)
class Binding:
    """A mapping held against the columns of one roster.

    schema    the roster's columns and their types
    fields    user field → where it comes from; `metadata` is the one that holds a whole object
    metadata  place within the metadata → where it comes from
    unknown   the columns that feed nothing, without those that begin with `_`
    """

    schema: Mapping[str, pl.DataType]
    fields: Mapping[str, Source]
    metadata: Mapping[Place, Source]
    unknown: tuple[str, ...]
    tags_separator: str = ";"


def parse_mapping(table: Mapping[str, Any]) -> ColumnMapping:
    """Read the `[columns]` table as TOML gives it. Raises ConfigurationError naming the key."""
    fields: dict[str, Source] = {}
    metadata: dict[str, Source] = {}
    separator = table.get("tags_separator", ";")
    if not isinstance(separator, str) or not separator:
        raise ConfigurationError("[columns] tags_separator must be a text of at least one character")
    for key, value in table.items():
        if key == "tags_separator":
            continue
        name = _field_of(key)
        if name is None:
            known = (*FIELD_WORDS, "tags_separator")
            raise ConfigurationError(f"[columns] {key!r} is no user field{_nearest(key, known)}")
        if name in fields:
            raise ConfigurationError(f"[columns] {key!r}: {name} is mapped twice")
        if name == "metadata" and isinstance(value, Mapping) and set(value) != {"value"}:
            metadata = dict(_metadata_sources(value, "metadata"))
        else:
            fields[name] = _source(f"[columns] {key}", value, name)
    return ColumnMapping(fields, metadata, separator)


def bind(schema: Mapping[str, pl.DataType], mapping: ColumnMapping | None = None) -> Binding:
    """Find the source of every field among a roster's columns.

    Raises RosterError when uid or name has no source, when two columns claim one place, when a mapped column is not
    there, or when a column is of a type its field cannot be made of.
    """
    mapping = mapping or ColumnMapping()
    fields, metadata = dict(mapping.fields), {_path(key): value for key, value in mapping.metadata.items()}
    for source in (*fields.values(), *metadata.values()):
        _require_columns(source, schema)
    _claim(schema, fields, metadata)
    for name in REQUIRED:
        if name not in fields:
            hint = f"name a column {name}, or map one under [columns]"
            raise RosterError(f"the roster has no {name} column{_nearest(name, tuple(schema))}; {hint}")
    _check_paths(metadata)
    _check_types(schema, fields)
    used = {column for source in (*fields.values(), *metadata.values()) for column in source.columns}
    unknown = tuple(column for column in schema if column not in used and not column.startswith("_"))
    return Binding(dict(schema), fields, metadata, unknown, mapping.tags_separator)


def instance_of(kind: pl.DataType | DataTypeClass) -> pl.DataType:
    """Give an inner type as an instance: polars lets it be written as a class too."""
    return kind if isinstance(kind, pl.DataType) else kind()


def _field_of(name: str) -> str | None:
    stripped = name.strip()
    return next((key for key, pattern in _FIELD_NAMES.items() if pattern.fullmatch(stripped)), None)


def _metadata_sources(table: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Source]]:
    """Flatten nested tables into dotted keys, without the leading `metadata.`."""
    for key, value in table.items():
        where = f"{prefix}.{key}"
        if not key or not all(key.split(".")):
            raise ConfigurationError(f"[columns] {where}: a metadata key has an empty part")
        if isinstance(value, Mapping) and set(value) != {"value"}:
            yield from _metadata_sources(value, where)
        else:
            yield where.partition(".")[2], _source(f"[columns] {where}", value, "metadata.")


def _source(where: str, value: Any, target: str) -> Source:
    match value:
        case str() if "{" in value or "}" in value:
            template = Template(value)
            try:
                if not template.columns:
                    raise ConfigurationError(f"{where}: a template names no column; write {{ value = ... }}")
            except ValueError as error:
                raise ConfigurationError(f"{where}: {error}") from None
            return template
        case str() if value:
            return FromColumn(value)
        case {"value": constant} if len(value) == 1:
            return _constant(where, constant, target)
    raise ConfigurationError(f'{where} must be "a column", "{{a}} {{template}}" or {{ value = "a constant" }}')


def _constant(where: str, value: Any, target: str) -> Constant:
    """Check a constant against what it is for: metadata take any JSON, tags also a list, the rest a text."""
    types = _CONSTANT_TYPES.get(target, (str, int))
    if not isinstance(value, types):
        names = " or ".join(kind.__name__ for kind in types)
        raise ConfigurationError(f"{where}: the value must be {names}, not {type(value).__name__}")
    if target == "tags" and isinstance(value, list) and not all(isinstance(tag, str) for tag in value):
        raise ConfigurationError(f"{where}: the value must be a list of texts")
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        raise ConfigurationError(f"{where}: the value has no form in JSON") from None
    return Constant(value)


def _claim(schema: Mapping[str, pl.DataType], fields: dict[str, Source], metadata: dict[Place, Source]) -> None:
    """Let the columns claim by their names what the mapping has not given away. Raises RosterError for a tie."""
    taken: dict[str | Place, str] = {}
    mapped = {*fields, *metadata}
    for column in schema:
        place = _place(column)
        if place is None or place in mapped:
            continue
        if place in taken:
            said = place if isinstance(place, str) else "metadata." + ".".join(place)
            raise RosterError(f"two columns for {said}: {taken[place]!r} and {column!r}; rename or remove one")
        taken[place] = column
        if isinstance(place, str):
            fields[place] = FromColumn(column)
        else:
            metadata[place] = FromColumn(column)


def _place(column: str) -> str | Place | None:
    """Tell by its name what a column is for: a field, a place in the metadata, or nothing."""
    if column.startswith("_"):
        return None
    match = _METADATA_COLUMN.fullmatch(column.strip())
    if match is None:
        return _field_of(column)
    path = _path(match[1])
    return path if all(path) else None


def _path(key: str) -> Place:
    return tuple(key.split("."))


def _require_columns(source: Source, schema: Mapping[str, pl.DataType]) -> None:
    for column in source.columns:
        if column not in schema:
            hint = _nearest(column, tuple(schema))
            raise RosterError(f"[columns] names the column {column!r}, which the roster does not have{hint}")


def _check_paths(metadata: Mapping[Place, Source]) -> None:
    """Refuse a value that would have to be an object as well, such as `metadata.a` beside `metadata.a.b`."""
    for path in metadata:
        for end in range(1, len(path)):
            if path[:end] in metadata:
                outer, inner = ".".join(path[:end]), ".".join(path)
                raise RosterError(f"metadata.{outer} and metadata.{inner} cannot both be set: rename one")


def _check_types(schema: Mapping[str, pl.DataType], fields: Mapping[str, Source]) -> None:
    """Refuse columns that their field cannot be made of."""
    for name, source in fields.items():
        for column in source.columns:
            kind = schema[column]
            whole = isinstance(source, FromColumn)
            if not (_is_plain(kind) or (whole and _is_nested_form(name, kind))):
                raise RosterError(f"column {column!r} holds {kind}, of which no {name} can be made")


def _is_plain(kind: pl.DataType) -> bool:
    """Tell whether a value can be written as one text."""
    return not (kind.is_nested() or isinstance(kind, pl.Binary | pl.Object | pl.Duration))


def _is_nested_form(name: str, kind: pl.DataType) -> bool:
    """Tell the nested types: tags may be a list of plain values, metadata a struct or a map."""
    if name == "tags" and isinstance(kind, pl.List | pl.Array):
        return _is_plain(instance_of(kind.inner))
    return name == "metadata" and isinstance(kind, pl.Struct | pl.Map)


def _nearest(name: str, known: tuple[str, ...]) -> str:
    """Say which known name comes nearest, if any does."""
    by_key = {key.casefold(): key for key in reversed(known)}
    close = get_close_matches(name.casefold(), by_key, n=1)
    return f"; did you mean {by_key[close[0]]!r}?" if close else ""

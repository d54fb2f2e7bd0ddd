"""The `[columns]` table of the configuration, read into what each user field is made of."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any
from uuid import NAMESPACE_DNS, NAMESPACE_OID, NAMESPACE_URL, NAMESPACE_X500, UUID

import orjson

from provisioner.errors import ConfigurationError
from provisioner.validation.fields.places import (
    DEEPEST_KEY,
    FIELD_WORDS,
    MetadataPath,
    field_of,
    metadata_path,
    trimmed_name,
)
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
    can_be_read,
    constants_of,
    encodings_of,
    is_encoded,
)
from provisioner.wording import nearest, printable

MAPPED_ONLY = ("deactivated",)
"""What a row can say besides; a column does so only where it is mapped, whatever its name."""

_SETTINGS = ("tags_separator", "others", "null_values", "leave_out")

NULL_VALUES = (r"\N", "NULL", "#N/A")
"""What stands for a missing value in an optional column, spelled exactly so: databases and spreadsheets write it."""
_FIELDS = f"the fields are {', '.join((*FIELD_WORDS, *MAPPED_ONLY))}"
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


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """The `[columns]` table.

    fields          user field → its source
    metadata        dotted metadata key → its source
    tags_separator  what separates tags in a text
    others          where in the metadata the columns go that feed nothing; None: they are ignored
    null_values     cells of optional columns that are missing values, as they are spelled
    leave_out       columns that feed nothing by their names, and are none of the others
    given           the table as it stands in the file; of no account when mappings are compared
    config          the config file that was read, whether it maps anything or not; likewise
    """

    fields: Mapping[str, Source] = field(default_factory=dict)
    metadata: Mapping[str, Source] = field(default_factory=dict)
    tags_separator: str = ";"
    others: MetadataPath | None = None
    null_values: tuple[str, ...] = NULL_VALUES
    leave_out: tuple[str, ...] = ()
    given: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    config: str | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Refuse what is not the roster's own once its rejected rows are fed in. Raises ConfigurationError.

        A mended round would make users of our row numbers, and publish our words on their profiles.
        """
        for column in sorted(each for each in self.columns if each.startswith("_")):
            from provisioner.roster.columns import ADDED, MARKED  # with polars, which most commands do without

            if column in {*ADDED, MARKED}:
                kept = "a name that is kept for what is added to rejected rows"
                raise ConfigurationError(
                    f"[columns] names the column {column!r}, {kept}; rename it in the roster, and there"
                )

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the table makes something of."""
        sources = (*self.fields.values(), *self.metadata.values())
        return tuple(dict.fromkeys(column for source in sources for column in source.columns))

    def absent(self, names: Iterable[str]) -> tuple[str, ...]:
        """Give those of its columns that are not among some names, whatever cannot be seen around them."""
        there = set(map(trimmed_name, names))
        return tuple(column for column in self.columns if trimmed_name(column) not in there)

    @property
    def roles(self) -> tuple[Any, ...]:
        """The roles that the table itself names: constants, entries of a map, defaults."""
        source = self.fields.get("role")
        return () if source is None else constants_of(source)

    @property
    def needs_underscore(self) -> bool:
        """Whether the uids are made in a way that puts `_` into them."""
        source = self.fields.get("uid")
        return source is not None and Encoding.COMETCHAT in encodings_of(source)

    def missing(self, names: Sequence[str]) -> int:
        """Count the columns that a roster needs and that are not among some names.

        Needed are uid and name, by the name of the field or, where they are mapped, every column they are made of;
        and every other column that the table names.
        """
        unmapped = {"uid", "name"} - set(self.fields)
        return len(self.absent(names)) + len(unmapped - {field_of(name) for name in names})

    def missing_of_people(self, names: Sequence[str]) -> int:
        """Count which of uid and name cannot be made of the columns of some names, whatever else is mapped.

        A table may have people though it lacks columns that are needed to read it. Part of a uid is another uid, part
        of a name is a name. Case and blanks around a name are of no account: who is there must not be overlooked.
        """
        there = {trimmed_name(name).casefold() for name in names}
        sources = {"uid": self.fields.get("uid"), "name": self.fields.get("name")}
        unmapped = {name for name, source in sources.items() if source is None} - {field_of(name) for name in names}
        return len(unmapped) + sum(
            not can_be_read(source, lambda column: trimmed_name(column).casefold() in there, whole=name == "uid")
            for name, source in sources.items()
            if source is not None
        )


def parse_mapping(table: Mapping[str, Any]) -> ColumnMapping:
    """Read the `[columns]` table as TOML gives it. Raises ConfigurationError naming the key."""
    fields: dict[str, Source] = {}
    metadata: dict[str, Source] = {}
    for key, value in table.items():
        if key in _SETTINGS:
            continue
        name = key if key in MAPPED_ONLY else field_of(key)
        if name is None:
            near = nearest(key, (*FIELD_WORDS, *MAPPED_ONLY, *_SETTINGS))
            raise ConfigurationError(f"[columns] {key!r} is no user field{near}; {_FIELDS}")
        if name in fields or (name == "metadata" and metadata):
            raise ConfigurationError(f"[columns] {key!r}: {name} is mapped twice")
        if name == "metadata" and isinstance(value, Mapping) and not _is_source(value):
            metadata = _metadata(value)
        else:
            fields[name] = _field(f"[columns] {printable(key)}", value, name)
    return ColumnMapping(
        fields, metadata, _separator(table), _others(table), _null_values(table), _leave_out(table), table
    )


def _separator(table: Mapping[str, Any]) -> str:
    separator = table.get("tags_separator", ";")
    if not isinstance(separator, str) or not separator:
        raise ConfigurationError("[columns] tags_separator must be a text of at least one character")
    return separator


def _others(table: Mapping[str, Any]) -> MetadataPath | None:
    match table.get("others", "ignore"):
        case "ignore":
            return None
        case str() as others if (path := others.split("."))[0] == "metadata" and all(path):
            return metadata_path(".".join(path[1:])) if path[1:] else ()
    raise ConfigurationError('[columns] others must be "ignore", "metadata" or "metadata.<key>"')


def _null_values(table: Mapping[str, Any]) -> tuple[str, ...]:
    words = table.get("null_values", list(NULL_VALUES))
    if not isinstance(words, list) or not all(isinstance(word, str) and word == word.strip() != "" for word in words):
        raise ConfigurationError("[columns] null_values must be a list of words without blanks around them")
    return tuple(words)


def _leave_out(table: Mapping[str, Any]) -> tuple[str, ...]:
    names = table.get("leave_out", [])
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        raise ConfigurationError("[columns] leave_out must be a list of names of columns")
    return tuple(names)


def _is_source(table: Mapping[str, Any]) -> bool:
    """Tell a table that says where a value comes from, from one that holds further metadata keys."""
    return "column" in table or set(table) == {"value"}


def _metadata(table: Mapping[str, Any]) -> dict[str, Source]:
    metadata: dict[str, Source] = {}
    for given, source in _metadata_sources(table, "metadata"):
        key = ".".join(metadata_path(given))
        if key in metadata:
            raise ConfigurationError(f"[columns] metadata.{printable(key)} is mapped twice")
        metadata[key] = source
    return metadata


def _metadata_sources(table: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Source]]:
    """Flatten nested tables into dotted keys, without the leading `metadata.`."""
    for key, value in table.items():
        name = f"{prefix}.{key}"
        where = f"[columns] {printable(name)}"
        if not key or not all(key.split(".")):
            raise ConfigurationError(f"{where}: a metadata key has an empty part")
        if name.count(".") > DEEPEST_KEY:
            raise ConfigurationError(f"{where[:40]}… nests more than {DEEPEST_KEY} deep: shorten it")
        if isinstance(value, Mapping) and not _is_source(value):
            yield from _metadata_sources(value, name)
        else:
            yield name.partition(".")[2], _source(where, value, "metadata.")


def _field(where: str, value: Any, name: str) -> Source:
    """Read the source of a whole field; for tags that may be several sources, all of which count."""
    if name != "tags" or not isinstance(value, Mapping) or "columns" not in value:
        return _source(where, value, name)
    several = value["columns"]
    if len(value) > 1 or not isinstance(several, list) or not several:
        raise ConfigurationError(f"{where}: {{ columns = [...] }} takes a list of sources, and no other key beside it")
    return Joined(tuple(_source(where, each, name) for each in several))


def _source(where: str, value: Any, target: str, depth: int = 0) -> Source:
    """Read one source; `target` is the field, or `metadata.` for a metadata key."""
    if depth > _DEEPEST:
        raise ConfigurationError(f"{where} is nested more than {_DEEPEST} deep")
    match value:
        case str() if "{" in value or "}" in value:
            return _template(where, value)
        case str() if value:
            return FromColumn(value)
        case list() if value:
            return FirstOf(tuple(_source(where, each, target, depth + 1) for each in value))
        case {"value": constant} if len(value) == 1:
            return Constant(_constant(where, constant, target))
        case Mapping() if "column" in value:
            return _worked(where, _source(where, value["column"], target, depth + 1), value, target)
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

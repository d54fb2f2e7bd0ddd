"""The `[columns]` table of the configuration, read into what each user field is made of."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from provisioner.errors import ConfigurationError
from provisioner.validation.fields.places import (
    DEEPEST_KEY,
    FIELD_WORDS,
    MetadataPath,
    field_of,
    has_name,
    metadata_path,
    trimmed_name,
)
from provisioner.validation.fields.source import (
    Encoding,
    Source,
    can_be_read,
    constants_of,
    encodings_of,
)
from provisioner.validation.fields.sourcetable import read_field, read_source
from provisioner.wording import closest, nearest, printable

MAPPED_ONLY = ("deactivated",)
"""What a row can say besides; a column does so only where it is mapped, whatever its name."""

_SETTINGS = ("tags_separator", "others", "null_values", "leave_out")

NULL_VALUES = (r"\N", "NULL", "#N/A")
"""What stands for a missing value in an optional column, spelled exactly so: databases and spreadsheets write it."""
_FIELDS = f"the fields are {', '.join((*FIELD_WORDS, *MAPPED_ONLY))}"


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
        for column in sorted(each for each in self.columns if trimmed_name(each).startswith("_")):
            from provisioner.roster.columns import ADDED, MARKED  # with polars, which most commands do without

            if trimmed_name(column) in {*ADDED, MARKED}:
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

    def completable(self, names: Iterable[str]) -> tuple[str, ...]:
        """Give those of its columns that rows may lack for want of a value, where these are all names that they have.

        Not one that nearly is a name of which nothing is made, which is a slip; nor what a uid cannot do without.
        """
        used, there = set(map(trimmed_name, self.columns)), set(map(trimmed_name, names))
        free = [name for name in there - used if has_name(name) and field_of(name) in {None, *self.fields}]
        needed = self._needed_by_uid(there)
        absent = (column for column in self.absent(there) if column not in needed)
        return tuple(column for column in absent if closest(column, free, cutoff=0.8) is None)

    def addition(self, names: Collection[str]) -> str:
        """Say what is to stand in the first of its columns that is not among some names, where rows are given it."""
        lacking, there = self.absent(names)[0], set(map(trimmed_name, names))
        return "what the uid of each is made of" if lacking in self._needed_by_uid(there) else "nothing in it"

    def _needed_by_uid(self, there: Collection[str]) -> tuple[str, ...]:
        """Give the columns of a uid that cannot be made of some names, which are trimmed; none where it can."""
        uid = self.fields.get("uid")
        has_uid = uid is None or can_be_read(uid, lambda column: trimmed_name(column) in there, whole=True)
        return () if uid is None or has_uid else uid.columns

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
            fields[name] = read_field(f"[columns] {printable(key)}", value, name)
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
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
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
            yield name.partition(".")[2], read_source(where, value, "metadata.")

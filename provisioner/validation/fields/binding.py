"""Which roster column feeds which user field: by its name, or by the `[columns]` table of the configuration."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from provisioner.errors import RosterError
from provisioner.roster.columns import instance_of
from provisioner.validation.fields.mapping import NULL_VALUES, ColumnMapping
from provisioner.validation.fields.places import (
    DEEPEST_KEY,
    FIELD_WORDS,
    MetadataPath,
    called,
    dotted,
    has_name,
    metadata_key,
    metadata_path,
    place_of,
    refuse_lookalikes,
    trimmed_name,
    two_columns,
)
from provisioner.validation.fields.source import FirstOf, FromColumn, Joined, Mapped, Source, as_column, is_encoded
from provisioner.validation.vocabulary.recognition import nearest_columns, recognise
from provisioner.validation.vocabulary.synonyms import Meaning
from provisioner.validation.vocabulary.table import BRACKETS
from provisioner.wording import closest, listed, nearest

_OF_RESULTS = frozenset({"uid_input", "outcome", "settled_at"})  # columns that no other file has
REQUIRED = ("uid", "name")

_HALVES = (Meaning.PREFERRED, Meaning.FIRST, Meaning.LAST)
_LISTED = 12
_SHOWN = 40


class UnmappedError(RosterError):
    """No column is the uid, or none the name: the roster has to be mapped."""


class AbsentError(RosterError):
    """A column that the mapping names is not there."""


@dataclass(frozen=True, slots=True)
class Binding:
    """A mapping held against the columns of one roster.

    schema    the roster's columns and their types
    fields    user field → where it comes from; `metadata` is the one that holds a whole object
    metadata  path within the metadata → where it comes from
    unknown   the columns that feed nothing, without those that begin with `_` or have no name
    """

    schema: Mapping[str, pl.DataType]
    fields: Mapping[str, Source]
    metadata: Mapping[MetadataPath, Source]
    unknown: tuple[str, ...]
    tags_separator: str = ";"
    null_values: tuple[str, ...] = NULL_VALUES

    @property
    def required(self) -> frozenset[str]:
        """The columns that feed the uid or the name."""
        return frozenset(column for name in REQUIRED for column in self.fields[name].columns)

    @property
    def optional(self) -> tuple[str, ...]:
        """The columns that feed something, and neither the uid nor the name, in the roster's order."""
        sources = (*self.fields.values(), *self.metadata.values())
        used = {column for source in sources for column in source.columns} - self.required
        return tuple(column for column in self.schema if column in used)

    @property
    def sourced(self) -> frozenset[str]:
        """The fields that come from somewhere, the metadata also when only single keys of it do."""
        return frozenset(self.fields) | ({"metadata"} if self.metadata else frozenset())

    def feeding(self) -> Mapping[str, tuple[str, ...]]:
        """Give field → the columns that feed it, for `metadata` with those of its single keys."""
        found = {name: source.columns for name, source in self.fields.items()}
        single = tuple(column for source in self.metadata.values() for column in source.columns)
        return {**found, "metadata": tuple(dict.fromkeys((*found.get("metadata", ()), *single)))}

    def refuse_unreadable(self, unreadable: Mapping[str, str]) -> None:
        """Raise RosterError when something is made of a column whose cells cannot be read: column → why."""
        used = {*self.required, *self.optional}
        for column, why in unreadable.items():
            if column in used:
                raise RosterError(f"column {column!r}: {why}")

    def hint(self, most: int) -> str:
        """Say what becomes of the unknown columns, and what to do; of those that are nearly a field so many at most."""
        if set(self.unknown) >= _OF_RESULTS:
            mend = "give the roster that it read, or the rejected rows beside them (….rejected.csv)"
            return f"ignored; they are those of the results of a run, which are no roster: {mend}"
        meant = [f"; did you mean {name} by {column!r}?" for column, name in self.hints().items()]
        return f"ignored; map them under [columns] if they matter{''.join(meant[:most])}"

    def hints(self) -> Mapping[str, str]:
        """Tell which unknown columns are nearly a field that has no source: column → field."""
        free = [name for name in FIELD_WORDS if name not in self.fields and not (name == "metadata" and self.metadata)]
        close = {column: closest(_bare(column), free, cutoff=0.8) for column in self.unknown}
        return {column: found for column, found in close.items() if found}

    @property
    def encodes_uids(self) -> bool:
        """Whether a uid can be an encoded form of what the roster says."""
        return is_encoded(self.fields["uid"])


def bind(
    schema: Mapping[str, pl.DataType], mapping: ColumnMapping | None = None, repeated: Collection[str] = ()
) -> Binding:
    """Find the source of every field among a roster's columns.

    repeated  names that several columns bear in the file, of which `schema` has the first

    Raises RosterError when uid or name has no source, when two columns claim one place or one that is used shares its
    name with another, when a mapped column is not there, when one that is to be left out is not there and one of nearly
    its name is taken, or when a column is of a type its field cannot be made of.
    """
    mapping = mapping or ColumnMapping()
    left_out = set(map(trimmed_name, mapping.leave_out))
    free = {column: kind for column, kind in schema.items() if trimmed_name(column) not in left_out}
    metadata = {metadata_path(key): value for key, value in mapping.metadata.items()}
    refuse_lookalikes([*mapping.fields.items(), *metadata.items()], free)
    fields, metadata = called(mapping.fields, schema), called(metadata, schema)
    for source in (*fields.values(), *metadata.values()):
        _require_columns(source, schema, mapping)
    given = {column for source in (*fields.values(), *metadata.values()) for column in source.columns}
    _claim(free, fields, metadata)
    if missing := [name for name in REQUIRED if name not in fields]:
        _refuse_left_out(missing, [column for column in schema if column not in free])
        raise UnmappedError(_unmapped(missing, tuple(schema)))
    used = {column for source in (*fields.values(), *metadata.values()) for column in source.columns}
    unknown = tuple(column for column in free if column not in used and has_name(column))
    if mapping.others is not None:
        _take_in(unknown, mapping.others, metadata)
        used.update(unknown)
        unknown = ()
    _refuse_misspelled(mapping.leave_out, set(map(trimmed_name, schema)), used - given)
    if twice := next((column for column in schema if column in used and column in repeated), None):
        raise RosterError(f"two columns are named {twice!r}; rename or remove one")
    _check_paths(metadata, mapping)
    for name, source in fields.items():
        _check_types(schema, name, source)
    for path, source in metadata.items():
        _check_types(schema, dotted(path), source)
    return Binding(dict(schema), fields, metadata, unknown, mapping.tags_separator, mapping.null_values)


def needed_columns(mapping: ColumnMapping) -> dict[str, pl.DataType]:
    """Give the columns that have to be there, as text: those of a roster without rows, which nobody has seen."""
    names = [name for name in REQUIRED if name not in mapping.fields]
    return dict.fromkeys([*names, *mapping.columns], pl.String())


def _claim(schema: Mapping[str, pl.DataType], fields: dict[str, Source], metadata: dict[MetadataPath, Source]) -> None:
    """Let the columns claim by their names what the mapping has not given away. Raises RosterError for a tie."""
    taken: dict[str | MetadataPath, str] = {}
    mapped = {*fields, *metadata}
    for column in schema:
        place = place_of(column)
        if place is None or place in mapped:
            continue
        if place in taken:
            raise two_columns(place, taken[place], column)
        taken[place] = column
        if isinstance(place, str):
            fields[place] = FromColumn(column)
        else:
            metadata[place] = FromColumn(column)


def _take_in(columns: tuple[str, ...], others: MetadataPath, metadata: dict[MetadataPath, Source]) -> None:
    """Put the columns that feed nothing into the metadata, each under its own name, trimmed, as one key."""
    for column in columns:
        place = (*others, trimmed_name(column))
        if place in metadata:
            message = f"[columns] others: {dotted(place)} has a source already, the column {column!r} cannot be"
            raise RosterError(f"{message} put there too; rename one, or map the column")
        metadata[place] = FromColumn(column)


def _unmapped(missing: Sequence[str], columns: tuple[str, ...]) -> str:
    """Say which of the needed fields no column feeds, all at once, and which columns may be meant."""
    near = {name: found for name in missing if (found := _meant(name, columns))}
    by = len(missing) > 1
    meant = ", ".join(" and ".join(map(repr, found)) + (f" by {name}" if by else "") for name, found in near.items())
    braced = [as_column(column) for found in near.values() for column in found if as_column(column) != column]
    written = f" under [columns] that is written {' and '.join(map(repr, braced))}" if braced else ""
    hint = f"; did you mean {meant}?{written}" if meant else ""
    lacking = " and no ".join(f"{name} column" for name in missing)
    mend = f"name columns {' and '.join(missing)}, or map others" if by else f"name a column {missing[0]}, or map one"
    return f"the roster has no {lacking}{hint}; it has {_listed(columns)}; {mend} under [columns]"


def _meant(name: str, columns: tuple[str, ...]) -> list[str]:
    """Give the columns that may be a field: by its name but for looks, by a word for it, or spelled nearly so."""
    own = [column for column in columns if has_name(column)]
    if (same := next((column for column in own if _bare(column) == _bare(name)), None)) is not None:
        return [same]
    if known := nearest_columns(name, own):
        halves = [column for column in known if (found := recognise(column)) and found.meaning in _HALVES]
        return halves[:2] if known[0] in halves else known[:1]
    return [close] if (close := closest(name, own)) else []


def _nearly(name: str, columns: tuple[str, ...]) -> str:
    """Say which column is the one that is missing but for its looks, else which comes nearest.

    In a template a name ends at a brace: of a column with braces in its name, what is in them is missing.
    """
    if (braced := next((column for column in columns if f"{{{name}}}" in column), None)) is not None:
        return f"; did you mean {braced!r}? write it as {as_column(braced)!r}"
    same = next((column for column in columns if _bare(column) == _bare(name)), None)
    return f"; did you mean {same!r}?" if same is not None else nearest(name, columns)


def _bare(column: str) -> str:
    """Give a name without brackets and what stands in them, stars, blanks, line ends, signs between words, and case."""
    return re.sub(r"[\s*_-]", "", BRACKETS.sub("", column)).casefold() or column  # one of nothing else is like no other


def _require_columns(source: Source, schema: Mapping[str, pl.DataType], mapping: ColumnMapping) -> None:
    """Refuse columns that are not there. Raises AbsentError."""
    for column in source.columns:
        table = "[columns]" if mapping.config is None else f"[columns] of {mapping.config}"
        if column not in schema:
            there = f"{_nearly(column, tuple(schema))}; it has {_listed(tuple(schema))}"
            raise AbsentError(f"{table} names the column {column!r}, which the roster does not have{there}")


def _refuse_left_out(missing: Sequence[str], left_out: Sequence[str]) -> None:
    """Refuse to leave out the column that would be the uid or the name: no other is looked for. Raises RosterError."""
    for column in left_out:
        if (name := place_of(column)) in missing:
            what = f"[columns] leave_out takes away the column {column!r}, by whose name the {name} would be known"
            raise RosterError(f"{what}; take it out of leave_out, or say under [columns] what {name} is made of")


def _refuse_misspelled(left_out: Sequence[str], there: Collection[str], taken: Collection[str]) -> None:
    """Refuse the name of no column where one that nobody has named, and that is called nearly so, would be taken."""
    for column in (each for each in left_out if trimmed_name(each) not in there):
        if close := closest(column, taken, key=_key, cutoff=0.8):
            wrong = f"[columns] leave_out names the column {column!r}, which the roster does not have"
            mend = "write the name as it stands there, or take it out of leave_out"
            raise RosterError(f"{wrong}; did you mean {close!r}? {mend}")


def _key(column: str) -> str:
    """Give a name as names are compared, of a column of the metadata its key."""
    return _bare(metadata_key(column) or column)


def _check_paths(metadata: Mapping[MetadataPath, Source], mapping: ColumnMapping) -> None:
    """Refuse a value that would have to be an object as well, such as `metadata.a` beside `metadata.a.b`."""
    mapped = {metadata_path(key) for key in mapping.metadata}
    for path in metadata:
        if len(path) > DEEPEST_KEY:
            raise RosterError(f"{dotted(path)[:_SHOWN]}… nests more than {DEEPEST_KEY} deep: shorten it")
        for end in range(1, len(path)):
            if path[:end] in metadata:
                there = " under [columns]" if mapped & {path[:end], path} else ""
                raise RosterError(f"{dotted(path[:end])} and {dotted(path)} cannot both be set: rename one{there}")


def _check_types(schema: Mapping[str, pl.DataType], name: str, source: Source) -> None:
    """Refuse columns that their field cannot be made of: what is not one text is taken as a plain column only."""
    for part in source.sources if isinstance(source, Joined) else (source,):
        for column in part.columns:
            kind = schema[column]
            if _is_plain(kind) and not (isinstance(kind, pl.Boolean) and name in REQUIRED and not _is_mapped(part)):
                continue
            what = f"column {column!r} holds {kind}, of which"
            if not _is_nested_form(name, kind):
                raise RosterError(f"{what} no {name} can be made; {_type_mend(kind, name)}")
            if not isinstance(part, FromColumn):
                raise RosterError(f"{what} {name} can be made only as it stands")


def _is_mapped(source: Source) -> bool:
    """Whether the values of a column are looked up, so that true and false may be the keys of names."""
    return isinstance(source, Mapped) or (isinstance(source, FirstOf) and any(map(_is_mapped, source.sources)))


def _type_mend(kind: pl.DataType, name: str) -> str:
    """Say what to do with a column of a type of which a field cannot be made."""
    if isinstance(kind, pl.Binary):
        return "write it as text: a UUID as 6f9619ff-8b86-d011-b42d-00c04fc964ff"
    if isinstance(kind, pl.Struct):
        return "write the member that is meant, or all of them together, as a column of text"
    if kind.is_nested() and name == "tags":
        return "write it as text, or as a list of texts"
    return "write it as text" if name in REQUIRED else "write it as text, or leave the column out"


def _is_plain(kind: pl.DataType) -> bool:
    """Tell whether a value can be written as one text."""
    return not (kind.is_nested() or isinstance(kind, pl.Binary | pl.Object | pl.Duration))


def _is_nested_form(name: str, kind: pl.DataType) -> bool:
    """Tell the nested types: tags may be a list of plain values, metadata a struct or a map, a key of theirs any."""
    if name == "tags" and isinstance(kind, pl.List | pl.Array):
        return _is_plain(instance_of(kind.inner))
    if name == "metadata":
        return isinstance(kind, pl.Struct | pl.Map)
    return name.startswith("metadata.") and kind.is_nested()


def _listed(columns: tuple[str, ...]) -> str:
    """Name the first columns of a roster, so that a wrong file is recognised."""
    return listed([repr(column[:_SHOWN]) for column in columns], _LISTED) or "no columns"

"""Where a name puts a column: into a field, to a place in the metadata, or nowhere."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from types import MappingProxyType
from typing import TypeAlias, TypeVar, assert_never

from provisioner.errors import RosterError
from provisioner.validation.fields.source import (
    Constant,
    Encoded,
    FirstOf,
    FromColumn,
    Joined,
    Mapped,
    Source,
    Template,
)
from provisioner.wording import INVISIBLE, WHITE_SPACE, printable

K = TypeVar("K", bound=str | tuple[str, ...])

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

PRIVATE = "@private"
"""The key of the metadata that other users do not see."""

MetadataPath: TypeAlias = tuple[str, ...]
"""Where in the metadata a value goes: `metadata.@private.email` is `("@private", "email")`."""


DEEPEST_KEY = 64
"""How far metadata keys may nest, whoever names them."""

_FIELD_NAMES = {name: re.compile("[ _-]?".join(words), re.IGNORECASE | re.ASCII) for name, words in FIELD_WORDS.items()}
_METADATA_COLUMN = re.compile(r"metadata\.(.+)", re.IGNORECASE | re.ASCII | re.DOTALL)
_IN_BRACES = re.compile(r"(\{\{|\}\})|\{([^{}]+)\}")
_AROUND_NAMES = f"{INVISIBLE}{WHITE_SPACE}\x1c\x1d\x1e\x1f"


def place_of(column: str) -> str | MetadataPath | None:
    """Tell by its name what a column is for: a field, a place in the metadata, or nothing."""
    if column.startswith("_"):
        return None
    key = metadata_key(column)
    if key is None:
        return field_of(column)
    path = metadata_path(key)
    return path if all(path) else None


@lru_cache(maxsize=1 << 16)
def field_of(name: str) -> str | None:
    """Tell which user field a name stands for, if any."""
    stripped = trimmed_name(name)
    return next((key for key, pattern in _FIELD_NAMES.items() if pattern.fullmatch(stripped)), None)


def metadata_key(column: str) -> str | None:
    """Give the dotted key that a column `metadata.<key>` is for; None for another column."""
    match = _METADATA_COLUMN.fullmatch(trimmed_name(column))
    return match[1] if match else None


def metadata_path(key: str) -> MetadataPath:
    """Give the place that a dotted key names; `@private` in any case, for else everybody would see what is below it."""
    first, *rest = key.split(".")
    return (PRIVATE if first.lower() == PRIVATE else first, *rest)


def trimmed_name(column: str) -> str:
    """Give the name of a column without blanks and invisible characters around it."""
    return column.strip(_AROUND_NAMES)


def has_name(column: str) -> bool:
    """Whether a column has a name of its own: one that begins with `_` is ours, or stands for none."""
    return column == "" or not (trimmed_name(column) or "_").startswith("_")  # an empty key is a name in JSON


def dotted(path: MetadataPath) -> str:
    """Give the name of a place in the metadata."""
    return printable(".".join(("metadata", *path)))


def two_columns(place: str | MetadataPath, one: str, other: str, or_else: str = "") -> RosterError:
    """Refuse two columns for one place; `or_else` is another way out."""
    named = place if isinstance(place, str) else dotted(place)
    return RosterError(f"two columns for {named}: {one!r} and {other!r}; rename or remove one{or_else}")


def refuse_lookalikes(sources: Sequence[tuple[str | MetadataPath, Source]], names: Collection[str]) -> None:
    """Refuse a column of a source beside another that is called so but for what cannot be seen, and is of no source.

    In JSON it may be the same one, spelled otherwise in some rows.

    names  the columns that nobody has said to leave out

    Raises RosterError: to leave the name out is a way out as well, unless another field is taken by it.
    """
    mapped = {column for _, source in sources for column in source.columns}
    alike: dict[str, list[str]] = {trimmed_name(column): [] for column in mapped}
    for name in names:
        if (key := trimmed_name(name)) in alike:
            alike[key].append(name)
    for place, source in sources:
        for column in source.columns:
            near = [name for name in alike[trimmed_name(column)] if name == column or name not in mapped]
            if len(near) > 1:
                spare = next(name for name in near if name != column)
                is_cure = column in near and place_of(column) in {None, *(each for each, _ in sources)}
                or_else = f", or put {spare!r} under [columns] leave_out" if is_cure else ""
                raise two_columns(place, near[0], near[1], or_else)


def called(sources: Mapping[K, Source], names: Collection[str]) -> dict[K, Source]:
    """Give sources with the names that a roster has for their columns: what cannot be seen around one is trimmed.

    A column that is there by its very name is that one.
    """
    times = Counter(map(trimmed_name, names))
    near = {key: name for name in names if times[key := trimmed_name(name)] == 1}

    def there(source: Source) -> dict[str, str]:
        return {each: near.get(trimmed_name(each), each) for each in source.columns if each not in names}

    return {key: renamed(source, there(source)) for key, source in sources.items()}


def renamed(source: Source, names: Mapping[str, str]) -> Source:
    """Give a source of columns that are called otherwise: name → the other one."""
    match source:
        case FromColumn(name):
            return FromColumn(names.get(name, name))
        case Template(text):
            return Template(_IN_BRACES.sub(lambda found: found[1] or f"{{{_renamed_choice(found[2], names)}}}", text))
        case FirstOf(sources) | Joined(sources):
            return replace(source, sources=tuple(renamed(each, names) for each in sources))
        case Mapped(inner) | Encoded(inner):
            return replace(source, source=renamed(inner, names))
        case Constant():
            return source
    assert_never(source)


def _renamed_choice(columns: str, names: Mapping[str, str]) -> str:
    return "|".join(names.get(name, name) for name in columns.split("|"))

"""What is not for all to see: columns that are keys of the metadata, by their names, and keys of objects in cells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import orjson
import polars as pl

from provisioner.roster.columns import instance_of
from provisioner.validation.fields.places import DEEPEST_KEY, PRIVATE, MetadataPath
from provisioner.validation.vocabulary.recognition import privacy_of, recognise
from provisioner.validation.vocabulary.synonyms import Meaning
from provisioner.validation.vocabulary.table import Recognition

_LAST_RANK: Final = 99
_NOTHING: Final[tuple[Any, ...]] = (None, "", [], {})


def known_by_name(
    column: str, place: str | MetadataPath | None, *, are_mails: bool, bare: str = ""
) -> Recognition | None:
    """Tell what a column is by its name.

    A key of the metadata is what is private about it, and else nothing but that key; below `@private` only a secret is.

    place      what it feeds by its name: a field, a place in the metadata, or nothing
    are_mails  its cells are e-mail addresses, which are private whatever the key
    bare       the name without that of its table
    """
    if not isinstance(place, tuple):
        return recognise(column) or recognise(bare)
    named = [meaning for key in place if (meaning := privacy_of(key)) is not None]
    meaning = Meaning.SECRET if Meaning.SECRET in named else next(iter(named), Meaning.EMAIL if are_mails else None)
    is_hidden = place[0] == PRIVATE and meaning is not Meaning.SECRET
    return None if meaning is None or is_hidden else Recognition(meaning, _LAST_RANK)


def keys_in_texts(texts: Iterable[str]) -> dict[str, None]:
    """Give the keys of JSON texts that hold something private, as dotted paths, in order and once.

    What stands in `@private` is none, and what is no JSON is passed over.
    """
    return dict.fromkeys(key for text in texts for key in _in_json(_parsed(text), ""))


def keys_in_columns(cells: pl.Series) -> dict[str, None]:
    """Give the same of structs, maps and lists; none of their values is made a Python object, which some cannot be."""
    return dict.fromkeys(_in_cells(cells, ""))


def private_keys(filled: pl.Series, keys: Mapping[str, None], *, nested: bool) -> tuple[str, ...]:
    """Add the private keys of the JSON texts in a column to those of its objects; only where there may be some.

    filled  the cells, as texts that are not null
    """
    if nested or filled.str.starts_with("{").any():
        return tuple({**keys, **keys_in_texts(filled.unique(maintain_order=True))})
    return tuple(keys)


def _in_cells(cells: pl.Series, within: str) -> Iterator[str]:
    kind = cells.dtype
    if isinstance(kind, pl.Array):
        yield from _in_cells(cells.arr.to_list(), within)
    elif isinstance(kind, pl.List):
        if instance_of(kind.inner).is_nested():
            yield from _in_cells(cells.explode().drop_nulls(), within)
    elif isinstance(kind, pl.Map):
        keys = cells.map.keys().explode().drop_nulls().unique(maintain_order=True)
        are_bytes = keys.dtype == pl.Binary  # polars refuses those that are no text
        names = [key.decode(errors="replace") for key in keys] if are_bytes else keys.cast(pl.String).to_list()
        yield from _in_members(((name, None) for name in names), within)
    elif isinstance(kind, pl.Struct):
        members = cells.struct.unnest()
        yield from _in_members(((name, members.get_column(name)) for name in members.columns), within)


def _in_members(members: Iterable[tuple[str, pl.Series | None]], within: str) -> Iterator[str]:
    for name, cells in members:
        path = f"{within}.{name}" if within else name
        if path == PRIVATE or (cells is not None and _is_empty(cells)):
            continue
        if privacy_of(name) is not None:
            yield path
        elif cells is not None:
            yield from _in_cells(cells, path)


def _is_empty(cells: pl.Series) -> bool:
    filled = cells.drop_nulls()
    return filled.is_empty() or (filled.dtype == pl.String and not (filled != "").any())


def _parsed(text: str) -> Any:
    try:
        return orjson.loads(text) if text.startswith(("{", "[")) else None
    except orjson.JSONDecodeError:
        return None


def _in_json(value: Any, within: str, depth: int = 0) -> Iterator[str]:
    if depth > DEEPEST_KEY:  # such metadata are refused anyway
        return
    if isinstance(value, list):
        for each in value:
            yield from _in_json(each, within, depth + 1)
    elif isinstance(value, dict):
        for key, each in value.items():
            path = f"{within}.{key}" if within else key
            if path == PRIVATE or each in _NOTHING:
                continue
            if privacy_of(key) is not None:
                yield path
            else:
                yield from _in_json(each, path, depth + 1)

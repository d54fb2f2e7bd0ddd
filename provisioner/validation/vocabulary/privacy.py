"""What is not for all to see: columns that are keys of the metadata, by their names, and keys of objects in cells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import orjson

from provisioner.validation.fields.mapping import MetadataPath
from provisioner.validation.vocabulary.recognition import Recognition, privacy_of, recognise
from provisioner.validation.vocabulary.synonyms import Meaning

PRIVATE: Final = "@private"
"""The key of the metadata that other users do not see."""

_LAST_RANK: Final = 99
_NOTHING: Final[tuple[Any, ...]] = (None, "", [], {})


def known_by_name(column: str, place: str | MetadataPath | None, *, are_mails: bool) -> Recognition | None:
    """Tell what a column is by its name.

    A key of the metadata is what is private about it, and else nothing but that key; below `@private` only a secret is.

    place      what it feeds by its name: a field, a place in the metadata, or nothing
    are_mails  its cells are e-mail addresses, which are private whatever the key
    """
    if not isinstance(place, tuple):
        return recognise(column)
    named = [meaning for key in place if (meaning := privacy_of(key)) is not None]
    meaning = Meaning.SECRET if Meaning.SECRET in named else next(iter(named), Meaning.EMAIL if are_mails else None)
    is_hidden = place[0] == PRIVATE and meaning is not Meaning.SECRET
    return None if meaning is None or is_hidden else Recognition(meaning, _LAST_RANK)


def keys_in_objects(values: Iterable[Any]) -> dict[str, None]:
    """Give the keys that hold something private, as dotted paths, in order and once; none of what is in `@private`."""
    return dict.fromkeys(key for value in values for key in _private_keys(value, ""))


def keys_in_texts(texts: Iterable[str]) -> dict[str, None]:
    """Give the same of JSON texts; what is none is passed over."""
    return keys_in_objects(map(_parsed, texts))


def _parsed(text: str) -> Any:
    try:
        return orjson.loads(text) if text.startswith(("{", "[")) else None
    except orjson.JSONDecodeError:
        return None


def _private_keys(value: Any, within: str) -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            yield from _private_keys(each, within)
    elif isinstance(value, dict):
        for key, each in value.items():
            path = f"{within}.{key}" if within else str(key)
            if path == PRIVATE or each in _NOTHING:
                continue
            if privacy_of(str(key)) is not None:
                yield path
            else:
                yield from _private_keys(each, path)

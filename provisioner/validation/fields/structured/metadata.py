"""The forms of metadata (JSON text, a struct or map, columns of their own) read into one: compact JSON objects.

What polars can write without making Python objects, it writes; the rest is parsed once, cell by cell.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, NoReturn, TypeAlias

import orjson
import polars as pl

from provisioner.roster.columns import unnamed
from provisioner.roster.jsonshapes import END_OF_KEY
from provisioner.validation.fields import cells
from provisioner.validation.fields.binding import Binding
from provisioner.validation.fields.moments import spelled
from provisioner.validation.fields.places import MetadataPath
from provisioner.validation.fields.source import (
    Constant,
    Encoded,
    FromColumn,
    Mapped,
    Source,
    Template,
    interpret,
)
from provisioner.validation.fields.structured import jsontext
from provisioner.validation.fields.structured.metatree import metadata_tree
from provisioner.validation.fields.structured.plain import compact_objects
from provisioner.wording import shortened

SCHEMA = {"metadata": pl.String(), "metadata_defect": pl.String(), "metadata_kind": pl.String()}

Read: TypeAlias = dict[str, Any] | ValueError | None
"""The object of a row, or why it is none; None where nothing stands."""

Written: TypeAlias = tuple[str | None, str | None, str | None]
"""The JSON of a row (None: it has no metadata), why it could not be read (None: it could), and what it nearly is."""

_SOUND = [pl.lit(None, pl.String).alias(name) for name in ("metadata_defect", "metadata_kind")]

# Sixteen digits may be more than a float can hold, an exponent would change its looks, and -0 would lose its sign: kept
# as they stand.
_DELICATE_NUMBER = r"[:\[,]\s*-?(?:[0-9][0-9.]{15,}|[0-9.]+[eE])|[:\[,]\s*-0\s*[,}\]]"

_WORD_BITS = 63


def read_metadata(frame: pl.DataFrame, binding: Binding) -> pl.DataFrame:
    r"""Read the metadata of each row into the columns of `SCHEMA`; all are null where there are none.

        metadata                  metadata.a   →  metadata              metadata_defect
        {"a": 1, "b": "\u00e9"}    2               {"a":"2","b":"é"}     null
        {"a": 1}                  null            {"a":1}               null
        [1]                       2               null                  '[1]' is no object

    A column for one key wins over the same key of a whole object. Empty cells and null members of a struct are
    left out. A given JSON object is sent as it stands, without its blanks and needless escapes. `metadata_kind`: which
    of the kinds of what is nearly JSON a defect is.
    """
    given = binding.fields.get("metadata")
    if given is None and not binding.metadata:
        return cells.nothing(frame, SCHEMA)
    tree = metadata_tree(frame, binding)
    if tree is not None:
        written = jsontext.object_of(tree).alias("metadata")
        return frame.select(written, *_SOUND)
    if given is not None and not binding.metadata and not _is_nested(given, binding):
        return _of_texts(_texts(given, frame, binding))
    return pl.DataFrame(list(_merged(frame, binding)), schema=SCHEMA, orient="row")


def _of_texts(texts: pl.Series) -> pl.DataFrame:
    """Take the blanks out of plain cells all at once, and parse the others one by one.

    text                      plain   metadata          metadata_defect
    {"a": "b", "c": [1, 2]}   no      {"a":"b","c":[1,2]}   null: no list of strings, so it is parsed
    {"a": "b", "c": 1}        yes     {"a":"b","c":1}       null
    {"a": NaN}                no      null              '{"a": NaN}' is no JSON (…)
    null                      -       null              null
    """
    plain = pl.DataFrame({"metadata": compact_objects(texts)}).with_columns(_SOUND)
    rest = texts.is_not_null() & plain["metadata"].is_null()
    if not rest.any():
        return plain
    return cells.filled(plain, rest, map(_written, _parsed(texts.filter(rest))))


def _merged(frame: pl.DataFrame, binding: Binding) -> Iterator[Written]:
    """Read the whole objects, set the single values in them, and write them again, row by row.

    object           single values             written
    {"a": {"x": 1}}  ("a", "y") → 2, "b" → 3   {"a":{"x":1,"y":2},"b":3}
    None             ("a", "y") → None         None: no metadata
    ValueError       whatever they are         None, and the error's words
    """
    paths, reader = tuple(binding.metadata), _ValueReader(frame, binding)
    values = [interpret(source, reader) for source in binding.metadata.values()]
    for read, *single in zip(_objects(frame, binding), *values, strict=True):
        yield _written(read, zip(paths, single, strict=True))


def _written(whole: Read, single: Iterable[tuple[MetadataPath, Any]] = ()) -> Written:
    """Set the values of a row in its object, and write that."""
    try:
        if isinstance(whole, ValueError):
            raise whole
        for path, value in single:
            if (plain := _member(".".join(path), value, _refused)) is not None:
                whole = {} if whole is None else whole
                _set(whole, path, plain)
        return (None if whole is None else jsontext.dumps(whole)), None, None
    except ValueError as error:
        return None, str(error), error.kind if isinstance(error, jsontext.NoObjectError) else None


def _set(tree: dict[str, Any], path: MetadataPath, value: Any) -> None:
    for key in path[:-1]:
        if not isinstance(tree.get(key), dict):
            tree[key] = {}
        tree = tree[key]
    tree[path[-1]] = value


def _objects(frame: pl.DataFrame, binding: Binding) -> Iterator[Read]:
    """Give the whole object of each row as Python has it, without what is null in a struct."""
    given = binding.fields.get("metadata")
    if given is None:
        yield from [None] * frame.height
    elif isinstance(given, FromColumn) and _is_nested(given, binding):
        for value in spelled(unnamed(frame, given.name)).to_list():
            try:
                yield json_value(value)
            except ValueError as error:
                yield error
    else:
        yield from _parsed(_texts(given, frame, binding))


def _parsed(texts: pl.Series) -> Iterator[Read]:
    """Parse each text, having asked of all at once for numbers that a float would change, and for the ends of keys."""
    are_delicate, all_ends = texts.str.contains(_DELICATE_NUMBER), texts.str.count_matches(END_OF_KEY)
    for text, delicate, ends in zip(texts.to_list(), are_delicate.to_list(), all_ends.to_list(), strict=True):
        try:
            yield None if text is None else jsontext.parsed_object(text, delicate, ends)
        except ValueError as error:
            yield error


@dataclass(frozen=True, slots=True)
class _ValueReader:
    """Reads what sources say in each row: text trimmed, anything else as it is; `listed` as of `cells.trimmed`."""

    frame: pl.DataFrame
    binding: Binding
    listed: bool = False

    def column(self, source: FromColumn) -> list[Any]:
        kind = self.binding.schema[source.name]
        if kind == pl.String:
            return self._text(source)
        return spelled(unnamed(self.frame, source.name)).to_list()

    def constant(self, source: Constant) -> list[Any]:
        return [source.value] * self.frame.height

    def template(self, source: Template) -> list[Any]:
        return self._text(source)

    def first_of(self, choices: Sequence[list[Any]]) -> list[Any]:
        rows = zip(*choices, strict=True)
        return [next((value for value in row if value is not None), None) for row in rows]

    def mapped(self, source: Mapped, found: list[Any]) -> list[Any]:
        entries, default = source.entries, source.default
        if default is not None:
            found = [default if entries or value is None else value for value in found]
        texts = self._text(source.source, entries)
        return [entries.get(text, value) for text, value in zip(texts, found, strict=True)]

    def encoded(self, source: Encoded, _found: list[Any]) -> list[Any]:
        return self._text(source)

    def present(self, source: Source, read: list[Any], _entries: Collection[str] = ()) -> list[Any]:
        """Give None where the text is empty: blanks, or NaN."""
        return [None if text is None else value for value, text in zip(read, self._text(source), strict=True)]

    def within_list(self) -> _ValueReader:
        return replace(self, listed=True)

    def _text(self, source: Source, entries: Collection[str] = ()) -> list[Any]:
        text = cells.trimmed(source, self.binding, listed=self.listed, entries=entries)
        return self.frame.select(text).to_series().to_list()


def _texts(source: Source, frame: pl.DataFrame, binding: Binding) -> pl.Series:
    return cells.read(frame, {"text": source}, binding)["text"]


def _is_nested(source: Source, binding: Binding) -> bool:
    return isinstance(source, FromColumn) and binding.schema[source.name].is_nested()


def _refused(value: Any) -> NoReturn:
    """Refuse what has no form in JSON. Raises ValueError."""
    if isinstance(value, float):
        raise ValueError(f"{value} is no JSON number")
    raise ValueError(f"holds a value of type {type(value).__name__}, which has no form in JSON")


def json_value(value: Any, formless: Callable[[Any], Any] = _refused) -> Any:
    """Make JSON of what Parquet can hold; None for null and for a struct or map without anything in it.

    formless  what becomes of a value that has no form in JSON: NaN, bytes, a length of time; else ValueError is raised
    """
    match value:
        case dict():
            found = ((_key(key, formless), _member(key, item, formless)) for key, item in value.items())
            return {key: plain for key, plain in found if plain is not None} or None
        case list() | pl.Series():
            return [json_value(item, formless) for item in value]
        case float() if not math.isfinite(value):
            return formless(value)
        case bool():
            return value
        case int() if value.bit_length() > _WORD_BITS:
            return orjson.Fragment(str(value))
        case Decimal():
            return orjson.Fragment(f"{value:f}")
        case bytes() | dt.timedelta():
            return formless(value)
    return value


def _key(key: object, formless: Callable[[Any], Any]) -> str:
    """Make a key of JSON of one in a map: true, 5, a."""
    if isinstance(key, bytes | dt.timedelta):
        formless(key)
    return cells.text_of(key)


def _member(key: object, item: Any, formless: Callable[[Any], Any]) -> Any:
    """Make JSON of a member; what is wrong with it is said with its name."""
    try:
        return json_value(item, formless)
    except ValueError as error:
        raise ValueError(f"{shortened(str(key))} {error}") from None

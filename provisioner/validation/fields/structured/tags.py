"""The forms of tags (a list, a JSON or Postgres array, text with separators) read into one: a JSON array of strings.

Plain cells, which is nearly all of them, are rewritten by polars; the others are read one by one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, assert_never

import orjson
import polars as pl
from polars.expr.whenthen import ChainedThen, Then

from provisioner.roster.columns import inner_types, unnamed
from provisioner.validation.constraints import NO_TEXT, OBJECT, PHP, PYTHON
from provisioner.validation.fields import cells
from provisioner.validation.fields.binding import Binding
from provisioner.validation.fields.moments import spelled
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
from provisioner.validation.fields.structured import jsontext
from provisioner.wording import WHITE_SPACE, json_error, shortened

SCHEMA = {
    "tags": pl.String(),
    "tags_defect": pl.String(),
    "tags_kind": pl.String(),
    "tags_count": pl.Int64(),
    "tags_longest": pl.Int64(),
}

_SOUND = [pl.lit(None, pl.String).alias(name) for name in ("tags_defect", "tags_kind")]

# No comma at the start of a tag: the `","` of the tag `,` would be counted as JSON's own.
_ITEM = r'"[^"\\\p{Cc}\s,](?:[^"\\\p{Cc}]*[^"\\\p{Cc}\s])?"'
_PLAIN_ARRAY = rf"^\[(?:{_ITEM}(?:, ?{_ITEM})*)\]$"
_NOT_PLAIN = r'["\\\x00-\x1f]'

# `['red', 'blue']`, `('red',)`, `{'red'}`: Python writes text in single quotes, and in double ones what holds a single.
_PYTHON = re.compile(r"""\[\s*'.*\]|\(\s*(?:'.*'|".*")\s*+,?\s*+\)|\(\s*['"][^,]*,.*\)|\{\s*'.*'\s*\}""", re.DOTALL)
_PHP = re.compile(r"a:\d+:\{.*\}", re.DOTALL)
_QUOTED_ELEMENT = r'"(?:[^"\\]|\\.)*"'
_BARE_ELEMENT = r'[^\s{}",\\](?:[^{}",\\]*[^\s{}",\\])?'
_ELEMENT = re.compile(rf"\s*(?:({_QUOTED_ELEMENT})|({_BARE_ELEMENT}))\s*", re.DOTALL)


class Tags(NamedTuple):
    """The tags of one row as `SCHEMA` has them: a JSON array (None when there are none), or why they are no list.

    `kind` is which of the kinds of what is nearly JSON they are, `longest` the length of the longest in code points.
    """

    array: str | None = None
    defect: str | None = None
    kind: str | None = None
    number: int | None = None
    longest: int | None = None


def read_tags(frame: pl.DataFrame, binding: Binding, plain_length: int) -> pl.DataFrame:
    """Read the tags of each row into the columns of `SCHEMA`; all are null where there are none.

    `tags_longest` may be null for cells of at most `plain_length` code points: no tag of theirs is longer than that.
    """
    source = binding.fields.get("tags")
    if source is None:
        return cells.nothing(frame, SCHEMA)
    return _of_source(source, frame, binding, plain_length)


def _of_source(source: Source, frame: pl.DataFrame, binding: Binding, plain_length: int) -> pl.DataFrame:
    match source:
        case Joined(sources):
            return _joined([_of_source(each, frame, binding, plain_length) for each in sources])
        case FromColumn(name) if binding.schema[name].is_nested():
            return _of_lists(unnamed(frame, name))
        case FromColumn() | Constant() | Template() | FirstOf() | Mapped() | Encoded():
            return _of_texts(cells.read(frame, {"text": source}, binding), binding.tags_separator, plain_length)
    assert_never(source)


def _joined(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Put the lists of several sources into one; a row that one of them could not be read in keeps that defect.

    tags0   tags1        tags           tags_defect      tags_count   tags_longest
    ["a"]   ["b","cc"]   ["a","b","cc"] null             3            2
    null    ["b"]        ["b"]          null             1            1
    ["a"]   (defect)     null           of the second    null         null
    """
    several = pl.concat(
        [part.select(pl.all().name.suffix(str(number))) for number, part in enumerate(parts)], how="horizontal"
    )
    arrays, defects, kinds, counts, longest = ([pl.col(f"{name}{at}") for at in range(len(parts))] for name in SCHEMA)
    told = [pl.struct(tags_defect=why, tags_kind=kind) for why, kind in zip(defects, kinds, strict=True)]
    defect = pl.coalesce(pl.when(why.is_not_null()).then(each) for why, each in zip(defects, told, strict=True))
    sound = pl.any_horizontal([array.is_not_null() for array in arrays]) & defect.is_null()
    return several.select(
        pl.when(sound).then(_concatenated(arrays)).alias("tags"),
        defect.struct.unnest(),
        pl.when(sound).then(pl.sum_horizontal(counts)).alias("tags_count"),
        pl.when(sound).then(pl.max_horizontal(longest)).alias("tags_longest"),
    )


def _concatenated(arrays: Sequence[pl.Expr]) -> pl.Expr:
    """Make one JSON array of several: `["a"]` and `["b","c"]` become `["a","b","c"]`; a null one adds nothing."""
    items = [array.str.strip_prefix("[").str.strip_suffix("]") for array in arrays]
    return pl.concat_str([pl.lit("["), pl.concat_str(items, separator=",", ignore_nulls=True), pl.lit("]")])


def _of_lists(lists: pl.Series) -> pl.DataFrame:
    """Trim the tags of a list column, drop the blank ones and write the rest.

    lists               kept     tags     count   longest
    [" x ", null, ""]   ["x"]    ["x"]    1       1
    ["", " "]           []       null     0       null
    null                null     null     null    null
    """
    stripped = pl.element().str.strip_chars()
    kept = texts_of_lists(lists).list.eval(stripped.filter(stripped != "")).to_frame("kept")
    tags = pl.col("kept").list
    joined = tags.eval(jsontext.escaped(pl.element())).list.join('","')
    return kept.select(
        pl.when(tags.len() > 0).then(pl.concat_str([pl.lit('["'), joined, pl.lit('"]')])).alias("tags"),
        *_SOUND,
        tags.len().cast(pl.Int64).alias("tags_count"),
        tags.eval(pl.element().str.len_chars()).list.max().cast(pl.Int64).alias("tags_longest"),
    )


def texts_of_lists(lists: pl.Series) -> pl.Series:
    """Write the tags of a list column as text (List(String)), as cells are: 3.0 is 3, and NaN is null."""
    kind = inner_types(lists.dtype)[""]
    if kind.is_float() or isinstance(kind, pl.Decimal):
        lists = lists.cast(pl.List(kind)).list.eval(cells.typed_text(pl.element(), kind))
    return spelled(lists).cast(pl.List(pl.String))


def _of_texts(text: pl.DataFrame, separator: str, plain_length: int) -> pl.DataFrame:
    """Rewrite the plain cells at once, and read the rest cell by cell.

    text              form     tags         count   how
    a;b               listed   ["a","b"]    2       the separator becomes `","`
    {a,"b c",NULL}    -        ["a","b c"]  2       a Postgres array, read by `_of_text`
    ["a", "b"]        array    ["a","b"]    2       the blanks behind the commas go
    [" a ", null]     -        ["a"]        1       parsed and trimmed by `_of_text`
    [1]               -        null         null    likewise, with a defect: '1' is no string
    null              -        null         null
    """
    formed = text.with_columns(*_forms(separator, plain_length))
    plain = formed.select(*_plain_tags(separator, arrays=formed["array"].any()))
    rest = text["text"].is_not_null() & plain["tags"].is_null()
    if not rest.any():
        return plain
    return cells.filled(plain, rest, (_of_text(value, separator) for value in text.filter(rest)["text"]))


def _forms(separator: str, plain_length: int) -> tuple[pl.Expr, pl.Expr]:
    """Tell the plain cells of `text`: an `array` of JSON, or tags `listed` with separators."""
    cell = pl.col("text")
    short = cell.str.len_chars() <= plain_length
    array = short & cell.str.contains(_PLAIN_ARRAY)
    listed = short & ~cell.str.contains(_irregular(separator))
    return array.alias("array"), listed.alias("listed")


def _plain_tags(separator: str, *, arrays: bool) -> tuple[pl.Expr, ...]:
    """Give the columns of `SCHEMA` for the plain cells, null for the others; `arrays`: some are arrays."""
    cell = pl.col("text")
    items = cell.str.replace_all(separator, '","', literal=True)
    tags: Then | ChainedThen = pl.when("listed").then(pl.concat_str([pl.lit('["'), items, pl.lit('"]')]))
    count: Then | ChainedThen = pl.when("listed").then(cell.str.count_matches(separator, literal=True))
    if arrays:
        tags = tags.when("array").then(cell.str.replace_all('", "', '","', literal=True))
        count = count.when("array").then(cell.str.count_matches('",', literal=True))
    return (
        tags.alias("tags"),
        *_SOUND,
        (count + 1).cast(pl.Int64).alias("tags_count"),
        pl.lit(None, pl.Int64).alias("tags_longest"),
    )


def _irregular(separator: str) -> str:
    """Match separated text whose tags need trimming, dropping or escaping."""
    mark = pl.escape_regex(separator)
    return rf"{_NOT_PLAIN}|^[\[{{(]|^a:[0-9]+:\{{|^{mark}|{mark}$|{mark}\s|\s{mark}|{mark}{mark}"


def _of_text(text: str, separator: str) -> Tags:
    if not text.startswith("["):
        if text.endswith((")", "]", "}")) and _PYTHON.fullmatch(text):
            return Tags(defect=f"{shortened(text)} is Python and no JSON", kind=PYTHON)
        if _PHP.fullmatch(text):
            return Tags(defect=f"{shortened(text)} is PHP and no JSON", kind=PHP) if '"' in text else Tags()
        elements = _array(text)
        if elements is None and _is_object(text):
            return Tags(defect=f"{shortened(text)} is an object", kind=OBJECT)
        return _of_list(text.split(separator) if elements is None else elements)
    try:
        value = orjson.loads(text)
    except ValueError as error:
        if text.endswith((")", "]", "}")) and _PYTHON.fullmatch(text):
            return Tags(defect=f"{shortened(text)} is Python and no JSON", kind=PYTHON)
        return Tags(defect=f"{shortened(text)} is no JSON ({json_error(error)})")
    odd = [item for item in value if not isinstance(item, str | None)]
    if odd:
        return Tags(defect=f"{_shown(odd[0])} is no string", kind=NO_TEXT)
    return _of_list(value)


def _is_object(text: str) -> bool:
    """Tell an object of JSON; `{{a,b},{c}}` is an array of Postgres, if of more than one dimension, and a text here."""
    if not text.startswith("{"):
        return False
    try:
        return isinstance(orjson.loads(text), dict)
    except ValueError:
        return False


def _array(text: str) -> list[str] | None:
    r"""Read a Postgres array of one dimension: `{red,"big \"boss\"",NULL}`; None for what is none."""
    if not (text.startswith("{") and text.endswith("}")):
        return None
    inner = text[1:-1]
    if not inner.strip(WHITE_SPACE):
        return []
    try:
        return [element for element in _elements(inner) if element is not None]
    except ValueError:
        return None


def _elements(inner: str) -> Iterator[str | None]:
    """Give the elements between the braces, None for NULL. Raises ValueError where it is no array."""
    at = 0
    while True:
        match = _ELEMENT.match(inner, at)
        if match is None:
            raise ValueError("no element")
        quoted, bare = match.groups()
        yield re.sub(r"\\(.)", r"\1", quoted[1:-1], flags=re.DOTALL) if quoted else _unless_null(bare)
        at = match.end()
        if at == len(inner):
            return
        if inner[at] != ",":
            raise ValueError("something behind an element")
        at += 1


def _unless_null(bare: str) -> str | None:
    return None if bare.upper() == "NULL" else bare


def _shown(value: Any) -> str:
    try:
        return shortened(orjson.dumps(value).decode())
    except TypeError:  # nested deeper than orjson writes, though it reads it
        return "a list or object of many levels"


def _of_list(items: Sequence[str | None]) -> Tags:
    kept = [tag for item in items if item is not None and (tag := item.strip(WHITE_SPACE))]
    if not kept:
        return Tags()
    return Tags(orjson.dumps(kept).decode(), number=len(kept), longest=max(map(len, kept)))

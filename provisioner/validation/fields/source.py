"""What a user field can be made of: columns, templates, constants, and what is done with their text on the way."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Protocol, TypeAlias, TypeVar, assert_never
from uuid import UUID

T = TypeVar("T")

_UNCLOSED = re.compile(r"\{[^{}]*\{")
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
class Constant:
    """The same value for every row: text, a number or a boolean; for tags also a list, for metadata any JSON."""

    value: Any

    @property
    def columns(self) -> tuple[str, ...]:
        """None."""
        return ()


@dataclass(frozen=True, slots=True)
class FirstOf:
    """The first of several sources that is not empty in the row."""

    sources: tuple[Source, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of all of them."""
        return _columns_of(self.sources)


@dataclass(frozen=True, slots=True)
class Template:
    """A text with columns in braces, such as `{first_name} {last_name}`; `{{` and `}}` stand for braces.

    `{nickname|first_name}` is the first of these columns that is not empty in the row.
    """

    text: str

    @property
    def parts(self) -> tuple[str | FromColumn | FirstOf, ...]:
        """The text cut into literals and columns. Raises ValueError for a brace without a partner or a name."""
        return tuple(self._parts())

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it is made of, in the order of the text."""
        return _columns_of(tuple(part for part in self.parts if not isinstance(part, str)))

    def _parts(self) -> Iterator[str | FromColumn | FirstOf]:
        at = 0
        while at < len(self.text):
            match = _TEMPLATE_PART.match(self.text, at)
            if match is None:
                raise ValueError(_what_is_wrong(self.text, at))
            names = match["column"] and match["column"].split("|")
            if names and not all(names):
                raise ValueError(f"the brace at character {at + 1} has a | with no column beside it")
            at = match.end()
            yield _choice(names) if names else match["literal"].replace("{{", "{").replace("}}", "}")


@dataclass(frozen=True, slots=True)
class Mapped:
    """A source whose values are looked up.

    source   what is looked up, by its trimmed text
    entries  text → what stands for it
    default  what stands for an empty cell and, if there are entries, for a text without one; None: both stay
    """

    source: Source
    entries: Mapping[str, Any] = field(default_factory=dict)
    default: Any = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Those of its source."""
        return self.source.columns


class Encoding(StrEnum):
    """How any text is made a uid."""

    BASE32 = "base32"
    HEX = "hex"
    SLUG = "slug"
    COMETCHAT = "cometchat"
    UUID5 = "uuid5"


REVERSIBLE: Final = frozenset({Encoding.BASE32, Encoding.HEX})
"""The encodings that can be turned back into the text."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """A source whose trimmed text is encoded, for uids; `lower` folds it before.

    namespace  of a name-based UUID, and of nothing else
    """

    source: Source
    encoding: Encoding
    lower: bool = False
    namespace: UUID | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Those of its source."""
        return self.source.columns


@dataclass(frozen=True, slots=True)
class Joined:
    """The tags of several sources, in order."""

    sources: tuple[Source, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of all of them."""
        return _columns_of(self.sources)


Source: TypeAlias = FromColumn | Constant | FirstOf | Template | Mapped | Encoded | Joined


class Reader(Protocol[T]):
    """What one way of reading rows makes of each form of a source: text, JSON, the values themselves.

    `interpret` reads the inner sources first and hands over what `present` left of them. A new form is a new method
    here, and nothing type-checks until every reader has it.
    """

    def column(self, source: FromColumn, /) -> T:
        """Read the cell of a column."""

    def constant(self, source: Constant, /) -> T:
        """Give the same value for every row."""

    def template(self, source: Template, /) -> T:
        """Fill in a text."""

    def first_of(self, choices: Sequence[T], /) -> T:
        """Take for each row the first of the choices that is there."""

    def mapped(self, source: Mapped, found: T, /) -> T:
        """Look the inner source up; `found` is what was read of it."""

    def encoded(self, source: Encoded, found: T, /) -> T:
        """Encode what was read of the inner source."""

    def present(self, source: Source, read: T, entries: Collection[str] = (), /) -> T:
        """Take out of what was read of an inner source the rows in which its text is empty.

        entries  texts that are looked up: none of them is a word for nothing
        """

    def within_list(self) -> Reader[T]:
        """Give the reader of what stands in a list: a word for nothing is nothing there, before all else is done."""


def interpret(source: Source, reader: Reader[T]) -> T:
    """Read a source from the inside out: the one place that knows how the forms are nested.

    Raises TypeError for joined tags, which are lists and no value of their own.
    """

    def inner(each: Source, entries: Collection[str] = ()) -> T:
        return reader.present(each, interpret(each, reader), entries)

    match source:
        case FromColumn():
            return reader.column(source)
        case Constant():
            return reader.constant(source)
        case Template():
            return reader.template(source)
        case FirstOf(sources):
            listed = reader.within_list()
            return reader.first_of([listed.present(each, interpret(each, listed)) for each in sources])
        case Mapped():
            return reader.mapped(source, inner(source.source, source.entries))
        case Encoded():
            return reader.encoded(source, inner(source.source))
        case Joined():
            raise TypeError(f"{source} has no text of its own")
    assert_never(source)


def constants_of(source: Source) -> tuple[Any, ...]:
    """Give the values that a source names itself: constants, entries of a map and defaults."""
    match source:
        case FromColumn() | Template():
            return ()
        case Constant(value):
            return (value,)
        case FirstOf(sources) | Joined(sources):
            return tuple(value for each in sources for value in constants_of(each))
        case Mapped(inner, entries, default):
            return (*constants_of(inner), *entries.values(), *(() if default is None else (default,)))
        case Encoded(inner):
            return constants_of(inner)
    assert_never(source)


def can_be_read(source: Source, is_there: Callable[[str], bool], *, whole: bool) -> bool:
    """Tell whether a source gives something where only some columns are there.

    is_there  of the name of a column
    whole     a template needs a column for each of its places; one of them will do without it
    """
    match source:
        case FromColumn(name):
            return is_there(name)
        case Constant():
            return True
        case FirstOf(sources) | Joined(sources):
            return any(can_be_read(each, is_there, whole=whole) for each in sources)
        case Template():
            places = (any(map(is_there, part.columns)) for part in source.parts if not isinstance(part, str))
            return all(places) if whole else any(places)
        case Mapped(inner) | Encoded(inner):
            return can_be_read(inner, is_there, whole=whole)
    assert_never(source)


def is_encoded(source: Source) -> bool:
    """Tell whether a text can come out of a source encoded."""
    return bool(encodings_of(source))


def encodings_of(source: Source) -> frozenset[Encoding]:
    """Tell how a text can come out of a source encoded."""
    match source:
        case Encoded(_, encoding):
            return frozenset({encoding})
        case FirstOf(sources):
            return frozenset().union(*map(encodings_of, sources))
        case FromColumn() | Constant() | Template() | Mapped() | Joined():
            return frozenset()
    assert_never(source)


def unencoded(source: Source) -> Source:
    """Give the source of the text before its encoding, which is the last thing that is done to it."""
    match source:
        case Encoded():
            return source.source
        case FirstOf(sources):
            return FirstOf(tuple(map(unencoded, sources)))
        case FromColumn() | Constant() | Template() | Mapped() | Joined():
            return source
    assert_never(source)


def parts_of(source: Source, *, encoded: bool = False) -> tuple[tuple[Source, bool], ...]:
    """Give the sources of which the first that is not empty gives the text, and whether each is `encoded`.

    Those of a list are lists of one: what is nothing in a list is so in each of them.
    """
    match source:
        case Encoded():
            return parts_of(source.source, encoded=True)
        case FirstOf(sources):
            parts = [part for each in sources for part in parts_of(each, encoded=encoded)]
            return tuple((FirstOf((part,)), is_encoded) for part, is_encoded in parts)
        case FromColumn() | Constant() | Template() | Mapped() | Joined():
            return ((source, encoded),)
    assert_never(source)


def as_column(name: str) -> str:
    """Write the name of a column so that `[columns]` takes it for one: a single brace begins a template there."""
    return name.replace("{", "{{").replace("}", "}}")


def _what_is_wrong(template: str, at: int) -> str:
    """Say what is wrong with the brace at a position (from 0), where no part of a template begins."""
    if template.startswith("{}", at):
        return f"the braces at character {at + 1} name no column (a literal brace is doubled)"
    if _UNCLOSED.match(template, at):
        mend = "a column with a brace in its name is named alone, the brace doubled"
        return f"the brace at character {at + 1} is not closed before the next one; {mend}"
    return f"the brace at character {at + 1} has no partner (a literal brace is doubled)"


def _choice(names: list[str]) -> FromColumn | FirstOf:
    columns = tuple(map(FromColumn, names))
    return FirstOf(columns) if len(columns) > 1 else columns[0]


def _columns_of(sources: tuple[Source, ...]) -> tuple[str, ...]:
    """Each once, also where several forms name it."""
    return tuple(dict.fromkeys(column for source in sources for column in source.columns))

"""Sources: how a template is cut, which columns a source needs, and what is left of one without its encoding."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import pytest

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
    constants_of,
    encodings_of,
    interpret,
    is_encoded,
    parts_of,
    unencoded,
)


def test_a_template_is_cut_at_its_columns_and_doubled_braces_are_literal() -> None:
    """A column's name may hold anything but braces."""
    template = Template("{{{first name}}} ({a:b!r.c})")
    assert template.parts == ("{", FromColumn("first name"), "} (", FromColumn("a:b!r.c"), ")")
    assert template.columns == ("first name", "a:b!r.c")


def test_a_bar_in_braces_separates_columns_of_which_the_first_that_is_not_empty_counts() -> None:
    """Outside of braces a bar is a bar."""
    template = Template("{nick|first name} | {last}")
    either = FirstOf((FromColumn("nick"), FromColumn("first name")))
    assert template.parts == (either, " | ", FromColumn("last"))
    assert template.columns == ("nick", "first name", "last")


@pytest.mark.parametrize("text", ["{a|}", "{|a}", "{a||b}", "{|}"])
def test_a_bar_has_a_column_on_both_sides(text: str) -> None:
    """An empty name is a slip of the pen, named by its place."""
    with pytest.raises(ValueError, match=r"^the brace at character 1 has a \| with no column beside it$"):
        _ = Template(text).parts


def test_a_source_names_every_column_it_needs() -> None:
    """However deep, in order."""
    source = Joined(
        (FirstOf((FromColumn("a"), Template("{b}-{c}"), Constant("x"))), Mapped(FromColumn("d"), {"1": "2"}, "3"))
    )
    assert source.columns == ("a", "b", "c", "d")
    assert Encoded(FromColumn("e"), Encoding.HEX).columns == ("e",)


def test_without_its_encoding_a_source_gives_the_text_that_is_encoded() -> None:
    """Also when only one of several choices is encoded."""
    slug = Encoded(Mapped(FromColumn("a"), {}, "x"), Encoding.SLUG)
    mixed = FirstOf((FromColumn("id"), slug))
    assert unencoded(mixed) == FirstOf((FromColumn("id"), Mapped(FromColumn("a"), {}, "x")))
    assert (is_encoded(mixed), is_encoded(slug), is_encoded(FromColumn("a"))) == (True, True, False)
    assert encodings_of(FirstOf((mixed, Encoded(FromColumn("b"), Encoding.HEX)))) == {Encoding.SLUG, Encoding.HEX}


@dataclass
class Spelled:
    """A reader that spells sources out, and keeps which ones it was asked to leave empty; in lists it says so by !."""

    inner: list[Source] = field(default_factory=list)
    mark: str = "?"

    def column(self, source: FromColumn) -> str:
        return source.name

    def constant(self, source: Constant) -> str:
        return f"={source.value}"

    def template(self, source: Template) -> str:
        return f"'{source.text}'"

    def first_of(self, choices: Sequence[str]) -> str:
        return f"({' or '.join(choices)})"

    def mapped(self, source: Mapped, found: str) -> str:
        return f"{found}{dict(source.entries)}"

    def encoded(self, source: Encoded, found: str) -> str:
        return f"{source.encoding}:{found}"

    def present(self, source: Source, read: str, _entries: Collection[str] = ()) -> str:
        self.inner.append(source)
        return f"{read}{self.mark}"

    def within_list(self) -> Spelled:
        return Spelled(self.inner, "!")


def test_a_reader_is_asked_for_each_form_from_the_inside_out() -> None:
    """What is inside of another source is left empty where its text is; the outermost one is not."""
    reader, choice = Spelled(), FirstOf((FromColumn("a"), Template("{b}"), Constant(7)))
    mapped = Mapped(choice, {"x": 1})
    assert interpret(Encoded(mapped, Encoding.HEX), reader) == "hex:(a! or '{b}'! or =7!)?{'x': 1}?"
    assert reader.inner == [*choice.sources, choice, mapped]


def test_what_is_done_to_a_source_in_a_list_is_within_the_list() -> None:
    """However deep: a word for nothing is to be seen before it is looked up or encoded."""
    slug = Encoded(Mapped(FromColumn("a"), {"x": 1}), Encoding.SLUG)
    assert interpret(FirstOf((slug, FromColumn("b"))), Spelled()) == "(slug:a!{'x': 1}!! or b!)"


def test_each_part_of_a_list_is_a_list_of_its_own() -> None:
    """So that what is nothing in the list is so in each of its parts; a source of its own stays what it is."""
    slug = Encoded(FromColumn("a"), Encoding.SLUG)
    assert parts_of(slug) == ((FromColumn("a"), True),)
    assert parts_of(FirstOf((slug, Template("{b}")))) == (
        (FirstOf((FromColumn("a"),)), True),
        (FirstOf((Template("{b}"),)), False),
    )


def test_joined_tags_have_no_text_of_their_own() -> None:
    """They are lists: whoever reads tags takes them apart before."""
    with pytest.raises(TypeError, match="has no text of its own"):
        interpret(Joined((FromColumn("a"),)), Spelled())


def test_a_source_names_its_own_values_in_order() -> None:
    """Constants, entries and defaults, however deep; what a column holds is the roster's, and part of a template."""
    mapped = Mapped(FirstOf((FromColumn("a"), Constant("x"))), {"1": 2, "3": ["y"]}, False)
    assert constants_of(Joined((Encoded(mapped, Encoding.SLUG), Template("z{a}")))) == ("x", 2, ["y"], False)
    assert constants_of(Mapped(FromColumn("a"), {})) == ()

"""Sources: how a template is cut, which columns a source needs, and what is left of one without its encoding."""

from __future__ import annotations

import pytest

from provisioner.validation.fields.source import (
    Constant,
    Encoded,
    Encoding,
    FirstOf,
    FromColumn,
    Joined,
    Mapped,
    Template,
    is_encoded,
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

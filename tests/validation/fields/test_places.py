"""Where a name puts a column."""

from __future__ import annotations

import pytest

from provisioner.validation.fields.mapping import parse_mapping
from provisioner.validation.fields.places import MetadataPath, has_name, place_of, renamed, trimmed_name


@pytest.mark.parametrize(
    ("column", "place"),
    [
        ("Status Message", "statusMessage"),
        ("\u200bUID\xa0", "uid"),
        ("_uid", None),
        ("department", None),
        ("metadata", "metadata"),
        ("Metadata.Team.Lead", ("Team", "Lead")),
        ("metadata.@private.mail", ("@private", "mail")),
        ("metadata.@PRIVATE.mail", ("@private", "mail")),
        ("metadata.team.@Private", ("team", "@Private")),
        ("metadata..a", None),
        ("metadata.", None),
    ],
)
def test_a_name_puts_a_column(column: str, place: str | MetadataPath | None) -> None:
    """Into a field, to a place in the metadata, or nowhere; what is below `@private` is so in any case of letters."""
    assert place_of(column) == place


@pytest.mark.parametrize(
    "around", ["\u200b\u3000{}", "\u3000\u200b {}\t\u200b\u3000\ufeff", "\x1c{}\x1f", "{}\u2003\x85"]
)
def test_what_cannot_be_seen_is_no_part_of_a_name(around: str) -> None:
    """In whatever order white space and invisible characters stand."""
    assert (trimmed_name(around.format("a b")), trimmed_name(around.format("")), trimmed_name("")) == ("a b", "", "")
    assert (place_of(around.format("uid")), has_name(around.format("_row"))) == ("uid", False)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("a", " a "),
        ("c", "c"),
        ("{a} {{a}} {c|a}", "{ a } {{a}} {c| a }"),
        ({"value": "a"}, {"value": "a"}),
        (
            {"column": ["c", "a"], "map": {"a": "x"}, "default": "a"},
            {"column": ["c", " a "], "map": {"a": "x"}, "default": "a"},
        ),
        ({"column": "{a}-{c}", "encode": "hex"}, {"column": "{ a }-{c}", "encode": "hex"}),
    ],
)
def test_columns_of_a_source_that_are_called_otherwise_are_named_so(given: object, meant: object) -> None:
    """In each of its forms, and nothing else of it."""
    one, other = (parse_mapping({"uid": each}).fields["uid"] for each in (given, meant))
    assert renamed(one, {"a": " a "}) == other

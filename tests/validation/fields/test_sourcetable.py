"""Every form that a source can take in the `[columns]` table."""

from __future__ import annotations

import tomllib
import uuid

import pytest

from provisioner.validation.fields.mapping import ColumnMapping, parse_mapping
from provisioner.validation.fields.source import (
    Constant,
    Encoded,
    Encoding,
    FirstOf,
    FromColumn,
    Joined,
    Mapped,
    Template,
)


def test_every_form_of_a_source_is_understood_and_all_combine() -> None:
    """Each form gives its source, alone and within others."""
    table = tomllib.loads("""
        uid = ["id", { column = "mail", encode = "base32", lower = true }]
        name = ["display", "{nick|first} {last}", { value = "?" }]
        role = { column = "grade", map = { "1" = "staff", "2" = true }, default = "guest" }
        statusMessage = { column = ["title", "job"] }
        tags = { columns = ["team", "site:{site}", { column = "lang", map = { "de" = "german" } }] }
        others = "metadata.@private.rest"
        [metadata]
        level = { column = "grade", map = { "1" = 1, "2" = [2] }, default = {} }
        site = { column = "place", default = "home" }
    """)
    mapping = parse_mapping(table)
    assert mapping == ColumnMapping(
        {
            "uid": FirstOf((FromColumn("id"), Encoded(FromColumn("mail"), Encoding.BASE32, lower=True))),
            "name": FirstOf((FromColumn("display"), Template("{nick|first} {last}"), Constant("?"))),
            "role": Mapped(FromColumn("grade"), {"1": "staff", "2": True}, "guest"),
            "statusMessage": FirstOf((FromColumn("title"), FromColumn("job"))),
            "tags": Joined((FromColumn("team"), Template("site:{site}"), Mapped(FromColumn("lang"), {"de": "german"}))),
        },
        {
            "level": Mapped(FromColumn("grade"), {"1": 1, "2": [2]}, {}),
            "site": Mapped(FromColumn("place"), {}, "home"),
        },
        ";",
        ("@private", "rest"),
    )


def test_a_column_with_braces_in_its_name_is_named_with_each_of_them_doubled() -> None:
    """Wherever a plain column can stand; what a single brace begins is a template."""
    table = {"uid": "{{x}}", "name": ["a{{b", "{n}"], "role": {"column": "c}}", "map": {"1": "one"}}}
    assert parse_mapping(table).fields == {
        "uid": FromColumn("{x}"),
        "name": FirstOf((FromColumn("a{b"), Template("{n}"))),
        "role": Mapped(FromColumn("c}"), {"1": "one"}),
    }


@pytest.mark.parametrize("written", ["DNS", str(uuid.NAMESPACE_DNS), uuid.NAMESPACE_DNS.hex.upper()])
def test_a_namespace_is_a_name_of_the_standard_or_a_uuid(written: str) -> None:
    """In any case, and with or without dashes."""
    mapping = parse_mapping({"uid": {"column": "mail", "encode": "uuid5", "namespace": written}})
    assert mapping.fields["uid"] == Encoded(FromColumn("mail"), Encoding.UUID5, namespace=uuid.NAMESPACE_DNS)

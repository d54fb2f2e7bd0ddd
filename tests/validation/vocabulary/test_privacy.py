"""What is not for all to see is known by the names of columns and by the keys of objects."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from provisioner.validation.fields.places import place_of
from provisioner.validation.vocabulary.privacy import keys_in_columns, keys_in_texts, known_by_name, private_keys
from provisioner.validation.vocabulary.synonyms import Meaning


@pytest.mark.parametrize(
    ("column", "meaning"),
    [
        ("metadata.email", Meaning.EMAIL),
        ("METADATA.Emergency_Phone", Meaning.PHONE),
        ("metadata.phone.home", Meaning.PHONE),
        ("metadata.email.password", Meaning.SECRET),
        ("metadata.@private.iban", Meaning.SECRET),
        ("metadata.@private.email", None),
        ("metadata.department", None),
        ("metadata.id", None),
        ("metadata..email", Meaning.EMAIL),
        ("department", Meaning.PROFILE),
    ],
)
def test_a_key_of_the_metadata_is_what_is_private_about_it(column: str, meaning: Meaning | None) -> None:
    """And else just that key; a name that is no key is a name like others."""
    known = known_by_name(column, place_of(column), are_mails=False)
    assert (known and known.meaning) == meaning


def test_addresses_are_private_whatever_they_are_called() -> None:
    """Other users see what is in the metadata, but for `@private`."""
    columns = ("metadata.x", "metadata.@private.x", "x")
    known = [known_by_name(column, place_of(column), are_mails=True) for column in columns]
    assert [each and each.meaning for each in known] == [Meaning.EMAIL, None, None]


def test_keys_are_named_once_by_their_paths() -> None:
    """Objects in lists have the path of the list; what is empty is not there, and what is no JSON either."""
    texts = (
        '{"a": [{"email": "x"}, {"pay": 1}], "phone": ""}', '{"a": {"email": "y"}, "phone": {"home": "1"}}', "7", "x",
        '{"@private": {"email": "x"}}', '{"b": {"@private": {"email": "x"}}}', "{", '[{"iban": "x"}]', "[1", "null",
        "[" * 900 + "]" * 900, '{"c":' * 900 + "1" + "}" * 900,
    )  # fmt: skip
    assert list(keys_in_texts(texts)) == ["a.email", "a.pay", "phone", "b.@private.email", "iban"]


@pytest.mark.parametrize(
    ("kind", "cells", "keys"),
    [
        (pl.Struct({"email": pl.String, "b": pl.Struct({"pin": pl.Int8}), "^.*$": pl.String}),
         [{"email": "x", "b": {"pin": 1}, "^.*$": "x"}, None], ["email", "b.pin"]),
        (pl.Struct({"email": pl.String, "@private": pl.Struct({"pin": pl.Int8})}),
         [{"email": None, "@private": {"pin": 1}}], []),
        (pl.List(pl.Struct({"phone": pl.String})), [[{"phone": "1"}], [], None], ["phone"]),
        (pl.Array(pl.Struct({"phone": pl.String}), 1), [[{"phone": "1"}]], ["phone"]),
        (pl.Map(pl.String, pl.String), [{"email": "x", "b": "y"}, {"@private": "z"}], ["email"]),
        (pl.Map(pl.Binary, pl.Int8), [{b"phone": 1, b"\xff": 2}], ["phone"]),
        (pl.List(pl.String), [["email"]], []),
        (pl.Binary(), [b"email"], []),
        (pl.Struct({"birthday": pl.Datetime("ms"), "since": pl.Datetime("ms")}),
         [{"birthday": 2**62, "since": 2**62}], ["birthday"]),
    ],
)  # fmt: skip
def test_keys_of_columns_of_a_type_are_known(kind: pl.DataType, cells: list[Any], keys: list[str]) -> None:
    """Whatever their values are, also moments that no calendar has."""
    columns = pl.Series("x", cells, dtype=kind) if "since" not in str(kind) else _moments(cells)
    assert list(keys_in_columns(columns)) == keys


def _moments(cells: list[dict[str, int]]) -> pl.Series:
    return pl.Series("x", cells).cast(pl.Struct(dict.fromkeys(cells[0], pl.Datetime("ms"))))


def test_the_private_keys_of_a_column_are_those_of_its_objects_and_of_its_texts() -> None:
    """Texts are looked at where one may be JSON, or where there are objects."""
    keys, texts = {"a.phone": None}, pl.Series(['{"iban": "x"}', "plain"])
    assert private_keys(texts, keys, nested=False) == ("a.phone", "iban")
    assert private_keys(texts[1:], keys, nested=False) == ("a.phone",)

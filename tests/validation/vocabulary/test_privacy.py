"""What is not for all to see is known by the names of columns and by the keys of objects."""

from __future__ import annotations

import pytest

from provisioner.validation.fields.binding import place_of
from provisioner.validation.vocabulary.privacy import keys_in_objects, keys_in_texts, known_by_name
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
    """Objects in lists have the path of the list; what is empty is not there."""
    people = [{"a": [{"email": "x"}, {"pay": 1}], "phone": ""}, {"a": {"email": "y"}, "phone": {"home": "1"}}, None, 7]
    assert list(keys_in_objects(people)) == ["a.email", "a.pay", "phone"]
    assert list(keys_in_objects([{"@private": {"email": "x"}}, {"a": {"@private": {"email": "x"}}}])) == [
        "a.@private.email"
    ]
    assert list(keys_in_texts(['{"pin": 1}', "{", "x", '[{"iban": "x"}]', "[1"])) == ["pin", "iban"]

"""Keys that come twice in one object of JSON."""

from __future__ import annotations

import json
import re

import pytest

from provisioner.roster.jsonshapes import END_OF_KEY, key_twice


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("{}", None),
        ('{"a":1,"b":{"a":1}}', None),
        (r'{"a":":","\"":1}', None),
        ('{"a":[" :","b"]}', None),
        ('{"a":1,"a":1}', "a"),
        ('{"a":1,"a":{"b":1}}', "a"),
        ('{"a":[{"b":1,"b":[2]}]}', "b"),
        (r'{"a":1,"\u0061":2}', "a"),
        ('{"":1,"":2}', ""),
    ],
)
def test_a_key_that_comes_twice_in_one_object_is_named(text: str, key: str | None) -> None:
    """Counted beforehand or not; the same key in two objects is fine."""
    value = json.loads(text)
    assert key_twice(text, value, len(re.findall(END_OF_KEY, text))) == key
    assert key_twice(text, value, None) == key

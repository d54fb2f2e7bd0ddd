"""Keys that come twice in one object of JSON, and what people write that is none."""

from __future__ import annotations

import json
import re

import pytest

from provisioner.roster.jsonshapes import END_OF_KEY, key_twice, keys_before_list, slip


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


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a":1 , }', "a comma stands before } with nothing between them; take it away"),
        ('{"a":[1,]}', "a comma stands before ] with nothing between them; take it away"),
        ('{"a":1} // x', "JSON has no comments; take all of them away"),
        ('{/* x */"a":1}', "JSON has no comments; take all of them away"),
        ("{\"a\":'x'}", "its quotes are single; JSON has double quotes around keys and texts"),
        ("{“a”:1}", "its quotes are typographic; JSON has straight quotes around keys and texts"),
        ('{"a":True}', "True is Python; JSON has true, false and null"),
        ('{"a":yes}', "'yes' stands without quotes; JSON has double quotes around keys and texts"),
        ("{true :1}", "'true' stands without quotes; JSON has double quotes around keys and texts"),
        ('{"a":1 "b":2}', None),
        ('{"a":1', None),
        ('{"a" 1}', None),
    ],
)
def test_what_was_written_where_a_text_is_no_json_any_more_is_told(text: str, said: str | None) -> None:
    """Where the parser stops, before it or behind it; of anything else nothing is said."""
    with pytest.raises(json.JSONDecodeError) as raised:
        json.loads(text)
    assert slip(text, raised.value.pos) == said


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ('{"users": [{"uid": "a', ["users"]),
        ('{ "to\\"tal" : 2.5 ,\n"x":[1],"users" :\n[ {"uid":1},{"u', ['to"tal', "x", "users"]),
        ('{"uid":"a","about":"I am [{', None),
        ('{"a":{"users":[{"uid":"a"},', None),
        ('{"tags":["a","b', None),
        ('{"users":[', None),
        ('{"us', None),
        ('{"users":[{"uid":"a"}]}', None),
    ],
)
def test_an_object_that_is_cut_off_in_a_list_of_objects_is_known_by_its_keys(text: str, keys: list[str] | None) -> None:
    """Wherever else it is cut off, it is not known what it is."""
    assert keys_before_list(text) == keys

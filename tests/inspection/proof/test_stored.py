"""A profile as the server would have stored it: what means the same is one text, what does not is another."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.inspection.proof import stored
from provisioner.inspection.proof.stored import FieldDifference
from provisioner.model import FIELDS

ALL = frozenset(FIELDS)
VALUES = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.floats(allow_nan=False), st.text(max_size=5)
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


def profile(**members: Any) -> bytes:
    return stored.profile_of(members, ALL)


def metadata(text: str) -> bytes:
    """The profile of somebody with this metadata, as it stands in a body or in an answer."""
    return stored.sent_profile(f'{{"uid":"u","metadata":{text}}}', ALL)


@pytest.mark.parametrize(
    "same",
    [
        [{"name": "Ann"}, {"name": " Ann\n"}, {"name": "Ann", "uid": "u", "status": "offline", "createdAt": 5}],
        [
            {},
            {"role": "default"},
            {"role": " Default "},
            {"tags": []},
            {"metadata": {}},
            {"avatar": ""},
            {"link": None},
        ],
        [{"role": "nurse"}, {"role": "NURSE"}],
        [{"tags": ["b", "a"]}, {"tags": ["a", "b", "a", " ", "b "]}],
    ],
)
def test_what_the_server_makes_one_of_is_one(same: list[dict[str, Any]]) -> None:
    """Case of roles, white space, order of tags, empty values, members that are none of a profile."""
    assert len({profile(**each) for each in same}) == 1


@pytest.mark.parametrize(
    "same",
    [
        ['{"a":1,"b":2}', '{"b":2.0,"a":1e0}', '{"b":20e-1,"a":1.000}'],
        ['{"n":18446744073709551616}', '{"n":1.8446744073709552e19}', '{"n":18446744073709551616.0}'],
        ['{"n":18446744073709551615}', '{"n":18446744073709551614}', '{"n":1.8446744073709552e19}'],
        ['{"n":0}', '{"n":-0}', '{"n":-0.0}', '{"n":0e5}'],
        ['{"n":0.1}', '{"n":0.1000000000000000055511151231257827}'],
        ['{"t":" x "}', '{"t":"x"}'],
        ['{"t":""}', '{"t":null}', '{"t":"  "}'],
        ['{"e":{}}', '{"e":[]}'],
        ['{"e":{"0":1,"1":2}}', '{"e":{"1":2,"0":1}}', '{"e":[1,2]}'],
        ['{"u":"\\u00e9"}', '{"u":"é"}'],
        ['{"a":1,"a":2}', '{"a":2}'],
    ],
)
def test_what_json_makes_one_of_is_one(same: list[str]) -> None:
    """Order of keys, forms of numbers, escapes, blank texts, the empty object that PHP takes for a list."""
    assert len({metadata(each) for each in same}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('{"n":9007199254740993}', '{"n":9007199254740992}'),
        ('{"n":9223372036854775807}', '{"n":9223372036854775806}'),
        ('{"e":{"1":2}}', '{"e":[2]}'),
        ('{"n":-9223372036854775808}', '{"n":-9223372036854775807}'),
        ('{"n":1}', '{"n":"1"}'),
        ('{"n":1}', '{"n":true}'),
        ('{"n":0}', '{"n":false}'),
        ('{"n":null}', "{}"),
        ('{"l":[1,2]}', '{"l":[2,1]}'),
        ('{"u":"e\\u0301"}', '{"u":"é"}'),
        ('{"k":1}', '{"K":1}'),
    ],
)
def test_what_is_another_thing_is_another(one: str, other: str) -> None:
    """Every whole number of 63 bits and a sign, types, lists in their order, letters as they are composed."""
    assert metadata(one) != metadata(other)


@given(value=VALUES)
def test_what_comes_back_from_a_server_that_parses_and_writes_is_the_same(value: Any) -> None:
    """Whatever the metadata: read and written again, keys turned round, it is what was sent; and canonical as such."""
    text = json.dumps({"m": value}, ensure_ascii=False)
    shown = json.loads(text, object_pairs_hook=lambda pairs: dict(reversed(pairs)))
    sent = metadata(text) if json.loads(text) == orjson.loads(text) else profile(metadata=shown)
    assert profile(metadata=shown) == sent
    assert orjson.dumps(orjson.loads(sent), option=orjson.OPT_SORT_KEYS) == sent


def test_differences_are_named_in_the_order_of_the_fields() -> None:
    """Texts as they are, everything else as JSON, nothing as null."""
    roster = profile(name="Ann", tags=["b", "a"], metadata={"k": 1}, avatar="https://x.test/a")
    app = profile(name="Anna", tags=["a"], metadata={"k": 1.0}, link="https://x.test/l", role="nurse")
    assert list(stored.differences(roster, app)) == [
        FieldDifference("name", "Ann", "Anna"),
        FieldDifference("avatar", "https://x.test/a", None),
        FieldDifference("link", None, "https://x.test/l"),
        FieldDifference("role", None, "nurse"),
        FieldDifference("tags", '["a","b"]', '["a"]'),
    ]
    assert list(stored.differences(roster, roster)) == []


def test_only_the_fields_that_are_asked_for_count() -> None:
    """The others are none of the roster's business."""
    assert stored.profile_of({"name": "Ann", "link": "x"}, {"name"}) == b'{"name":"Ann"}'
    assert stored.narrowed(b'{"link":"x","name":"Ann"}', {"link"}) == b'{"name":"Ann"}'
    assert (stored.holds(b'{"name":"Ann"}', "name"), stored.holds(b'{"name":"Ann"}', "link")) == (True, False)


@pytest.mark.parametrize("odd", [7, True, [1, "a"], {"x": 1}])
@pytest.mark.parametrize("field", FIELDS)
def test_an_answer_that_makes_no_sense_is_a_difference(field: str, odd: Any) -> None:
    """Nothing that a server may say of a user ends a proof."""
    roster = profile(**{field: "x"})
    assert [each.field for each in stored.differences(roster, profile(**{field: odd}))] == [field]


@pytest.mark.parametrize("digits", [400, 5000])
def test_a_number_beyond_all_doubles_is_itself_and_no_other(digits: int) -> None:
    """A body is read as an answer is, in which such a number stands for itself."""
    assert metadata(f'{{"n":{"9" * digits}}}') == metadata(f'{{ "n": {"9" * digits}}}')
    assert metadata(f'{{"n":{"9" * digits}}}') != metadata(f'{{"n":{"9" * digits}8}}')


def test_metadata_nested_deeper_than_can_be_read_is_a_difference() -> None:
    """Another hand can have stored anything."""
    for depth in (300, 900, 3000):
        deep: Any = 1
        for _ in range(depth):
            deep = [deep]
        assert profile(metadata={"k": deep}) not in {profile(metadata={"k": [1]}), profile()}

"""What was sent and what the API shows of it are one; what is another value is another."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.model import FIELDS
from provisioner.sending.users import profile
from provisioner.sending.users.canonical import Known, known, recognised, stored, stored_texts

NUMBERS = st.one_of(
    st.integers(-(10**30), 10**30).map(str),
    st.integers(-(2**64), 2**64).map(str),
    st.sampled_from([str(sign * 2**63 + more) for sign in (-1, 1) for more in (-1025, -1, 0, 1, 1025)]),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.decimals(-(10**6), 10**6, allow_nan=False, allow_infinity=False).map(lambda each: f"{each:f}"),
    st.tuples(st.integers(-99, 99), st.integers(-30, 30)).map(lambda each: f"{each[0]}e{each[1]}"),
)
WORDS = st.text(st.characters(codec="utf-8"), max_size=8) | st.sampled_from(["", " ", " x", "x\t", "\x1f"])
KEYS = WORDS | st.sampled_from(["0", "1", "2", "01"])


def compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def written(items: dict[str, str]) -> str:
    return "{" + ",".join(f"{compact(key)}:{value}" for key, value in items.items()) + "}"


VALUES = st.recursive(
    NUMBERS | WORDS.map(compact) | st.sampled_from(["true", "false", "null"]),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda each: f"[{','.join(each)}]")
        | st.dictionaries(KEYS, inner, max_size=3).map(written)
    ),
    max_leaves=8,
)
METADATA = st.dictionaries(KEYS, VALUES, max_size=3).map(written)
TEXTS = WORDS.map(compact)
PROFILES = st.fixed_dictionaries(
    {"name": TEXTS},
    optional={
        "avatar": TEXTS,
        "link": TEXTS,
        "role": st.sampled_from(['"default"', '"Manager"', '"nurse"', '" nurse "']),
        "statusMessage": TEXTS,
        "metadata": METADATA,
        "tags": st.lists(WORDS, max_size=4).map(compact),
    },
)


def parsed(text: str) -> Any:
    """Read JSON as most programs do: whole numbers of 64 bits, and doubles."""
    return json.loads(text, parse_int=lambda each: int(each) if -(2**63) <= int(each) < 2**64 else float(each))


def by_php(value: Any) -> Any:
    """What a server stores: texts trimmed, empty ones null, large numbers as doubles, objects that are lists so."""
    match value:
        case str():
            return value.strip() or None
        case dict():
            if list(value) == [str(at) for at in range(len(value))]:
                return [by_php(item) for item in value.values()]
            return {key: by_php(item) for key, item in reversed(value.items())}
        case int() if not -(2**63) <= value < 2**63:
            return float(value)
        case list():
            return [by_php(item) for item in value]
    return value


def shown(texts: dict[str, str]) -> dict[str, Any]:
    """A profile as an API shows it that has taken this one."""
    user = {name: by_php(parsed(text)) for name, text in texts.items()}
    if "role" in user:
        user["role"] = user["role"].lower()
    if "tags" in user:
        user["tags"] = list(dict.fromkeys(each for each in reversed(user["tags"]) if each))
    return user


def told(texts: dict[str, str]) -> Known:
    return Known(profile.digests(texts), profile.digests(stored_texts(texts)))


@given(sent=PROFILES)
def test_whatever_was_sent_is_recognised_in_what_is_shown(sent: dict[str, str]) -> None:
    """Whatever JSON it holds: trimmed, turned round, read as doubles and written again, it is what is known."""
    ours = known(profile.digests(sent), [sent])
    assert recognised(told(profile.texts_of(shown(sent))), [ours]) == ours.digests


@given(sent=PROFILES, other=PROFILES)
def test_what_is_shown_is_recognised_exactly_where_it_is_the_same(sent: dict[str, str], other: dict[str, str]) -> None:
    """Field by field; a field that is another has the digest that is shown."""
    theirs = told(profile.texts_of(shown(other)))
    ours = known(profile.digests(sent), [other, sent])
    found = profile.same(recognised(theirs, [ours]), ours.digests)
    alike = {name for name in FIELDS if form(name, sent) == form(name, other)}
    assert found == alike


def form(name: str, texts: dict[str, str]) -> str:
    return json.dumps(stored(name, parsed(texts.get(name, "null"))), sort_keys=True)


@given(text=METADATA)
def test_metadata_that_is_taken_as_it_stands_has_the_digest_of_its_form(text: str) -> None:
    """To look for what may change is faster than to read it all, and misses nothing."""
    slowly = orjson.dumps(stored("metadata", parsed(text))).decode()
    assert profile.digests(stored_texts({"metadata": text})) == profile.digests({"metadata": slowly})


@pytest.mark.parametrize(
    ("sent", "told_as", "same"),
    [
        ("18446744073709551615", "1.8446744073709552e+19", True),
        ("9223372036854775808", "9.2233720368547758e+18", True),
        ("9223372036854775807", "9.2233720368547758e+18", False),
        ("-9223372036854775808", "-9223372036854775808", True),
        ("-9223372036854775809", "-9.2233720368547758e+18", True),
        ('{"0":"a","1":{"0":1}}', '["a",[1]]', True),
        ('{"1":"b","0":"a"}', '{"0":"a","1":"b"}', True),
        ('{"1":"a"}', '["a"]', False),
        ('{"00":"a"}', '["a"]', False),
        ('{"0":"a","2":"b"}', '["a","b"]', False),
    ],
)
def test_what_php_stores_as_something_else_is_recognised(sent: str, told_as: str, same: bool) -> None:
    """Large whole numbers, and objects whose keys count from 0; of the metadata themselves too."""
    for wrapped in ('{{"x":{}}}', "{}") if sent.startswith("{") else ('{{"x":{}}}',):
        row = {"metadata": wrapped.format(sent)}
        seen = told(profile.texts_of({"metadata": orjson.loads(wrapped.format(told_as))}))
        ours = known(profile.digests(row), [row])
        assert (recognised(seen, [ours]) == ours.digests) is same


def test_a_plain_profile_has_the_digests_that_it_always_had() -> None:
    """Nothing of what a state or a journal of an earlier version keeps of most users is another."""
    texts = {"name": '"Ann"', "role": '"nurse"', "tags": '["b","a"]', "metadata": '{"n":1.50,"t":"x y","l":[1,2]}'}
    assert told(texts) == Known(*[profile.digests(texts)] * 2)


def test_the_first_profile_counts_in_which_a_field_is_the_same() -> None:
    """As it is known rather than as a row has it; of a text that is not known, its digest says how it is stored."""
    kept, row = {"name": '"Ann"', "link": '" l"'}, {"name": '"Ann "', "link": '"l"', "avatar": '"a"'}
    theirs = told({"name": '"Ann"', "link": '"l"', "avatar": '" a"'})
    several = [known(profile.digests(kept), [kept]), known(profile.digests(row), [row])]
    assert recognised(theirs, several) == profile.digests({**kept, "avatar": '"a"'})
    assert recognised(theirs, [known(profile.digests(kept), [])]) == profile.digests(
        {"name": '"Ann"', "link": '"l"', "avatar": '" a"'}
    )


@pytest.mark.parametrize("text", ['{"n":1e400}', '{"n":' + "9" * 5000 + "}", '{"d":' + "[" * 2000 + "]" * 2000 + "}"])
def test_what_cannot_be_read_stands_for_itself(text: str) -> None:
    """Numbers beyond all doubles, and more levels than are read."""
    assert stored_texts({"metadata": text}) == {"metadata": text}

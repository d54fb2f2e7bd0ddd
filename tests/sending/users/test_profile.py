"""A profile against what it was: nothing changes on the way, and digests are equal exactly when the meaning is."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.model import FIELDS
from provisioner.sending.users import profile
from provisioner.sending.users.profile import Difference

STANDARD = ("name", "avatar", "link", "role", "statusMessage", "metadata", "tags")

# Numbers as they may stand in a roster's metadata, digit by digit.
NUMBERS = st.one_of(
    st.integers(-(10**30), 10**30).map(str),
    st.decimals(-(10**6), 10**6, allow_nan=False, allow_infinity=False).map(lambda each: f"{each:f}"),
    st.tuples(st.integers(-99, 99), st.integers(-30, 30)).map(lambda each: f"{each[0]}e{each[1]}"),
)
TEXT = st.text(st.characters(codec="utf-8"), max_size=8)


def _object(items: Mapping[str, str]) -> str:
    return "{" + ",".join(f"{_compact(key)}:{value}" for key, value in items.items()) + "}"


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


JSON_TEXTS = st.recursive(
    st.one_of(NUMBERS, TEXT.map(_compact), st.sampled_from(["true", "false", "null"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda each: f"[{','.join(each)}]"),
        st.dictionaries(TEXT, inner, max_size=3).map(_object),
    ),
    max_leaves=8,
)
METADATA = st.dictionaries(TEXT, JSON_TEXTS, min_size=1, max_size=3).map(_object)
TAGS = st.lists(TEXT.filter(bool), min_size=1, max_size=4).map(_compact)
WORDS = TEXT.filter(bool).map(_compact)
PROFILES = st.fixed_dictionaries(
    {"name": WORDS},
    optional={
        "avatar": WORDS,
        "link": WORDS,
        "role": st.sampled_from(['"default"', '"admin"', '"nurse"']),
        "statusMessage": WORDS,
        "metadata": METADATA,
        "tags": TAGS,
    },
)


@given(members=st.dictionaries(TEXT, JSON_TEXTS, max_size=6))
def test_a_body_is_cut_without_changing_anything(members: dict[str, str]) -> None:
    """Every member's text is what stood there: no digit, no order, no escape is touched."""
    assert profile.members(_object(members)) == members


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("metadata", '{"a":1.50,"b":15e-1,"big":12345678901234567890.000,"a":2}'),
        ("metadata", '{"n":' + "9" * 5000 + "}"),
        ("name", r'"a\"b,\\\"}"'),
        ("name", r'"\ud83d\ude00"'),
        ("tags", '["},{",":"]'),
        ("metadata", '{"deep":' + "[" * 200 + "]" * 200 + "}"),
    ],
)
def test_hard_members_are_cut_in_the_right_place(key: str, text: str) -> None:
    """Also between others, and numbers longer than Python reads."""
    body = f'{{"uid":"u","{key}":{text},"z":0}}'
    assert profile.members(body) == {"uid": '"u"', key: text, "z": "0"}


def test_the_fields_are_those_of_the_api() -> None:
    """A state keeps digests by their order: it may grow at its end only."""
    assert FIELDS == STANDARD


def digest_of_metadata(text: str) -> bytes:
    return profile.digests({"name": '"x"', "metadata": text})


@pytest.mark.parametrize(
    "same",
    [
        ["1.5", "1.50", "15e-1", "0.15e1", "1.5E0", "0.0015e+3"],
        ["0", "0.0", "-0", "0e5", "-0.00"],
        ["100", "1e2", "1E+2", "100.0", "0.1e3"],
        ["-7", "-7.0", "-70e-1"],
        ["9" * 5000, "9" * 5000 + ".0"],
        [r'"é"', r'"\u00e9"'],
        ['{"a":1,"b":[{"c":2,"d":3}]}', '{"b":[{"d":3.0,"c":2}],"a":1}'],
    ],
)
def test_what_means_the_same_has_one_digest(same: list[str]) -> None:
    """Forms of numbers, escapes and the order of keys are no change."""
    assert len({digest_of_metadata(f'{{"k":{text}}}') for text in same}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1", '"1"'),
        ("1", "true"),
        ("0", "false"),
        ("0", "null"),
        ("0", '""'),
        ("1", "10"),
        ("1", "-1"),
        ("10", "1e2"),
        ("9" * 5000, "9" * 4999 + "8"),
        ("0.1", "0.10000000000000000555"),
        ("[1,2]", "[2,1]"),
        ("[]", "{}"),
        ('{"a":1}', '{"a":1,"b":null}'),
        (r'"\u00001e0"', "1"),
        (r'"\u00000"', "0"),
        (r'"\u0000\u00001e0"', r'"\u00001e0"'),
    ],
)
def test_what_means_something_else_has_another_digest(one: str, other: str) -> None:
    """Kinds are kept apart, every digit counts, and a list has an order."""
    assert digest_of_metadata(f'{{"k":{one}}}') != digest_of_metadata(f'{{"k":{other}}}')


def _meaning(text: str) -> Any:
    """What JSON means, exactly, by Python's own reading of it; kinds are kept apart."""

    def kept(value: Any) -> Any:
        match value:
            case dict():
                return "object", frozenset((key, kept(item)) for key, item in value.items())
            case list():
                return "list", tuple(map(kept, value))
            case Decimal():
                return "number", value
        return type(value).__name__, value

    return kept(json.loads(text, parse_int=Decimal, parse_float=Decimal))


@given(one=METADATA, other=METADATA)
def test_digests_are_equal_exactly_when_the_meaning_is(one: str, other: str) -> None:
    """Against Python's reading of JSON."""
    assert (digest_of_metadata(one) == digest_of_metadata(other)) is (_meaning(one) == _meaning(other))


@given(text=METADATA, tags=TAGS)
def test_letters_that_are_written_as_escapes_change_no_digest(text: str, tags: str) -> None:
    """What holds an escape is read in another way, and digested to the same bytes."""
    plain, escaped = (
        profile.digests({"tags": f'["{k}",{tags[1:]}', "metadata": f'{{"{k}":{text}}}'}) for k in ("k", r"\u006b")
    )
    assert plain == escaped


@given(old=PROFILES, new=PROFILES)
def test_digests_that_are_revised_are_those_of_the_new_profile(old: dict[str, str], new: dict[str, str]) -> None:
    """A field that is not there any more has none."""
    assert profile.revised(profile.digests(old), old, new) == profile.digests(new)


@given(tags=st.lists(TEXT, min_size=1, max_size=5), data=st.data())
def test_the_order_of_tags_is_no_change(tags: list[str], data: st.DataObject) -> None:
    """A tag more or less is."""
    mixed = data.draw(st.permutations(tags))
    digests = [profile.digests({"tags": _compact(each)}) for each in (tags, mixed, [*tags, "one more"])]
    assert digests[0] == digests[1] != digests[2]


def test_the_default_role_is_no_role() -> None:
    """The API gives it to everybody who was given none."""
    assert profile.digests({"role": '"default"'}) == profile.digests({}) != profile.digests({"role": '"admin"'})


def test_digests_are_those_of_the_day_before() -> None:
    """A state is kept for years: these bytes may never change."""
    known = {"name": '"Ann"', "tags": '["b","a"]', "metadata": '{"n":1.50}'}
    parts = ["16469c6593eeeb91", *["0" * 16] * 4, "6950e5facc6bbbba", "4958a65a6584dd7d"]
    assert profile.digests(known).hex() == "".join(parts)
    whole = {"name": r'"Ann\n"', "tags": "[3,true]", "metadata": '{"b":{"c":[-120,null]},"a":"é"}'}
    parts = ["eae97fe6fa46a1a3", *["0" * 16] * 4, "653d7a129a41993b", "9b65d948bcc67a7c"]
    assert profile.digests(whole).hex() == "".join(parts)


# --- differences and updates ---------------------------------------------------------------------------------------


def put(old: Mapping[str, Any], body: bytes) -> dict[str, Any]:
    """What the API does with a `PUT`: what is not sent stays."""
    sent = json.loads(body, parse_int=Decimal, parse_float=Decimal)
    assert "uid" not in sent
    unset = sent.pop("unset", [])
    assert set(unset) <= {"avatar", "link", "metadata"}
    assert not set(unset) & set(sent)
    return {name: value for name, value in {**old, **sent}.items() if name not in unset}


def shown(user: Mapping[str, Any]) -> dict[str, Any]:
    """A profile as a person sees it: empty is absent, the default role is none, tags have no order."""
    plain = {name: value for name, value in user.items() if value not in ("", [])}
    if plain.get("role") == "default":
        del plain["role"]
    if "tags" in plain:
        plain["tags"] = sorted(plain["tags"])
    return plain


def loaded(members: Mapping[str, str]) -> dict[str, Any]:
    return {name: json.loads(text, parse_int=Decimal, parse_float=Decimal) for name, text in members.items()}


def kept(old: Mapping[str, str], wanted: Mapping[str, str]) -> dict[str, str]:
    """The status message that became empty, and stays as it was."""
    return {name: text for name, text in old.items() if name == "statusMessage" and name not in wanted}


MANAGED = st.frozensets(st.sampled_from(FIELDS[1:])).map(lambda each: each | {"name"})


@given(old=PROFILES, wanted=PROFILES, managed=MANAGED)
def test_an_update_turns_the_old_profile_into_the_new_one(
    old: dict[str, str], wanted: dict[str, str], managed: frozenset[str]
) -> None:
    """In every field the roster has a source for; the others stay, and nothing is said of what has not changed.

    But for a status message that became empty: to clear one is documented nowhere, and a refusal would cost the rest.
    """
    wanted = {name: text for name, text in wanted.items() if name in managed}
    before, now = profile.digests(old), profile.digests(wanted)
    needed = profile.difference(before, now, managed)
    body = profile.update(wanted, needed)
    after = put(loaded(old), body) if body else loaded(old)
    unmanaged = {name: text for name, text in old.items() if name not in managed}
    assert shown(after) == shown(loaded({**wanted, **unmanaged, **kept(old, wanted)}))
    said = {name for name in FIELDS if shown(loaded(old)).get(name) != shown(loaded(wanted)).get(name)} & managed
    said -= set(kept(old, wanted))
    assert set(needed.fields) == said
    assert bool(body) is bool(said)


@given(old=PROFILES, wanted=PROFILES, managed=MANAGED)
def test_after_an_update_the_state_knows_the_profile(
    old: dict[str, str], wanted: dict[str, str], managed: frozenset[str]
) -> None:
    """What is kept is what the server has now: the same row the next night changes nothing."""
    wanted = {name: text for name, text in wanted.items() if name in managed}
    before, now = profile.digests(old), profile.digests(wanted)
    unmanaged = {name: text for name, text in old.items() if name not in managed}
    # A status message that became empty cannot be taken away.
    stays = {"statusMessage": old["statusMessage"]} if "statusMessage" in old and "statusMessage" not in wanted else {}
    merged = profile.merged(before, now, managed)
    assert merged == profile.digests({**wanted, **unmanaged, **stays})
    assert not profile.difference(merged, now, managed)


def test_a_status_message_that_became_empty_is_no_drift_in_the_next_night() -> None:
    """It stays on the server, so the state knows it, and the directory shows what the state knows."""
    old, wanted = {"name": '"A"', "statusMessage": '"hi"'}, {"name": '"B"'}
    merged = profile.merged(profile.digests(old), profile.digests(wanted), FIELDS)
    shown = profile.digests(profile.texts_of({"name": "B", "statusMessage": "hi"}))
    assert profile.overlaid(merged, shown, frozenset(FIELDS)) == merged
    assert not profile.difference(merged, profile.digests(wanted), FIELDS)


@given(old=PROFILES, wanted=PROFILES)
def test_an_update_of_an_unknown_profile_says_everything(old: dict[str, str], wanted: dict[str, str]) -> None:
    """But for an empty status message, as ever."""
    managed = frozenset(FIELDS)
    needed = profile.difference(None, profile.digests(wanted), managed)
    after = put(loaded(old), profile.update(wanted, needed))
    assert shown(after) == shown(loaded({**wanted, **kept(old, wanted)}))


@pytest.mark.parametrize(
    ("old", "wanted", "body"),
    [
        ({}, {"name": '"B"'}, b'{"name":"B"}'),
        ({"avatar": '"x"', "link": '"y"'}, {}, b'{"unset":["avatar","link"]}'),
        ({"metadata": '{"a":1}'}, {"metadata": '{"a":1.50}'}, b'{"metadata":{"a":1.50}}'),
        ({"role": '"admin"'}, {}, b'{"role":"default"}'),
        ({"role": '"admin"'}, {"role": '"default"'}, b'{"role":"default"}'),
        ({"statusMessage": '"hi"'}, {}, b""),
        ({"tags": '["a"]'}, {}, b'{"tags":[]}'),
        ({"tags": '["a","b"]'}, {"tags": '["b","a"]'}, b""),
        ({"metadata": '{"a":1}', "tags": '["a"]'}, {"tags": '["b"]'}, b'{"tags":["b"],"unset":["metadata"]}'),
    ],
)
def test_an_update_says_what_has_changed(old: dict[str, str], wanted: dict[str, str], body: bytes) -> None:
    """Exact bytes: what became empty is unset where the API can, else emptied."""
    needed = profile.difference(profile.digests(old), profile.digests(wanted), FIELDS)
    assert profile.update(wanted, needed) == body


ELSE = '"role":"default","tags":[],"unset":["avatar","link"]'


@pytest.mark.parametrize(
    ("body", "managed", "more"),
    [
        ('{"uid":"a","name":"A"}', ("uid", "name", "avatar"), ',"unset":["avatar"]'),
        ('{"uid":"a","name":"A","avatar":"x"}', ("uid", "name", "avatar"), ""),
        ('{"uid":"a","name":"A"}', ("uid", "name", "withAuthToken", "deactivated"), ""),
        ('{"uid":"a","name":"A","metadata":{"a":1.50}}', FIELDS, f",{ELSE}"),
        ('{"uid":"a","name":"A","role":"r","tags":["t"]}', ("role", "metadata", "tags"), ',"unset":["metadata"]'),
        ('{"uid":"a","name":"A"}', ("statusMessage",), ""),
        ('{"uid":"a","name":"A"}', (), ""),
    ],
)
def test_a_body_says_besides_what_is_to_be_emptied(body: str, managed: Collection[str], more: str) -> None:
    """Exact bytes: of the fields that the roster has a source for, those that the row has nothing for."""
    assert profile.emptying(body.encode(), managed).decode() == f"{body[:-1]}{more}}}"


@pytest.mark.parametrize(
    ("managed", "besides"),
    [(STANDARD, ""), (("name",), "+135"), (("name", "avatar"), "+35"), (("name", "role", "metadata"), "+1")],
)
def test_what_a_user_has_besides_its_row_stands_behind_the_hash(managed: Collection[str], besides: str) -> None:
    """Not what is unknown, or could not be emptied; a hash tells nothing once one of these fields has a column."""
    old = {"name": '"A"', "avatar": '"x"', "role": '"nurse"', "statusMessage": '"hi"', "metadata": '{"a":1}'}
    known = profile.overlaid(None, profile.digests(old), set(FIELDS) - {"tags"})
    assert profile.beyond(known, profile.digests({"name": '"A"'}), managed) == besides
    assert profile.tells(f"h{besides}", "h", managed)
    assert not profile.tells(f"h{besides}", "other", managed)
    assert profile.tells(f"h{besides}", "h", STANDARD) == (besides == "")


def test_fields_come_in_their_order() -> None:
    """Changed and emptied mixed."""
    assert Difference(("tags", "name"), ("link",)).fields == ("name", "link", "tags")
    assert not Difference((), ())


# --- the directory's view ------------------------------------------------------------------------------------------


@given(known=PROFILES)
def test_a_user_that_the_api_shows_has_the_digests_of_its_row(known: dict[str, str]) -> None:
    """So that an adopted user that is as the roster has it costs nothing."""
    user = {"uid": "u", "status": "offline", "createdAt": 1, "role": "default", **loaded(known)}
    plain = json.loads(json.dumps(user, default=float))
    floats = {name: _compact(value) for name, value in json.loads(json.dumps(loaded(known), default=float)).items()}
    assert profile.digests(profile.texts_of(plain)) == profile.digests(floats)


def test_an_empty_field_that_the_api_shows_is_absent() -> None:
    """An empty string, list, object or null is no value."""
    user: dict[str, Any] = {"uid": "u", "avatar": "", "link": None, "tags": [], "metadata": {}, "role": "default"}
    assert profile.digests(profile.texts_of(user)) == profile.digests({})


def test_what_the_directory_does_not_tell_is_as_it_is_known() -> None:
    """Or unknown, which is not absent: a value is then sent, an empty cell is not."""
    known, seen = profile.digests({"statusMessage": '"hi"', "name": '"A"'}), profile.digests({"name": '"B"'})
    assert profile.overlaid(known, seen, {"name"}) == profile.digests({"name": '"B"', "statusMessage": '"hi"'})
    unknown = profile.overlaid(None, seen, {"name"})
    assert not profile.difference(unknown, profile.digests({"name": '"B"'}), FIELDS)
    wanted = profile.digests({"name": '"B"', "statusMessage": '"hi"'})
    assert profile.difference(unknown, wanted, FIELDS) == Difference(("statusMessage",), ())


@pytest.mark.parametrize("depth", [400, 900, 100_000])
def test_metadata_nested_however_deep_have_digests(depth: int) -> None:
    """Another hand can give such to any user of the app: they are compared as they are written, or not at all."""
    deep: list[Any] = []
    for _ in range(depth):
        deep = [deep]
    digests = profile.digests(profile.texts_of({"uid": "ann", "name": "Ann", "metadata": {"a": deep}}))
    assert profile.same(digests, profile.digests({"name": '"Ann"'})) == frozenset(STANDARD) - {"metadata"}

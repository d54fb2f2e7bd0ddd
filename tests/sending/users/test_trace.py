"""What an update set, kept small: nothing is lost of which fields, and values are told apart."""

from __future__ import annotations

from provisioner.model import FIELDS
from provisioner.sending.users import profile
from provisioner.sending.users.trace import (
    ENTRY,
    between,
    bits_of,
    digest_of,
    digests_in,
    entry_of,
    is_in,
    left_by,
    names_of,
    set_by,
)


def test_a_set_of_fields_is_one_number_and_back() -> None:
    """Whatever fields."""
    for bits in range(1 << len(FIELDS)):
        assert bits_of(names_of(bits)) == bits


def test_a_field_has_every_value_that_an_entry_gave_it() -> None:
    """Also the role `default`, which has the digest of nothing; a field that no entry sets has none."""
    body = b'{"uid":"a","name":"Ann","role":"default","tags":["b","a"]}'
    first, second = entry_of(set_by(body)), entry_of({"name": '"Bob"'})
    assert (len(first), names_of(first[0])) == (ENTRY, ("name", "role", "tags"))
    both = first + second
    assert digests_in(both, "name") == {digest_of({"name": '"Ann"'}, "name"), digest_of({"name": '"Bob"'}, "name")}
    assert digests_in(both, "role") == {digest_of({}, "role")}
    assert digests_in(both, "tags") == {digest_of({"tags": '["a","b"]'}, "tags")}
    assert digests_in(both, "link") == frozenset()


def test_a_field_that_was_emptied_is_of_the_entry() -> None:
    """Its value is that of a field that is not there, so that one that is there again is told from it."""
    asked = set_by(b'{"uid":"a","name":"Ann","role":"default","tags":[],"unset":["avatar","metadata"]}')
    assert asked == {"name": '"Ann"', "role": '"default"', "tags": None, "avatar": None, "metadata": None}
    entry = entry_of(asked)
    assert names_of(entry[0]) == ("name", "avatar", "role", "metadata", "tags")
    for name in ("avatar", "role", "metadata", "tags"):
        assert digests_in(entry, name) == {digest_of({}, name)}
    assert digest_of({"avatar": '"x"'}, "avatar") not in digests_in(entry, "avatar")


def test_what_an_update_neither_sets_nor_empties_it_leaves() -> None:
    """But for a status message, which no update could empty."""
    assert left_by(b'{"uid":"a","name":"Ann","role":"default","tags":[],"unset":["avatar"]}') == "+25"
    assert left_by(b'{"name":"A","role":"r","tags":["t"],"metadata":{"a":1},"unset":["avatar","link"]}') == ""


def test_while_an_update_is_in_doubt_what_it_changes_may_be_anything() -> None:
    """What it leaves as it is remains known; of an unknown profile nothing is."""
    old = profile.digests({"name": '"Ann"', "avatar": '"a"', "tags": '["t"]', "statusMessage": '"s"'})
    new = profile.digests({"name": '"Ann"', "tags": '["u"]', "link": '"l"'})
    assert between(old, new) == profile.with_besides(new, "1246")
    assert profile.same(between(old, new) or b"", old) == {"name", "role", "metadata"}
    assert (between(old, old), between(None, new), between(old, None)) == (old, None, None)


def test_a_field_is_recognised_as_the_api_stores_it() -> None:
    """An entry of an earlier version is of the text as it was sent or shown: that is recognised as well."""
    sent = set_by(b'{"uid":"a","name":"Ann","metadata":{"lat":0.10000000000000001,"e":{}}}')
    shown = {"name": '"Ann"', "metadata": '{"lat":0.1,"e":[]}'}
    assert [is_in(entry_of(sent), shown, name) for name in ("name", "metadata", "avatar")] == [True, True, False]
    assert not is_in(entry_of(sent), {**shown, "metadata": '{"lat":0.2,"e":[]}'}, "metadata")
    text = {"metadata": '{"t":" x"}'}
    before = bytes([bits_of(text)]) + profile.digests(text)
    assert (is_in(before, text, "metadata"), is_in(before, {}, "metadata")) == (True, False)

"""Masking: no secret gets through, however it is written; what is no secret is left as it is."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.logs.masking import MASK, Redactor, Secret
from provisioner.model import Outcome, Settlement, State

KEY = "0123456789abcdef0123456789abcdef01234567"
TOKEN = "ada_1700000000" + "0a1b2c" * 5


@given(
    st.recursive(
        st.sampled_from([f"x{KEY}y", KEY, KEY.encode(), ValueError(KEY), Path(f"/{KEY}"), f"https://h/{KEY}?k={KEY}"])
        | st.none()
        | st.integers()
        | st.floats(allow_nan=False),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.text(max_size=3), inner) | inner.map(lambda x: (x,)) | inner.map(repr)
        ),
        max_leaves=8,
    )
)
def test_the_key_gets_through_nowhere(value: Any) -> None:
    """Promise 7: nested as deep as you like, in bytes, exceptions, paths, URLs; what is left can be JSON."""
    masked = Redactor([KEY])({}, "info", {"event": value, "fact": value})
    assert KEY not in json.dumps(masked) + repr(masked)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (f"starts with {KEY[:8]}", "starts with ***"),
        (f"{KEY[:12]}…{KEY[-9:]}!", "***…***!"),
        (f"({KEY[5:30]})", "(***)"),
        (f"{KEY[:7]}***{KEY[-4:]}", f"{KEY[:7]}***{KEY[-4:]}"),
    ],
)
def test_a_long_part_of_the_key_gets_through_nowhere_either(text: str, masked: str) -> None:
    """As servers quote it that mask it halfway; a few characters at its ends, which they show on purpose, may stay."""
    assert Redactor([KEY]).mask_text(text) == masked


@given(st.integers(0, len(KEY) - 8), st.integers(8, len(KEY)), st.sampled_from([str, str.upper, str.title]))
def test_eight_characters_in_a_row_get_through_nowhere(start: int, length: int, cased: Callable[[str], str]) -> None:
    """Wherever in the key they stand, and whatever case a server has made of them."""
    masked = Redactor([KEY]).mask_text(f"<{cased(KEY[start : start + length])}>")
    assert masked == "<***>"


def escaped(how: str, text: str) -> str:
    return "".join(how % ord(each) for each in text)


@pytest.mark.parametrize(
    "written",
    [
        escaped("\\u%04x", KEY),
        escaped("\\\\\\u%04X", KEY),
        escaped("\\x%02x", KEY),
        escaped("%%%02X", KEY),
        escaped("%%25%02x", KEY),
        escaped("&#%d;", KEY),
        escaped("&#x%x;", KEY),
        escaped("&amp;#0%d;", KEY),
        KEY[:20] + escaped("\\u%04x", KEY[20:]),
        KEY[:3] + escaped("%%%02X", KEY[3:6]) + KEY[6:9],
        KEY.encode().hex(),
        KEY.encode().hex().upper(),
        KEY.encode().hex()[9:40],
        quote(KEY.upper()),
    ],
)
def test_the_key_gets_through_in_no_usual_code(written: str) -> None:
    """As JSON, addresses and HTML escape characters, once or again, and with its bytes in hex digits."""
    assert Redactor([KEY]).mask_text(f"the key {written} is wrong") == "the key *** is wrong"


@pytest.mark.parametrize("before", ["", "k", "k:", "key:"])
@pytest.mark.parametrize("code", [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize("secret", [KEY, "pass~~~word???", "pässwörd"])
def test_the_key_gets_through_in_no_base64(before: str, code: Callable[[bytes], bytes], secret: str) -> None:
    """In either alphabet, wherever it stands in what was coded: nothing that is left can be read."""
    written = code((before + secret + "!").encode()).decode()
    masked = Redactor([secret]).mask_text(written)
    assert MASK in masked
    assert len(masked) < 16


def test_escapes_that_are_no_secret_stay_as_they_are() -> None:
    """A message is told as the server wrote it."""
    text = "50% of \\u00fcbung &#8211; 100%25 \\x41 &amp;#65; İstanbul"
    assert Redactor([KEY]).mask_text(text) == text
    assert Redactor([KEY]).mask_text(f"İİ {KEY} %41") == "İİ *** %41"


@pytest.mark.slow
def test_a_text_of_nothing_but_beginnings_of_escapes_is_read_in_time() -> None:
    """Whoever answers chooses the text: none may hold a run up."""
    text = "\\" * 200_000 + "%25" * 100_000 + "&amp;" * 100_000 + "0123" * 20_000
    began = time.process_time()
    assert Redactor(["0123a" * 8]).mask_text(text) == text
    assert time.process_time() - began < 5


def test_of_an_answer_every_text_is_masked_however_deep() -> None:
    """Names of members as well; numbers stay; what is nested beyond all reason is masked as a whole."""
    deep: Any = KEY
    for _ in range(2000):
        deep = [deep]
    told = {KEY: [{"a": f"x {KEY.upper()}", "n": 7, "no": None}], "deep": deep}
    masked = Secret(KEY).masked_in(told)
    assert masked[MASK] == [{"a": "x ***", "n": 7, "no": None}]
    assert repr(masked["deep"]) == "[" * 31 + repr(MASK) + "]" * 31


def test_of_a_short_secret_no_part_is_looked_for() -> None:
    """A password of a few letters may well be a part of a word."""
    assert Redactor(["open sesame"]).mask_text("open sesame, open sesam") == "***, open sesam"


@pytest.mark.parametrize("secret", ["key", "stopped", "error", "run.stopped"])
def test_a_secret_that_is_a_word_of_ours_leaves_the_events_readable(secret: str) -> None:
    """Who reads the log by machine goes by names and reasons; what a server says is masked as ever."""
    redactor = Redactor([secret])
    names = {"level": "error", "timestamp": "2026-11-30T02:32:56Z"}
    told = redactor(None, "", {"event": "run.stopped", "reason": "key", "message": f"<{secret}>", **names})
    assert told == {"event": "run.stopped", "reason": "key", "message": "<***>", **names}
    said = redactor(None, "", {"event": "api.unreachable", "reason": secret})
    assert said == {"event": "api.unreachable", "reason": "***"}
    assert redactor(None, "", {"event": f"of another's, with {secret}"}) == {"event": "of another's, with ***"}


def test_a_token_of_the_documented_form_gets_through_nowhere() -> None:
    """Even unknown tokens are known by their form: uid, underscore, ten digits, thirty hex digits. The uid stays."""
    told = {"event": f"minted {TOKEN}, {TOKEN}!", "body": [{"x": TOKEN.encode()}], "error": ValueError(TOKEN)}
    assert Redactor()({}, "info", told) == {
        "event": f"minted ada_{MASK}, ada_{MASK}!",
        "body": [{"x": f"b'ada_{MASK}'"}],
        "error": f"ada_{MASK}",
    }


@pytest.mark.parametrize(
    "name", ["apikey", "api_key", "APIKey", "authToken", "auth_token", "Authorization", "db_password", "client_secret"]
)
def test_a_member_that_is_secret_by_its_name_is_masked_whatever_it_holds(name: str) -> None:
    """A token is opaque: its form is not to be relied on."""
    told = {name: "opaque", "reply": {"data": [{name: {"a": 1}}]}}
    assert Redactor()({}, "info", told) == {name: MASK, "reply": {"data": [{name: MASK}]}}


def test_what_is_no_secret_is_left_as_it_is() -> None:
    """Numbers stay numbers, nothing stays nothing, ordinary facts stay readable."""
    told = {"event": "row.failed", "row": 7, "share": 0.9, "ok": True, "code": None, "uids": ["a_1700000000", "b"]}
    assert Redactor([KEY, ""])({}, "info", dict(told)) == told


@pytest.mark.parametrize("wrap", [MappingProxyType, lambda told: {**told, "auth": {KEY: 1}}])
def test_mappings_of_every_kind_are_masked_keys_included(wrap: Callable[[dict[str, Any]], Any]) -> None:
    """`Reply.data` is a Mapping; a server may well answer with an object keyed by what it was given."""
    masked = repr(Redactor([KEY])({}, "info", {"data": wrap({"authToken": "opaque"})}))
    assert "opaque" not in masked
    assert KEY not in masked


def test_our_own_data_is_masked_by_the_names_of_its_members() -> None:
    """Logging a settlement as it is must not print its token, whatever the token's form."""
    settlement = Settlement(1, State.SETTLED, Outcome.CREATED, 1, auth_token="opaque")
    assert "opaque" not in repr(Redactor()({}, "info", {"settlement": settlement}))


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (b'{"name":"0a1B2c3D4e5F6a7B"}', True),
        (b'{"name":"0A1B2C3D4E5F6A7B"}', True),
        (b'{"name":"0a1b2c3d4e5f6a7b"}', True),
        (rb'{"name":"0a1B2c3D4e5F6a7\u0042"}', True),
        (rb'{"name":"\u00e4"}', False),
        (b'{"name":"Ada"}', False),
    ],
)
def test_a_quick_look_tells_where_a_secret_may_stand(raw: bytes, found: bool) -> None:
    """As it is, in one case, or with an escape that nobody needs: the long look is for those alone."""
    assert Secret("0a1B2c3D4e5F6a7B").may_stand_in(raw) is found

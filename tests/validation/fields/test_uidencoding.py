"""Encoded uids: whatever a text is, its code holds only what a uid may hold, and is what other programs make of it."""

from __future__ import annotations

import base64
import json
import re
import string
import unicodedata
import uuid
from functools import reduce
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner.validation.fields.source import Encoding
from provisioner.validation.fields.uidencoding import encoded
from tests.rig.sampling import examples

# What Python's Unicode tables do not know yet, polars' may.
ASSIGNED = st.characters(exclude_categories=["Cs", "Cn", "Co"])


VECTORS = Path(__file__).parents[2] / "rig" / "data" / "uids" / "cometchat.ndjson"
"""Made by a JavaScript engine, see `cometchat.js` beside it."""


def codes(texts: list[str | None], encoding: Encoding, *, lower: bool = False) -> list[str | None]:
    frame = pl.DataFrame({"text": texts}, schema={"text": pl.String})
    namespace = uuid.NAMESPACE_DNS if encoding is Encoding.UUID5 else None
    return frame.select(encoded(pl.col("text"), encoding, lower=lower, namespace=namespace)).to_series().to_list()


def cometchat(text: str) -> str:
    """Say in plain Python what CometChat's migration guides say, for text without odd upper cases."""
    units = text.lower().encode("utf-16-le", "surrogatepass")
    allowed = set(string.ascii_lowercase + string.digits + "_-")
    letters = [chr(units[at] | units[at + 1] << 8) for at in range(0, len(units), 2)]
    plain = "".join(each if each in allowed else "_" for each in letters)
    if plain == text and len(plain) <= 100:
        return text
    number = reduce(lambda total, letter: (31 * total + ord(letter)) % 2**32, text, 0)
    digits = ""
    while number or not digits:
        number, digit = divmod(number, 36)
        digits = (string.digits + string.ascii_lowercase)[digit] + digits
    return f"{plain[:90]}_{digits}"


def slug(text: str) -> str:
    """Say in plain Python what a slug is."""
    letters = (each for each in unicodedata.normalize("NFKD", text) if unicodedata.category(each)[0] != "M")
    lowered = "".join(each.lower() if each.isascii() else each for each in letters)
    return re.sub("[^a-z0-9]+", "-", lowered).strip("-") or text


@pytest.mark.parametrize(
    ("text", "encoding", "code"),
    [
        ("foobar", Encoding.BASE32, "mzxw6ytboi"),
        ("ann@example.org", Encoding.BASE32, "mfxg4qdfpbqw24dmmuxg64th"),
        ("é", Encoding.BASE32, "youq"),
        ("é", Encoding.HEX, "c3a9"),
        ("Anna B.", Encoding.SLUG, "anna-b"),
        (" Zoë  O'Neil—Ç ", Encoding.SLUG, "zoe-o-neil-c"),
        ("\ufb01le \u2460 \u212a", Encoding.SLUG, "file-1-k"),
        ("Straße", Encoding.SLUG, "stra-e"),
        ("山田", Encoding.SLUG, "山田"),
        ("alice", Encoding.COMETCHAT, "alice"),
        ("Alice", Encoding.COMETCHAT, "alice_11ptgg"),
        ("ann@example.org", Encoding.COMETCHAT, "ann_example_org_3ylxtt"),
        ("A.b", Encoding.COMETCHAT, "a_b_1ddh"),
        ("x😀", Encoding.COMETCHAT, "x___2u14"),
        ("python.org", Encoding.UUID5, "886313e1-3b8a-5372-9b90-0c9aee199e5d"),
        (None, Encoding.SLUG, None),
        (None, Encoding.COMETCHAT, None),
        (None, Encoding.UUID5, None),
        (None, Encoding.BASE32, None),
    ],
)
def test_each_encoding_gives_what_it_is_known_for(text: str | None, encoding: Encoding, code: str | None) -> None:
    """Example by example; null stays null."""
    assert codes([text], encoding) == [code]


@pytest.mark.parametrize("encoding", list(Encoding))
def test_folded_before_two_spellings_of_an_address_are_one(encoding: Encoding) -> None:
    """With `lower` the case does not count."""
    one, other = codes(["Ann.ÉDOUARD@Example.org", "ann.édouard@example.org"], encoding, lower=True)
    assert one == other


def test_uids_for_cometchat_are_those_of_a_javascript_engine() -> None:
    """A thousand texts at random: emoji, combining marks, Turkish and Greek capitals, letters beyond the BMP."""
    texts, uids = zip(*(json.loads(line) for line in VECTORS.read_text(encoding="utf-8").splitlines()), strict=True)
    assert codes(list(texts), Encoding.COMETCHAT) == list(uids)
    assert len(texts) > 1000


@settings(max_examples=examples(150), deadline=None)
@given(st.lists(st.none() | st.text(ASSIGNED, min_size=1, max_size=40), max_size=8))
def test_codes_are_those_of_the_standard_library(texts: list[str | None]) -> None:
    """Base32, hex and UUIDs are its own, and the others what plain Python makes of the text."""
    there = [text for text in texts if text is not None]
    assert [each for each in codes(texts, Encoding.BASE32) if each is not None] == [
        base64.b32encode(text.encode()).decode().rstrip("=").lower() for text in there
    ]
    assert [each for each in codes(texts, Encoding.HEX) if each is not None] == [text.encode().hex() for text in there]
    assert [each for each in codes(texts, Encoding.SLUG) if each is not None] == [slug(text) for text in there]
    assert [each for each in codes(texts, Encoding.COMETCHAT) if each is not None] == list(map(cometchat, there))
    assert [each for each in codes(texts, Encoding.UUID5) if each is not None] == [
        str(uuid.uuid5(uuid.NAMESPACE_DNS, text)) for text in there
    ]
    assert [each is None for each in codes(texts, Encoding.BASE32)] == [text is None for text in texts]


def test_texts_of_two_kinds_and_lengths_in_one_column() -> None:
    """Short and long, with and without letters beyond ASCII, missing ones between them: each is hashed by itself."""
    texts = ["A", None, "é" * 64, "é" * 65, "a" * 128 + ".", "b.c", "x😀", None, "Z" * 3000]
    assert codes(texts, Encoding.COMETCHAT) == [None if text is None else cometchat(text) for text in texts]
    assert codes([], Encoding.COMETCHAT) == []


def test_a_name_based_uuid_needs_a_namespace() -> None:
    """It is an error of ours to leave it out."""
    with pytest.raises(ValueError, match="needs a namespace"):
        encoded(pl.col("text"), Encoding.UUID5)

"""Encoded uids: whatever a text is, its code holds only what a uid may hold, and is what other programs make of it."""

from __future__ import annotations

import base64
import re
import unicodedata

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner.validation.fields.source import Encoding
from provisioner.validation.fields.uidencoding import encoded

# What Python's Unicode tables do not know yet, polars' may.
ASSIGNED = st.characters(exclude_categories=["Cs", "Cn", "Co"])


def codes(texts: list[str | None], encoding: Encoding, *, lower: bool = False) -> list[str | None]:
    frame = pl.DataFrame({"text": texts}, schema={"text": pl.String})
    return frame.select(encoded(pl.col("text"), encoding, lower=lower)).to_series().to_list()


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
        (None, Encoding.SLUG, None),
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


@settings(max_examples=150, deadline=None)
@given(st.lists(st.none() | st.text(ASSIGNED, min_size=1, max_size=40), max_size=8))
def test_codes_are_those_of_the_standard_library(texts: list[str | None]) -> None:
    """Base32 and hex are its own, and a slug is what plain Python makes of the text."""
    there = [text for text in texts if text is not None]
    assert [each for each in codes(texts, Encoding.BASE32) if each is not None] == [
        base64.b32encode(text.encode()).decode().rstrip("=").lower() for text in there
    ]
    assert [each for each in codes(texts, Encoding.HEX) if each is not None] == [text.encode().hex() for text in there]
    assert [each for each in codes(texts, Encoding.SLUG) if each is not None] == [slug(text) for text in there]
    assert [each is None for each in codes(texts, Encoding.BASE32)] == [text is None for text in texts]
